"""What stands before every request: a rate, a secret, a limit to its size, and one line of log after it.

Bodies, query strings and headers are never logged: Label Studio sends its users' tokens in them.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

from annotate import home
from annotate.errors import UserError

USER = "annotate"
PASSWORD = "ANNOTATE_SERVE_PASSWORD"
BODY = 16 * 2**20
"""Bytes; a hundred tasks with their articles' neighbours are under one million."""
RATE, BURST = 100.0, 1000.0
"""Requests a second of one address, and how many at once."""
ADDRESSES = 10_000
"""Addresses remembered."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]
log = logging.getLogger("annotate.serving")


def folder() -> Path:
    """Where live predictions keep their secret and their nudges."""
    path = home.data_dir() / "serving"
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def secret() -> tuple[str, Path | None]:
    """The password and the file it is in, made the first time; None where the environment gives it.

    Raises:
        UserError: for a password of under 12 characters or with others than ASCII, or a file that cannot be
            read or written.
    """
    if PASSWORD in os.environ:
        return _good(os.environ[PASSWORD], PASSWORD), None
    file = folder() / "secret"
    try:
        if not file.exists():
            partial = file.with_name(f"secret.{os.getpid()}.partial")
            with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(secrets.token_urlsafe(32) + "\n")
            try:
                os.link(partial, file)  # of two at once the first one stays
            except FileExistsError:
                pass
            finally:
                partial.unlink()
        return _good(file.read_text(encoding="utf-8").strip(), str(file)), file
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"The secret {file} can be neither read nor made ({error}).") from None


def _good(password: str, where: str) -> str:
    if len(password) < 12 or not (password.isascii() and password.isprintable()):
        raise UserError(f"The password in {where} must have 12 or more characters, all of them ASCII.")
    return password


def authorization(password: str) -> str:
    """The Authorization header (Basic, RFC 7617)."""
    return "Basic " + base64.b64encode(f"{USER}:{password}".encode()).decode()


class Rate:
    """A token bucket for each address."""

    def __init__(self, rate: float = RATE, burst: float = BURST) -> None:
        self._rate, self._burst = rate, burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, address: str) -> bool:
        """Whether one more request may come from this address now."""
        now = time.monotonic()
        left, last = self._left.pop(address, (self._burst, now))
        left = min(self._burst, left + (now - last) * self._rate)
        self._left[address] = (left - 1 if left >= 1 else left, now)
        if len(self._left) > ADDRESSES:
            self._left.popitem(last=False)
        return left >= 1


class Guard:
    """An ASGI application that lets through to another what may pass. Only /health needs no password."""

    def __init__(self, app: App, password: str, rate: Rate | None = None) -> None:
        self._app, self._password, self._rate = app, password, rate or Rate()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._pass(scope, receive, noting)
        except Exception as error:
            log.error("%s", type(error).__name__)
            if not status:
                await refuse(noting, 500, "This could not be done; the log says at which request.")
        path = scope.get("raw_path", b"").decode("ascii", "replace")[:200]
        log.info("%s %s %d %.0f ms", scope["method"], path, status, 1000 * (time.monotonic() - began))

    async def _pass(self, scope: Message, receive: Receive, send: Send) -> None:
        if not self._rate.allows((scope.get("client") or ("", 0))[0]):
            await refuse(send, 429, "Too many requests; wait a second.", (b"retry-after", b"1"))
            return
        headers = dict(scope["headers"])
        if scope["path"] != "/health" and not self._knows(headers.get(b"authorization", b"")):
            challenge = (b"www-authenticate", b'Basic realm="annotate", charset="UTF-8"')
            await refuse(send, 401, "The user or the password is missing or wrong.", challenge)
            return
        if _announced(headers) > BODY or (body := await _body(receive)) is None:
            too_much = f"The body is over {BODY // 2**20} MB; send fewer tasks at once."
            await refuse(send, 413, too_much, (b"connection", b"close"))
            return
        given = False

        async def replay() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        await self._app(scope, replay, send)

    def _knows(self, header: bytes) -> bool:
        scheme, _, encoded = header.partition(b" ")
        try:
            given = base64.b64decode(encoded.strip(), validate=True)
        except binascii.Error:
            given = b""
        right = secrets.compare_digest(given, f"{USER}:{self._password}".encode())
        return right and scheme.lower() == b"basic"


def _announced(headers: MutableMapping[bytes, bytes]) -> int:
    length = headers.get(b"content-length", b"0")
    return int(length) if length.isdigit() else 0


async def _body(receive: Receive) -> bytes | None:
    """The whole body, or None when it is over BODY, announced or not."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > BODY:
            return None
        if not message.get("more_body", False):
            return bytes(body)


async def refuse(send: Send, status: int, sentence: str, *headers: tuple[bytes, bytes]) -> None:
    """Answer with one sentence, in the form FastAPI gives its own refusals."""
    content = json.dumps({"detail": sentence}).encode()
    kind = [(b"content-type", b"application/json"), (b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": [*kind, *headers]})
    await send({"type": "http.response.body", "body": content})
