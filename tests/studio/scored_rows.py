"""Rows of the scores frame for the tests, and what a project holds of them."""

from __future__ import annotations

from collections import Counter
from typing import Any

from annotate.studio.client import Connection
from annotate.studio.tasks import key


def scored_row(text: str, n: int = 0, article: str = "a1", start: int = 0, **columns: Any) -> dict[str, Any]:
    """A row of the scores frame in which the model found nothing; `columns` say otherwise."""
    return {
        "article_id": article,
        "outlet": "The Paper",
        "sentence_id": f"{article}-{n:012d}",
        "start": start,
        "end": start + len(text),
        "text": text,
        "boilerplate": False,
        "holder_kind": "outlet",
        "holder_name": None,
        "attribution": 0.1,
        "attribution_spans": [],
        "stance": [],
        "hedging": 0.1,
        "hedging_spans": [],
        "loaded": 0.1,
        "loaded_spans": [],
        "garble": 0.1,
        "garble_spans": [],
        "siblings": [],
        "drift": [],
        "uncertainty": 0.2,
        "model": "annotate-0.1.0|model:one",
    } | columns


def place_of(text: str, part: str, start: int = 0) -> dict[str, int]:
    """Where a part of a text stands, as offsets into the article whose `start` the text has."""
    at = text.index(part)
    return {"start": start + at, "end": start + at + len(part)}


def judged(text: str, target: str, label: str = "against", start: int = 0) -> dict[str, Any]:
    """A stance toward a target that the text names."""
    probabilities = {
        f"p_{other}": 0.8 if other == label else 0.1 for other in ("against", "neutral", "favor")
    }
    return {"target": target, "mentions": [place_of(text, target, start)], "label": label, **probabilities}


def sample(n: int, **columns: Any) -> list[dict[str, Any]]:
    """n sentences of several articles, each with a target and a hedge."""
    rows = []
    for i in range(n):
        text, start = f"Officials said China might smear other countries, report {i} claims.", 100 * (i % 30)
        hedge = {**place_of(text, "might", start), "probability": 0.9}
        found = {"stance": [judged(text, "China", start=start)], "hedging": 0.9, "hedging_spans": [hedge]}
        rows.append(scored_row(text, i, f"article-{i // 30}", start, **(found | columns)))
    return rows


def keys_of(rows: list[dict[str, Any]]) -> set[str]:
    return {key(row["sentence_id"], row["text"]) for row in rows}


def standing(studio: Connection, project: int) -> tuple[Counter[str], Counter[str]]:
    """What a project holds: how often each key, and each (key, model version), read task by task."""
    http = studio.api._client_wrapper.httpx_client
    keys: Counter[str] = Counter()
    predictions: Counter[str] = Counter()
    page, found = 1, [{}]
    while found:
        answer = http.request(
            "api/tasks/",
            method="GET",
            params={
                "project": project, "page": page, "page_size": 500, "fields": "all",
                "include": "id,data,predictions,model_version",
            },
        )  # fmt: skip
        found = answer.json()["tasks"] if answer.status_code == 200 else []
        for task in found:
            keys[task["data"]["key"]] += 1
            for prediction in task["predictions"]:
                predictions[f"{task['data']['key']} {prediction['model_version']}"] += 1
        page += 1
    return keys, predictions
