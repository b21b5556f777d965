"""Atomic writes: a file or a folder is there complete or not at all."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def write_file_atomically(file: Path) -> Iterator[Path]:
    """Gives a path beside the file, which takes its name when the block ends without error.

    Two who write the same file at once do not get into each other's way: the last one's stays.
    """
    making = file.with_name(f".making-{uuid.uuid4().hex}{file.suffix}")
    try:
        yield making
        making.replace(file)
    finally:
        making.unlink(missing_ok=True)


@contextmanager
def write_folder_atomically(place: Path) -> Iterator[Path]:
    """Gives an empty folder beside the place, which becomes it when the block ends without error.

    When another process has made the same one meanwhile, that one stays: either is as good.
    """
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = place.parent / f".making-{uuid.uuid4().hex}"
    making.mkdir(mode=0o700)
    try:
        yield making
        try:
            making.rename(place)
        except OSError:
            if not place.exists():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def write_private_file(file: Path, content: bytes) -> None:
    """Writes a file that its owner alone reads; it is on the disk, under its name, afterwards."""
    with write_file_atomically(file) as making:
        create_synced(making, content)
    sync_folder(file.parent)


def create_private_file(file: Path) -> BinaryIO:
    """A new file, its owner's alone, to write to. Raises FileExistsError."""
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "wb")


def create_synced(file: Path, content: bytes) -> None:
    """A new file, its owner's alone, brought to the disk. Raises FileExistsError."""
    _write_synced(file, content, os.O_EXCL)


def append_synced(file: Path, content: bytes) -> None:
    """Adds to the end of a file, brought to the disk; a new one is its owner's alone."""
    _write_synced(file, content, os.O_APPEND)


def _write_synced(file: Path, content: bytes, flag: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | flag, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())


def sync_folder(folder: Path) -> None:
    """Brings the names in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
