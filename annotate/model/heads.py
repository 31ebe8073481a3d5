"""The heads that signals put on the encoder: one that reads words, one that reads a target."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from annotate.signals.base import Encoded


class WordHead(nn.Module):
    """Linear logits per word: [B, N, outputs]. `bias` starts the first logit at a rare event."""

    def __init__(self, width: int, outputs: int, bias: float = 0.0, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(width, outputs)
        nn.init.normal_(self.linear.weight, std=0.02)
        nn.init.constant_(self.linear.bias, bias)

    def forward(self, encoded: Encoded) -> dict[str, Tensor]:
        return {"words": self.linear(self.dropout(encoded.words))}


class TargetHead(nn.Module):
    """Logits per query, a query being one target of one sentence: [Q, outputs].

    Joins the mean of the sentence, the mean of the target's words, and what the target attends to in
    the sentence. One unmarked pass of the encoder serves every target.
    """

    def __init__(self, width: int, outputs: int, attention_heads: int = 6, dropout: float = 0.1) -> None:
        super().__init__()
        self.outputs = outputs
        self.attention = nn.MultiheadAttention(width, attention_heads, dropout=dropout, batch_first=True)
        self.classify = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(3 * width, width),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(width, outputs),
        )

    def forward(self, encoded: Encoded, rows: Tensor, target: Tensor) -> dict[str, Tensor]:
        """rows: [Q], the sentence of each query; target: [Q, N], 1 where a word names the target."""
        words, mask = encoded.words[rows], encoded.mask[rows]
        if not len(rows):
            return {"logits": words.new_zeros(0, self.outputs)}
        mean = (words * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)
        target = target.to(words.dtype)
        named = (words * target.unsqueeze(2)).sum(1) / target.sum(1, keepdim=True).clamp(min=1)
        empty = ~mask.any(1, keepdim=True)
        attended, _ = self.attention(
            named.unsqueeze(1), words, words, key_padding_mask=~(mask | empty), need_weights=False
        )
        return {"logits": self.classify(torch.cat([mean, named, attended.squeeze(1)], dim=1))}
