"""What a retraining goes on with: corrections to learn from or to be judged by, and sentences to keep to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from annotate.signals import SIGNALS
from annotate.signals.base import Example, Row, Signal
from annotate.training.gate import is_held_out

Examples = Mapping[Signal, Sequence[Example]]

OPEN = 1500
"""Open sentences of each signal at the utmost, and as many of the package's own, whose scores a model keeps
to."""
REPEATED = 4
REPLAYED = 600
"""Rows of each published corpus that join in."""


@dataclass(frozen=True, slots=True)
class Lessons:
    """What a model goes on with, examples by signal: `reviewed` with their labels, `unreviewed` sentences
    whose labels are not looked at, and by corpus a sample of published rows to `replay`."""

    reviewed: Examples
    unreviewed: Examples
    replay: Mapping[str, Sequence[Example]] = field(default_factory=dict)


def reviewed(rows: Iterable[tuple[Row, Iterable[str]]], held_out: bool) -> dict[Signal, list[Example]]:
    """The examples of reviewed rows, of the articles that are held out or of the others. Each row comes with
    the names of the signals that its labels are of."""
    found: dict[Signal, list[Example]] = {signal: [] for signal in SIGNALS}
    for row, names in rows:
        if is_held_out(row["article_id"]) is held_out:
            for signal in SIGNALS:
                if signal.name in set(names):
                    found[signal] += signal.examples(row)
    return found


def untaught(examples: Examples, rows: Iterable[tuple[Row, Iterable[str]]]) -> dict[Signal, list[Example]]:
    """Examples without those whose sentence stands among reviewed rows: what was taught is no fair judge."""
    texts = {row["text"] for row, _ in rows}
    return {signal: [e for e in some if e.text not in texts] for signal, some in examples.items()}


def balanced(examples: Sequence[Example]) -> list[Example]:
    """Examples of classes, the rarer classes repeated until they are as many as the most frequent, or have
    come REPEATED times: the figure that counts, macro-F1, counts classes alike."""
    n = Counter(example.label for example in examples)
    most = max(n.values(), default=0)
    return [e for e in examples for _ in range(min(REPEATED, round(most / n[e.label])))]


def unreviewed(rows: Sequence[Row], n: int = OPEN, seed: int = 0) -> dict[Signal, list[Example]]:
    """At most `n` examples of each signal from scored rows that nobody reviewed, and as many of the sentences
    that come with the package."""
    rng = np.random.default_rng(seed)
    own = packaged()
    found = {}
    for signal in SIGNALS:
        mine = [e for row in rows if signal.scored(row) for e in signal.examples(row)]
        found[signal] = [*drawn(mine, n, rng), *drawn(own[signal], n, rng)]
    return found


def packaged() -> dict[Signal, list[Example]]:
    """The sentences that come with the package for training, by signal; any of them where a signal needs no
    more than a text."""
    from annotate.signals.stance import STANCE
    from annotate.training.events import read_events
    from annotate.training.written import READ, read_written

    named = read_written("own_stances", "train")
    texts = [
        t.text for event in read_events("first", "train").values() for told in event.values() for t in told
    ]
    own: dict[Signal, list[Example]] = {}
    for name, (_, signal, _) in READ.items():
        own.setdefault(signal, []).extend(read_written(name, "train"))
    plain = [Example(text) for text in [*texts, *(e.text for e in named)]]
    return {
        signal: named if signal is STANCE else [*(Example(e.text) for e in own.get(signal, [])), *plain]
        for signal in SIGNALS
    }


def replayed(data: Path, n: int = REPLAYED, seed: int = 0) -> dict[str, list[Example]]:
    """At most `n` training rows of each published corpus that is under `data`.

    Raises:
        UserError: for a corpus that cannot be read.
    """
    from annotate.training.corpora import READERS, load_corpus

    rng = np.random.default_rng(seed)
    there = [name for name in READERS if (data / name / "train.parquet").is_file()]
    return {name: drawn(load_corpus(data, name, "train"), n, rng) for name in there}


def drawn(examples: Sequence[Example], n: int, rng: Any) -> list[Example]:
    """At most `n` of them, at random, in their order."""
    if len(examples) <= n:
        return list(examples)
    return [examples[i] for i in sorted(rng.choice(len(examples), n, replace=False))]


def dev_sets(data: Path, n: int = REPLAYED) -> dict[str, dict[Signal, list[Example]]]:
    """At most `n` dev rows of each published corpus under `data` that has labels to measure by, whole
    documents together.

    Raises:
        UserError: for a corpus that cannot be read.
    """
    from annotate.training.corpora import READERS, SIGNAL_OF, load_corpus
    from annotate.training.fit import sample

    there = [
        name
        for name in READERS
        if (data / name / "train.parquet").is_file() and (data / name / "dev.parquet").is_file()
    ]
    return {name: {SIGNAL_OF[name]: sample(load_corpus(data, name, "dev"), n)} for name in there}
