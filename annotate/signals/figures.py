"""Figures of merit that several signals share, each by its named definition."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from annotate.signals.base import Example, Figure, Settings
from annotate.signals.tagger import marked_words, runs, sigmoid

if TYPE_CHECKING:
    from annotate.signals.tagger import Tagger


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


def span_f1(
    metric: str, signal: Tagger, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
) -> Figure:
    """F1 of spans whose both ends match, micro-averaged."""
    said = [
        {
            (s, e)
            for s, e, _, _ in runs(x.text, z["offsets"], sigmoid(z["words"]) >= settings["word_threshold"])
        }
        for z, x in zip(scores, examples, strict=True)
    ]
    truth = [{(s, e) for s, e, _ in x.spans} for x in examples]
    return Figure(metric, exact_f1(said, truth), len(examples))


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Spearman's rank correlation."""
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)
