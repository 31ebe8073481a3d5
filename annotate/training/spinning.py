"""News sentences garbled on purpose, in ways that WMT's news translations do not hold.

An article spinner swaps words for others of like meaning that do not fit (Cabanac et al. 2021, tortured
phrases): here a word is swapped for a neighbour in the encoder's own embedding of words, drawn by how common
it is, so that what is put in is no rarer than what was there and the detector cannot learn rarity. A poor
translator renders an idiom word by word (Tang 2022, PETCI): here such a rendering takes the place of a few
words. A lost word breaks a clause: its two neighbours are marked. And what was one sentence is cut in two, so
that a clause without subject or verb stands alone, often behind a connective: its beginning is marked. The
rest of the sentences stay as they are, correct translations of Chinese news among them, so that neither topic
nor accent is what is learned.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from annotate.model.encoder import MINILM, folder_of, load_encoder
from annotate.signals.base import Example
from annotate.signals.garble import GARBLE
from annotate.signals.mqm import CATEGORIES

SOURCES = ("newsmtsc", "polnear", "babe", "zhen_news20", "zhen_news21")
"""The corpora whose texts count as clean news; of translations, those without a visible error."""
IDIOMS = "petci_idioms"
GARBLED = 0.6
"""The share of sentences that are garbled."""
FRAGMENTS = 0.7
"""The share of fragments among those whose sentence ends in a clause that can stand alone."""
KINDS = {"swap": 0.45, "calque": 0.4, "lose": 0.15}
"""The share of each kind among the others."""
DEPENDENT = re.compile(
    r"(?:,|;| –| —) (?:and |then |while |but )?"
    r"((?:[a-z]+ing|to [a-z]+|not to [a-z]+|by [a-z]+ing|which|who|whose|where|that|because|as well as"
    r"|including|rather than|with|for|services|companies|people|officials) [^\"“”]{25,})$"
)
"""A dependent clause at the end of a sentence, behind a comma or a dash."""
CONNECTIVES = (
    "",
    "",
    "",
    "In addition, ",
    "Moreover, ",
    "Also, ",
    "Then, ",
    "And ",
    "As well as ",
    "Besides, ",
)
PLAIN_WORDS = re.compile(r"[a-z]+(?: [a-z]+){1,3}")
WORD = re.compile(r"[A-Za-z]+")
NEIGHBOURS = slice(2, 20)
"""Ranks of the neighbours drawn from: the nearest two are often right, the far ones absurd."""
COMMON = 15
"""A word is swapped, or swapped in, only if the clean text has it so often."""
Marked = tuple[int, int, tuple[float, float, int]]
MISTRANSLATION, OMISSION = CATEGORIES.index("mistranslation"), CATEGORIES.index("omission")
FUNCTION_WORDS = frozenset(
    """that this these those they them their with from have were been being does will would could should
    might shall than then such whom whose which what when where there here also into over after before
    between under again more most some each both other only same very just said says""".split()
)


@dataclass(frozen=True)
class Vocabulary:
    """Words of the clean text that are single pieces to the encoder, how common they are, and their
    vectors [n, width] of unit length."""

    words: tuple[str, ...]
    counts: np.ndarray
    vectors: np.ndarray
    known: dict[str, tuple[list[str], np.ndarray]] = field(default_factory=dict)

    @cached_property
    def index(self) -> dict[str, int]:
        return {word: i for i, word in enumerate(self.words)}

    def swaps(self, word: str) -> tuple[list[str], np.ndarray]:
        """Words of like meaning and ending but another stem, and the probability of each."""
        if word not in self.known:
            self.known[word] = self._swaps(word)
        return self.known[word]

    def _swaps(self, word: str) -> tuple[list[str], np.ndarray]:
        i = self.index[word]
        nearest = np.argsort(-(self.vectors @ self.vectors[i]))[1:120]
        others = [
            j for j in nearest if stem(self.words[j]) != stem(word) and ending(self.words[j]) == ending(word)
        ][NEIGHBOURS]
        weights = self.counts[others] ** 0.75
        return [self.words[j] for j in others], weights / weights.sum()


def read_spun(
    sources: Mapping[str, Sequence[Example]], idioms: Sequence[Example], seed: int
) -> list[Example]:
    """Examples from clean news and from renderings of idioms, with the default encoder's words."""
    encoder, tokenizer = load_encoder(folder_of(MINILM))
    embedding = encoder.get_input_embeddings().weight.detach().numpy()
    clean = {
        e.text
        for name, examples in sources.items()
        for e in examples
        if 40 < len(e.text) < 400 and (name not in GARBLE.mqm_corpora or e.label[2] == 0)
    }
    renderings = {e.text.rstrip(".") for e in idioms if e.label[0] == 0.5 and 3 <= len(e.text.split()) <= 8}
    texts = sorted(clean)
    return spun(texts, vocabulary(texts, tokenizer, embedding), sorted(renderings), seed)


