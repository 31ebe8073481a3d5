"""Where sentences end, and that their offsets hold for any text at all."""

from __future__ import annotations

import random
import time

import pytest

from annotate.article import Article
from annotate.reading import Targets, split
from annotate.reading.sentences import sentence_spans

# One sentence per piece; glued by blanks they must come apart again just there.
PARAGRAPHS = [
    ["“We lose billions of dollars.", "It’s called decoupling,” Trump said.", "He left."],
    ['He added, "Some countries invoke cleanliness.', 'Pouring water in other countries."', "He stopped."],
    ["“Such acts must be rejected.”", "Mr. Wang left for the U.S. Embassy in Beijing."],
    ["Sen. Rand Paul, R-Ky., met Gov. Jerry Brown.", "U.S. Secretary of State Mike Pompeo did not."],
    ["He trusts the U.S.", "However, others do not."],
    ["It happened at 9 p.m. on Sept. 11.", "Police came at 10 a.m.", "Nobody was hurt."],
    ["They banned Huawei, TikTok, WeChat, etc.", "Chinese officials objected."],
    ["“Is it over?” Mr. Trump asked.", "“No!” said Wang.", "It was not."],
    ["“It is over.” Trump said.", "Then he left."],
    ["“It is over.”", "Trump said he would leave."],
    ["Apple Inc. sued Acme Corp. on Tuesday.", "The two firms (Acme Ltd. and Apple Inc.) settled."],
    ["Profits rose 35.5 percent to $1.2 million.", "Shares fell 0.5."],
    ["WASHINGTON (Reuters) – The president left; his aides stayed.", "So did we."],
    ["He said this was “tantamount to treason.’”", "“Is it?” she asked."],
    ["J. K. Rowling met George W. Bush.", "The talk was short."],
    ["These companies refused even.", ".", "They did."],
    ["He waited . . . and waited.", "Nothing came…", "Nothing at all."],
    ["Is this true?!", "Yes.", "iPhone sales fell."],
    ["See No. 5 on p. 3 of vol. 2.", "There is no No. 6."],
    ["The paragraphs ran together.", "So did these."],
    ["中国外长说。", "他离开了！"],
]


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in sentence_spans(text)]


@pytest.mark.parametrize("sentences", PARAGRAPHS, ids=lambda sentences: sentences[0][:30])
def test_a_paragraph_comes_apart_into_its_sentences(sentences):
    assert pieces(" ".join(sentences)) == sentences


def test_paragraphs_glued_without_a_blank_come_apart_but_names_on_the_web_do_not():
    assert pieces("He was courageous.For example, he left.") == [
        "He was courageous.",
        "For example, he left.",
    ]
    assert pieces("“We won.”Trump left.") == ["“We won.”", "Trump left."]
    for one in ("Shares of Amazon.Com fell.", "The U.S.A is large.", "Visit node.js and v2.0 today."):
        assert pieces(one) == [one]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r", "\u2028", "\x85", "\n\n"])
def test_a_line_break_ends_a_sentence(line_end):
    assert pieces(f"China answers{line_end}It did so on Tuesday{line_end}") == [
        "China answers",
        "It did so on Tuesday",
    ]


NASTY = [
    *".!?…\"“”‘’'()[];:—-@#©",
    *" \u00a0\u200b\u200d\u202e\ufeff\ufffd\t\x1c\x1f\v",
    *("\r\n", "\n", "\r", "\u2028", "\x85", ". . .", "中国。", "」"),
    *("é", "e\u0301", "👩\u200d👩\u200d👧", "😀", "🇨🇳", "שלום", "مرحبا؟", "नमस्ते।"),
    *(
        "A",
        "a",
        "U.S.",
        "Mr.",
        "China",
        "China’s",
        "said",
        "1.",
        "2",
        "http://x.y/z",
        "The",
        "Leave a comment",
    ),
]


def test_offsets_hold_and_nothing_is_lost_whatever_the_text():
    targets = Targets({"China": ("Chinese",), "United States": ("U.S.",)})
    dice = random.Random(20200908)
    for _ in range(3000):
        text = "".join(dice.choice(NASTY) + dice.choice(("", " ")) for _ in range(dice.randint(1, 30)))
        reached = 0
        for sentence in split(Article("a", text), targets):
            assert sentence.text == text[sentence.start : sentence.end] == sentence.text.strip() != ""
            assert not text[reached : sentence.start].strip()
            reached = sentence.end
            for mention in sentence.mentions:
                assert sentence.text[mention.start : mention.end] in ("China", "U.S.")
        assert not text[reached:].strip()


def test_ids_are_distinct_within_an_article_and_stable():
    article = Article("a", "No.\nNo.\nYes.")
    ids = [sentence.id for sentence in split(article)]
    assert len(set(ids)) == 3
    assert ids == [sentence.id for sentence in split(article)]


@pytest.mark.parametrize(
    "unit", [".", ". ", "a. ", "a.” ", "aB3", "a-", "a@", "By Aa ", "* ", "( ", "中国。", "U.S. "]
)
def test_hostile_text_takes_time_in_proportion_to_its_length(unit):
    start = time.perf_counter()
    split(Article("a", unit * 20_000))
    assert time.perf_counter() - start < 5
