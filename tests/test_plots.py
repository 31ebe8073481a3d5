"""The figures show what the tables say, as surely as they say it."""

from __future__ import annotations

import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from annotate import plots
from annotate.article import Article
from annotate.corrections.agreement import Agreement, SignalAgreement
from annotate.errors import UserError
from annotate.plots import drawing
from annotate.summary import summarize

WIDEST = 7.2
"""Inches: the text of a page."""


@pytest.fixture(scope="module")
def many(annotator):
    """Two outlets of six articles each and one of a single article, with the same two targets."""
    texts = (
        "Mayor Berg is a disgrace, Per Lund said on Monday. Berg may close the port. The port is loved. "
        "“Berg saved the port,” said Ida Holm. Berg has failed the town again. The port reopened in June. "
        "Berg praised the port. The corrupt Berg lied. Berg might resign, Holm said. The port is quiet."
    )
    articles = [
        Article(f"{outlet}-{n}", texts, outlet=outlet)
        for outlet, of in (("Daily", 6), ("Weekly", 6), ("Flyer", 1))
        for n in range(of)
    ]
    frame = annotator.score(articles, {"Berg": ["Mayor Berg"], "the port": []}, siblings=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return summarize(frame)


@pytest.fixture(scope="module")
def of_seeds(seeds_frame):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return summarize(seeds_frame)


def panel(figure, title):
    [found] = [axes for axes in figure.axes if axes.get_title() == title]
    return found


def marks(axes, colour):
    """The x of the marks of a voice, in the order of the rows."""
    found = [line for line in axes.lines if line.get_marker() not in ("None", None, "")]
    return [float(line.get_xdata()[0]) for line in found if line.get_color() == colour]


def intervals(axes):
    """The lines of the intervals: two different ends at one height."""
    return [
        line
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_ydata()[0] == line.get_ydata()[1]
        and line.get_marker() in ("None", None, "")
    ]  # fmt: skip


def words(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def legend(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_stance_shows_the_means_of_the_table_the_two_voices_apart(many):
    figure = plots.stance(many)
    assert sorted(axes.get_title() for axes in figure.axes) == ["Berg", "the port"]
    axes = panel(figure, "Berg")
    for voice in drawing.VOICES:
        own = many.stance.query("target == 'Berg' and voice == @voice.name and basis != 'none'")
        assert marks(axes, voice.colour) == pytest.approx(own["mean"].tolist())
    assert [voice.marker for voice in drawing.VOICES] == ["o", "D"]
    assert legend(figure)[:2] == ["the outlet’s own voice", "quoted sources"]
    assert axes.get_xlim()[0] < -1 < 1 < axes.get_xlim()[1]


def test_intervals_over_articles_are_drawn_from_end_to_end(many):
    axes = panel(plots.signals(many), "Hedged")
    own = many.signals.query("signal == 'hedging' and voice != 'all' and basis != 'none'")
    drawn = {tuple(round(float(x), 6) for x in line.get_xdata()) for line in intervals(axes)}
    table = {(round(100 * low, 6), round(100 * high, 6)) for low, high in zip(own.low, own.high, strict=True)}
    assert drawn == table


def test_what_rests_on_few_articles_is_thin_and_dashed_and_the_legend_says_so(of_seeds, many):
    assert set(of_seeds.signals["basis"]) == {"sentences", "none"}
    figure = plots.signals(of_seeds)
    drawn = [line for axes in figure.axes for line in intervals(axes)]
    assert drawn
    assert all(line.is_dashed() and line.get_linewidth() < 1 for line in drawn)
    assert any("of these sentences only" in said for said in legend(figure))
    assert not any("over articles" in said for said in legend(figure))
    sure = [
        line for axes in plots.contrasts(many, ["Berg"]).axes for line in intervals(axes)
        if not line.is_dashed()
    ]  # fmt: skip
    assert all(line.get_linewidth() > 1 for line in sure)
    assert sure


def test_too_few_stands_where_an_interval_would_be_a_lie(of_seeds):
    figure = plots.stance(of_seeds)
    shown = of_seeds.stance[of_seeds.stance["voice"] != "all"]
    none = (shown["basis"] == "none").sum()
    assert none
    assert words(figure).count("too few") == none
    assert len([line for axes in figure.axes for line in intervals(axes)]) == len(shown) - none
    assert any("fewer than ten sentences" in said for said in legend(figure))


def test_contrasts_have_a_zero_line_and_the_differences_of_the_table(many):
    figure = plots.contrasts(many)
    assert [axes.get_title() for axes in figure.axes if axes.get_visible()] == [
        "Hedged",
        "Loaded language",
        "Garbled",
        "Said by a source",
        *(f"Stance: {target}" for target in ("Berg", "the port")),
    ]
    axes = panel(figure, "Said by a source")
    own = many.contrasts.query("measure == 'attribution' and basis != 'none'")
    assert marks(axes, drawing.ALL.colour) == pytest.approx((100 * own["difference"]).tolist())
    low, high = axes.get_xlim()
    assert low == pytest.approx(-high)


def test_holders_are_the_most_quoted_first(of_seeds):
    counts = of_seeds.holders.groupby("holder")["sentences"].sum()
    for top in (1, 5):
        [axes] = plots.holders(of_seeds, top=top).axes
        names = [label.get_text() for label in axes.get_yticklabels()]
        assert len(names) == top
        assert counts[names].tolist() == counts.nlargest(top).tolist()


def test_colour_is_never_alone_and_a_page_holds_every_figure(many, of_seeds):
    assert len(set(drawing.MARKERS)) == len(set(drawing.COLOURS)) == 8
    for draw in (plots.stance, plots.signals, plots.contrasts, plots.holders):
        for summary in (many, of_seeds):
            figure = draw(summary)
            assert figure.get_figwidth() <= WIDEST
            assert not overlaps(figure), draw.__name__


def overlaps(figure):
    """Pairs of texts that lie over each other."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    texts = [*figure.texts, *(t for legend in figure.legends for t in legend.get_texts())]
    for axes in figure.axes:
        if axes.get_visible():
            texts += [axes.title, axes.xaxis.label, *axes.texts]
            inside = sorted(axes.get_xlim())
            texts += [t.label1 for t in axes.xaxis.get_major_ticks() if inside[0] <= t.get_loc() <= inside[1]]
            if axes.yaxis.get_tick_params()["labelleft"]:
                texts += axes.get_yticklabels()
    boxes = [(t.get_text(), t.get_window_extent(renderer)) for t in texts if t.get_text() and t.get_visible()]
    return [
        (one, other)
        for n, (one, a) in enumerate(boxes)
        for other, b in boxes[:n]
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1
    ]


def test_drawing_changes_no_setting_and_opens_no_window(many):
    from matplotlib import pyplot

    before = dict(matplotlib.rcParams)
    plots.stance(many)
    assert dict(matplotlib.rcParams) == before
    assert not pyplot.get_fignums()


def test_what_a_reader_set_for_matplotlib_does_not_reach_a_figure_nor_do_signs_in_names(seeds_frame):
    from matplotlib import pyplot

    odd = {name: f"{name[:3]} $x_1$ \\frac{{$" for name in seeds_frame.article_id.unique()}
    frame = seeds_frame.assign(outlet=seeds_frame.article_id.map(odd))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        summary = summarize(frame)
    plain = plots.signals(summary)
    with pyplot.style.context(["dark_background", {"xtick.labelsize": 30}]):
        drawn = FigureCanvasAgg(plots.signals(summary))
        drawn.draw()
    canvas = FigureCanvasAgg(plain)
    canvas.draw()
    assert (np.asarray(canvas.buffer_rgba()) == np.asarray(drawn.buffer_rgba())).all()
    names = [label.get_text() for label in plain.axes[0].get_yticklabels()]
    assert names == list(odd.values())


def test_a_figure_of_scores_is_that_of_their_summary(seeds_frame, of_seeds):
    def drawn(figure):
        return [[line.get_xydata().tolist() for line in axes.lines] for axes in figure.axes]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert drawn(plots.signals(seeds_frame)) == drawn(plots.signals(of_seeds))


def test_agreement_learning_curve_gate_and_reliability_are_drawn(annotator):
    of = [SignalAgreement("stance", 20, 0.7, None, None), SignalAgreement("garble", 20, -0.1, 0.4, 0.3)]
    figure = plots.agreement(Agreement(20, 20, of, [], []))
    [axes] = figure.axes
    assert [float(x) for line in axes.lines for x in line.get_xdata() if line.get_marker() == "o"] == [
        0.7,
        -0.1,
    ]
    assert axes.get_xlim()[0] < -0.1
    points = pd.DataFrame(
        {"sentences": [0, 10, 0, 10], "signal": list("aabb"), "value": [0.1, 0.2, 0.3, 0.4]}
    )
    assert [axes.get_title() for axes in plots.learning_curve(points).axes] == ["a", "b"]
    one = {"where": "held out", "signal": "stance", "old": 0.5, "new": 0.4, "interval": (-0.2, -0.01)}
    figure = plots.gate({"compared": [{**one, "passed": False}]})
    assert legend(figure) == ["stands in the way", "99 % interval"]
    assert not overlaps(figure)
    calibration = annotator.bundle.config["figures"]["calibration"]
    assert len(plots.reliability(calibration).axes) == len(calibration)


def test_bad_input_is_one_sentence(many, of_seeds, annotator):
    with pytest.raises(UserError, match="no target 'Bergen' in these scores; there are Berg"):
        plots.stance(many, ["Bergen"])
    nothing = annotator.score_sentences(["It rained on Monday in the town of Halden."] * 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(UserError, match="No target was found"):
            plots.stance(nothing)
        with pytest.raises(UserError, match="Nobody is quoted"):
            plots.holders(nothing)
        with pytest.raises(UserError, match="all sentences are of one"):
            plots.contrasts(nothing)
    with pytest.raises(UserError, match="no outlet 'Nightly'"):
        plots.holders(many, groups=["Nightly"])
    with pytest.raises(UserError, match="“garble” is missing"):
        plots.signals(annotator.score_sentences(["It rained."]).drop(columns="garble"))
    with pytest.raises(UserError, match="No sentence has two"):
        plots.agreement(Agreement(3, 0, [], [], []))
    with pytest.raises(UserError, match="lack the column “signal”"):
        plots.learning_curve(pd.DataFrame({"sentences": [1]}))
    with pytest.raises(UserError, match="compared nothing"):
        plots.gate({"compared": []})
    with pytest.raises(UserError, match="was not measured"):
        plots.reliability({})
