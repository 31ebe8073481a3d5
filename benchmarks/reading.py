"""How well reading agrees with the gold labels of the seeds, and how fast it is.

    python benchmarks/reading.py            the seeds: sentences, boilerplate, targets, speed
    python benchmarks/reading.py DATA       also newsmtsc, babe and polnear (train), glued into paragraphs

Sentence F1 counts exact spans; boundary F1 counts the offsets where a sentence ends.
"""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from annotate.reading import Targets, load_targets, read, split
from annotate.reading.sentences import sentence_spans
from annotate.reading.wordlists import BEFORE_NAMES

SEEDS = Path(__file__).parents[1] / "seeds"


def gold() -> dict[str, dict[tuple[int, int], dict[str, Any]]]:
    """The gold labels: for each article the rows by (start, end)."""
    rows: dict[str, dict[tuple[int, int], dict[str, Any]]] = defaultdict(dict)
    for line in (SEEDS / "gold.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows[row["source"]][row["start"], row["end"]] = row
    return rows


def scores(found: Iterable[Any], wanted: Iterable[Any]) -> dict[str, float]:
    """Precision, recall and F1 of two sets."""
    found, wanted = set(found), set(wanted)
    hit = len(found & wanted)
    return {
        "precision": hit / max(len(found), 1),
        "recall": hit / max(len(wanted), 1),
        "f1": 2 * hit / max(len(found) + len(wanted), 1),
    }


def on_seeds() -> dict[str, dict[str, float]]:
    """Sentences, boundaries, boilerplate and (sentence, target) pairs against the gold labels."""
    labels = gold()
    targets = load_targets(SEEDS / "targets.yaml")
    sentences = [s for article in read([SEEDS]) for s in split(article, targets)]
    rows = [(source, *span, row) for source, spans in labels.items() for span, row in spans.items()]
    marked = [(source, start, end) for source, start, end, row in rows if row["boilerplate"]]
    pairs = {(s.article_id, s.start, m.target) for s in sentences if not s.boilerplate for m in s.mentions}
    stances = [(source, start, x["target"]) for source, start, _, row in rows for x in row.get("stance", ())]
    spans = [(s.article_id, s.start, s.end) for s in sentences]
    return {
        "sentences": scores(spans, (row[:3] for row in rows)),
        "boundaries": scores(((s.article_id, s.end) for s in sentences), (row[:3:2] for row in rows)),
        "boilerplate": scores(
            (span for span, s in zip(spans, sentences, strict=True) if s.boilerplate), marked
        ),
        "target pairs": scores(pairs, stances),
    }


def speed(copies: int = 100) -> dict[str, float]:
    """Sentences a second on the seeds, read once and split `copies` times."""
    targets = load_targets(SEEDS / "targets.yaml")
    articles = list(read([SEEDS]))
    many = Targets({f"Target {i}": (f"Alias{i} of it", f"the {i}th") for i in range(500)})
    return {
        "boundaries alone": _rate(lambda: sum(1 for a in articles for _ in sentence_spans(a.text)), copies),
        "split with targets": _rate(lambda: sum(len(split(a, targets)) for a in articles), copies),
        "split with 1,500 aliases": _rate(lambda: sum(len(split(a, many)) for a in articles), copies),
    }


def _rate(work: Callable[[], int], rounds: int) -> float:
    work()
    start = time.perf_counter()
    count = sum(work() for _ in range(rounds))
    return count / (time.perf_counter() - start)


def on_corpora(data: Path) -> Iterator[tuple[str, dict[str, float]]]:
    """Boundary F1 on paragraphs glued from single texts; an upper bound, as some texts hold two sentences."""
    import pandas as pd

    for name in ("newsmtsc", "babe", "polnear"):
        texts = pd.read_parquet(data / name / "train.parquet")["text"].drop_duplicates().head(8000)
        texts = [" ".join(text.split()) for text in texts]
        # "He met Sen." is what a splitter left of a sentence: no text to learn a boundary from.
        texts = [t for t in texts if t and t[-1] in '.?!”"' and t.split()[-1][:-1] not in BEFORE_NAMES]
        found, wanted = set(), set()
        for first in range(0, len(texts), 8):
            paragraph, end = " ".join(texts[first : first + 8]), -1
            found |= {(first, stop) for _, stop in sentence_spans(paragraph)}
            for text in texts[first : first + 8]:
                end += len(text) + 1
                wanted.add((first, end))
        yield name, scores(found, wanted)


def main() -> None:
    """Prints all figures."""
    for what, figures in on_seeds().items():
        print(f"{what:14}", *(f"{name} {figure:.3f}" for name, figure in figures.items()), sep="  ")
    for what, rate in speed().items():
        print(f"{what:26} {rate:9,.0f} sentences/s")
    if len(sys.argv) > 1:
        for corpus, figures in on_corpora(Path(sys.argv[1])):
            print(f"{corpus:14}", *(f"{name} {figure:.3f}" for name, figure in figures.items()), sep="  ")


if __name__ == "__main__":
    main()
