"""How far annotators agree: per signal, per annotator and over time.

Answers are measured by Krippendorff's alpha (Computing Krippendorff's Alpha-Reliability, 2011): 1 for full
agreement, 0 for what chance gives, less for worse. Every pair of answers to one question counts, so missing
ones do no harm. What a signal makes of a review (`Signal.judged`) sets the question and the scale: interval
distance for numbers (stance from against to favor, garble from none to major), nominal for the rest. Spans
are measured twice: by alpha over the words of the sentence, nominal in the labels that each word carries, and
by the F1 of exact spans between two annotators, where no count of what nobody marked is needed (Hripcsak &
Rothschild, Agreement, the F-measure, and reliability in information retrieval, 2005).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import fmean, median
from typing import Any

from annotate.corrections.adjudication import age, by_sentence, latest
from annotate.corrections.correction import Correction
from annotate.signals import SIGNALS
from annotate.signals.base import Signal, overlapping

WORD = re.compile(r"\w+")
NOTHING_SHARED = "no sentence has two annotators yet"

Rating = tuple[str, Hashable, Hashable]
"""Who said it, of what (any name), and what: a number or a name."""


@dataclass(frozen=True, slots=True)
class SignalAgreement:
    """Of one signal, over the sentences that two or more annotated.

    `questions` is the number that two or more answered, `alpha` theirs, `words_alpha` that of the words and
    `spans_f1` the mean over pairs of annotators, both None for signals without spans. A figure is also None
    where it is not defined: without anything that two answered, and where all answers are the same.
    """

    signal: str
    questions: int
    alpha: float | None
    words_alpha: float | None
    spans_f1: float | None


@dataclass(frozen=True, slots=True)
class AnnotatorFigures:
    """One annotator: sentences done and skipped, the median seconds a sentence took, and per signal the share
    of predictions left unchanged and the alpha over the pairs of answers that this annotator is part of."""

    annotator: str
    sentences: int
    skipped: int
    seconds: float | None
    accepted: dict[str, float | None]
    alpha: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class WeekFigures:
    """One ISO week, as in 2026-W48, of the annotations that were last changed in it: how many sentences, how
    many of them by two or more, and alpha per signal."""

    week: str
    sentences: int
    shared: int
    alpha: dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Agreement of a project's annotators. `sentences` have a usable annotation, `shared` of them two or more
    annotators."""

    sentences: int
    shared: int
    signals: list[SignalAgreement]
    annotators: list[AnnotatorFigures]
    weeks: list[WeekFigures]

    def to_dict(self) -> dict[str, Any]:
        """It as JSON takes it."""
        return asdict(self)

    def lines(self) -> list[str]:
        """It as a table for people; a dash where a figure is not defined."""
        names = [figures.signal for figures in self.signals]
        head = [f"{self.sentences} sentences annotated, {self.shared} by two or more."]
        if not self.shared:
            head.append(f"Agreement cannot be measured: {NOTHING_SHARED}.")
        of_signals = [
            [s.signal, str(s.questions), *map(_figure, (s.alpha, s.words_alpha, s.spans_f1))]
            for s in self.signals
        ]
        of_annotators = [
            [
                a.annotator,
                str(a.sentences),
                str(a.skipped),
                "–" if a.seconds is None else f"{a.seconds:.0f} s",
            ]
            for a in self.annotators
        ]
        accepted = [[a.annotator, *(_share(a.accepted[n]) for n in names)] for a in self.annotators]
        alphas = [[a.annotator, *(_figure(a.alpha[n]) for n in names)] for a in self.annotators]
        weeks = [
            [w.week, str(w.sentences), str(w.shared), *(_figure(w.alpha[n]) for n in names)]
            for w in self.weeks
        ]
        tables = [_table(["annotator", "sentences", "skipped", "median"], of_annotators)]
        tables.append(_table(["accepted unchanged", *names], accepted))
        if self.shared:
            tables.insert(
                0, _table(["signal", "answered by two", "alpha", "words", "exact spans"], of_signals)
            )
            tables.append(_table(["alpha with the others", *names], alphas))
            tables.append(_table(["alpha by week", "sentences", "shared", *names], weeks))
        return [*head, *(line for table in tables for line in ("", *table))]


def agreement(corrections: Iterable[Correction], signals: Sequence[Signal] = SIGNALS) -> Agreement:
    """Agreement over the latest usable annotation of each annotator and sentence."""
    corrections = list(corrections)
    voices = [latest(said) for _, said in by_sentence(corrections)]
    by_week: dict[str, list[list[Correction]]] = defaultdict(list)
    for said in voices:
        weeks: dict[str, list[Correction]] = defaultdict(list)
        for correction in said:
            weeks[week(correction)].append(correction)
        for name, of_week in weeks.items():
            by_week[name].append(of_week)
    return Agreement(
        sentences=len(voices),
        shared=_shared(voices),
        signals=[_of_signal(signal, voices) for signal in signals],
        annotators=[
            _of_annotator(name, corrections, voices, signals)
            for name in sorted({c.annotator for c in corrections})
        ],
        weeks=[
            WeekFigures(name, len(said), _shared(said), {s.name: alpha(ratings(s, said)) for s in signals})
            for name, said in sorted(by_week.items())
        ],
    )


