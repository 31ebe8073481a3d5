"""Drift: where the wording of a sentence says something else than its siblings do.

Words that no sibling bears out are joined into spans; each is judged by how far it is borne out, by what the
sibling says that the sentence lacks, by the letters around it (in a quotation that is otherwise the same,
another word is telling), and by whether names, numbers or negations differ. The weights of the judgement
were fitted to events written for this purpose (`annotate.training.siblings`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from annotate.siblings.alignment import sigmoid
from annotate.siblings.said import Said
from annotate.siblings.voices import Voice, voices

SPAN = (
    "least borne out",
    "borne out, below the sentence's mean",
    "nearest word",
    "words",
    "to the letter",
    "letters around",
    "letters around, quoted",
    "a name",
    "a number",
    "a negation",
    "another name",
    "another number",
    "another negation",
    "distance of what is lost",
    "weight of what is lost",
    "likeness to what is lost",
    "nothing lost",
    "against a reference",
    "voices",
)
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
class Candidate:
    """A span before it is judged: words first to last, the voice against it and the voice's words that the
    sentence lacks, and the features SPAN."""

    first: int
    last: int
    against: Voice
    lost: list[int]
    found: np.ndarray


def drifts(own: Said, siblings: Sequence[tuple[Said, float]], settings: Mapping[str, Any]) -> list[Drift]:
    """The drifts of a sentence against its siblings, from the settings' threshold on."""
    weights = np.asarray(settings["drift"])
    found = []
    for candidate in candidates(own, voices(own, siblings)):
        p = float(sigmoid(candidate.found @ weights[:-1] + weights[-1]))
        if p >= settings["drift_threshold"]:
            offsets = own.vectors.offsets
            wording = words_of(candidate.against.said, candidate.lost)
            found.append(
                Drift(
                    offsets[candidate.first][0],
                    offsets[candidate.last][1],
                    candidate.against.said.article_id,
                    candidate.against.said.sentence_id,
                    wording,
                    kind(own, candidate),
                    p,
                )
            )
    return found


def candidates(own: Said, heard: Sequence[Voice]) -> list[Candidate]:
    """Spans of words that no voice bears out."""
    if not heard:
        return []
    nearest = np.max([voice.nearest for voice in heard], axis=0)
    usual = float(nearest[own.is_word].mean()) if own.is_word.any() else float(nearest.mean())
    below = nearest - usual
    letters = np.max([around(voice.equal) for voice in heard], axis=0)
    equal = np.any([voice.equal for voice in heard], axis=0)
    content = np.array([w and t not in EMPTY for w, t in zip(own.is_word, own.tokens, strict=True)])
    odd = content & (((nearest < 0.62) & (below < -0.12)) | (~equal & (letters >= 0.7)))
    for n, token in enumerate(own.tokens):
        if is_negation(token) or is_number(token):
            odd[n] |= not any(token in voice.said.tokens for voice in heard)
    return [
        candidate(own, heard, first, last, nearest, below, letters, equal, content)
        for first, last in stretches(odd, content)
    ]


