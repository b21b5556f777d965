"""Who is in a scope (`graph.accounts.scope`), by a snapshot: the one place that decides it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import polars as pl

from graph.accounts.scope import Scope
from graph.people.lookup import lookup_people, lookup_person_numbers
from graph.snapshot.frames import Snapshot

CoveredMask = np.ndarray[Any, np.dtype[np.bool_]]


def compute_covered_people(snapshot: Snapshot, scope: Scope) -> CoveredMask:
    """Of every person, by row number, whether the scope covers the person."""
    people = snapshot.frames["people"].sort("person").select("province", "enterprise_id").collect()
    return _is_covered(snapshot, scope, people)


def find_covered_ids(snapshot: Snapshot, scope: Scope, ids: Collection[str]) -> frozenset[str]:
    """Those of the ids whose people the scope covers; an id that nobody has is not covered."""
    numbers = lookup_person_numbers(snapshot, list(dict.fromkeys(ids)))
    people = lookup_people(snapshot, list(numbers.values()))
    covered = people.filter(pl.Series(_is_covered(snapshot, scope, people), dtype=pl.Boolean))
    return frozenset(covered["person_id"])


def find_covered_studios(snapshot: Snapshot, scope: Scope) -> frozenset[str]:
    """The ids of the studios whose names may be shown in a scope, for studios are called after
    people: somebody of the scope leads or led it, and the name of no leader outside is in its name.
    """
    frames = snapshot.frames
    covered = pl.Series("covered", compute_covered_people(snapshot, scope))
    people = frames["people"].sort("person").select("person", leader="name").collect()
    studios = frames["studios"].select("studio_id", studio="name").collect()
    led = frames["leads"].select("person", "studio_id").collect()
    found = led.join(people.with_columns(covered), on="person").join(studios, on="studio_id")
    named = pl.col("studio").str.contains(pl.col("leader").fill_null(""), literal=True)
    by_studio = (
        found.with_columns(names_outside=~pl.col("covered") & named.fill_null(False))
        .group_by("studio_id")
        .agg(pl.col("covered").any(), pl.col("names_outside").any())
    )
    return frozenset(by_studio.filter(pl.col("covered") & ~pl.col("names_outside"))["studio_id"])


def _is_covered(snapshot: Snapshot, scope: Scope, people: pl.DataFrame) -> CoveredMask:
    fits = np.full(people.height, not scope.nobody)
    if scope.provinces:
        fits &= people["province"].is_in(list(scope.provinces)).fill_null(False).to_numpy()
    if scope.industries:
        fits &= _find_industries(snapshot, people).is_in(list(scope.industries)).to_numpy()
    return fits


def _find_industries(snapshot: Snapshot, people: pl.DataFrame) -> pl.Series:
    """The industry of each one's enterprise, "" where none is stated."""
    known = snapshot.frames["enterprises"].select("enterprise_id", "industry").collect()
    industry_by_enterprise = dict(known.drop_nulls().rows())
    found = [industry_by_enterprise.get(id, "") for id in people["enterprise_id"]]
    return pl.Series("industry", found, dtype=pl.String)
