"""Whose turn it is to write into a server into which several data folders load.

A data folder has a lock, but a server at `NEO4J_URI` may have many folders. Two loads at once would
read a record, each without the other's word, and the later one would write over it. So a load holds
a transaction open that makes a node with a key that is unique, and whoever makes the same one
waits. It is rolled back in the end, so nothing is ever stored; when a loader is killed, Neo4j ends
its transaction with the connection, and the next one has its turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from graph.errors import DatabaseError, ShichengError
from graph.messages import Message, Say
from graph.server.database import Database

TURN_CONSTRAINT: Final = "loadturn_key"
# A load that is not to wait waits so long; a turn that is free is had at once.
TURN_SECONDS: Final = 2.0
# A load may take longer than the server grants other transactions.
NO_LIMIT: Final = 0.0
_CONSTRAINT_STATEMENT: Final = (
    f"CREATE CONSTRAINT {TURN_CONSTRAINT} IF NOT EXISTS FOR (n:LoadTurn) REQUIRE n.turn IS UNIQUE"
)
_HOLD_STATEMENT: Final = "CREATE (:LoadTurn {turn: 1})"


@contextmanager
def hold_load_turn(
    database: Database, *, queue: bool = False, say: Say = lambda line: None
) -> Iterator[None]:
    """Within it no other data folder's load writes into the server.

    The embedded server is one folder's alone, which has a lock of its own. While another load runs,
    this one waits for its turn (`queue`, and `say` receives it), or raises DatabaseError.
    """
    if database.embedded:
        yield
        return
    names = {row["name"] for row in database.read("SHOW CONSTRAINTS YIELD name")}
    if TURN_CONSTRAINT not in names:
        database.schema([_CONSTRAINT_STATEMENT])
    if not _is_turn_free(database):
        if not queue:
            raise DatabaseError(
                "Another data folder is loading into the server at {uri}: wait until that has "
                "finished, then try again.",
                uri=database.uri,
            )
        say(Message("Another load is running: this one waits for its turn."))
    with database.rehearse(seconds=NO_LIMIT) as turn:
        turn.write(_HOLD_STATEMENT)
        yield


def _is_turn_free(database: Database) -> bool:
    """Whether no other load holds it; a server that cannot be asked fails at the next question."""
    try:
        with database.rehearse(seconds=TURN_SECONDS) as turn:
            turn.write(_HOLD_STATEMENT)
    except ShichengError:
        return False
    return True
