"""All that a model's card says of it, measured: figures on dev and test, false garble marks, calibration,
probes, speed."""

from __future__ import annotations

import json
import os
import platform
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np

from annotate.article import Mention, Sentence
from annotate.errors import UserError
from annotate.model.bundle import Bundle, load_bundle, shipped
from annotate.model.calibration import chance_error, expected_calibration_error, reliability_bins
from annotate.model.prediction import predict
from annotate.signals.base import Example, Row, Signal
from annotate.signals.garble import GARBLE
from annotate.training.card import CARD, write_card
from annotate.training.corpora import MADE_FROM, SIGNAL_OF, WRITTEN, Split, load_corpus
from annotate.training.evaluation import measure, score_examples

FOLDS = 5
DEV_ONLY = ("certainty", "polnear", *WRITTEN)
"""Corpora without a test split."""
BY_PEOPLE = ("polnear", "newsmtsc", "babe")
"""Corpora of news that people wrote in English."""
Progress = Callable[[str, int, int], None]
Scored = tuple[list[Any], list[Example]]


def write(model: Path | None, data: Path, progress: Progress = lambda what, done, total: None) -> Path:
    """Assess a model (by default the shipped one) and write its card; returns the card's path.

    Raises:
        UserError: besides what `assess` raises, when the model's folder cannot be written.
    """
    folder = model or shipped()
    if not os.access(folder, os.W_OK):
        raise UserError(f"The model folder {folder} cannot be written; copy it and give --model FOLDER.")
    write_card(folder, assess(folder, data, progress))
    return folder / CARD


def assess(folder: Path, data: Path, progress: Progress = lambda what, done, total: None) -> dict[str, Any]:
    """Figures of a model on every corpus it was trained on that people labelled, `dev` and `test`, each with
    its interval; `alarms`; `calibration` per signal; `probes`; `speed`.

    Raises:
        UserError: for a model or corpus that cannot be had.
    """
    bundle = load_bundle(folder)
    recipe = bundle.config["training"]["recipe"]
    taught = dict.fromkeys([*recipe["corpora"], *recipe["finish"]])
    corpora = [name for name in taught if name not in MADE_FROM]
    plan: list[tuple[Split, str]] = [("dev", name) for name in corpora]
    plan += [("test", name) for name in corpora if name not in DEV_ONLY]
    figures: dict[str, dict[str, Any]] = {"dev": {}, "test": {}}
    details: dict[str, list[Row]] = {}
    dev: dict[str, Scored] = {}
    for done, (split, name) in enumerate(plan):
        progress("Measuring", done, len(plan))
        signal = SIGNAL_OF[name]
        settings = bundle.settings[signal.name]
        examples = load_corpus(data, name, split)
        scores = score_examples(bundle.network, bundle.tokenizer, signal, examples)
        figures[split][name] = [asdict(m) for m in measure(signal, name, scores, examples, settings)]
        if split == "dev":
            dev[name] = (scores, examples)
        if split == "test" or name in DEV_ONLY:
            details[name] = signal.details(name, scores, examples, settings)
    progress("Measuring", len(plan), len(plan))
    calibration = {}
    for signal in bundle.network.signals:
        mine = {name: scored for name, scored in dev.items() if SIGNAL_OF[name] is signal}
        calibration[signal.name] = calibration_of(signal, mine)
    return {
        **figures,
        "details": details,
        "alarms": alarms(
            bundle, {n: [e.text for e in dev[n][1]] for n in BY_PEOPLE if n in dev} | varieties()
        ),
        "calibration": calibration,
        "probes": probe(bundle),
        "speed": speed(bundle, [e.text for _, examples in dev.values() for e in examples[:100]]),
    }


def alarms(bundle: Bundle, texts: dict[str, list[str]]) -> list[Row]:
    """By kind of sentences that are right, how many there are, and the share with a garble mark."""
    if GARBLE not in bundle.network.signals:
        return []
    found = []
    for name, some in texts.items():
        examples = [Example(text) for text in dict.fromkeys(some)]
        scores = score_examples(bundle.network, bundle.tokenizer, GARBLE, examples)
        settings = bundle.settings[GARBLE.name]
        marked = [bool(GARBLE.shown(s, e.text, settings)) for s, e in zip(scores, examples, strict=True)]
        found.append({"of": name, "sentences": len(marked), "marked": float(np.mean(marked))})
    return found


