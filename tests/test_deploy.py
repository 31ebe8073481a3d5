"""The examples in deploy/ and what docs/operations.md tells to type, checked by the validators there are."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from cronsim import CronSim

from annotate.cli import main

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
OPERATIONS = ROOT / "docs" / "operations.md"
UNITS = sorted(DEPLOY.glob("annotate-retrain*"))
GUIDES = [OPERATIONS, ROOT / "README.md"]
TITLE = "Pouring water, a second time"

analyze = pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd-analyze is not installed")
CRON_LINE = re.compile(r"(?P<when>(?:\S+\s+){5})(?P<command>.+)")
VARIABLE = re.compile(r"(?P<name>\w+)=(?P<value>.*)")


def unit(name: str) -> ConfigParser:
    parsed = ConfigParser(interpolation=None, delimiters=("=",), comment_prefixes=("#",))
    parsed.optionxform = str  # type: ignore[method-assign,assignment]
    parsed.read(DEPLOY / name, encoding="utf-8")
    return parsed


def crontab() -> tuple[dict[str, str], list[re.Match[str]]]:
    """Its variables and its lines, read as strictly as cron does."""
    variables, lines = {}, []
    for line in (DEPLOY / "crontab").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if variable := VARIABLE.fullmatch(line):
            variables[variable["name"]] = variable["value"]
        else:
            found = CRON_LINE.fullmatch(line)
            assert found, f"neither a variable nor a line of cron: {line}"
            lines.append(found)
    return variables, lines


def cronjob() -> dict[str, dict[str, Any]]:
    text = (DEPLOY / "cronjob.yaml").read_text(encoding="utf-8")
    return {document["kind"]: document for document in yaml.safe_load_all(text)}


def pod() -> dict[str, Any]:
    return cronjob()["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]


def workflow() -> dict[Any, Any]:
    return yaml.safe_load((DEPLOY / "github-actions.yml").read_text(encoding="utf-8"))


def step() -> dict[str, Any]:
    (only,) = workflow()["jobs"]["retrain"]["steps"]
    return only


def commands(script: str) -> Iterator[list[str]]:
    """The arguments of each `annotate ...` that a shell script, or a unit's ExecStart, runs."""
    for line in script.splitlines():
        for part in parts(line):
            if "annotate" in (names := [Path(word).name for word in part]):
                yield part[names.index("annotate") + 1 :]


def parts(line: str) -> list[list[str]]:
    """A line's commands, as words: parted where the shell parts them."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=";&|<>")
    lexer.whitespace_split = True
    found: list[list[str]] = [[]]
    for word in lexer:
        if set(word) <= set(";&|<>"):
            found.append([])
        else:
            found[-1].append(word)
    return found


def written(guide: Path) -> Iterator[list[str]]:
    """The arguments of each `annotate ...` in a guide's blocks of code and in its sentences."""
    text = guide.read_text(encoding="utf-8")
    fenced = re.findall(r"(?m)^```\w*\n(.*?)^```", text, flags=re.DOTALL)
    prose = re.sub(r"(?m)^```\w*\n.*?^```", "", text, flags=re.DOTALL)
    blocks = re.findall(r"(?m)^    (annotate .*)$", prose)
    for block in (*fenced, *blocks):
        for line in block.splitlines():
            if line.startswith("annotate "):
                yield shlex.split(line, comments=True)[1:]
    for span in re.findall(r"`annotate ([^`]+)`", re.sub(r"\s+", " ", prose)):
        yield shlex.split(span)


def parse(arguments: list[str]) -> str:
    """Have click read a command line without running it; the command's full name."""
    context = click.Context(main, info_name="annotate")
    command: click.Command = main
    while isinstance(command, click.Group):
        name, found, arguments = command.resolve_command(context, arguments)
        assert found is not None, "an unknown name raises UsageError"
        if isinstance(found, click.Group):
            context = click.Context(found, context, name)
        command = found
    return command.make_context(command.name, list(arguments), parent=context).command_path


def run_with(tmp_path: Path, script: str, shell: str, code: int, variables: dict[str, str]) -> Any:
    """Run a script where `annotate` writes down its arguments and ends with `code`."""
    folder = tmp_path / "bin"
    folder.mkdir()
    told = tmp_path / "told"
    (folder / "annotate").write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > "{told}"\nexit {code}\n')
    (folder / "annotate").chmod(0o755)
    environment = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "PROJECT": TITLE, **variables}
    ended = subprocess.run([shell, "-c", script], env=environment, capture_output=True, text=True)
    return ended, told.read_text(encoding="utf-8").splitlines() if told.exists() else None


