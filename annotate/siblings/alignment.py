"""Which sentences of two articles report the same thing.

Each pair of sentences is judged by how well the words of one are found, by meaning and in context, among
those of the other and of its clauses (as BERTScore, Zhang et al. 2020, with rarer words weighing more), by
shared names, numbers and runs of words, and by what its neighbours do: reports keep an order, a quotation
runs on. Two logistic regressions, the second of which sees the first one's verdict on the neighbours; their
weights were fitted to events written for this purpose (`annotate.training.siblings`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotate.siblings.said import WORD, Said

CLAUSE_END = re.compile(r"[,;:—–()“”\"]")
RUNS_ON, RUNS_ON_QUOTED = 0.02, 0.8
"""The probability that is enough within a quotation that runs on, and the share of a sentence in quotation
marks from which it is a part of one."""
FEWEST = 4
"""Words that a clause has at least; a shorter one belongs to what follows it."""
FEATURES = (
    "cosine",
    "found, mean",
    "found, better",
    "found, worse",
    "clause found",
    "clause in clause",
    "rare words shared",
    "names shared",
    "names astray",
    "numbers shared",
    "numbers astray",
    "run of words",
    "both quoted",
    "one quoted",
    "length ratio",
    "below the row's best",
    "below the column's best",
    "place",
)
FOUND = 7
"""So many of the FEATURES say how well two sentences are found in each other; they mean more or less by how
alike all sentences of an event are, and are taken relative to that."""
CONTEXT = (
    *(f"{name}, above the sentence's usual" for name in FEATURES[:FOUND]),
    "odds",
    "neighbours before and after",
    "neighbours beside",
    "through others, in all",
    "through another, at best",
)


@dataclass(frozen=True)
class Text:
    """An article's content sentences, ready to be compared.

    words: [T, D] of all sentences one after another; bounds: [S + 1], where each sentence's words begin;
    clauses: where each clause's words begin; owner: [C], the sentence of each clause; weights: [T], how much
    a word tells; whole: [S, D]; tokens, names, numbers: per sentence; quoted: [S], the share in quotation
    marks.
    """

    words: np.ndarray
    bounds: np.ndarray
    clauses: np.ndarray
    owner: np.ndarray
    weights: np.ndarray
    whole: np.ndarray
    tokens: list[list[str]]
    names: list[frozenset[str]]
    numbers: list[frozenset[str]]
    quoted: np.ndarray

    def __len__(self) -> int:
        return len(self.whole)


def rarity(sentences: Sequence[Sequence[str]]) -> dict[str, float]:
    """How much each word tells among the sentences of an event: the logarithm of one over its share of
    them."""
    n = Counter(word for words in sentences for word in set(words))
    return {word: float(np.log((len(sentences) + 1) / (count + 0.5))) for word, count in n.items()}


def prepared(article: Sequence[Said], rare: Mapping[str, float]) -> Text:
    """An article's sentences as a `Text`; none may be without a word."""
    tokens = [said.tokens for said in article]
    bounds = np.cumsum([0, *map(len, tokens)])
    clauses, owner = [], []
    for s, said in enumerate(article):
        for start in clause_starts([said.text[a:b] for a, b in said.vectors.offsets]):
            clauses.append(int(bounds[s]) + start)
            owner.append(s)
    flat = [token for sentence in tokens for token in sentence]
    weights = np.array(
        [max(rare.get(t, 0.0), 0.05) if WORD.match(t) else 0.0 for t in flat], dtype=np.float32
    )
    weights[bounds[:-1]] += 1e-6  # a sentence of marks alone still has a weight
    return Text(
        words=np.concatenate([said.vectors.words for said in article]),
        bounds=bounds,
        clauses=np.array(clauses),
        owner=np.array(owner),
        weights=weights,
        whole=np.stack([said.vectors.whole for said in article]),
        tokens=tokens,
        names=[frozenset(names_of(said.text, said.vectors.offsets)) for said in article],
        numbers=[frozenset(t for t in sentence if t[0].isdigit()) for sentence in tokens],
        quoted=np.array([said.quoted for said in article], dtype=np.float32),
    )


