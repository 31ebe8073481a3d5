"""The network: one encoder pass per sentence, one head per signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from annotate.article import Sentence
from annotate.model.batch import Batch
from annotate.signals.base import Encoded, Signal


class Network(nn.Module):
    """An encoder and the heads of the given signals. `halved`: whether the encoder multiplies in half
    precision; the heads never do."""

    def __init__(self, encoder: Any, signals: Sequence[Signal]) -> None:
        super().__init__()
        self.encoder = encoder
        self.signals = tuple(signals)
        self.halved = False
        width = encoder.config.hidden_size
        self.heads = nn.ModuleDict({signal.name: signal.head(width) for signal in self.signals})

    def encode(self, batch: Batch) -> Encoded:
        """One pass of the encoder; each word is the mean of its pieces."""
        with torch.autocast("cpu", torch.bfloat16, enabled=self.halved):
            hidden = self.encoder(input_ids=batch.input_ids, attention_mask=batch.attention_mask)
        return Encoded(
            words=torch.bmm(batch.pool, hidden.last_hidden_state.float()), mask=batch.pool.sum(2) > 0
        )

    def forward(
        self, batch: Batch, sentences: Sequence[Sentence], only: Sequence[Signal] | None = None
    ) -> dict[str, dict[str, Tensor]]:
        """Each signal's head output by its name; `only` some signals in training."""
        encoded = self.encode(batch)
        return {
            signal.name: self.heads[signal.name](encoded, **signal.inputs(sentences, batch))
            for signal in (only or self.signals)
        }
