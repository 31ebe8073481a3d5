"""Targets: whom a stance is toward, under which names they go, and where a sentence mentions them.

The file that `load_targets` reads is YAML, in one of two forms:

    targets:
      - name: United States
        aliases: [U.S., US, Washington, the Trump administration]
      - name: China

    targets:
      United States: [U.S., US, Washington, the Trump administration]
      China: []

A name is an alias of itself. How an alias is found in a text:
- whole words only; a possessive counts and is not part of the mention (*China*’s); so do both halves of
  *U.S.*-*China*;
- a word of the alias with a capital must be written so, or in capitals throughout (`China` finds CHINA;
  `US` never finds "us"); a word in lower case is found in any case;
- where two aliases begin at one place the longest wins, and mentions never overlap;
- straight and curly apostrophes are one, and so are all blanks between two words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from annotate.article import Mention
from annotate.errors import UserError

# A name may begin with the @ of an account; @China is then no mention of China.
_Patterns = dict[tuple[str, ...], tuple[re.Pattern[str], tuple[str, ...]]]
_NOTHING: tuple[re.Pattern[str], tuple[str, ...]] = (re.compile(r"(?!)"), ())
_TOKEN = re.compile(r"@?\w+")
_PART = re.compile(r"\w+|\s+|[^\w\s]")
_APOSTROPHES = "'’‘ʼ"
_HYPHENS = "-‐‑"


@dataclass(frozen=True)
class Targets:
    """Targets and their aliases, in the order of the file. Aliases need not repeat the name.

    Raises UserError for an alias that is empty, begins with a sign, or belongs to two targets.
    """

    aliases: Mapping[str, tuple[str, ...]]
    _patterns: _Patterns = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_patterns", _patterns(self.aliases))

    @property
    def names(self) -> tuple[str, ...]:
        """The targets' names."""
        return tuple(self.aliases)

    def mentions(self, text: str) -> tuple[Mention, ...]:
        """Where `text` names a target: in order, never overlapping; offsets are code points."""
        tokens = list(_TOKEN.finditer(text))
        words = [token.group().casefold() for token in tokens]
        found: list[Mention] = []
        free = 0
        for number, token in enumerate(tokens):
            if token.start() < free:
                continue
            # Two words before one: what they begin is the longer alias.
            for key in (tuple(words[number : number + 2]), (words[number],)):
                pattern, owners = self._patterns.get(key, _NOTHING)
                if alias := pattern.match(text, token.start()):
                    free = alias.end()
                    found.append(Mention(owners[(alias.lastindex or 1) - 1], alias.start(), free))
                    break
        return tuple(found)


def load_targets(path: str | Path) -> Targets:
    """Reads a targets file.

    Raises UserError, naming the file and the line or field, for one that is missing, malformed or empty.
    """
    from annotate.reading.targets_file import parse

    return parse(Path(path))


def _patterns(aliases: Mapping[str, Iterable[str]]) -> _Patterns:
    """For each beginning of an alias, its first two words or its only one: an expression, and the owners.

    Looking words up keeps the time of a sentence the same for one alias and for ten thousand.
    """
    beginnings: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    owner: dict[str, str] = {}
    for name, others in aliases.items():
        for alias in dict.fromkeys(" ".join(a.split()) for a in (name, *others)):
            if not _TOKEN.match(alias):
                said = "is empty" if not alias else "begins with a sign"
                raise UserError(
                    f"target {name!r}: the alias {alias!r} {said}; begin it with a letter, digit or @"
                )
            if owner.setdefault(alias, name) != name:
                raise UserError(
                    f"the alias {alias!r} belongs to both {owner[alias]!r} and {name!r}: keep one"
                )
            words = tuple(word.casefold() for word in _TOKEN.findall(alias)[:2])
            beginnings.setdefault(words, []).append((alias, name))
    patterns = {}
    for words, pairs in beginnings.items():
        pairs.sort(key=lambda pair: -len(pair[0]))
        alternatives = "|".join(f"({_expression(alias)})" for alias, _ in pairs)
        # Not inside a longer word, nor before a sum of dollars ("US$5bn").
        pattern = re.compile(rf"(?:{alternatives})(?![\w\u0300-\u036f$])")
        patterns[words] = (pattern, tuple(name for _, name in pairs))
    return patterns


def _expression(alias: str) -> str:
    """The alias as a regular expression, word by word, with the rules of case, blanks and apostrophes."""
    parts = []
    for part in _PART.findall(alias):
        if part.isspace():
            parts.append(r"\s+")
        elif part in _APOSTROPHES:
            parts.append(f"[{_APOSTROPHES}]")
        elif part in _HYPHENS:
            parts.append(f"[{_HYPHENS}]")
        elif part.islower():
            parts.append(f"(?i:{re.escape(part)})")
        else:
            parts.append(f"(?:{re.escape(part)}|{re.escape(part.upper())})")
    return "".join(parts)
