"""Figures of agreement and of models: how far annotators agree, what corrections give, how models compare."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from annotate.errors import UserError
from annotate.plots.drawing import (
    COLOURS,
    GREY,
    MARKERS,
    Voice,
    blank,
    handle,
    legend,
    line,
    offset,
    stripes,
    styled,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from annotate.corrections.agreement import Agreement
    from annotate.training.gate import Judgement


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
    figure = blank(3.5, 0.95 + 0.36 * len(found.signals))
    axes = figure.subplots()
    stripes(axes, len(found.signals))
    for n, (name, said) in enumerate(figures):
        values = [(y, getattr(s, name)) for y, s in enumerate(found.signals)]
        there = [(value, y + offset(n, 3)) for y, value in values if value is not None]
        if there:
            axes.plot(*zip(*there, strict=True), MARKERS[n], color=COLOURS[n], markersize=4.5, label=said)
    names = [f"{s.signal} ({s.questions})" for s in found.signals]
    axes.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.5))
    axes.set(xlim=(min(-0.02, axes.get_xlim()[0]), 1.02), xlabel="agreement (1: full)")
    axes.axvline(0, color=GREY, linewidth=0.6)
    legend(figure, axes.get_legend_handles_labels()[0], columns=3)
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
    figure = blank(0.5 + 1.3 * len(names), 1.9)
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
    figure = blank(1.05 + 2.0 * len(places), 0.85 + 0.28 * len(names))
    panels = figure.subplots(1, len(places), sharey=True, squeeze=False)[0]
    for axes, where in zip(panels, places, strict=True):
        stripes(axes, len(names))
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
    interval = line("99 % interval", linewidth=1.4)
    legend(figure, [*(handle(look) for yes, look in looks if yes in there), interval], columns=3)
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
    figure = blank(1.35 * len(calibration) + 0.4, 1.95)
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


def _needs(points: pd.DataFrame, columns: Sequence[str]) -> None:
    missing = [column for column in columns if column not in points.columns]
    if missing:
        raise UserError(f"The points lack the column “{missing[0]}”; they need {', '.join(columns)}.")
    if points.empty:
        raise UserError("There are no points to draw.")
