"""What tests share: the shipped model loaded once, the seeds, their gold labels, and a real browser."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "2")

ROOT = Path(__file__).parent.parent
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
).split()


@pytest.fixture(scope="session")
def seeds() -> Path:
    return ROOT / "seeds"


@pytest.fixture(scope="session")
def gold(seeds: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (seeds / "gold.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def annotator() -> Any:
    import annotate
    from annotate.model.bundle import shipped

    return annotate.load(shipped())


@pytest.fixture(scope="session")
def seeds_frame(annotator: Any, seeds: Path) -> Any:
    """The scores frame of the seeds with their own targets file."""
    return annotator.score(seeds)


@pytest.fixture(scope="session")
def content(seeds_frame: Any) -> Any:
    """Its content sentences."""
    return seeds_frame[~seeds_frame.boilerplate]


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory) -> Path:
    """An encoder with random weights and MiniLM's tokenizer: real code, no hub, a second a run."""
    import torch
    from transformers import BertConfig, BertModel

    from annotate.model.encoder import MINILM, folder_of

    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("encoder")
    config = BertConfig(hidden_size=24, num_hidden_layers=1, num_attention_heads=2, intermediate_size=32)
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    shutil.copy(folder_of(MINILM) / "tokenizer.json", folder)
    return Path(folder)


@pytest.fixture(scope="session")
def corpora(tmp_path_factory) -> Path:
    """Two corpora of sentences of our own, in the documented form."""
    import pandas as pd

    folder = tmp_path_factory.mktemp("corpora")
    verbs = ["closes", "opens", "grows", "fails", "starts", "ends", "moves", "waits"]
    for split, n in (("train", 64), ("dev", 24), ("test", 24)):
        hedges, stances = [], []
        for i in range(n):
            verb = verbs[i % len(verbs)]
            text = f"The shop {'may' if i % 2 else 'will'} say it {verb} in week {i}."
            hedges.append((text, i % 2, [[9, 12]] if i % 2 else [], str(i)))
            text = f"{['Awful', 'Tall', 'Kind'][i % 3]} Anna {verb} early in week {i}."
            at = text.index("Anna")
            stances.append((text, "Anna", at, at + 4, ["against", "neutral", "favor"][i % 3], "rw", str(i)))
        for name, rows, columns in (
            ("hedge_bio", hedges, ["text", "label", "cue_spans", "doc_id"]),
            (
                "newsmtsc",
                stances,
                ["text", "target", "target_start", "target_end", "label", "subset", "doc_id"],
            ),
        ):
            (folder / name).mkdir(exist_ok=True)
            pd.DataFrame(rows, columns=columns).to_parquet(folder / name / f"{split}.parquet")
    return Path(folder)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def longer(corpora, tmp_path):
    """The corpora, their sentences long enough to be read as news."""
    import pandas as pd

    folder = tmp_path / "corpora"
    for path in corpora.glob("*/*.parquet"):
        rows = pd.read_parquet(path)
        rows.text += " The mayor of the town told the council so."
        (folder / path.parent.name).mkdir(parents=True, exist_ok=True)
        rows.to_parquet(folder / path.parent.name / path.name)
    return folder
