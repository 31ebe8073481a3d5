"""Sentences that were scored once, scored again by another model: what is still open gets new predictions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from annotate.article import Mention, Sentence
from annotate.quotation import paragraphs, quotations

if TYPE_CHECKING:
    from annotate.scoring import Annotator

Row = dict[str, Any]
AT_ONCE = 1000
"""Sentences, at the least, that are scored together."""


def sentences_of(rows: Sequence[Mapping[str, Any]]) -> list[Sentence]:
    """The sentences that scored rows of one article stand for, in order; targets where they were found."""
    numbers = paragraphs(rows)
    marks = quotations(zip([row["text"] for row in rows], numbers, strict=True))
    return [
        Sentence(
            row["article_id"],
            row["outlet"],
            row["sentence_id"],
            row["start"],
            row["end"],
            row["text"],
            paragraph=number,
            quoted=bool(row.get("quoted", mark.inside)),
            mentions=tuple(
                Mention(stance["target"], m["start"] - row["start"], m["end"] - row["start"])
                for stance in row.get("stance") or ()
                for m in stance["mentions"]
            ),
        )
        for row, number, mark in zip(rows, numbers, marks, strict=True)
    ]


def rescored(annotator: Annotator, articles: Iterable[Sequence[Row]]) -> Iterator[list[Row]]:
    """The rows of articles, each in order, scored again by this model, some articles at a time. What other
    articles say of them (`siblings`, `drift`) stays."""
    waiting: list[Sequence[Row]] = []
    for article in articles:
        waiting.append(article)
        if sum(map(len, waiting)) >= AT_ONCE:
            yield _again(annotator, waiting)
            waiting = []
    if waiting:
        yield _again(annotator, waiting)


def _again(annotator: Annotator, articles: Sequence[Sequence[Row]]) -> list[Row]:
    scored = annotator.score_split([sentences_of(article) for article in articles])
    kept = ("siblings", "drift")
    return [
        new | {name: old[name] for name in kept if name in old}
        for new, old in zip(scored, (row for article in articles for row in article), strict=True)
    ]
