"""Teachers who judge each batch as the student sees it (Beyer et al. 2022, Knowledge distillation: A good
teacher is patient and consistent).

What teachers believe of rows that have labels is close to the labels: a student learns little more from it.
Asked at every step, they also judge sentences that nobody wrote, and never the same one twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from annotate.model.batch import collate, tokenize
from annotate.model.network import Network
from annotate.signals.base import Encoded, Example, Signal
from annotate.training.corpora import UNLABELLED
from annotate.training.exchanging import Exchange
from annotate.training.recipe import Recipe
from annotate.training.steps import Corpus, Lesson, lesson_of, marked, signs_of


@dataclass(frozen=True)
class Live:
    """A teacher at hand: its recipe, the networks of its seeds in evaluation, their tokenizer."""

    recipe: Recipe
    networks: Sequence[Network]
    tokenizer: Any

    def judge(self, signal: Signal, examples: Sequence[Example]) -> tuple[list[np.ndarray], Vectors]:
        """What its seeds believe of each example, averaged, and the vectors they have of its words."""
        seen = [marked(example) for example in examples] if self.recipe.marked else examples
        encodings = tokenize(self.tokenizer, [example.text for example in seen], self.recipe.limit)
        batch = collate(encodings, self.networks[0].encoder.config.pad_token_id or 0)
        sentences = [signal.sentence(example) for example in seen]
        judged, vectors = [], []
        with torch.inference_mode():
            for network in self.networks:
                encoded = network.encode(batch)
                out = network.read(encoded, batch, sentences, only=[signal])[signal.name]
                judged.append(signal.beliefs(out, batch))
                vectors.append(nn.functional.layer_norm(encoded.words, encoded.words.shape[2:]))
        signs = [set(signs_of(example)) if self.recipe.marked else set() for example in seen]
        places = [
            [n for n, (start, _) in enumerate(words) if start not in added]
            for words, added in zip(batch.words, signs, strict=True)
        ]
        return averaged(judged), Vectors(torch.stack(vectors).mean(0), places)


@dataclass(frozen=True, slots=True)
class Vectors:
    """What a teacher's encoder made of a batch: `words` [B, N, D], and for each sentence where the vectors of
    its own words lie among them."""

    words: Tensor
    places: Sequence[Sequence[int]]


class Panel:
    """The live teachers of a student. `exchange` makes the sentences that nobody wrote, of every other batch
    and of those without labels."""

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
        teachers = self.of(corpus)
        judged = [teacher.judge(corpus.signal, examples) for teacher in teachers]
        beliefs = averaged([one for one, _ in judged])
        vectors = {t.recipe.name: one for t, (_, one) in zip(teachers, judged, strict=True)}
        return Lesson(examples, encodings, beliefs, share, vectors)

    def views(self, width: int) -> Views:
        """Fresh ones, for a student of this width."""
        widths = {t.recipe.name: t.networks[0].encoder.config.hidden_size for t in self.teachers}
        return Views({name: nn.Linear(width, theirs) for name, theirs in widths.items()})


class Views(nn.ModuleDict):
    """For each teacher by name, how a student's vector of a word is turned into the teacher's; they are
    learned with the student, whose vectors come to hold what the teachers' do (Romero et al. 2015, FitNets;
    Jiao et al. 2020), and are left with the run."""

    def loss(self, encoded: Encoded, vectors: Mapping[str, Vectors]) -> Tensor:
        """The mean squared error over words and dimensions, where a vector of a teacher has variance 1."""
        total = torch.zeros((), device=encoded.words.device)
        for name, theirs in vectors.items():
            lengths = [
                min(len(places), int(n)) for places, n in zip(theirs.places, encoded.mask.sum(1), strict=True)
            ]
            rows = [i for i, n in enumerate(lengths) for _ in range(n)]
            mine = [k for n in lengths for k in range(n)]
            other = [k for places, n in zip(theirs.places, lengths, strict=True) for k in places[:n]]
            if rows:
                seen = self[name](encoded.words[rows, mine])
                total = total + nn.functional.mse_loss(seen, theirs.words[rows, other].clone())
        return total.cpu()


def averaged(judged: Sequence[Sequence[np.ndarray]]) -> list[np.ndarray]:
    """Of what several believe of the same rows, the mean for each row."""
    return [np.mean(each, axis=0) for each in zip(*judged, strict=True)]
