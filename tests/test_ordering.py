"""The order of review asks for what the model is unsure of, and not twice for the same."""

from __future__ import annotations

import time

import numpy as np

from annotate.ordering import most_useful_first, review_order


def row(n, text, uncertainty=0.5, boilerplate=False):
    return {
        "sentence_id": f"s{n}",
        "text": text,
        "uncertainty": uncertainty,
        "boilerplate": boilerplate,
    }


def made(n, seed=0):
    """n sentences of a vocabulary that grows like one of news, and doubts about them."""
    rng = np.random.default_rng(seed)
    words = np.minimum(rng.zipf(1.3, (n, 20)), 30_000)
    return [" ".join(f"w{word}" for word in line) for line in words], rng.random(n)


def test_of_unlike_sentences_the_least_certain_comes_first():
    rows = [row(0, "apples fall", 0.1), row(1, "bears roam", 0.9), row(2, "clouds drift", 0.4)]
    assert review_order(rows) == {"s1": 1, "s2": 2, "s0": 3}


def test_a_repetition_waits_until_all_else_is_seen():
    texts = ["The talks broke down on Friday.", "Talks broke down on Friday.", "Wheat grew dearer."]
    assert list(most_useful_first(texts, np.array([0.9, 0.85, 0.3]))) == [0, 2, 1]


def test_boilerplate_has_no_rank_and_a_sentence_that_stands_twice_one():
    rows = [row(0, "Also read", boilerplate=True), row(1, "Wheat grew dearer."), row(1, "Wheat grew dearer.")]
    assert review_order(rows) == {"s1": 1}


def test_a_sentence_without_uncertainty_counts_as_wholly_unsure():
    doubts = (None, float("nan"), 0.99)
    rows = [
        row(n, text, u)
        for n, (text, u) in enumerate(zip(("a cat", "our dog", "my cow"), doubts, strict=True))
    ]
    assert review_order(rows) == {"s0": 1, "s1": 2, "s2": 3}


def test_nothing_and_sentences_without_a_word_are_ordered_too():
    assert review_order([]) == {}
    assert review_order([row(0, "!"), row(1, "?", 0.9)]) == {"s1": 1, "s0": 2}
    assert review_order([row(0, "\ud800 wheat"), row(1, "\0", 0.9)]) == {"s1": 1, "s0": 2}


def test_every_sentence_has_one_place_whatever_is_picked_greedily():
    texts, doubts = made(300)
    for greedy in (0, 7, 300, 999):
        assert sorted(most_useful_first(texts, doubts, greedy)) == list(range(300))


def test_the_same_rows_give_the_same_order():
    texts, doubts = made(2000)
    assert (most_useful_first(texts, doubts) == most_useful_first(texts, doubts)).all()


def test_ten_times_the_sentences_take_no_more_than_some_ten_times_as_long():
    def seconds(n):
        texts, doubts = made(n)
        began = time.process_time()
        most_useful_first(texts, doubts)
        return time.process_time() - began

    seconds(1000)
    assert seconds(20_000) < 25 * max(seconds(2000), 0.1)
