"""The promotions behind every figure of the overview: one row each, with what figures are cut by.

A figure of the nation (by quarter, province, generation, ...) is a count of these rows, so the
people behind it are these rows themselves. They are written once beside the result they are of
(`graph.kept_tables`), newest first, and read from there by a filter alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Final, Literal

import narwhals as nw
import polars as pl

from graph.errors import UsageError
from graph.kept_tables import kept_frame, table_place
from graph.metrics.driven import (
    KINDS_OF_CHAIN,
    LEDGER,
    OF_EMPLOYERS,
    OF_PEOPLE,
    Driven,
    attributes,
    first_naming,
)
from graph.snapshot import Snapshot

Count = Literal["persons", "person_times"]
FIRST: Final = list(LEDGER).index("first_promotions")
# A value of a filter that asks for those of whom it is not stated.
UNSTATED: Final = "-"
# The place of each cut among the bits of `bases` and `years`.
MOST_BITS: Final = 64


@dataclass(frozen=True)
class Part:
    """Which rows: `count` persons (first promotions) or person-times (all), and the cuts.

    `quarter` as 2025Q3; `generation` from the nearest talent; `channel` of `KINDS_OF_CHAIN`;
    province to ownership are the worker's; `basis` and `year` those of any talent who drives the
    worker. A cut that is "" is not made; "-" asks for those of whom it is not stated.
    """

    count: Count = "persons"
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
        return {name: getattr(self, name) for name in CUTS if getattr(self, name)}


CUTS: Final = tuple(field.name for field in fields(Part) if field.name != "count")


@dataclass(frozen=True)
class Behind:
    """The rows of one result, and the bits of its bases and years.

    `rows`: person, day, first (whether it made the person high-skilled), generation, channel,
    nearest (the talent, by generation, then number), bases, years, and the worker's attributes
    that are stated. Newest first.
    """

    rows: pl.LazyFrame
    bits: Mapping[str, tuple[str, ...]]

    def of(self, part: Part) -> pl.LazyFrame:
        """The rows of a part. Raises `UsageError` when a cut cannot be made."""
        rows = self.rows
        known = rows.collect_schema().names()
        if part.count == "persons":
            rows = rows.filter(pl.col("first"))
        for name, value in part.cuts.items():
            rows = rows.filter(self._cut(name, value, known))
        return rows

    def number(self, part: Part) -> int:
        """How many rows a part has: the figure itself."""
        return int(self.of(part).select(pl.len()).collect().item())

    def _cut(self, name: str, value: str, known: list[str]) -> pl.Expr:
        if name == "quarter":
            return pl.col("day").is_between(*quarter_days(value))
        if name == "generation":
            return pl.col("generation") == int(value) if value.isdigit() else pl.lit(False)
        if name == "channel":
            return pl.col("channel") == value if value in KINDS_OF_CHAIN else pl.lit(False)
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


def quarter_days(quarter: str) -> tuple[date, date]:
    """First and last day of a quarter written 2025Q3. Raises `UsageError` when it is none."""
    year, _, number = quarter.partition("Q")
    if not (year.isdigit() and len(year) == 4 and number in ("1", "2", "3", "4")):
        raise UsageError(f"quarter has {quarter!r}; write it as 2025Q3.")
    month = 3 * int(number) - 2
    first = date(int(year), month, 1)
    following = date(int(year) + month // 10, (month + 2) % 12 + 1, 1)
    return first, following - timedelta(days=1)


def quarter_of(day: date) -> str:
    """The quarter of a day: 2025Q3."""
    return f"{day.year}Q{(day.month + 2) // 3}"


def behind(snapshot: Snapshot, driven: Driven) -> Behind:
    """The promotions behind the figures of a result: kept beside it, or made now and kept."""
    named = _named(snapshot)
    bits: dict[str, tuple[str, ...]] = {
        name: tuple(sorted(named[name].drop_nulls().unique()))[:MOST_BITS]
        for name in ("basis", "year")
        if name in named.columns
    }
    place = table_place(snapshot, "behind", driven.policy.id)
    return Behind(kept_frame(place, lambda: _rows(snapshot, driven, named, bits)), bits)


def _named(snapshot: Snapshot) -> pl.DataFrame:
    named = first_naming(nw.from_native(snapshot.frames["talents"]))
    if named is None:
        return pl.DataFrame({"person": []}, schema={"person": pl.Int32})
    found: pl.DataFrame = named.to_native().collect()
    return found


def _rows(
    snapshot: Snapshot, driven: Driven, named: pl.DataFrame, bits: Mapping[str, tuple[str, ...]]
) -> pl.DataFrame:
    """The rows of `Behind`."""
    frames = snapshot.frames
    employers = frames.get("enterprises")
    of_people = attributes(
        nw.from_native(frames["people"]), None if employers is None else nw.from_native(employers)
    ).to_native()
    cuts = [n for n in (*OF_PEOPLE, *OF_EMPLOYERS) if n in of_people.collect_schema().names()]
    found = driven.promotions.join(_nearest(driven, named, bits), on=["person", "day"], how="left")
    placed = found.join(
        of_people.with_columns(pl.col(cuts).cast(pl.String).cast(pl.Categorical)), on="person",
        how="left",
    )  # fmt: skip
    return (
        placed.select(
            "person", "day",
            pl.col("ledger").to_physical().eq(FIRST).alias("first"),
            "generation", "channel", "nearest", *(f"{name}_bits" for name in bits), *cuts,
        )
        .sort("day", "person", descending=[True, False])
        .collect()
    )  # fmt: skip


def _nearest(
    driven: Driven, named: pl.DataFrame, bits: Mapping[str, tuple[str, ...]]
) -> pl.LazyFrame:
    """person, day, nearest talent, and the bases and years of all talents who reach it, as bits."""
    places = named.select(
        pl.col("person").alias("talent"),
        *(
            pl.col(name)
            .replace_strict(
                {value: 1 << place for place, value in enumerate(values)},
                default=0, return_dtype=pl.UInt64,
            )
            .alias(f"{name}_bits")
            for name, values in bits.items()
        ),
    )  # fmt: skip
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