@analyze
def test_systemd_takes_the_units(tmp_path):
    copies = []
    for path in UNITS:
        text = path.read_text(encoding="utf-8").replace("/opt/annotate/bin/annotate", sys.executable)
        copies.append(tmp_path / path.name)
        copies[-1].write_text(text, encoding="utf-8")
    call = ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *map(str, copies)]
    ended = subprocess.run(call, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (0, "")


@analyze
def test_the_timer_elapses_every_day():
    when = unit("annotate-retrain.timer")["Timer"]["OnCalendar"]
    call = ["systemd-analyze", "calendar", "--iterations=3", when]
    told = subprocess.run(call, capture_output=True, text=True, check=True, env={**os.environ, "TZ": "UTC"})
    days = [datetime.fromisoformat(d) for d in re.findall(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", told.stdout)]
    assert len(days) == 3
    assert {(b - a).days for a, b in pairwise(days)} == {1}


def test_the_timer_makes_up_for_what_it_slept_through_and_spreads_its_starts():
    timer = unit("annotate-retrain.timer")["Timer"]
    assert timer.getboolean("Persistent")
    assert timer["RandomizedDelaySec"]


def test_the_service_yields_to_other_work_and_takes_a_refusal_for_no_failure():
    from annotate.errors import Busy
    from annotate.training.retrain import EXIT_CODES

    service = unit("annotate-retrain.service")["Service"]
    assert service["Type"] == "oneshot"
    assert (service["Nice"], service["IOSchedulingClass"]) == ("19", "idle")
    assert {int(code) for code in service["SuccessExitStatus"].split()} == {
        EXIT_CODES["refused"],
        Busy.exit_code,
    }


def test_the_path_unit_watches_the_file_that_a_webhook_leaves(tmp_path, monkeypatch):
    from annotate.serving import app, guard

    monkeypatch.setenv("ANNOTATE_HOME", str(tmp_path))
    nudge = (guard.folder() / app.NUDGED).relative_to(tmp_path)
    home = unit("annotate-retrain.service")["Service"]["Environment"].removeprefix("ANNOTATE_HOME=")
    assert unit("annotate-retrain.path")["Path"]["PathChanged"] == f"{home}/{nudge}"
    timer = unit("annotate-retrain.path")["Path"]["Unit"]
    assert unit(timer)["Timer"]["Unit"] == "annotate-retrain.service"


def test_cron_runs_its_line_once_every_day():
    _, (line,) = crontab()
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    runs = CronSim(line["when"].strip(), begin)
    first, second = next(runs), next(runs)
    assert (second - first).days == 1
    assert "%" not in line["command"], "cron makes a line break of it"


@pytest.mark.parametrize(("code", "mail"), [(0, False), (3, False), (4, False), (2, True)])
def test_the_line_of_cron_hands_over_the_title_and_sends_mail_of_failures_alone(tmp_path, code, mail):
    variables, (line,) = crontab()
    secrets = tmp_path / "retrain.env"
    secrets.write_text(f'PROJECT="{TITLE}"\nLABEL_STUDIO_API_KEY=k\n', encoding="utf-8")
    (tmp_path / "retrain.log").write_text("what was said before\n", encoding="utf-8")
    given = {"PROJECT": "", "ANNOTATE_HOME": str(tmp_path), "RETRAIN_ENV": str(secrets)}
    assert given.keys() - {"PROJECT"} <= variables.keys()
    ended, told = run_with(tmp_path, line["command"], variables["SHELL"], code, given)
    assert told == ["retrain", "--project", TITLE]
    assert bool(ended.stdout) is mail
    assert ended.stderr == ""


def test_the_cronjob_never_runs_twice_at_once_and_keeps_its_home():
    job = cronjob()["CronJob"]
    claim = cronjob()["PersistentVolumeClaim"]["metadata"]["name"]
    assert job["apiVersion"] == "batch/v1"
    assert next(CronSim(job["spec"]["schedule"], datetime(2026, 1, 1, tzinfo=UTC)))
    assert job["spec"]["concurrencyPolicy"] == "Forbid"
    (container,) = pod()["containers"]
    homes = [entry["value"] for entry in container["env"] if entry["name"] == "ANNOTATE_HOME"]
    (mount,) = [one["name"] for one in container["volumeMounts"] if [one["mountPath"]] == homes]
    (volume,) = [one for one in pod()["volumes"] if one["name"] == mount]
    assert volume["persistentVolumeClaim"]["claimName"] == claim


def test_the_cronjob_may_do_no_more_than_it_must():
    (container,) = pod()["containers"]
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["restartPolicy"] == "Never"
    own = container["securityContext"]
    assert own["allowPrivilegeEscalation"] is False
    assert own["readOnlyRootFilesystem"] is True
    assert own["capabilities"] == {"drop": ["ALL"]}
    assert container["resources"]["limits"].keys() == {"cpu", "memory"}


def test_the_cronjob_is_valid_by_kubernetes_own_schemas():
    validator = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for document in cronjob().values():
        validator.validate(document, "1.31", strict=True)


@pytest.mark.parametrize(("code", "left"), [(0, 0), (2, 2), (3, 0), (4, 0), (137, 137)])
def test_the_container_of_the_cronjob_fails_only_where_something_is_wrong(tmp_path, code, left):
    (container,) = pod()["containers"]
    ended, told = run_with(tmp_path, container["args"][0], container["command"][0], code, {})
    assert told[:3] == ["retrain", "--project", TITLE]
    assert ended.returncode == left


def test_the_workflow_is_valid_by_githubs_schema():
    call = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows"]
    ended = subprocess.run([*call, str(DEPLOY / "github-actions.yml")], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout


def test_the_workflow_runs_every_day_one_at_a_time_on_a_machine_that_keeps_its_folder():
    asked = workflow()
    triggers = asked[True]  # what YAML 1.1 makes of `on`
    (schedule,) = triggers["schedule"]
    runs = CronSim(schedule["cron"], datetime(2026, 1, 1, tzinfo=UTC))
    assert -(next(runs) - next(runs)).days == 1
    assert asked["concurrency"] == {"group": "annotate-retrain", "cancel-in-progress": False}
    assert "self-hosted" in asked["jobs"]["retrain"]["runs-on"]
    assert step()["env"]["ANNOTATE_HOME"] == "${{ vars.ANNOTATE_HOME }}"
    assert step()["env"]["LABEL_STUDIO_API_KEY"] == "${{ secrets.LABEL_STUDIO_API_KEY }}"


@pytest.mark.parametrize(
    ("code", "left", "said"), [(0, 0, ""), (2, 2, ""), (3, 0, "::warning::"), (4, 0, "::notice::")]
)
def test_the_step_of_the_workflow_warns_of_a_refusal_and_fails_with_failures(tmp_path, code, left, said):
    ended, told = run_with(tmp_path, step()["run"], "bash", code, dict.fromkeys(step()["env"], TITLE))
    assert told == ["retrain", "--project", TITLE]
    assert ended.returncode == left
    assert ended.stdout.startswith(said)
    assert bool(ended.stdout) is bool(said)


def test_the_step_of_the_workflow_does_not_begin_without_its_folder(tmp_path):
    given = {**dict.fromkeys(step()["env"], TITLE), "ANNOTATE_HOME": ""}
    ended, told = run_with(tmp_path, step()["run"], "bash", 0, given)
    assert told is None
    assert (ended.returncode, "ANNOTATE_HOME is not set" in ended.stdout) == (2, True)


def test_every_command_in_the_examples_is_one_that_annotate_has():
    service = unit("annotate-retrain.service")["Service"]["ExecStart"]
    _, (line,) = crontab()
    scripts = [service, line["command"], pod()["containers"][0]["args"][0], step()["run"]]
    for script in scripts:
        (arguments,) = commands(script)
        assert parse(arguments) == "annotate retrain"


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_every_command_in_the_guides_is_one_that_annotate_has(guide):
    found = set()
    for arguments in written(guide):
        try:
            found.add(parse(arguments))
        except click.MissingParameter:  # named in a sentence, not to be typed
            found.add(f"annotate {arguments[0]}")
    for name in ("pull", "agreement", "disagreements", "retrain", "serve", "models rollback"):
        assert f"annotate {name}" in found


@pytest.mark.parametrize("wrong", ["retrain --projekt x", "retrian --project x", "models list --full"])
def test_a_command_that_annotate_does_not_have_would_be_found(wrong):
    with pytest.raises(click.UsageError):
        parse(wrong.split())


def test_no_example_holds_a_secret():
    for path in DEPLOY.iterdir():
        for key in re.findall(r"(?:API_KEY|PASSWORD)\s*[=:]\s*(\S+)", path.read_text(encoding="utf-8")):
            assert key in ("...", "${{"), f"{path.name}: {key}"
