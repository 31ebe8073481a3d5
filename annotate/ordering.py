"""The order in which sentences teach the most when corrected: unsure ones first, each unlike those before.

Uncertainty alone asks for the same thing again and again, as sentences that puzzle a model are often alike;
diversity alone asks for what it knows. They are joined as in maximal marginal relevance (Carbonell &
Goldstein 1998), by a product, so that a sentence that stands there twice or that the model is sure of gains
nothing.
Settles (2009), section 5, reviews such mixtures. Others find diversity in the network's own gradients or
losses (Ash et al. 2020; Yuan et al. 2020); likeness of words needs no second pass of the network.
benchmarks/active_learning.md has what each of the two is worth: on a frozen encoder no gain beyond noise.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

GREEDY = 1000
"""Sentences picked one by one; those behind them follow by what they would have gained next. More than an
annotator does before the next retraining orders anew."""


def review_order(rows: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The rank of each content sentence of a scores frame by its id, 1 for the one to review first.

    rows: of the scores frame; `sentence_id`, `text`, `boilerplate` and `uncertainty` are read, and a sentence
    that stands there twice counts once. One without a finite uncertainty counts as wholly unsure. The same
    rows in the same order give the same ranks.
    """
    content = {row["sentence_id"]: row for row in rows if not row["boilerplate"]}
    doubts = np.array([doubt(row.get("uncertainty")) for row in content.values()])
    order = most_useful_first([row["text"] for row in content.values()], doubts)
    names = list(content)
    return {names[i]: rank for rank, i in enumerate(order.tolist(), 1)}


def most_useful_first(texts: Iterable[str], uncertainty: np.ndarray, greedy: int = GREEDY) -> np.ndarray:
    """Indices of the n texts, which are read once, most useful first; uncertainty: [n], from 0 to 1.

    Greedy for the first so many: the next has the highest product of its uncertainty and one minus its
    highest likeness (cosine of TF-IDF vectors of words) to those picked. Of equals the earlier comes first.
    """
    n = len(uncertainty)
    words = _words(texts)
    apart = np.ones(n)
    picked: list[int] = []
    left = np.ones(n, dtype=bool)
    for _ in range(min(greedy, n)):
        best = int(np.argmax(np.where(left, uncertainty * apart, -1.0)))
        picked.append(best)
        left[best] = False
        if words is not None:
            apart = np.minimum(apart, 1.0 - np.clip(words @ words[best].toarray().ravel(), 0.0, 1.0))
    rest = np.flatnonzero(left)
    behind = rest[np.argsort(-(uncertainty * apart)[rest], kind="stable")]
    return np.concatenate([np.array(picked, dtype=int), behind])


def _words(texts: Iterable[str]) -> Any:
    """[n, words] in unit rows, sparse; None where no text holds a word."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    try:
        return TfidfVectorizer(sublinear_tf=True, dtype=np.float32).fit_transform(texts).tocsr()
    except ValueError:
        return None


def doubt(uncertainty: float | None) -> float:
    """How unsure the model is, from 0 to 1; 1 where it does not say."""
    if uncertainty is None or not math.isfinite(uncertainty):
        return 1.0
    return float(uncertainty)
