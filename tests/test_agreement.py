"""Agreement is Krippendorff's alpha, per signal, annotator and week, and says when it cannot be measured."""

from __future__ import annotations

import json
import random
import time
from statistics import fmean

import pytest

from annotate.corrections.agreement import agreement, alpha, week
from annotate.corrections.correction import Correction
from annotate.signals import SIGNALS
from annotate.signals.base import Signal
from annotate.signals.review import Answer, Controls, Mark, Question, Review

TEXT = "China might perhaps smear other countries, officials said."
MIGHT, PERHAPS = Mark("Hedge", 6, 11), Mark("Hedge", 12, 19)
LITERATURE = {  # Krippendorff (2011), section C: four observers, twelve units, some missing.
    "A": "1 2 3 3 2 1 4 1 2 . . .",
    "B": "1 2 3 3 2 2 4 1 2 5 . 3",
    "C": ". 3 3 3 2 3 4 2 2 5 1 .",
    "D": "1 2 3 3 2 4 4 1 2 5 1 .",
}


def said(by, n=0, *, stance=None, holder="outlet", marks=(), at="2026-11-25T10:00:00Z", number=0, **more):
    """A correction of sentence n; `stance` by target, `status` is that of every signal."""
    stances = (Answer("stance", value, target=target) for target, value in (stance or {}).items())
    review = Review(tuple(marks), (Answer("holder", holder), *stances))
    row = {"article_id": "a1", "sentence_id": f"a1-{n}", "start": 100 * n, "text": TEXT}
    fields = {"lead_time": 5.0, "ground_truth": False, "cancelled": False, "model_version": "m", "result": []}
    status = more.pop("status", "accepted")
    return Correction(
        key=f"k{n}", task=n, annotation=number or 1000 * n + 7, annotator=by, created_at=at, updated_at=at,
        row=row, review=review, status={s.name: status for s in SIGNALS}, **(fields | more),
    )  # fmt: skip


def of(found, signal):
    return next(figures for figures in found.signals if figures.signal == signal)


def literature(names=False):
    return [
        (who, unit, f"name {value}" if names else int(value))
        for who, row in LITERATURE.items()
        for unit, value in enumerate(row.split())
        if value != "."
    ]


def test_alpha_is_that_of_the_literature_with_missing_answers():
    assert alpha(literature(names=True)) == pytest.approx(0.743, abs=5e-4)
    assert alpha(literature()) == pytest.approx(0.849, abs=5e-4)


def test_alpha_of_two_observers_is_that_of_the_literature():
    # Krippendorff (2011), sections A and B: binary data, then nominal data.
    meg, owen = "0 1 0 0 0 0 0 0 1 0", "1 1 1 0 0 1 0 0 0 0"
    binary = [(who, n, v) for who, row in (("Meg", meg), ("Owen", owen)) for n, v in enumerate(row.split())]
    assert alpha(binary) == pytest.approx(0.095, abs=5e-4)
    ben, gerry = "a a b b d c c c e d d a", "b a b b b c c c e d d d"
    nominal = [
        (who, n, v) for who, row in (("Ben", ben), ("Gerry", gerry)) for n, v in enumerate(row.split())
    ]
    assert alpha(nominal) == pytest.approx(0.692, abs=5e-4)


def test_alpha_is_not_defined_without_pairs_or_variation():
    assert alpha([]) is None
    assert alpha([("ann", 1, "a"), ("ann", 2, "b"), ("ben", 3, "a")]) is None
    assert alpha([("ann", 1, "a"), ("ben", 1, "a"), ("ann", 2, "b")]) is None


def test_full_agreement_is_one_and_none_beyond_chance_is_zero():
    same = [said(by, n, holder="source" if n % 3 else "outlet") for n in range(30) for by in ("ann", "ben")]
    assert of(agreement(same), "attribution").alpha == 1.0
    rng = random.Random(3)
    dice = [
        said(by, n, holder=rng.choice(("source", "outlet"))) for n in range(2000) for by in ("ann", "ben")
    ]
    assert abs(of(agreement(dice), "attribution").alpha) < 0.05


