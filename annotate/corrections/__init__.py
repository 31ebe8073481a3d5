"""What annotators did: pulled from Label Studio, kept in snapshots, agreed upon, and read as training rows."""
