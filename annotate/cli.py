"""The `annotate` command: one thin subcommand per job. Heavy imports wait until a job needs them."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from annotate.errors import UserError
from annotate.progress import Reported, console, progress

FORMATS = ("parquet", "csv", "jsonl", "table")


class Group(click.Group):
    """Shows a UserError as its one sentence and ends with exit code 2; never a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except UserError as error:
            click.echo(f"annotate: {error}", err=True)
            sys.exit(2)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="annotate-news", prog_name="annotate")
def main() -> None:
    """Mark, sentence by sentence, who takes which stance toward whom in news articles, what is hedged,
    what is loaded, and what went wrong in translation; review it in Label Studio.

    Start with: annotate run seeds/
    """


def options_for_reading(command: Callable[..., None]) -> Callable[..., None]:
    """The paths and options of every command that reads and scores articles."""
    for option in (
        click.option(
            "--model", type=click.Path(path_type=Path), help="A model folder; default: the shipped one."
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


@main.command()
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


@main.command()
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


@main.command()
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


@main.command()
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


@main.command()
@click.argument("scores", type=click.Path(path_type=Path))
@click.option("--project", required=True, help="Title of the Label Studio project; made if there is none.")
@click.option("--dry-run", is_flag=True, help="Say what would be pushed and write nothing.")
def push(scores: Path, project: str, dry_run: bool) -> None:
    """Push scores (parquet) to Label Studio: every content sentence once, pre-annotated.

    After any failure run it again: it goes on where the server stands, and nothing comes twice.

    Example: annotate push scores.parquet --project "Data security"
    """
    from annotate.jobs import push_job

    with progress() as bars:
        reporter = Reported(bars)
        done = push_job(scores, project, dry_run=dry_run, reporter=reporter)
    console().print(done.message(), highlight=False, soft_wrap=True)
    reporter.leave()


@main.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder with the corpora.")
@click.option("--out", type=click.Path(path_type=Path), help="The model folder; default: beside the recipe.")
@click.option(
    "--run", "run_", type=click.Path(path_type=Path), help="Checkpoints and log; default: runs/NAME."
)
@click.option("--threads", type=click.IntRange(1), help="Processor threads; default: all cores.")
def train(recipe: Path, data: Path, out: Path | None, run_: Path | None, threads: int | None) -> None:
    """Train a model by a recipe, from corpora to a bundle with its card.

    Cut off at any moment, the same command goes on from the last checkpoint.

    Example: annotate train models/recipe.yaml --data corpora/
    """
    from annotate.training.recipe import load_recipe
    from annotate.training.train import train as train_model

    name = load_recipe(recipe).name
    if threads:
        import torch

        torch.set_num_threads(threads)
    with progress() as bars:
        task = bars.add_task("Training")

        def show(step: int, steps: int, losses: str) -> None:
            bars.update(task, completed=step, total=steps, description=f"Training  {losses[:60]}")
            if step % 50 == 0 and not bars.console.is_terminal:
                click.echo(f"step {step} of {steps}  {losses}", err=True)

        folder = train_model(recipe, data, out or recipe.parent / name, run_ or Path("runs") / name, show)
    click.echo(f"Wrote {folder}; its card is {folder / 'README.md'}.")


@main.command()
@click.option("--corpus", help="The corpus's name, such as newsmtsc.")
@click.option(
    "--split", type=click.Choice(["dev", "test"]), default="dev", show_default=True, help="Which part."
)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder with the corpora.")
@click.option("--model", type=click.Path(path_type=Path), help="A model folder; default: the shipped one.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--card", is_flag=True, help="Measure on every corpus, dev and test, and write the model's card."
)
def evaluate(
    corpus: str | None, split: Any, data: Path, model: Path | None, as_json: bool, card: bool
) -> None:
    """Measure a model on a corpus by the corpus's own published metric, with 95 % intervals; or on all of
    them, and write its card.

    \b
    Example: annotate evaluate --corpus newsmtsc --split dev --data corpora/
             annotate evaluate --card --model models/third --data corpora/
    """
    from annotate.training import assessment, evaluation

    if card is bool(corpus):
        raise UserError("Give either --corpus NAME or --card.")
    with progress() as bars:
        reporter = Reported(bars)
        if corpus is None:
            written = assessment.write(model, data, reporter.step)
        else:
            found = evaluation.evaluate(corpus, split, data, model, progress=reporter.step)
    if corpus is None:
        click.echo(f"Wrote {written}.")
        return
    details = found.pop("details")
    if as_json:
        click.echo(json.dumps(found))
        return
    click.echo(f"{found['corpus']} {found['split']}, {found['model']}")
    for metric, figure in {found["metric"]: found, **found["others"]}.items():
        low, high = figure["interval"]
        click.echo(f"{metric:34} {figure['value']:.3f}  [{low:.3f}, {high:.3f}]  n={figure['n']}")
    for row in details:
        click.echo(
            "  ".join(f"{key}: {x:.2f}" if isinstance(x, float) else f"{key}: {x}" for key, x in row.items())
        )


@main.group()
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
    from annotate.jobs import page_job

    address = page_job(project)
    click.launch(address)
    click.echo(address)


def where_to_log_in(status: Any) -> str:
    """Address, user, and the file with the password."""
    return (
        f"Label Studio {status.version} runs at {status.url}\n"
        f"Log in as {status.user}; the password is in {status.password_file}"
    )


if __name__ == "__main__":
    main()
