"""A connection to a Label Studio: the team's where one is named, else the local one."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from annotate.errors import UserError
from annotate.studio import server

if TYPE_CHECKING:
    from label_studio_sdk import LabelStudio

URL, KEY = "LABEL_STUDIO_URL", "LABEL_STUDIO_API_KEY"


@dataclass(frozen=True)
class Connection:
    """A Label Studio that was reached and knows the key. `api` is the SDK's client: it never retries."""

    url: str
    user: str
    version: str
    api: LabelStudio = field(repr=False, compare=False)


def configured() -> bool:
    """Whether the environment names a server of the team's, so that no local one is wanted."""
    return bool(os.environ.get(URL))


def connect(url: str | None = None, key: str | None = None, *, timeout: float = 300.0) -> Connection:
    """Reach a Label Studio and check the key.

    Without `url` it is the one of LABEL_STUDIO_URL, without that the local server. The key is a legacy
    token or a personal access token. Raises UserError where the server cannot be reached, is not Label
    Studio, or refuses the key.
    """
    import httpx

    url = url or os.environ.get(URL)
    if url:
        key = key or os.environ.get(KEY)
        if not key:
            raise UserError(f"no key for Label Studio at {url}: set {KEY} (Account & Settings shows yours)")
    else:
        local = server.status()
        if local.url is None:
            raise UserError(
                f"no Label Studio to talk to: start one with `annotate studio start`, or set {URL} and {KEY}"
            )
        url, key = local.url, key or server.token()
    url = _clean(url)
    http = httpx.Client(
        timeout=timeout,
        # The SDK's own client drops the POST body on a redirect, as browsers do; say it instead.
        follow_redirects=False,
        # A proxy of the environment cannot reach this machine's loopback.
        trust_env=urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"},
    )
    version = _version(http, url)
    from label_studio_sdk import LabelStudio
    from label_studio_sdk.core.api_error import ApiError

    # max_retries=0: a write that is sent again by itself makes copies (see push.py).
    try:
        api = LabelStudio(base_url=url, api_key=key, timeout=timeout, max_retries=0, httpx_client=http)
        user = api.users.whoami().email or ""
    except ApiError as problem:
        if problem.status_code in (401, 403):
            raise _refused(url) from None
        raise UserError(
            f"Label Studio at {url} answered {problem.status_code} when asked who we are"
        ) from None
    except httpx.HTTPError as problem:
        raise UserError(f"the connection to Label Studio at {url} broke off ({problem})") from None
    return Connection(url, user, version, api)


def _clean(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UserError(
            f"“{url}” is no address of a Label Studio; write it like http://labels.example.org:8080"
        )
    return url.strip().rstrip("/")


def _refused(url: str) -> UserError:
    return UserError(
        f"Label Studio at {url} refuses the key; copy a token from its Account & Settings page into {KEY}"
    )


def _version(http, url: str) -> str:  # type: ignore[no-untyped-def]
    """The release that answers at `url`, asked without a key: so a foreign server never sees it."""
    import httpx

    try:
        answer = http.get(f"{url}/api/version/")
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as problem:
        raise UserError(f"no Label Studio can be reached at {url} ({problem}); is it running?") from None
    if answer.is_redirect:
        raise UserError(f"{url} sends us on to {answer.headers.get('location')}; use that address as {URL}")
    try:
        known = answer.json()
        return str(known["release"])
    except (ValueError, KeyError, TypeError):
        raise UserError(
            f"what answers at {url} is not Label Studio (status {answer.status_code} for /api/version/); "
            f"check {URL}"
        ) from None
