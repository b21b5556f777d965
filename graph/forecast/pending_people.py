"""Who is pending in a forecast: reached by the data date, not high-skilled yet, with their chance.

The people behind the part "pending" of `graph.forecast.landing`: of the nation, or of one value of
an attribute; each chance is that of the cell (occupation group, channel, level, months waited) by
the window's end, on average over the draws. Units: persons; months since the last promotion, or
since the chain arrived where that is later.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl

from graph.forecast.hazards import CELL_KEYS, DURATION_STARTS
from graph.forecast.history import FORECAST_ATTRIBUTES
from graph.forecast.simulation import NATION, ForecastModel
from graph.labels import MetricColumnLabels
from graph.snapshot.frames import Snapshot

PENDING_COLUMNS: Final[MetricColumnLabels] = {
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "level": ("level", "等级"),
    "months": ("months waited", "已等待月数"),
    "chance": ("chance of rising by the window's end", "期末前晋升概率"),
    "occupation_code": ("occupation code", "职业代码"),
    "province": ("province", "省份"),
}


def measure_pending(model: ForecastModel) -> pl.DataFrame:
    """person, level, months, class_months (its class begins with), chance, and the
    `FORECAST_ATTRIBUTES` of everybody who is pending, the likeliest first.
    """
    keys = [*CELL_KEYS, "duration"]
    pending = model.select_open_spells().filter(pl.col("level") < model.hazards.high_level)
    cells = pending.select(keys).unique().sort(keys)
    classes = np.searchsorted(DURATION_STARTS, cells["duration"].to_numpy() - 1, "right") - 1
    measured = cells.with_columns(
        class_months=pl.Series(np.asarray(DURATION_STARTS)[np.maximum(classes, 0)]),
        chance=pl.Series(model.compute_chances(cells).mean(axis=0), dtype=pl.Float64),
    )
    return (
        pending.join(measured, on=keys)
        .select(
            "person",
            "level",
            "class_months",
            "chance",
            *(pl.col(name).cast(pl.String) for name in FORECAST_ATTRIBUTES),
            months=model.origin - pl.col("since").cast(pl.Int64),
        )
        .sort(["chance", "person"], descending=[True, False])
    )


def count_pending(pending: pl.DataFrame) -> pl.DataFrame:
    """occupation_group, level, months (the class begins with), persons, chance (on average)."""
    return (
        pending.group_by("occupation_group", "level", months="class_months")
        .agg(persons=pl.len().cast(pl.Int64), chance=pl.col("chance").mean())
        .sort("occupation_group", "level", "months")
    )


def select_pending(
    pending: pl.LazyFrame, attribute: str = NATION, value: str | None = None
) -> pl.LazyFrame:
    """The rows of the nation, or of a value of an attribute (None: not stated)."""
    if attribute == NATION:
        return pending
    return pending.filter(pl.col(attribute).eq_missing(pl.lit(value, pl.String)))


def name_pending(snapshot: Snapshot, rows: pl.DataFrame) -> pl.DataFrame:
    """`PENDING_COLUMNS` of rows of `measure_pending`, in their order."""
    wanted = rows["person"]
    people = (
        snapshot.frames["people"]
        .filter(pl.col("person").is_in(wanted.implode()))
        .select("person", "person_id", "name", "occupation_code", province="province")
        .collect()
    )
    return (
        rows.drop("province")
        .join(people, on="person", how="left", maintain_order="left")
        .with_columns(pl.col("level").cast(pl.Int64))
        .select(*PENDING_COLUMNS)
    )
