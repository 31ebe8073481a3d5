"""Label Studio: the labelling interface, push and pull, and a server of one's own."""
