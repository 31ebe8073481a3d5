"""Whatever breaks a push, the next one leaves no task twice and none missing."""

from __future__ import annotations

import multiprocessing
import random
import time

import pytest
from faulty import Faulty
from scored_rows import keys_of, sample, standing

from annotate import frame
from annotate.errors import UserError
from annotate.studio import push as pushing
from annotate.studio.calls import Patience
from annotate.studio.client import connect
from annotate.studio.push import push
from annotate.studio.server import token

ROWS = sample(160)
QUICK = Patience(tries=4, pause=0.1, settle=3.0)


@pytest.fixture(autouse=True)
def small_batches(monkeypatch):
    """Many short calls, so that a kill falls before, within and between them."""
    monkeypatch.setattr(pushing, "BATCH", 20)


def assert_all_once(studio, project, rows=ROWS):
    keys, predictions = standing(studio, project)
    assert set(keys) == keys_of(rows)
    assert set(keys.values()) == {1}, "a task stands twice"
    assert set(predictions.values()) == {1}, "a prediction stands twice"
    assert len(predictions) == len(keys), "a prediction is missing"


def in_a_process(title, rows=ROWS, url=None):
    """A push in a process of its own, forked so that it starts at once."""

    def run():
        push(frame.table(rows), title, server=connect(url, token()), patience=QUICK)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    return process


def test_a_killed_push_run_again_leaves_nothing_twice_and_nothing_missing(studio, title):
    begun = time.monotonic()
    whole = in_a_process(f"{title[:30]} whole")
    whole.join()
    seconds = time.monotonic() - begun
    assert whole.exitcode == 0
    moments = random.Random(20261121)
    cut_short = 0
    for n in range(12):
        name = f"{title[:30]} {n}"
        process = in_a_process(name)
        time.sleep(moments.uniform(0.02, 1.0) * seconds)
        process.kill()
        process.join()
        cut_short += process.exitcode != 0
        report = push(frame.table(ROWS), name, server=studio, patience=QUICK)
        assert_all_once(studio, report.project_id)
    assert cut_short >= 10


def pushed_through(proxy, title, rows=ROWS, timeout=60.0):
    """A push through the proxy; whether it came to its end by itself."""
    try:
        push(frame.table(rows), title, server=connect(proxy.url, token(), timeout=timeout), patience=QUICK)
    except UserError:
        return False
    return True


@pytest.mark.parametrize("kind", ["tasks", "predictions"])
@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        ("502 before", 0),
        ("504 after", 0),
        ("504, and the server goes on", 1.5),
        ("cut off after", 0),
        ("delayed", 3),
    ],
)
def test_a_proxy_that_spoils_writes_leaves_nothing_twice(studio, title, fault, seconds, kind):
    rows = ROWS[:60]
    if kind == "predictions":
        push(frame.table(rows), title, server=studio)
        rows = [row | {"model": "annotate|new"} for row in rows]
    proxy = Faulty(studio.url, fault, {2}, seconds)
    assert pushed_through(proxy, title, rows, timeout=1.5 if fault == "delayed" else 60)
    proxy.close()
    report = push(frame.table(rows), title, server=studio)
    assert (report.created, report.predicted, report.copies_removed) == (0, 0, 0)
    keys, predictions = standing(studio, report.project_id)
    assert set(keys) == keys_of(rows)
    assert set(keys.values()) == set(predictions.values()) == {1}
    assert len(predictions) == len(keys) * (2 if kind == "predictions" else 1)


@pytest.mark.parametrize("kind", ["tasks", "predictions"])
def test_a_push_killed_while_the_server_works_on_its_write_leaves_nothing_twice(studio, title, kind):
    rows = ROWS[:60]
    if kind == "predictions":
        push(frame.table(rows), title, server=studio)
        rows = [row | {"model": "annotate|new"} for row in rows]
    proxy = Faulty(studio.url, "delayed", {2}, 1.5)
    process = in_a_process(title, rows, proxy.url)
    assert proxy.spoiling.wait(30)
    process.kill()
    process.join()
    assert pushed_through(proxy, title, rows)
    proxy.close()
    report = push(frame.table(rows), title, server=studio, dry_run=True)
    assert (report.created, report.predicted, report.unchanged) == (0, 0, 60)
    keys, predictions = standing(studio, report.project_id)
    assert set(keys.values()) == set(predictions.values()) == {1}


def test_a_write_that_comes_later_than_anyone_waits_is_mended_by_the_next_push(studio, title):
    rows = ROWS[:40]
    proxy = Faulty(studio.url, "504, and the server goes on", {1}, QUICK.settle + 2.5)
    pushed_through(proxy, title, rows)
    proxy.close()
    assert sum(standing(studio, push_dry(studio, title, rows).project_id)[0].values()) == 60
    report = push(frame.table(rows), title, server=studio)
    assert report.copies_removed == 20
    assert_all_once(studio, report.project_id, rows)


def push_dry(studio, title, rows):
    return push(frame.table(rows), title, server=studio, dry_run=True)


def test_a_server_that_goes_away_ends_in_a_sentence_and_the_next_push_goes_on(studio, title):
    proxy = Faulty(studio.url, "none", set())

    def go_away(done, total):
        if done == 20:
            proxy.close()

    with pytest.raises(UserError, match="run the same command again"):
        push(frame.table(ROWS), title, server=connect(proxy.url, token()), patience=QUICK, progress=go_away)
    report = push(frame.table(ROWS), title, server=studio, patience=QUICK)
    assert (report.created, report.unchanged) == (140, 20)
    assert_all_once(studio, report.project_id)
