"""Reading against the gold labels of the seeds; the figures that issue 2 asks for."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

from annotate.reading import load_targets, read, split

ROOT = Path(__file__).parents[1]
SEEDS = ROOT / "seeds"


@pytest.fixture(scope="module")
def figures() -> dict[str, dict[str, float]]:
    return runpy.run_path(str(ROOT / "benchmarks" / "reading.py"))["on_seeds"]()


def test_sentences_agree_with_the_gold(figures):
    assert figures["sentences"]["f1"] >= 0.97
    assert figures["boundaries"]["f1"] >= 0.97


def test_boilerplate_agrees_with_the_gold(figures):
    assert figures["boilerplate"]["f1"] >= 0.95


def test_targets_found_are_those_of_the_gold(figures):
    assert figures["target pairs"]["precision"] >= 0.9
    # The rest of the gold pairs name nobody ("a certain country") or Trump, who is no alias.
    assert figures["target pairs"]["recall"] >= 0.8


def test_every_alias_in_the_seeds_lies_in_a_mention_of_its_target():
    targets = load_targets(SEEDS / "targets.yaml")
    owner = {alias: name for name, aliases in targets.aliases.items() for alias in (name, *aliases)}
    looked_at = 0
    for article in read([SEEDS]):
        for sentence in split(article, targets):
            for alias, name in owner.items():
                for found in re.finditer(rf"(?<!\w){re.escape(alias)}(?!\w)", sentence.text):
                    looked_at += 1
                    assert any(
                        m.start <= found.start() and found.end() <= m.end for m in sentence.mentions
                    ), (
                        alias,
                        sentence.text,
                    )
                    if alias != "US":  # stands within "the administration of US President Donald Trump" too
                        assert any(m.target == name and m.start <= found.start() for m in sentence.mentions)
    assert looked_at > 90


def test_the_five_articles_come_once_each_under_their_own_names():
    assert [article.id for article in read([SEEDS])] == sorted(path.stem for path in SEEDS.glob("*.txt"))