def clause_starts(words: Sequence[str]) -> list[int]:
    """Where the clauses of a sentence begin, as word numbers: at the first, and behind marks that part
    clauses."""
    starts = [0]
    for n, word in enumerate(words):
        if CLAUSE_END.match(word) and n + 1 - starts[-1] > FEWEST and len(words) - n - 1 >= FEWEST:
            starts.append(n + 1)
    return starts


def names_of(text: str, offsets: Sequence[tuple[int, int]]) -> list[str]:
    """Capitalised words that are so not by their place alone, in lower case."""
    found, opens = [], True
    for start, end in offsets:
        word = text[start:end]
        if word[0].isupper() and not opens and len(word) > 1:
            found.append(word.lower())
        opens = word in '.!?:“"' if not WORD.match(word) else False
    return found


def features(a: Text, b: Text) -> np.ndarray:
    """[sentences of a, sentences of b, FEATURES]."""
    alike = a.words.astype(np.float32) @ b.words.astype(np.float32).T
    np.clip(alike, 0, 1, out=alike)
    weight_a, weight_b = a.weights, b.weights
    into_b = np.maximum.reduceat(alike, b.bounds[:-1], axis=1)  # each word of a, best in each sentence of b
    into_a = np.maximum.reduceat(alike, a.bounds[:-1], axis=0)
    found_a = (
        summed(into_b * weight_a[:, None], a.bounds[:-1], 0) / summed(weight_a, a.bounds[:-1], 0)[:, None]
    )
    found_b = summed(into_a * weight_b[None], b.bounds[:-1], 1) / summed(weight_b, b.bounds[:-1], 0)[None]
    # The best clause of each sentence, found in the whole of the other, and in one clause of it.
    clause_a = summed(into_b * weight_a[:, None], a.clauses, 0) / summed(weight_a, a.clauses, 0)[:, None]
    clause_b = summed(into_a * weight_b[None], b.clauses, 1) / summed(weight_b, b.clauses, 0)[None]
    best_a = by_owner(clause_a, a.owner, 0)
    best_b = by_owner(clause_b, b.owner, 1)
    within = np.maximum.reduceat(alike, b.clauses, axis=1)
    one = summed(within * weight_a[:, None], a.clauses, 0) / summed(weight_a, a.clauses, 0)[:, None]
    within = np.maximum.reduceat(alike, a.clauses, axis=0)
    other = summed(within * weight_b[None], b.clauses, 1) / summed(weight_b, b.clauses, 0)[None]
    both = by_owner(by_owner(2 * one * other / np.maximum(one + other, 1e-9), a.owner, 0), b.owner, 1)
    mean = 2 * found_a * found_b / np.maximum(found_a + found_b, 1e-9)
    shared, runs = lexical(a, b)
    names, names_astray = overlap(a.names, b.names)
    numbers, numbers_astray = overlap(a.numbers, b.numbers)
    long_a, long_b = np.diff(a.bounds)[:, None], np.diff(b.bounds)[None]
    quoted_a, quoted_b = a.quoted[:, None], b.quoted[None]
    place = np.abs(np.linspace(0, 1, len(a))[:, None] - np.linspace(0, 1, len(b))[None])
    return np.stack(
        [
            a.whole @ b.whole.T,
            mean,
            np.maximum(found_a, found_b),
            np.minimum(found_a, found_b),
            np.maximum(best_a, best_b),
            both,
            shared,
            names,
            names_astray,
            numbers,
            numbers_astray,
            runs,
            np.minimum(quoted_a, quoted_b) + np.zeros_like(mean),
            np.abs(quoted_a - quoted_b),
            np.minimum(long_a, long_b) / np.maximum(long_a, long_b),
            mean.max(1, keepdims=True) - mean,
            mean.max(0, keepdims=True) - mean,
            place,
        ],
        axis=2,
    ).astype(np.float32)


def summed(values: np.ndarray, starts: np.ndarray, axis: int) -> np.ndarray:
    """Sums of the stretches that begin at `starts` along an axis."""
    return np.add.reduceat(values, starts, axis=axis)


