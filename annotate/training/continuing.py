"""Going on from a model: it learns what reviewers corrected and keeps to what it knew of everything else.

Beside the corrections stand sentences that nobody corrected, each with what the model itself believes of it:
learning without forgetting (Li & Hoiem 2016). They are the project's own open sentences and those that come
with the package; research corpora, where they are at hand, join in with their labels. What then serves goes
part of the way only, which keeps more of what was known than it costs of what was learned (Wortsman et al.
2022, Robust fine-tuning of zero-shot models).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from annotate.model.bundle import Bundle, load_bundle
from annotate.signals.base import REVIEWED
from annotate.training.corpora import SIGNAL_OF
from annotate.training.lessons import Lessons
from annotate.training.recipe import Recipe
from annotate.training.steps import Corpus, claim, lesson_of, optimizers, resume, save, state_of, take_step
from annotate.training.teachers import believed

Progress = Callable[[int, int, str], None]


def plan_of(lessons: Lessons, epochs: int, most: int, batch_size: int) -> list[tuple[str, str]]:
    """Which set each step's batch is drawn from, as (what it is, its name): each correction `epochs` times,
    as many batches of what was known, but `most` steps at the utmost; the same for the same lessons."""
    batches = {
        ("reviewed", signal.name): epochs * -(-len(examples) // batch_size)
        for signal, examples in lessons.reviewed.items()
        if examples
    }
    n = min(most // 2, sum(batches.values()))
    rng = np.random.default_rng(0)

    def drawn(names: Sequence[tuple[str, str]], weights: Sequence[float], n: int) -> list[tuple[str, str]]:
        share = np.asarray(weights, dtype=float)
        return [names[i] for i in rng.choice(len(names), n, p=share / share.sum())] if len(names) else []

    known = [("unreviewed", signal.name) for signal, examples in lessons.unreviewed.items() if examples]
    known += [("replay", name) for name, examples in lessons.replay.items() if examples]
    steps = drawn(list(batches), list(batches.values()), n) + drawn(known, [1.0] * len(known), n)
    return [steps[i] for i in rng.permutation(len(steps))]


def go_on(
    parent: Path,
    lessons: Lessons,
    recipe: Recipe,
    run: Path,
    *,
    epochs: int,
    progress: Progress = lambda done, total, what: None,
) -> Bundle:
    """The model in `parent`, its network trained on by the lessons; settings stay as they were.

    recipe: learning rates, batch size, precision, what is frozen, and the most steps it may take. `run` keeps
    the checkpoint: called again after a cut, it goes on from there.

    Raises:
        UserError: for a model that cannot be loaded, a run folder of other lessons, or a full disk.
    """
    run.mkdir(parents=True, exist_ok=True)
    claim(run, recipe)
    torch.manual_seed(recipe.seed)
    bundle = load_bundle(parent)
    network, tokenizer = bundle.network, bundle.tokenizer
    for name, parameter in network.encoder.named_parameters():
        parameter.requires_grad_(not name.startswith(tuple(recipe.frozen)))
    sets: dict[tuple[str, str], Corpus] = {}
    for kind, examples_of in (("reviewed", lessons.reviewed), ("unreviewed", lessons.unreviewed)):
        for signal, examples in examples_of.items():
            sets[kind, signal.name] = Corpus(REVIEWED, signal, examples, tokenizer, recipe)
    for name, examples in lessons.replay.items():
        sets["replay", name] = Corpus(name, SIGNAL_OF[name], examples, tokenizer, recipe)
    network.halved = recipe.precision == "bfloat16"
    plan = plan_of(lessons, epochs, recipe.steps, recipe.batch_size)
    beliefs = {
        key: believed(network, rows) for key, rows in sets.items() if key[0] == "unreviewed" and rows.examples
    }
    recipe_of_plan = replace(recipe, steps=max(1, len(plan)))
    optimizer, schedule = optimizers(network, recipe_of_plan)
    step, _ = resume(run, network, optimizer, schedule)
    streams = {key: rows.batches() for key, rows in sets.items()}
    for past in plan[:step]:
        next(streams[past])
    losses: dict[str, float] = {}
    network.train()
    while step < len(plan):
        key = plan[step]
        lesson = lesson_of(sets[key], next(streams[key]), beliefs.get(key), 1.0)
        take_step(network, sets[key], lesson, optimizer, losses)
        schedule.step()
        step += 1
        progress(step, len(plan), " ".join(f"{n} {v:.3f}" for n, v in sorted(losses.items())))
        if step % recipe.checkpoint_every == 0 or step == len(plan):
            save(run / "checkpoint.pt", state_of(network, optimizer, schedule, step, best=0.0))
    network.halved = False
    network.eval()
    return bundle


def part_way(parent: Path, whole: Bundle, share: float) -> Bundle:
    """The model on the straight line between two: so far of the way from the parent's weights to those of a
    model that went on from it."""
    bundle = load_bundle(parent)
    after = whole.network.state_dict()
    between = {name: before.lerp(after[name], share) for name, before in bundle.network.state_dict().items()}
    bundle.network.load_state_dict(between)
    for mine, theirs in zip(bundle.network.parameters(), whole.network.parameters(), strict=True):
        mine.requires_grad_(theirs.requires_grad)  # what did not learn is not written either
    return bundle
