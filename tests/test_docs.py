"""The documentation: it builds without a warning, leads nowhere that is not there, asks nobody outside, and
says what the code says."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urldefrag

import lxml.html
import pytest

import annotate
from annotate.cli import main
from annotate.errors import Busy, UserError
from annotate.studio.client import KEY, URL
from annotate.studio.form import form
from annotate.training import tracking

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
OUTSIDE = re.compile(r"^(https?:)?//")


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The site, built strictly as `make docs` does, and what the builder said."""
    if importlib.util.find_spec("zensical") is None:
        pytest.skip("zensical is not installed: pip install 'annotate-news[docs]'")
    place = tmp_path_factory.mktemp("docs")
    shutil.copytree(DOCS, place / "docs")
    shutil.copy(ROOT / "mkdocs.yml", place)
    for name in ("annotate", "models", "CHANGELOG.md"):
        (place / name).symlink_to(ROOT / name)
    command = [sys.executable, "-m", "zensical", "build", "--strict", "--clean"]
    done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
    said = COLOUR.sub("", done.stdout + done.stderr)
    assert done.returncode == 0, said
    return place / "site", said


@pytest.fixture(scope="session")
def site(built: tuple[Path, str]) -> Path:
    return built[0]


@pytest.fixture(scope="session")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def pages(site: Path) -> list[Path]:
    return sorted(site.rglob("*.html"))


def test_the_site_builds_without_a_warning(built):
    site, said = built
    assert re.findall(r"(?i)^.*(?:warning|error|griffe).*$", said, re.MULTILINE) == []
    assert len(pages(site)) > 15


def test_every_page_is_in_the_navigation(site):
    start = lxml.html.parse(site / "index.html").getroot()
    hrefs = [str(href) for href in start.xpath("//nav//a/@href")]
    linked = {(site / unquote(href.split("#")[0])).resolve() for href in hrefs}
    for page in DOCS.rglob("*.md"):
        name = page.relative_to(DOCS).with_suffix("")
        assert (site / name).resolve() in linked or name.name == "index", f"nothing leads to {name}"


def test_no_link_or_anchor_is_broken(site):
    documents = {page: lxml.html.parse(page).getroot() for page in pages(site)}
    names = {
        page: {e.get("id") for e in document.iter() if e.get("id")} for page, document in documents.items()
    }
    broken = []
    for page, document in documents.items():
        if page.name == "404.html":
            continue
        for element in document.iter("a", "img", "link", "script"):
            where = element.get("href") or element.get("src") or ""
            if not where or OUTSIDE.match(where) or where.startswith(("data:", "mailto:", "javascript:")):
                continue
            path, anchor = urldefrag(where)
            target = (page.parent / unquote(path)).resolve() if path else page
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file() or (anchor and target in names and anchor not in names[target]):
                broken.append(f"{page.relative_to(site)}: {where}")
    assert broken == []


def test_no_page_names_anything_outside_that_a_browser_would_fetch(site):
    found = [
        f"{page.relative_to(site)}: {element.tag} {where}"
        for page in pages(site)
        for element in lxml.html.parse(page).getroot().iter("img", "script", "link", "iframe", "source")
        for where in (element.get("src"), element.get("href"))
        if where and OUTSIDE.match(where) and element.get("rel") != "canonical"
    ]
    assert found == []


@pytest.fixture(scope="session")
def address(site: Path) -> Iterator[str]:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=site)
    ) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("width", [1440, 390])
