"""The subcommands of `annotate`, one file for each kind of job."""
