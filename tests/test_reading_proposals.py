"""Targets proposed from articles."""

from __future__ import annotations

from pathlib import Path

from annotate.article import Article
from annotate.reading import load_targets, propose_targets, read, to_yaml

SEEDS = Path(__file__).parents[1] / "seeds"


def test_the_seeds_are_about_china_and_the_united_states():
    first, second, *others = propose_targets(read([SEEDS]))
    assert (first.name, second.name) == ("China", "United States")
    assert first.articles == second.articles == 5
    assert {"China", "Chinese", "Beijing"} <= {alias for alias, _ in first.aliases}
    assert {"United States", "U.S.", "US", "Washington"} <= {alias for alias, _ in second.aliases}
    assert {"Huawei", "Donald Trump", "Wang Yi"} <= {proposal.name for proposal in others}


def test_a_last_name_goes_with_the_full_name_and_half_a_name_does_not():
    text = (
        "On Monday President Angela Merkel came. Merkel spoke in New York. "
        "She met Angela Merkel in New York. A new day, Merkel said."
    )
    proposals = {p.name: p for p in propose_targets([Article("a", text)])}
    assert dict(proposals["Angela Merkel"].aliases) == {"Angela Merkel": 2, "Merkel": 2}
    assert [alias for alias, _ in proposals["New York"].aliases] == ["New York"]


def test_words_capitalised_by_their_place_and_days_are_no_targets():
    text = "Companies left on Tuesday. Companies came back. On Tuesday companies left. However, few did."
    assert not propose_targets([Article("a", text)])


def test_the_same_articles_give_the_same_file_and_it_can_be_read(tmp_path):
    written = to_yaml(propose_targets(read([SEEDS])))
    assert written == to_yaml(propose_targets(read([SEEDS])))
    path = tmp_path / "targets.yaml"
    path.write_text(written, encoding="utf-8")
    assert load_targets(path).names[:2] == ("China", "United States")
    assert "46 sentences in 5 articles" in written


def test_nothing_to_propose_says_so():
    assert "targets: []" in to_yaml(propose_targets([]))
