"""`annotate retrain` by two processes: the first does the job, both train."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator

import pytest
from annotators import annotate_task, tasks_of, user
from scored_rows import sample
from tiny import bundle

from annotate import frame, home, registry
from annotate.model.bundle import load_bundle
from annotate.studio.push import push
from annotate.training.gate import is_held_out

TAUGHT = next(name for name in map(str, range(100)) if not is_held_out(name))
TWO = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "--"]


@pytest.fixture
def own_registry(studio_home) -> Iterator[None]:
    """Versions that are gone again afterwards, however the test ends."""
    yield
    shutil.rmtree(home.data_dir() / "models", ignore_errors=True)


@pytest.mark.usefixtures("own_registry")
def test_two_processes_retrain_and_one_verdict_is_printed(studio, title, tiny_encoder, tmp_path):
    parent = registry.promote(
        registry.add(bundle(tiny_encoder, tmp_path / "tiny", recipe={"frozen": []})).name, "for a test"
    )
    project = push(frame.table(sample(3, article_id=TAUGHT)), title, server=studio).project_id
    for task in tasks_of(studio, project)[:2]:
        annotate_task(studio, task, user(studio, "anna"))
    line = [*TWO, "annotate", "retrain", "--project", title, "--json", "--threads", "1"]
    few = subprocess.run(line, capture_output=True, text=True)
    assert few.returncode == 0, few.stderr
    assert json.loads(few.stdout)["verdict"] == "too few"
    done = subprocess.run([*line, "--min-corrections", "1"], capture_output=True, text=True)
    record = json.loads(done.stdout)
    assert record["verdict"] in ("promoted", "refused"), done.stderr
    assert (done.returncode == 0) == (record["verdict"] == "promoted"), done.stderr[-3000:]
    assert done.stderr.count("Retraining") == 1
    if record["verdict"] == "promoted":
        made = registry.version(record["version"]).folder
    else:
        made = home.data_dir() / "retraining"
        made = next(made.glob(f"*/{record['snapshot']}/model"))
    assert load_bundle(made).id != load_bundle(parent.folder).id
