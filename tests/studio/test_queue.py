"""Sentences sent back to Label Studio stand in one tab of the project, and no others do."""

from __future__ import annotations

import pytest
from scored_rows import keys_of, sample

from annotate import frame
from annotate.errors import UserError
from annotate.studio.push import push
from annotate.studio.queue import send_back


def number(address: str) -> int:
    return int(address.rpartition("tab=")[2])


def shown(studio, project: int, tab: int) -> set[str]:
    http = studio.api._client_wrapper.httpx_client
    params = {"project": project, "view": tab, "page_size": 100}
    tasks = http.request("api/tasks/", method="GET", params=params).json()["tasks"]
    return {task["data"]["key"] for task in tasks}


def test_the_tab_shows_exactly_the_sentences_that_were_sent_back(studio, title):
    rows = sample(40)
    report = push(frame.table(rows), title, server=studio)
    keys = keys_of([rows[3], rows[17], rows[38]])
    address = send_back(studio, title, sorted(keys))
    assert address.startswith(f"{studio.url}/projects/{report.project_id}/data")
    assert shown(studio, report.project_id, number(address)) == keys


def test_sending_again_changes_the_tab_and_makes_no_second_and_leaves_others(studio, title):
    rows = sample(10)
    report = push(frame.table(rows), title, server=studio)
    mine = studio.api.views.create(project=report.project_id, data={"title": "Mine", "type": "list"})
    first = send_back(studio, title, sorted(keys_of(rows[:3])))
    again = send_back(studio, title, sorted(keys_of(rows[2:7])))
    assert again == first
    assert shown(studio, report.project_id, number(again)) == keys_of(rows[2:7])
    other = send_back(studio, title, sorted(keys_of(rows[:1])), title="Doubtful")
    views = {view.id: view.data["title"] for view in studio.api.views.list(project=report.project_id)}
    mine_too = {mine.id: "Mine", number(first): "Disagreements", number(other): "Doubtful"}
    assert sorted(views.values()) == ["Default", "Disagreements", "Doubtful", "Mine", "Most useful first"]
    assert views.items() >= mine_too.items()


def test_the_address_opens_in_a_browser_with_the_sentences_and_the_useful_columns(studio, title, page):
    rows = sample(30)
    report = push(frame.table(rows), title, server=studio)
    unknown = [f"{n:024x}" for n in range(500)]
    address = send_back(studio, title, [*unknown, *keys_of([rows[4], rows[11]])])
    page.goto(address)
    page.get_by_text("report 11 claims").first.wait_for()
    assert page.get_by_text("report 4 claims").count() == 1
    assert page.get_by_text("report 12 claims").count() == 0
    assert page.get_by_text("context_before").count() == 0
    assert shown(studio, report.project_id, number(address)) == keys_of([rows[4], rows[11]])
    page.goto(f"{studio.url}/projects/{report.project_id}/data")
    page.get_by_text("report 12 claims").first.wait_for()
    assert page.get_by_text("Inner ID").count() == 0


def test_without_project_or_sentences_nothing_is_sent_and_it_is_said(studio, title):
    with pytest.raises(UserError, match="no project"):
        send_back(studio, title, ["a"])
    with pytest.raises(UserError, match="nothing to send back"):
        send_back(studio, title, [])
