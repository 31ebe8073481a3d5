"""Scores by outlet, target and holder, with intervals that say what they are sure of."""

from annotate.summary.tables import SmallSample, Summary, summarize

__all__ = ["SmallSample", "Summary", "summarize"]
