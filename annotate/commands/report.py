"""The command that makes a page of scores: report."""

from __future__ import annotations

from pathlib import Path

import click

from annotate.progress import console
from annotate.report.limits import ARTICLES


@click.command()
@click.argument("scores", metavar="SCORES")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("report.html"),
    show_default=True,
    help="The page to write.",
)
@click.option(
    "--articles",
    type=click.IntRange(min=0),
    default=ARTICLES,
    show_default=True,
    help="How many articles the page shows sentence by sentence; figures are always over all.",
)
def report(scores: str, out: Path, articles: int) -> None:
    """Write scores as one page to read, print and send: figures with their intervals, who is quoted, the same
    news side by side, and every article with its spans marked.

    SCORES is a file that `annotate score` wrote. The page needs no network and no other file. Its figures
    rest on all articles; the sentences of the first 500 stand in it, as an article takes about 30 kB and a
    browser is slow with thousands. For others, write the rows you want to a file of their own.

    Example: annotate report scores.parquet --out report.html
    """
    from annotate.report import write_report

    left_out = write_report(scores, out, articles=articles)
    told = console()
    told.print(f"Wrote {out}; open it in a browser.", highlight=False, soft_wrap=True)
    if left_out:
        click.echo(
            f"annotate: {left_out} articles count in the figures but are not shown; "
            "--articles shows more, or make a page of fewer rows.",
            err=True,
        )
