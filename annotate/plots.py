"""Figures of a summary, of agreement and of models, as a paper could print them.

    summary = annotate.summarize(frame)
    annotate.plots.stance(summary).savefig("stance.pdf")

Every function returns a matplotlib `Figure` and shows, prints or changes nothing else; in a notebook that
begins with `%matplotlib inline` a cell that ends in one shows it. Colours are those of Okabe and Ito
(2008, Color Universal Design), and whatever a colour tells a shape tells too. What rests on fewer
articles than an interval over articles needs is drawn thin and dashed with a pale mark; where there is
too little for any interval, the words "too few" stand in its place.
"""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

from annotate.errors import UserError
from annotate.summary import Summary, summarize

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from annotate.corrections.agreement import Agreement
    from annotate.scores import Scores
    from annotate.training.gate import Judgement

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
"""Okabe and Ito's, with grey for yellow, as a thin yellow line on white paper is lost."""
MARKERS = ("o", "D", "s", "^", "v", "P", "X", "p")
GREY, STRIPE = "#666666", "#F4F4F4"
STYLE = {
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 8,
    "legend.fontsize": 7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.size": 0,
    "figure.dpi": 150,
    "text.parse_math": False,
}
PANEL, MARGIN, ROW = 1.4, 1.45, 0.33
"""Inches: the width of a panel, of the names beside it, and the height of a row; four panels fill a
page."""
LINE = 0.16
"""Inches: the height of one mark in a list of them."""
ACROSS = 4
"""Panels side by side, at the most."""
TOO_FEW = "too few"


@dataclass(frozen=True, slots=True)
class Voice:
    """How whose words they are is drawn."""

    name: str
    said: str
    colour: str
    pale: str
    marker: str
    filled: bool


VOICES = (
    Voice("outlet", "the outlet’s own voice", COLOURS[0], "#B3D4E8", "o", True),
    Voice("source", "quoted sources", COLOURS[1], "#FFFFFF", "D", False),
)
ALL = Voice("all", "all sentences", "#000000", "#CCCCCC", "s", True)
TITLES = {
    "hedging": "Hedged",
    "loaded": "Loaded language",
    "garble": "Garbled",
    "attribution": "Said by a source",
}
"""Of the signals, in the order of the panels."""


P = ParamSpec("P")


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """A function whose figure has STYLE, whatever else matplotlib is set to."""

    @wraps(draw)
    def within(*args: P.args, **kwargs: P.kwargs) -> Figure:
        import matplotlib

        with matplotlib.rc_context():
            matplotlib.rcdefaults()
            matplotlib.rcParams.update(STYLE)
            figure = draw(*args, **kwargs)
            figure.draw_without_rendering()  # ticks are made when first drawn, in the style of that time
            return figure

    return within


@styled
def stance(scores: Summary | Scores, targets: Sequence[str] | None = None) -> Figure:
    """Mean stance toward each target, by outlet, the outlet's own voice apart from that of its sources.

    scores: a summary, or what `annotate.summarize` takes. targets: those to show, in this order; by
    default the four that most sentences name. The axis runs from −1 (against) to 1 (in favour).

    Raises:
        UserError: where no target was found, or one that is asked for is not among them.
    """
    summary = of(scores)
    table = summary.stance[summary.stance["voice"] != ALL.name]
    chosen = _targets(table, targets)
    panels = [
        Panel(target, table[table["target"] == target], "mean", "mean stance", (-1, 1)) for target in chosen
    ]
    return _panels(summary, panels)


@styled
def signals(scores: Summary | Scores) -> Figure:
    """The share of sentences that are a source's, hedged, loaded and garbled, by outlet, in per cent.

    Raises:
        UserError: where there is nothing to show.
    """
    summary = of(scores)
    panels = []
    for signal in _signals(summary):
        rows = summary.signals[summary.signals["signal"] == signal]
        apart = rows[rows["voice"] != ALL.name]
        shown, voices = (apart, VOICES) if len(apart) else (rows, (ALL,))
        panels.append(Panel(_title(signal), shown, "share", "% of sentences", None, 100, voices))
    return _panels(summary, panels)


