"""The gate: what lets a retrained model serve, and what does not."""

from __future__ import annotations

import copy

import pytest

from annotate.model.bundle import load_bundle, shipped
from annotate.signals.base import Example
from annotate.signals.hedging import HEDGING
from annotate.training import gate
from annotate.training.frozen import frozen
from annotate.training.gate import FROZEN, HELD, compare, is_held_out, judge, verdict


@pytest.fixture(scope="module")
def bundle():
    return load_bundle(shipped())


@pytest.fixture(scope="module")
def spoiled(bundle):
    """The same model with the sign of its hedging head turned."""
    other = copy.copy(bundle)
    object.__setattr__(other, "network", copy.deepcopy(bundle.network))
    for parameter in other.network.heads["hedging"].parameters():
        parameter.data.neg_()
    return other


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(gate, "RESAMPLES", 40)


def test_the_same_model_again_is_let_pass_unchanged(bundle, few_resamples):
    some = {HEDGING: frozen()[HEDGING][:80]}
    found = judge(bundle, bundle, some, {FROZEN: some})
    assert found.promote
    assert [c.difference for c in found.compared] == [0.0, 0.0]
    assert {c.reason for c in found.compared} == {"unchanged"}


def test_a_model_that_lost_a_signal_is_refused_with_the_figures(bundle, spoiled, few_resamples):
    some = {HEDGING: frozen()[HEDGING][:120]}
    found = judge(bundle, spoiled, some, {FROZEN: some})
    assert not found.promote
    held, kept = found.compared
    assert (held.where, kept.where) == (HELD, FROZEN)
    assert held.reason == "worse with 99 % confidence"
    assert held.interval[1] < 0
    assert kept.reason == f"a fall of more than {gate.MARGIN['hedging']:.2f}"
    first = found.lines()[0]
    assert first.startswith("NO")
    assert f"{kept.old:.3f} -> {kept.new:.3f}" in "".join(found.lines())
    assert found.to_dict()["compared"][0]["interval"] == held.interval


def test_small_falls_may_not_add_up_from_one_retraining_to_the_next(bundle, spoiled, few_resamples):
    """The model before is as bad as the new one already; the one that the row began with was better."""
    some = {HEDGING: frozen()[HEDGING][:120]}
    assert judge(spoiled, spoiled, some, {FROZEN: some}).promote
    found = judge(spoiled, spoiled, some, {FROZEN: some}, first=("began", bundle))
    assert not found.promote
    last = found.compared[-1]
    assert [c.passed for c in found.compared] == [True, True, False]
    assert (last.where, last.old) == ("frozen set since began", pytest.approx(last.new - last.difference))
    assert last.reason == f"a fall of more than {gate.LASTING * gate.MARGIN['hedging']:.2f}"


def test_where_more_such_corrections_lead_counts_as_well(bundle, spoiled, few_resamples):
    """A model that went half of a bad way may be as good as before."""
    some = {HEDGING: frozen()[HEDGING][:120]}
    found = judge(bundle, bundle, some, {FROZEN: some, "hedge_bio": some}, whole=spoiled)
    assert not found.promote
    assert [c.where for c in found.compared if not c.passed] == ["frozen set, the whole way"]
    assert [c.where for c in found.compared] == [HELD, FROZEN, "hedge_bio", "frozen set, the whole way"]
    assert found.compared[-1].reason == f"a fall of more than {gate.LASTING * gate.MARGIN['hedging']:.2f}"
    assert judge(bundle, bundle, some, {FROZEN: some}, whole=bundle).promote


def test_the_interval_is_of_the_difference_and_drawn_by_article(bundle, spoiled, few_resamples):
    examples = frozen()[HEDGING][:60]
    one = compare(bundle, spoiled, HELD, "reviewed", HEDGING, examples)
    assert one.interval[0] <= one.difference <= one.interval[1]
    of_one_article = [Example(e.text, e.spans, e.label, "the same") for e in examples]
    alone = compare(bundle, spoiled, HELD, "reviewed", HEDGING, of_one_article)
    assert alone.passed, "one article decides nothing"
    assert "too few" in alone.reason


def test_since_the_first_model_of_a_row_twice_the_margin_may_be_lost():
    for margins, new, passed in [(1, 0.57, False), (2, 0.57, True), (2, 0.55, False)]:
        assert verdict(FROZEN, "hedging", True, 0.6, new, (-0.1, 0.1), margins)[0] is passed


@pytest.mark.parametrize(
    ("where", "many", "new", "interval", "passed"),
    [
        (HELD, True, 0.5, (-0.1, 0.02), True),
        (HELD, True, 0.5, (-0.2, -0.01), False),
        (HELD, False, 0.1, (-0.6, -0.4), True),
        (FROZEN, True, 0.585, (-0.1, -0.01), True),
        (FROZEN, True, 0.57, (-0.1, 0.1), False),
        (FROZEN, True, 0.7, (0.0, 0.2), True),
    ],
)
def test_held_out_corrections_want_confidence_and_the_frozen_set_keeps_a_margin(
    where, many, new, interval, passed
):
    assert verdict(where, "hedging", many, 0.6, new, interval)[0] is passed


def test_what_is_held_out_never_drifts():
    assert [n for n in range(20) if is_held_out(str(n))] == [0, 1, 14, 18]
    share = sum(is_held_out(f"article {n}") for n in range(2000)) / 2000
    assert 0.17 < share < 0.23
