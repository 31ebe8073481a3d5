"""Countries and the names news gives them, from countryinfo."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True, slots=True)
class Country:
    """A country's English name and what stands for it in news: acronyms, demonym, capital."""

    name: str
    aliases: tuple[str, ...]


@cache
def countries() -> tuple[Country, ...]:
    """All countries of countryinfo (MIT licence), by name."""
    from countryinfo import all_countries

    found = []
    for country in all_countries():
        info = country.info()
        name = str(info["name"])
        spellings = [str(spelling) for spelling in info.get("altSpellings") or () if str(spelling).isascii()]
        acronyms = {_initials(spelling) for spelling in (name, *spellings) if " " in spelling}
        demonym = str(info.get("demonym") or "")
        aliases = [name, *(spelling for spelling in spellings if " " in spelling)]
        # "IN" and "IT" are codes of countries and words besides; "US" abbreviates the name itself.
        for acronym in sorted(acronyms):
            if acronym in spellings or f"{acronym}A" in spellings:
                aliases += [acronym, "".join(f"{letter}." for letter in acronym)]
        if demonym:
            aliases += [demonym, f"{demonym}s", re.sub(r"n$", "", demonym)]
        aliases.append(re.sub(r",? D\.?C\.?$", "", str(info.get("capital") or "")))
        found.append(Country(name, tuple(dict.fromkeys(alias for alias in aliases if alias))))
    return tuple(sorted(found, key=lambda country: country.name))


def _initials(name: str) -> str:
    return "".join(word[0] for word in name.split() if word[0].isupper())
