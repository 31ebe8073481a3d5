"""Intervals of shares and means over articles, with what the model is unsure of carried into them.

- **Articles, not sentences, are resampled**, as sentences of one article are alike: a Poisson bootstrap
  (Hanley and MacGibbon 2006; Chamandy et al. 2012), in which each article counts Poisson(1) times. Its
  weights depend on the article's id alone, so that neither the order of the rows nor other outlets in the
  frame change an interval.
- **The estimate is the mean of calibrated probabilities**, better than counting labels (Card and Smith 2018).
  Over articles drawn from the same source it is right in the mean, so that what varies from article to
  article is all the chance there is: drawing each sentence's label besides would make intervals that are far
  too wide (they hold the truth 99 times in 100). Where only these very sentences are spoken of, that draw is
  the interval.
- **Percentiles are taken further out for few articles** (Hesterberg 2015, the expanded percentile interval).
- **The calibration error is added on both sides.** The mean of probabilities is off by no more than the
  expected calibration error on data like the dev sets: the error of the mean is a sum of the bins' errors
  with their signs, the expected calibration error the same sum without.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import scipy.sparse
import scipy.stats

DRAWS = 2000
"""Bootstrap draws: an end of a 95 % interval then varies by less than a tenth of its half-width from seed to
seed."""
FEW_ARTICLES = 5
"""With fewer articles nothing is said of others than these."""
FEW_SENTENCES = 10
"""With fewer sentences no interval is given."""
BLOCK = 256
"""Cells whose draws are held at once."""

Matrix: TypeAlias = scipy.sparse.csr_matrix


class Draws:
    """Sums over resampled articles. weights: [A, DRAWS], how often each article counts."""

    def __init__(self, articles: Sequence[str], seed: int) -> None:
        self.weights = np.stack([weights(article, seed) for article in articles])

    def sums(self, counts: Matrix) -> np.ndarray:
        """counts: [A, C]; the sums of each cell in each draw, [C, DRAWS]."""
        return np.asarray(counts.T @ self.weights, dtype=float)


def weights(article: str, seed: int) -> np.ndarray:
    """How often an article counts, [DRAWS]: random numbers that belong to its name."""
    name = int.from_bytes(hashlib.sha256(article.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, name]).poisson(1.0, DRAWS).astype(np.float32)


def tails(articles: np.ndarray, level: float) -> np.ndarray:
    """The lower percentile (0 to 0.5) to take with so many articles: Hesterberg 2015, section 5.3."""
    n = np.maximum(articles, 2)
    t = scipy.stats.t.ppf(0.5 + level / 2, n - 1)
    return np.asarray(scipy.stats.norm.cdf(-np.sqrt(n / (n - 1)) * t))


def percentiles(draws: np.ndarray, articles: np.ndarray, level: float) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the intervals. draws: [C, DRAWS], nan where a draw says nothing; articles: [C]."""
    lower = tails(articles, level)
    ends = [
        (np.nanquantile(row, q), np.nanquantile(row, 1 - q)) if np.isfinite(row).any() else (np.nan, np.nan)
        for row, q in zip(draws, lower, strict=True)
    ]
    low, high = np.array(ends, dtype=float).reshape(-1, 2).T
    return low, high


def of_sentences(
    estimate: np.ndarray, doubt: np.ndarray, sentences: np.ndarray, level: float
) -> tuple[np.ndarray, np.ndarray]:
    """The ends where only the model's doubt counts: by the normal approximation. doubt: [C], the variance of
    each cell's sum."""
    half = scipy.stats.norm.ppf(0.5 + level / 2) * np.sqrt(doubt) / np.maximum(sentences, 1)
    return estimate - half, estimate + half
