"""What a reader of a summary must know: how far its figures carry, and how far the model behind them is
known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from annotate.errors import UserError
from annotate.summary.intervals import FEW_ARTICLES, FEW_SENTENCES

if TYPE_CHECKING:
    import pandas as pd


def model_error(signature: str) -> dict[str, float]:
    """The expected calibration error of each signal on the dev sets, as measured for the card of the model
    that a signature names; nothing where that model is not on this machine, or was never measured."""
    from annotate.registry import version

    named = re.search(r"\|model:([^|]+)", signature)
    try:
        figures = version(named[1]).figures if named else {}
    except UserError:
        return {}
    return {name: float(found["error"]) for name, found in (figures.get("calibration") or {}).items()}


def too_few(groups: pd.DataFrame) -> pd.Series:
    """Which groups have too few articles or sentences for an interval that speaks of more than these."""
    return (groups["articles"] < FEW_ARTICLES) | (groups["sentences"] < FEW_SENTENCES)


def notes(
    groups: pd.DataFrame, stance: pd.DataFrame, by: str, model: str, error: dict[str, float]
) -> Iterator[str]:
    """The sentences, what limits most first."""
    few = too_few(groups)
    if few.any():
        which = "The only" if few.all() and len(groups) == 1 else f"{few.sum()} of {len(groups)}"
        yield (
            f"{which} {by}{'s' if len(groups) > 1 else ''} with fewer than {FEW_ARTICLES} articles or "
            f"{FEW_SENTENCES} sentences: their intervals, if any, tell how sure the model is of these "
            "sentences, not what other articles would show."
        )
    empty = groups["group"][groups["sentences"] == 0]
    if len(empty):
        yield f"{', '.join(map(str, empty))}: nothing but boilerplate, so no figure."
    if stance.empty:
        yield (
            "No target was found in these sentences, so there is no stance; name targets with "
            "`--targets FILE` (`annotate targets PATH…` proposes some)."
        )
    if not error:
        yield (
            f"How well the model ({model}) is calibrated is not known on this machine; the intervals hold "
            "the draw of articles and labels alone."
        )
