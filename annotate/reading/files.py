"""Which reader reads which file, and what every article passes before it is handed on."""

from __future__ import annotations

import codecs
import hashlib
import itertools
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, replace
from pathlib import Path

from annotate.article import Article
from annotate.reading.decoding import HOW_TO_CONVERT, NotText, clean, decode
from annotate.reading.documents import read_html, read_txt
from annotate.reading.language import detect, is_english
from annotate.reading.problems import Problem, Report, strict
from annotate.reading.tables import COLUMNS, json_lines, read_csv, read_jsonl, read_parquet
from annotate.reading.targets_file import TARGETS_NAMES

__all__ = ["COLUMNS", "READERS", "RESERVED", "read"]

# Reads a file under an article id (or the stem of its articles' ids): pairs of where it stands, and what.
Reader = Callable[[Path, str, Report, str | None], Iterator[tuple[str, Article]]]

READERS: dict[str, Reader] = {
    ".txt": read_txt,
    ".html": read_html,
    ".htm": read_html,
    ".csv": read_csv,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".parquet": read_parquet,
}
"""The reader of each suffix."""

RESERVED = frozenset((*TARGETS_NAMES, "gold.jsonl", "siblings.jsonl"))
"""Names that, inside a folder, hold its targets and labels and no articles."""


def read(
    paths: Iterable[str | Path] | str | Path,
    *,
    any_language: bool = False,
    group_by: str | None = None,
    within: Path | None = None,
    on_problem: Report | None = None,
) -> Iterator[Article]:
    """Articles from files, folders and standard input (`-`), one at a time and in a fixed order.

    A txt or html file is one article, named by its stem, or inside a folder by its path from there
    without the suffix. A csv, jsonl (ndjson) or parquet file has one per row, with the columns COLUMNS,
    named by `id` or `<stem>:<row from 1>`. A folder is read with all folders in it, in the order of the
    names; RESERVED names, hidden files and other suffixes are passed over.

    NUL and lone surrogates become U+FFFD. An article that is not English is left out unless
    `any_language`; one whose id came before is left out.

    `group_by` names a column of tables that says which event an article reports. `within`: a folder that
    holds the files; they are named as if it were read whole.

    `on_problem` is told of each Problem, and reading goes on with what is good. Without it an error
    raises UserError and a notice becomes a warning.
    """
    report = on_problem or strict
    paths = [paths] if isinstance(paths, str | Path) else paths
    seen: dict[str, bytes] = {}
    for where, raw in _articles(paths, report, group_by, within):
        article = _cleaned(raw, where, report)
        if not article.text.strip():
            report(Problem(f"{where}: the text is empty; put an article there or leave it out"))
        elif _is_new(article, where, seen, report):
            article = replace(article, language=article.language or detect(article.text))
            if any_language or is_english(article.language or ""):
                yield article
            else:
                said = f"the article {article.id!r} is not English (`{article.language}`)"
                todo = "is left unscored; --any-language scores it too"
                report(Problem(f"{where}: {said} and {todo}", error=False))


def _articles(
    paths: Iterable[str | Path], report: Report, event: str | None, within: Path | None
) -> Iterator[tuple[str, Article]]:
    for path in paths:
        if str(path) == "-":
            yield from _standard_input(report, event)
            continue
        try:
            if Path(path).is_dir():
                yield from _folder(Path(path), report, event)
            else:
                name = _name(Path(path), within) if within else Path(path).stem
                yield from _file(Path(path), name, report, event)
        except OSError as error:
            report(_unreadable(error, path))


def _file(path: Path, article_id: str, report: Report, event: str | None) -> Iterator[tuple[str, Article]]:
    reader = READERS.get(path.suffix.lower())
    if not path.exists():
        report(Problem(f"{path}: there is no such file or folder; check its name"))
    elif reader is None:
        report(Problem(f"{path}: files of this kind are not read; give one of {', '.join(READERS)}"))
    else:
        try:
            yield from reader(path, article_id, report, event)
        except OSError as error:
            report(_unreadable(error, path))
        except UnicodeDecodeError as error:
            report(
                Problem(f"{path} ends or breaks off within a character ({error.reason}); {HOW_TO_CONVERT}")
            )


def _unreadable(error: OSError, path: str | Path) -> Problem:
    said = error.strerror or str(error)
    where = error.filename or path
    return Problem(f"{where}: it cannot be read ({said}); check its name and permissions", whole=True)


def _folder(folder: Path, report: Report, event: str | None) -> Iterator[tuple[str, Article]]:
    found = False
    for path in _walk(folder, report):
        found = True
        yield from _file(path, _name(path, folder), report, event)
    if not found:
        report(Problem(f"{folder}: there is no article in this folder; put {', '.join(READERS)} files there"))


def _name(path: Path, folder: Path) -> str:
    return path.relative_to(folder).with_suffix("").as_posix()


def _walk(folder: Path, report: Report) -> Iterator[Path]:
    """The files of a folder that hold articles, folders within it included, in the order of their names."""
    for here, folders, names in os.walk(folder, onerror=lambda error: report(_unreadable(error, folder))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(here, name)
            if path.suffix.lower() in READERS and name not in RESERVED and not name.startswith("."):
                yield path


def _standard_input(report: Report, event: str | None) -> Iterator[tuple[str, Article]]:
    """Standard input: JSON lines if its first line is a JSON object, else one article of plain text."""
    place = "standard input"
    leading = []
    for line in iter(sys.stdin.buffer.readline, b""):
        leading.append(line)
        if line.removeprefix(codecs.BOM_UTF8).strip():
            break
    rest = itertools.chain(leading, sys.stdin.buffer)
    if leading and _is_json_object(leading[-1]):
        lines = (
            line.decode("utf-8-sig" if i == 0 else "utf-8", "surrogateescape") for i, line in enumerate(rest)
        )
        yield from json_lines(lines, place, "stdin", report, event)
        return
    try:
        yield place, Article(id="stdin", text=decode(b"".join(rest)))
    except NotText as problem:
        report(Problem(f"{place} {problem}"))


def _is_json_object(line: bytes) -> bool:
    """Whether it is one, or was meant to be one (`{"text": …` with an error in it)."""
    return re.match(rb'\s*\{\s*["}]', line.removeprefix(codecs.BOM_UTF8)) is not None


def _cleaned(article: Article, where: str, report: Report) -> Article:
    """The article without characters that no text may hold; each is replaced one for one."""
    values = {field.name: getattr(article, field.name) for field in fields(article)}
    cleaned = {name: clean(value) for name, value in values.items() if value is not None}
    if replaced := cleaned["text"][1]:
        said = f"{replaced} NUL or lone surrogate character{'s' * (replaced > 1)} in the text became U+FFFD"
        report(Problem(f"{where}: {said}", error=False))
    return replace(article, **{name: value for name, (value, _) in cleaned.items()})


def _is_new(article: Article, where: str, seen: dict[str, bytes], report: Report) -> bool:
    """Whether no article of this id came before; if one did, says so."""
    digest = hashlib.blake2b(article.text.encode(), digest_size=8).digest()
    before = seen.setdefault(article.id, digest)
    if before is digest:
        return True
    if before == digest:
        report(
            Problem(
                f"{where}: the article {article.id!r} came before with the same text; skipped", error=False
            )
        )
    else:
        said = "came before with another text; this one is set aside, give it an id of its own"
        report(Problem(f"{where}: the article id {article.id!r} {said}"))
    return False
