"""How fast and how light scoring is here, beside what a user would otherwise write, in the same run.

python benchmarks/speed.py [--sentences N] [--rounds N] [--memory 1000,10000] [--model FOLDER]

Peers, each timed on the same sentences, the rounds interleaved, medians reported:
- one default transformers pipeline per signal over an encoder of the same size;
- a RoBERTa-base pass per sentence and target, as NewsSentiment does it (random weights serve for time).
Writes benchmarks/results.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
OURS = "annotate score"


def timed(work: Callable[[], Any]) -> float:
    """Seconds of wall time."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def articles(folder: Path, sentences: int) -> Path:
    """So many content sentences as text files of twenty; no two sentences alike."""
    from annotate.reading import read, split

    folder.mkdir()
    texts = [s.text for a in read([SEEDS]) for s in split(a) if not s.boilerplate]
    for first in range(0, sentences, 20):
        rows = range(first, min(sentences, first + 20))
        lines = [f"{texts[i % len(texts)].rstrip('.')} in case {i}." for i in rows]
        (folder / f"{first:08}.txt").write_text("\n".join(lines), encoding="utf-8")
    return folder


def ours(folder: Path, out: Path, model: str | None) -> list[str]:
    """The command that scores a folder to parquet."""
    options = ["--model", model] if model else []
    targets = ["--targets", str(SEEDS / "targets.yaml"), "--no-siblings"]
    return [sys.executable, "-m", "annotate", "score", str(folder), "--out", str(out), *targets, *options]


def pipelines() -> Callable[[list[str]], Any]:
    """One default pipeline per signal over MiniLM: two that classify, three that tag."""
    from transformers import (
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
        AutoTokenizer,
        pipeline,
    )

    from annotate.model.encoder import MINILM, folder_of

    folder = folder_of(MINILM)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    classify = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=3)
    tag = AutoModelForTokenClassification.from_pretrained(folder, num_labels=3)
    made = [
        pipeline(
            "text-classification" if model is classify else "token-classification", model, tokenizer=tokenizer
        )
        for model in (classify, classify, tag, tag, tag)
    ]
    return lambda texts: [one(texts) for one in made]


def roberta() -> Callable[[list[tuple[str, str]]], Any]:
    """RoBERTa-base on each sentence with its target, one at a time."""
    import torch
    from transformers import AutoTokenizer, RobertaConfig, RobertaForSequenceClassification

    from annotate.model.encoder import MINILM, folder_of

    model = RobertaForSequenceClassification(RobertaConfig(num_labels=3)).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder_of(MINILM))

    def work(pairs: list[tuple[str, str]]) -> None:
        with torch.inference_mode():
            for text, target in pairs:
                encoded = tokenizer(text, target, return_tensors="pt")
                model(input_ids=encoded.input_ids, attention_mask=encoded.attention_mask)

    return work


def encoder_share(texts: list[str], model: str | None) -> tuple[float, float, float]:
    """The encoder's share of the scoring time, its GFLOP a second, and the machine's own for the shape and
    precision of its widest product."""
    import torch

    import annotate
    from annotate.model.prediction import TOKENS_PER_BATCH

    annotator = annotate.load(model)
    annotator.score_sentences(texts[:100])
    network = annotator.bundle.network
    inside, flop = 0.0, 0.0
    encode = network.encode
    config = network.encoder.config

    def watched(batch: Any) -> Any:
        nonlocal inside, flop
        started = time.perf_counter()
        result = encode(batch)
        inside += time.perf_counter() - started
        rows, length = batch.input_ids.shape
        width, inner = config.hidden_size, config.intermediate_size
        per_token = 2 * (4 * width * width + 2 * width * inner) + 4 * length * width
        flop += config.num_hidden_layers * rows * length * per_token
        return result

    network.encode = watched
    total = timed(lambda: annotator.score_sentences(texts))
    kind = getattr(torch, annotator.precision)
    left = torch.randn(TOKENS_PER_BATCH, config.hidden_size, dtype=kind)
    right = torch.randn(config.hidden_size, config.intermediate_size, dtype=kind)
    times = [timed(lambda: torch.mm(left, right)) for _ in range(200)]
    own = 2 * left.numel() * right.shape[1] / statistics.median(times)
    return inside / total, flop / inside / 1e9, own / 1e9


