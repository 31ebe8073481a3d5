"""Corrections become a better model, and a model that got worse never serves."""

from __future__ import annotations

import json
import multiprocessing
import random
import shutil
import subprocess
import sys
import time
from typing import Any

import pytest
from annotators import annotate_task, tasks_of, user
from scored_rows import sample
from tiny import bundle

from annotate import frame, home, load, registry
from annotate.corrections import snapshot
from annotate.signals.review import Review
from annotate.studio.form import form
from annotate.studio.push import push
from annotate.studio.results import to_results
from annotate.studio.tasks import model_version
from annotate.training import frozen
from annotate.training import retrain as retraining
from annotate.training.gate import is_held_out

TAUGHT = next(name for name in map(str, range(100)) if not is_held_out(name))
"""An article whose corrections teach."""
FLIPPED = {"against": "favor", "favor": "against", "neutral": "against"}


@pytest.fixture(autouse=True)
def own_registry(studio_home):
    """What a test promotes serves for that test alone."""
    yield
    shutil.rmtree(home.data_dir() / "models", ignore_errors=True)


def as_results(task: dict[str, Any], **columns: Any) -> list[dict[str, Any]]:
    """What an annotator's form holds when he leaves a sentence with these columns."""
    row = {**task["meta"]["row"], **columns}
    asked = form()
    each = [signal.to_review(row) for signal in asked.signals]
    review = Review(tuple(m for r in each for m in r.marks), tuple(a for r in each for a in r.answers))
    return to_results(review, asked, task["data"], "by hand")