def calibration_of(signal: Signal, dev: dict[str, Scored]) -> dict[str, Any]:
    """The expected calibration error of a signal's probabilities on its dev sets, every corpus weighing the
    same, and its bins. Cross-fitted: calibration is chosen on four fifths of the documents and measured on
    the last, so that it is not judged on what it was fitted to."""
    p: list[float] = []
    y: list[bool] = []
    weights: list[float] = []
    for fold in range(FOLDS):
        parts = {name: parted(scored, fold) for name, scored in dev.items()}
        settings = signal.tune({name: rest for name, (rest, _) in parts.items()})
        for name, (_, (scores, examples)) in parts.items():
            if not examples:
                continue
            found, truth = signal.reliability(name, scores, examples, settings)
            p += found
            y += truth
            weights += [1 / len(dev[name][1])] * len(found)
    bins = reliability_bins(p, y, weights)
    return {
        "error": expected_calibration_error(bins),
        "chance": chance_error(p, weights),
        "n": len(p),
        "bins": bins,
    }


def parted(scored: Scored, fold: int) -> tuple[Scored, Scored]:
    """The documents outside a fold and those in it."""
    inside = [zlib.crc32((e.document or e.text).encode()) % FOLDS == fold for e in scored[1]]

    def chosen(wanted: bool) -> Scored:
        return (
            [s for s, i in zip(scored[0], inside, strict=True) if i is wanted],
            [e for e, i in zip(scored[1], inside, strict=True) if i is wanted],
        )

    return chosen(False), chosen(True)


def varieties() -> dict[str, list[str]]:
    """The sentences in `varieties.jsonl` by kind: news in Englishes that the corpora hold little of, each
    right where it is at home. Only measured by, never taught."""
    rows = written("varieties.jsonl")
    found: dict[str, list[str]] = {"other Englishes, all": [row["text"] for row in rows]}
    for row in rows:
        found.setdefault(row["variety"], []).append(row["text"])
    return found


def written(name: str) -> list[dict[str, Any]]:
    """The rows of a file written for this purpose."""
    path = resources.files("annotate.training") / "rows" / name
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def probe(bundle: Bundle) -> list[dict[str, Any]]:
    """What the model says of the sentences in `probes.jsonl`, written to show where such models fail."""
    probes = written("probes.jsonl")
    signals = {signal.name: signal for signal in bundle.network.signals}
    probes = [p for p in probes if p["signal"] in signals]
    sentences = []
    for p in probes:
        start = p["text"].find(p["target"]) if "target" in p else -1
        mentions = (Mention(p["target"], start, start + len(p["target"])),) if start >= 0 else ()
        sentences.append(Sentence("", None, "", 0, len(p["text"]), p["text"], mentions=mentions))
    found = []
    for p, sentence, scores in zip(
        probes, sentences, predict(bundle.network, bundle.tokenizer, sentences), strict=True
    ):
        settings = bundle.settings[p["signal"]]
        signal = signals[p["signal"]]
        row = signal.decode(scores[signal.name], sentence, settings)
        found.append({**p, "said": signal.verdict(row, settings)})
    return found


def speed(bundle: Bundle, texts: Sequence[str]) -> dict[str, Any]:
    """Sentences a second from text to every signal's scores on this machine, with one target each."""
    import torch

    target = (Mention("target", 0, 3),)
    sentences = [Sentence("", None, "", 0, len(t), t, mentions=target) for t in dict.fromkeys(texts)]
    predict(bundle.network, bundle.tokenizer, sentences[:64])
    started = time.perf_counter()
    predict(bundle.network, bundle.tokenizer, sentences)
    seconds = time.perf_counter() - started
    return {
        "sentences": len(sentences),
        "per_second": len(sentences) / seconds,
        "threads": torch.get_num_threads(),
        "processor": processor(),
    }


def processor() -> str:
    """The processor's name as the system gives it."""
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
