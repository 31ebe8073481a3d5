"""What a project on the server holds of a batch of tasks, and its repair.

The server is the only source: which keys it knows, which of them carry a model version's prediction.
Label Studio enforces neither key nor prediction to be unique, so copies are found and removed here.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from annotate.studio.calls import Patience, read
from annotate.studio.client import Connection
from annotate.studio.places import Places


@dataclass(frozen=True)
class Known:
    """A task on the server."""

    id: int
    key: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Board:
    """One project, looked at by keys."""

    server: Connection
    project: int
    patience: Patience
    places: Places | None = None
    """Where to look, if it was learned; what came after is not seen then."""

    def count(self) -> int:
        """How many tasks the project has."""
        return int(read(lambda: self.server.api.projects.get(self.project).task_number, self.patience) or 0)

    def standing(self, keys: Sequence[str]) -> list[str]:
        """Those of the keys that the server knows."""
        return list(self.tasks(keys)) if self.places is None else self.places.of(keys)[0]

    def tasks(self, keys: Sequence[str]) -> dict[str, list[Known]]:
        """The tasks of each key that the server knows, oldest first."""
        found: dict[str, list[Known]] = {}
        for task in self._list(keys, "task_only", "id,data"):
            known = Known(task.id, task.data["key"], task.data)
            found.setdefault(known.key, []).append(known)
        for several in found.values():
            several.sort(key=lambda known: known.id)
        return found

    def predicted(self, keys: Sequence[str], version: str) -> set[int]:
        """The tasks of these keys that carry a prediction of this model version."""
        from label_studio_sdk.data_manager import Filters, Type

        has = Filters.item("tasks:predictions_model_versions", "contains", Type.List, [version])
        return {task.id for task in self._list(keys, "task_only", "id,data", has)}

    def remove_copies(self, keys: Sequence[str]) -> tuple[int, int]:
        """Leave one task per key; returns how many copies went and how many stay because someone worked
        on them. The one with the most annotations is kept, of equals the oldest."""
        removed = kept = 0
        doubled = [key for key, several in self.tasks(keys).items() if len(several) > 1]
        worked: dict[str, list[tuple[int, int]]] = {}
        for task in self._list(doubled, "all", "id,data,total_annotations,drafts"):
            work = (task.total_annotations or 0) + len(task.drafts or ())
            worked.setdefault(task.data["key"], []).append((-work, task.id))
        for copies in worked.values():
            for work, number in sorted(copies)[1:]:
                if work:
                    kept += 1
                else:
                    self._delete_task(number)
                    removed += 1
        return removed, kept

    def remove_repeated_predictions(self, keys: Sequence[str], version: str) -> int:
        """Leave one prediction of this version per task, the oldest; returns how many went."""
        removed = 0
        for task in self._list(keys, "all", "id,data,predictions"):
            same = sorted(
                p["id"] for p in map(_plain, task.predictions or ()) if p["model_version"] == version
            )
            for number in same[1:]:
                self._delete_prediction(number)
                removed += 1
        return removed

    def _list(self, keys: Sequence[str], fields: str, include: str, *more: Any) -> list[Any]:
        from label_studio_sdk.data_manager import Column, Filters, Operator, Type

        conditions = list(more)
        if self.places is not None:
            keys, first, last = self.places.of(keys)
            conditions += [
                Filters.item("tasks:id", Operator.GREATER_OR_EQUAL, Type.Number, first),
                Filters.item("tasks:id", Operator.LESS_OR_EQUAL, Type.Number, last),
            ]
        if not keys:
            return []
        among = Filters.item(Column.data("key"), "in_list", Type.List, list(keys))
        query = json.dumps({"filters": Filters.create(Filters.AND, [*conditions, among])})

        def ask() -> list[Any]:
            return list(
                self.server.api.tasks.list(
                    project=self.project, query=query, fields=fields, include=include, page_size=len(keys)
                )
            )

        return read(ask, self.patience)

    def _delete_task(self, number: int) -> None:
        _gone(lambda: self.server.api.tasks.delete(str(number)), self.patience)

    def _delete_prediction(self, number: int) -> None:
        _gone(lambda: self.server.api.predictions.delete(number), self.patience)


def _gone(delete: Any, patience: Patience) -> None:
    """Delete, where a second try finds nothing left to delete and that is well."""
    from label_studio_sdk.core.api_error import ApiError

    def ask() -> None:
        try:
            delete()
        except ApiError as problem:
            if problem.status_code != 404:
                raise

    read(ask, patience)


def _plain(value: Any) -> dict[str, Any]:
    plain: dict[str, Any] = value if isinstance(value, dict) else value.dict()
    return plain
