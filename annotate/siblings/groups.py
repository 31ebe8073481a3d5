"""What `annotate compare` gives out: sentences that report the same thing, group by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from annotate.article import Sentence
from annotate.frame import DRIFT, SENTENCE_COLUMNS, SIBLING
from annotate.siblings.compare import Beside


@cache
def schema() -> Any:
    """One row per sentence that has siblings: the number of its event and of its group in the event
    (sentences linked with each other, directly or through others), the sentence, its siblings and drifts."""
    import pyarrow as pa

    return pa.schema(
        [
            ("event", pa.int64()),
            ("group", pa.int64()),
            *(column for column in SENTENCE_COLUMNS if column[0] != "boilerplate"),
            ("siblings", pa.list_(SIBLING)),
            ("drift", pa.list_(DRIFT)),
        ]
    )


def rows(articles: Sequence[Sequence[Sentence]], near: Mapping[str, Beside]) -> list[dict[str, Any]]:
    """The rows, event by event and group by group, each group in the order of the articles' ids."""
    sentences = {s.id: s for article in articles for s in article if s.id in near}
    label = {i: i for i in sorted(sentences)}

    def root(i: str) -> str:
        while label[i] != i:
            label[i] = label[label[i]]
            i = label[i]
        return i

    for i in sorted(sentences):
        for sibling in near[i].siblings:
            if sibling.sentence_id in label:
                one, other = sorted((root(i), root(sibling.sentence_id)))
                label[other] = one
    groups: dict[tuple[int, str], list[Sentence]] = {}
    for i, sentence in sentences.items():
        groups.setdefault((near[i].event, root(i)), []).append(sentence)

    def place(members: list[Sentence]) -> tuple[str, int]:
        return min((s.article_id, s.start) for s in members)

    found = []
    ordered = sorted(groups.items(), key=lambda item: (item[0][0], place(item[1])))
    numbers: dict[int, int] = {}
    for (event, _), members in ordered:
        number = numbers[event] = numbers.get(event, -1) + 1
        for s in sorted(members, key=lambda s: (s.article_id, s.start)):
            found.append(
                {
                    "event": event,
                    "group": number,
                    "article_id": s.article_id,
                    "outlet": s.outlet,
                    "sentence_id": s.id,
                    "start": s.start,
                    "end": s.end,
                    "text": s.text,
                    **near[s.id].columns(s.start),
                }
            )
    return found
