"""A sentence as it is compared."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from annotate.siblings.vectors import Vectors

WORD = re.compile(r"\w")


@dataclass(frozen=True)
class Said:
    """A sentence as it is compared: whose it is, its vectors, the share of it in
    quotation marks, and whether it is a reference's."""

    article_id: str
    sentence_id: str
    text: str
    vectors: Vectors
    quoted: float
    reference: bool = False

    @cached_property
    def tokens(self) -> list[str]:
        """Its words in lower case, marks among them."""
        return [self.text[start:end].lower() for start, end in self.vectors.offsets]

    @cached_property
    def is_word(self) -> np.ndarray:
        """[n], which of them are words."""
        return np.array([bool(WORD.match(token)) for token in self.tokens])

    @cached_property
    def capital(self) -> np.ndarray:
        """[n], which of them are capitalised and more than a letter."""
        return np.array([e - s > 1 and self.text[s].isupper() for s, e in self.vectors.offsets])

    @cached_property
    def headline(self) -> bool:
        """Whether nearly all long words are capitalised."""
        long = np.array([e - s > 3 for s, e in self.vectors.offsets]) & self.is_word
        return bool(long.sum() > 2 and self.capital[long].mean() > 0.8)