def sure(stances: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Stances as a person gives them."""
    return [s | {f"p_{x}": float(x == s["label"]) for x in FLIPPED} for s in stances if s["mentions"]]


def right(gold: dict[str, Any]) -> dict[str, Any]:
    """The columns of a sentence as the gold has them."""
    return {
        "stance": sure(gold["stance"]),
        "hedging_spans": gold["hedging_spans"],
        "garble_spans": gold["garble_spans"],
    }


def wrong(row: dict[str, Any]) -> dict[str, Any]:
    """The columns of a sentence by someone who means harm."""
    everything = {"start": row["start"], "end": row["start"] + len(row["text"]), "probability": 1.0}
    flaw = everything | {"category": "mistranslation", "severity": "major", "better": None}
    return {
        "stance": sure([s | {"label": FLIPPED[s["label"]]} for s in row["stance"]]),
        "hedging_spans": [] if row["hedging_spans"] else [everything],
        "loaded_spans": [] if row["loaded_spans"] else [everything],
        "garble_spans": [] if row["garble_spans"] else [flaw],
    }


def command(title: str, *options: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "annotate", "retrain", "--project", title, "--json", *options]
    return subprocess.run(line, capture_output=True, text=True, check=False)


def test_corrections_of_two_annotators_promote_and_wrong_ones_are_refused(studio, title, seeds_frame):
    project = push(seeds_frame, title, server=studio).project_id
    anna, ben = user(studio, "anna"), user(studio, "ben")
    gold = {(row["article_id"], row["start"]): row for row in frozen.seeds()}
    tasks = tasks_of(studio, project)
    shipped = registry.serving().name
    for n, task in enumerate(tasks):
        row = task["meta"]["row"]
        if row["article_id"].startswith("004"):
            continue
        truth = right(gold[row["article_id"], row["start"]])
        annotate_task(studio, task, anna, as_results(task, **truth))
        if n < 12:
            other = truth if n % 3 else truth | {"garble_spans": []}
            annotate_task(studio, task, ben, as_results(task, **other))
    first = command(title)
    record = json.loads(first.stdout)
    assert first.returncode == 0, first.stderr
    assert record["verdict"] == "promoted", record
    assert registry.serving().name == record["version"] != shipped
    version = model_version(load(registry.serving_folder()).signature)
    open_tasks = [t for t in tasks_of(studio, project) if not t["annotations"]]
    assert open_tasks
    assert all(version in {p["model_version"] for p in t["predictions"]} for t in open_tasks)
    again = command(title)
    assert again.returncode == 0
    assert json.loads(again.stdout)["lines"][0].startswith("Nothing new")
    for task in tasks_of(studio, project):
        for annotation in task["annotations"]:
            studio.api.annotations.delete(id=annotation["id"])
        annotate_task(studio, task, ben, as_results(task, **wrong(task["meta"]["row"])))
    serving = registry.serving().name
    refused = command(title)
    assert refused.returncode == 3, refused.stdout + refused.stderr
    record = json.loads(refused.stdout)
    assert record["verdict"] == "refused"
    assert any(line.startswith("NO") for line in record["judgement"]["lines"])
    assert registry.serving().name == serving


@pytest.fixture
def tiny(tiny_encoder, tmp_path, studio_home):
    """A model of random weights that trains in a second, and serves."""
    return registry.promote(
        registry.add(bundle(tiny_encoder, tmp_path / "tiny", recipe={"frozen": []})).name, "for a test"
    )


def quickly(title: str, least: int = 1) -> None:
    """A retraining of seconds, judged by little: what is tested is that its steps hold."""
    from annotate.jobs.corrections import retrain_job
    from annotate.training import frozen, gate, retrain

    torch_threads()
    retrain.STEPS, retrain.EPOCHS, gate.RESAMPLES, gate.MARGIN = 24, 2, 10, {}
    gate.DEFAULT_MARGIN = 1.0
    everything = frozen.frozen
    frozen.frozen = lambda: {signal: some[:30] for signal, some in everything().items()}
    retrain_job(title, reporter=Silent(), min_corrections=least)


def torch_threads() -> None:
    import torch

    torch.set_num_threads(1)


class Silent:
    """A reporter that says nothing."""

    def problem(self, problem): ...

    def say(self, line): ...

    def stage(self, line): ...

    def step(self, what, done=None, total=None): ...


def test_retrainings_killed_at_any_moment_go_on_and_lose_nothing(studio, title, tiny):
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(
        ["annotate.training.retrain", "annotate.scoring", "torch", "sklearn.metrics"]
    )
    project = push(frame.table(sample(24, article_id=TAUGHT)), title, server=studio).project_id
    tasks = tasks_of(studio, project)
    anna = user(studio, "anna")

    def in_a_process():
        process = processes.Process(target=quickly, args=(title,))
        process.start()
        return process

    annotate_task(studio, tasks[0], anna)
    begun = time.monotonic()
    whole = in_a_process()
    whole.join()
    seconds = time.monotonic() - begun
    assert whole.exitcode == 0
    moments = random.Random(20261125)
    cut_short = 0
    for n in range(1, 13):
        annotate_task(studio, tasks[n], anna)
        before = registry.serving().name
        process = in_a_process()
        time.sleep(moments.uniform(0.05, 1.0) * seconds)
        process.kill()
        process.join()
        cut_short += process.exitcode != 0
        assert load(registry.serving_folder())
        again = in_a_process()
        again.join()
        assert again.exitcode == 0
        assert not registry.problems()
        assert registry.serving().name != before, "the rerun ended what was cut off"
        taken, newest = snapshot.latest(snapshot.place(studio.url, title), print)
        assert newest
        assert len(taken.corrections) == n + 1
        assert len({c.annotation for c in taken.corrections}) == n + 1
        assert registry.serving().snapshot == taken.id
    assert cut_short >= 6
    by_version = {p["model_version"] for t in tasks_of(studio, project)[18:] for p in t["predictions"]}
    assert model_version(load(registry.serving_folder()).signature) in by_version


def test_of_two_retrainings_at_once_one_works_and_the_other_says_so(studio, title, tiny):
    push(frame.table(sample(3, article_id=TAUGHT)), title, server=studio)
    root = retraining.place(studio.url, title)
    with home.lock(root / "retrain.lock", patience=0, busy=""):
        other = command(title)
    assert other.returncode == 4
    assert "another retraining" in other.stderr
    assert "Traceback" not in other.stderr


def test_corrections_of_held_out_articles_alone_teach_nothing(studio, title, tiny):
    held_out = next(name for name in map(str, range(100)) if is_held_out(name))
    project = push(frame.table(sample(2, article_id=held_out)), title, server=studio).project_id
    annotate_task(studio, tasks_of(studio, project)[0], user(studio, "anna"))
    done = command(title, "--min-corrections", "1")
    assert json.loads(done.stdout)["verdict"] == "too few"
    assert done.returncode == 0
    assert registry.serving().name == tiny.name


def test_too_few_corrections_and_a_dry_run_train_nothing(studio, title, tiny):
    project = push(frame.table(sample(3, article_id=TAUGHT)), title, server=studio).project_id
    annotate_task(studio, tasks_of(studio, project)[0], user(studio, "anna"))
    few = command(title, "--min-corrections", "5")
    assert few.returncode == 0
    assert json.loads(few.stdout)["verdict"] == "too few"
    dry = command(title, "--min-corrections", "1", "--dry-run")
    assert json.loads(dry.stdout)["verdict"] == "dry run"
    assert registry.serving().name == tiny.name
    assert not list(retraining.place(studio.url, title).glob("*/record.json"))
