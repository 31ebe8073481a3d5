"""Pull: what annotators did arrives whole, once, as they left it, whatever goes on or breaks meanwhile."""

from __future__ import annotations

import multiprocessing
import random
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from annotators import annotate_task, chosen, marking, predicted, tasks_of, user
from faulty import Faulty
from scored_rows import sample

from annotate import frame
from annotate.corrections import snapshot
from annotate.errors import Busy, UserError
from annotate.studio import pull as pulling
from annotate.studio.calls import Patience
from annotate.studio.client import connect
from annotate.studio.pull import pull
from annotate.studio.push import push
from annotate.studio.server import token

QUICK = Patience(tries=4, pause=0.1, settle=3.0)


@pytest.fixture
def project(studio, title) -> Any:
    """The tasks of a project with twelve predicted sentences."""
    report = push(frame.table(sample(12)), title, server=studio)
    return tasks_of(studio, report.project_id)


def held(corrections) -> dict[int, str]:
    return {c.annotation: c.updated_at for c in corrections}


def export(studio, project_id) -> dict[int, str]:
    """What the server itself exports: each annotation with its time of change."""
    http = studio.api._client_wrapper.httpx_client
    path = f"api/projects/{project_id}/export"
    answer = http.request(path, method="GET", params={"exportType": "JSON", "download_all_tasks": "true"})
    return {a["id"]: a["updated_at"] for task in answer.json() for a in task["annotations"]}


def test_a_pull_tells_accepted_from_corrected_and_keeps_what_was_skipped(studio, title, project):
    anna, ben = user(studio, "anna"), user(studio, "ben")
    one, two = project[:2]
    annotate_task(studio, one, anna)
    without_hedge = [r for r in predicted(one) if "Hedge" not in r["value"].get("labels", ())]
    annotate_task(studio, one, ben, [*without_hedge, marking(one["data"]["text"], "smear", "Loaded")])
    annotate_task(studio, two, anna, [], was_cancelled=True)
    done = pull(title, server=studio)
    assert (done.new, done.changed, done.deleted) == (3, 0, 0)
    accepted, corrected, skipped = sorted(done.corrections, key=lambda c: c.annotation)
    assert set(accepted.status.values()) == {"accepted"}
    assert accepted.annotator == "anna@example.org"
    assert {name for name, status in corrected.status.items() if status == "corrected"} == {
        "hedging",
        "loaded",
    }
    assert corrected.columns["hedging_spans"] == []
    [span] = corrected.columns["loaded_spans"]
    start = corrected.row["start"]
    assert corrected.row["text"][span["start"] - start : span["end"] - start] == "smear"
    assert skipped.cancelled
    assert not skipped.usable
    manifest = done.snapshot.manifest
    assert manifest["annotators"] == {"anna@example.org": 2, "ben@example.org": 1}
    assert {int(n): t for n, t in manifest["annotations"].items()} == held(done.corrections)


def test_what_is_changed_or_deleted_later_comes_with_the_next_pull_and_the_old_snapshot_stays(
    studio, title, project
):
    anna = user(studio, "anna")
    numbers = [annotate_task(studio, task, anna) for task in project[:4]]
    first = pull(title, server=studio)
    studio.api.annotations.update(id=numbers[0], result=[])
    studio.api.annotations.delete(id=numbers[1])
    annotate_task(studio, project[5], anna)
    second = pull(title, server=studio)
    assert (second.new, second.changed, second.deleted) == (1, 1, 1)
    assert second.snapshot.manifest["parent"] == first.snapshot.id
    assert held(snapshot.read(first.snapshot.folder).corrections) == held(first.corrections)
    assert held(second.corrections) == export(studio, project[0]["project"])
    again = pull(title, server=studio)
    assert not again.fresh
    assert again.snapshot.id == second.snapshot.id
    assert again.scanned < len(project) or again.new == 0
    studio.api.tasks.delete(id=str(project[2]["id"]))
    assert pull(title, server=studio, full=True).deleted == 1


