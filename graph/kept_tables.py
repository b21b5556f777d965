"""A metric's table, kept as Parquet beside the snapshot it was found in.

Of persons only the leading talents are kept: what the pages list is talents and places, and half a
million other mentors would be read for nothing. A table goes with its snapshot.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

import polars as pl

from graph.metrics import METRICS
from graph.metrics.driven import Driven
from graph.policy import Policy
from graph.snapshot import Snapshot

# Raised when the tables change, so that those of an older form are not read as these.
FORMAT: Final = 1
KEPT: Final = 60
# Rows of these metrics are people, or people and places: the leading talents alone are kept.
OF_PEOPLE: Final = frozenset({"person", "node"})
# On these the policy does not bear (docs/metrics.md): one table a snapshot.
WITHOUT_POLICY: Final = frozenset(
    {"mpact", "genealogical_index", "centrality", "components", "communities"}
)


def metric_table(
    snapshot: Snapshot,
    policy: Policy,
    name: str,
    *,
    driven: Driven | None = None,
    **parameters: str,
) -> pl.DataFrame:
    """The metric's table under the policy: the kept one, or one computed now and kept.

    Raises `UsageError` as the metric does.
    """
    place = _place(snapshot, policy, name, parameters)

    def found() -> pl.DataFrame:
        table = METRICS[name].table(snapshot, policy, driven=driven, **parameters)
        return of_talents(table, snapshot) if METRICS[name].row in OF_PEOPLE else table

    return kept_table(place, found)


def of_talents(table: pl.DataFrame, snapshot: Snapshot) -> pl.DataFrame:
    """The table without the persons who are no leading talents; others' rows as they are."""
    for key in ("person_id", "id"):
        if key in table.columns:
            talents = (
                snapshot.frames["people"].filter("leading").select("person_id").collect()
            )["person_id"]  # fmt: skip
            is_talent = pl.col(key).is_in(talents.implode())
            if "kind" in table.columns:
                return table.filter((pl.col("kind") != "person") | is_talent)
            return table.filter(is_talent)
    return table


def is_kept(snapshot: Snapshot, policy: Policy, name: str, **parameters: str) -> bool:
    """Whether the table is there, so that asking for it costs next to nothing."""
    return is_there(_place(snapshot, policy, name, parameters))


def is_there(place: Path | None) -> bool:
    """Whether a table is kept at the place."""
    return place is not None and place.exists()


def kept_table(place: Path | None, found: Callable[[], pl.DataFrame]) -> pl.DataFrame:
    """The table at the place, or what `found` gives, written there whole or not at all."""
    if place is None:
        return found()
    kept_file(place, found)
    return pl.read_parquet(place)


def kept_frame(place: Path | None, found: Callable[[], pl.DataFrame]) -> pl.LazyFrame:
    """As `kept_table`, read no further than what is asked of it."""
    if place is None:
        return found().lazy()
    kept_file(place, found)
    return pl.scan_parquet(place)


def kept_file(place: Path, found: Callable[[], pl.DataFrame]) -> None:
    """Sees to it that the table is at the place, written there whole or not at all."""
    if not place.exists():
        place.parent.mkdir(mode=0o700, exist_ok=True)
        making = place.parent / f".making-{uuid.uuid4().hex}.parquet"
        try:
            found().write_parquet(making, compression="lz4")
            making.replace(place)
            _sweep(place.parent)
        finally:
            making.unlink(missing_ok=True)


def _sweep(folder: Path) -> None:
    """Keep the tables made last: of days gone by nobody asks again."""
    made = sorted(folder.glob("table-*.parquet"), key=lambda f: f.stat().st_mtime, reverse=True)
    for file in made[KEPT:]:
        file.unlink(missing_ok=True)


def table_place(snapshot: Snapshot, name: str, *parts: object) -> Path | None:
    """Where a table of this name stands; None for a snapshot in memory alone."""
    if snapshot.folder is None:
        return None
    digest = hashlib.sha256(json.dumps([FORMAT, *parts], default=str).encode()).hexdigest()[:12]
    return snapshot.folder / "results" / f"table-{name}-{digest}.parquet"


def _place(
    snapshot: Snapshot, policy: Policy, name: str, parameters: dict[str, str]
) -> Path | None:
    rules = "" if name in WITHOUT_POLICY else policy.id
    return table_place(snapshot, name, rules, sorted(parameters.items()))
