"""The database and snapshot of a command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from graph.errors import OfflineError
from graph.messages import Message
from graph.policy import Policy

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.snapshot.frames import Snapshot
    from graph.tabular import About

from cli.state import CommandState
from cli.terminal import print_notice, print_remark


@contextmanager
def open_cli_database() -> Iterator[Database]:
    """The Neo4j of the settings."""
    from graph.server.database import connect

    with connect(CommandState.settings, say=print_remark) as opened:
        yield opened


def take_cli_snapshot(opened: Database) -> Snapshot:
    """The tables of the last complete revision; says so when a load is under way."""
    from graph.snapshot.take import take_snapshot

    snapshot = take_snapshot(opened, CommandState.settings)
    if snapshot.standing is not None and (notice := snapshot.standing.said()):
        CommandState.standing = snapshot.standing
        print_notice(notice)
    print_undoings(opened, snapshot.revision - 1, snapshot.revision)
    return snapshot


def print_undoings(opened: Database, newer_than: int, upto: int) -> None:
    """Says of each revision of this span that undoes a load, or erases people, that it does."""
    from graph.store.standing import list_erasures, list_undoings

    with suppress(OfflineError):
        for listed in (list_undoings, list_erasures):
            for notice in listed(opened, newer_than, upto):
                print_notice(notice)


def print_load_notice(opened: Database) -> None:
    """Says that the answer is of the graph as it is now, in the middle of a load."""
    from graph.errors import NothingLoadedYetError
    from graph.store.standing import build_load_message, read_graph_state

    try:
        load = read_graph_state(opened).unfinished
    except NothingLoadedYetError as error:
        load = error.unfinished
    if load is not None:
        print_notice(
            Message(
                "This answer is of the graph as it is now, not of a complete revision: {load}",
                load=build_load_message(load),
            )
        )


def build_cli_about(revision: int, policy: Policy | None = None, **more: Any) -> About:
    """What an answer depends on, the load under way among it."""
    from graph.tabular import About

    return About(revision, policy, data=build_data_status().get("data"), **more)


def build_data_status() -> dict[str, Any]:
    """For JSON, while a load is under way: of which revision the answer is."""
    return {} if CommandState.standing is None else {"data": CommandState.standing.as_dict()}


def decide_steward_view() -> bool:
    """Whether this command gives personal data in full; a steward is told what is missing."""
    from graph.cypher.named_queries import list_purpose_notices

    settings = CommandState.settings
    if settings.opens_personal_data:
        return True
    for notice in list_purpose_notices(settings.role):
        print_notice(notice)
    return False
