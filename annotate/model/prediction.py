"""Sentences through the network in batches of like length."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from annotate.article import Sentence
from annotate.model.batch import collate, padded_length, tokenize
from annotate.model.network import Network
from annotate.signals.base import Signal

TOKENS_PER_BATCH = 1536
"""Padded tokens in a batch: as many as keep both cores busy and the activations in cache."""
ON_GPU = 32768
"""Padded tokens in a batch on a GPU, chosen without measuring: some megabytes of activations a layer."""


def predict(
    network: Network, tokenizer: Any, sentences: Sequence[Sentence], only: Sequence[Signal] | None = None
) -> list[dict[str, Any]]:
    """Each sentence's scores by signal name, in the order given. Identical sentences are scored once.

    Batches come in few shapes: what does not fill one is cut to a power of two. The library beneath PyTorch
    keeps code for every shape it has seen, and memory would grow with the sentences.
    """
    first: dict[tuple[Any, ...], int] = {}
    where = [first.setdefault((s.text, s.quoted, s.mentions), len(first)) for s in sentences]
    unique: list[Sentence] = []
    for sentence, index in zip(sentences, where, strict=True):
        if index == len(unique):
            unique.append(sentence)
    encodings = tokenize(tokenizer, [s.text for s in unique])
    order = sorted(range(len(unique)), key=lambda i: len(encodings[i].ids))
    found: list[dict[str, Any]] = [{} for _ in unique]
    start, tokens = 0, ON_GPU if network.device.type == "cuda" else TOKENS_PER_BATCH
    with torch.inference_mode():
        while start < len(order):
            length = padded_length(len(encodings[order[start]].ids))
            end = start + max(1, tokens // length)
            rows = [i for i in order[start:end] if padded_length(len(encodings[i].ids)) == length]
            if len(rows) < end - start:
                rows = rows[: 1 << (len(rows).bit_length() - 1)]
            start += len(rows)
            batch = collate([encodings[i] for i in rows], network.encoder.config.pad_token_id or 0)
            members = [unique[i] for i in rows]
            out = network(batch, members, only)
            for signal in only or network.signals:
                for i, scores in zip(rows, signal.scores(out[signal.name], batch, members), strict=True):
                    found[i][signal.name] = scores
    return [found[index] for index in where]
