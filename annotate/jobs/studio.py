"""Jobs that put scores before people: push them to Label Studio, and the main job, which scores first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.errors import UserError
from annotate.jobs.articles import score_job
from annotate.progress import Reporter, rate
from annotate.reading import Problem

if TYPE_CHECKING:
    from annotate.studio.push import PushReport


@dataclass(frozen=True, slots=True)
class Pushed:
    """A push that ended, and how to get to what it made."""

    project: str
    report: PushReport
    login: str | None
    """How to log in, for the local server."""
    seconds: float

    def message(self) -> str:
        """What a person wants to read at the end."""
        r = self.report
        there = r.created + r.predicted + r.unchanged
        verb = "would stand" if r.dry_run else "stand"
        lines = [
            f"{there} sentences {verb} in the project “{self.project}”: {r.created} new, "
            f"{r.predicted} with a new prediction, {r.unchanged} unchanged."
        ]
        if r.left:
            lines.append(f"{r.left} more are in the scores alone; a larger --budget adds the next of them.")
        if there and not r.dry_run:
            lines.append(f"Went through {rate(there, 'sentences', self.seconds)}.")
        if r.url:
            lines.append(f"Review them at {r.url}")
        if self.login and not r.dry_run:
            lines.append(self.login)
        return "\n".join(lines)


def push_job(
    scores: Path, project: str, *, reporter: Reporter, budget: int | None = None, dry_run: bool = False
) -> Pushed:
    """Push a scores file to the configured Label Studio, or to the local one, which is started if need be;
    with a budget only what is most worth a person's time (`annotate.studio.push.push`).

    Raises:
        UserError: for scores that cannot be read, a bad budget or a server that cannot be used.
    """
    from annotate.studio import client, server
    from annotate.studio.push import push

    if not scores.is_file():
        raise UserError(f"{scores} is not there; write one with `annotate score PATH --out {scores}`.")
    login = None
    if not client.configured():
        status = server.start(reporter.stage)
        login = f"Log in as {status.user}; the password is in {status.password_file}"
    began = time.monotonic()
    report = push(
        scores,
        project,
        server=client.connect(),
        dry_run=dry_run,
        budget=budget,
        progress=lambda done, total: reporter.step("Pushing sentences", done, total),
        walked=lambda done: reporter.step("Looking at the project", done),
    )
    seconds = time.monotonic() - began
    for refused in report.refused:
        reporter.problem(Problem(f"sentence {refused.sentence_id} of {refused.article_id}: {refused.reason}"))
    if report.targets_without_slot:
        reporter.say(
            f"annotate: {report.targets_without_slot} stances are in the scores but not in Label Studio, "
            "whose form has room for four targets a sentence."
        )
    return Pushed(project, report, login, seconds)


def run_job(
    paths: Sequence[str],
    *,
    reporter: Reporter,
    project: str | None = None,
    budget: int | None = None,
    targets: Path | None = None,
    model: Path | None = None,
    any_language: bool = False,
    siblings: bool = True,
) -> Pushed:
    """The main job: score, and push to Label Studio. The scores stay in the user's data folder.

    Raises:
        UserError: as `score_job` and `push_job`.
    """
    from annotate import home
    from annotate.output import writing
    from annotate.studio.push import check_budget

    check_budget(budget)
    title = project or title_of(paths[0])
    folder = home.data_dir() / "scores"
    scores = folder / (safe_name(title) + ".parquet")
    with writing(scores, "parquet") as writer:
        score_job(
            paths,
            writer,
            reporter=reporter,
            targets=targets,
            model=model,
            any_language=any_language,
            siblings=siblings,
        )
    reporter.say(f"annotate: the scores are in {scores}")
    return push_job(scores, title, reporter=reporter, budget=budget)


def page_job(project: str | None) -> str:
    """The address of the configured or local Label Studio, at a project if one is named.

    Raises:
        UserError: when no server runs, or it has no such project.
    """
    from annotate.studio import client
    from annotate.studio.calls import Patience
    from annotate.studio.project import find

    server = client.connect()
    if project is None:
        return server.url
    found = find(server, project, Patience())
    if not found:
        raise UserError(f"Label Studio at {server.url} has no project “{project}”; `annotate push` makes it.")
    return f"{server.url}/projects/{found[0].id}/data"


def title_of(path: str) -> str:
    """A project's title from what is scored: the file's or folder's own name, in the 3 to 50 characters
    that Label Studio allows."""
    name = "standard input" if path == "-" else Path(path).resolve().stem.strip()
    return name[:50].strip() if len(name) > 2 else f"articles {name}".strip()


def safe_name(title: str) -> str:
    """A title as a file name."""
    return "".join(c if c.isalnum() or c in " ._-" else "_" for c in title).strip(" .") or "scores"
