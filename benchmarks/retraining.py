"""What retraining on corrections gives, without a server: gold labels stand for the annotators' corrections.

python benchmarks/retraining.py

1. The seeds: four articles corrected, the fifth judged, each left out in turn. Stances of all five are
   pooled. Garble is ranked within each article and its average precision averaged: scores of five models have
   no common scale, and where many sentences are garbled the four others hold fewer, so that pooled ranks fall
   by the design alone (Forman & Scholz 2010, Apples-to-Apples in Cross-Validation Studies). The pooled figure
   is told as well.
2. The made-up articles of the frozen set, one in five held out as in a retraining, with the seeds as the
   frozen set; time and peak memory.
Writes nothing.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score, confusion_matrix, f1_score

from annotate.model.bundle import Bundle, load_bundle, read_config, shipped
from annotate.model.precision import fastest
from annotate.signals import SIGNALS
from annotate.signals.base import Example, Row, Signal
from annotate.signals.garble import GARBLE
from annotate.signals.stance import STANCE, STANCES
from annotate.training import frozen, lessons
from annotate.training.continuing import go_on, part_way
from annotate.training.evaluation import score_examples
from annotate.training.gate import FROZEN, judge
from annotate.training.retrain import EPOCHS, SHARE, recipe_of

TAUGHT = "taught"
"""An article that is not held out (`annotate.training.gate.is_held_out`)."""
NAMES = [signal.name for signal in SIGNALS]


def retrained(rows: Sequence[Row], folder: Path) -> tuple[Bundle, Bundle]:
    """The shipped model after these corrections; articles that the job would hold out do not teach."""
    return retrained_on(lessons.reviewed([(row, names_of(row)) for row in rows], held_out=False), folder)


def retrained_on(taught: Mapping[Signal, list[Example]], folder: Path) -> tuple[Bundle, Bundle]:
    """The shipped model after these examples, as the retraining job makes it, and as it would be the whole
    way."""
    enough = EPOCHS * max(map(len, taught.values())) // 2
    given = {**taught, STANCE: lessons.balanced(taught[STANCE])}
    recipe = recipe_of(read_config(shipped()))
    plan = lessons.Lessons(given, lessons.unreviewed([], enough))
    whole = go_on(shipped(), plan, recipe, folder, epochs=EPOCHS)
    bundle = part_way(shipped(), whole, SHARE)
    for each in (bundle, whole):
        each.network.halved = fastest() == "bfloat16"
    return bundle, whole


def names_of(row: Row) -> list[str]:
    """The signals that a row has labels of."""
    return [signal.name for signal in SIGNALS if signal.scored(row)]


def shown(bundle: Bundle, rows: Sequence[Row]) -> tuple[list[float], list[int]]:
    """Garble scores, and stances said, of these rows."""
    pairs: dict[str, list[Any]] = {}
    for signal in (GARBLE, STANCE):
        examples = [example for row in rows for example in signal.examples(row)]
        pairs[signal.name] = score_examples(bundle.network, bundle.tokenizer, signal, examples)
    said = [int(next(iter(score.values())).argmax()) for score in pairs["stance"]]
    return [score["sentence"] for score in pairs["garble"]], said


def seeds_in_turn(old: Bundle, folder: Path) -> None:
    """Print the figures of the five left-out seeds before and after."""
    rows = list(frozen.seeds())
    garbled: list[bool] = []
    each: dict[str, list[float]] = {"before": [], "after": []}
    stances: list[int] = []
    said: dict[str, tuple[list[float], list[int]]] = {"before": ([], []), "after": ([], [])}
    for article in sorted({row["article_id"] for row in rows}):
        # Another name, lest the hash hold some of the four out.
        others = [{**row, "article_id": TAUGHT} for row in rows if row["article_id"] != article]
        left = [row for row in rows if row["article_id"] == article]
        new, _ = retrained(others, folder / article)
        mine_garbled = [e.label[0] >= 0.5 for row in left for e in GARBLE.examples(row)]
        garbled += mine_garbled
        stances += [e.label for row in left for e in STANCE.examples(row)]
        for when, bundle in (("before", old), ("after", new)):
            scores, labels = shown(bundle, left)
            said[when][0].extend(scores)
            said[when][1].extend(labels)
            if any(mine_garbled):
                each[when].append(average_precision_score(mine_garbled, scores))
    for when, (scores, labels) in said.items():
        print(
            f"seeds, each left out, {when}: garble average precision {np.mean(each[when]):.3f} "
            f"({', '.join(f'{value:.3f}' for value in each[when])}; pooled "
            f"{average_precision_score(garbled, scores):.3f}), stance macro-F1 "
            f"{f1_score(stances, labels, average='macro'):.3f}, confusion ({', '.join(STANCES)}) "
            f"{confusion_matrix(stances, labels).tolist()}",
            flush=True,
        )


def made_up(old: Bundle, folder: Path) -> None:
    """Print the gate's comparisons after corrections of the made-up articles."""
    rows = list(frozen.written())
    started = time.monotonic()
    new, whole = retrained(rows, folder / "made-up")
    seconds = time.monotonic() - started
    given = [(row, NAMES) for row in rows]
    held_out = lessons.reviewed(given, held_out=True)
    found = judge(old, new, held_out, {FROZEN: lessons.untaught(frozen.frozen(), given)}, whole=whole)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    taught = len(rows) - len(held_out[GARBLE])
    print(f"made-up articles: {taught} sentences taught in {seconds:.0f} s, peak memory {memory:.2f} GB")
    print("\n".join(found.lines()))


def main() -> None:
    old = load_bundle(shipped())
    old.network.halved = fastest() == "bfloat16"
    with tempfile.TemporaryDirectory() as folder:
        seeds_in_turn(old, Path(folder))
        made_up(old, Path(folder))


if __name__ == "__main__":
    main()
