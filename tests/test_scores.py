"""Scores are read back as they were written, and what is no scores is refused in one sentence."""

import pandas as pd
import pytest

from annotate.errors import UserError
from annotate.frame import schema
from annotate.output import writing
from annotate.scores import load_scores


@pytest.fixture(scope="module")
def table(annotator, seeds):
    import pyarrow as pa

    from annotate import load_targets, read

    return pa.concat_tables(
        annotator.stream(read([seeds]), load_targets(seeds / "targets.yaml"), siblings=True)
    )


@pytest.mark.parametrize("format", ["parquet", "jsonl", "csv"])
def test_every_format_reads_back_the_same(table, tmp_path, format):
    path = tmp_path / f"scores.{format}"
    with writing(path, format) as writer:
        writer.write(table)
    found, right = load_scores(path), load_scores(table)
    assert list(found.columns) == schema().names
    pd.testing.assert_frame_equal(found, right, check_dtype=False)


def test_a_frame_that_pandas_read_is_made_plain(table, tmp_path):
    with writing(tmp_path / "scores.parquet", "parquet") as writer:
        writer.write(table)
    found = load_scores(pd.read_parquet(tmp_path / "scores.parquet"))
    pd.testing.assert_frame_equal(found, load_scores(table), check_dtype=False)
    stances = [stance for stances in found["stance"] for stance in stances or ()]
    assert stances
    assert all(isinstance(stance["mentions"], list) for stance in stances)


def test_a_frame_is_not_changed(seeds_frame):
    before = seeds_frame.copy(deep=True)
    load_scores(seeds_frame)
    pd.testing.assert_frame_equal(seeds_frame, before)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda f: f.drop(columns="hedging"), "column “hedging” is missing in the frame"),
        (lambda f: f.iloc[:0], "no sentence in the frame"),
        (lambda f: pd.concat([f, f]), "stands twice"),
        (lambda f: f.assign(model=[f"m{i % 2}" for i in range(len(f))]), "Several models made the scores"),
        (lambda f: 7, "not int"),
    ],
)
def test_what_is_no_scores_is_refused(seeds_frame, change, says):
    with pytest.raises(UserError, match=says):
        load_scores(change(seeds_frame))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("none.parquet", None),
        ("x.parquet", b"no parquet"),
        ("x.jsonl", b"{"),
        ("x.jsonl", b"\xff\xfe"),
        ("x.csv", b""),
        ("x.csv", b"article_id,siblings\na,[\n"),
        ("x.txt", b"words"),
    ],
)
def test_what_is_no_file_of_scores_is_refused(tmp_path, name, content):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=name):
        load_scores(path)
