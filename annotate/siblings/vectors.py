"""Vectors of sentences and of their words in context, from the untouched encoder.

Untouched, so that what counts as alike does not change when a model is retrained.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from annotate.model.encoder import MINILM, folder_of, load_encoder
from annotate.model.precision import device, fastest

TOKENS_PER_BATCH = 3072


@dataclass(frozen=True, slots=True)
class Vectors:
    """A sentence's vectors of unit length: `whole` [D], `words` [n, D]; `offsets`: where each word stands,
    a word being a run of letters and digits, or one mark."""

    whole: np.ndarray
    words: np.ndarray
    offsets: list[tuple[int, int]]


@cache
def untouched() -> tuple[Any, Any]:
    """The encoder as it was published, and its tokenizer."""
    encoder, tokenizer = load_encoder(folder_of(MINILM))
    return encoder.to(device()), tokenizer


def vectors(
    texts: Sequence[str], progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Vectors]:
    """The vectors of each text. The same texts in another order give the same vectors: they go through the
    encoder sorted, each once."""
    import torch

    from annotate.model.batch import collate, padded_length, tokenize

    encoder, tokenizer = untouched()
    unique = sorted(set(texts))
    encodings = tokenize(tokenizer, unique)
    order = sorted(range(len(unique)), key=lambda i: len(encodings[i].ids))
    found: dict[str, Vectors] = {}
    start = 0
    while start < len(order):
        length = padded_length(len(encodings[order[start]].ids))
        end = start + max(1, TOKENS_PER_BATCH // length)
        rows = [i for i in order[start:end] if padded_length(len(encodings[i].ids)) == length]
        start += len(rows)
        batch = collate([encodings[i] for i in rows], encoder.config.pad_token_id or 0)
        where, halved = device(), fastest() == "bfloat16"
        with torch.inference_mode(), torch.autocast(where.type, torch.bfloat16, enabled=halved):
            hidden = encoder(batch.input_ids.to(where), attention_mask=batch.attention_mask.to(where))
        pieces = hidden.last_hidden_state.float().cpu()
        whole = unit((pieces * batch.attention_mask.unsqueeze(2)).sum(1).numpy())
        words = unit(torch.bmm(batch.pool, pieces).numpy()).astype(np.float16)
        for k, i in enumerate(rows):
            offsets = batch.words[k]
            found[unique[i]] = Vectors(whole[k], words[k, : len(offsets)], offsets)
        progress(start, len(order))
    return [found[text] for text in texts]


def unit(rows: np.ndarray) -> np.ndarray:
    """Rows of length 1 along the last axis; zero stays zero."""
    return rows / np.maximum(np.linalg.norm(rows, axis=-1, keepdims=True), 1e-9)
