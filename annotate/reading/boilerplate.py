"""What stands in an article file but is no part of the article: bylines, prompts, forms, credits.

Three kinds of evidence: what a sentence consists of (no letters, an address alone), where its line stands (a
headline repeated, one or two words above the text, open lines among the furniture below it, headlines under
"Related stories"), and how it is put (the families of phrases in phrases.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from annotate.reading.phrases import BYLINE, DATELINE, LABEL, NOTE, PROMPT, SIGNPOST, TELLING, WHOLE

_ADDRESS = re.compile(
    r"\b(?:https?://|www\.)\S+|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]+|(?<!\w)[@#]\w+|"
    r"\b[\w-]{1,63}(?:\.[\w-]{1,63}){0,5}\.(?:com|org|net|info|co\.uk|html?|jpe?g|png|gif)\b(?:/\S*)?",
    re.IGNORECASE,
)
_LETTER = re.compile(r"[^\W\d_]")
_SITE = re.compile(r"\s+[|–—-]\s+[^|–—]{2,40}$")
_PROSE = 8  # words of a line with a full stop that is surely text
_NAVIGATION = 2  # words of an open line above the text that is no headline ("World", "Jane Doe")
_FURNITURE = 6  # words of an open line below the text ("Previous article")
_ANSWER = 3  # words of a line that people may well say twice ("No.")
_LINK = 30  # words of a line that points elsewhere; a longer one has run into the text
_LONGEST = 240  # characters of a sentence that can be nothing but furniture
_LINE_BREAK = re.compile(r"[\r\n\v\f\x1c-\x1e\x85\u2028\u2029]+")

_FINISHED = re.compile(r"[.!?…。！？][\"'”’»)\]]*$")


def flags(text: str, spans: Sequence[tuple[int, int]]) -> list[bool]:
    """For each sentence of an article, given as (start, end) in order, whether it is boilerplate."""
    marked = [_stands_out(text[start:end]) for start, end in spans]
    lines = list(_by_line(text, spans))
    wording = [text[spans[line[0]][0] : spans[line[-1]][1]] for line in lines]
    out = [all(marked[sentence] for sentence in line) for line in lines]
    for number, line in enumerate(_lines_out(wording, out)):
        if line:
            for sentence in lines[number]:
                marked[sentence] = True
    return marked


def _lines_out(lines: Sequence[str], out: Sequence[bool]) -> list[bool]:
    """Which lines are boilerplate, from how they stand to each other; `out` tells which are by themselves."""
    out = [known or _is_labelled(line) for line, known in zip(lines, out, strict=True)]
    words = [len(line.split()) for line in lines]
    open_ended = [not _FINISHED.search(line) for line in lines]
    prose = [n for n in range(len(lines)) if not out[n] and not open_ended[n] and words[n] >= _PROSE]
    first, last = (prose[0], prose[-1]) if prose else (0, len(lines))
    has_headline = any(words[n] > _NAVIGATION and not out[n] for n in range(first))
    has_foot = any(out[last + 1 :])
    seen: set[str] = set()
    pointed_at = False
    for n, line in enumerate(lines):
        folded = _fold(line)
        above = n < first and has_headline and words[n] <= _NAVIGATION
        below = n > last and has_foot and words[n] <= _FURNITURE
        repeated = folded in seen and (open_ended[n] or words[n] > _ANSWER)
        if repeated or (open_ended[n] and (above or below or pointed_at)):
            out[n] = True
        seen.add(folded)
        # What "Related stories" heads are headlines of other articles, up to the next full sentence.
        pointed_at = bool(SIGNPOST.fullmatch(line)) or (pointed_at and open_ended[n])
    return out


def _is_labelled(line: str) -> bool:
    return bool(NOTE.match(line) or (LABEL.match(line) and len(line.split()) <= _LINK))


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
    if len(sentence) <= _LONGEST and any(
        whole.fullmatch(sentence) for whole in (WHOLE, SIGNPOST, BYLINE, DATELINE)
    ):
        return True
    if len(sentence.split()) <= _LINK and LABEL.match(sentence):
        return True
    return bool(PROMPT.match(sentence) or TELLING.search(sentence))
