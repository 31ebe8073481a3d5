"""How much one page holds, so that it opens at once."""

ARTICLES = 500
"""Articles shown sentence by sentence."""
GROUPS = 200
"""Groups of sentences that report the same thing."""
OUTLETS = 60
"""Outlets in a figure, those with the most sentences."""
TARGETS, DRAWN = 24, 4
"""Targets in the table of stances, and of these as figures: those that the most sentences are on."""
OPEN = 12
"""Rows of a figure, or articles, that stand open; the others are folded."""
HOLDERS = 8
"""Sources named for each outlet."""
