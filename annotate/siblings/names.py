"""The names of an event: which words its articles put beside each other in a name.

"Wang Jianzhu" is a name that no other article has, beside a word that others complete to "Wang Yi": that is
seen over the whole event, not in the one sibling that may say "he".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from annotate.siblings.said import Said

TITLES = frozenset("mr mrs ms miss dr prof sir dame lady lord madam madame".split())
"""Stand beside any name, and tell nothing of it."""


class Names:
    """What the articles of an event have beside each word of a name."""

    def __init__(self, articles: Sequence[Sequence[Said]]) -> None:
        self.having: dict[str, set[str]] = defaultdict(set)
        self.beside: dict[tuple[str, int], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for said in (said for article in articles for said in article):
            for token in said.tokens:
                self.having[token].add(said.article_id)
            for n in range(len(said.tokens) - 1):
                if in_name(said, n) and in_name(said, n + 1):
                    one, other = said.tokens[n], said.tokens[n + 1]
                    self.beside[one, 1][other].add(said.article_id)
                    self.beside[other, -1][one].add(said.article_id)

    def otherwise(self, own: Said, first: int, last: int) -> tuple[int, int]:
        """How many other articles complete a name otherwise than the words first to last of a sentence do,
        with words that no other article has; and the word that they complete, -1 if there is none."""
        alone = {own.article_id}
        most = (0, -1)
        for n in range(first, last + 1):
            token = own.tokens[n]
            if not in_name(own, n) or self.having[token] - alone:
                continue
            for m, side in ((n - 1, 1), (n + 1, -1)):
                if 0 <= m < len(own.tokens) and in_name(own, m):
                    beside = self.beside[own.tokens[m], side]
                    others = set().union(*(has for other, has in beside.items() if other != token)) - alone
                    most = max(most, (len(others), m))
        return most


def name_around(said: Said, n: int) -> list[int]:
    """The words of the name that a word is one of."""
    first = last = n
    while first > 0 and in_name(said, first - 1):
        first -= 1
    while last + 1 < len(said.tokens) and in_name(said, last + 1):
        last += 1
    return list(range(first, last + 1))


def in_name(said: Said, n: int) -> bool:
    """Whether a word may be one of a name's: capitalised, no title, and not in a headline in title case."""
    return (
        bool(said.capital[n]) and bool(said.is_word[n]) and not said.headline and said.tokens[n] not in TITLES
    )
