"""Stance: against, neutral or favor toward each target a sentence names (Hamborg & Donnay 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from annotate.article import Mention, Sentence
from annotate.signals.base import Example, Row, Settings, Signal, entropy, overlapping
from annotate.signals.metrics import Metric, confusion, f1
from annotate.signals.review import Answer, Controls, Label, Mark, Question, Review

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from torch import Tensor, nn

    from annotate.model.batch import Batch

STANCES = ("against", "neutral", "favor")


def read_newsmtsc(rows: pd.DataFrame) -> list[Example]:
    """newsmtsc: one target per row; the subset is rw (as in the wild) or mt (several targets)."""
    return [
        Example(
            r.text,
            ((int(r.target_start), int(r.target_end), r.target),),
            STANCES.index(r.label),
            document=str(r.doc_id),
            subset=str(r.subset),
        )
        for r in rows.itertuples()
    ]


class Stance(Signal):
    name = "stance"
    controls = Controls(
        labels=(Label("Target", "#0072B2", "1"),),
        questions=(
            Question(
                "stance",
                "Stance",
                STANCES,
                keys=(("q", "w", "e"), ("a", "s", "d"), ("z", "x", "c"), ("r", "t", "y")),
                scope="target",
            ),
        ),
    )
    readers = {"newsmtsc": read_newsmtsc}  # noqa: RUF012

    @property
    def columns(self) -> tuple[tuple[str, pa.DataType], ...]:
        import pyarrow as pa

        mention = pa.struct([("start", pa.int64()), ("end", pa.int64())])
        target = pa.struct(
            [
                ("target", pa.string()),
                ("mentions", pa.list_(mention)),
                ("label", pa.string()),
                *((f"p_{stance}", pa.float32()) for stance in STANCES),
            ]
        )
        return (("stance", pa.list_(target)),)

    def head(self, width: int) -> nn.Module:
        from annotate.model.heads import TargetHead

        return TargetHead(width, len(STANCES))

    def inputs(self, sentences: Sequence[Sentence], batch: Batch) -> dict[str, Tensor]:
        """One query per sentence and target, in order; all its mentions together."""
        import torch

        queries = [
            (i, mentions) for i, sentence in enumerate(sentences) for mentions in by_target(sentence).values()
        ]
        target = torch.zeros(len(queries), batch.pool.shape[1])
        for q, (i, mentions) in enumerate(queries):
            for mention in mentions:
                target[q, list(overlapping(batch.words[i], mention.start, mention.end))] = 1
        return {"rows": torch.tensor([i for i, _ in queries], dtype=torch.long), "target": target}

    def scores(self, out: Mapping[str, Tensor], batch: Batch, sentences: Sequence[Sentence]) -> list[Any]:
        logits = iter(out["logits"].float().numpy())
        return [{target: next(logits) for target in by_target(sentence)} for sentence in sentences]

    def sentence(self, example: Example) -> Sentence:
        mentions = tuple(Mention("target", start, end) for start, end, _ in example.spans)
        return Sentence("", None, "", 0, len(example.text), example.text, mentions=mentions)

    def examples(self, row: Row) -> list[Example]:
        """One for each target that is named."""
        return [
            Example(
                row["text"],
                tuple(
                    (m["start"] - row["start"], m["end"] - row["start"], stance["target"])
                    for m in stance["mentions"]
                ),
                STANCES.index(stance["label"]),
                document=row["article_id"],
            )
            for stance in row["stance"]
            if stance["mentions"]
        ]

    def loss(
        self, out: Mapping[str, Tensor], examples: Sequence[Example], batch: Batch, corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        truth = torch.tensor([example.label for example in examples])
        return F.cross_entropy(out["logits"].float(), truth, label_smoothing=0.05)

    def beliefs(self, out: Mapping[str, Tensor], batch: Batch) -> list[np.ndarray]:
        """[3] per sentence; each must have one target."""
        return list(out["logits"].float().softmax(1).numpy())

    def belief_loss(
        self, out: Mapping[str, Tensor], batch: Batch, beliefs: Sequence[np.ndarray], corpus: str
    ) -> Tensor:
        import torch
        from torch.nn import functional as F

        return F.cross_entropy(out["logits"].float(), torch.from_numpy(np.stack(beliefs)))

    def tune(self, scored: Mapping[str, tuple[list[Any], list[Example]]]) -> Settings:
        from annotate.model.calibration import temperature

        logits = np.concatenate([logit_matrix(scores) for scores, _ in scored.values()])
        labels = np.array([e.label for _, examples in scored.values() for e in examples])
        return {"temperature": temperature(logits, labels)}

    def metrics(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Metric]:
        subsets = sorted({e.subset for e in examples}, reverse=True)
        part = np.array([subsets.index(e.subset) for e in examples])
        facts = np.stack([[e.label for e in examples], logit_matrix(scores).argmax(1), part], 1)

        def of_part(k: int) -> Callable[[np.ndarray], float]:
            return lambda rows: f1(rows[rows[:, 2] == k], "macro")

        return [
            Metric(f"macro-F1 {subset}".strip(), facts, of_part(k), int((part == k).sum()))
            for k, subset in enumerate(subsets)
        ]

    def details(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Row]:
        truth = [STANCES[e.label] for e in examples]
        return confusion(truth, [STANCES[i] for i in logit_matrix(scores).argmax(1)], STANCES)

    def reliability(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> tuple[list[float], list[bool]]:
        """Of the likeliest stance."""
        p = softmax(logit_matrix(scores) / settings["temperature"])
        right = p.argmax(1) == np.array([e.label for e in examples])
        return p.max(1).tolist(), right.tolist()

    def decode(self, scores: Any, sentence: Sentence, settings: Settings) -> Row:
        stances = []
        for target, mentions in by_target(sentence).items():
            p = softmax(scores[target] / settings["temperature"])
            stances.append(
                {
                    "target": target,
                    "mentions": [
                        {"start": sentence.start + m.start, "end": sentence.start + m.end} for m in mentions
                    ],
                    "label": STANCES[int(p.argmax())],
                    **{f"p_{stance}": float(p[i]) for i, stance in enumerate(STANCES)},
                }
            )
        return {"stance": stances}

    def verdict(self, row: Row, settings: Settings) -> str | bool:
        return str(row["stance"][0]["label"])

    def uncertainty(self, row: Row) -> float:
        return max((entropy([s[f"p_{label}"] for label in STANCES]) for s in row["stance"]), default=0.0)

    def to_review(self, row: Row) -> Review:
        marks = tuple(
            Mark("Target", m["start"] - row["start"], m["end"] - row["start"])
            for stance in row["stance"]
            for m in stance["mentions"]
        )
        answers = tuple(
            Answer("stance", s["label"], s[f"p_{s['label']}"], target=s["target"]) for s in row["stance"]
        )
        return Review(marks, answers)

    def from_review(self, review: Review, row: Row) -> Row:
        """Stances as answered. A mention whose mark was removed goes; a mark that was added belongs to
        the target whose mentions read the same, or to the only target."""
        marked = {(row["start"] + m.start, row["start"] + m.end) for m in review.marks if m.label == "Target"}
        answers = {a.target: a.value for a in review.answers if a.question == "stance"}
        stances = []
        known = {(m["start"], m["end"]) for s in row["stance"] for m in s["mentions"]}
        for stance in row["stance"]:
            spans = {(m["start"], m["end"]) for m in stance["mentions"]}
            names = {row["text"][s - row["start"] : e - row["start"]].casefold() for s, e in spans}
            added = {
                (s, e)
                for s, e in marked - known
                if len(row["stance"]) == 1
                or row["text"][s - row["start"] : e - row["start"]].casefold() in names
            }
            label = answers.get(stance["target"])
            if label is None:
                continue
            stances.append(
                {
                    "target": stance["target"],
                    "mentions": [{"start": s, "end": e} for s, e in sorted((spans & marked) | added)],
                    "label": label,
                    **{f"p_{other}": float(other == label) for other in STANCES},
                }
            )
        return {"stance": stances}

    def judged(self, review: Review) -> dict[str | None, Any]:
        """0 against, 1 neutral, 2 favor, for each target that was answered."""
        return {a.target: STANCES.index(a.value) for a in review.answers if a.question == "stance"}


def by_target(sentence: Sentence) -> dict[str, list[Mention]]:
    """The sentence's mentions by target, in order of first mention."""
    found: dict[str, list[Mention]] = {}
    for mention in sentence.mentions:
        found.setdefault(mention.target, []).append(mention)
    return found


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the last axis."""
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def logit_matrix(scores: Sequence[Any]) -> np.ndarray:
    """[n, 3] of scores of one target each."""
    return np.stack([next(iter(score.values())) for score in scores])


STANCE = Stance()
