"""The form a reviewer fills in: the controls of all signals put together and checked.

Both the labelling interface and the results that travel are derived from it, so they cannot disagree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from annotate.signals.review import Label, Question, TextBox

if TYPE_CHECKING:
    from annotate.signals.base import Signal

SLOTS = 4
"""How many targets of a sentence can be judged; Label Studio needs them as fixed rows."""

SPAN = "label"
"""The control that holds every span label."""

OBJECTS = ("text", "context_before", "context_after", "siblings")
"""What the interface shows; no control may be called so."""

BUILT_IN_KEYS = frozenset(
    {"u", "enter", "escape", "backspace", "delete", "space", "tab", "left", "right", "up", "down"}
)
"""Keys without a modifier that Label Studio 1.23 keeps for itself on a page with text."""


@dataclass(frozen=True)
class Form:
    """All labels, questions and text boxes, in the order of the signals."""

    signals: tuple[Signal, ...]

    def __post_init__(self) -> None:
        names = Counter([SPAN, *OBJECTS])
        names.update(q.name for q in self.questions if q.scope != "target")
        names.update(slot(q.name, k) for q in self.questions if q.scope == "target" for k in range(SLOTS))
        names.update(box.name for box in self.boxes)
        labels = Counter(label.value for label in self.labels)
        keys = Counter(key.lower() for key in self.keys)
        for what, counted in (("control", names), ("label", labels), ("hotkey", keys)):
            if twice := [value for value, n in counted.items() if n > 1]:
                raise ValueError(f"the signals use the {what} {twice[0]!r} twice")
        if taken := BUILT_IN_KEYS & set(keys):
            raise ValueError(f"the hotkey {min(taken)!r} belongs to Label Studio itself")
        items: tuple[Question | TextBox, ...] = (*self.questions, *self.boxes)
        for item in items:
            if item.scope == "span" and not set(item.labels) <= set(labels):
                raise ValueError(f"{item.name!r} is asked of spans with a label that no signal has")

    @cached_property
    def labels(self) -> tuple[Label, ...]:
        return tuple(label for signal in self.signals for label in signal.controls.labels)

    @cached_property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for signal in self.signals for question in signal.controls.questions)

    @cached_property
    def boxes(self) -> tuple[TextBox, ...]:
        return tuple(box for signal in self.signals for box in signal.controls.boxes)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Every hotkey of the form."""
        of_labels = (label.key for label in self.labels)
        of_choices = (key for question in self.questions for row in question.keys for key in row)
        return tuple(key for key in (*of_labels, *of_choices) if key)

    def asked(self, scope: str) -> tuple[Question, ...]:
        return tuple(question for question in self.questions if question.scope == scope)

    def boxes_of(self, scope: str) -> tuple[TextBox, ...]:
        return tuple(box for box in self.boxes if box.scope == scope)


def form(signals: Iterable[Signal] | None = None) -> Form:
    """The form of these signals; of the package's own without argument."""
    from annotate.signals import SIGNALS

    return Form(tuple(SIGNALS if signals is None else signals))


def slot(question: str, k: int) -> str:
    """The control of a question for the target in slot k."""
    return f"{question}_{k}"
