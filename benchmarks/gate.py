"""What the gate makes of right corrections and of wrong ones.

python benchmarks/gate.py --data DIR [--runs upside-down:56:1,right:200:3]

Sentences of the corpora's dev sets, or of the seeds, stand for what annotators corrected: with their own
labels, turned upside down, with the first word always marked, with nothing anywhere, or with a word at random
in half of them. The shipped model is retrained on each and judged on the made-up articles of the frozen set,
half the way and the whole way. A run of 56 sentences a signal takes some 90 seconds on two cores. Writes
nothing.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from retraining import retrained_on

from annotate.model.bundle import load_bundle, shipped
from annotate.model.precision import fastest
from annotate.scoring import load
from annotate.signals import SIGNALS
from annotate.signals.base import Example, Signal
from annotate.signals.mqm import CATEGORIES, cost
from annotate.signals.stance import STANCES
from annotate.training import frozen
from annotate.training.corpora import load_corpus
from annotate.training.gate import FROZEN, is_held_out, judge

POOLS = {
    "stance": ["newsmtsc"],
    "hedging": ["hedge_wiki"],
    "loaded": ["babe"],
    "attribution": ["polnear"],
    "garble": ["own_garbles", "own_events"],
}
RUNS = (
    "right:seeds:0 right:56:1 right:56:3 right:56:4 right:200:3 upside-down:seeds:0 upside-down:56:1 "
    "upside-down:56:3 first-word:56:1 first-word:56:3 nothing:56:0 random:56:0"
).split()
"""What is corrected how, of how many sentences a signal, which draw."""
OPPOSITE = {"against": "favor", "favor": "against", "neutral": "against"}
FLAW = (1.0, 1.0, CATEGORIES.index("mistranslation"))
Change = Callable[[str, Example, Any], Example]


def marked(signal: str, example: Example, spans: Sequence[tuple[int, int]]) -> Example:
    """The example with these spans for all its marks, each a major error where the signal is garble."""
    if signal == "garble":
        penalty = cost("mistranslation", "major") * len(spans)
        label: Any = (float(bool(spans)), float(np.log1p(penalty)), penalty)
        return replace(example, spans=tuple((*span, FLAW) for span in spans), label=label)
    return replace(example, spans=tuple((*span, signal) for span in spans), label=float(bool(spans)))


def upside_down(signal: str, example: Example, rng: Any) -> Example:
    if signal == "stance":
        return replace(example, label=STANCES.index(OPPOSITE[STANCES[example.label]]))
    if signal == "attribution":
        return example
    return marked(signal, example, [] if example.spans else [(0, len(example.text))])


def first_word(signal: str, example: Example, rng: Any) -> Example:
    if signal in ("stance", "attribution"):
        return example
    return marked(signal, example, [(0, len(example.text.split(" ")[0]))])


def nothing(signal: str, example: Example, rng: Any) -> Example:
    if signal == "stance":
        return replace(example, label=STANCES.index("neutral"))
    return marked(signal, example, [])


def at_random(signal: str, example: Example, rng: Any) -> Example:
    if signal == "stance":
        return replace(example, label=int(rng.integers(len(STANCES))))
    if signal == "attribution":
        return example
    if rng.random() >= 0.5:
        return marked(signal, example, [])
    places = [(example.text.find(word), word) for word in example.text.split()]
    start, word = places[int(rng.integers(len(places)))]
    return marked(signal, example, [(start, start + len(word))])


KINDS: dict[str, Change] = {
    "right": lambda signal, example, rng: example,
    "upside-down": upside_down,
    "first-word": first_word,
    "nothing": nothing,
    "random": at_random,
}


def corrections(data: Path, kind: str, n: str, draw: int) -> Mapping[Signal, list[Example]]:
    """By signal, the sentences of a run as somebody corrected them."""
    rng, change = np.random.default_rng(draw), KINDS[kind]
    found: dict[Signal, list[Example]] = {}
    if n == "seeds":
        rows = of_seeds(gold=kind == "right")
        return {s: [change(s.name, e, rng) for row in rows for e in s.examples(row)] for s in SIGNALS}
    for signal in SIGNALS:
        pool = [e for name in POOLS[signal.name] for e in load_corpus(data, name, "dev")]
        pool = [e for e in pool if e.label is not None and len(e.text) > 30]
        picked = rng.permutation(len(pool))[: int(n)]
        found[signal] = [change(signal.name, pool[i], rng) for i in picked]
    return found


def of_seeds(gold: bool) -> list[dict[str, Any]]:
    """The seeds as the shipped model scores them, without what a retraining would hold out; with `gold` what
    their gold labels is right."""
    labels = {(row["article_id"], row["start"]): row for row in frozen.seeds()} if gold else {}
    rows = load().score(frozen.seeds_folder()).to_dict("records")
    return [
        {**row, **labels.get((row["article_id"], row["start"]), {})}
        for row in rows
        if not row["boilerplate"] and not is_held_out(row["article_id"])
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder of the corpora")
    parser.add_argument("--runs", default=",".join(RUNS), help="kind:sentences:draw, with commas between")
    options = parser.parse_args()
    old = load_bundle(shipped())
    old.network.halved = fastest() == "bfloat16"
    made_up = {s: [e for r in frozen.written() if s.scored(r) for e in s.examples(r)] for s in SIGNALS}
    for run in options.runs.split(","):
        kind, n, draw = run.split(":")
        taught = corrections(options.data, kind, n, int(draw))
        with tempfile.TemporaryDirectory() as folder:
            new, whole = retrained_on(taught, Path(folder))
        found = judge(old, new, {}, {FROZEN: made_up}, whole=whole)
        half = all(c.passed for c in found.compared if c.where == FROZEN)
        print(f"{run}: half the way {said(half)}, with the whole way {said(found.promote)}")
        for where in dict.fromkeys(c.where for c in found.compared):
            each = [f"{c.signal} {c.difference:+.3f}" for c in found.compared if c.where == where]
            print(f"    {where}: {', '.join(each)}", flush=True)


def said(passed: bool) -> str:
    return "promoted" if passed else "refused"


if __name__ == "__main__":
    main()
