"""Scoring beyond one machine: how it scales, what it costs, and whether a killed run loses anything.

python benchmarks/scaling.py [--sentences 1000,10000,100000] [--no-kills] [--price 0.05] [--page]

Every run is the command `annotate score --engine`, with one thread for each worker. The largest size is
scored by one process, by one Ray worker and by two; then a worker, and after it a whole run, is killed with
SIGKILL. `--page` writes the figures into docs/scale.md.
A minute: --sentences 200,400,800
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from siblings import made

from annotate.model.bundle import shipped
from annotate.reading import read, split

ROOT = Path(__file__).parent.parent
SEEDS, PAGE = ROOT / "seeds", ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- figures: benchmarks/scaling.py --page -->", "<!-- end of figures -->"
PER_ARTICLE, PARTITIONS = 20, 20
SMALL = 1000
"""Partitions of one article, to time what is done for each before any is scored."""
PER_PARTITION = 100_000
"""Sentences of a partition in what is reckoned for large archives."""
ONE_THREAD = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "RAY_USAGE_STATS_ENABLED": "0"}


def archive(folder: Path, sentences: int, partitions: int = PARTITIONS, words: int | None = None) -> Path:
    """So many sentences in articles of PER_ARTICLE, in so many files; no two sentences alike, each cut after
    so many words."""
    folder.mkdir()
    found = [s.text.rstrip(".") for a in read([SEEDS]) for s in split(a) if not s.boilerplate]
    texts = [" ".join(text.split()[:words]) for text in found]
    starts = range(0, sentences, PER_ARTICLE)
    each = -(-len(starts) // partitions)
    for part in range(0, len(starts), each):
        rows = []
        for first in starts[part : part + each]:
            lines = [f"{texts[i % len(texts)]} in case {i}." for i in range(first, first + PER_ARTICLE)]
            rows.append({"id": f"a{first}", "text": "\n".join(lines), "language": "en"})
        pq.write_table(pa.Table.from_pylist(rows), folder / f"part-{part // each:05}.parquet")
    return folder


def command(source: Path, out: Path, engine: str, workers: int = 1) -> list[str]:
    """The command that scores an archive."""
    how = ["--engine", engine, *(["--workers", str(workers)] if engine == "ray" else [])]
    given = ["--targets", str(SEEDS / "targets.yaml"), "--no-siblings", "--out", str(out)]
    return [sys.executable, "-m", "annotate", "score", str(source), *given, *how]


@dataclass(frozen=True)
class Run:
    """`wall`: seconds of the whole command; the rest as the run itself told it."""

    wall: float
    seconds: float
    sentences: int
    memory: int


def run(source: Path, out: Path, engine: str, workers: int = 1) -> Run:
    """A run from start to end."""
    began = time.perf_counter()
    subprocess.run(
        command(source, out, engine, workers), check=True, env={**os.environ, **ONE_THREAD}, stderr=sys.stderr
    )
    this = told(out, time.perf_counter() - began)
    print(f"{out.name}: {this.sentences:,} sentences in {this.wall:.0f} s", file=sys.stderr)
    return this


def told(out: Path, wall: float) -> Run:
    last = json.loads((out / "_last_run.json").read_text())
    return Run(wall, last["seconds"], last["sentences"], last["memory"])


def done(out: Path) -> int:
    return len(list(out.glob("part-*.parquet")))


def killed(source: Path, out: Path, after: int, kill: Callable[[subprocess.Popen[bytes]], None]) -> int:
    """The exit code of a run of two workers to which something is done after so many partitions."""
    process = subprocess.Popen(command(source, out, "ray", 2), env={**os.environ, **ONE_THREAD})
    while process.poll() is None and done(out) < after:
        time.sleep(0.05)
    kill(process)
    return process.wait()


def kill_worker(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for one of the workers."""
    inside = psutil.Process(process.pid).children(recursive=True)
    next(p for p in inside if "ray::Worker" in "".join(p.cmdline())).kill()


