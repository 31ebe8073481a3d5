"""The jobs behind the commands: read, score, push, pull, in the order the data flows."""
