"""Many sentences: a budget buys what is most worth a person's time, memory stays, PostgreSQL does as well."""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from annotators import annotate_task, tasks_of, user
from postgres import migrated, missing, postgres, studio_on
from scored_rows import keys_of, sample, scored_row, standing

from annotate import frame
from annotate.corrections import snapshot
from annotate.corrections.correction import Correction
from annotate.corrections.ledger import Ledger
from annotate.errors import UserError
from annotate.ordering import review_order
from annotate.studio import pull as pulling
from annotate.studio import push as pushing
from annotate.studio.client import Connection
from annotate.studio.pull import pull
from annotate.studio.push import push


def unsure(n: int, seed: int, **columns: Any) -> list[dict[str, Any]]:
    doubts = np.random.default_rng(seed).random(n)
    return [row | {"uncertainty": float(u)} for row, u in zip(sample(n, **columns), doubts, strict=True)]


def first_ranked(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ranks = review_order(rows)
    return sorted((row for row in rows if not row["boilerplate"]), key=lambda row: ranks[row["sentence_id"]])


@pytest.fixture(params=[False, True], ids=["asked by keys", "walked"])
def walked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether the push learns beforehand where everything stands, as it does for very many sentences."""
    if request.param:
        monkeypatch.setattr(pushing, "WALK", 0)
        monkeypatch.setattr(pulling, "PAGE", 7)
    monkeypatch.setattr(pushing, "BATCH", 10)
    return bool(request.param)


def test_a_budget_puts_the_first_to_review_before_people_and_the_same_again_adds_nothing(
    studio, title, walked
):
    rows = [scored_row("Also Read: more.", 99, boilerplate=True), *unsure(60, 1)]
    would = push(frame.table(rows), title, server=studio, budget=25, dry_run=True)
    assert (would.created, would.left, would.project_id) == (25, 35, None)
    seen: list[tuple[int, int]] = []
    first = push(frame.table(rows), title, server=studio, budget=25, progress=lambda *now: seen.append(now))
    assert (first.created, first.unchanged, first.left) == (25, 0, 35)
    assert (seen[0], seen[-1]) == ((0, 25), (25, 25))
    best = first_ranked(rows)[:25]
    keys, predictions = standing(studio, first.project_id)
    assert set(keys) == keys_of(best)
    assert set(keys.values()) == set(predictions.values()) == {1}
    again = push(frame.table(rows), title, server=studio, budget=25)
    assert (again.created, again.predicted, again.unchanged, again.left) == (0, 0, 25, 35)
    assert standing(studio, first.project_id)[0] == keys
    in_place = [task["data"]["sentence_id"] for task in tasks_of(studio, first.project_id)]
    assert in_place == [row["sentence_id"] for row in rows if row in best]


def test_a_larger_budget_adds_the_next_ones_and_a_smaller_one_takes_nothing_away(studio, title, walked):
    rows = unsure(50, 2)
    number = push(frame.table(rows), title, server=studio, budget=12).project_id
    more = push(frame.table(rows), title, server=studio, budget=30)
    assert (more.created, more.unchanged, more.left) == (18, 12, 20)
    assert set(standing(studio, number)[0]) == keys_of(first_ranked(rows)[:30])
    less = push(frame.table(rows), title, server=studio, budget=5)
    assert (less.created, less.unchanged, less.left) == (0, 30, 20)
    everything = push(frame.table(rows), title, server=studio)
    assert (everything.created, everything.unchanged, everything.left) == (20, 30, 0)


def test_a_new_model_s_budget_is_not_spent_on_what_stands_there_or_was_reviewed(studio, title, walked):
    old = unsure(40, 3)
    number = push(frame.table(old), title, server=studio, budget=10).project_id
    for task in tasks_of(studio, number)[:6]:
        annotate_task(studio, task, user(studio, "anna"))
    places = {task["data"]["key"]: task["id"] for task in tasks_of(studio, number)}
    new = unsure(40, 4, model="annotate-0.1.0|model:two")
    done = push(frame.table(new), title, server=studio, budget=10)
    assert (done.created, done.predicted, done.left) == (0, 10, 30)
    done = push(frame.table(new), title, server=studio, budget=15)
    assert (done.created, done.unchanged, done.left) == (5, 10, 25)
    there = keys_of(first_ranked(old)[:10])
    fresh = [row for row in first_ranked(new) if not keys_of([row]) & there]
    after = tasks_of(studio, number)
    assert {task["data"]["key"] for task in after} == there | keys_of(fresh[:5])
    assert places.items() <= {task["data"]["key"]: task["id"] for task in after}.items()
    assert sum(len(task["annotations"]) for task in after) == 6


def test_what_is_refused_costs_no_budget(studio, title):
    rows = unsure(20, 5)
    bad = [row["sentence_id"] for row in first_ranked(rows)[:4]]
    rows = [row | {"holder_kind": "nobody"} if row["sentence_id"] in bad else row for row in rows]
    done = push(frame.table(rows), title, server=studio, budget=10)
    assert {refused.sentence_id for refused in done.refused} == set(bad)
    assert (done.created, done.left) == (10, 6)
    assert set(standing(studio, done.project_id)[0]) == keys_of(first_ranked(rows)[4:14])


def test_a_budget_larger_than_the_scores_is_all_of_them_and_a_bad_one_a_sentence(studio, title):
    assert push(frame.table(sample(5)), title, server=studio, budget=10**9).created == 5
    for budget in (0, -3):
        with pytest.raises(UserError, match=f"1 or more, not {budget}"):
            push(frame.table(sample(5)), title, server=studio, budget=budget)


def test_a_push_that_walked_mends_copies_and_gives_new_predictions_once(studio, title, monkeypatch):
    monkeypatch.setattr(pushing, "WALK", 0)
    monkeypatch.setattr(pushing, "BATCH", 10)
    rows = sample(35)
    number = push(frame.table(rows[:20]), title, server=studio).project_id
    copied = tasks_of(studio, number)[3]["data"]
    studio.api.projects.import_tasks(id=number, request=[{"data": copied}, {"data": copied}])
    done = push(frame.table(rows), title, server=studio)
    assert (done.created, done.unchanged, done.copies_removed) == (15, 20, 2)
    newer = [row | {"model": "annotate|two"} for row in rows]
    told: list[int] = []
    assert push(frame.table(newer), title, server=studio, walked=told.append).predicted == 35
    assert told[-1] == 35
    assert push(frame.table(newer), title, server=studio).unchanged == 35
    keys, predictions = standing(studio, number)
    assert set(keys) == keys_of(rows)
    assert set(keys.values()) == set(predictions.values()) == {1}
    assert len(predictions) == 70


def test_the_command_tells_what_is_left_and_at_what_rate(studio, title, tmp_path):
    scores = tmp_path / "scores.parquet"
    pq.write_table(frame.table(unsure(30, 6)), scores)
    said = command("push", scores, "--project", title, "--budget", 10)
    assert said.returncode == 0, said.stderr
    assert "10 new" in said.stdout
    assert "20 more are in the scores alone" in said.stdout
    assert " s, " in said.stdout
    assert "a second" in said.stdout
    pulled = command("pull", "--project", title)
    assert "Read 10 tasks in" in pulled.stdout
    bad = command("push", scores, "--project", title, "--budget", 0)
    assert bad.returncode == 2
    assert "1 or more, not 0" in bad.stderr
    assert "Traceback" not in bad.stderr


def command(*words: object, **variables: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "annotate", *map(str, words)]
    return subprocess.run(line, env=os.environ | variables, capture_output=True, text=True)


@pytest.fixture(scope="module")
def on_postgres(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Connection]:
    """A Label Studio on a PostgreSQL of the test's own."""
    if reason := missing():
        pytest.skip(reason)
    own = tmp_path_factory.mktemp("on-postgres")
    with postgres(migrated()) as cluster, studio_on(cluster, own) as server:
        yield server
        with sqlite3.connect(own / "data" / "label-studio" / "label_studio.sqlite3") as unused:
            assert unused.execute("SELECT count(*) FROM task").fetchone() == (0,)


def test_on_postgresql_push_edit_pull_and_push_again_leave_nothing_twice(
    on_postgres, studio_home, title, monkeypatch
):
    monkeypatch.setattr(pushing, "BATCH", 50)
    server, rows = on_postgres, unsure(240, 7)
    assert push(frame.table(rows), title, server=server, budget=150).created == 150
    monkeypatch.setattr(pushing, "WALK", 0)
    first = push(frame.table(rows), title, server=server)
    assert (first.created, first.unchanged) == (90, 150)
    anna, tasks = user(server, "anna"), tasks_of(server, first.project_id)
    numbers = [annotate_task(server, task, anna) for task in tasks[:8]]
    assert pull(title, server=server).new == 8
    server.api.annotations.update(id=numbers[0], result=[])
    server.api.annotations.delete(id=numbers[1])
    annotate_task(server, tasks[100], anna)
    second = pull(title, server=server)
    assert (second.new, second.changed, second.deleted) == (1, 1, 1)
    assert pull(title, server=server, full=True).scanned == 240
    newer = [row | {"model": "annotate|two"} for row in rows]
    assert push(frame.table(newer), title, server=server).predicted == 240
    keys, predictions = standing(server, first.project_id)
    assert set(keys) == keys_of(rows)
    assert set(keys.values()) == set(predictions.values()) == {1}
    assert len(predictions) == 480


def peak(work: Callable[[int], None], n: int) -> int:
    """The most memory, in bytes, that Python held at once for so much work."""
    gc.collect()
    tracemalloc.start()
    work(n)
    _, highest = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return highest


def test_memory_of_a_push_does_not_hold_the_sentences(studio, title, tmp_path):
    def go_through(n: int) -> None:
        push(tmp_path / f"{n}.parquet", title, server=studio, dry_run=True)

    sizes = (100, 1_000, 4_000)  # the first takes what is loaded once
    for n in sizes:
        rows = sample(n)
        for i, row in enumerate(rows):
            row["siblings"] = [{"article_id": "a", "sentence_id": rows[-i]["sentence_id"], "similarity": 0.9}]
        pq.write_table(frame.table(rows), tmp_path / f"{n}.parquet", row_group_size=500)
    needed = {n: peak(go_through, n) for n in sizes}
    grown = (needed[4_000] - needed[1_000]) / 3_000
    assert grown < 400, f"{grown:.0f} bytes a sentence, {needed}"


def test_memory_of_a_pull_does_not_hold_the_corrections(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshot, "BATCH_ROWS", 100)

    def keep(n: int) -> None:
        ledger = Ledger(None)
        for i in range(n):
            ledger.put(corrected(i))
        about = {"title": "t", "id": 1, "server": "s"}
        assert ledger.counts() == {"new": n, "changed": 0, "deleted": 0}
        kept = snapshot.write(tmp_path / f"{n}", ledger.rows(), project=about, parent=None)
        ledger = Ledger(snapshot.read(kept.folder))
        ledger.saw(3, set())
        assert ledger.counts() == {"new": 0, "changed": 0, "deleted": 1}
        assert sum(1 for _ in ledger.rows()) == len(ledger) == n - 1

    needed = {n: peak(keep, n) for n in (100, 500, 2_000)}
    grown = (needed[2_000] - needed[500]) / 1_500
    assert grown < 800, f"{grown:.0f} bytes a correction, {needed}"


def corrected(n: int) -> Correction:
    [row] = sample(1)
    when = "2026-11-01T00:00:00Z"
    return Correction(
        f"{n:024d}", n, n, "anna@example.org", when, when, 3.0, False, False, None, row, [{"value": {}}] * 9
    )


def test_no_room_for_temporary_files_is_said_in_a_sentence(tmp_path):
    scores = tmp_path / "scores.parquet"
    pq.write_table(frame.table(sample(20_000)), scores)
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000)); "
    small += "from annotate.errors import UserError; from annotate.studio.scored import Scored\n"
    small += f"try: Scored({str(scores)!r})\nexcept UserError as problem: print(problem)"
    said = subprocess.run([sys.executable, "-c", small], capture_output=True, text=True)
    assert "no room for temporary files" in said.stdout, said.stderr
