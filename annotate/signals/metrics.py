"""Figures of merit that several signals share, each by its named definition.

Each is kept as facts, a row per example, and a way to reckon the figure from any choice of rows, so that an
interval by resampling costs no second look at the sentences.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotate.signals.base import Example
from annotate.signals.tagger import marked_words, runs, sigmoid

Span = tuple[int, int, str]
"""Start, end, and the kind of span."""


@dataclass(frozen=True, slots=True)
class Metric:
    """facts: [examples, any]; reckon: facts of some examples to the figure, nan where it has none; `n` what
    it counts, examples unless told otherwise."""

    name: str
    facts: np.ndarray
    reckon: Callable[[np.ndarray], float]
    n: int

    @classmethod
    def of(cls, name: str, facts: Any, reckon: Callable[[np.ndarray], float]) -> Metric:
        """A metric that counts examples."""
        rows = np.asarray(facts, dtype=float)
        return cls(name, rows, reckon, len(rows))


def ratio(facts: np.ndarray) -> float:
    """The sum of the first column over the sum of the second; 1 if nothing was to be found or said."""
    top, bottom = facts.sum(0)
    return float(top / bottom) if bottom else 1.0


def sentence_f1(name: str, probabilities: Any, examples: Sequence[Example], threshold: float) -> Metric:
    """F1 of yes over sentences."""
    return Metric.of(name, yes(probabilities, examples, threshold), lambda facts: f1(facts, "binary"))


def sentence_macro_f1(probabilities: Any, examples: Sequence[Example], threshold: float) -> Metric:
    """The mean of the F1 of yes and the F1 of no over sentences."""
    return Metric.of("macro-F1", yes(probabilities, examples, threshold), lambda facts: f1(facts, "macro"))


def yes(probabilities: Any, examples: Sequence[Example], threshold: float) -> np.ndarray:
    """[n, 2], whether yes is true, and said."""
    return np.stack([[e.label >= 0.5 for e in examples], np.asarray(probabilities) >= threshold], 1)


def f1(facts: np.ndarray, average: str) -> float:
    """F1 of rows of (true, said): `binary` of yes, `macro` the mean over all answers that are there; nan
    without rows. As scikit-learn's `f1_score`, whose checks take longer than a bootstrap's reckoning."""
    if not len(facts):
        return float("nan")
    true, said = facts[:, 0], facts[:, 1]
    answers = [1.0] if average == "binary" else np.union1d(true, said)
    found = []
    for answer in answers:
        is_true, is_said = true == answer, said == answer
        either = is_true.sum() + is_said.sum()
        found.append(2 * (is_true & is_said).sum() / either if either else 0.0)
    return float(np.mean(found))


def words(scores: Sequence[Any], examples: Sequence[Example], threshold: float) -> list[Any]:
    """Per sentence, how many words are marked and said, only said, only marked, and neither."""
    truth = [marked_words(s["offsets"], e) > 0 for s, e in zip(scores, examples, strict=True)]
    return [counts(t, sigmoid(s["words"]) >= threshold) for t, s in zip(truth, scores, strict=True)]


def counts(truth: np.ndarray, said: np.ndarray) -> tuple[int, int, int, int]:
    """True and false positives, false and true negatives."""
    return (
        int((truth & said).sum()),
        int((~truth & said).sum()),
        int((truth & ~said).sum()),
        int((~truth & ~said).sum()),
    )


def word_f1(facts: Any) -> Metric:
    """F1 of marked words, micro-averaged, from `counts` per sentence."""

    def reckon(facts: np.ndarray) -> float:
        tp, fp, fn, _ = facts.sum(0)
        return float(2 * tp / (2 * tp + fp + fn)) if tp + fp + fn else 1.0

    return Metric.of("word F1", facts, reckon)


def token_mcc(facts: Any) -> Metric:
    """Matthews' correlation (1975) of marked words, from `counts` per sentence."""

    def reckon(facts: np.ndarray) -> float:
        tp, fp, fn, tn = facts.sum(0)
        scale = np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
        return float((tp * tn - fp * fn) / scale) if scale else 0.0

    return Metric.of("token MCC", facts, reckon)


def exact_spans(name: str, said: Sequence[Iterable[Span]], truth: Sequence[Iterable[Span]]) -> Metric:
    """F1 of spans whose ends and kind match, micro-averaged."""
    facts = []
    for ours, theirs in zip(map(set, said), map(set, truth), strict=True):
        facts.append((2 * len(ours & theirs), len(ours) + len(theirs)))
    return Metric.of(f"{name} F1, exact", facts, ratio)


def characters(name: str, said: Sequence[Iterable[Span]], truth: Sequence[Iterable[Span]]) -> Metric:
    """F1 over characters in spans, micro-averaged; a character marked with another kind than the true one
    counts half (Blain et al. 2023, the WMT task of fine-grained error spans)."""
    facts = []
    for ours, theirs in zip(said, truth, strict=True):
        marked = {place: kind for start, end, kind in ours for place in range(start, end)}
        right = {place: kind for start, end, kind in theirs for place in range(start, end)}
        credit = sum(1.0 if marked[place] == right[place] else 0.5 for place in marked.keys() & right.keys())
        facts.append((2 * credit, len(marked) + len(right)))
    return Metric.of(f"{name} F1, characters", facts, ratio)


def word_spans(
    name: str, scores: Sequence[Any], examples: Sequence[Example], threshold: float
) -> list[Metric]:
    """Both span metrics of runs of words likelier than a threshold."""
    said = [
        [(s, e, name) for s, e, _, _ in runs(x.text, z["offsets"], sigmoid(z["words"]) >= threshold)]
        for z, x in zip(scores, examples, strict=True)
    ]
    truth = [[(s, e, name) for s, e, _ in x.spans] for x in examples]
    return [exact_spans(name, said, truth), characters(name, said, truth)]


def spearman(scores: Sequence[float], truth: Sequence[float]) -> Metric:
    """Spearman's rank correlation."""

    def reckon(facts: np.ndarray) -> float:
        from scipy.stats import spearmanr

        return float(spearmanr(facts[:, 0], facts[:, 1]).statistic)

    return Metric.of("Spearman", np.stack([scores, truth], 1), reckon)


def average_precision(name: str, truth: Any, scores: Any) -> Metric:
    """Average precision of what is true, the highest scored first."""

    def reckon(facts: np.ndarray) -> float:
        from sklearn.metrics import average_precision_score

        return float(average_precision_score(facts[:, 0], facts[:, 1])) if facts[:, 0].any() else float("nan")

    return Metric.of(name, np.stack([truth, scores], 1), reckon)


def confusion(truth: Sequence[str], said: Sequence[str], labels: Sequence[str]) -> list[dict[str, Any]]:
    """One row per true label with how often each label was said."""
    found = Counter(zip(truth, said, strict=True))
    return [{"true": t, **{f"said {s}": found[t, s] for s in labels}} for t in labels]
