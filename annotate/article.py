"""Article, Sentence and Mention: the words every other part of the package speaks."""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Article:
    """One article as it was read. `text` is clean: no NUL, no lone surrogate, no byte order mark.

    All offsets in the package are Unicode code points into `text`, end exclusive.
    """

    id: str
    text: str
    outlet: str | None = None
    title: str | None = None
    date: str | None = None
    url: str | None = None
    language: str | None = None
    source_text: str | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Mention:
    """A place where a sentence names a target; offsets are into the sentence's text."""

    target: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of an article: `text == article.text[start:end]`; paragraphs (lines) count from 0; `quoted`
    where it starts inside a quotation that an earlier sentence opened."""

    article_id: str
    outlet: str | None
    id: str
    start: int
    end: int
    text: str
    boilerplate: bool = False
    paragraph: int = 0
    quoted: bool = False
    mentions: tuple[Mention, ...] = ()


def sentence_ids(article_id: str, texts: Iterable[str]) -> list[str]:
    """One stable id per sentence of an article, in order.

    The first 16 hex digits of SHA-256 over the article id, the text (NFC, whitespace folded) and the
    number of times the same text stood in the article before. Splitting *other* sentences differently
    does not change an id.
    """
    seen: Counter[str] = Counter()
    ids = []
    for text in texts:
        folded = " ".join(unicodedata.normalize("NFC", text).split())
        key = f"{article_id}\x1f{folded}\x1f{seen[folded]}"
        seen[folded] += 1
        ids.append(hashlib.sha256(key.encode()).hexdigest()[:16])
    return ids
