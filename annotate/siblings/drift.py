"""Drift: where the wording of a sentence says something else than its siblings do.

Words that no sibling bears out are joined into spans; each is judged by how far it is borne out, by what the
sibling says that the sentence lacks, by the letters around it (in a quotation that is otherwise the same,
another word is telling), and by whether names, numbers or negations differ; where a model scores the
sentence, also by how garbled it reads to it. The weights of the judgement were fitted to events written for
this purpose (`annotate.training.siblings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from annotate.siblings.alignment import sigmoid
from annotate.siblings.names import Names, in_name, name_around
from annotate.siblings.said import Said
from annotate.siblings.voices import Voice

SPAN = (
    "least borne out",
    "borne out, below the sentence's mean",
    "nearest word",
    "words",
    "to the letter",
    "letters around",
    "letters around, quoted",
    "a name",
    "more of a name",
    "others complete the name otherwise",
    "a number",
    "a negation",
    "another name",
    "another number",
    "another negation",
    "distance of what is lost",
    "weight of what is lost",
    "likeness to what is lost",
    "nothing lost",
    "in the place of other words",
    "others agree on what is lost",
    "lost, a negation",
    "voices",
)
SPELLING = 0.85
"""From this ratio of shared letters on (difflib) two capitalised words are spellings of one."""
AROUND = 4
"""Words to each side that tell whether a text is otherwise the same."""
NEGATIONS = frozenset("no not never nor neither none nobody nothing without cannot".split())
NUMBERS = frozenset(
    """
    two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty seventy eighty
    ninety hundred thousand million billion half third quarter
    """.split()
)
MODALS = frozenset("may might could should must would can will shall".split())
EMPTY = frozenset(
    """
    a an the of to in on at by for from with as and or but that which who whom whose is are was were be been
    being has have had do does did it its this these those he she they we i you his her their our your my
    there here than then so such also into over under about up out off if
    """.split()
)
"""Words without content of their own; a span needs another."""


@dataclass(frozen=True, slots=True)
class Drift:
    """A span of a sentence (offsets into it); the sibling that says something else, and its wording ('' where
    it has none); what kind of drift it is, and how probable."""

    start: int
    end: int
    sibling_article_id: str
    sibling_sentence_id: str
    sibling_text: str
    kind: str
    probability: float


@dataclass(frozen=True, slots=True)
class Suspects:
    """The spans of a sentence that may have drifted, as drifts whose probability is not known yet, and their
    features SPAN [n, len(SPAN)]."""

    spans: tuple[Drift, ...]
    found: np.ndarray = field(compare=False)

    def judged(self, settings: Mapping[str, Any], read: np.ndarray | None = None) -> list[Drift]:
        """Those from the settings' threshold on. read: [n, ...], what a model makes of the words of each span
        (`annotate.signals.garble.Garble.evidence`), where one has read the sentence."""
        name = "drift" if read is None else "drift_read"
        weights = np.asarray(settings[name])
        found = self.found if read is None else np.hstack([self.found, read])
        probabilities = sigmoid(found @ weights[:-1] + weights[-1]) if len(self.spans) else ()
        return [
            replace(span, probability=float(p))
            for span, p in zip(self.spans, probabilities, strict=True)
            if p >= settings[f"{name}_threshold"]
        ]


NONE = Suspects((), np.zeros((0, len(SPAN)), dtype=np.float32))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A span before it is judged: words first to last, the voice against it and the voice's words that the
    sentence lacks, and the features SPAN."""

    first: int
    last: int
    against: Voice
    lost: list[int]
    found: np.ndarray


def suspects(own: Said, heard: Sequence[Voice], names: Names) -> Suspects:
    """What may have drifted in a sentence against its siblings; names: of the event."""
    found = candidates(own, heard, names)
    offsets = own.vectors.offsets
    spans = tuple(
        Drift(
            offsets[c.first][0],
            offsets[c.last][1],
            c.against.said.article_id,
            c.against.said.sentence_id,
            words_of(c.against.said, c.lost),
            kind(own, c),
            0.0,
        )
        for c in found
    )
    return Suspects(spans, np.array([c.found for c in found], dtype=np.float32).reshape(-1, len(SPAN)))


def candidates(own: Said, heard: Sequence[Voice], names: Names) -> list[Candidate]:
    """Spans of words that no voice bears out, and places where a voice denies what the sentence does not."""
    if not heard:
        return []
    nearest = np.max([voice.nearest for voice in heard], axis=0)
    usual = float(nearest[own.is_word].mean()) if own.is_word.any() else float(nearest.mean())
    letters = np.max([around(voice.equal) for voice in heard], axis=0)
    said = {token for voice in heard for token in voice.said.tokens}
    content = np.array([w and t not in EMPTY for w, t in zip(own.is_word, own.tokens, strict=True)])
    new = np.array([is_new(own, n, said) for n in range(len(own.tokens))])
    odd = content & new & (((nearest < 0.62) & (nearest - usual < -0.12)) | (letters >= 0.7))
    odd |= new & np.array([telling(own, n) for n in range(len(own.tokens))])
    known = Known(
        nearest, nearest - usual, letters, ~new, content, [lacking(own, voice) for voice in heard], names
    )
    found = [candidate(own, heard, first, last, known) for first, last in stretches(odd, content)]
    found += [
        candidate(own, [voice], place, place, replace(known, lacking=[[j]]))
        for voice in heard
        for place, j in denied(own, voice)
        if not any(c.first <= place <= c.last for c in found)
    ]
    return found


