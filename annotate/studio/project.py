"""The project that is pushed to: found by its exact title, created with our interface, or refused."""

from __future__ import annotations

from typing import Any

from annotate.errors import UserError
from annotate.studio.calls import Patience, Trouble, call, gave_up, read
from annotate.studio.client import Connection
from annotate.studio.interface import differences, is_empty

TITLE_LENGTH = range(3, 51)  # Label Studio's own limits


def find(server: Connection, title: str, patience: Patience) -> list[Any]:
    """The projects with exactly this title, oldest first; Label Studio lets several have one."""
    _check(title)
    # Its filter is a substring match whatever the case, and pages by itself.
    found = read(lambda: list(server.api.projects.list(title=title)), patience)
    return sorted((project for project in found if project.title == title), key=lambda project: project.id)


def open_project(server: Connection, title: str, config: str, patience: Patience) -> Any:
    """The project to push to, created where there is none."""
    for attempt in range(patience.tries):
        if found := find(server, title, patience):
            return _settled(server, found, config, patience)
        try:
            # An unknown outcome shows on the next look, and twins of a late one are cleared away then.
            call(lambda: server.api.projects.create(title=title, label_config=config))
        except Trouble as trouble:
            last = trouble
            patience.wait(attempt)
    raise gave_up(last)


def existing(server: Connection, title: str, config: str, patience: Patience) -> Any | None:
    """The project of this title if there is one, changed in nothing; refused like in a real push."""
    found = find(server, title, patience)
    if not found:
        return None
    project = next((p for p in found if p.task_number), found[0])
    if not is_empty(project.label_config):
        _check_interface(project, config)
    return project


def _settled(server: Connection, found: list[Any], config: str, patience: Patience) -> Any:
    """One project of one title: empty twins of ours go, which two creators at once leave behind."""
    filled = [project for project in found if project.task_number]
    if len(filled) > 1:
        numbers = ", ".join(str(project.id) for project in filled)
        raise UserError(
            f"there are several projects called “{found[0].title}” (numbers {numbers}); "
            "rename all but one in Label Studio, or choose another --project"
        )
    project = (filled or found)[0]
    for twin in found:
        if twin.id > project.id and not twin.task_number and twin.label_config == project.label_config:
            _remove_if_empty(server, twin.id, patience)
    if is_empty(project.label_config) and not project.task_number:
        read(lambda: server.api.projects.update(id=project.id, label_config=config), patience)
        return read(lambda: server.api.projects.get(project.id), patience)
    _check_interface(project, config)
    return project


def _remove_if_empty(server: Connection, number: int, patience: Patience) -> None:
    now = read(lambda: server.api.projects.get(number), patience)
    if not now.task_number:
        call(lambda: server.api.projects.delete(id=number))


def _check_interface(project: Any, config: str) -> None:
    if other := differences(project.label_config, config):
        raise UserError(
            f"the project “{project.title}” has another labelling interface "
            f"(it differs in {', '.join(other)}); push to a new project with --project, or rename that one"
        )


def _check(title: str) -> None:
    if len(title) not in TITLE_LENGTH or title != title.strip():
        raise UserError(
            f"a project's name has {TITLE_LENGTH[0]} to {TITLE_LENGTH[-1]} characters and no blank at either "
            f"end; “{title}” has {len(title)}"
        )
