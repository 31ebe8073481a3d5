"""Versions of models on this machine: plain folders, and one small file that says which of them serves.

A version is a bundle in `models/` of the user's data folder, named `<bundle name>-<bundle identity>`; it is
never changed in place. The model that comes with the package is a version as well and stays where it is. What
serves follows from the changes in `serving.json`, which is replaced whole: killed at any moment, a change was
made or was not.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from annotate import home
from annotate.errors import UserError
from annotate.model.bundle import CONFIG, identity, load_bundle, read_config, read_whole, shipped

SERVING, PARTIAL = "serving.json", ".partial"
PATIENCE = 60.0
"""Seconds to wait for another process that changes the registry."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Version:
    """A model that may serve. `created`: when it was added (ISO 8601, UTC), None for the shipped one;
    `snapshot`: the corrections it learned from; `figures`: as in the bundle's config."""

    name: str
    folder: Path
    parent: str | None
    created: str | None
    serving: bool
    shipped: bool
    snapshot: str | None
    figures: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return {**asdict(self), "folder": str(self.folder)}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of what serves: `before` and `to` are versions' names; `to_shipped`: `to` is whichever model
    comes with the package, so that a newer package serves its newer model."""

    when: str
    what: Literal["promoted", "rolled back"]
    before: str
    to: str
    to_shipped: bool
    reason: str

    def sentence(self) -> str:
        """The change in words."""
        how = "was promoted in place of" if self.what == "promoted" else "took back the place of"
        return f"{self.to} {how} {self.before} ({self.reason})"

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready."""
        return asdict(self)


def versions() -> list[Version]:
    """All that are whole: the shipped one first, then the oldest first."""
    found = []
    now = _serving()[0]
    for folder in _folders():
        try:
            found.append(_version(folder, _read(folder), now))
        except UserError:
            continue
    return sorted(found, key=lambda v: (not v.shipped, v.created or "", v.name))


def problems() -> list[str]:
    """What is wrong in the registry, a sentence for each damaged version and one for what serves in the place
    of a version that is lost."""
    wrong = [str(error) for folder in _folders() if (error := _error(folder))]
    lost = _serving()[1]
    return [*wrong, lost] if lost else wrong


def version(name: str) -> Version:
    """The version of this name.

    Raises:
        UserError: when there is none, or it is damaged.
    """
    folder = _folder(name)
    return _version(folder, _read(folder), _serving()[0])


def origin(name: str) -> Version:
    """The version that the row of retrainings behind this one began with: itself where nothing is behind it,
    and the oldest that is still there where one is gone.

    Raises:
        UserError: when there is no such version, or it is damaged.
    """
    found = version(name)
    while found.parent and not found.shipped:
        try:
            found = version(found.parent)
        except UserError:
            break
    return found


def resolve(model: str | Path | None) -> Path:
    """The folder of a model: a folder itself, a version by its name, or None for the version that serves.

    Raises:
        UserError: for a name that is neither a folder nor a version, or a version that is damaged.
    """
    if model is None:
        return serving_folder()
    folder = Path(model)
    if folder.is_dir() or len(folder.parts) != 1:
        return folder
    return version(str(model)).folder


def serving() -> Version:
    """The version that serves; where that one is damaged or gone, the one that served before it, and a
    warning is logged. Where none was promoted, the shipped one.

    Raises:
        UserError: when `serving.json` cannot be read, or the shipped model itself is damaged.
    """
    name, lost = _serving()
    if lost:
        log.warning("annotate: %s", lost)
    folder = _folder(name)
    return _version(folder, _read(folder), name)


def serving_folder() -> Path:
    """The folder of the version that serves."""
    return serving().folder


