"""An archive scored partition by partition: the same rows as in one piece, however often it breaks off."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from annotate.cli import main
from annotate.engine import Archive, Report, score_archive
from annotate.engine.storage import PARTIAL, Folder
from annotate.errors import UserError

PARTITIONS, ARTICLES = 8, 5
TARGETS = {"China": ["Beijing"], "Anna": []}
SCHEMA = pa.schema([(name, pa.string()) for name in ("id", "text", "outlet", "date")])


class Quiet:
    """A reporter that keeps what is said, and does something at the first step of progress."""

    def __init__(self, at_first: Callable[[], None] = lambda: None) -> None:
        self.said: list[str] = []
        self.at_first: Callable[[], None] | None = at_first

    def problem(self, problem: Any) -> None:
        self.said.append(str(problem))

    def say(self, line: str) -> None:
        self.said.append(line)

    def stage(self, line: str) -> None: ...

    def step(self, what: str, done: int | None = None, total: int | None = None) -> None:
        if self.at_first:
            self.at_first()
        self.at_first = None


def article(n: int) -> dict[str, str | None]:
    day = n // ARTICLES % 4 + 1
    text = (
        f"Beijing may open office {n} this year, an official said. Awful Anna closes shop {n}.\n"
        f"The mayor of town {n} opened a bridge over the river on Monday, and Anna praised it."
    )
    return {"id": f"a{n}", "text": text, "outlet": f"o{n % 3}", "date": f"2024-05-0{day}T0{n % 9}:00"}


def write(path: Path, rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows, schema=schema), path)


@pytest.fixture(scope="session")
def archive(tmp_path_factory) -> Path:
    """Files of some articles each, in folders of two."""
    folder = tmp_path_factory.mktemp("archive")
    for k in range(PARTITIONS):
        rows = [article(n) for n in range(k * ARTICLES, (k + 1) * ARTICLES)]
        for row in rows[:1]:
            row["id"] = None  # is named by its file and row
        write(folder / f"day={k // 2}" / f"part-{k}.parquet", rows)
    return Path(folder)


@pytest.fixture(scope="session")
def alone(archive, annotator) -> pd.DataFrame:
    """The rows of the archive scored in one piece."""
    return by_id(annotator.score(archive, TARGETS, siblings=False))


def by_id(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.sort_values("sentence_id").reset_index(drop=True)


def rows_of(out: Path) -> pd.DataFrame:
    return by_id(pd.concat([pd.read_parquet(path) for path in sorted(out.rglob("*.parquet"))]))


def score(source: object, out: object, reporter: Quiet | None = None, **how: Any) -> Report:
    engine = {key: how.pop(key) for key in ("engine", "workers", "dry_run") if key in how}
    how = {"targets": TARGETS, "siblings": False, **how}
    return score_archive(
        Archive(str(source), str(out), **how),
        reporter=reporter or Quiet(),
        propose=lambda folder, names: {},
        **engine,
    )


def assert_same(found: pd.DataFrame, expected: pd.DataFrame) -> None:
    """The same sentences, each once, with the same words about them and probabilities within 0.001."""
    assert found.sentence_id.is_unique
    for column in ("sentence_id", "article_id", "outlet", "text", "start", "end", "model", "holder_kind"):
        assert found[column].tolist() == expected[column].tolist(), column
    for column in ("hedging", "loaded", "garble", "attribution"):
        assert (found[column] - expected[column]).abs().max() < 1e-3, column
    stances = [
        [[round(entry["p_against"], 2) for entry in row] for row in rows.stance] for rows in (found, expected)
    ]
    assert [list(map(len, stances[0]))] == [list(map(len, stances[1]))]


def test_the_rows_are_those_of_one_piece_and_come_once_however_often_it_is_run(archive, alone, tmp_path):
    first = score(archive, tmp_path / "out")
    assert (first.partitions, first.before, first.articles) == (PARTITIONS, 0, PARTITIONS * ARTICLES)
    assert first.sentences == len(alone)
    assert_same(rows_of(tmp_path / "out"), alone)
    again = score(archive, tmp_path / "out")
    assert (again.partitions, again.before, again.sentences) == (0, PARTITIONS, 0)
    assert_same(rows_of(tmp_path / "out"), alone)


def test_source_and_destination_may_lie_on_an_object_store(archive, alone, tmp_path):
    import fsspec

    store = fsspec.filesystem("memory")
    store.put(f"{archive}/", "/bucket/news/", recursive=True)
    score("memory://bucket/news", "memory://bucket/scores")
    store.get("/bucket/scores/", f"{tmp_path}/scores/", recursive=True)
    assert_same(rows_of(tmp_path / "scores"), alone)
    assert score("memory://bucket/news", "memory://bucket/scores").before == PARTITIONS


def command(archive: Path, out: Path, *options: str) -> list[str]:
    targets = out.parent / "targets.yaml"
    targets.write_text(json.dumps({"targets": TARGETS}))
    given = ["--targets", str(targets), "--no-siblings", "--out", str(out)]
    return [sys.executable, "-m", "annotate", "score", str(archive), *given, *options]


def test_a_run_killed_whole_goes_on_where_it_stood(archive, alone, tmp_path):
    out = tmp_path / "out"
    run = subprocess.Popen(command(archive, out, "--engine", "local"))
    while run.poll() is None and not list(out.rglob("part-*.parquet")):
        time.sleep(0.01)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    done = len(list(out.rglob("part-*.parquet")))
    assert 0 < done < PARTITIONS
    (out / "day=3").mkdir(exist_ok=True)
    (out / "day=3" / f".part-7.parquet.0{PARTIAL}").write_bytes(b"half")
    assert score(archive, out).before == done
    assert_same(rows_of(out), alone)
    assert not list(out.rglob(f".*{PARTIAL}"))


def test_what_cannot_be_read_is_set_aside_and_told_and_the_rest_is_done(archive, tmp_path, capsys):
    source, out = tmp_path / "source", tmp_path / "out"
    shutil.copytree(archive, source)
    (source / "day=0" / "part-0.parquet").write_bytes(b"PAR1 and no more PAR1")
    damaged = bytearray((source / "day=1" / "part-2.parquet").read_bytes())
    damaged[4:400] = bytes(396)
    (source / "day=1" / "part-2.parquet").write_bytes(damaged)
    write(source / "empty.parquet", [])
    write(source / "row.parquet", [article(900), {"id": "b", "text": None}])
    with pytest.raises(SystemExit) as ended:
        main(command(source, out, "--engine", "local")[3:])
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert "2 partitions were set aside" in said
    assert "day=0/part-0.parquet: this is no whole parquet file" in said
    assert "day=1/part-2.parquet: this is no whole parquet file" in said
    assert "row.parquet, row 2: the field `text` is missing" in said
    written = {str(path.relative_to(out)) for path in out.rglob("*.parquet")}
    assert len(written) == PARTITIONS
    assert not {"day=0/part-0.parquet", "day=1/part-2.parquet"} & written
    for name in ("day=0/part-0.parquet", "day=1/part-2.parquet"):
        shutil.copy(archive / name, source / name)
    mended = score(source, out)
    assert (mended.partitions, mended.before, mended.set_aside) == (2, PARTITIONS, [])


@pytest.fixture(scope="session")
def scored(archive, tmp_path_factory) -> Path:
    """The archive, scored."""
    out = Path(tmp_path_factory.mktemp("scored"))
    score(archive, out)
    return out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"targets": {"France": []}}, "holds the rows of another run, whose targets is"),
        ({"siblings": True}, "another run, whose siblings is false, not true"),
        ({"window": "date"}, "another run, whose window is null, not date"),
        ({"any_language": True}, "another run, whose any language is"),
    ],
)
def test_a_destination_of_another_run_is_left_alone(archive, scored, change, said):
    with pytest.raises(UserError, match=said):
        score(archive, scored, **change)


def test_a_destination_of_another_model_or_source_is_left_alone(archive, scored, other_model, tmp_path):
    with pytest.raises(UserError, match="another run, whose signature is"):
        score(archive, scored, model=str(other_model))
    elsewhere = tmp_path / "elsewhere"
    shutil.copytree(archive, elsewhere)
    with pytest.raises(UserError, match="another run, whose source is"):
        score(elsewhere, scored)


def test_a_file_that_changed_since_it_was_scored_is_not_passed_over(archive, tmp_path):
    source, out = tmp_path / "source", tmp_path / "out"
    shutil.copytree(archive / "day=0", source)
    score(source, out)
    write(source / "part-0.parquet", [article(1)])
    with pytest.raises(UserError, match=r"part-0.parquet has changed since it was scored; delete it"):
        score(source, out)


@pytest.mark.parametrize(
    ("rows", "fields", "said"),
    [
        ([{"text": 1}], [("text", pa.int64())], "different kinds: `text` is text in .* and of type int64"),
        ([{"body": "b"}], [("body", pa.string())], "different kinds: `text` is text in .* and missing"),
        ([{"text": "b"}], [("text", pa.large_string())], "different kinds: `id` is text in .* and missing"),
    ],
)
def test_files_of_different_kinds_are_refused_before_any_work(archive, tmp_path, rows, fields, said):
    source = tmp_path / "source"
    shutil.copytree(archive / "day=0", source)
    write(source / "z.parquet", rows, pa.schema(fields))
    with pytest.raises(UserError, match=said):
        score(source, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_columns_of_one_kind_may_be_stored_in_several_ways(archive, tmp_path):
    source = tmp_path / "source"
    shutil.copytree(archive / "day=0", source)
    stored = (pa.large_string(), pa.string(), pa.null(), pa.dictionary(pa.int32(), pa.string()))
    schema = pa.schema(list(zip(SCHEMA.names, stored, strict=True)))
    rows = [{"id": "x", "text": "Anna may come.", "date": "2024-05-01"}]
    write(source / "z.parquet", rows, schema.set(0, pa.field("id", pa.string())))
    assert score(source, tmp_path / "out", dry_run=True).set_aside == []


def test_bad_places_are_refused_in_a_sentence(archive, scored, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="holds no parquet file"):
        score(tmp_path / "empty", tmp_path / "out")
    with pytest.raises(UserError, match="lie within each other"):
        score(archive, archive / "scores")
    with pytest.raises(UserError, match="no address that can be opened"):
        score("nosuch://bucket/news", tmp_path / "out")
    with pytest.raises(UserError, match="so no run of `annotate score --engine` wrote them"):
        score(archive / "day=0", archive / "day=1")
    with pytest.raises(UserError, match="have no column `when`"):
        score(archive, tmp_path / "out", window="when")


def test_a_dry_run_writes_nothing(archive, tmp_path):
    said = Quiet()
    score(archive, tmp_path / "out", said, dry_run=True)
    assert said.said == ["annotate: would score 40 articles in 8 partitions; 0 are done, 0 cannot be read."]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--engine", "local"], "--engine writes a folder"),
        (["--engine", "local", "--out", "x", "--format", "csv"], "--engine writes parquet, not csv"),
        (["--engine", "local", "--workers", "2", "--out", "x"], "--engine local is one process"),
        (["--window", "date", "--out", "x.csv"], "belong to an archive; add --engine"),
    ],
)
def test_options_that_do_not_go_together_are_told(archive, options, said, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["score", str(archive), *options])
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_articles_are_set_beside_each_other_within_their_window_only(seeds, annotator, tmp_path):
    from annotate.reading import read

    given = list(read([seeds]))
    rows = [
        {"id": a.id, "text": a.text, "outlet": None, "date": f"2024-05-0{1 + (k > 1)}T12:0{k}:00"}
        for k, a in enumerate(given)
    ]
    write(tmp_path / "source" / "day.parquet", rows)
    day = {row["id"]: row["date"][:10] for row in rows}
    crossing = {}
    for window in (None, "date"):
        out = tmp_path / f"out-{window}"
        score(tmp_path / "source", out, siblings=True, window=window)
        pairs = [
            (row.article_id, s["article_id"])
            for row in rows_of(out).dropna(subset="siblings").itertuples()
            for s in row.siblings
        ]
        assert pairs
        crossing[window] = sum(day[a] != day[b] for a, b in pairs)
    assert crossing["date"] == 0 < crossing[None]


# On Ray


@pytest.fixture(scope="session")
def other_model(tmp_path_factory) -> Path:
    """The shipped model with another threshold: another version."""
    from annotate.model.bundle import shipped

    folder = Path(tmp_path_factory.mktemp("models") / "other")
    shutil.copytree(shipped(), folder)
    config = json.loads((folder / "config.json").read_text())
    config["settings"]["hedging"]["threshold"] = 0.123
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def cluster() -> Iterator[psutil.Process]:
    """A Ray cluster of two cores that others started, named by RAY_ADDRESS."""
    pytest.importorskip("ray", reason="Ray is not installed: pip install 'annotate-news[ray]'")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    start = [sys.executable, "-m", "ray.scripts.scripts", "start", "--head", "--num-cpus=2", f"--port={port}"]
    options = ["--include-dashboard=false", "--object-store-memory=100000000", "--block"]
    head = subprocess.Popen(
        [*start, *options],
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert head.stdout
    assert any("Ray runtime started" in line for line in head.stdout)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**settings, "RAY_ADDRESS": f"127.0.0.1:{port}"}.items():
            patch.setenv(name, value)
        yield psutil.Process(head.pid)
    inside = psutil.Process(head.pid).children(recursive=True)
    head.kill()
    for process in inside:
        if process.is_running():
            process.kill()
    head.wait()


def test_two_workers_of_a_cluster_of_which_one_is_killed_give_the_same_rows(
    cluster, archive, alone, tmp_path
):
    killed = []

    def kill() -> None:
        at_work = [p for p in cluster.children(recursive=True) if "ray::Worker" in "".join(p.cmdline())]
        killed.append(at_work[0].pid)
        at_work[0].kill()

    report = score(archive, tmp_path / "out", Quiet(kill), engine="ray", workers=2)
    assert killed
    assert (report.workers, report.partitions, report.set_aside) == (2, PARTITIONS, [])
    assert_same(rows_of(tmp_path / "out"), alone)


def test_a_partition_that_kills_its_workers_is_set_aside(cluster, archive, tmp_path):
    from annotate.engine.on_ray import DEATHS, OnRay
    from annotate.engine.partition import Work

    class Deadly(str):
        """A name that ends who looks at it."""

        def __reduce__(self) -> Any:
            return os._exit, (1,)

    with OnRay(None, 1) as hired:
        signature = hired.machines[0]["signature"]
        work = Work(str(archive), str(tmp_path), "run", TARGETS, False, None, False)
        (found,) = hired.outcomes(work, [Deadly("deadly.parquet")], hired.precision(), signature)
    assert found.problem == f"deadly.parquet: {DEATHS} workers died over it, killed or out of memory"


LACKING = """
import sys

