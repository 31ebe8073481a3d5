"""How good a model is on a corpus: the corpus's own published metric, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from annotate.errors import UserError
from annotate.model.network import Network
from annotate.model.prediction import predict
from annotate.signals.base import Example, Settings, Signal
from annotate.training import processes
from annotate.training.corpora import SIGNAL_OF, UNLABELLED, Split, load_corpus

RESAMPLES = 300
CHUNK = 512


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure on a corpus."""

    metric: str
    value: float
    n: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure with its 95 % interval, by bootstrap over documents, or sentences where fewer than two are."""

    metric: str
    value: float
    interval: tuple[float, float]
    n: int


def evaluate(
    corpus: str,
    split: Split,
    data: Path,
    model: Path | None,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> dict[str, Any]:
    """One JSON-ready object: `corpus, split, model, metric, value, interval, n` for the corpus's own metric,
    `others`, further figures by name, and `details`, rows that show where the errors lie.

    Raises:
        UserError: for a corpus or model that cannot be had, or a model without the corpus's signal.
    """
    from annotate.scoring import load

    if corpus in UNLABELLED:
        raise UserError(f"{corpus} has no labels to measure a model by; it only teaches.")
    examples = load_corpus(data, corpus, split)
    annotator = load(model, precision="float32")
    signal, bundle = SIGNAL_OF[corpus], annotator.bundle
    if signal.name not in bundle.settings:
        raise UserError(f"The model {bundle.folder} knows nothing of {signal.name}, which {corpus} measures.")
    scores: list[Any] = []
    for start in range(0, len(examples), CHUNK):
        scores += score_examples(bundle.network, bundle.tokenizer, signal, examples[start : start + CHUNK])
        progress("Scoring", len(scores), len(examples))
    first, *others = measure(
        signal,
        corpus,
        scores,
        examples,
        bundle.settings[signal.name],
        progress=lambda done, total: progress("Resampling", done, total),
    )
    return {
        "corpus": corpus,
        "split": split,
        "model": annotator.signature,
        **asdict(first),
        "others": {m.metric: {k: v for k, v in asdict(m).items() if k != "metric"} for m in others},
        "details": signal.details(corpus, scores, examples, bundle.settings[signal.name]),
    }


def score_examples(
    network: Network, tokenizer: Any, signal: Signal, examples: Sequence[Example]
) -> list[Any]:
    """The signal's scores of each example, before any threshold."""
    sentences = [signal.sentence(example) for example in examples]
    return [scores[signal.name] for scores in predict(network, tokenizer, sentences, only=[signal])]


def tune_and_measure(
    network: Network, tokenizer: Any, corpora: dict[str, list[Example]]
) -> tuple[dict[str, Settings], dict[str, list[Figure]]]:
    """Each signal's settings chosen on these (dev) examples, and each corpus's figures with them."""
    network.eval()
    settings: dict[str, Settings] = {}
    figures: dict[str, list[Figure]] = {}
    for signal in network.signals:
        scored = {
            name: (
                processes.shared(partial(score_examples, network, tokenizer, signal), examples),
                examples,
            )
            for name, examples in corpora.items()
            if SIGNAL_OF[name] is signal
        }
        settings[signal.name] = signal.tune(scored)
        for name, (scores, examples) in scored.items():
            metrics = signal.metrics(name, scores, examples, settings[signal.name])
            figures[name] = [Figure(m.name, m.reckon(m.facts), m.n) for m in metrics]
    return settings, figures


def measure(
    signal: Signal,
    corpus: str,
    scores: Sequence[Any],
    examples: Sequence[Example],
    settings: Settings,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[Measured]:
    """The signal's figures on a corpus with percentile intervals (Efron & Tibshirani 1993).

    Whole documents (groups) are drawn with replacement, since sentences of one text are alike; where all come
    from one, sentences are.
    """
    metrics = signal.metrics(corpus, scores, examples, settings)
    documents = by_document(examples)
    if len(documents) == 1:
        documents = [[i] for i in range(len(examples))]
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {metric.name: [] for metric in metrics}
    for k in range(resamples):
        draws = rng.integers(len(documents), size=len(documents))
        rows = np.concatenate([documents[d] for d in draws])
        for metric in metrics:
            value = metric.reckon(metric.facts[rows])
            if value == value:
                drawn[metric.name].append(value)
        progress(k + 1, resamples)
    return [Measured(m.name, m.reckon(m.facts), interval_of(drawn[m.name]), m.n) for m in metrics]


def by_document(examples: Sequence[Example]) -> list[list[int]]:
    """The numbers of the examples of each document; an example that names none is one by itself."""
    members: dict[str, list[int]] = {}
    for i, example in enumerate(examples):
        members.setdefault(example.document or str(i), []).append(i)
    return list(members.values())


def interval_of(values: Sequence[float], confidence: float = 0.95) -> tuple[float, float]:
    """The middle share of resampled values."""
    if not values:
        return (float("nan"), float("nan"))
    tail = 50 * (1 - confidence)
    low, high = np.percentile(values, [tail, 100 - tail])
    return (float(low), float(high))
