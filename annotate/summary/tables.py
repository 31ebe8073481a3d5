"""The scores frame summarised: tidy tables by outlet, voice, signal, target and holder."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from annotate.errors import UserError
from annotate.scores import load_scores
from annotate.signals.attribution import ATTRIBUTION
from annotate.signals.stance import STANCE, STANCES
from annotate.summary.cells import Cells, cells, contrast
from annotate.summary.intervals import Draws
from annotate.summary.notes import model_error, notes, too_few
from annotate.summary.rows import drift_rows, quoted_rows, signal_names, signal_rows, stance_rows

if TYPE_CHECKING:
    import pandas as pd

    from annotate.scores import Scores

COLUMNS = ("article_id", "sentence_id", "boilerplate", "holder_kind", "holder_name", "drift", "model")
"""What a summary needs of a frame, beside the signals' own."""


class SmallSample(UserWarning):
    """Figures rest on too few articles or sentences to speak of more than these."""


@dataclass(frozen=True)
class Summary:
    """Tidy tables. Each row says how many `articles` and `sentences` it rests on, and of what its interval
    (`low`, `high`) speaks, its `basis`: "articles" (five or more: of the outlet as such articles show it),
    "sentences" (fewer articles: only of how sure the model is of these very sentences) or "none" (fewer than
    ten sentences: no interval).

    - groups: `articles, sentences, boilerplate`: what was counted; boilerplate never is;
    - signals: `voice, signal, share`: the share of sentences, 0 to 1, in the outlet's own voice, a source's,
      or all;
    - stance: `target, voice, mean, against, neutral, favor`: shares of the sentences on the target, and favor
      less against, -1 to 1;
    - holders: `holder, share`: of all sentences of the group those that this source says, the most quoted
      first; `articles` and `sentences` are those that quote it;
    - holder_stance: `holder, target, mean, against, neutral, favor`, over all groups;
    - drift: `kind, spans`: wordings that say something else than the siblings;
    - contrasts: `measure, target, voice, difference`: the group less all others; the measure is a signal or
      stance.

    All but holder_stance begin with the column that `by` names. `level`: of the intervals, each for itself;
    `model`: the signature of the scores; `model_error`: the expected calibration error of each signal on the
    model's dev sets, by which intervals are widened; `notes`: what a reader must know.
    """

    by: str
    level: float
    model: str
    model_error: dict[str, float]
    notes: tuple[str, ...]
    groups: pd.DataFrame
    signals: pd.DataFrame
    stance: pd.DataFrame
    holders: pd.DataFrame
    holder_stance: pd.DataFrame
    drift: pd.DataFrame
    contrasts: pd.DataFrame


def summarize(scores: Scores, *, by: str = "outlet", level: float = 0.95, seed: int = 0) -> Summary:
    """Scores by outlet, or by any other column, with intervals (`annotate.summary.intervals` says how).

    scores: a frame of `Annotator.score`, or a file of `annotate score`; where no outlet is named, an article
    stands for itself. level: of the intervals, between 0 and 1. seed: of the bootstrap. The order of the rows
    changes nothing.

    Warns:
        SmallSample: where a group has too few articles or sentences.

    Raises:
        UserError: for scores that cannot be read or that several models made, a column that is missing,
            nothing but boilerplate, or a level that is none.
    """
    import pandas as pd

    if not 0 < level < 1:
        raise UserError(f"The level of an interval lies between 0 and 1, as 0.95 does; {level} does not.")
    frame = load_scores(scores, [*COLUMNS, *signal_names(), STANCE.name, by])
    frame = frame.sort_values(["article_id", "sentence_id"], ignore_index=True)
    frame["group"] = frame[by].where(frame[by].notna(), frame["article_id"]).astype(str)
    content = frame[~frame["boilerplate"].astype(bool)]
    if content.empty:
        raise UserError("Every sentence of these scores is boilerplate, so there is nothing to summarize.")
    model = str(content["model"].iloc[0])
    error = model_error(model)
    articles = pd.Index(content["article_id"].unique())
    how = _Intervals(Draws(list(articles), seed), level, error)

    toward = stance_rows(content)
    said = toward[(toward["voice"] == "source") & toward["holder"].notna()]
    signals = cells(signal_rows(content), ["group", "voice", "measure"], articles)
    stance = cells(
        toward.assign(measure=STANCE.name), ["group", "target", "voice", "measure"], articles, STANCES
    )
    held = cells(said.assign(measure=STANCE.name), ["holder", "target", "measure"], articles, STANCES)
    tables = {
        "groups": groups(frame),
        "signals": how.table(signals, "share").rename(columns={"measure": "signal"}),
        "stance": how.table(stance, "mean").drop(columns="measure"),
        "holders": holders(content, articles, how),
        "holder_stance": how.table(held, "mean").drop(columns="measure"),
        "drift": drift(content),
        "contrasts": pd.concat([how.contrasts(signals), how.contrasts(stance)], ignore_index=True),
    }
    found = Summary(
        by=by,
        level=level,
        model=model,
        model_error=error,
        notes=tuple(notes(tables["groups"], tables["stance"], by, model, error)),
        **{name: table.rename(columns={"group": by}) for name, table in tables.items()},
    )
    if too_few(tables["groups"]).any():
        warnings.warn(found.notes[0], SmallSample, stacklevel=2)
    return found


