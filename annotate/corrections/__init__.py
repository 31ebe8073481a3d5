"""What annotators did: kept in snapshots, agreed upon, and read as training rows."""
