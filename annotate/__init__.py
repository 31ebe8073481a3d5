"""annotate: who takes which stance toward whom, what is hedged, loaded, or went wrong in translation.

import annotate

annotator = annotate.load()
frame = annotator.score("seeds")
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from annotate import plots
    from annotate.article import Article
    from annotate.comparing import compare
    from annotate.datasets import to_datasets
    from annotate.display import show
    from annotate.errors import UserError
    from annotate.reading import Targets, load_targets, read
    from annotate.scoring import Annotator, load
    from annotate.summary import SmallSample, Summary, summarize

__all__ = [
    "Annotator",
    "Article",
    "SmallSample",
    "Summary",
    "Targets",
    "UserError",
    "compare",
    "load",
    "load_targets",
    "plots",
    "read",
    "show",
    "summarize",
    "to_datasets",
]

_HOMES = {
    "Annotator": "annotate.scoring",
    "Article": "annotate.article",
    "SmallSample": "annotate.summary",
    "Summary": "annotate.summary",
    "Targets": "annotate.reading",
    "UserError": "annotate.errors",
    "compare": "annotate.comparing",
    "load": "annotate.scoring",
    "load_targets": "annotate.reading",
    "read": "annotate.reading",
    "show": "annotate.display",
    "summarize": "annotate.summary",
    "to_datasets": "annotate.datasets",
}


def __getattr__(name: str) -> Any:
    """Names are imported when first used, so that `import annotate` and `annotate --help` are instant."""
    from importlib import import_module

    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    if name == "plots":
        return import_module("annotate.plots")
    raise AttributeError(f"module 'annotate' has no attribute {name!r}")
