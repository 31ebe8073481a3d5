"""Commands about what annotators did: pull, agreement, disagreements, retrain."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from annotate.progress import Reported, progress

PROJECT = click.option("--project", required=True, help="Title of the Label Studio project.")


@click.command()
@PROJECT
@click.option("--full", is_flag=True, help="Compare with everything on the server, deleted tasks included.")
@click.option("--dry-run", is_flag=True, help="Say what would be pulled and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def pull(project: str, full: bool, dry_run: bool, as_json: bool) -> None:
    """Pull what annotators have done since the last pull, into a snapshot that is never changed.

    After any failure run it again: nothing is lost and nothing counts twice.

    Example: annotate pull --project seeds
    """
    from annotate.jobs.corrections import pull_job

    with progress() as bars:
        reporter = Reported(bars)
        done = pull_job(project, full=full, dry_run=dry_run, reporter=reporter)
    click.echo(json.dumps(done.to_dict()) if as_json else done.message())


@click.command()
@PROJECT
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def agreement(project: str, as_json: bool) -> None:
    """How far annotators agree, per signal, per annotator and over time, in the last snapshot.

    Example: annotate agreement --project seeds
    """
    from annotate.corrections.agreement import agreement as reckon
    from annotate.jobs.corrections import corrections_job

    found = reckon(corrections_job(project))
    click.echo(json.dumps(found.to_dict()) if as_json else "\n".join(found.lines()))


@click.command()
@PROJECT
@click.option("--queue", is_flag=True, help="Send them back to Label Studio, as a tab of the project.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each line.")
def disagreements(project: str, queue: bool, as_json: bool) -> None:
    """List the answers that annotators do not agree on and that nobody has settled; they are trained on only
    when most of them say the same, or one annotation is marked as ground truth.

    Example: annotate disagreements --project seeds --queue
    """
    from annotate.jobs.corrections import disagreements_job

    held_back, address = disagreements_job(project, queue=queue)
    for one in held_back:
        click.echo(json.dumps(one.to_dict(), ensure_ascii=False) if as_json else one.line())
    if address:
        click.echo(f"Settle them at {address}", err=as_json)
    if not held_back:
        click.echo("There are no disagreements.", err=as_json)


@click.command()
@PROJECT
@click.option(
    "--min-corrections",
    type=click.IntRange(1),
    default=20,
    show_default=True,
    help="Annotations that must be new or changed since the last run.",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="The folder with the research corpora, if you have them."
)
@click.option("--dry-run", is_flag=True, help="Say what would be done; train and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="The run's record as one JSON object.")
@click.option("--threads", type=click.IntRange(1), help="Processor threads; default: all cores.")
def retrain(project: str, as_json: bool, threads: int | None, **how: Any) -> None:
    """Turn corrections into a better model: pull, train, judge, promote or refuse, predict anew.

    Killed at any moment, the same command goes on where it was. The exit code is 0 when the model was
    promoted or there was nothing to do, 3 when it was refused, 4 when another run is at work, 2 for what you
    can mend. Started by torchrun or accelerate launch, several processes train together.

    \b
    Example: annotate retrain --project seeds
             annotate retrain --project seeds --min-corrections 100 --json
    """
    from annotate.jobs.corrections import retrain_job
    from annotate.training import processes

    if threads:
        import torch

        torch.set_num_threads(threads)
    with processes.joined() as first, progress(watched=first) as bars:
        if not first:
            processes.follow()
            return
        outcome = retrain_job(project, reporter=Reported(bars), **how)
        processes.release()
    if as_json:
        told = {"verdict": outcome.verdict, "lines": outcome.lines, **outcome.record}
        click.echo(json.dumps(told, ensure_ascii=False))
    else:
        click.echo("\n".join(outcome.lines))
    sys.exit(outcome.exit_code)
