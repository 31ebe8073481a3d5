"""What the page shows, as plain data for its template; every figure is one of `annotate.summarize`."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from annotate.highlight import DRIFT, highlighted, items, marks, safe
from annotate.report.limits import DRAWN, GROUPS, HOLDERS, OPEN, OUTLETS, TARGETS
from annotate.report.versions import groups

if TYPE_CHECKING:
    import pandas as pd

    from annotate.highlight import Mark
    from annotate.report.versions import Group
    from annotate.summary import Summary

MINUS = "\N{MINUS SIGN}"
FIGURES = {
    "attribution": ("Quoted", "what a source says, rather than the outlet in its own voice"),
    "hedging": ("Hedged", "a claim weakened, as by “may”, “some”, “reportedly”"),
    "loaded": ("Loaded", "words that carry a slant"),
    "garble": ("Garbled", "a major error in 25 words, or worse, as of a translation gone wrong"),
}
FILTERS = {
    "attribution": ("who says what", "a source"),
    "stance": ("stance toward a target", "a stance"),
    "hedging": ("hedged", "a hedge"),
    "loaded": ("loaded", "loaded words"),
    "garble": ("garbled", "garble"),
    DRIFT: ("differs from siblings", "a difference from siblings"),
}
"""What can be filtered by: the name of its marks, and of what a sentence then has."""
COLUMNS = (
    "article_id outlet sentence_id start end text boilerplate holder_kind holder_name attribution hedging "
    "loaded garble stance garble_spans drift uncertainty"
).split()
"""Of the scores frame, in the table; the lists as JSON."""
DIGITS = 4
ASTRAY = ("garble", DRIFT)
"""What is marked where versions stand side by side."""


def view(frame: pd.DataFrame, summary: Summary, articles: int) -> dict[str, Any]:
    """All that the template needs besides the summary. `articles`: how many are shown in full."""
    rows = frame.to_dict("records")
    ids = list(dict.fromkeys(row["article_id"] for row in rows))
    chosen = set(ids[:articles])
    content = [row for row in rows if not row["boilerplate"]]
    visible = [row for row in rows if row["article_id"] in chosen]
    found = groups(content)
    extra = {i: more for g in found for v in g.versions.values() for i, more in v.more.items()}
    return {
        "articles": [article(mine, extra) for mine in by_article(visible).values()],
        "left_out": len(ids) - len(chosen),
        "counts": counts(frame, summary),
        "figures": figures(summary),
        "outlets": int((summary.groups["sentences"] > 0).sum()),
        "outlets_shown": len(largest(summary)),
        "stances": stances(summary),
        "targets": summary.stance["target"].nunique(),
        "drawn": DRAWN,
        "quoted": quoted(summary),
        "said_of": said_of(summary),
        "groups": [versions(g) for g in found[:GROUPS]],
        "groups_left_out": max(0, len(found) - GROUPS),
        "filters": filters(),
        "payload": payload(visible),
        "open": OPEN,
        "named": frame["outlet"].notna().any(),
    }


def by_article(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Rows by their article, in order."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["article_id"], []).append(row)
    return found


def counts(frame: pd.DataFrame, summary: Summary) -> dict[str, Any]:
    """How much was read, and when it was published where the frame says so."""
    dates = sorted(str(d) for d in frame["date"].dropna()) if "date" in frame else []
    return {
        "articles": frame["article_id"].nunique(),
        "outlets": frame["outlet"].dropna().nunique(),
        "sentences": int(summary.groups["sentences"].sum()),
        "boilerplate": int(summary.groups["boilerplate"].sum()),
        "dates": dates and (dates[0][:10], dates[-1][:10]),
    }


def largest(summary: Summary) -> list[str]:
    """The names of the groups to show: those with the most sentences, in the order of their names."""
    some = summary.groups[summary.groups["sentences"] > 0].nlargest(OUTLETS, "sentences", keep="first")
    return sorted(some[summary.by])


def figures(summary: Summary) -> list[dict[str, Any]]:
    """One per signal: its rows, an outlet each."""
    shown = set(largest(summary))
    table = summary.signals[summary.signals["voice"] == "all"]
    named = {**FIGURES, **{s: (s.capitalize(), "") for s in table["signal"] if s not in FIGURES}}
    return [
        {
            "signal": signal,
            "title": title,
            "about": about,
            "rows": [
                {**row, "name": row[summary.by], "value": row["share"]}
                for row in table[table["signal"] == signal].to_dict("records")
                if row[summary.by] in shown
            ],
        }
        for signal, (title, about) in named.items()
        if (table["signal"] == signal).any()
    ]


def stances(summary: Summary) -> list[dict[str, Any]]:
    """One per target, the most spoken of first: its outlets, each with what it says itself and what its
    sources say."""
    shown = set(largest(summary))
    table = summary.stance[summary.stance["voice"] != "all"]
    weight = summary.stance[summary.stance["voice"] == "all"].groupby("target")["sentences"].sum()
    found = []
    for target in sorted(weight.index, key=lambda t: (-weight[t], t))[:TARGETS]:
        outlets: dict[str, dict[str, Any]] = {}
        for row in table[table["target"] == target].to_dict("records"):
            if row[summary.by] in shown:
                row["value"] = row["mean"]
                outlets.setdefault(row[summary.by], {})[row["voice"]] = row
        found.append({"target": target, "outlets": outlets, "sentences": int(weight[target])})
    return found


def quoted(summary: Summary) -> list[dict[str, Any]]:
    """Each outlet's sources, the most quoted first."""
    found = []
    for name in largest(summary):
        rows = summary.holders[summary.holders[summary.by] == name].to_dict("records")
        for row in rows:
            row["name"], row["value"] = row["holder"], row["share"]
        found.append({"name": name, "rows": rows[:HOLDERS], "more": max(0, len(rows) - HOLDERS)})
    return found


