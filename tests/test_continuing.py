"""A model that goes on from another, and how far of the way it goes."""

from __future__ import annotations

import pytest
import torch
from tiny import bundle

from annotate.model.bundle import load_bundle, save_bundle
from annotate.model.encoder import EncoderSpec
from annotate.signals.base import Example
from annotate.signals.hedging import HEDGING
from annotate.training.continuing import go_on, part_way
from annotate.training.lessons import Lessons
from annotate.training.recipe import Recipe

HEDGED = [
    Example(f"Ferries may leave late on day {n}.", ((8, 11, "hedging"),), 1.0, str(n)) for n in range(6)
]


@pytest.fixture
def parent(tiny_encoder, tmp_path):
    return bundle(tiny_encoder, tmp_path / "parent", recipe={"frozen": ["embeddings"]})


def test_half_of_the_way_lies_between_the_parent_and_what_training_made_of_it(parent, tmp_path):
    recipe = Recipe("again", {}, steps=8, batch_size=4, learning_rate=1e-2, frozen=["embeddings"])
    whole = go_on(parent, Lessons({HEDGING: HEDGED}, {}), recipe, tmp_path / "run", epochs=4)
    before = load_bundle(parent).network.state_dict()
    after = {name: tensor.clone() for name, tensor in whole.network.state_dict().items()}
    moved = [name for name in before if not torch.equal(before[name], after[name])]
    assert any(name.startswith("encoder.encoder") for name in moved)
    assert not any("embeddings" in name for name in moved)
    for share in (0.0, 0.5, 1.0):
        between = part_way(parent, whole, share).network.state_dict()
        for name in before:
            torch.testing.assert_close(between[name], before[name] + share * (after[name] - before[name]))
    assert all(torch.equal(after[name], tensor) for name, tensor in whole.network.state_dict().items())


def test_what_did_not_learn_is_not_written_and_the_model_loads(parent, tmp_path):
    recipe = Recipe("again", {}, steps=4, batch_size=4, frozen=["embeddings"])
    whole = go_on(parent, Lessons({HEDGING: HEDGED}, {}), recipe, tmp_path / "run", epochs=2)
    half = part_way(parent, whole, 0.5)
    folder = tmp_path / "half"
    save_bundle(
        folder,
        half.network,
        half.settings,
        name="half",
        encoder=EncoderSpec(**half.config["encoder"]),
        training={"recipe": {"frozen": ["embeddings"]}},
        figures={},
    )
    again = load_bundle(folder).network.state_dict()
    for name, tensor in half.network.state_dict().items():
        torch.testing.assert_close(again[name], tensor, atol=1e-3, rtol=1e-3)
    assert (folder / "weights.safetensors").stat().st_size < 0.9 * sum(
        2 * tensor.numel() for tensor in again.values()
    )
