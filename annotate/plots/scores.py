"""Figures of a summary: stance, signals, contrasts and who is quoted, by outlet."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from annotate.errors import UserError
from annotate.plots.drawing import (
    ALL,
    GREY,
    MARKERS,
    STRIPE,
    VOICES,
    Voice,
    bases,
    blank,
    estimated,
    handle,
    legend,
    look,
    offset,
    short,
    stripes,
    styled,
    words,
)
from annotate.summary import Summary, summarize

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from annotate.scores import Scores

PANEL, MARGIN, ROW = 1.4, 1.45, 0.33
"""Inches: the width of a panel, of the names beside it, and the height of a row; four panels fill a
page."""
LINE = 0.16
"""Inches: the height of one mark in a list of them."""
ACROSS = 4
"""Panels side by side, at the most."""
TITLES = {
    "hedging": "Hedged",
    "loaded": "Loaded language",
    "garble": "Garbled",
    "attribution": "Said by a source",
}
"""Of the signals, in the order of the panels."""


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
    figure = blank(4.2, 0.75 + LINE * (height + 0.6 * len(lines)) + LINE * -(-(len(shown) + 2) // 2))
    axes = figure.subplots()
    y, middles = 0.0, []
    for n, (holder, own) in enumerate(lines):
        if n % 2 == 0:
            axes.axhspan(y - 0.8, y + len(own) - 0.2, color=STRIPE, linewidth=0, zorder=0)
        middles.append(y + (len(own) - 1) / 2)
        for group in own:
            estimated(axes, table.loc[(holder, group)], "share", y, look(shown, group), 100)
            y += 1
        y += 0.6
    axes.set(yticks=middles, yticklabels=[short(holder, 34) for holder in order], ylim=(y - 0.8, -0.8))
    axes.set_xlabel(f"% of the {summary.by}’s sentences")
    axes.set_xlim(left=0)
    handles = [handle(look(shown, group)) for group in shown]
    if groups is None and len(sizes) > len(shown):
        handles.append(words(f"those {len(shown)} of {len(sizes)} with the most sentences"))
    legend(figure, [*handles, *bases(set(table["basis"]), summary.level)], columns=2)
    return figure


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
    figure = blank(MARGIN + PANEL * across, height)
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    for axes in grid.flat[len(panels) :]:
        axes.set_visible(False)
    for axes, panel in zip(grid.flat, panels, strict=False):
        stripes(axes, len(groups))
        if zero or panel.limits:
            axes.axvline(0, color=GREY, linewidth=0.6, zorder=1)
        for n, voice in enumerate(panel.voices):
            own = panel.rows[panel.rows["voice"] == voice.name].set_index(by)
            for y, group in enumerate(groups):
                if group in own.index:
                    at = y + offset(n, len(panel.voices))
                    estimated(axes, own.loc[group], panel.estimate, at, voice, panel.times)
        axes.set_title(textwrap.fill(panel.title, 22))
        axes.set_xlabel(panel.unit)
        _limits(axes, panel, zero)
        labels = [_label(group, sizes.loc[group, "articles"]) for group in groups]
        axes.set(yticks=range(len(groups)), yticklabels=labels, ylim=(len(groups) - 0.5, -0.5))
    handles = [handle(voice) for voice in voices]
    legend(figure, [*handles, *bases(set(everything["basis"]), summary.level)], columns=2)
    return figure


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


def _label(group: Any, articles: int) -> str:
    """A group's name with what it rests on."""
    name = textwrap.fill(short(str(group), 48), 25)
    return name if articles == 1 else f"{name}\n{articles} articles"


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
