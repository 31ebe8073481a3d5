"""Teachers who judge each batch as the student sees it (Beyer et al. 2022, Knowledge distillation: A good
teacher is patient and consistent).

What teachers believe of rows that have labels is close to the labels: a student learns little more from it.
Asked at every step, they also judge sentences that nobody wrote, and never the same one twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from annotate.model.batch import collate, tokenize
from annotate.model.network import Network
from annotate.signals.base import Example, Signal
from annotate.training.corpora import UNLABELLED
from annotate.training.exchanging import Exchange
from annotate.training.recipe import Recipe
from annotate.training.steps import Corpus, Lesson, lesson_of, marked


@dataclass(frozen=True)
class Live:
    """A teacher at hand: its recipe, the networks of its seeds in evaluation, their tokenizer."""

    recipe: Recipe
    networks: Sequence[Network]
    tokenizer: Any

    def judge(self, signal: Signal, examples: Sequence[Example]) -> list[np.ndarray]:
        """What its seeds believe of each example, averaged."""
        seen = [marked(example) for example in examples] if self.recipe.marked else examples
        encodings = tokenize(self.tokenizer, [example.text for example in seen], self.recipe.limit)
        batch = collate(encodings, self.networks[0].encoder.config.pad_token_id or 0)
        sentences = [signal.sentence(example) for example in seen]
        with torch.inference_mode():
            judged = [
                signal.beliefs(network(batch, sentences, only=[signal])[signal.name], batch)
                for network in self.networks
            ]
        return averaged(judged)


class Panel:
    """The live teachers of a student. `exchange` makes the sentences that
    nobody wrote, of every other batch and of those without labels."""

    def __init__(self, teachers: Sequence[Live], exchange: Exchange) -> None:
        self.teachers, self.exchange = teachers, exchange

    def of(self, corpus: Corpus) -> list[Live]:
        """Who judges a corpus: those who were taught it; of a corpus without labels all of its signal."""
        return [
            teacher
            for teacher in self.teachers
            if corpus.name in teacher.recipe.all_corpora()
            or (corpus.name in UNLABELLED and corpus.signal in teacher.networks[0].signals)
        ]

    def lesson(self, corpus: Corpus, rows: np.ndarray, share: float, step: int) -> Lesson:
        """Rows of a corpus with the teachers' beliefs. Of an exchanged batch these are all that counts; how
        much is exchanged differs from sentence to sentence, up to twice the recipe's share."""
        plain, recipe = lesson_of(corpus, rows, None, share), corpus.recipe
        examples, encodings, share = plain.examples, plain.encodings, plain.share
        if recipe.exchanged and (step % 2 == 0 or share == 1):
            rng = np.random.default_rng([recipe.seed, step])
            share = 1.0
            examples = [self.exchange(e, 2 * recipe.exchanged * rng.random(), rng) for e in examples]
            encodings = tokenize(corpus.tokenizer, [e.text for e in examples], recipe.limit)
        beliefs = averaged([teacher.judge(corpus.signal, examples) for teacher in self.of(corpus)])
        return Lesson(examples, encodings, beliefs, share)


def averaged(judged: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Of what several believe of the same rows, the mean for each row."""
    return [np.mean(each, axis=0) for each in zip(*judged, strict=True)]
