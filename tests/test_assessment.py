"""What a card says of a model: calibration that is not judged on its own data, spans by definition."""

from __future__ import annotations

import json
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from annotate.model.bundle import load_bundle, shipped
from annotate.model.calibration import expected_calibration_error, reliability_bins
from annotate.signals import SIGNALS
from annotate.signals.base import Example
from annotate.signals.hedging import HEDGING
from annotate.signals.metrics import characters, confusion, counts, f1, token_mcc, word_f1
from annotate.signals.mqm import CATEGORIES, true_categories, true_spans
from annotate.training.assessment import FOLDS, alarms, calibration_of, probe, varieties
from annotate.training.card import draw_calibration
from annotate.training.written import READ, garbles, read_written


def test_calibration_error_is_the_gap_between_probability_and_share():
    p = np.array([0.2] * 10 + [0.9] * 10)
    right = [True] * 2 + [False] * 8 + [True] * 9 + [False]
    assert expected_calibration_error(reliability_bins(p, right)) == pytest.approx(0.0)
    wrong = [True] * 6 + [False] * 4 + [True] * 9 + [False]
    assert expected_calibration_error(reliability_bins(p, wrong)) == pytest.approx(0.2)
    bins = reliability_bins(p, wrong, [3.0] * 10 + [1.0] * 10)
    assert expected_calibration_error(bins) == pytest.approx(0.3)
    assert sum(b["weight"] for b in bins) == pytest.approx(1.0)


