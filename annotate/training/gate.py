"""The gate: whether a retrained model may serve.

Both models are measured on the same sentences: held-out corrections, which must not get worse, and the frozen
set (with `--data` the corpora's dev sets as well), where no signal may fall by more than its margin. Small
falls add up: by more than LASTING margins no signal may fall since the model that a row of retrainings began
with, nor on the frozen set with the model that goes the whole way, of which the new one goes a part, since
more such corrections lead there. Figures come with the interval of their difference by a paired bootstrap
over articles (Efron & Tibshirani 1993; Koehn 2004).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from annotate.model.bundle import Bundle
from annotate.signals.base import REVIEWED, Example, Signal
from annotate.signals.metrics import Metric
from annotate.training.evaluation import by_document, interval_of, score_examples

MARGIN = {"stance": 0.03, "attribution": 0.02, "hedging": 0.02, "loaded": 0.02, "garble": 0.02}
"""How far the mean figure of a signal may fall on a frozen set."""
DEFAULT_MARGIN = 0.02
LASTING = 2
"""How many margins it may have fallen by since the first model of a row of retrainings, or fall by when all
the way is gone."""
RESAMPLES = 1000
HELD_OUT = 5
"""One article in so many is held out of training."""
FEWEST, FEWEST_ARTICLES = 30, 5
"""Examples of a signal, and articles they come from, below which held-out corrections decide nothing: an
interval drawn from fewer says little."""
CONFIDENCE = 0.99
"""Of the intervals: with five signals, at most one in forty retrainings that change nothing is refused by
chance (Bonferroni; only the upper end decides)."""


@dataclass(frozen=True, slots=True)
class Compared:
    """Two models on one set: the mean of the signal's figures, the difference (new less old) with its 99 %
    interval, and whether it lets the new one pass; `parts` are the figures one by one, old and new."""

    where: str
    signal: str
    n: int
    old: float
    new: float
    interval: tuple[float, float]
    passed: bool
    reason: str
    parts: dict[str, tuple[float, float]]

    @property
    def difference(self) -> float:
        return self.new - self.old


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says: `promote`, and every comparison behind it."""

    promote: bool
    compared: list[Compared]

    def lines(self) -> list[str]:
        """The reasons, a line each; what stood in the way first."""
        ordered = sorted(self.compared, key=lambda c: c.passed)
        return [
            f"{'ok' if c.passed else 'NO'}  {c.where}, {c.signal} (n={c.n}): {c.old:.3f} -> {c.new:.3f} "
            f"({c.difference:+.3f}, 99 % interval {c.interval[0]:+.3f} to {c.interval[1]:+.3f}); {c.reason}"
            for c in ordered
        ]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {"promote": self.promote, "compared": [asdict(c) for c in self.compared]}


def is_held_out(article_id: str) -> bool:
    """Whether an article's corrections are kept from training: fixed by its id, so nothing ever drifts from
    training to test."""
    return int(hashlib.sha256(article_id.encode()).hexdigest(), 16) % HELD_OUT == 0


def judge(
    old: Bundle,
    new: Bundle,
    held_out: Mapping[Signal, Sequence[Example]],
    frozen: Mapping[str, Mapping[Signal, Sequence[Example]]],
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
    first: tuple[str, Bundle] | None = None,
    whole: Bundle | None = None,
) -> Judgement:
    """Compare two models; `frozen` are named sets, by corpus name for a published one; `first`: name and
    model that the row of retrainings began with, where it is not the old one; `whole`: the model that went
    the whole way, where the new one went a part.

    Held out: the new model may not be worse with 99 % confidence. A signal with fewer than FEWEST examples
    there, or of fewer than FEWEST_ARTICLES articles, is reported and decides nothing.
    """
    jobs = [
        (old, new, HELD, REVIEWED, signal, examples, 1) for signal, examples in held_out.items() if examples
    ]

    def ask(before: Bundle, after: Bundle, names: Iterable[str], what: str, margins: int) -> None:
        for name in names:
            corpus = name if name != FROZEN else REVIEWED
            for signal, some in frozen[name].items():
                if some:
                    jobs.append((before, after, name + what, corpus, signal, some, margins))

    ask(old, new, frozen, "", 1)
    if first:
        ask(first[1], new, frozen, f" since {first[0]}", LASTING)
    if whole:
        ask(old, whole, [FROZEN], ", the whole way", LASTING)
    found = []
    for done, job in enumerate(jobs):
        progress("Judging", done, len(jobs))
        found.append(compare(*job))
    progress("Judging", len(jobs), len(jobs))
    return Judgement(all(c.passed for c in found), found)


HELD, FROZEN = "held-out corrections", "frozen set"


def compare(
    old: Bundle,
    new: Bundle,
    where: str,
    corpus: str,
    signal: Signal,
    examples: Sequence[Example],
    margins: int = 1,
) -> Compared:
    """Both models on these examples of one signal, which may fall by so many margins."""
    metrics = [
        signal.metrics(
            corpus,
            score_examples(bundle.network, bundle.tokenizer, signal, examples),
            examples,
            bundle.settings[signal.name],
        )
        for bundle in (old, new)
    ]
    documents = by_document(examples)
    rng = np.random.default_rng(0)
    differences = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([documents[d] for d in rng.integers(len(documents), size=len(documents))])
        one, other = (mean_figure(each, rows) for each in metrics)
        if one == one and other == other:
            differences.append(other - one)
    everything = np.arange(len(examples))
    before, after = (mean_figure(each, everything) for each in metrics)
    interval = interval_of(differences, CONFIDENCE)
    many = len(examples) >= FEWEST and len(documents) >= FEWEST_ARTICLES
    passed, reason = verdict(where, signal.name, many, before, after, interval, margins)
    parts = {a.name: (a.reckon(a.facts), b.reckon(b.facts)) for a, b in zip(*metrics, strict=True)}
    return Compared(where, signal.name, len(examples), before, after, interval, passed, reason, parts)


def verdict(
    where: str,
    signal: str,
    many: bool,
    old: float,
    new: float,
    interval: tuple[float, float],
    margins: int = 1,
) -> tuple[bool, str]:
    """Whether a comparison lets the new model pass, and why."""
    fall = old - new
    said = "improved" if fall < 0 else "unchanged" if fall == 0 else "a fall"
    if where == HELD:
        if not many:
            return True, f"{said}; too few examples or articles to decide anything"
        if interval[1] < 0:
            return False, "worse with 99 % confidence"
        return True, said if fall <= 0 else "a fall that chance can explain"
    margin = margins * MARGIN.get(signal, DEFAULT_MARGIN)
    if fall > margin:
        return False, f"a fall of more than {margin:.2f}"
    return True, said if fall <= 0 else f"a fall of at most {margin:.2f}"


def mean_figure(metrics: Sequence[Metric], rows: np.ndarray) -> float:
    """The mean of a signal's figures on these rows, those that have none left out."""
    values = [value for m in metrics if (value := m.reckon(m.facts[rows])) == value]
    return float(np.mean(values)) if values else float("nan")
