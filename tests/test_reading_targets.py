"""The targets file, and where a sentence mentions a target."""

from __future__ import annotations

import time

import pytest

from annotate.errors import UserError
from annotate.reading import Targets, load_targets

TARGETS = Targets(
    {
        "China": ("Chinese", "Beijing", "people's republic", "Clean Network"),
        "United States": ("U.S.", "US", "America", "White House", "Trump", "the Trump administration"),
        "Account": ("@POTUS",),
    }
)


def found(text: str) -> list[str]:
    return [f"{text[m.start : m.end]} = {m.target}" for m in TARGETS.mentions(text)]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        ("China’s plan and China's rules", ["China = China", "China = China"]),
        ("Chinatown, Indochina and Americana", []),
        ("CHINA BANS US APPS", ["CHINA = China", "US = United States"]),
        ("china told us", []),
        ("It told us, and US firms", ["US = United States"]),
        ("It cost US$5bn", []),
        ("The U.S.-China talks", ["U.S. = United States", "China = China"]),
        ("in the U.S.", ["U.S. = United States"]),
        ("the U.S.A. team", []),
        ("US-based and pro-US", ["US = United States", "US = United States"]),
        ("The Trump Administration’s decision", ["The Trump Administration = United States"]),
        ("the trump administration", []),
        ("Trump and the Trump family", ["Trump = United States", "Trump = United States"]),
        ("The People’s Republic", ["People’s Republic = China"]),
        ("the White\n  House", ["White\n  House = United States"]),
        ("Clean Networks and clean networks", []),
        ("“China”, (Beijing).", ["China = China", "Beijing = China"]),
        ("@China told @POTUS", ["@POTUS = Account"]),
        ("😀 China", ["China = China"]),
        ("", []),
    ],
)
def test_mentions(text, mentions):
    assert found(text) == mentions


def test_a_thousand_aliases_take_no_longer_than_a_few():
    text = "The alias of China was not named by the U.S. on Tuesday, said the 99th alias and Alias7. " * 20
    few = Targets({"Target 7": ("Alias7",), "Target 99": ("the 99th alias",)})
    many = Targets({f"Target {n}": (f"Alias{n}", f"the {n}th alias") for n in range(500)})
    assert many.mentions(text) == few.mentions(text)
    assert len(many.mentions(text)) == 40

    def seconds(targets: Targets) -> float:
        start = time.perf_counter()
        for _ in range(10):
            targets.mentions(text)
        return time.perf_counter() - start

    assert min(seconds(many) for _ in range(5)) < 5 * min(seconds(few) for _ in range(5))


def test_both_forms_of_the_file_say_the_same(tmp_path):
    listed, mapped = tmp_path / "listed.yaml", tmp_path / "mapped.yaml"
    listed.write_text("targets:\n- name: China\n  aliases: [Beijing]\n- {name: Huawei}\n- Xi\n")
    mapped.write_text("targets:\n  China: [Beijing]\n  Huawei:\n  Xi: []\n")
    targets = load_targets(listed)
    assert targets == load_targets(mapped)
    assert targets.names == ("China", "Huawei", "Xi")
    assert targets.aliases["China"] == ("Beijing",)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "`targets` is missing"),
        ("- China", "`targets` is missing"),
        ("targets:", "is empty"),
        ("targets: []", "is empty"),
        ("targets: 5", "neither a list nor a mapping"),
        ("targets:\n- name: China\n  aliases: [a\n", "line 4: this is not valid YAML"),
        ("targets:\n\t- China", "line 2: this is not valid YAML"),
        ("targets:\n- aliases: [Beijing]", "entry 1 of `targets` has no `name`"),
        ("targets:\n- {name: China, alias: [Beijing]}", "unknown field 'alias'"),
        ("targets:\n- {name: China, aliases: Beijing}", "the aliases of 'China' are not a list"),
        (
            "targets:\n- {name: China, aliases: [NO]}",
            "an alias of 'China' is False, not text; put it in quotes",
        ),
        ("targets:\n- {name: 5}", "`name` in entry 1 of `targets` is 5, not text"),
        ("targets:\n- {name: China, aliases: ['']}", "an alias of 'China' is empty"),
        ("targets:\n- {name: '  '}", "`name` in entry 1 of `targets` is empty"),
        ("targets:\n  China: [PRC]\n  Taiwan: [PRC]", "'PRC' belongs to both 'China' and 'Taiwan'"),
        ("targets:\n  China: [Taiwan]\n  Taiwan: []", "'Taiwan' belongs to both"),
        ("targets:\n- name: China\n- name: China", "'China' stands there twice"),
        ("targets:\n  China: []\n  China: []", "line 3"),
        ("targets:\n  China: ['-']", "begins with a sign"),
        (b"targets:\n  Caf\xe9: []", "0xe9 at offset 14"),
        (b"targets: [\x00]", "not valid YAML"),
    ],
)
def test_a_malformed_targets_file_is_told_in_one_sentence_that_names_it(tmp_path, content, said):
    path = tmp_path / "targets.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(UserError) as error:
        load_targets(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_missing_targets_file_is_told(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.yaml"):
        load_targets(tmp_path / "nowhere.yaml")
