"""Where the graph stands: its last complete revision, and the load that is under way since.

While a load runs, and after one broke off, the graph holds part of it. All figures are then those
of the last complete revision, whose tables were read out before the load began; whoever shows
them says so. What the database cannot be asked, because its store is being made or copied, is
answered from what was last known of it (`standing.json` in the data folder).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from graph.atomic import write_file_atomically
from graph.errors import NothingLoadedYetError, OfflineError
from graph.messages import Message
from graph.model.kinds import NODE_KINDS, RELATION_KINDS

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.settings import Settings

from graph.server.locks import is_load_running

# "undoing": a finished load is being undone.
# "erasing": people are being erased; nothing undoes that.
# "unknown": it was begun from another data folder, which alone can tell.
# "offline": the store is being dumped, restored or checked.
LoadCondition = Literal[
    "running",
    "broken off",
    "undoing",
    "undoing broken off",
    "erasing",
    "erasing broken off",
    "offline",
    "unknown",
]
LOADS_STATEMENT: Final = """
MATCH (l:Load)
RETURN l.load_id AS load_id, l.revision AS revision, toString(l.started_at) AS started_at,
       toString(l.finished_at) AS finished_at, l.undoes AS undoes, l.erased AS erased
ORDER BY load_id
"""
MAX_LISTED_LOADS: Final = 200


@dataclass(frozen=True)
class UnfinishedLoad:
    """A load that has begun and not ended: its id, when it began (ISO 8601), how it is."""

    load_id: str
    started_at: str
    condition: LoadCondition

    def as_dict(self) -> dict[str, str]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class GraphState:
    """The last complete revision, and the loads that led to it.

    `finished_at`: when its load ended (ISO 8601, UTC). `unfinished`: the load under way or broken
    off since, with which no figure is given.
    """

    revision: int
    loads: tuple[str, ...]
    finished_at: str = ""
    unfinished: UnfinishedLoad | None = None

    def said(self) -> Message | None:
        """What whoever sees this standing must know; None when the graph is complete."""
        if self.unfinished is None:
            return None
        return Message(
            "Data as of {day}, revision {revision}: {load}",
            day=self.finished_at[:10],
            revision=self.revision,
            load=build_load_message(self.unfinished),
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON: which data these are, and the load under way (None: there is none)."""
        load = self.unfinished
        return {
            "revision": self.revision,
            "finished_at": self.finished_at,
            "load": None if load is None else load.as_dict(),
        }


def build_load_message(load: UnfinishedLoad) -> Message:
    """How an unfinished load is, and what follows."""
    match load.condition:
        case "running":
            return Message("a load is running; what it brings shows when it has finished.")
        case "broken off":
            return Message(
                "a load was broken off; load the same files again, and it goes on where it stopped."
            )
        case "undoing":
            return Message("a load is being undone; what that changes shows when it has finished.")
        case "undoing broken off":
            return Message(
                "the undoing of a load was broken off; the next load completes it, as "
                "`shicheng undo` does."
            )
        case "erasing":
            return Message("people are being erased; that shows when it has finished.")
        case "erasing broken off":
            return Message(
                "an erasure of people was broken off; the next load completes it, as "
                "`shicheng forget --resume` does."
            )
        case "offline":
            return Message("the database is being copied or checked and cannot be asked now.")
        case _:
            return Message(
                "a load from another data folder is running or was broken off; wait for it, or "
                "load its files again."
            )


def read_graph_state(database: Database) -> GraphState:
    """Where the graph stands now.

    Raises `NothingLoadedYetError` when no load has ever finished.
    """
    try:
        loads = database.read(LOADS_STATEMENT)
    except OfflineError:
        return _read_last_known_state(database)
    unfinished = _find_unfinished_load(database, loads)
    finished = [load for load in loads if load["finished_at"] is not None]
    if not finished:
        delete_last_known_state(database.settings)
        raise _build_no_load_error(unfinished)
    newest = max(finished, key=lambda load: int(load["revision"]))
    named = tuple(f"{load['load_id']} {load['finished_at']}" for load in finished)
    standing = GraphState(int(newest["revision"]), named, newest["finished_at"], unfinished)
    _write_last_known_state(database, standing)
    return standing


def read_newest_revision(database: Database) -> int:
    """The newest revision of the graph as it is now; 0 where nothing is loaded."""
    (found,) = database.read("MATCH (l:Load) RETURN max(l.revision) AS revision")
    return int(found["revision"] or 0)


def list_loads(database: Database) -> list[dict[str, Any]]:
    """The loads of the graph as it is now, unfinished ones first, then the newest; at most
    `MAX_LISTED_LOADS`. The columns are those of the named query `loads`, times in ISO 8601.
    """
    from graph.cypher.named_queries import load_queries

    return database.read(load_queries()["loads"].text)[:MAX_LISTED_LOADS]