def alpha(ratings: Iterable[Rating]) -> float | None:
    """Krippendorff's alpha: interval if every answer is a number, else nominal. None where it is not defined:
    nothing that two answered, or one answer everywhere."""
    from nltk.metrics.agreement import AnnotationTask
    from nltk.metrics.distance import binary_distance, interval_distance

    units: dict[Hashable, dict[str, Hashable]] = defaultdict(dict)
    for who, what, answer in ratings:
        units[what][who] = answer
    paired = [said for said in units.values() if len(said) > 1]
    answers = {answer for said in paired for answer in said.values()}
    if len(answers) < 2:
        return None
    numbers = all(isinstance(answer, int | float) for answer in answers)
    # Units by number: NLTK sorts them, and names of several kinds have no order.
    data = [(who, unit, answer) for unit, said in enumerate(paired) for who, answer in said.items()]
    return float(AnnotationTask(data, interval_distance if numbers else binary_distance).alpha())


def ratings(signal: Signal, sentences: Iterable[Sequence[Correction]]) -> list[Rating]:
    """What annotators answered for a signal; the questions are named by sentence and target."""
    return [
        (c.annotator, (c.key, target), answer)
        for said in sentences
        for c in said
        for target, answer in signal.judged(c.review).items()
    ]


def word_ratings(signal: Signal, sentences: Iterable[Sequence[Correction]]) -> list[Rating]:
    """Which of a signal's labels each word of each sentence carries."""
    found: list[Rating] = []
    for said in sentences:
        words = [match.span() for match in WORD.finditer(said[0].row["text"])]
        for c in said:
            labels: list[set[str]] = [set() for _ in words]
            for mark in c.review.of(signal.controls).marks:
                for n in overlapping(words, mark.start, mark.end):
                    labels[n].add(mark.label)
            found += [(c.annotator, (c.key, n), frozenset(own)) for n, own in enumerate(labels)]
    return found


def spans_f1(signal: Signal, sentences: Iterable[Sequence[Correction]]) -> float | None:
    """The F1 of exact spans (label and both ends) between two annotators, over all the sentences they share,
    then the mean over pairs. A pair that marked nothing at all has none; None if no pair has."""
    counts: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    for said in sentences:
        spans = {
            c.annotator: {(m.label, m.start, m.end) for m in c.review.of(signal.controls).marks} for c in said
        }
        for one, other in combinations(sorted(spans), 2):
            pair = counts[one, other]
            pair[0] += 2 * len(spans[one] & spans[other])
            pair[1] += len(spans[one]) + len(spans[other])
    found = [same / marked for same, marked in counts.values() if marked]
    return fmean(found) if found else None


def week(correction: Correction) -> str:
    """The ISO week in which it was last changed, as in 2026-W48."""
    year, number, _ = age(correction)[0].isocalendar()
    return f"{year}-W{number:02d}"


def _shared(sentences: Iterable[Sequence[Correction]]) -> int:
    return sum(len(said) > 1 for said in sentences)


def _of_signal(signal: Signal, voices: Sequence[Sequence[Correction]]) -> SignalAgreement:
    shared = [said for said in voices if len(said) > 1]
    answered = ratings(signal, shared)
    asked: dict[Hashable, int] = defaultdict(int)
    for _, what, _ in answered:
        asked[what] += 1
    spans = bool(signal.controls.labels)
    return SignalAgreement(
        signal.name,
        sum(n > 1 for n in asked.values()),
        alpha(answered),
        alpha(word_ratings(signal, shared)) if spans else None,
        spans_f1(signal, shared) if spans else None,
    )


def _of_annotator(
    name: str,
    corrections: Sequence[Correction],
    voices: Sequence[Sequence[Correction]],
    signals: Sequence[Signal],
) -> AnnotatorFigures:
    own = [c for said in voices for c in said if c.annotator == name]
    times = [c.lead_time for c in own if c.lead_time is not None]
    with_name = [said for said in voices if any(c.annotator == name for c in said)]
    return AnnotatorFigures(
        annotator=name,
        sentences=len(own),
        skipped=len({c.key for c in corrections if c.annotator == name and c.cancelled}),
        seconds=median(times) if times else None,
        accepted={s.name: _accepted(own, s) for s in signals},
        alpha={s.name: alpha(_paired_with(name, ratings(s, with_name))) for s in signals},
    )


def _paired_with(name: str, answered: Iterable[Rating]) -> list[Rating]:
    """Ratings that hold just the pairs of this annotator and one other: a unit for each."""
    of_unit: dict[Hashable, dict[str, Hashable]] = defaultdict(dict)
    for who, what, answer in answered:
        of_unit[what][who] = answer
    return [
        (who, (what, other), said[who])
        for what, said in of_unit.items()
        if name in said
        for other in said
        if other != name
        for who in (name, other)
    ]


def _accepted(own: Iterable[Correction], signal: Signal) -> float | None:
    """The share left as predicted, of what had a prediction."""
    became = [c.status[signal.name] for c in own if c.status.get(signal.name, "manual") != "manual"]
    return became.count("accepted") / len(became) if became else None


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.0%}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns in line, the first to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if n else cell.ljust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    ]
