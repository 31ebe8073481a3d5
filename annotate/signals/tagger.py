"""What hedging, loaded language and garble share: words are scored, the sentence is pooled from them.

Pooling is a noisy-or, 1 - prod(1 - p_word), so every sentence score points at words, and a corpus with
sentence labels only still teaches the words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from annotate.article import Sentence
from annotate.signals.base import Example, Row, Settings, Signal, binary_entropy, overlapping
from annotate.signals.review import Label, Mark, Review

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor, nn

    from annotate.model.batch import Batch

Offsets = list[tuple[int, int]]


class Tagger(Signal):
    """A signal with one probability per word and one per sentence.

    An example's spans are (start, end, anything), its label the probability that the sentence has any,
    or None where only the words are known. Scores per sentence: `offsets` of the words, `words` their
    logits, `sentence` the pooled logit.
    """

    label: ClassVar[Label]
    start_bias: ClassVar[float] = -4.0
    word_weight: ClassVar[Mapping[str, float]] = {}
    """Per corpus, the weight of the word loss against the sentence loss; 0 where words have no labels."""
    untuned: ClassVar[tuple[str, ...]] = ()
    """Corpora that teach, but neither calibrate nor set thresholds."""

    @property
    def columns(self) -> tuple[tuple[str, pa.DataType], ...]:
        import pyarrow as pa

        span = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("probability", pa.float32())])
        return ((self.name, pa.float32()), (f"{self.name}_spans", pa.list_(span)))

    def head(self, width: int) -> nn.Module:
        from annotate.model.heads import WordHead

        return WordHead(width, 1, bias=self.start_bias)

    def examples(self, row: Row) -> list[Example]:
        spans = tuple(
            (s["start"] - row["start"], s["end"] - row["start"], self.name) for s in row[f"{self.name}_spans"]
        )
        return [Example(row["text"], spans, float(bool(spans)), document=row["article_id"])]

    def loss(
        self, out: Mapping[str, Tensor], examples: Sequence[Example], batch: Batch, corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        logits, mask = out["words"][..., 0], word_mask(batch, out["words"])
        known = [i for i, example in enumerate(examples) if example.label is not None]
        total = logits.new_zeros(())
        if known:
            hazard = pooled_hazard(logits, mask)[known]
            truth = torch.tensor([float(examples[i].label) for i in known])
            total = total + noisy_or_loss(hazard, truth).mean()
        weight = self.word_weight.get(corpus, 0.0)
        if weight:
            truth = word_truth(examples, batch, logits.shape[1])
            losses = F.binary_cross_entropy_with_logits(logits, truth, reduction="none")
            total = total + weight * (losses * mask).sum() / mask.sum()
        return total

    def beliefs(self, out: Mapping[str, Tensor], batch: Batch) -> list[np.ndarray]:
        """[n words + 1] per sentence: each word's probability, and the sentence's."""
        logits = out["words"][..., 0].float()
        pooled = 1 - (-pooled_hazard(logits, word_mask(batch, logits))).exp()
        return [
            np.append(logits[i, : len(words)].sigmoid().numpy(), float(pooled[i]))
            for i, words in enumerate(batch.words)
        ]

    def belief_loss(
        self, out: Mapping[str, Tensor], batch: Batch, beliefs: Sequence[np.ndarray], corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        logits, mask = out["words"][..., 0].float(), word_mask(batch, out["words"])
        whole = torch.tensor([float(belief[-1]) for belief in beliefs])
        words = padded([belief[:-1] for belief in beliefs], logits.shape[1])
        losses = F.binary_cross_entropy_with_logits(logits, words, reduction="none")
        weight = self.word_weight.get(corpus, 1.0)
        total = noisy_or_loss(pooled_hazard(logits, mask), whole).mean()
        return total + weight * (losses * mask).sum() / mask.sum()

    def scores(self, out: Mapping[str, Tensor], batch: Batch, sentences: Sequence[Sentence]) -> list[Any]:
        logits = out["words"][..., 0]
        pooled = pooled_logit(logits, word_mask(batch, out["words"])).tolist()
        return [
            {"offsets": words, "words": logits[i, : len(words)].numpy(), "sentence": pooled[i]}
            for i, words in enumerate(batch.words)
        ]

    def tune(self, scored: Mapping[str, tuple[list[Any], list[Example]]]) -> Settings:
        """Platt's scaling (1999) of the pooled logit over these dev sets alike, and the thresholds of best
        F1: for sentences, on all and on each corpus, as each draws its line elsewhere, and for words where a
        corpus marks them. Spans are shown from the threshold of best F2: a reviewer drops a wrong mark
        faster than he finds a missing one."""
        from annotate.model.calibration import best_threshold, platt

        logits: list[float] = []
        labels: list[bool] = []
        weights: list[float] = []
        parts: dict[str, slice] = {}
        words: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        for corpus, (scores, examples) in scored.items():
            if corpus in self.untuned:
                continue
            parts[corpus] = slice(len(logits), len(logits) + len(scores))
            logits += [s["sentence"] for s in scores]
            labels += [e.label >= 0.5 for e in examples]
            weights += [1 / len(scores)] * len(scores)
            if self.word_weight.get(corpus):
                truth = [marked_words(s["offsets"], e) > 0.5 for s, e in zip(scores, examples, strict=True)]
                words[corpus] = sigmoid(np.concatenate([s["words"] for s in scores])), np.concatenate(truth)
        scale, offset = platt(logits, labels, weights)
        p = sigmoid(scale * np.asarray(logits) + offset)
        span_threshold = 0.5
        if words:
            word_p, word_truth = map(np.concatenate, zip(*words.values(), strict=True))
            word_weights = np.concatenate([np.full(len(t), 1 / len(t)) for _, t in words.values()])
            span_threshold = best_threshold(word_p, word_truth, word_weights, beta=2)
        return {
            "scale": scale,
            "offset": offset,
            "threshold": best_threshold(p, labels, weights),
            "thresholds": {corpus: best_threshold(p[part], labels[part]) for corpus, part in parts.items()},
            "word_thresholds": {corpus: best_threshold(*pair) for corpus, pair in words.items()},
            "span_threshold": span_threshold,
        }

    def threshold(self, corpus: str, settings: Settings) -> float:
        """From where a sentence of the corpus counts as yes."""
        return float(settings["thresholds"].get(corpus, settings["threshold"]))

    def word_threshold(self, corpus: str, settings: Settings) -> float:
        """From where a word of the corpus counts as marked."""
        return float(settings["word_thresholds"].get(corpus, settings["span_threshold"]))

    def details(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Row]:
        from annotate.signals.metrics import confusion

        if corpus in self.untuned:
            return []
        threshold = self.threshold(corpus, settings)
        names = (f"not {self.name}", self.name)
        truth = [names[e.label >= 0.5] for e in examples]
        said = [names[self.probability(s, settings) >= threshold] for s in scores]
        return confusion(truth, said, names)

    def reliability(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> tuple[list[float], list[bool]]:
        if corpus in self.untuned:
            return [], []
        return [self.probability(s, settings) for s in scores], [e.label >= 0.5 for e in examples]

    def probability(self, scores: Any, settings: Settings) -> float:
        """The calibrated probability of the sentence."""
        return float(sigmoid(settings["scale"] * scores["sentence"] + settings["offset"]))

    def decode(self, scores: Any, sentence: Sentence, settings: Settings) -> Row:
        probabilities = sigmoid(scores["words"])
        spans = [
            {
                "start": sentence.start + start,
                "end": sentence.start + end,
                "probability": float(probabilities[first : last + 1].max()),
            }
            for start, end, first, last in runs(
                sentence.text, scores["offsets"], probabilities >= settings["span_threshold"]
            )
        ]
        return {self.name: self.probability(scores, settings), f"{self.name}_spans": spans}

    def uncertainty(self, row: Row) -> float:
        return binary_entropy(row[self.name])

    def to_review(self, row: Row) -> Review:
        return Review(
            marks=tuple(
                Mark(
                    self.label.value,
                    span["start"] - row["start"],
                    span["end"] - row["start"],
                    span["probability"],
                )
                for span in row[f"{self.name}_spans"]
            )
        )

    def from_review(self, review: Review, row: Row) -> Row:
        spans = [
            {"start": row["start"] + mark.start, "end": row["start"] + mark.end, "probability": 1.0}
            for mark in review.marks
            if mark.label == self.label.value
        ]
        return {self.name: float(bool(spans)), f"{self.name}_spans": spans}

    def judged(self, review: Review) -> dict[str | None, Any]:
        """Whether anything is marked."""
        return {None: bool(review.of(self.controls).marks)}


def sigmoid(logits: Any) -> np.ndarray:
    """1 / (1 + exp(-x)), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(logits, dtype=float)))