@styled
def contrasts(scores: Summary | Scores, targets: Sequence[str] | None = None) -> Figure:
    """How each outlet differs from all others together: percentage points for the signals, points on the
    scale from −1 to 1 for stance. An interval that leaves out zero tells of a difference that chance does
    not explain, for this comparison by itself.

    targets: as in `stance`.

    Raises:
        UserError: where there is only one outlet, or a target that is asked for is not there.
    """
    summary = of(scores)
    table = summary.contrasts
    if table.empty:
        raise UserError(
            f"There is nothing to set the {summary.by} beside: all sentences are of one; score articles of "
            "several."
        )
    panels = []
    for signal in _signals(summary):
        rows = table[table["measure"] == signal]
        apart = rows[rows["voice"] != ALL.name]
        shown, voices = (apart, VOICES) if len(apart) else (rows, (ALL,))
        panels.append(Panel(_title(signal), shown, "difference", "percentage points", None, 100, voices))
    toward = table[(table["measure"] == "stance") & (table["voice"] != ALL.name)]
    if len(toward) or targets:
        for target in _targets(toward, targets):
            rows = toward[toward["target"] == target]
            panels.append(Panel(f"Stance: {target}", rows, "difference", "difference in stance", None))
    return _panels(summary, panels, zero=True)


