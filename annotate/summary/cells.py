"""What is counted: for each cell (an outlet, a voice, a measure) its sentences, article by article."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import scipy.sparse

from annotate.summary import intervals
from annotate.summary.intervals import BLOCK, FEW_ARTICLES, FEW_SENTENCES, Draws, Matrix

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Cells:
    """Sums by article and cell. keys: one row per cell; n, total, doubt: [A, C], of each article's sentences
    in the cell their number, the sum of what is measured, and that sum's variance; more: further columns by
    name, [C]."""

    keys: pd.DataFrame
    n: Matrix
    total: Matrix
    doubt: Matrix
    more: dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.keys)

    @property
    def sentences(self) -> np.ndarray:
        """[C]."""
        return np.asarray(self.n.sum(axis=0)).ravel()

    @property
    def articles(self) -> np.ndarray:
        """[C]: the articles with a sentence in the cell."""
        return np.asarray((self.n > 0).sum(axis=0)).ravel()

    @property
    def basis(self) -> np.ndarray:
        """[C]: what an interval rests on."""
        few = np.where(self.articles < FEW_ARTICLES, "sentences", "articles")
        return np.where(self.sentences < FEW_SENTENCES, "none", few)

    @property
    def mean(self) -> np.ndarray:
        """[C]: the estimates."""
        return np.asarray(self.total.sum(axis=0)).ravel() / np.maximum(self.sentences, 1)

    def take(self, chosen: np.ndarray) -> Cells:
        """Some of the cells."""
        more = {name: values[chosen] for name, values in self.more.items()}
        keys = self.keys.iloc[chosen].reset_index(drop=True)
        return Cells(keys, self.n[:, chosen], self.total[:, chosen], self.doubt[:, chosen], more)

    def draws(self, draws: Draws) -> np.ndarray:
        """The mean in each draw, [C, DRAWS]; nan where no article of the cell was drawn."""
        number = draws.sums(self.n)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(number > 0, draws.sums(self.total) / number, np.nan)

    def interval(self, draws: Draws, level: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends by `basis`, [C] each; nan where that is none."""
        basis = self.basis
        doubt = np.asarray(self.doubt.sum(axis=0)).ravel()
        low, high = intervals.of_sentences(self.mean, doubt, self.sentences, level)
        for block in blocks(np.flatnonzero(basis == "articles")):
            cells = self.take(block)
            low[block], high[block] = intervals.percentiles(cells.draws(draws), cells.articles, level)
        return np.where(basis == "none", np.nan, low), np.where(basis == "none", np.nan, high)

    def others(self, like: np.ndarray) -> Cells:
        """For each cell the other cells of its kind together. like: [C], the number of its kind."""
        shape = (len(like), like.max(initial=-1) + 1)
        kinds = scipy.sparse.csr_matrix((np.ones(len(like)), (np.arange(len(like)), like)), shape=shape)
        n, total, doubt = (pruned((m @ kinds)[:, like] - m) for m in (self.n, self.total, self.doubt))
        return Cells(self.keys, n, total, doubt)


def cells(rows: pd.DataFrame, keys: Sequence[str], articles: pd.Index, more: Sequence[str] = ()) -> Cells:
    """Rows added up. rows: one per sentence and measure, with the columns `keys`, `article_id`, `value` (what
    is measured), `doubt` (its variance), and `more`, whose sums over the number of sentences are kept."""
    numbers = rows.groupby(list(keys), sort=True, dropna=False).ngroup().to_numpy()
    named = rows.assign(cell=numbers).drop_duplicates("cell").sort_values("cell")
    shape = (len(articles), len(named))
    place = (articles.get_indexer(rows["article_id"]), numbers)

    def added(values: np.ndarray) -> Matrix:
        return scipy.sparse.coo_matrix((values, place), shape=shape).tocsr()

    n = added(np.ones(len(rows)))
    size = np.maximum(np.asarray(n.sum(axis=0)).ravel(), 1)
    sums = {
        name: np.bincount(numbers, rows[name].to_numpy(dtype=float), minlength=len(named)) / size
        for name in more
    }
    value, doubt = (rows[name].to_numpy(dtype=float) for name in ("value", "doubt"))
    return Cells(named[list(keys)].reset_index(drop=True), n, added(value), added(doubt), sums)


def contrast(
    own: Cells, rest: Cells, draws: Draws, level: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ends of the difference of means, own less the rest, and its basis, [C] each."""
    few = np.minimum(own.articles, rest.articles) < FEW_ARTICLES
    none = np.minimum(own.sentences, rest.sentences) < FEW_SENTENCES
    basis = np.where(none, "none", np.where(few, "sentences", "articles"))
    variance = np.zeros(len(own))
    for part in (own, rest):
        variance += np.asarray(part.doubt.sum(axis=0)).ravel() / np.maximum(part.sentences, 1) ** 2
    low, high = intervals.of_sentences(own.mean - rest.mean, variance, np.ones(len(own)), level)
    for block in blocks(np.flatnonzero(basis == "articles")):
        one, other = own.take(block), rest.take(block)
        apart = one.draws(draws) - other.draws(draws)
        fewest = np.minimum(one.articles, other.articles)
        low[block], high[block] = intervals.percentiles(apart, fewest, level)
    low, high = (np.where(basis == "none", np.nan, end) for end in (low, high))
    return low, high, basis


def blocks(numbers: np.ndarray) -> list[np.ndarray]:
    """Pieces of at most BLOCK."""
    return [numbers[i : i + BLOCK] for i in range(0, len(numbers), BLOCK)]


def pruned(matrix: Matrix) -> Matrix:
    """Without entries that are nothing but rounding."""
    matrix = matrix.tocsr()
    matrix.data[np.abs(matrix.data) < 1e-9] = 0
    matrix.eliminate_zeros()
    return matrix
