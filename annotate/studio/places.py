"""Where the tasks of a project stand: the server's number of each key, learned in one walk.

Label Studio finds keys by reading every task of the project, so that asking for all keys of a large push,
some hundreds at a time, would take a time that grows with the square of its size. Who knows between which
numbers to look asks for a handful of tasks. What is learned is kept on disk: memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from annotate.scratch import Scratch


class Places:
    """The number of each key, of a doubled one all. `tasks`: (number, key) of every task of the project."""

    def __init__(self, tasks: Iterable[tuple[int, str]], progress: Callable[[int], None]) -> None:
        self._table = Scratch("CREATE TABLE task (id INTEGER PRIMARY KEY, key TEXT)")
        for n, task in enumerate(tasks, 1):
            self._table.change("INSERT OR REPLACE INTO task VALUES (?, ?)", *task)
            progress(n)
        self._table.change("CREATE INDEX by_key ON task (key)")

    def of(self, keys: Sequence[str]) -> tuple[list[str], int, int]:
        """Those of the keys that stand there, and the lowest and the highest number they have."""
        asked = f"SELECT key, id FROM task WHERE key IN ({','.join('?' * len(keys))})"
        found = list(self._table.every(asked, *keys))
        numbers = [number for _, number in found]
        return list(dict.fromkeys(key for key, _ in found)), min(numbers, default=0), max(numbers, default=0)
