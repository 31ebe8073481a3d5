"""The siblings of a sentence as voices: who is heard, and how far each bears out the sentence's words.

Siblings that carry the same copy are one voice, so that a text two outlets took over counts once. Where a
reference says the same thing, it alone is heard: what it does not bear out is not borne out, however many
others have it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from annotate.siblings.said import Said

MOST = 6
"""Siblings that are heard for a sentence, the likeliest first."""
COPY = 0.85
"""Two siblings that have so large a share of their words in common are one voice."""


@dataclass(frozen=True, slots=True)
class Voice:
    """A sibling that is heard for a sentence of n words; it has m. likeness: [n, m], how alike the words are;
    nearest: [n], the best of each row; heard: [m], the best of each column; equal: [n], which words it has
    to the letter and in the same order."""

    said: Said
    likeness: np.ndarray
    nearest: np.ndarray
    heard: np.ndarray
    equal: np.ndarray
    blocks: list[tuple[int, int, int]]


def voices(own: Said, siblings: Sequence[tuple[Said, float]]) -> list[Voice]:
    """The siblings that are heard for a sentence, given with the probability that each is one: never another
    sentence of the article or the same words again, and of several with the same copy one."""
    heard: list[Said] = []
    ordered = sorted(siblings, key=lambda pair: (-round(pair[1], 3), pair[0].sentence_id))
    if right := [pair for pair in ordered if pair[0].reference]:
        ordered = right
    for sibling, _ in ordered:
        if len(heard) == MOST:
            break
        if sibling.tokens == own.tokens or sibling.article_id == own.article_id:
            continue
        if not any(same_copy(sibling, other) for other in heard):
            heard.append(sibling)
    return [voice(own, sibling) for sibling in heard]


def voice(own: Said, sibling: Said) -> Voice:
    """What a sibling bears out of a sentence."""
    words, theirs = own.vectors.words.astype(np.float32), sibling.vectors.words.astype(np.float32)
    likeness = np.clip(words @ theirs.T, 0, 1)
    matched = SequenceMatcher(None, own.tokens, sibling.tokens, autojunk=False)
    blocks = [(block.a, block.b, block.size) for block in matched.get_matching_blocks() if block.size]
    equal = np.zeros(len(own.tokens), dtype=bool)
    for first, _, size in blocks:
        equal[first : first + size] = True
    return Voice(sibling, likeness, likeness.max(1), likeness.max(0), equal, blocks)


def same_copy(one: Said, other: Said) -> bool:
    """Whether two sentences have nearly all words in common."""
    shared = sum((Counter(one.tokens) & Counter(other.tokens)).values())
    return 2 * shared >= COPY * (len(one.tokens) + len(other.tokens))
