"""`to_datasets`: scores and corrections as data to train other models with, article by article apart."""

from __future__ import annotations

import warnings

import pytest

from annotate.corrections.correction import Correction
from annotate.corrections.snapshot import flat, write
from annotate.datasets import bio, split_of, to_datasets
from annotate.errors import UserError
from annotate.signals import SIGNALS
from annotate.signals.review import Review
from annotate.training import frozen
from annotate.training.gate import is_held_out

TAGGED = ("attribution", "hedging", "loaded", "garble")


def given(row, by, number):
    """What an annotator says who leaves a labelled row as it is."""
    seen = [signal.to_review(row) for signal in SIGNALS]
    review = Review(tuple(m for r in seen for m in r.marks), tuple(a for r in seen for a in r.answers))
    return Correction(
        key=row["sentence_id"],
        task=number,
        annotation=number,
        annotator=f"{by}@example.org",
        created_at="2026-11-25T10:00:00Z",
        updated_at="2026-11-25T10:00:00Z",
        lead_time=5.0,
        ground_truth=False,
        cancelled=False,
        model_version=None,
        row={name: row[name] for name in ("article_id", "sentence_id", "outlet", "text", "start", "end")},
        result=[],
        review=review,
        columns={name: row[name] for signal in SIGNALS for name, _ in signal.columns},
        status={signal.name: "accepted" for signal in SIGNALS},
    )


@pytest.fixture(scope="module")
def labelled():
    """The made-up articles of the frozen set, as rows with ids."""
    chances = dict.fromkeys(("p_against", "p_neutral", "p_favor"), 0.0)
    return [
        {
            **row,
            "sentence_id": f"s{n}",
            "stance": [{**s, **chances, f"p_{s['label']}": 1.0} for s in row["stance"]],
        }
        for n, row in enumerate(frozen.written())
    ]


@pytest.fixture(scope="module")
def snapshot(labelled, tmp_path_factory):
    """Their labels as corrections; of the first sentence two annotators disagree on what is hedged."""
    said = [given(row, "ada", n) for n, row in enumerate(labelled)]
    assert not labelled[0]["hedging_spans"]
    unlike = {**labelled[0], "hedging": 1.0, "hedging_spans": [{"start": 0, "end": 6, "probability": 1.0}]}
    return write(
        tmp_path_factory.mktemp("snapshots"),
        map(flat, sorted([*said, given(unlike, "ben", len(said))], key=lambda c: (c.key, c.annotation))),
        project={"title": "made up"},
        parent=None,
    )


def rows_of(found):
    return [row for part in found.values() for row in part]


@pytest.mark.parametrize("signal", [None, *(s.name for s in SIGNALS)])
def test_what_was_saved_is_what_is_loaded_with_its_features(signal, snapshot, tmp_path):
    from datasets import load_from_disk

    made = to_datasets(snapshot, signal)
    made.save_to_disk(str(tmp_path / "made"))
    loaded = load_from_disk(str(tmp_path / "made"))
    assert list(loaded) == ["train", "validation", "test"]
    for name, part in made.items():
        assert loaded[name].features == part.features
        assert loaded[name].to_list() == part.to_list()
        assert snapshot.id in loaded[name].info.description


def test_no_article_stands_in_two_splits_and_test_is_what_a_retraining_holds_out(snapshot, labelled):
    made = to_datasets(snapshot, "stance")
    articles = {name: set(part["article_id"]) for name, part in made.items()}
    assert all(articles.values())
    assert sum(map(len, articles.values())) == len(set.union(*articles.values()))
    assert articles["test"] == {a for a in set.union(*articles.values()) if is_held_out(a)}
    for signal in TAGGED:
        for name, part in to_datasets(snapshot, signal).items():
            assert {split_of(a) for a in part["article_id"]} == {name}


@pytest.mark.parametrize("signal", TAGGED)
def test_spans_and_tags_come_back_as_the_labelled_words(signal, snapshot, labelled):
    made = to_datasets(snapshot, signal)
    features = made["train"].features
    labels, tags = features["spans"].feature["label"], features["tags"].feature
    truth = {row["sentence_id"]: row for row in labelled}
    seen = 0
    for row in rows_of(made):
        own = truth[row["sentence_id"]]
        said = {row["text"][s["start"] : s["end"]] for s in row["spans"]}
        start = own["start"]
        assert said == {own["text"][s["start"] - start : s["end"] - start] for s in own[f"{signal}_spans"]}
        assert len(row["tokens"]) == len(row["tags"])
        names = [tags.int2str(tag) for tag in row["tags"]]
        begun = {name[2:] for name in names if name.startswith("B-")}
        assert begun <= {labels.int2str(s["label"]) for s in row["spans"]}
        assert bool(begun) == bool(row["spans"])
        seen += len(row["spans"])
    assert seen > 20


