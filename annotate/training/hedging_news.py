"""News sentences hedged on purpose: the cue words that hedge_bio marks, carried over into news.

No corpus marks hedge cues in news, and what is learned on biomedical abstracts fades there. The cues are
taken as the annotators marked them: adverbs in -ly, and words that stand before `be`, as modals do. One
takes the place of `will`, is put into a copula (`is` becomes `may be`), or follows an auxiliary. Sentences
that hold any such word already are left out, so the others are clean of them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from annotate.signals.base import Example

SOURCES = ("newsmtsc", "polnear", "babe")
CUES = "hedge_bio"
HEDGED = 0.5
"""The share of sentences that are hedged."""
WILL = re.compile(r"\bwill\b(?= [a-z])")
COPULA = re.compile(r"\b(?:is|are|was|were)\b(?= [a-z])")
AUXILIARY = re.compile(r"\b(?:is|are|was|were|has|have|had|will|can|been)\b(?= [a-z])")


def harvest(examples: Sequence[Example], least: int = 3) -> tuple[Counter[str], Counter[str]]:
    """Adverbs and modals among the one-word cues, with how often each is marked; rare ones left out."""
    adverbs: Counter[str] = Counter()
    modals: Counter[str] = Counter()
    for example in examples:
        for start, end, _ in example.spans:
            cue = example.text[start:end].lower()
            if cue.isalpha() and cue.endswith("ly") and len(cue) > 5:
                adverbs[cue] += 1
            elif cue.isalpha() and example.text[end:].startswith(" be "):
                modals[cue] += 1
    return (
        Counter({cue: n for cue, n in adverbs.items() if n >= least}),
        Counter({cue: n for cue, n in modals.items() if n >= least}),
    )


def hedged(texts: Sequence[str], cues: Sequence[Example], seed: int) -> list[Example]:
    """One example per text that holds no cue: hedged once or twice, or as it was."""
    adverbs, modals = harvest(cues)
    known = re.compile(rf"\b(?:{'|'.join(map(re.escape, (*adverbs, *modals)))})\b", re.IGNORECASE)
    rng = np.random.default_rng(seed)
    examples = []
    for number, text in enumerate(sorted(set(texts))):
        if not 40 < len(text) < 400 or known.search(text):
            continue
        made, spans = text, list[tuple[int, int, str]]()
        if rng.random() < HEDGED:
            made, spans = hedge(text, adverbs, modals, rng)
        examples.append(Example(made, tuple(spans), float(bool(spans)), document=str(number)))
    return examples


def hedge(
    text: str, adverbs: Counter[str], modals: Counter[str], rng: np.random.Generator
) -> tuple[str, list[tuple[int, int, str]]]:
    """The text with a cue in it, and where; as it was if there is no place for one."""
    ways = [way for way in (WILL, COPULA, AUXILIARY) if way.search(text)]
    if not ways:
        return text, []
    way = ways[int(rng.integers(len(ways)))]
    places = list(way.finditer(text))
    place = places[int(rng.integers(len(places)))]
    if way is AUXILIARY:
        cue, start = draw(adverbs, rng), place.end() + 1
        put = f"{place.group()} {cue}"
    else:
        cue, start = draw(modals, rng), place.start()
        put = f"{cue} be" if way is COPULA else cue
    made = text[: place.start()] + put + text[place.end() :]
    return made, [(start, start + len(cue), "cue")]


def draw(cues: Counter[str], rng: np.random.Generator) -> str:
    """A cue, the common ones more often but none hardly ever."""
    words = sorted(cues)
    weights = np.sqrt([cues[word] for word in words])
    return str(rng.choice(words, p=weights / weights.sum()))
