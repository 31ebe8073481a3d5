"""Adjudication: one truth per sentence and signal where annotators agree enough, else it is held back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from annotate.corrections.correction import Correction
from annotate.signals import SIGNALS
from annotate.signals.base import Signal
from annotate.signals.review import Mark


@dataclass(frozen=True, slots=True)
class Truth:
    """What holds of one sentence.

    `columns` are the frame's columns of the decided `signals`, as one annotator who gave the
    answer left them; `annotators` are all whose word counted.
    """

    key: str
    row: dict[str, Any]
    columns: dict[str, Any]
    signals: tuple[str, ...]
    annotators: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A signal of a sentence that stays open: what each annotator said of it, in short."""

    key: str
    row: dict[str, Any]
    signal: str
    answers: dict[str, str]

    def line(self) -> str:
        """It as one line of text."""
        said = "; ".join(f"{who}: {answer}" for who, answer in self.answers.items())
        return f"{self.row['article_id']} · {self.signal} · “{self.row['text']}” · {said}"

    def to_dict(self) -> dict[str, Any]:
        """It as JSON takes it, the row by its place and text alone."""
        place = {name: self.row[name] for name in ("article_id", "sentence_id", "text")}
        return {"key": self.key, **place, "signal": self.signal, "answers": dict(self.answers)}


@dataclass(frozen=True, slots=True)
class Adjudicated:
    """The truths, and what is held back; both in order of article, place and key, then of the signals."""

    truths: list[Truth]
    held_back: list[HeldBack]


def adjudicate(corrections: Iterable[Correction], signals: Sequence[Signal] = SIGNALS) -> Adjudicated:
    """Decide each sentence, signal by signal.

    Only usable annotations count, and of one annotator's several of a sentence the latest. One that was set
    as ground truth decides; several that differ decide nothing. Without one, the answer of more than half of
    the annotators holds. Two answers are the same if marks and choices are; free text does not count.
    """
    columns = {signal.name: [name for name, _ in signal.columns] for signal in signals}
    truths, held_back = [], []
    for key, said in by_sentence(corrections):
        voices = latest(said)
        ground = latest(c for c in said if c.ground_truth)
        row = max(voices, key=age).row
        decided: dict[str, Any] = {}
        names = []
        for signal in signals:
            judges = ground or voices
            answer = _winner([c.review.choices(signal.controls) for c in judges], unanimous=bool(ground))
            if answer is None:
                held_back.append(HeldBack(key, row, signal.name, _answers(judges, signal)))
                continue
            winner = max((c for c in judges if c.review.choices(signal.controls) == answer), key=age)
            decided |= {name: winner.columns[name] for name in columns[signal.name] if name in winner.columns}
            names.append(signal.name)
        if names:
            heard = sorted({c.annotator for c in (*voices, *ground)})
            truths.append(Truth(key, row, decided, tuple(names), tuple(heard)))
    return Adjudicated(truths, held_back)


def by_sentence(corrections: Iterable[Correction]) -> Iterator[tuple[str, list[Correction]]]:
    """The usable corrections of each sentence, in order of article, place and key."""
    groups: dict[str, list[Correction]] = {}
    for correction in corrections:
        if correction.usable:
            groups.setdefault(correction.key, []).append(correction)
    for said in groups.values():
        said.sort(key=lambda c: c.annotation)
    yield from sorted(groups.items(), key=lambda item: (*_place(item[1][0].row), item[0]))


def latest(corrections: Iterable[Correction]) -> list[Correction]:
    """The latest of each annotator, in order of their names."""
    ordered = sorted(corrections, key=lambda c: (c.annotator, age(c)))
    return [list(own)[-1] for _, own in groupby(ordered, key=lambda c: c.annotator)]


def age(correction: Correction) -> tuple[datetime, int]:
    """What orders corrections in time."""
    return datetime.fromisoformat(correction.updated_at), correction.annotation


def _place(row: dict[str, Any]) -> tuple[str, int]:
    return str(row["article_id"]), int(row["start"])


def _winner(answers: list[frozenset[Any]], *, unanimous: bool) -> frozenset[Any] | None:
    (answer, votes), *_ = Counter(answers).most_common(1)
    enough = votes == len(answers) if unanimous else 2 * votes > len(answers)
    return answer if enough else None


def _answers(corrections: Sequence[Correction], signal: Signal) -> dict[str, str]:
    return {c.annotator: _short(c, signal) for c in corrections}


def _short(correction: Correction, signal: Signal) -> str:
    """What a correction says of a signal, as in `China: against, Target “China”`."""
    own = correction.review.of(signal.controls)
    questions = {question.name for question in signal.controls.questions}
    answers = [
        f"{a.target}: {a.value}" if a.target else a.value for a in own.answers if a.question in questions
    ]
    marks = [
        _mark(m, correction.row["text"], questions) for m in sorted(own.marks, key=lambda m: (m.start, m.end))
    ]
    return ", ".join([*answers, *marks]) or "nothing"


def _mark(mark: Mark, text: str, questions: set[str]) -> str:
    chosen = [value for question, value in sorted(mark.answers.items()) if question in questions]
    about = f" ({', '.join(chosen)})" if chosen else ""
    return f"{mark.label} “{text[mark.start : mark.end]}”{about}"
