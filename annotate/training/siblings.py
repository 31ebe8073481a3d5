"""Fitting how siblings are told: `python -m annotate.training.siblings DATA` writes
`annotate/siblings/settings.json`, with the shipped model.

Written events (`annotate.training.events`) tell what siblings are: sentences of different articles that share
a fact. Versions of news documents from zhen_news20 (train), with sentences lost and joined, add what real
news repeats without reporting it.
"""

from __future__ import annotations

import itertools
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from annotate.model.bundle import shipped
from annotate.quotation import quotations
from annotate.scoring import Annotator, load
from annotate.siblings.alignment import (
    Judge,
    Text,
    features,
    prepared,
    rarity,
    relative,
    sigmoid,
    with_context,
)
from annotate.siblings.compare import beside
from annotate.siblings.drift import SPAN, suspects
from annotate.siblings.events import grouped
from annotate.siblings.names import Names
from annotate.siblings.said import Said
from annotate.siblings.vectors import vectors
from annotate.siblings.voices import voices
from annotate.signals.base import Example
from annotate.signals.garble import GARBLE
from annotate.training.evaluation import score_examples
from annotate.training.events import read_events

FOLDS = 5
VERSIONS, LOST, JOINED, DOCUMENTS = 3, 0.4, 0.15, 90
"""Of zhen_news20: versions of a document, the share of sentences left out, and joined to the one before."""
HALF = 0.5
"""The share of shown drifts that must be right on written events."""
FIRST, LATER = "first", "dev"
"""The written events that taught no model, which knows the others too well. All is fitted to the first; what
a model makes of drift to the later ones as well, as they are rich in what only that shows."""
COMMON = 3000
"""Words of general news whose document frequency is kept."""


@dataclass(frozen=True, slots=True)
class Known:
    """The texts of an event, their sentences, all pairs of its articles, and which of their sentences are
    siblings."""

    name: str
    said: list[list[Said]]
    texts: list[Text]
    pairs: list[tuple[int, int]]
    truth: list[np.ndarray]


def known(name: str, articles: list[list[tuple[str, frozenset[Any]]]]) -> Known:
    """Articles as lists of sentences with what they report."""
    texts = [text for article in articles for text, _ in article]
    of_texts = iter(vectors(texts))
    said = [
        [
            Said(str(a), f"{a}-{n:03d}", text, next(of_texts), quote.share)
            for n, ((text, _), quote) in enumerate(
                zip(article, quotations((text, 0) for text, _ in article), strict=True)
            )
        ]
        for a, article in enumerate(articles)
    ]
    rare = rarity([sentence.tokens for article in said for sentence in article])
    pairs = list(itertools.combinations(range(len(articles)), 2))
    truth = [np.array([[bool(f & g) for _, g in articles[j]] for _, f in articles[i]]) for i, j in pairs]
    return Known(name, said, [prepared(article, rare) for article in said], pairs, truth)


def written(split: str) -> list[Known]:
    """The written events of a split."""
    return [
        known(name, [[(told.text, told.facts) for told in sentences] for sentences in event.values()])
        for name, event in read_events(split).items()
    ]


def versions(data: Path) -> Iterator[Known]:
    """Documents of zhen_news20 (train), some versions of each as if they were articles."""
    import pandas as pd

    rows = pd.read_parquet(data / "zhen_news20" / "train.parquet")
    rng = np.random.default_rng(1)
    for document in rng.choice(sorted(rows.doc_id.unique()), DOCUMENTS, replace=False):
        mine = rows[rows.doc_id == document]
        systems = rng.permutation(sorted(mine.system.unique()))[:VERSIONS]
        articles = []
        for system in systems:
            article: list[tuple[str, frozenset[Any]]] = []
            of_system = mine[mine.system == system].sort_values("seg_id")
            for text, segment in zip(of_system.text, of_system.seg_id, strict=True):
                if not re.search(r"\w", text) or rng.random() < LOST:
                    continue
                if article and rng.random() < JOINED:
                    last, segments = article.pop()
                    article.append((f"{last} {text}", segments | {segment}))
                else:
                    article.append((text, frozenset([segment])))
            if len(article) > 2:
                articles.append(article)
        if len(articles) > 1:
            yield known(str(document), articles)


