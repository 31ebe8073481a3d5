"""One article per file: plain text and web pages."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path

from annotate.article import Article
from annotate.reading.decoding import NotText, clean, decode, encoding_of
from annotate.reading.problems import Problem, Report

_CHARSET = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE)


def read_txt(
    path: Path, article_id: str, report: Report, event: str | None = None
) -> Iterator[tuple[str, Article]]:
    """The file's text as it stands, line ends included, as one article."""
    try:
        text = decode(path.read_bytes())
    except NotText as problem:
        report(Problem(f"{path} {problem}"))
        return
    yield str(path), Article(id=article_id, text=text)


def read_html(
    path: Path, article_id: str, report: Report, event: str | None = None
) -> Iterator[tuple[str, Article]]:
    """The article that trafilatura finds in a web page, with its title, date, outlet and address.

    Offsets are into the extracted text. The page may declare its encoding (`<meta charset>`).
    """
    data = path.read_bytes()
    if not data.strip():
        report(Problem(f"{path} is empty: put an article in it or leave it out"))
        return
    try:
        page = decode(data, _declared(data))
    except NotText as problem:
        report(Problem(f"{path} {problem}"))
        return
    from trafilatura import bare_extraction

    found = bare_extraction(clean(page)[0], with_metadata=True, include_comments=False)
    if found is None or not found.text:
        report(Problem(f"{path}: no article was found in this web page; save its text as .txt instead"))
        return
    article = Article(
        id=article_id,
        text=found.text,
        outlet=found.sitename or found.hostname or None,
        title=found.title or None,
        date=found.date or None,
        url=found.url or None,
    )
    yield str(path), article


def _declared(data: bytes) -> str | None:
    """The encoding a page declares, if there is no byte order mark and Python knows it."""
    declared = _CHARSET.search(data[:2048])
    if declared is None or encoding_of(data[:4]) != "utf-8":
        return None
    try:
        name = codecs.lookup(declared.group(1).decode("ascii")).name
    except LookupError:
        return None
    # A page that can say so in ASCII is no UTF-16; browsers read it as UTF-8, and Latin-1 as its superset.
    return {"utf-16": None, "iso8859-1": "cp1252", "ascii": "cp1252", "utf-8": None}.get(name, name)
