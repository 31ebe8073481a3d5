"""The registry: whole versions only, one that serves, and always the way back."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from annotate import registry
from annotate.cli import main
from annotate.errors import UserError
from annotate.model.bundle import CONFIG, WEIGHTS, load_bundle, save_bundle, shipped, write_figures
from annotate.scoring import load
from annotate.training.tracking import DEFAULTS, EXPERIMENT, TAGS, URI, log_run

COMPARED = [
    {"where": "frozen set", "signal": "stance", "old": 0.61, "new": 0.63},
    {"where": "frozen set", "signal": "garble", "old": 0.42, "new": 0.45},
    {"where": "frozen set since sixth-04297682f0a0", "signal": "garble", "old": 0.41, "new": 0.45},
]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of the test's own."""
    monkeypatch.setenv("ANNOTATE_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "data" / "models"


@pytest.fixture(scope="session")
def bundles(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three small models that load, each the child of the one before."""
    import torch

    from annotate.model.encoder import EncoderSpec, load_encoder, sha256
    from annotate.model.network import Network
    from annotate.signals import SIGNALS

    folder = tmp_path_factory.mktemp("bundles")
    files = {name: sha256(tiny_encoder / name) for name in ("model.safetensors", "tokenizer.json")}
    settings = load_bundle(shipped()).settings
    made = []
    for number, name in enumerate(("one", "two", "three")):
        torch.manual_seed(number)
        save_bundle(
            folder / name,
            Network(load_encoder(tiny_encoder)[0], list(SIGNALS)),
            settings,
            name=name,
            encoder=EncoderSpec(str(tiny_encoder), None, files),
            training={"snapshot": f"snapshot-{number}", "taught": {"stance": number}},
            figures={"gate": {"compared": COMPARED}},
            parent=made[-1].name if made else None,
        )
        made.append(folder / name)
    return made


@pytest.fixture
def names(bundles: list[Path]) -> list[str]:
    """The three as versions."""
    return [registry.add(bundle).name for bundle in bundles]


def invoke(*words: str) -> Any:
    return CliRunner().invoke(main, ["models", *words])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)


def test_before_anything_was_promoted_the_shipped_model_serves():
    [only] = registry.versions()
    assert only == registry.serving()
    assert (only.shipped, only.serving, only.folder) == (True, True, shipped())
    assert only.name.startswith("sixth-")
    assert registry.problems() == []


def test_versions_come_the_shipped_first_then_the_oldest(names):
    found = registry.versions()
    assert [version.name for version in found[1:]] == names
    assert found[0].shipped
    assert [version.snapshot for version in found[1:]] == ["snapshot-0", "snapshot-1", "snapshot-2"]
    assert [version.parent for version in found[1:]] == [None, "one", "two"]
    assert sorted(version.created for version in found[1:]) == [version.created for version in found[1:]]


def test_a_row_of_retrainings_began_with_the_oldest_that_is_still_there(bundles, tmp_path):
    row = [registry.add(bundles[0])]
    for bundle in bundles[1:]:
        copied = Path(shutil.copytree(bundle, tmp_path / bundle.name))
        config = json.loads((copied / CONFIG).read_text(encoding="utf-8"))
        (copied / CONFIG).write_text(json.dumps({**config, "parent": row[-1].name}), encoding="utf-8")
        row.append(registry.add(copied))
    assert [registry.origin(version.name) for version in row] == [row[0]] * 3
    shutil.rmtree(row[0].folder)
    assert registry.origin(row[2].name) == row[1]
    assert registry.origin(registry.serving().name).shipped


def test_the_same_model_again_is_the_same_version(names, bundles):
    before = registry.version(names[0])
    assert registry.add(bundles[0]) == before
    assert len(registry.versions()) == 4
    assert registry.add(shipped()).shipped


def test_the_source_is_left_as_it_was(bundles):
    before = {path.name: path.read_bytes() for path in bundles[0].iterdir()}
    registry.add(bundles[0])
    assert {path.name: path.read_bytes() for path in bundles[0].iterdir()} == before


def test_a_damaged_bundle_is_not_added(bundles, tmp_path, place):
    broken = Path(shutil.copytree(bundles[0], tmp_path / "broken"))
    flip(broken / WEIGHTS)
    with pytest.raises(UserError, match="is damaged"):
        registry.add(broken)
    assert not place.exists() or not list(place.glob("one-*"))


def test_half_written_and_damaged_versions_are_not_listed_and_the_damaged_are_named(names, place):
    shutil.copytree(place / names[0], place / "half-0123456789ab.partial")
    flip(place / names[1] / WEIGHTS)
    (place / names[2] / CONFIG).write_text('{"format": 1')
    assert [version.name for version in registry.versions()[1:]] == names[:1]
    told = registry.problems()
    assert len(told) == 2
    assert all(any(name in line for line in told) for name in names[1:])
    shown = invoke("list")
    assert shown.exit_code == 0
    assert names[0] in shown.stdout
    assert "half-" not in shown.output
    assert shown.stderr.count("annotate: ") == 2


def test_a_version_whose_settings_were_edited_is_not_what_its_name_says(names, place):
    path = place / names[0] / CONFIG
    config = json.loads(path.read_text())
    config["settings"]["hedging"]["threshold"] = 0.9
    path.write_text(json.dumps(config))
    with pytest.raises(UserError, match="was changed"):
        registry.version(names[0])


def test_adding_again_mends_a_damaged_version(names, bundles, place):
    flip(place / names[0] / WEIGHTS)
    assert registry.add(bundles[0]).name == names[0]
    load_bundle(place / names[0])
    assert registry.problems() == []
    assert not list(place.glob("*.partial"))


def test_what_was_promoted_serves_and_load_takes_it(names):
    registry.promote(names[1], "better")
    assert registry.serving().name == names[1]
    assert [version.name for version in registry.versions() if version.serving] == [names[1]]
    annotator = load()
    assert f"model:{names[1]}|" in annotator.signature
    registry.promote(names[2], "better still")
    assert f"model:{names[1]}|" in annotator.signature, "who scores keeps its model"
    assert len(annotator.score_sentences(["He may have lied."])) == 1
    assert f"model:{names[2]}|" in load().signature


def test_load_takes_a_folder_or_the_name_of_a_version(names, bundles):
    assert f"model:{names[0]}|" in load(names[0]).signature
    assert f"model:{names[0]}|" in load(bundles[0]).signature
    with pytest.raises(UserError, match="There is no model nothing; `annotate models list`"):
        load("nothing")
    with pytest.raises(UserError, match="is not a model folder"):
        load("no/such/folder")


def test_promoting_what_serves_changes_nothing(names, place):
    registry.promote(names[0], "first")
    before = (place / registry.SERVING).read_bytes()
    registry.promote(names[0], "again")
    assert (place / registry.SERVING).read_bytes() == before


def test_only_what_loads_is_promoted(names, place):
    with pytest.raises(UserError, match="There is no model ghost"):
        registry.promote("ghost", "")
    with pytest.raises(UserError, match="cannot be the name of a version"):
        registry.promote("../one", "")
    flip(place / names[0] / WEIGHTS)
    with pytest.raises(UserError, match="is damaged"):
        registry.promote(names[0], "")
    assert registry.serving().shipped


def test_going_back_twice_goes_further_back_and_ends_at_the_shipped_model(names):
    for name in names:
        registry.promote(name, "better")
    assert registry.rollback("worse").name == names[1]
    assert registry.rollback("worse still").name == names[0]
    assert registry.rollback("bad").shipped
    with pytest.raises(UserError, match="Nothing served before sixth-"):
        registry.rollback("more")
    registry.promote(names[2], "after all")
    assert registry.rollback("no").shipped
    assert [(c.what, c.reason) for c in registry.history()][-3:] == [
        ("rolled back", "bad"),
        ("promoted", "after all"),
        ("rolled back", "no"),
    ]


def test_a_lost_version_is_stood_in_for_by_the_one_that_served_before(names, place, caplog):
    for name in names:
        registry.promote(name, "better")
    flip(place / names[2] / WEIGHTS)
    shutil.rmtree(place / names[1])
    assert registry.serving().name == names[0]
    assert "serves in its place" in caplog.text
    assert f"model:{names[0]}|" in load().signature
    assert any("serves in its place" in problem for problem in registry.problems())
    assert registry.rollback("damaged").name == names[0]
    caplog.clear()
    assert registry.serving().name == names[0]
    assert not caplog.text


def test_a_pointer_that_cannot_be_read_says_what_to_do_and_that_helps(names, place):
    (place / registry.SERVING).write_text("{")
    with pytest.raises(UserError, match="`annotate models promote NAME` sets it aside"):
        load()
    shown = invoke("promote", names[0])
    assert shown.exit_code == 0, shown.output
    assert registry.serving().name == names[0]
    assert (place / "serving.json.damaged").read_text() == "{"


PROMOTING = """
import sys
from annotate import registry
registry.load_bundle = registry.read_whole  # quick: its weights are not loaded
names = sys.argv[2:]
for turn in range(int(sys.argv[1])):
    registry.promote(names[turn % len(names)], str(turn))
    if not turn:
        print("begun", flush=True)
"""
ADDING = """
import sys
from pathlib import Path
from annotate import registry
for folder in sys.argv[1:]:
    registry.add(Path(folder))
    print("added", flush=True)
"""


def start(script: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_while_it_promotes_the_registry_serves_a_whole_version(names, place):
    moments = random.Random(5)
    for _ in range(6):
        before = len(registry.history())
        process = start(PROMOTING, 100_000, *names)
        assert process.stdout.readline() == "begun\n", process.stderr.read()
        time.sleep(moments.uniform(0.0, 0.15))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        changes = registry.history()
        assert len(changes) >= before
        assert registry.serving().name == changes[-1].to
        assert all(a.to == b.before for a, b in pairwise(changes))
    load_bundle(registry.serving_folder())
    assert registry.problems() == []


def test_killed_while_it_adds_no_half_version_is_listed_and_adding_again_heals(bundles, tmp_path, place):
    big = Path(shutil.copytree(bundles[0], tmp_path / "big"))
    (big / "README.md").write_text("x" * 80_000_000)
    moments = random.Random(5)
    for _ in range(6):
        shutil.rmtree(place, ignore_errors=True)
        process = start(ADDING, big)
        deadline = time.monotonic() + 60
        while not list(place.glob("*.partial")) and process.poll() is None:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        time.sleep(moments.uniform(0.0, 0.06))
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
        for version in registry.versions():
            load_bundle(version.folder)
            assert version.shipped or (version.folder / "README.md").stat().st_size == 80_000_000
        assert registry.problems() == []
    assert registry.add(big).name in {version.name for version in registry.versions()}
    assert not list(place.glob("*.partial"))


def test_two_processes_at_once_lose_nothing(bundles, place):
    adding = [start(ADDING, *order) for order in (bundles, bundles[::-1])]
    for process in adding:
        assert process.wait(60) == 0, process.stderr.read()
    names = [version.name for version in registry.versions()[1:]]
    assert len(names) == 3
    promoting = [start(PROMOTING, 40, *order) for order in (names[:2], names[1:])]
    for process in promoting:
        assert process.wait(60) == 0, process.stderr.read()
    changes = registry.history()
    assert changes[0].before == registry.versions()[0].name
    assert all(a.to == b.before != b.to for a, b in pairwise(changes))
    assert {change.reason for change in changes} >= {"39"}
    assert registry.serving().name == changes[-1].to


def test_figures_written_later_do_not_make_another_version(names, place):
    write_figures(place / names[0], {"gate": {"compared": []}})
    assert registry.version(names[0]).figures == {"gate": {"compared": []}}


def test_two_versions_side_by_side(names, place):
    found = registry.diff(names[0], names[1])
    assert found["origin"] == {"parent": (None, "one"), "snapshot": ("snapshot-0", "snapshot-1")}
    assert found["corrections"] == {"stance": (0, 1)}
    assert found["settings"] == found["figures"] == {}
    against = registry.diff(registry.versions()[0].name, names[0])
    assert against["figures"]["frozen set, stance"] == (None, 0.63)
    assert against["figures"]["dev, newsmtsc macro-F1 rw"][1] is None
    assert against["recipe"]["steps"] == (5500, None)
    assert invoke("diff", names[0], names[0]).output == "They do not differ.\n"
    assert "snapshot: snapshot-0 -> snapshot-1" in invoke("diff", *names[:2]).output
    assert json.loads(invoke("diff", *names[:2], "--json").output)["corrections"] == {"stance": [0, 1]}


def test_the_commands_tell_the_whole_story(names):
    told = invoke("promote", names[0], "--reason", "better on Monday")
    assert told.output == f"{names[0]} serves now.\n"
    rows = [json.loads(line) for line in invoke("list", "--json").output.splitlines()]
    assert [row["name"] for row in rows if row["serving"]] == [names[0]]
    [starred] = [line for line in invoke("list").output.splitlines() if line.startswith("*")]
    assert names[0] in starred
    assert "frozen set, stance 0.630" in starred
    shown = invoke("show", names[0]).output
    assert "was promoted in place of sixth-" in shown
    assert "better on Monday" in shown
    assert "0.450 frozen set, garble" in shown
    [change] = json.loads(invoke("show", names[0], "--json").output)["history"]
    assert change["reason"] == "better on Monday"
    assert f"in place of {names[0]}" in invoke("rollback").output
    ended = invoke("rollback")
    assert ended.exit_code == 2
    assert ended.stderr.startswith("annotate: Nothing served before")


RECORD = {
    "verdict": "promoted",
    "project": "seeds",
    "server": "http://localhost:8080",
    "snapshot": "20260101T000000Z-0123456789ab",
    "parent": "sixth-0123456789ab",
    "version": "retrained-2026-01-01-ba9876543210",
    "started": "2026-01-01T00:00:00+00:00",
    "ended": "2026-01-01T00:05:00+00:00",
    "annotations": {"1": "2026-01-01T00:00:00Z", "2": "2026-01-01T00:00:00Z"},
    "annotators": {"ann@example.org": 2},
    "set_aside": {},
    "taught": {"stance": 12, "garble": 4},
    "replayed": {},
    "seconds": 300,
    "judgement": {"promote": True, "compared": COMPARED, "lines": ["ok  frozen set", "ok  held out"]},
}


@pytest.fixture
def mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow, with none of its variables set."""
    pytest.importorskip("mlflow")
    for name in (URI, EXPERIMENT, *DEFAULTS):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_a_run_is_logged_to_mlflow_and_read_back(mlflow, monkeypatch, tmp_path):
    from mlflow.tracking import MlflowClient

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = (tmp_path / "mlruns").as_uri()
    monkeypatch.setenv(URI, uri)
    said: list[str] = []
    for _ in range(2):
        log_run(RECORD, said.append)
    assert said == []
    client = MlflowClient(uri, registry_uri=uri)
    experiment = client.get_experiment_by_name("annotate")
    run, _ = client.search_runs([experiment.experiment_id])
    assert run.info.status == "FINISHED"
    assert run.info.run_name == RECORD["version"]
    assert run.info.end_time - run.info.start_time == 300_000
    assert {key: run.data.tags[key] for key in TAGS} == {key: RECORD[key] for key in TAGS}
    assert run.data.tags["mlflow.note.content"] == "ok  frozen set\n\nok  held out"
    assert run.data.metrics["frozen set/stance/new"] == pytest.approx(0.63)
    assert run.data.metrics["frozen set/garble/old"] == pytest.approx(0.42)
    assert run.data.metrics["frozen set since sixth-04297682f0a0/garble/old"] == pytest.approx(0.41)
    assert run.data.metrics["seconds"] == 300
    assert run.data.params["taught.stance"] == "12"
    assert run.data.params["annotations"] == "2"
    assert not [p for p in (tmp_path / "mlruns").rglob("*") if p.is_file() and "@example" in p.read_text()]


def test_without_the_variable_nothing_is_logged(mlflow, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    said: list[str] = []
    log_run(RECORD, said.append)
    assert said == []
    assert not list(tmp_path.glob("ml*"))


def test_mlflow_that_is_not_installed_is_one_sentence(mlflow, monkeypatch):
    monkeypatch.setenv(URI, "http://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "mlflow", None)
    monkeypatch.setitem(sys.modules, "mlflow.tracking", None)
    said: list[str] = []
    log_run(RECORD, said.append)
    [line] = said
    assert "MLflow is not installed" in line
    assert "pip install" in line


@pytest.mark.parametrize("answers", [False, True], ids=["refuses", "hangs"])
def test_a_server_that_fails_costs_a_sentence_and_bounded_time(mlflow, monkeypatch, answers):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        if not answers:
            listening.close()
        monkeypatch.setenv(URI, f"http://127.0.0.1:{port}")
        monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        said: list[str] = []
        begun = time.monotonic()
        log_run(RECORD, said.append)
    [line] = said
    assert line.startswith("The run could not be logged to MLflow; everything else is done (")
    assert "\n" not in line
    assert time.monotonic() - begun < 20


def test_a_server_is_sent_the_run(mlflow, monkeypatch):
    """Not MLflow's server, which needs packages that do not go with ours: what its clients send is kept."""
    requests: list[tuple[str, Any]] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.answer({"experiment": {"experiment_id": "7", "name": "news", "lifecycle_stage": "active"}})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append((self.path.rsplit("/", 1)[-1], body))
            info = {"run_id": "r1", "experiment_id": "7", "status": "RUNNING", "start_time": 1}
            self.answer({"run": {"info": info, "data": {}}, "run_info": info})

        def answer(self, content: dict[str, Any]) -> None:
            text = json.dumps(content).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv(URI, f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv(EXPERIMENT, "news")
    said: list[str] = []
    log_run(RECORD, said.append)
    server.shutdown()
    server.server_close()
    assert said == []
    sent = dict(requests)
    assert list(sent) == ["create", "log-batch", "update"]
    assert sent["create"]["experiment_id"] == "7"
    assert {m["key"] for m in sent["log-batch"]["metrics"]} >= {"seconds", "frozen set/stance/new"}
    assert sent["update"]["status"] == "FINISHED"
