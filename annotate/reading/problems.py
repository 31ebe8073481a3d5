"""What reading says when something is wrong: one sentence, and whether it is an error or a notice."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass

from annotate.errors import UserError


@dataclass(frozen=True, slots=True)
class Problem:
    """One sentence that says what is wrong, where (file, row or field), and what to do.

    An error means that something asked for could not be read; a command that met one ends with exit
    code 2. A notice (`error` false) tells of something left out or changed on purpose: an article that
    is not English, one that came twice, a character that no text may hold. `whole`: the file itself could
    not be read, or not to its end.
    """

    message: str
    error: bool = True
    whole: bool = False

    def __str__(self) -> str:
        return self.message


Report = Callable[[Problem], None]


def strict(problem: Problem) -> None:
    """What happens to a problem nobody listens for: an error is raised, a notice is warned about.

    Raises UserError for an error.
    """
    if problem.error:
        raise UserError(problem.message)
    warnings.warn(problem.message, stacklevel=2)
