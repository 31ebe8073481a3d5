"""Corpora on disk: `<folder>/<name>/{train,dev,test}.parquet` beside a `SOURCE.json`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from annotate.errors import UserError
from annotate.signals import SIGNALS
from annotate.signals.base import Example, Reader, Signal
from annotate.signals.garble import GARBLE
from annotate.signals.loaded import LOADED
from annotate.signals.stance import STANCE
from annotate.training.naming import read_named
from annotate.training.swapping import read_swapped
from annotate.training.written import READ as WRITTEN
from annotate.training.written import read_written

Split = Literal["train", "dev", "test"]
SPLITS: tuple[Split, ...] = ("train", "dev", "test")

READERS: dict[str, tuple[Signal, Reader]] = {
    corpus: (signal, reader) for signal in SIGNALS for corpus, reader in signal.readers.items()
}
"""Which signal reads which corpus, and how."""

SIGNAL_OF: dict[str, Signal] = {
    **{name: signal for name, (signal, _) in READERS.items()},
    "swapped_news": GARBLE,
    "named_news": STANCE,
    "named_texts": STANCE,
    "plain_texts": GARBLE,
    "plain_news": LOADED,
    **{name: signal for name, (_, signal, _) in WRITTEN.items()},
}
"""The signal that each corpus teaches, those that are made from others among them."""
MADE_FROM = {
    "swapped_news": (
        "newsmtsc",
        "polnear",
        "babe",
        "hedge_wiki",
        "zhen_news20",
        "zhen_news21",
        "mlqe_pe_en",
    ),
    "named_news": ("polnear", "babe"),
    "named_texts": ("newsmtsc", "hedge_wiki", "zhen_news20", "zhen_news21", "mlqe_pe_en"),
    "plain_texts": ("newsmtsc", "polnear", "babe", "hedge_wiki", "mlqe_pe_en"),
    "plain_news": ("newsmtsc", "polnear"),
}
"""What is made of the clean text of others: of translations, what shows no error, and the post-edits."""
UNLABELLED = ("named_news", "named_texts", "plain_texts", "plain_news")
"""What only teachers judge."""


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
        texts = clean_texts(folder, MADE_FROM[name], split)
        if name not in UNLABELLED:
            return read_swapped(texts, seed=SPLITS.index(split))
        if SIGNAL_OF[name] is not STANCE:
            return [Example(text) for text in texts]
        held_out: tuple[Split, ...] = ("dev", "test")
        return read_named(texts, [e.text for s in held_out for e in load_corpus(folder, "newsmtsc", s)])
    if name in WRITTEN:
        if split == "test":
            raise UserError(f"{name} has no test split.")
        return read_written(name, split)
    import pandas as pd

    path = folder / name / f"{split}.parquet"
    if not path.is_file():
        raise UserError(f"{path} is missing; --data must name the folder that holds the corpora.")
    try:
        rows = pd.read_parquet(path)
    except Exception as error:  # pyarrow raises many kinds for a file that is not parquet
        raise UserError(f"{path} is not a readable parquet file ({type(error).__name__}).") from error
    if rows.empty:
        raise UserError(f"{path} holds no rows.")
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


def clean_texts(folder: Path, corpora: Sequence[str], split: Split) -> list[str]:
    """The clean sentences of some corpora, each once; of translations what shows no error, or the
    post-edits."""
    import pandas as pd

    texts: set[str] = set()
    for part in corpora:
        examples = load_corpus(folder, part, split)
        if part == "mlqe_pe_en":
            rows = pd.read_parquet(folder / part / f"{split}.parquet")
            if "post_edit" not in rows:
                raise UserError(f"{folder / part}/{split}.parquet lacks the column `post_edit`.")
            found = rows.post_edit.dropna().tolist()
        else:
            found = [e.text for e in examples if part not in GARBLE.mqm_corpora or e.label[2] == 0]
        texts.update(text for text in found if 40 < len(text) < 300)
    return sorted(texts)


def source(folder: Path, name: str) -> Source:
    """Licence and citation of a corpus, word for word."""
    if name in MADE_FROM:
        return Source(name, f"made from {', '.join(MADE_FROM[name])}; their licences apply", "our own", "")
    if name in WRITTEN:
        return Source(name, "Apache-2.0, as this project", "our own, written for this purpose", "")
    path = folder / name / "SOURCE.json"
    raw = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return Source(
        name,
        str(raw.get("licence") or "none stated"),
        str(raw.get("citation") or ""),
        str(raw.get("url") or ""),
    )
