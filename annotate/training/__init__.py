"""From corpora to a model bundle."""