def add(folder: Path) -> Version:
    """Copy a finished bundle into the registry, whole or not at all; the same bundle again is the same
    version.

    Raises:
        UserError: when the folder is not a whole bundle, or the registry cannot be written.
    """
    config = read_whole(folder)
    name = _name(config)
    target = _folder(name)
    with _changing():
        if target.is_dir() and _error(target) is None:
            return version(name)
        try:
            for left in _place().glob(f"*{PARTIAL}"):
                shutil.rmtree(left) if left.is_dir() else left.unlink()
            partial, broken = (target.with_name(name + end + PARTIAL) for end in ("", ".broken"))
            shutil.copytree(folder, partial, ignore=shutil.ignore_patterns(f"*{PARTIAL}"))
            _write(partial / CONFIG, {**config, "created": _now()})
            if target.exists():
                os.replace(target, broken)
            os.replace(partial, target)
            shutil.rmtree(broken, ignore_errors=True)
        except OSError as error:
            why = error.strerror or "not every file could be copied"
            raise UserError(f"The version {target} could not be written ({why}); make room there.") from error
    return version(name)


def promote(name: str, reason: str) -> Version:
    """Let a version serve from now on. It is loaded first; where it serves already, nothing changes.

    Raises:
        UserError: when there is no such version, or it does not load.
    """
    folder = _folder(name)
    _read(folder)
    load_bundle(folder)
    with _changing():
        try:
            changes = history()
        except UserError:
            os.replace(_place() / SERVING, _place() / f"{SERVING}.damaged")
            changes = []
        if _stack(changes)[-1] != name:
            _record(changes, "promoted", name, reason)
    return version(name)


def rollback(reason: str) -> Version:
    """Let the version serve that served before; once more, the one before that. Damaged ones are passed over.

    Raises:
        UserError: when nothing served before, or what did does not load.
    """
    with _changing():
        changes = history()
        now, *earlier = reversed(_stack(changes))
        if not earlier:
            raise UserError(
                f"Nothing served before {now}; `annotate models list` shows what can be promoted."
            )
        name = _first_whole(earlier)
        load_bundle(_folder(name))
        _record(changes, "rolled back", name, reason)
    return version(name)


def history() -> list[Change]:
    """All changes of what serves, the oldest first.

    Raises:
        UserError: when `serving.json` cannot be read.
    """
    path = _place() / SERVING
    if not path.exists():
        return []
    try:
        return [Change(**change) for change in json.loads(path.read_text(encoding="utf-8"))["changes"]]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{path}, which says what model serves, cannot be read; `annotate models promote NAME` sets it "
            "aside and writes it anew."
        ) from error


def diff(a: str, b: str) -> dict[str, dict[str, tuple[Any, Any]]]:
    """Where two versions differ: by section (origin, corpora, corrections, recipe, settings, figures) and
    dotted key the values of `a` and of `b`, None where one has none.

    Raises:
        UserError: when there is no such version, or it is damaged.
    """
    one, other = (_facts(read_config(version(name).folder)) for name in (a, b))
    return {
        section: {
            key: (one[section].get(key), other[section].get(key))
            for key in dict.fromkeys([*one[section], *other[section]])
            if one[section].get(key) != other[section].get(key)
        }
        for section in one
    }


def measured(figures: Mapping[str, Any]) -> dict[str, float]:
    """A bundle's figures, a number for each set and metric: the gate's means by signal, or what was measured
    on the corpora's dev and test sets."""
    compared = figures.get("gate", {}).get("compared", ())
    found = {f"{row['where']}, {row['signal']}": float(row["new"]) for row in compared}
    for split in ("dev", "test"):
        for corpus, rows in figures.get(split, {}).items():
            found |= {f"{split}, {corpus} {row['metric']}": float(row["value"]) for row in rows}
    return found


