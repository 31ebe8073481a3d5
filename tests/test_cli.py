"""The command as a person uses it: help at once, output in every format, bad input in one sentence."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from annotate.cli import main

TEXT = "China may act, officials said. The U.S. might not.\n"


def annotate_command(*args: object, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "annotate", *map(str, args)], input=stdin, capture_output=True, check=False
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def commands(group: click.Group, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    found = []
    for name, command in group.commands.items():
        found.append((*path, name))
        if isinstance(command, click.Group):
            found += commands(command, (*path, name))
    return found


@pytest.mark.parametrize("path", commands(main), ids=" ".join)
def test_every_command_has_help_with_an_example(path):
    command: click.Command = main
    for name in path:
        assert isinstance(command, click.Group)
        command = command.commands[name]
    assert command.help
    assert f"Example: annotate {' '.join(path)}" in command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{' '.join(path)} {parameter.opts} has no help"


def test_help_answers_in_under_half_a_second():
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        assert annotate_command("--help").returncode == 0
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.5


@pytest.fixture
def article(tmp_path) -> Path:
    path = tmp_path / "article.txt"
    path.write_text(TEXT)
    return path


@pytest.fixture(scope="module")
def many(tmp_path_factory) -> Path:
    """A folder with one good article and one of each bad kind."""
    folder = tmp_path_factory.mktemp("many")
    (folder / "good.txt").write_text(TEXT)
    (folder / "binary.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "latin.txt").write_bytes("Café society may act, officials said.".encode("latin-1"))
    (folder / "empty.txt").write_text("")
    (folder / "untitled.csv").write_text("id,body\n1,hello\n")
    (folder / "lines.jsonl").write_text(json.dumps({"id": "line", "text": TEXT}) + "\n{broken\n")
    (folder / "chinese.txt").write_text("外交部长星期二在北京宣布了这项倡议，他说数据安全非常重要。" * 3)
    return folder


def test_what_is_bad_is_named_and_what_is_good_is_scored(many, tmp_path):
    out = tmp_path / "scores.jsonl"
    done = annotate_command("score", many, "--out", out)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    for name in ("binary.txt", "latin.txt", "empty.txt", "untitled.csv", "lines.jsonl", "chinese.txt"):
        assert sum(name in line for line in done.stderr.splitlines()) == 1, name
    assert {json.loads(line)["article_id"] for line in out.read_text().splitlines()} == {"good", "line"}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda t: ["score", t / "none.txt"], "none.txt"),
        (lambda t: ["score", t], "no article"),
        (lambda t: ["score", t / "a.txt", "--targets", t / "none.yaml"], "none.yaml"),
        (lambda t: ["score", t / "a.txt", "--targets", t / "bad.yaml"], "bad.yaml"),
        (lambda t: ["score", t / "a.txt", "--model", t], "is not a model folder"),
        (lambda t: ["score", t / "a.txt", "--out", t / "scores.xyz"], "suffix that names no format"),
        (lambda t: ["score", t / "a.txt", "--format", "parquet"], "name a file with --out"),
        (lambda t: ["score", t / "a.txt", "--out", t / "a.txt" / "x.csv"], "could not be written"),
        (lambda t: ["push", t / "none.parquet", "--project", "p"], "none.parquet is not there"),
        (lambda t: ["train", t / "none.yaml", "--data", t], "none.yaml"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tmp_path, make, said):
    done = None
    if "a.txt" in str(make(tmp_path)):
        (tmp_path / "a.txt").write_text(TEXT)
    (tmp_path / "bad.yaml").write_text("targets: [")
    done = annotate_command(*make(tmp_path))
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert said in done.stderr


def test_a_server_that_is_not_there_or_refuses_the_key_is_one_sentence(article, tmp_path, monkeypatch):
    out = tmp_path / "scores.parquet"
    assert annotate_command("score", article, "--out", out).returncode == 0
    monkeypatch.setenv("LABEL_STUDIO_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", "x")
    done = annotate_command("push", out, "--project", "p")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "http://127.0.0.1:9" in done.stderr


def test_standard_input_to_jsonl_and_csv_agree(tmp_path):
    lines = annotate_command("score", "-", "--format", "jsonl", stdin=TEXT.encode())
    table = annotate_command("score", "-", "--format", "csv", stdin=TEXT.encode())
    assert lines.returncode == table.returncode == 0, lines.stderr
    rows = [json.loads(line) for line in lines.stdout.splitlines()]
    flat = list(csv.DictReader(io.StringIO(table.stdout)))
    assert [row["text"] for row in rows] == [row["text"] for row in flat]
    assert [row["hedging_spans"] for row in rows] == [json.loads(row["hedging_spans"]) for row in flat]
    assert rows[0]["article_id"] == "stdin"


def test_the_table_has_one_line_per_content_sentence(seeds, content):
    done = annotate_command("score", seeds)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line[:1] in " ▁▂▃▄▅▆▇█" and line.strip()]
    assert len(lines) == len(content)
    for line, text in zip(lines, content.text, strict=True):
        assert line.endswith(" " + "".join(c if c.isprintable() else " " for c in text))
    assert "Leave a Reply" not in done.stdout


def test_spans_are_coloured_where_there_is_a_terminal(content):
    from rich.console import Console

    from annotate.terminal import Lines, line

    [row] = content[content.text.str.startswith("While some might dispute")].to_dict("records")
    console = Console(force_terminal=True, color_system="standard", width=400, file=io.StringIO())
    console.print(line(row), no_wrap=True, overflow="ellipsis")
    shown = console.file.getvalue()
    assert "\x1b[30;46m" in shown, "no hedge is coloured"
    assert shown.count("\n") == 1
    assert Lines(console).article is None


def test_targets_are_proposed_and_can_be_used(seeds, tmp_path):
    out = tmp_path / "targets.yaml"
    articles = sorted(seeds.glob("*.txt"))
    for article in articles:
        (tmp_path / article.name).write_bytes(article.read_bytes())
    done = annotate_command("targets", tmp_path, "--out", out)
    assert done.returncode == 0, done.stderr
    from annotate.reading import load_targets

    assert "China" in load_targets(out).names
    assert annotate_command("targets", tmp_path, "--out", out).returncode == 2


def test_scoring_the_seeds_takes_less_than_ten_seconds(seeds, tmp_path):
    seconds = []
    for _ in range(2):
        started = time.perf_counter()
        assert annotate_command("score", seeds, "--out", tmp_path / "s.parquet").returncode == 0
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 10
