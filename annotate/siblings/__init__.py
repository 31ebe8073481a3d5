"""Sentences of other articles that report the same thing, and how the wording drifted."""
