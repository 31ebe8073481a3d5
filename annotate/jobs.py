"""The jobs behind the commands: read, score, push, in the order the data flows."""

from __future__ import annotations

import itertools
import shlex
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate.errors import UserError
from annotate.progress import Reporter
from annotate.reading import Problem, Targets, find_targets_file, load_targets, propose_targets, read

if TYPE_CHECKING:
    from annotate.article import Article
    from annotate.corrections.adjudication import HeldBack
    from annotate.corrections.correction import Correction
    from annotate.engine import Report
    from annotate.engine.run import EngineName
    from annotate.engine.storage import Folder
    from annotate.output import Writer
    from annotate.studio.push import PushReport
    from annotate.training.retrain import Outcome

LOOK_AHEAD = 200
"""Articles read ahead to find targets in, where no targets file is given."""
PROPOSED = 8
"""Targets taken from such a look."""


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


def rate(n: int, what: str, seconds: float) -> str:
    """How long so many took, in words."""
    return f"{n:,} {what} in {max(1, round(seconds))} s, {n / max(seconds, 1e-9):,.0f} a second"


def score_job(
    paths: Sequence[str],
    writer: Writer,
    *,
    reporter: Reporter,
    targets: Path | None = None,
    model: Path | None = None,
    any_language: bool = False,
    siblings: bool = True,
) -> int:
    """Score what the paths hold into a writer; the number of sentences. `siblings`: whether the articles are
    set beside each other.

    Raises:
        UserError: when nothing could be read, or for a bad targets file or model.
    """
    from annotate.scoring import load

    chosen = load_targets(targets) if targets else None
    articles = read(paths, any_language=any_language, on_problem=reporter.problem)
    first = next(articles, None)
    if first is None:
        raise UserError("There is no article to score in " + ", ".join(map(str, paths)) + ".")
    articles = itertools.chain([first], articles)
    if chosen is None:
        chosen, articles = default_targets(paths, articles, reporter)
    annotator = load(model)
    sentences = 0
    for table in annotator.stream(articles, chosen, siblings=siblings, progress=reporter.step):
        writer.write(table)
        sentences += table.num_rows
        reporter.step("Scoring sentences", sentences)
    return sentences


def archive_job(
    source: str,
    out: str,
    *,
    reporter: Reporter,
    engine: EngineName,
    workers: int | None = None,
    window: str | None = None,
    targets: Path | None = None,
    model: Path | None = None,
    any_language: bool = False,
    siblings: bool = True,
    dry_run: bool = False,
) -> Report:
    """Score an archive of parquet files, partition by partition (`annotate.engine`).

    Raises:
        UserError: for a source, destination, targets file, model or cluster that cannot be used.
    """
    from annotate.engine import Archive, score_archive

    folder = Path(model).resolve() if model and Path(model).is_dir() else model
    archive = Archive(
        source,
        out,
        model=str(folder) if folder else None,
        targets=load_targets(targets).aliases if targets else None,
        siblings=siblings,
        window=window,
        any_language=any_language,
    )
    return score_archive(
        archive,
        engine=engine,
        workers=workers,
        reporter=reporter,
        propose=lambda folder, names: targets_of(folder, names, reporter).aliases,
        dry_run=dry_run,
    )


def targets_of(source: Folder, names: Iterable[str], reporter: Reporter) -> Targets:
    """The targets file beside an archive's partitions, else the names most found in the first of them."""
    from annotate.reading.targets_file import TARGETS_NAMES

    for name in TARGETS_NAMES:
        with suppress(FileNotFoundError), source.fetched(name) as (path, _):
            if path.exists():
                return load_targets(path)
    return default_targets([], first_articles(source, names), reporter)[0]


def first_articles(source: Folder, names: Iterable[str]) -> Iterator[Article]:
    """The articles of an archive; what cannot be read is told of when it is scored."""
    for name in names:
        with source.fetched(name) as (path, _):
            yield from read([path], on_problem=lambda problem: None)


def default_targets(
    paths: Sequence[str], articles: Iterator[Article], reporter: Reporter
) -> tuple[Targets, Iterator[Article]]:
    """The targets file beside the articles, else the names most found in the first of them; and the
    articles, none lost."""
    beside = find_targets_file(paths)
    if beside is not None:
        return load_targets(beside), articles
    ahead = list(itertools.islice(articles, LOOK_AHEAD))
    proposed = propose_targets(ahead)[:PROPOSED]
    found = Targets({p.name: tuple(alias for alias, _ in p.aliases) for p in proposed})
    names = ", ".join(found.names) or "none"
    reporter.say(
        f"annotate: no targets file; stance is toward names found in the articles: {names}. "
        "To choose them, edit what `annotate targets` proposes and give it with --targets."
    )
    return found, itertools.chain(ahead, articles)


def compare_job(
    paths: Sequence[str],
    writer: Writer,
    *,
    reporter: Reporter,
    group_by: str | None = None,
    reference: Path | None = None,
    any_language: bool = False,
) -> int:
    """Set the articles that the paths hold beside each other, into a writer of `annotate.siblings.groups`;
    the number of sentences that have siblings.

    Raises:
        UserError: when nothing could be read, or the reference is no one text.
    """
    from annotate.comparing import grouped, read_reference

    articles = list(read(paths, any_language=any_language, group_by=group_by, on_problem=reporter.problem))
    if not articles:
        raise UserError("There is no article to compare in " + ", ".join(map(str, paths)) + ".")
    right = read_reference(reference, reporter.problem) if reference else None
    n = len(articles) + (right is not None)
    if n == 1:
        reporter.say("annotate: there is one article only, and nothing to set beside it.")
    found = grouped(
        articles,
        by_event=group_by is not None,
        reference=right,
        progress=lambda done, total: reporter.step("Comparing articles", done, total),
    )
    writer.write(found)
    if not len(found) and n > 1:
        reporter.say(
            f"annotate: no two of the {n} articles report the same thing; --group-by names a "
            "column that says which belong together."
        )
    return len(found)


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


def title_of(path: str) -> str:
    """A project's title from what is scored: the file's or folder's own name, in the 3 to 50 characters
    that Label Studio allows."""
    name = "standard input" if path == "-" else Path(path).resolve().stem.strip()
    return name[:50].strip() if len(name) > 2 else f"articles {name}".strip()


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


def safe_name(title: str) -> str:
    """A title as a file name."""
    return "".join(c if c.isalnum() or c in " ._-" else "_" for c in title).strip(" .") or "scores"
