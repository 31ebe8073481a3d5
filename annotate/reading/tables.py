"""Many articles per file: csv, jsonl and parquet, read row by row, by line and by batch."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from annotate.article import Article
from annotate.reading.decoding import HOW_TO_CONVERT, encoding_of, undecoded_byte
from annotate.reading.problems import Problem, Report

COLUMNS = ("text", "id", "outlet", "title", "date", "url", "language", "source_text")
"""The columns read from a table: `text` is required, the others are optional, any more are ignored."""

_MOST_NAMED = 20  # bad rows of one file that are named one by one
_BATCH = 256  # rows of a parquet file held at once


class _Rows:
    """The rows of one file on their way to becoming articles; the bad ones are named, or counted if many."""

    def __init__(self, place: str, stem: str, report: Report, event: str | None = None) -> None:
        self.place, self.stem, self.report = place, stem, report
        self.event = event
        self.bad = 0

    def complain(self, where: str, what: str) -> None:
        self.bad += 1
        if self.bad <= _MOST_NAMED:
            self.report(Problem(f"{self.place}, {where}: {what}"))

    def article(self, where: str, number: int, row: dict[str, Any]) -> Iterator[tuple[str, Article]]:
        """The row as an article, or a complaint."""
        values: dict[str, str | None] = {}
        for column in (*COLUMNS, *([self.event] if self.event else [])):
            value = row.get(column)
            if isinstance(value, float) and (value != value or value.is_integer()):
                value = None if value != value else int(value)  # pandas' way to write None, and 7 beside it
            if isinstance(value, date):
                value = value.isoformat()
            elif isinstance(value, int | float) and not isinstance(value, bool) and column != "text":
                value = str(value)
            if value is not None and not isinstance(value, str):
                self.complain(where, f"the field `{column}` is {_short(value)}, not text; put text there")
                return
            values[column] = value
        text = values.pop("text")
        if text is None:
            self.complain(where, "the field `text` is missing; put the article's text there")
            return
        named = (values.pop("id") or "").strip()
        event = (values.get(self.event) or None) if self.event else None
        others = {column: values.get(column) or None for column in COLUMNS[2:]}
        found = Article(id=named or f"{self.stem}:{number}", text=text, event=event, **others)
        yield f"{self.place}, {where}", found

    def finish(self) -> None:
        if self.bad > _MOST_NAMED:
            self.report(
                Problem(f"{self.place}: {self.bad - _MOST_NAMED} more rows are bad in such ways; mend them")
            )


def read_csv(
    path: Path, article_id: str, report: Report, event: str | None = None
) -> Iterator[tuple[str, Article]]:
    """Comma-separated rows under a header that names the columns; a quoted field may be of any length."""
    csv.field_size_limit(sys.maxsize)
    rows = _Rows(str(path), article_id, report, event)
    with _open(path) as lines:
        reader = csv.reader(lines, strict=True)
        header: list[str] | None = None
        number = 0
        while True:
            line = reader.line_num + 1
            try:
                fields = next(reader)
            except StopIteration:
                break
            except csv.Error as error:
                number += 1
                rows.complain(
                    f"line {line}", f"this is no valid csv ({error}); look for a stray or missing quote"
                )
                continue
            if not fields:
                continue
            if header is None:
                header = [name.strip() for name in fields]
                if not _has_text_column(path, header, report) or not _has_event(path, header, event, report):
                    return
                continue
            number += 1
            where = f"row {number} (line {line})"
            if len(fields) > len(header):
                rows.complain(
                    where,
                    f"there are {len(fields)} fields under {len(header)} column names; "
                    "put a text that holds commas in double quotes",
                )
            elif (byte := undecoded_byte("".join(fields))) is not None:
                rows.complain(where, f"byte 0x{byte:02x} is not UTF-8; {HOW_TO_CONVERT}")
            else:
                yield from rows.article(where, number, dict(zip(header, fields, strict=False)))
        if header is None:
            report(Problem(f"{path} is empty: give it a header with a `text` column and rows"))
        rows.finish()


def read_jsonl(
    path: Path, article_id: str, report: Report, event: str | None = None
) -> Iterator[tuple[str, Article]]:
    """One JSON object per line."""
    with _open(path) as lines:
        yield from json_lines(lines, str(path), article_id, report, event)


def json_lines(
    lines: Iterable[str], place: str, stem: str, report: Report, event: str | None = None
) -> Iterator[tuple[str, Article]]:
    """Articles of lines that each hold one JSON object; blank lines are passed over."""
    rows = _Rows(place, stem, report, event)
    empty = True
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        empty = False
        where = f"line {number}"
        if (byte := undecoded_byte(line)) is not None:
            rows.complain(where, f"byte 0x{byte:02x} is not UTF-8; {HOW_TO_CONVERT}")
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            said = (
                f"{error.msg}, column {error.colno}"
                if isinstance(error, json.JSONDecodeError)
                else str(error)
            )
            rows.complain(where, f"this is no valid JSON ({said}); write one object on each line")
            continue
        if not isinstance(row, dict):
            rows.complain(where, f'this is {_short(row)}, not an object; write for example {{"text": "…"}}')
            continue
        yield from rows.article(where, number, row)
    if empty:
        report(Problem(f'{place} is empty: write one object on each line, for example {{"text": "…"}}'))
    rows.finish()


def read_parquet(
    path: Path, article_id: str, report: Report, event: str | None = None
) -> Iterator[tuple[str, Article]]:
    """Rows of a parquet file; only the declared columns are loaded."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = _Rows(str(path), article_id, report, event)
    number = 0
    try:
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if not _has_text_column(path, names, report) or not _has_event(path, names, event, report):
                return
            if file.metadata.num_rows == 0:
                report(Problem(f"{path} is empty: it has no rows"))
            columns = [name for name in dict.fromkeys((*COLUMNS, event)) if name in names]
            for batch in file.iter_batches(batch_size=_BATCH, columns=columns):
                for row in batch.to_pylist():
                    number += 1
                    yield from rows.article(f"row {number}", number, row)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        report(
            Problem(
                f"{path}: this is no whole parquet file, read up to row {number} ({said}); write it again",
                whole=True,
            )
        )
    rows.finish()


def _open(path: Path) -> Any:
    """The text of a table, decoded piece by piece; bytes that are not of its encoding show in their row."""
    with path.open("rb") as file:
        encoding = encoding_of(file.read(4))
    return path.open(encoding=encoding, errors="surrogateescape", newline="")


def _has_text_column(path: Path, names: list[str], report: Report) -> bool:
    if names.count("text") == 1:
        return True
    found = ", ".join(name if name else "(no name)" for name in names[:12]) or "none"
    if "text" in names:
        report(Problem(f"{path}: two columns are named `text`; keep one", whole=True))
    else:
        todo = (
            "separate columns by commas" if len(names) == 1 and set(names[0]) & set(";\t|") else "rename one"
        )
        report(Problem(f"{path}: no column is named `text` (found: {found}); {todo}", whole=True))
    return False


def _has_event(path: Path, names: list[str], event: str | None, report: Report) -> bool:
    if event is None or event in names:
        return True
    found = ", ".join(names[:12]) or "none"
    said = f"{path}: no column is named `{event}`, which articles are to be grouped by (found: {found})"
    report(Problem(said, whole=True))
    return False


def _short(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) < 40 else shown[:36] + " …"
