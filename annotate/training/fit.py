"""Fitting a network to a recipe: seeded, logged, and resumable after a cut at any moment."""

from __future__ import annotations

import copy
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from annotate.errors import UserError
from annotate.model.encoder import TOKENIZER, WEIGHTS, folder_of, load_encoder, sha256
from annotate.model.network import Network
from annotate.signals import SIGNALS
from annotate.signals.base import Example, Settings
from annotate.training import processes
from annotate.training.corpora import MADE_FROM, SIGNAL_OF
from annotate.training.evaluation import Figure, tune_and_measure
from annotate.training.panel import Panel
from annotate.training.recipe import Recipe
from annotate.training.steps import (
    Beliefs,
    Progress,
    claim,
    corpus_of,
    examples_of,
    lesson_of,
    note,
    optimizers,
    resume,
    save,
    state_of,
    take_step,
)

Weights = Mapping[str, torch.Tensor]
"""Of a network, by name."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a fit came to: the candidate that is best on dev, and what is said about it.

    `encoder_files`: the SHA-256 of the encoder's files that the network stands on; `rows`: training rows
    of each corpus; `chosen`: the candidate's name, `candidates`: the mean dev figure of each.
    """

    network: Network
    tokenizer: Any
    settings: dict[str, Settings]
    figures: dict[str, list[Figure]]
    encoder_files: dict[str, str]
    rows: dict[str, int]
    chosen: str
    candidates: dict[str, float]


def fit(
    recipe: Recipe,
    data: Path,
    run: Path,
    progress: Progress,
    beliefs: Beliefs | None = None,
    others: Mapping[str, Weights] | None = None,
    start: Weights | None = None,
    panel: Panel | None = None,
) -> Fitted:
    """Train by the recipe in the folder `run`, going on from its last checkpoint if it has one.

    beliefs: what teachers make of the rows of some corpora. The share of the loss against them falls from 1
    to 0 over the steps, that against labels rises (Clark et al. 2019); rows that have no label keep to the
    beliefs. others: by name, weights that the last step is averaged with. start: weights
    that the network begins with, or its encoder. panel: teachers who judge each batch as it comes.

    Raises:
        UserError: for a corpus or encoder that cannot be had, or a run folder of another recipe.
    """
    run.mkdir(parents=True, exist_ok=True)
    claim(run, recipe)
    folder = folder_of(recipe.encoder)
    encoder, tokenizer = load_encoder(folder)
    corpora = recipe.all_corpora()
    taught = {SIGNAL_OF[name] for name in corpora}
    # Heads start alike whatever the seed, so that models of several seeds can be averaged.
    torch.manual_seed(0)
    network = Network(encoder, [signal for signal in SIGNALS if signal in taught])
    network.load_state_dict(start or {}, strict=False)
    torch.manual_seed(recipe.seed)
    for name, parameter in network.encoder.named_parameters():
        if name.startswith(tuple(recipe.frozen)):
            parameter.requires_grad_(False)
    network.halved = recipe.precision == "bfloat16"
    views = None
    if panel and recipe.vectors:
        views = panel.views(encoder.config.hidden_size).to(network.device)
    optimizer, schedule = optimizers(network, recipe, views)
    train = {name: corpus_of(name, data, tokenizer, recipe) for name in corpora}
    # What is made from other corpora teaches, but the best step is chosen by what people labelled.
    dev = {
        name: sample(examples_of(name, data, "dev", recipe), recipe.dev_rows)
        for name in corpora
        if name not in MADE_FROM
    }
    step, best = resume(run, network, optimizer, schedule, views)
    plan = recipe.plan()
    streams = {name: corpus.batches() for name, corpus in train.items()}
    for past in plan[:step]:
        next(streams[past])
    losses: dict[str, float] = {}
    started = time.monotonic()
    network.train()
    while step < recipe.steps:
        corpus = train[plan[step]]
        rows = next(streams[corpus.name])
        share = 1 - step / recipe.steps
        if panel and panel.of(corpus):
            lesson = panel.lesson(corpus, rows, share, step)
        else:
            lesson = lesson_of(corpus, rows, (beliefs or {}).get(corpus.name), share)
        losses[corpus.name] = take_step(network, corpus, lesson, optimizer, losses, views)
        schedule.step()
        step += 1
        progress(step, recipe.steps, " ".join(f"{n} {v:.3f}" for n, v in sorted(losses.items())))
        evaluated = step % recipe.evaluate_every == 0 or step == recipe.steps
        if evaluated:
            _, figures = tune_and_measure(network, tokenizer, dev)
            mean = headline(figures)
            record = {
                "step": step,
                "seconds": round(time.monotonic() - started),
                "dev": mean,
                "loss": losses,
                "figures": {c: {f.metric: round(f.value, 4) for f in fs} for c, fs in figures.items()},
            }
            note(run, record)
            if mean > best:
                best = mean
                save(run / "best.pt", {"network": network.state_dict(), "step": step, "dev": mean})
            network.train()
        if step in recipe.average:
            save(run / f"average-{step}.pt", {"network": network.state_dict()})
        if evaluated or step % recipe.checkpoint_every == 0:
            save(run / "checkpoint.pt", state_of(network, optimizer, schedule, step, best, views))
    processes.wait()
    network.halved = False
    dev = {name: examples_of(name, data, "dev", recipe) for name in dev}
    measured = {}
    for name, weights in candidates(run, recipe, others or {}).items():
        network.load_state_dict(weights)
        settings, figures = tune_and_measure(network, tokenizer, dev)
        measured[name] = (headline(figures), weights, settings, figures)
        note(run, {"candidate": name, "dev": measured[name][0]})
    chosen = max(measured, key=lambda name: measured[name][0])
    _, weights, settings, figures = measured[chosen]
    network.load_state_dict(weights)
    return Fitted(
        network,
        tokenizer,
        settings,
        figures,
        encoder_files={name: sha256(folder / name) for name in (WEIGHTS, TOKENIZER)},
        rows={name: len(corpus.examples) for name, corpus in train.items()},
        chosen=chosen,
        candidates={name: value for name, (value, *_) in measured.items()},
    )


