"""Targets proposed from the articles themselves, for whoever has no targets file yet."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from annotate.article import Article
from annotate.reading.countries import Country, countries
from annotate.reading.splitting import split
from annotate.reading.targets import Targets
from annotate.reading.wordlists import CALENDAR, TITLES

_ENOUGH = 50_000  # sentences; the names that lead do not change after so many
_TOKEN = re.compile(r"(?:[^\W\d_]\.){2,}|[^\W_]+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """A target that the articles name: its aliases with the mentions of each, how often, and an example."""

    name: str
    aliases: tuple[tuple[str, int], ...]
    sentences: int
    articles: int
    example: str


def propose_targets(articles: Iterable[Article], *, most: int = 12) -> list[Proposal]:
    """The `most` targets that most sentences name, each named by two sentences at least.

    Countries are gathered with their demonyms, capitals and acronyms (countryinfo); other names are runs of
    capitalised words that are not capitalised by their place alone, a person's full name gathering the last
    name. Same articles, same proposals.
    """
    sentences = list(islice(_contents(articles), _ENOUGH))
    texts = [text for _, text in sentences]
    groups = _groups(texts)
    targets = Targets(groups)
    spelt = {alias.casefold(): alias for name, aliases in groups.items() for alias in (name, *aliases)}
    mentions: dict[str, Counter[str]] = {name: Counter() for name in groups}
    where: dict[str, list[int]] = {name: [] for name in groups}
    for number, text in enumerate(texts):
        found = targets.mentions(text)
        for mention in found:
            mentions[mention.target][spelt[text[mention.start : mention.end].casefold()]] += 1
        for name in {mention.target for mention in found}:
            where[name].append(number)
    proposals = [
        Proposal(
            name=name,
            aliases=tuple(sorted(mentions[name].items(), key=lambda pair: (-pair[1], pair[0]))),
            sentences=len(numbers),
            articles=len({sentences[number][0] for number in numbers}),
            example=min((texts[number] for number in numbers), key=len),
        )
        for name, numbers in where.items()
        if len(numbers) > 1
    ]
    return sorted(proposals, key=lambda proposal: (-proposal.sentences, proposal.name))[:most]


def to_yaml(proposals: Sequence[Proposal]) -> str:
    """A targets file of the proposals, with counts and an example beside each, ready to be edited."""
    import yaml

    lines = ["# Proposed from the articles: delete what is no target, and aliases that mean something else."]
    lines.append("targets:" if proposals else "targets: []")
    for proposal in proposals:
        shown = proposal.example if len(proposal.example) < 100 else proposal.example[:97] + "..."
        lines.append(f"  # {proposal.sentences} sentences in {proposal.articles} articles, as: {shown}")
        entry = {
            "name": proposal.name,
            "aliases": [alias for alias, _ in proposal.aliases if alias != proposal.name],
        }
        dumped = yaml.safe_dump([entry], allow_unicode=True, sort_keys=False, width=100)
        lines += ["  " + line for line in dumped.splitlines()]
    return "\n".join(lines) + "\n"


def _contents(articles: Iterable[Article]) -> Iterator[tuple[str, str]]:
    for article in articles:
        for sentence in split(article):
            if not sentence.boilerplate:
                yield article.id, " ".join(sentence.text.split())


def _groups(texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names and their aliases: countries first, then the names that are no country's."""
    names = _names(texts)
    groups: dict[str, tuple[str, ...]] = {}
    taken: set[str] = set()
    for country in sorted(countries(), key=lambda country: (-_weight(country, names), country.name)):
        here = tuple(alias for alias in country.aliases if alias in names and alias not in taken)
        if here:
            groups[country.name] = here
            taken.update(here)
    full = [name for name in names if " " in name and name not in taken]
    for name in sorted(full, key=lambda name: (-names[name], name)):
        # "Trump" is Donald Trump; "New" is not New York nor "House" the White House: they seldom stand alone.
        parts = dict.fromkeys((name.split()[-1], name.split()[0]))
        groups[name] = tuple(part for part in parts if part not in taken and names[part] * 3 > names[name])
        taken.update((name, *groups[name]))
    for name in names:
        if name not in taken and name not in groups:
            groups[name] = ()
    return groups


def _weight(country: Country, names: Counter[str]) -> int:
    return sum(names[alias] for alias in country.aliases)


def _names(texts: Sequence[str]) -> Counter[str]:
    """Runs of capitalised words and how often each stands by itself."""
    inside: Counter[str] = Counter()  # capitalised where nothing but a name would be
    lower: Counter[str] = Counter()
    runs: list[list[str]] = []
    for text in texts:
        for run in _runs(text, lower, inside):
            runs.append(run)
    proper = [[word if inside[word] > lower[word.lower()] else "" for word in run] for run in runs]
    grams: Counter[str] = Counter()
    words: Counter[str] = Counter(word for run in proper for word in run if word)
    for run in proper:
        for size in (2, 3):
            for start in range(len(run) - size + 1):
                if all(gram := run[start : start + size]):
                    grams[" ".join(gram)] += 1
    # Words that mostly come together are one name.
    joined = {
        gram
        for gram, count in grams.items()
        if count > 1 and count * 2 >= min(words[word] for word in gram.split())
    }
    names: Counter[str] = Counter()
    for run in proper:
        start = 0
        while start < len(run):
            size = next((n for n in (3, 2) if " ".join(run[start : start + n]) in joined), 1)
            if run[start]:
                names[" ".join(run[start : start + size])] += 1
            start += size
    return names


def _runs(text: str, lower: Counter[str], inside: Counter[str]) -> Iterator[list[str]]:
    """The capitalised words of a sentence in runs, titles and days left out; counts what tells a name."""
    run: list[str] = []
    end = -1
    title_case = text.istitle() or text.isupper()
    for token in _TOKEN.finditer(text):
        word = token.group()
        if not word[0].isupper() or len(word) == 1 or word in TITLES or word in CALENDAR:
            lower[word.lower()] += 1
            continue
        if token.start() != end + 1 or text[end : token.start()] != " ":
            if run:
                yield run
            run = []
        first = not _TOKEN.search(text[: token.start()])
        if not first and not title_case:
            inside[word] += 1
        run.append(word)
        end = token.end()
    if run:
        yield run