def test_calibration_is_measured_on_documents_it_was_not_chosen_on():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 600)
    truth = rng.random(600) < 1 / (1 + np.exp(-(0.5 * logits - 1)))
    examples = [Example("x", (), float(t), document=str(i // 3)) for i, t in enumerate(truth)]
    scores = [{"offsets": [(0, 1)], "words": np.array([z]), "sentence": z} for z in logits]
    found = calibration_of(HEDGING, {"hedge_wiki": (scores, examples)})
    assert found["n"] == 600
    assert found["error"] < 0.1, "Platt's scaling mends a logit that is too steep and shifted"


def test_false_alarms_are_the_sentences_that_would_be_shown_with_a_mark():
    bundle = load_bundle(shipped())
    texts = [
        "The minister spoke on Monday.",
        "The minister spoke on Monday.",
        "Pouring water in other countries.",
    ]
    for threshold, marked in ((0.0, 1.0), (1.01, 0.0)):
        settings = {**bundle.settings, "garble": {**bundle.settings["garble"], "span_threshold": threshold}}
        found = alarms(replace(bundle, settings=settings), {"news": texts})
        assert found == [{"of": "news", "sentences": 2, "marked": marked}]


def test_no_document_calibrates_the_fold_it_lies_in():
    tuned: list[set[str]] = []
    held: list[str] = []

    class Watched(type(HEDGING)):
        def tune(self, scored):
            tuned.append({e.document for _, examples in scored.values() for e in examples})
            return {}

        def reliability(self, corpus, scores, examples, settings):
            documents = {e.document for e in examples}
            assert not documents & tuned[-1]
            held.extend(sorted(documents))
            return [0.5] * len(examples), [True] * len(examples)

    examples = [Example("x", (), 1.0, document=str(i // 3)) for i in range(90)]
    found = calibration_of(Watched(), {"hedge_wiki": (list(examples), examples)})
    assert found["n"] == 90
    assert len(tuned) == FOLDS
    assert sorted(held) == sorted({e.document for e in examples})


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(0, 4, "major")], 1.0),
        ([(0, 4, "minor")], 0.5),
        ([(0, 2, "major")], 2 * 2 / 6),
        ([(4, 8, "major")], 0.0),
        ([], 0.0),
    ],
)
def test_a_character_counts_half_where_the_kind_is_wrong(said, expected):
    metric = characters("span", [said], [[(0, 4, "major")]])
    assert metric.reckon(metric.facts) == pytest.approx(expected)


def test_confusion_counts_every_sentence_once():
    rows = confusion(["a", "a", "b"], ["a", "b", "b"], ["a", "b"])
    assert rows == [{"true": "a", "said a": 1, "said b": 1}, {"true": "b", "said a": 0, "said b": 1}]


def test_marks_become_spans_of_the_plain_text():
    bad = "He [[fried the cold rice|mistranslation|major]] of last [[years|grammar|minor]]."
    right, made = garbles({"good": "He rehashed last year's news.", "bad": bad}, "7")
    assert (right.spans, right.label) == ((), (0.0, 0.0, 0))
    assert made.text == "He fried the cold rice of last years."
    assert [(made.text[s:e], severity) for s, e, severity in true_spans(made)] == [
        ("fried the cold rice", "major"),
        ("years", "minor"),
    ]
    assert [CATEGORIES[c] for c in true_categories(made)] == ["mistranslation", "grammar"]
    assert made.label == (1.0, pytest.approx(np.log(7)), 6.0)


@pytest.mark.parametrize("split", ["train", "dev"])
def test_written_garbles_are_whole_and_have_no_tell_tale_marks(split):
    examples = read_written("own_garbles", split)
    garbled = [e for e in examples if e.spans]
    assert len(garbled) > 100
    assert len(examples) > 2 * len(garbled) - 1, "each has its right version"
    for e in examples:
        assert "  " not in e.text
        assert "[[" not in e.text
        assert "|" not in e.text
        for start, end, _ in e.spans:
            assert e.text[start:end].strip() == e.text[start:end] != ""
            assert not (e.text[max(0, start - 1) : start].isalnum() and e.text[start].isalnum())
            assert not (e.text[end - 1].isalnum() and e.text[end : end + 1].isalnum())


@pytest.mark.parametrize("name", READ)
def test_written_rows_keep_dev_apart_and_leave_the_seeds_alone(name):
    train = {e.text for e in read_written(name, "train")}
    dev = {e.text for e in read_written(name, "dev")}
    assert len(dev) > 100
    assert not train & dev
    from annotate.reading import read, split

    seeds = {s.text for article in read([Path(__file__).parent.parent / "seeds"]) for s in split(article)}
    assert not seeds & (train | dev)


def test_sentences_that_false_alarms_are_measured_on_are_never_taught():
    mine, *by_kind = varieties().values()
    assert len(by_kind) == 8
    assert mine == [text for texts in by_kind for text in texts]
    assert len(set(mine)) == len(mine) == 120
    taught = {e.text for name in READ for split in ("train", "dev") for e in read_written(name, split)}
    assert not taught & set(mine)


def test_probes_name_their_target_and_the_shipped_model_gets_most_right(annotator):
    text = (resources.files("annotate.training") / "rows" / "probes.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in text.splitlines()]
    assert {r["signal"] for r in rows} == {s.name for s in SIGNALS}
    assert all(r["target"] in r["text"] for r in rows if "target" in r)
    found = probe(annotator.bundle)
    assert len(found) == len(rows)
    right = [p["said"] == p["expected"] for p in found]
    assert np.mean(right) > 0.6


def test_the_plot_is_the_same_for_the_same_figures(tmp_path):
    found = {"stance": {"bins": [{"probability": 0.4, "yes": 0.5, "weight": 1.0}]}}
    for name in ("a.svg", "b.svg"):
        draw_calibration(found, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    assert (tmp_path / "a.svg").stat().st_size < 100_000


def test_counted_figures_are_those_of_scikit_learn():
    from sklearn.metrics import f1_score, matthews_corrcoef

    rng = np.random.default_rng(0)
    truth, said = rng.random((40, 9)) < 0.3, rng.random((40, 9)) < 0.4
    facts = [counts(t, s) for t, s in zip(truth, said, strict=True)]
    mcc, f1 = token_mcc(facts), word_f1(facts)
    assert mcc.reckon(mcc.facts) == pytest.approx(matthews_corrcoef(truth.ravel(), said.ravel()))
    assert f1.reckon(f1.facts) == pytest.approx(f1_score(truth.ravel(), said.ravel()))


@pytest.mark.parametrize(("average", "answers"), [("binary", 2), ("macro", 2), ("macro", 3)])
def test_f1_is_that_of_scikit_learn(average, answers):
    from sklearn.metrics import f1_score

    rng = np.random.default_rng(0)
    for rows in (1, 2, 3, 5, 40):
        for _ in range(20):
            facts = rng.integers(answers, size=(rows, 2)).astype(float)
            theirs = f1_score(facts[:, 0], facts[:, 1], average=average, zero_division=0.0)
            assert f1(facts, average) == pytest.approx(theirs)
    assert np.isnan(f1(np.zeros((0, 2)), average))
