"""Annotators of the tests: users of the session's Label Studio, and what they do to tasks through its API."""

from __future__ import annotations

from typing import Any

from annotate.studio.client import Connection


def user(studio: Connection, name: str) -> int:
    """The number of an annotator, made where there is none."""
    email = f"{name}@example.org"
    for one in studio.api.users.list():
        if one.email == email:
            return int(one.id)
    return int(studio.api.users.create(email=email, username=name, first_name=name, last_name="").id)


def tasks_of(studio: Connection, project: int) -> list[dict[str, Any]]:
    """The project's tasks with predictions and annotations, in order."""
    http = studio.api._client_wrapper.httpx_client
    found: list[dict[str, Any]] = []
    while True:
        params = {"project": project, "page": len(found) // 100 + 1, "page_size": 100, "fields": "all"}
        page = http.request("api/tasks/", method="GET", params=params).json()["tasks"]
        found += page
        if len(page) < 100:
            return sorted(found, key=lambda task: task["id"])


def predicted(task: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of a task's newest prediction."""
    return max(task["predictions"], key=lambda p: p["id"])["result"]


def annotate_task(studio: Connection, task: dict[str, Any], by: int, result: Any = None, **more: Any) -> int:
    """Annotate a task as one of the annotators; without a result the prediction is accepted."""
    said = predicted(task) if result is None else result
    return int(studio.api.annotations.create(id=task["id"], result=said, completed_by=by, **more).id)


def marking(text: str, part: str, label: str, region: str = "added") -> dict[str, Any]:
    """A span that somebody drew by hand."""
    at = text.index(part)
    value = {"start": at, "end": at + len(part), "text": part, "labels": [label]}
    return {"id": region, "from_name": "label", "to_name": "text", "type": "labels", "value": value}


def chosen(question: str, value: str) -> dict[str, Any]:
    """An answer to a question about the sentence or a target's slot."""
    return {
        "id": f"chosen-{question}",
        "from_name": question,
        "to_name": "text",
        "type": "choices",
        "value": {"choices": [value]},
    }
