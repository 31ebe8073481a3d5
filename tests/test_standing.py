"""The sentences that stand in a project, in a file: drawn, found by article, scored again in parts."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from annotate import load
from annotate.corrections import rescoring
from annotate.corrections.rescoring import rescored
from annotate.corrections.standing import Standing
from annotate.scores import load_scores

SEEDS = Path(__file__).parent.parent / "seeds"


def row(article: str, n: int, is_open: bool) -> dict:
    return {
        "article_id": article,
        "sentence_id": f"{article}-{n}",
        "start": 10 * n,
        "open": is_open,
        "text": "é",
    }


@pytest.fixture
def mixed() -> list[dict]:
    """Three articles whose rows stand in no order; nothing of the last one is open."""
    rows = [row(article, n, article != "c" and n % 3 == 0) for article in "abc" for n in range(12)]
    return random.Random(1).sample(rows, len(rows))


def test_articles_with_an_open_sentence_come_whole_and_in_order(tmp_path, mixed):
    standing = Standing.write(tmp_path / "rows.jsonl", mixed)
    assert list(standing) == mixed
    found = list(standing.open_articles())
    assert [rows[0]["article_id"] for rows in found] == ["a", "b"]
    assert found == [[row(article, n, n % 3 == 0) for n in range(12)] for article in "ab"]


def test_the_same_open_sentences_are_drawn_whatever_the_order(tmp_path, mixed):
    one = Standing.write(tmp_path / "one.jsonl", mixed).some_open(5)
    other = Standing.write(tmp_path / "other.jsonl", sorted(mixed, key=str)).some_open(5)
    assert one == other
    assert len(one) == 5
    assert all(r["open"] for r in one)
    every = Standing(tmp_path / "one.jsonl").some_open(100)
    assert every[:5] == one
    assert len(every) == sum(r["open"] for r in mixed)


def test_where_the_server_dies_meanwhile_there_is_no_file(tmp_path, mixed):
    def dying():
        yield from mixed[:7]
        raise RuntimeError

    with pytest.raises(RuntimeError):
        Standing.write(tmp_path / "rows.jsonl", dying())
    assert list(tmp_path.iterdir()) == []


def test_scored_again_in_parts_as_at_once_and_siblings_stay(monkeypatch):
    annotator = load()
    rows = load_scores(annotator.score(SEEDS)).to_dict("records")
    rows = [{**r, "siblings": ["kept"]} for r in rows if not r["boilerplate"]]
    articles = [[r for r in rows if r["article_id"] == a] for a in sorted({r["article_id"] for r in rows})]
    [whole] = rescored(annotator, articles)
    monkeypatch.setattr(rescoring, "AT_ONCE", 20)
    parts = list(rescored(annotator, articles))
    assert len(parts) > 2
    again = [r for part in parts for r in part]
    assert [r["sentence_id"] for r in again] == [r["sentence_id"] for r in whole]
    assert [r["garble"] for r in again] == pytest.approx([r["garble"] for r in whole], abs=1e-3)
    assert [r["garble"] for r in whole] == pytest.approx(
        [r["garble"] for a in articles for r in a], abs=1e-3
    ), "the same model says the same again"
    assert all(r["siblings"] == ["kept"] for r in again)
