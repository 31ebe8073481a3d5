"""Who says it: quotations that run on, surnames, pronouns."""

from __future__ import annotations

import pytest

from annotate.article import Article
from annotate.quotation import quotations
from annotate.reading import split
from annotate.signals.holders import resolve


def rows_of(text: str, sources: dict[int, tuple[str, str]]) -> list[dict]:
    """An article's rows as the tagger leaves them: `sources` gives (source, content) by sentence."""
    sentences = split(Article("a", text))
    rows = []
    for number, sentence in enumerate(sentences):
        row = {
            "text": sentence.text,
            "start": sentence.start,
            "holder_kind": "outlet",
            "holder_name": None,
            "attribution_spans": [],
        }
        if number in sources:
            row["holder_kind"] = "source"
            for role, words in zip(("source", "content"), sources[number], strict=True):
                at = sentence.text.index(words)
                row["attribution_spans"].append(
                    {"role": role, "start": sentence.start + at, "end": sentence.start + at + len(words)}
                )
        rows.append(row)
    resolve(rows, sentences)
    return rows


def names(text: str, sources: dict[int, tuple[str, str]]) -> list[str | None]:
    return [row["holder_name"] for row in rows_of(text, sources)]


def test_a_quotation_belongs_to_who_closes_it():
    text = "“We lose money. It is called decoupling,” Mr. Smith said. Nobody else spoke."
    assert names(text, {1: ("Mr. Smith", "It is called decoupling")}) == ["Smith", "Smith", None]


def test_a_quotation_belongs_to_who_opened_it_until_the_paragraph_ends():
    text = "Ann Lee said, “Some countries lie. They pour water. They run.\n\nThe weather was fine."
    assert names(text, {0: ("Ann Lee", "Some countries lie")}) == ["Ann Lee"] * 3 + [None]


def test_he_is_who_spoke_last():
    text = "The plan is good, said Foreign Minister Wang Yi. He added that it is cheap."
    found = names(text, {0: ("Foreign Minister Wang Yi", "The plan is good"), 1: ("He", "it is cheap")})
    assert found == ["Wang Yi", "Wang Yi"]


def test_a_surname_is_the_full_name_given_elsewhere():
    text = "Mike Pompeo spoke on Monday. The plan is good, said Pompeo."
    assert names(text, {1: ("Pompeo", "The plan is good")})[1] == "Mike Pompeo"


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("U.S. Secretary of State Mike Pompeo", "Mike Pompeo"),
        ("Chinese officials", "Chinese officials"),
        ("the transcript", "transcript"),
        ("Washington", "Washington"),
        ("a spokesman for the ministry", "spokesman for the ministry"),
        ("The Global Times", "Global Times"),
        ("President Donald Trump", "Donald Trump"),
    ],
)
def test_a_source_is_named_without_its_titles(source, name):
    text = f"The plan is good, said {source} on Monday."
    assert names(text, {0: (source, "The plan is good")}) == [name]


def test_quotation_marks_are_counted_by_sentence():
    sentences = split(Article("a", 'He said "it is done. All is well." Then he left.'))
    marks = quotations((s.text, s.paragraph) for s in sentences)
    assert [m.inside for m in marks] == [False, True, False]
