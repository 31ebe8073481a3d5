"""Errors in translation by MQM, and the corpora that mark them (Freitag et al. 2021).

A major error changes or breaks the meaning, a minor one does not. A span's value is (share of raters who mark
it, share who mark it major, index of the category); a sentence's label is (share of raters who see a major
error, log(1 + penalty), penalty), or has None where a corpus does not say.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from annotate.signals.base import Example

if TYPE_CHECKING:
    import pandas as pd

CATEGORIES = (
    "mistranslation",
    "grammar",
    "punctuation",
    "name",
    "awkward",
    "terminology",
    "spelling",
    "addition",
    "omission",
    "other",
)
SEVERITIES = ("minor", "major")
PENALTY = {"minor": 1.0, "major": 5.0}
"""What an error of each severity costs (Freitag et al. 2021)."""
MINOR_PUNCTUATION = 0.1
"""What minor punctuation costs instead."""


def category_of(mqm: str) -> int:
    """The index of the category that a WMT name such as `Fluency/Grammar` falls under."""
    name = mqm.split("/")[-1].lower()
    name = {"address": "name", "inappropriate": "terminology", "inconsistent": "terminology"}.get(name, name)
    return CATEGORIES.index(name) if name in CATEGORIES else CATEGORIES.index("other")


def cost(category: str, severity: str) -> float:
    """The penalty of one error."""
    if (category, severity) == ("punctuation", "minor"):
        return MINOR_PUNCTUATION
    return PENALTY[severity]


def read_mqm(rows: pd.DataFrame) -> list[Example]:
    """zhen_*: several raters' spans become disjoint ones with shares of raters; the penalty is the visible
    one."""
    examples = []
    for r in rows.itertuples():
        marks = [
            (int(start), int(end), severity == "major", category_of(category), rater)
            for (start, end, severity, category), rater in zip(
                json.loads(r.error_spans), json.loads(r.span_raters), strict=True
            )
            if severity != "neutral" and not category.endswith("Omission")
        ]
        n = int(r.n_raters)
        majors = len({rater for _, _, major, _, rater in marks if major}) / n
        label = (majors, float(np.log1p(r.score_visible)), float(r.score_visible))
        examples.append(Example(r.text, tuple(shares(marks, n)), label, document=f"{r.doc_id}:{r.seg_id}"))
    return examples


def shares(
    marks: list[tuple[int, int, bool, int, str]], raters: int
) -> Iterator[tuple[int, int, tuple[float, float, int]]]:
    """Overlapping marks of several raters as disjoint spans with the share of raters who mark them, the
    share who mark them major, and the category of the shortest mark."""
    edges = sorted({edge for start, end, *_ in marks for edge in (start, end)})
    for start, end in pairwise(edges):
        over = [mark for mark in marks if mark[0] <= start and mark[1] >= end]
        if over:
            shortest = min(over, key=lambda mark: mark[1] - mark[0])
            any_share = len({mark[4] for mark in over}) / raters
            major_share = len({mark[4] for mark in over if mark[2]}) / raters
            yield start, end, (any_share, major_share, shortest[3])


def read_post_edits(rows: pd.DataFrame) -> list[Example]:
    """mlqe_pe_en: what a post-editor changed counts as an error of unknown severity; sentences are
    judged garbled or not, or left out of the sentence loss."""
    import pandas as pd

    examples = []
    for r in rows.itertuples():
        spans = tuple((int(s), int(e), (1.0, None, None)) for s, e, *_ in json.loads(r.error_spans))
        label = None if pd.isna(r.garbled) else (float(r.garbled), None, None)
        examples.append(Example(r.text, spans, label, document=str(r.doc_id)))
    return examples


def read_phrases(rows: pd.DataFrame) -> list[Example]:
    """tortured_phrases, petci_idioms: short phrases, spun or calqued against right ones. Machine
    renderings of idioms are not judged one by one (some are right), so they count as half."""
    import pandas as pd

    examples = []
    for r in rows.itertuples():
        garbled = 0.5 if pd.isna(r.garbled) else float(r.garbled)
        spans = ((0, len(r.text), (garbled, None, None)),) if garbled and r.text else ()
        examples.append(Example(r.text, spans, (garbled, None, None), document=str(r.doc_id)))
    return examples


def true_spans(example: Example) -> list[tuple[int, int, str]]:
    """Start, end and severity of the spans that half the raters or more mark."""
    return [
        (start, end, SEVERITIES[int(major >= share / 2)])
        for start, end, (share, major, _) in example.spans
        if share >= 0.5
    ]


def true_categories(example: Example) -> list[int]:
    """The category of each of `true_spans`."""
    return [category for _, _, (share, _, category) in example.spans if share >= 0.5]
