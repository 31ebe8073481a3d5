"""One thread owns the model: what is asked at the same time goes through the network together."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.errors import UserError
from annotate.serving.predictions import Asked, predictions
from annotate.studio.form import Form
from annotate.studio.tasks import model_version

if TYPE_CHECKING:
    from annotate.scoring import Annotator

TOGETHER = 256
"""Sentences put together; a request of more is a batch of its own."""
WAITING = 10_000
"""Sentences that may wait: about what two cores score within Label Studio's 100 seconds."""
Prediction = dict[str, Any]
log = logging.getLogger("annotate.serving")


class Full(Exception):
    """Too many sentences wait already."""


@dataclass(frozen=True, slots=True)
class Request:
    """Tasks asked for together; they are answered by one version of the model."""

    tasks: Sequence[Asked]
    answer: Future[list[Prediction]] = field(default_factory=Future)


class Model:
    """The model that serves. `folder` says where it lies; `stamp`, asked before every batch, is something
    cheap that changes when another is promoted."""

    def __init__(
        self,
        folder: Callable[[], Path],
        load: Callable[[Path], Annotator],
        stamp: Callable[[], object] = lambda: None,
    ) -> None:
        self._folder, self._load, self._stamp = folder, load, stamp
        self._seen = stamp()
        self._from = folder()
        self.annotator = load(self._from)

    @property
    def version(self) -> str:
        """The model version its predictions carry."""
        return model_version(self.annotator.signature)

    def changed(self) -> bool:
        """Whether another version may serve now."""
        return self._stamp() != self._seen

    def refresh(self) -> None:
        """Load the version that serves now, unless it is this one; one that does not load changes nothing."""
        if not self.changed():
            return
        self._seen = self._stamp()
        try:
            folder = self._folder()
            if folder == self._from:
                return
            self.annotator, self._from = self._load(folder), folder
        except UserError as error:
            log.warning("the promoted model does not load, the former one goes on: %s", error)
        else:
            log.info("another model serves now: %s (%s)", self.annotator.bundle.name, self.version)


class Batcher:
    """A queue of requests and the thread that answers them. The model is changed between two batches."""

    def __init__(self, model: Model, form: Form) -> None:
        self.model, self._form = model, form
        self._waiting: deque[Request] = deque()
        self._sentences = 0
        self._changed = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._work, name="predictions", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def stop(self) -> None:
        """Answer what waits, then end."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        self._thread.join()

    def submit(self, tasks: Sequence[Asked]) -> Future[list[Prediction]]:
        """The predictions of these tasks, once they are made.

        Raises:
            Full: when more than WAITING sentences wait.
        """
        request = Request(tasks)
        with self._changed:
            if self._sentences > WAITING:
                raise Full
            self._waiting.append(request)
            self._sentences += len(tasks)
            self._changed.notify()
        return request.answer

    def wake(self) -> None:
        """Have the thread look whether another model serves."""
        with self._changed:
            self._changed.notify()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting or self._ended or self.model.changed())
                if self._ended and not self._waiting:
                    return
                batch = self._batch()
            self.model.refresh()
            if batch:
                self._answer(batch)

    def _batch(self) -> list[Request]:
        batch: list[Request] = []
        size = 0
        while self._waiting and (not batch or size + len(self._waiting[0].tasks) <= TOGETHER):
            batch.append(self._waiting.popleft())
            size += len(batch[-1].tasks)
        self._sentences -= size
        return batch

    def _answer(self, batch: Sequence[Request]) -> None:
        """Answer a batch; where it fails, each request for itself, so that a bad one harms no other."""
        try:
            found = iter(
                predictions(
                    self.model.annotator, [task for request in batch for task in request.tasks], self._form
                )
            )
            answers = [[next(found) for _ in request.tasks] for request in batch]
        except Exception as error:  # the thread must outlive whatever a task holds
            if len(batch) == 1:
                batch[0].answer.set_exception(error)
                return
            for request in batch:
                self._answer([request])
            return
        for request, answer in zip(batch, answers, strict=True):
            request.answer.set_result(answer)