def test_a_dry_run_counts_and_writes_nothing(studio, title, project):
    annotate_task(studio, project[0], user(studio, "anna"))
    done = pull(title, server=studio, dry_run=True)
    assert done.new == 1
    assert done.snapshot is None
    assert snapshot.folders(snapshot.place(studio.url, title)) == []


def test_bad_annotations_are_set_aside_and_named_and_the_rest_is_used(studio, title, project):
    anna = user(studio, "anna")
    text = project[0]["data"]["text"]
    outside = marking(text, "China", "Target") | {
        "value": {"start": 3, "end": 999, "text": "?", "labels": ["Target"]}
    }
    unlabelled = marking(text, "China", "Target") | {
        "value": {"start": 15, "end": 20, "text": "China", "labels": []}
    }
    bad = {
        annotate_task(studio, project[0], anna, [outside]): "lies outside the sentence",
        annotate_task(studio, project[1], anna, [marking(text, "China", "Hype")]): "label 'Hype' is unknown",
        annotate_task(studio, project[2], anna, [unlabelled]): "has no label",
        annotate_task(studio, project[3], anna, [chosen("holder", "nobody")]): "choice 'nobody'",
    }
    good = annotate_task(studio, project[4], anna)
    said: list[str] = []
    done = pull(title, server=studio, say=said.append)
    problems = {c.annotation: c.problem for c in done.corrections if not c.usable}
    assert problems.keys() == bad.keys()
    for number, reason in bad.items():
        assert reason in problems[number]
        assert any(f"Annotation {number} " in line and "set aside" in line for line in said)
    assert [c.annotation for c in done.corrections if c.usable] == [good]


def test_an_interface_changed_by_hand_is_named_and_what_it_still_asks_is_used(studio, title, project):
    number = project[0]["project"]
    config = studio.api.projects.get(number).label_config
    changed = config.replace(
        '<Label value="Hedge"', '<Label value="Rumour" background="#000"/><Label value="Hedge"'
    )
    assert changed != config
    studio.api.projects.update(id=number, label_config=changed)
    annotate_task(studio, project[0], user(studio, "anna"))
    said: list[str] = []
    done = pull(title, server=studio, say=said.append)
    assert "was changed by hand" in said[0]
    assert [c.usable for c in done.corrections] == [True]


def test_a_snapshot_edited_by_hand_is_left_aside_and_made_again_from_the_server(studio, title, project):
    annotate_task(studio, project[0], user(studio, "anna"))
    first = pull(title, server=studio)
    path = first.snapshot.folder / snapshot.MANIFEST
    path.write_text(path.read_text().replace("anna@example.org", "eve@example.org"))
    with pytest.raises(UserError, match="changed by hand"):
        snapshot.read(first.snapshot.folder)
    said: list[str] = []
    second = pull(title, server=studio, say=said.append)
    assert any("changed by hand" in line for line in said)
    assert second.fresh
    assert [c.annotator for c in second.corrections] == ["anna@example.org"]


def test_no_project_and_a_second_pull_at_once_are_said_in_a_sentence(studio, title, project):
    with pytest.raises(UserError, match="has no project"):
        pull("nothing of this name", server=studio)
    from annotate import home

    with (
        home.lock(snapshot.place(studio.url, title) / "pull.lock", patience=0, busy=""),
        pytest.raises(Busy, match="another pull"),
    ):
        pull(title, server=studio, busy_patience=0)


def test_a_server_that_dies_in_the_middle_leaves_no_snapshot_and_the_next_pull_is_whole(
    studio, title, project, monkeypatch
):
    monkeypatch.setattr(pulling, "PAGE", 5)
    anna = user(studio, "anna")
    numbers = {annotate_task(studio, task, anna) for task in project}
    proxy = Faulty(studio.url, "502 before", set())

    def die(done: int) -> None:
        proxy.gone = done >= 5

    with pytest.raises(UserError, match="run the same command again"):
        pull(title, server=connect(proxy.url, token()), patience=QUICK, progress=die)
    assert snapshot.folders(snapshot.place(proxy.url, title)) == []
    proxy.gone = False
    done = pull(title, server=connect(proxy.url, token()), patience=QUICK)
    assert held(done.corrections).keys() == numbers
    proxy.close()


