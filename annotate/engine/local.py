"""Partitions scored one after another in this process."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator

from annotate.engine.partition import SPARING, Outcome, Work, score_partition
from annotate.model.precision import Precision, fastest


class Local:
    """One process with all its threads. `model`: as `annotate.load` takes it."""

    workers = 1

    def __init__(self, model: str | None) -> None:
        self.model = model

    def __enter__(self) -> Local:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def precision(self) -> Precision:
        """The one to score in."""
        return fastest()

    def outcomes(
        self, work: Work, names: Iterable[str], precision: Precision, signature: str
    ) -> Iterator[Outcome]:
        """What became of each partition, as they end."""
        from annotate.scoring import load

        os.environ.update({name: os.environ.get(name, value) for name, value in SPARING.items()})
        annotator = load(self.model, precision=precision)
        for name in names:
            yield score_partition(annotator, work, name)
