"""The corrections of a project while a pull changes them, kept on disk: memory does not grow with them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from annotate.corrections.correction import Correction
from annotate.corrections.snapshot import Snapshot, flat, raised
from annotate.scratch import Scratch

THERE = "row IS NOT NULL"


class Ledger:
    """What annotators say now, beside what they had said by the snapshot it begins with (`parent`)."""

    def __init__(self, parent: Snapshot | None) -> None:
        self._table = Scratch(
            "CREATE TABLE correction (annotation INTEGER PRIMARY KEY, task INTEGER, key TEXT, before TEXT, "
            "updated_at TEXT, cancelled INTEGER, problem TEXT, row TEXT)",
            "CREATE TABLE seen (task INTEGER PRIMARY KEY)",
        )
        for row in parent.rows() if parent else ():
            self._put(row, row["updated_at"])
        self._table.change("CREATE INDEX by_task ON correction (task)")

    def __len__(self) -> int:
        """How many corrections there are now."""
        return self._count(THERE)

    def put(self, correction: Correction) -> None:
        """A correction as it is now."""
        self._put(flat(correction), self.before(correction.annotation))

    def saw(self, task: int, annotations: set[int]) -> None:
        """A task stands there with these annotations; others that it had are gone."""
        self._table.change("INSERT OR IGNORE INTO seen VALUES (?)", task)
        had = self._table.every(f"SELECT annotation FROM correction WHERE task = ? AND {THERE}", task)
        for gone in {number for (number,) in had} - annotations:
            self._table.change("UPDATE correction SET row = NULL WHERE annotation = ?", gone)

    def forget_unseen(self) -> None:
        """The annotations of tasks that were not seen are gone, as the tasks are."""
        self._table.change("UPDATE correction SET row = NULL WHERE task NOT IN (SELECT task FROM seen)")

    def before(self, annotation: int) -> str | None:
        """When an annotation had changed last by the snapshot; None where it was not there."""
        found = self._table.one("SELECT before FROM correction WHERE annotation = ?", annotation)
        return found[0] if found else None

    def counts(self) -> dict[str, int]:
        """How many are `new`, `changed` and `deleted` since the snapshot."""
        return {
            "new": self._count(f"{THERE} AND before IS NULL"),
            "changed": self._count(f"{THERE} AND before != updated_at"),
            "deleted": self._count(f"NOT {THERE} AND before IS NOT NULL"),
        }

    def set_aside(self) -> int:
        """How many cannot be used."""
        return self._count(f"{THERE} AND problem IS NOT NULL")

    def skipped(self) -> int:
        """How many are of annotators who skipped the sentence."""
        return self._count(f"{THERE} AND cancelled")

    def rows(self) -> Iterator[dict[str, Any]]:
        """The corrections there are now as rows of a snapshot, by key and annotation."""
        every = f"SELECT row FROM correction WHERE {THERE} ORDER BY key, annotation"
        return (json.loads(row) for (row,) in self._table.every(every))

    def fresh_problems(self) -> Iterator[Correction]:
        """Those that cannot be used and are new or changed since the snapshot."""
        for row in self.rows():
            if row["problem"] is not None and self.before(row["annotation"]) != row["updated_at"]:
                yield raised(row)

    def _put(self, row: dict[str, Any], before: str | None) -> None:
        columns = ("annotation", "task", "key", "updated_at", "cancelled", "problem")
        put = f"INSERT OR REPLACE INTO correction ({', '.join(columns)}, before, row) "
        values = [*(row[name] for name in columns), before, json.dumps(row, ensure_ascii=False)]
        self._table.change(f"{put} VALUES ({', '.join('?' * len(values))})", *values)

    def _count(self, condition: str) -> int:
        counted = self._table.one(f"SELECT count(*) FROM correction WHERE {condition}")
        return int(counted[0]) if counted else 0
