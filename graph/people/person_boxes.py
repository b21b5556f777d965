"""Enough of each of many people to draw a box."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import polars as pl

from graph.dates import restore_date_precision
from graph.people.lookup import lookup_first_days, lookup_people, lookup_person_numbers
from graph.snapshot.frames import Snapshot


def lookup_person_boxes(
    snapshot: Snapshot, ids: Collection[str], level: int
) -> dict[str, dict[str, Any]]:
    """Person id -> id, name, leading, level (None: none recorded), skilled_on (first day at `level`
    or above; a `graph.dates.PartialDate` where the year alone is known), honours (codes).

    As the internal query `person_boxes`; of thousands, this is the quicker way.
    """
    numbers = lookup_person_numbers(snapshot, ids).values()
    frames = snapshot.frames
    people = lookup_people(snapshot, numbers).select(
        "person", "name", "leading", "level", id="person_id"
    )
    among = pl.col("person").is_in(people["person"].implode())
    rises = lookup_first_days(snapshot, numbers, level).lazy()
    honours = (
        pl.concat(
            [
                frames["honours"].select("person", "honour"),
                frames["talents"].select("person", honour="basis"),
            ]
        )
        .filter(among)
        .group_by("person")
        .agg(honours=pl.col("honour").unique())
    )
    boxes = (
        people.lazy()
        .join(
            rises.select("person", skilled_on="day", skilled_on_precision="day_precision"),
            on="person",
            how="left",
        )
        .join(honours, on="person", how="left")
        .with_columns(
            pl.col("honours").fill_null([]),
            level=pl.when(pl.col("level") > 0).then(pl.col("level")),
        )
        .drop("person")
        .collect()
    )
    return {row["id"]: restore_date_precision(row) for row in boxes.iter_rows(named=True)}