class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name == "annotate":
            raise ModuleNotFoundError("No module named 'annotate'")

sys.meta_path.insert(0, Lacking())
"""


@pytest.mark.parametrize(
    ("lacking", "said"),
    [
        (True, "cannot score .*No module named 'annotate'.*install the same version"),
        (False, "would score with .*, this run is of "),
    ],
)
def test_workers_without_the_package_or_with_another_model_are_found_out_first(
    cluster, archive, other_model, tmp_path, lacking, said
):
    import ray

    from annotate import registry

    if lacking:
        (tmp_path / "sitecustomize.py").write_text(LACKING)
        elsewhere = {"PYTHONPATH": str(tmp_path)}
    else:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ANNOTATE_HOME", str(tmp_path / "home"))
            registry.promote(registry.add(other_model).name, "for this test")
        elsewhere = {"ANNOTATE_HOME": str(tmp_path / "home")}
    ray.init(log_to_driver=False, runtime_env={"env_vars": elsewhere})
    try:
        with pytest.raises(UserError, match=said):
            score(archive, tmp_path / "out", engine="ray")
    finally:
        ray.shutdown()
    assert not list((tmp_path / "out").rglob("*.parquet"))


def test_a_cluster_that_does_not_answer_is_told_at_once(archive, tmp_path, monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "127.0.0.1:9")
    began = time.monotonic()
    with pytest.raises(UserError, match=r"cannot be reached .*leave RAY_ADDRESS out"):
        score(archive, tmp_path / "out", engine="ray")
    assert time.monotonic() - began < 10
    assert not (tmp_path / "out").exists()


def test_a_name_is_the_path_from_the_folder(archive):
    names = list(Folder(str(archive)).partitions())
    assert names[:2] == ["day=0/part-0.parquet", "day=0/part-1.parquet"]
    assert list(Folder(f"{archive}/{names[0]}").partitions()) == ["part-0.parquet"]
