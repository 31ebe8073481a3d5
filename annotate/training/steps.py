"""Training steps: batches of one corpus each, and checkpoints that a cut at any moment leaves whole."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from annotate.errors import UserError
from annotate.model.batch import collate, tokenize
from annotate.model.network import Network
from annotate.signals.base import Example, Signal
from annotate.training import processes
from annotate.training.corpora import SIGNAL_OF, UNLABELLED, Split, load_corpus
from annotate.training.recipe import Recipe

Progress = Callable[[int, int, str], None]
"""Called with steps done, steps in all, and a line about the loss."""


Beliefs = Mapping[str, Sequence[np.ndarray]]
"""Per corpus and training row, what teachers believe of it (`Signal.beliefs`)."""


class Corpus:
    """The training rows of one corpus, tokenised once, in a seeded endless order of batches."""

    def __init__(
        self, name: str, signal: Signal, examples: Sequence[Example], tokenizer: Any, recipe: Recipe
    ) -> None:
        self.name, self.signal, self.examples, self.recipe = name, signal, examples, recipe
        self.sentences = [self.signal.sentence(example) for example in examples]
        self.encodings = tokenize(tokenizer, [e.text for e in examples], recipe.limit)
        self.tokenizer = tokenizer
        self.lengths = np.array([len(e.ids) for e in self.encodings])
        self.mask = mask_of(tokenizer)

    def batches(self) -> Iterator[np.ndarray]:
        """Row numbers of batch after batch; sentences of like length together, batches shuffled."""
        size, epoch = self.recipe.batch_size, 0
        while True:
            rng = np.random.default_rng([self.recipe.seed, epoch, *self.name.encode()])
            yield from of_like_length(self.lengths, size, 20, rng)
            epoch += 1


def of_like_length(
    lengths: np.ndarray, size: int, pool: int, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Every row once, in batches of at most `size`: within each `pool` batches rows of like length together,
    then the batches shuffled."""
    order = rng.permutation(len(lengths))
    pools = np.array_split(order, max(1, len(order) // (size * pool)))
    batches = [
        batch
        for rows in pools
        for batch in np.array_split(rows[np.argsort(lengths[rows], kind="stable")], -(-len(rows) // size))
    ]
    for i in rng.permutation(len(batches)):
        yield batches[i]


def mask_of(tokenizer: Any) -> int:
    """The token that hides another; the unknown one where a tokenizer has none."""
    return next(filter(None, map(tokenizer.token_to_id, ("[MASK]", "<mask>", "[UNK]", "<unk>"))), 0)


def corpus_of(name: str, data: Path, tokenizer: Any, recipe: Recipe) -> Corpus:
    """The training rows of a published corpus under `data`.

    Raises:
        UserError: for a corpus that cannot be had.
    """
    return Corpus(name, SIGNAL_OF[name], examples_of(name, data, "train", recipe), tokenizer, recipe)


def examples_of(name: str, data: Path, split: Split, recipe: Recipe) -> list[Example]:
    """The rows of a corpus, as the recipe has them read."""
    examples = load_corpus(data, name, split)
    return [marked(example) for example in examples] if recipe.marked else examples


def marked(example: Example) -> Example:
    """An example whose spans stand between two signs (Zhou & Chen 2022, An Improved Baseline for
    Sentence-level Relation Extraction)."""
    text, spans, done = "", [], 0
    for start, end, value in sorted(example.spans, key=lambda span: span[:2]):
        text += example.text[done:start] + "@ "
        spans.append((len(text), len(text) + end - start, value))
        text += example.text[start:end] + " @"
        done = end
    return replace(example, text=text + example.text[done:], spans=tuple(spans))


def signs_of(example: Example) -> Iterator[int]:
    """Where the signs stand in what `marked` made."""
    for start, end, _ in example.spans:
        yield from (start - 2, end + 1)


def claim(run: Path, recipe: Recipe) -> None:
    """A run folder belongs to one recipe: a changed recipe must not go on from another's checkpoint."""
    if not processes.first():
        return
    mine = json.dumps(asdict(recipe), sort_keys=True, indent=1)
    path = run / "recipe.json"
    if path.is_file() and path.read_text(encoding="utf-8") != mine:
        raise UserError(
            f"{run} holds a run of another recipe; give another folder with --run, or delete this one."
        )
    path.write_text(mine, encoding="utf-8")


def optimizers(network: Network, recipe: Recipe, views: Any = None) -> tuple[torch.optim.Optimizer, Any]:
    """AdamW with the recipe's two learning rates, and their rise and fall."""
    groups = [
        {
            "params": [p for p in network.encoder.parameters() if p.requires_grad],
            "lr": recipe.learning_rate,
        },
        {
            "params": [*network.heads.parameters(), *(views.parameters() if views is not None else ())],
            "lr": recipe.head_learning_rate,
        },
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)
    rise = max(1, round(recipe.warmup * recipe.steps))

    def factor(step: int) -> float:
        if step < rise:
            return (step + 1) / rise
        return max(0.0, (recipe.steps - step) / max(1, recipe.steps - rise))

    return optimizer, torch.optim.lr_scheduler.LambdaLR(optimizer, factor)


@dataclass(frozen=True, slots=True)
class Lesson:
    """One batch of a corpus: its sentences, and the `share` of the loss that is reckoned against what
    teachers believe of them, where there are any; the rest is against the labels. `vectors`: what the
    encoders of some teachers made of them (`annotate.training.panel.Vectors`)."""

    examples: Sequence[Example]
    encodings: Sequence[Any]
    beliefs: Sequence[np.ndarray] | None = None
    share: float = 0.0
    vectors: Mapping[str, Any] | None = None


def lesson_of(
    corpus: Corpus, rows: np.ndarray, beliefs: Sequence[np.ndarray] | None = None, share: float = 0.0
) -> Lesson:
    """Rows of a corpus as they are; `beliefs` of all its rows. What has no label keeps to the beliefs."""
    return Lesson(
        [corpus.examples[i] for i in rows],
        [corpus.encodings[i] for i in rows],
        None if beliefs is None else [beliefs[i] for i in rows],
        1.0 if corpus.name in UNLABELLED else share,
    )


def take_step(
    network: Network,
    corpus: Corpus,
    lesson: Lesson,
    optimizer: Any,
    losses: dict[str, float],
    views: Any = None,
) -> float:
    """One step on one batch; the running mean of the corpus's loss. views: how the student's vectors of words
    turn into the teachers' (`annotate.training.panel.Views`), which they are then held to."""
    signal, examples = corpus.signal, lesson.examples
    batch = collate(lesson.encodings, network.encoder.config.pad_token_id or 0)
    if hide := corpus.recipe.masked.get(corpus.name):
        hidden = unlabelled(lesson.encodings, examples, batch.input_ids.shape[1])
        batch.input_ids[hidden & (torch.rand(hidden.shape) < hide)] = corpus.mask
    encoded = processes.encode(network, batch)
    sentences = [signal.sentence(example) for example in examples]
    out = network.read(encoded, batch, sentences, only=[signal])[signal.name]
    loss = torch.zeros(())
    if lesson.beliefs is None or lesson.share < 1:
        loss = signal.loss(out, examples, batch, corpus.name)
    if lesson.beliefs is not None:
        theirs = signal.belief_loss(out, batch, lesson.beliefs, corpus.name)
        loss = lesson.share * theirs + (1 - lesson.share) * loss
    if views is not None and lesson.vectors:
        loss = loss + corpus.recipe.vectors * views.loss(encoded, lesson.vectors)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    processes.sum_gradients(network)
    torch.nn.utils.clip_grad_norm_([p for p in network.parameters() if p.grad is not None], 1.0)
    optimizer.step()
    last = losses.get(corpus.name)
    return float(loss.detach()) if last is None else 0.95 * last + 0.05 * float(loss.detach())


def unlabelled(encodings: Sequence[Any], examples: Sequence[Example], length: int) -> torch.Tensor:
    """[B, length], true where a token of the text lies outside every span of its example."""
    found = torch.zeros(len(encodings), length, dtype=torch.bool)
    for i, (encoding, example) in enumerate(zip(encodings, examples, strict=True)):
        for t, (start, end) in enumerate(encoding.offsets):
            found[i, t] = start < end and not any(s < end and start < e for s, e, _ in example.spans)
    return found


def save(path: Path, state: dict[str, Any]) -> None:
    """Written whole or not at all, by the first process: a full disk or a cut leaves the last good file in
    place."""
    if not processes.first():
        return
    partial = path.with_suffix(".partial")
    try:
        torch.save(state, partial)
        os.replace(partial, path)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        raise UserError(
            f"{path} could not be written ({error}); the last good checkpoint is still there: "
            "make room and run again."
        ) from error


def note(run: Path, record: dict[str, Any]) -> None:
    """A line of the run's log."""
    if processes.first():
        with (run / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(record) + "\n")


def state_of(
    network: Network, optimizer: Any, schedule: Any, step: int, best: float, views: Any = None
) -> dict[str, Any]:
    """All that a run goes on from."""
    state = {
        "network": network.state_dict(),
        "views": views.state_dict() if views is not None else {},
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
        "random": torch.get_rng_state(),
        "step": step,
        "best": best,
    }
    if network.device.type == "cuda":
        state["random on gpu"] = torch.cuda.get_rng_state(network.device)
    return state


def resume(
    run: Path, network: Network, optimizer: Any, schedule: Any, views: Any = None
) -> tuple[int, float]:
    """The step and the best dev figure of the run's last checkpoint, its state loaded; 0 without one. It may
    have been written with another number of processes, or on another device.

    Raises:
        UserError: when not every process finds the same checkpoint.
    """
    path = run / "checkpoint.pt"
    step, best = 0, float("-inf")
    if path.is_file():
        state = torch.load(path, weights_only=True, map_location="cpu")
        network.load_state_dict(state["network"])
        if views is not None:
            views.load_state_dict(state["views"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        torch.set_rng_state(state["random"])
        if network.device.type == "cuda" and "random on gpu" in state:
            torch.cuda.set_rng_state(state["random on gpu"], network.device)
        step, best = state["step"], state["best"]
    if len(set(processes.gathered(step))) > 1:
        raise UserError(
            f"The processes of this training do not find the same checkpoint in {run}; "
            "that folder must be on a disk that all machines share."
        )
    return step, best