@styled
def holders(scores: Summary | Scores, top: int = 15, groups: Sequence[str] | None = None) -> Figure:
    """Who is quoted, in per cent of an outlet's sentences: the `top` that are quoted in most sentences.

    groups: the outlets to show; by default the eight with the most sentences.

    Raises:
        UserError: where nobody is quoted, or an outlet that is asked for is not there.
    """
    summary = of(scores)
    sizes = summary.groups.sort_values("sentences", ascending=False, kind="stable")[summary.by]
    shown = list(groups) if groups is not None else sorted(sizes[: len(MARKERS)])
    _known(shown, sizes, summary.by)
    if len(shown) > len(MARKERS):
        raise UserError(
            f"There is room for {len(MARKERS)} in a figure of who is quoted, not for {len(shown)}."
        )
    table = summary.holders[summary.holders[summary.by].isin(shown)]
    if table.empty:
        raise UserError("Nobody is quoted in these sentences, so there is no figure of who is quoted.")
    order = table.groupby("holder")["sentences"].sum().sort_values(ascending=False, kind="stable").index[:top]
    table = table[table["holder"].isin(order)].set_index(["holder", summary.by])
    lines = [(holder, [g for g in shown if (holder, g) in table.index]) for holder in order]
    height = sum(len(own) for _, own in lines)
    figure = _figure(4.2, 0.75 + LINE * (height + 0.6 * len(lines)) + LINE * -(-(len(shown) + 2) // 2))
    axes = figure.subplots()
    y, middles = 0.0, []
    for n, (holder, own) in enumerate(lines):
        if n % 2 == 0:
            axes.axhspan(y - 0.8, y + len(own) - 0.2, color=STRIPE, linewidth=0, zorder=0)
        middles.append(y + (len(own) - 1) / 2)
        for group in own:
            _estimate(axes, table.loc[(holder, group)], "share", y, _look(shown, group), 100)
            y += 1
        y += 0.6
    axes.set(yticks=middles, yticklabels=[_short(holder, 34) for holder in order], ylim=(y - 0.8, -0.8))
    axes.set_xlabel(f"% of the {summary.by}’s sentences")
    axes.set_xlim(left=0)
    handles = [_handle(_look(shown, group)) for group in shown]
    if groups is None and len(sizes) > len(shown):
        handles.append(_words(f"those {len(shown)} of {len(sizes)} with the most sentences"))
    _legend(figure, [*handles, *_bases(set(table["basis"]), summary.level)], columns=2)
    return figure


@styled
def agreement(found: Agreement) -> Figure:
    """How far annotators agree, by signal: Krippendorff's alpha of the answers and of the words' labels,
    and the F1 of exact spans (`annotate.corrections.agreement`). 1 is full agreement, for alpha 0 what
    chance gives.

    Raises:
        UserError: where no sentence has two annotators.
    """
    figures = (
        ("alpha", "alpha, answers"),
        ("words_alpha", "alpha, words"),
        ("spans_f1", "F1 of exact spans"),
    )
    if not found.shared:
        raise UserError("No sentence has two annotators yet, so there is no agreement to show.")
    figure = _figure(3.5, 0.95 + 0.36 * len(found.signals))
    axes = figure.subplots()
    _stripes(axes, len(found.signals))
    for n, (name, said) in enumerate(figures):
        values = [(y, getattr(s, name)) for y, s in enumerate(found.signals)]
        there = [(value, y + _offset(n, 3)) for y, value in values if value is not None]
        if there:
            axes.plot(*zip(*there, strict=True), MARKERS[n], color=COLOURS[n], markersize=4.5, label=said)
    names = [f"{s.signal} ({s.questions})" for s in found.signals]
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.set(xlim=(min(-0.02, axes.get_xlim()[0]), 1.02), xlabel="agreement (1: full)")
    axes.axvline(0, color=GREY, linewidth=0.6)
    _legend(figure, axes.get_legend_handles_labels()[0], columns=3)
    return figure


@styled
def learning_curve(points: pd.DataFrame) -> Figure:
    """A figure of merit against the number of corrected sentences, a panel per signal.

    points: one row per model and signal with the columns `sentences, signal, value`, and if there are
    intervals `low` and `high`.

    Raises:
        UserError: where a column is missing, or there are no points.
    """
    _needs(points, ("sentences", "signal", "value"))
    names = list(points["signal"].unique())
    figure = _figure(0.5 + 1.3 * len(names), 1.9)
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for n, (axes, name) in enumerate(zip(panels, names, strict=True)):
        own = points[points["signal"] == name].sort_values("sentences")
        colour = COLOURS[n % len(COLOURS)]
        if {"low", "high"} <= set(own.columns):
            axes.fill_between(
                own["sentences"], own["low"], own["high"], color=colour, alpha=0.15, linewidth=0
            )
        axes.plot(own["sentences"], own["value"], MARKERS[n % len(MARKERS)] + "-", color=colour, markersize=4)
        axes.spines["left"].set_visible(True)
        axes.set(title=name)
        axes.grid(axis="y", color="#E6E6E6", linewidth=0.6)
        axes.set_axisbelow(True)
    panels[0].set_ylabel("mean of the signal’s figures")
    figure.supxlabel("corrected sentences", fontsize=8)
    return figure


@styled
def gate(judgement: Judgement | Mapping[str, Any]) -> Figure:
    """Two models compared as the gate compares them: the difference of each signal's figure, new less
    old, with its 99 % interval, held-out corrections and each frozen set in a panel of their own. What
    does not pass is a cross.

    judgement: what `annotate.training.gate.judge` gives, or `judgement` in a retraining's record.

    Raises:
        UserError: where nothing was compared.
    """
    said = judgement if isinstance(judgement, Mapping) else judgement.to_dict()
    compared = said["compared"]
    if not compared:
        raise UserError("The gate compared nothing: there were no labelled sentences for it.")
    places = list(dict.fromkeys(c["where"] for c in compared))
    names = list(dict.fromkeys(c["signal"] for c in compared))
    figure = _figure(MARGIN - 0.4 + 2.0 * len(places), 0.85 + 0.28 * len(names))
    panels = figure.subplots(1, len(places), sharey=True, squeeze=False)[0]
    for axes, where in zip(panels, places, strict=True):
        _stripes(axes, len(names))
        axes.axvline(0, color=GREY, linewidth=0.6)
        for c in compared:
            if c["where"] != where:
                continue
            y, value = names.index(c["signal"]), c["new"] - c["old"]
            colour, marker = (COLOURS[0], "o") if c["passed"] else (COLOURS[1], "X")
            axes.plot(c["interval"], [y, y], color=colour, linewidth=1.4, solid_capstyle="butt")
            axes.plot(value, y, marker, color=colour, markersize=5)
        axes.set(title=where, yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
        axes.set_xlabel("change, new less old")
    there = {bool(c["passed"]) for c in compared}
    looks = (
        (True, Voice("", "passes", COLOURS[0], "", "o", True)),
        (False, Voice("", "stands in the way", COLOURS[1], "", "X", True)),
    )
    interval = _line("99 % interval", linewidth=1.4)
    _legend(figure, [*(_handle(look) for yes, look in looks if yes in there), interval], columns=3)
    return figure


@styled
def reliability(calibration: Mapping[str, Mapping[str, Any]]) -> Figure:
    """How far probabilities can be taken at their word: the share of yes against the probability, a panel
    per signal; a mark's area is the share of dev sentences in its bin, the line what perfect calibration
    would be.

    calibration: by signal its `bins` and `error`, as in the figures of a model (`calibration` of
    `annotate.registry.Version.figures`).

    Raises:
        UserError: for a model whose calibration was not measured.
    """
    if not calibration:
        raise UserError("This model's calibration was not measured; `annotate evaluate --card` does it.")
    figure = _figure(1.35 * len(calibration) + 0.4, 1.95)
    panels = figure.subplots(1, len(calibration), sharey=True, squeeze=False)[0]
    for axes, (signal, found) in zip(panels, calibration.items(), strict=True):
        axes.plot([0, 1], [0, 1], color="#999999", linewidth=0.8)
        axes.scatter(
            [b["probability"] for b in found["bins"]],
            [b["yes"] for b in found["bins"]],
            s=[4 + 120 * b["weight"] for b in found["bins"]],
            color=COLOURS[0],
            alpha=0.8,
            linewidth=0,
        )
        axes.spines["left"].set_visible(True)
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal", xticks=(0, 0.5, 1), yticks=(0, 0.5, 1))
        axes.set(title=f"{signal}\nerror {100 * found['error']:.1f} points")
    panels[0].set_ylabel("share of yes")
    figure.supxlabel("probability", fontsize=8)
    return figure


# How it is drawn


@dataclass(frozen=True)
class Panel:
    """One estimate by group: rows with the columns `estimate, low, high, basis, voice`; times: what
    figures are multiplied by for the axis."""

    title: str
    rows: pd.DataFrame
    estimate: str
    unit: str
    limits: tuple[float, float] | None
    times: float = 1
    voices: tuple[Voice, ...] = VOICES


def of(scores: Summary | Scores) -> Summary:
    """A summary as it is, or of what `summarize` takes."""
    return scores if isinstance(scores, Summary) else summarize(scores)


def _panels(summary: Summary, panels: Sequence[Panel], zero: bool = False) -> Figure:
    """Groups down the side, a panel for each measure."""
    import pandas as pd

    everything = pd.concat([panel.rows for panel in panels]) if panels else None
    if everything is None or everything.empty:
        raise UserError("There is nothing to show: these scores hold no sentence with such a figure.")
    by = summary.by
    sizes = summary.groups.set_index(by)
    groups = [group for group in sizes.index if group in set(everything[by])]
    down = -(-len(panels) // ACROSS)
    across = -(-len(panels) // down)
    height = 0.5 + down * (0.45 + ROW * len(groups)) + 0.35
    voices = [v for v in (*VOICES, ALL) if v.name in set(everything["voice"])]
    figure = _figure(MARGIN + PANEL * across, height)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        _stripes(axes, len(groups))
        if zero or panel.limits:
            axes.axvline(0, color=GREY, linewidth=0.6, zorder=1)
        for n, voice in enumerate(panel.voices):
            own = panel.rows[panel.rows["voice"] == voice.name].set_index(by)
            for y, group in enumerate(groups):
                if group in own.index:
                    at = y + _offset(n, len(panel.voices))
                    _estimate(axes, own.loc[group], panel.estimate, at, voice, panel.times)
        axes.set_title(textwrap.fill(panel.title, 22))
        axes.set_xlabel(panel.unit)
        _limits(axes, panel, zero)
        labels = [_label(group, sizes.loc[group, "articles"]) for group in groups]
        axes.set(yticks=range(len(groups)), yticklabels=labels, ylim=(len(groups) - 0.5, -0.5))
    handles = [_handle(voice) for voice in voices]
    _legend(figure, [*handles, *_bases(set(everything["basis"]), summary.level)], columns=2)
    return figure


def _estimate(axes: Axes, row: pd.Series, estimate: str, y: float, voice: Voice, times: float) -> None:
    """A mark with its interval, as sure as its basis."""
    if row["basis"] == "none":
        middle = axes.get_yaxis_transform()
        axes.text(0.98, y, TOO_FEW, transform=middle, fontsize=6, color=voice.colour, ha="right", va="center")
        return
    sure = row["basis"] == "articles"
    line = {"linewidth": 1.5} if sure else {"linewidth": 0.8, "linestyle": (0, (3, 2))}
    axes.plot(
        [times * row["low"], times * row["high"]],
        [y, y],
        color=voice.colour,
        solid_capstyle="butt",
        zorder=2,
        **line,
    )
    face = voice.colour if sure and voice.filled else "#FFFFFF" if not voice.filled else voice.pale
    axes.plot(
        times * row[estimate],
        y,
        voice.marker,
        color=voice.colour,
        markerfacecolor=face,
        markersize=4.5 if voice.marker != "D" else 4,
        markeredgewidth=1.1 if sure else 0.7,
        zorder=3,
    )


def _limits(axes: Axes, panel: Panel, zero: bool) -> None:
    """The ends of an axis: the whole scale, or from nothing to what is there, or alike on both sides of
    zero."""
    if panel.limits:
        low, high = panel.limits
        axes.set_xlim(low - 0.04, high + 0.04)
        axes.set_xticks((-1, 0, 1), ("−1\nagainst", "0", "1\nin favour"))
        return
    ends = panel.times * panel.rows.loc[panel.rows["basis"] != "none", ["low", "high", panel.estimate]]
    most = 1.08 * float(ends.abs().max().max()) if len(ends) else 0.0
    most = most or panel.times / 10
    axes.set_xlim((-most if zero else 0), most)
    axes.locator_params(axis="x", nbins=3 if zero else 4)


def _look(groups: Sequence[str], group: str) -> Voice:
    """A colour and a shape for one of several groups."""
    n = list(groups).index(group)
    return Voice(group, _short(str(group), 30), COLOURS[n], "#FFFFFF", MARKERS[n], True)


def _stripes(axes: Axes, rows: int) -> None:
    """Every other row on a pale ground, so that the eye finds its name."""
    for y in range(0, rows, 2):
        axes.axhspan(y - 0.5, y + 0.5, color=STRIPE, linewidth=0, zorder=0)
    axes.set_axisbelow(True)


def _handle(voice: Voice) -> Any:
    from matplotlib.lines import Line2D

    face = voice.colour if voice.filled else "#FFFFFF"
    return Line2D(
        [],
        [],
        marker=voice.marker,
        linestyle="none",
        label=voice.said,
        color=voice.colour,
        markerfacecolor=face,
        markersize=4.5,
        markeredgewidth=1.1,
    )


def _words(said: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=said)


def _bases(bases: Iterable[str], level: float) -> list[Any]:
    """What the intervals speak of, as far as it occurs."""
    there = set(bases)
    found = []
    if "articles" in there:
        found.append(_line(f"{100 * level:g} % interval over articles", linewidth=1.5))
    if "sentences" in there:
        said = f"{100 * level:g} %, of these sentences only (pale mark)"
        found.append(_line(said, linewidth=0.8, linestyle=(0, (3, 2))))
    if "none" in there:
        found.append(_words(f"“{TOO_FEW}”: fewer than ten sentences"))
    return found


def _line(said: str, **look: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=GREY, label=said, **look)


def _legend(figure: Figure, handles: Sequence[Any], columns: int) -> None:
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(columns, len(handles)) or 1,
        frameon=False,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0.2,
    )


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _offset(n: int, of: int) -> float:
    """How far the n-th of several marks stands from the middle of its row."""
    return 0.0 if of == 1 else 0.6 * (n / (of - 1) - 0.5) * min(1.0, 0.35 + 0.1 * of)


def _label(group: Any, articles: int) -> str:
    """A group's name with what it rests on."""
    name = textwrap.fill(_short(str(group), 48), 25)
    return name if articles == 1 else f"{name}\n{articles} articles"


def _short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"


def _title(signal: str) -> str:
    return TITLES.get(signal, signal.capitalize())


def _signals(summary: Summary) -> list[str]:
    """The signals of a summary, those with a title first."""
    there = summary.signals["signal"].unique()
    return [*(name for name in TITLES if name in there), *(name for name in there if name not in TITLES)]


def _targets(table: pd.DataFrame, asked: Sequence[str] | None) -> list[str]:
    """The targets to show: those asked for, or the most named."""
    if table.empty:
        raise UserError(
            "No target was found in these sentences, so there is no stance to show; name targets with "
            "`targets=` or `--targets FILE` (`annotate targets PATH…` proposes some)."
        )
    named = table.groupby("target")["sentences"].sum().sort_values(ascending=False, kind="stable").index
    if asked is None:
        return list(named[:ACROSS])
    asked = [asked] if isinstance(asked, str) else list(asked)
    _known(asked, named, "target")
    return asked


def _known(asked: Iterable[str], there: Iterable[Any], what: str) -> None:
    names = list(there)
    for name in asked:
        if name not in names:
            listed = ", ".join(map(str, names[:8])) + (" …" if len(names) > 8 else "")
            raise UserError(f"There is no {what} {name!r} in these scores; there are {listed}.")


def _needs(points: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in points.columns]
    if missing:
        raise UserError(f"The points lack the column “{missing[0]}”; they need {', '.join(columns)}.")
    if points.empty:
        raise UserError("There are no points to draw.")
