"""The scores frame: one row per sentence, its columns declared once as an Arrow schema."""

from __future__ import annotations

from functools import cache
from typing import Any

import pyarrow as pa

SIBLING = pa.struct([("article_id", pa.string()), ("sentence_id", pa.string()), ("similarity", pa.float32())])
DRIFT = pa.struct(
    [
        ("start", pa.int64()),
        ("end", pa.int64()),
        ("sibling_article_id", pa.string()),
        ("sibling_sentence_id", pa.string()),
        ("sibling_text", pa.string()),
        ("kind", pa.string()),
        ("probability", pa.float32()),
    ]
)

SENTENCE_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("article_id", pa.string()),
    ("outlet", pa.string()),
    ("sentence_id", pa.string()),
    ("start", pa.int64()),
    ("end", pa.int64()),
    ("text", pa.string()),
    ("boilerplate", pa.bool_()),
)
CLOSING_COLUMNS: tuple[tuple[str, pa.DataType], ...] = (
    ("siblings", pa.list_(SIBLING)),
    ("drift", pa.list_(DRIFT)),
    ("uncertainty", pa.float32()),
    ("model", pa.string()),
)


@cache
def schema() -> pa.Schema:
    """The Arrow schema of the scores frame: the sentence, each signal's columns, what closes a row.

    Offsets (`start`, `end`, and those inside lists) are Unicode code points into the article, end
    exclusive. Boilerplate rows carry nulls in the signals' columns: they are not scored.
    """
    from annotate.signals import SIGNALS

    columns = [*SENTENCE_COLUMNS]
    for signal in SIGNALS:
        columns += signal.columns
    return pa.schema([*columns, *CLOSING_COLUMNS])


def table(rows: list[dict[str, Any]]) -> pa.Table:
    """Rows as an Arrow table with the declared schema; absent columns are null."""
    return pa.Table.from_pylist(rows, schema=schema())