def by_owner(values: np.ndarray, owner: np.ndarray, axis: int) -> np.ndarray:
    """The best of each sentence's clauses along an axis."""
    return np.maximum.reduceat(values, np.searchsorted(owner, np.arange(owner[-1] + 1)), axis=axis)


def lexical(a: Text, b: Text) -> tuple[np.ndarray, np.ndarray]:
    """[S of a, S of b] twice: the weight of the words that two sentences share as a part of the lighter
    one's, and the logarithm of the longest run of words in a row that both have."""
    index: dict[str, int] = {}
    for sentence in (*a.tokens, *b.tokens):
        for token in sentence:
            index.setdefault(token, len(index))

    def table(text: Text) -> np.ndarray:
        found = np.zeros((len(text), len(index)), dtype=np.float32)
        for s, sentence in enumerate(text.tokens):
            first = text.bounds[s]
            for n, token in enumerate(sentence):
                found[s, index[token]] = np.sqrt(text.weights[first + n])
        return found

    one, other = table(a), table(b)
    lighter = np.minimum((one**2).sum(1)[:, None], (other**2).sum(1)[None])
    same = [np.array([index[t] for sentence in text.tokens for t in sentence]) for text in (a, b)]
    equal = same[0][:, None] == same[1][None]
    runs = np.zeros((len(a), len(b)), dtype=np.float32)
    rows, columns = np.nonzero(equal)
    if len(rows):
        # Runs along diagonals: equal words that follow each other on one diagonal.
        order = np.lexsort((rows, columns - rows))
        rows, columns = rows[order], columns[order]
        sentence_a = np.searchsorted(a.bounds, rows, side="right") - 1
        sentence_b = np.searchsorted(b.bounds, columns, side="right") - 1
        goes_on = (
            (np.diff(rows) == 1)
            & (np.diff(columns) == 1)
            & (np.diff(sentence_a) == 0)
            & (np.diff(sentence_b) == 0)
        )
        length = np.ones(len(rows))
        breaks = np.flatnonzero(np.concatenate([[True], ~goes_on]))
        position = np.arange(len(rows)) - np.repeat(breaks, np.diff([*breaks, len(rows)]))
        length += position
        np.maximum.at(runs, (sentence_a, sentence_b), length)
    return (one @ other.T) / np.maximum(lighter, 1e-6), np.log1p(runs)


def overlap(a: Sequence[frozenset[str]], b: Sequence[frozenset[str]]) -> tuple[np.ndarray, np.ndarray]:
    """[S of a, S of b] twice: how many items two sentences share, and, where both have any, the share of the
    smaller set that the other lacks."""
    items = {item: n for n, item in enumerate(sorted(set().union(*a, *b)))}

    def table(sets: Sequence[frozenset[str]]) -> np.ndarray:
        found = np.zeros((len(sets), max(1, len(items))), dtype=np.float32)
        for s, members in enumerate(sets):
            found[s, [items[m] for m in members]] = 1
        return found

    one, other = table(a), table(b)
    shared = one @ other.T
    fewer = np.minimum(one.sum(1)[:, None], other.sum(1)[None])
    astray = np.where(fewer > 0, 1 - shared / np.maximum(fewer, 1), 0)
    return np.log1p(shared), astray


def around(odds: np.ndarray) -> list[np.ndarray]:
    """Of the first verdict on each pair: itself, the best on the pairs diagonally before and behind it, and
    the best on those beside it. [S of a, S of b] each."""
    low = np.full((odds.shape[0] + 2, odds.shape[1] + 2), -6.0, dtype=np.float32)
    low[1:-1, 1:-1] = np.clip(odds, -6, 6)
    along = np.maximum(low[:-2, :-2], low[2:, 2:])
    beside = np.max([low[:-2, 1:-1], low[2:, 1:-1], low[1:-1, :-2], low[1:-1, 2:]], axis=0)
    return [low[1:-1, 1:-1], along, beside]


