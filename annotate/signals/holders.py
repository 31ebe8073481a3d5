"""Names for the sources of an article: who says each attributed sentence, across sentences."""

from __future__ import annotations

from typing import Any


def resolve(rows: list[dict[str, Any]]) -> None:
    """Placeholder until names are resolved."""
