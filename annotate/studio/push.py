"""Push scores to Label Studio: every content sentence once, each with one prediction of its model.

What is there is asked of the server, never of a local file, so whatever broke, the same command goes on
where it stopped. How nothing comes twice is the business of `delivery`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from annotate import home
from annotate.errors import UserError
from annotate.studio.calls import Patience, read
from annotate.studio.client import Connection
from annotate.studio.delivery import Delivery, count, look
from annotate.studio.form import Form, form
from annotate.studio.interface import interface
from annotate.studio.note import Note
from annotate.studio.order import offer_order
from annotate.studio.places import Places
from annotate.studio.project import existing, open_project
from annotate.studio.pull import Scan
from annotate.studio.scored import Scored
from annotate.studio.state import Board
from annotate.studio.tasks import Task, problem_of, tasks

if TYPE_CHECKING:
    from annotate.studio.scored import Scores

BATCH = 500  # tasks a call; Label Studio is fastest at 500 to 1,000
WALK = 10_000
"""From so many sentences on it is learned beforehand where all tasks of the project stand."""
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Refused:
    """A sentence that was not sent, and why."""

    article_id: str
    sentence_id: str
    reason: str


@dataclass(frozen=True)
class PushReport:
    """What a push did, or with `dry_run` would do. Every sentence is in exactly one of the first six."""

    created: int
    predicted: int
    """Known already, and given a prediction of a model version they lacked."""
    unchanged: int
    repeated: int
    """Standing twice in the scores; the first was taken."""
    refused: tuple[Refused, ...]
    left: int
    """Scored and not pushed, because the budget was spent."""
    targets_without_slot: int
    copies_removed: int
    copies_kept: int
    """Tasks standing twice in the project on which people worked; they are left alone."""
    model_version: str | None
    project_id: int | None
    url: str | None
    dry_run: bool


def push(
    scores: Scores,
    project: str,
    *,
    server: Connection,
    dry_run: bool = False,
    known_only: bool = False,
    budget: int | None = None,
    progress: Progress = lambda done, total: None,
    walked: Callable[[int], None] = lambda done: None,
    patience: Patience | None = None,
    asked: Form | None = None,
) -> PushReport:
    """Bring the project of this title, made if there is none, to hold each content sentence of `scores`.

    `progress` is told (sentences done, of all), `walked` how many tasks of the project were looked at before.
    Invalid sentences are not sent and named in the report. `known_only`: no task is made, known ones get
    predictions they lack. `budget`: tasks are made until so many of these sentences stand in the project,
    reviewed or not, and those most worth a person's time come first; those that stand there are treated as
    without a budget. `asked` is the form, that of the package's signals unless given.

    Raises:
        UserError: where the scores cannot be read, the budget is below 1, the project's interface differs,
            another push to it runs, or the server keeps failing.
    """
    check_budget(budget)
    scored, patience, asked = Scored(scores), patience or Patience(), asked or form()
    config = interface(asked)
    work = _Work(scored, asked, config, budget, progress)

    def chart(board: Board) -> Board:
        if len(scored) < WALK:
            return board
        there = Scan(server, board.project, patience).tasks(None, "id,data", bare=True)
        return replace(board, places=Places(((t["id"], t["data"].get("key") or "") for t in there), walked))

    if dry_run:
        there = existing(server, project, config, patience)
        board = chart(Board(server, there.id, patience)) if there is not None else None
        for batch in work.batches(board):
            known = board.tasks(list(batch)) if board else {}
            count(work.tally, batch, *(look(board, batch, known) if board else (list(batch.values()), [])))
        return work.report(board, dry_run=True)
    name = hashlib.sha256(f"{server.url}\x1f{project}".encode()).hexdigest()[:16]
    place = home.data_dir() / "pushes" / f"{name}.lock"
    busy = f"another push to “{project}” is under way on this machine; wait for it to end"
    # Ten seconds: a killed predecessor may need a moment to be gone.
    with home.lock(place, patience=10, busy=busy):
        opened = open_project(server, project, config, patience)
        board = Board(server, opened.id, patience)
        note = Note(place.with_suffix(".json"))
        delivery = Delivery(board, asked, note, work.tally, known_only=known_only, chart=chart)
        for batch in work.batches(delivery.charted):
            delivery.deliver(batch)
        delivery.finish(scored.taken(), work.versions, BATCH)
        offer_order(server, opened.id, patience)
        if work.versions and opened.model_version != work.versions[-1]:
            # It decides which prediction fills the form, and only the first import sets it by itself.
            projects = server.api.projects
            read(lambda: projects.update(id=opened.id, model_version=work.versions[-1]), patience)
        return work.report(board, dry_run=False)


def check_budget(budget: int | None) -> None:
    """Raises UserError where a budget is below 1."""
    if budget is not None and budget < 1:
        raise UserError(f"the budget is how many sentences people are to review, 1 or more, not {budget}")


class _Work:
    """The scores on their way: what was taken, what was left out, how far it is."""

    def __init__(
        self, scored: Scored, form: Form, config: str, budget: int | None, progress: Progress
    ) -> None:
        self.scored, self.form, self.config = scored, form, config
        self.budget, self.progress = budget, progress
        self.tally: Counter[str] = Counter()
        self.refused: list[Refused] = []
        self.versions: list[str] = []
        self.total = 0

    def batches(self, board: Board | None) -> Iterator[dict[str, Task]]:
        """Valid tasks by key, BATCH at a time, of `board` those that a budget pays for; progress is told when
        the taker comes back."""
        there = 0
        if self.budget is not None and board is not None:
            there = self.scored.want_known(board.standing, BATCH)
        self.total = more = there + self._want(there)
        self._tell()
        while more:
            yield from self._pass()
            more = self._want(there)  # what was refused costs no budget
            self.total += more

    def _want(self, there: int) -> int:
        if self.budget is None:
            return self.scored.want()
        return self.scored.want(max(0, self.budget - there - self.tally["created"]))

    def _pass(self) -> Iterator[dict[str, Task]]:
        batch: dict[str, Task] = {}
        for task in self._valid():
            batch[task.key] = task
            if len(batch) == BATCH:
                yield batch
                self._tell()
                batch = {}
        if batch:
            yield batch
        self._tell()

    def report(self, board: Board | None, *, dry_run: bool) -> PushReport:
        told = ("created", "predicted", "unchanged", "targets_without_slot", "copies_removed", "copies_kept")
        return PushReport(
            **{name: self.tally[name] for name in told},
            repeated=self.scored.repeated,
            refused=tuple(self.refused),
            left=len(self.scored) - self._done(),
            model_version=self.versions[-1] if self.versions else None,
            project_id=board.project if board else None,
            url=f"{board.server.url}/projects/{board.project}/data" if board else None,
            dry_run=dry_run,
        )

    def _valid(self) -> Iterator[Task]:
        from label_studio_sdk.label_interface import LabelInterface

        validate = LabelInterface(self.config).validate_prediction
        for article in self.scored.articles():
            wanted = self.scored.take(article)
            if not wanted:
                continue
            for task in tasks(article, self.form, self.scored.sibling, self.scored.place):
                if task.key not in wanted:
                    continue
                wanted.remove(task.key)
                if reason := problem_of(task, self.form, validate):
                    self.refused.append(Refused(task.row["article_id"], task.row["sentence_id"], reason))
                    continue
                if task.version not in self.versions:
                    self.versions.append(task.version)
                yield task

    def _done(self) -> int:
        return self.tally["created"] + self.tally["predicted"] + self.tally["unchanged"] + len(self.refused)

    def _tell(self) -> None:
        self.progress(self._done(), self.total)
