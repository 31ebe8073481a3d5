"""How fast and how light push and pull are, against a Label Studio of the benchmark's own.

python benchmarks/studio.py [--tasks N] [--reviewed SHARE] [--postgres]

Each step is the command a user calls, in a process of its own: push, push again (nothing to do), pull after
a share of the tasks was reviewed (their predictions accepted, by the server itself), pull again, and a full
pull. Told are the seconds of wall time, tasks a second, and the highest memory of the command's process.
Label Studio keeps its data in SQLite, with --postgres in a throw-away PostgreSQL.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests" / "studio"))
TITLE = "Benchmark"
ARTICLE = 25
"""Sentences of an article."""


def write_scores(path: Path, sentences: int) -> None:
    """So many scored sentences, no two alike, each with a target, a hedge and two siblings."""
    import pyarrow.parquet as pq

    from annotate import frame
    from annotate.frame import schema
    from annotate.reading import read, split

    texts = [s.text for a in read([ROOT / "seeds"]) for s in split(a) if not s.boilerplate]
    with pq.ParquetWriter(path, schema()) as writer:
        for first in range(0, sentences, 40 * ARTICLE):
            rows = [row(i, sentences, texts) for i in range(first, min(sentences, first + 40 * ARTICLE))]
            writer.write_table(frame.table(rows))


def row(i: int, sentences: int, texts: list[str]) -> dict[str, Any]:
    """One of so many rows."""
    from scored_rows import judged, place_of, scored_row

    text, start = f"{texts[i % len(texts)].rstrip('.')}, China might say in case {i}.", 1000 * (i % ARTICLE)
    beside = ((i + 100) % sentences, (i + 200) % sentences)
    near = [
        {"article_id": article(n), "sentence_id": f"{article(n)}-{n:012d}", "similarity": 0.9} for n in beside
    ]
    found = {
        "hedging": 0.9,
        "hedging_spans": [{**place_of(text, "might", start), "probability": 0.9}],
        "stance": [judged(text, "China", start=start)],
        "siblings": near,
        "uncertainty": (i * 7919 % 9973) / 9973,
    }
    return scored_row(text, i, article(i), start, **found)


def article(i: int) -> str:
    """The id of the article of the i-th sentence."""
    return f"article-{i // ARTICLE}"


def review(server: Any, tasks: int) -> None:
    """Accept the predictions of the first so many tasks of the project, a thousand at a time."""
    [project] = [p for p in server.api.projects.list(title=TITLE) if p.title == TITLE]
    http = server.api._client_wrapper.httpx_client
    for page in range(1, -(-tasks // 1000) + 1):
        found = server.api.tasks.list(
            project=project.id, page=page, page_size=1000, fields="task_only", include="id"
        )
        some = [task.id for task in found.items][: tasks - 1000 * (page - 1)]
        asked = {"selectedItems": {"all": False, "included": some}, "filters": None, "ordering": []}
        answer = http.request(
            "api/dm/actions/",
            method="POST",
            params={"id": "predictions_to_annotations", "project": project.id},
            json={**asked, "model_version": None},
        )
        answer.raise_for_status()


def step(name: str, tasks: int, command: list[str], variables: dict[str, str]) -> None:
    """Run a command of ours and print what it took."""
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "annotate", *command],
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status:
        sys.exit(f"annotate {' '.join(command)} failed:\n{said}")
    memory = used.ru_maxrss / 1024
    print(f"| {name} | {tasks:,} | {seconds:,.0f} | {tasks / seconds:,.0f} | {memory:,.0f} |", flush=True)


def main() -> None:
    """Run all steps at one size."""
    from postgres import migrated, missing, postgres, studio_on

    from annotate.studio.install import install

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tasks", type=int, default=100_000)
    parser.add_argument("--reviewed", type=float, default=0.1, help="the share that people reviewed")
    parser.add_argument("--postgres", action="store_true", help="on PostgreSQL instead of SQLite")
    asked = parser.parse_args()
    if asked.postgres and (reason := missing()):
        sys.exit(reason)
    install(print)
    with (
        tempfile.TemporaryDirectory(prefix="annotate-benchmark-") as scratch,
        postgres(migrated()) if asked.postgres else nullcontext() as cluster,
        studio_on(cluster, Path(scratch) / "home") as server,
    ):
        scores = Path(scratch) / "scores.parquet"
        write_scores(scores, asked.tasks)
        key = (Path(scratch) / "home" / "data" / "label-studio" / "token").read_text().strip()
        where = {
            "ANNOTATE_HOME": str(Path(scratch) / "home"),
            "LABEL_STUDIO_URL": server.url,
            "LABEL_STUDIO_API_KEY": key,
        }
        database = "PostgreSQL" if asked.postgres else "SQLite"
        load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
        print(f"Label Studio on {database}, {os.cpu_count()} cores, load before {load}\n")
        print("| step | tasks | seconds | a second | memory, MB |\n|---|---|---|---|---|")
        push = ["push", str(scores), "--project", TITLE]
        pull = ["pull", "--project", TITLE]
        step("push", asked.tasks, push, where)
        step("push again", asked.tasks, push, where)
        reviewed = round(asked.tasks * asked.reviewed)
        if reviewed:
            review(server, reviewed)
        step(f"pull, {reviewed:,} reviewed", asked.tasks, pull, where)
        step("pull again", asked.tasks, pull, where)
        step("pull --full", asked.tasks, [*pull, "--full"], where)
        print(f"\nload after {', '.join(f'{value:.1f}' for value in os.getloadavg())}")


if __name__ == "__main__":
    main()
