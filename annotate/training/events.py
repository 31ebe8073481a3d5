"""Events written for this purpose (`rows/events*.jsonl`), with a language model's help: invented ones, each
told by four or five outlets of different kinds (agency, copy, retold, spun, translated, partisan), every
sentence with the facts it reports and marks where its wording went astray.

Two sentences of different outlets that share a fact are siblings. Those of `events-first` came first and
teach the comparing of articles alone; `events-train-*` and `events-dev`, by fifteen other hands, hold two or
three outlets each in a weak machine's English, and teach garble as well (`annotate.training.written`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib import resources

from annotate.training.written import Span, unmarked


@dataclass(frozen=True, slots=True)
class Told:
    """A sentence of a written event: its marks (start, end, kind and for meaning its severity) and the facts
    it reports."""

    text: str
    marks: tuple[Span, ...]
    facts: frozenset[str]


Event = dict[str, list[Told]]
"""Outlets and their sentences."""


def read_events(*splits: str) -> dict[str, Event]:
    """The written events by name: of `train`, `dev`, or `first`, which teach no model."""
    rows = resources.files("annotate.training") / "rows"
    names = tuple(f"events-{split}" for split in splits)
    files = sorted((f for f in rows.iterdir() if f.name.startswith(names)), key=lambda f: f.name)
    events: dict[str, Event] = {}
    for file in files:
        for row in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            text, marks = unmarked(row["text"])
            told = Told(text, tuple(marks), frozenset(row["facts"]))
            events.setdefault(row["event"], {}).setdefault(row["outlet"], []).append(told)
    return events
