"""Figures by outlet, and intervals that hold what they say."""

import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from annotate.errors import UserError
from annotate.summary import SmallSample, summarize
from annotate.summary.cells import cells
from annotate.summary.intervals import Draws

MODEL = "annotate:0|model:none-0|encoder:none|precision:float32"


def sentences(
    outlet, articles, each, *, hedging=0.2, favor=0.5, kind="outlet", holder=None, target="Norland"
):
    """Rows of a frame: so many articles of so many sentences."""
    return [
        {
            "article_id": f"{outlet} {a}",
            "outlet": outlet,
            "sentence_id": f"{outlet} {a} {s} {kind} {holder}",
            "boilerplate": False,
            "holder_kind": kind,
            "holder_name": holder,
            "attribution": 0.9 if kind == "source" else 0.1,
            "hedging": hedging if np.isscalar(hedging) else hedging[a],
            "loaded": 0.1,
            "garble": 0.05,
            "stance": [
                {"target": target, "mentions": [], "label": "favor", "p_against": 0.1}
                | {"p_favor": favor, "p_neutral": 0.9 - favor}
            ]
            if target
            else [],
            "drift": [],
            "model": MODEL,
        }
        for a in range(articles)
        for s in range(each)
    ]


def summary(rows, **how):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSample)
        return summarize(pd.DataFrame(rows), **how)


