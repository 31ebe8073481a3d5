"""Which articles report one event: alike in the words that tell, each with its nearest.

Words are weighed by how rare they are among these articles and in general news (`background`), so that two
articles are as alike alone as among thousands. Linked by average (Sokal & Michener 1958), so that a chain of
articles that share a little does not grow into one event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

MOST = 256
"""Articles that are compared as one event; a larger one is parted into the articles that are most alike."""
NEAREST = 12
"""So many of the other articles of its event an article is compared with."""
BLOCK = 1000


def vectors_of(texts: Sequence[str], background: Mapping[str, int], documents: int) -> Any:
    """[articles, words] of unit rows, sparse."""
    from scipy.sparse import diags
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.preprocessing import normalize

    counter = CountVectorizer(stop_words="english", token_pattern=r"(?u)\b\w\w+\b", dtype=np.float32)
    try:
        counts = counter.fit_transform(texts)
    except ValueError:  # sklearn's word for texts without a word
        from scipy.sparse import csr_matrix

        return csr_matrix((len(texts), 1), dtype=np.float32)
    counts.data = 1 + np.log(counts.data)
    here = np.bincount(counts.indices, minlength=counts.shape[1])
    there = np.array([background.get(word, 0) for word in counter.get_feature_names_out()])
    rare = np.log((documents + len(texts) + 1) / (there + here + 1)) + 1
    return normalize(counts @ diags(rare.astype(np.float32)))


def grouped(
    texts: Sequence[str], same: float, background: Mapping[str, int], documents: int
) -> list[list[int]]:
    """The articles (by number) of each event that has several; two articles are linked from the cosine
    `same` on.

    Near-linear: only articles that share enough words are ever compared one by one.
    """
    vectors = vectors_of(texts, background, documents)
    links = alike(vectors, same)
    from scipy.sparse.csgraph import connected_components

    _, component = connected_components(links, directed=False)
    found = []
    for members in np.split(np.argsort(component, kind="stable"), np.cumsum(np.bincount(component))[:-1]):
        if len(members) > 1:
            found += [sorted(members[part].tolist()) for part in parted(vectors[members], same)]
    return sorted(event for event in found if len(event) > 1)


def alike(vectors: Any, same: float) -> Any:
    """[articles, articles] sparse, the cosines of at least `same`."""
    from scipy.sparse import vstack

    rows = []
    for start in range(0, vectors.shape[0], BLOCK):
        cosines = vectors[start : start + BLOCK] @ vectors.T
        cosines.data[cosines.data < same] = 0
        cosines.eliminate_zeros()
        rows.append(cosines)
    return vstack(rows).tocsr()


def parted(vectors: Any, same: float) -> list[np.ndarray]:
    """Linked articles as events by average linkage, as row numbers. What is too large for it is first cut in
    two by the direction in which the articles differ most (Boley 1998)."""
    n = vectors.shape[0]
    if n > 8 * MOST:
        return [half[part] for half in halves(vectors) for part in parted(vectors[half], same)]
    from scipy.cluster.hierarchy import fcluster, linkage
    from scipy.spatial.distance import squareform

    distance = 1 - (vectors @ vectors.T).toarray()
    np.fill_diagonal(distance, 0)
    tree = linkage(squareform(np.clip(distance, 0, None), checks=False), "average")
    label = fcluster(tree, 1 - same, "distance")
    found = []
    for one in np.unique(label):
        found += small(vectors, np.flatnonzero(label == one))
    return found


def small(vectors: Any, members: np.ndarray) -> list[np.ndarray]:
    """An event cut in two until no part has more than MOST articles."""
    if len(members) <= MOST:
        return [members]
    return [part for half in halves(vectors[members]) for part in small(vectors, members[half])]


def halves(vectors: Any) -> list[np.ndarray]:
    """Row numbers of two halves, parted at the median of the first principal direction."""
    from scipy.sparse.linalg import svds

    rows = vectors.astype(np.float64)
    mean = np.asarray(rows.mean(0)).ravel()
    _, _, direction = svds(rows, k=1, v0=np.ones(min(rows.shape)), solver="arpack")
    place = rows @ direction[0] - mean @ direction[0]
    order = np.argsort(place, kind="stable")
    return [np.sort(order[: len(order) // 2]), np.sort(order[len(order) // 2 :])]


def pairs_of(vectors: Any) -> list[tuple[int, int]]:
    """Which articles of an event are compared: each with its NEAREST, as ordered pairs of row numbers."""
    cosines = (vectors @ vectors.T).toarray()
    np.fill_diagonal(cosines, -1)
    n = len(cosines)
    if n <= NEAREST + 1:
        return [(i, j) for i in range(n) for j in range(i + 1, n)]
    nearest = np.argsort(-cosines, axis=1, kind="stable")[:, :NEAREST]
    return sorted({(min(i, j), max(i, j)) for i in range(n) for j in nearest[i].tolist()})
