"""Of what several annotators say of a sentence, one truth per signal is made or the signal is held back."""

from __future__ import annotations

import random
import time
from dataclasses import replace

import pytest

from annotate.corrections.adjudication import adjudicate
from annotate.corrections.correction import Correction
from annotate.signals import SIGNALS
from annotate.signals.review import Answer, Mark, Review

TEXT = "China might smear other countries, officials said."
CHINA = {"target": "China", "mentions": [{"start": 100, "end": 105}]}
PLACE = {"article_id": "a1", "sentence_id": "a1-0", "start": 100, "text": TEXT}
ROW = {**PLACE, "holder_kind": "outlet", "stance": [CHINA]}
HEDGE = Mark("Hedge", 6, 11)


def said(by="ann", *, stance="neutral", marks=(), answers=(), key="k", n=1, at=0, row=ROW, **more):
    """A correction; `at` is the minute of its last change."""
    review = Review(
        (Mark("Target", 0, 5), *marks),
        (Answer("holder", "outlet"), Answer("stance", stance, target="China"), *answers),
    )
    columns = {k: v for s in SIGNALS for k, v in s.from_review(review, row).items()}
    when = f"2026-11-25T10:{at:02d}:00.000000Z"
    fields = {"lead_time": 5.0, "ground_truth": False, "cancelled": False, "model_version": "m", "result": []}
    return Correction(key=key, task=1, annotation=n, annotator=by, created_at=when, updated_at=when, row=row,
                      review=review, columns=columns, **(fields | more))  # fmt: skip


def decided(corrections):
    (truth,) = adjudicate(corrections).truths
    return truth


def open_signals(corrections):
    return [held.signal for held in adjudicate(corrections).held_back]


def test_what_one_annotator_says_alone_holds():
    truth = decided([said(stance="against", marks=[HEDGE])])
    assert truth.signals == tuple(signal.name for signal in SIGNALS)
    assert truth.columns["stance"][0]["label"] == "against"
    assert truth.columns["hedging_spans"] == [{"start": 106, "end": 111, "probability": 1.0}]
    assert (truth.key, truth.row, truth.annotators) == ("k", ROW, ("ann",))


def test_two_who_differ_in_one_signal_decide_the_others():
    corrections = [said("ann", stance="against"), said("ben", stance="favor", n=2)]
    result = adjudicate(corrections)
    assert [held.signal for held in result.held_back] == ["stance"]
    (truth,) = result.truths
    assert truth.signals == ("attribution", "hedging", "loaded", "garble")
    assert "stance" not in truth.columns
    assert truth.columns["hedging"] == 0.0


def test_more_than_half_decide_and_just_half_do_not():
    two_of_three = [said("ann"), said("ben", n=2), said("cid", stance="favor", n=3)]
    assert decided(two_of_three).columns["stance"][0]["label"] == "neutral"
    two_of_four = [*two_of_three, said("dot", stance="against", n=4)]
    assert open_signals(two_of_four) == ["stance"]


def test_a_ground_truth_decides_against_the_many():
    corrections = [said("ann"), said("ben", n=2), said("cid", stance="favor", n=3, ground_truth=True)]
    truth = decided(corrections)
    assert truth.columns["stance"][0]["label"] == "favor"
    assert truth.annotators == ("ann", "ben", "cid")


def test_ground_truths_that_differ_hold_the_signal_back_whatever_the_many_say():
    corrections = [
        *(said(by, n=n) for n, by in enumerate(("ann", "ben", "cid", "dot"))),
        said("eve", stance="favor", n=5, ground_truth=True),
        said("fay", stance="against", n=6, ground_truth=True),
        said("gus", stance="favor", n=7, ground_truth=True),
    ]
    (held,) = adjudicate(corrections).held_back
    assert (held.signal, set(held.answers)) == ("stance", {"eve", "fay", "gus"})


@pytest.mark.parametrize("ground_truth", [False, True])
def test_of_one_annotators_several_the_latest_counts(ground_truth):
    corrections = [
        said("ann", stance="favor", n=9, at=1, ground_truth=ground_truth),
        said("ann", stance="against", n=3, at=7, ground_truth=ground_truth),
        said("ann", stance="favor", n=8, at=4, ground_truth=ground_truth),
    ]
    assert decided(corrections).columns["stance"][0]["label"] == "against"
    assert open_signals([*corrections, said("ben", stance="against", n=10)]) == []


