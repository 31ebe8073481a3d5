"""Commands that read articles: run, score, compare, targets."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from annotate.errors import UserError
from annotate.progress import Reported, console, progress

FORMATS = ("parquet", "csv", "jsonl", "table")


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
def run(paths: tuple[str, ...], project: str | None, **how: Any) -> None:
    """Score articles and put them before reviewers: the main job.

    Scores every sentence, opens a local Label Studio (unless LABEL_STUDIO_URL names your own), pushes,
    and prints where to review. Run it again at any time: nothing comes twice.

    Example: annotate run seeds/
    """
    from annotate.jobs import run_job

    with progress() as bars:
        reporter = Reported(bars)
        done = run_job(paths, project=project, reporter=reporter, **how)
    console().print(done.message(), highlight=False, soft_wrap=True)
    reporter.leave()


@click.command()
@options_for_reading
@click.option("--out", type=click.Path(path_type=Path), help="Where to write; its suffix names the format.")
@click.option("--format", "format_", type=click.Choice(FORMATS), help="Default: by --out, else a table.")
def score(paths: tuple[str, ...], out: Path | None, format_: str | None, **how: Any) -> None:
    """Score articles: to a parquet, csv or jsonl file, or as a coloured table in the terminal.

    PATH is a txt, html, csv, jsonl or parquet file, a folder of them, or - for standard input.

    Example: annotate score seeds/ --out scores.parquet
    """
    from annotate.jobs import score_job
    from annotate.output import format_of, writing
    from annotate.terminal import Lines

    chosen = format_of(out, format_)
    with progress() as bars:
        reporter = Reported(bars)
        if chosen == "table":
            lines = Lines(console())
            score_job(paths, lines, reporter=reporter, **how)
            lines.legend()
        else:
            with writing(out, chosen) as writer:
                score_job(paths, writer, reporter=reporter, **how)
    reporter.leave()


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
    from annotate.jobs import compare_job
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
