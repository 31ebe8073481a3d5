"""Batches of tasks brought to a project, each sentence once, whatever breaks on the way.

The danger is a write whose fate is unknown: the client died or lost the connection, and the server may
still carry it out. Against it stand, in this order:
1. A note says which write is under way. Who finds one, its own or a dead predecessor's, waits until the
   server shows it done or `Patience.settle` seconds have passed, and only then looks what is missing.
2. At the end the project must have grown by exactly what was added; if not, copies are looked for.
3. Every look at a batch removes copies that nobody has worked on: what came later still, the next push
   mends.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby, islice

from annotate.studio.calls import Trouble, call, gave_up
from annotate.studio.form import Form
from annotate.studio.note import Kind, Note
from annotate.studio.results import without_slot
from annotate.studio.state import Board, Known
from annotate.studio.tasks import Task

Batch = Mapping[str, Task]
Lacking = list[tuple[Task, Known]]


class Delivery:
    """Delivers to one project and counts in `tally` what it did; `known_only`: tasks it does not know, or no
    longer, are not made.

    `chart` is given the board once nothing is under way any more, and may return one that knows places: each
    batch is looked at by that one first, after trouble by the other.
    """

    def __init__(
        self,
        board: Board,
        form: Form,
        note: Note,
        tally: Counter[str],
        *,
        known_only: bool = False,
        chart: Callable[[Board], Board] = lambda board: board,
    ) -> None:
        self.board, self.form, self.note, self.tally = board, form, note, tally
        self.known_only = known_only
        self.doubtful: set[Kind] = set()
        self._settle()
        self._before = board.count()
        self.charted = chart(board)

    def deliver(self, batch: Batch) -> None:
        """Look, add what is missing, and look again after trouble."""
        patience = self.board.patience
        for attempt in range(patience.tries):
            board = self.board if attempt else self.charted
            new, lacking = look(board, batch, self._known(board, batch))
            if self.known_only:
                new = []
            if attempt == 0:
                count(self.tally, batch, new, lacking)
            try:
                self._import(new)
                self._predict(lacking)
                return
            except Trouble as trouble:
                last = trouble
            if last.unknown:
                self._settle()
            else:
                self.note.end()
                patience.wait(attempt)
        raise gave_up(last)

    def finish(self, keys: Iterator[str], versions: Iterable[str], size: int) -> None:
        """Compare the project's growth with what was added, and clear away what came twice."""
        grown = self.board.count() - self._before
        strange = grown != self.tally["created"] - self.tally["copies_removed"]
        if not strange and not self.doubtful:
            return
        while part := list(islice(keys, size)):
            if strange or "tasks" in self.doubtful:
                self._remove_copies(part)
            if "predictions" in self.doubtful:
                for version in versions:
                    self.board.remove_repeated_predictions(part, version)

    def _settle(self) -> None:
        if kind := self.note.settle(self.board):
            self.doubtful.add(kind)

    def _known(self, board: Board, batch: Batch) -> dict[str, list[Known]]:
        known = board.tasks(list(batch))
        if any(len(several) > 1 for several in known.values()):
            self._remove_copies(list(batch))
            known = self.board.tasks(list(batch))
        return known

    def _remove_copies(self, keys: Sequence[str]) -> None:
        removed, kept = self.board.remove_copies(keys)
        self.tally["copies_removed"] += removed
        self.tally["copies_kept"] += kept

    def _import(self, new: list[Task]) -> None:
        if not new:
            return
        sent = [task.new(self.form) for task in new]
        self.note.begin(self.board, "tasks", new[0].key, new[0].version)
        api, project = self.board.server.api, self.board.project
        done = call(lambda: api.projects.import_tasks(id=project, request=sent, return_task_ids=True))
        self.note.end()
        if len(done.task_ids or ()) != len(sent) or done.prediction_count != len(sent):
            raise Trouble(f"it took {done.task_count} of {len(sent)} tasks", unknown=False)

    def _predict(self, lacking: Lacking) -> None:
        if not lacking:
            return
        first = lacking[0][0]
        sent = [{"task": known.id, **task.prediction(self.form, known.data)} for task, known in lacking]
        self.note.begin(self.board, "predictions", first.key, first.version)
        api, project = self.board.server.api, self.board.project
        done = call(lambda: api.projects.import_predictions(id=project, request=sent))
        self.note.end()
        if done.created != len(sent):
            raise Trouble(f"it took {done.created} of {len(sent)} predictions", unknown=False)


def look(board: Board, batch: Batch, known: Mapping[str, list[Known]]) -> tuple[list[Task], Lacking]:
    """Of a batch, the tasks the project does not know, and the known ones without their prediction."""
    new = [task for key, task in batch.items() if key not in known]
    lacking: Lacking = []
    there = sorted((task for key, task in batch.items() if key in known), key=lambda task: task.version)
    for version, some in groupby(there, key=lambda task: task.version):
        same = list(some)
        have = board.predicted([task.key for task in same], version)
        lacking += [
            (task, known[task.key][0]) for task in same if not have & {one.id for one in known[task.key]}
        ]
    return new, lacking


def count(tally: Counter[str], batch: Batch, new: list[Task], lacking: Lacking) -> None:
    """Note in the tally what a look at a batch says will be done."""
    tally["created"] += len(new)
    tally["predicted"] += len(lacking)
    tally["unchanged"] += len(batch) - len(new) - len(lacking)
    tally["targets_without_slot"] += sum(len(without_slot(task.review, task.data)) for task in new)
    tally["targets_without_slot"] += sum(
        len(without_slot(task.review, known.data)) for task, known in lacking
    )
