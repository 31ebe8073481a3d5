"""Calls to the server that may fail on the way: what can be asked again, and what is known of the rest.

A read is asked again. A write never is, not by itself: after a time-out or a 504 the server may still
carry it out, so whoever wrote must first look at what the server holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from annotate.errors import UserError

T = TypeVar("T")
PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True)
class Patience:
    """How long to bear with a server: `tries` of each step with growing pauses, and `settle` seconds for
    a write whose fate is unknown to show."""

    tries: int = 6
    pause: float = 1.0
    settle: float = 15.0

    def wait(self, attempt: int) -> None:
        time.sleep(min(self.pause * 2**attempt, 15.0))


class Trouble(Exception):
    """A call failed in a way that may pass. `unknown`: a write may have been carried out all the same."""

    def __init__(self, what: str, *, unknown: bool) -> None:
        super().__init__(what)
        self.unknown = unknown


def call(ask: Callable[[], T]) -> T:
    """What `ask` returns; Trouble where it may pass, UserError where it will not."""
    import httpx
    from label_studio_sdk.core.api_error import ApiError

    try:
        return ask()
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.ProxyError) as problem:
        raise Trouble(f"it cannot be reached ({problem})", unknown=False) from None
    except httpx.HTTPError as problem:
        raise Trouble(f"the connection broke ({type(problem).__name__})", unknown=True) from None
    except ApiError as problem:
        status = problem.status_code or 0
        if status in PASSING or status in range(200, 300):  # the latter: an answer cut short by a proxy
            raise Trouble(f"it answered {status}", unknown=True) from None
        if status in (401, 403):
            raise UserError(f"Label Studio refuses this key what it asks for (status {status})") from None
        raise UserError(f"Label Studio answered {status}: {_brief(problem.body)}") from None


def read(ask: Callable[[], T], patience: Patience) -> T:
    """What `ask` returns, asked again while trouble may pass."""
    for attempt in range(patience.tries):
        try:
            return call(ask)
        except Trouble as trouble:
            last = trouble
        if attempt + 1 < patience.tries:
            patience.wait(attempt)
    raise gave_up(last)


def gave_up(trouble: Trouble) -> UserError:
    return UserError(f"Label Studio failed again and again ({trouble}); run the same command again to go on")


def _brief(body: object) -> str:
    text = " ".join(str(body).split())
    return text if len(text) <= 300 else text[:300] + "…"
