"""What a command shows while it works: bars, notices and errors, on standard error."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from annotate.reading import Problem


def console(stderr: bool = False) -> Console:
    """A rich console; not a terminal, it does not cut lines."""
    from rich.console import Console

    made = Console(stderr=stderr)
    return made if made.is_terminal else Console(stderr=stderr, width=10_000)


@contextmanager
def progress(watched: bool = True) -> Iterator[Progress]:
    """Progress bars on standard error that leave nothing behind; silent where nobody watches."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    shown = console(stderr=True)
    hidden = not (watched and shown.is_terminal)
    with Progress(*columns, console=shown, transient=True, disable=hidden) as bars:
        yield bars


class Reporter(Protocol):
    """What a job tells while it works."""

    def problem(self, problem: Problem) -> None:
        """Something could not be used, or was left out on purpose."""

    def say(self, line: str) -> None:
        """A line worth reading."""

    def stage(self, line: str) -> None:
        """What goes on now, for work that cannot be counted."""

    def step(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Progress of a part of the job."""


class Reported:
    """What a job tells while it works: notices and errors as they come, progress as bars."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self.errors = 0
        self.tasks: dict[str, Any] = {}
        self.stage_shown = ""

    def problem(self, problem: Any) -> None:
        """An error counts toward exit code 2; a notice does not."""
        self.errors += problem.error
        self.say(f"annotate: {problem}")

    def say(self, line: str) -> None:
        """A line on standard error, above the bars."""
        self.bars.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def stage(self, line: str) -> None:
        """What goes on now: on the terminal one line that changes, elsewhere a line per stage."""
        stage = re.split(r":| \(", line)[0]
        if self.bars.console.is_terminal:
            if "stage" not in self.tasks:
                self.tasks["stage"] = self.bars.add_task(line, total=None)
            self.bars.update(self.tasks["stage"], description=line)
        elif stage != self.stage_shown:
            self.say(f"annotate: {line}")
        self.stage_shown = stage

    def step(self, what: str, done: int | None = None, total: int | None = None) -> None:
        """Progress of a part of the job."""
        if what not in self.tasks:
            self.tasks[what] = self.bars.add_task(what, total=total)
        self.bars.update(self.tasks[what], completed=done, total=total)

    def leave(self) -> None:
        """End with exit code 2 if anything asked for was bad; what was good is done."""
        if self.errors:
            sys.exit(2)


def rate(n: int, what: str, seconds: float) -> str:
    """How long so many took, in words."""
    return f"{n:,} {what} in {max(1, round(seconds))} s, {n / max(seconds, 1e-9):,.0f} a second"
