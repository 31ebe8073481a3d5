"""Snapshots: all that annotators had said about a project at one time, written once and never changed.

A snapshot is a folder `<UTC time>-<hash>` of `annotations.parquet` and `manifest.json`. The manifest names
the project, the parent snapshot, every annotation with its time of change, and the parquet's SHA-256; the
folder's name carries the manifest's. So a snapshot that was edited is told from one that was not.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from annotate import home
from annotate.corrections.correction import Correction
from annotate.errors import UserError
from annotate.signals.review import Answer, Mark, Review

if TYPE_CHECKING:
    import pyarrow as pa

ANNOTATIONS, MANIFEST = "annotations.parquet", "manifest.json"
FORMAT = 1
NESTED = ("row", "result", "review", "columns", "status")
"""Fields kept as JSON."""


BATCH_ROWS = 1024


@dataclass(frozen=True)
class Snapshot:
    """A snapshot that is whole."""

    folder: Path
    manifest: dict[str, Any]

    @cached_property
    def corrections(self) -> list[Correction]:
        """All of them, ordered by key and annotation."""
        return [raised(row) for row in self.rows()]

    def rows(self) -> Iterator[dict[str, Any]]:
        """The same as rows of the parquet, a few at a time in memory."""
        import pyarrow.parquet as pq

        with pq.ParquetFile(self.folder / ANNOTATIONS) as file:
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                yield from batch.to_pylist()

    @property
    def id(self) -> str:
        """Its folder's name: when it was made, and a hash of all it holds."""
        return self.folder.name


def place(server: str, project: str) -> Path:
    """The folder of a project's snapshots on this machine."""
    name = hashlib.sha256(f"{server}\x1f{project}".encode()).hexdigest()[:16]
    return home.data_dir() / "corrections" / name


def schema() -> pa.Schema:
    """The columns of `annotations.parquet`."""
    import pyarrow as pa

    return pa.schema(
        [
            ("key", pa.string()),
            ("task", pa.int64()),
            ("annotation", pa.int64()),
            ("annotator", pa.string()),
            ("created_at", pa.string()),
            ("updated_at", pa.string()),
            ("lead_time", pa.float64()),
            ("ground_truth", pa.bool_()),
            ("cancelled", pa.bool_()),
            ("model_version", pa.string()),
            ("problem", pa.string()),
            *((name, pa.string()) for name in NESTED),
        ]
    )


def write(
    root: Path,
    rows: Iterable[dict[str, Any]],
    *,
    project: dict[str, Any],
    parent: Snapshot | None,
) -> Snapshot:
    """Write a snapshot under `root`, whole or not at all.

    rows: `flat` corrections ordered by key and annotation.

    Raises:
        UserError: when it cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    before: dict[str, str] = parent.manifest["annotations"] if parent else {}
    now: dict[str, str] = {}
    annotators: Counter[str] = Counter()
    set_aside: dict[int, str] = {}
    left = iter(rows)
    created = datetime.now(UTC)
    partial = root / f".{os.getpid()}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with pq.ParquetWriter(partial / ANNOTATIONS, schema()) as writer:
            while batch := list(itertools.islice(left, BATCH_ROWS)):
                writer.write_table(pa.Table.from_pylist(batch, schema=schema()))
                now |= {str(row["annotation"]): row["updated_at"] for row in batch}
                annotators.update(row["annotator"] for row in batch)
                set_aside |= {row["annotation"]: row["problem"] for row in batch if row["problem"]}
        manifest = {
            "format": FORMAT,
            "project": project,
            "created": created.isoformat(timespec="seconds"),
            "parent": parent.id if parent else None,
            "annotations": now,
            "annotators": dict(sorted(annotators.items())),
            "new": len(now.keys() - before.keys()),
            "changed": sum(before.get(number, time) != time for number, time in now.items()),
            "deleted": len(before.keys() - now.keys()),
            "set_aside": set_aside,
            "files": {ANNOTATIONS: _hash_of(partial / ANNOTATIONS)},
        }
        text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
        (partial / MANIFEST).write_text(text, encoding="utf-8")
        folder = root / f"{created:%Y%m%dT%H%M%S.%fZ}-{_hash(text)}"
        os.replace(partial, folder)
    except OSError as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise UserError(
            f"The snapshot could not be written to {root} ({error.strerror}); make room and pull again."
        ) from error
    return Snapshot(folder, json.loads(text))


def read(folder: Path) -> Snapshot:
    """The snapshot in a folder, its hashes checked.

    Raises:
        UserError: when it is damaged or was edited.
    """
    try:
        text = (folder / MANIFEST).read_text(encoding="utf-8")
        found = _hash_of(folder / ANNOTATIONS)
        manifest = json.loads(text)
        expected = manifest["files"][ANNOTATIONS]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"The snapshot {folder} cannot be read ({type(error).__name__}).") from error
    if not folder.name.endswith(_hash(text)) or found != expected:
        raise UserError(f"The snapshot {folder} was changed by hand: its hash is not the one it was given.")
    if manifest.get("format") != FORMAT:
        raise UserError(f"The snapshot {folder} is of another version of annotate.")
    return Snapshot(folder, manifest)


def latest(root: Path, on_problem: Callable[[str], None]) -> tuple[Snapshot | None, bool]:
    """The newest snapshot under `root` that is whole, and whether it is the newest of all.

    `on_problem` is told of newer ones that are not whole.
    """
    newest = True
    for folder in sorted(folders(root), reverse=True):
        try:
            return read(folder), newest
        except UserError as error:
            on_problem(f"{error} It is left aside.")
            newest = False
    return None, newest


def folders(root: Path) -> list[Path]:
    """The snapshots of a project, oldest first."""
    if not root.is_dir():
        return []
    return sorted(f for f in root.iterdir() if f.is_dir() and not f.name.startswith("."))


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def flat(correction: Correction) -> dict[str, Any]:
    """A correction as a row of `annotations.parquet`."""
    row = asdict(correction)
    return row | {name: json.dumps(row[name], ensure_ascii=False) for name in NESTED}


def raised(row: dict[str, Any]) -> Correction:
    """`flat`, back."""
    nested = {name: json.loads(row[name]) for name in NESTED}
    review = nested["review"]
    nested["review"] = Review(
        tuple(Mark(**mark) for mark in review["marks"]),
        tuple(Answer(**answer) for answer in review["answers"]),
    )
    return Correction(**{**row, **nested})
