"""`annotate.compare` gives as a frame what the command writes."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
import pytest

from annotate.article import Article
from annotate.comparing import compare
from annotate.errors import UserError
from annotate.reading import read

AGENCY = (
    "The port of Halden will close for repairs on Monday, harbour master Ida Berg said. "
    "Ferries to Moss will leave from the western quay until 14 June, she told reporters. "
    "“We will not raise the fees for fishermen this year,” Berg said."
)
RETOLD = (
    "Halden's port is to be closed for repairs from Monday, according to its harbour master, Ida Berg. "
    "Until 30 August, ferries to Moss depart from the western quay, she told reporters. "
    "“We will not raise the fees for fishermen this year,” Berg added."
)


@pytest.fixture(scope="module")
def of_seeds(seeds):
    return compare(seeds)


def test_it_is_the_frame_that_the_command_writes(of_seeds, seeds, tmp_path):
    out = tmp_path / "groups.jsonl"
    asked = [sys.executable, "-m", "annotate", "compare", str(seeds), "--out", str(out)]
    assert subprocess.run(asked, capture_output=True).returncode == 0
    written = pd.read_json(out, lines=True, dtype=False)
    assert list(of_seeds.columns) == list(written.columns)
    assert of_seeds.sentence_id.tolist() == written.sentence_id.tolist()
    assert of_seeds.group.tolist() == written.group.tolist()
    assert [len(drift) for drift in of_seeds.drift] == [len(drift) for drift in written.drift]


def test_articles_and_paths_give_the_same(of_seeds, seeds):
    pd.testing.assert_frame_equal(compare(read([seeds])), of_seeds)


def test_an_event_that_is_named_keeps_articles_apart(tmp_path):
    rows = [("a", AGENCY, "port"), ("b", RETOLD, "port"), ("c", AGENCY, "another")]
    table = tmp_path / "articles.csv"
    pd.DataFrame(rows, columns=["id", "text", "story"]).to_csv(table, index=False)
    named = [Article(name, text, event=event) for name, text, event in rows]
    for found in (compare(table, group_by="story"), compare(named)):
        assert set(found.article_id) == {"a", "b"}


def test_a_reference_may_be_an_article_or_a_file(tmp_path):
    transcript = tmp_path / "transcript.txt"
    transcript.write_text(AGENCY)
    both = [Article("retold", RETOLD), Article("copied", AGENCY.replace("14 June", "30 August"))]
    for right in (transcript, Article("transcript", AGENCY)):
        found = compare(both, reference=right)
        assert set(found.article_id) == {"retold", "copied", "reference:transcript"}
        places = {d["sibling_article_id"] for drift in found.drift for d in drift}
        assert "reference:transcript" in places
    assert not any(map(len, compare(both).drift)), (
        "what both say is no drift where nothing is known to be right"
    )


def test_one_article_gives_an_empty_frame_with_its_columns(of_seeds):
    alone = compare(Article("one", AGENCY))
    assert alone.empty
    assert list(alone.columns) == list(of_seeds.columns)


def test_bad_input_is_one_sentence(tmp_path):
    with pytest.raises(UserError, match="no article to compare"):
        compare([])
    with pytest.raises(UserError, match="2 articles have the id 'a'"):
        compare([Article("a", AGENCY), Article("a", RETOLD)])
    with pytest.raises(UserError, match="there is no such file or folder"):
        compare(tmp_path / "nowhere")
    (tmp_path / "empty.txt").write_text("")
    with pytest.raises(UserError, match="the text is empty"):
        compare(Article("a", AGENCY), reference=tmp_path / "empty.txt")
