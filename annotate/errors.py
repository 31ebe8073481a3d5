"""Errors that a person can mend."""

from __future__ import annotations


class UserError(Exception):
    """Bad input or a broken environment: one sentence saying what is wrong, where, and what to do.

    The command line shows the sentence alone and ends with `exit_code`.
    """

    exit_code = 2


class Busy(UserError):
    """Another process is at the same work."""

    exit_code = 4