def test_a_browser_asks_nobody_outside_and_no_page_runs_out_of_the_window(browser, site, address, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    asked, failed = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("response", lambda answer: answer.status < 400 or failed.append(answer.url))
    for html in pages(site):
        page.goto(f"{address}/{html.relative_to(site)}", wait_until="load")
        too_wide = page.evaluate("document.scrollingElement.scrollWidth - innerWidth")
        assert too_wide <= 0, f"{html.relative_to(site)} is {too_wide} pixels wider than the window"
    page.wait_for_load_state("networkidle")
    page.close()
    assert [url for url in asked if not url.startswith((address, "data:", "blob:"))] == []
    assert failed == []


def test_what_is_written_from_the_code_is_current(generate):
    for name, page in generate.PAGES.items():
        assert (DOCS / name).read_text(encoding="utf-8") == page(), f"run `python docs/generate.py`: {name}"


def test_a_column_that_is_not_told_is_named(generate, monkeypatch):
    monkeypatch.delitem(generate.COLUMNS, "stance.label")
    with pytest.raises(SystemExit, match=r"stance\.label"):
        generate.frame()
    monkeypatch.setitem(generate.COLUMNS, "stance.label", "The label.")
    monkeypatch.setitem(generate.COLUMNS, "mood", "No longer there.")
    with pytest.raises(SystemExit, match="mood"):
        generate.frame()


def test_a_command_without_an_example_is_named(generate, monkeypatch):
    monkeypatch.setattr(main.commands["score"], "help", "Score articles.")
    with pytest.raises(SystemExit, match="annotate score"):
        generate.commands()


def test_every_variable_and_exit_code_is_told():
    told = (DOCS / "reference" / "environment.md").read_text(encoding="utf-8")
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "annotate").rglob("*.py"))
    named = set(re.findall(r"\bANNOTATE_[A-Z_]+\b", code)) | {URL, KEY, tracking.URI, tracking.EXPERIMENT}
    assert sorted(name for name in named if f"`{name}`" not in told) == []
    for number in (UserError.exit_code, Busy.exit_code):
        assert f"| {number} |" in told


def test_the_guideline_tells_every_category_and_answer():
    told = (DOCS / "annotators" / "guideline.md").read_text(encoding="utf-8")
    choices = {choice for question in form().questions for choice in question.choices}
    assert sorted(choice for choice in choices if choice not in told) == []


def test_the_figures_in_the_limits_are_those_of_the_card():
    told = (DOCS / "limits.md").read_text(encoding="utf-8")
    card = (ROOT / "models" / "sixth" / "README.md").read_text(encoding="utf-8")
    figures = re.findall(r"\b0\.\d{2,3}\b", told)
    assert figures
    assert [figure for figure in figures if figure not in card] == []
    [(written, right)] = re.findall(r"Of (\d+) sentences written .*?, (\d+) come out right", card)
    assert f"{written} sentences were written to show where such models fail; {right} come out right" in told


def test_the_speed_in_the_readme_is_the_measured_one():
    results = (ROOT / "benchmarks" / "results.md").read_text(encoding="utf-8")
    [times] = re.findall(r"\| five default pipelines \|.*\| ([\d.]+) \|", results)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{times} times as fast as five default pipelines" in readme


def test_the_figures_of_drift_are_those_of_its_settings():
    told = (DOCS / "researchers" / "compare.md").read_text(encoding="utf-8")
    settings = json.loads((ROOT / "annotate" / "siblings" / "settings.json").read_text(encoding="utf-8"))
    for how in ("drift", "drift in all", "drift in all, read by the model"):
        drift = settings["figures"][f"{how}, cross-fitted"]
        assert f"{drift['right']} of {drift['said']} marks are right" in told


def test_all_that_the_package_offers_is_in_the_reference():
    told = (DOCS / "reference" / "python.md").read_text(encoding="utf-8")
    there = set(re.findall(r"^::: [\w.]*?(\w+)$", told, re.MULTILINE))
    assert sorted(set(annotate.__all__) - there) == []


def test_the_notebooks_that_are_told_of_are_there():
    told = (DOCS / "researchers" / "datasets.md").read_text(encoding="utf-8")
    named = sorted(re.findall(r"^\| `(\d\d-[\w-]+)`", told, re.MULTILINE))
    assert named == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_pictures_are_light():
    pictures = sorted((DOCS / "images").iterdir())
    assert pictures
    assert [p.name for p in pictures if p.stat().st_size > 300_000] == []


def test_every_link_of_the_readme_leads_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    inside = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if not OUTSIDE.match(link)]
    assert inside
    assert [link for link in inside if not (ROOT / link.split("#")[0]).exists()] == []
