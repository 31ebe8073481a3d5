"""The heads that signals put on the encoder: for words, for spans of words, for a target."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from annotate.model.chain import Chain
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


class SpanHead(nn.Module):
    """Spans of words in several layers, each a chain of its own (`annotate.model.chain`).

    Reads each word, its neighbours through a convolution, as a span's ends are told by what stands around
    them, and whether it is quoted. Gives `words`, emissions [B, N, layers, 3], and the chain's `steps`,
    `starts` and `mask`.
    """

    def __init__(self, width: int, layers: int, around: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.around = nn.Conv1d(width, width // 2, 2 * around + 1, padding=around)
        self.linear = nn.Linear(width + width // 2 + 1, 3 * layers)
        nn.init.normal_(self.linear.weight, std=0.02)
        self.chain = Chain(layers)

    def forward(self, encoded: Encoded, quoted: Tensor) -> dict[str, Tensor]:
        """quoted: [B, N], 1 where a word stands in a quotation."""
        words = self.dropout(encoded.words)
        around = self.around(words.transpose(1, 2)).transpose(1, 2)
        read = torch.cat([words, nn.functional.gelu(around), quoted.unsqueeze(2).to(words.dtype)], dim=2)
        steps, starts = self.chain.transitions()
        emissions = self.linear(read).unflatten(2, (-1, 3))
        return {"words": emissions, "steps": steps, "starts": starts, "mask": encoded.mask}


class TargetHead(nn.Module):
    """Logits per query, a query being one target of one sentence: [Q, outputs].

    Joins the mean of the sentence, the mean of the target's words, and what the target attends to in
    the sentence, with `attention_heads` or the next lower number that divides the width. One unmarked pass
    of the encoder serves every target.
    """

    def __init__(self, width: int, outputs: int, attention_heads: int = 6, dropout: float = 0.1) -> None:
        super().__init__()
        self.outputs = outputs
        attention_heads = next(n for n in range(attention_heads, 0, -1) if width % n == 0)
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
