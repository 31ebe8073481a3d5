"""Attribution: whether the outlet itself or a source says it, and who (Newell et al. 2018, PolNeAR).

A tagger marks source, cue and content, each in a layer of its own, as one source's content may hold
another attribution. From the content's share of the sentence comes the holder's kind; from the source's
words, and from the article around, its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from annotate.article import Sentence
from annotate.signals import holders
from annotate.signals.base import Example, Figure, Row, Settings, Signal, binary_entropy, overlapping
from annotate.signals.figures import exact_f1
from annotate.signals.review import Answer, Controls, Label, Mark, Question, Review, TextBox
from annotate.signals.tagger import sigmoid, word_mask

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from torch import Tensor, nn

    from annotate.model.batch import Batch

ROLES = ("source", "cue", "content")
OUTSIDE, BEGIN, INSIDE = range(3)
HOLDERS = ("outlet", "source")
LABELS = {"source": "Source", "cue": "Cue", "content": "Content"}


def read_polnear(rows: pd.DataFrame) -> list[Example]:
    """polnear: the label is whether attributed content fills most of the sentence."""
    return [
        Example(
            r.text,
            tuple(
                (int(start), int(end), role)
                for attribution in r.attributions
                for role in ROLES
                for start, end in attribution[role]
            ),
            float(r.attributed_share >= 0.5),
            document=str(r.doc_id),
        )
        for r in rows.itertuples()
    ]


class Attribution(Signal):
    name = "attribution"
    controls = Controls(
        labels=(
            Label(LABELS["source"], "#009E73", "6"),
            Label(LABELS["cue"], "#F0E442", "7"),
            Label(LABELS["content"], "#BBBBBB", "8"),
        ),
        questions=(Question("holder", "Who says it", HOLDERS, keys=(("o", "p"),), required=True),),
        boxes=(TextBox("holder_name", "Name of the source"),),
    )
    readers = {"polnear": read_polnear}  # noqa: RUF012

    @property
    def columns(self) -> tuple[tuple[str, pa.DataType], ...]:
        import pyarrow as pa

        span = pa.struct(
            [("role", pa.string()), ("start", pa.int64()), ("end", pa.int64()), ("probability", pa.float32())]
        )
        return (
            ("holder_kind", pa.string()),
            ("holder_name", pa.string()),
            ("attribution", pa.float32()),
            ("attribution_spans", pa.list_(span)),
        )

    def head(self, width: int) -> nn.Module:
        from annotate.model.heads import WordHead

        return WordHead(width, 3 * len(ROLES))

    def loss(
        self, out: Mapping[str, Tensor], examples: Sequence[Example], batch: Batch, corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        logits = out["words"].float().unflatten(2, (len(ROLES), 3))
        truth = torch.full(logits.shape[:3], -100)
        for i, example in enumerate(examples):
            truth[i, : len(batch.words[i])] = OUTSIDE
            for start, end, role in example.spans:
                layer = ROLES.index(role)
                for k, n in enumerate(overlapping(batch.words[i], start, end)):
                    truth[i, n, layer] = INSIDE if k else BEGIN
        return F.cross_entropy(logits.flatten(0, 2), truth.flatten(), ignore_index=-100)

    def scores(self, out: Mapping[str, Tensor], batch: Batch, sentences: Sequence[Sentence]) -> list[Any]:
        logits = out["words"].float().unflatten(2, (len(ROLES), 3))
        log_p = logits.log_softmax(3).numpy()
        lengths = word_mask(batch, out["words"]).sum(1).long().tolist()
        tags = viterbi(log_p)
        inside = 1 - np.exp(log_p[..., OUTSIDE])
        found = []
        for i, words in enumerate(batch.words):
            n = lengths[i]
            mean = inside[i, :n, ROLES.index("content")].mean() if n else 0.0
            mean = float(np.clip(mean, 1e-6, 1 - 1e-6))
            found.append(
                {
                    "offsets": words,
                    "tags": tags[i, :n],
                    "inside": inside[i, :n],
                    "sentence": float(np.log(mean / (1 - mean))),
                }
            )
        return found

    def tune(self, scored: Mapping[str, tuple[list[Any], list[Example]]]) -> Settings:
        """Platt's scaling of the mean content probability against 'most of the sentence is attributed'."""
        from annotate.model.calibration import best_threshold, platt

        pairs = [pair for scores, examples in scored.values() for pair in zip(scores, examples, strict=True)]
        logits, labels = [s["sentence"] for s, _ in pairs], [e.label >= 0.5 for _, e in pairs]
        scale, offset = platt(logits, labels, [1 / len(pairs)] * len(pairs))
        probabilities = sigmoid(scale * np.asarray(logits) + offset)
        return {"scale": scale, "offset": offset, "threshold": best_threshold(probabilities, labels)}

    def figures(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Figure]:
        found = []
        for role in ROLES:
            said = [{(s, e) for r, s, e, _ in spans(score) if r == role} for score in scores]
            truth = [{(s, e) for s, e, r in example.spans if r == role} for example in examples]
            found.append(Figure(f"{role} F1, exact", exact_f1(said, truth), len(examples)))
        return found

    def decode(self, scores: Any, sentence: Sentence, settings: Settings) -> Row:
        probability = float(sigmoid(settings["scale"] * scores["sentence"] + settings["offset"]))
        return {
            "holder_kind": HOLDERS[int(probability >= settings["threshold"])],
            "holder_name": None,
            "attribution": probability,
            "attribution_spans": [
                {
                    "role": role,
                    "start": sentence.start + start,
                    "end": sentence.start + end,
                    "probability": p,
                }
                for role, start, end, p in spans(scores)
            ],
        }

    def resolve(self, rows: Sequence[Row], sentences: Sequence[Sentence]) -> None:
        holders.resolve(rows, sentences)

    def uncertainty(self, row: Row) -> float:
        return binary_entropy(row["attribution"])

    def to_review(self, row: Row) -> Review:
        marks = tuple(
            Mark(
                LABELS[span["role"]],
                span["start"] - row["start"],
                span["end"] - row["start"],
                span["probability"],
            )
            for span in row["attribution_spans"]
        )
        p = row["attribution"]
        answers = [Answer("holder", row["holder_kind"], p if row["holder_kind"] == "source" else 1 - p)]
        if row["holder_name"]:
            answers.append(Answer("holder_name", row["holder_name"]))
        return Review(marks, tuple(answers))

    def from_review(self, review: Review, row: Row) -> Row:
        values = {answer.question: answer.value for answer in review.answers}
        role_of = {label: role for role, label in LABELS.items()}
        kind = values.get("holder", row["holder_kind"])
        return {
            "holder_kind": kind,
            "holder_name": values.get("holder_name") if kind == "source" else None,
            "attribution": float(kind == "source"),
            "attribution_spans": [
                {
                    "role": role_of[mark.label],
                    "start": row["start"] + mark.start,
                    "end": row["start"] + mark.end,
                    "probability": 1.0,
                }
                for mark in review.marks
                if mark.label in role_of
            ],
        }


