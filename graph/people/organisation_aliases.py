"""The further ids under which departments state an enterprise, a school or a studio."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import polars as pl

from graph.snapshot.frames import Snapshot

# Label -> the frames of its further ids and of its nodes, and their key.
ORGANISATION_FRAMES: Final[Mapping[str, tuple[str, str, str]]] = {
    "Enterprise": ("enterprise_aliases", "enterprises", "enterprise_id"),
    "School": ("school_aliases", "schools", "school_id"),
    "Studio": ("studio_aliases", "studios", "studio_id"),
}
_ALIAS_SCHEMA: Final[Mapping[str, Any]] = {
    "label": pl.String,
    "organisation_id": pl.String,
    "alias_id": pl.String,
    "basis": pl.String,
    "row": pl.String,
    "sources": pl.List(pl.String),
}


def resolve_organisation_ids(
    snapshot: Snapshot, label: str, ids: Collection[str]
) -> dict[str, str]:
    """The id that stands, by each of these ids that is a further id of one; others are left out."""
    frame, _, key = ORGANISATION_FRAMES[label]
    aliases = snapshot.frames.get(frame)
    if aliases is None or not ids:
        return {}
    wanted = pl.Series(list(ids), dtype=pl.String)
    found = aliases.filter(pl.col("alias_id").is_in(wanted.implode()))
    return dict(found.select("alias_id", key).collect().rows())


def resolve_organisation_id(snapshot: Snapshot, id: str) -> str:
    """The id that stands for this one: itself, unless it is but a further id of an organisation."""
    for label in ORGANISATION_FRAMES:
        if standing := resolve_organisation_ids(snapshot, label, [id]):
            return id if _is_organisation(snapshot, id) else standing[id]
    return id


def _is_organisation(snapshot: Snapshot, id: str) -> bool:
    """Whether an organisation of some kind goes by the id: a school may have an employer's name."""
    return any(
        snapshot.frames[frame].filter(pl.col(key) == id).select(pl.len()).collect().item()
        for _, frame, key in ORGANISATION_FRAMES.values()
    )


def list_organisation_aliases(
    snapshot: Snapshot, ids: Mapping[str, Collection[str]] | None = None
) -> pl.DataFrame:
    """Further ids: label, organisation_id, alias_id, basis, row, sources; `ids` by label, or all.

    `row` and `sources` say who knows the organisation by it.
    """
    parts = [pl.DataFrame(schema=_ALIAS_SCHEMA)]
    for label, (frame, _, key) in ORGANISATION_FRAMES.items():
        aliases = snapshot.frames.get(frame)
        wanted = None if ids is None else ids.get(label, ())
        if aliases is None or (ids is not None and not wanted):
            continue
        if wanted is not None:
            aliases = aliases.filter(pl.col(key).is_in(pl.Series(list(wanted)).implode()))
        named = aliases.with_columns(pl.lit(label).alias("label")).rename({key: "organisation_id"})
        parts.append(named.select(*_ALIAS_SCHEMA).collect())
    return pl.concat(parts).sort("label", "organisation_id", "alias_id")


def count_organisation_aliases(snapshot: Snapshot) -> dict[str, int]:
    """How many ids others stand for, by label."""
    counts = {}
    for label, (frame, _, _) in ORGANISATION_FRAMES.items():
        aliases = snapshot.frames.get(frame)
        counts[label] = 0 if aliases is None else aliases.select(pl.len()).collect().item()
    return counts


def find_organisations_of(
    snapshot: Snapshot, people: Collection[str], studios: Collection[str] = ()
) -> dict[str, set[str]]:
    """By label, the organisations that the facts about these people name: their employers, these
    studios, and their hosts.
    """
    ids, rooms = (pl.Series(list(of), dtype=pl.String) for of in (people, studios))
    employed = snapshot.frames["people"].filter(pl.col("person_id").is_in(ids.implode()))
    employers = set(employed.select("enterprise_id").drop_nulls().collect()["enterprise_id"])
    hosted = snapshot.frames["studios"].filter(pl.col("studio_id").is_in(rooms.implode()))
    hosts = set(hosted.select("host_id").drop_nulls().collect()["host_id"])
    return {"Enterprise": employers | hosts, "School": hosts, "Studio": set(studios)}
