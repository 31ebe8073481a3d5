"""News sentences spun on purpose: garble that WMT's news translations do not hold.

An article spinner swaps words for others of like meaning that do not fit (Cabanac et al. 2021, tortured
phrases), a poor translator loses a word and breaks the clause. Both are made here from clean news: a word is
swapped for a neighbour in the encoder's own embedding of words, drawn by how common it is, so that what is
put in is no rarer than what was there and the detector cannot learn rarity; a lost word leaves its two
neighbours marked. Half of the sentences stay as they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from annotate.model.encoder import MINILM, folder_of, load_encoder
from annotate.signals.base import Example
from annotate.signals.garble import CATEGORIES

SOURCES = ("newsmtsc", "polnear", "babe")
"""The corpora whose texts count as clean news."""
WORD = re.compile(r"[A-Za-z]+")
NEIGHBOURS = slice(2, 20)
"""Ranks of the neighbours drawn from: the nearest two are often right, the far ones absurd."""
COMMON = 15
"""A word is swapped, or swapped in, only if the clean text has it so often."""
Marked = tuple[int, int, tuple[float, float, int]]
MISTRANSLATION, OMISSION = CATEGORIES.index("mistranslation"), CATEGORIES.index("omission")
FUNCTION_WORDS = frozenset(
    """that this these those they them their with from have were been being does will would could should
    might shall than then such whom whose which what when where there here also into over after before
    between under again more most some each both other only same very just said says""".split()
)


@dataclass(frozen=True)
class Vocabulary:
    """Words of the clean text that are single pieces to the encoder, how common they are, and their
    vectors [n, width] of unit length."""

    words: tuple[str, ...]
    counts: np.ndarray
    vectors: np.ndarray
    known: dict[str, tuple[list[str], np.ndarray]] = field(default_factory=dict)

    @cached_property
    def index(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    def swaps(self, word: str) -> tuple[list[str], np.ndarray]:
        """Words of like meaning and ending but another stem, and the probability of each."""
        if word not in self.known:
            self.known[word] = self._swaps(word)
        return self.known[word]

    def _swaps(self, word: str) -> tuple[list[str], np.ndarray]:
        i = self.index[word]
        nearest = np.argsort(-(self.vectors @ self.vectors[i]))[1:120]
        others = [
            j for j in nearest if stem(self.words[j]) != stem(word) and ending(self.words[j]) == ending(word)
        ][NEIGHBOURS]
        weights = self.counts[others] ** 0.75
        return [self.words[j] for j in others], weights / weights.sum()


def read_spun(clean: Sequence[str], seed: int) -> list[Example]:
    """Examples from clean texts, with the words and neighbours of the default encoder."""
    encoder, tokenizer = load_encoder(folder_of(MINILM))
    embedding = encoder.get_input_embeddings().weight.detach().numpy()
    texts = sorted({text for text in clean if 40 < len(text) < 400})
    return spun(texts, vocabulary(texts, tokenizer, embedding), seed)


def vocabulary(texts: Sequence[str], tokenizer: Any, embedding: np.ndarray) -> Vocabulary:
    """The words of the texts that can be swapped. embedding: [vocabulary of the tokenizer, width]."""
    counts = Counter(word for text in texts for word in WORD.findall(text) if word.islower())
    pieces = tokenizer.get_vocab()
    words = sorted(
        w for w, n in counts.items() if n >= COMMON and len(w) > 3 and w in pieces and w not in FUNCTION_WORDS
    )
    vectors = embedding[[pieces[w] for w in words]]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Vocabulary(tuple(words), np.array([counts[w] for w in words], dtype=float), vectors)


def spun(texts: Sequence[str], words: Vocabulary, seed: int) -> list[Example]:
    """One example per text, spun or as it was; values and labels as `annotate.signals.garble` has them."""
    rng = np.random.default_rng(seed)
    examples = []
    for number, text in enumerate(texts):
        places = [
            (m.start(), m.end())
            for m in WORD.finditer(text)
            if m.group().islower() and m.group() in words.index
        ]
        garbled: str = text
        spans: list[Marked] = []
        if places and rng.random() < 0.5:
            chosen = rng.choice(len(places), min(len(places), int(rng.integers(1, 4))), replace=False)
            lost = rng.random() < 0.2
            garbled, spans = rewrite(text, [places[i] for i in sorted(chosen)], words, rng, lost)
        penalty = 5.0 * len(spans)
        label = (float(bool(spans)), float(np.log1p(penalty)), penalty)
        examples.append(Example(garbled, tuple(spans), label, document=str(number)))
    return examples


def rewrite(
    text: str, places: Sequence[tuple[int, int]], words: Vocabulary, rng: np.random.Generator, lost: bool
) -> tuple[str, list[Marked]]:
    """The text with the words at `places` (ascending) swapped, or the first of them lost."""
    if lost:
        start, end = places[0]
        if text[end : end + 1] == " ":
            end += 1
        elif text[start - 1 : start] == " ":
            start -= 1
        cut = text[:start] + text[end:]
        before = re.search(r"[\w'’]+\W*$", cut[:start])
        after = re.match(r"\W*[\w'’]+", cut[start:])
        first = before.start() if before else start
        last = start + (after.end() if after else 0)
        return (cut, [(first, last, (1.0, 0.7, OMISSION))]) if last > first else (text, [])
    spans: list[Marked] = []
    made, done = "", 0
    for start, end in places:
        candidates, weights = words.swaps(text[start:end])
        if not candidates:
            continue
        made += text[done:start]
        swap = str(rng.choice(candidates, p=weights))
        spans.append((len(made), len(made) + len(swap), (1.0, 0.7, MISTRANSLATION)))
        made, done = made + swap, end
    return made + text[done:], spans


def stem(word: str) -> str:
    """Enough of a word to tell that two are forms of one."""
    return word[: max(3, len(word) - 3)]


def ending(word: str) -> str:
    """The ending that a swap must share, or the sentence would break and not merely mislead."""
    return next((end for end in ("ing", "ed", "ly", "s") if word.endswith(end)), "")
