"""How figures are drawn: colours and shapes, the mark with its interval, the legend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

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


def estimated(axes: Axes, row: pd.Series, estimate: str, y: float, voice: Voice, times: float) -> None:
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


def look(groups: Sequence[str], group: str) -> Voice:
    """A colour and a shape for one of several groups."""
    n = list(groups).index(group)
    return Voice(group, short(str(group), 30), COLOURS[n], "#FFFFFF", MARKERS[n], True)


def stripes(axes: Axes, rows: int) -> None:
    """Every other row on a pale ground, so that the eye finds its name."""
    for y in range(0, rows, 2):
        axes.axhspan(y - 0.5, y + 0.5, color=STRIPE, linewidth=0, zorder=0)
    axes.set_axisbelow(True)


def handle(voice: Voice) -> Any:
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


def words(said: str) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], linestyle="none", label=said)


def bases(bases: Iterable[str], level: float) -> list[Any]:
    """What the intervals speak of, as far as it occurs."""
    there = set(bases)
    found = []
    if "articles" in there:
        found.append(line(f"{100 * level:g} % interval over articles", linewidth=1.5))
    if "sentences" in there:
        said = f"{100 * level:g} %, of these sentences only (pale mark)"
        found.append(line(said, linewidth=0.8, linestyle=(0, (3, 2))))
    if "none" in there:
        found.append(words(f"“{TOO_FEW}”: fewer than ten sentences"))
    return found


def line(said: str, **look: Any) -> Any:
    from matplotlib.lines import Line2D

    return Line2D([], [], color=GREY, label=said, **look)


def legend(figure: Figure, handles: Sequence[Any], columns: int) -> None:
    figure.legend(
        handles=handles,
        loc="outside lower center",
        ncols=min(columns, len(handles)) or 1,
        frameon=False,
        handletextpad=0.5,
        columnspacing=1.2,
        borderaxespad=0.2,
    )


def blank(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def offset(n: int, of: int) -> float:
    """How far the n-th of several marks stands from the middle of its row."""
    return 0.0 if of == 1 else 0.6 * (n / (of - 1) - 0.5) * min(1.0, 0.35 + 0.1 * of)


def short(name: str, most: int) -> str:
    return name if len(name) <= most else name[: most - 1].rstrip() + "…"