def said_of(summary: Summary) -> list[dict[str, Any]]:
    """What the most quoted say of each target, over all outlets."""
    table = summary.holder_stance.sort_values(
        ["sentences", "holder", "target"], ascending=[False, True, True], kind="stable"
    )
    return table.head(OPEN).to_dict("records")


def article(rows: list[dict[str, Any]], extra: dict[str, list[Mark]]) -> dict[str, Any]:
    """An article with its sentences."""
    content = [row for row in rows if not row["boilerplate"]]
    return {
        "id": rows[0]["article_id"],
        "outlet": rows[0]["outlet"],
        "first": content[0]["text"] if content else "Nothing here but boilerplate.",
        "sentences": len(content),
        "garbled": sum(len(items(row["garble_spans"])) for row in content),
        "rows": [sentence(row, extra.get(row["sentence_id"], ())) for row in rows],
    }


def sentence(
    row: dict[str, Any], more: Sequence[Mark] = (), only: Collection[str] | None = None
) -> dict[str, Any]:
    """A sentence as the page shows it; `only`: the signals whose marks it shows, by default all."""
    if row["boilerplate"]:
        return {"boilerplate": True, "text": row["text"]}
    return {
        "boilerplate": False,
        "id": row["sentence_id"],
        "who": (row["holder_name"] or "a source") if row["holder_kind"] == "source" else "",
        "html": Markup(highlighted(row, more, only)),
        "has": " ".join(sorted({mark.signal for mark in [*marks(row), *more]})),
        "stance": [(s["target"], s["label"]) for s in items(row["stance"])],
    }


def versions(group: Group) -> dict[str, Any]:
    """A group as the page shows it."""
    return {
        "astray": group.astray,
        "versions": [
            {
                "id": article,
                "outlet": version.rows[0]["outlet"],
                "rows": [
                    {
                        **sentence(row, version.more.get(row["sentence_id"], ()), ASTRAY),
                        "differs": row["sentence_id"] in version.more,
                        "notes": instead(row),
                    }
                    for row in version.rows
                ],
            }
            for article, version in group.versions.items()
        ],
    }


def instead(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What went astray in a row: its words, of what kind, and what a sibling has instead."""
    found = []
    for span in items(row["garble_spans"]):
        said = f"{span['severity']} garble ({span['category']}), {span['probability']:.0%}"
        found.append((own(row, span), said, ""))
    for drift in items(row[DRIFT]):
        said = f"drift ({drift['kind']}), {drift['probability']:.0%}"
        theirs = f"“{drift['sibling_text']}”" if drift["sibling_text"] else "nothing of the kind"
        found.append((own(row, drift), said, f"{theirs} in {drift['sibling_article_id']}"))
    return found


def own(row: dict[str, Any], span: dict[str, Any]) -> str:
    """The words of a span."""
    return str(row["text"])[span["start"] - row["start"] : span["end"] - row["start"]]


def filters() -> dict[str, tuple[str, str]]:
    """FILTERS, and whatever other signal there is under its own name."""
    from annotate.signals import SIGNALS

    return FILTERS | {s.name: (s.name, s.name) for s in SIGNALS if s.name not in FILTERS}


def payload(rows: list[dict[str, Any]]) -> Markup:
    """The table's rows as JSON that no HTML in it can break out of."""
    table = [[cell(row[column]) for column in COLUMNS] for row in rows]
    text = json.dumps({"columns": COLUMNS, "rows": table}, separators=(",", ":"))
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def cell(value: Any) -> Any:
    """A value of the frame as it stands in the table: rounded, lists as JSON, null where there is none."""
    if isinstance(value, list):
        return json.dumps(rounded(value), ensure_ascii=False, separators=(",", ":"))
    if isinstance(value, float):
        return None if value != value else round(value, DIGITS)
    return value


def rounded(value: Any) -> Any:
    """Numbers inside lists rounded."""
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    return round(value, DIGITS) if isinstance(value, float) else value


def shown(value: Any) -> Any:
    """Text as it goes into the page, before it is escaped."""
    return value if isinstance(value, Markup) or not isinstance(value, str) else safe(value)


def percent(share: float) -> str:
    """A share in whole percent."""
    return f"{share:.0%}"


def signed(value: float) -> str:
    """A stance with its sign and two digits."""
    return f"{value:+.2f}".replace("-", MINUS)


def exact(value: float) -> str:
    """A figure as the API gives it, to four digits."""
    return f"{value:.{DIGITS}f}"


def at(value: float, least: float = 0.0) -> str:
    """Where a value lies between `least` and 1, in percent of the axis."""
    return f"{100 * (value - least) / (1 - least):.1f}%"


def rests(row: dict[str, Any]) -> str:
    """What a figure rests on, in words."""
    sentences = plural(row["sentences"], "sentence")
    if row["basis"] == "none":
        return f"too few: {sentences}"
    if row["basis"] == "sentences":
        return f"{sentences} of {plural(row['articles'], 'article')}"
    return plural(row["articles"], "article")


def number(value: int) -> str:
    """An integer with its thousands apart."""
    return f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}")


def plural(count: int, noun: str) -> str:
    """A number with its noun."""
    return f"{number(count)} {noun}{'' if count == 1 else 's'}"
