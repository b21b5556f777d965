"""The promotions behind every figure of the overview: one row each, with what figures are cut by.

A figure of the nation (by quarter, province, generation, ...) is a count of these rows, so the
people behind it are these rows themselves. They are written once, beside their result
(`graph.cache.tables`), newest first, and read from there by a filter alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final, Literal

import narwhals as nw
import polars as pl

from graph.cache.tables import build_table_path, scan_cached_table
from graph.driven.breakdowns import build_person_attributes, find_first_naming
from graph.driven.figures import Driven
from graph.driven.terms import CHAIN_KINDS, EMPLOYER_BREAKDOWNS, LEDGER_LINES, PERSON_BREAKDOWNS
from graph.errors import UsageError
from graph.snapshot.frames import Snapshot

DrillDownCount = Literal["persons", "person_times"]
FIRST_PROMOTION_CODE: Final = list(LEDGER_LINES).index("first_promotions")
# A value of a filter that asks for people without it.
UNSTATED: Final = "-"
# The place of each cut among the bits of `bases` and `years`.
MAX_MASK_BITS: Final = 64


@dataclass(frozen=True)
class DrillDownFilter:
    """Which rows: `count` persons (first promotions) or person-times (all), and the cuts.

    `quarter` as 2025Q3; `generation` from the nearest talent; `channel` of `CHAIN_KINDS`;
    province to ownership are the worker's; `basis` and `year` those of any talent who drives the
    worker. A cut that is "" is not made; "-" asks for people without it.
    """

    count: DrillDownCount = "persons"
    quarter: str = ""
    generation: str = ""
    channel: str = ""
    province: str = ""
    occupation_code: str = ""
    type: str = ""
    industry: str = ""
    ownership: str = ""
    basis: str = ""
    year: str = ""

    @property
    def cuts(self) -> dict[str, str]:
        """The cuts that are made."""
        return {name: getattr(self, name) for name in DRILL_DOWN_CUTS if getattr(self, name)}


DRILL_DOWN_CUTS: Final = tuple(
    field.name for field in fields(DrillDownFilter) if field.name != "count"
)


@dataclass(frozen=True)
class DrillDown:
    """The rows of one result, and the bits of its bases and years.

    `rows`: person, day, first (whether it made the person high-skilled), generation, channel,
    nearest (the talent, by generation, then number), bases, years, and the worker's attributes
    that are stated. Newest first.
    """

    rows: pl.LazyFrame
    bits: Mapping[str, tuple[str, ...]]

    def of(self, part: DrillDownFilter) -> pl.LazyFrame:
        """The rows of a part. Raises `UsageError` when a cut cannot be made."""
        rows = self.rows
        known = rows.collect_schema().names()
        if part.count == "persons":
            rows = rows.filter(pl.col("first"))
        for name, value in part.cuts.items():
            rows = rows.filter(self._cut(name, value, known))
        return rows

    def count_values(self, cut: str, rows: pl.LazyFrame) -> pl.DataFrame:
        """value, persons, person_times: of each value of a worker's own cut, among these rows."""
        value = pl.lit(None, pl.String)
        if cut == "quarter":
            value = pl.format("{}Q{}", pl.col("day").dt.year(), pl.col("day").dt.quarter())
        elif cut in rows.collect_schema().names():
            value = pl.col(cut).cast(pl.String)
        counted = rows.select("first", value=value).group_by("value")
        persons, times = pl.col("first").sum(), pl.len()
        return counted.agg(
            persons=persons.cast(pl.Int64), person_times=times.cast(pl.Int64)
        ).collect()

    def number(self, part: DrillDownFilter) -> int:
        """How many rows a part has: the figure itself."""
        return int(self.of(part).select(pl.len()).collect().item())

    def _cut(self, name: str, value: str, known: list[str]) -> pl.Expr:
        if name == "quarter":
            return pl.col("day").is_between(*parse_quarter(value))
        if name == "generation":
            return pl.col("generation") == int(value) if value.isdigit() else pl.lit(False)
        if name == "channel":
            return pl.col("channel") == value if value in CHAIN_KINDS else pl.lit(False)
        if name in ("basis", "year"):
            return self._bit(name, value)
        if name not in known:
            return pl.lit(value == UNSTATED)
        column = pl.col(name).cast(pl.String)
        return column.is_null() if value == UNSTATED else column == value

    def _bit(self, name: str, value: str) -> pl.Expr:
        values = self.bits.get(name, ())
        if value not in values:
            return pl.lit(False)
        bit = pl.lit(1 << values.index(value), pl.UInt64)
        return (pl.col(f"{name}_bits") & bit) != 0


