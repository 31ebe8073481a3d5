"""Sentences with some of their words exchanged for words like them: more sentences for teachers to judge
(Jiao et al. 2020, TinyBERT).

Like are the words whose vectors in the encoder's own table lie nearest. What comes out may be wrong or odd;
a teacher is asked what it makes of it, nobody's label is kept for it.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from annotate.signals.base import Example

LIKE = 12
"""So many words stand for one."""
WORD = re.compile(r"(?<![\w'’-])[a-z]{3,}(?![\w'’-])")
"""A word that may be exchanged: names, numbers and parts of words stay."""


class Exchange:
    """Exchanges words by the vectors of an encoder's whole words."""

    def __init__(self, encoder: Any, tokenizer: Any) -> None:
        whole = sorted((word, i) for word, i in tokenizer.get_vocab().items() if WORD.fullmatch(word))
        self.words = [word for word, _ in whole]
        self.number = {word: n for n, word in enumerate(self.words)}
        table = encoder.get_input_embeddings().weight.detach().float()
        vectors = F.normalize(table[torch.tensor([i for _, i in whole], device=table.device)], dim=1)
        near = [
            (part @ vectors.T).topk(min(LIKE + 1, len(whole))).indices[:, 1:].cpu()
            for part in vectors.split(1024)
        ]
        self.near = torch.cat(near).numpy() if near else np.zeros((0, LIKE), dtype=int)

    def __call__(self, example: Example, share: float, rng: np.random.Generator) -> Example:
        """The example with about this share of its words exchanged, those in its spans left."""
        text, moved, done = "", [], 0
        ends = {start: 0 for start, *_ in example.spans} | {end: 0 for _, end, _ in example.spans}
        for match in WORD.finditer(example.text):
            start, end = match.span()
            n = self.number.get(match.group())
            inside = any(s < end and start < e for s, e, _ in example.spans)
            if n is None or inside or rng.random() >= share:
                continue
            text += example.text[done:start] + self.words[self.near[n][rng.integers(self.near.shape[1])]]
            done = end
            moved.append((end, len(text) - end))
        for place in ends:
            ends[place] = place + next((by for at, by in reversed(moved) if at <= place), 0)
        spans = tuple((ends[s], ends[e], value) for s, e, value in example.spans)
        return replace(example, text=text + example.text[done:], spans=spans)
