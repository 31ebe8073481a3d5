"""A queue: chosen sentences of a project as a tab of Label Studio's Data Manager."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from annotate.errors import UserError
from annotate.studio.calls import Patience
from annotate.studio.client import Connection
from annotate.studio.project import find
from annotate.studio.tabs import Columns, columns_of, show

COLUMNS = (
    "tasks:id",
    "tasks:data.text",
    "tasks:data.article_id",
    "tasks:annotators",
    "tasks:total_annotations",
)
"""What the tab shows."""


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
    tab = show(server, number, _queue(title, keys, columns_of(server, number, patience)), patience)
    return f"{server.url}/projects/{number}/data?tab={tab}"


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
