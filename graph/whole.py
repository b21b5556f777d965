"""A folder that is there whole or not at all."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
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
