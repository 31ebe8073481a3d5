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


def predict(
    network: Network, tokenizer: Any, sentences: Sequence[Sentence], only: Sequence[Signal] | None = None
) -> list[dict[str, Any]]:
    """Each sentence's scores by signal name, in the order given. Identical sentences are scored once."""
    first: dict[tuple[Any, ...], int] = {}
    where = [first.setdefault((s.text, s.quoted, s.mentions), len(first)) for s in sentences]
    unique: list[Sentence] = []
    for sentence, index in zip(sentences, where, strict=True):
        if index == len(unique):
            unique.append(sentence)
    encodings = tokenize(tokenizer, [s.text for s in unique])
    order = sorted(range(len(unique)), key=lambda i: len(encodings[i].ids))
    found: list[dict[str, Any]] = [{} for _ in unique]
    start = 0
    with torch.inference_mode():
        while start < len(order):
            length = padded_length(len(encodings[order[start]].ids))
            end = start + max(1, TOKENS_PER_BATCH // length)
            rows = [i for i in order[start:end] if padded_length(len(encodings[i].ids)) == length]
            start += len(rows)
            batch = collate([encodings[i] for i in rows], network.encoder.config.pad_token_id or 0)
            members = [unique[i] for i in rows]
            out = network(batch, members, only)
            for signal in only or network.signals:
                for i, scores in zip(rows, signal.scores(out[signal.name], batch, members), strict=True):
                    found[i][signal.name] = scores
    return [found[index] for index in where]
