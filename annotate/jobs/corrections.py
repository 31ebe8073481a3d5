"""Jobs on what people corrected: pull it, look at where they differ, retrain on it."""

from __future__ import annotations

import shlex
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from annotate.errors import UserError
from annotate.progress import Reporter, rate

if TYPE_CHECKING:
    from annotate.corrections.adjudication import HeldBack
    from annotate.corrections.correction import Correction
    from annotate.training.retrain import Outcome


@dataclass(frozen=True, slots=True)
class PulledNews:
    """A pull that ended, in numbers."""

    project: str
    new: int
    changed: int
    deleted: int
    annotations: int
    set_aside: int
    skipped: int
    snapshot: str | None
    dry_run: bool
    scanned: int
    """Tasks that were read."""
    seconds: float

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)

    def message(self) -> str:
        """What a person wants to read."""
        would = "would be " if self.dry_run else ""
        counts = f"{self.new} new, {self.changed} changed, {self.deleted} deleted"
        line = (
            f"“{self.project}”: {counts}; {self.annotations} annotations in all, {self.skipped} of them "
            f"skipped, {self.set_aside} {would}set aside. Read {rate(self.scanned, 'tasks', self.seconds)}."
        )
        return f"{line}\nThey are in {self.snapshot}" if self.snapshot else line


def pull_job(project: str, *, reporter: Reporter, full: bool = False, dry_run: bool = False) -> PulledNews:
    """Pull what annotators did into a snapshot.

    Raises:
        UserError: for a project or server that cannot be used, or a full disk.
    """
    from annotate.studio import client
    from annotate.studio.pull import pull

    began = time.monotonic()
    done = pull(
        project,
        server=client.connect(),
        full=full,
        dry_run=dry_run,
        say=lambda line: reporter.say(f"annotate: {line}"),
        progress=lambda n: reporter.step("Pulling annotations", n),
    )
    return PulledNews(
        project,
        done.new,
        done.changed,
        done.deleted,
        len(done.ledger),
        done.ledger.set_aside(),
        done.ledger.skipped(),
        str(done.snapshot.folder) if done.snapshot else None,
        dry_run,
        done.scanned,
        round(time.monotonic() - began, 3),
    )


def corrections_job(project: str) -> list[Correction]:
    """What the last pull of a project brought.

    Raises:
        UserError: when nothing was pulled yet.
    """
    from annotate.corrections import snapshot
    from annotate.studio import client

    said: list[str] = []
    server = client.connect()
    found, _ = snapshot.latest(snapshot.place(server.url, project), said.append)
    if found is None:
        raise UserError(
            f"Nothing was pulled from “{project}” yet; run `annotate pull --project {shlex.quote(project)}`."
        )
    return found.corrections


def disagreements_job(project: str, *, queue: bool = False) -> tuple[list[HeldBack], str | None]:
    """The answers that are held back and, if asked for, the address of a tab with their sentences.

    Raises:
        UserError: when nothing was pulled yet, or the server cannot be used.
    """
    from annotate.corrections.adjudication import adjudicate

    held_back = adjudicate(corrections_job(project)).held_back
    if not queue or not held_back:
        return held_back, None
    from annotate.studio import client
    from annotate.studio.queue import send_back

    keys = list(dict.fromkeys(one.key for one in held_back))
    return held_back, send_back(client.connect(), project, keys)


def retrain_job(project: str, *, reporter: Reporter, **how: Any) -> Outcome:
    """Retrain on a project's corrections (`annotate.training.retrain`).

    Raises:
        UserError: for a project, server or corpus that cannot be used, or a full disk.
    """
    from annotate.studio import client
    from annotate.training.retrain import retrain

    return retrain(project, server=client.connect(), reporter=reporter, **how)
