"""Provinces, industries and occupations as the places where people become high-skilled.

For each of them: the leading talents, by what they give there, the studios and the quarters. All
are small tables, computed once per policy and cached beside the snapshot, so that a page reads the
few rows of its area.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

import narwhals as nw
import polars as pl

from graph.cache.tables import build_table_path, scan_cached_table
from graph.driven.breakdowns import build_person_attributes
from graph.driven.drill_down import load_drill_down
from graph.driven.figures import Driven
from graph.policy import Policy
from graph.programme.ledgers import Ledger
from graph.programme.overview import accumulate_quarters, sum_targets_by_scope
from graph.snapshot.edges import filter_studio_trainings
from graph.snapshot.frames import Snapshot

AreaKind = Literal["province", "industry", "occupation"]
# The attribute of a worker that names its area, by kind.
AREA_ATTRIBUTES: Final[Mapping[AreaKind, str]] = {
    "province": "province",
    "industry": "industry",
    "occupation": "occupation_code",
}


@dataclass(frozen=True)
class Area:
    """One area under one policy.

    - ledger: persons and person-times driven there by quarter, with the target where one is set
    - persons, person_times: the same in all
    - talents: talent_id, name, province, persons driven there, equal (credit given there), driven
      (persons in all), most given first
    - studios: studio_id, name, persons driven there who trained at it
    """

    ledger: Ledger
    persons: int
    person_times: int
    talents: pl.DataFrame
    studios: pl.DataFrame


def build_area(
    snapshot: Snapshot,
    driven: Driven,
    talents: pl.DataFrame,
    data_until: date,
    kind: AreaKind,
    code: str,
) -> Area:
    """One area: its ledger up to `data_until`, who drives workers there, and the studios.

    `talents` has a row a leading talent: person, talent_id, name, province, driven.
    """
    policy = driven.policy
    here = (pl.col("attribute") == AREA_ATTRIBUTES[kind]) & (pl.col("value") == code)
    quarters = load_area_quarters(snapshot, driven).filter(here).drop("attribute", "value")
    start, end = policy.window_start, policy.window_end
    rows = accumulate_quarters(quarters.collect(), start, data_until)
    ledger = Ledger(rows, _sum_area_target(snapshot, policy, kind, code), start, end)
    given = load_area_talents(snapshot, driven).filter(here).collect()
    trained = load_area_studios(snapshot, driven).filter(here)
    names = snapshot.frames["studios"].select("studio_id", "name")
    return Area(
        ledger,
        ledger.persons,
        ledger.person_times,
        given.join(
            talents.select("talent_id", "name", "province", "driven", talent="person"),
            on="talent",
            how="inner",
            maintain_order="left",
        ).select("talent_id", "name", "province", "persons", "equal", "driven"),
        trained.join(names, on="studio_id", how="left", maintain_order="left")
        .select("studio_id", "name", "persons")
        .collect(),
    )


def _sum_area_target(snapshot: Snapshot, policy: Policy, kind: AreaKind, code: str) -> int | None:
    """The sum of the area's yearly targets in the window; None where the data set none."""
    if kind == "occupation":
        return None
    goals = snapshot.frames["goals"].collect().to_dicts()
    found = sum_targets_by_scope(goals, policy.window_start.year, policy.window_end.year)
    return found.get(code, {}).get("high_skilled")


def load_area_talents(snapshot: Snapshot, driven: Driven) -> pl.LazyFrame:
    """attribute, value, talent (row number), persons driven there, equal (credit given there).

    A worker whom several talents drive counts for each; `equal` adds up to the area's persons.
    """
    return _cache_area_table(
        "area-talents", snapshot, driven, lambda: _compute_area_talents(snapshot, driven)
    )


def load_area_quarters(snapshot: Snapshot, driven: Driven) -> pl.LazyFrame:
    """attribute, value, quarter (its first day), persons, person_times."""
    return _cache_area_table(
        "area-quarters", snapshot, driven, lambda: _compute_area_quarters(snapshot, driven)
    )


def load_area_studios(snapshot: Snapshot, driven: Driven) -> pl.LazyFrame:
    """attribute, value, studio_id, persons: driven workers of the area who trained there by then.

    A worker who trained at several studios counts at each.
    """
    return _cache_area_table(
        "area-studios", snapshot, driven, lambda: _compute_area_studios(snapshot, driven)
    )


