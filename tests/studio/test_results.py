"""What a row says arrives in Label Studio's results and comes back, to the code point."""

from __future__ import annotations

import pytest
from scored_rows import judged, place_of, scored_row

from annotate.signals.review import Answer, Mark, Review
from annotate.studio.form import form
from annotate.studio.results import ResultError, reviewed, to_review
from annotate.studio.tasks import key, model_version, problem_of, tasks

START = 1000
TEXTS = {
    "plain": ("China might smear them.", "China", "might", "smear them"),
    "emoji": ("😀 China 🇨🇳 might 👍🏽 smear 🎉 them.", "China", "might", "smear 🎉 them"),
    "zwj": ("The 👩‍👩‍👧‍👦 of China might 🏳️‍🌈 smear them.", "China", "might", "👩‍👩‍👧‍👦 of"),
    "combining": (
        "Cafe\u0301 in Chi\u0301na mi\u0308ght smear the\u0301m.",
        "Chi\u0301na",
        "mi\u0308ght",
        "the\u0301m",
    ),
    "right to left": ("قال الصين إن ‎China‎ might تشويه them.", "الصين", "might", "تشويه them"),
    "crlf": ("China\r\nmight\r\nsmear\tthem.", "China", "might", "smear\tthem"),
    "replacement": ("Chi\ufffdna might smear \ufffd\ufffd them.", "Chi\ufffdna", "might", "\ufffd\ufffd"),
    "markup": ("<b>China</b> might &amp; smear <script>them</script>.", "China", "might", "<script>them"),
}


def row_of(text: str, target: str, hedge: str, garbled: str):
    garble = {"category": "awkward", "severity": "major", "better": None, "probability": 0.9}
    return scored_row(
        text,
        start=START,
        stance=[judged(text, target, start=START)],
        hedging=1.0,
        hedging_spans=[{**place_of(text, hedge, START), "probability": 1.0}],
        garble=1.0,
        garble_spans=[{**place_of(text, garbled, START), **garble}],
    )


@pytest.mark.parametrize("name", TEXTS)
def test_offsets_survive_the_way_there_and_back(name):
    row = row_of(*TEXTS[name])
    (task,) = tasks([row], form())
    results = task.prediction(form())["result"]
    for result in results:
        value = result["value"]
        if result["type"] == "labels":
            assert row["text"][value["start"] : value["end"]] == value["text"]
    back = reviewed(to_review(results, form(), task.data), form(), row)
    assert back["hedging_spans"] == [{**place_of(*TEXTS[name][0::2], START), "probability": 1.0}]
    assert [(s["start"], s["end"]) for s in back["garble_spans"]] == [
        (s["start"], s["end"]) for s in row["garble_spans"]
    ]
    assert back["stance"][0]["mentions"] == row["stance"][0]["mentions"]
    assert back["stance"][0]["label"] == "against"


def test_answers_about_a_span_stay_with_it():
    text = TEXTS["plain"][0]
    row = row_of(*TEXTS["plain"]) | {
        "garble_spans": [
            {**place_of(text, "smear", START), "probability": 0.9, "category": "name", "severity": "minor",
             "better": "slander"},
            {**place_of(text, "them", START), "probability": 0.9, "category": "other", "severity": "major",
             "better": None},
        ]
    }  # fmt: skip
    (task,) = tasks([row], form())
    back = reviewed(to_review(task.prediction(form())["result"], form(), task.data), form(), row)
    told = [(s["category"], s["severity"], s["better"]) for s in back["garble_spans"]]
    assert told == [("name", "minor", "slander"), ("other", "major", None)]


def test_region_ids_are_the_same_on_every_run_and_differ_between_versions():
    row = row_of(*TEXTS["plain"])

    def ids(row):
        return [r["id"] for task in tasks([row], form()) for r in task.prediction(form())["result"]]

    assert ids(row) == ids(dict(row))
    assert not set(ids(row)) & set(ids(row | {"model": "another"}))


@pytest.mark.parametrize(("start", "end"), [(-1, 3), (3, 3), (5, 2), (0, 999)])
def test_a_span_outside_its_sentence_is_refused(start, end):
    row = scored_row("Short.", hedging_spans=[{"start": start, "end": end, "probability": 1.0}])
    (task,) = tasks([row], form())
    with pytest.raises(ResultError, match="outside the sentence"):
        task.prediction(form())
    assert "outside the sentence" in problem_of(task, form(), lambda *a, **k: [])


