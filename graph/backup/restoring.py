"""A backup put into a data folder: verified first, made beside the place, then moved into it."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

from filelock import FileLock, Timeout

from graph.archive.parts import PartKind, iterate_parts
from graph.archive.sealing import SealedReader
from graph.audit.log import record_event
from graph.backup.carried_lists import (
    ERASED_LIST_NAME,
    has_same_identity_key,
    merge_carried_lists,
)
from graph.backup.contents import is_left_out
from graph.backup.creation import GRAPH_PART_NAME
from graph.cypher.spool import SPOOL_FOLDER
from graph.errors import ArchiveError, DatabaseError, RefusedError, ShichengError, UsageError
from graph.messages import Message, Say
from graph.server.admin import (
    load_dump_stream,
    note_dump,
    read_database_info,
)
from graph.server.configuration import NEW_BYTES, find_free_port, write_server_files
from graph.server.database import connect
from graph.server.embedded import can_open_store, stop_server
from graph.server.locks import LOAD_LOCK_NAME, LOAD_LOCK_SECONDS, lock_store_offline
from graph.settings import Settings
from graph.store.checksum import compute_graph_checksum
from graph.system_errors import reason_of

# What a head states, and as what; of the graph where there is one.
_NEEDED_FACTS: Final[dict[str, Any]] = {
    "made_at": str,
    "graph": bool,
    "revision": int | None,
}
_NEEDED_GRAPH_FACTS: Final[dict[str, Any]] = {
    "neo4j": str,
    "nodes": dict,
    "relationships": dict,
    "checksum": dict,
}


@dataclass(frozen=True)
class VerifiedBackup:
    """A backup every byte of which is as it was written: its facts, and the sizes of its parts."""

    file: Path
    encrypted: bool
    facts: Mapping[str, Any]
    sizes: Mapping[str, int]


@dataclass(frozen=True)
class RestoredBackup:
    """What was restored; `aside` is the data folder that stood in the place, None if none did.

    `erased` says whether people were erased from that one, whom the backup may still hold.
    """

    verified: VerifiedBackup
    aside: Path | None
    erased: bool


def verify_backup(
    file: Path, key: bytes | None, *, allow_unencrypted: bool = False
) -> VerifiedBackup:
    """Read a backup to its end. Raises ArchiveError, which says what is wrong with it.

    With a key a backup that is not encrypted is refused, unless `allow_unencrypted`.
    """
    with _open_backup(file, key, allow_unencrypted=allow_unencrypted) as stream:
        _require_facts(file, stream.head.facts)
        sizes = {
            path: sum(map(len, blocks)) for path, _, blocks in _iterate_own_parts(stream, file)
        }
        return VerifiedBackup(file, stream.head.encrypted, stream.head.facts, sizes)


def verify_backup_deeply(
    settings: Settings,
    file: Path,
    key: bytes | None,
    *,
    allow_unencrypted: bool = False,
    say: Say = lambda line: None,
) -> VerifiedBackup:
    """Restore a backup into a folder beside the data folder, and compare the graph with what was
    backed up. The folder is its owner's alone and goes at the end.
    """
    verified = verify_backup(file, key, allow_unencrypted=allow_unencrypted)
    _require_usable(settings, verified)
    home = settings.home.absolute()
    if home.is_dir():  # a log alone would make a data folder, into which nothing is restored
        record_event(home, "backup", what="verify_deep")
    try:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _require_room(home.parent, verified)
        # Not the folder for temporary files: plain data may not belong on that disk.
        prefix = f".{home.name}.verifying-"
        with tempfile.TemporaryDirectory(dir=home.parent, prefix=prefix) as folder:
            _fill_home(settings.at(Path(folder) / "home"), verified, key, say)
    except OSError as error:
        raise DatabaseError(
            "{folder} cannot be written ({reason}), and the backup is restored there to be "
            "verified: free some space there or mend its permissions.",
            folder=home.parent,
            reason=reason_of(error),
        ) from error
    return verified


def restore_backup(
    settings: Settings,
    file: Path,
    *,
    key: bytes | None,
    replace: bool = False,
    allow_unencrypted: bool = False,
    say: Say = lambda line: None,
) -> RestoredBackup:
    """Make the data folder of `settings` out of a backup.

    A data folder that holds something is refused, or with `replace` set aside when the new one is
    complete. `allow_unencrypted`: as of `verify_backup`. Raises ShichengError; then everything is
    as it was.
    """
    home = settings.home.absolute()
    file = file.expanduser().absolute()
    stands = home.exists() and any(home.iterdir()) if home.is_dir() else home.exists()
    if stands and not replace:
        raise RefusedError(
            "The data folder {home} is not empty: name another with --home, or set it aside with "
            "--replace.",
            home=home,
        )
    if home.is_symlink():
        raise UsageError("{home} is a link: name the folder that it leads to.", home=home)
    verified = verify_backup(file, key, allow_unencrypted=allow_unencrypted)
    _require_usable(settings, verified)
    new = home.with_name(f".{home.name}.restoring-{uuid.uuid4().hex[:8]}")
    try:
        home.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        _require_room(home.parent, verified)
        _fill_home(settings.at(new), verified, key, say)
        record_event(new, "restore", what="home", replaced=stands)
        aside, erased = None, False
        if stands:
            _require_same_identity_key(home, new)
            aside, erased = _swap_homes(settings, new, home)
        else:
            with suppress(FileNotFoundError):
                home.rmdir()
            new.rename(home)
    except OSError as error:
        raise DatabaseError(
            "{home} cannot be written ({reason}), so nothing was restored: free some space there "
            "or mend its permissions.",
            home=home,
            reason=reason_of(error),
        ) from error
    finally:
        shutil.rmtree(new, ignore_errors=True)
    if aside is not None:
        note_dump(home, aside)  # it holds whoever is erased later
    return RestoredBackup(verified, aside, erased)


@contextmanager
def _open_backup(
    file: Path, key: bytes | None, *, allow_unencrypted: bool
) -> Iterator[SealedReader]:
    try:
        with file.open("rb") as source:
            yield SealedReader(source, file, key, allow_unencrypted=allow_unencrypted)
    except OSError as error:
        raise ArchiveError(
            "{file} cannot be read ({reason}).", file=file, reason=reason_of(error)
        ) from error


def _require_facts(file: Path, facts: Mapping[str, Any]) -> None:
    """Refuses a head that does not state what is used of it."""
    needed = _NEEDED_FACTS | (_NEEDED_GRAPH_FACTS if facts.get("graph") else {})
    wrong = [name for name, kinds in needed.items() if not isinstance(facts.get(name), kinds)]
    if wrong or not isinstance(facts.get("store_bytes", 0), int):
        raise ArchiveError(
            "The head of {file} lacks what a backup states: it was not made by this program.",
            file=file,
        )


def _iterate_own_parts(
    stream: SealedReader, file: Path
) -> Iterator[tuple[str, PartKind, Iterator[bytes]]]:
    """The parts that `create_backup` writes. Raises ArchiveError for one that it leaves out.

    Such a part would put a plug-in into Neo4j's folder, or figures beside a snapshot.
    """
    has_graph = stream.head.facts["graph"]
    for path, kind, blocks in iterate_parts(stream, file):
        if kind == "file" and PurePosixPath(path).parts[0] == SPOOL_FOLDER:
            continue  # rows of query results, which earlier versions put into backups
        foreign = is_left_out(PurePosixPath(path)) if kind == "file" else not has_graph
        if foreign:
            raise ArchiveError(
                "{file} holds {part}, which a backup never holds: it was not made by this program.",
                file=file,
                part=path,
            )
        yield path, kind, blocks


def _require_usable(settings: Settings, verified: VerifiedBackup) -> None:
    """Whether this program, with these settings, can hold the backup's graph."""
    facts = verified.facts
    if not facts["graph"]:
        return
    if settings.neo4j_uri:
        raise UsageError(
            "{file} holds an embedded store, and NEO4J_URI names a server of its own: unset it to "
            "restore.",
            file=verified.file,
        )
    if not can_open_store(facts["neo4j"], settings.neo4j_version):
        raise DatabaseError(
            "{file} holds a store of Neo4j {wrote}, which {version} does not open: set "
            "SHICHENG_NEO4J_VERSION={wrote}.",
            file=verified.file,
            wrote=facts["neo4j"],
            version=settings.neo4j_version,
        )


