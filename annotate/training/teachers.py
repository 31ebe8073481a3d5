"""Teachers: what models of one signal each believe of the training rows, for one model of all signals to
learn.

One network that learns every signal alone from the labels does a little worse on each than a network of its
own. Taught by such networks' probabilities first, and ever more by the labels, it catches up (Clark et al.
2019, BAM! Born-Again Multi-Task Networks for Natural Language Understanding). Several teachers of a signal
are averaged, and they can also judge rows that nobody labelled. A teacher may stand on a larger encoder than
the model it teaches, as long as both cut text into the same words.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from annotate.errors import UserError
from annotate.model.batch import collate
from annotate.model.encoder import TOKENIZER, EncoderSpec, folder_of, load_encoder
from annotate.model.network import Network
from annotate.signals import SIGNALS
from annotate.training import processes
from annotate.training.corpora import MADE_FROM, SIGNAL_OF, UNLABELLED
from annotate.training.exchanging import Exchange
from annotate.training.fit import Weights, fit
from annotate.training.panel import Live, Panel, averaged
from annotate.training.recipe import Recipe
from annotate.training.steps import Beliefs, Corpus, Progress, claim, corpus_of, save

BATCH = 32


def taught(
    recipe: Recipe, data: Path, run: Path, progress: Progress, start: Weights | None = None
) -> Beliefs:
    """Train the recipe's teachers, each in a folder of its own under `run`, and average their beliefs of the
    student's rows: each of the corpora it was taught, and of those of its signal without labels. What a
    teacher believes is kept, so that a run that was cut does not ask it again; live ones are not asked here.
    start: as of `fit`, for teachers on the student's encoder.

    Raises:
        UserError: for a corpus or encoder that cannot be had, or a disk that is full.
    """
    found: dict[str, list[list[np.ndarray]]] = {}
    # What is made together with its labels needs no teacher.
    asked = [name for name in recipe.all_corpora() if name not in MADE_FROM or name in UNLABELLED]
    for teacher in (one for one in recipe.teachers if not one.live):
        known = teacher.all_corpora()
        signals = {SIGNAL_OF[name] for name in known}
        corpora = [n for n in asked if n in known or (n in UNLABELLED and SIGNAL_OF[n] in signals)]
        for seed in teacher.seeds:
            folder = run / f"{teacher.name}-{seed}"
            one = belongs(folder, teacher, seed)
            paths = {name: folder / f"beliefs-{name}.npz" for name in corpora}
            if not all(path.is_file() for path in paths.values()):
                network, tokenizer = at_hand(recipe, one, data, folder, progress, start)
                for name, path in paths.items() if processes.first() else ():
                    rows = corpus_of(name, data, tokenizer, replace(recipe, marked=teacher.marked))
                    keep(path, believed(network, rows))
                processes.wait()
            for name, path in paths.items():
                found.setdefault(name, []).append(kept(path))
    return {name: averaged(each) for name, each in found.items()}


def panel_of(
    recipe: Recipe, data: Path, run: Path, progress: Progress, start: Weights | None = None
) -> Panel | None:
    """As `taught`, of the recipe's live teachers; None where it has none."""
    live = []
    for teacher in (one for one in recipe.teachers if one.live):
        found = []
        for seed in teacher.seeds:
            folder = run / f"{teacher.name}-{seed}"
            one = belongs(folder, teacher, seed)
            found.append(at_hand(recipe, one, data, folder, progress, start))
        live.append(Live(teacher, [network for network, _ in found], found[0][1]))
    return Panel(live, Exchange(*load_encoder(folder_of(recipe.encoder)))) if live else None


def at_hand(
    recipe: Recipe, one: Recipe, data: Path, folder: Path, progress: Progress, start: Weights | None
) -> tuple[Network, Any]:
    """The network and tokenizer of one seed's teacher of a student's recipe, from its folder if it was
    trained before."""
    path = folder / "teacher.pt"
    if not path.is_file():
        fitted = fit(one, data, folder, progress, start=start if one.encoder == recipe.encoder else None)
        save(path, fitted.network.state_dict())
        processes.wait()
    encoder, tokenizer = load_encoder(folder_of(one.encoder))
    taught = {SIGNAL_OF[name] for name in one.all_corpora()}
    network = Network(encoder, [signal for signal in SIGNALS if signal in taught])
    network.load_state_dict(torch.load(path, weights_only=True, map_location="cpu"))
    network.halved = one.precision == "bfloat16"
    network.eval()
    return network, tokenizer


