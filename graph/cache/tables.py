"""Metric tables, cached as Parquet beside their snapshot.

Of persons only the leading talents are stored: the pages list talents and places, and half a
million other mentors would be read for nothing. A table is deleted with its snapshot.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from graph.atomic import write_file_atomically
from graph.snapshot.frames import Snapshot

# Raised when the tables change, so that older files are not read as these.
CACHED_TABLE_VERSION: Final = 3
MAX_CACHED_TABLES: Final = 100


def has_cached_table(place: Path | None) -> bool:
    """Whether a table is cached at the place."""
    return place is not None and place.exists()


def load_cached_table(place: Path | None, found: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """The table at the place, or what `found` gives, written there atomically."""
    if place is None:
        return found()
    materialize_table(place, found)
    return pl.read_parquet(place)


def scan_cached_table(place: Path | None, found: Callable[[], pl.DataFrame]) -> pl.LazyFrame:
    """As `load_cached_table`, lazily."""
    if place is None:
        return found().lazy()
    materialize_table(place, found)
    return pl.scan_parquet(place)


def materialize_table(place: Path, found: Callable[[], pl.DataFrame]) -> None:
    """Ensures that the table is at the place, written there atomically."""
    if not place.exists():
        place.parent.mkdir(mode=0o700, exist_ok=True)
        with write_file_atomically(place) as making:
            found().write_parquet(making, compression="lz4")
        _sweep_cached_tables(place.parent)


def _sweep_cached_tables(folder: Path) -> None:
    """Keep the tables made last: of days gone by nobody asks again."""
    made = sorted(folder.glob("table-*.parquet"), key=lambda f: f.stat().st_mtime, reverse=True)
    for file in made[MAX_CACHED_TABLES:]:
        file.unlink(missing_ok=True)


def build_table_path(snapshot: Snapshot, name: str, *parts: object) -> Path | None:
    """Where a table of this name stands; None for a snapshot in memory alone."""
    if snapshot.folder is None:
        return None
    digest = hashlib.sha256(
        json.dumps([CACHED_TABLE_VERSION, *parts], default=str).encode()
    ).hexdigest()[:12]
    return snapshot.folder / "results" / f"table-{name}-{digest}.parquet"
