"""Who acts: set where somebody comes in (a command, a visit, a server), read for each line."""

from __future__ import annotations

import getpass
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from graph.settings import Settings


@dataclass(frozen=True)
class Actor:
    """Who acts: `id` as the sign-in or the operating system knows it, the role, by what door
    (`app`, `cli`, `mcp`, `python`), and what for (`graph.purposes`), where it was stated."""

    id: str
    role: str
    via: str
    purpose: str = ""


FindActor = Callable[[], Actor | None]
UNKNOWN_USER: Final = "unknown"
_actor: ContextVar[Actor | None] = ContextVar("actor", default=None)


def read_user_name() -> str:
    """The name of the operating system's user of this process."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's number without a name
        return UNKNOWN_USER


_finders: list[FindActor] = []


def find_current_actor() -> Actor:
    """Who acts here: as `acting_as` says, else as an `add_actor_finder` finds, else the user of
    this process, from Python."""
    found = _actor.get()
    for find in _finders if found is None else ():
        found = found or find()
    return found or Actor(read_user_name(), "", "python", Settings().purpose)


def add_actor_finder(find: FindActor) -> None:
    """Has `find` asked who acts, where nobody is set: for a server that knows its visits."""
    if find not in _finders:
        _finders.append(find)


@contextmanager
def acting_as(actor: Actor) -> Iterator[None]:
    """Within it `actor` is who acts. A thread that is begun in it needs its own."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)
