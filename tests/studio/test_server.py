"""The local Label Studio is there when it is wanted, once, and only for its owner."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from annotate import home
from annotate.errors import UserError
from annotate.studio import server
from annotate.studio.client import connect


@pytest.fixture
def own_home(installed, tmp_path, monkeypatch):
    """A home of the test's own, so that its server is too."""
    (tmp_path / "cache").symlink_to(installed)
    monkeypatch.setenv("ANNOTATE_HOME", str(tmp_path))
    yield tmp_path
    server.stop()


def test_a_server_that_is_started_stopped_killed_and_started_again(own_home):
    assert not server.status().running
    assert server.stop() is False
    first = server.start()
    assert first.running
    assert server.start() == first

    for secret in (first.token_file, first.password_file):
        assert oct(Path(secret).stat().st_mode & 0o777) == "0o600"
        assert Path(secret).read_text().strip() not in Path(f"/proc/{pid()}/cmdline").read_text()
    assert connect().user == first.user
    assert connect().version == first.version
    port = int(first.url.rsplit(":", 1)[1])
    with socket.socket() as outside, pytest.raises(OSError, match="refused"):
        outside.connect(("127.0.0.2", port))

    connect().api.projects.create(title="kept")
    os.killpg(pid(), signal.SIGKILL)
    while server.status().running:
        time.sleep(0.05)
    with pytest.raises(UserError, match="annotate studio start"):
        connect()
    again = server.start()
    assert again.url == first.url
    assert [project.title for project in connect().api.projects.list()] == ["kept"]
    assert server.stop() is True
    assert not server.status().running
    assert server.stop() is False


def pid() -> int:
    return int(json.loads((server.folder() / "server.json").read_text())["pid"])


def test_a_stale_note_about_a_process_of_someone_else_is_not_believed(own_home):
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    note = {"pid": str(bystander.pid), "port": "1", "url": "http://127.0.0.1:1"}
    (server.folder() / "server.json").write_text(json.dumps(note))
    (server.folder() / "server.lock").touch()
    assert not server.status().running
    assert server.stop() is False
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_several_who_start_at_once_get_one_server(own_home):
    code = "from annotate.studio import server; print(server.start().url)"
    starts = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    urls = {process.communicate()[0].strip() for process in starts}
    assert urls == {server.status().url}


def test_a_server_that_dies_at_its_start_says_where_the_reason_is(own_home, monkeypatch):
    monkeypatch.setenv("ANNOTATE_LABEL_STUDIO_BIN", "/bin/false")
    with pytest.raises(UserError, match=r"ended while starting; the reason is at the end of .*server\.log"):
        server.start()
    assert not server.status().running


def test_an_installation_that_fails_is_one_sentence_and_is_not_taken_for_done(tmp_path, monkeypatch):
    from annotate.studio.install import install

    monkeypatch.setenv("ANNOTATE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    for _ in range(2):
        with pytest.raises(UserError, match=r"could not be installed.*install\.log"):
            install()
    assert not (home.cache_dir() / "label-studio-1.23.2" / "installed").exists()


@pytest.mark.parametrize(
    ("url", "key", "complaint"),
    [
        ("http://127.0.0.1:9", "k" * 40, "can be reached"),
        ("labels.example.org", "k" * 40, "no address"),
        ("studio", "k" * 40, "refuses the key"),
        ("studio", "not a key", "refuses the key"),
        ("studio", None, "no key"),
        ("foreign", "k" * 40, "not Label Studio"),
    ],
)
def test_a_server_that_cannot_be_used_is_one_clear_sentence(studio, monkeypatch, url, key, complaint):
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    monkeypatch.delenv("LABEL_STUDIO_API_KEY", raising=False)
    asked = []

    class Foreign(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>hello</html>")

        def log_message(self, *_):
            pass

    foreign = HTTPServer(("127.0.0.1", 0), Foreign)
    threading.Thread(target=foreign.serve_forever, daemon=True).start()
    address = {"studio": studio.url, "foreign": f"http://127.0.0.1:{foreign.server_port}"}.get(url, url)
    with pytest.raises(UserError, match=complaint):
        connect(address, key)
    foreign.shutdown()
    foreign.server_close()
    assert all("Authorization" not in headers for headers in asked)


def test_a_proxy_of_the_environment_is_not_asked_for_this_machine(studio, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    assert connect().user == studio.user


def test_the_environment_names_a_server_of_the_teams(studio, monkeypatch, tmp_path):
    key = server.token()
    monkeypatch.setenv("ANNOTATE_HOME", str(tmp_path))
    monkeypatch.setenv("LABEL_STUDIO_URL", studio.url + "/")
    monkeypatch.setenv("LABEL_STUDIO_API_KEY", key)
    assert connect() == studio
