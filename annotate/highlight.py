"""A scored sentence as HTML: its text with every span marked, safe to put into any page.

Spans may nest and overlap, elements may not: the sentence is cut wherever a span begins or ends, and each
piece carries the marks of all spans that cover it. `highlight.css` beside this file draws them, each kind by
a line or frame of its own besides its colour, in the palette of Okabe and Ito (2008).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from importlib import resources
from itertools import pairwise
from typing import Any

DRIFT = "drift"
STAND_IN = "\N{REPLACEMENT CHARACTER}"
BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of the text that follows, beyond its own element (Unicode TR 9)."""
WEAK = 0.5
"""Below this probability a mark is drawn faint: spans are kept from the threshold of best F2 on, which rather
shows one too many."""
LABELS = {"source": "who says it", "cue": "that it is said", "content": "what is said"}


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of a sentence (offsets into it): the signal, its kind (`major`, `source`, `against`, a drift's
    kind, or none), what it says in words, and its probability."""

    start: int
    end: int
    signal: str
    kind: str
    said: str
    probability: float = 1.0


@cache
def style() -> str:
    """The style sheet of the marks; every rule is about what stands inside an element of class `an`."""
    return (resources.files("annotate") / "highlight.css").read_text(encoding="utf-8")


def safe(text: str) -> str:
    """Text without what could disturb a page: white space is blanks, controls, lone surrogates and marks of
    direction are U+FFFD, one for one."""
    if text.isprintable() and text.isascii():
        return text
    return "".join(map(harmless, text))


@cache
def harmless(character: str) -> str:
    """One character as `safe` shows it."""
    if character.isspace():
        return " "
    control = unicodedata.category(character) in ("Cc", "Cs") or ord(character) & 0xFFFE == 0xFFFE
    return STAND_IN if control or character in BIDI else character


def items(value: Any) -> Sequence[Any]:
    """A cell that holds a list; none where it is null."""
    return () if value is None or isinstance(value, float) else value


def marks(row: Mapping[str, Any]) -> list[Mark]:
    """Every span of a row of the scores frame: those of the signals, the targets with the stance toward them,
    and the drifts."""
    from annotate.signals import SIGNALS

    found: list[Mark] = []
    start = int(row["start"])

    def mark(span: Mapping[str, Any], signal: str, kind: str, said: str, p: float) -> None:
        found.append(Mark(int(span["start"]) - start, int(span["end"]) - start, signal, kind, said, p))

    for signal in SIGNALS:
        for span in items(row.get(f"{signal.name}_spans")):
            kind = span.get("role") or span.get("severity") or ""
            words = [signal.name, LABELS.get(kind, span.get("category")), span.get("severity")]
            p = float(span["probability"])
            better = f"; better: “{span['better']}”" if span.get("better") else ""
            mark(span, signal.name, kind, ", ".join([*filter(None, words), f"{p:.0%}"]) + better, p)
    for stance in items(row.get("stance")):
        p = float(stance[f"p_{stance['label']}"])
        for mention in items(stance["mentions"]):
            said = f"stance toward {stance['target']}, {stance['label']}, {p:.0%}"
            mark(mention, "stance", stance["label"], said, p)
    for drift in items(row.get(DRIFT)):
        p = float(drift["probability"])
        theirs = f"“{drift['sibling_text']}”" if drift["sibling_text"] else "nothing of the kind"
        said = f"drift, {drift['kind']}, {p:.0%}; {drift['sibling_article_id']} has {theirs}"
        mark(drift, DRIFT, drift["kind"], said, p)
    return found


def highlighted(
    row: Mapping[str, Any], more: Iterable[Mark] = (), only: Collection[str] | None = None
) -> str:
    """The sentence of a row of the scores frame as HTML, its spans marked (of the signals in `only`, by
    default of all), and `more` besides.

    Every piece of a span is a `mark` element of the class `an-SIGNAL` with the span's kind in `data-kind`;
    `data-weak` stands where its probability is below a half, `data-part` (start, middle, end) where the span
    is cut into several pieces. `title` says in words what all marks of the piece say, `data-said` what this
    one says where there are several. The text is escaped, and `safe`.
    """
    text = str(row["text"])
    chosen = [m for m in marks(row) if only is None or m.signal in only]
    clipped = (replace(m, start=max(m.start, 0), end=min(m.end, len(text))) for m in (*chosen, *more))
    spans = sorted((m for m in clipped if m.start < m.end), key=lambda m: (m.start - m.end, m.start))
    edges = sorted({0, len(text), *(edge for m in spans for edge in (m.start, m.end))})
    return "".join(piece(text, a, b, [m for m in spans if m.start <= a < m.end]) for a, b in pairwise(edges))


def piece(text: str, start: int, end: int, covering: Sequence[Mark]) -> str:
    """A stretch of text inside the marks that cover it, the longest outermost."""
    html = escape(safe(text[start:end]))
    for n, mark in enumerate(reversed(covering)):
        title = "\n".join(m.said for m in reversed(covering)) if n == 0 else mark.said
        attributes = {"class": f"an-{mark.signal}", "data-kind": mark.kind, "title": title}
        if title != mark.said:
            attributes["data-said"] = mark.said
        if mark.probability < WEAK:
            attributes["data-weak"] = "1"
        if (mark.start, mark.end) != (start, end):
            attributes["data-part"] = (
                "start" if mark.start == start else "end" if mark.end == end else "middle"
            )
        written = "".join(f' {k}="{escape(safe(v))}"' for k, v in attributes.items() if v)
        html = f"<mark{written}>{html}</mark>"
    return html
