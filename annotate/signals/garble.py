"""Garble: spans that went wrong in translation, with MQM category and severity, from the target alone.

Severity and categories follow MQM as used for news (Freitag et al. 2021): a major error changes or
breaks the meaning, a minor one does not. What cannot be seen without the source is not asked for.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from annotate.article import Sentence
from annotate.signals.base import Example, Figure, Row, Settings
from annotate.signals.review import Controls, Label, Mark, Question, Review, TextBox
from annotate.signals.tagger import (
    Tagger,
    marked_words,
    noisy_or_loss,
    pooled_hazard,
    runs,
    sigmoid,
    word_mask,
    word_truth,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from torch import Tensor, nn

    from annotate.model.batch import Batch

FALSE_ALARMS = 0.1
"""The share of flawless dev sentences in which a span may be shown."""
CATEGORIES = (
    "mistranslation",
    "grammar",
    "punctuation",
    "name",
    "awkward",
    "terminology",
    "spelling",
    "addition",
    "omission",
    "other",
)
SEVERITIES = ("minor", "major")
MINOR = Label("Garbled minor", "#E69F00", "4")
MAJOR = Label("Garbled major", "#D55E00", "5")
ANY, SEVERE, FIRST_CATEGORY = 0, 1, 2
GARBLED, WORDS = 5.0, 25
"""A sentence counts as garbled from the penalty of one major error (5) on, and if it is longer than 25 words,
of one in every 25. By the word, because long sentences hold more errors without being worse, and length alone
would decide."""


def category_of(mqm: str) -> int:
    """The index of the category that a WMT name such as `Fluency/Grammar` falls under."""
    name = mqm.split("/")[-1].lower()
    name = {"address": "name", "inappropriate": "terminology", "inconsistent": "terminology"}.get(name, name)
    return CATEGORIES.index(name) if name in CATEGORIES else CATEGORIES.index("other")


def read_mqm(rows: pd.DataFrame) -> list[Example]:
    """zhen_*: spans become shares of raters; values (any, major, category). The label is the pair
    (share of raters who mark a visible major error, log(1 + visible penalty))."""
    examples = []
    for r in rows.itertuples():
        marks = [
            (int(start), int(end), severity == "major", category_of(category), rater)
            for (start, end, severity, category), rater in zip(
                json.loads(r.error_spans), json.loads(r.span_raters), strict=True
            )
            if severity != "neutral" and not category.endswith("Omission")
        ]
        n = int(r.n_raters)
        majors = len({rater for _, _, major, _, rater in marks if major}) / n
        label = (majors, float(np.log1p(r.score_visible)), float(r.score_visible))
        examples.append(Example(r.text, tuple(shares(marks, n)), label, document=f"{r.doc_id}:{r.seg_id}"))
    return examples


def shares(
    marks: list[tuple[int, int, bool, int, str]], raters: int
) -> Iterator[tuple[int, int, tuple[float, float, int]]]:
    """Overlapping marks of several raters as disjoint spans with the share of raters who mark them, the
    share who mark them major, and the category of the shortest mark."""
    edges = sorted({edge for start, end, *_ in marks for edge in (start, end)})
    for start, end in pairwise(edges):
        over = [mark for mark in marks if mark[0] <= start and mark[1] >= end]
        if over:
            shortest = min(over, key=lambda mark: mark[1] - mark[0])
            any_share = len({mark[4] for mark in over}) / raters
            major_share = len({mark[4] for mark in over if mark[2]}) / raters
            yield start, end, (any_share, major_share, shortest[3])


def read_post_edits(rows: pd.DataFrame) -> list[Example]:
    """mlqe_pe_en: what a post-editor changed counts as an error of unknown severity; sentences are
    judged garbled or not, or left out of the sentence loss."""
    import pandas as pd

    examples = []
    for r in rows.itertuples():
        spans = tuple((int(s), int(e), (1.0, None, None)) for s, e, *_ in json.loads(r.error_spans))
        label = None if pd.isna(r.garbled) else (float(r.garbled), None, None)
        examples.append(Example(r.text, spans, label, document=str(r.doc_id)))
    return examples


def read_phrases(rows: pd.DataFrame) -> list[Example]:
    """tortured_phrases, petci_idioms: short phrases, spun or calqued against right ones. Machine
    renderings of idioms are not judged one by one (some are right), so they count as half."""
    import pandas as pd

    examples = []
    for r in rows.itertuples():
        garbled = 0.5 if pd.isna(r.garbled) else float(r.garbled)
        spans = ((0, len(r.text), (garbled, None, None)),) if garbled and r.text else ()
        examples.append(Example(r.text, spans, (garbled, None, None), document=str(r.doc_id)))
    return examples


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
    judged_corpora = (*mqm_corpora, "spun_news")
    """Those whose spans have a severity and whose sentences have a penalty."""

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

    def loss(
        self, out: Mapping[str, Tensor], examples: Sequence[Example], batch: Batch, corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        logits, mask = out["words"].float(), word_mask(batch, out["words"])
        width = logits.shape[1]
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

    def scores(self, out: Mapping[str, Tensor], batch: Batch, sentences: Sequence[Sentence]) -> list[Any]:
        logits, mask = out["words"].float(), word_mask(batch, out["words"])
        penalty = expected_penalty(logits, mask).tolist()
        return [
            {
                "offsets": words,
                "words": logits[i, : len(words)].numpy(),
                "sentence": float(np.log(max(penalty[i], 1e-6) / max(WORDS, len(words)))),
                "penalty": penalty[i],
            }
            for i, words in enumerate(batch.words)
        ]

    def tune(self, scored: Mapping[str, tuple[list[Any], list[Example]]]) -> Settings:
        """Calibrated on the MQM dev sets: sentences against a visible penalty of GARBLED or more in WORDS
        words; words against the mark of a third of the raters, severity likewise. Spans are shown from
        where at most FALSE_ALARMS of the sentences without any error get one."""
        from annotate.model.calibration import best_threshold, platt

        pairs = [
            (s, e)
            for corpus in self.mqm_corpora
            if corpus in scored
            for s, e in zip(*scored[corpus], strict=True)
        ]
        logits = [s["sentence"] for s, _ in pairs]
        labels = [e.label[2] >= GARBLED * max(1, len(s["offsets"]) / WORDS) for s, e in pairs]
        scale, offset = platt(logits, labels, [1 / len(pairs)] * len(pairs))
        any_p = np.concatenate([sigmoid(s["words"][:, ANY]) for s, _ in pairs])
        any_truth = np.concatenate([marked_words(s["offsets"], e, ANY) for s, e in pairs])
        major_p = np.concatenate([sigmoid(s["words"][:, SEVERE]) for s, _ in pairs])
        major_truth = np.concatenate([marked_words(s["offsets"], e, SEVERE) for s, e in pairs])
        marked = any_truth > 0
        word_threshold = best_threshold(any_p, any_truth >= 0.33)
        flawless = [
            sigmoid(s["words"][:, ANY]).max(initial=0)
            for corpus in self.judged_corpora
            if corpus in scored
            for s, e in zip(*scored[corpus], strict=True)
            if not e.spans and e.label[2] == 0
        ]
        quiet = float(np.quantile(flawless, 1 - FALSE_ALARMS)) if flawless else word_threshold
        return {
            "scale": scale,
            "offset": offset,
            "threshold": best_threshold(sigmoid(scale * np.asarray(logits) + offset), labels),
            "word_threshold": word_threshold,
            "span_threshold": max(word_threshold, quiet),
            "major_threshold": best_threshold(major_p[marked], major_truth[marked] >= 0.33),
        }

    def figures(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Figure]:
        from sklearn.metrics import f1_score, matthews_corrcoef

        said = np.concatenate([sigmoid(s["words"][:, ANY]) >= settings["word_threshold"] for s in scores])
        truth = np.concatenate(
            [marked_words(s["offsets"], e, ANY) for s, e in zip(scores, examples, strict=True)]
        )
        if corpus not in self.judged_corpora:
            return [Figure("word F1", float(f1_score(truth >= 0.5, said)), len(examples))]
        mcc = Figure("token MCC", float(matthews_corrcoef(truth >= 0.33, said)), len(examples))
        return [mcc, same_source_pairs(scores, examples)] if corpus in self.mqm_corpora else [mcc]

    def decode(self, scores: Any, sentence: Sentence, settings: Settings) -> Row:
        any_p = sigmoid(scores["words"][:, ANY])
        major_p = sigmoid(scores["words"][:, SEVERE])
        spans = []
        for start, end, first, last in runs(
            sentence.text, scores["offsets"], any_p >= settings["span_threshold"]
        ):
            words = slice(first, last + 1)
            category = scores["words"][words, FIRST_CATEGORY:].mean(0).argmax()
            spans.append(
                {
                    "start": sentence.start + start,
                    "end": sentence.start + end,
                    "probability": float(any_p[words].max()),
                    "category": CATEGORIES[int(category)],
                    "severity": SEVERITIES[int(major_p[words].max() >= settings["major_threshold"])],
                    "better": None,
                }
            )
        return {"garble": self.probability(scores, settings), "garble_spans": spans}

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


def expected_penalty(logits: Tensor, mask: Tensor) -> Tensor:
    """[B], the words' expected share of the MQM penalty: a major span weighs 5, a minor one 1, and a
    span is some three words long."""
    from torch.nn import functional as F

    per_word = F.softplus(logits[..., ANY]) + 4 * F.softplus(logits[..., SEVERE])
    return (per_word * mask).sum(1) / 3


def same_source_pairs(scores: Sequence[Any], examples: Sequence[Example], gap: float = 3.0) -> Figure:
    """Of pairs of versions of one source segment whose visible penalties differ by at least `gap`, the
    share where the worse one is scored worse."""
    groups: dict[str, list[int]] = defaultdict(list)
    for i, example in enumerate(examples):
        groups[example.document].append(i)
    right: list[bool] = []
    for group in groups.values():
        for i, j in combinations(group, 2):
            difference = examples[i].label[2] - examples[j].label[2]
            if abs(difference) >= gap:
                right.append((scores[i]["penalty"] > scores[j]["penalty"]) == (difference > 0))
    return Figure("same-source pairs", float(np.mean(right)) if right else float("nan"), len(right))


GARBLE = Garble()
