"""Where things live on this machine, and locks that a dead process does not hold.

`ANNOTATE_HOME` moves everything (cache and data) to one folder; without it the platform's own user
folders are used.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from annotate.errors import Busy, UserError


def cache_dir() -> Path:
    """What can be made again: the installed Label Studio and its migrated, empty database."""
    return _folder("cache", platformdirs.user_cache_dir("annotate"))


def data_dir() -> Path:
    """What cannot: databases, credentials, logs."""
    return _folder("data", platformdirs.user_data_dir("annotate"))


def _folder(name: str, default: str) -> Path:
    home = os.environ.get("ANNOTATE_HOME")
    folder = Path(home).expanduser() / name if home else Path(default)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        raise UserError(
            f"cannot use the folder {folder} ({problem.strerror}); "
            "set ANNOTATE_HOME to a folder you can write to"
        ) from None
    return folder


def is_locked(path: Path) -> bool:
    """Whether a living process holds `path`."""
    if not path.exists():
        return False
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)  # shared: two who ask do not see each other
        except BlockingIOError:
            return True
    return False


def write(path: Path, text: str | Iterable[str], mend: str = "make room and run again") -> None:
    """A file of this text, or of its pieces, written whole or not at all; `mend`: what a person can do where
    it cannot be.

    Raises:
        UserError: when it cannot be written.
    """
    partial = path.with_name(path.name + ".partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("w", encoding="utf-8") as file:
            file.writelines([text] if isinstance(text, str) else text)
        os.replace(partial, path)
    except OSError as error:
        raise UserError(f"{path} could not be written ({error.strerror}); {mend}.") from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


@contextmanager
def lock(path: Path, *, patience: float, busy: str) -> Iterator[None]:
    """Hold `path` for this process alone; after `patience` seconds of waiting raise Busy(`busy`).

    The kernel lets go of the lock when the process ends, however it ends.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as file:
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise Busy(busy) from None
                time.sleep(0.1)
        yield
