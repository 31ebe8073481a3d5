"""Sentences as padded token tensors with each token's word, in a few fixed lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

LENGTHS = (16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
"""Padded lengths in tokens. Few, because oneDNN keeps buffers for every shape it has seen."""


@dataclass(frozen=True, slots=True)
class Batch:
    """B sentences of T tokens (special tokens included), N words at most.

    input_ids, attention_mask: [B, T]; pool: [B, N, T], row n averages the pieces of word n;
    words: per sentence the (start, end) of each word in its text. A word is a run of letters and digits
    or one punctuation mark, so a span of words never cuts one.
    """

    input_ids: Tensor
    attention_mask: Tensor
    pool: Tensor
    words: list[list[tuple[int, int]]]


def padded_length(tokens: int) -> int:
    """The smallest fixed length that holds so many tokens and one of padding: a batch without any takes
    another way through attention, which rounds otherwise in half precision."""
    return next((length for length in LENGTHS if tokens < length), LENGTHS[-1])


def tokenize(tokenizer: Any, texts: Sequence[str], limit: int = LENGTHS[-1] - 1) -> list[Any]:
    """Encodings of the texts by a `tokenizers.Tokenizer`, unpadded, cut at `limit` tokens."""
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return tokenizer.encode_batch(list(texts))


def collate(encodings: Sequence[Any], pad_id: int) -> Batch:
    """Encodings of one batch as padded tensors."""
    import torch

    length = padded_length(max(len(encoding.ids) for encoding in encodings))
    ids = np.full((len(encodings), length), pad_id)
    attention = np.zeros((len(encodings), length), dtype=np.int64)
    pool = np.zeros((len(encodings), length, length), dtype=np.float32)
    words: list[list[tuple[int, int]]] = []
    for i, encoding in enumerate(encodings):
        ids[i, : len(encoding.ids)] = encoding.ids
        attention[i, : len(encoding.ids)] = 1
        named = [(t, word) for t, word in enumerate(encoding.word_ids) if word is not None]
        tokens = np.array([t for t, _ in named], dtype=int)
        _, first, number, pieces = np.unique(
            [word for _, word in named], return_index=True, return_inverse=True, return_counts=True
        )
        pool[i, number, tokens] = 1 / pieces[number]
        offsets = encoding.offsets
        last = tokens[first + pieces - 1]
        words.append([(offsets[a][0], offsets[b][1]) for a, b in zip(tokens[first], last, strict=True)])
    return Batch(torch.from_numpy(ids), torch.from_numpy(attention), torch.from_numpy(pool), words)
