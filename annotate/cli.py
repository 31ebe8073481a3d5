"""The `annotate` command, put together of one thin subcommand per job. Heavy imports wait until a job needs
them."""

from __future__ import annotations

import errno
import sys
from typing import Any

import click

from annotate.commands import articles, corrections, models, report, serving, studio, training
from annotate.errors import UserError

COMMANDS = (
    articles.run,
    articles.score,
    articles.compare,
    articles.targets,
    report.report,
    studio.push,
    corrections.pull,
    corrections.agreement,
    corrections.disagreements,
    corrections.retrain,
    models.models,
    training.train,
    training.evaluate,
    serving.serve,
    studio.studio,
)

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What the system says of a disk, a quota or a file size limit that is used up."""


class Group(click.Group):
    """Shows a UserError as its one sentence and ends with its exit code, 2; never a traceback."""

    def main(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().main(*args, **kwargs)
        except UserError as error:
            click.echo(f"annotate: {error}", err=True)
            sys.exit(error.exit_code)
        except OSError as error:
            if error.errno not in FULL:
                raise
            where = f" for {error.filename}" if error.filename else ""
            click.echo(
                f"annotate: There is no room left on the disk{where}; make some and run again.", err=True
            )
            sys.exit(UserError.exit_code)


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="annotate-news", prog_name="annotate")
def main() -> None:
    """Mark, sentence by sentence, who takes which stance toward whom in news articles, what is hedged,
    what is loaded, and what went wrong in translation; review it in Label Studio.

    Start with: annotate run seeds/
    """


for command in COMMANDS:
    main.add_command(command)


if __name__ == "__main__":
    main()
