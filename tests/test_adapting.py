"""Before it is taught an encoder reads clean text: it learns, a cut costs nothing, models begin with it."""

from __future__ import annotations

import json
import os
import signal
import subprocess

import numpy as np
import pytest
import torch
import yaml
from tiny import RECIPE, command, weights

from annotate.errors import UserError
from annotate.model.encoder import load_encoder
from annotate.signals.base import Example
from annotate.training.adapting import Finder, Guesser, Text, found_out, guess
from annotate.training.recipe import Adaptation, load_recipe
from annotate.training.steps import marked

ADAPT = {"corpora": ["newsmtsc"], "masked": 6, "replaced": 6, "batch_size": 8}
PARTS = ("masked", "replaced")


@pytest.fixture
def recipe(tmp_path, tiny_encoder):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, "encoder": str(tiny_encoder), "adapt": ADAPT}))
    return path


def test_a_killed_adaptation_goes_on_and_ends_as_if_never_cut(recipe, longer, tmp_path, tiny_encoder):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    subprocess.run(command(recipe, longer, whole), check=True, capture_output=True)
    process = subprocess.Popen(command(recipe, longer, cut), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (cut / "run" / "adapted" / "replaced" / "checkpoint.pt").is_file():
        assert process.poll() is None, process.stderr.read().decode()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    subprocess.run(command(recipe, longer, cut), check=True, capture_output=True)
    one, other = (torch.load(folder / "run" / "adapted" / "encoder.pt") for folder in (whole, cut))
    for name in one:
        torch.testing.assert_close(one[name], other[name], atol=2e-3, rtol=0)
    began = load_encoder(tiny_encoder)[0].state_dict()
    assert any(not torch.equal(one[f"encoder.{name}"], began[name]) for name in began)
    first, second = (
        json.loads((whole / "run" / "adapted" / part / "log.jsonl").read_text()) for part in PARTS
    )
    assert first["sentences"] == second["sentences"] == 64
    start = {name: tensor for name, tensor in one.items() if tensor.dtype == torch.float32}
    moved = [
        float((torch.from_numpy(weights(whole)[name]).float() - start[name]).abs().max()) for name in start
    ]
    assert max(moved) < 5e-3, "a student of twelve steps is still near where it began"


def learned(network, text, loss_of, steps=60):
    """The mean loss over the first and over the last ten steps."""
    optimizer = torch.optim.AdamW(network.parameters(), lr=5e-3)
    batches, losses = text.batches(1), []
    torch.manual_seed(0)
    for _ in range(steps):
        loss = loss_of(network, *text.tensors(next(batches), 0), text)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return np.mean(losses[:10]), np.mean(losses[-10:])


def test_hidden_words_are_guessed_and_words_put_in_are_found_ever_better(tiny_encoder):
    encoder, tokenizer = load_encoder(tiny_encoder)
    texts = [
        f"The {who} told the council in {town} so." for who in ("mayor", "judge") for town in ("Rome", "Oslo")
    ]
    text = Text(texts * 8, tokenizer, Adaptation([], batch_size=8), 32)
    guesser = Guesser(encoder)
    first, last = learned(guesser, text, guess)
    assert last < 0.7 * first
    untaught = Guesser(load_encoder(tiny_encoder)[0])
    finder = Finder(load_encoder(tiny_encoder)[0])
    first, last = learned(
        finder,
        text,
        lambda network, ids, there, where, text: found_out(network, untaught, ids, there, where, text),
    )
    assert last < 0.7 * first


def test_special_tokens_are_never_hidden(tiny_encoder):
    _, tokenizer = load_encoder(tiny_encoder)
    text = Text(["The mayor told so."] * 64, tokenizer, Adaptation([], batch_size=64), 32)
    ids, there, where = text.tensors(np.arange(64), 0)
    assert where.any()
    assert not where[:, 0].any()
    assert not (where & (there == 0)).any()
    assert not where[ids == tokenizer.token_to_id("[SEP]")].any()


def test_a_marked_target_stands_between_two_signs():
    found = marked(Example("Anna met Bob.", ((0, 4, "a"), (9, 12, "b"))))
    assert found.text == "@ Anna @ met @ Bob @."
    assert [found.text[s:e] for s, e, _ in found.spans] == ["Anna", "Bob"]


@pytest.mark.parametrize(
    ("adapt", "said"),
    [
        ({"masked": 3}, "must have `corpora`"),
        ({"corpora": ["nowhere"]}, "unknown corpus `nowhere`"),
        ({"corpora": ["newsmtsc"], "masked": 0}, "`masked` of `adapt`"),
        ({"corpora": ["newsmtsc"], "learning_rate": "much"}, "`learning_rate` of `adapt`"),
        ({"corpora": ["newsmtsc"], "hidden": 3}, "may have masked"),
    ],
)
def test_an_adaptation_that_is_wrong_says_where(recipe, adapt, said):
    recipe.write_text(yaml.safe_dump({**yaml.safe_load(recipe.read_text()), "adapt": adapt}))
    with pytest.raises(UserError, match=said):
        load_recipe(recipe)


def test_corpora_without_a_sentence_to_read_are_named(recipe, corpora, tmp_path):
    done = subprocess.run(command(recipe, corpora, tmp_path), capture_output=True, text=True)
    assert done.returncode == 2
    assert "no clean sentence" in done.stderr