def average(fits: Sequence[Fitted], recipe: Recipe, data: Path) -> Fitted:
    """The average of what several seeds came to (Wortsman et al. 2022, Model soups), measured on dev."""
    one = fits[0]
    parts = [fitted.network.state_dict() for fitted in fits]
    weights = {key: torch.stack([part[key].float() for part in parts]).mean(0) for key in parts[0]}
    network = copy.deepcopy(one.network)
    network.load_state_dict(weights)
    dev = {name: examples_of(name, data, "dev", recipe) for name in one.figures}
    settings, figures = tune_and_measure(network, one.tokenizer, dev)
    name = "the average of the seeds"
    return replace(
        one,
        network=network,
        settings=settings,
        figures=figures,
        chosen=name,
        candidates={name: headline(figures)},
    )


def candidates(run: Path, recipe: Recipe, others: Mapping[str, Weights]) -> dict[str, dict[str, Any]]:
    """The weights to choose among on the whole of dev: the best step on samples of it, the last step, the
    average over some steps, and the averages of the last with others.

    Raises:
        UserError: for a model that has other parameters.
    """
    best = torch.load(run / "best.pt", weights_only=True, map_location="cpu")
    found = {f"step {best['step']}": best["network"]}
    last = torch.load(run / "checkpoint.pt", weights_only=True, map_location="cpu")["network"]
    found.setdefault(f"step {recipe.steps}", last)
    if recipe.average:
        parts = [
            torch.load(run / f"average-{step}.pt", weights_only=True, map_location="cpu")["network"]
            for step in recipe.average
        ]
        name = f"the average of steps {', '.join(map(str, recipe.average))}"
        found[name] = {key: torch.stack([part[key] for part in parts]).float().mean(0) for key in last}
    for other, theirs in others.items():
        if {key: t.shape for key, t in theirs.items()} != {key: t.shape for key, t in last.items()}:
            raise UserError(f"The model {other} has other parameters than this one; average with its like.")
        name = f"the average with {other}"
        found[name] = {key: (last[key].float() + theirs[key].float()) / 2 for key in last}
    return found


def headline(figures: dict[str, list[Figure]]) -> float:
    """What the best step and the best seed are chosen by: per signal the mean over its corpora of all
    figures, then the mean over signals. Made corpora do not count."""
    by_signal: dict[str, list[float]] = {}
    for corpus, found in figures.items():
        if corpus in MADE_FROM:
            continue
        values = [f.value for f in found if f.value == f.value]
        by_signal.setdefault(SIGNAL_OF[corpus].name, []).append(float(np.mean(values)))
    return float(np.mean([np.mean(values) for values in by_signal.values()]))


def sample(examples: list[Example], rows: int) -> list[Example]:
    """At most some `rows` examples in evenly spaced blocks, so that documents stay together."""
    if len(examples) <= rows:
        return examples
    blocks = np.array_split(np.arange(len(examples)), max(1, len(examples) // 40))
    wanted = np.linspace(0, len(blocks) - 1, max(1, rows // 40)).round().astype(int)
    return [examples[i] for block in wanted for i in blocks[block]]
