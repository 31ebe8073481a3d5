"""The chain of tags against every sequence written out."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
import torch

from annotate.model.chain import BEGIN, INSIDE, OUTSIDE, Chain, best_tags, chain_loss, marginals

WORDS = 4


@pytest.fixture
def chain() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    model = Chain(2)
    with torch.no_grad():
        model.steps.normal_()
        model.starts.normal_()
    steps, starts = model.transitions()
    return 2 * torch.randn(1, WORDS, 2, 3), steps.detach(), starts.detach()


def scores(emissions, steps, starts, layer):
    """The score of each of the 81 sequences of tags of one layer."""
    found = {}
    for tags in product(range(3), repeat=WORDS):
        score = starts[layer, tags[0]] + sum(emissions[0, n, layer, tag] for n, tag in enumerate(tags))
        score += sum(steps[layer, a, b] for a, b in pairwise(tags))
        found[tags] = float(score)
    return found


def test_marginals_and_best_tags_are_those_of_all_sequences(chain):
    emissions, steps, starts = chain
    mask = torch.ones(1, WORDS, dtype=torch.bool)
    p = marginals(emissions, steps, starts, mask)
    best = best_tags(emissions, steps, starts, mask)
    for layer in range(2):
        every = scores(emissions, steps, starts, layer)
        weights = torch.tensor(list(every.values())).softmax(0)
        expected = torch.zeros(WORDS, 3)
        for tags, weight in zip(every, weights, strict=True):
            for n, tag in enumerate(tags):
                expected[n, tag] += weight
        assert torch.allclose(p[0, :, layer], expected, atol=1e-4)
        assert tuple(best[0, :, layer].tolist()) == max(every, key=every.__getitem__)


def test_the_loss_is_the_mean_negative_log_probability(chain):
    emissions, steps, starts = chain
    mask = torch.ones(1, WORDS, dtype=torch.bool)
    tags = torch.tensor([[[BEGIN, OUTSIDE], [INSIDE, BEGIN], [OUTSIDE, INSIDE], [OUTSIDE, INSIDE]]])
    expected = 0.0
    for layer in range(2):
        every = scores(emissions, steps, starts, layer)
        log_z = torch.tensor(list(every.values())).logsumexp(0)
        expected += float(log_z) - every[tuple(tags[0, :, layer].tolist())]
    assert float(chain_loss(emissions, steps, starts, mask, tags)) == pytest.approx(
        expected / (2 * WORDS), abs=1e-4
    )


def test_what_lies_behind_a_sentence_changes_nothing(chain):
    emissions, steps, starts = chain
    mask = torch.tensor([[True, True, True, False]])
    short = slice(0, 3)
    other = emissions.clone()
    other[:, 3] = 50 * torch.randn(1, 2, 3)
    assert torch.allclose(
        marginals(other, steps, starts, mask)[:, short],
        marginals(emissions[:, short], steps, starts, mask[:, short]),
        atol=1e-5,
    )
    tags = best_tags(other, steps, starts, mask)
    assert torch.equal(tags[:, short], best_tags(emissions[:, short], steps, starts, mask[:, short]))
    assert (tags[:, 3] == OUTSIDE).all()


def test_no_span_goes_on_that_has_not_begun():
    emissions = torch.zeros(1, 3, 1, 3)
    emissions[..., INSIDE] = 9.0
    steps, starts = Chain(1).transitions()
    tags = best_tags(emissions, steps, starts, torch.ones(1, 3, dtype=torch.bool))
    assert tags[0, :, 0].tolist() == [BEGIN, INSIDE, INSIDE]
