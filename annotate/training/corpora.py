"""Corpora on disk: `<folder>/<name>/{train,dev,test}.parquet` beside a `SOURCE.json`."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from annotate.errors import UserError
from annotate.signals import SIGNALS
from annotate.signals.base import Example, Reader, Signal
from annotate.signals.garble import GARBLE
from annotate.training import spinning

Split = Literal["train", "dev", "test"]

READERS: dict[str, tuple[Signal, Reader]] = {
    corpus: (signal, reader) for signal in SIGNALS for corpus, reader in signal.readers.items()
}
"""Which signal reads which corpus, and how."""

SPUN = "spun_news"
SIGNAL_OF: dict[str, Signal] = {**{name: signal for name, (signal, _) in READERS.items()}, SPUN: GARBLE}
"""The signal that each corpus teaches, the one that is made from others among them."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a corpus comes from, as its SOURCE.json says it."""

    name: str
    licence: str
    citation: str
    url: str


def load_corpus(folder: Path, name: str, split: Split) -> list[Example]:
    """The examples of one split of a corpus.

    Raises:
        UserError: for an unknown corpus, a missing file, a missing column, or a span outside its text.
    """
    if name not in SIGNAL_OF:
        raise UserError(f"There is no corpus `{name}`; known are {', '.join(SIGNAL_OF)}.")
    if name == SPUN:
        sources = {source: load_corpus(folder, source, split) for source in spinning.SOURCES}
        idioms = load_corpus(folder, spinning.IDIOMS, split)
        return spinning.read_spun(sources, idioms, seed=("train", "dev", "test").index(split))
    import pandas as pd

    path = folder / name / f"{split}.parquet"
    if not path.is_file():
        raise UserError(f"{path} is missing; --data must name the folder that holds the corpora.")
    try:
        rows = pd.read_parquet(path)
    except Exception as error:  # pyarrow raises many kinds for a file that is not parquet
        raise UserError(f"{path} is not a readable parquet file ({type(error).__name__}).") from error
    try:
        examples = READERS[name][1](rows)
    except AttributeError as error:
        raise UserError(
            f"{path} lacks the column `{error.name}`; columns are {', '.join(rows.columns)}."
        ) from error
    for number, example in enumerate(examples):
        for start, end, *_ in example.spans:
            if not 0 <= start < end <= len(example.text):
                raise UserError(
                    f"{path}, row {number}: the span {start} to {end} lies outside its text of "
                    f"{len(example.text)} characters; mend the row."
                )
    return examples


def source(folder: Path, name: str) -> Source:
    """Licence and citation of a corpus, word for word."""
    if name == SPUN:
        made_from = ", ".join((*spinning.SOURCES, spinning.IDIOMS))
        return Source(name, f"made from {made_from}; their licences apply", "annotate.training.spinning", "")
    path = folder / name / "SOURCE.json"
    raw = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return Source(
        name,
        str(raw.get("licence") or "none stated"),
        str(raw.get("citation") or ""),
        str(raw.get("url") or ""),
    )
