"""Evaluation and the rows made for training: figures with intervals, spun sentences with true spans."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from annotate.signals.base import Example
from annotate.signals.garble import same_source_pairs
from annotate.signals.hedging import HEDGING
from annotate.training.evaluation import measure
from annotate.training.swapping import Vocabulary, ending, stem, swapped

SETTINGS = {"scale": 1.0, "offset": 0.0, "threshold": 0.5, "thresholds": {}, "word_thresholds": {}}


def scored(logit: float) -> dict:
    return {"offsets": [(0, 1)], "words": np.array([logit]), "sentence": logit}


def test_the_interval_is_over_documents_and_holds_the_figure():
    rng = np.random.default_rng(0)
    right = np.repeat(rng.random(20) < 0.7, 10)
    labels = np.tile([0.0, 1.0], 100)
    scores = [
        scored((2.0 if label else -2.0) * (1 if r else -1)) for label, r in zip(labels, right, strict=False)
    ]
    apart = [Example("x", (), label) for label in labels]
    together = [Example("x", (), label, document=str(i // 10)) for i, label in enumerate(labels)]
    [narrow] = measure(HEDGING, "hedge_wiki", scores, apart, SETTINGS, resamples=200)
    [wide] = measure(HEDGING, "hedge_wiki", scores, together, SETTINGS, resamples=200)
    assert wide.value == narrow.value
    assert wide.n == 200
    for one in (narrow, wide):
        assert one.interval[0] < one.value < one.interval[1]
    # Ten sentences of a document are right or wrong together: they tell no more than one.
    assert wide.interval[1] - wide.interval[0] > 2 * (narrow.interval[1] - narrow.interval[0])
    assert measure(HEDGING, "hedge_wiki", scores, together, SETTINGS, resamples=200) == [wide]
    # Of one document alone nothing could be drawn but itself.
    of_one = [Example("x", (), label, document="the only") for label in labels]
    assert measure(HEDGING, "hedge_wiki", scores, of_one, SETTINGS, resamples=200) == [narrow]


def test_a_resample_without_a_subset_or_a_pair_counts_for_nothing():
    from annotate.signals.stance import STANCE

    examples = [Example("x", (), i % 3, document=str(i), subset="mt" if i < 2 else "rw") for i in range(12)]
    scores = [{"target": np.eye(3)[e.label]} for e in examples]
    for one in measure(STANCE, "newsmtsc", scores, examples, {"temperature": 1.0}, resamples=50):
        assert one.interval[1] <= 1.0
    none = same_source_pairs([{"penalty": 1.0}], [Example("a", (), (1.0, 0.0, 8.0), document="1")])
    assert np.isnan(none.reckon(none.facts))


def test_pairs_are_of_one_source_and_far_enough_apart():
    examples = [
        Example("a", (), (1.0, 0.0, 8.0), document="1"),
        Example("b", (), (0.0, 0.0, 1.0), document="1"),
        Example("c", (), (0.0, 0.0, 0.0), document="1"),
        Example("d", (), (1.0, 0.0, 9.0), document="2"),
    ]
    scores = [{"penalty": p} for p in (3.0, 1.0, 4.0, 0.0)]
    metric = same_source_pairs(scores, examples)
    assert (metric.n, metric.reckon(metric.facts)) == (2, 0.5)


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
    """Two clouds of words: places and deeds."""
    rng = np.random.default_rng(0)
    names = ["house", "cabin", "hotel", "tower", "store", "plant", "court", "bridge"]
    deeds = ["walked", "jumped", "crawled", "climbed", "drifted", "marched", "stumbled", "limped"]
    centre = rng.normal(size=(2, 16))
    vectors = np.concatenate([centre[[i]] + 0.2 * rng.normal(size=(8, 16)) for i in (0, 1)])
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Vocabulary((*names, *deeds), np.full(16, 20.0), vectors)


def test_a_replacement_has_the_ending_but_not_the_stem_of_the_word(words):
    for word in words.words:
        near, p = words.neighbours(word)
        assert near
        assert p.sum() == pytest.approx(1)
        for other in near:
            assert ending(other) == ending(word)
            assert stem(other) != stem(word)


def test_replaced_words_are_marked_and_nothing_else_changes(words):
    texts = [f"In week {i} he walked from the house to the tower, they said." for i in range(300)]
    examples = swapped(texts, words, seed=1)
    new = set()
    for text, example in zip(texts, examples, strict=True):
        old, made = text.split(), example.text.split()
        assert len(old) == len(made)
        marked = {example.text[s:e] for s, e, _ in example.spans}
        different = {b.strip(",.") for a, b in zip(old, made, strict=True) if a != b}
        assert marked == different
        assert marked <= set(words.words)
        new |= marked
    assert {w for w in new if w.endswith("ed")}
    assert {w for w in new if not w.endswith("ed")}
    assert swapped(texts, words, seed=1) == examples
    assert swapped(texts, words, seed=2) != examples