def has_area_tables(snapshot: Snapshot, driven: Driven) -> bool:
    """Whether all tables of the areas are there, so that asking for them costs little."""
    names = ("area-talents", "area-quarters", "area-studios")
    places = [build_table_path(snapshot, name, driven.policy.id) for name in names]
    return all(place is not None and place.exists() for place in places)


def materialize_area_tables(snapshot: Snapshot, driven: Driven) -> None:
    """Works out and keeps every table of the areas."""
    for table in (load_area_talents, load_area_quarters, load_area_studios):
        table(snapshot, driven)


def _cache_area_table(
    name: str, snapshot: Snapshot, driven: Driven, found: Callable[[], pl.DataFrame]
) -> pl.LazyFrame:
    return scan_cached_table(build_table_path(snapshot, name, driven.policy.id), found)


def _collect_area_attributes(snapshot: Snapshot) -> pl.LazyFrame:
    """person and the attributes of areas that the data state."""
    employers = snapshot.frames.get("enterprises")
    placed: pl.LazyFrame = build_person_attributes(
        nw.from_native(snapshot.frames["people"]),
        None if employers is None else nw.from_native(employers),
    ).to_native()
    known = [name for name in AREA_ATTRIBUTES.values() if name in placed.collect_schema().names()]
    return placed.select("person", *known)


def _group_by_area(
    rows: pl.LazyFrame, keys: tuple[str, ...], *figures: pl.Expr
) -> Iterator[pl.LazyFrame]:
    """The figures by each attribute of `rows` and the keys; rows that state no value are none."""
    stated = set(rows.collect_schema().names())
    for attribute in AREA_ATTRIBUTES.values():
        if attribute in stated:
            value = pl.col(attribute).cast(pl.String)
            yield (
                rows.filter(value.is_not_null())
                .group_by(value.alias("value"), *keys)
                .agg(*figures)
                .select(pl.lit(attribute).alias("attribute"), "value", pl.exclude("value"))
            )


def _compute_area_talents(snapshot: Snapshot, driven: Driven) -> pl.DataFrame:
    pairs = driven.pairs.select("talent", "person", "equal")
    rows = pairs.join(_collect_area_attributes(snapshot), on="person", how="inner").collect().lazy()
    figures = pl.len().cast(pl.Int64).alias("persons"), pl.col("equal").sum()
    found = pl.concat(_group_by_area(rows, ("talent",), *figures)).collect()
    return found.sort(
        "attribute", "value", "persons", "talent", descending=[False, False, True, False]
    )


def _compute_area_quarters(snapshot: Snapshot, driven: Driven) -> pl.DataFrame:
    rows = load_drill_down(snapshot, driven).rows.with_columns(
        quarter=pl.col("day").dt.truncate("1q")
    )
    figures = (
        pl.col("first").sum().cast(pl.Int64).alias("persons"),
        pl.len().cast(pl.Int64).alias("person_times"),
    )
    found = pl.concat(_group_by_area(rows, ("quarter",), *figures)).collect()
    return found.sort("attribute", "value", "quarter")


def _compute_area_studios(snapshot: Snapshot, driven: Driven) -> pl.DataFrame:
    policy = driven.policy
    trainings = filter_studio_trainings(snapshot.under(policy).frames["trainings"])
    first = trainings.group_by("person", "studio_id").agg(
        start=pl.col("start").min(), undated=pl.col("start").is_null().any()
    )
    skilled = load_drill_down(snapshot, driven).rows.filter("first")
    rows = skilled.join(first, on="person", how="inner")
    by_then = pl.col("start") <= pl.col("day")
    if policy.undated == "include":
        by_then = by_then | pl.col("undated")
    trained = rows.filter(by_then.fill_null(False) if policy.ordered else pl.lit(True))
    figures = pl.len().cast(pl.Int64).alias("persons")
    found = pl.concat(_group_by_area(trained, ("studio_id",), figures)).collect()
    return found.sort(
        "attribute", "value", "persons", "studio_id", descending=[False, False, True, False]
    )
