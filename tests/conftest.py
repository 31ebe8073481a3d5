"""What tests share: the shipped model loaded once, the seeds, and their gold labels."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def seeds() -> Path:
    return ROOT / "seeds"


@pytest.fixture(scope="session")
def gold(seeds: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (seeds / "gold.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def annotator() -> Any:
    import annotate

    return annotate.load()


@pytest.fixture(scope="session")
def seeds_frame(annotator: Any, seeds: Path) -> Any:
    """The scores frame of the seeds with their own targets file."""
    return annotator.score(seeds)


@pytest.fixture(scope="session")
def content(seeds_frame: Any) -> Any:
    """Its content sentences."""
    return seeds_frame[~seeds_frame.boilerplate]
