"""Replaced-token detection (Clark et al. 2020, ELECTRA) on the corpora's own clean text.

Whether a word fits its sentence can be learned from sentences that are right: some words are replaced, and
the model tells which. Half of the replacements are near in the encoder's word embedding, as a wrong sense or
a spinner's synonym is, half are any word of the same ending. It teaches the encoder through an output of its
own, so that the marks people made alone decide what is called garbled.
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

SHARE = 0.12
"""The share of a sentence's words that are replaced."""
WORD = re.compile(r"[A-Za-z]+")
NEIGHBOURS = slice(1, 25)
"""Ranks of the neighbours drawn from: the nearest is often the same word in another form."""
COMMON = 15
"""A word is replaced, or put in, only if the clean text has it so often."""


@dataclass(frozen=True)
class Vocabulary:
    """Words of the clean text that are single pieces to the encoder, how common they are, and their
    vectors [n, width] of unit length."""

    words: tuple[str, ...]
    counts: np.ndarray
    vectors: np.ndarray
    near: dict[str, tuple[list[str], np.ndarray]] = field(default_factory=dict)

    @cached_property
    def index(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    @cached_property
    def alike(self) -> dict[str, tuple[list[str], np.ndarray]]:
        """The words of each ending, and the probability of each."""
        found: dict[str, list[int]] = {}
        for i, word in enumerate(self.words):
            found.setdefault(ending(word), []).append(i)
        return {end: self._weighted(places) for end, places in found.items()}

    def neighbours(self, word: str) -> tuple[list[str], np.ndarray]:
        """Words of like meaning and ending but another stem, and the probability of each."""
        if word not in self.near:
            nearest = np.argsort(-(self.vectors @ self.vectors[self.index[word]]))[1:150]
            self.near[word] = self._weighted([j for j in nearest if fits(self.words[j], word)][NEIGHBOURS])
        return self.near[word]

    def _weighted(self, places: Sequence[int]) -> tuple[list[str], np.ndarray]:
        weights = np.sqrt(self.counts[list(places)])
        return [self.words[j] for j in places], weights / max(weights.sum(), 1e-9)


def read_swapped(texts: Sequence[str], seed: int) -> list[Example]:
    """Examples from clean sentences, with the default encoder's words."""
    encoder, tokenizer = load_encoder(folder_of(MINILM))
    embedding = encoder.get_input_embeddings().weight.detach().numpy()
    return swapped(texts, vocabulary(texts, tokenizer, embedding), seed)


def vocabulary(texts: Sequence[str], tokenizer: Any, embedding: np.ndarray) -> Vocabulary:
    """The words of the texts that can be replaced. embedding: [vocabulary of the tokenizer, width]."""
    counts = Counter(word for text in texts for word in WORD.findall(text) if word.islower())
    pieces = tokenizer.get_vocab()
    words = sorted(w for w, n in counts.items() if n >= COMMON and len(w) > 1 and w in pieces)
    vectors = embedding[[pieces[w] for w in words]]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Vocabulary(tuple(words), np.array([counts[w] for w in words], dtype=float), vectors)


def swapped(texts: Sequence[str], words: Vocabulary, seed: int) -> list[Example]:
    """One example per text; its spans are the replaced words."""
    rng = np.random.default_rng(seed)
    examples = []
    for number, text in enumerate(texts):
        made, spans = swap(text, words, rng)
        examples.append(Example(made, tuple((s, e, None) for s, e in spans), None, document=str(number)))
    return examples


def swap(text: str, words: Vocabulary, rng: np.random.Generator) -> tuple[str, list[tuple[int, int]]]:
    """The text with some words replaced, and where."""
    places = [m.span() for m in WORD.finditer(text) if m.group() in words.index]
    n = min(len(places), max(1, round(SHARE * len(places))))
    spans: list[tuple[int, int]] = []
    made, done = "", 0
    for start, end in (places[i] for i in sorted(rng.permutation(len(places))[:n])):
        old = text[start:end]
        options, weights = words.neighbours(old) if rng.random() < 0.5 else words.alike[ending(old)]
        new = options[int(rng.choice(len(options), p=weights))] if options else old
        if new == old:
            continue
        made += text[done:start]
        spans.append((len(made), len(made) + len(new)))
        made, done = made + new, end
    return made + text[done:], spans


def fits(other: str, word: str) -> bool:
    """Whether a word can stand for another: not a form of it, but with its ending."""
    return stem(other) != stem(word) and ending(other) == ending(word)


def stem(word: str) -> str:
    """Enough of a word to tell that two are forms of one."""
    return word[: max(3, len(word) - 3)]


def ending(word: str) -> str:
    """The ending that a replacement must share, or the sentence would break and not merely mislead."""
    return next((end for end in ("ing", "ed", "ly", "s") if word.endswith(end)), "")
