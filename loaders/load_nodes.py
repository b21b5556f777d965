"""The record of a load in the graph, from its beginning to its end."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import shutil
import socket
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from filelock import AcquireReturnProxy, FileLock, Timeout

from graph.errors import DatabaseError, IncompleteError
from graph.messages import Message, Say
from graph.progress import Progress
from graph.server.admin import end_orphaned_admin
from graph.server.database import Database
from graph.server.embedded import finish_store_swap, hold_server_lock, locate_swap_mark
from graph.server.locks import LOAD_LOCK_NAME, LOAD_LOCK_SECONDS, is_backup_running
from graph.snapshot.take import take_snapshot
from graph.store.bulk_import import NEW_STORE_FOLDER
from graph.store.load_turn import hold_load_turn
from graph.store.merge import EVERY_FRAME_MARK
from graph.store.schema import apply_schema
from graph.store.undo import delete_old_undo_images, restore_before_load

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

    from loaders.reports import LoadReport

# The number of newest loads whose journal is retained.
MAX_LOAD_JOURNALS: Final = 20
# How often a queued load looks whether it is its turn.
_QUEUE_POLL_SECONDS: Final = 0.2


def build_load_id() -> str:
    """The name of a load that begins now; names sort in the order in which loads began.

    To the microsecond: of two loads within one second the later one must not sort before the
    other, or what the first led to is no longer known for a part of the graph's history.
    """
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:6]}"


def _acquire_load_lock(home: Path, queue: bool, say: Say) -> AcquireReturnProxy[FileLock]:
    lock = FileLock(home / LOAD_LOCK_NAME)
    with suppress(Timeout):
        return lock.acquire(timeout=LOAD_LOCK_SECONDS)
    if queue:
        say(Message("Another load is running: this one waits for its turn."))
        return lock.acquire(poll_interval=_QUEUE_POLL_SECONDS)
    if is_backup_running(home):
        raise DatabaseError(
            "A backup of the data folder {home} is being made: wait until it is complete, then "
            "load again.",
            home=home,
        )
    raise DatabaseError(
        "Another load with the data folder {home} is running: wait until it has "
        "finished, then load again.",
        home=home,
    )


@contextmanager
def open_load_folder(
    home: Path,
    load_id: str,
    database: Database | None = None,
    *,
    queue: bool = False,
    say: Say = lambda line: None,
) -> Iterator[Path]:
    """A folder of this load alone, taken away at its end; those of killed loads go now.

    While another load runs, of this data folder or into the server of `database`, this one waits
    for its turn (`queue`, and `say` receives it), or raises DatabaseError.
    """
    loads = home / "loads"
    loads.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _acquire_load_lock(home, queue, say):
        if locate_swap_mark(home).is_file():
            # Killed half way: the only store is in the folder of that load, which goes now.
            with hold_server_lock(home):
                finish_store_swap(home)
        for left in loads.iterdir():
            end_orphaned_admin(left / NEW_STORE_FOLDER)
            shutil.rmtree(left, ignore_errors=True)
        folder = loads / load_id
        folder.mkdir(mode=0o700)
        try:
            with (
                nullcontext()
                if database is None
                else hold_load_turn(database, queue=queue, say=say)
            ):
                yield folder
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise DatabaseError(
                "The disk under {home} is full, so the load stopped, and nothing of it counts: "
                "free some space there, or name another data folder with --home.",
                home=home,
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def cache_last_revision(database: Database, progress: Progress) -> None:
    """Reads out the last complete revision, which everybody sees until this load has finished."""
    with suppress(IncompleteError):
        take_snapshot(database, database.settings, progress=progress)


_CREATE_LOAD_STATEMENT: Final = (
    "OPTIONAL MATCH (o:Load) WITH max(o.revision) AS newest, "
    "count(CASE WHEN o.load_id IS NOT NULL AND o.finished_at IS NULL THEN 1 END) AS open, "
    "count(CASE WHEN (o.undoes IS NOT NULL OR o.erased IS NOT NULL) "
    "AND o.finished_at IS NULL THEN 1 END) AS undoing "
    "WHERE undoing = 0 AND (open = 0 OR NOT $alone) "
    "CREATE (l:Load {load_id: $load_id}) SET l += $properties, "
    "l.follows = CASE open WHEN 0 THEN newest END"
)


def create_load_node(
    database: Database, report: LoadReport, more: Mapping[str, Any] | None = None
) -> None:
    """Says in the graph that the load has begun; `more`: further properties.

    `follows` is the revision on which it builds, absent while another load is under way: only a
    load with nothing beside it can be undone exactly. Raises DatabaseError while another folder
    undoes a load or erases people; for an undoing or an erasure, while any load is under way.
    """
    properties = build_load_properties(report) | {"undo": compute_data_folder_id(database)}
    given = {
        "load_id": report.load_id,
        "properties": properties | dict(more or {}),
        "alone": not {"undoes", "erased"}.isdisjoint(more or {}),
    }
    if not database.write(_CREATE_LOAD_STATEMENT, given).nodes_created:
        raise build_undoing_elsewhere_error()


def build_undoing_elsewhere_error() -> DatabaseError:
    return DatabaseError(
        "Another data folder is loading, undoing a load or erasing people: wait until that has "
        "finished; if it broke off, run the same command there again."
    )


def build_load_properties(report: LoadReport) -> dict[str, Any]:
    """What the node of a load says of it from the beginning."""
    return {
        "load_id": report.load_id,
        "loader": report.loader,
        "sources": list(report.sources),
        "started_at": _format_utc_now(),
        "files": [t.file for t in report.tables],
        "rows_read": report.read,
        "rows_accepted": report.accepted,
        "rows_rejected": report.refused,
        "merged_ids": report.merged_ids,
        "journal": True,
    }


_FINISH_STATEMENT: Final = (
    "OPTIONAL MATCH (o:Load) WITH coalesce(max(o.revision), 0) + 1 AS revision, "
    "count(CASE WHEN o.finished_at IS NULL THEN 1 END) AS open "
    "MATCH (l:Load {load_id: $load_id}) "
    "SET l.finished_at = $now, l.revision = revision, l.undoable = CASE "
    "WHEN open = 1 AND l.follows = revision - 1 AND l.undoes IS NULL AND l.erased IS NULL "
    "THEN true END "
    "REMOVE l.undo, l.imported, l.follows, l.staged "
    "WITH l, revision OPTIONAL MATCH (u:Load) WHERE u.finished_at IS NULL "
    "AND u.undoes IS NULL AND u.erased IS NULL AND (u.undo = $folder OR $embedded) "
    "AND size(u.sources) > 0 AND all(s IN u.sources WHERE s IN l.sources) "
    "OPTIONAL MATCH (c:Change {load_id: u.load_id}) SET c.load_id = $load_id "
    "DETACH DELETE u RETURN DISTINCT revision"
)
_DELETE_OLD_JOURNALS_STATEMENT: Final = (
    "MATCH (l:Load) WITH l ORDER BY coalesce(l.revision, $revision) DESC LIMIT $kept "
    "WITH collect(l.load_id) AS kept MATCH (c:Change) WHERE NOT c.load_id IN kept DELETE c"
)
# An undoing touches what the load had touched; where its journal is gone, everything.
_COPY_JOURNAL_STATEMENT: Final = (
    "MATCH (l:Load {load_id: $load_id}) WHERE l.undoes IS NOT NULL "
    "MATCH (b:Load {load_id: l.undoes}) SET b.undone_at = $now, b.undone_by = l.undone_by "
    "REMOVE b.undoable, l.undone_by "
    "WITH b OPTIONAL MATCH (c:Change {load_id: b.load_id}) "
    "CREATE (:Change {load_id: $load_id, frame: coalesce(c.frame, $all), "
    "keys: coalesce(c.keys, [])})"
)


def finish_load(database: Database, load_id: str) -> int:
    """Ends the load: the next revision, and interrupted loads of the same sources are completed.

    Only those of this data folder, whose lock says that they run no more: one of another folder
    that loads into the same server may. What those touched becomes part of this load's journal;
    journals of old loads go. Where the load is an undoing, the one that it undoes is so from now
    on.
    """
    given = {
        "load_id": load_id,
        "now": _format_utc_now(),
        "folder": compute_data_folder_id(database),
        "embedded": database.embedded,
    }

    def finish(tx: ManagedTransaction) -> int:
        revision: int = tx.run(_FINISH_STATEMENT, given).single(strict=True)["revision"]
        tx.run(_COPY_JOURNAL_STATEMENT, given | {"all": EVERY_FRAME_MARK}).consume()
        parameters = {"revision": revision, "kept": MAX_LOAD_JOURNALS}
        tx.run(_DELETE_OLD_JOURNALS_STATEMENT, parameters).consume()
        return revision

    return database.write_with(finish)


def finish_imported_load(database: Database) -> None:
    """Ends the first load whose full store was in place when it was killed."""
    for row in database.read(
        "MATCH (l:Load) WHERE l.finished_at IS NULL AND l.imported RETURN l.load_id AS load"
    ):
        apply_schema(database)
        finish_load(database, row["load"])


def complete_undoing(
    database: Database,
    load_id: str,
    undoes: str,
    progress: Progress = lambda what, done, total: None,
) -> int:
    """Puts back what is left of a load's images and ends the undoing; the revision after it.

    Whatever stops it, it goes on from there when it is called again.
    """
    restore_before_load(database, undoes, progress)
    revision = finish_load(database, load_id)
    delete_old_undo_images(database, database.settings.undo_loads)
    return revision


def compute_data_folder_id(database: Database) -> str:
    """Tells this machine's data folder from others that load into the same server."""
    place = f"{socket.gethostname()} {database.settings.home.resolve()}"
    return hashlib.sha256(place.encode()).hexdigest()[:12]


def _format_utc_now() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
