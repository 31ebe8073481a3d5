"""What a signal shows to a reviewer and gets back: labels, questions, marks and answers.

A signal speaks only these words; how they look and travel in Label Studio is the business of
`annotate.studio`. So an interface is built from the signals and nothing is typed twice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class Label:
    """A kind of span a reviewer can draw. `key` is the hotkey that picks it."""

    value: str
    colour: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """A choice of one. Its scope is the sentence, each target slot, or each span with one of `labels`.

    `keys` are hotkeys, one per choice; for a question per target one row per slot.
    """

    name: str
    title: str
    choices: tuple[str, ...]
    keys: tuple[tuple[str | None, ...], ...] = ()
    scope: Literal["sentence", "target", "span"] = "sentence"
    labels: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True, slots=True)
class TextBox:
    """Free text: for the sentence, or for each span with one of `labels`."""

    name: str
    title: str
    scope: Literal["sentence", "span"] = "sentence"
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Controls:
    """Everything a signal asks of a reviewer."""

    labels: tuple[Label, ...] = ()
    questions: tuple[Question, ...] = ()
    boxes: tuple[TextBox, ...] = ()


@dataclass(frozen=True, slots=True)
class Mark:
    """A span in the sentence (offsets into its text) with a label.

    `answers` maps a span-scoped question or text box to its value; `origin` is set on what comes back:
    `prediction`, `prediction-changed` or `manual`.
    """

    label: str
    start: int
    end: int
    probability: float | None = None
    answers: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The value of a sentence-scoped question or text box, or of a question per target (`target` set)."""

    question: str
    value: str
    probability: float | None = None
    target: str | None = None
    origin: str | None = None


@dataclass(frozen=True, slots=True)
class Review:
    """One sentence as a reviewer sees it or left it."""

    marks: tuple[Mark, ...] = ()
    answers: tuple[Answer, ...] = ()

    def of(self, controls: Controls) -> Review:
        """The part of it that some controls hold."""
        labels = {label.value for label in controls.labels}
        names = {q.name for q in controls.questions} | {box.name for box in controls.boxes}
        return Review(
            tuple(mark for mark in self.marks if mark.label in labels),
            tuple(answer for answer in self.answers if answer.question in names),
        )

    def choices(self, controls: Controls) -> frozenset[tuple[object, ...]]:
        """What was chosen with some controls, free text left out: two reviews that agree have the same."""
        questions = {question.name for question in controls.questions}
        own = self.of(controls)
        marks = (
            (m.label, m.start, m.end, *sorted((q, a) for q, a in m.answers.items() if q in questions))
            for m in own.marks
        )
        answers = ((a.question, a.target, a.value) for a in own.answers if a.question in questions)
        return frozenset([*marks, *answers])
