"""A sentence as HTML: every span marked, nothing else changed, and hostile text still text."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from itertools import combinations

import pytest

from annotate.display import show
from annotate.errors import UserError
from annotate.highlight import highlighted, marks, safe, style

TEXT = "Pouring water in other countries, Wang said."


def span(words: str, start: int = 0, **more: object) -> dict[str, object]:
    at = TEXT.index(words)
    return {"start": start + at, "end": start + at + len(words), "probability": 0.7, **more}


def row(start: int = 0, **columns: object) -> dict[str, object]:
    return {"start": start, "text": TEXT, **columns}


class Read(HTMLParser):
    """The characters of a piece of HTML, each with the classes of the marks around it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[dict[str, str | None]] = []
        self.characters: list[tuple[str, frozenset[str | None]]] = []
        self.titles: list[str | None] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attrs):
        assert tag == "mark"
        self.open.append(dict(attrs))
        self.titles.append(dict(attrs)["title"])

    def handle_endtag(self, tag):
        self.open.pop()

    def handle_data(self, data):
        classes = frozenset(mark["class"] for mark in self.open)
        self.characters += [(character, classes) for character in data]

    @property
    def text(self) -> str:
        return "".join(character for character, _ in self.characters)


def test_spans_that_nest_and_overlap_cover_exactly_their_characters():
    scored = row(
        100,
        garble_spans=[span("Pouring water", 100, severity="major", category="mistranslation", better=None)],
        loaded_spans=[span("water in", 100)],
        hedging_spans=[span("other", 100)],
        attribution_spans=[span("Pouring water in other countries", 100, role="content")],
    )
    read = Read(highlighted(scored))
    assert read.text == TEXT
    for mark in marks(scored):
        covered = [n for n, (_, classes) in enumerate(read.characters) if f"an-{mark.signal}" in classes]
        assert covered == list(range(mark.start, mark.end)), mark.signal


def test_no_sentence_of_the_seeds_is_changed_and_no_span_is_lost(content):
    for scored in content.to_dict("records"):
        read = Read(highlighted(scored))
        assert read.text == safe(scored["text"])
        marked = {(m.signal, n) for m in marks(scored) for n in range(m.start, m.end)}
        shown = {(c[3:], n) for n, (_, classes) in enumerate(read.characters) for c in classes}
        assert shown == marked


def test_a_mark_says_signal_category_severity_probability_and_what_the_sibling_has():
    garble = span("Pouring water", severity="major", category="mistranslation", better="smearing")
    drift = span(
        "Wang", kind="name", sibling_article_id="001", sibling_sentence_id="x", sibling_text="Wang Yi"
    )
    stance = {
        "target": "Wang",
        "label": "favor",
        "p_against": 0.1,
        "p_neutral": 0.2,
        "p_favor": 0.7,
        "mentions": [span("Wang")],
    }
    titles = Read(highlighted(row(garble_spans=[garble], drift=[drift], stance=[stance]))).titles
    assert "garble, mistranslation, major, 70%; better: “smearing”" in titles
    assert any("drift, name, 70%; 001 has “Wang Yi”" in title for title in titles)
    assert any("stance toward Wang, favor, 70%" in title for title in titles)


def test_hostile_text_stays_text():
    text = "<script>alert(1)</script> & \"quotes\" 'too'"
    scored = {
        "start": 0,
        "text": text,
        "drift": [
            {
                "start": 0,
                "end": 8,
                "sibling_article_id": '"><b>',
                "sibling_text": "'><i>",
                "kind": "<u>",
                "probability": 0.9,
            }
        ],
    }
    html = highlighted(scored)
    assert Read(html).text == text
    assert set(re.findall(r"<(/?\w+)", html)) == {"mark", "/mark"}


def test_controls_are_harmless_one_for_one():
    text = "a\x00b\u202ec\nd\ud800e\u2066f\x1bg\ufffeh"
    assert safe(text) == "a\ufffdb\ufffdc d\ufffde\ufffdf\ufffdg\ufffdh"
    assert safe("naïve 東京 👩‍🔬") == "naïve 東京 👩‍🔬"


