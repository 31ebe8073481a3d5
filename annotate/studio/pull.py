"""Pull: what annotators did since the last pull, as a new snapshot.

The scan walks the project's tasks by rising id, always asking for the first page behind the last one, so
that edits under way move nothing out of sight. It asks for a stretch of ids at a time, as Label Studio counts
all that a question matches before it answers with a page. What is asked for is what changed since the cursor,
the server's own clock at the last scan's start less an overlap; whatever changes during a scan is later than
that and comes with the next. The cursor is written after the snapshot it belongs to: a crash in between costs
a longer scan, never an annotation. A full pull asks for everything and so also learns of tasks that were
deleted, which leave no trace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from annotate import home
from annotate.corrections import snapshot
from annotate.corrections.correction import Correction
from annotate.corrections.ledger import Ledger
from annotate.corrections.snapshot import Snapshot
from annotate.errors import UserError
from annotate.studio.annotations import correction_of
from annotate.studio.calls import Patience, read
from annotate.studio.client import Connection
from annotate.studio.form import Form, form
from annotate.studio.interface import differences, interface
from annotate.studio.project import find

PAGE = 100
OVERLAP = timedelta(seconds=120)
CURSOR = "cursor.json"
# Names of nested fields count as well: what is not named here is missing there too.
FIELDS = (
    "id,data,meta,updated_at,annotations,result,completed_by,was_cancelled,ground_truth,lead_time,"
    "parent_prediction,created_at,predictions,model_version"
)
Task = dict[str, Any]
Progress = Callable[[int], None]


@dataclass(frozen=True)
class Pulled:
    """What a pull came to: the ledger of all corrections there are now, the newest snapshot (None where
    nobody has annotated yet), whether this pull made it (or, dry, would have), and what is in it beyond its
    parent."""

    ledger: Ledger
    snapshot: Snapshot | None
    fresh: bool
    new: int
    changed: int
    deleted: int
    scanned: int

    @cached_property
    def corrections(self) -> list[Correction]:
        """All of them, ordered by key and annotation."""
        return [snapshot.raised(row) for row in self.ledger.rows()]


def pull(
    project: str,
    *,
    server: Connection,
    full: bool = False,
    dry_run: bool = False,
    say: Callable[[str], None] = lambda line: None,
    progress: Progress = lambda done: None,
    patience: Patience | None = None,
    busy_patience: float = 10.0,
    asked: Form | None = None,
) -> Pulled:
    """Bring the snapshots of this project up to what its annotators have done.

    `full`: reconcile against everything on the server; `dry_run`: look, and write nothing; `say` is told what
    was set aside, `progress` how many tasks were read.

    Raises:
        UserError: when there is no such project, the server keeps failing, or nothing can be written.
        Busy: when another pull of the project is under way on this machine.
    """
    patience, asked = patience or Patience(), asked or form()
    number = project_number(server, project, patience, asked, say)
    root = snapshot.place(server.url, project)
    busy = f"another pull of “{project}” is under way on this machine; wait for it to end"
    with home.lock(root / "pull.lock", patience=busy_patience, busy=busy):
        parent, newest = snapshot.latest(root, say)
        cursor = None if full or not newest else _cursor(root, parent)
        scan = Scan(server, number, patience)
        ledger = Ledger(parent)
        annotators = _annotators(server, patience)
        scanned = 0
        for scanned, task in enumerate(scan.tasks(cursor), 1):
            ledger.saw(task["id"], {annotation["id"] for annotation in task["annotations"]})
            for annotation in task["annotations"]:
                if cursor is None or ledger.before(annotation["id"]) != annotation["updated_at"]:
                    ledger.put(correction_of(task, annotation, asked, annotators))
            progress(scanned)
        if cursor is None:
            ledger.forget_unseen()
        for correction in ledger.fresh_problems():
            say(
                f"Annotation {correction.annotation} of task {correction.task} by {correction.annotator} "
                f"is set aside: {correction.problem}."
            )
        counts = ledger.counts()
        fresh = any(counts.values())
        if fresh and not dry_run:
            about = {"title": project, "id": number, "server": server.url}
            parent = snapshot.write(root, ledger.rows(), project=about, parent=parent)
        if not dry_run:
            _keep_cursor(root, parent, scan.began)
        return Pulled(ledger, parent, fresh, **counts, scanned=scanned)


def project_number(
    server: Connection, project: str, patience: Patience, asked: Form, say: Callable[[str], None]
) -> int:
    """The project's number on the server; `say` is told where its interface was changed by hand.

    Raises:
        UserError: when there is no project of this title, or several that hold tasks.
    """
    found = [one for one in find(server, project, patience) if one.task_number]
    if not found:
        raise UserError(
            f"Label Studio at {server.url} has no project “{project}” with sentences in it; "
            "`annotate push` or `annotate run` makes one."
        )
    if len(found) > 1:
        numbers = ", ".join(str(one.id) for one in found)
        raise UserError(
            f"There are several projects called “{project}” (numbers {numbers}); rename all but one in "
            "Label Studio."
        )
    if other := differences(found[0].label_config, interface(asked)):
        say(
            f"The interface of “{project}” was changed by hand (it differs in {', '.join(other)}); "
            "annotations that hold what it added are set aside."
        )
    return int(found[0].id)


@dataclass(slots=True)
class Scan:
    """A walk over a project's tasks. `began`: the server's clock when it began."""

    server: Connection
    project: int
    patience: Patience
    began: datetime | None = None

    def tasks(self, since: str | None, fields: str = FIELDS, *, bare: bool = False) -> Iterator[Task]:
        """The tasks that changed since a time (ISO 8601), or all, with annotations and predictions unless
        `bare`. Those added meanwhile are left to the next scan."""
        from label_studio_sdk.data_manager import Filters, Operator, Type

        self.began = read(self._clock, self.patience)
        newest = read(lambda: self._page([], ["-tasks:id"], "id", bare=True, size=1), self.patience)
        end = newest[0]["id"] if newest else 0
        last, stretch = 0, PAGE
        while last < end:
            upto = min(last + stretch, end)
            items = [
                Filters.item("tasks:id", Operator.GREATER, Type.Number, last),
                Filters.item("tasks:id", Operator.LESS_OR_EQUAL, Type.Number, upto),
            ]
            if since is not None:
                items.append(
                    Filters.item("tasks:updated_at", Operator.GREATER_OR_EQUAL, Type.Datetime, since)
                )
            page = read(lambda items=items: self._page(items, ["tasks:id"], fields, bare=bare), self.patience)  # type: ignore[misc]
            yield from page
            full = len(page) == PAGE
            stretch = 2 * (page[-1]["id"] - last if full else stretch)
            last = page[-1]["id"] if full else upto

    def _page(
        self, items: list[Any], ordering: list[str], fields: str, *, bare: bool, size: int | None = None
    ) -> list[Task]:
        from label_studio_sdk.data_manager import Filters

        answer = self._get(
            "api/tasks/",
            {
                "project": self.project,
                "page": 1,
                "page_size": size or PAGE,
                "fields": "task_only" if bare else "all",
                "include": fields,
                "query": json.dumps({"filters": Filters.create(Filters.AND, items), "ordering": ordering}),
            },
        )
        found: list[Task] = answer.json()["tasks"]
        return found

    def _clock(self) -> datetime:
        return parsedate_to_datetime(self._get("api/version", {}).headers["date"])

    def _get(self, path: str, params: Mapping[str, Any]) -> Any:
        from label_studio_sdk.core.api_error import ApiError

        http = self.server.api._client_wrapper.httpx_client
        answer = http.request(path, method="GET", params=dict(params))
        if answer.status_code != 200:
            raise ApiError(status_code=answer.status_code, body=answer.text)
        return answer


def _annotators(server: Connection, patience: Patience) -> dict[int, str]:
    users = read(lambda: list(server.api.users.list()), patience)
    return {int(user.id): str(user.email) for user in users if user.id is not None}


def _cursor(root: Path, parent: Snapshot | None) -> str | None:
    """Where the last scan left off, if it was this snapshot's."""
    try:
        kept = json.loads((root / CURSOR).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(kept, dict) or kept.get("snapshot") != (parent.id if parent else None):
        return None
    return str(kept["since"])


def _keep_cursor(root: Path, parent: Snapshot | None, began: datetime | None) -> None:
    assert began is not None, "the scan has ended"
    since = (began - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    kept = {"snapshot": parent.id if parent else None, "since": since}
    home.write(root / CURSOR, json.dumps(kept))