def one(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    assert len(table) == 1
    return table.iloc[0]


def test_the_outlets_voice_stands_apart_from_its_sources():
    rows = sentences("Post", 6, 4, favor=0.8) + sentences(
        "Post", 6, 4, favor=0.1, kind="source", holder="Ann"
    )
    found = summary(rows)
    assert one(found.stance, voice="outlet")["mean"] == pytest.approx(0.7)
    assert one(found.stance, voice="source")["mean"] == pytest.approx(0.0)
    assert one(found.stance, voice="all")["mean"] == pytest.approx(0.35)
    assert one(found.signals, signal="attribution").share == pytest.approx(0.5)
    assert one(found.holder_stance, holder="Ann", target="Norland").sentences == 24


def test_who_is_quoted_is_a_share_of_all_sentences_of_the_outlet():
    rows = sentences("Post", 6, 3) + sentences("Post", 2, 1, kind="source", holder="Ann")
    rows += sentences("Post", 1, 1, kind="source")
    found = summary(rows).holders
    ann = one(found, holder="Ann")
    assert ann.share == pytest.approx(2 / 21)
    assert (ann.articles, ann.sentences) == (2, 2)
    assert list(found.holder) == ["Ann", "unnamed"]


def test_an_outlet_is_set_against_all_others():
    rows = sentences("Post", 8, 5, hedging=0.6) + sentences("Times", 8, 5, hedging=0.2)
    rows += sentences("Sun", 8, 15, hedging=0.1)
    found = one(summary(rows).contrasts, outlet="Post", measure="hedging", voice="all")
    assert found.difference == pytest.approx(0.6 - (40 * 0.2 + 120 * 0.1) / 160)
    assert found.low <= found.difference <= found.high


def test_few_articles_or_sentences_get_no_confident_interval():
    rows = sentences("Many", 5, 4) + sentences("Few", 4, 5) + sentences("Hardly", 1, 9)
    with pytest.warns(SmallSample, match="2 of 3 outlets"):
        found = summarize(pd.DataFrame(rows))
    basis = {
        outlet: one(found.signals, outlet=outlet, signal="hedging", voice="all")
        for outlet in ("Many", "Few", "Hardly")
    }
    assert {outlet: row.basis for outlet, row in basis.items()} == {
        "Many": "articles",
        "Few": "sentences",
        "Hardly": "none",
    }
    assert np.isnan(basis["Hardly"].low)
    assert np.isnan(basis["Hardly"].high)
    half = 1.959964 * (0.2 * 0.8 * 20) ** 0.5 / 20
    assert basis["Few"].high == pytest.approx(0.2 + half)


def test_enough_articles_warn_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = summarize(pd.DataFrame(sentences("Post", 5, 4)))
    assert found.notes == (
        f"How well the model ({MODEL}) is calibrated is not known on this machine; the "
        "intervals hold the draw of articles and labels alone.",
    )


def test_the_interval_of_articles_holds_the_truth_as_often_as_it_says_and_one_of_sentences_does_not():
    """Made-up outlets whose articles differ: 20 articles each, the truth their expectation."""
    rng = np.random.default_rng(1)

    def outlet(articles):
        mean = np.repeat(rng.normal(-1.5, 1.0, articles), 12)
        p = 1 / (1 + np.exp(-mean - rng.normal(0, 1.0, len(mean))))
        ids = np.repeat([f"{rng.integers(1 << 60)}" for _ in range(articles)], 12)
        return pd.DataFrame({"article_id": ids, "group": "x", "value": p, "doubt": p * (1 - p)})

    truth, held, naive = outlet(20_000).value.mean(), 0, 0
    for _ in range(200):
        rows = outlet(20)
        articles = pd.Index(rows.article_id.unique())
        low, high = cells(rows, ["group"], articles).interval(Draws(list(articles), 0), 0.95)
        held += low[0] <= truth <= high[0]
        half = 1.96 * rows.value.std() / len(rows) ** 0.5
        naive += abs(rows.value.mean() - truth) <= half
    assert 0.91 <= held / 200 <= 0.99
    assert naive / 200 < 0.7


def test_neither_the_order_of_rows_nor_other_outlets_change_an_interval():
    rng = np.random.default_rng(0)
    post = sentences("Post", 9, 5, hedging=rng.uniform(0, 1, 9))
    alone = summary(post).signals
    beside = summary([*reversed(post), *sentences("Times", 9, 5)]).signals
    beside = beside[beside.outlet == "Post"].reset_index(drop=True)
    pd.testing.assert_frame_equal(alone, beside)


def test_the_calibration_error_of_the_model_widens_the_intervals(seeds_frame):
    """The seeds' own model is on this machine; the same scores under another name come without."""
    with pytest.warns(SmallSample):
        known = summarize(seeds_frame)
    unknown = summary(seeds_frame.assign(model=MODEL))
    assert set(known.model_error) == {"attribution", "stance", "hedging", "loaded", "garble"}
    assert unknown.model_error == {}
    wide, narrow = known.signals, unknown.signals
    inside = (narrow.basis != "none") & (narrow.high < 0.9)
    expected = wide.signal.map(known.model_error)[inside]
    assert inside.sum() > 5
    np.testing.assert_allclose((wide.high - narrow.high)[inside], expected, atol=1e-9)


def test_any_column_groups(seeds_frame):
    week = seeds_frame.article_id.str[:3].astype(int) // 3
    found = summary(seeds_frame.assign(week=week), by="week")
    assert list(found.groups.week) == ["0", "1"]
    assert found.groups.articles.tolist() == [3, 2]


def test_the_files_of_scores_serve_as_well(seeds_frame, tmp_path):
    path = Path(tmp_path / "scores.jsonl")
    seeds_frame.to_json(path, orient="records", lines=True)
    pd.testing.assert_frame_equal(summary(seeds_frame).stance, summarized(path).stance, atol=1e-4)


def summarized(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSample)
        return summarize(path)


def test_an_outlet_of_boilerplate_is_named_and_no_target_is_said():
    rows = sentences("Post", 5, 4, target=None)
    rows += [row | {"boilerplate": True} for row in sentences("Share", 1, 2, target=None)]
    found = summary(rows)
    assert found.stance.empty
    assert found.holder_stance.empty
    notes = " ".join(found.notes)
    assert "Share: nothing but boilerplate" in notes
    assert "No target was found" in notes


@pytest.mark.parametrize(
    ("rows", "how", "says"),
    [
        ([], {}, "column"),
        (sentences("Post", 1, 1), {"by": "week"}, "column “week” is missing"),
        (sentences("Post", 1, 1), {"level": 95}, "between 0 and 1"),
        ([row | {"boilerplate": True} for row in sentences("Post", 1, 2)], {}, "boilerplate"),
    ],
)
def test_what_cannot_be_summarized_is_refused(rows, how, says):
    with pytest.raises(UserError, match=says):
        summarize(pd.DataFrame(rows), **how)


def test_a_large_frame_takes_seconds():
    """Ten thousand articles of a hundred outlets."""
    import time

    rows = [row for n in range(100) for row in sentences(f"Outlet {n}", 100, 2)]
    frame = pd.DataFrame(rows)
    start = time.perf_counter()
    found = summarize(frame)
    assert time.perf_counter() - start < 30
    assert len(found.groups) == 100
