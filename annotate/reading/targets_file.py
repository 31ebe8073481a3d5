"""The targets file: finding it, reading it, and a clear sentence for each way it can be wrong."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from annotate.errors import UserError
from annotate.reading.decoding import NotText, decode
from annotate.reading.targets import Targets

TARGETS_NAMES = ("targets.yaml", "targets.yml")
_EXAMPLE = "write for example `targets:` and under it `- {name: China, aliases: [Beijing]}`"


def find_targets_file(paths: Iterable[str | Path]) -> Path | None:
    """The first targets.yaml or targets.yml that lies in a given folder or beside a given file."""
    for path in map(Path, paths):
        if str(path) == "-":
            continue
        folder = path if path.is_dir() else path.parent
        for name in TARGETS_NAMES:
            if (folder / name).is_file():
                return folder / name
    return None


def parse(path: Path) -> Targets:
    """Reads and checks a targets file. Raises UserError."""
    aliases: dict[str, tuple[str, ...]] = {}
    for name, others in _entries(path, _document(path)):
        if name in aliases:
            raise UserError(f"{path}: the target {name!r} stands there twice; join the two")
        aliases[name] = others
    try:
        return Targets(aliases)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _document(path: Path) -> Any:
    import yaml

    try:
        text = decode(path.read_bytes())
    except OSError as error:
        raise UserError(
            f"{path}: the targets file cannot be read ({error.strerror}); check its name"
        ) from None
    except NotText as error:
        raise UserError(f"{path} {error}") from None
    try:
        return yaml.load(text, _no_key_twice(yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise UserError(f"{path}{line}: this is not valid YAML ({error.problem}); {_EXAMPLE}") from None
    except yaml.YAMLError as error:
        raise UserError(
            f"{path}: this is not valid YAML ({' '.join(str(error).split())}); {_EXAMPLE}"
        ) from None


def _no_key_twice(loader: type) -> type:
    """YAML's loader keeps the last of two equal keys and says nothing; this one refuses."""
    import yaml

    class Loader(loader):  # type: ignore[misc]
        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            keys = [self.construct_object(key, deep=True) for key, _ in node.value]
            for i, key in enumerate(keys):
                if key in keys[:i]:
                    mark = node.value[i][0].start_mark
                    raise yaml.MarkedYAMLError(problem=f"{key!r} stands there twice", problem_mark=mark)
            return dict(super().construct_mapping(node, deep))

    return Loader


def _entries(path: Path, document: Any) -> Iterable[tuple[str, tuple[str, ...]]]:
    if not isinstance(document, dict) or "targets" not in document:
        raise UserError(f"{path}: the field `targets` is missing; {_EXAMPLE}")
    targets = document["targets"]
    if not targets:
        raise UserError(f"{path}: `targets` is empty; {_EXAMPLE}")
    if isinstance(targets, dict):
        for name, others in targets.items():
            yield _text(path, name, "a name under `targets`"), _aliases(path, name, others)
    elif isinstance(targets, list):
        for number, entry in enumerate(targets, start=1):
            where = f"entry {number} of `targets`"
            if isinstance(entry, str):
                yield _text(path, entry, where), ()
                continue
            if not isinstance(entry, dict) or "name" not in entry:
                raise UserError(f"{path}: {where} has no `name`; {_EXAMPLE}")
            if unknown := sorted(str(key) for key in entry if key not in ("name", "aliases")):
                raise UserError(
                    f"{path}: {where} has the unknown field {unknown[0]!r}; use `name` and `aliases`"
                )
            name = _text(path, entry["name"], f"`name` in {where}")
            yield name, _aliases(path, name, entry.get("aliases"))
    else:
        raise UserError(f"{path}: `targets` is neither a list nor a mapping; {_EXAMPLE}")


def _aliases(path: Path, name: Any, aliases: Any) -> tuple[str, ...]:
    if aliases is None:
        return ()
    if not isinstance(aliases, list):
        raise UserError(f"{path}: the aliases of {name!r} are not a list; write them as [one, another]")
    return tuple(_text(path, alias, f"an alias of {name!r}") for alias in aliases)


def _text(path: Path, value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise UserError(f'{path}: {where} is {value!r}, not text; put it in quotes, as "{value}"')
    if not value.strip():
        raise UserError(f"{path}: {where} is empty; name something or delete it")
    return value
