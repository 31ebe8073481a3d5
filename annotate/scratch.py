"""Tables on disk for what must be found again and would not fit memory; gone when they are let go."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from annotate.errors import UserError

Row = tuple[Any, ...]


class Scratch:
    """SQLite on a nameless temporary file. Every method raises UserError where the disk is full."""

    def __init__(self, *statements: str) -> None:
        self._connection = sqlite3.connect("", isolation_level=None)
        for statement in ("PRAGMA journal_mode = OFF", *statements):
            self.change(statement)

    def change(self, statement: str, *values: object) -> int:
        """Carry out a statement; how many rows it changed."""
        with _room():
            return self._connection.execute(statement, values).rowcount

    def change_each(self, statement: str, rows: Iterable[Row]) -> None:
        """Carry out a statement for each of the rows."""
        with _room():
            self._connection.executemany(statement, rows)

    def one(self, question: str, *values: object) -> Row | None:
        """The first row of an answer."""
        with _room():
            found: Row | None = self._connection.execute(question, values).fetchone()
            return found

    def every(self, question: str, *values: object) -> Iterator[Row]:
        """The rows of an answer as they come; nothing may be changed until the last has come."""
        with _room():
            yield from self._connection.execute(question, values)


@contextmanager
def _room() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as problem:
        raise UserError(
            f"there is no room for temporary files ({problem}); make room, or name a folder with TMPDIR"
        ) from None