def test_stance_is_compared_target_by_target_and_a_neighbour_on_the_scale_is_less_wrong():
    def two(other):
        ann = [said("ann", n, stance={"China": "against", "Japan": "favor"}) for n in range(5)]
        ben = [said("ben", n, stance={"China": "against", "Japan": "favor"}) for n in range(4)]
        found = agreement([*ann, *ben, said("ben", 4, stance={"China": other, "Korea": "favor"})])
        return of(found, "stance")

    assert two("against").questions == 9
    assert 1.0 == two("against").alpha > two("neutral").alpha > two("favor").alpha


def test_garble_is_a_scale_from_none_to_major_and_hedging_a_yes_or_no():
    minor, major = Mark("Garbled minor", 0, 5), Mark("Garbled major", 0, 5)

    def garble(other):
        ann = [said("ann", n, marks=[major] if n < 3 else []) for n in range(8)]
        ben = [said("ben", n, marks=[other] if n < 3 else []) for n in range(8)]
        return of(agreement([*ann, *ben]), "garble").alpha

    assert garble(major) == 1.0
    assert garble(minor) > 0
    ann = [said("ann", n, marks=[MIGHT] if n else []) for n in range(5)]
    ben = [said("ben", n, marks=[PERHAPS] if n else []) for n in range(5)]
    hedging = of(agreement([*ann, *ben]), "hedging")
    assert hedging.alpha == 1.0
    assert hedging.spans_f1 == 0.0
    assert hedging.words_alpha < 0


def test_span_f1_is_the_mean_over_pairs_of_annotators():
    ann = [said("ann", 0, marks=[MIGHT, PERHAPS]), said("ann", 1)]
    ben = [said("ben", 0, marks=[MIGHT]), said("ben", 1)]
    cid = [said("cid", 0, marks=[Mark("Hedge", 6, 12)])]
    found = of(agreement([*ann, *ben, *cid]), "hedging")
    assert found.spans_f1 == pytest.approx(fmean([2 / 3, 0, 0]))
    assert of(agreement([*ann, *ben]), "loaded").spans_f1 is None


def test_words_agree_by_the_labels_they_carry_and_not_by_where_blanks_are_cut():
    ann = said("ann", marks=[Mark("Hedge", 5, 12)])
    ben = said("ben", marks=[MIGHT])
    found = of(agreement([ann, ben]), "hedging")
    assert (found.words_alpha, found.spans_f1) == (1.0, 0.0)


def test_only_the_latest_usable_annotation_of_each_annotator_counts():
    corrections = [
        said("ann", 0, holder="source"),
        said("ann", 1),
        said("ben", 0, holder="outlet", number=1),
        said("ben", 0, holder="source", number=2, at="2026-11-25T12:00:00Z"),
        said("ben", 1),
        said("cid", 0, holder="outlet", cancelled=True),
        said("cid", 1, holder="source", problem="a span outside the text"),
    ]
    found = agreement(corrections)
    assert of(found, "attribution").alpha == 1.0
    assert (found.sentences, found.shared) == (2, 2)


