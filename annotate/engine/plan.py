"""What there is to do: the partitions of a source, whether they are of one kind, and which are done."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from annotate.engine.partition import RUN, SIZE, Outcome
from annotate.engine.storage import Folder, Footer, short
from annotate.errors import UserError
from annotate.reading import COLUMNS

AT_ONCE = 16
"""Footers that are read at once: they wait for the store, not for the processor."""
T = TypeVar("T")


@dataclass(frozen=True)
class Plan:
    """Names of partitions to score, their articles in all, how many are done, and what is set aside already
    because its footer cannot be read."""

    waiting: list[str]
    articles: int
    done: int
    aside: list[Outcome]


def planned(source: Folder, destination: Folder, run: str | None, window: str | None) -> Plan:
    """The plan of a run; `run`: the one whose rows the destination holds, None for one that is empty.

    Raises:
        UserError: when the source has no partitions or partitions of different kinds, or the destination
            holds partitions of another run or of files that have changed since.
    """
    sizes = source.partitions()
    if not sizes:
        raise UserError(f"{source.address} holds no parquet file; give a folder of them, or its address.")
    done = set(_done(sizes, destination, run)) if run else set()
    waiting = [name for name in sizes if name not in done]
    kinds: dict[str, tuple[str, str]] = {}
    good, articles, aside = [], 0, []
    for name, footer in _each(source.footer, waiting):
        if isinstance(footer, Footer):
            same_kind(kinds, name, footer, source, window)
            good.append(name)
            articles += footer.rows
        else:
            aside.append(
                Outcome(
                    name, problem=f"{name}: this is no whole parquet file ({short(footer)}); write it again"
                )
            )
    for column in ("text", *([window] if window else [])):
        if kinds.get(column, ("", ""))[1] == "missing":
            raise UserError(f"The files of {source.address} have no column `{column}`; rename the one it is.")
    return Plan(good, articles, len(done), aside)


def _done(sizes: Mapping[str, int], destination: Folder, run: str) -> Iterator[str]:
    there = [name for name in destination.partitions() if name in sizes]
    for name, footer in _each(destination.footer, there):
        if not isinstance(footer, Footer):
            continue
        if footer.notes.get(RUN) != run:
            raise UserError(
                f"{destination.address}/{name} is of another run than the rest; name another --out, or "
                "delete it."
            )
        if footer.notes.get(SIZE) != str(sizes[name]):
            raise UserError(
                f"{name} has changed since it was scored; delete it from {destination.address} to score it "
                "again, or name another --out."
            )
        yield name


def _each(look: Callable[[str], T], names: Iterable[str]) -> Iterator[tuple[str, T | Exception]]:
    """What is seen of each name, or the error instead."""

    def safely(name: str) -> tuple[str, T | Exception]:
        try:
            return name, look(name)
        except Exception as error:
            return name, error

    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield from pool.map(safely, names)


def same_kind(
    kinds: dict[str, tuple[str, str]], name: str, footer: Footer, source: Folder, window: str | None
) -> None:
    """That the columns which are read are of one type with those of the files before; `kinds` has, by column,
    the first file that has anything there, and what. A column of nulls fits any.

    Raises:
        UserError: when one is not.
    """
    for column in dict.fromkeys((*COLUMNS, *([window] if window else []))):
        kind = _kind(footer.schema, column)
        if kind == "empty":
            continue
        first, before = kinds.setdefault(column, (name, kind))
        if kind != before:
            raise UserError(
                f"The files of {source.address} are of different kinds: `{column}` is {before} in {first} "
                f"and {kind} in {name}; write them with one schema, or score them apart."
            )


def _kind(schema: Any, column: str) -> str:
    """What a column holds, in words; one of text however it is stored."""
    import pyarrow.types as types

    if column not in schema.names:
        return "missing"
    kind = schema.field(column).type
    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_null(kind):
        return "empty"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    return f"of type {kind}"
