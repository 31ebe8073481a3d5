"""Garbled news sentences and their right versions, written for this purpose: `garbles/{train,dev}.jsonl`.

WMT news shows what translation systems got wrong in 2020 and 2021, not calques, spun words, broken clauses
and sentences that contradict themselves. Each row holds `good`, a sentence as it should be, and, unless its
`kind` is `clean` (right, but tempting), `bad`: the same with what went wrong marked as
`[[words|category|severity]]`, after MQM. They were written with a language model's help and keep away from
the seeds' topics, which stay an untouched test.
"""

from __future__ import annotations

import json
import re
from importlib import resources

import numpy as np

from annotate.signals.base import Example
from annotate.signals.mqm import CATEGORIES, PENALTY

MARK = re.compile(r"\[\[(.+?)\|(\w+)\|(major|minor)\]\]")


def read_written(split: str) -> list[Example]:
    """Both versions of each row; those of one row share a document."""
    path = resources.files("annotate.training") / "garbles" / f"{split}.jsonl"
    examples = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        row = json.loads(line)
        for text in (row["good"], row.get("bad")):
            if text is not None:
                examples.append(example(text, str(number)))
    return examples


def example(marked: str, document: str) -> Example:
    """A text with its marks taken out and kept as spans, as `annotate.signals.mqm` has them."""
    text, done = "", 0
    spans: list[tuple[int, int, tuple[float, float, int]]] = []
    penalty = 0.0
    for mark in MARK.finditer(marked):
        text += marked[done : mark.start()]
        words, category, severity = mark.groups()
        value = (1.0, float(severity == "major"), CATEGORIES.index(category))
        spans.append((len(text), len(text) + len(words), value))
        penalty += PENALTY[severity]
        text, done = text + words, mark.end()
    major = any(severe for _, _, (_, severe, _) in spans)
    label = (float(major), float(np.log1p(penalty)), penalty)
    return Example(text + marked[done:], tuple(spans), label, document=document)
