"""Every block of code in the README and the documentation, run as a reader would: Python line by line on the
real model, commands against a real Label Studio."""

from __future__ import annotations

import json
import shlex
import shutil
import warnings
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from annotators import annotate_task, predicted, tasks_of, user
from click.testing import CliRunner
from markdown_it import MarkdownIt

from annotate import home, registry
from annotate.cli import main
from annotate.model.bundle import shipped
from annotate.studio.push import push

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NOT_RUN = {
    "make": "it would install, or run this very suite; tests/test_project.py runs what it installs",
    "pip install": "it would change the environment that this runs in",
    "sudo": "it wants another user",
    "systemctl": "it wants a machine with systemd; tests/test_deploy.py reads the units",
    "journalctl": "it wants a machine with systemd",
    "annotate serve": "it runs until it is stopped; tests/studio/test_serve.py runs it",
    "annotate studio stop": "it would stop the session's server; tests/studio/test_server.py runs it",
    "annotate studio open": "it opens a window",
    "annotate train models/recipe.yaml": "it takes hours and the corpora; tests/test_training.py trains",
    "annotate score s3://": "it wants an object store; tests/test_engine.py scores folders",
    "torchrun": "it starts processes of its own; tests/test_processes.py runs it",
    "accelerate launch": "accelerate is not installed here; it sets the variables that torchrun sets",
    "annotate evaluate --card": "it wants all corpora; tests/test_assessment.py measures for a card",
}
"""Lines that no test can run, by how they begin, and why."""
TOLD = {"text", "dockerfile"}
"""Blocks that are no code to run here."""


class Block(NamedTuple):
    """A block of code of a page: its language, and the file that it is the content of, if its title says."""

    language: str
    title: str | None
    code: str
    line: int


def blocks(page: Path) -> list[Block]:
    found = []
    for token in MarkdownIt("commonmark").parse(page.read_text(encoding="utf-8")):
        if token.type in ("fence", "code_block"):
            language, *more = shlex.split(token.info) or ["sh"]
            [title] = [word.removeprefix("title=") for word in more] or [None]
            found.append(Block(language, title, token.content, (token.map or [0])[0] + 1))
    return found


@pytest.fixture(scope="module")
def at_hand(studio: Any, seeds: Path, corpora: Path, tmp_path_factory) -> Path:
    """What the pages take for granted: articles, scores, corpora, a project that two people worked on."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "articles").mkdir()
    for article in sorted(seeds.glob("00[04]*.txt")):
        shutil.copy(article, folder / "articles")
    shutil.copy(next(seeds.glob("003*.txt")), folder / "transcript.txt")
    rows = "\n".join(f'{n},Halden Post,"Mayor Berg may close port {n}, she said.",port' for n in range(4))
    (folder / "articles.csv").write_text(f"id,outlet,text,event\n{rows}\n")
    for name, there in (("seeds", seeds), ("models", ROOT / "models"), ("corpora", corpora)):
        (folder / name).symlink_to(there)
    scores = folder / "scores.parquet"
    scored = CliRunner().invoke(main, ["score", str(seeds), "--out", str(scores)])
    assert scored.exit_code == 0, scored.output
    shutil.copy(scores, folder / "archive.parquet")
    for title in ("News", "seeds"):
        reviewed(studio, push(scores, title, server=studio).project_id)
    return folder


def reviewed(studio: Any, project: int) -> None:
    """Two people judge a sentence, and not alike."""
    task = next(t for t in tasks_of(studio, project) if t["data"]["target_0"])
    said = predicted(task)
    other = [r | {"value": {"choices": ["favor"]}} if r["from_name"] == "stance_0" else r for r in said]
    annotate_task(studio, task, user(studio, "reader-a"), said)
    annotate_task(studio, task, user(studio, "reader-b"), other)


@pytest.fixture(scope="module")
def another(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped model under another name and with another threshold."""
    folder = Path(shutil.copytree(shipped(), tmp_path_factory.mktemp("models") / "another"))
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["name"] = "another"
    config["settings"]["loaded"]["threshold"] += 0.01
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def two_versions(studio: Any, another: Path) -> Iterator[str]:
    """The name of a second version of the model, which is gone again afterwards."""
    kept = home.data_dir() / "models"
    before = kept.with_name("models-before")
    if kept.exists():
        shutil.copytree(kept, before)
    yield registry.add(another).name
    shutil.rmtree(kept)
    if before.exists():
        before.rename(kept)


@pytest.fixture
def names(two_versions: str) -> dict[str, str]:
    """What the placeholders of examples stand for: the shipped model, which serves, and one that served
    before it."""
    shipped_one = next(version.name for version in registry.versions() if version.shipped)
    for name in (two_versions, shipped_one):
        registry.promote(name, "for the examples")
    return {"sixth-": shipped_one, "retrained-": two_versions, "FOLDER": str(shipped())}


@pytest.fixture
def place(at_hand: Path, tmp_path: Path) -> Iterator[Path]:
    """A working folder of the page's own with all that in it."""
    shutil.copytree(at_hand, tmp_path / "reader", symlinks=True)
    with chdir(tmp_path / "reader"):
        yield Path.cwd()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_of_code_runs(page, place, names):
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for block in blocks(page):
        where = f"{page.relative_to(ROOT)}, line {block.line}"
        if block.title:
            (place / block.title).write_text(block.code, encoding="utf-8")
        elif block.language == "python":
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", UserWarning)  # of the five seeds: few articles, empty splits
                exec(compile(block.code, where, "exec"), namespace)
        elif block.language == "sh":
            for line in block.code.splitlines():
                run(line, where, names)
        else:
            assert block.language in TOLD, f"{where}: nothing runs a block of {block.language}"


def run(line: str, where: str, names: dict[str, str]) -> None:
    """A line of a shell block, its placeholders filled in."""
    line = line.strip()
    if not line or line.startswith(("#", *NOT_RUN)):
        return
    name, *words = shlex.split(line, comments=True)
    assert name == "annotate", f"{where}: nothing runs `{line}`, and NOT_RUN does not say why"
    filled = [
        next((full for begins, full in names.items() if word.startswith(begins)), word) for word in words
    ]
    done = CliRunner().invoke(main, filled)
    assert done.exit_code == 0, f"{where}: `{line}` ended with {done.exit_code}: {done.output}"


def test_a_reason_not_to_run_is_still_needed():
    code = "".join(block.code for page in PAGES for block in blocks(page) if block.language == "sh")
    lines = [line.strip() for line in code.splitlines()]
    assert [begins for begins in NOT_RUN if not any(line.startswith(begins) for line in lines)] == []