def test_a_ground_truth_is_not_undone_by_a_later_annotation_of_the_same_annotator():
    corrections = [said(stance="favor", ground_truth=True), said(stance="against", n=2, at=9)]
    assert decided(corrections).columns["stance"][0]["label"] == "favor"


def test_times_are_compared_as_times_and_not_as_text():
    whole, later = "2026-11-25T10:00:00Z", "2026-11-25T10:00:00.500000Z"
    corrections = [
        replace(said(stance="against", n=1), updated_at=later),
        replace(said(stance="favor", n=2), updated_at=whole),
    ]
    assert whole > later
    assert decided(corrections).columns["stance"][0]["label"] == "against"


def test_what_cannot_be_used_or_was_skipped_does_not_count():
    corrections = [
        said("ann", stance="favor"),
        said("ben", stance="against", n=2, problem="a span outside the text"),
        said("cid", stance="against", n=3, cancelled=True),
        said("ann", stance="neutral", n=4, at=9, cancelled=True),
    ]
    truth = decided(corrections)
    assert truth.columns["stance"][0]["label"] == "favor"
    assert truth.annotators == ("ann",)
    assert adjudicate(corrections[1:]).truths == []


def test_free_text_and_the_order_of_marks_make_no_difference_and_the_latest_wording_is_kept():
    garbled = [Mark("Garbled major", 12, 17, answers={"category": "mistranslation", "better": "blacken"})]
    reworded = [Mark("Garbled major", 12, 17, 0.4, {"category": "mistranslation", "better": "slander"})]
    corrections = [
        said("ann", marks=[*reworded, HEDGE], n=1, at=8, answers=[Answer("holder_name", "they")]),
        said("ben", marks=[HEDGE, *garbled], n=2, at=2),
    ]
    truth = decided(corrections)
    assert truth.signals == tuple(signal.name for signal in SIGNALS)
    assert truth.columns["garble_spans"][0]["better"] == "slander"


def test_another_category_or_severity_or_end_of_a_mark_is_another_answer():
    marks = [
        Mark("Garbled major", 12, 17, answers={"category": "mistranslation"}),
        Mark("Garbled major", 12, 17, answers={"category": "grammar"}),
        Mark("Garbled minor", 12, 17, answers={"category": "mistranslation"}),
        Mark("Garbled major", 12, 23, answers={"category": "mistranslation"}),
    ]
    for other in marks[1:]:
        assert open_signals([said("ann", marks=marks[:1]), said("ben", marks=[other], n=2)]) == ["garble"]


def test_what_is_held_back_reads_as_a_person_would_say_it():
    garble = Mark("Garbled minor", 12, 17, answers={"category": "grammar", "better": "slander"})
    corrections = [said("ann", marks=[garble]), said("ben", stance="favor", n=2)]
    stance, garbled = adjudicate(corrections).held_back
    assert stance.answers == {
        "ann": "China: neutral, Target “China”",
        "ben": "China: favor, Target “China”",
    }
    assert garbled.answers == {"ann": "Garbled minor “smear” (grammar)", "ben": "nothing"}
    assert garbled.line() == f"a1 · garble · “{TEXT}” · ann: Garbled minor “smear” (grammar); ben: nothing"
    assert garbled.to_dict()["answers"]["ben"] == "nothing"


def test_the_order_in_which_corrections_come_makes_no_difference():
    places = [ROW | {"article_id": f"a{n % 7}", "start": 100 * n, "stance": []} for n in range(60)]
    rng = random.Random(7)
    corrections = [
        said(by, stance=rng.choice(["against", "favor"]), key=f"k{n}", row=row, n=10 * n + i)
        for n, row in enumerate(places)
        for i, by in enumerate(("ann", "ben", "cid", "cid"))
        if rng.random() < 0.8
    ]
    first = adjudicate(corrections)
    rng.shuffle(corrections)
    assert adjudicate(corrections) == first
    order = [(truth.row["article_id"], truth.row["start"]) for truth in first.truths]
    assert order == sorted(order)


def test_ten_thousand_corrections_take_a_moment():
    corrections = [
        said(by, key=f"k{n}", n=2 * n + i) for n in range(5000) for i, by in enumerate(("ann", "ben"))
    ]
    began = time.perf_counter()
    assert len(adjudicate(corrections).truths) == 5000
    assert time.perf_counter() - began < 5
