"""Who says each attributed sentence of an article: quotations that run on, and names.

The tagger sees one sentence. What it cannot see is told by the article's own form: a quotation that was
opened and not closed goes on, a bare surname is the full name given elsewhere, and a pronoun is who spoke
last.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from annotate.article import Sentence
from annotate.quotation import Quotation, quotations

PRONOUNS = frozenset("he she they it him her them who i we".split())
DETERMINERS = frozenset("the a an this that these those its his her their our".split())
TITLES = frozenset(
    """mr mrs ms miss dr prof professor sir lord lady president vice prime minister foreign deputy secretary
    state general senator sen rep representative congressman congresswoman governor gov mayor chairman
    chairwoman chancellor ambassador councilor councillor judge justice chief director king queen prince
    princess pope bishop rev reverend captain colonel lieutenant sergeant spokesman spokeswoman
    spokesperson republican democrat democratic""".split()
)
PERSON_NOUNS = frozenset(
    """official minister president spokesman spokeswoman spokesperson secretary senator governor mayor
    diplomat ambassador leader chairman chairwoman chancellor lawmaker candidate man woman""".split()
)
WORD = re.compile(r"[^\W\d_](?:[\w.'’-]*\w)?")
NAME = re.compile(r"[^\W\d_a-z][\w'’-]*(?: [^\W\d_a-z][\w'’-]*)+")


def resolve(rows: Sequence[dict[str, Any]], sentences: Sequence[Sentence]) -> None:
    """Set `holder_kind` and `holder_name` of an article's content rows, in place.

    A sentence inside a quotation, or mostly in quotation marks, is a source's whatever the tagger says.
    """
    marks = quotations((sentence.text, sentence.paragraph) for sentence in sentences)
    names = full_names(sentences)
    speaker: str | None = None
    for row, mark in zip(rows, marks, strict=True):
        if mark.inside or mark.share > 0.5:
            row["holder_kind"] = "source"
        if row["holder_kind"] == "source":
            own = own_source(row)
            row["holder_name"] = name_of(own, names, speaker) if own else None
            if row["holder_name"] and is_person(row["holder_name"]):
                speaker = row["holder_name"]
    for i, row in enumerate(rows):
        if row["holder_kind"] == "source" and row["holder_name"] is None:
            row["holder_name"] = neighbour(i, rows, sentences, marks)


def neighbour(
    i: int, rows: Sequence[dict[str, Any]], sentences: Sequence[Sentence], marks: Sequence[Quotation]
) -> str | None:
    """The holder of a sentence without a source of its own: who opened its quotation or, failing that,
    closes it; else who is quoted next to it."""
    before = range(i - 1, -1, -1)
    after = range(i + 1, len(rows))
    for direction, linked in (
        (before, lambda j: marks[j + 1].inside),
        (after, lambda j: marks[j].inside),
        (before, lambda j: sentences[j].paragraph == sentences[i].paragraph),
        (after, lambda j: sentences[j].paragraph == sentences[i].paragraph),
        (before, lambda j: j >= i - 1),
    ):
        for j in direction:
            if not linked(j) or rows[j]["holder_kind"] != "source":
                break
            if rows[j]["holder_name"]:
                return str(rows[j]["holder_name"])
    return None


def own_source(row: dict[str, Any]) -> str | None:
    """The words of the source nearest to the longest content of the sentence, not inside it."""
    spans = row["attribution_spans"]
    contents = [s for s in spans if s["role"] == "content"]
    sources = [s for s in spans if s["role"] == "source"]
    if contents:
        main = max(contents, key=lambda s: s["end"] - s["start"])
        sources = [s for s in sources if s["end"] <= main["start"] or s["start"] >= main["end"]]
        sources.sort(key=lambda s: max(s["start"] - main["end"], main["start"] - s["end"]))
    if not sources:
        return None
    return str(row["text"][sources[0]["start"] - row["start"] : sources[0]["end"] - row["start"]])


def full_names(sentences: Sequence[Sentence]) -> Counter[tuple[str, ...]]:
    """Runs of two or more capitalised words without titles, and how often the article has each."""
    found: Counter[tuple[str, ...]] = Counter()
    for sentence in sentences:
        for match in NAME.finditer(sentence.text):
            words = without_titles(match.group().split())
            if 2 <= len(words) <= 4:
                found[tuple(words)] += 1
    return found


def name_of(source: str, names: Counter[tuple[str, ...]], speaker: str | None) -> str | None:
    """A source's words as a name: a pronoun is the last speaker, a surname the full name."""
    words = [w.removesuffix("’s").removesuffix("'s") for w in WORD.findall(source)]
    if not words:
        return None
    first, last = words[0].casefold(), words[-1].casefold()
    if len(words) == 1 and first in PRONOUNS:
        return speaker
    if first == "the" and len(words) == 2 and last in PERSON_NOUNS:
        return speaker or " ".join(words[1:])
    named = trailing_name(words)
    if named:
        return longest_form(named, names)
    while words and words[0].casefold() in DETERMINERS:
        words = words[1:]
    return " ".join(words) or None


def trailing_name(words: list[str]) -> list[str]:
    """The first run of capitalised words that are no titles: `State Councilor Wang Yi` has Wang Yi."""
    runs: list[list[str]] = [[]]
    for word in words:
        if word[0].isupper() and word.rstrip(".").casefold() not in TITLES | DETERMINERS:
            runs[-1].append(word)
        elif runs[-1]:
            runs.append([])
    runs = [run for run in runs if run]
    if not runs or any(w[0].islower() and w.casefold() not in DETERMINERS | {"of", "and"} for w in words):
        # A common noun heads it (`Chinese officials`, `a spokesman for the ministry`): keep its words.
        people = [run for run in runs if len(run) > 1]
        return people[-1] if people and words[-1][0].isupper() and len(words) > len(people[-1]) else []
    return max(runs, key=len) if len(runs) > 1 else runs[0]


def longest_form(words: list[str], names: Counter[tuple[str, ...]]) -> str:
    """The most frequent full name that begins or ends with these words, else the words."""
    key = tuple(words)
    longer = [n for n in names if len(n) > len(key) and key in (n[: len(key)], n[-len(key) :])]
    best: tuple[str, ...] = max(longer, key=lambda n: names[n]) if longer else key
    return " ".join(best)


def without_titles(words: list[str]) -> list[str]:
    """The words after the last leading title or determiner."""
    kept = list(words)
    while kept and kept[0].rstrip(".").casefold() in TITLES | DETERMINERS:
        kept = kept[1:]
    return [w.removesuffix("’s").removesuffix("'s") for w in kept]


def is_person(name: str) -> bool:
    """Whether a name can be what a later `he` stands for: two or three capitalised words."""
    words = name.split()
    return 2 <= len(words) <= 3 and all(word[0].isupper() for word in words)
