"""A push leaves every content sentence in the project once, with one prediction of its model."""

from __future__ import annotations

import pytest
from scored_rows import keys_of, sample, scored_row, standing

from annotate import frame
from annotate.errors import UserError
from annotate.studio import push as pushing
from annotate.studio.form import form
from annotate.studio.interface import interface
from annotate.studio.push import push


def project_of(studio, title):
    return [p for p in studio.api.projects.list(title=title) if p.title == title]


def test_pushing_twice_adds_nothing(studio, title):
    rows = [*sample(40), scored_row("Also Read: more.", 99, boilerplate=True)]
    seen = []
    first = push(frame.table(rows), title, server=studio, progress=lambda *now: seen.append(now))
    second = push(frame.table(rows), title, server=studio)
    assert (first.created, second.created, second.predicted, second.unchanged) == (40, 0, 0, 40)
    assert seen[0] == (0, 40)
    assert seen[-1] == (40, 40)
    keys, predictions = standing(studio, first.project_id)
    assert set(keys) == keys_of(rows[:40])
    assert set(keys.values()) == set(predictions.values()) == {1}
    assert len(predictions) == 40
    assert project_of(studio, title)[0].model_version == first.model_version


def test_tasks_stand_in_the_order_of_the_article(studio, title):
    rows = sample(60)
    report = push(frame.table(rows), title, server=studio)
    listed = studio.api.tasks.list(
        project=report.project_id, fields="task_only", include="id,data", page_size=100
    )
    ordered = sorted(listed, key=lambda task: task.id)
    assert [task.data["sentence_id"] for task in ordered] == [row["sentence_id"] for row in rows]


def test_a_dry_run_writes_nothing(studio, title):
    report = push(frame.table(sample(5)), title, server=studio, dry_run=True)
    assert (report.created, report.project_id) == (5, None)
    assert project_of(studio, title) == []
    push(frame.table(sample(5)), title, server=studio)
    report = push(frame.table(sample(8, model="annotate|new")), title, server=studio, dry_run=True)
    assert (report.created, report.predicted) == (3, 5)
    keys, predictions = standing(studio, report.project_id)
    assert (len(keys), len(predictions)) == (5, 5)


def test_a_changed_text_is_a_new_task(studio, title):
    rows = sample(3)
    push(frame.table(rows), title, server=studio)
    changed = rows[1] | {"text": rows[1]["text"] + " Later, too."}
    report = push(frame.table([rows[0], changed, rows[2]]), title, server=studio)
    assert (report.created, report.unchanged) == (1, 2)
    assert set(standing(studio, report.project_id)[0]) == keys_of([*rows, changed])


def test_a_new_model_adds_predictions_and_no_task(studio, title):
    rows = sample(12)
    old = push(frame.table(rows), title, server=studio)
    new = push(frame.table(sample(12, model="annotate-0.1.0|model:two")), title, server=studio)
    assert (new.created, new.predicted) == (0, 12)
    keys, predictions = standing(studio, new.project_id)
    assert (len(keys), len(predictions), set(predictions.values())) == (12, 24, {1})
    assert old.model_version != new.model_version == project_of(studio, title)[0].model_version


def test_invalid_sentences_are_named_and_never_sent(studio, title):
    good, bad = (
        sample(2),
        scored_row("Short.", 7, hedging_spans=[{"start": 0, "end": 99, "probability": 1.0}]),
    )
    wrong = scored_row("Wrong.", 8, holder_kind="nobody")
    report = push(frame.table([good[0], bad, wrong, good[1]]), title, server=studio)
    assert [refused.sentence_id for refused in report.refused] == [bad["sentence_id"], wrong["sentence_id"]]
    assert "outside the sentence" in report.refused[0].reason
    assert set(standing(studio, report.project_id)[0]) == keys_of(good)


def test_a_sentence_that_stands_twice_in_the_scores_is_pushed_once(studio, title):
    rows = sample(3)
    report = push([frame.table(rows), frame.table(rows[:2])], title, server=studio)
    assert (report.created, report.repeated) == (3, 2)


