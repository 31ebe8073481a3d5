"""Retraining runs logged to a team's MLflow server, where the standard MLFLOW_TRACKING_URI names one.

The package is an optional extra. A server that fails costs a sentence and some seconds, never the run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

URI, EXPERIMENT = "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME"
DEFAULTS = {
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}
"""Unless the user sets them: MLflow's own wait is 120 seconds a try and seven retries."""
TAGS = ("verdict", "version", "parent", "snapshot", "project")
PARAMS = ("server", "started", "ended", "taught", "replayed")
COUNTED = ("annotations", "annotators", "set_aside")
"""Logged by how many they are: who annotated stays here."""


def log_run(record: Mapping[str, Any], say: Callable[[str], None]) -> None:
    """Log the record of a retraining as one run: its tags, parameters, and the gate's figures as metrics, the
    gate's reasons as the run's description. Does nothing where MLFLOW_TRACKING_URI is not set.

    The experiment is MLFLOW_EXPERIMENT_NAME or “annotate”; `say` is told in a sentence what went wrong.
    """
    uri = os.environ.get(URI)
    if not uri:
        return
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    try:
        from mlflow.tracking import MlflowClient
    except ImportError:
        say(
            f"{URI} is set but MLflow is not installed, so the run was not logged there; "
            "pip install 'annotate-news[mlflow]' adds it."
        )
        return
    try:
        _send(MlflowClient(uri, registry_uri=uri), record)
    except Exception as error:  # whatever a server or its client throws must not end the job
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        say(f"The run could not be logged to MLflow; everything else is done ({first[:200]}).")


def _send(client: Any, record: Mapping[str, Any]) -> None:
    from mlflow.entities import Metric, Param, RunTag
    from mlflow.exceptions import MlflowException

    name = os.environ.get(EXPERIMENT) or "annotate"
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            experiment = client.create_experiment(name)
        except MlflowException:  # another run made it meanwhile
            experiment = client.get_experiment_by_name(name).experiment_id
    else:
        experiment = found.experiment_id
    title = record.get("version") or record.get("snapshot")
    run = client.create_run(experiment, start_time=_milliseconds(record, "started"), run_name=title).info
    tags = [RunTag(key, str(record[key])) for key in TAGS if record.get(key)]
    reasons = (record.get("judgement") or {}).get("lines")
    if reasons:
        tags.append(RunTag("mlflow.note.content", "\n\n".join(reasons)))
    params = [Param(key, str(value)) for part in PARAMS for key, value in _flat(part, record.get(part))]
    params += [Param(key, str(len(record[key]))) for key in COUNTED if key in record]
    ended = _milliseconds(record, "ended") or run.start_time
    metrics = [Metric(key, value, ended, 0) for key, value in _metrics(record)]
    client.log_batch(run.run_id, metrics=metrics, params=params, tags=tags)
    client.set_terminated(run.run_id, "FINISHED", end_time=ended)


def _metrics(record: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    if record.get("seconds") is not None:
        yield "seconds", float(record["seconds"])
    for row in (record.get("judgement") or {}).get("compared", ()):
        for which in ("old", "new"):
            yield f"{row['where']}/{row['signal']}/{which}", float(row[which])


def _flat(key: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for inner, nested in value.items():
            yield from _flat(f"{key}.{inner}", nested)
    elif value is not None:
        yield key, value


def _milliseconds(record: Mapping[str, Any], key: str) -> int | None:
    at = record.get(key)
    return round(datetime.fromisoformat(at).timestamp() * 1000) if at else None