def _facts(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    training = config["training"]
    return {
        "origin": {
            "parent": config.get("parent"),
            "encoder": config["encoder"]["name"],
            "snapshot": training.get("snapshot"),
            "project": training.get("project"),
        },
        "corpora": dict(_flat(training.get("rows", {}))),
        "corrections": dict(_flat(training.get("taught", {}))),
        "recipe": dict(_flat({**training.get("recipe", {}), "continued": training.get("continued", {})})),
        "settings": dict(_flat(config["settings"])),
        "figures": dict(measured(config.get("figures") or {})),
    }


def _flat(nested: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in nested.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _place() -> Path:
    return home.data_dir() / "models"


def _folders() -> list[Path]:
    """The folders that should be versions; one that is being written has another suffix."""
    kept = sorted(_place().iterdir()) if _place().is_dir() else []
    return [shipped(), *(folder for folder in kept if folder.is_dir() and folder.suffix != PARTIAL)]


def _name(config: Mapping[str, Any]) -> str:
    return f"{config['name']}-{identity(dict(config))}"


def _shipped_name() -> str:
    return _name(read_config(shipped()))


def _folder(name: str) -> Path:
    """Where a version of this name is or would be."""
    if not name or name != Path(name).name or name.startswith(".") or name.endswith(PARTIAL):
        raise UserError(f"“{name}” cannot be the name of a version; `annotate models list` shows the names.")
    return shipped() if name == _shipped_name() else _place() / name


def _read(folder: Path) -> dict[str, Any]:
    """The config of the version in a folder, which is whole and bears its name."""
    if not folder.is_dir():
        raise UserError(f"There is no model {folder.name}; `annotate models list` shows those there are.")
    try:
        config = read_whole(folder)
    except OSError as error:
        raise UserError(f"The model {folder} cannot be read ({error.strerror}).") from error
    if folder != shipped() and folder.name != _name(config):
        raise UserError(f"{folder} was changed: by what it holds it is {_name(config)}; copy it again.")
    return config


def _error(folder: Path) -> UserError | None:
    try:
        _read(folder)
    except UserError as error:
        return error
    return None


def _version(folder: Path, config: Mapping[str, Any], serving_name: str) -> Version:
    name = _name(config)
    return Version(
        name=name,
        folder=folder,
        parent=config.get("parent"),
        created=config.get("created"),
        serving=name == serving_name,
        shipped=folder == shipped(),
        snapshot=config["training"].get("snapshot"),
        figures=config.get("figures") or {},
    )


def _serving() -> tuple[str, str | None]:
    """The name of the version that serves; where it is not the one that was promoted last, a sentence."""
    promoted, *earlier = reversed(_stack(history()))
    if not earlier or _error(_folder(promoted)) is None:
        return promoted, None
    instead = _first_whole(earlier)
    return instead, (
        f"{promoted} was promoted but is damaged or gone; until it is back, or `annotate models rollback`, "
        f"{instead} serves in its place."
    )


def _first_whole(names: list[str]) -> str:
    return next((name for name in names if _error(_folder(name)) is None), names[-1])


def _stack(changes: list[Change]) -> list[str]:
    """Names of what served, each on top of what served before it; at the bottom the shipped version."""
    stack = [_shipped_name()]
    for change in changes:
        to = _shipped_name() if change.to_shipped else change.to
        if change.what == "promoted":
            stack.append(to)
            continue
        stack.pop()
        while len(stack) > 1 and stack[-1] != to:
            stack.pop()
    return stack


def _record(changes: list[Change], what: Literal["promoted", "rolled back"], name: str, reason: str) -> None:
    change = Change(_now(), what, _stack(changes)[-1], name, name == _shipped_name(), reason)
    path = _place() / SERVING
    try:
        _write(path, {"changes": [c.to_dict() for c in [*changes, change]]})
    except OSError as error:
        raise UserError(f"{path} could not be written ({error.strerror}); make room there.") from error


def _write(path: Path, content: dict[str, Any]) -> None:
    partial = path.with_name(path.name + PARTIAL)
    with partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def _changing() -> AbstractContextManager[None]:
    busy = "Another process has been changing the registry of models for a minute; try again."
    return home.lock(_place() / "registry.lock", patience=PATIENCE, busy=busy)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
