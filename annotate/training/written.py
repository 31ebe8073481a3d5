"""Corpora of news sentences written for this purpose: `rows/{garbles,retold,events,stances,hedges}-*.jsonl`.

Published corpora leave gaps. WMT news shows what translation systems got wrong in 2020 and 2021, not calques,
spun words, broken clauses and sentences that contradict themselves; newsmtsc is news of the United States; no
corpus here marks hedge cues in news. These rows were written with a language model's help, after the
definitions of the published corpora, and keep away from the seeds' topics, which stay an untouched test.

Marks stand in the text: `[[words]]`, in garbles `[[words|category|severity]]` after MQM. A row of garbles
holds `good`, a sentence as it should be, and, unless its `kind` is `clean` (right, but tempting), `bad`. A
row of retold holds what four outlets `told` of one fact, `[[words|kind|severity]]` where one of them erred.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from importlib import resources
from typing import Any

import numpy as np

from annotate.signals.base import Example, Signal
from annotate.signals.garble import GARBLE
from annotate.signals.hedging import HEDGING
from annotate.signals.mqm import CATEGORIES, cost
from annotate.signals.stance import STANCE, STANCES

MARK = re.compile(r"\[\[(.+?)\]\]")
Row = dict[str, Any]
Span = tuple[int, int, list[str]]


def read_written(name: str, split: str) -> list[Example]:
    """The examples of one split, `train` or `dev`; both versions of a sentence share a document."""
    stem, _, read = READ[name]
    files = (resources.files("annotate.training") / "rows").iterdir()
    mine = sorted((f for f in files if f.name.startswith(f"{stem}-{split}")), key=lambda f: f.name)
    lines = [line for file in mine for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        example for number, row in enumerate(map(json.loads, lines)) for example in read(row, str(number))
    ]


def garbles(row: Row, document: str) -> list[Example]:
    """The right version and, if there is one, the garbled one, as `annotate.signals.mqm` has them."""
    found = []
    for marked in (row["good"], row.get("bad")):
        if marked is None:
            continue
        found.append(judged(*unmarked(marked), document))
    return found


def judged(text: str, marks: Sequence[Span], document: str) -> Example:
    """A sentence with its marks, each with category and severity."""
    spans = tuple(
        (start, end, (1.0, float(severity == "major"), CATEGORIES.index(category)))
        for start, end, (category, severity) in marks
    )
    penalty = sum(cost(category, severity) for _, _, (category, severity) in marks)
    major = float(any(severe for _, _, (_, severe, _) in spans))
    return Example(text, spans, (major, float(np.log1p(penalty)), penalty), document)


def retold(row: Row, document: str) -> list[Example]:
    """Tellings of one fact: those that are right, and those in which nothing but the meaning of words went
    wrong, as a wrong name or number is seldom seen in a sentence alone."""
    found = []
    for marked in row["told"]:
        text, marks = unmarked(marked)
        if all(kind == "meaning" for _, _, (kind, _) in marks):
            spans = [(start, end, ["mistranslation", severity]) for start, end, (_, severity) in marks]
            found.append(judged(text, spans, document))
    return found


def events(row: Row, document: str) -> list[Example]:
    """A sentence of a written event (`annotate.training.events`), unless it went wrong in more than the
    meaning of its words."""
    text, marks = unmarked(row["text"])
    if any(kind != "meaning" for _, _, (kind, *_) in marks):
        return []
    return [judged(text, [(s, e, ["mistranslation", severity]) for s, e, (_, severity) in marks], document)]


def stances(row: Row, document: str) -> list[Example]:
    """A sentence with all mentions of one target."""
    text, marks = unmarked(row["text"])
    spans = tuple((start, end, "target") for start, end, _ in marks)
    return [Example(text, spans, STANCES.index(row["label"]), document)]


def hedges(row: Row, document: str) -> list[Example]:
    """A sentence with its cues; it is uncertain if it has one."""
    text, marks = unmarked(row["text"])
    return [Example(text, tuple((s, e, "cue") for s, e, _ in marks), float(bool(marks)), document)]


def unmarked(marked: str) -> tuple[str, list[Span]]:
    """A text without its marks, and each mark's start, end and values."""
    text, done = "", 0
    spans: list[Span] = []
    for mark in MARK.finditer(marked):
        text += marked[done : mark.start()]
        words, *values = mark.group(1).split("|")
        spans.append((len(text), len(text) + len(words), values))
        text, done = text + words, mark.end()
    return text + marked[done:], spans


READ: dict[str, tuple[str, Signal, Callable[[Row, str], list[Example]]]] = {
    "own_garbles": ("garbles", GARBLE, garbles),
    "own_retold": ("retold", GARBLE, retold),
    "own_events": ("events", GARBLE, events),
    "own_stances": ("stances", STANCE, stances),
    "own_hedges": ("hedges", HEDGING, hedges),
}
"""Per corpus: its files, the signal it teaches, and how a row is read."""
