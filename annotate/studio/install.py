"""Label Studio in an environment of its own, with a migrated empty database beside it.

It is kept apart because it caps numpy, pyarrow and other packages that annotate needs newer. The
database is migrated once per version (some fifty seconds); a fresh server starts from a copy in five.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from annotate import home
from annotate.errors import UserError

VERSION = "1.23.2"
Say = Callable[[str], None]

# Nothing outside is told anything: no usage statistics, no crash reports, no version look-up.
SILENCE = {
    "COLLECT_ANALYTICS": "false",
    "SENTRY_DSN": "",
    "FRONTEND_SENTRY_DSN": "",
    "LATEST_VERSION_CHECK": "false",
}


def install(say: Say = lambda line: None) -> Path:
    """The Label Studio executable, installed first where it is not; `say` is told what takes long.

    A half-finished installation is found out and done again; of several callers one installs and the
    others wait. `ANNOTATE_LABEL_STUDIO_BIN` names an executable to use instead.
    """
    busy = "another process has been installing Label Studio for over half an hour; end it and try again"
    with home.lock(home.cache_dir() / "install.lock", patience=1800, busy=busy):
        given = os.environ.get("ANNOTATE_LABEL_STUDIO_BIN")
        executable = Path(given) if given else _environment(say)
        if given and not os.access(executable, os.X_OK):
            raise UserError(f"ANNOTATE_LABEL_STUDIO_BIN names {executable}, which is not a program")
        if not empty_database().exists():
            say("Preparing Label Studio's database (once, about a minute)")
            _migrate(executable)
    return executable


def empty_database() -> Path:
    """The migrated database without a user, from which every new one is copied."""
    return home.cache_dir() / f"label-studio-{VERSION}.sqlite3"


def environment(folder: Path) -> dict[str, str]:
    """The variables Label Studio runs with: its own, nothing inherited that could change what it does."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(folder),
        "LANG": "C.UTF-8",
        "LABEL_STUDIO_BASE_DATA_DIR": str(folder),
        **SILENCE,
    }


def _environment(say: Say) -> Path:
    folder = home.cache_dir() / f"label-studio-{VERSION}"
    done = folder / "installed"  # written last: without it the folder is a half-finished installation
    if done.exists() and os.access(folder / "bin" / "python", os.X_OK):
        return folder / "bin" / "label-studio"
    shutil.rmtree(folder, ignore_errors=True)
    say(f"Installing Label Studio {VERSION} (once, about two minutes)")
    _run([sys.executable, "-m", "venv", str(folder)], "making an environment for it", say)
    _run(
        [str(folder / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check",
         "--no-input", f"label-studio=={VERSION}"],
        "pip install", say,
    )  # fmt: skip
    done.touch()
    return folder / "bin" / "label-studio"


def _run(command: list[str], what: str, say: Say) -> None:
    log = home.cache_dir() / "install.log"
    packages = 0
    with log.open("w") as file:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if line.startswith("Collecting "):
                packages += 1
                say(f"Installing Label Studio {VERSION}: package {packages}, {line.split()[1]}")
            elif line.startswith("Installing collected packages"):
                say(f"Installing Label Studio {VERSION}: unpacking {packages} packages")
    if process.wait():
        last = [line for line in log.read_text().splitlines() if line.strip()][-1:] or ["no output"]
        raise UserError(
            f"Label Studio {VERSION} could not be installed: {what} failed with “{last[0].strip()}”; "
            f"the whole story is in {log}"
        )


def _migrate(executable: Path) -> None:
    log = home.cache_dir() / "install.log"
    # Any command migrates the database it finds; `version` does nothing else and ends.
    with tempfile.TemporaryDirectory(dir=home.cache_dir()) as scratch, log.open("w") as file:
        code = subprocess.run(
            [str(executable), "version"],
            env=environment(Path(scratch)),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
        ).returncode
        database = Path(scratch) / "label_studio.sqlite3"
        if code or not database.exists():
            raise UserError(
                f"Label Studio {VERSION} could not prepare its database; the whole story is in {log}"
            )
        database.replace(empty_database())
