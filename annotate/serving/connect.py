"""Live predictions entered in a Label Studio project, once; what its own registration gets wrong is mended.

Label Studio 1.23.2 makes its title the model version of a project that has none, so that no prediction fills
the form, and adds a webhook without authentication that sends everything (label_studio/ml/models.py,
ml/api.py). Both are mended on every call, so that it may be made again at any time.

A task without a prediction gets one when it is opened from the project's table. The stream of “Label All
Tasks” asks only while the project's model version is the backend's title, and then needs a backend that is up
(tasks/models.py, get_predictions_for_prelabeling); so there it stays with what was pushed.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from annotate.errors import UserError
from annotate.serving.guard import USER, authorization
from annotate.studio.calls import Patience, Trouble, call, gave_up, read
from annotate.studio.client import Connection
from annotate.studio.form import form
from annotate.studio.pull import project_number

TITLE = "annotate serve"
NUDGES = ("ANNOTATION_CREATED", "ANNOTATION_UPDATED", "ANNOTATIONS_DELETED")
"""What a webhook tells of; the tasks of a push are none of its business."""


@dataclass(frozen=True, slots=True)
class Connected:
    """A project that asks for live predictions: its number, the backend's, and what fills its forms."""

    project: int
    backend: int
    model_version: str
    page: str


def connect(
    server: Connection,
    project: str,
    *,
    url: str,
    password: str,
    version: str,
    patience: Patience | None = None,
) -> Connected:
    """Have the project of this title ask `url` for predictions of tasks that have none.

    version: the model version served, which fills the forms of a project that has none yet.

    Raises:
        UserError: when there is no such project, or Label Studio cannot reach `url` or keeps failing.
    """
    patience = patience or Patience()
    number = project_number(server, project, patience, form(), lambda line: None)
    titles = {TITLE}
    before = read(lambda: server.api.projects.get(number).model_version, patience)
    titles |= {str(b.title) for b in read(lambda: server.api.ml.list(project=number), patience)}
    backend = _backend(server, number, url, password, patience)
    _webhook(server, number, f"{url}/webhook", password, patience)
    wanted = before if before and before not in titles else None
    if wanted is None:
        wanted = version
        _predict_one(server, number, patience)
    if read(lambda: server.api.projects.get(number).model_version, patience) != wanted:
        read(lambda: server.api.projects.update(id=number, model_version=wanted), patience)
    return Connected(number, backend, wanted, f"{server.url}/projects/{number}/data")


def _predict_one(server: Connection, project: int, patience: Patience) -> None:
    """Look at a task without a prediction, whereupon Label Studio asks for it: only a version of which the
    project has a prediction can be set as the project's."""
    from label_studio_sdk.data_manager import Filters, Operator, Type

    bare = Filters.item("tasks:total_predictions", Operator.EQUAL, Type.Number, 0)
    query = json.dumps({"filters": Filters.create(Filters.AND, [bare])})
    tasks = server.api.tasks

    def first() -> Any:
        return next(iter(tasks.list(project=project, query=query, page_size=1)), None)

    task = read(first, patience)
    if task is not None:
        read(lambda: tasks.get(str(task.id)), patience)


def _backend(server: Connection, project: int, url: str, password: str, patience: Patience) -> int:
    """The number of the one backend at `url`, made where there is none."""
    ml = server.api.ml
    # The model answers for a whole sentence, whatever was just drawn in it: interactive suggestions would
    # repeat what stands there already. Tasks without a prediction are asked for without that.
    entry: dict[str, Any] = {
        "project": project,
        "url": url,
        "title": TITLE,
        "auth_method": "BASIC_AUTH",
        "basic_auth_user": USER,
        "basic_auth_pass": password,
        "is_interactive": False,
    }
    written = False
    for attempt in range(patience.tries):
        there = sorted(b.id for b in read(lambda: ml.list(project=project), patience) if _same(b.url, url))
        for copy in there[1:]:
            read(lambda copy=copy: ml.delete(copy), patience)  # type: ignore[misc]
        if there and written:
            return int(there[0])
        try:
            if there:
                call(lambda there=there: ml.update(there[0], **entry))  # type: ignore[misc]
            else:
                call(lambda: ml.create(**entry))
            written = True
        except Trouble as trouble:  # it may have been carried out all the same: look again
            last = trouble
            patience.wait(attempt)
        except UserError as error:
            raise UserError(
                f"Label Studio at {server.url} does not take {url} for live predictions; it must be able to "
                f"reach that address, which on its own machine it refuses unless it runs with "
                f"ML_BLOCK_LOCAL_IP=false. {error}"
            ) from None
    raise gave_up(last)


def _webhook(server: Connection, project: int, url: str, password: str, patience: Patience) -> None:
    """One webhook to `url`, with the password, about annotations alone."""
    webhooks = server.api.webhooks
    entry: dict[str, Any] = {
        "url": url,
        "headers": {"Authorization": authorization(password)},
        "send_for_all_actions": False,
        "send_payload": True,
        "actions": list(NUDGES),
        "is_active": True,
    }
    found = read(lambda: webhooks.list(project=str(project)), patience)
    there = sorted(hook.id for hook in found if _same(hook.url, url))
    if there:
        read(lambda: webhooks.update(there[0], **entry), patience)
    else:
        read(lambda: webhooks.create(project=project, **entry), patience)
    for copy in there[1:]:
        read(lambda copy=copy: webhooks.delete(copy), patience)  # type: ignore[misc]


def _same(one: str | None, other: str) -> bool:
    return (one or "").rstrip("/") == other.rstrip("/")
