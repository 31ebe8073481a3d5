"""Whether the memory of a worker is flat: its peak over runs of ever more sentences.

python benchmarks/memory.py [--sentences 10000,100000,1000000] [--page]

Two Ray workers of one thread each, partitions of PER_PARTITION sentences, so that a longer run has more of
them and not larger ones. The sentences are short, as a million of usual length take an hour; what is held
in memory is batches of so many tokens and tables of so many rows. `--page` writes the figures into
docs/scale.md.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from scaling import PAGE, archive, row, run, table, written

from annotate.model.bundle import shipped

BEGIN, END = "<!-- figures: benchmarks/memory.py --page -->", "<!-- end of memory -->"
PER_PARTITION = 5000
WORDS = 6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sentences", default="10000,100000,1000000", help="sizes, comma-separated")
    parser.add_argument("--page", action="store_true", help="write the figures into docs/scale.md")
    asked = parser.parse_args()
    runs = {}
    for n in sorted(int(size) for size in asked.sentences.split(",")):
        with tempfile.TemporaryDirectory() as scratch:
            source = archive(Path(scratch, "source"), n, max(2, n // PER_PARTITION), WORDS)
            runs[n] = run(source, Path(scratch, f"{n}-sentences"), "ray", 2)
    first, last = min(runs), max(runs)
    lines = [
        f"Measured by `python benchmarks/memory.py`: model `{shipped().name}`, two Ray workers, partitions "
        f"of {PER_PARTITION:,} short sentences:",
        "",
        *table(
            "| run | sentences | seconds | sentences a second | peak memory of a worker, MB |",
            [row(f"{n // PER_PARTITION:,} partitions", runs[n]) for n in runs],
        ),
        f"From {first:,} to {last:,} sentences the peak changes by "
        f"{runs[last].memory / runs[first].memory - 1:+.1%}.",
        "",
    ]
    print("\n".join(lines))
    if asked.page:
        PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), BEGIN, END, lines), encoding="utf-8")


if __name__ == "__main__":
    main()
