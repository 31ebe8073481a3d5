"""The network: one encoder pass per sentence, one head per signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from annotate.article import Sentence
from annotate.model.batch import Batch
from annotate.model.precision import device
from annotate.signals.base import Encoded, Signal


class Network(nn.Module):
    """An encoder and the heads of the given signals, on the GPU where there is one. `halved`: whether the
    encoder multiplies in half precision; the heads never do."""

    def __init__(self, encoder: Any, signals: Sequence[Signal]) -> None:
        super().__init__()
        self.encoder = encoder
        self.signals = tuple(signals)
        self.halved = False
        width = encoder.config.hidden_size
        self.heads = nn.ModuleDict({signal.name: signal.head(width) for signal in self.signals})
        self.to(device())

    @property
    def device(self) -> torch.device:
        """Where it is."""
        return next(self.encoder.parameters()).device

    def encode(self, batch: Batch) -> Encoded:
        """One pass of the encoder; each word is the mean of its pieces."""
        where = self.device
        ids, attention, pool = (t.to(where) for t in (batch.input_ids, batch.attention_mask, batch.pool))
        with torch.autocast(where.type, torch.bfloat16, enabled=self.halved):
            hidden = self.encoder(input_ids=ids, attention_mask=attention)
        return Encoded(words=torch.bmm(pool, hidden.last_hidden_state.float()), mask=pool.sum(2) > 0)

    def read(
        self,
        encoded: Encoded,
        batch: Batch,
        sentences: Sequence[Sentence],
        only: Sequence[Signal] | None = None,
    ) -> dict[str, dict[str, Tensor]]:
        """Each signal's head output by its name, back on the processor, where signals read it."""
        found = {}
        for signal in only or self.signals:
            inputs = {name: t.to(self.device) for name, t in signal.inputs(sentences, batch).items()}
            out = self.heads[signal.name](encoded, **inputs)
            found[signal.name] = {name: t.cpu() for name, t in out.items()}
        return found

    def forward(
        self, batch: Batch, sentences: Sequence[Sentence], only: Sequence[Signal] | None = None
    ) -> dict[str, dict[str, Tensor]]:
        """Each signal's head output by its name; `only` some signals in training."""
        return self.read(self.encode(batch), batch, sentences, only)
