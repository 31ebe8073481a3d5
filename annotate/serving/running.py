"""The server process: a port, a model, the application, and the project that is to ask it."""

from __future__ import annotations

import errno
import ipaddress
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import uvicorn

from annotate import home
from annotate.errors import UserError
from annotate.scoring import load
from annotate.serving import guard
from annotate.serving.app import application
from annotate.serving.batching import Model
from annotate.serving.connect import connect
from annotate.studio import client

GRACE = 10
"""Seconds for requests under way when the server is told to end."""
Say = Callable[[str], None]


def run(*, host: str, port: int, project: str | None, url: str | None, model: str | None, say: Say) -> None:
    """Serve live predictions until the process is told to end; `say` is told where.

    Raises:
        UserError: for an address that cannot be had, a model that does not load, or a project that cannot be
            connected.
    """
    if project and not url and _anywhere(host):
        raise UserError(f"With --host {host}, say with --url at which address Label Studio reaches this.")
    password, file = guard.secret()
    server = client.connect() if project else None
    listening = _listen(host, port)
    with listening:
        port = listening.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        address = (url or f"http://{shown}:{port}").rstrip("/")
        serving = _model(model)
        config = uvicorn.Config(
            application(serving, password, guard.folder()),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE,
            server_header=False,
        )
        _log_to_stderr()
        process = uvicorn.Server(config)
        failed: list[UserError] = []

        def announce() -> None:
            while not process.started:
                if process.should_exit:
                    return
                time.sleep(0.02)
            where = file or f"the variable {guard.PASSWORD}"
            say(f"Live predictions of {serving.annotator.bundle.name} ({serving.version}) at {address}")
            say(f"The user is “{guard.USER}”; the password is in {where}")
            if not _is_loopback(host):
                say("This is plain HTTP, open to others: put a proxy with TLS in front of it.")
            if project and server:
                try:
                    done = connect(server, project, url=address, password=password, version=serving.version)
                    say(f"“{project}” asks here for tasks without a prediction: {done.page}")
                except UserError as error:
                    failed.append(error)
                    process.should_exit = True

        threading.Thread(target=announce, name="announce", daemon=True).start()
        with suppress(KeyboardInterrupt):
            process.run(sockets=[listening])
    if failed:
        raise failed[0]


def _model(name: str | None) -> Model:
    """The named model for good, or whichever serves."""
    from annotate import registry

    if name is not None:
        return Model(lambda: registry.resolve(name), load)
    pointer = home.data_dir() / "models" / registry.SERVING

    def stamp() -> object:
        try:
            now = pointer.stat()
        except OSError:
            return None
        return now.st_ino, now.st_mtime_ns, now.st_size

    return Model(registry.serving_folder, load, stamp)


def _listen(host: str, port: int) -> socket.socket:
    # asyncio sends small answers at once only where the protocol is named; else each waits 40 ms for the
    # other side's acknowledgement.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        made.listen(2048)
        return made
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise UserError(f"Port {port} of {host} is in use; choose another with --port.") from None
        raise UserError(f"Cannot listen at {host}, port {port} ({error.strerror}).") from None


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"


def _anywhere(host: str) -> bool:
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_unspecified
    return not host


def _log_to_stderr() -> None:
    """Our own lines and uvicorn's warnings, with the time."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    for name, level in (("annotate.serving", logging.INFO), ("uvicorn.error", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.addHandler(handler)
        logger.setLevel(level)
        logger.propagate = False
