"""A real Label Studio for the session."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from annotate import home
from annotate.studio import server
from annotate.studio.client import URL, Connection, connect
from annotate.studio.install import install


@pytest.fixture(scope="session")
def installed() -> Path:
    """The user's own cache with Label Studio in it; the first session on a machine waits for it."""
    install(print)
    return home.cache_dir()


@pytest.fixture(scope="session")
def studio_home(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An ANNOTATE_HOME of the session's own, with the user's cache in it."""
    place = tmp_path_factory.mktemp("home")
    (place / "cache").symlink_to(installed)
    before = {name: os.environ.get(name) for name in ("ANNOTATE_HOME", URL)}
    os.environ["ANNOTATE_HOME"] = str(place)
    os.environ.pop(URL, None)
    yield place
    for name, value in before.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


@pytest.fixture(scope="session")
def studio(studio_home: Path) -> Iterator[Connection]:
    """The session's Label Studio, stopped at its end."""
    server.start()
    yield connect()
    server.stop()


@pytest.fixture
def title(request: pytest.FixtureRequest) -> str:
    """A project of the test's own."""
    name = request.node.name
    return f"{name[:40]} {hashlib.sha256(name.encode()).hexdigest()[:6]}"


@pytest.fixture(scope="session")
def signed_in(browser: Any, studio: Connection) -> Any:
    """The cookies of someone who logged in with the password of the file."""
    page = browser.new_page()
    page.goto(f"{studio.url}/user/login/")
    page.fill("input[name=email]", studio.user)
    page.fill("input[name=password]", Path(server.status().password_file).read_text().strip())
    page.press("input[name=password]", "Enter")
    page.wait_for_url(lambda url: "/user/login" not in url)
    state = page.context.storage_state()
    page.close()
    return state


@pytest.fixture
def page(browser: Any, signed_in: Any) -> Iterator[Any]:
    context = browser.new_context(storage_state=signed_in, viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(20_000)
    yield context.new_page()
    context.close()
