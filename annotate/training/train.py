"""The training job: a recipe and corpora in, a model bundle with its card out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from annotate.model.bundle import load_bundle, save_bundle
from annotate.training import processes
from annotate.training.adapting import adapted
from annotate.training.card import write_card
from annotate.training.corpora import load_corpus, source
from annotate.training.fit import Fitted, Weights, average, fit, headline
from annotate.training.recipe import Recipe, load_recipe
from annotate.training.steps import Progress
from annotate.training.teachers import check, panel_of, taught


def train(recipe_file: Path, data: Path, out: Path, run: Path, progress: Progress) -> Path:
    """Train by a recipe file on the corpora under `data` and write the bundle to `out`, its card with the dev
    figures of training (`annotate evaluate --card` writes the full one).

    `run` keeps checkpoints and the log of each seed; called again after a cut, training goes on from there.
    Several processes (`annotate.training.processes`) train it together.
    Of several seeds the run with the best mean dev figure is taken, or their average where that is better.

    Raises:
        UserError: for a recipe, corpus or encoder that cannot be used, or a disk that is full.
    """
    recipe = load_recipe(recipe_file)
    check(recipe)
    start = adapted(recipe, data, run / "adapted", progress)
    others = {
        folder: load_bundle(recipe_file.parent / folder).network.cpu().state_dict()
        for folder in recipe.average_with
    }
    before, folder, chosen = start, run, []
    for one in recipe.stages:
        fits = stage(one, data, folder, progress, start, before, others)
        best = max(fits, key=lambda name: headline(fits[name].figures))
        fitted = fits[best]
        chosen.append(
            {
                "seeds": {name: headline(each.figures) for name, each in fits.items()},
                "seed": best,
                "chosen": fitted.chosen,
                "candidates": fitted.candidates,
            }
        )
        before = {name: tensor.cpu() for name, tensor in fitted.network.state_dict().items()}
        others, folder = {"what it went on from": before}, folder / "then"
    if processes.first():
        write_model(out, recipe, data, fitted, chosen)
    return out


def stage(
    recipe: Recipe,
    data: Path,
    run: Path,
    progress: Progress,
    read: Weights | None,
    start: Weights | None,
    others: Mapping[str, Weights],
) -> dict[str, Fitted]:
    """The teachers of a recipe, then a run for each of its seeds and, of several, their average; by name.
    read: what teachers on the student's encoder begin with; `start` what the student does."""
    beliefs = taught(recipe, data, run, progress, read)
    panel = panel_of(recipe, data, run, progress, read)
    fits = {}
    for seed in recipe.seeds:
        one, folder = replace(recipe, seeds=[seed]), run / f"seed-{seed}"
        fits[str(seed)] = fit(one, data, folder, progress, beliefs, others, start, panel)
    if len(fits) > 1:
        fits["average"] = average(list(fits.values()), recipe, data)
    return fits


def write_model(
    out: Path, recipe: Recipe, data: Path, fitted: Fitted, chosen: Sequence[Mapping[str, Any]]
) -> None:
    """The bundle of what a training came to, with its card. chosen: of each stage the mean dev figure of its
    seeds and of their average, which `seed` was taken, and of that the candidates and the one `chosen`."""
    figures = {"dev": {name: [asdict(f) for f in found] for name, found in fitted.figures.items()}}
    stages = recipe.stages
    corpora = list(dict.fromkeys(name for stage in stages for name in stage.all_corpora()))
    save_bundle(
        out,
        fitted.network,
        fitted.settings,
        name=recipe.name,
        encoder=replace(recipe.encoder, files=fitted.encoder_files),
        training={
            "recipe": {k: v for k, v in asdict(recipe).items() if k != "encoder"},
            "stages": list(chosen),
            "rows": {name: len(load_corpus(data, name, "train")) for name in corpora},
            "batches": dict(Counter(name for stage in stages for name in stage.plan())),
            "sources": [asdict(source(data, name)) for name in corpora],
        },
        figures=figures,
    )
    write_card(out, figures)
