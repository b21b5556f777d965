"""Which ids were joined, or parted again, between two revisions."""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from graph.people.aliases import list_all_further_ids
from graph.people.organisation_aliases import list_organisation_aliases
from graph.snapshot.frames import Snapshot

MERGE_COLUMNS: Final = (
    "label",
    "id",
    "alias_id",
    "change",
    "basis",
    "probability",
    "row",
    "sources",
)
_SCHEMA: Final[dict[str, Any]] = {
    **dict.fromkeys(MERGE_COLUMNS, pl.String),
    "probability": pl.Float64,
    "sources": pl.List(pl.String),
}
_KEYS: Final = ("label", "id", "alias_id")


def compare_merged_ids(before: Snapshot, after: Snapshot) -> pl.DataFrame:
    """label, id (that stands), alias_id, change (merged, parted), basis, probability, row, sources.

    People and organisations, by label. An id that stood for itself before and is known as a
    further id of another after was merged; the other way round it was parted.
    """
    old, new = _list_merged_ids(before), _list_merged_ids(after)
    parts = [
        some.join(others, on=_KEYS, how="anti").with_columns(change=pl.lit(change))
        for some, others, change in ((new, old, "merged"), (old, new, "parted"))
    ]
    return pl.concat(parts).select(*_SCHEMA).sort(*_KEYS, "change")


def _list_merged_ids(snapshot: Snapshot) -> pl.DataFrame:
    people = list_all_further_ids(snapshot).rename({"person_id": "id"})
    places = list_organisation_aliases(snapshot).rename({"organisation_id": "id"})
    named = people.with_columns(label=pl.lit("Person"))
    both = pl.concat([named, places], how="diagonal_relaxed")
    return both.with_columns(
        pl.col(name).cast(kind) for name, kind in _SCHEMA.items() if name != "change"
    )
