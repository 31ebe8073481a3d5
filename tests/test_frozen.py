"""The frozen set: there for everyone, labelled for every signal, and never taught."""

from __future__ import annotations

from collections import Counter

import pytest

from annotate.signals import SIGNALS
from annotate.signals.garble import GARBLE
from annotate.signals.stance import STANCE
from annotate.training.frozen import frozen, place, seeds, written
from annotate.training.lessons import packaged
from annotate.training.written import READ, read_written


def test_four_hundred_sentences_of_our_own_have_labels_for_every_signal():
    rows = list(written())
    assert len(rows) >= 400
    assert all(signal.scored(row) for row in rows for signal in SIGNALS)
    assert len({row["text"] for row in rows}) == len(rows)


def test_every_signal_has_easy_and_hard_sides_to_be_judged_by():
    examples = frozen()
    stances = Counter(e.label for e in examples[STANCE])
    assert min(stances[k] for k in range(3)) >= 60
    for signal in SIGNALS:
        if signal is not STANCE:
            share = sum(bool(e.spans) for e in examples[signal]) / len(examples[signal])
            assert 0.15 < share < 0.7, signal.name
    assert sum(e.label[0] >= 0.5 for e in examples[GARBLE]) >= 60


def test_no_sentence_of_it_is_taught():
    judged = {row["text"] for rows in (written(), seeds()) for row in rows}
    taught = {e.text for name in READ for e in read_written(name, "train")}
    taught |= {e.text for some in packaged().values() for e in some}
    assert not judged & taught
    assert not [text for text in taught if "[[" in text], "marks are no part of a sentence"


def test_spans_stand_where_they_are_quoted():
    for row in written():
        text, start = row["text"], row["start"]
        spans = [*row["attribution_spans"], *row["hedging_spans"], *row["loaded_spans"], *row["garble_spans"]]
        for span in [*spans, *(m for s in row["stance"] for m in s["mentions"])]:
            assert 0 <= span["start"] - start < span["end"] - start <= len(text)
    assert place("may or may not", "may#2") == (7, 10)
    with pytest.raises(ValueError, match="substring not found"):
        place("may or not", "may#2")


def test_the_seeds_gold_keeps_its_major_errors_and_named_targets(gold):
    rows = list(seeds())
    content = [g for g in gold if not g["boilerplate"]]
    assert [row["text"] for row in rows] == [g["text"] for g in content]
    major = sum(any(s["severity"] == "major" for s in g["garbled_spans"]) for g in content)
    assert sum(row["garble"] for row in rows) == major == 16
    for row in rows:
        for span in row["garble_spans"]:
            covered = row["text"][span["start"] - row["start"] : span["end"] - row["start"]]
            assert covered == span["text"]
