"""Sentences with exact offsets: rules for the end of a sentence in news, quotations included.

Own rules, after measuring two splitters (benchmarks/reading.py; boundary F1 on newsmtsc, babe and polnear
glued into paragraphs): syntok 1.4.4 0.992, 0.943, 0.974; nupunkt 0.8.0 0.979, 0.948, 0.981; these rules
0.991, 0.952, 0.984. On the seeds, which the rules were written with in view: 0.970, 0.970 and 1.000. syntok
ends a sentence at semicolons and after "Gov." or "WASHINGTON (Reuters)"; nupunkt ends one after “Mr. inside a
quotation and after "U.S.", and runs on after `.'”`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from annotate.reading.wordlists import (
    AFTER_HOURS,
    BEFORE_NAMES,
    BEFORE_NUMBERS,
    DOMAINS,
    MAY_END,
    STARTERS,
)

_QUOTES = "\"'”’»›"
_STOPS = ".!?…‼⁇؟۔।"
_WIDE = "。！？｡"  # these need no blank after them

_LINE = re.compile(r"[^\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")
_END = re.compile(
    rf"(?<![{_STOPS}])(?P<stop>\.(?:[ \u00a0]\.){{2,}}|[{_STOPS}]+)"
    rf"(?P<close>[{_QUOTES})\]}}]*(?:[ \u00a0]”+|[ \u00a0]\"+$)?)"
    rf"(?:(?P<gap>\s+|$)|(?P<glued>(?=[A-Z“‘\"])))|[{_WIDE}]+[{_QUOTES}」』）]*\s*"
)
_OPENING = re.compile(r"[\s\"'“‘«‹(\[{¿¡*•·–—-]*")
_WORD_BEFORE = re.compile(r"[\w.&-]*$")
_WORD = re.compile(r"\w")
_QUOTED = re.compile(f"[{_QUOTES}]")
_GOES_ON = frozenset(",;:)")
_DASHES = frozenset("–—-")
_NEXT_WORD = re.compile(r"[\w’']+")

_ACRONYM = re.compile(r"(?:\w\.)+\w")
_SAYING = (
    r"(?:said|says|say|asked|asks|added|adds|wrote|writes|tweeted|told|replied|answered|shouted|yelled|"
    r"exclaimed|declared|insisted|continued|recalled|remarked|joked|wondered|quipped|noted|warned|cried)"
)
_SPEAKER = re.compile(
    rf"(?:(?:[A-Z][\w.’'-]*|the|of|a|an|and)\s+){{1,7}}?{_SAYING}\b(?P<after>\s*[.,;:]|\s*$)?"
)


def sentence_spans(text: str) -> Iterator[tuple[int, int]]:
    """The sentences of a text as (start, end), in order, without white space at either end.

    Offsets are code points. A line break ends a sentence; every character that is not white space lies
    in exactly one sentence.
    """
    for line in _LINE.finditer(text):
        start = line.start()
        for end in _ends(text, line.start(), line.end()):
            yield from _stripped(text, start, end)
            start = end
        yield from _stripped(text, start, line.end())


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if body := piece.strip():
        begin = start + len(piece) - len(piece.lstrip())
        yield begin, begin + len(body)


def _ends(text: str, start: int, end: int) -> Iterator[int]:
    """Where sentences end within one line."""
    begin = start
    for stop in _END.finditer(text, start, end):
        if stop.end() < end and _is_end(text, begin, stop, end):
            begin = stop.end()
            yield begin


def _is_end(text: str, begin: int, stop: re.Match[str], line_end: int) -> bool:
    """Whether the sentence that began at `begin` ends with this stop, which is not the last on its line."""
    if not _WORD.search(text, begin, stop.start()):
        # Nothing before it: a stray full stop stands alone, "… and then" goes on.
        return stop.start() == begin and stop.group().strip() == "."
    if stop["close"] is None:  # a full-width stop
        return True
    here = stop.end() + len(_group(_OPENING.match(text, stop.end(), line_end)))
    if here == line_end:
        return True
    following = _group(_NEXT_WORD.match(text, here, line_end))
    before = _group(_WORD_BEFORE.search(text, max(begin, stop.start() - 30), stop.start()))
    if stop["gap"] is None:
        return _is_glued_end(stop, before, following)
    if text[stop.end()] in _GOES_ON or (following.islower() and following[0].isalpha()):
        return False
    if ")" in stop["close"] and _closes_aside(text, begin, stop.start()):
        return False
    full_stop = stop["stop"] == "."
    if _QUOTED.search(stop["close"]) and _names_speaker(text, here, line_end, strict=full_stop):
        return False
    if full_stop:
        starter = (
            following.lower() in STARTERS
            and not text.startswith(".", here + len(following))
            and text[stop.end()] not in _DASHES  # "DECATUR, Ill. — The senator …"
        )
        first = not _WORD.search(text, begin, stop.start() - len(before))
        return _after_full_stop(before, following, starter=starter, first=first)
    return True


def _after_full_stop(before: str, following: str, *, starter: bool, first: bool) -> bool:
    """Whether a single full stop ends the sentence, or only shortens the word before it.

    `starter`: the next word is one that news rarely capitalises inside a sentence; `first`: the word
    before is the first of the sentence.
    """
    word = before.rsplit("-", 1)[-1]
    if word in BEFORE_NAMES or (word in BEFORE_NUMBERS and following[:1].isdigit()):
        return False
    if word in {"a.m", "p.m"}:
        return following not in AFTER_HOURS
    if word in MAY_END or _ACRONYM.fullmatch(word) or (len(word) == 1 and word.isupper()):
        return starter or not following  # a number, a sign or a name: more of the same sentence
    return not (first and before.isdigit())  # "1. First point" is one


def _is_glued_end(stop: re.Match[str], before: str, following: str) -> bool:
    """`courageous.For example`: scraped paragraphs run together. Not `Amazon.Com`, not `U.S.A`."""
    if len(following) < 2 or not following[1:].islower():
        return False
    if stop["close"]:
        return True
    return len(before) > 2 and before.isalpha() and before.islower() and following not in DOMAINS


def _closes_aside(text: str, begin: int, end: int) -> bool:
    """A bracket that was opened in the middle of this sentence: the sentence goes on after it."""
    opened = text.rfind("(", max(begin, end - 300), end)
    return opened > begin and bool(_WORD.search(text, begin, opened))


def _group(found: re.Match[str] | None) -> str:
    return found.group() if found else ""


def _names_speaker(text: str, here: int, line_end: int, *, strict: bool) -> bool:
    """`“Is it over?” Mr. Trump asked.`: who said it belongs to what was said.

    After a full stop (`strict`) only if nothing is said after the verb: `“It is over.” Trump said he …`
    are two.
    """
    found = _SPEAKER.match(text, here, min(line_end, here + 120))
    return found is not None and (found["after"] is not None or not strict)
