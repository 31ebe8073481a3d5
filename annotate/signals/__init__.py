"""The signals: one file each, and the list that everything else loops over."""

from __future__ import annotations

from annotate.signals.attribution import ATTRIBUTION
from annotate.signals.base import Signal
from annotate.signals.garble import GARBLE
from annotate.signals.hedging import HEDGING
from annotate.signals.loaded import LOADED
from annotate.signals.stance import STANCE

SIGNALS: tuple[Signal, ...] = (ATTRIBUTION, STANCE, HEDGING, LOADED, GARBLE)
"""In the order of their columns in the scores frame."""
