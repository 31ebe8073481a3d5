"""How fast `annotate score` is here: from files to parquet, and to the first row.

python benchmarks/scoring.py [--model FOLDER]
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SEEDS = Path(__file__).parent.parent / "seeds"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model")
    model = parser.parse_args().model
    options = ["--model", model] if model else []
    with tempfile.TemporaryDirectory() as scratch:
        out = Path(scratch) / "scores.parquet"
        for run in ("first run", "warm"):
            started = time.perf_counter()
            command = [sys.executable, "-m", "annotate", "score", str(SEEDS), "--out", str(out), *options]
            subprocess.run(command, check=True)
            print(f"five seeds, start of Python included, {run}: {time.perf_counter() - started:.1f} s")

    import annotate

    annotator = annotate.load(model)
    texts = annotator.score(SEEDS).text.tolist()
    sentences = [f"{text} ({i})" for i in range(10) for text in texts]
    started = time.perf_counter()
    annotator.score_sentences(sentences)
    rate = len(sentences) / (time.perf_counter() - started)
    print(f"sentences a second, all five signals: {rate:.0f}")
    print(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f} GB")


if __name__ == "__main__":
    main()
