"""The main job as a newcomer runs it: articles in, every content sentence pre-annotated in Label Studio."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from annotate.studio.client import Connection


def run(seeds: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "annotate", "run", str(seeds), "--project", "the seeds"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def standing(studio: Connection) -> list[Any]:
    [project] = [p for p in studio.api.projects.list(title="the seeds") if p.title == "the seeds"]
    return list(studio.api.tasks.list(project=project.id, fields="all", page_size=200))


def test_run_puts_each_content_sentence_there_once_and_a_second_run_adds_nothing(studio, seeds, content):
    first = run(seeds)
    assert first.returncode == 0, first.stderr
    assert studio.url in first.stdout
    assert "password" in first.stdout
    tasks = standing(studio)
    assert sorted(t.data["sentence_id"] for t in tasks) == sorted(content.sentence_id)
    assert {len(t.predictions) for t in tasks} == {1}
    [garbled] = [t for t in tasks if t.data["text"].startswith("Pouring water")]
    assert "groundless accusations" in garbled.data["siblings_html"], "what the others wrote stands beside it"
    [version] = {t.predictions[0].model_version for t in tasks}
    second = run(seeds)
    assert second.returncode == 0, second.stderr
    assert "0 new" in second.stdout
    again = standing(studio)
    assert [t.id for t in again] == [t.id for t in tasks]
    assert [[p.id for p in t.predictions] for t in again] == [[p.id for p in t.predictions] for t in tasks]
    assert version.startswith("annotate-")
