"""The signals: pooling, tagging, spans, and that what is shown to a reviewer comes back as it was."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest
import torch

from annotate.article import Mention, Sentence
from annotate.signals import SIGNALS
from annotate.signals.base import overlapping
from annotate.signals.garble import GARBLE, expected_penalty
from annotate.signals.mqm import category_of, shares
from annotate.signals.tagger import noisy_or_loss, pooled_hazard, pooled_logit, runs

WORDS = [(0, 3), (4, 9), (9, 10), (11, 15)]


@pytest.mark.parametrize(
    ("span", "expected"),
    [((0, 3), [0]), ((2, 5), [0, 1]), ((3, 4), []), ((9, 10), [2]), ((4, 15), [1, 2, 3]), ((15, 20), [])],
)
def test_a_span_covers_the_words_it_shares_a_character_with(span, expected):
    assert list(overlapping(WORDS, *span)) == expected


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ([1, 1, 0, 0], ["One small"]),
        ([1, 0, 0, 1], ["One", "step"]),
        ([0, 0, 1, 0], []),
        ([0, 1, 1, 1], ["small, step"]),
    ],
)
def test_adjacent_words_join_and_punctuation_alone_is_no_span(chosen, expected):
    text = "One small, step"
    assert [text[s:e] for s, e, _, _ in runs(text, WORDS, chosen)] == expected


def test_the_sentence_is_the_noisy_or_of_its_words():
    p = torch.tensor([[0.1, 0.5, 0.9]])
    mask = torch.tensor([[1.0, 1.0, 0.0]])
    logits = torch.logit(p)
    expected = 1 - 0.9 * 0.5
    assert torch.sigmoid(pooled_logit(logits, mask))[0].item() == pytest.approx(expected, abs=1e-5)
    loss = noisy_or_loss(pooled_hazard(logits, mask), torch.tensor([1.0]))
    assert loss[0].item() == pytest.approx(-np.log(expected), abs=1e-5)


def test_overlapping_marks_of_raters_become_shares():
    marks = [(0, 10, True, 0, "a"), (5, 15, False, 1, "b"), (5, 15, False, 1, "c")]
    assert list(shares(marks, 3)) == [
        (0, 5, (1 / 3, 1 / 3, 0)),
        (5, 10, (1.0, 1 / 3, 0)),
        (10, 15, (2 / 3, 0.0, 1)),
    ]


def test_a_worse_word_costs_more():
    mild, bad = torch.full((1, 2, 12), -4.0), torch.full((1, 2, 12), -4.0)
    mild[0, 0, 0] = bad[0, 0, 1] = 3.0
    mask = torch.ones(1, 2)
    assert expected_penalty(bad, mask) > expected_penalty(mild, mask)


@pytest.mark.parametrize(
    ("mqm", "expected"),
    [
        ("Accuracy/Mistranslation", "mistranslation"),
        ("Fluency/Punctuation", "punctuation"),
        ("Locale convention/Name", "name"),
        ("Terminology/Inappropriate", "terminology"),
        ("Fluency/Register", "other"),
    ],
)
def test_mqm_names_fall_under_a_category(mqm, expected):
    from annotate.signals.mqm import CATEGORIES

    assert CATEGORIES[category_of(mqm)] == expected


def test_every_signal_shows_and_reads_back_what_it_scored(annotator):
    text = "Officials said the U.S. might have launched a brutal assault, puts spyware from its equipment."
    row = annotator.score_sentences([text], {"United States": ["U.S."]}).iloc[0].to_dict()
    row["start"] = 1000
    for column, value in row.items():
        if column.endswith("_spans"):
            row[column] = [
                {**span, "start": span["start"] + 1000, "end": span["end"] + 1000} for span in value
            ]
    row["stance"][0]["mentions"] = [
        {"start": m["start"] + 1000, "end": m["end"] + 1000} for m in row["stance"][0]["mentions"]
    ]
    for signal in SIGNALS:
        shown = signal.to_review(row)
        back = signal.from_review(shown, row)
        assert set(back) == {name for name, _ in signal.columns}
        again = signal.to_review({**row, **back})
        bare = [replace(m, probability=None) for m in shown.marks]
        assert [replace(m, probability=None) for m in again.marks] == bare
        assert [(a.question, a.value, a.target) for a in again.answers] == [
            (a.question, a.value, a.target) for a in shown.answers
        ]


def test_a_removed_target_mark_removes_the_mention():
    from annotate.signals.review import Answer, Review
    from annotate.signals.stance import STANCE

    row = {
        "start": 0,
        "text": "China and China",
        "stance": [
            {
                "target": "China",
                "mentions": [{"start": 0, "end": 5}, {"start": 10, "end": 15}],
                "label": "neutral",
                "p_against": 0.1,
                "p_neutral": 0.8,
                "p_favor": 0.1,
            }
        ],
    }
    shown = STANCE.to_review(row)
    left = Review(shown.marks[:1], (Answer("stance", "favor", target="China"),))
    [stance] = STANCE.from_review(left, row)["stance"]
    assert (stance["label"], stance["p_favor"]) == ("favor", 1.0)
    assert stance["mentions"] == [{"start": 0, "end": 5}]


def test_evidence_is_the_highest_logit_among_the_words_of_a_span():
    words = np.zeros((3, 13), dtype=np.float32)
    words[:, 0], words[:, 1] = (-1, 2, 3), (-4, -2, -3)
    scores = {"offsets": [(0, 3), (4, 9), (10, 12)], "words": words}
    found = GARBLE.evidence(scores, [(0, 9), (9, 12), (5, 6), (3, 4)])
    assert found.tolist() == [[2, -2], [3, -3], [2, -2], [0, 0]]


def test_a_sixth_signal_is_one_new_file_and_one_line_in_the_list(monkeypatch, annotator):
    import annotate.frame
    import annotate.signals
    from annotate.model.network import Network
    from annotate.model.prediction import predict
    from annotate.signals.review import Controls, Label
    from annotate.signals.tagger import Tagger
    from annotate.studio.form import form
    from annotate.studio.interface import interface

    class Irony(Tagger):
        name = "irony"
        label = Label("Ironic", "#332288", "i")
        controls = Controls(labels=(label,))

    irony = Irony()
    monkeypatch.setattr(annotate.signals, "SIGNALS", (*SIGNALS, irony))
    annotate.frame.schema.cache_clear()
    try:
        names = annotate.frame.schema().names
        assert "irony" in names
        assert "irony_spans" in names
        network = Network(annotator.bundle.network.encoder, [*SIGNALS, irony]).eval()
        sentence = Sentence("a", None, "s", 0, 12, "How very kind", mentions=(Mention("kind", 9, 13),))
        [scores] = predict(network, annotator.bundle.tokenizer, [sentence])
        settings = {"scale": 1.0, "offset": 0.0, "threshold": 0.5, "span_threshold": 0.5}
        row = irony.decode(scores["irony"], sentence, settings)
        assert 0 <= row["irony"] <= 1
        assert pa.array([row["irony"]], pa.float32())[0].is_valid
        assert 'value="Ironic"' in interface(form(annotate.signals.SIGNALS))
    finally:
        annotate.frame.schema.cache_clear()
