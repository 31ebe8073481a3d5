"""Training by several processes: sentences a second, and each step's loss, on the encoder that ships.

    python benchmarks/processes.py --data FOLDER [--seed 2]
    torchrun --standalone --nproc-per-node 2 benchmarks/processes.py --data FOLDER

One thread for each process. Of the loss the mean over each quarter of the steps is printed. Another seed
draws other dropout for the same batches, and shows how far that alone moves it.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch

from annotate.model.encoder import folder_of, load_encoder
from annotate.model.network import Network
from annotate.model.precision import fastest
from annotate.training import processes
from annotate.training.corpora import SIGNAL_OF
from annotate.training.recipe import Recipe
from annotate.training.steps import corpus_of, lesson_of, optimizers, take_step

CORPORA = {"newsmtsc": 1.0, "polnear": 1.0, "babe": 1.0}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=120)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    with processes.joined() as first:
        recipe = Recipe("speed", CORPORA, steps=asked.steps)
        torch.manual_seed(1)
        encoder, tokenizer = load_encoder(folder_of(recipe.encoder))
        signals = list(dict.fromkeys(SIGNAL_OF[name] for name in CORPORA))
        network = Network(encoder, signals).train()
        torch.manual_seed(asked.seed)
        for name, parameter in network.encoder.named_parameters():
            parameter.requires_grad_(not name.startswith("embeddings."))
        network.halved = fastest() == "bfloat16"
        optimizer, schedule = optimizers(network, recipe)
        corpora = {name: corpus_of(name, asked.data, tokenizer, recipe) for name in CORPORA}
        streams = {name: corpus.batches() for name, corpus in corpora.items()}
        losses, sentences, started = [], 0, time.monotonic()
        for name in recipe.plan():
            rows = next(streams[name])
            losses.append(take_step(network, corpora[name], lesson_of(corpora[name], rows), optimizer, {}))
            schedule.step()
            sentences += len(rows)
        rate = sentences / (time.monotonic() - started)
        if first:
            quarters = ", ".join(f"{part.mean():.4f}" for part in np.array_split(np.array(losses), 4))
            print(f"{processes.count()} process(es) on {network.device}, {fastest()}: {rate:.1f} sentences/s")
            print(f"mean loss of each quarter of {asked.steps} steps: {quarters}")


if __name__ == "__main__":
    main()
