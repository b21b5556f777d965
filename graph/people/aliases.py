"""The further ids under which departments state a person."""

from __future__ import annotations

from collections.abc import Collection

import polars as pl

from graph.snapshot.frames import Snapshot


def resolve_person_ids(snapshot: Snapshot, ids: Collection[str]) -> dict[str, str]:
    """person_id by each of these ids that is a further id of somebody; others are left out."""
    aliases = snapshot.frames.get("aliases")
    if aliases is None or not ids:
        return {}
    wanted = pl.Series(list(ids), dtype=pl.String)
    found = aliases.filter(pl.col("alias_id").is_in(wanted.implode())).select("alias_id", "person")
    people = snapshot.frames["people"].select("person", "person_id")
    if found.limit(1).collect().is_empty():
        return {}
    return dict(found.join(people, on="person").select("alias_id", "person_id").collect().rows())


def resolve_person_id(snapshot: Snapshot, person_id: str) -> str:
    """The id that stands for this one: itself, unless it is a further id of somebody."""
    return resolve_person_ids(snapshot, [person_id]).get(person_id, person_id)


def count_aliases(snapshot: Snapshot) -> int:
    """The further ids that the figures rest on: each joins two records into one person."""
    aliases = snapshot.frames.get("aliases")
    return 0 if aliases is None else int(aliases.select(pl.len()).collect().item())