def test_a_full_disk_is_said_in_a_sentence_and_the_next_pull_is_whole(studio, title, project):
    anna = user(studio, "anna")
    numbers = {annotate_task(studio, task, anna) for task in project}
    command = [sys.executable, "-m", "annotate", "pull", "--project", title]
    small = "import resource, sys, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000)); "
    small += "sys.argv = sys.argv[1:]; runpy.run_module('annotate', run_name='__main__')"
    full = subprocess.run([command[0], "-c", small, *command[2:]], capture_output=True, text=True)
    assert full.returncode == 2, full.stderr
    assert "make room" in full.stderr
    assert "Traceback" not in full.stderr
    assert snapshot.folders(snapshot.place(studio.url, title)) == []
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    taken, _ = snapshot.latest(snapshot.place(studio.url, title), print)
    assert held(taken.corrections).keys() == numbers


def in_a_process(title):
    """A pull in a process of its own, forked so that it starts at once."""

    def run():
        pull(title, server=connect(None, token()), patience=QUICK)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def test_pulls_killed_at_any_moment_lose_and_double_nothing(studio, title, monkeypatch):
    monkeypatch.setattr(pulling, "PAGE", 10)
    tasks = tasks_of(studio, push(frame.table(sample(60)), title, server=studio).project_id)
    anna = user(studio, "anna")
    begun = time.monotonic()
    whole = in_a_process(title)
    whole.join()
    seconds = time.monotonic() - begun
    moments = random.Random(20261125)
    cut_short = 0
    for n in range(10):
        annotate_task(studio, tasks[n], anna)
        if n % 4 == 3:
            studio.api.annotations.delete(id=min(export(studio, tasks[0]["project"])))
        process = in_a_process(title)
        time.sleep(moments.uniform(0.02, 1.0) * seconds)
        process.kill()
        process.join()
        cut_short += process.exitcode != 0
        done = pull(title, server=studio, patience=QUICK)
        assert held(done.corrections) == export(studio, tasks[0]["project"])
        assert [c.annotation for c in done.corrections] == list(
            dict.fromkeys(c.annotation for c in done.corrections)
        )
    assert cut_short >= 5


def test_four_threads_that_edit_while_pulls_run_end_in_a_snapshot_equal_to_the_export(studio, title):
    tasks = tasks_of(studio, push(frame.table(sample(250)), title, server=studio).project_id)
    annotators = [user(studio, name) for name in ("anna", "ben", "cleo", "dov")]
    failures: list[BaseException] = []

    def edit(by: int, seed: int) -> None:
        mine, draws = connect(None, token()), random.Random(seed)
        made: list[int] = []
        try:
            for _ in range(250):
                act = draws.random()
                if act < 0.6 or not made:
                    made.append(annotate_task(mine, draws.choice(tasks), by))
                elif act < 0.85:
                    mine.api.annotations.update(id=draws.choice(made), result=[])
                else:
                    mine.api.annotations.delete(id=made.pop(draws.randrange(len(made))))
        except BaseException as problem:
            failures.append(problem)

    threads = [threading.Thread(target=edit, args=(by, n)) for n, by in enumerate(annotators)]
    for thread in threads:
        thread.start()
    pulls = 0
    while any(thread.is_alive() for thread in threads):
        pull(title, server=studio)
        pulls += 1
    assert not failures
    assert pulls > 2
    done = pull(title, server=studio)
    assert held(done.corrections) == export(studio, tasks[0]["project"])
    assert held(pull(title, server=studio, full=True).corrections) == held(done.corrections)
