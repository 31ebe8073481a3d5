"""What quotation marks say of the sentences between them."""

from __future__ import annotations

import pytest

from annotate.quotation import inside, quotations


@pytest.mark.parametrize(
    ("text", "is_open", "expected", "left"),
    [
        ('a "bc" d', False, "bc", False),
        ("“a” b “c", False, "ac", True),
        ("a” b", True, "a", False),
        ("“a “b” c", False, "ab", False),
        ("plain", True, "plain", True),
    ],
)
def test_a_character_is_inside_from_an_opening_mark_to_a_closing_one(text, is_open, expected, left):
    marks, still_open = inside(text, is_open)
    said = "".join(c for c, mark in zip(text, marks, strict=True) if mark)
    assert said.replace(" ", "") == expected
    assert still_open is left


def test_a_quotation_runs_on_to_the_next_sentence_but_not_to_the_next_paragraph():
    sentences = [("He said “it is done.", 0), ("All is well.", 0), ("So be it.", 1), ("“Yes” he said.", 1)]
    found = quotations(sentences)
    assert [q.inside for q in found] == [False, True, False, False]
    assert found[1].share == 1.0
    assert 0.1 < found[3].share < 0.5
