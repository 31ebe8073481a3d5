"""Commands about Label Studio: push, and the local server."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from annotate.progress import Reported, console, progress


@click.command()
@click.argument("scores", type=click.Path(path_type=Path))
@click.option("--project", required=True, help="Title of the Label Studio project; made if there is none.")
@click.option(
    "--budget",
    type=int,
    metavar="N",
    help="Put N of these sentences before people, most useful first; default: all of them.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be pushed and write nothing.")
def push(scores: Path, project: str, budget: int | None, dry_run: bool) -> None:
    """Push scores (parquet) to Label Studio: every content sentence once, pre-annotated.

    After any failure run it again: it goes on where the server stands, and nothing comes twice.

    With --budget N sentences are added, those that teach the most when reviewed first, until N of these
    scores stand in the project; the rest stays in the file. What stands there counts, reviewed or not, keeps
    its place and gets new predictions: the same N again adds nothing, a larger one the next.

    \b
    Example: annotate push scores.parquet --project "Data security"
             annotate push archive.parquet --project Archive --budget 500
    """
    from annotate.jobs.studio import push_job

    with progress() as bars:
        reporter = Reported(bars)
        done = push_job(scores, project, budget=budget, dry_run=dry_run, reporter=reporter)
    console().print(done.message(), highlight=False, soft_wrap=True)
    reporter.leave()


@click.group()
def studio() -> None:
    """The local Label Studio: start, stop, status, open.

    Example: annotate studio start
    """


@studio.command()
def start() -> None:
    """Start it; installs it the first time into an environment of its own. Safe to call twice.

    Example: annotate studio start
    """
    from annotate.studio import server

    with progress() as bars:
        status = server.start(Reported(bars).stage)
    click.echo(where_to_log_in(status))


@studio.command()
def stop() -> None:
    """Stop it; projects and annotations stay.

    Example: annotate studio stop
    """
    from annotate.studio import server

    click.echo("Label Studio has stopped." if server.stop() else "No local Label Studio was running.")


@studio.command()
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object: running, url, user, token_file, version."
)
def status(as_json: bool) -> None:
    """Say whether it runs, and where.

    Example: annotate studio status --json
    """
    from annotate.studio import server

    now = server.status()
    if as_json:
        click.echo(json.dumps(asdict(now)))
    else:
        click.echo(where_to_log_in(now) if now.running else "No local Label Studio is running.")


@studio.command("open")
@click.argument("project", required=False)
def open_(project: str | None) -> None:
    """Open it in a browser, at a project if one is named.

    Example: annotate studio open seeds
    """
    from annotate.jobs.studio import page_job

    address = page_job(project)
    click.launch(address)
    click.echo(address)


def where_to_log_in(status: Any) -> str:
    """Address, user, and the file with the password."""
    return (
        f"Label Studio {status.version} runs at {status.url}\n"
        f"Log in as {status.user}; the password is in {status.password_file}"
    )
