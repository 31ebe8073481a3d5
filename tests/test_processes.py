"""Several processes train as one does; where one fails all end, and the next run goes on."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import yaml
from tiny import RECIPE, bundle, command, weights

from annotate.article import Mention, Sentence
from annotate.model.batch import collate, tokenize
from annotate.model.bundle import load_bundle, read_config, save_bundle
from annotate.model.encoder import EncoderSpec, load_encoder
from annotate.model.network import Network
from annotate.signals import SIGNALS
from annotate.signals.base import Encoded
from annotate.training import processes
from annotate.training.continuing import go_on
from annotate.training.corpora import SIGNAL_OF, load_corpus
from annotate.training.lessons import Lessons
from annotate.training.recipe import Recipe

TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
CLOSE = {"rtol": 0, "atol": 2e-4}
"""Of losses and weights: sums in another order round otherwise, and AdamW divides by gradients near zero."""


def together(line: list[str]) -> list[str]:
    """The command of `tiny.command`, by two processes."""
    return [*TWO, "-m", "--", *line[2:]]


@pytest.fixture(scope="module")
def undropped(tiny_encoder, tmp_path_factory) -> Path:
    """The tiny encoder without dropout, whose random numbers are all that sets several processes apart."""
    folder = tmp_path_factory.mktemp("undropped")
    shutil.copytree(tiny_encoder, folder, dirs_exist_ok=True)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden_dropout_prob": 0.0}))
    return folder


@pytest.fixture(scope="module")
def recipe(undropped, tmp_path_factory) -> Path:
    """Seven sentences a batch, which two processes cannot halve; every step's loss is logged."""
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    changed = {"encoder": str(undropped), "batch_size": 7, "evaluate_every": 1, "masked": {"newsmtsc": 0.1}}
    changed |= {"learning_rate": 1e-3, "steps": 16}
    path.write_text(yaml.safe_dump({**RECIPE, **changed}))
    return path


@pytest.fixture(scope="module")
def alone(recipe, corpora, tmp_path_factory) -> Path:
    """What one process makes of it."""
    folder = tmp_path_factory.mktemp("alone")
    subprocess.run(command(recipe, corpora, folder), check=True, capture_output=True)
    return folder


def losses(folder: Path) -> np.ndarray:
    log = [json.loads(line) for line in (folder / "run" / "seed-1" / "log.jsonl").read_text().splitlines()]
    return np.array([sum(record["loss"].values()) for record in log if "loss" in record])


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], err_msg=name, **CLOSE)


