"""Sentences as padded token tensors with each token's word, in a few fixed lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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
    ids = torch.full((len(encodings), length), pad_id, dtype=torch.long)
    attention = torch.zeros(len(encodings), length, dtype=torch.long)
    pool = torch.zeros(len(encodings), length, length)
    words: list[list[tuple[int, int]]] = []
    for i, encoding in enumerate(encodings):
        ids[i, : len(encoding.ids)] = torch.tensor(encoding.ids)
        attention[i, : len(encoding.ids)] = 1
        pieces: dict[int, list[int]] = {}
        for token, word in enumerate(encoding.word_ids):
            if word is not None:
                pieces.setdefault(word, []).append(token)
        offsets = encoding.offsets
        words.append([(offsets[tokens[0]][0], offsets[tokens[-1]][1]) for tokens in pieces.values()])
        for n, tokens in enumerate(pieces.values()):
            pool[i, n, tokens] = 1 / len(tokens)
    return Batch(ids, attention, pool, words)
