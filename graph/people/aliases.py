"""The further ids under which departments state a person."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Final

import polars as pl

from graph.messages import Words
from graph.model.vocabularies import IDENTITY_BASES
from graph.snapshot.frames import Snapshot

_FURTHER_ID_SCHEMA: Final[Mapping[str, Any]] = {
    "person_id": pl.String,
    "alias_id": pl.String,
    "basis": pl.String,
    "probability": pl.Float64,
    "row": pl.String,
    "sources": pl.List(pl.String),
}


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


def count_merged_ids(snapshot: Snapshot) -> dict[str, int]:
    """How many ids were joined to another one's person, by each basis of `IDENTITY_BASES`.

    Each joins two records into one person, so every figure rests on them.
    """
    aliases = snapshot.frames.get("aliases")
    if aliases is None:
        return dict.fromkeys(IDENTITY_BASES, 0)
    has = aliases.collect_schema().names()
    basis = pl.col("basis") if "basis" in has else pl.lit(None, pl.String)
    # Merges of a time before the basis was noted were all by ID number.
    found = aliases.group_by(basis.fill_null("id_number").alias("basis")).len().collect()
    return dict.fromkeys(IDENTITY_BASES, 0) | dict(found.iter_rows())


def list_further_ids(snapshot: Snapshot, ids: Collection[str]) -> pl.DataFrame:
    """The further ids of these people: person_id, alias_id, basis, probability, row, sources.

    By person and further id. `row` and `sources` say who knows the person by it.
    """
    wanted = pl.Series(list(ids), dtype=pl.String)
    return _collect_further_ids(snapshot, pl.col("person_id").is_in(wanted.implode()))


def list_all_further_ids(snapshot: Snapshot) -> pl.DataFrame:
    """As `list_further_ids`, of everybody."""
    return _collect_further_ids(snapshot, pl.lit(value=True))


def _collect_further_ids(snapshot: Snapshot, which: pl.Expr) -> pl.DataFrame:
    aliases = snapshot.frames.get("aliases")
    if aliases is None or "basis" not in aliases.collect_schema().names():
        return pl.DataFrame(schema=_FURTHER_ID_SCHEMA)
    people = snapshot.frames["people"].select("person", "person_id").filter(which)
    found = aliases.join(people, on="person").select(*_FURTHER_ID_SCHEMA)
    found = found.with_columns(pl.col("basis").fill_null("id_number"))
    return found.sort("person_id", "alias_id").collect()


def describe_merge(basis: str, probability: float | None) -> Words:
    """Why an id was joined to a person, in words."""
    en, zh = IDENTITY_BASES[basis]
    if probability is None:
        return Words(en, zh)
    return Words(f"{en}, {probability:.2%}", f"{zh}，{probability:.2%}")
