"""Sentences that were scored once, scored again by another model: what is still open gets new predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from annotate.article import Mention, Sentence
from annotate.quotation import paragraphs, quotations

if TYPE_CHECKING:
    from annotate.scoring import Annotator

Row = dict[str, Any]


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


def rescored(annotator: Annotator, rows: Sequence[Row]) -> list[Row]:
    """Rows of the scores frame scored again by this model, in order of article and place. What other
    articles say of them (`siblings`, `drift`) stays."""
    ordered = sorted(rows, key=lambda row: (row["article_id"], row["start"]))
    articles = [list(group) for _, group in groupby(ordered, key=lambda row: row["article_id"])]
    scored = annotator.score_split([sentences_of(article) for article in articles])
    kept = ("siblings", "drift")
    return [
        new | {name: old[name] for name in kept if name in old}
        for new, old in zip(scored, ordered, strict=True)
    ]
