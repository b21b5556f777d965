"""Small networks for the doctests of the metrics."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from graph.snapshot import CHANNEL, Snapshot

_SCHEMAS: dict[str, dict[str, Any]] = {
    "mentorships": {
        "mentor": pl.String, "apprentice": pl.String, "start": pl.Date, "end": pl.Date,
        "kind": pl.String, "status": pl.String, "enterprise_id": pl.String, "row": pl.String,
    },
    "leads": {
        "person": pl.String, "studio_id": pl.String, "start": pl.Date, "end": pl.Date,
    },
    "trainings": {
        "person": pl.String, "place_id": pl.String, "place_kind": pl.String, "start": pl.Date,
        "end": pl.Date,
    },
    "recognitions": {
        "person": pl.String, "level": pl.Int8, "date": pl.Date, "mode": pl.String,
    },
    "employments": {
        "person": pl.String, "enterprise_id": pl.String, "start": pl.Date, "end": pl.Date,
    },
    "teaching": {
        "person": pl.String, "school_id": pl.String, "start": pl.Date, "end": pl.Date,
    },
    "partnerships": {
        "enterprise_id": pl.String, "school_id": pl.String, "start": pl.Date, "end": pl.Date,
    },
    "talents": {"person": pl.String},
    "studios": {
        "studio_id": pl.String, "name": pl.String, "kind": pl.String, "grade": pl.String,
        "province": pl.String, "industry": pl.String, "funding": pl.Float64, "host_id": pl.String,
    },
    "enterprises": {
        "enterprise_id": pl.String, "name": pl.String, "province": pl.String,
        "industry": pl.String, "ownership": pl.String, "education_fund": pl.Float64,
        "frontline_education_fund": pl.Float64,
    },
    "schools": {
        "school_id": pl.String, "name": pl.String, "kind": pl.String, "province": pl.String,
    },
}  # fmt: skip
_PEOPLE = ("mentor", "apprentice", "person")
_ATTRIBUTES = ("province", "occupation_code", "type", "enterprise_id")


def snapshot_of(**tables: list[dict[str, Any]]) -> Snapshot:
    """A snapshot in memory from rows; people are named by text and days are ISO text.

    Rows may leave columns out. The people are all who are named, in order of their names; their
    person_id and name are that name, and nothing else is stated of them.
    """
    frames = {name: _frame(tables.get(name, []), schema) for name, schema in _SCHEMAS.items()}
    named = {
        row[column]
        for name in _SCHEMAS
        for row in tables.get(name, [])
        for column in _PEOPLE
        if column in row
    }
    numbers = {name: number for number, name in enumerate(sorted(named))}
    numbered = {name: _numbered(frame, numbers) for name, frame in frames.items()}
    return Snapshot(0, None, numbered | _derived(numbered, numbers))


def lineages(*pairs: str, talents: str = "") -> Snapshot:
    """A snapshot of mentorships alone, each written "mentor apprentice [start]"."""
    rows = [dict(zip(("mentor", "apprentice", "start"), p.split(), strict=False)) for p in pairs]
    return snapshot_of(mentorships=rows, talents=[{"person": t} for t in talents.split()])


def _frame(rows: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    def cell(row: dict[str, Any], column: str) -> Any:
        value = row.get(column)
        if schema[column] == pl.Date and isinstance(value, str):
            return date.fromisoformat(value)
        return value

    values = {column: [cell(row, column) for row in rows] for column in schema}
    return pl.DataFrame(values, schema=schema)


def _numbered(frame: pl.DataFrame, numbers: dict[str, int]) -> pl.LazyFrame:
    columns = [column for column in _PEOPLE if column in frame.columns]
    by_number = pl.col(columns).replace_strict(numbers, return_dtype=pl.Int32)
    return frame.with_columns(by_number).lazy() if columns else frame.lazy()


def _derived(frames: dict[str, pl.LazyFrame], numbers: dict[str, int]) -> dict[str, pl.LazyFrame]:
    from graph.snapshot import influence_edges, promotions, studio_trainings

    talents = frames["talents"].collect()["person"].to_list()
    stated = {name: [None] * len(numbers) for name in _ATTRIBUTES}
    people = pl.LazyFrame(
        {
            "person": list(numbers.values()),
            "person_id": list(numbers),
            "name": list(numbers),
            "leading": [number in talents for number in numbers.values()],
            **stated,
        },
        schema={"person": pl.Int32, "person_id": pl.String, "name": pl.String,
                "leading": pl.Boolean} | dict.fromkeys(_ATTRIBUTES, pl.String),
    )  # fmt: skip
    edges = influence_edges(
        frames["mentorships"], frames["leads"], studio_trainings(frames["trainings"])
    )
    return {
        "people": people,
        "edges": edges.with_columns(pl.col("channel").cast(CHANNEL)),
        "promotions": promotions(frames["recognitions"]),
    }
