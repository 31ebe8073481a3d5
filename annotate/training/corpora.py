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
from annotate.signals.hedging import HEDGING
from annotate.training import hedging_news, spinning
from annotate.training.written import read_written

Split = Literal["train", "dev", "test"]

READERS: dict[str, tuple[Signal, Reader]] = {
    corpus: (signal, reader) for signal in SIGNALS for corpus, reader in signal.readers.items()
}
"""Which signal reads which corpus, and how."""

SIGNAL_OF: dict[str, Signal] = {
    **{name: signal for name, (signal, _) in READERS.items()},
    "spun_news": GARBLE,
    "hedged_news": HEDGING,
    "own_garbles": GARBLE,
}
"""The signal that each corpus teaches, those that are made from others among them."""
MADE_FROM = {
    "spun_news": (*spinning.SOURCES, spinning.IDIOMS),
    "hedged_news": (*hedging_news.SOURCES, hedging_news.CUES),
}


WRITTEN = "own_garbles"
"""The corpus that comes with the package."""


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
    if name in MADE_FROM:
        return make(folder, name, split)
    if name == WRITTEN:
        if split == "test":
            raise UserError(f"{WRITTEN} has no test split; its own test are the seeds.")
        return read_written(split)
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


def make(folder: Path, name: str, split: Split) -> list[Example]:
    """The examples of a corpus that is made from the same split of others."""
    parts = {part: load_corpus(folder, part, split) for part in MADE_FROM[name]}
    seed = ("train", "dev", "test").index(split)
    if name == "spun_news":
        idioms = parts.pop(spinning.IDIOMS)
        return spinning.read_spun(parts, idioms, seed)
    cues = parts.pop(hedging_news.CUES)
    return hedging_news.hedged([e.text for part in parts.values() for e in part], cues, seed)


def source(folder: Path, name: str) -> Source:
    """Licence and citation of a corpus, word for word."""
    if name in MADE_FROM:
        return Source(name, f"made from {', '.join(MADE_FROM[name])}; their licences apply", "our own", "")
    if name == WRITTEN:
        return Source(name, "Apache-2.0, as this project", "our own, written for this purpose", "")
    path = folder / name / "SOURCE.json"
    raw = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return Source(
        name,
        str(raw.get("licence") or "none stated"),
        str(raw.get("citation") or ""),
        str(raw.get("url") or ""),
    )