@dataclass(frozen=True)
class _Intervals:
    """Tables of cells, with the ends of their intervals. `error`: what each measure's intervals are widened
    by; a stance's twice, as it is the difference of two shares."""

    draws: Draws
    level: float
    error: dict[str, float]

    def table(self, found: Cells, estimate: str) -> pd.DataFrame:
        """The keys of the cells, their means in the column `estimate`, and what these rest on."""
        measures = found.keys["measure"]
        wide = measures.map(self.error).astype(float).fillna(0) * np.where(measures == STANCE.name, 2, 1)
        low, high = found.interval(self.draws, self.level)
        least = np.where(measures == STANCE.name, -1, 0)
        return found.keys.assign(
            **{estimate: found.mean},
            **found.more,
            low=np.clip(low - wide, least, 1),
            high=np.clip(high + wide, least, 1),
            basis=found.basis,
            articles=found.articles,
            sentences=found.sentences.astype(int),
        )

    def contrasts(self, own: Cells) -> pd.DataFrame:
        """Each cell less the same cell of all other groups together. An error of calibration that the groups
        share cancels out, so these intervals are not widened."""
        keys = own.keys.assign(target=own.keys.get("target"))
        of = keys.groupby(["measure", "target", "voice"], dropna=False).ngroup().to_numpy()
        rest = own.others(of)
        low, high, basis = contrast(own, rest, self.draws, self.level)
        there = rest.sentences > 0
        return keys.assign(
            difference=own.mean - rest.mean,
            low=low,
            high=high,
            basis=basis,
            articles=own.articles,
            sentences=own.sentences.astype(int),
        )[
            [
                "group",
                "measure",
                "target",
                "voice",
                "difference",
                "low",
                "high",
                "basis",
                "articles",
                "sentences",
            ]
        ][there]


def groups(frame: pd.DataFrame) -> pd.DataFrame:
    """What each group holds, also those with nothing but boilerplate."""
    content = ~frame["boilerplate"].astype(bool)
    rows = frame.assign(article=frame["article_id"].where(content), content=content, rest=~content)
    found = rows.groupby("group").agg(
        articles=("article", "nunique"), sentences=("content", "sum"), boilerplate=("rest", "sum")
    )
    return found.reset_index()


def holders(content: pd.DataFrame, articles: pd.Index, how: _Intervals) -> pd.DataFrame:
    """Who is quoted, as a share of all sentences of the group."""
    whole = cells(content.assign(value=1.0, doubt=0.0), ["group"], articles)
    quoted = cells(
        quoted_rows(content).assign(measure=ATTRIBUTION.name), ["group", "holder", "measure"], articles
    )
    of = whole.keys.set_index("group").index.get_indexer(quoted.keys["group"])
    found = how.table(replace(quoted, n=whole.n[:, of]), "share")
    found = found.assign(articles=quoted.articles, sentences=quoted.sentences.astype(int))
    order = ["group", "share", "holder"]
    return found.drop(columns="measure").sort_values(order, ascending=[True, False, True])


def drift(content: pd.DataFrame) -> pd.DataFrame:
    """The wordings that drifted, by kind."""
    found = drift_rows(content).groupby(["group", "kind"])
    named: dict[str, Any] = {
        "spans": ("kind", "size"),
        "articles": ("article_id", "nunique"),
        "sentences": ("sentence_id", "nunique"),
    }
    return found.agg(**named).reset_index()
