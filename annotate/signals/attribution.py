"""Attribution: whether the outlet itself or a source says it, and who (Newell et al. 2018, PolNeAR).

A chain of tags marks source, cue and content, each in a layer of its own, as one source's content may hold
another attribution; besides the words it is told which stand in a quotation. From the content's share of the
sentence comes the holder's kind; from the source's words, and from the article around, its name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from annotate.article import Sentence
from annotate.quotation import inside, quotations
from annotate.signals import holders
from annotate.signals.base import Example, Row, Settings, Signal, binary_entropy, overlapping
from annotate.signals.metrics import Metric, characters, confusion, exact_spans
from annotate.signals.review import Answer, Controls, Label, Mark, Question, Review, TextBox
from annotate.signals.tagger import padded

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from torch import Tensor, nn

    from annotate.model.batch import Batch

ROLES = ("source", "cue", "content")
HOLDERS = ("outlet", "source")
LABELS = {"source": "Source", "cue": "Cue", "content": "Content"}


def read_polnear(rows: pd.DataFrame) -> list[Example]:
    """polnear: the label is whether attributed content fills most of the sentence. A gap of more than a
    blank between two sentences begins a paragraph."""
    starts, texts = rows.char_start.to_numpy(), rows.text.to_numpy()
    gaps = starts[1:] - (starts[:-1] + [len(text) for text in texts[:-1]])
    new = np.concatenate([[True], (gaps > 1) | (rows.doc_id.to_numpy()[1:] != rows.doc_id.to_numpy()[:-1])])
    marks = quotations(zip(texts, np.cumsum(new).tolist(), strict=True))
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
            quoted=mark.inside,
        )
        for r, mark in zip(rows.itertuples(), marks, strict=True)
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
        from annotate.model.heads import SpanHead

        return SpanHead(width, len(ROLES))

    def inputs(self, sentences: Sequence[Sentence], batch: Batch) -> dict[str, Tensor]:
        """Which words stand in a quotation."""
        import torch

        quoted = torch.zeros(len(sentences), batch.pool.shape[1])
        for i, sentence in enumerate(sentences):
            marks, _ = inside(sentence.text, sentence.quoted)
            for n, (start, _) in enumerate(batch.words[i]):
                quoted[i, n] = marks[start]
        return {"quoted": quoted}

    def examples(self, row: Row) -> list[Example]:
        spans = tuple(
            (s["start"] - row["start"], s["end"] - row["start"], s["role"]) for s in row["attribution_spans"]
        )
        label = float(row["holder_kind"] == "source")
        return [
            Example(
                row["text"], spans, label, document=row["article_id"], quoted=bool(row.get("quoted", False))
            )
        ]

    def loss(
        self, out: Mapping[str, Tensor], examples: Sequence[Example], batch: Batch, corpus: str
    ) -> Tensor:
        import torch

        from annotate.model.chain import BEGIN, INSIDE, chain_loss

        emissions, mask = trimmed(out)
        tags = torch.zeros(emissions.shape[:3], dtype=torch.long)
        for i, example in enumerate(examples):
            for start, end, role in example.spans:
                for k, n in enumerate(overlapping(batch.words[i], start, end)):
                    tags[i, n, ROLES.index(role)] = INSIDE if k else BEGIN
        return chain_loss(emissions, out["steps"], out["starts"], mask, tags)

    def beliefs(self, out: Mapping[str, Tensor], batch: Batch) -> list[np.ndarray]:
        """[n words, roles, tags] per sentence, each word's probability of each tag."""
        from annotate.model.chain import marginals

        emissions, mask = trimmed(out)
        p = marginals(emissions, out["steps"], out["starts"], mask).numpy()
        return [p[i, : len(words)] for i, words in enumerate(batch.words)]

    def belief_loss(
        self, out: Mapping[str, Tensor], batch: Batch, beliefs: Sequence[np.ndarray], corpus: str
    ) -> Tensor:
        from annotate.model.chain import marginals

        emissions, mask = trimmed(out)
        p = marginals(emissions, out["steps"], out["starts"], mask).clamp(min=1e-6)
        truth = padded(beliefs, p.shape[1])
        return -(truth * p.log()).sum() / (mask.sum() * p.shape[2])

    def scores(self, out: Mapping[str, Tensor], batch: Batch, sentences: Sequence[Sentence]) -> list[Any]:
        from annotate.model.chain import OUTSIDE, best_tags, marginals

        emissions, mask = trimmed(out)
        tags = best_tags(emissions, out["steps"], out["starts"], mask).numpy()
        marked = 1 - marginals(emissions, out["steps"], out["starts"], mask)[..., OUTSIDE].numpy()
        found = []
        for i, words in enumerate(batch.words):
            n = len(words)
            mean = float(marked[i, :n, ROLES.index("content")].mean()) if n else 0.0
            mean = min(max(mean, 1e-6), 1 - 1e-6)
            found.append(
                {
                    "offsets": words,
                    "tags": tags[i, :n],
                    "inside": marked[i, :n],
                    "sentence": float(np.log(mean / (1 - mean))),
                }
            )
        return found

    def tune(self, scored: Mapping[str, tuple[list[Any], list[Example]]]) -> Settings:
        """Calibration of the mean content probability against 'most of the sentence is attributed'."""
        from annotate.model.calibration import best_threshold, calibrated, chosen_calibration

        pairs = [pair for scores, examples in scored.values() for pair in zip(scores, examples, strict=True)]
        logits, labels = [s["sentence"] for s, _ in pairs], [e.label >= 0.5 for _, e in pairs]
        settings = chosen_calibration(logits, labels, [1 / len(pairs)] * len(pairs))
        return {**settings, "threshold": best_threshold(calibrated(logits, settings), labels)}

    def metrics(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Metric]:
        exact, by_character = [], []
        for role in ROLES:
            said = [[(s, e, r) for r, s, e, _ in spans(score) if r == role] for score in scores]
            truth = [[(s, e, r) for s, e, r in example.spans if r == role] for example in examples]
            exact.append(exact_spans(role, said, truth))
            by_character.append(characters(role, said, truth))
        return [*exact, *by_character]

    def details(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Row]:
        p, truth = self.reliability(corpus, scores, examples, settings)
        said = [HOLDERS[value >= settings["threshold"]] for value in p]
        return confusion([HOLDERS[t] for t in truth], said, HOLDERS)

    def reliability(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> tuple[list[float], list[bool]]:
        from annotate.model.calibration import calibrated

        p = calibrated([score["sentence"] for score in scores], settings)
        return p.tolist(), [e.label >= 0.5 for e in examples]

    def decode(self, scores: Any, sentence: Sentence, settings: Settings) -> Row:
        from annotate.model.calibration import calibrated

        probability = float(calibrated(scores["sentence"], settings))
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

    def verdict(self, row: Row, settings: Settings) -> str | bool:
        return str(row["holder_kind"])

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

    def judged(self, review: Review) -> dict[str | None, Any]:
        """The holder, where it was answered."""
        return {a.target: a.value for a in review.answers if a.question == "holder"}


def trimmed(out: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Emissions and mask without the places behind the longest sentence's last word."""
    longest = max(1, int(out["mask"].sum(1).max()))
    return out["words"].float()[:, :longest], out["mask"][:, :longest]


def spans(scores: Any) -> list[tuple[str, int, int, float]]:
    """Role, start, end and mean probability of each tagged span, in order of role and place."""
    from annotate.model.chain import BEGIN, INSIDE, OUTSIDE

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
