"""The pictures of these pages, taken anew from a real Label Studio on the seeds:

    python docs/screenshots.py

Needs Chromium and, the first time on a machine, a few minutes to install Label Studio. Nothing of yours is
touched: it works in a folder that is deleted afterwards.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from annotate import home
from annotate.jobs.corrections import corrections_job, disagreements_job, pull_job
from annotate.jobs.studio import run_job
from annotate.progress import Reported, progress
from annotate.studio import server
from annotate.studio.client import KEY, URL, Connection, connect

DOCS = Path(__file__).parent
SEEDS = DOCS.parent / "seeds"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
PROJECT = "Data security"
WIDTH = 1440
"""Of the window, in pixels."""
COLOURS = 160
"""What is left of a picture's colours; text stays sharp and a picture small."""
RICH, SPUN = "Washington has dissuaded some", "Pouring water in other countries"
SAID = "Chinese officials, meanwhile, have accused"
"""Beginnings of the sentences that are shown, and of one that annotators do not agree on."""
GARBLED, BETTER = "Pouring water", "Smearing"
PANEL = 322
"""Width of Label Studio's panel on the right."""


@contextmanager
def label_studio() -> Iterator[Connection]:
    """A Label Studio of its own, with what is installed on this machine."""
    cache = home.cache_dir()
    for name in (URL, KEY):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "cache").symlink_to(cache)
        os.environ["ANNOTATE_HOME"] = place
        server.start()
        try:
            yield connect()
        finally:
            server.stop()


def tasks(studio: Connection, project: int) -> list[dict[str, Any]]:
    """The project's tasks in reading order, with their predictions."""
    http = studio.api._client_wrapper.httpx_client
    asked = {"project": project, "page_size": 200, "fields": "all"}
    found: list[dict[str, Any]] = http.request("api/tasks/", method="GET", params=asked).json()["tasks"]
    return sorted(found, key=lambda task: task["id"])


def disagree(studio: Connection, task: dict[str, Any]) -> None:
    """Two annotators say different things of a sentence."""
    accepted = task["predictions"][0]["result"]
    other = [r | {"value": {"choices": ["favor"]}} if r["from_name"] == "stance_0" else r for r in accepted]
    for name, said in (("ana", accepted), ("ben", other)):
        user = studio.api.users.create(email=f"{name}@example.org", username=name)
        studio.api.annotations.create(id=task["id"], result=said, completed_by=user.id)


def save(page: Any, name: str, *, left: int = 0, right: int = WIDTH, top: int = 0, height: int) -> None:
    """A part of the page as a picture under docs/images, with few colours."""
    clip = {"x": left, "y": top, "width": right - left, "height": height}
    shot = Image.open(io.BytesIO(page.screenshot(clip=clip))).convert("RGB")
    path = DOCS / "images" / f"{name}.png"
    path.parent.mkdir(exist_ok=True)
    shot.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)
    print(f"{path.relative_to(DOCS.parent)}  {path.stat().st_size // 1000} kB")


def sign_in(page: Any, studio: Connection) -> None:
    page.goto(f"{studio.url}/user/login/")
    page.fill("input[name=email]", studio.user)
    page.fill("input[name=password]", Path(server.status().password_file).read_text().strip())
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/user/login" not in url)


def open_task(page: Any, studio: Connection, project: int, task: int) -> None:
    page.goto(f"{studio.url}/projects/{project}/data?task={task}")
    page.wait_for_selector(".an-sentence .htx-highlight")
    page.wait_for_function("window.Htx && Htx.annotationStore.selected")
    page.wait_for_timeout(800)


def main() -> None:
    with label_studio() as studio, progress() as bars:
        reporter = Reported(bars)
        project = run_job([str(SEEDS)], project=PROJECT, reporter=reporter).report.project_id
        found = tasks(studio, project)
        rich, spun, said = (
            next(task for task in found if task["data"]["text"].startswith(begins))
            for begins in (RICH, SPUN, SAID)
        )
        disagree(studio, said)
        pull_job(PROJECT, reporter=reporter)
        assert corrections_job(PROJECT)
        _, queue = disagreements_job(PROJECT, queue=True)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
            page = browser.new_page(viewport={"width": WIDTH, "height": 900})
            page.set_default_timeout(30_000)
            sign_in(page, studio)
            take(page, studio, project, rich["id"], spun["id"], str(queue))
            browser.close()


def take(page: Any, studio: Connection, project: int, rich: int, spun: int, queue: str) -> None:
    """All pictures, one after the other."""
    open_task(page, studio, project, rich)
    beside_table = int(page.locator(".an-page").bounding_box()["x"]) - 15
    save(page, "interface", left=beside_table, top=90, height=560)
    open_task(page, studio, project, spun)
    page.get_by_text(GARBLED, exact=True).last.click()
    box = page.locator(".an-span textarea:visible, .an-span input[type=text]:visible").last
    box.fill(BETTER)
    page.mouse.move(5, 5)
    page.wait_for_timeout(800)
    save(page, "garbled", left=beside_table, right=WIDTH - PANEL, top=90, height=715)
    page.goto(f"{studio.url}/projects/{project}/data")
    page.get_by_text("Most useful first").first.click()
    page.wait_for_timeout(2500)
    save(page, "order", height=470)
    page.goto(queue)
    page.wait_for_timeout(2500)
    save(page, "disagreements", height=270)


if __name__ == "__main__":
    main()
