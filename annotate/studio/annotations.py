"""One annotation as Label Studio keeps it, read back as a correction; what cannot be read is said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from annotate.corrections.correction import Correction, Status
from annotate.signals.review import Review
from annotate.studio.form import SLOTS, SPAN, Form, slot
from annotate.studio.results import ResultError, reviewed, to_review

Raw = Mapping[str, Any]


def correction_of(task: Raw, annotation: Raw, form: Form, annotators: Mapping[int, str]) -> Correction:
    """The correction that an annotation of a task is. Both are as the server's API gives them, the task with
    its predictions."""
    by = annotation.get("completed_by")
    number = by.get("id") if isinstance(by, Mapping) else by
    name = by.get("email") if isinstance(by, Mapping) else annotators.get(number or 0)
    parent = _parent(task, annotation)
    row = (task.get("meta") or {}).get("row") or {}
    found = Correction(
        key=str(task["data"].get("key") or ""),
        task=int(task["id"]),
        annotation=int(annotation["id"]),
        annotator=name or f"user {number}",
        created_at=str(annotation["created_at"]),
        updated_at=str(annotation["updated_at"]),
        lead_time=annotation.get("lead_time"),
        ground_truth=bool(annotation.get("ground_truth")),
        cancelled=bool(annotation.get("was_cancelled")),
        model_version=parent.get("model_version") if parent else None,
        row=dict(row),
        result=list(annotation.get("result") or ()),
    )
    try:
        review = checked_review(found.result, form, task["data"])
        if not row:
            raise ResultError("its task was not pushed by annotate")
        if row.get("text") != task["data"].get("text"):
            raise ResultError("the text of its task was changed")
        columns = reviewed(review, form, found.row)
    except (ResultError, KeyError, TypeError, ValueError) as problem:
        return replace(found, problem=str(problem) or type(problem).__name__)
    return replace(found, review=review, columns=columns, status=_status(review, parent, form, task["data"]))


def checked_review(results: list[Any], form: Form, data: Raw) -> Review:
    """`to_review`, and nothing in it that the form does not know.

    Raises:
        ResultError: on a region without a label, an unknown label or choice, or a span beside the text.
    """
    labels = {label.value for label in form.labels}
    choices = {
        name: set(question.choices)
        for question in form.questions
        for name in (
            [slot(question.name, k) for k in range(SLOTS)] if question.scope == "target" else [question.name]
        )
    }
    for result in results:
        value = result.get("value") or {}
        if result.get("type") == "labels":
            if not value.get("labels"):
                raise ResultError(f"the region {value.get('text')!r} has no label")
            if strange := set(value["labels"]) - labels:
                raise ResultError(f"the label {min(strange)!r} is unknown")
            if result.get("from_name") != SPAN:
                raise ResultError(f"the labels {result.get('from_name')!r} are not of this form")
        known = choices.get(result.get("from_name", ""))
        if known is not None and (strange := set(value.get("choices") or ()) - known):
            raise ResultError(f"the choice {min(strange)!r} of {result['from_name']} is unknown")
    return to_review(results, form, data)


def _parent(task: Raw, annotation: Raw) -> Raw | None:
    """The prediction that an annotation started from: the one it names, else the newest."""
    predictions = sorted(task.get("predictions") or (), key=lambda p: p["id"])
    named = annotation.get("parent_prediction")
    number = named.get("id") if isinstance(named, Mapping) else named
    of_that = [p for p in predictions if p["id"] == number]
    return of_that[0] if of_that else predictions[-1] if predictions else None


def _status(review: Review, parent: Raw | None, form: Form, data: Raw) -> dict[str, Status]:
    if parent is None:
        return {signal.name: "manual" for signal in form.signals}
    try:
        predicted = to_review(parent.get("result") or (), form, data)
    except ResultError:
        predicted = Review()
    return {
        s.name: "accepted" if review.choices(s.controls) == predicted.choices(s.controls) else "corrected"
        for s in form.signals
    }
