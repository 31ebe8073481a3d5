"""What a signal is: the one protocol that the network, training, scoring and review loop over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from annotate.article import Sentence
from annotate.signals.review import Controls, Review

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from torch import Tensor, nn

    from annotate.model.batch import Batch
    from annotate.signals.metrics import Metric

Row = dict[str, Any]
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Example:
    """One training row. What `spans` (start, end, value; offsets into `text`) and `label` mean is the
    signal's own affair; `document` names the text or segment it comes from, `subset` a part of the corpus
    that is reported apart, `quoted` whether it starts inside a quotation."""

    text: str
    spans: tuple[tuple[int, int, Any], ...] = ()
    label: Any = None
    document: str = ""
    subset: str = ""
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Encoded:
    """What the encoder made of a batch. B sentences, N words at most, D the width of the encoder.

    words: [B, N, D], the mean over each word's pieces; mask: [B, N], true where a word is.
    """

    words: Tensor
    mask: Tensor


REVIEWED = "reviewed"
"""The corpus that examples of reviewed rows belong to (`Signal.examples`)."""
Reader = Callable[["pd.DataFrame"], list[Example]]


class Signal(ABC):
    """One thing said about a sentence. A new signal is one new file and one line in SIGNALS."""

    name: ClassVar[str]
    controls: ClassVar[Controls]
    readers: ClassVar[Mapping[str, Reader]] = {}
    """Per corpus, how its training rows become examples."""

    def __reduce__(self) -> str:
        """To another process goes the name of its one instance, such as STANCE of `stance.py`."""
        return self.name.upper()

    @property
    @abstractmethod
    def columns(self) -> tuple[tuple[str, pa.DataType], ...]:
        """The columns it adds to the scores frame."""

    # The network

    @abstractmethod
    def head(self, width: int) -> nn.Module:
        """A module from `Encoded` and this signal's `inputs` to a dict of tensors, first axis sentences
        (or queries)."""

    def inputs(self, sentences: Sequence[Sentence], batch: Batch) -> dict[str, Tensor]:
        """What the head needs besides the encoding; stance needs where the targets are named."""
        return {}

    @abstractmethod
    def scores(self, out: Mapping[str, Tensor], batch: Batch, sentences: Sequence[Sentence]) -> list[Any]:
        """The head's output as plain numpy, one entry per sentence: what is kept before any threshold."""

    # Training

    def sentence(self, example: Example) -> Sentence:
        """The sentence that an example is scored as."""
        return Sentence("", None, "", 0, len(example.text), example.text, quoted=example.quoted)

    def examples(self, row: Row) -> list[Example]:
        """What a reviewed row says, as training examples of the corpus REVIEWED."""
        return []

    @abstractmethod
    def loss(
        self, out: Mapping[str, Tensor], examples: Sequence[Example], batch: Batch, corpus: str
    ) -> Tensor:
        """The mean loss of a batch of one corpus."""

    def beliefs(self, out: Mapping[str, Tensor], batch: Batch) -> list[np.ndarray]:
        """The head's output as probabilities, one array per sentence: what a student learns of a teacher. The
        mean of several teachers' arrays is a belief as well."""
        raise NotImplementedError(f"{self.name} cannot be taught by another model")

    def belief_loss(
        self, out: Mapping[str, Tensor], batch: Batch, beliefs: Sequence[np.ndarray], corpus: str
    ) -> Tensor:
        """As `loss`, against beliefs instead of labels."""
        raise NotImplementedError(f"{self.name} cannot be taught by another model")

    def tune(self, scored: Mapping[str, tuple[list[Any], list[Example]]]) -> Settings:
        """Thresholds and calibration from dev sets: corpus name to (scores, examples)."""
        return {}

    def metrics(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Metric]:
        """The corpus's own published metric first, then others."""
        return []

    def details(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Row]:
        """Rows of a table that shows where the errors lie: a confusion matrix, or a row per category."""
        return []

    def reliability(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> tuple[list[float], list[bool]]:
        """Probabilities and whether what they are about is so: what calibration is measured on. Empty for a
        corpus that sets no calibration."""
        return [], []

    # Scoring

    @abstractmethod
    def decode(self, scores: Any, sentence: Sentence, settings: Settings) -> Row:
        """Scores of one sentence as its columns of the scores frame, offsets into the article."""

    def resolve(self, rows: Sequence[Row], sentences: Sequence[Sentence]) -> None:
        """What only the whole article tells; changes the rows of its content sentences in place."""
        return None

    def verdict(self, row: Row, settings: Settings) -> str | bool:
        """What a row says in one word; yes or no unless a signal says otherwise."""
        return bool(row[self.name] >= settings["threshold"])

    def scored(self, row: Row) -> bool:
        """Whether the model that scored a row knows this signal; else its columns are null."""
        return row.get(self.columns[0][0]) is not None

    @abstractmethod
    def uncertainty(self, row: Row) -> float:
        """How unsure the model is about this signal in a row, 0 (sure) to 1."""

    # Review

    @abstractmethod
    def to_review(self, row: Row) -> Review:
        """A row as marks and answers, offsets into the sentence."""

    @abstractmethod
    def from_review(self, review: Review, row: Row) -> Row:
        """A reviewed sentence back to this signal's columns, offsets into the article."""

    def judged(self, review: Review) -> dict[str | None, Any]:
        """What a reviewer said, by target (None: the sentence): what annotators can agree upon. Numbers are
        points on a scale, anything else is a name."""
        return {None: review.choices(self.controls)}


def overlapping(words: Sequence[tuple[int, int]], start: int, end: int) -> range:
    """Indices of the words (ascending, disjoint offsets) that share a character with [start, end)."""
    first = next((i for i, (_, e) in enumerate(words) if e > start), len(words))
    last = first
    while last < len(words) and words[last][0] < end:
        last += 1
    return range(first, last)


def entropy(probabilities: Sequence[float]) -> float:
    """Shannon entropy divided by its maximum: 0 for certainty, 1 for a uniform distribution."""
    p = np.clip(np.asarray(probabilities, dtype=float), 1e-9, 1.0)
    return float(-(p * np.log(p)).sum() / np.log(len(p)))


def binary_entropy(probability: float) -> float:
    """`entropy` of a yes or no with this probability of yes."""
    return entropy([probability, 1 - probability])