def viterbi(log_p: np.ndarray) -> np.ndarray:
    """[B, N, R, 3] log-probabilities of O, B, I to the best tags [B, N, R] in which no I follows an O."""
    forbidden = np.zeros((3, 3))
    forbidden[OUTSIDE, INSIDE] = -np.inf
    score = log_p[:, 0].copy()
    score[..., INSIDE] = -np.inf
    back = np.zeros(log_p.shape, dtype=int)
    for n in range(1, log_p.shape[1]):
        step = score[..., :, None] + forbidden
        back[:, n] = step.argmax(-2)
        score = step.max(-2) + log_p[:, n]
    tags = np.zeros(log_p.shape[:3], dtype=int)
    tags[:, -1] = score.argmax(-1)
    for n in range(log_p.shape[1] - 1, 0, -1):
        tags[:, n - 1] = np.take_along_axis(back[:, n], tags[:, n][..., None], -1)[..., 0]
    return tags


def spans(scores: Any) -> list[tuple[str, int, int, float]]:
    """Role, start, end and mean probability of each tagged span, in order of role and place."""
    found = []
    for layer, role in enumerate(ROLES):
        tags, p = scores["tags"][:, layer], scores["inside"][:, layer]
        first = None
        for n in range(len(tags) + 1):
            tag = tags[n] if n < len(tags) else OUTSIDE
            if first is not None and tag != INSIDE:
                offsets = scores["offsets"]
                found.append((role, offsets[first][0], offsets[n - 1][1], float(p[first:n].mean())))
                first = None
            if tag == BEGIN:
                first = n
    return found


ATTRIBUTION = Attribution()
