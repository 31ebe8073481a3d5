"""One self-contained page of scores: figures with intervals, and every sentence with its spans marked."""

from __future__ import annotations

import base64
import hashlib
import warnings
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from annotate import home
from annotate.report.limits import ARTICLES

if TYPE_CHECKING:
    from jinja2 import Template

    from annotate.scores import Scores


def write_report(scores: Scores, out: Path, *, articles: int = ARTICLES) -> int:
    """Write the page, whole or not at all; returns how many articles it leaves out.

    Raises:
        UserError: for scores that `annotate.summarize` refuses, or when the page cannot be written.
    """
    html, left_out = page(scores, articles=articles)
    home.write(out, html, "choose another --out")
    return left_out


def page(scores: Scores, *, articles: int = ARTICLES) -> tuple[str, int]:
    """The page, and how many articles count in its figures without being shown. The same scores give the same
    page, to the byte.

    Raises:
        UserError: for scores that `annotate.summarize` refuses.
    """
    from markupsafe import Markup

    from annotate.highlight import style
    from annotate.report.view import view
    from annotate.scores import load_scores
    from annotate.summary import SmallSample, summarize

    frame = load_scores(scores)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SmallSample)  # the page says it where it matters
        summary = summarize(frame)
    shown = view(frame, summary, articles)
    script = asset("page.js")
    html = template().render(
        shown,
        style=Markup(style() + asset("page.css")),
        script=Markup(script),
        policy=policy(script),
        summary=summary,
    )
    return html, shown["left_out"]


def asset(name: str) -> str:
    """A file that lies beside this one."""
    return (resources.files("annotate.report") / name).read_text(encoding="utf-8")


def policy(script: str) -> str:
    """What the browser lets the page do: run its one script, by its hash, and reach nothing outside."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


@cache
def template() -> Template:
    """The page's template; what is put into it is escaped, unless it is HTML of `annotate.highlight`."""
    import jinja2

    from annotate.report import view

    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(asset),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=view.shown,
    )
    environment.filters |= {
        "percent": view.percent,
        "signed": view.signed,
        "at": view.at,
        "rests": view.rests,
        "number": view.number,
        "plural": view.plural,
        "exact": view.exact,
    }
    return environment.get_template("page.html.j2")
