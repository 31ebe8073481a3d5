"""Commands for those who make models: train, evaluate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from annotate.errors import UserError
from annotate.progress import Reported, progress


@click.command()
@click.argument("recipe", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder with the corpora.")
@click.option("--out", type=click.Path(path_type=Path), help="The model folder; default: beside the recipe.")
@click.option(
    "--run", "run_", type=click.Path(path_type=Path), help="Checkpoints and log; default: runs/NAME."
)
@click.option("--threads", type=click.IntRange(1), help="Processor threads; default: all cores.")
def train(recipe: Path, data: Path, out: Path | None, run_: Path | None, threads: int | None) -> None:
    """Train a model by a recipe, from corpora to a bundle with its card.

    Cut off at any moment, the same command goes on from the last checkpoint. Started by torchrun or
    accelerate launch, several processes train it together.

    \b
    Example: annotate train models/recipe.yaml --data corpora/
             torchrun --nproc-per-node 2 -m -- annotate train models/recipe.yaml --data corpora/
    """
    from annotate.training import processes
    from annotate.training.recipe import load_recipe
    from annotate.training.train import train as train_model

    if threads:
        import torch

        torch.set_num_threads(threads)
    with processes.joined() as first, progress(watched=first) as bars:
        name = load_recipe(recipe).name
        task = bars.add_task("Training")

        def show(step: int, steps: int, losses: str) -> None:
            bars.update(task, completed=step, total=steps, description=f"Training  {losses[:60]}")
            if first and step % 50 == 0 and not bars.console.is_terminal:
                click.echo(f"step {step} of {steps}  {losses}", err=True)

        folder = train_model(recipe, data, out or recipe.parent / name, run_ or Path("runs") / name, show)
    if first:
        click.echo(f"Wrote {folder}; its card is {folder / 'README.md'}.")


@click.command()
@click.option("--corpus", help="The corpus's name, such as newsmtsc.")
@click.option(
    "--split", type=click.Choice(["dev", "test"]), default="dev", show_default=True, help="Which part."
)
@click.option("--data", type=click.Path(path_type=Path), required=True, help="The folder with the corpora.")
@click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="A model folder, or a version's name; default: the serving one (for --card the shipped one).",
)
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
             annotate evaluate --card --model models/sixth --data corpora/
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