def list_undoings(database: Database, newer_than: int, upto: int) -> list[Message]:
    """The revisions of this span that are undoings, each in a sentence, the oldest first."""
    found = database.read(
        "MATCH (l:Load) WHERE l.undoes IS NOT NULL AND $newer_than < l.revision <= $upto "
        "MATCH (b:Load {load_id: l.undoes}) "
        "RETURN l.revision AS revision, b.revision AS undone ORDER BY revision",
        {"newer_than": newer_than, "upto": upto},
    )
    return [
        Message("Revision {revision} undoes the load of revision {undone}.", **row) for row in found
    ]


def list_erasures(database: Database, newer_than: int, upto: int) -> list[Message]:
    """The revisions of this span that erase people, each in a sentence, the oldest first."""
    found = database.read(
        "MATCH (l:Load) WHERE l.erased IS NOT NULL AND $newer_than < l.revision <= $upto "
        "RETURN l.revision AS revision, l.erased AS people ORDER BY revision",
        {"newer_than": newer_than, "upto": upto},
    )
    return [
        Message(
            "Revision {revision} erases {people:,} people with all their relations; figures fall "
            "for that. `shicheng diff {before} {revision}` shows by how much.",
            before=row["revision"] - 1,
            **row,
        )
        for row in found
    ]


def is_store_empty(database: Database) -> bool:
    """Whether the store holds no node at all."""
    (found,) = database.read("MATCH (n) RETURN count(n) AS nodes")
    return bool(found["nodes"] == 0)


def count_records(database: Database) -> tuple[dict[str, int], dict[str, int]]:
    """How many nodes of each kind and relations of each type the graph holds now.

    One short statement a kind: the store answers each from what it counts anyway.
    """

    def count(pattern: str, name: str) -> int:
        (found,) = database.read(f"MATCH {pattern} RETURN count({name}) AS number")
        return int(found["number"])

    nodes = {kind: count(f"(n:{kind})", "n") for kind in NODE_KINDS}
    return nodes, {kind: count(f"()-[r:{kind}]->()", "r") for kind in RELATION_KINDS}


def _find_unfinished_load(database: Database, loads: list[dict[str, Any]]) -> UnfinishedLoad | None:
    begun = [load for load in loads if load["finished_at"] is None]
    if not begun:
        return None
    load = begun[-1]
    condition = _detect_load_condition(database, load)
    return UnfinishedLoad(load["load_id"], load["started_at"] or "", condition)


def _detect_load_condition(database: Database, load: Mapping[str, Any]) -> LoadCondition:
    running = is_load_running(database.settings.home)
    if not running and not database.embedded:
        return "unknown"
    if load["erased"] is not None:
        return "erasing" if running else "erasing broken off"
    if load["undoes"] is not None:
        return "undoing" if running else "undoing broken off"
    return "running" if running else "broken off"


def _build_no_load_error(unfinished: UnfinishedLoad | None) -> NothingLoadedYetError:
    if unfinished is None:
        return NothingLoadedYetError(
            "Nothing is loaded yet; load an exchange folder with `shicheng load folder PATH`, or "
            "make one with `shicheng generate`."
        )
    error = NothingLoadedYetError(
        "Nothing is loaded yet: {load}", load=build_load_message(unfinished)
    )
    error.unfinished = unfinished
    return error


# --- while the store is offline ---------------------------------------------------------------


def _write_last_known_state(database: Database, standing: GraphState) -> None:
    """Keeps the standing for when the embedded store is offline."""
    if not database.embedded:
        return
    file = database.settings.home / "standing.json"
    known = asdict(replace(standing, unfinished=None))
    text = json.dumps(known, indent=1)
    try:
        if file.read_text(encoding="utf-8") == text:
            return
    except OSError:
        pass
    with write_file_atomically(file) as making:
        making.write_text(text, encoding="utf-8")


def delete_last_known_state(settings: Settings) -> None:
    """Forgets the standing of a store that holds no finished load any more.

    Without it, whoever asks while the first load of an emptied store keeps the database offline
    would be answered with the figures of the store before.
    """
    (settings.home / "standing.json").unlink(missing_ok=True)


def _read_last_known_state(database: Database) -> GraphState:
    """The standing before the store went offline."""
    home = database.settings.home
    condition: LoadCondition = "running" if is_load_running(home) else "offline"
    load = UnfinishedLoad("", "", condition)
    try:
        known = json.loads((home / "standing.json").read_text(encoding="utf-8"))
        known["loads"] = tuple(known["loads"])
        return GraphState(**known | {"unfinished": load})
    except (OSError, ValueError, TypeError, KeyError):
        raise _build_no_load_error(load) from None