def vocabulary(texts: Sequence[str], tokenizer: Any, embedding: np.ndarray) -> Vocabulary:
    """The words of the texts that can be swapped. embedding: [vocabulary of the tokenizer, width]."""
    counts = Counter(word for text in texts for word in WORD.findall(text) if word.islower())
    pieces = tokenizer.get_vocab()
    words = sorted(
        w for w, n in counts.items() if n >= COMMON and len(w) > 3 and w in pieces and w not in FUNCTION_WORDS
    )
    vectors = embedding[[pieces[w] for w in words]]
    vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return Vocabulary(tuple(words), np.array([counts[w] for w in words], dtype=float), vectors)


def spun(texts: Sequence[str], words: Vocabulary, renderings: Sequence[str], seed: int) -> list[Example]:
    """One example per text, garbled or as it was; values and labels as `annotate.signals.mqm` has them."""
    rng = np.random.default_rng(seed)
    examples = []
    for number, text in enumerate(texts):
        garbled: str = text
        spans: list[Marked] = []
        if rng.random() < GARBLED:
            if rng.random() < FRAGMENTS:
                garbled, spans = fragment(text, rng)
            kind = rng.choice(list(KINDS), p=list(KINDS.values()))
            if not spans and kind == "calque":
                garbled, spans = calque(text, renderings, rng)
            elif not spans:
                garbled, spans = (swap if kind == "swap" else lose)(text, words, rng)
        penalty = 5.0 * len(spans)
        label = (float(bool(spans)), float(np.log1p(penalty)), penalty)
        examples.append(Example(garbled, tuple(spans), label, document=str(number)))
    return examples


def swap(text: str, words: Vocabulary, rng: np.random.Generator) -> tuple[str, list[Marked]]:
    """The text with one to three words swapped for neighbours in meaning."""
    places = swappable(text, words)
    chosen = sorted(rng.permutation(len(places))[: rng.integers(1, 4)])
    spans: list[Marked] = []
    made, done = "", 0
    for start, end in (places[i] for i in chosen):
        candidates, weights = words.swaps(text[start:end])
        if not candidates:
            continue
        made += text[done:start]
        word = str(rng.choice(candidates, p=weights))
        spans.append((len(made), len(made) + len(word), (1.0, 0.7, MISTRANSLATION)))
        made, done = made + word, end
    return made + text[done:], spans


def lose(text: str, words: Vocabulary, rng: np.random.Generator) -> tuple[str, list[Marked]]:
    """The text without one of its words; the words around the gap are marked."""
    places = swappable(text, words)
    if not places:
        return text, []
    start, end = places[int(rng.integers(len(places)))]
    if text[end : end + 1] == " ":
        end += 1
    elif text[start - 1 : start] == " ":
        start -= 1
    cut = text[:start] + text[end:]
    before = re.search(r"[\w'’]+\W*$", cut[:start])
    after = re.match(r"\W*[\w'’]+", cut[start:])
    first, last = (before.start() if before else start), start + (after.end() if after else 0)
    return (cut, [(first, last, (1.0, 0.7, OMISSION))]) if last > first else (text, [])


def calque(text: str, renderings: Sequence[str], rng: np.random.Generator) -> tuple[str, list[Marked]]:
    """The text with two to four plain words in a row replaced by a word-by-word rendering of an idiom."""
    places = [m.span() for m in PLAIN_WORDS.finditer(text) if is_whole(text, *m.span())]
    if not places:
        return text, []
    start, end = places[int(rng.integers(len(places)))]
    rendering = renderings[int(rng.integers(len(renderings)))]
    rendering = rendering[0].lower() + rendering[1:]
    span = (start, start + len(rendering), (1.0, 0.7, MISTRANSLATION))
    return text[:start] + rendering + text[end:], [span]


def fragment(text: str, rng: np.random.Generator) -> tuple[str, list[Marked]]:
    """The last dependent clause of the text alone, as a sentence; its first three words are marked."""
    found = DEPENDENT.search(text)
    if not found:
        return text, []
    connective = str(rng.choice(CONNECTIVES))
    made = connective + found.group(1)
    made = made[0].upper() + made[1:]
    head = re.match(r"(?:\W*[\w'’]+){1,3}", made)
    return made, [(0, head.end() if head else len(made), (1.0, 0.7, OMISSION))]


def swappable(text: str, words: Vocabulary) -> list[tuple[int, int]]:
    """Where the text has words of the vocabulary."""
    return [m.span() for m in WORD.finditer(text) if m.group() in words.index]


def is_whole(text: str, start: int, end: int) -> bool:
    """Whether neither end of a piece lies inside a word."""
    return not text[start - 1 : start].isalnum() and not text[end : end + 1].isalnum()


def stem(word: str) -> str:
    """Enough of a word to tell that two are forms of one."""
    return word[: max(3, len(word) - 3)]


def ending(word: str) -> str:
    """The ending that a swap must share, or the sentence would break and not merely mislead."""
    return next((end for end in ("ing", "ed", "ly", "s") if word.endswith(end)), "")