@dataclass(frozen=True, slots=True)
class Known:
    """Of each word of a sentence: how well the best voice bears it out, how far that is below the sentence's
    mean, the share of words around it that are the same, whether a voice has it to the letter, and whether it
    has content. Of each voice: the words that the sentence lacks. Of the event: its names."""

    nearest: np.ndarray
    below: np.ndarray
    letters: np.ndarray
    same: np.ndarray
    content: np.ndarray
    lacking: list[list[int]]
    names: Names


def candidate(own: Said, heard: Sequence[Voice], first: int, last: int, known: Known) -> Candidate:
    """A span with its features, against the voice that says something else nearest to its place."""
    inside = [n for n in range(first, last + 1) if known.content[n]] or [first]
    losses = [
        lost_near(own, voice, first, last, lacking)
        for voice, lacking in zip(heard, known.lacking, strict=True)
    ]
    chosen = min(range(len(heard)), key=lambda v: (not losses[v][0], not losses[v][2], losses[v][1], v))
    lost, distance, in_place = losses[chosen]
    voice = heard[chosen]
    mine, theirs = [own.tokens[n] for n in inside], [voice.said.tokens[j] for j in lost]
    name = any(is_name(own, n) for n in inside)
    completing, beside = known.names.otherwise(own, first, last)
    number, negation = any(map(is_number, mine)), any(map(is_negation, mine))
    agree = [set(theirs) <= set(other.said.tokens) for other in heard if other is not voice]
    found = [
        float(known.nearest[inside].min()),
        float(known.below[inside].mean()),
        float(known.nearest[inside].max()),
        float(np.log(len(inside))),
        float(known.same[inside].mean()),
        float(known.letters[inside].max()),
        float(known.letters[inside].max()) * min(own.quoted, voice.said.quoted),
        name,
        name and (longer_name(own, first - 1, known) or longer_name(own, last + 1, known)),
        float(np.log1p(completing)),
        number,
        negation,
        name and any(is_name(voice.said, j) for j in lost),
        number and any(map(is_number, theirs)),
        negation != any(map(is_negation, theirs)),
        min(distance, 9) / 9,
        float(np.mean(1 - voice.heard[lost])) if lost else 0.0,
        float(voice.likeness[np.ix_(inside, lost)].max()) if lost else 0.0,
        not lost,
        in_place and bool(lost),
        float(np.log1p(sum(agree))) if lost else 0.0,
        any(map(is_negation, theirs)) and not negation,
        float(np.log(len(heard))),
    ]
    if completing:
        first, last, voice, lost = as_named(own, first, last, beside, heard) or (first, last, voice, lost)
    return Candidate(first, last, voice, lost, np.array(found, dtype=float))


def as_named(
    own: Said, first: int, last: int, beside: int, heard: Sequence[Voice]
) -> tuple[int, int, Voice, list[int]] | None:
    """A name with the word beside it that others complete otherwise, against the longest name that a voice
    makes of that word; None where no voice has the word."""
    names = [
        (name_around(voice.said, j), voice)
        for voice in heard
        for j, token in enumerate(voice.said.tokens)
        if token == own.tokens[beside] and in_name(voice.said, j)
    ]
    if not names:
        return None
    words, voice = max(names, key=lambda name: len(name[0]))
    return min(first, beside), max(last, beside), voice, words


def around(equal: np.ndarray) -> np.ndarray:
    """[n], the share of the words around each that are the same to the letter."""
    n = len(equal)
    so_far = np.concatenate([[0], np.cumsum(equal)])
    low, high = np.maximum(np.arange(n) - AROUND, 0), np.minimum(np.arange(n) + AROUND + 1, n)
    return (so_far[high] - so_far[low] - equal) / np.maximum(high - low - 1, 1)


def stretches(odd: np.ndarray, content: np.ndarray) -> list[tuple[int, int]]:
    """First and last word of each run of odd words; one word without content may stand between two."""
    found: list[tuple[int, int]] = []
    for n in np.flatnonzero(odd).tolist():
        if found and (n == found[-1][1] + 1 or (n == found[-1][1] + 2 and not content[n - 1])):
            found[-1] = (found[-1][0], n)
        else:
            found.append((n, n))
    return found


