"""The command that serves live predictions."""

from __future__ import annotations

from typing import Any

import click

from annotate.errors import UserError


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen at.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=9090, show_default=True, help="0: any free one."
)
@click.option(
    "--connect", "project", help="Title of the Label Studio project that is to ask for predictions."
)
@click.option("--url", help="Address at which Label Studio reaches this; default: from host and port.")
@click.option("--model", help="A model version or folder; default: the one that serves, whenever it changes.")
def serve(**how: Any) -> None:
    """Answer Label Studio with live predictions, for tasks that were not pushed with any.

    Whoever asks needs the user “annotate” and the secret, which is made the first time and kept in a file, or
    is that of ANNOTATE_SERVE_PASSWORD. When another model is promoted it serves from the next request on.

    \b
    Example: annotate serve --connect seeds
             annotate serve --host 0.0.0.0 --url https://predictions.example.org --connect seeds
    """
    try:
        import fastapi  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise UserError("Live predictions need more packages: pip install 'annotate-news[serve]'.") from None
    from annotate.serving.running import run

    run(**how, say=lambda line: click.echo(line, err=True))
