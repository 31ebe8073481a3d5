"""Clean news sentences with one name in each, for teachers to judge the stance toward it.

newsmtsc has 8,651 rows of training; what its models believe of further sentences teaches more (Xie et al.
2020, Self-training with Noisy Student).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence

from annotate.reading.wordlists import CALENDAR, TITLES
from annotate.signals.base import Example

NAME = re.compile(r"(?<=[a-z,;:“\"] )[A-Z][\w’'-]*\w(?: (?:(?:of|the|de|for|and) )?[A-Z][\w’'-]*\w)*")
"""A run of capitalised words that is not capitalised by its place alone."""


RUN = 10
"""So many words in a row tell that a sentence is one that is held out."""


def read_named(texts: Sequence[str], held_out: Sequence[str]) -> list[Example]:
    """An example without a label for each text that has a name; of several names one is drawn by the text.
    What shares RUN words in a row with a text that is held out is left."""
    held = {run for text in held_out for run in runs(text)}
    found: list[Example] = []
    for text in texts:
        if any(run in held for run in runs(text)):
            continue
        names = [m.span() for m in NAME.finditer(text) if not plain(m.group())]
        if names:
            start, end = names[zlib.crc32(text.encode()) % len(names)]
            found.append(Example(text, ((start, end, "target"),), document=str(len(found))))
    return found


def runs(text: str) -> Iterator[tuple[str, ...]]:
    """Each RUN words in a row, or all of a shorter text."""
    words = re.findall(r"\w+", text.casefold())
    for i in range(max(1, len(words) - RUN + 1)):
        yield tuple(words[i : i + RUN])


def plain(name: str) -> bool:
    """Whether a capitalised word names a day or a month, or is a title alone."""
    return name in CALENDAR or name in TITLES