def peak_memory(command: list[str]) -> float:
    """Gigabytes of resident memory at its peak."""
    process = subprocess.Popen(command)
    _, _, usage = os.wait4(process.pid, 0)
    return usage.ru_maxrss / 1e6


def race(folder: Path, out: Path, rounds: int, model: str | None) -> tuple[dict[str, float], int, int]:
    """Median seconds of each contestant, and how many sentences and sentence-target pairs they had."""
    from annotate.jobs.articles import score_job
    from annotate.output import writing
    from annotate.reading import load_targets, read, split

    targets = load_targets(SEEDS / "targets.yaml")
    sentences = [s for a in read([folder]) for s in split(a, targets)]
    texts = [s.text for s in sentences]
    pairs = [(s.text, name) for s in sentences for name in sorted({m.target for m in s.mentions})]
    five, per_target = pipelines(), roberta()

    def score() -> None:
        with writing(out, "parquet") as writer:
            given = Path(model) if model else None
            score_job(
                [str(folder)],
                writer,
                reporter=Silent(),
                targets=SEEDS / "targets.yaml",
                model=given,
                siblings=False,  # no peer compares articles
            )

    contestants: dict[str, Callable[[], Any]] = {
        OURS: score,
        "five default pipelines": lambda: five(texts),
        "RoBERTa-base per target": lambda: per_target(pairs),
    }
    score()  # imports and disk warm, as for the peers, whose models are loaded
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, work in contestants.items():
            seconds[name].append(timed(work))
    return {name: statistics.median(values) for name, values in seconds.items()}, len(texts), len(pairs)


class Silent:
    """A reporter that says nothing."""

    def problem(self, problem: Any) -> None: ...

    def say(self, line: str) -> None: ...

    def stage(self, line: str) -> None: ...

    def step(self, what: str, done: int | None = None, total: int | None = None) -> None: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", type=int, default=600)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--memory", default="1000,10000,100000", help="sentence counts, comma-separated")
    parser.add_argument("--model")
    asked = parser.parse_args()
    import torch

    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        folder = articles(home / "articles", asked.sentences)
        middle, sentences, pairs = race(folder, home / "scores.parquet", asked.rounds, asked.model)
        texts = [line for path in sorted(folder.iterdir()) for line in path.read_text().splitlines()]
        share, rate, own = encoder_share(texts, asked.model)
        one = ours(articles(home / "one", 20), home / "one.parquet", asked.model)
        first = statistics.median(timed(lambda: subprocess.run(one, check=True)) for _ in range(3))
        memory = {
            n: peak_memory(ours(articles(home / f"{n}", n), home / "m.parquet", asked.model))
            for n in map(int, filter(None, asked.memory.split(",")))
        }
    machine = f"{platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"
    versions = f"Python {platform.python_version()}, PyTorch {torch.__version__.split('+')[0]}"
    lines = [
        "# Speed and memory",
        "",
        "Written by `python benchmarks/speed.py`; do not edit.",
        "",
        f"{machine}, {versions}. {sentences} sentences, {pairs} pairs of sentence and target,",
        f"median of {asked.rounds} interleaved rounds. annotate goes from files to parquet, its model loaded",
        "anew each time; the peers are given sentences and targets, their models loaded before.",
        "",
        "| | seconds | sentences a second | times annotate |",
        "|---|---|---|---|",
        *(f"| {n} | {v:.1f} | {sentences / v:.0f} | {v / middle[OURS]:.1f} |" for n, v in middle.items()),
        "",
        f"- The encoder's share of the scoring time: {share:.0%}",
        f"- The encoder's rate: {rate:.0f} GFLOP/s, {rate / own:.0%} of the {own:.0f} that this machine",
        "  reaches in the encoder's widest product alone",
        f"- One article of 20 sentences, start of Python included: {first:.1f} s",
        *(f"- Peak memory for {count} sentences: {value:.2f} GB" for count, value in memory.items()),
    ]
    text = "\n".join(lines) + "\n"
    (ROOT / "benchmarks" / "results.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
