"""Jobs on articles: score them, score an archive of them, set them beside each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.errors import UserError
from annotate.progress import Reporter
from annotate.reading import Targets, find_targets_file, load_targets, propose_targets, read

if TYPE_CHECKING:
    from annotate.article import Article
    from annotate.engine import Report
    from annotate.engine.run import EngineName
    from annotate.engine.storage import Folder
    from annotate.output import Writer

LOOK_AHEAD = 200
"""Articles read ahead to find targets in, where no targets file is given."""
PROPOSED = 8
"""Targets taken from such a look."""


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
