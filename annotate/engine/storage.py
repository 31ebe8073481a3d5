"""Folders of parquet files, on a file system or an object store, by their fsspec address."""

from __future__ import annotations

import os
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from annotate.errors import UserError

RENAMING = frozenset({"file", "local", "hdfs", "webhdfs", "arrow_hdfs", "sftp", "ssh", "smb"})
"""File systems where a file that is written shows under its name at once, so that it must be renamed when it
is whole. On an object store a file appears when its upload ends."""
PARTIAL = ".partial"
SUFFIX = ".parquet"


@dataclass(frozen=True)
class Footer:
    """What a parquet file says of itself: its Arrow schema, how many rows, and notes by name."""

    schema: Any
    rows: int
    notes: dict[str, str]


@dataclass(frozen=True)
class Folder:
    """A folder, or a single parquet file as a folder of one. `address`: a path, or such as `s3://name/path`.

    Every method raises UserError for an address whose kind is unknown or whose package is not installed.
    """

    address: str

    @cached_property
    def _place(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs

        try:
            system, path = url_to_fs(self.address)
        except ImportError as error:
            raise UserError(f"{self.address}: {error}; install that package.") from error
        except Exception as error:
            raise UserError(f"{self.address} is no address that can be opened ({short(error)}).") from error
        return system, str(path).rstrip("/")

    @cached_property
    def is_file(self) -> bool:
        """Whether the address names one parquet file."""
        system, path = self._place
        return path.endswith(SUFFIX) and bool(system.isfile(path))

    @property
    def system(self) -> Any:
        """The fsspec file system."""
        return self._place[0]

    @property
    def root(self) -> str:
        """The folder's path on it."""
        path = self._place[1]
        return path.rsplit("/", 1)[0] if self.is_file else path

    @property
    def local(self) -> Path | None:
        """The folder on this machine, where it is on one."""
        return Path(self.root) if {"file", "local"} & set(_protocols(self.system)) else None

    @property
    def full(self) -> str:
        """The address in full, the same from every working directory."""
        return str(self.system.unstrip_protocol(self.root))

    def partitions(self) -> dict[str, int]:
        """The parquet files by name, in order, and their sizes in bytes. A name is a path from the folder;
        what begins with a dot or an underscore is passed over.

        Raises:
            UserError: when the folder cannot be listed.
        """
        if self.is_file:
            own = self.address.rsplit("/", 1)[-1]
            return {name: size for name, size in self._listed().items() if name == own}
        return {
            name: size
            for name, size in self._listed().items()
            if name.endswith(SUFFIX) and not any(part[0] in "._" for part in name.split("/"))
        }

    def clear(self) -> None:
        """Remove what a killed run left half written."""
        for name in self._listed():
            if name.endswith(PARTIAL) and name.rsplit("/", 1)[-1].startswith("."):
                with suppress(FileNotFoundError):
                    self.system.rm_file(self._at(name))

    def _listed(self) -> dict[str, int]:
        try:
            self.system.invalidate_cache()
            found = self.system.find(self.root, detail=True)
        except FileNotFoundError:
            return {}
        except Exception as error:
            raise UserError(
                f"{self.address} cannot be listed ({short(error)}); check the address and your access to it."
            ) from error
        return {path[len(self.root) :].lstrip("/"): info["size"] for path, info in sorted(found.items())}

    def footer(self, name: str) -> Footer:
        """What a parquet file says of itself.

        Raises:
            Exception: of many kinds, when it cannot be read.
        """
        import pyarrow.parquet as pq

        with self.system.open(self._at(name), "rb") as file, pq.ParquetFile(file) as parquet:
            schema, rows = parquet.schema_arrow, parquet.metadata.num_rows
        notes = {k.decode(): v.decode("utf-8", "replace") for k, v in (schema.metadata or {}).items()}
        return Footer(schema, rows, notes)

    @contextmanager
    def fetched(self, name: str) -> Iterator[tuple[Path, Path]]:
        """A file on this machine, and the folder that stands for this one."""
        if self.local is not None:
            yield self.local / name, self.local
            return
        with tempfile.TemporaryDirectory(prefix="annotate-") as folder:
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.system.get_file(self._at(name), str(path))
            yield path, Path(folder)

    def put(self, path: Path, name: str) -> None:
        """A file of this machine under its name: whole or not at all, in place of one that is there."""
        final = self._at(name)
        if not RENAMING & set(_protocols(self.system)):
            self.system.put_file(str(path), final)
            return
        above, _, last = final.rpartition("/")
        partial = f"{above}/.{last}.{uuid.uuid4().hex[:8]}{PARTIAL}"
        self.system.makedirs(above, exist_ok=True)
        try:
            self.system.put_file(str(path), partial)
            if self.local is not None:
                os.replace(partial, final)
            else:
                self.system.mv(partial, final)
        except BaseException:
            with suppress(Exception):
                self.system.rm_file(partial)
            raise

    def read(self, name: str) -> str | None:
        """A small text file; None where there is none."""
        try:
            return str(self.system.cat_file(self._at(name)).decode("utf-8"))
        except FileNotFoundError:
            return None

    def write(self, name: str, text: str) -> None:
        """A small text file, whole or not at all.

        Raises:
            UserError: when it cannot be written.
        """
        with tempfile.TemporaryDirectory(prefix="annotate-") as folder:
            path = Path(folder, "text")
            path.write_text(text, encoding="utf-8")
            try:
                self.put(path, name)
            except Exception as error:
                raise UserError(
                    f"{self.address} cannot be written ({short(error)}); name another --out, or see to "
                    "access and room there."
                ) from error

    def _at(self, name: str) -> str:
        return f"{self.root}/{name}"


def short(error: BaseException) -> str:
    """An error of another library in a line."""
    said = str(error).strip().splitlines()
    return (said[0].rstrip(".") if said else type(error).__name__)[:200]


def _protocols(system: Any) -> tuple[str, ...]:
    return (system.protocol,) if isinstance(system.protocol, str) else tuple(system.protocol)
