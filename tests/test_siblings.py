"""Siblings: what others wrote about the same thing is found, and where one says something else."""

from __future__ import annotations

import itertools
import json
import random
import subprocess
import sys

import pandas as pd
import pytest

from annotate.article import Article
from annotate.reading import read, split
from annotate.siblings.compare import compare, settings
from annotate.siblings.events import MOST, NEAREST, grouped, pairs_of, vectors_of


def command(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "annotate", "compare", *map(str, arguments)], capture_output=True, text=True
    )


def parted(**texts: str):
    return [split(Article(name, text)) for name, text in texts.items()]


def texts_beside(articles, near, beginning: str) -> list[str]:
    """What stands beside the first sentence that begins so."""
    sentences = {s.id: s for article in articles for s in article}
    [own] = [s for s in sentences.values() if s.text.startswith(beginning)][:1]
    return [sentences[s.sentence_id].text for s in near[own.id].siblings] if own.id in near else []


@pytest.fixture(scope="module")
def of_seeds(seeds):
    articles = [split(article) for article in read([seeds])]
    return articles, compare(articles)


def test_pairs_on_the_seeds_reach_an_f1_of_0_72(of_seeds, seeds):
    articles, near = of_seeds
    sentences = {s.id: s for article in articles for s in article}
    places = {(s.article_id, s.start, s.end): s.id for s in sentences.values()}
    gold = set()
    for line in (seeds / "siblings.jsonl").read_text(encoding="utf-8").splitlines():
        members = [places[m["source"], m["start"], m["end"]] for m in json.loads(line)["members"]]
        for pair in itertools.combinations(members, 2):
            if len({sentences[i].article_id for i in pair}) == 2:
                gold.add(frozenset(pair))
    said = {frozenset((i, s.sentence_id)) for i, beside in near.items() for s in beside.siblings}
    assert 2 * len(said & gold) / (len(said) + len(gold)) >= 0.72


def test_a_garbled_quotation_finds_what_was_said(of_seeds):
    articles, near = of_seeds
    beside = texts_beside(articles, near, "Pouring water in other countries")
    assert any("groundless accusations" in text for text in beside)


def test_a_name_that_the_others_complete_otherwise_is_marked_with_theirs(of_seeds):
    """Article 004 names Wang Yi once and then Wang Jianzhu; its siblings say Wang."""
    articles, near = of_seeds
    texts = {s.id: s.text for article in articles for s in article}
    names = [
        (texts[i][d.start : d.end], d.sibling_text)
        for i, b in near.items()
        for d in b.drifts
        if d.kind == "name"
    ]
    assert names == [("Wang Jianzhu", "Wang")]


def test_no_sentence_stands_beside_its_own_article(of_seeds):
    articles, near = of_seeds
    sentences = {s.id: s for article in articles for s in article}
    assert near
    for i, beside in near.items():
        assert sentences[i].article_id not in {s.article_id for s in beside.siblings}
        assert sentences[i].article_id not in {d.sibling_article_id for d in beside.drifts}


def test_the_order_of_the_articles_changes_nothing(of_seeds):
    articles, near = of_seeds
    shuffled = list(articles)
    random.Random(5).shuffle(shuffled)
    again = compare(shuffled)
    assert again == near
    assert {i: beside.drifts for i, beside in again.items()} == {i: b.drifts for i, b in near.items()}


AGENCY = (
    "The port of Halden will close for repairs on Monday, harbour master Ida Berg said. "
    "Ferries to Moss will leave from the western quay until 14 June, she told reporters. "
    "“We will not raise the fees for fishermen this year,” Berg said."
)
RETOLD = (
    "Halden's port is to be closed for repairs from Monday, according to its harbour master, Ida Berg. "
    "Until 14 June, ferries to Moss depart from the western quay, she told reporters. "
    "“We will not raise the fees for fishermen this year,” Berg added."
)


@pytest.mark.parametrize(
    ("right", "wrong", "kind"),
    [
        ("Ida Berg said", "Ida Stone Mountain said", "name"),
        ("until 14 June", "until 30 August", "number"),
        ("will not raise", "will raise", "negation"),
    ],
)
def test_what_only_one_outlet_says_is_marked_with_what_the_others_say(right, wrong, kind):
    articles = parted(agency=AGENCY, retold=RETOLD, odd=AGENCY.replace(right, wrong))
    near = compare(articles)
    marked = [
        (s.article_id, s.text[d.start : d.end], d)
        for article in articles
        for s in article
        if s.id in near
        for d in near[s.id].drifts
    ]
    [(article, words, drift)] = marked
    assert article == "odd"
    assert drift.kind == kind
    assert words in wrong
    assert drift.sibling_article_id in ("agency", "retold")


def test_scores_mark_drift_by_what_the_model_reads_as_well(annotator):
    odd = AGENCY.replace("Ida Berg said", "Ida Stone Mountain said")
    articles = [Article(name, text) for name, text in (("agency", AGENCY), ("retold", RETOLD), ("odd", odd))]
    frame = annotator.score(articles)
    marked = [(r.article_id, r.text[d["start"] - r.start : d["end"] - r.start])
              for r in frame.itertuples() for d in r.drift]  # fmt: skip
    assert marked
    assert all(article == "odd" and words in "Ida Stone Mountain said" for article, words in marked)
    [(own, spans)] = [(r, r.drift) for r in frame.itertuples() if len(r.drift)]
    bare = compare([split(article) for article in articles])[own.sentence_id].drifts
    assert [d["probability"] for d in spans] != pytest.approx([d.probability for d in bare], abs=1e-3)