def word_mask(batch: Batch, like: Tensor) -> Tensor:
    """[B, N], 1 where a word is, in the type of `like`."""
    return (batch.pool.sum(2) > 0).to(like.dtype)


def pooled_hazard(logits: Tensor, mask: Tensor) -> Tensor:
    """[B], -log of the probability that no word is marked; the noisy-or is 1 - exp(-hazard)."""
    from torch.nn import functional as F

    return (F.softplus(logits) * mask).sum(1)


def pooled_logit(logits: Tensor, mask: Tensor) -> Tensor:
    """[B], the log-odds of the noisy-or over the words."""
    hazard = pooled_hazard(logits.float(), mask).clamp(min=1e-6)
    return hazard + (-(-hazard).expm1()).log()


def noisy_or_loss(hazard: Tensor, truth: Tensor) -> Tensor:
    """Cross-entropy of 1 - exp(-hazard) against a probability, elementwise."""
    hazard = hazard.float().clamp(1e-6, 50)
    return -truth * (-(-hazard).expm1()).log() + (1 - truth) * hazard


def marked_words(offsets: Offsets, example: Example, value: int | None = None) -> np.ndarray:
    """[n words], 1 (or the span's value at index `value`) where a word shares a character with a span."""
    marked = np.zeros(len(offsets))
    for start, end, what in example.spans:
        for n in overlapping(offsets, start, end):
            marked[n] = max(marked[n], 1.0 if value is None else float(what[value]))
    return marked


