"""Articles in, the groups frame out: which sentences report the same thing, and where the wording drifted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from annotate.article import Article
from annotate.errors import UserError
from annotate.reading import read, split
from annotate.reading.problems import Report
from annotate.scoring import opened, to_pandas
from annotate.siblings import groups
from annotate.siblings.compare import compare as set_beside

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

Progress = Callable[[int, int], None]


def compare(
    articles: Iterable[Article | str | Path] | str | Path | Article,
    *,
    group_by: str | None = None,
    reference: Article | str | Path | None = None,
) -> pd.DataFrame:
    """What articles on one event say beside each other: the groups frame, one row per sentence that has
    siblings, as `annotate compare` writes it.

    articles: articles, or files and folders of articles; group_by: the column of their tables that says
    which event an article reports. An `Article` says it by its `event`; where none says it, events are found
    by the articles' words. reference: a text that is known to be right, such as an official transcript, as an
    article or as the path of a file; it outweighs the others.

    The columns are `event` and `group` (numbers; a group is what is linked, directly or through others),
    `article_id, outlet, sentence_id, start, end, text`, `siblings` and `drift` as in the scores frame.

    Raises:
        UserError: for a path that cannot be read, where there is no article or two have one id, or the
            reference is no one text.
    """
    given = [articles] if isinstance(articles, str | Path | Article) else list(articles)
    found: list[Article] = []
    for item in given:
        found += opened([item]) if isinstance(item, Article) else read([item], group_by=group_by)
    if not found:
        raise UserError("There is no article to compare; give articles, or paths of files that hold some.")
    [(name, times)] = Counter(article.id for article in found).most_common(1)
    if times > 1:
        raise UserError(f"{times} articles have the id {name!r}; give each an id of its own.")
    right = read_reference(reference) if reference is not None else None
    named = group_by is not None or any(article.event for article in found)
    return to_pandas(grouped(found, by_event=named, reference=right))


def grouped(
    articles: Sequence[Article],
    *,
    by_event: bool = False,
    reference: Article | None = None,
    progress: Progress = lambda done, total: None,
) -> pa.Table:
    """The rows of `annotate.siblings.groups`. by_event: whether the articles say which event they report;
    reference: a text that belongs to every event; `progress` is told (articles done, of all)."""
    import pyarrow as pa

    everything = [*articles, *([reference] if reference else [])]
    parted = [split(article) for article in everything]
    near = set_beside(
        parted,
        groups=[article.event for article in everything] if by_event else None,
        reference=reference.id if reference else None,
        progress=progress,
    )
    return pa.Table.from_pylist(groups.rows(parted, near), schema=groups.schema())


def read_reference(reference: Article | str | Path, on_problem: Report | None = None) -> Article:
    """The text that is known to be right, under a name of its own.

    Raises:
        UserError: when the file holds no text, or several.
    """
    if isinstance(reference, Article):
        [found] = opened([reference])
    else:
        texts = list(read([reference], any_language=True, on_problem=on_problem))
        if len(texts) != 1:
            raise UserError(
                f"The reference {reference} holds {len(texts)} texts; give a file with one, known to be "
                "right."
            )
        [found] = texts
    return replace(found, id=f"reference:{found.id}", outlet="reference")
