"""Small networks for the doctests of the metrics."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from graph.snapshot.edges import CHANNEL_DTYPE
from graph.snapshot.frames import Snapshot

_EXAMPLE_SCHEMAS: dict[str, dict[str, Any]] = {
    "mentorships": {
        "mentor": pl.String,
        "apprentice": pl.String,
        "start": pl.Date,
        "end": pl.Date,
        "kind": pl.String,
        "status": pl.String,
        "enterprise_id": pl.String,
        "row": pl.String,
    },
    "leads": {
        "person": pl.String,
        "studio_id": pl.String,
        "start": pl.Date,
        "end": pl.Date,
    },
    "trainings": {
        "person": pl.String,
        "place_id": pl.String,
        "place_kind": pl.String,
        "start": pl.Date,
        "end": pl.Date,
    },
    "recognitions": {
        "person": pl.String,
        "level": pl.Int8,
        "date": pl.Date,
        "mode": pl.String,
    },
    "employments": {
        "person": pl.String,
        "enterprise_id": pl.String,
        "start": pl.Date,
        "end": pl.Date,
    },
    "teaching": {
        "person": pl.String,
        "school_id": pl.String,
        "start": pl.Date,
        "end": pl.Date,
    },
    "partnerships": {
        "enterprise_id": pl.String,
        "school_id": pl.String,
        "start": pl.Date,
        "end": pl.Date,
    },
    "talents": {"person": pl.String},
    "studios": {
        "studio_id": pl.String,
        "name": pl.String,
        "kind": pl.String,
        "grade": pl.String,
        "province": pl.String,
        "industry": pl.String,
        "funding": pl.Float64,
        "host_id": pl.String,
    },
    "enterprises": {
        "enterprise_id": pl.String,
        "name": pl.String,
        "province": pl.String,
        "industry": pl.String,
        "ownership": pl.String,
        "education_fund": pl.Float64,
        "frontline_education_fund": pl.Float64,
    },
    "schools": {
        "school_id": pl.String,
        "name": pl.String,
        "kind": pl.String,
        "province": pl.String,
    },
}
_PERSON_NAME_COLUMNS = ("mentor", "apprentice", "person")
_PERSON_ATTRIBUTE_COLUMNS = ("province", "occupation_code", "type", "enterprise_id")


def build_example_snapshot(**tables: list[dict[str, Any]]) -> Snapshot:
    """A snapshot in memory from rows; people are named by text and days are ISO text.

    Rows may leave columns out. The people are all who are named, in order of their names; their
    person_id and name are that name, and nothing else is stated of them.
    """
    frames = {
        name: _build_example_frame(tables.get(name, []), schema)
        for name, schema in _EXAMPLE_SCHEMAS.items()
    }
    named = {
        row[column]
        for name in _EXAMPLE_SCHEMAS
        for row in tables.get(name, [])
        for column in _PERSON_NAME_COLUMNS
        if column in row
    }
    numbers = {name: number for number, name in enumerate(sorted(named))}
    numbered = {name: _map_names_to_numbers(frame, numbers) for name, frame in frames.items()}
    return Snapshot(0, None, numbered | _build_derived_frames(numbered, numbers))


def build_example_lineages(*pairs: str, talents: str = "") -> Snapshot:
    """A snapshot of mentorships alone, each written "mentor apprentice [start]"."""
    rows = [dict(zip(("mentor", "apprentice", "start"), p.split(), strict=False)) for p in pairs]
    return build_example_snapshot(
        mentorships=rows, talents=[{"person": t} for t in talents.split()]
    )


def _build_example_frame(rows: list[dict[str, Any]], schema: dict[str, Any]) -> pl.DataFrame:
    def cell(row: dict[str, Any], column: str) -> Any:
        value = row.get(column)
        if schema[column] == pl.Date and isinstance(value, str):
            return date.fromisoformat(value)
        return value

    values = {column: [cell(row, column) for row in rows] for column in schema}
    return pl.DataFrame(values, schema=schema)


def _map_names_to_numbers(frame: pl.DataFrame, numbers: dict[str, int]) -> pl.LazyFrame:
    columns = [column for column in _PERSON_NAME_COLUMNS if column in frame.columns]
    by_number = pl.col(columns).replace_strict(numbers, return_dtype=pl.Int32)
    return frame.with_columns(by_number).lazy() if columns else frame.lazy()


def _build_derived_frames(
    frames: dict[str, pl.LazyFrame], numbers: dict[str, int]
) -> dict[str, pl.LazyFrame]:
    from graph.snapshot.edges import (
        build_influence_edges,
        compute_promotions,
        filter_studio_trainings,
    )

    talents = frames["talents"].collect()["person"].to_list()
    stated = {name: [None] * len(numbers) for name in _PERSON_ATTRIBUTE_COLUMNS}
    people = pl.LazyFrame(
        {
            "person": list(numbers.values()),
            "person_id": list(numbers),
            "name": list(numbers),
            "leading": [number in talents for number in numbers.values()],
            **stated,
        },
        schema={
            "person": pl.Int32,
            "person_id": pl.String,
            "name": pl.String,
            "leading": pl.Boolean,
        }
        | dict.fromkeys(_PERSON_ATTRIBUTE_COLUMNS, pl.String),
    )
    edges = build_influence_edges(
        frames["mentorships"], frames["leads"], filter_studio_trainings(frames["trainings"])
    )
    return {
        "people": people,
        "edges": edges.with_columns(pl.col("channel").cast(CHANNEL_DTYPE)),
        "promotions": compute_promotions(frames["recognitions"]),
    }
