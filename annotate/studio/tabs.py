"""Tabs of a project's Data Manager: each a choice of tasks in an order, under a title."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from annotate.studio.calls import Patience, Trouble, call, gave_up, read
from annotate.studio.client import Connection

Columns = Mapping[str, Mapping[str, bool]]
"""Name of each column, and whether Label Studio shows it unasked when exploring and when labelling."""


def show(
    server: Connection, project: int, tab: Mapping[str, Any], patience: Patience, *, renew: bool = True
) -> int:
    """See to it that the project has one tab of this title; returns its number.

    tab: as Label Studio keeps it; `renew`: whether a tab of this title that is there already becomes like it.
    """
    columns = columns_of(server, project, patience)
    for attempt in range(patience.tries):
        # A write whose outcome is unknown shows on the next look.
        tabs = _tabs(server, project, patience)
        there = tabs.get(tab["title"])
        try:
            if not tabs:  # Label Studio makes the tab of all tasks only where there is none yet.
                call(partial(_write, server, project, None, everything(columns)))
            if there is not None and not renew:
                return there
            return call(partial(_write, server, project, there, tab))
        except Trouble as trouble:
            last = trouble
            patience.wait(attempt)
    raise gave_up(last)


def everything(columns: Columns) -> dict[str, Any]:
    """The tab that Label Studio itself makes of a project without any."""
    hidden = {
        mode: [name for name, seen in columns.items() if not seen.get(mode, True)]
        for mode in ("explore", "labeling")
    }
    return {"title": "Default", "type": "list", "hiddenColumns": hidden}


def columns_of(server: Connection, project: int, patience: Patience) -> Columns:
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