def fitted(events: list[Known]) -> Judge:
    """A judge of these events; its threshold is not chosen yet."""
    found = [relative([features(event.texts[i], event.texts[j]) for i, j in event.pairs]) for event in events]
    truth = np.concatenate([t.ravel() for event in events for t in event.truth])
    first = regression(np.concatenate([rows(each) for pairs in found for each in pairs]), truth)
    seen = [
        with_context(event.texts, event.pairs, pairs, [each @ first[:-1] + first[-1] for each in pairs])
        for event, pairs in zip(events, found, strict=True)
    ]
    second = regression(np.concatenate([rows(each) for pairs in seen for each in pairs]), truth)
    return Judge(first, second, 0.5)


def rows(table: np.ndarray) -> np.ndarray:
    """[n, features] of [a, b, features]."""
    return table.reshape(-1, table.shape[2])


def regression(found: np.ndarray, truth: np.ndarray, strength: float = 0.3) -> np.ndarray:
    """Weights and constant of a logistic regression, fitted on features of mean 0 and spread 1."""
    from sklearn.linear_model import LogisticRegression

    mean, spread = found.mean(0), found.std(0) + 1e-6
    fit = LogisticRegression(C=strength, max_iter=2000).fit((found - mean) / spread, truth)
    weights = fit.coef_[0] / spread
    return np.append(weights, fit.intercept_[0] - weights @ mean)


