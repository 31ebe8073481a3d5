"""Scores: what the frame holds, where its offsets point, and what it says of the seeds."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa
import pytest

import annotate
from annotate.frame import schema

NASTY = {
    "emoji": "👩‍👩‍👧 China said it may act 🇨🇳. They might, perhaps.",
    "combining": "Cafe\u0301 owners said the U.S. may lose. E\u0301lan was perhaps lost.",
    "right to left": "הוא אמר: China may win. ثم قال the U.S. might lose.",
    "crlf": "China may act.\r\n\r\nThe U.S. might not, officials said.\r\n",
    "surrogate and nul": "China\x00 may act \ud800 soon, he said.",
    "no-break spaces": "China\u00a0may\u2009act\u202fperhaps, he\u00a0said.",
}
TARGETS = {"China": [], "United States": ["U.S."]}


def test_the_frame_has_the_declared_columns(seeds_frame):
    assert seeds_frame.columns.tolist() == schema().names
    for column in (
        "article_id outlet sentence_id start end text boilerplate holder_kind holder_name stance hedging "
        "loaded garble hedging_spans loaded_spans garble_spans siblings drift uncertainty model"
    ).split():
        assert column in seeds_frame.columns


def test_every_offset_points_into_its_article(seeds, seeds_frame):
    texts = {path.stem: path.read_bytes().decode("utf-8") for path in seeds.glob("*.txt")}
    assert set(seeds_frame.article_id) == set(texts)
    for row in seeds_frame.to_dict("records"):
        article = texts[row["article_id"]]
        assert article[row["start"] : row["end"]] == row["text"]
        if row["boilerplate"]:
            assert pd.isna(row["garble"])
            continue
        for column in ("attribution_spans", "hedging_spans", "loaded_spans", "garble_spans"):
            for span in row[column]:
                assert row["start"] <= span["start"] < span["end"] <= row["end"]
                piece = article[span["start"] : span["end"]]
                assert piece == piece.strip()
                before, after = (
                    article[span["start"] - 1 : span["start"]],
                    article[span["end"] : span["end"] + 1],
                )
                assert not (before.isalnum() and piece[0].isalnum()), "a span starts inside a word"
                assert not (after.isalnum() and piece[-1].isalnum()), "a span ends inside a word"
        for stance in row["stance"]:
            p = [stance[f"p_{label}"] for label in ("against", "neutral", "favor")]
            assert sum(p) == pytest.approx(1, abs=1e-5)
            assert stance["label"] == ("against", "neutral", "favor")[p.index(max(p))]


@pytest.mark.parametrize("name", NASTY)
def test_offsets_stay_right_in_nasty_text(annotator, name, tmp_path):
    import json

    path = tmp_path / "articles.jsonl"
    path.write_text(json.dumps({"id": name, "text": NASTY[name]}) + "\n", encoding="utf-8")
    [article] = annotate.read([path], any_language=True, on_problem=lambda p: None)
    assert len(article.text) == len(NASTY[name])
    frame = annotator.score([article], TARGETS)
    assert any(len(stances) for stances in frame.stance)
    for row in frame.to_dict("records"):
        assert article.text[row["start"] : row["end"]] == row["text"]
        for stance in row["stance"]:
            for mention in stance["mentions"]:
                assert article.text[mention["start"] : mention["end"]] in ("China", "U.S.")


def test_the_frame_goes_to_parquet_and_back(seeds_frame, tmp_path):
    import pyarrow.parquet as pq

    path = tmp_path / "scores.parquet"
    pq.write_table(pa.Table.from_pandas(seeds_frame, schema=schema(), preserve_index=False), path)
    assert pq.read_table(path).schema.equals(schema())
    assert pq.read_table(path).to_pylist()[0]["text"] == seeds_frame.text[0]


def test_one_row_per_string_in_order_and_nothing_split(annotator):
    texts = [
        "One. Two? Three!",
        "",
        "  ",
        "One. Two? Three!",
        "x" * 5000,
        "https://example.org/a",
        "中文 text",
    ]
    frame = annotator.score_sentences(texts)
    assert frame.text.tolist() == texts
    assert frame.sentence_id.is_unique
    assert not frame.boilerplate.any()
    assert frame[["attribution", "hedging", "loaded", "garble"]].notna().all().all()


def test_a_score_does_not_depend_on_its_company(annotator, content):
    texts = content.text.tolist()[:40]
    together = annotator.score_sentences(texts, TARGETS)
    alone = pd.concat([annotator.score_sentences([text], TARGETS) for text in texts], ignore_index=True)
    for column in ("attribution", "hedging", "loaded", "garble"):
        assert (together[column] - alone[column]).abs().max() < 1e-3
    for one, other in zip(together.stance, alone.stance, strict=True):
        assert [s["p_favor"] for s in one] == pytest.approx([s["p_favor"] for s in other], abs=1e-3)


def test_stance_takes_a_text_and_a_span_each(annotator):
    texts = ["The brave firefighters saved us.", "The corrupt firefighters robbed us."]
    frame = annotator.stance(texts, [(10, 22), (12, 24)])
    assert frame.columns.tolist() == ["p_against", "p_neutral", "p_favor"]
    assert frame.sum(axis=1).tolist() == pytest.approx([1, 1], abs=1e-5)
    assert frame.p_favor[0] > frame.p_favor[1]


@pytest.mark.parametrize("spans", [[(0, 99)], [(3, 3)], [(-1, 2)], []])
def test_a_span_outside_its_text_is_refused(annotator, spans):
    with pytest.raises(annotate.UserError):
        annotator.stance(["short"], spans)


def test_a_sentence_that_is_no_string_is_refused(annotator):
    with pytest.raises(annotate.UserError, match="Sentence 1 is float, not a string"):
        annotator.score_sentences(["a", float("nan")])


def test_ids_are_stable_across_runs_and_resplitting(annotator, seeds, seeds_frame):
    again = annotator.score(sorted(seeds.glob("*.txt")), seeds / "targets.yaml")
    assert again.sentence_id.tolist() == seeds_frame.sentence_id.tolist()
    first = annotate.article.sentence_ids("a", ["One.", "Two.", "Two."])
    assert annotate.article.sentence_ids("a", ["Zero.", "One.", "Two.", "Two."])[1:] == first
    assert len(set(first)) == 3


def test_pouring_water_is_among_the_five_most_garbled(content):
    top = content.sort_values("garble", ascending=False).text.head(5)
    assert any(text.startswith("Pouring water in other countries") for text in top), top.tolist()


def test_a_quotation_that_runs_on_has_its_speaker(content):
    [row] = content[content.text.str.startswith("We have not and will not ask")].to_dict("records")
    assert row["holder_kind"] == "source"
    assert "Wang" in row["holder_name"]
    [row] = content[content.text.str.startswith("Pouring water")].to_dict("records")
    assert row["holder_kind"] == "source"
    assert "Wang" in row["holder_name"]


@pytest.mark.parametrize(
    ("start", "cue"), [("While some might dispute", "might"), ("Washington has dissuaded", "potentially")]
)
def test_the_hedges_are_marked(content, start, cue):
    [row] = content[content.text.str.startswith(start)].to_dict("records")
    marked = [row["text"][s["start"] - row["start"] : s["end"] - row["start"]] for s in row["hedging_spans"]]
    assert any(cue in span.split() for span in marked), marked


def test_the_signature_says_how_a_score_was_made(annotator, content):
    [signature] = set(content.model)
    assert signature == annotator.signature
    assert annotator.bundle.id in signature
    assert signature.startswith("annotate:")


def test_a_long_stream_never_sits_in_memory(annotator):
    from annotate.scoring import CHUNK

    made = 0

    def articles():
        nonlocal made
        for number in range(400):
            made += 1
            yield annotate.Article(str(number), "China may act. " * 6)

    first = next(annotator.stream(articles()))
    assert first.num_rows >= CHUNK
    assert made < 400


def test_batches_come_in_few_shapes_whatever_the_number_of_sentences(annotator):
    from annotate.article import Sentence
    from annotate.model.prediction import TOKENS_PER_BATCH, predict

    seen = set()
    network = annotator.bundle.network
    hook = network.encoder.register_forward_pre_hook(
        lambda _, given, named: seen.add(tuple(named["input_ids"].shape)), with_kwargs=True
    )
    texts = [f"The ferry number {n} leaves at dawn." for n in range(70)]
    for n in (*range(1, 20), 47, 63, 70):
        some = [Sentence("", None, "", 0, len(text), text) for text in texts[:n]]
        assert len(predict(network, annotator.bundle.tokenizer, some)) == n
    hook.remove()
    rows = {rows for rows, _ in seen}
    assert {length for _, length in seen} == {16}
    assert max(rows) <= TOKENS_PER_BATCH // 16
    assert all(n & (n - 1) == 0 for n in rows)
