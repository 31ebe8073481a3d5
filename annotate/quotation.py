"""What the quotation marks of a text say: where a quotation that was opened is still open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

OPENING, CLOSING, STRAIGHT = "“", "”", '"'


@dataclass(frozen=True, slots=True)
class Quotation:
    """Of one sentence: whether it starts inside a quotation, and the share of its characters that stand in
    quotation marks."""

    inside: bool
    share: float


def quotations(sentences: Iterable[tuple[str, int]]) -> list[Quotation]:
    """For each (text, number of its paragraph) of an article in order. A quotation that nobody closed ends
    with its paragraph."""
    found = []
    is_open, last = False, None
    for text, paragraph in sentences:
        if paragraph != last:
            is_open, last = False, paragraph
        marks, left_open = inside(text, is_open)
        found.append(Quotation(is_open, sum(marks) / max(1, len(text))))
        is_open = left_open
    return found


def inside(text: str, is_open: bool) -> tuple[list[bool], bool]:
    """For each character whether it stands in a quotation (the marks themselves do not), and whether one is
    open behind the text; `is_open` whether one is before it."""
    found = []
    for character in text:
        if character in (OPENING, CLOSING, STRAIGHT):
            is_open = character == OPENING or (character == STRAIGHT and not is_open)
            found.append(False)
        else:
            found.append(is_open)
    return found, is_open


def paragraphs(rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The number of each sentence's paragraph, from offsets into their article (`start`, `end`): more than a
    blank between two sentences begins a new one."""
    found: list[int] = []
    for n, row in enumerate(rows):
        new = n > 0 and row["start"] - rows[n - 1]["end"] > 1
        found.append(found[-1] + new if n else 0)
    return found
