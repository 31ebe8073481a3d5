"""The unit of work: one file of articles read, scored and put in its place, or set aside."""

from __future__ import annotations

import os
import resource
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.engine.storage import Folder, short

if TYPE_CHECKING:
    from annotate.article import Article
    from annotate.reading import Problem
    from annotate.scoring import Annotator

RUN, SIZE = "annotate.run", "annotate.source_bytes"
"""Notes in an output file: the run it belongs to, and how large the file was that it was made from."""
SPARING = {"ONEDNN_PRIMITIVE_CACHE_CAPACITY": "64"}
"""What keeps a worker's memory flat: by default oneDNN keeps buffers for a thousand shapes of batches, which
grow for tens of thousands of sentences. In the environment before the first batch."""
NAMED = 3
"""Bad rows of a partition that are told one by one."""


@dataclass(frozen=True, slots=True)
class Work:
    """What every partition of a run has in common. `run`: `Manifest.run`; `targets`: names to aliases."""

    source: str
    destination: str
    run: str
    targets: Mapping[str, Sequence[str]]
    siblings: bool
    window: str | None
    any_language: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a partition. `problem`: why it was set aside; `errors`: rows that could not be used, the
    first of them in words; `left_out`: articles left out on purpose (not English, or come twice); `memory`:
    the worker's peak so far, in bytes; `worker`: its process."""

    name: str
    sentences: int = 0
    articles: int = 0
    seconds: float = 0.0
    problem: str | None = None
    bad: int = 0
    errors: tuple[str, ...] = ()
    left_out: int = 0
    memory: int = 0
    worker: int = 0


class SetAside(Exception):
    """A partition that cannot be used."""


def score_partition(annotator: Annotator, work: Work, name: str) -> Outcome:
    """Score one file of the source into one of the destination. Whatever goes wrong with it is told in the
    outcome, and nothing is written then."""
    began = time.monotonic()
    source, destination = Folder(work.source), Folder(work.destination)
    try:
        with source.fetched(name) as (path, root), tempfile.TemporaryDirectory(prefix="annotate-") as spool:
            scored = Path(spool, "scored.parquet")
            heard = Heard()
            sentences, articles = _score(annotator, work, path, root, scored, heard)
            destination.put(scored, name)
    except SetAside as reason:
        return Outcome(name, problem=_plain(str(reason), path, name))
    except Exception as error:  # of whatever library: it must not cost the other partitions
        return Outcome(name, problem=f"{name}: {type(error).__name__}: {short(error)}")
    return Outcome(
        name,
        sentences,
        articles,
        time.monotonic() - began,
        bad=heard.bad,
        errors=tuple(_plain(said, path, name) for said in heard.errors),
        left_out=heard.left_out,
        memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        worker=os.getpid(),
    )


class Heard:
    """What reading complained of."""

    def __init__(self) -> None:
        self.bad, self.left_out = 0, 0
        self.errors: list[str] = []

    def __call__(self, problem: Problem) -> None:
        if problem.whole:
            raise SetAside(problem.message)
        self.left_out += not problem.error
        if problem.error:
            self.bad += 1
            self.errors += [problem.message] if self.bad <= NAMED else []


def _score(
    annotator: Annotator, work: Work, path: Path, root: Path, out: Path, heard: Heard
) -> tuple[int, int]:
    """The numbers of sentences and articles of a file, scored into another."""
    from annotate.frame import schema
    from annotate.output import writing
    from annotate.reading import Targets, read

    if Folder(str(path)).footer(path.name).rows == 0:
        articles: Iterable[Article] = ()
    else:
        articles = read(
            [path], any_language=work.any_language, group_by=work.window, within=root, on_problem=heard
        )
    counted = Counted(articles)
    notes = {RUN: work.run, SIZE: str(path.stat().st_size)}
    targets = Targets({target: tuple(aliases) for target, aliases in work.targets.items()})
    sentences = 0
    with writing(out, "parquet", schema().with_metadata(notes)) as writer:
        for table in annotator.stream(
            counted, targets, siblings=work.siblings, windows=work.window is not None
        ):
            writer.write(table)
            sentences += table.num_rows
    return sentences, counted.n


class Counted:
    """Articles, counted as they pass."""

    def __init__(self, articles: Iterable[Article]) -> None:
        self.articles, self.n = articles, 0

    def __iter__(self) -> Iterator[Article]:
        for article in self.articles:
            self.n += 1
            yield article


def _plain(said: str, path: Path, name: str) -> str:
    """A complaint that names the partition in place of where it lay on the worker."""
    return said.replace(str(path), name)