def _require_room(folder: Path, verified: VerifiedBackup) -> None:
    files = sum(size for path, size in verified.sizes.items() if path != GRAPH_PART_NAME)
    needed = files + int(verified.facts.get("store_bytes", 0)) + NEW_BYTES
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise ArchiveError(
            "{folder} has {free:,} MB free, and the restored data folder takes {needed:,} MB: free "
            "some space there, or name another folder.",
            folder=folder,
            free=free >> 20,
            needed=needed >> 20,
        )


def _fill_home(settings: Settings, verified: VerifiedBackup, key: bytes | None, say: Say) -> None:
    """Makes a new data folder of a backup, and compares its graph with what the backup states."""
    home = settings.home
    home.mkdir(mode=0o700)
    has_graph = bool(verified.facts["graph"])
    try:
        if has_graph:
            # neo4j-admin asks for a configuration; the first start makes the rest of a store.
            write_server_files(settings, find_free_port(0))
        with _open_backup(verified.file, key, allow_unencrypted=not verified.encrypted) as stream:
            for path, kind, blocks in _iterate_own_parts(stream, verified.file):
                _restore_part(settings, verified.file, path, kind, blocks)
        if has_graph:
            say(Message("Comparing the restored graph with the one that was backed up ..."))
            _require_same_graph(settings, verified)
    finally:
        stop_server(settings)


