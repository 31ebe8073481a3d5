"""Commands that read articles: run, score, compare, targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from annotate.errors import UserError
from annotate.progress import Reported, console, progress

if TYPE_CHECKING:
    from annotate.engine.run import EngineName

FORMATS = ("parquet", "csv", "jsonl", "table")
ENGINES = ("local", "ray")


def options_for_reading(command: Callable[..., None]) -> Callable[..., None]:
    """The paths and options of every command that reads and scores articles."""
    for option in (
        click.option(
            "--model",
            type=click.Path(path_type=Path),
            help="A model folder, or a version's name; default: the serving one.",
        ),
        click.option("--any-language", is_flag=True, help="Also score articles that are not English."),
        click.option(
            "--siblings/--no-siblings",
            default=True,
            help="Whether articles on one event are set beside each other; default: they are.",
        ),
        click.option(
            "--targets",
            type=click.Path(path_type=Path),
            help="A targets file; default: targets.yaml beside the articles, else names found in them.",
        ),
        click.argument("paths", nargs=-1, required=True, metavar="PATH..."),
    ):
        command = option(command)
    return command


@click.command()
@options_for_reading
@click.option("--project", help="Title of the Label Studio project; default: the name of the first PATH.")
@click.option(
    "--budget",
    type=int,
    metavar="N",
    help="Put N of the sentences before people, most useful first; default: all of them.",
)
def run(paths: tuple[str, ...], project: str | None, **how: Any) -> None:
    """Score articles and put them before reviewers: the main job.

    Scores every sentence, opens a local Label Studio (unless LABEL_STUDIO_URL names your own), pushes,
    and prints where to review. Run it again at any time: nothing comes twice.

    Example: annotate run seeds/
    """
    from annotate.jobs.studio import run_job

    with progress() as bars:
        reporter = Reported(bars)
        done = run_job(paths, project=project, reporter=reporter, **how)
    console().print(done.message(), highlight=False, soft_wrap=True)
    reporter.leave()


@click.command()
@options_for_reading
@click.option(
    "--out", type=click.Path(), help="Where to write; its suffix names the format. With --engine: a folder."
)
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: by --out, else a table.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    help="Score an archive partition by partition: here, or on the Ray cluster of RAY_ADDRESS.",
)
@click.option("--workers", type=click.IntRange(1), help="With --engine ray; default: one for each core.")
@click.option(
    "--window", metavar="COLUMN", help="With --engine: no article is compared outside its day, or event."
)
@click.option("--dry-run", is_flag=True, help="With --engine: only say what there is to do.")
def score(
    paths: tuple[str, ...],
    out: str | None,
    format_: str | None,
    engine: EngineName | None,
    workers: int | None,
    window: str | None,
    dry_run: bool,
    **how: Any,
) -> None:
    """Score articles: to a parquet, csv or jsonl file, or as a coloured table in the terminal.

    PATH is a txt, html, csv, jsonl or parquet file, a folder of them, or - for standard input.

    With --engine PATH is a folder of parquet files, here or at an address such as s3://bucket/news, and each
    gives one file in the folder --out. Killed at any time, the same command goes on where it stood.

    \b
    Example: annotate score seeds/ --out scores.parquet
             annotate score s3://bucket/news --engine ray --out s3://bucket/scores
    """
    from annotate.jobs.articles import archive_job, score_job
    from annotate.output import format_of, writing
    from annotate.terminal import Lines

    if engine is not None:
        source, folder = an_archive(paths, out, format_)
        if workers and engine == "local":
            raise UserError("--engine local is one process; leave --workers out, or use --engine ray.")
        with progress() as bars:
            reporter = Reported(bars)
            done = archive_job(
                source,
                folder,
                reporter=reporter,
                engine=engine,
                workers=workers,
                window=window,
                dry_run=dry_run,
                **how,
            )
        if not dry_run:
            click.echo(done.message(), err=True)
        reporter.leave()
        return
    if workers or window or dry_run:
        raise UserError("--workers, --window and --dry-run belong to an archive; add --engine.")
    file = Path(out) if out else None
    chosen = format_of(file, format_)
    with progress() as bars:
        reporter = Reported(bars)
        if chosen == "table":
            lines = Lines(console())
            score_job(paths, lines, reporter=reporter, **how)
            lines.legend()
        else:
            with writing(file, chosen) as writer:
                score_job(paths, writer, reporter=reporter, **how)
    reporter.leave()


def an_archive(paths: tuple[str, ...], out: str | None, format_: str | None) -> tuple[str, str]:
    """The source and the destination that --engine asks for.

    Raises:
        UserError: when there are not one of each, or another format is asked for.
    """
    if len(paths) != 1 or paths[0] == "-":
        raise UserError("--engine scores one folder of parquet files; name one PATH.")
    if out is None:
        raise UserError("--engine writes a folder of parquet files; name it with --out.")
    if format_ not in (None, "parquet"):
        raise UserError(f"--engine writes parquet, not {format_}; leave --format out.")
    return paths[0], out


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--group-by", metavar="COLUMN", help="A column that names each article's event; default: found."
)
@click.option(
    "--reference",
    type=click.Path(path_type=Path),
    help="A text that is known to be right, such as an official transcript; it outweighs the others.",
)
@click.option("--any-language", is_flag=True, help="Also compare articles that are not English.")
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; its suffix names the format.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: by --out, else a table.")
def compare(paths: tuple[str, ...], out: Path | None, format_: str | None, **how: Any) -> None:
    """Set articles on one event beside each other: which sentences report the same thing, and where the
    wording of one says something else.

    \b
    Example: annotate compare seeds/
             annotate compare articles.csv --group-by event --out groups.parquet
    """
    from annotate.jobs.articles import compare_job
    from annotate.output import format_of, writing
    from annotate.siblings.groups import schema
    from annotate.sidebyside import Groups

    chosen = format_of(out, format_)
    with progress() as bars:
        reporter = Reported(bars)
        if chosen == "table":
            compare_job(paths, Groups(console()), reporter=reporter, **how)
        else:
            with writing(out, chosen, schema()) as writer:
                compare_job(paths, writer, reporter=reporter, **how)
    reporter.leave()


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Write the targets file here; default: print it."
)
def targets(paths: tuple[str, ...], out: Path | None) -> None:
    """Propose targets and their aliases from the articles, as a targets file to edit.

    Example: annotate targets seeds/ --out targets.yaml
    """
    from annotate.reading import propose_targets, read, to_yaml

    with progress() as bars:
        reporter = Reported(bars)
        proposed = to_yaml(propose_targets(read(paths, on_problem=reporter.problem)))
    if out is None:
        click.echo(proposed, nl=False)
    elif out.exists():
        raise UserError(f"{out} exists already; name another file with --out, or delete it.")
    else:
        out.write_text(proposed, encoding="utf-8")
        click.echo(f"Wrote {out}; edit it, then score with --targets {out}.", err=True)
    reporter.leave()
