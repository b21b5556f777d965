"""Which files of a data folder a backup holds: all but those that are made anew, and copies."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Final

from graph.archive.register import REGISTER_NAME
from graph.cypher.spool import SPOOL_FOLDER
from graph.errors import ArchiveError
from graph.server.admin import STREAM_BLOCK_BYTES

# At the top of the data folder. The store comes as a dump; snapshots are read from it anew; the
# password belongs to this server, and a restored one makes its own.
LEFT_OUT_NAMES: Final = (
    "neo4j",
    "neo4j.json",
    "neo4j.password",
    "neo4j.port",
    "neo4j.swap",
    "neo4j.version",
    "snapshots",
    "standing.json",
    "logs",
    "loads",
    "uploads",
    "erasure-store",
    # Rows of query results, with the names that their reader may see.
    SPOOL_FOLDER,
    # Which backups there are is known where they were made.
    REGISTER_NAME,
)
# Anywhere: what is being made, locks, and copies of the data.
_LEFT_OUT_PATTERNS: Final = (
    ".*",
    "*.lock",
    "*.backup",
    "*.dump",
    "*.damaged-*",
    "restore-*",
    "*.sqlite-journal",
    "*.sqlite-wal",
    "*.sqlite-shm",
)


def list_backup_files(home: Path) -> list[Path]:
    """The files by path. Raises ArchiveError for a link: what it leads to is not of this folder."""
    found: list[Path] = []
    for name, folders, files in os.walk(home):
        folder = Path(name)
        for entry in (*folders, *files):
            if is_left_out((folder / entry).relative_to(home)):
                continue
            if (folder / entry).is_symlink():
                raise ArchiveError(
                    "{file} is a link, and a backup holds files alone: put what it leads to in "
                    "its place, or take it away.",
                    file=folder / entry,
                )
            if entry in files and (folder / entry).is_file():
                found.append(folder / entry)
        folders[:] = [
            entry for entry in folders if not is_left_out((folder / entry).relative_to(home))
        ]
    return sorted(found)


def is_left_out(path: PurePath) -> bool:
    """Whether a backup leaves out what has this path, which is relative to the data folder."""
    # Some file systems take Neo4j for neo4j.
    return path.parts[0].casefold() in LEFT_OUT_NAMES or any(
        fnmatch(part, pattern) for part in path.parts for pattern in _LEFT_OUT_PATTERNS
    )


def iterate_file_blocks(file: Path) -> Iterator[bytes]:
    """The bytes of a file; of an SQLite file those of one moment, whoever writes to it."""
    if file.suffix == ".sqlite":
        yield from _iterate_database_blocks(file)
        return
    with file.open("rb") as source:
        while block := source.read(STREAM_BLOCK_BYTES):
            yield block


def _iterate_database_blocks(file: Path) -> Iterator[bytes]:
    """SQLite's own copy of it, in a file that its owner alone reads and that goes at once."""
    with tempfile.TemporaryDirectory(dir=file.parent, prefix=".making-") as folder:
        copy = Path(folder) / "copy"
        try:
            with (
                # A plain path would make a new, empty file of one that vanished.
                closing(
                    sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", timeout=30, uri=True)
                ) as opened,
                closing(sqlite3.connect(copy)) as copied,
            ):
                opened.backup(copied)
        except sqlite3.DatabaseError as error:
            if not file.exists():
                raise FileNotFoundError(file) from error
            raise ArchiveError(
                "{file} cannot be read, so nothing was backed up: see `shicheng doctor`.",
                file=file,
            ) from error
        yield from iterate_file_blocks(copy)