def parse_quarter(quarter: str) -> tuple[date, date]:
    """First and last day of a quarter written 2025Q3. Raises `UsageError` when it is none."""
    year, _, number = quarter.partition("Q")
    if not (year.isdigit() and len(year) == 4 and number in ("1", "2", "3", "4")):
        raise UsageError("quarter has {quarter!r}; write it as 2025Q3.", quarter=quarter)
    month = 3 * int(number) - 2
    first = date(int(year), month, 1)
    following = date(int(year) + month // 10, (month + 2) % 12 + 1, 1)
    return first, following - timedelta(days=1)


def format_quarter(day: date) -> str:
    """The quarter of a day: 2025Q3."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def load_drill_down(snapshot: Snapshot, driven: Driven) -> DrillDown:
    """The promotions behind the figures of a result: stored beside it, or built and stored now."""
    named = _load_first_naming(snapshot)
    bits: dict[str, tuple[str, ...]] = {
        name: tuple(sorted(named[name].drop_nulls().unique()))[:MAX_MASK_BITS]
        for name in ("basis", "year")
        if name in named.columns
    }
    place = build_table_path(snapshot, "behind", driven.policy.id)
    return DrillDown(
        scan_cached_table(place, lambda: _build_drill_down_rows(snapshot, driven, named, bits)),
        bits,
    )


def _load_first_naming(snapshot: Snapshot) -> pl.DataFrame:
    named = find_first_naming(nw.from_native(snapshot.frames["talents"]))
    if named is None:
        return pl.DataFrame({"person": []}, schema={"person": pl.Int32})
    found: pl.DataFrame = named.to_native().collect()
    return found


def _build_drill_down_rows(
    snapshot: Snapshot, driven: Driven, named: pl.DataFrame, bits: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """The rows of `DrillDown`."""
    frames = snapshot.frames
    employers = frames.get("enterprises")
    of_people = build_person_attributes(
        nw.from_native(frames["people"]), None if employers is None else nw.from_native(employers)
    ).to_native()
    cuts = [
        n
        for n in (*PERSON_BREAKDOWNS, *EMPLOYER_BREAKDOWNS)
        if n in of_people.collect_schema().names()
    ]
    found = driven.promotions.join(
        _compute_nearest_talents(driven, named, bits), on=["person", "day"], how="left"
    )
    placed = found.join(
        of_people.with_columns(pl.col(cuts).cast(pl.String).cast(pl.Categorical)),
        on="person",
        how="left",
    )
    return (
        placed.select(
            "person",
            "day",
            pl.col("ledger").to_physical().eq(FIRST_PROMOTION_CODE).alias("first"),
            "generation",
            "channel",
            "nearest",
            *(f"{name}_bits" for name in bits),
            *cuts,
        )
        .sort("day", "person", descending=[True, False])
        .collect()
    )


def _compute_nearest_talents(
    driven: Driven, named: pl.DataFrame, bits: Mapping[str, tuple[str, ...]]
) -> pl.LazyFrame:
    """person, day, nearest talent, and the bases and years of all talents who reach it, as bits."""
    places = named.select(
        pl.col("person").alias("talent"),
        *(
            pl.col(name)
            .replace_strict(
                {value: 1 << place for place, value in enumerate(values)},
                default=0,
                return_dtype=pl.UInt64,
            )
            .alias(f"{name}_bits")
            for name, values in bits.items()
        ),
    )
    order = pl.col("generation").cast(pl.Int64) * 2**32 + pl.col("talent").cast(pl.Int64)
    return (
        driven.tables["events"]
        .select("talent", "person", "day", order=order)
        .join(places.lazy(), on="talent", how="left")
        .group_by("person", "day")
        .agg(pl.col("order").min(), *(pl.col(f"{name}_bits").bitwise_or() for name in bits))
        .with_columns(nearest=(pl.col("order") % 2**32).cast(pl.Int32))
        .drop("order")
    )