def lost_near(
    own: Said, voice: Voice, first: int, last: int, lacking: Sequence[int]
) -> tuple[list[int], float, bool]:
    """Of the voice's words that the sentence lacks those in the place of a span of it, how many words off
    they stand, and whether they stand just there, between words that are the same: of those, else the
    nearest in one run, else nothing."""
    between = replaced(voice, first, last)
    here = [j for j in lacking if between is not None and between[0] <= j < between[1]]
    if here:
        return here, 0.0, True
    if not lacking:
        return [], 9.0, False
    beside = [
        *range(max(0, first - AROUND), first),
        *range(last + 1, min(len(own.tokens), last + 1 + AROUND)),
    ]
    anchors = [int(voice.likeness[n].argmax()) for n in beside if own.is_word[n] and voice.nearest[n] > 0.6]
    off = [min((abs(j - a) for a in anchors), default=9) for j in lacking]
    nearest = int(np.argmin(off))
    run = [nearest]
    while run[-1] + 1 < len(lacking) and lacking[run[-1] + 1] - lacking[run[-1]] <= 2:
        run.append(run[-1] + 1)
    while run[0] > 0 and lacking[run[0]] - lacking[run[0] - 1] <= 2:
        run.insert(0, run[0] - 1)
    return [lacking[k] for k in run], float(min(off[nearest], 9)), False


def lacking(own: Said, voice: Voice) -> list[int]:
    """The words of a voice that a sentence lacks: a name, a number or a negation by the letter, others by
    their meaning."""
    mine = set(own.tokens)
    return [
        j
        for j, token in enumerate(voice.said.tokens)
        if voice.said.is_word[j]
        and token not in mine
        and (telling(voice.said, j) or (token not in EMPTY and voice.heard[j] < 0.75))
    ]


def replaced(voice: Voice, first: int, last: int) -> tuple[int, int] | None:
    """Where in the voice the words stand that replace a span, first and behind the last, if the words around
    it are the same in both."""
    before = max((b for b in voice.blocks if b[0] + b[2] <= first), default=None, key=lambda b: b[0])
    after = min((b for b in voice.blocks if b[0] > last), default=None, key=lambda b: b[0])
    start = before[1] + before[2] if before else 0
    end = after[1] if after else len(voice.said.tokens)
    near_before = before is None or first - (before[0] + before[2]) <= 1
    near_after = after is None or after[0] - last <= 2
    whole = (before or after) and near_before and near_after and 0 < end - start <= 2 * AROUND
    return (start, end) if whole else None


def denied(own: Said, voice: Voice) -> list[tuple[int, int]]:
    """Places where a voice, in words that are otherwise the same, denies and the sentence does not: the
    sentence's word behind the place, and the voice's negation."""
    found = []
    for j, token in enumerate(voice.said.tokens):
        if not is_negation(token) or any(map(is_negation, own.tokens)):
            continue
        behind = next((b for b in voice.blocks if b[1] == j + 1 and b[2] >= 2), None)
        before = next((b for b in voice.blocks if b[1] + b[2] == j and b[2] >= 2), None)
        if behind and before and behind[0] == before[0] + before[2]:
            found.append((behind[0], j))
    return found


def words_of(said: Said, words: Sequence[int]) -> str:
    """The text from the first to the last of some words."""
    if not words:
        return ""
    offsets = said.vectors.offsets
    return said.text[offsets[words[0]][0] : offsets[words[-1]][1]]


def kind(own: Said, span: Candidate) -> str:
    """What differs: a number, a name, a negation, the modality, or else the meaning; an omission where the
    sibling says more in the span's place than its two words or fewer do."""
    told = dict(zip(SPAN, span.found, strict=True))
    mine = own.tokens[span.first : span.last + 1]
    theirs = [span.against.said.tokens[j] for j in span.lost]
    if told["another negation"]:
        return "negation"
    if told["another number"] or (told["a number"] and not told["a name"]):
        return "number"
    if told["another name"] or told["a name"]:
        return "name"
    if MODALS.intersection(mine) != MODALS.intersection(theirs):
        return "modality"
    return "omission" if len(mine) <= 2 and len(theirs) >= 4 else "meaning"


def is_name(said: Said, n: int) -> bool:
    """Whether a word is capitalised, and not by its place or because the whole headline is."""
    return n > 0 and bool(said.capital[n]) and not said.headline


def longer_name(own: Said, n: int, known: Known) -> bool:
    """Whether a word beside a span is a name that others have."""
    return 0 <= n < len(own.tokens) and bool(own.capital[n]) and bool(known.same[n])


def is_new(own: Said, n: int, said: set[str]) -> bool:
    """Whether none of the words that are said is this one; "Councilor" is another spelling, no other name."""
    token = own.tokens[n]
    if token in said:
        return False
    return not (is_name(own, n) and get_close_matches(token, said, 1, SPELLING))


def telling(said: Said, n: int) -> bool:
    """Whether a word is a name, a number or a negation: alike in meaning is not enough for these."""
    token = said.tokens[n]
    return is_name(said, n) or is_number(token) or is_negation(token)


def is_number(token: str) -> bool:
    """Whether a word is a figure or a number in letters."""
    return token[0].isdigit() or token in NUMBERS


def is_negation(token: str) -> bool:
    """Whether a word denies."""
    return token in NEGATIONS
