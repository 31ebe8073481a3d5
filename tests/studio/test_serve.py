"""Live predictions: who gets them, what they hold, and how they come into Label Studio."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import numpy as np
import pytest
from test_browser import results

from annotate import frame, registry
from annotate.model.bundle import CONFIG, read_config, shipped
from annotate.scoring import load
from annotate.serving import guard
from annotate.studio.client import KEY, URL
from annotate.studio.form import form
from annotate.studio.interface import interface
from annotate.studio.push import push
from annotate.studio.scored import Scored
from annotate.studio.server import token
from annotate.studio.tasks import model_version, tasks

ENDPOINTS = [
    ("GET", "/"), ("GET", "/versions"), ("POST", "/setup"), ("POST", "/predict"), ("POST", "/webhook"),
    ("POST", "/train"), ("GET", "/docs"), ("GET", "/openapi.json"), ("GET", "/nothing"),
]  # fmt: skip
TOKEN = "0123456789abcdef0123456789abcdef01234567"


class Served:
    """A running `annotate serve` and what it wrote."""

    def __init__(self, home: Path, *options: str, **variables: str) -> None:
        home.mkdir(exist_ok=True)
        self.home, self._log = home, home / "serve.log"
        environment = {n: v for n, v in os.environ.items() if n not in (URL, KEY, guard.PASSWORD)}
        environment |= {"ANNOTATE_HOME": str(home), "PYTHONUNBUFFERED": "1", **variables}
        with self._log.open("wb") as log:
            command = [sys.executable, "-m", "annotate", "serve", "--port", "0", *options]
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    @property
    def log(self) -> str:
        return self._log.read_text()

    def until(self, pattern: str, seconds: float = 60.0) -> str:
        """The first group of what the log says, awaited."""
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.log)):
            assert self.process.poll() is None, self.log
            assert time.monotonic() < deadline, self.log
            time.sleep(0.05)
        return found.group(1)

    @property
    def url(self) -> str:
        return self.until(r"at (http://\S+)")

    @property
    def password(self) -> str:
        self.until(r"(password is in)")
        return (self.home / "data" / "serving" / "secret").read_text().strip()

    def client(self, password: str | None = None) -> httpx.Client:
        auth = (guard.USER, password or self.password)
        return httpx.Client(base_url=self.url, auth=auth, timeout=60, trust_env=False)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(20)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    server = Served(tmp_path_factory.mktemp("serving"))
    server.until(r"(password is in)")
    yield server
    server.end()


@pytest.fixture(scope="module")
def sent(seeds_frame) -> list[tuple[dict, dict]]:
    """Each content sentence of the seeds as Label Studio sends it, and the prediction a push gave it."""
    found = []
    for article in Scored(seeds_frame).articles():
        for n, task in enumerate(tasks(article, form())):
            new = json.loads(json.dumps(task.new(form())))
            [prediction] = new.pop("predictions")
            found.append(({"id": n, "project": 1, **new}, prediction))
    return found


def same(one: dict, other: dict) -> bool:
    """Whether two predictions say the same; scores of one network vary with what stands in its batch."""

    def told(prediction):
        return [{n: v for n, v in result.items() if n != "score"} for result in prediction["result"]]

    def scores(prediction):
        return [prediction["score"], *(result.get("score", 0) for result in prediction["result"])]

    return told(one) == told(other) and np.allclose(scores(one), scores(other), atol=0.02)


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_nothing_is_answered_without_the_password(served, method, path):
    bare = {"base_url": served.url, "trust_env": False}
    body = {"json": {"tasks": []}} if method == "POST" else {}
    for headers in (
        {}, {"Authorization": "Basic"}, {"Authorization": "Basic %%%"},
        {"Authorization": guard.authorization("wrong")}, {"Authorization": f"Bearer {served.password}"},
        {"Authorization": guard.authorization(served.password).replace("Basic", "Token")},
    ):  # fmt: skip
        with httpx.Client(**bare, headers=headers) as http:
            answer = http.request(method, path, **body)
        assert answer.status_code == 401
        assert "WWW-Authenticate" in answer.headers
        assert set(answer.json()) == {"detail"}


def test_health_says_up_and_nothing_else(served):
    answer = httpx.get(f"{served.url}/health", trust_env=False)
    assert (answer.status_code, answer.json()) == (200, {"status": "UP"})
    assert "server" not in answer.headers


def test_the_secret_is_made_once_and_nobody_else_may_read_it(served, monkeypatch):
    file = served.home / "data" / "serving" / "secret"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.setenv("ANNOTATE_HOME", str(served.home))
    assert guard.secret() == (served.password, file)
    assert served.password not in served.log
    assert str(file) in served.log


@pytest.mark.parametrize("password", ["", "short", "twelve signs ü"])
def test_a_password_that_cannot_serve_is_refused(monkeypatch, password):
    monkeypatch.setenv(guard.PASSWORD, password)
    with pytest.raises(Exception, match="12 or more characters"):
        guard.secret()


def test_a_body_over_the_limit_is_refused_announced_or_not(served):
    chunk = b" " * 2**20

    def chunks():
        for _ in range(17):
            yield chunk

    with served.client() as http:
        for content in (chunk * 17, chunks()):
            answer = http.post("/predict", content=content)
            assert answer.status_code == 413
            assert "16 MB" in answer.json()["detail"]


@pytest.mark.parametrize(
    "content",
    [
        "", "{", "[]", "null", "7", '{"tasks": 1}', '{"tasks": [1]}', '{"tasks": [{}]}',
        '{"tasks": [{"data": {}}]}', '{"tasks": [{"data": {"text": ""}}]}',
        '{"tasks": [{"data": {"text": 7}}]}', '{"tasks": [{"data": {"text": "\\ud800"}}]}',
        '{"tasks": [{"data": {"text": "a", "start": -1}}]}', "[" * 100_000,
    ],
)  # fmt: skip
def test_a_malformed_body_is_refused_in_one_sentence(served, content):
    with served.client() as http:
        for path in ("/predict", "/webhook") if content in ("", "{", "[]", "7") else ("/predict",):
            answer = http.post(path, content=content, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422)
            assert isinstance(answer.json()["detail"], str)
            assert "Traceback" not in answer.text
    assert "Traceback" not in served.log


def test_a_row_that_was_tampered_with_is_not_believed(served, sent):
    task, _ = sent[0]
    with served.client() as http:
        for row in (
            None,
            7,
            {},
            {**task["meta"]["row"], "start": "x"},
            {**task["meta"]["row"], "text": "?"},
            {**task["meta"]["row"], "stance": [{"target": "X", "mentions": [{"start": 0, "end": 10**9}]}]},
        ):
            answer = http.post("/predict", json={"tasks": [{**task, "meta": {"row": row}}]})
            assert answer.status_code == 200, answer.text


def test_the_prediction_is_the_one_a_push_makes(served, sent):
    with served.client() as http:
        answer = http.post("/predict", json={"tasks": [task for task, _ in sent]}).json()
    different = [
        (task["data"]["text"], got["result"], pushed["result"])
        for (task, pushed), got in zip(sent, answer["results"], strict=True)
        if got["model_version"] != pushed["model_version"] or not same(got, pushed)
    ]
    assert different == []


def test_two_hundred_at_once_are_answered_with_the_same_predictions(served, sent, capsys):
    asked = [sent[n % len(sent)] for n in range(200)]
    with served.client() as http:
        alone = [http.post("/predict", json={"tasks": [task]}).json()["results"][0] for task, _ in sent]

        def ask(n):
            began = time.monotonic()
            answer = http.post("/predict", json={"tasks": [asked[n][0]]})
            return answer, time.monotonic() - began

        http.headers["Connection"] = "close"
        with ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(ask, range(200)))
    assert {answer.status_code for answer, _ in answers} == {200}
    for n, (answer, _) in enumerate(answers):
        [got] = answer.json()["results"]
        assert same(got, alone[n % len(sent)])
    taken = [seconds for _, seconds in answers]
    median, p95 = np.quantile(taken, (0.5, 0.95))
    with capsys.disabled():
        print(f"\n200 predictions at once: median {median:.2f} s, p95 {p95:.2f} s")


def test_too_many_requests_are_put_off():
    rate = guard.Rate(rate=0.001, burst=3)
    assert [rate.allows("a") for _ in range(5)] == [True, True, True, False, False]
    assert rate.allows("b")


def test_a_webhook_leaves_a_nudge_and_no_more(served):
    with served.client() as http:
        payload = {
            "action": "ANNOTATION_CREATED",
            "project": {"id": 7, "title": "x"},
            "annotation": {"id": 3},
        }
        began = time.time()
        answer = http.post("/webhook", json=payload)
        assert answer.status_code == 202
        nudged = json.loads((served.home / "data" / "serving" / "nudged").read_text())
        assert nudged["project"] == 7
        assert nudged["time"] >= began
        assert http.post("/train", json={"project": "8.1700000000", "annotations": []}).status_code == 202
        assert json.loads((served.home / "data" / "serving" / "nudged").read_text())["project"] == 8


def test_nothing_secret_is_logged(served):
    with served.client() as http:
        setup = {"project": "1.17", "schema": "<View/>", "hostname": "http://x", "access_token": TOKEN}
        assert http.post("/setup", json=setup).json()["model_version"].startswith("annotate-")
        http.post(f"/predict?token={TOKEN}", json={"tasks": TOKEN})
        http.post("/setup", content=f'{{"access_token": "{TOKEN}"')
    served.until(r"(POST /predict 422)")
    assert TOKEN not in served.log
    assert served.password not in served.log
    assert guard.authorization(served.password).removeprefix("Basic ") not in served.log
    assert re.search(r"POST /setup 200 \d+ ms", served.log)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--port", "{port}"], "Port {port} of 127.0.0.1 is in use; choose another with --port."),
        (["--host", "0.0.0.0", "--connect", "x"], "With --host 0.0.0.0, say with --url at which address"),
        (["--port", "0", "--model", "nothing"], "There is no model nothing"),
    ],
)
def test_what_cannot_be_served_is_one_sentence(served, options, complaint):
    port = served.url.rsplit(":", 1)[1]
    done = annotate("-m", "annotate", "serve", *(option.format(port=port) for option in options))
    assert done.returncode == 2
    assert done.stderr.startswith(f"annotate: {complaint.format(port=port)}")
    assert done.stderr.count("\n") == 1


def test_without_its_packages_the_command_names_them():
    code = "import sys; sys.modules['fastapi'] = None; from annotate.cli import main; main(['serve'])"
    done = annotate("-c", code)
    assert done.returncode == 2
    assert done.stderr == (
        "annotate: Live predictions need more packages: pip install 'annotate-news[serve]'.\n"
    )


def annotate(*arguments):
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60)


@pytest.fixture
def connected(studio, title, sent, tmp_path):
    """A project of three pushed sentences and two without a prediction, and how to serve it."""
    report = push(as_scores(sent[:3]), title, server=studio)
    studio.api.projects.import_tasks(id=report.project_id, request=bare(sent[40:42]))
    running = []

    def serve(port: int = 0) -> Served:
        names = {URL: studio.url, KEY: token()}
        running.append(Served(tmp_path / "serving", "--port", str(port), "--connect", title, **names))
        running[-1].until(r"(asks here for tasks)", 90)
        return running[-1]

    yield report, serve
    for server in running:
        server.end()


def bare(sent):
    return [{"data": task["data"], "meta": task["meta"]} for task, _ in sent]


def as_scores(sent):
    return frame.table([{**task["meta"]["row"], "siblings": [], "drift": []} for task, _ in sent])


def test_connecting_twice_registers_once_mends_the_registration_and_is_nudged(studio, connected):
    report, serve = connected
    first = serve()
    port = int(first.url.rsplit(":", 1)[1])
    [backend] = studio.api.ml.list(project=report.project_id)
    assert (backend.url, backend.state, backend.is_interactive) == (first.url, "CO", False)
    first.end()
    studio.api.projects.update(id=report.project_id, model_version=backend.title)  # as its page does
    second = serve(port)
    [again] = studio.api.ml.list(project=report.project_id)
    assert (again.id, again.state) == (backend.id, "CO")
    assert studio.api.projects.get(report.project_id).model_version == report.model_version
    [hook] = studio.api.webhooks.list(project=str(report.project_id))
    assert hook.url == f"{first.url}/webhook"
    assert hook.headers == {"Authorization": guard.authorization(first.password)}
    assert not hook.send_for_all_actions
    (task, *_) = studio.api.tasks.list(project=report.project_id, page_size=10)
    studio.api.annotations.create(id=task.id, result=[])
    second.until(r"(POST /webhook 202)")
    nudged = json.loads((second.home / "data" / "serving" / "nudged").read_text())
    assert nudged["project"] == report.project_id


def test_a_task_without_a_prediction_is_filled_when_it_is_opened(studio, connected, sent, page):
    report, serve = connected
    server = serve()
    number = max(task.id for task in studio.api.tasks.list(project=report.project_id, page_size=10))
    assert studio.api.predictions.list(task=number) == []
    page.goto(f"{studio.url}/projects/{report.project_id}/data?task={number}")
    page.wait_for_selector(".an-sentence .htx-highlight")
    page.wait_for_function("window.Htx && Htx.annotationStore.selected")
    pushed = sent[41][1]
    assert labels(results(page)) == labels(pushed["result"])
    if shots := os.environ.get("ANNOTATE_TEST_SHOTS"):
        page.screenshot(path=f"{shots}/live.png")
    assert "POST /predict 200" in server.log
    [live] = studio.api.predictions.list(task=number)
    assert live.model_version == pushed["model_version"]
    assert same(live.dict(), pushed)


def labels(results):
    return sorted(
        (r["value"]["start"], r["value"]["end"], r["value"]["labels"])
        for r in results
        if r["type"] == "labels"
    )


def test_a_project_that_was_never_pushed_to_shows_live_predictions(studio, title, sent, tmp_path):
    made = studio.api.projects.create(title=title, label_config=interface(form()))
    studio.api.projects.import_tasks(id=made.id, request=bare(sent[40:42]))
    server = Served(tmp_path / "serving", "--connect", title, **{URL: studio.url, KEY: token()})
    try:
        server.until(r"(asks here for tasks)", 90)
        assert studio.api.projects.get(made.id).model_version == sent[40][1]["model_version"]
    finally:
        server.end()


def test_another_model_serves_from_the_next_request_on(sent, tmp_path, monkeypatch):
    server = Served(tmp_path / "serving")
    try:
        with server.client() as http:
            body = {"json": {"tasks": [sent[0][0]]}}
            [before] = http.post("/predict", **body).json()["results"]
            monkeypatch.setenv("ANNOTATE_HOME", str(server.home))
            promoted = registry.promote(registry.add(other_model(tmp_path)).name, "a test")
            [after] = http.post("/predict", **body).json()["results"]
            expected = model_version(load(promoted.folder).signature)
            assert after["model_version"] == expected != before["model_version"]
            assert http.post("/setup", json={}).json() == {"model_version": expected}
            registry.rollback("a test")
            [back] = http.post("/predict", **body).json()["results"]
            assert back == before
    finally:
        server.end()


def other_model(folder: Path) -> Path:
    """The shipped model with another threshold, which is another model."""
    made = folder / "other"
    shutil.copytree(shipped(), made)
    config = read_config(made)
    config["settings"]["hedging"]["threshold"] += 0.01
    (made / CONFIG).write_text(json.dumps(config))
    return made
