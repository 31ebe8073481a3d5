"""Reviews as Label Studio's results, and annotations back to reviews and columns.

Offsets are Unicode code points into the sentence, end exclusive, on both sides; every span is checked
against the text it claims to cover, whichever way it travels.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from annotate.signals.review import Answer, Mark, Review
from annotate.studio.form import SLOTS, SPAN, Form, slot

Result = dict[str, Any]


class ResultError(ValueError):
    """A review that cannot travel: an offset beside the text, or a value the form does not have."""


def to_results(review: Review, form: Form, data: Mapping[str, Any], version: str) -> list[Result]:
    """A review as the results of one prediction on the task with this data.

    Region ids are hashes, the same on every run. Answers for a target that has no slot in the task are
    left out; see `without_slot`.
    """
    text, key = data["text"], data["key"]
    sent: dict[str, list[Result]] = {}
    for mark in review.marks:
        value = {"start": mark.start, "end": mark.end, "text": _covered(text, mark.start, mark.end)}
        region = _id(key, version, mark.label, mark.start, mark.end)
        base = {"id": region, "to_name": "text", **_score(mark.probability)}
        results = [{**base, "from_name": SPAN, "type": "labels", "value": {**value, "labels": [mark.label]}}]
        for name, said in mark.answers.items():
            kind, field = _kind(form, name)
            results.append({**base, "from_name": name, "type": kind, "value": {**value, field: [said]}})
        sent.setdefault(region, results)  # two targets may share a mention: it is one span
    for answer in review.answers:
        name = answer.question
        if answer.target is not None:
            k = slots(data).get(answer.target)
            if k is None:
                continue
            name = slot(name, k)
        kind, field = _kind(form, answer.question)
        region = _id(key, version, name)
        base = {"id": region, "to_name": "text", **_score(answer.probability)}
        sent[region] = [{**base, "from_name": name, "type": kind, "value": {field: [answer.value]}}]
    return [result for results in sent.values() for result in results]


def to_review(results: Iterable[Result], form: Form, data: Mapping[str, Any]) -> Review:
    """Results of an annotation (or prediction) as a review. Raises ResultError on a span beside its text."""
    targets = {k: target for target, k in slots(data).items()}
    per_slot = {slot(q.name, k): (q.name, targets.get(k)) for q in form.asked("target") for k in range(SLOTS)}
    labels: dict[str, Result] = {}
    spoken: dict[str, dict[str, str]] = {}
    answers = []
    for result in results:
        value, name = result.get("value"), result.get("from_name", "")
        if value is None or result["type"] == "relation":
            continue
        if result["type"] == "labels":
            if _covered(data["text"], value["start"], value["end"]) != value.get("text"):
                raise ResultError(
                    f"the span {value['start']}–{value['end']} does not read {value.get('text')!r}"
                )
            if value.get("labels"):
                labels[result["id"]] = result
            continue
        said = value.get("choices") if result["type"] == "choices" else value.get("text")
        if not said:
            continue
        words = said if isinstance(said, str) else "\n".join(said)
        if "start" in value:
            spoken.setdefault(result["id"], {})[name] = words
        else:
            question, target = per_slot.get(name, (name, None))
            if name in per_slot and target is None:
                continue  # an answer for an empty slot is about nothing
            answers.append(Answer(question, words, result.get("score"), target, result.get("origin")))
    marks = [
        Mark(
            label,
            result["value"]["start"],
            result["value"]["end"],
            result.get("score"),
            spoken.get(region, {}),
            result.get("origin"),
        )
        for region, result in labels.items()
        for label in result["value"]["labels"]
    ]
    return Review(tuple(sorted(marks, key=lambda m: (m.start, m.end, m.label))), tuple(answers))


def reviewed(review: Review, form: Form, row: dict[str, Any]) -> dict[str, Any]:
    """The signals' columns after a review; each signal sees what its own controls hold."""
    columns: dict[str, Any] = {}
    for signal in form.signals:
        columns |= signal.from_review(review.of(signal.controls), row)
    return columns


def slots(data: Mapping[str, Any]) -> dict[str, int]:
    """Which target stands in which slot of a task."""
    return {target: k for k in range(SLOTS) if (target := data.get(f"target_{k}"))}


def without_slot(review: Review, data: Mapping[str, Any]) -> list[str]:
    """Targets that the review judges and the task has no slot for."""
    return sorted({a.target for a in review.answers if a.target is not None} - slots(data).keys())


def _covered(text: str, start: int, end: int) -> str:
    if not (isinstance(start, int) and isinstance(end, int) and 0 <= start < end <= len(text)):
        raise ResultError(
            f"the span {start}–{end} lies outside the sentence, which has {len(text)} characters"
        )
    return text[start:end]


def _kind(form: Form, name: str) -> tuple[str, str]:
    return ("textarea", "text") if name in {box.name for box in form.boxes} else ("choices", "choices")


def _score(probability: float | None) -> dict[str, float]:
    if probability is None or not math.isfinite(probability):
        return {}
    return {"score": float(probability)}


def _id(*parts: object) -> str:
    return hashlib.sha256("\x1f".join(map(str, parts)).encode()).hexdigest()[:10]
