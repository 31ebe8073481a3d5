"""Training: a recipe becomes a model; a cut costs nothing; what is wrong is said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from tiny import RECIPE, command, trained, weights

from annotate.errors import UserError
from annotate.training.corpora import SIGNAL_OF, load_corpus
from annotate.training.recipe import load_recipe


@pytest.fixture
def recipe(tmp_path, tiny_encoder) -> Path:
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, "encoder": str(tiny_encoder)}))
    return path


def test_a_killed_training_goes_on_and_ends_as_if_never_cut(recipe, corpora, tmp_path):
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    subprocess.run(command(recipe, corpora, whole), check=True, capture_output=True)
    process = subprocess.Popen(command(recipe, corpora, cut), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    while not (cut / "run" / "seed-1" / "checkpoint.pt").is_file():
        assert process.poll() is None, process.stderr.read().decode()
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not (cut / "model").exists()
    subprocess.run(command(recipe, corpora, cut), check=True, capture_output=True)
    one, other = weights(whole), weights(cut)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=2e-3, err_msg=name)
    from annotate.model.bundle import load_bundle

    assert load_bundle(cut / "model").name == "tiny"
    card = (cut / "model" / "README.md").read_text()
    assert "| newsmtsc | macro-F1 rw |" in card
    assert "none stated" in card
    log = [json.loads(line) for line in (whole / "run" / "seed-1" / "log.jsonl").read_text().splitlines()]
    assert [record["step"] for record in log if "step" in record] == [6, 12]
    assert [record["candidate"] for record in log if "candidate" in record][-1] == "step 12"
    before = load_bundle(cut / "model")
    options = ["--card", "--model", str(cut / "model"), "--data", str(corpora)]
    subprocess.run([sys.executable, "-m", "annotate", "evaluate", *options], check=True, capture_output=True)
    after = load_bundle(cut / "model")
    assert after.id == before.id, "figures decide no score"
    card = (cut / "model" / "README.md").read_text()
    [row] = [line for line in card.splitlines() if line.startswith("| newsmtsc | macro-F1 rw |")]
    assert row.count("[") == 2, "dev and test, each with its interval"
    for heading in ("Calibration", "Known failures", "Speed"):
        assert f"\n## {heading}\n" in card
    assert (cut / "model" / "calibration.svg").is_file()
    measured = after.config["figures"]["test"]["hedge_bio"][0]
    assert measured["interval"][0] <= measured["value"] <= measured["interval"][1]


def test_of_several_seeds_and_their_average_the_best_on_dev_is_taken(tmp_path, tiny_encoder, corpora):
    from annotate.model.bundle import read_config
    from annotate.training.evaluation import Figure
    from annotate.training.fit import headline

    path = tmp_path / "recipe.yaml"
    few = {"steps": 4, "evaluate_every": 2, "seeds": [1, 2], "average": [2, 4]}
    few["encoder"] = str(tiny_encoder)
    path.write_text(yaml.safe_dump({**RECIPE, **few}))
    trained(path, corpora, tmp_path)
    [training] = read_config(tmp_path / "model")["training"]["stages"]
    assert training["seeds"].keys() == {"1", "2", "average"}
    assert str(training["seed"]) == max(training["seeds"], key=training["seeds"].get)
    if training["seed"] != "average":
        assert "the average of steps 2, 4" in training["candidates"]
    assert training["chosen"] == max(training["candidates"], key=training["candidates"].get)
    found = read_config(tmp_path / "model")["figures"]["dev"]
    figures = {name: [Figure(**f) for f in fs] for name, fs in found.items()}
    assert headline(figures) == pytest.approx(max(training["seeds"].values()))


def test_the_average_with_another_model_is_a_candidate(recipe, corpora, tmp_path):
    from annotate.model.bundle import read_config

    trained(recipe, corpora, tmp_path)
    other = tmp_path / "other.yaml"
    other.write_text(
        yaml.safe_dump({**yaml.safe_load(recipe.read_text()), "average_with": ["model"], "seeds": [5]})
    )
    trained(other, corpora, tmp_path / "next")
    [training] = read_config(tmp_path / "next" / "model")["training"]["stages"]
    assert "the average with model" in training["candidates"]
    assert training["chosen"] == max(training["candidates"], key=training["candidates"].get)
    other.write_text(other.read_text().replace("- model", "- nowhere"))
    done = subprocess.run(command(other, corpora, tmp_path / "last"), capture_output=True, text=True)
    assert done.returncode == 2
    assert "is not a model folder" in done.stderr


def test_only_tokens_without_a_label_are_hidden(tiny_encoder):
    from tokenizers import Tokenizer

    from annotate.model.batch import tokenize
    from annotate.signals.base import Example
    from annotate.training.steps import unlabelled

    text = "The mayor may leave."
    tokenizer = Tokenizer.from_file(str(tiny_encoder / "tokenizer.json"))
    [encoding] = tokenize(tokenizer, [text])
    [free] = unlabelled([encoding], [Example(text, ((10, 13, "cue"),))], 12).tolist()
    hidden = [text[s:e] for (s, e), yes in zip(encoding.offsets, free, strict=False) if yes]
    assert hidden == ["The", "mayor", "leave", "."]


def test_a_full_disk_leaves_the_last_checkpoint_in_place(tmp_path, monkeypatch):
    import torch

    from annotate.training import steps

    path = tmp_path / "checkpoint.pt"
    steps.save(path, {"step": 1})

    def full(state, file):
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UserError, match="the last good checkpoint is still there"):
        steps.save(path, {"step": 2})
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_another_recipe_does_not_go_on_from_this_run(recipe, corpora, tmp_path):
    run = tmp_path / "run" / "seed-1"
    run.mkdir(parents=True)
    (run / "recipe.json").write_text("{}")
    done = subprocess.run(command(recipe, corpora, tmp_path), capture_output=True, text=True)
    assert done.returncode == 2
    assert "holds a run of another recipe" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"corpora": {"newsmtsk": 1}}, "unknown corpus `newsmtsk`; known are .*newsmtsc"),
        ({"corpora": {"newsmtsc": 0}}, "number of corpus `newsmtsc`"),
        ({"corpora": []}, "`corpora` in the recipe"),
        ({"stepz": 3}, "unknown key `stepz`; the keys are .*steps"),
        ({"finish": {"newsmtsk": 1}, "finish_from": 3}, "unknown corpus `newsmtsk`"),
        ({"finish": {"newsmtsc": 1}, "finish_from": 99}, "`finish_from` in the recipe"),
        ({"seeds": 3}, "`seeds` in the recipe .* must be a list"),
        ({"average": [999]}, "`average` in the recipe .* must be a list of steps"),
        ({"average_with": "second"}, "`average_with` in the recipe .* must be a list of folders"),
        ({"steps": "many"}, "`steps` in the recipe .* must be a whole number"),
        ({"learning_rate": "fast"}, "`learning_rate` in the recipe .* must be a number"),
    ],
)
def test_a_recipe_that_is_wrong_says_where(tmp_path, change, said):
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump({**RECIPE, **change}))
    with pytest.raises(UserError, match=said):
        load_recipe(path)


def test_a_recipe_that_is_not_there_or_not_yaml_says_so(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        load_recipe(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("a: [")
    with pytest.raises(UserError, match="not valid YAML"):
        load_recipe(tmp_path / "bad.yaml")


def test_the_finish_changes_only_the_last_steps():
    from annotate.training.recipe import Recipe

    plain = Recipe("a", {"newsmtsc": 1, "babe": 1}, steps=200)
    finished = Recipe("a", {"newsmtsc": 1, "babe": 1}, finish={"polnear": 1}, finish_from=150, steps=200)
    assert finished.plan()[:150] == plain.plan()[:150]
    assert set(finished.plan()[150:]) == {"polnear"}


def test_the_shipped_recipe_reads_and_every_signal_has_a_corpus():
    from annotate.signals import SIGNALS

    recipe = load_recipe(Path(__file__).parent.parent / "models" / "recipe.yaml")
    assert {SIGNAL_OF[name].name for name in recipe.all_corpora()} == {signal.name for signal in SIGNALS}


def test_a_corpus_file_that_is_missing_broken_or_lacks_a_column_is_named(corpora, tmp_path):
    with pytest.raises(UserError, match=r"newsmtsc/train\.parquet is missing"):
        load_corpus(tmp_path, "newsmtsc", "train")
    (tmp_path / "newsmtsc").mkdir()
    (tmp_path / "newsmtsc" / "train.parquet").write_bytes(b"not parquet")
    with pytest.raises(UserError, match="not a readable parquet file"):
        load_corpus(tmp_path, "newsmtsc", "train")
    rows = pd.read_parquet(corpora / "newsmtsc" / "train.parquet")
    rows.drop(columns="label").to_parquet(tmp_path / "newsmtsc" / "train.parquet")
    with pytest.raises(UserError, match="lacks the column `label`"):
        load_corpus(tmp_path, "newsmtsc", "train")
    rows.loc[3, "target_end"] = 999
    rows.to_parquet(tmp_path / "newsmtsc" / "train.parquet")
    with pytest.raises(UserError, match=r"row 3: the span .* lies outside its text"):
        load_corpus(tmp_path, "newsmtsc", "train")