def kill_all(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for all of it at once."""
    inside = psutil.Process(process.pid).children(recursive=True)
    for p in (psutil.Process(process.pid), *inside):
        with_signal(p)


def with_signal(process: psutil.Process) -> None:
    try:
        process.send_signal(signal.SIGKILL)
    except psutil.NoSuchProcess:
        return


def rows(out: Path) -> pd.DataFrame:
    columns = ["sentence_id", "garble", "loaded", "hedging", "attribution"]
    return pd.concat(pd.read_parquet(path, columns=columns) for path in sorted(out.glob("part-*.parquet")))


def compared(expected: pd.DataFrame, out: Path) -> str:
    """How the rows of a run differ from those of one process, by their ids."""
    found = rows(out)
    twice = int(found.sentence_id.duplicated().sum())
    missing = len(set(expected.sentence_id) - set(found.sentence_id))
    foreign = len(set(found.sentence_id) - set(expected.sentence_id))
    both = expected.merge(found, on="sentence_id", suffixes=("", "_"))
    names = [name for name in expected.columns if name != "sentence_id"]
    apart = max(float((both[name] - both[f"{name}_"]).abs().max()) for name in names)
    return f"{twice} twice, {missing} missing, {foreign} foreign, probabilities at most {apart:.6f} apart"


def kills(home: Path, source: Path, expected: pd.DataFrame) -> list[str]:
    """A worker killed, a whole run killed and started again."""
    out = home / "worker-killed"
    code = killed(source, out, PARTITIONS // 4, kill_worker)
    lines = [f"| one of two workers killed | exit code {code} | {compared(expected, out)} |"]
    out = home / "run-killed"
    killed(source, out, PARTITIONS // 2, kill_all)
    before = done(out)
    again = run(source, out, "ray", 2)
    said = f"{before} of {PARTITIONS} partitions kept, {again.sentences:,} sentences scored by the second run"
    return [*lines, f"| whole run killed, started again | {said} | {compared(expected, out)} |"]


def planning(home: Path) -> float:
    """Seconds for each partition, before any is scored."""
    from annotate.engine.plan import planned
    from annotate.engine.storage import Folder

    source = archive(home / "small", SMALL * PER_ARTICLE, SMALL)
    times = []
    for _ in range(3):
        began = time.perf_counter()
        planned(Folder(str(source)), Folder(str(home / "nothing")), None, None)
        times.append(time.perf_counter() - began)
    return min(times) / SMALL


def edges(sentences: int) -> tuple[float, float]:
    """Events that a window's edge cuts in two: the shares of pairs of siblings and of sentences with siblings
    that are left."""
    from annotate.siblings.compare import compare

    articles = made(sentences)
    found = [
        {i: beside for part in parts for i, beside in compare(part).items()}
        for parts in ([articles], [articles[::2], articles[1::2]])
    ]
    whole, cut = (sum(len(beside.siblings) for beside in one.values()) for one in found)
    return cut / whole, len(found[1]) / len(found[0])


def comparing(sizes: list[int]) -> list[str]:
    """Seconds of setting articles beside each other, in windows of the smallest size."""
    from annotate.siblings.compare import compare

    lines = []
    for size in sizes:
        articles = made(size)
        window = max(1, sizes[0] // PER_ARTICLE)
        began = time.perf_counter()
        for start in range(0, len(articles), window):
            compare(articles[start : start + window])
        windows = time.perf_counter() - began
        began = time.perf_counter()
        compare(articles)
        whole = time.perf_counter() - began
        lines.append(f"| {size:,} | {windows:.1f} | {whole:.1f} |")
    return lines


def table(head: str, lines: list[str]) -> list[str]:
    columns = head.count("|") - 1
    return [head, "|" + "---|" * columns, *lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", default="1000,10000,100000", help="three sizes, comma-separated")
    parser.add_argument("--kills", action=argparse.BooleanOptionalAction, default=True)
    parser.add_argument(
        "--comparing", default="2000,20000", help="sizes at which articles are set beside each other"
    )
    parser.add_argument("--price", type=float, default=0.05, help="of a core for an hour, in dollars")
    parser.add_argument("--page", action="store_true", help="write the figures into docs/scale.md")
    asked = parser.parse_args()
    sizes = sorted(int(n) for n in asked.sentences.split(","))
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        sources = {n: archive(home / f"source-{n}", n) for n in sizes}
        alone = {n: run(sources[n], home / f"local-{n}", "local") for n in sizes}
        largest = sizes[-1]
        one, two = (run(sources[largest], home / f"ray-{k}", "ray", k) for k in (1, 2))
        expected = rows(home / f"local-{largest}")
        stored = sum(p.stat().st_size for p in (home / f"local-{largest}").glob("part-*")) / len(expected)
        given = sum(p.stat().st_size for p in sources[largest].glob("part-*")) / len(expected)
        same = [f"{k} Ray worker{'s' * (k > 1)}: {compared(expected, home / f'ray-{k}')}" for k in (1, 2)]
        ended = kills(home, sources[largest], expected) if asked.kills else []
        each = planning(home)
    beside = [int(n) for n in asked.comparing.split(",") if n]
    lines = figures(asked.price, sizes, alone, one, two, stored, given, each)
    lines += ["The same rows:", "", *(f"- {line}" for line in same), ""]
    if ended:
        lines += [f"Killed with SIGKILL, {sizes[-1]:,} sentences, two workers:", ""]
        lines += table("| | how it ended | rows beside those of one process |", ended)
    if beside:
        lines += [f"Setting articles beside each other, windows of {beside[0]:,} sentences:", ""]
        lines += table("| sentences | seconds, in windows | seconds, in one piece |", comparing(beside))
        pairs, sentences = edges(beside[0])
        lines += [
            f"Where a window's edge cuts every event in two halves, {pairs:.0%} of the pairs of siblings and "
            f"{sentences:.0%} of the sentences that have siblings are left.",
            "",
        ]
    text = "\n".join(lines)
    print(text)
    if asked.page:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), BEGIN, END, lines), encoding="utf-8")


def written(page: str, begin: str, end: str, lines: list[str]) -> str:
    """A page with these lines between two of its marks."""
    before, after = page.split(begin)[0], page.split(end)[1]
    return "\n".join([before + begin, "", *lines]) + "\n" + end + after


def figures(
    price: float,
    sizes: list[int],
    alone: dict[int, Run],
    one: Run,
    two: Run,
    stored: float,
    given: float,
    each: float,
) -> list[str]:
    """What was measured of scoring, and what follows for archives of other sizes: seconds of a run are a
    start and a time for each sentence, taken from the smallest and the middle size and held against the
    largest."""
    small, middle, largest = sizes
    per_sentence = (alone[middle].wall - alone[small].wall) / (middle - small)
    start = alone[small].wall - small * per_sentence
    foretold = start + largest * per_sentence
    import torch

    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, PyTorch"
    lines = [
        f"Measured by `python benchmarks/scaling.py` on {machine} {torch.__version__.split('+')[0]}, model "
        f"`{shipped().name}`, one thread for each worker, siblings left out:",
        "",
    ]
    lines += table(
        "| run | sentences | seconds | sentences a second | peak memory of a worker, MB |",
        [row(f"one process, {n:,}", alone[n]) for n in sizes]
        + [row("one Ray worker", one), row("two Ray workers", two)],
    )
    rate = largest / one.wall
    hours = 1 / rate / 3600
    lines += [
        f"- Two Ray workers are **{one.wall / two.wall:.2f} times** as fast as one "
        f"({one.seconds / two.seconds:.2f} times without the start of the command).",
        f"- Ray costs one worker **{one.wall / alone[largest].wall - 1:.1%}** over a process of its own.",
        f"- A run of one process is reckoned as {start:.1f} s and {per_sentence * 1000:.2f} ms a sentence, "
        f"from the two smaller sizes; for {largest:,} that is {foretold:.0f} s, measured "
        f"{alone[largest].wall:.0f} s ({foretold / alone[largest].wall - 1:+.1%}).",
        f"- A sentence takes {stored:.0f} bytes of scores, beside {given:.0f} bytes of articles. These "
        "sentences are alike and pack well; those of real news take more of both.",
        f"- Before anything is scored, a partition costs {each * 1000:.1f} ms: its footer is read.",
        f"- A million sentences cost {hours * 1e6:.2f} core-hours, ${hours * 1e6 * price:.3f} at ${price} "
        "for an hour of a core.",
        "",
        f"Reckoned from these, partitions of {PER_PARTITION:,} sentences:",
        "",
    ]
    lines += table(
        "| sentences | partitions | core-hours | dollars | days on 100 cores | scores, GB | planning, s |",
        [
            f"| {label} | {n / PER_PARTITION:,.0f} | {n * hours:,.0f} | {n * hours * price:,.0f} | "
            f"{n * hours / 100 / 24:,.1f} | {n * stored / 1e9:,.0f} | {n / PER_PARTITION * each:,.0f} |"
            for label, n in (("10⁶", 1e6), ("10⁸", 1e8), ("10¹⁰", 1e10))
        ],
    )
    return lines


def row(name: str, of: Run) -> str:
    rate = of.sentences / of.wall
    return f"| {name} | {of.sentences:,} | {of.wall:.1f} | {rate:.0f} | {of.memory / 1e6:.0f} |"


if __name__ == "__main__":
    main()