def test_scores_come_from_parquet_frames_and_streams(studio, title, tmp_path):
    import pyarrow.parquet as pq

    rows = sample(50)
    path = tmp_path / "scores.parquet"
    pq.write_table(frame.table(rows), path, row_group_size=7)
    assert push(path, title, server=studio).created == 50
    assert push(frame.table(rows).to_pandas(), title, server=studio).unchanged == 50
    assert push((frame.table([row]) for row in rows), title, server=studio).unchanged == 50


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, "does not exist"), (b"text,nothing\n", "no parquet"), ("other", "“article_id”")],
)
def test_bad_scores_are_one_clear_sentence(studio, title, tmp_path, content, complaint):
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = tmp_path / "scores.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif content:
        pq.write_table(pa.table({"text": ["a"]}), path)
    with pytest.raises(UserError, match=complaint) as caught:
        push(path, title, server=studio)
    assert str(path) in str(caught.value)


def test_a_project_with_another_interface_is_refused_unchanged(studio, title):
    question = '<Choices name="q" toName="text"><Choice value="a"/></Choices>'
    config = f'<View><Text name="text" value="$text"/>{question}</View>'
    theirs = studio.api.projects.create(title=title, label_config=config)
    for dry_run in (False, True):
        with pytest.raises(UserError, match="another labelling interface"):
            push(frame.table(sample(1)), title, server=studio, dry_run=dry_run)
    assert studio.api.projects.get(theirs.id).label_config == config
    assert studio.api.projects.get(theirs.id).task_number == 0


def test_a_project_made_by_hand_without_interface_gets_ours(studio, title):
    made = studio.api.projects.create(title=title)
    report = push(frame.table(sample(2)), title, server=studio)
    assert (report.project_id, report.created) == (made.id, 2)


def test_an_empty_twin_that_a_second_creator_left_is_cleared_away(studio, title):
    config = interface(form())
    first, _ = (studio.api.projects.create(title=title, label_config=config) for _ in range(2))
    assert push(frame.table(sample(2)), title, server=studio).project_id == first.id
    assert [p.id for p in project_of(studio, title)] == [first.id]


def test_a_title_that_contains_another_is_another_project(studio, title):
    push(frame.table(sample(2)), f"{title[:40]} and more", server=studio)
    assert push(frame.table(sample(2)), title[:40], server=studio).created == 2


@pytest.mark.parametrize("name", ["ab", "x" * 51, " padded "])
def test_a_title_that_label_studio_would_refuse_is_refused(studio, name):
    with pytest.raises(UserError, match="3 to 50 characters"):
        push(frame.table(sample(1)), name, server=studio)


def test_copies_go_and_the_one_with_an_annotation_stays(studio, title):
    rows = sample(4)
    report = push(frame.table(rows), title, server=studio)
    (original, *_) = studio.api.tasks.list(project=report.project_id, page_size=10)
    copy = {"data": original.data, "predictions": []}
    studio.api.projects.import_tasks(id=report.project_id, request=[copy, copy])
    copies = [
        t for t in studio.api.tasks.list(project=report.project_id, page_size=10) if t.data == original.data
    ]
    worked_on = max(copy.id for copy in copies)
    studio.api.annotations.create(id=worked_on, result=[])
    assert push(frame.table(rows), title, server=studio).copies_removed == 2
    left = [t.id for t in studio.api.tasks.list(project=report.project_id, page_size=10)]
    assert len(left) == 4
    assert worked_on in left
    keys, predictions = standing(studio, report.project_id)
    assert set(keys.values()) == set(predictions.values()) == {1}
    assert len(predictions) == 4


def test_two_pushes_to_one_project_do_not_run_at_once(studio, title, monkeypatch):
    from contextlib import contextmanager

    nested = []

    def second(done, total):
        if not nested:
            nested.append(True)
            with pytest.raises(UserError, match="another push"):
                push(frame.table(sample(1)), title, server=studio)

    waiting = pushing.home.lock

    @contextmanager
    def impatient(path, *, patience, busy):
        with waiting(path, patience=0.1, busy=busy):
            yield

    monkeypatch.setattr(pushing.home, "lock", impatient)
    assert push(frame.table(sample(3)), title, server=studio, progress=second).created == 3
    assert nested
