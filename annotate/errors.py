"""The one exception a user may see: a sentence that says what is wrong, where, and what to do."""

from __future__ import annotations


class UserError(Exception):
    """Bad input, told in one sentence.

    Its text is shown as it is and the command ends with exit code 2; it never ends in a traceback.
    """
