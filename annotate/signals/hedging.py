"""Hedging: the cue words that weaken a claim (Farkas et al. 2010, the CoNLL-2010 shared task)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from annotate.signals.base import REVIEWED, Example, Settings
from annotate.signals.metrics import Metric, sentence_f1, spearman, word_spans
from annotate.signals.review import Controls, Label
from annotate.signals.tagger import Tagger

if TYPE_CHECKING:
    import pandas as pd


def read_labels(rows: pd.DataFrame) -> list[Example]:
    """hedge_wiki: weasel sentences, labelled as a whole."""
    return [Example(r.text, label=float(r.label)) for r in rows.itertuples()]


def read_cues(rows: pd.DataFrame) -> list[Example]:
    """hedge_bio: sentences with their cues; a sentence is uncertain if it has one."""
    return [
        Example(r.text, tuple((int(s), int(e), "cue") for s, e in r.cue_spans), float(r.label), str(r.doc_id))
        for r in rows.itertuples()
    ]


def read_certainty(rows: pd.DataFrame) -> list[Example]:
    """certainty: findings rated 1 (uncertain) to 6 (certain), as a degree of hedging from 1 to 0."""
    return [Example(r.text, label=(6 - float(r.score)) / 5) for r in rows.itertuples() if r.score == r.score]


class Hedging(Tagger):
    name = "hedging"
    label = Label("Hedge", "#56B4E9", "2")
    controls = Controls(labels=(label,))
    readers = {"hedge_wiki": read_labels, "hedge_bio": read_cues, "certainty": read_certainty}  # noqa: RUF012
    word_weight = {"hedge_bio": 10.0, "own_hedges": 10.0, REVIEWED: 10.0}  # noqa: RUF012
    untuned = ("certainty",)  # it rates degrees by other rules

    def metrics(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Metric]:
        probabilities = [self.probability(s, settings) for s in scores]
        if corpus == "certainty":
            return [spearman(probabilities, [e.label for e in examples])]
        found = [sentence_f1("F1 of uncertain", probabilities, examples, self.threshold(corpus, settings))]
        if corpus != "hedge_wiki":
            found += word_spans("cue", scores, examples, self.word_threshold(corpus, settings))
        return found


HEDGING = Hedging()
