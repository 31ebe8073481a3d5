"""A Label Studio of one's own on this machine: start, stop, status.

The server outlives the command that started it. It holds a lock file for as long as it lives, so
whether it runs is never guessed from a process number that may belong to someone else by now.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from annotate import home
from annotate.errors import UserError
from annotate.studio.install import VERSION, Say, empty_database, environment, install

USER = "annotate@localhost.local"
START_SECONDS = 180.0


@dataclass(frozen=True)
class Status:
    """The local server as it stands; the token and the password are each alone in a file of mode 0600."""

    running: bool
    url: str | None
    user: str
    token_file: str
    version: str
    password_file: str
    log_file: str


def folder() -> Path:
    """Everything of the local server: its database, credentials and log."""
    path = home.data_dir() / "label-studio"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def status() -> Status:
    """What stands here now; asks the lock, not the network, so it answers at once."""
    running = home.is_locked(folder() / "server.lock") and "url" in _running()
    return Status(
        running=running,
        url=_running()["url"] if running else None,
        user=USER,
        token_file=str(folder() / "token"),
        version=VERSION,
        password_file=str(folder() / "password"),
        log_file=str(folder() / "server.log"),
    )


def start(say: Say = lambda line: None) -> Status:
    """Start the local server, or return the one that runs; installs Label Studio the first time."""
    busy = "another process has been starting Label Studio for half an hour; end it and try again"
    with home.lock(folder() / "start.lock", patience=1800, busy=busy):
        if home.is_locked(folder() / "server.lock"):
            return _answering()
        executable = install(say)
        _prepare()
        say("Starting Label Studio")
        # A port can be taken between choosing it and binding it, so one failure is not the end.
        last = _running().get("port")
        for port in (_port(last), _port(), _port()):
            if _launch(executable, port):
                return status()
    raise UserError(f"Label Studio found no free port on 127.0.0.1; see {status().log_file}")


def stop() -> bool:
    """Stop the local server and its children; False where none ran."""
    guard = folder() / "server.lock"
    if not status().running:
        return False
    group = int(_running()["pid"])
    for sign, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
        try:
            os.killpg(group, sign)
        except ProcessLookupError:
            break
        deadline = time.monotonic() + seconds
        while home.is_locked(guard) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not home.is_locked(guard):
            break
    if home.is_locked(guard):
        raise UserError(f"Label Studio (process {group}) does not end; end it by hand")
    return True


def _answering() -> Status:
    """The running server, once it answers: whoever started it may have been killed meanwhile."""
    now = status()
    if now.url is None or not _wait(now.url, lambda: status().running):
        raise UserError(
            f"a local Label Studio runs but is not the one {folder()} describes; "
            "end its process `label-studio` by hand and start again"
        )
    return now


def token() -> str:
    """The key of the local server."""
    return (folder() / "token").read_text().strip()


def _running() -> dict[str, str]:
    """What the last start wrote down; true only while the lock is held."""
    try:
        note: dict[str, str] = json.loads((folder() / "server.json").read_text())
    except (OSError, ValueError):
        return {}
    return note


def _prepare() -> None:
    """Database and credentials, each made once, whole or not at all."""
    place = folder()
    database, token_file, password_file = (
        place / name for name in ("label_studio.sqlite3", "token", "password")
    )
    if database.exists() and not (token_file.exists() and password_file.exists()):
        raise UserError(
            f"the token or the password of the local Label Studio is gone from {place}; put it back, "
            f"or move that folder away to begin with an empty one"
        )
    try:
        if not database.exists():
            _secret(token_file, secrets.token_hex(20))
            _secret(password_file, secrets.token_urlsafe(12))
            shutil.copyfile(empty_database(), database.with_suffix(".new"))
            os.chmod(database.with_suffix(".new"), 0o600)
            database.with_suffix(".new").replace(database)
    except OSError as problem:
        raise UserError(
            f"cannot write to {place} ({problem.strerror}); make room or set ANNOTATE_HOME"
        ) from None


def _secret(file: Path, value: str) -> None:
    file.unlink(missing_ok=True)
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(value + "\n")


def _port(wanted: str | None = None) -> int:
    """The port of last time where it is free, so that bookmarks go on working; else any free one."""
    for port in ([int(wanted)] if wanted else []) + [0]:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            chosen: int = probe.getsockname()[1]
            return chosen
    raise UserError("no free port on 127.0.0.1")


def _launch(executable: Path, port: int) -> bool:
    """Start the server and wait until it answers; False where the port turned out to be taken."""
    place = folder()
    url = f"http://127.0.0.1:{port}"
    with (place / "server.lock").open("ab") as guard, (place / "server.log").open("wb") as log:
        fcntl.flock(guard, fcntl.LOCK_EX)
        (place / "server.json").unlink(missing_ok=True)  # never a note about another process
        try:
            process = subprocess.Popen(
                [
                    str(executable),
                    "start",
                    "--no-browser",
                    "--internal-host",
                    "127.0.0.1",
                    "--port",
                    str(port),
                ],
                env=_variables(),
                cwd=place,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # it outlives this command and its terminal
                pass_fds=[guard.fileno()],  # and holds the lock for as long as it lives
            )
        except OSError as problem:
            raise UserError(f"cannot start {executable} ({problem.strerror})") from None
        note = {"pid": str(process.pid), "port": str(port), "url": url, "version": VERSION}
        scratch = place / "server.json.new"
        scratch.write_text(json.dumps(note))
        scratch.replace(place / "server.json")
    answered = False
    try:
        answered = _wait(url, lambda: process.poll() is None)
    finally:
        if not answered:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return answered


def _variables() -> dict[str, str]:
    place = folder()
    return {
        **environment(place),
        "LABEL_STUDIO_USERNAME": USER,
        "LABEL_STUDIO_PASSWORD": (place / "password").read_text().strip(),
        "LABEL_STUDIO_USER_TOKEN": token(),
        "LABEL_STUDIO_ENABLE_LEGACY_API_TOKEN": "true",
        "LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK": "true",
        # `annotate serve` is on this machine too, for predictions and webhooks alike. What these two guard
        # against is strangers who aim a shared server at its own network; this one listens on loopback, and
        # whoever may use it is on this machine already.
        "ML_BLOCK_LOCAL_IP": "false",
        "SSRF_PROTECTION_ENABLED": "false",
    }


def _wait(url: str, alive: Callable[[], bool]) -> bool:
    """True once the server answers to our token; False where someone else answers on that port."""
    import httpx

    log = folder() / "server.log"
    deadline = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=url, timeout=5, trust_env=False) as http:
        while time.monotonic() < deadline:
            if not alive():
                raise UserError(f"Label Studio ended while starting; the reason is at the end of {log}")
            try:
                if http.get("/health").status_code == 200:
                    who = http.get("/api/current-user/whoami", headers={"Authorization": f"Token {token()}"})
                    return who.status_code == 200
            except httpx.HTTPError:
                pass
            time.sleep(0.1)
    raise UserError(f"Label Studio did not answer within {START_SECONDS:.0f} seconds of its start; see {log}")
