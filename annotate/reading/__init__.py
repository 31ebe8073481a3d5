"""Files to articles, articles to sentences: offsets, boilerplate, and the mentions of targets.

for article in read(["seeds"]):
    for sentence in split(article, load_targets("seeds/targets.yaml")):
        ...
"""

from annotate.reading.files import COLUMNS, RESERVED, read
from annotate.reading.problems import Problem
from annotate.reading.proposals import Proposal, propose_targets, to_yaml
from annotate.reading.splitting import split
from annotate.reading.targets import Targets, load_targets
from annotate.reading.targets_file import find_targets_file

__all__ = [
    "COLUMNS",
    "RESERVED",
    "Problem",
    "Proposal",
    "Targets",
    "find_targets_file",
    "load_targets",
    "propose_targets",
    "read",
    "split",
    "to_yaml",
]
