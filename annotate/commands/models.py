"""Commands about the versions of the model on this machine: list, show, promote, rollback, diff."""

from __future__ import annotations

import json
from typing import Any

import click

FIGURES, WIDTH = 5, 60
"""Figures in a row of the list, and characters of a value, before they are cut."""
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")
REASON = click.option("--reason", default="by hand", show_default=True, help="Kept in the history.")


@click.group()
def models() -> None:
    """Versions of the model on this machine, and which of them serves.

    Example: annotate models list
    """


@models.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object for each version.")
def list_(as_json: bool) -> None:
    """List the versions, the oldest first; a star marks the one that serves.

    Example: annotate models list
    """
    from rich.table import Table

    from annotate import registry
    from annotate.progress import console

    found = registry.versions()
    if as_json:
        for version in found:
            click.echo(json.dumps(version.to_dict(), ensure_ascii=False))
    else:
        table = Table("", "name", "created", "parent", "snapshot", "figures", box=None, pad_edge=False)
        for version in found:
            table.add_row(
                "*" if version.serving else "",
                version.name,
                version.created[:16] if version.created else "with the package",
                version.parent or "",
                version.snapshot or "",
                _few(registry.measured(version.figures)),
            )
        console().print(table, highlight=False, markup=False)
    for problem in registry.problems():
        click.echo(f"annotate: {problem}", err=True)


@models.command()
@click.argument("name")
@AS_JSON
def show(name: str, as_json: bool) -> None:
    """Show all that is known of a version: where it comes from, its figures, and when it served.

    Example: annotate models show sixth-0123456789ab
    """
    from annotate import registry
    from annotate.model.bundle import read_config

    version = registry.version(name)
    config = read_config(version.folder)
    changes = [change for change in registry.history() if name in (change.before, change.to)]
    if as_json:
        told = {**version.to_dict(), "config": config, "history": [c.to_dict() for c in changes]}
        click.echo(json.dumps(told, ensure_ascii=False))
        return
    click.echo(f"{version.name}{' serves' if version.serving else ''}")
    lines = {
        "folder": version.folder,
        "created": version.created or "with the package",
        "parent": version.parent,
        "snapshot": version.snapshot,
        "project": config["training"].get("project"),
        "encoder": config["encoder"]["name"],
        "signals": ", ".join(config["settings"]),
        "corpora": _counts(config["training"].get("rows", {})),
        "corrections": _counts(config["training"].get("taught", {})),
    }
    for what, said in lines.items():
        if said:
            click.echo(f"{what:12} {said}")
    for what, figure in registry.measured(version.figures).items():
        click.echo(f"{figure:12.3f} {what}")
    for change in changes:
        click.echo(f"{change.when[:16]}: {change.sentence()}")


@models.command()
@click.argument("name")
@REASON
def promote(name: str, reason: str) -> None:
    """Let a version serve from now on. Work that is under way ends with the model it began with.

    Example: annotate models promote sixth-0123456789ab --reason "tried on Monday's articles"
    """
    from annotate import registry

    click.echo(f"{registry.promote(name, reason).name} serves now.")


@models.command()
@REASON
def rollback(reason: str) -> None:
    """Go back to the version that served before; once more, to the one before that.

    Example: annotate models rollback --reason "too many false alarms"
    """
    from annotate import registry

    now = registry.rollback(reason).name
    click.echo(f"{now} serves now, in place of {registry.history()[-1].before}.")


@models.command()
@click.argument("a")
@click.argument("b")
@AS_JSON
def diff(a: str, b: str, as_json: bool) -> None:
    """Show where two versions differ: corpora, corrections, recipe, settings and figures.

    Example: annotate models diff sixth-0123456789ab retrained-2026-01-31-ba9876543210
    """
    from annotate import registry

    found = registry.diff(a, b)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for section, rows in found.items():
        if rows:
            click.echo(section)
        for key, (one, other) in rows.items():
            click.echo(f"  {key}: {_short(one)} -> {_short(other)}")
    if not any(found.values()):
        click.echo("They do not differ.")


def _few(figures: dict[str, float]) -> str:
    shown = [f"{what} {figure:.3f}" for what, figure in list(figures.items())[:FIGURES]]
    return "; ".join(shown) + ("; …" if len(figures) > FIGURES else "")


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{n} of {name}" for name, n in counts.items())


def _short(value: Any) -> str:
    if value is None:
        return "none"
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