def cross_fitted(events: list[Known], judges: list[Judge]) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and truth of all pairs, each event judged by what was fitted without it."""
    p, y = [], []
    for fold, judge in enumerate(judges):
        for event in events[fold::FOLDS]:
            p += [each.ravel() for each in judge(event.texts, event.pairs)]
            y += [each.ravel() for each in event.truth]
    return np.concatenate(p), np.concatenate(y)


def figures_at(p: np.ndarray, y: np.ndarray, threshold: float) -> dict[str, float]:
    """Precision, recall and F1 of the pairs from a threshold on."""
    said = p >= threshold
    right = float((said & y).sum())
    precision, recall = right / max(1, said.sum()), right / max(1, y.sum())
    return {"precision": precision, "recall": recall, "f1": 2 * right / max(1, said.sum() + y.sum())}


@dataclass(frozen=True, slots=True)
class Spans:
    """The candidates of drift in written events: features [n, len(SPAN)], what the shipped model makes of
    them [n, 2] (`Garble.evidence`), whether a mark lies in each, and the number of its event."""

    found: np.ndarray
    read: np.ndarray
    truth: np.ndarray
    where: np.ndarray


def spans_of(events: list[Known], judges: list[Judge], annotator: Annotator) -> Spans:
    """The candidates in these events, their siblings found by the judge that did not see the event."""
    found, read, truth, where = [], [], [], []
    by_name = {**read_events(FIRST), **read_events(LATER)}
    for number, event in enumerate(events):
        told = by_name[event.name]
        judge = judges[number % FOLDS]
        marks = {
            (str(a), f"{a}-{n:03d}"): sentence.marks
            for a, sentences in enumerate(told.values())
            for n, sentence in enumerate(sentences)
        }
        names = Names(event.said)
        with_siblings = list(beside(event.said, event.texts, event.pairs, judge))
        examples = [Example(own.text) for own, _ in with_siblings]
        scores = score_examples(annotator.bundle.network, annotator.bundle.tokenizer, GARBLE, examples)
        for (own, siblings), scored in zip(with_siblings, scores, strict=True):
            of_own = suspects(own, voices(own, siblings), names)
            places = [(span.start, span.end) for span in of_own.spans]
            mine = marks[own.article_id, own.sentence_id]
            found.append(of_own.found)
            read.append(GARBLE.evidence(scored, places))
            truth += [any(s < end and start < e for s, e, _ in mine) for start, end in places]
            where += [number] * len(places)
    return Spans(np.concatenate(found), np.concatenate(read), np.array(truth), np.array(where))


def fitted_drift(
    found: np.ndarray, truth: np.ndarray, where: np.ndarray
) -> tuple[np.ndarray, float, dict[str, float]]:
    """Weights of the judgement of drift; the threshold from which half of what is said is right, or as near
    to half as it comes, on events it was not fitted to; and the figures there."""
    from sklearn.metrics import average_precision_score

    p = np.zeros(len(truth))
    for fold in range(FOLDS):
        held = where % FOLDS == fold
        weights = regression(found[~held], truth[~held], strength=0.1)
        p[held] = sigmoid(found[held] @ weights[:-1] + weights[-1])
    order = np.argsort(-p)
    right = np.cumsum(truth[order]) / np.arange(1, len(order) + 1)
    enough = np.flatnonzero(right >= HALF)
    last = int(enough.max()) if len(enough) else 0
    figures = {
        "average precision": float(average_precision_score(truth, p)),
        "said": last + 1,
        "right": int(truth[order][: last + 1].sum()),
        "marks among candidates": int(truth.sum()),
    }
    return regression(found, truth, strength=0.1), float(p[order][last]), figures


def general_news(data: Path) -> tuple[dict[str, int], int, list[str]]:
    """In how many of some news documents the commonest words stand, how many these are, and the documents."""
    import pandas as pd

    documents = []
    for name in ("polnear", "zhen_news20", "zhen_news21"):
        corpus = pd.read_parquet(data / name / "train.parquet")
        if "system" in corpus:
            corpus = corpus.drop_duplicates(["doc_id", "seg_id"])
        documents += [" ".join(texts) for _, texts in corpus.groupby("doc_id").text]
    counts = Counter(word for text in documents for word in set(re.findall(r"(?u)\b\w\w+\b", text.lower())))
    commonest = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:COMMON]
    return dict(commonest), len(documents), documents


def same_event(
    background: dict[str, int], documents: int, others: list[str]
) -> tuple[float, dict[str, float]]:
    """The cosine from which articles are linked: the one of the best F1 over pairs of articles, the written
    events among as many documents of general news, each of which counts as an event of its own."""
    texts, names = [], []
    for name, event in read_events(FIRST).items():
        for sentences in event.values():
            texts.append(" ".join(told.text for told in sentences))
            names.append(name)
    others = others[:: max(1, len(others) // len(texts))]
    best: tuple[float, float, dict[str, float]] = (0.0, 0.0, {})
    for same in np.arange(0.1, 0.4, 0.01):
        groups = grouped(texts + others, float(same), background, documents)
        said = {pair for group in groups for pair in itertools.combinations(group, 2)}
        true = {
            pair for pair in itertools.combinations(range(len(texts)), 2) if names[pair[0]] == names[pair[1]]
        }
        right = len(said & true)
        found = {"precision": right / max(1, len(said)), "recall": right / len(true)}
        f1 = 2 * right / (len(said) + len(true))
        if f1 > best[0]:
            best = (f1, float(same), {**found, "f1": f1})
    return best[1], best[2]


def main() -> None:
    """Fit, choose, and write the settings."""
    data = Path(sys.argv[1])
    background, documents, others = general_news(data)
    same, events_figures = same_event(background, documents, others)
    events, more = written(FIRST), list(versions(data))
    judges = [fitted([e for n, e in enumerate(events) if n % FOLDS != fold] + more) for fold in range(FOLDS)]
    p, y = cross_fitted(events, judges)

    # A wrong sibling misleads a reviewer, a missing one does not: precision weighs double (F0.5).
    def half(t: float) -> float:
        found = figures_at(p, y, t)
        low, high = found["precision"], found["recall"]
        return 1.25 * low * high / max(0.25 * low + high, 1e-9)

    threshold = max(np.arange(0.05, 1, 0.05).tolist(), key=half)
    judge = fitted(events + more)
    judges = [replace(one, threshold=float(threshold)) for one in judges]
    spans = spans_of([*events, *written(LATER)], judges, load(shipped()))
    first = spans.where < len(events)
    drift, drift_threshold, drift_figures = fitted_drift(
        spans.found[first], spans.truth[first], spans.where[first]
    )
    *_, of_all = fitted_drift(spans.found, spans.truth, spans.where)
    both = np.hstack([spans.found, spans.read])
    read, read_threshold, read_figures = fitted_drift(both, spans.truth, spans.where)
    settings = {
        "first": judge.first.round(5).tolist(),
        "second": judge.second.round(5).tolist(),
        "threshold": round(float(threshold), 2),
        "same_event": round(same, 2),
        "drift": drift.round(5).tolist(),
        "drift_threshold": round(drift_threshold, 3),
        "drift_read": read.round(5).tolist(),
        "drift_read_threshold": round(read_threshold, 3),
        "documents": documents,
        "background": background,
        "figures": {
            "pairs, cross-fitted": figures_at(p, y, float(threshold)),
            "articles of one event": events_figures,
            "drift, cross-fitted": drift_figures,
            "drift in all, cross-fitted": of_all,
            "drift in all, read by the model, cross-fitted": read_figures,
        },
    }
    path = Path(__file__).parent.parent / "siblings" / "settings.json"
    path.write_text(json.dumps(settings, ensure_ascii=False) + "\n", encoding="utf-8")
    print(json.dumps({**settings["figures"], "threshold": threshold, "same_event": same}, indent=1))
    print(dict(zip(SPAN, drift.round(2).tolist(), strict=False)), drift_threshold)


if __name__ == "__main__":
    main()
