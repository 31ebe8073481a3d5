"""What stands in an article file but is no part of the article: bylines, prompts, forms, credits.

Three kinds of evidence, all of them readable below: what a sentence consists of (no words, an address
alone), where it stands (a line repeated, what trails after the comment form), and how it is put (families
of phrases that web pages wrap around articles).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from annotate.reading.phrases import BYLINE, DATELINE, FOOT, LABEL, NOTE, PROMPT, TELLING, WHOLE

_ADDRESS = re.compile(
    r"\b(?:https?://|www\.)\S+|\S+@\w[\w.-]*\.\w+|(?<!\w)[@#]\w+|"
    r"\b[\w-]+(?:\.[\w-]+)*\.(?:com|org|net|info|co\.uk|html?|jpe?g|png|gif|twitter|facebook)\b(?:/\S*)?",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_SITE = re.compile(r"\s+[|–—-]\s+[^|–—]{2,40}$")
_SHORT = 6  # words of a line in the foot of a page
_LINK = 30  # words of a line that points elsewhere; a longer one has run into the text
_LONGEST = 240  # characters of a sentence that can be nothing but furniture
_LINE_BREAK = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")

_FINISHED = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


def flags(text: str, spans: Sequence[tuple[int, int]]) -> list[bool]:
    """For each sentence of an article, given as (start, end) in order, whether it is boilerplate."""
    marked = [_stands_out(text[start:end]) for start, end in spans]
    seen: set[str] = set()
    foot = False
    for members in _by_line(text, spans):
        start, end = spans[members[0]][0], spans[members[-1]][1]
        line = text[start:end]
        folded = _fold(line)
        trails = foot and len(line.split()) <= _SHORT and not _FINISHED.search(line)
        if folded in seen or trails or NOTE.match(line) or (LABEL.match(line) and len(line.split()) <= _LINK):
            for sentence in members:
                marked[sentence] = True
        seen.add(folded)
        if start * 2 > len(text):  # above the middle "Comments" is a button, and the article follows
            foot = bool(FOOT.fullmatch(line)) or (foot and all(marked[sentence] for sentence in members))
    return marked


def _by_line(text: str, spans: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """The sentences' numbers, line by line."""
    line: list[int] = []
    for number, (start, _) in enumerate(spans):
        if line and _LINE_BREAK.search(text, spans[number - 1][1], start):
            yield line
            line = []
        line.append(number)
    if line:
        yield line


def _fold(line: str) -> str:
    """A line as it is compared with others: a site's name after a headline (` | The Outlet`) is cut off."""
    return _SITE.sub("", " ".join(line.casefold().split()))


def _stands_out(sentence: str) -> bool:
    """Boilerplate by itself, wherever it stands."""
    if not _LETTER.search(_ADDRESS.sub(" ", sentence)):
        return True
    if len(sentence) <= _LONGEST and any(whole.fullmatch(sentence) for whole in (WHOLE, BYLINE, DATELINE)):
        return True
    if len(sentence.split()) <= _LINK and LABEL.match(sentence):
        return True
    return bool(PROMPT.match(sentence) or TELLING.search(sentence))
