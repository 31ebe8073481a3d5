"""Articles set beside each other: by event, sentence by sentence, and where the wording drifted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib import resources
from typing import Any

import numpy as np

from annotate.article import Sentence
from annotate.quotation import quotations
from annotate.siblings.alignment import Judge, Text, prepared, rarity
from annotate.siblings.drift import NONE, Drift, Suspects, suspects
from annotate.siblings.events import grouped, pairs_of, vectors_of
from annotate.siblings.names import Names
from annotate.siblings.said import WORD, Said
from annotate.siblings.vectors import vectors
from annotate.siblings.voices import voices

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Sibling:
    """A sentence that reports the same thing, with the probability that it does."""

    article_id: str
    sentence_id: str
    probability: float


@dataclass(frozen=True, slots=True)
class Beside:
    """What stands beside a sentence: the number of its event, its siblings, the likeliest first, and what may
    have drifted in it."""

    event: int
    siblings: list[Sibling]
    suspects: Suspects = NONE

    @property
    def drifts(self) -> list[Drift]:
        """Its drifts, judged without a model."""
        return self.suspects.judged(settings())

    def columns(self, start: int, read: Any = None) -> dict[str, list[dict[str, Any]]]:
        """The columns `siblings` and `drift` of the scores frame, for a sentence that starts there; read: as
        `Suspects.judged` has it."""
        return {
            "siblings": [
                {"article_id": s.article_id, "sentence_id": s.sentence_id, "similarity": s.probability}
                for s in self.siblings
            ],
            "drift": [
                {**asdict(d), "start": start + d.start, "end": start + d.end}
                for d in self.suspects.judged(settings(), read)
            ],
        }


@cache
def settings() -> dict[str, Any]:
    """How siblings are told: what `annotate.training.siblings` wrote."""
    path = resources.files("annotate.siblings") / "settings.json"
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def compare(
    articles: Sequence[Sequence[Sentence]],
    *,
    groups: Sequence[str | None] | None = None,
    reference: str | None = None,
    progress: Progress = lambda done, total: None,
) -> dict[str, Beside]:
    """What stands beside each content sentence that has siblings, by sentence id.

    articles: the sentences of each; groups: the event of each article where it is known (None: of none),
    else events are found by the articles' words; reference: the id of an article that is known to be right,
    which belongs to every event. The order of the articles changes nothing. `progress` is told (articles
    done, of all).
    """
    contents = [[s for s in article if not s.boilerplate and WORD.search(s.text)] for article in articles]
    order = sorted(
        (n for n, article in enumerate(contents) if article), key=lambda n: contents[n][0].article_id
    )
    if len(order) < 2:
        return {}
    ordered = [contents[n] for n in order]
    texts = [" ".join(s.text for s in article) for article in ordered]
    known = [groups[n] for n in order] if groups is not None else None
    events = by_name(known) if known is not None else found_events(texts)
    if reference is not None:
        events = with_reference(events, [article[0].article_id == reference for article in ordered])
    found: dict[str, Beside] = {}
    done, total = 0, sum(map(len, events))
    for number, event in enumerate(events):
        members = [ordered[n] for n in event]
        found.update(compare_event(number, members, [texts[n] for n in event], reference))
        done += len(event)
        progress(done, total)
    return found


def found_events(texts: Sequence[str]) -> list[list[int]]:
    """The articles of each event, by their words."""
    chosen = settings()
    return grouped(texts, chosen["same_event"], chosen["background"], chosen["documents"])


def by_name(groups: Sequence[str | None]) -> list[list[int]]:
    """The articles of each named event that has several."""
    found: dict[str, list[int]] = {}
    for n, group in enumerate(groups):
        if group is not None:
            found.setdefault(group, []).append(n)
    return [found[name] for name in sorted(found) if len(found[name]) > 1]


def with_reference(events: list[list[int]], is_reference: Sequence[bool]) -> list[list[int]]:
    """The reference joined to every event; alone with the articles where there is no event."""
    references = [n for n, yes in enumerate(is_reference) if yes]
    others = [[n for n in event if not is_reference[n]] for event in events]
    alone = [[n] for n, yes in enumerate(is_reference) if not yes and not any(n in event for event in events)]
    return [sorted({*references, *event}) for event in [*others, *alone] if event]


def compare_event(
    number: int, articles: Sequence[Sequence[Sentence]], texts: Sequence[str], reference: str | None
) -> Iterator[tuple[str, Beside]]:
    """The sentences of one event that have siblings."""
    of_texts = iter(vectors([s.text for article in articles for s in article]))
    said = [
        [
            Said(s.article_id, s.id, s.text, next(of_texts), quote.share, s.article_id == reference)
            for s, quote in zip(article, quotations((s.text, s.paragraph) for s in article), strict=True)
        ]
        for article in articles
    ]
    rare = rarity([sentence.tokens for article in said for sentence in article])
    names, chosen = Names(said), settings()
    pairs = pairs_of(vectors_of(texts, chosen["background"], chosen["documents"]))
    ready = [prepared(article, rare) for article in said]
    for own, siblings in beside(said, ready, pairs, Judge.of(chosen)):
        near = [Sibling(s.article_id, s.sentence_id, p) for s, p in siblings]
        yield own.sentence_id, Beside(number, near, suspects(own, voices(own, siblings), names))


def beside(
    said: Sequence[Sequence[Said]], texts: Sequence[Text], pairs: Sequence[tuple[int, int]], judge: Judge
) -> Iterator[tuple[Said, list[tuple[Said, float]]]]:
    """Each sentence that has siblings, and these, the likeliest first."""
    found: dict[tuple[int, int], list[tuple[Said, float]]] = {}
    for (i, j), p in zip(pairs, judge(texts, pairs), strict=True):
        for a, b in np.argwhere(judge.linked(p, texts[i], texts[j])).tolist():
            found.setdefault((i, a), []).append((said[j][b], float(p[a, b])))
            found.setdefault((j, b), []).append((said[i][a], float(p[a, b])))
    for (i, a), siblings in sorted(found.items()):
        yield said[i][a], sorted(siblings, key=lambda pair: (-round(pair[1], 4), pair[0].sentence_id))
