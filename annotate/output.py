"""Scores written as they come: parquet, csv or jsonl, to a file or to standard output."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from annotate.errors import UserError

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = {".parquet": "parquet", ".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Writer(Protocol):
    """Takes the tables of the scores frame one after another."""

    def write(self, table: pa.Table) -> None:
        """Write the rows of a table."""


class JsonLines:
    """One JSON object per sentence."""

    def __init__(self, file: TextIO) -> None:
        self.file = file

    def write(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self.file.write(json.dumps(row, ensure_ascii=False) + "\n")


class Csv:
    """One line per sentence; columns that hold lists are JSON."""

    def __init__(self, file: TextIO) -> None:
        import csv

        self.csv = csv.writer(file)
        self.header_written = False

    def write(self, table: pa.Table) -> None:
        if not self.header_written:
            self.csv.writerow(table.column_names)
            self.header_written = True
        for row in table.to_pylist():
            self.csv.writerow([_flat(value) for value in row.values()])


def _flat(value: Any) -> Any:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value


def format_of(out: Path | None, named: str | None) -> str:
    """The format: as named, as the suffix of the file says, else a table for the terminal.

    Raises:
        UserError: when the file's suffix says nothing, or parquet or a table has nowhere to go.
    """
    if named is None:
        if out is None:
            return "table"
        if out.suffix.lower() not in SUFFIXES:
            raise UserError(
                f"{out} has a suffix that names no format; use one of {', '.join(SUFFIXES)}, or --format."
            )
        return SUFFIXES[out.suffix.lower()]
    if named == "table" and out is not None:
        raise UserError("A table is for the terminal; leave out --out, or choose another --format.")
    if named == "parquet" and out is None:
        raise UserError("Parquet is not for the terminal; name a file with --out.")
    return named


@contextmanager
def writing(out: Path | None, format: str, schema: pa.Schema | None = None) -> Iterator[Writer]:
    """A writer of this format, of the scores frame unless another schema is given. A file appears under its
    name only when it is whole.

    Raises:
        UserError: when the file cannot be written.
    """
    if out is None:
        yield JsonLines(sys.stdout) if format == "jsonl" else Csv(sys.stdout)
        return
    partial = out.with_name(out.name + ".partial")
    written = False
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        if format == "parquet":
            import pyarrow.parquet as pq

            from annotate import frame

            with pq.ParquetWriter(partial, schema or frame.schema(), compression="zstd") as parquet:
                yield _Parquet(parquet)
        else:
            with partial.open("w", encoding="utf-8", newline="" if format == "csv" else "\n") as file:
                yield JsonLines(file) if format == "jsonl" else Csv(file)
        os.replace(partial, out)
        written = True
    except OSError as error:
        raise UserError(
            f"{out} could not be written ({error.strerror or error}); choose another --out."
        ) from error
    finally:
        if not written:
            with suppress(OSError):
                partial.unlink(missing_ok=True)


class _Parquet:
    def __init__(self, writer: Any) -> None:
        self.writer = writer

    def write(self, table: pa.Table) -> None:
        self.writer.write_table(table)
