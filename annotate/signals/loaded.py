"""Loaded language: words that carry a slant (bias by word choice; Spinde et al. 2021, BABE)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from annotate.signals.base import REVIEWED, Example, Settings
from annotate.signals.metrics import Metric, sentence_macro_f1, word_f1, word_spans, words
from annotate.signals.review import Controls, Label
from annotate.signals.tagger import Tagger

if TYPE_CHECKING:
    import pandas as pd


def read_babe(rows: pd.DataFrame) -> list[Example]:
    """babe: the experts' majority label, softened by the share of experts who call it biased."""
    return [
        Example(
            r.text,
            tuple((int(s), int(e), "loaded") for s, e in r.biased_spans),
            label=(float(r.label) + float(r.p_biased)) / 2,
            document=str(r.doc_id),
        )
        for r in rows.itertuples()
    ]


class Loaded(Tagger):
    name = "loaded"
    label = Label("Loaded", "#CC79A7", "3")
    controls = Controls(labels=(label,))
    readers = {"babe": read_babe}  # noqa: RUF012
    word_weight = {"babe": 5.0, "plain_news": 5.0, REVIEWED: 5.0}  # noqa: RUF012

    def metrics(
        self, corpus: str, scores: Sequence[Any], examples: Sequence[Example], settings: Settings
    ) -> list[Metric]:
        probabilities = [self.probability(s, settings) for s in scores]
        threshold = self.word_threshold(corpus, settings)
        return [
            sentence_macro_f1(probabilities, examples, self.threshold(corpus, settings)),
            word_f1(words(scores, examples, threshold)),
            *word_spans("span", scores, examples, threshold),
        ]


LOADED = Loaded()
