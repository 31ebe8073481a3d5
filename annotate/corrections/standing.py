"""The scored sentences that stand in a project, in a file: there may be more than memory should hold."""

from __future__ import annotations

import hashlib
import heapq
import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from annotate import home
from annotate.scratch import Scratch

Row = dict[str, Any]


class Standing:
    """Rows of the scores frame, a line each, with one key more: `open`, whether nobody reviewed it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @classmethod
    def write(cls, path: Path, rows: Iterable[Row]) -> Standing:
        """The rows in a new file, all or none.

        Raises:
            UserError: when the file cannot be written.
        """
        home.write(path, (json.dumps(row) + "\n" for row in rows))
        return cls(path)

    def __iter__(self) -> Iterator[Row]:
        with self._path.open("rb") as file:
            yield from map(json.loads, file)

    def some_open(self, n: int) -> list[Row]:
        """At most n open rows, drawn by the hash of their sentence: always the same, in the same order."""

        def lot(row: Row) -> bytes:
            return hashlib.sha256(row["sentence_id"].encode()).digest()

        return heapq.nsmallest(n, (row for row in self if row["open"]), key=lot)

    def open_articles(self) -> Iterator[list[Row]]:
        """All rows of each article that holds an open one, in the order of their places."""
        places = Scratch("CREATE TABLE row (article TEXT, start INTEGER, place INTEGER, open INTEGER)")
        places.change_each("INSERT INTO row VALUES (?, ?, ?, ?)", self._places())
        ordered = places.every(
            "SELECT article, place FROM row WHERE article IN (SELECT article FROM row WHERE open) "
            "ORDER BY article, start"
        )
        with self._path.open("rb") as file:
            for _, of_article in groupby(ordered, key=lambda found: found[0]):
                rows = []
                for _, place in of_article:
                    file.seek(place)
                    rows.append(json.loads(file.readline()))
                yield rows

    def _places(self) -> Iterator[tuple[str, int, int, bool]]:
        place = 0
        with self._path.open("rb") as file:
            for line in file:
                row = json.loads(line)
                yield row["article_id"], row["start"], place, row["open"]
                place += len(line)