def test_stance_has_a_row_for_each_sentence_and_target(snapshot, labelled):
    made = to_datasets(snapshot, "stance")
    rows = rows_of(made)
    assert len(rows) == sum(len(row["stance"]) for row in labelled)
    label = made["train"].features["label"]
    assert label.names == ["against", "neutral", "favor"]
    truth = {(r["sentence_id"], s["target"]): s["label"] for r in labelled for s in r["stance"]}
    for row in rows:
        assert label.int2str(row["label"]) == truth[row["sentence_id"], row["target"]]
        assert row["probabilities"][row["label"]] == 1
        assert all(row["text"][m["start"] : m["end"]].strip() for m in row["mentions"])


def test_what_annotators_disagree_on_teaches_nothing(snapshot, labelled):
    assert "s0" not in {row["sentence_id"] for row in rows_of(to_datasets(snapshot, "hedging"))}
    assert "s0" in {row["sentence_id"] for row in rows_of(to_datasets(snapshot, "loaded"))}
    [whole] = [row for row in rows_of(to_datasets(snapshot)) if row["sentence_id"] == "s0"]
    assert whole["hedging_label"] is None
    assert whole["loaded_label"] is not None


def test_scores_give_the_same_columns_as_a_snapshot_in_a_folder(seeds_frame, snapshot):
    with pytest.warns(UserWarning, match="more articles are needed"):
        scored = to_datasets(seeds_frame, "garble")
    reviewed = to_datasets(snapshot.folder, "garble")
    assert scored["train"].features == reviewed["train"].features
    rows = {row["sentence_id"]: row for row in rows_of(scored)}
    content = seeds_frame[~seeds_frame.boilerplate]
    assert set(rows) == set(content.sentence_id)
    for own in content.to_dict("records"):
        row = rows[own["sentence_id"]]
        assert row["label"] == (own["garble"] >= 0.5)
        assert [row["text"][s["start"] : s["end"]] for s in row["spans"]] == [
            own["text"][s["start"] - own["start"] : s["end"] - own["start"]] for s in own["garble_spans"]
        ]


def test_the_shorter_of_two_spans_tags_the_word_and_what_it_cuts_off_begins_anew():
    words = [(0, 1), (2, 3), (4, 5), (6, 7)]
    assert bio(words, [(0, 7, "Content"), (2, 3, "Source")]) == [
        "B-Content",
        "B-Source",
        "B-Content",
        "I-Content",
    ]
    assert bio(words, [(20, 22, "Content")]) == ["O"] * 4


def test_a_token_classifier_learns_from_it(snapshot, tiny_encoder):
    import torch
    from transformers import BertConfig, BertForTokenClassification, PreTrainedTokenizerFast

    made = to_datasets(snapshot, "garble")
    tags = made["train"].features["tags"].feature
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(tiny_encoder / "tokenizer.json"), pad_token="[PAD]"
    )
    config = BertConfig.from_pretrained(tiny_encoder)
    config.num_labels = len(tags.names)
    torch.manual_seed(0)
    model = BertForTokenClassification(config)
    rows = made["train"].select(range(16)).to_list()
    batch = tokenizer(
        [row["tokens"] for row in rows], is_split_into_words=True, padding=True, return_tensors="pt"
    )
    batch.pop("token_type_ids", None)
    truth = torch.tensor(
        [
            [-100 if word is None else row["tags"][word] for word in batch.word_ids(n)]
            for n, row in enumerate(rows)
        ]
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(8):
        loss = model(**batch, labels=truth).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_bad_input_is_one_sentence(seeds_frame, annotator, tmp_path):
    with pytest.raises(UserError, match="no signal 'irony'; there are attribution, stance"):
        to_datasets(seeds_frame, "irony")
    with pytest.raises(UserError, match="“boilerplate” is missing"):
        to_datasets(seeds_frame.drop(columns="boilerplate"), "garble")
    with pytest.raises(UserError, match="no file of scores"):
        to_datasets(tmp_path / "nowhere.parquet", "garble")
    nobody = annotator.score_sentences(["It rained.", "It may rain."])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(UserError, match="labels of stance; name targets"):
            to_datasets(nobody, "stance")