def test_an_annotator_is_measured_against_the_others_alone():
    holders = {"ann": "ssoo", "ben": "ssoo", "cid": "osso"}
    corrections = [
        said(by, n, holder="source" if letter == "s" else "outlet", lead_time=seconds + n, status=status)
        for by, seconds, status in (("ann", 10, "accepted"), ("ben", 20, "corrected"), ("cid", 30, "manual"))
        for n, letter in enumerate(holders[by])
    ]
    skipped = [said("cid", 9, cancelled=True), said("cid", 9, cancelled=True, number=5)]
    ann, ben, cid = agreement([*corrections, *skipped]).annotators
    assert ann.alpha["attribution"] == ben.alpha["attribution"] > cid.alpha["attribution"]
    assert [one.seconds for one in (ann, ben, cid)] == [11.5, 21.5, 31.5]
    assert [one.accepted["stance"] for one in (ann, ben, cid)] == [1.0, 0.0, None]
    assert [(one.sentences, one.skipped) for one in (ann, ben, cid)] == [(4, 0), (4, 0), (4, 1)]
    cid_with = [(0, "oss"), (1, "sss"), (2, "soo"), (3, "ooo")]
    pairs = [
        (who, (n, other), v[i])
        for n, v in cid_with
        for other in (1, 2)
        for who, i in (("c", 0), ("o", other))
    ]
    assert cid.alpha["attribution"] == pytest.approx(alpha(pairs))


def test_weeks_are_iso_weeks_and_each_has_its_own_figures():
    old, new = "2026-01-01T00:00:00Z", "2026-11-25T10:00:00Z"
    good = [
        said(by, n, holder="source" if n % 2 else "outlet", at=old) for n in range(6) for by in ("ann", "ben")
    ]
    bad = [said("ann", n, holder="source" if n % 2 else "outlet", at=new) for n in range(10, 16)]
    bad += [said("ben", n, holder="outlet" if n % 2 else "source", at=new) for n in range(10, 17)]
    first, second = agreement(good + bad).weeks
    assert (first.week, first.sentences, first.shared) == ("2026-W01", 6, 6)
    assert (second.week, second.sentences, second.shared) == ("2026-W48", 7, 6)
    assert first.alpha["attribution"] == 1.0
    assert second.alpha["attribution"] < 0
    assert week(said("ann", at="2027-01-01T12:00:00Z")) == "2026-W53"


def test_a_signal_that_says_nothing_about_agreement_is_measured_by_its_answers():
    from annotate.signals.hedging import Hedging

    class Mood(Hedging):
        name = "mood"
        controls = Controls(questions=(Question("mood", "Mood", ("glad", "sad")),))
        judged = Signal.judged

    def with_mood(by, n, value):
        c = said(by, n)
        return Correction(
            **{f: getattr(c, f) for f in c.__slots__} | {"review": Review((), (Answer("mood", value),))}
        )

    corrections = [with_mood(by, n, "glad" if n % 2 else "sad") for n in range(6) for by in ("ann", "ben")]
    found = of(agreement(corrections, [Mood()]), "mood")
    assert (found.questions, found.alpha, found.words_alpha, found.spans_f1) == (6, 1.0, None, None)


@pytest.mark.parametrize("corrections", [[], [said("ann", 1), said("ben", 2)], [said("ann", cancelled=True)]])
def test_without_a_sentence_of_two_annotators_it_says_so(corrections):
    found = agreement(corrections)
    assert all(figures.alpha is None for figures in found.signals)
    assert "no sentence has two annotators yet" in "\n".join(found.lines())
    assert json.loads(json.dumps(found.to_dict()))["shared"] == 0


def test_the_table_names_every_signal_annotator_and_week():
    corrections = [said(by, n, marks=[MIGHT] if n else []) for n in range(4) for by in ("ann", "ben")]
    text = "\n".join(agreement(corrections).lines())
    assert text.startswith("4 sentences annotated, 4 by two or more.")
    for word in ("stance", "garble", "ann", "ben", "2026-W48", "1.00", "100%", "5 s"):
        assert word in text
    assert max(map(len, text.splitlines())) <= 100


def test_ten_thousand_corrections_take_seconds():
    rng = random.Random(1)
    corrections = [
        said(
            by,
            n,
            stance={"China": rng.choice(["against", "neutral"])},
            marks=[MIGHT] if rng.random() < 0.3 else [],
        )
        for n in range(5000)
        for by in ("ann", "ben")
    ]
    began = time.perf_counter()
    found = agreement(corrections)
    assert (found.sentences, found.shared) == (5000, 5000)
    assert time.perf_counter() - began < 30
