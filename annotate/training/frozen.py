"""The frozen set: sentences with labels that every installation has, by which each new model is judged.

Two parts: the seeds' gold (`seeds/gold.jsonl`, whose form seeds/README.md tells) and articles made up for
this purpose (`rows/frozen-*.jsonl`). Neither ever teaches. A line of the latter is a sentence: `article`,
`outlet`, `text`, `holder`, `source`, `cue`, `content`, `stance`, `hedges`, `loaded`, `garbles`; spans are
quoted from the text, with `#2` behind them where the second place is meant.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from annotate.signals import SIGNALS
from annotate.signals.base import Example, Row, Signal
from annotate.signals.mqm import CATEGORIES

PLACE = re.compile(r"(?s)(.*?)(?:#(\d))?")
SEEDS_CATEGORIES = {"word-choice": "terminology", "calque": "mistranslation", "word-order": "grammar"}
"""MQM categories for those of the seeds' gold that are named otherwise; what is left is `other`."""


@cache
def frozen() -> dict[Signal, list[Example]]:
    """The examples of each signal, from both parts; a row is none of a signal it has no labels of."""
    rows = [*written(), *seeds()]
    return {
        signal: [example for row in rows if signal.scored(row) for example in signal.examples(row)]
        for signal in SIGNALS
    }


def written() -> Iterator[Row]:
    """The made-up articles as rows with the columns of the scores frame, as a reviewer would leave them."""
    folder = resources.files("annotate.training") / "rows"
    for file in sorted((f for f in folder.iterdir() if f.name.startswith("frozen-")), key=lambda f: f.name):
        article, start = "", 0
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            if line["article"] != article:
                article, start = line["article"], 0
            text = line["text"]

            def span(part: str, text: str = text, start: int = start) -> dict[str, Any]:
                at, end = place(text, part)
                return {"start": start + at, "end": start + end, "probability": 1.0}

            yield {
                "article_id": article,
                "outlet": line["outlet"],
                "start": start,
                "end": start + len(text),
                "text": text,
                "holder_kind": line["holder"],
                "holder_name": line["holder_name"],
                "attribution": float(line["holder"] == "source"),
                "attribution_spans": [
                    {"role": role, **span(part)}
                    for role in ("source", "cue", "content")
                    for part in line[role]
                ],
                "stance": [
                    {"target": s["target"], "mentions": [span(m) for m in s["mentions"]], "label": s["label"]}
                    for s in line["stance"]
                ],
                "hedging": float(bool(line["hedges"])),
                "hedging_spans": [span(part) for part in line["hedges"]],
                "loaded": float(bool(line["loaded"])),
                "loaded_spans": [span(part) for part in line["loaded"]],
                "garble": float(any(g["severity"] == "major" for g in line["garbles"])),
                "garble_spans": [
                    {**span(g["span"]), **{k: g[k] for k in ("category", "severity", "better")}}
                    for g in line["garbles"]
                ],
            }
            start += len(text) + 1


def seeds() -> Iterator[Row]:
    """The seeds' gold as such rows; what it does not label (spans of attribution, loaded words) is absent,
    and a stance toward a target that the sentence does not name is left out."""
    from annotate.reading import load_targets

    folder = seeds_folder()
    targets = load_targets(folder / "targets.yaml")
    for line in map(json.loads, (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines()):
        if line["boilerplate"]:
            continue
        start, text = line["start"], line["text"]

        def placed(spans: list[dict[str, Any]], start: int = start) -> list[dict[str, Any]]:
            return [
                {**s, "start": start + s["start"], "end": start + s["end"], "probability": 1.0} for s in spans
            ]

        mentions = targets.mentions(text)
        garbles = placed(line["garbled_spans"])
        for span in garbles:
            category = SEEDS_CATEGORIES.get(span["category"], span["category"])
            span["category"] = category if category in CATEGORIES else "other"
        yield {
            "article_id": line["source"],
            "outlet": None,
            "start": start,
            "end": line["end"],
            "text": text,
            "stance": [
                {
                    "target": s["target"],
                    "mentions": [
                        {"start": start + m.start, "end": start + m.end}
                        for m in mentions
                        if m.target == s["target"]
                    ],
                    "label": s["label"],
                }
                for s in line["stance"]
            ],
            "hedging": float(bool(line["hedge_cues"])),
            "hedging_spans": placed(line["hedge_cues"]),
            "garble": float(any(g["severity"] == "major" for g in garbles)),
            "garble_spans": garbles,
        }


def seeds_folder() -> Path:
    """The folder with the seeds: inside a wheel, or `seeds/` of a checkout."""
    inside = Path(str(resources.files("annotate"))) / "seeds"
    return inside if inside.is_dir() else inside.parent.parent / "seeds"


def place(text: str, part: str) -> tuple[int, int]:
    """Where a quoted part stands in a text: its start and end.

    Raises:
        ValueError: when it does not stand there.
    """
    match = PLACE.fullmatch(part)
    assert match is not None
    words, at = match[1], -1
    for _ in range(int(match[2] or 1)):
        at = text.index(words, at + 1)
    return at, at + len(words)
