"""A throw-away PostgreSQL, and a Label Studio that keeps its data in it.

The cluster listens on a Unix socket in its own temporary folder. Label Studio's tables are made once per
version and kept in the user's cache, as they take a minute.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from annotate import home
from annotate.studio import server
from annotate.studio.client import URL, Connection, connect
from annotate.studio.install import VERSION, environment, install

SECONDS = 60
BIN = "ANNOTATE_LABEL_STUDIO_BIN"


def missing() -> str | None:
    """Why no PostgreSQL can be started here; None where one can."""
    for program in ("initdb", "pg_ctl", "postgres"):
        if shutil.which(program) is None:
            return f"no {program} on this machine: apt-get install postgresql, and put its programs on PATH"
    if os.geteuid() == 0 and _owner() is None:
        return "PostgreSQL does not run as root, and there is no user `postgres` or `nobody` to run it as"
    return None


@contextmanager
def postgres(data: Path | None = None, *, keep: Path | None = None) -> Iterator[Path]:
    """A running cluster, empty or begun with a copy of `data`: the folder of its socket. In the end it is
    gone; its data are copied to `keep`."""
    # Not below a folder of pytest's: those are closed to the user whom the cluster runs as, and a socket's
    # path has at most 107 characters.
    place = Path(tempfile.mkdtemp(prefix="annotate-postgres-"))
    try:
        if data is not None:
            shutil.copytree(data, place / "data")
        _own(place)
        if data is None:
            _run(
                ["initdb", "-D", "data", "-A", "trust", "-U", "annotate", "-E", "UTF8", "--no-locale"], place
            )
        options = f"-c listen_addresses='' -c unix_socket_directories={place}"
        _run(["pg_ctl", "start", "-w", "-D", "data", "-l", "log", "-o", options], place)
        try:
            yield place
        finally:
            _run(["pg_ctl", "stop", "-w", "-m", "fast", "-D", "data"], place)
        if keep is not None:
            shutil.copytree(place / "data", keep)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def variables(place: Path) -> dict[str, str]:
    """Label Studio's own variables for the cluster there."""
    named = {"NAME": "postgres", "USER": "annotate", "PASSWORD": "none", "HOST": str(place), "PORT": "5432"}
    return {"DJANGO_DB": "default", **{f"POSTGRE_{name}": value for name, value in named.items()}}


def migrated() -> Path:
    """The data folder of a stopped cluster that holds Label Studio's tables and no user."""
    version = subprocess.run(["postgres", "--version"], capture_output=True, text=True, check=True).stdout
    kept = home.cache_dir() / f"label-studio-{VERSION}-postgresql-{version.split()[2].split('.')[0]}"
    if kept.exists():
        return kept
    executable, partial = install(), kept.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    with postgres(keep=partial) as place, tempfile.TemporaryDirectory() as scratch:
        every = environment(Path(scratch)) | variables(place)
        subprocess.run([str(executable), "version"], env=every, capture_output=True, check=True)
    partial.rename(kept)
    return kept


@contextmanager
def studio_on(place: Path | None, home_: Path) -> Iterator[Connection]:
    """A Label Studio with ANNOTATE_HOME `home_` on the cluster at `place`, or on SQLite where it is None.

    The environment is as before while it runs.
    """
    chosen = {"ANNOTATE_HOME": str(home_)}
    cache = home.cache_dir()
    home_.mkdir(parents=True, exist_ok=True)
    if not (home_ / "cache").exists():
        (home_ / "cache").symlink_to(cache)
    if place is not None:
        executable = home_ / "label-studio"
        words = " ".join(f"'{name}={value}'" for name, value in variables(place).items())
        executable.write_text(f'#!/bin/sh\nexec env {words} "{install()}" "$@"\n')
        executable.chmod(0o755)
        chosen[BIN] = str(executable)
    with _environ(chosen):
        server.start()
        url, key = server.status().url, server.token()
    try:
        yield connect(url, key)
    finally:
        with _environ(chosen):
            server.stop()


@contextmanager
def _environ(chosen: Mapping[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*chosen, URL)}
    os.environ.pop(URL, None)
    os.environ.update(chosen)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _owner() -> pwd.struct_passwd | None:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


def _own(place: Path) -> None:
    """Give the folder to the user whom the cluster runs as."""
    owner = _owner() if os.geteuid() == 0 else None
    if owner is not None:
        for path in (place, *place.rglob("*")):
            os.chown(path, owner.pw_uid, owner.pw_gid)


def _run(command: list[str], place: Path) -> None:
    owner = _owner() if os.geteuid() == 0 else None
    who: dict[str, Any] = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if owner else {}
    done = subprocess.run(
        # Not into a pipe: the server would inherit it and never close it.
        command, cwd=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, timeout=SECONDS, **who
    )  # fmt: skip
    done.check_returncode()