def word_truth(examples: Sequence[Example], batch: Batch, width: int, value: int | None = None) -> Tensor:
    """[B, N] of `marked_words`."""
    import torch

    truth = torch.zeros(len(examples), width)
    for i, example in enumerate(examples):
        marked = marked_words(batch.words[i], example, value)
        truth[i, : len(marked)] = torch.from_numpy(marked)
    return truth


def padded(rows: Sequence[np.ndarray], width: int) -> Tensor:
    """Arrays [n, ...] as one tensor [rows, width, ...], zeros behind."""
    import torch

    whole = torch.zeros(len(rows), width, *rows[0].shape[1:])
    for i, row in enumerate(rows):
        whole[i, : len(row)] = torch.from_numpy(row)
    return whole


def runs(text: str, offsets: Offsets, chosen: Any) -> list[tuple[int, int, int, int]]:
    """Chosen words joined where nothing but blanks parts them: start, end, first, last word.

    A run of punctuation alone is no span.
    """
    found: list[tuple[int, int, int, int]] = []
    for n, (start, end) in enumerate(offsets):
        if not chosen[n]:
            continue
        if found and found[-1][3] == n - 1 and text[found[-1][1] : start].strip() == "":
            found[-1] = (found[-1][0], end, found[-1][2], n)
        else:
            found.append((start, end, n, n))
    return [run for run in found if any(c.isalnum() for c in text[run[0] : run[1]])]
