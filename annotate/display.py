"""Scored articles for the eye in a notebook: their sentences with the spans marked."""

from __future__ import annotations

import html
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from annotate.errors import UserError
from annotate.frame import SENTENCE_COLUMNS
from annotate.highlight import highlighted, items, safe, style
from annotate.scores import load_scores

if TYPE_CHECKING:
    from annotate.scores import Scores

SHOWN = 10
"""Articles shown at once; a notebook with more of them is slow to open."""
NAMED = 5
"""Articles that an error names."""
FRAME = """
.an.an-show { max-width: 52rem; padding: .4rem 1rem 1rem; font: 15px/1.75 Charter, Georgia, serif; }
.an-show h4 { font: 600 13px/1.4 system-ui, sans-serif; margin: 1.2em 0 .5em; overflow-wrap: anywhere; }
.an-show p { margin: 0 0 .45em; overflow-wrap: anywhere; unicode-bidi: isolate; }
.an-show .an-key { margin: .9em 0 0; color: var(--soft); font: 13px/1.9 system-ui, sans-serif; }
.an-show small { font: 12px/1.4 system-ui, sans-serif; color: var(--soft); }
"""
KEY = """
<p class="an-key"><mark class="an-attribution" data-kind="source">who</mark>
<mark class="an-attribution" data-kind="cue">says</mark>
<mark class="an-attribution" data-kind="content">what</mark> ·
target one is <mark class="an-stance" data-kind="against">against</mark>,
<mark class="an-stance" data-kind="favor">in favor</mark> of · <mark class="an-hedging">hedged</mark> ·
<mark class="an-loaded">loaded</mark> · <mark class="an-garble" data-kind="minor">garbled</mark>,
<mark class="an-garble" data-kind="major">badly</mark> · <mark class="an-drift">drifted</mark> ·
faint: in doubt</p>
"""


@dataclass(frozen=True)
class Shown:
    """Articles, each a list of rows of the scores frame; Jupyter shows them with every span marked.
    `left_out`: how many more there are."""

    articles: dict[str, list[dict[str, Any]]]
    left_out: int = 0

    def __repr__(self) -> str:
        lines = [
            f"{safe(article)}: {len(rows)} sentences, {sum(len(items(r.get('garble_spans'))) for r in rows)} "
            "garbled spans"
            for article, rows in self.articles.items()
        ]
        return "\n".join([*lines, self._rest()] if self.left_out else lines)

    def _repr_html_(self) -> str:
        """A piece of HTML with its own style, whose rules touch nothing else on the page."""
        parts = [f"<div class='an an-show'><style>{style()}{FRAME}</style>"]
        for article, rows in self.articles.items():
            outlet = rows[0].get("outlet")
            title = f"{outlet} · {article}" if outlet else article
            parts.append(f"<h4>{html.escape(safe(title))}</h4>")
            parts += [f"<p dir='auto'>{who(row)}{highlighted(row)}</p>" for row in rows]
        if self.left_out:
            parts.append(f"<small>{self._rest()}</small>")
        return "".join([*parts, KEY, "</div>"])

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/html": self._repr_html_(), "text/plain": repr(self)}

    def _rest(self) -> str:
        return f"{self.left_out} more: name one with annotate.show(scores, article=…)."


def who(row: dict[str, Any]) -> str:
    """Who says it, where that is a source, before the sentence."""
    if row.get("holder_kind") != "source":
        return ""
    return f"<small>{html.escape(safe(row.get('holder_name') or 'a source'))}: </small>"


def show(scores: Scores, article: str | None = None) -> Shown:
    """Scored articles with all their spans marked, as the last expression of a notebook's cell.

    scores: a frame of `Annotator.score`, or a file of `annotate score`; article: the id of one, by default
    the first ten. Boilerplate is left out.

    Raises:
        UserError: for scores that cannot be read, or an article that is not among them.
    """
    frame = load_scores(scores, [name for name, _ in SENTENCE_COLUMNS])
    content = frame[~frame["boilerplate"].astype(bool)]
    ids = list(dict.fromkeys(frame["article_id"].astype(str)))
    if article is not None and article not in ids:
        near = get_close_matches(article, ids, n=NAMED, cutoff=0.3) or ids[:NAMED]
        raise UserError(f"There is no article “{article}” among these scores; there is {', '.join(near)}.")
    chosen = [article] if article is not None else ids[:SHOWN]
    rows: dict[str, list[dict[str, Any]]] = {name: [] for name in chosen}
    for row in content[content["article_id"].isin(chosen)].to_dict("records"):
        rows[row["article_id"]].append(row)
    return Shown({name: found for name, found in rows.items() if found}, len(ids) - len(chosen))
