"""Figures of a summary, of agreement and of models, as a paper could print them.

    summary = annotate.summarize(frame)
    annotate.plots.stance(summary).savefig("stance.pdf")

Every function returns a matplotlib `Figure` and shows, prints or changes nothing else; in a notebook that
begins with `%matplotlib inline` a cell that ends in one shows it. Colours are those of Okabe and Ito
(2008, Color Universal Design), and whatever a colour tells a shape tells too. What rests on fewer
articles than an interval over articles needs is drawn thin and dashed with a pale mark; where there is
too little for any interval, the words "too few" stand in its place.
"""

from annotate.plots.review import agreement, gate, learning_curve, reliability
from annotate.plots.scores import contrasts, holders, signals, stance

__all__ = ["agreement", "contrasts", "gate", "holders", "learning_curve", "reliability", "signals", "stance"]
