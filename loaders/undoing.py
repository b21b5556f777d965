"""Undoing a finished load: the exact inverse of the newest one, as a load of its own.

The revision goes on: the tables of the new one equal those of the revision before the load, and
both stay comparable. The undone load stays in the list, with who undid it and when.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from graph.audit.log import record_event
from graph.errors import DatabaseError, RefusedLoadError, UsageError
from graph.messages import Message, Say
from graph.progress import Progress
from graph.server.database import Database
from graph.store.standing import list_loads
from graph.store.undo import list_standing_loads
from loaders.broken_loads import undo_broken_loads
from loaders.findings import build_empty_findings
from loaders.load_nodes import (
    build_load_id,
    cache_last_revision,
    complete_undoing,
    create_load_node,
    open_load_folder,
)
from loaders.reports import LoadReport, write_load_report

# What an undoing names as its loader.
UNDO_LOADER = "undo"
_UNDONE_NOW_STATEMENT = "MATCH (l:Load) WHERE l.finished_at IS NULL RETURN l.undoes AS undoes"


@dataclass(frozen=True)
class UndoneLoad:
    """A load that was undone: its id and revision, and the revision after its undoing."""

    load_id: str
    undone_revision: int
    revision: int
    seconds: float


def undo_finished_load(
    database: Database,
    named: str,
    by: str,
    *,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> UndoneLoad:
    """Undoes the newest load; `named` is its id or its revision, `by` who undoes it.

    Raises UsageError when there is no such load, RefusedLoadError when another has to be undone
    first or the state before it is not stored, DatabaseError when Neo4j can't be used; whatever
    breaks an undoing off, the next call or load completes it.
    """
    began = time.monotonic()
    load_id, home = build_load_id(), database.settings.home
    with open_load_folder(home, load_id, database):
        broken_off = database.read(_UNDONE_NOW_STATEMENT)
        undo_broken_loads(database, say, progress)
        load = _find_load(database, named)
        if load["load_id"] in (row["undoes"] for row in broken_off):
            return _build_completed_undoing(database, load, time.monotonic() - began)
        _check_undoable(database, load)
        cache_last_revision(database, progress)
        sources = tuple(load["sources"] or ())
        report = LoadReport(load_id, UNDO_LOADER, sources, False, (), build_empty_findings())
        record_event(home, "undo", load_id=load_id, undoes=load["load_id"])
        create_load_node(database, report, {"undoes": load["load_id"], "undone_by": by})
        revision = complete_undoing(database, load_id, load["load_id"], progress)
    seconds = time.monotonic() - began
    write_load_report(home, replace(report, revision=revision, seconds=seconds))
    return UndoneLoad(load["load_id"], load["revision"], revision, seconds)


def _build_completed_undoing(
    database: Database, load: dict[str, Any], seconds: float
) -> UndoneLoad:
    """What an undoing came to that had broken off and was completed now."""
    found = (one for one in list_loads(database) if one["undoes"] == load["load_id"])
    return UndoneLoad(load["load_id"], load["revision"], next(found)["revision"], seconds)


def _find_load(database: Database, named: str) -> dict[str, Any]:
    """The load of this id or revision, as `list_loads` has it."""
    for load in list_loads(database):
        if named in (load["load_id"], str(load["revision"])):
            return load
    raise UsageError("there is no load {load}; `shicheng loads` lists them", load=named)


def _check_undoable(database: Database, load: dict[str, Any]) -> None:
    """Raises where the load cannot be undone now, with what to do instead."""
    if any(one["state"] == "unfinished" for one in list_loads(database)):
        raise DatabaseError("Another load is under way: undo when it has finished.")
    if load["undoes"] is not None:
        raise RefusedLoadError(
            "Revision {revision} is the undoing of a load: to have that one back, load its files "
            "again.",
            revision=load["revision"],
        )
    if load["erased"] is not None:
        raise RefusedLoadError(
            "Revision {revision} erased people: nothing undoes that.", revision=load["revision"]
        )
    if load["state"] == "undone":
        raise RefusedLoadError(
            "The load of revision {revision} was undone on {day} already.",
            revision=load["revision"],
            day=(load["undone_at"] or "")[:10],
        )
    standing = list_standing_loads(database)
    later = [one["revision"] for one in standing if one["revision"] > load["revision"]]
    if load["load_id"] == standing[-1]["load_id"]:
        raise RefusedLoadError(
            "Revision {revision} is the first load: undoing it would empty the graph. To begin "
            "anew, take an empty data folder with --home, or an empty database at NEO4J_URI.",
            revision=load["revision"],
        )
    if not load["undoable"]:
        raise _build_not_kept_error(database, load["revision"])
    if later:
        raise RefusedLoadError(
            "The load of revision {revision} is not the newest: undo first {later}, in this order.",
            revision=load["revision"],
            later=_format_revisions(later),
        )


def _build_not_kept_error(database: Database, revision: int) -> RefusedLoadError:
    erasures = (one["revision"] for one in list_loads(database) if one["erased"] is not None)
    later = next((one for one in erasures if one > revision), None)
    if later is not None:
        return RefusedLoadError(
            "The load of revision {revision} cannot be undone: revision {later} erased people, and "
            "what stood before earlier loads went with them.",
            revision=revision,
            later=later,
        )
    return RefusedLoadError(
        "What stood before the load of revision {revision} is not kept, so it cannot be undone: "
        "kept is that of the newest {n} (SHICHENG_UNDO_LOADS) that had no other load beside them.",
        revision=revision,
        n=database.settings.undo_loads,
    )


def _format_revisions(revisions: Sequence[int]) -> str:
    return ", ".join(map(str, revisions))


def describe_undoing(undone: UndoneLoad) -> Message:
    """What an undoing came to, in words."""
    return Message(
        "The load of revision {undone} is undone, by revision {revision}, in {seconds:.1f} s.",
        undone=undone.undone_revision,
        revision=undone.revision,
        seconds=undone.seconds,
    )
