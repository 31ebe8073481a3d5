"""Figures of merit that several signals share, each by its named definition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from annotate.signals.base import Example, Figure
from annotate.signals.tagger import marked_words, runs, sigmoid

Span = tuple[int, int, str]
"""Start, end, and the kind of span."""


def sentence_f1(metric: str, probabilities: Any, examples: Sequence[Example], threshold: float) -> Figure:
    """F1 of yes over sentences."""
    from sklearn.metrics import f1_score

    truth = [e.label >= 0.5 for e in examples]
    return Figure(metric, float(f1_score(truth, np.asarray(probabilities) >= threshold)), len(examples))


def sentence_macro_f1(probabilities: Any, examples: Sequence[Example], threshold: float) -> Figure:
    """The mean of the F1 of yes and the F1 of no over sentences."""
    from sklearn.metrics import f1_score

    truth = [e.label >= 0.5 for e in examples]
    value = f1_score(truth, np.asarray(probabilities) >= threshold, average="macro")
    return Figure("macro-F1", float(value), len(examples))


def word_f1(scores: Sequence[Any], examples: Sequence[Example], threshold: float) -> Figure:
    """F1 of marked words, micro-averaged."""
    from sklearn.metrics import f1_score

    truth = np.concatenate([marked_words(s["offsets"], e) > 0 for s, e in zip(scores, examples, strict=True)])
    said = np.concatenate([sigmoid(s["words"]) >= threshold for s in scores])
    return Figure("word F1", float(f1_score(truth, said)), len(examples))


def exact_f1(said: Sequence[set[Any]], truth: Sequence[set[Any]]) -> float:
    """F1 over items that must match exactly, micro-averaged over sentences."""
    right = sum(len(s & t) for s, t in zip(said, truth, strict=True))
    total = sum(map(len, said)) + sum(map(len, truth))
    return 2 * right / total if total else 1.0


def character_f1(said: Sequence[Iterable[Span]], truth: Sequence[Iterable[Span]]) -> float:
    """F1 over characters in spans, micro-averaged over sentences; a character marked with another kind than
    the true one counts half (Blain et al. 2023, the WMT task of fine-grained error spans)."""
    credit = 0.0
    total = 0
    for ours, theirs in zip(said, truth, strict=True):
        marked = {place: kind for start, end, kind in ours for place in range(start, end)}
        right = {place: kind for start, end, kind in theirs for place in range(start, end)}
        credit += sum(1.0 if marked[place] == right[place] else 0.5 for place in marked.keys() & right.keys())
        total += len(marked) + len(right)
    return 2 * credit / total if total else 1.0


def span_figures(
    what: str, scores: Sequence[Any], examples: Sequence[Example], threshold: float
) -> list[Figure]:
    """F1 of spans of words likelier than a threshold: both ends must match; and by characters."""
    said = [
        [(s, e, what) for s, e, _, _ in runs(x.text, z["offsets"], sigmoid(z["words"]) >= threshold)]
        for z, x in zip(scores, examples, strict=True)
    ]
    truth = [[(s, e, what) for s, e, _ in x.spans] for x in examples]
    return [
        Figure(f"{what} F1, exact", exact_f1([set(s) for s in said], [set(t) for t in truth]), len(examples)),
        Figure(f"{what} F1, characters", character_f1(said, truth), len(examples)),
    ]


def confusion(truth: Sequence[str], said: Sequence[str], labels: Sequence[str]) -> list[dict[str, Any]]:
    """One row per true label with how often each label was said."""
    counts = Counter(zip(truth, said, strict=True))
    return [{"true": t, **{f"said {s}": counts[t, s] for s in labels}} for t in labels]


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)
