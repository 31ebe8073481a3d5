"""The order of review in Label Studio: a tab beside the one in reading order.

The order travels as the score of each prediction, which the server sorts by for the project's model version
alone. So a new model orders anew what stands there already, where a number in a task's data could never
change. “Label Tasks As Displayed” follows the tab; “Label All Tasks” keeps to reading order. The project's
uncertainty sampling is left alone: with several annotators, Label Studio 1.23.2 draws at random there.
"""

from __future__ import annotations

from annotate.studio.calls import Patience
from annotate.studio.client import Connection
from annotate.studio.tabs import columns_of, everything, show

TITLE = "Most useful first"


def offer_order(server: Connection, project: int, patience: Patience) -> None:
    """See to it that the project has the tab, behind one of all tasks in reading order; a tab of this title
    that somebody changed stays as it is."""
    ordered = {"title": TITLE, "ordering": ["tasks:predictions_score"]}
    tab = everything(columns_of(server, project, patience)) | ordered
    show(server, project, tab, patience, renew=False)
