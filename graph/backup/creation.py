"""A backup made: the graph and all files of a data folder at one moment, in one file.

No load runs meanwhile. Counts and checksum of the graph are read first, while Neo4j still serves.
Then it stops: Neo4j's Community Edition copies no store that is open. While it is down the pages
are answered from the snapshot of the revision. The files are copied with the audit log locked, so
that nothing that has a line in it happens between two of them; then the store's dump goes
straight into the file, and Neo4j starts again.
"""

from __future__ import annotations

import datetime as dt
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from filelock import FileLock, Timeout

from graph.archive.parts import PartWriter
from graph.archive.register import RegisteredBackup, register_backup
from graph.archive.sealing import SealedWriter
from graph.atomic import create_private_file, sync_folder, write_file_atomically
from graph.audit.log import lock_audit_log, record_event
from graph.backup.contents import iterate_file_blocks, list_backup_files
from graph.errors import ArchiveError, DatabaseError, IncompleteError, ShichengError, UsageError
from graph.messages import Message, Say
from graph.server.admin import (
    read_database_info,
    require_existing_store,
    stream_dump,
    take_store_offline,
)
from graph.server.database import Database, connect
from graph.server.location import DATABASE, locate_store
from graph.server.locks import BACKUP_LOCK_NAME, LOAD_LOCK_NAME, LOAD_LOCK_SECONDS
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.checksum import compute_graph_checksum
from graph.system_errors import reason_of

GRAPH_PART_NAME: Final = "graph.dump"
_CHECKSUM_TRIES: Final = 3


@dataclass(frozen=True)
class GraphMoment:
    """What a backup states of the graph, and when Neo4j's log was last written to by then."""

    facts: Mapping[str, Any]
    log_times: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class MadeBackup:
    """What was made; `facts` are the head's: revision, versions, counts, checksum of the graph."""

    file: Path
    size: int
    encrypted: bool
    facts: Mapping[str, Any]


def create_backup(
    settings: Settings,
    target: Path,
    *,
    key: bytes | None,
    days: int | None = None,
    force: bool = False,
    say: Say = lambda line: None,
) -> MadeBackup:
    """Write a backup of the data folder into a file, or under a name of its own into a folder.

    Without a key it is not encrypted. With NEO4J_URI it holds the files alone: the server is not
    ours to stop. `days`: noted as the day until which it stays. Raises ShichengError; then there
    is no file, or the one that was there before.
    """
    now = dt.datetime.now(dt.UTC)
    file = _choose_backup_file(target, now, force=force)
    with _hold_load_lock(settings.home):
        _require_complete_erasure(settings.home)
        moment = _read_graph_moment(settings)
        facts = {**moment.facts, **_describe_program(now)}
        _require_free_disk(file.parent, settings.home, facts)
        record_event(settings.home, "backup", what="home", encrypted=key is not None)
        try:
            with write_file_atomically(file) as making, create_private_file(making) as out:
                writer = PartWriter(SealedWriter(out, facts, key))
                _write_parts(settings, writer, moment, say)
                out.flush()
                os.fsync(out.fileno())
            sync_folder(file.parent)
        except OSError as error:
            raise _build_unwritten_error(file, error) from error
        until = None if days is None else (now + dt.timedelta(days=days)).date().isoformat()
        size = file.stat().st_size
        made = now.isoformat(timespec="seconds")
        revision = facts["revision"]
        register_backup(
            settings.home,
            RegisteredBackup(str(file), made, size, revision, key is not None, until),
        )
    return MadeBackup(file, size, key is not None, facts)


def _choose_backup_file(target: Path, now: dt.datetime, *, force: bool) -> Path:
    file = target.expanduser().absolute()
    if file.is_dir():
        file /= f"shicheng-{now:%Y%m%dT%H%M%SZ}.backup"
    if file.exists() and not force:
        raise UsageError(
            "{file} exists already: name another file, or overwrite it with --force.", file=file
        )
    return file


@contextmanager
def _hold_load_lock(home: Path) -> Iterator[None]:
    if not home.is_dir():
        raise DatabaseError(
            "There is no data folder {home}: name it with --home or SHICHENG_HOME.", home=home
        )
    try:
        held = FileLock(home / LOAD_LOCK_NAME).acquire(timeout=LOAD_LOCK_SECONDS)
    except Timeout:
        raise DatabaseError(
            "A load with the data folder {home} is running: make the backup when it has finished.",
            home=home,
        ) from None
    with held, FileLock(home / BACKUP_LOCK_NAME):
        yield


