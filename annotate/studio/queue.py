"""A queue: chosen sentences of a project as a tab of Label Studio's Data Manager."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from annotate.errors import UserError
from annotate.studio.calls import Patience, Trouble, call, gave_up, read
from annotate.studio.client import Connection
from annotate.studio.project import find

COLUMNS = (
    "tasks:id",
    "tasks:data.text",
    "tasks:data.article_id",
    "tasks:annotators",
    "tasks:total_annotations",
)
"""What the tab shows."""
Columns = Mapping[str, Mapping[str, bool]]
"""Name of each column, and whether Label Studio shows it unasked when exploring and when labelling."""


def send_back(
    server: Connection,
    project: str,
    keys: Sequence[str],
    title: str = "Disagreements",
    patience: Patience | None = None,
) -> str:
    """Show exactly the tasks of these keys in the project's tab of this title; returns its address.

    There is one tab of a title: it is created where there is none, and else shows these tasks from now on.

    Raises:
        UserError: when there is no such project, no key is given, or the server keeps failing.
    """
    patience = patience or Patience()
    if not keys:
        raise UserError(f"there is nothing to send back to “{project}”")
    found = [one for one in find(server, project, patience) if one.task_number]
    if len(found) != 1:
        problem = f"several projects “{project}”" if found else f"no project “{project}” with sentences in it"
        raise UserError(f"Label Studio at {server.url} has {problem}; choose another --project")
    number = int(found[0].id)
    columns = _columns(server, number, patience)
    queue, everything = _queue(title, keys, columns), _all_tasks(columns)
    for attempt in range(patience.tries):
        # A write whose outcome is unknown shows on the next look.
        tabs = _tabs(server, number, patience)
        try:
            if not tabs:  # Label Studio makes the tab of all tasks only where there is none yet.
                call(lambda: _write(server, number, None, everything))
            tab = call(partial(_write, server, number, tabs.get(title), queue))
        except Trouble as trouble:
            last = trouble
            patience.wait(attempt)
            continue
        return f"{server.url}/projects/{number}/data?tab={tab}"
    raise gave_up(last)


def _tabs(server: Connection, project: int, patience: Patience) -> dict[str, int]:
    """The project's tabs by title, the oldest of each."""
    views = read(lambda: server.api.views.list(project=project), patience)
    newest_first = sorted(views, key=lambda view: -view.id)
    return {(view.data or {}).get("title", ""): int(view.id) for view in newest_first}


def _write(server: Connection, project: int, tab: int | None, shown: Any) -> int:
    if tab is None:
        return int(server.api.views.create(project=project, data=shown).id)
    server.api.views.update(str(tab), project=project, data=shown)
    return tab


def _queue(title: str, keys: Sequence[str], columns: Columns) -> Any:
    """The tab of these keys, as Label Studio keeps it."""
    from label_studio_sdk.data_manager import Column, Filters, Operator, Type

    # The server knows `in_list` as well, but a tab that holds it keeps the whole Data Manager from loading.
    among = f"^({'|'.join(map(re.escape, keys))})$"
    filters = [Filters.item(Column.data("key"), Operator.REGEX, Type.String, among)]
    hidden = [name for name in columns if name not in COLUMNS]
    return {
        "title": title,
        "type": "list",
        "filters": Filters.create(Filters.AND, filters),
        "ordering": ["tasks:id"],
        "hiddenColumns": {"explore": hidden, "labeling": hidden},
    }


def _all_tasks(columns: Columns) -> Any:
    """The tab that Label Studio itself makes of a project without any."""
    hidden = {
        mode: [name for name, seen in columns.items() if not seen.get(mode, True)]
        for mode in ("explore", "labeling")
    }
    return {"title": "Default", "type": "list", "hiddenColumns": hidden}


def _columns(server: Connection, project: int, patience: Patience) -> Columns:
    """All columns of the project's Data Manager, as tabs name them."""
    http = server.api._client_wrapper.httpx_client

    def ask() -> list[dict[str, Any]]:
        answer = http.request("api/dm/columns/", method="GET", params={"project": project})
        answer.raise_for_status()
        columns: list[dict[str, Any]] = answer.json()["columns"]
        return columns

    return {
        f"tasks:{'data.' if column.get('parent') == 'data' else ''}{column['id']}": column.get(
            "visibility_defaults", {}
        )
        for column in read(ask, patience)
    }
