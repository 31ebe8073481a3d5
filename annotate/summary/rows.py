"""The scores frame taken apart: a row per sentence and measure, with what is measured and the model's
doubt."""

from __future__ import annotations

from typing import TYPE_CHECKING

from annotate.signals import SIGNALS
from annotate.signals.attribution import ATTRIBUTION
from annotate.signals.stance import STANCE, STANCES

if TYPE_CHECKING:
    import pandas as pd

UNNAMED = "unnamed"
"""Stands for the sources without a name."""


def signal_names() -> list[str]:
    """The signals that give each sentence one probability, in a column of their own name."""
    import pyarrow as pa

    return [
        signal.name
        for signal in SIGNALS
        if any(name == signal.name and pa.types.is_floating(kind) for name, kind in signal.columns)
    ]


def signal_rows(content: pd.DataFrame) -> pd.DataFrame:
    """`group, article_id, voice, measure, value, doubt`: the probability of a yes, and its variance.
    Attribution itself is what tells the voices apart, and stands under all voices only."""
    import pandas as pd

    found = []
    for name in signal_names():
        p = content[name].astype(float)
        rows = content[["group", "article_id"]].assign(measure=name, value=p, doubt=p * (1 - p))
        found.append(rows.assign(voice="all"))
        if name != ATTRIBUTION.name:
            found.append(rows.assign(voice=content["holder_kind"]))
    return pd.concat(found, ignore_index=True).dropna(subset="value")


def stance_rows(content: pd.DataFrame) -> pd.DataFrame:
    """`group, article_id, voice, holder, target, against, neutral, favor, value, doubt`: the value is favor
    less against. A sentence on a target stands under its own voice and under all."""
    import pandas as pd

    columns = ["group", "article_id", "holder_kind", "holder_name", STANCE.name]
    found = pd.DataFrame(
        [
            (group, article, voice, holder, toward["target"], *(toward[f"p_{stance}"] for stance in STANCES))
            for group, article, kind, holder, targets in content[columns].itertuples(index=False)
            for toward in targets or ()
            for voice in ("all", kind)
        ],
        columns=["group", "article_id", "voice", "holder", "target", *STANCES],
    )
    found = found.astype(dict.fromkeys(STANCES, float))
    value = found["favor"] - found["against"]
    return found.assign(value=value, doubt=found["favor"] + found["against"] - value**2)


def quoted_rows(content: pd.DataFrame) -> pd.DataFrame:
    """`group, article_id, holder, value, doubt`: a row per sentence that a source says. The doubt is whether
    it is one that says it."""
    said = content[content["holder_kind"] == "source"]
    p = said[ATTRIBUTION.name].astype(float)
    holder = said["holder_name"].where(said["holder_name"].notna(), UNNAMED)
    return said[["group", "article_id"]].assign(holder=holder, value=1.0, doubt=p * (1 - p))


def drift_rows(content: pd.DataFrame) -> pd.DataFrame:
    """`group, article_id, sentence_id, kind`: a row per wording that drifted."""
    import pandas as pd

    columns = ["group", "article_id", "sentence_id", "drift"]
    return pd.DataFrame(
        [
            (group, article, sentence, drift["kind"])
            for group, article, sentence, drifts in content[columns].itertuples(index=False)
            for drift in drifts or ()
        ],
        columns=["group", "article_id", "sentence_id", "kind"],
    )