def test_with_a_model_more_marks_of_drift_are_right_and_half_of_them_as_before():
    figures = settings()["figures"]
    alone, read = (
        figures["drift in all, cross-fitted"],
        figures["drift in all, read by the model, cross-fitted"],
    )
    assert read["right"] > 1.5 * alone["right"]
    assert all(2 * one["right"] >= one["said"] for one in (alone, read))


def test_what_a_reference_does_not_bear_out_is_marked_though_all_have_it():
    wrong = AGENCY.replace("until 14 June", "until 30 August")
    articles = parted(one=wrong, other=RETOLD.replace("14 June", "30 August"), transcript=AGENCY)
    alone = compare(articles[:2])
    assert not [d for beside in alone.values() for d in beside.drifts]
    held = compare(articles, reference="transcript")
    drifts = [d for beside in held.values() for d in beside.drifts if d.sibling_article_id == "transcript"]
    assert any("14 June" in d.sibling_text for d in drifts)


def test_the_same_article_twice_has_siblings_and_no_drift():
    near = compare(parted(one=AGENCY, other=AGENCY))
    assert len(near) == 6
    assert not [d for beside in near.values() for d in beside.drifts]


def test_one_article_has_no_siblings():
    assert compare(parted(one=AGENCY)) == {}
    assert compare([]) == {}


def test_articles_on_other_events_are_not_set_beside_each_other(seeds):
    articles = [split(article) for article in read([seeds])][:2] + parted(port=AGENCY)
    near = compare(articles)
    assert near
    assert all(s.article_id != "port" for beside in near.values() for s in beside.siblings)


def test_a_huge_event_is_never_compared_all_with_all():
    background, documents = settings()["background"], settings()["documents"]
    words = "harbour ferry quay storm fees repair pilot crane tide grain lock barge".split()
    rng = random.Random(0)
    texts = [
        "Halden port closure master Berg ferries Moss " + " ".join(rng.choices(words, k=20)) + f" x{n}"
        for n in range(1000)
    ]
    events = grouped(texts, settings()["same_event"], background, documents)
    assert sum(map(len, events)) > 900
    assert max(map(len, events)) <= MOST
    for event in events:
        pairs = pairs_of(vectors_of([texts[n] for n in event], background, documents))
        assert len(pairs) <= len(event) * NEAREST


def test_a_column_can_name_the_event(tmp_path):
    table = tmp_path / "articles.csv"
    rows = [("a", AGENCY, "port"), ("b", RETOLD, "port"), ("c", AGENCY, "another"), ("d", RETOLD, "")]
    pd.DataFrame(rows, columns=["id", "text", "story"]).to_csv(table, index=False)
    out = tmp_path / "groups.jsonl"
    done = command(table, "--group-by", "story", "--out", out)
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in out.read_text().splitlines()]
    assert {row["article_id"] for row in found} == {"a", "b"}
    done = command(table, "--group-by", "storey")
    assert done.returncode == 2
    assert "no column is named `storey`" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_groups_are_shown_one_under_the_other_and_written(seeds, tmp_path):
    shown = command(seeds)
    assert shown.returncode == 0, shown.stderr
    block = next(part for part in shown.stdout.split("\n\n") if "Pouring water" in part)
    assert "groundless accusations" in block
    out = tmp_path / "groups.parquet"
    assert command(seeds, "--out", out).returncode == 0
    frame = pd.read_parquet(out)
    assert {"event", "group", "text", "siblings", "drift"} <= set(frame.columns)
    [group] = frame[frame.text.str.startswith("Pouring water")].group
    assert frame[frame.group == group].article_id.nunique() >= 3


def test_bad_input_is_one_sentence(tmp_path):
    one = tmp_path / "one.txt"
    one.write_text(AGENCY)
    done = command(one)
    assert done.returncode == 0
    assert "one article only" in done.stderr
    empty = tmp_path / "empty.txt"
    empty.write_text("")
    done = command(one, "--reference", empty)
    assert done.returncode == 2
    assert "holds 0 texts" in done.stderr
    german = tmp_path / "german.txt"
    german.write_text(
        "Der Hafen von Halden wird am Montag wegen Reparaturen geschlossen, sagte die Hafenmeisterin."
    )
    done = command(german)
    assert done.returncode == 2
    assert "There is no article to compare" in done.stderr
    assert "Traceback" not in done.stderr


def test_scores_carry_siblings_and_drift(seeds_frame):
    row = seeds_frame[seeds_frame.text.str.startswith("Pouring water")].iloc[0]
    ids = set(seeds_frame.sentence_id)
    assert row.siblings
    for near in row.siblings:
        assert near["sentence_id"] in ids
        assert near["article_id"] != row.article_id
        assert 0 < near["similarity"] <= 1