def belongs(folder: Path, teacher: Recipe, seed: int) -> Recipe:
    """A teacher's recipe of one seed, its folder claimed for it: what another recipe made teaches nothing.

    Raises:
        UserError: for the folder of another recipe.
    """
    one = replace(teacher, seeds=[seed])
    folder.mkdir(parents=True, exist_ok=True)
    claim(folder, one)
    return one


def check(recipe: Recipe) -> None:
    """Beliefs are held word by word: every teacher, of what goes on as well, must cut text into the student's
    words; what nobody labelled needs a teacher, and what live teachers do needs a live one. To be asked
    before hours of training.

    Raises:
        UserError: for an encoder that cannot be had, a teacher that cuts text into other words, a corpus that
            nobody labels or judges, or `exchanged` or `vectors` where no teacher is live.
    """
    for stage in recipe.stages:
        taught = {SIGNAL_OF[name] for teacher in stage.teachers for name in teacher.all_corpora()}
        for name in stage.all_corpora():
            if name in UNLABELLED and SIGNAL_OF[name] not in taught:
                raise UserError(
                    f"Nobody labelled `{name}`; the recipe {stage.name} needs a teacher of "
                    f"{SIGNAL_OF[name].name} to judge it, or must leave it."
                )
        for key, asked in (("exchanged", stage.exchanged), ("vectors", stage.vectors)):
            if asked and not any(teacher.live for teacher in stage.teachers):
                raise UserError(
                    f"`{key}` in the recipe {stage.name} does nothing without a teacher that is `live`; "
                    "add one, or leave it."
                )
        for teacher in stage.teachers:
            if teacher.encoder != stage.encoder and cutting(teacher.encoder) != cutting(stage.encoder):
                raise UserError(
                    f"The encoder {teacher.encoder.name} of the teacher {teacher.name} cuts text into other "
                    f"words than {stage.encoder.name}; give it one that cuts alike."
                )


def cutting(encoder: EncoderSpec) -> list[Any]:
    """What decides the words that an encoder's tokenizer finds."""
    path = folder_of(encoder) / TOKENIZER
    try:
        tokenizer = json.loads(path.read_text(encoding="utf-8"))
        return [tokenizer["normalizer"], tokenizer["pre_tokenizer"]]
    except (OSError, ValueError, KeyError) as error:
        raise UserError(
            f"{path} is not a tokenizer's file ({type(error).__name__}); give another encoder."
        ) from error


def believed(network: Network, corpus: Corpus) -> list[np.ndarray]:
    """What a network believes of each row of a corpus."""
    network.eval()
    found: dict[int, np.ndarray] = {}
    order = np.argsort(corpus.lengths, kind="stable")
    with torch.inference_mode():
        for start in range(0, len(order), BATCH):
            rows = order[start : start + BATCH]
            batch = collate([corpus.encodings[i] for i in rows], network.encoder.config.pad_token_id or 0)
            out = network(batch, [corpus.sentences[i] for i in rows], only=[corpus.signal])
            beliefs = corpus.signal.beliefs(out[corpus.signal.name], batch)
            found.update(zip(rows.tolist(), beliefs, strict=True))
    return [found[i] for i in range(len(order))]


def keep(path: Path, beliefs: list[np.ndarray]) -> None:
    """Write beliefs of any shapes, whole or not at all."""
    partial = path.with_suffix(".partial.npz")
    try:
        np.savez(
            partial,
            values=np.concatenate([b.ravel() for b in beliefs]).astype(np.float16),
            shapes=np.array([(*b.shape, 1, 1)[:3] for b in beliefs]),
            axes=np.array([b.ndim for b in beliefs]),
        )
        partial.replace(path)
    except OSError as error:
        raise UserError(
            f"{path} could not be written ({error.strerror}); make room and run again."
        ) from error


def kept(path: Path) -> list[np.ndarray]:
    """What `keep` wrote."""
    with np.load(path) as file:
        values, shapes, axes = file["values"].astype(np.float32), file["shapes"], file["axes"]
    ends = np.cumsum(shapes.prod(1))
    parts = np.split(values, ends[:-1])
    return [part.reshape(shape[:n]) for part, shape, n in zip(parts, shapes, axes, strict=True)]
