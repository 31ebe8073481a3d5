"""Sentences that report the same thing, article beside article, those that went astray first."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from annotate.article import Sentence
from annotate.highlight import DRIFT, Mark, items
from annotate.siblings.compare import Beside, Sibling
from annotate.siblings.groups import rows as grouped

Row = dict[str, Any]

ANOTHER = "another source"
AGREE = 2
"""So many articles must name the same source before another name is marked."""


@dataclass
class Version:
    """What one article has: its rows, and by sentence the marks of a source that others name otherwise."""

    rows: list[Row] = field(default_factory=list)
    more: dict[str, list[Mark]] = field(default_factory=dict)


@dataclass
class Group:
    """The versions of a group by article; `astray` counts drifts, garbled spans and other names."""

    versions: dict[str, Version]
    astray: int

    @property
    def drifts(self) -> list[tuple[Row, dict[str, Any]]]:
        """Each drift of the group with the row that has it."""
        found = (row for version in self.versions.values() for row in version.rows)
        return [(row, drift) for row in found for drift in items(row[DRIFT])]


def groups(content: Sequence[Row]) -> list[Group]:
    """The groups of two articles or more: linked by `siblings`, directly or through others."""
    by_id = {row["sentence_id"]: row for row in content}
    near: dict[str, Beside] = {}
    articles: dict[str, list[Sentence]] = defaultdict(list)
    for row in content:
        beside = [s for s in items(row["siblings"]) if s["sentence_id"] in by_id]
        if beside:
            i = row["sentence_id"]
            siblings = [Sibling(s["article_id"], s["sentence_id"], s["similarity"]) for s in beside]
            near[i] = Beside(0, siblings)
            articles[row["article_id"]].append(
                Sentence(row["article_id"], row["outlet"], i, row["start"], row["end"], row["text"])
            )
    members: dict[int, list[Row]] = defaultdict(list)
    for found in grouped(list(articles.values()), near):
        members[found["group"]].append(by_id[found["sentence_id"]])
    made = [group(rows) for rows in members.values() if len({row["article_id"] for row in rows}) > 1]
    return sorted(made, key=lambda g: (-g.astray, -len(g.versions)))


def group(rows: Sequence[Row]) -> Group:
    """Rows that report the same thing, by article, with the sources that one article names otherwise."""
    versions: dict[str, Version] = defaultdict(Version)
    agreed = agreed_source(rows)
    astray = 0
    for row in rows:
        version = versions[row["article_id"]]
        version.rows.append(row)
        astray += len(items(row[DRIFT])) + len(items(row["garble_spans"]))
        if agreed and row["holder_name"] and not same(row["holder_name"], agreed):
            said = f"{ANOTHER}: the others have it from {agreed}"
            version.more[row["sentence_id"]] = [
                Mark(s["start"] - row["start"], s["end"] - row["start"], DRIFT, ANOTHER, said)
                for s in items(row["attribution_spans"])
                if s["role"] == "source" and same(row["holder_name"], row_text(row, s))
            ]
            astray += 1
    return Group(dict(versions), astray)


def agreed_source(rows: Sequence[Row]) -> str | None:
    """The name that most articles of a group give its source, if two do at least and none is as frequent."""
    naming: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        if row["holder_name"]:
            naming[row["holder_name"]].add(row["article_id"])
    ranked = sorted(naming, key=lambda name: (-len(naming[name]), name))
    if not ranked or len(naming[ranked[0]]) < AGREE:
        return None
    if len(ranked) > 1 and len(naming[ranked[1]]) == len(naming[ranked[0]]):
        return None
    return ranked[0]


def same(one: str, other: str) -> bool:
    """Whether one name holds all words of the other: Wang and Wang Yi, not Wang Yi and Wang Jianzhu."""
    a, b = (set(re.findall(r"\w+", name.casefold())) for name in (one, other))
    return a <= b or b <= a


def row_text(row: Row, span: dict[str, Any]) -> str:
    """The words of a span."""
    return str(row["text"])[span["start"] - row["start"] : span["end"] - row["start"]]