def _require_complete_erasure(home: Path) -> None:
    if (home / "erasure" / "order.json").exists():
        raise ShichengError(
            "An erasure of people was broken off: complete it with `shicheng forget --resume`, "
            "then make the backup."
        )


def _describe_program(now: dt.datetime) -> dict[str, Any]:
    from importlib.metadata import version

    return {"made_at": now.isoformat(timespec="seconds"), "program": version("shicheng")}


def _read_graph_moment(settings: Settings) -> GraphMoment:
    """Versions, revision, counts and checksum of the graph; its last revision is cached, for the
    pages while Neo4j is down.
    """
    if not settings.neo4j_uri:
        require_existing_store(settings)
    with connect(settings) as database:
        with suppress(IncompleteError):
            take_snapshot(database, settings)
        info = read_database_info(database)
        described = {
            "graph": database.embedded,
            "neo4j": info.version,
            "revision": info.revision,
            "nodes": info.nodes,
            "relationships": info.relationships,
        }
        if not database.embedded:
            return GraphMoment(described)
        checksum, log_times = _compute_settled_checksum(database)
    store = sum(
        file.stat().st_blocks * 512
        for kind in ("databases", "transactions")
        for file in (locate_store(settings.home) / "data" / kind / DATABASE).rglob("*")
    )
    return GraphMoment({**described, "checksum": checksum, "store_bytes": store}, log_times)


def _compute_settled_checksum(
    database: Database,
) -> tuple[dict[str, Any], tuple[tuple[str, int], ...]]:
    """The checksum of a graph that nobody wrote to while it was read, and the times of its log.

    No load runs, but another program may be connected by Bolt.
    """
    for _ in range(_CHECKSUM_TRIES):
        before = _read_log_times(database.settings.home)
        checksum = compute_graph_checksum(database)
        if _read_log_times(database.settings.home) == before:
            return checksum.as_dict(), before
    raise _build_other_writer_error(database.settings.home)


def _read_log_times(home: Path) -> tuple[tuple[str, int], ...]:
    """When each file of Neo4j's transaction log was last written to; every write ends up in one."""
    logs = (locate_store(home) / "data" / "transactions" / DATABASE).glob("neostore.transaction.*")
    return tuple(sorted((log.name, log.stat().st_mtime_ns) for log in logs))


def _build_other_writer_error(home: Path) -> DatabaseError:
    return DatabaseError(
        "Another program writes to the store in {home}: end it, then make the backup.", home=home
    )


def _require_free_disk(folder: Path, home: Path, facts: Mapping[str, Any]) -> None:
    """Refuses what would not fit; the dump is compressed, so this asks for more than it takes."""
    needed = int(facts.get("store_bytes", 0))
    for file in list_backup_files(home):
        with suppress(FileNotFoundError):  # it may vanish after it was listed
            needed += file.stat().st_size
    if not folder.is_dir():
        raise UsageError("There is no folder {folder}: make it first.", folder=folder)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ArchiveError(
            "{folder} has {free:,} MB free, and the backup may take {needed:,} MB: free some space "
            "there, or name another folder.",
            folder=folder,
            free=free >> 20,
            needed=needed >> 20,
        )


def _write_parts(settings: Settings, writer: PartWriter, moment: GraphMoment, say: Say) -> None:
    if moment.facts["graph"]:
        with take_store_offline(settings, say):
            # Written to after it was read, by another program: it is not what the backup states.
            if _read_log_times(settings.home) != moment.log_times:
                raise _build_other_writer_error(settings.home)
            _add_home_files(writer, settings.home)
            writer.add_part(GRAPH_PART_NAME, "graph", stream_dump(settings))
    else:
        say(
            Message(
                "NEO4J_URI names a server of its own, so the graph is not in this backup: back it "
                "up at the same time with that server's `neo4j-admin database dump` or "
                "`neo4j-admin database backup`, or in the console of its cloud."
            )
        )
        _add_home_files(writer, settings.home)
    writer.finish_parts()


def _add_home_files(writer: PartWriter, home: Path) -> None:
    """All files of one moment: what has a line in the audit log waits until they are copied."""
    with lock_audit_log(home):
        for file in list_backup_files(home):
            name = file.relative_to(home).as_posix()
            with suppress(FileNotFoundError):
                writer.add_part(name, "file", iterate_file_blocks(file))


def _build_unwritten_error(file: Path, error: OSError) -> ShichengError:
    return DatabaseError(
        "{file} cannot be written ({reason}): free some space there, or name a file in "
        "another folder.",
        file=file,
        reason=reason_of(error),
    )
