"""What goes wrong, said to a person in one sentence: what happened, and what to do next."""

from __future__ import annotations


class ShichengError(Exception):
    """A failure a user can act on.

    `str(error)` is one sentence or two that names the thing, what contradicts what, and what
    to do; it never holds personal data, a password or a traceback. The command line prints it
    on stderr and exits with `exit_code`; a page shows it as a note.
    """

    exit_code = 1


class UsageError(ShichengError):
    """What was asked for cannot be: an unknown name, a value out of range."""

    exit_code = 2


class NoPathError(UsageError):
    """Nothing leads from the one person to the other; `cut` when the search stopped before."""

    def __init__(self, text: str, *, cut: bool = False) -> None:
        super().__init__(text)
        self.cut = cut


class DatabaseError(ShichengError):
    """Neo4j cannot be started, reached or used."""

    exit_code = 3


class RefusedError(ShichengError):
    """A statement the read-only guard does not let through."""

    exit_code = 4


class IncompleteError(ShichengError):
    """A figure that cannot be shown to be true, so it is not shown."""

    exit_code = 5
