"""Scores read back: a file that `annotate score` wrote, or a frame, checked before anything is counted."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from annotate.errors import UserError
from annotate.frame import schema
from annotate.output import SUFFIXES

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    Scores: TypeAlias = str | Path | pd.DataFrame | pa.Table

HOW = "make it with `annotate score PATH… --out scores.parquet`"


def load_scores(scores: Scores, needed: Iterable[str] | None = None) -> pd.DataFrame:
    """The scores frame of a parquet, jsonl or csv file, or of a frame or an Arrow table: lists are Python
    lists of dicts, what is absent is None, further columns stay. A frame that is given is not changed.

    needed: the columns without which the caller can do nothing; by default all of the scores frame.

    Raises:
        UserError: when the file cannot be read, a needed column is missing, there is no row, a sentence is
            there twice, or several models made the scores.
    """
    import pandas as pd

    name = str(scores) if isinstance(scores, str | Path) else "the frame"
    if isinstance(scores, str | Path):
        found = _from_file(Path(scores))
    elif isinstance(scores, pd.DataFrame):
        found = scores.reset_index(drop=True)
    elif hasattr(scores, "to_pylist"):
        found = pd.DataFrame(scores.to_pylist(), columns=scores.schema.names)
    else:
        raise UserError(
            f"Scores come as a path, a pandas frame or an Arrow table, not {type(scores).__name__}."
        )
    columns = schema().names if needed is None else list(needed)
    missing = [column for column in columns if column not in found.columns]
    if missing:
        raise UserError(f"The column “{missing[0]}” is missing in {name}, so it holds no scores; {HOW}.")
    if found.empty:
        raise UserError(f"There is no sentence in {name}; {HOW}.")
    found = found.assign(**{column: _plain(found[column]) for column in found.columns})
    _check_rows(found, name)
    return found


def _from_file(path: Path) -> pd.DataFrame:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not path.is_file():
        raise UserError(f"{path} is no file of scores; {HOW}.")
    format = SUFFIXES.get(path.suffix.lower())
    if format is None:
        raise UserError(f"{path} has a suffix that names no format of scores; use {', '.join(SUFFIXES)}.")
    try:
        if format == "parquet":
            table = pq.read_table(path)
            return pd.DataFrame(table.to_pylist(), columns=table.schema.names)
        if format == "jsonl":
            lines = path.read_text(encoding="utf-8-sig").split("\n")
            return pd.DataFrame([json.loads(line) for line in lines if line.strip()])
        return _from_csv(path)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read as {format} of scores ({_first_line(error)}); {HOW}."
        ) from error


def _from_csv(path: Path) -> pd.DataFrame:
    """A csv as `annotate score` writes it, its types from the scores frame's schema: lists are JSON."""
    import pandas as pd
    import pyarrow as pa

    found = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    for field in schema():
        if field.name not in found.columns:
            continue
        column = found[field.name]
        if pa.types.is_list(field.type):
            found[field.name] = [json.loads(cell) if cell else None for cell in column]
        elif pa.types.is_boolean(field.type):
            found[field.name] = column == "True"
        elif pa.types.is_integer(field.type):
            found[field.name] = column.astype(int)
        elif pa.types.is_floating(field.type):
            found[field.name] = pd.to_numeric(column.replace("", None))
        else:
            found[field.name] = column.replace("", None)
    return found


def _plain(column: pd.Series) -> pd.Series:
    """Lists as Python lists, absent text as None."""
    import pandas as pd

    if column.dtype.kind in "biuf":
        return column
    return pd.Series([_value(v) for v in column], index=column.index, dtype=object)


def _value(value: Any) -> Any:
    """A cell without arrays, at any depth, and without the several ways of pandas to say nothing."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, dict):
        return {name: _value(item) for name, item in value.items()}
    if type(value).__name__ == "NAType" or value != value:
        return None
    return value


def _check_rows(found: pd.DataFrame, name: str) -> None:
    if "model" in found.columns:
        models = sorted({str(model) for model in found["model"]})
        if len(models) > 1:
            raise UserError(
                f"Several models made the scores in {name}: {models[0]} and {models[1]}. Their figures "
                "cannot be set side by side; score all articles with one: `annotate score PATH… --out FILE`."
            )
    if "sentence_id" in found.columns:
        again = found["sentence_id"][found["sentence_id"].duplicated()]
        if len(again):
            raise UserError(
                f"The sentence {again.iloc[0]} stands twice in {name} and would count twice; "
                "leave it once: `frame.drop_duplicates('sentence_id')`."
            )


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0][:120]
