"""A note, kept beside the lock, of the write that is under way.

It never says what the server holds, only what to wait for: a client may die while the server works on.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from annotate.studio.state import Board

Kind = Literal["tasks", "predictions"]


@dataclass(frozen=True)
class Note:
    """One write at a time: imports are atomic, so one key tells whether it was carried out."""

    path: Path

    def begin(self, board: Board, kind: Kind, key: str, version: str) -> None:
        told = {"project": board.project, "kind": kind, "key": key, "version": version, "at": time.time()}
        scratch = self.path.with_suffix(".new")
        scratch.write_text(json.dumps(told))
        scratch.replace(self.path)

    def end(self) -> None:
        self.path.unlink(missing_ok=True)

    def settle(self, board: Board) -> Kind | None:
        """Wait until the noted write shows or can hardly come any more; what it was, None without a note."""
        try:
            told = json.loads(self.path.read_text())
            project, kind, key, version = told["project"], told["kind"], told["key"], told["version"]
            waited = max(0.0, time.time() - told["at"])
        except (OSError, ValueError, KeyError):
            return None
        if project == board.project:
            deadline = time.monotonic() + max(0.0, board.patience.settle - waited)
            while not _shows(board, kind, key, version) and time.monotonic() < deadline:
                time.sleep(0.25)
        self.end()
        found: Kind = kind
        return found


def _shows(board: Board, kind: Kind, key: str, version: str) -> bool:
    return bool(board.tasks([key]) if kind == "tasks" else board.predicted([key], version))