def test_an_annotation_beside_its_text_is_refused():
    result = {
        "id": "a", "type": "labels", "from_name": "label",
        "value": {"start": 0, "end": 5, "text": "might", "labels": ["Hedge"]},
    }  # fmt: skip
    with pytest.raises(ResultError, match="does not read"):
        to_review([result], form(), {"text": "China might."})


def test_a_fifth_target_is_named_and_not_lost_in_silence():
    text = "One, Two, Three, Four and Five met."
    row = scored_row(text, stance=[judged(text, name) for name in ("One", "Two", "Three", "Four", "Five")])
    (task,) = tasks([row], form())
    assert [task.data[f"target_{k}"] for k in range(4)] == ["One", "Two", "Three", "Four"]
    assert task.data["targets_more"].endswith("Five")
    back = to_review(task.prediction(form())["result"], form(), task.data)
    assert [answer.target for answer in back.answers if answer.target] == ["One", "Two", "Three", "Four"]


def test_answers_follow_the_slots_of_the_task_that_stands_there():
    text = "One and Two met."
    row = scored_row(text, stance=[judged(text, "Two", "favor"), judged(text, "One", "against")])
    (task,) = tasks([row], form())
    there = task.data | {"target_0": "One", "target_1": ""}
    results = task.prediction(form(), there)["result"]
    answers = {r["from_name"]: r["value"].get("choices") for r in results}
    assert answers["stance_0"] == ["against"]
    assert "stance_1" not in answers


def test_two_targets_that_share_a_mention_make_one_span():
    text = "Beijing spoke."
    shared = [judged(text, "Beijing"), judged(text, "Beijing") | {"target": "China"}]
    (task,) = tasks([scored_row(text, stance=shared)], form())
    assert sum(r["type"] == "labels" for r in task.prediction(form())["result"]) == 1


def test_context_and_siblings_are_escaped_and_boilerplate_is_left_out():
    from annotate.studio.tasks import Sibling

    near = [{"article_id": "b", "sentence_id": "s", "similarity": 0.9}]
    rows = [
        scored_row("Also Read: more.", 0, boilerplate=True),
        scored_row("First.", 1),
        scored_row("Second.", 2, siblings=near),
    ]
    first, second = tasks(rows, form(), {"s": Sibling("<i>B</i>", "<script>x</script> & co")}.get)
    assert (first.data["context_before"], first.data["context_after"]) == ("", "Second.")
    assert second.data["context_before"] == "First."
    assert "<script>" not in second.data["siblings_html"]
    assert "&lt;script&gt;x&lt;/script&gt; &amp; co" in second.data["siblings_html"]
    assert "&lt;i&gt;B&lt;/i&gt;" in second.data["siblings_html"]


def test_identity_is_sentence_and_text_and_versions_have_one_length():
    assert key("s", "text") == key("s", "text") != key("s", "Text")
    assert len({len(model_version(s)) for s in ("m1", "m10", "annotate-0.1.0|model:3f2a")}) == 1


def test_a_row_without_scores_or_with_bad_text_is_named():
    for row, reason in (
        (scored_row("A.", model=None), "no scores"),
        (scored_row("A.", hedging_spans=None), "incomplete"),
        (scored_row("A\ud800."), "surrogate"),
        (scored_row("A\0."), "NUL"),
    ):
        (task,) = tasks([row], form())
        assert reason in problem_of(task, form(), lambda *a, **k: [])


def test_a_review_without_marks_clears_them():
    row = row_of(*TEXTS["plain"])
    back = reviewed(Review((Mark("Cue", 0, 5),), (Answer("holder", "source"),)), form(), row)
    assert back["hedging_spans"] == []
    assert back["garble_spans"] == []
    assert back["holder_kind"] == "source"


def test_a_signal_that_the_model_lacks_is_left_to_the_reviewer():
    (task,) = tasks([scored_row("A.", loaded=None, loaded_spans=None)], form())
    assert problem_of(task, form(), lambda *a, **k: []) is None
