"""A linear-chain conditional random field over BIO tags (Lafferty et al. 2001), several layers at once.

B sentences, N words at most, R layers. emissions: [B, N, R, 3]; steps: [R, 3 from, 3 to]; starts: [R, 3];
mask: [B, N], true where a word is, the words first; tags: [B, N, R].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

OUTSIDE, BEGIN, INSIDE = range(3)
NEVER = -1e4
"""The score of a move that cannot be: no INSIDE follows an OUTSIDE or starts a sentence."""


class Chain(nn.Module):
    """The learned moves from tag to tag, one set for each layer."""

    def __init__(self, layers: int) -> None:
        super().__init__()
        self.steps = nn.Parameter(torch.zeros(layers, 3, 3))
        self.starts = nn.Parameter(torch.zeros(layers, 3))

    def transitions(self) -> tuple[Tensor, Tensor]:
        """`steps` and `starts`, without what cannot be."""
        steps, starts = torch.zeros_like(self.steps), torch.zeros_like(self.starts)
        steps[:, OUTSIDE, INSIDE] = NEVER
        starts[:, INSIDE] = NEVER
        return self.steps + steps, self.starts + starts


def chain_loss(emissions: Tensor, steps: Tensor, starts: Tensor, mask: Tensor, tags: Tensor) -> Tensor:
    """The mean over words and layers of -log p(tags | emissions)."""
    layer = torch.arange(tags.shape[2])
    emitted = emissions.gather(3, tags.unsqueeze(3)).squeeze(3) * mask.unsqueeze(2)
    moved = steps[layer, tags[:, :-1], tags[:, 1:]] * mask[:, 1:].unsqueeze(2)
    score = emitted.sum(1) + moved.sum(1) + starts[layer, tags[:, 0]]
    total = forward(emissions, steps, starts, mask)[-1].logsumexp(2)
    return (total - score).sum() / (mask.sum() * tags.shape[2])


def forward(emissions: Tensor, steps: Tensor, starts: Tensor, mask: Tensor) -> list[Tensor]:
    """N times [B, R, 3]: the log of the summed scores of all ways to come to each tag of a word; behind a
    sentence's last word it stays."""
    alpha = starts + emissions[:, 0]
    found = [alpha]
    for n in range(1, emissions.shape[1]):
        moved = (alpha.unsqueeze(3) + steps).logsumexp(2) + emissions[:, n]
        alpha = torch.where(mask[:, n, None, None], moved, alpha)
        found.append(alpha)
    return found


def marginals(emissions: Tensor, steps: Tensor, starts: Tensor, mask: Tensor) -> Tensor:
    """[B, N, R, 3], the probability of each tag of each word."""
    beta = torch.zeros_like(emissions[:, 0])
    after = [beta]
    for n in range(emissions.shape[1] - 1, 0, -1):
        moved = (steps + (emissions[:, n] + beta).unsqueeze(2)).logsumexp(3)
        beta = torch.where(mask[:, n, None, None], moved, beta)
        after.append(beta)
    before = torch.stack(forward(emissions, steps, starts, mask), 1)
    return (before + torch.stack(after[::-1], 1)).softmax(3)


def best_tags(emissions: Tensor, steps: Tensor, starts: Tensor, mask: Tensor) -> Tensor:
    """[B, N, R], the likeliest tags of each sentence (Viterbi 1967), OUTSIDE behind its last word."""
    score = starts + emissions[:, 0]
    stay = torch.arange(3).expand_as(score)
    back = []
    for n in range(1, emissions.shape[1]):
        best, origin = (score.unsqueeze(3) + steps).max(2)
        here = mask[:, n, None, None]
        back.append(torch.where(here, origin, stay))
        score = torch.where(here, best + emissions[:, n], score)
    tag = score.argmax(2)
    tags = [tag]
    for origin in reversed(back):
        tag = origin.gather(2, tag.unsqueeze(2)).squeeze(2)
        tags.append(tag)
    return torch.stack(tags[::-1], 1) * mask.unsqueeze(2)
