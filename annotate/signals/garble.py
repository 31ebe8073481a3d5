"""Garble: spans that went wrong in translation, with MQM category and severity, from the target alone.

Severity and categories follow MQM as used for news (Freitag et al. 2021): a major error changes or
breaks the meaning, a minor one does not. What cannot be seen without the source is not asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from annotate.article import Sentence
from annotate.signals.base import REVIEWED, Example, Row, Settings, overlapping
from annotate.signals.metrics import (
    Metric,
    average_precision,
    characters,
    counts,
    ratio,
    token_mcc,
    word_f1,
)
from annotate.signals.mqm import (
    CATEGORIES,
    SEVERITIES,
    cost,
    read_mqm,
    read_phrases,
    read_post_edits,
    true_categories,
    true_spans,
)
from annotate.signals.review import Controls, Label, Mark, Question, Review, TextBox
from annotate.signals.tagger import (
    Tagger,
    marked_words,
    noisy_or_loss,
    padded,
    pooled_hazard,
    runs,
    sigmoid,
    word_mask,
    word_truth,
)

if TYPE_CHECKING:
    import pyarrow as pa
    from torch import Tensor, nn

    from annotate.model.batch import Batch

SEEN = 0.33
"""A word counts as marked if so many of the raters mark it."""
FALSE_ALARMS = 0.1
"""The share of flawless dev sentences in which a span may be shown."""
MINOR = Label("Garbled minor", "#E69F00", "4")
MAJOR = Label("Garbled major", "#D55E00", "5")
ANY, SEVERE, SWAPPED, FIRST_CATEGORY = 0, 1, 2, 3
"""What the outputs for a word say: marked, marked major, not the word that stood there (only for training),
and one for each category."""
GARBLED, WORDS = 5.0, 25
"""A sentence counts as garbled from the penalty of one major error (5) on, and if it is longer than 25 words,
of one in every 25. By the word, because long sentences hold more errors without being worse, and length alone
would decide."""


class Garble(Tagger):
    name = "garble"
    controls = Controls(
        labels=(MINOR, MAJOR),
        questions=(
            Question(
                "category",
                "Category",
                CATEGORIES,
                keys=(("f", "g", "h", "j", "k", "l", "v", "b", "n", "m"),),
                scope="span",
                labels=(MINOR.value, MAJOR.value),
            ),
        ),
        boxes=(TextBox("better", "Better wording", scope="span", labels=(MINOR.value, MAJOR.value)),),
    )
    readers = {  # noqa: RUF012
        "zhen_news20": read_mqm,
        "zhen_news21": read_mqm,
        "zhen_ted21": read_mqm,
        "mlqe_pe_en": read_post_edits,
        "tortured_phrases": read_phrases,
        "petci_idioms": read_phrases,
    }
    mqm_corpora = ("zhen_news20", "zhen_news21", "zhen_ted21")
    judged_corpora = (*mqm_corpora, "own_garbles", "own_retold", "own_events", REVIEWED)
    """Those whose spans have a severity and whose sentences have a penalty."""
    single_corpora = ("own_events", REVIEWED)
    """Of these, those without several versions of one sentence."""

    @property
    def columns(self) -> tuple[tuple[str, pa.DataType], ...]:
        import pyarrow as pa

        span = pa.struct(
            [
                ("start", pa.int64()),
                ("end", pa.int64()),
                ("probability", pa.float32()),
                ("category", pa.string()),
                ("severity", pa.string()),
                ("better", pa.string()),
            ]
        )
        return (("garble", pa.float32()), ("garble_spans", pa.list_(span)))

    def head(self, width: int) -> nn.Module:
        from annotate.model.heads import WordHead

        return WordHead(width, FIRST_CATEGORY + len(CATEGORIES), bias=-2.5)

    def examples(self, row: Row) -> list[Example]:
        marks = [(s, s["severity"] == "major") for s in row["garble_spans"]]
        spans = tuple(
            (
                s["start"] - row["start"],
                s["end"] - row["start"],
                (1.0, float(major), CATEGORIES.index(s["category"])),
            )
            for s, major in marks
        )
        penalty = sum(cost(s["category"], s["severity"]) for s, _ in marks)
        label = (float(any(major for _, major in marks)), float(np.log1p(penalty)), penalty)
        return [Example(row["text"], spans, label, document=row["article_id"])]

    def loss(
        self, out: Mapping[str, Tensor], examples: Sequence[Example], batch: Batch, corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        logits, mask = out["words"].float(), word_mask(batch, out["words"])
        width = logits.shape[1]
        if corpus == "swapped_news":
            truth = word_truth(examples, batch, width)
            losses = F.binary_cross_entropy_with_logits(logits[..., SWAPPED], truth, reduction="none")
            return 3.0 * (losses * mask).sum() / mask.sum()
        any_truth = word_truth(examples, batch, width, ANY)
        losses = F.binary_cross_entropy_with_logits(logits[..., ANY], any_truth, reduction="none")
        total = 3.0 * (losses * mask).sum() / mask.sum()
        known = [i for i, example in enumerate(examples) if example.label is not None]
        if known:
            hazard = pooled_hazard(logits[..., SEVERE], mask)[known]
            truth = torch.tensor([examples[i].label[0] for i in known])
            total = total + 0.3 * noisy_or_loss(hazard, truth).mean()
        if corpus not in self.judged_corpora:
            return total
        losses = F.binary_cross_entropy_with_logits(
            logits[..., SEVERE], word_truth(examples, batch, width, SEVERE), reduction="none"
        )
        total = total + 3.0 * (losses * mask).sum() / mask.sum()
        penalty = torch.log1p(expected_penalty(logits, mask))
        total = total + 0.3 * F.mse_loss(penalty, torch.tensor([e.label[1] for e in examples]))
        categories = torch.full((len(examples), width), -100)
        for i, example in enumerate(examples):
            for start, end, (_, _, category) in example.spans:
                for n, (s, e) in enumerate(batch.words[i]):
                    if s < end and e > start:
                        categories[i, n] = category
        if (categories >= 0).any():
            total = total + 0.2 * F.cross_entropy(
                logits[..., FIRST_CATEGORY:].flatten(0, 1), categories.flatten(), ignore_index=-100
            )
        return total

    def beliefs(self, out: Mapping[str, Tensor], batch: Batch) -> list[np.ndarray]:
        """[n words + 1, 2] per sentence: each word's probability of a mark and of a major mark, and the
        sentence's of a major mark beside the logarithm of its penalty."""
        logits, mask = out["words"].float(), word_mask(batch, out["words"])
        severe = 1 - (-pooled_hazard(logits[..., SEVERE], mask)).exp()
        penalty = expected_penalty(logits, mask).log1p()
        marks = logits[..., [ANY, SEVERE]].sigmoid().numpy()
        return [
            np.vstack([marks[i, : len(words)], [float(severe[i]), float(penalty[i])]])
            for i, words in enumerate(batch.words)
        ]

    def belief_loss(
        self, out: Mapping[str, Tensor], batch: Batch, beliefs: Sequence[np.ndarray], corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        logits, mask = out["words"].float(), word_mask(batch, out["words"])
        severe, penalty = torch.from_numpy(np.stack([belief[-1] for belief in beliefs])).float().unbind(1)
        marks = padded([belief[:-1] for belief in beliefs], logits.shape[1])
        losses = F.binary_cross_entropy_with_logits(logits[..., [ANY, SEVERE]], marks, reduction="none")
        words = 3.0 * (losses * mask.unsqueeze(2)).sum() / mask.sum()
        whole = noisy_or_loss(pooled_hazard(logits[..., SEVERE], mask), severe).mean()
        return words + 0.3 * whole + 0.3 * F.mse_loss(expected_penalty(logits, mask).log1p(), penalty)

    def scores(self, out: Mapping[str, Tensor], batch: Batch, sentences: Sequence[Sentence]) -> list[Any]:
        logits, mask = out["words"].float(), word_mask(batch, out["words"])
        penalty = expected_penalty(logits, mask).tolist()
        severe = pooled_hazard(logits[..., SEVERE], mask).tolist()
        return [
            {
                "offsets": words,
                "words": logits[i, : len(words)].numpy(),
                "sentence": float(np.log(max(severe[i], 1e-6) / max(WORDS, len(words)))),
                "penalty": penalty[i],
            }
            for i, words in enumerate(batch.words)
        ]

    def tune(self, scored: Mapping[str, tuple[list[Any], list[Example]]]) -> Settings:
        """On the judged dev sets alike. Calibrated against a visible penalty of GARBLED or more in WORDS
        words; words are marked from the best F1 against the mark of a third of the raters, over all and on
        each corpus, severity likewise. Spans are shown from where at most FALSE_ALARMS of the sentences
        without any error get one."""
        from annotate.model.calibration import best_threshold, platt, quantile

        parts = {name: scored[name] for name in self.judged_corpora if name in scored}
        if not parts:
            return {"scale": 1.0, "offset": 0.0, "threshold": 0.5, "word_threshold": 0.5,
                    "word_thresholds": {}, "span_threshold": 0.5, "major_threshold": 0.5}  # fmt: skip
        pairs = [(s, e) for scores, examples in parts.values() for s, e in zip(scores, examples, strict=True)]
        logits = [s["sentence"] for s, _ in pairs]
        labels = [is_garbled(s, e) for s, e in pairs]
        weights = [1 / len(scores) for scores, _ in parts.values() for _ in scores]
        scale, offset = platt(logits, labels, weights)
        words = {name: self.words(*part) for name, part in parts.items()}
        p, truth, major_p, major_truth = map(np.concatenate, zip(*words.values(), strict=True))
        word_weights = np.concatenate([np.full(len(w[0]), 1 / len(w[0])) for w in words.values()])
        flawless = [not e.spans and e.label[2] == 0 for _, e in pairs]
        loudest = np.array([sigmoid(s["words"][:, ANY]).max(initial=0) for s, _ in pairs])
        word_threshold = best_threshold(p, truth >= SEEN, word_weights)
        quiet = quantile(loudest[flawless], np.array(weights)[flawless], 1 - FALSE_ALARMS)
        probabilities = sigmoid(scale * np.asarray(logits) + offset)
        marked = truth > 0
        return {
            "scale": scale,
            "offset": offset,
            "threshold": best_threshold(probabilities, labels, weights),
            "word_threshold": word_threshold,
            "word_thresholds": {name: best_threshold(w[0], w[1] >= SEEN) for name, w in words.items()},
            "span_threshold": max(word_threshold, quiet),
            "major_threshold": best_threshold(major_p[marked], major_truth[marked] >= SEEN),
        }

    def words(self, scores: Sequence[Any], examples: Sequence[Example]) -> tuple[np.ndarray, ...]:
        """Over all words: the probability that one is marked, the share of raters who mark it, and both for
        major marks."""
        found = []
        for kind in (ANY, SEVERE):
            found.append(np.concatenate([sigmoid(s["words"][:, kind]) for s in scores]))
            marks = [marked_words(s["offsets"], e, kind) for s, e in zip(scores, examples, strict=True)]
            found.append(np.concatenate(marks))
        return tuple(found)

    def metrics(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Metric]:
        if corpus == "swapped_news":
            return [
                token_mcc(
                    [
                        counts(marked_words(s["offsets"], e) > 0, s["words"][:, SWAPPED] > 0)
                        for s, e in zip(scores, examples, strict=True)
                    ]
                )
            ]
        threshold = settings["word_thresholds"].get(corpus, settings["word_threshold"])
        facts = [
            counts(
                marked_words(s["offsets"], e, ANY) >= SEEN,
                sigmoid(s["words"][:, ANY]) >= threshold,
            )
            for s, e in zip(scores, examples, strict=True)
        ]
        if corpus not in self.judged_corpora:
            return [word_f1(facts)]
        majors = [e.label[0] >= 0.5 for e in examples]
        said = [
            [span[:3] for span in self.spans(s, e.text, settings, threshold)]
            for s, e in zip(scores, examples, strict=True)
        ]
        pairs = [] if corpus in self.single_corpora else [same_source_pairs(scores, examples)]
        return [
            token_mcc(facts),
            *pairs,
            average_precision("average precision of major errors", majors, [s["sentence"] for s in scores]),
            characters("span", said, [true_spans(e) for e in examples]),
        ]

    def details(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Row]:
        """Per category, how many true spans there are and the share of them that a shown span touches."""
        if corpus not in self.judged_corpora:
            return []
        touched: dict[tuple[int, str], list[bool]] = defaultdict(list)
        for s, e in zip(scores, examples, strict=True):
            shown = self.shown(s, e.text, settings)
            for (start, end, severity), category in zip(true_spans(e), true_categories(e), strict=True):
                hit = any(a < end and start < b for a, b, *_ in shown)
                touched[category, severity].append(hit)
        return [
            {
                "category": CATEGORIES[c],
                "severity": severity,
                "spans": len(hits),
                "touched": float(np.mean(hits)),
            }
            for (c, severity), hits in sorted(touched.items())
        ]

    def reliability(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> tuple[list[float], list[bool]]:
        if corpus not in self.judged_corpora:
            return [], []
        said = [self.probability(s, settings) for s in scores]
        return said, [is_garbled(s, e) for s, e in zip(scores, examples, strict=True)]

    def decode(self, scores: Any, sentence: Sentence, settings: Settings) -> Row:
        spans = [
            {
                "start": sentence.start + start,
                "end": sentence.start + end,
                "probability": probability,
                "category": category,
                "severity": severity,
                "better": None,
            }
            for start, end, severity, category, probability in self.shown(scores, sentence.text, settings)
        ]
        return {"garble": self.probability(scores, settings), "garble_spans": spans}

    def shown(self, scores: Any, text: str, settings: Settings) -> list[tuple[int, int, str, str, float]]:
        """The spans that a reviewer gets to see."""
        return self.spans(scores, text, settings, settings["span_threshold"])

    def spans(
        self, scores: Any, text: str, settings: Settings, threshold: float
    ) -> list[tuple[int, int, str, str, float]]:
        """Start, end, severity, category and probability of what is likelier garbled than a threshold."""
        any_p = sigmoid(scores["words"][:, ANY])
        major_p = sigmoid(scores["words"][:, SEVERE])
        found = []
        for start, end, first, last in runs(text, scores["offsets"], any_p >= threshold):
            words = slice(first, last + 1)
            severity = SEVERITIES[int(major_p[words].max() >= settings["major_threshold"])]
            category = CATEGORIES[int(scores["words"][words, FIRST_CATEGORY:].mean(0).argmax())]
            found.append((start, end, severity, category, float(any_p[words].max())))
        return found

    def evidence(self, scores: Any, spans: Sequence[tuple[int, int]]) -> np.ndarray:
        """[n, 2]: the highest logits of a mark and of a major mark among the words of each span."""
        found = np.zeros((len(spans), 2), dtype=np.float32)
        for row, (start, end) in zip(found, spans, strict=True):
            if words := list(overlapping(scores["offsets"], start, end)):
                row[:] = scores["words"][words][:, [ANY, SEVERE]].max(0)
        return found

    def to_review(self, row: Row) -> Review:
        marks = []
        for span in row["garble_spans"]:
            label = MAJOR if span["severity"] == "major" else MINOR
            answers = {"category": span["category"]}
            if span["better"] is not None:
                answers["better"] = span["better"]
            marks.append(
                Mark(
                    label.value,
                    span["start"] - row["start"],
                    span["end"] - row["start"],
                    span["probability"],
                    answers,
                )
            )
        return Review(marks=tuple(marks))

    def from_review(self, review: Review, row: Row) -> Row:
        spans = [
            {
                "start": row["start"] + mark.start,
                "end": row["start"] + mark.end,
                "probability": 1.0,
                "category": mark.answers.get("category", "other"),
                "severity": "major" if mark.label == MAJOR.value else "minor",
                "better": mark.answers.get("better"),
            }
            for mark in review.marks
            if mark.label in (MINOR.value, MAJOR.value)
        ]
        return {"garble": float(any(s["severity"] == "major" for s in spans)), "garble_spans": spans}

    def judged(self, review: Review) -> dict[str | None, Any]:
        """The worst mark: 0 none, 1 minor, 2 major."""
        scale = (MINOR.value, MAJOR.value)
        return {None: max((scale.index(m.label) + 1 for m in review.marks if m.label in scale), default=0)}


def is_garbled(scores: Any, example: Example) -> bool:
    """Whether an example's visible penalty makes it garbled."""
    return bool(example.label[2] >= GARBLED * max(1, len(scores["offsets"]) / WORDS))


def expected_penalty(logits: Tensor, mask: Tensor) -> Tensor:
    """[B], the words' expected share of the MQM penalty: a major span weighs 5, a minor one 1, and a
    span is some three words long."""
    from torch.nn import functional as F

    per_word = F.softplus(logits[..., ANY]) + 4 * F.softplus(logits[..., SEVERE])
    return (per_word * mask).sum(1) / 3


def same_source_pairs(scores: Sequence[Any], examples: Sequence[Example], gap: float = 3.0) -> Metric:
    """Of pairs of versions of one source segment whose visible penalties differ by at least `gap`, the
    share where the worse one is scored worse."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        groups[example.document].append(i)
    facts = np.zeros((len(examples), 2))
    for group in groups.values():
        for i, j in combinations(group, 2):
            difference = examples[i].label[2] - examples[j].label[2]
            if abs(difference) >= gap:
                right = (scores[i]["penalty"] > scores[j]["penalty"]) == (difference > 0)
                facts[i] += (right, 1)

    def reckon(rows: np.ndarray) -> float:
        return ratio(rows) if rows[:, 1].any() else float("nan")

    return Metric("same-source pairs", facts, reckon, int(facts[:, 1].sum()))


GARBLE = Garble()
