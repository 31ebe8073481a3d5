"""Scored sentences as Label Studio's tasks, each with the model's prediction.

A task is one sentence with its neighbours and what other outlets wrote. Its identity is `data.key`, a
hash of sentence id and text: a changed text is a new task, and old corrections stay with the old one.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from annotate.quotation import paragraphs, quotations
from annotate.signals.review import Review
from annotate.studio.form import SLOTS, Form
from annotate.studio.results import ResultError, to_results

Row = dict[str, Any]
CONTEXT = 2
"""Sentences shown before and after."""


@dataclass(frozen=True)
class Sibling:
    """A sentence of another article that reports the same thing."""

    outlet: str
    text: str


@dataclass(frozen=True)
class Task:
    """One sentence for review. `score`: 0 to 1, lower for what should be reviewed sooner. `problem` says why
    it cannot be sent, or is None."""

    data: dict[str, Any]
    review: Review
    version: str
    score: float | None
    row: Row
    problem: str | None = None

    @property
    def key(self) -> str:
        key: str = self.data["key"]
        return key

    def prediction(self, form: Form, data: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The prediction as sent; `data` is that of the task on the server where it stands there already."""
        results = to_results(self.review, form, data or self.data, self.version)
        score = {} if self.score is None else {"score": self.score}
        return {"model_version": self.version, **score, "result": results}

    def new(self, form: Form) -> dict[str, Any]:
        """The task as imported. `meta.row` keeps the scored row, so a correction can be read back without
        the scores it came from."""
        return {"data": self.data, "meta": {"row": self.row}, "predictions": [self.prediction(form)]}


def key(sentence_id: str, text: str) -> str:
    """A task's identity in a project."""
    return hashlib.sha256(f"{sentence_id}\x1f{text}".encode(errors="surrogatepass")).hexdigest()[:24]


def model_version(signature: str) -> str:
    """A name of one fixed length for a scores signature: Label Studio matches versions by substring."""
    return f"annotate-{hashlib.sha256(signature.encode()).hexdigest()[:12]}"


def tasks(
    article: Sequence[Row],
    form: Form,
    sibling: Callable[[str], Sibling | None] = lambda sentence: None,
    place: Callable[[str], float | None] | None = None,
) -> Iterator[Task]:
    """The content sentences of one article, in order; boilerplate is neither pushed nor shown.

    sibling: what to show of a sentence by its id; place: the score that the prediction of a key gets; without
    it the score is how sure the model is.

    A sentence that names more than SLOTS targets gets slots for the first ones; the others are named in
    `targets_more`, under the slots.
    """
    rows = [row for row in article if not row["boilerplate"]]
    texts = [row["text"] for row in rows]
    marks = quotations(zip(texts, paragraphs(rows), strict=True))
    for n, row in enumerate(rows):
        review, problem = _review(row, form)
        targets = list(dict.fromkeys(a.target for a in review.answers if a.target is not None))
        more = ", ".join(targets[SLOTS:])
        name = key(row["sentence_id"], row["text"])
        data = {
            "key": name,
            "text": row["text"],
            "article_id": row["article_id"],
            "outlet": row["outlet"] or "",
            "sentence_id": row["sentence_id"],
            "position": n + 1,
            "start": row["start"],
            "context_before": " ".join(texts[max(0, n - CONTEXT) : n]),
            "context_after": " ".join(texts[n + 1 : n + 1 + CONTEXT]),
            **{f"target_{k}": targets[k] if k < len(targets) else "" for k in range(SLOTS)},
            "targets_more": f"Also named, without a row of their own: {more}" if more else "",
            "siblings_html": _beside(row, sibling),
            "meta_line": _meta_line(row, n + 1, len(rows)),
        }
        kept = {name: value for name, value in row.items() if name not in {"siblings", "drift"}}
        yield Task(
            data,
            review,
            model_version(row["model"] or ""),
            _certainty(row) if place is None else place(name),
            _finite(kept) | {"quoted": marks[n].inside},
            problem or _unsendable(row),
        )


def _review(row: Row, form: Form) -> tuple[Review, str | None]:
    """What all signals say about a sentence, as one review; or why there is none."""
    if row.get("model") is None:
        return Review(), "it has no scores"
    try:
        each = [signal.to_review(row) for signal in form.signals if signal.scored(row)]
    except (KeyError, TypeError) as problem:
        return Review(), f"its scores are incomplete ({problem!r})"
    return Review(tuple(m for r in each for m in r.marks), tuple(a for r in each for a in r.answers)), None


def _unsendable(row: Row) -> str | None:
    try:
        row["text"].encode()
    except UnicodeEncodeError:
        return "its text holds a lone surrogate"
    return "its text holds a NUL character" if "\0" in row["text"] else None


def problem_of(task: Task, form: Form, validate: Any) -> str | None:
    """Why a task must not be sent: the server would drop a bad prediction with a 201, or show it askew.

    `validate` is `LabelInterface.validate_prediction` of the project's own interface.
    """
    if task.problem is not None:
        return task.problem
    try:
        errors = validate(task.prediction(form), return_errors=True)
    except ResultError as error:
        return str(error)
    return str(errors[0]) if errors else None


def _certainty(row: Row) -> float | None:
    uncertainty = row.get("uncertainty")
    if uncertainty is None or not math.isfinite(uncertainty):
        return None
    return 1.0 - float(uncertainty)


def _meta_line(row: Row, n: int, of: int) -> str:
    parts = [row["outlet"] or row["article_id"], f"sentence {n} of {of}"]
    certainty = _certainty(row)
    if certainty is not None:
        parts.append(f"model {certainty:.0%} sure")
    return " · ".join(parts)


def _beside(row: Row, sibling: Callable[[str], Sibling | None]) -> str:
    """Siblings and drift as HTML; everything that came from an article is escaped."""
    blocks = []
    for near in sorted(row.get("siblings") or (), key=lambda s: -(s["similarity"] or 0.0)):
        found = sibling(near["sentence_id"])
        if found is not None:
            head = escape(found.outlet or near["article_id"])
            blocks.append(f"<blockquote><b>{head}</b><br>{escape(found.text)}</blockquote>")
    for drift in row.get("drift") or ():
        own = escape(row["text"][drift["start"] - row["start"] : drift["end"] - row["start"]])
        other = escape(drift["sibling_text"] or "")
        there = f"<mark>{other}</mark> there" if other else "nothing there"
        kind = escape(drift["kind"] or "wording")
        blocks.append(f"<blockquote><b>{kind}</b><br><mark>{own}</mark> here, {there}</blockquote>")
    return "".join(blocks)


def _finite(value: Any) -> Any:
    """The same value with NaN and infinities as null: JSON has none."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return value
