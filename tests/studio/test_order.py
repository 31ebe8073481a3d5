"""A tab shows what teaches the most first; the other stays in the order of the articles."""

from __future__ import annotations

import numpy as np
from annotators import tasks_of, user
from scored_rows import sample

from annotate import frame
from annotate.ordering import review_order
from annotate.studio.order import TITLE
from annotate.studio.push import push


def unsure(n, seed, **columns):
    doubts = np.random.default_rng(seed).random(n)
    return [row | {"uncertainty": float(u)} for row, u in zip(sample(n, **columns), doubts, strict=True)]


def tabs(studio, project):
    return {view.data["title"]: view for view in studio.api.views.list(project=project)}


def listed(studio, view):
    found = studio.api.tasks.list(view=view.id, fields="task_only", include="id,data", page_size=100)
    return [task.data["sentence_id"] for task in found]


def first_ranked(rows):
    ranks = review_order(rows)
    return sorted(ranks, key=ranks.__getitem__)


def next_in(studio, project, ordering):
    """What the labelling stream of a tab gives next, asked for as the Data Manager does."""
    http = studio.api._client_wrapper.httpx_client
    asked = {
        "selectedItems": {"all": True, "excluded": []},
        "filters": {"conjunction": "and", "items": []},
        "ordering": ordering,
    }
    answer = http.request(
        "api/dm/actions/", method="POST", params={"id": "next_task", "project": project}, json=asked
    )
    return answer.json()


def test_two_pushes_leave_one_tab_beside_the_one_in_reading_order(studio, title):
    rows = unsure(40, 1)
    project = push(frame.table(rows), title, server=studio).project_id
    push(frame.table(rows), title, server=studio)
    views = studio.api.views.list(project=project)
    assert [view.data["title"] for view in views] == ["Default", TITLE]
    default, useful = views
    assert listed(studio, default) == [row["sentence_id"] for row in rows]
    assert listed(studio, useful) == first_ranked(rows)


def test_a_labeler_gets_what_is_ranked_first_and_reads_on_in_the_other_tab(studio, title):
    rows = unsure(12, 2)
    project = push(frame.table(rows), title, server=studio).project_id
    ordering = tabs(studio, project)[TITLE].data["ordering"]
    by = user(studio, "orderly")
    for expected in first_ranked(rows)[:4]:
        task = next_in(studio, project, ordering)
        assert task["data"]["sentence_id"] == expected
        studio.api.annotations.create(id=task["id"], result=[], completed_by=by)
    done = set(first_ranked(rows)[:4])
    unread = [row["sentence_id"] for row in rows if row["sentence_id"] not in done]
    assert next_in(studio, project, [])["data"]["sentence_id"] == unread[0]


def test_a_new_model_orders_anew_what_stands_there(studio, title):
    project = push(frame.table(unsure(20, 3)), title, server=studio).project_id
    before = [task["data"] for task in tasks_of(studio, project)]
    newer = unsure(20, 4, model="annotate-0.1.0|model:two")
    push(frame.table(newer), title, server=studio)
    assert listed(studio, tabs(studio, project)[TITLE]) == first_ranked(newer)
    assert [task["data"] for task in tasks_of(studio, project)] == before


def test_a_tab_that_somebody_made_stays_first(studio, title):
    rows = unsure(5, 5)
    made = studio.api.projects.create(title=title)
    studio.api.views.create(project=made.id, data={"title": "Mine", "type": "list"})
    push(frame.table(rows), title, server=studio)
    assert [view.data["title"] for view in studio.api.views.list(project=made.id)] == ["Mine", TITLE]


def test_tasks_as_displayed_in_the_tab_begin_with_what_is_ranked_first(studio, title, page):
    rows = unsure(6, 6)
    project = push(frame.table(rows), title, server=studio).project_id
    page.goto(f"{studio.url}/projects/{project}/data?tab={tabs(studio, project)[TITLE].id}")
    everything = page.get_by_role("button", name="Label All Tasks")
    everything.click()
    assert opened(page) == rows[0]["text"]
    page.go_back()
    everything.wait_for()
    page.locator("button:right-of(:text('Label All Tasks'))").first.click()
    page.get_by_text("Label Tasks As Displayed").click()
    first = first_ranked(rows)[0]
    assert opened(page) == next(row["text"] for row in rows if row["sentence_id"] == first) != rows[0]["text"]


def opened(page):
    page.wait_for_selector(".an-sentence .htx-highlight")
    return page.locator(".an-sentence").first.inner_text()
