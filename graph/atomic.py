"""A file or a folder that is there whole or not at all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


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