def _restore_part(
    settings: Settings, file: Path, path: str, kind: PartKind, blocks: Iterator[bytes]
) -> None:
    if kind == "graph":
        load_dump_stream(settings, blocks, Message("The restore of {file}", file=file))
        return
    place = settings.home / path
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        for block in blocks:
            out.write(block)
        out.flush()
        os.fsync(out.fileno())


def _require_same_graph(settings: Settings, verified: VerifiedBackup) -> None:
    facts = verified.facts
    with connect(settings) as database:
        info = read_database_info(database)
        checksum = compute_graph_checksum(database)
    found = (info.nodes, info.relationships, checksum.as_dict())
    if found != (facts["nodes"], facts["relationships"], facts["checksum"]):
        raise ArchiveError(
            "The graph in {file} is not the one that it states ({nodes:,} nodes, {relations:,} "
            "relations). Take another backup.",
            file=verified.file,
            nodes=checksum.nodes,
            relations=checksum.relations,
        )


def _require_same_identity_key(home: Path, new: Path) -> bool:
    """Whether people were erased. With another key of digests their list would bar nobody."""
    erased = (home / ERASED_LIST_NAME).is_file()
    if erased and not has_same_identity_key(home, new):
        raise ShichengError(
            "People were erased from {home}, and the backup has another identity.key, with which "
            "they would not be recognised: restore into another folder with --home.",
            home=home,
        )
    return erased


def _swap_homes(settings: Settings, new: Path, home: Path) -> tuple[Path, bool]:
    """Puts the new folder in the place of the old one, which is set aside; or nothing happens.

    Where the old one is, and whether people were erased from it.
    """
    made = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S")
    aside = home.with_name(f"{home.name}.replaced-{made}")
    if not home.is_dir():
        raise UsageError("{home} is no folder: take it away.", home=home)
    try:
        held = FileLock(home / LOAD_LOCK_NAME).acquire(timeout=LOAD_LOCK_SECONDS)
    except Timeout:
        raise DatabaseError(
            "A load with the data folder {home} is running: restore when it has finished.",
            home=home,
        ) from None
    with held, lock_store_offline(home):
        record_event(home, "restore", what="home", replaced=True)
        stop_server(settings)
        # Not before the lock is had: an erasure may have ended while it was waited for.
        erased = _require_same_identity_key(home, new)
        merge_carried_lists(home, new)
        home.rename(aside)
        try:
            new.rename(home)
        except OSError:
            aside.rename(home)
            raise
    return aside, erased