def test_spans_outside_the_sentence_and_rows_without_scores_do_no_harm():
    assert highlighted(row(loaded_spans=None, drift=float("nan"))) == TEXT
    stray = [{"start": -5, "end": 7, "probability": 0.9}, {"start": 900, "end": 950, "probability": 0.9}]
    read = Read(highlighted(row(loaded_spans=stray)))
    assert [bool(classes) for _, classes in read.characters] == [n < 7 for n in range(len(TEXT))]


def colours(block: str) -> dict[str, tuple[float, ...]]:
    """The custom properties of a block of the style sheet as red, green, blue (0 to 255) and opacity."""
    found = {}
    for name, value in re.findall(r"--([\w-]+):\s*([^;]+);", block):
        if value.startswith("#"):
            found[name] = (*(int(value[i : i + 2], 16) for i in (1, 3, 5)), 1.0)
        else:
            found[name] = tuple(float(x) for x in re.findall(r"[\d.]+", value))
    return found


def luminance(colour: tuple[float, ...]) -> float:
    """Relative luminance (WCAG 2.2)."""
    linear = [(c / 255 / 12.92 if c <= 10 else ((c / 255 + 0.055) / 1.055) ** 2.4) for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def over(paper: tuple[float, ...], wash: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(p * (1 - wash[3]) + w * wash[3] for p, w in zip(paper[:3], wash[:3], strict=True))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_contrast_is_aa_for_text_and_three_to_one_for_lines(theme):
    light, dark = style().split("@media screen and (prefers-color-scheme: dark)")
    found = colours(light) | (colours(dark.split("\n}\n")[0]) if theme == "dark" else {})
    paper = found["paper"]
    washes = [name for name in found if name.endswith("-wash") or name == "said"]
    assert len(washes) == 6
    for name in washes:
        assert contrast(found["ink"], over(paper, found[name])) >= 4.5, name
    for name in ("soft", "link"):
        assert contrast(found[name], paper) >= 4.5, name
    for name in ("hedging", "loaded", "minor", "major", "source", "drift"):
        assert contrast(found[name], paper) >= 3, name


def test_every_kind_of_mark_differs_from_the_others_without_its_colour(browser):
    kinds = [
        ("attribution", "source"),
        ("attribution", "cue"),
        ("stance", "against"),
        ("stance", "favor"),
        ("hedging", ""),
        ("loaded", ""),
        ("garble", "minor"),
        ("garble", "major"),
        ("drift", "name"),
        ("drift", "another source"),
    ]
    page = browser.new_page()
    page.set_content(
        f"<style>{style()}</style><p class=an>"
        + "".join(f'<mark class="an-{signal}" data-kind="{kind}">x</mark> ' for signal, kind in kinds)
    )
    looks = page.evaluate(
        """() => [...document.querySelectorAll("mark")].map((m) => {
            const s = getComputedStyle(m);
            return [s.textDecorationLine, s.textDecorationStyle, s.borderBottomStyle, s.borderBottomWidth,
                    s.outlineStyle, s.fontWeight, getComputedStyle(m, "::after").content].join();
        })"""
    )
    page.close()
    for (one, look), (other, same) in combinations(zip(kinds, looks, strict=True), 2):
        assert look != same, (one, other)


def test_a_notebook_shows_an_article_and_needs_nothing_else(seeds_frame):
    shown = show(seeds_frame, "004_4872240a007607b3")
    html = shown._repr_html_()
    assert 'data-kind="major" title="garble, mistranslation, major' in html
    assert "Pouring water</mark>" in html
    assert not re.search(r"https?:|src=|url\(|@import", html)
    for selectors in re.findall(r"(?:^|})\s*([^{}@]+){", re.sub(r"/\*.*?\*/", "", style(), flags=re.S)):
        assert all(selector.strip().startswith(".an") for selector in re.split(r",(?![^(]*\))", selectors))
    assert "004_4872240a007607b3: 15 sentences" in repr(shown)


def test_all_articles_are_shown_up_to_ten_and_a_wrong_one_is_answered_with_right_ones(seeds_frame):
    assert len(show(seeds_frame).articles) == 5
    with pytest.raises(UserError, match=r"no article “004_487”.*there is 004_4872240a007607b3"):
        show(seeds_frame, "004_487")
