"""Evaluation and the rows made for training: figures with intervals, spun sentences with true spans."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import numpy as np
import pytest

from annotate.signals.base import Example
from annotate.signals.garble import same_source_pairs
from annotate.signals.hedging import HEDGING
from annotate.training.evaluation import measure
from annotate.training.spinning import GARBLED, Vocabulary, ending, lose, spun, stem

SETTINGS = {"scale": 1.0, "offset": 0.0, "threshold": 0.5, "thresholds": {}, "word_thresholds": {}}


def scored(logit: float) -> dict:
    return {"offsets": [(0, 1)], "words": np.array([logit]), "sentence": logit}


def test_the_interval_is_over_documents_and_holds_the_figure():
    rng = np.random.default_rng(0)
    examples = [Example("x", (), float(i % 2), document=str(i // 4)) for i in range(200)]
    scores = [scored((2.0 if e.label else -2.0) * (1 if rng.random() < 0.8 else -1)) for e in examples]
    [one] = measure(HEDGING, "hedge_wiki", scores, examples, SETTINGS, resamples=200)
    low, high = one.interval
    assert low < one.value < high
    assert one.n == 200
    together = [Example("x", (), e.label, document=str(int(e.document) // 10)) for e in examples]
    [wide] = measure(HEDGING, "hedge_wiki", scores, together, SETTINGS, resamples=200)
    assert wide.value == one.value
    assert measure(HEDGING, "hedge_wiki", scores, examples, SETTINGS, resamples=200) == [one]


def test_pairs_are_of_one_source_and_far_enough_apart():
    examples = [
        Example("a", (), (1.0, 0.0, 8.0), document="1"),
        Example("b", (), (0.0, 0.0, 1.0), document="1"),
        Example("c", (), (0.0, 0.0, 0.0), document="1"),
        Example("d", (), (1.0, 0.0, 9.0), document="2"),
    ]
    scores = [{"penalty": p} for p in (3.0, 1.0, 4.0, 0.0)]
    figure = same_source_pairs(scores, examples)
    assert (figure.n, figure.value) == (2, 0.5)


def test_evaluate_prints_one_json_object(annotator, tmp_path):
    import pandas as pd

    (tmp_path / "newsmtsc").mkdir()
    rows = [
        (
            f"The {word} Anna left in week {i}.",
            "Anna",
            at := f"The {word} Anna".index("Anna"),
            at + 4,
            label,
            sub,
            str(i),
        )
        for i, (word, label, sub) in enumerate(
            [("corrupt", "against", "rw"), ("brave", "favor", "mt"), ("tall", "neutral", "rw")] * 8
        )
    ]
    columns = ["text", "target", "target_start", "target_end", "label", "subset", "doc_id"]
    pd.DataFrame(rows, columns=columns).to_parquet(tmp_path / "newsmtsc" / "test.parquet")
    options = ["--corpus", "newsmtsc", "--split", "test", "--data", str(tmp_path), "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "annotate", "evaluate", *options], capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    assert list(found) == ["corpus", "split", "model", "metric", "value", "interval", "n", "others"]
    assert (found["metric"], found["n"]) == ("macro-F1 rw", 16)
    assert annotator.bundle.id in found["model"]
    assert set(found["others"]) == {"macro-F1 mt"}
    for figure in (found, *found["others"].values()):
        assert figure["interval"][0] <= figure["value"] <= figure["interval"][1]


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    """Two clouds of words: places and deeds, in two forms each."""
    rng = np.random.default_rng(0)
    names = ["house", "cabin", "hotel", "tower", "store", "plant", "court", "bridge"]
    deeds = ["walked", "jumped", "crawled", "climbed", "drifted", "marched", "stumbled", "limped"]
    centre = rng.normal(size=(2, 16))
    vectors = np.concatenate([centre[[i]] + 0.2 * rng.normal(size=(8, 16)) for i in (0, 1)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Vocabulary((*names, *deeds), np.full(16, 20.0), vectors)


def test_a_swap_has_the_ending_but_not_the_stem_of_the_word(words):
    for word in words.words:
        for swap in words.swaps(word)[0]:
            assert ending(swap) == ending(word)
            assert stem(swap) != stem(word)


IDIOMS = ["one board and three eyes", "Fetching the moon in the water", "mud and sand flow together"]


def test_spans_hold_what_was_put_in_and_the_rest_stay_as_they_were(words):
    texts = [f"In week {i} he walked from the house to the tower, they said." for i in range(600)]
    examples = spun(texts, words, IDIOMS, seed=1)
    untouched = [e for e in examples if not e.spans]
    assert len(untouched) / len(examples) == pytest.approx(1 - GARBLED, abs=0.07)
    assert all(e.text in texts and e.label[0] == 0.0 for e in untouched)
    seen = set()
    for example in examples:
        for start, end, (share, _, category) in example.spans:
            piece = example.text[start:end]
            assert share == 1.0
            assert piece.strip() == piece
            if category == 0:
                assert piece in words.words or piece.casefold() in [i.casefold() for i in IDIOMS]
                seen.add(piece in words.words)
        assert not re.search(r"  | [,.]", example.text), "a lost word leaves a tell-tale blank"
    assert seen == {True, False}
    assert spun(texts, words, IDIOMS, seed=1) == examples
    assert spun(texts, words, IDIOMS, seed=2) != examples


def test_a_lost_word_marks_its_neighbours(words):
    made, [(start, end, _)] = lose("They saw the house, then left.", words, np.random.default_rng(0))
    assert made == "They saw the, then left."
    assert made[start:end] == "the, then"


def test_cues_are_carried_into_news_where_the_annotators_would_mark_them():
    from annotate.training.hedging_news import harvest, hedged

    cues = []
    for word, text in (
        ("may", "It may be so."),
        ("possibly", "It is possibly so."),
        ("imply", "They imply it."),
    ):
        at = text.index(word)
        cues += [Example(text, ((at, at + len(word), "cue"),), 1.0)] * 5
    adverbs, modals = harvest(cues)
    assert (set(adverbs), set(modals)) == ({"possibly"}, {"may"})
    texts = [f"The town will open a large new school in the autumn of year {i}." for i in range(200)]
    texts += ["The town may open a large new school in the autumn of this year."]
    examples = hedged(texts, cues, seed=0)
    assert len(examples) == 200, "a text that holds a cue already is left out"
    for example in examples:
        assert example.label == float(bool(example.spans))
        for start, end, _ in example.spans:
            assert example.text[start:end] in ("may", "possibly")
        assert ("may" in example.text.split() or "possibly" in example.text) == bool(example.spans)
    assert 0.35 < np.mean([e.label for e in examples]) < 0.65
