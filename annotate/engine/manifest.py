"""What a destination says of the run whose rows it holds: `_annotate.json`."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields

from annotate.engine.storage import Folder
from annotate.errors import UserError
from annotate.model.precision import Precision

NAME = "_annotate.json"


@dataclass(frozen=True)
class Manifest:
    """All that decides the rows of a run. `signature`: of the scores, with the model and the precision;
    `source`: its address in full; `targets`: names to aliases."""

    signature: str
    precision: Precision
    source: str
    targets: dict[str, list[str]]
    siblings: bool
    window: str | None
    any_language: bool

    @property
    def run(self) -> str:
        """16 hex digits over all of it: the run."""
        return hashlib.sha256(self.text().encode()).hexdigest()[:16]

    def text(self) -> str:
        """As it is kept."""
        return json.dumps(asdict(self), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def found(destination: Folder) -> Manifest | None:
    """The manifest of a destination; None for one that holds no rows yet.

    Raises:
        UserError: when the manifest cannot be read, or rows lie there without one.
    """
    if not destination.partitions():
        return None
    text = destination.read(NAME)
    if text is None:
        raise UserError(
            f"{destination.address} holds parquet files but no {NAME}, so no run of `annotate score "
            "--engine` wrote them; name another --out."
        )
    try:
        known = json.loads(text)
        return Manifest(**{field.name: known[field.name] for field in fields(Manifest)})
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(
            f"{destination.address}/{NAME} cannot be read ({error!r}); name another --out."
        ) from error


def agree(before: Manifest, now: Manifest, destination: Folder) -> None:
    """That a destination's rows are of this run.

    Raises:
        UserError: naming what is different.
    """
    was, is_ = asdict(before), asdict(now)
    for what in was:
        if was[what] != is_[what]:
            shown = f"{_short(was[what])}, not {_short(is_[what])}"
            raise UserError(
                f"{destination.address} holds the rows of another run, whose {what.replace('_', ' ')} is "
                f"{shown}; name another --out, or run with what was used there."
            )


def _short(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 160 else shown[:157] + "…"