def test_two_processes_have_the_loss_curve_and_the_weights_of_one(alone, recipe, corpora, tmp_path):
    done = subprocess.run(together(command(recipe, corpora, tmp_path)), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Wrote") == 1, "the first process alone speaks"
    assert len(losses(tmp_path)) == 16
    assert abs(losses(alone)[0] - losses(alone)[-1]) > 1000 * CLOSE["atol"], "something is learned"
    np.testing.assert_allclose(losses(alone), losses(tmp_path), **CLOSE)
    same(weights(alone), weights(tmp_path))
    one, other = (read_config(folder / "model")["training"]["stages"][0] for folder in (alone, tmp_path))
    assert one["seeds"] == pytest.approx(other["seeds"], abs=0.02)


def test_where_a_process_is_killed_all_end_and_fewer_go_on(alone, recipe, corpora, tmp_path):
    line = command(recipe, corpora, tmp_path)
    started = subprocess.Popen(together(line), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run" / "seed-1" / "checkpoint.pt").is_file():
        assert started.poll() is None, started.stderr.read()
    children = Path(f"/proc/{started.pid}/task/{started.pid}/children").read_text().split()
    os.kill(int(children[-1]), signal.SIGKILL)
    _, said = started.communicate(timeout=60)
    assert started.returncode != 0
    assert said.count("annotate: Another process of this training has ended") <= 1
    assert said.count("Traceback") == 1, "the launcher's own"
    assert not (tmp_path / "model").exists()
    subprocess.run(line, check=True, capture_output=True)
    same(weights(alone), weights(tmp_path))


def test_what_is_wrong_is_said_once(recipe, corpora, tmp_path):
    run = tmp_path / "run" / "seed-1"
    run.mkdir(parents=True)
    (run / "recipe.json").write_text("{}")
    done = subprocess.run(together(command(recipe, corpora, tmp_path)), capture_output=True, text=True)
    assert done.returncode != 0
    [line] = [line for line in done.stderr.splitlines() if line.startswith("annotate: ")]
    assert "holds a run of another recipe" in line


def test_two_processes_go_on_from_a_model_as_one_does(undropped, corpora, tmp_path):
    torch.manual_seed(0)
    bundle(undropped, tmp_path / "parent")
    script = [__file__, str(tmp_path), str(corpora), "two"]
    retrained(tmp_path, corpora, "one")
    subprocess.run([*TWO, *script], check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    one, two, parent = (load_bundle(tmp_path / name).network for name in ("one", "two", "parent"))
    same(one.state_dict(), two.state_dict())
    assert any((one.state_dict()[k] - p).abs().max() > 1e-3 for k, p in parent.state_dict().items())


def retrained(folder: Path, corpora: Path, name: str) -> None:
    """A training in the midst of the first process's job, as in `annotate retrain`."""
    with processes.joined() as first:
        if not first:
            processes.follow()
            return
        hedges, stances = (load_corpus(corpora, corpus, "train") for corpus in ("hedge_bio", "newsmtsc"))
        lessons = Lessons({SIGNAL_OF["hedge_bio"]: hedges[:40]}, {SIGNAL_OF["newsmtsc"]: stances[:30]})
        recipe = Recipe("again", {}, steps=16, batch_size=7, learning_rate=1e-3, frozen=[])
        work = partial(go_on, folder / "parent", lessons, recipe, folder / f"run-{name}", epochs=2)
        processes.together(work)
        bundle = work()
        encoder = EncoderSpec(**bundle.config["encoder"])
        save_bundle(
            folder / name,
            bundle.network,
            bundle.settings,
            name=name,
            encoder=encoder,
            training={},
            figures={},
        )
        processes.release()


def test_a_process_draws_for_itself_and_all_draw_alike_behind():
    torch.manual_seed(3)
    expected = torch.rand(4)
    torch.manual_seed(3)
    with processes.own_randomness(torch.device("cpu")):
        own = torch.rand(4)
    assert torch.equal(torch.rand(4), expected)
    assert not torch.equal(own, expected)


def test_what_the_heads_read_goes_where_they_are_and_what_they_say_comes_back(tiny_encoder, monkeypatch):
    """PyTorch's meta device stands for a GPU that this machine may lack: it reckons shapes alone, and refuses
    tensors of another device as a GPU does."""
    from tokenizers import Tokenizer

    text = "Awful Anna may leave, the mayor said."
    sentences = [Sentence("", None, "", 0, len(text), text, mentions=(Mention("Anna", 6, 10),))] * 3
    [encoding] = tokenize(Tokenizer.from_file(str(tiny_encoder / "tokenizer.json")), [text])
    batch = collate([encoding] * 3, 0)
    network = Network(load_encoder(tiny_encoder)[0], SIGNALS).eval()
    encoded = network.encode(batch)
    expected = network.read(encoded, batch, sentences)
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: torch.zeros_like(tensor, device="cpu"))
    there = Encoded(encoded.words.to("meta"), encoded.mask.to("meta"))
    found = network.to("meta").read(there, batch, sentences)
    assert network.device.type == "meta"
    for name, out in found.items():
        said = {key: (tensor.shape, tensor.device.type) for key, tensor in out.items()}
        assert said == {key: (tensor.shape, "cpu") for key, tensor in expected[name].items()}


if __name__ == "__main__":
    retrained(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
