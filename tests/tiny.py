"""A training that takes seconds: its recipe, the command, and the weights it wrote."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

RECIPE = {
    "name": "tiny",
    "corpora": {"hedge_bio": 1, "newsmtsc": 1},
    "steps": 12,
    "batch_size": 8,
    "evaluate_every": 6,
    "checkpoint_every": 1,
    "frozen": [],
}


def command(recipe: Path, corpora: Path, folder: Path) -> list[str]:
    options = ["--data", corpora, "--out", folder / "model", "--run", folder / "run", "--threads", 1]
    return [sys.executable, "-m", "annotate", "train", str(recipe), *map(str, options)]


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model" / "weights.safetensors")
