"""The shipped model on the seeds' gold labels.

No seed was trained on and no threshold set on them, but while the first model was made its garble ranks here
were looked at (docs/decisions.md): they are no untouched test of garble.

python benchmarks/seeds.py [MODEL]
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from sklearn.metrics import accuracy_score, average_precision_score, f1_score

import annotate

SEEDS = Path(__file__).parent.parent / "seeds"


def overlap(spans: list[dict[str, Any]], start: int, end: int) -> bool:
    """Whether any span shares a character with [start, end)."""
    return any(span["start"] < end and span["end"] > start for span in spans)


def main() -> None:
    lines = (SEEDS / "gold.jsonl").read_text(encoding="utf-8").splitlines()
    gold = {(g["source"], g["start"]): g for g in map(json.loads, lines) if not g["boilerplate"]}
    frame = annotate.load(sys.argv[1] if len(sys.argv) > 1 else None).score(SEEDS)
    rows = frame[~frame.boilerplate].to_dict("records")
    pairs = [
        (row, gold[row["article_id"], row["start"]])
        for row in rows
        if (row["article_id"], row["start"]) in gold
    ]
    print(f"content sentences: {len(rows)}, of them in the gold: {len(pairs)} of {len(gold)}")

    major = [any(s["severity"] == "major" for s in g["garbled_spans"]) for _, g in pairs]
    score = [row["garble"] for row, _ in pairs]
    ranks = sorted(range(len(pairs)), key=lambda i: -score[i])
    [pouring] = [n for n, i in enumerate(ranks, 1) if pairs[i][0]["text"].startswith("Pouring water")]
    print(
        f"garble, {sum(major)} with a major error: average precision "
        f"{average_precision_score(major, score):.3f}"
    )
    print(f"'Pouring water…' ranks {pouring}")
    spans = [(row, s) for row, g in pairs for s in g["garbled_spans"] if s["severity"] == "major"]
    touched = [
        overlap(row["garble_spans"], row["start"] + s["start"], row["start"] + s["end"]) for row, s in spans
    ]
    clean = [bool(row["garble_spans"]) for row, g in pairs if not g["garbled_spans"]]
    print(
        f"major spans touched: {sum(touched)} of {len(touched)}; "
        f"clean sentences flagged: {sum(clean)} of {len(clean)}"
    )

    said = [row["holder_kind"] for row, _ in pairs]
    truth = [g["holder"]["kind"] for _, g in pairs]
    named = [(row["holder_name"], g["holder"]["name"]) for row, g in pairs if g["holder"]["kind"] == "source"]
    right = sum(one == other for one, other in named)
    print(
        f"holder: accuracy {accuracy_score(truth, said):.3f}, F1 of source "
        f"{f1_score(truth, said, pos_label='source'):.3f}; named right: {right} of {len(named)}"
    )
    stances = [
        (one["label"], other["label"])
        for row, g in pairs
        for one in row["stance"]
        for other in g["stance"]
        if one["target"] == other["target"]
    ]
    said, truth = zip(*stances, strict=True)
    print(f"stance, {len(stances)} pairs: macro-F1 {f1_score(truth, said, average='macro'):.3f}")
    hedged = [bool(g["hedge_cues"]) for _, g in pairs]
    cues = [bool(row["hedging_spans"]) for row, _ in pairs]
    average = average_precision_score(hedged, [row["hedging"] for row, _ in pairs])
    print(
        f"hedging: average precision {average:.3f}, F1 of a sentence with a cue {f1_score(hedged, cues):.3f}"
    )


if __name__ == "__main__":
    main()
