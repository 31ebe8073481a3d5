"""A training that takes seconds: its recipe, the command, the weights it wrote; and a model to go on from."""

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


def trained(recipe: Path, corpora: Path, folder: Path) -> None:
    """What the command does, in this process."""
    from annotate.training.train import train

    train(recipe, corpora, folder / "model", folder / "run", lambda done, total, what: None)


def weights(folder: Path) -> dict[str, np.ndarray]:
    from safetensors.numpy import load_file

    return load_file(folder / "model" / "weights.safetensors")


def bundle(encoder: Path, folder: Path, **training: object) -> Path:
    """A model of random heads on an encoder, with the shipped one's settings."""
    from annotate.model.bundle import read_config, save_bundle, shipped
    from annotate.model.encoder import EncoderSpec, load_encoder
    from annotate.model.network import Network
    from annotate.signals import SIGNALS

    network = Network(load_encoder(encoder)[0], SIGNALS)
    settings, spec = read_config(shipped())["settings"], EncoderSpec(str(encoder))
    save_bundle(folder, network, settings, name="tiny", encoder=spec, training=training, figures={})
    return folder