def relative(pairs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """FEATURES of an event's pairs of articles, those of FOUND as deviations from the event's median in
    units of its spread (median absolute deviation); behind them how far they rise above what is usual for
    the sentence."""
    found = np.concatenate([pair[..., :FOUND].reshape(-1, FOUND) for pair in pairs])
    middle = np.median(found, axis=0)
    spread = 1.48 * np.median(np.abs(found - middle), axis=0) + 0.02
    return [
        np.concatenate(
            [(pair[..., :FOUND] - middle) / spread, pair[..., FOUND:], above(pair[..., :FOUND])], axis=2
        )
        for pair in pairs
    ]


def above(found: np.ndarray) -> np.ndarray:
    """How far each pair lies above the medians of its row and of its column, whichever is higher."""
    usual = np.maximum(np.median(found, axis=1, keepdims=True), np.median(found, axis=0, keepdims=True))
    return found - usual


@dataclass(frozen=True, slots=True)
class Judge:
    """The two regressions, each weights and a constant: `first` over FEATURES and what `relative` adds,
    `second` over these and the rest of CONTEXT; a pair counts as siblings from the probability `threshold`
    on."""

    first: np.ndarray
    second: np.ndarray
    threshold: float

    def linked(self, p: np.ndarray, a: Text, b: Text) -> np.ndarray:
        """[S of a, S of b], which pairs of these probabilities are siblings. A quotation runs on: beside
        such a pair less is needed where both sentences stand in quotation marks."""
        quoted = np.minimum(a.quoted[:, None], b.quoted[None]) >= RUNS_ON_QUOTED
        found = p >= self.threshold
        while True:
            edge = np.pad(found, 1)
            near = edge[:-2, :-2] | edge[2:, 2:] | edge[:-2, 1:-1] | edge[2:, 1:-1]
            near |= edge[1:-1, :-2] | edge[1:-1, 2:]
            grown = found | (near & quoted & (p >= RUNS_ON))
            if (grown == found).all():
                return found
            found = grown

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Judge:
        """From what `annotate.training.siblings` wrote."""
        return cls(np.array(settings["first"]), np.array(settings["second"]), float(settings["threshold"]))

    def __call__(self, texts: Sequence[Text], pairs: Sequence[tuple[int, int]]) -> list[np.ndarray]:
        """For each pair of an event's articles [S of one, S of the other], the probability that two
        sentences report the same thing."""
        found = relative([features(texts[i], texts[j]) for i, j in pairs])
        return [
            sigmoid(each @ self.second[:-1] + self.second[-1])
            for each in with_context(
                texts, pairs, found, [each @ self.first[:-1] + self.first[-1] for each in found]
            )
        ]


def with_context(
    texts: Sequence[Text],
    pairs: Sequence[tuple[int, int]],
    found: Sequence[np.ndarray],
    odds: Sequence[np.ndarray],
) -> list[np.ndarray]:
    """What the second regression reads: the first's verdict on the pair, on its neighbours, and on both
    sentences' likeness to a third article's."""
    starts = np.cumsum([0, *map(len, texts)])
    said = np.zeros((starts[-1], starts[-1]), dtype=np.float32)
    for (i, j), o in zip(pairs, odds, strict=True):
        p = sigmoid(o)
        said[starts[i] : starts[i + 1], starts[j] : starts[j + 1]] = p
        said[starts[j] : starts[j + 1], starts[i] : starts[i + 1]] = p.T
    in_all = np.log1p(said @ said)
    seen = []
    for (i, j), each, o in zip(pairs, found, odds, strict=True):
        a, b = slice(starts[i], starts[i + 1]), slice(starts[j], starts[j + 1])
        third = np.flatnonzero((said[a].max(0) > 0.02) & (said[b].max(0) > 0.02))
        best = np.zeros(o.shape, dtype=np.float32)
        if len(third):
            best = np.minimum(said[a][:, None, third], said[b][None][:, :, third]).max(2)
        context = [*around(o), in_all[a, b], best]
        seen.append(np.concatenate([each, np.stack(context, axis=2)], axis=2))
    return seen


def sigmoid(odds: np.ndarray) -> np.ndarray:
    """Odds on a logarithmic scale as probabilities."""
    return 0.5 * (1 + np.tanh(0.5 * odds))