def candidate(
    own: Said,
    heard: Sequence[Voice],
    first: int,
    last: int,
    nearest: np.ndarray,
    below: np.ndarray,
    letters: np.ndarray,
    equal: np.ndarray,
    content: np.ndarray,
) -> Candidate:
    """A span with its features, against the voice that says something else nearest to its place."""
    inside = [n for n in range(first, last + 1) if content[n]] or [first]
    losses = [lost_near(own, voice, first, last) for voice in heard]
    chosen = min(range(len(heard)), key=lambda v: (not losses[v][0], losses[v][1], v))
    lost, distance = losses[chosen]
    voice = heard[chosen]
    mine = [own.tokens[n] for n in inside]
    theirs = [voice.said.tokens[j] for j in lost]
    names = [own.text[slice(*own.vectors.offsets[n])][:1].isupper() and n > 0 for n in inside]
    other_names = [
        voice.said.text[slice(*voice.said.vectors.offsets[j])][:1].isupper() and j > 0 for j in lost
    ]
    name, number, negation = any(names), any(map(is_number, mine)), any(map(is_negation, mine))
    found = [
        float(nearest[inside].min()),
        float(below[inside].mean()),
        float(nearest[inside].max()),
        float(np.log(len(inside))),
        float(equal[inside].mean()),
        float(letters[inside].max()),
        float(letters[inside].max()) * min(own.quoted, voice.said.quoted),
        name,
        number,
        negation,
        name and any(other_names),
        number and any(map(is_number, theirs)),
        negation != any(map(is_negation, theirs)),
        min(distance, 9) / 9,
        float(np.mean(1 - voice.heard[lost])) if lost else 0.0,
        float(voice.likeness[np.ix_(inside, lost)].max()) if lost else 0.0,
        not lost,
        voice.said.reference,
        float(np.log(len(heard))),
    ]
    return Candidate(first, last, voice, lost, np.array(found, dtype=float))


def around(equal: np.ndarray) -> np.ndarray:
    """[n], the share of the words around each that are the same to the letter."""
    n = len(equal)
    return np.array(
        [
            np.concatenate([equal[max(0, i - AROUND) : i], equal[i + 1 : i + 1 + AROUND]]).mean()
            if n > 1
            else 0.0
            for i in range(n)
        ]
    )


def stretches(odd: np.ndarray, content: np.ndarray) -> list[tuple[int, int]]:
    """First and last word of each run of odd words; one word without content may stand between two."""
    found: list[tuple[int, int]] = []
    for n in np.flatnonzero(odd).tolist():
        if found and (n == found[-1][1] + 1 or (n == found[-1][1] + 2 and not content[n - 1])):
            found[-1] = (found[-1][0], n)
        else:
            found.append((n, n))
    return found


def lost_near(own: Said, voice: Voice, first: int, last: int) -> tuple[list[int], float]:
    """The voice's words that the sentence lacks nearest to where a span of it would stand, in one run, and
    how many words off; nothing, and 9, where it lacks none."""
    tokens = voice.said.tokens
    usual = float(voice.heard[voice.said.is_word].mean()) if voice.said.is_word.any() else 1.0
    lost = [
        j
        for j, token in enumerate(tokens)
        if voice.said.is_word[j] and token not in EMPTY and voice.heard[j] < min(0.75, usual)
    ]
    if not lost:
        return [], 9.0
    beside = [
        *range(max(0, first - AROUND), first),
        *range(last + 1, min(len(own.tokens), last + 1 + AROUND)),
    ]
    anchors = [int(voice.likeness[n].argmax()) for n in beside if own.is_word[n] and voice.nearest[n] > 0.6]
    off = [min((abs(j - a) for a in anchors), default=9) for j in lost]
    nearest = int(np.argmin(off))
    run = [nearest]
    while run[-1] + 1 < len(lost) and lost[run[-1] + 1] - lost[run[-1]] <= 2:
        run.append(run[-1] + 1)
    while run[0] > 0 and lost[run[0]] - lost[run[0] - 1] <= 2:
        run.insert(0, run[0] - 1)
    return [lost[k] for k in run], float(min(off[nearest], 9))


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
    if told["another number"] or (told["a number"] and not told["a name"]):
        return "number"
    if told["another name"] or told["a name"]:
        return "name"
    if told["another negation"]:
        return "negation"
    if MODALS.intersection(mine) != MODALS.intersection(theirs):
        return "modality"
    return "omission" if len(mine) <= 2 and len(theirs) >= 4 else "meaning"


def is_number(token: str) -> bool:
    """Whether a word is a figure or a number in letters."""
    return token[0].isdigit() or token in NUMBERS


def is_negation(token: str) -> bool:
    """Whether a word denies."""
    return token in NEGATIONS
