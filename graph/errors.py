"""What goes wrong, said to a person in one sentence: what happened, and what to do next."""

from __future__ import annotations

from typing import Any

from graph.messages import Language, Message


class ShichengError(Exception):
    """A failure a user can act on.

    `UsageError("quarter has {quarter!r}; write it as 2025Q3.", quarter=quarter)`: the message is
    one sentence or two that name the thing, what contradicts what, and what to do; it never holds
    personal data, a password or a traceback. `str(error)` is English, `error.said("zh")` Chinese.
    The command line prints it on stderr and exits with `exit_code`; a page shows it as a note.
    """

    exit_code = 1

    def __init__(self, message: str | Message, /, **values: object) -> None:
        self.message = message if isinstance(message, Message) else Message(message, **values)
        super().__init__(self.message)

    def said(self, language: Language) -> str:
        """The sentence in a language."""
        return self.message.said(language)


class UsageError(ShichengError):
    """What was asked for cannot be: an unknown name, a value out of range."""

    exit_code = 2


class NoPathError(UsageError):
    """Nothing leads from the one person to the other; `cut` when the search stopped before."""

    def __init__(self, message: str | Message, /, *, cut: bool = False, **values: object) -> None:
        super().__init__(message, **values)
        self.cut = cut


class DatabaseError(ShichengError):
    """Neo4j cannot be started, reached or used."""

    exit_code = 3


class OfflineError(DatabaseError):
    """Another command has the embedded store offline, to load, copy or check it."""


class RefusedError(ShichengError):
    """A statement the read-only guard does not let through."""

    exit_code = 4


class AuditError(ShichengError):
    """The audit log cannot be written or read; what was to be logged did not happen."""


class ArchiveError(ShichengError):
    """A backup that is damaged, of another key or another version, or none at all."""


class IncompleteError(ShichengError):
    """A figure that cannot be shown to be true, so it is not shown."""

    exit_code = 5


class NothingLoadedYetError(IncompleteError):
    """No load has ever finished; `unfinished` is the one that is under way or was broken off."""

    unfinished: Any = None


class RefusedLoadError(ShichengError):
    """A load that would take back what it must not; `report` says what it came to."""

    exit_code = 4
    report: Any = None


class NothingLoadedError(ShichengError):
    """A load of which nothing could be taken, so that it is none; `report` says why."""

    exit_code = 6
    report: Any = None
