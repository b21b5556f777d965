"""A world of the conformance tests as a snapshot: the engine's tables with no database between."""

from __future__ import annotations

from datetime import date

import polars as pl

from graph.dates import first_days
from graph.snapshot.edges import build_edge_table, compute_promotions
from graph.snapshot.frames import Snapshot
from tests.conformance.brute_force import World


def day_of(text: str | None, of_year: str = "last") -> date | None:
    """As the loaders read it: of a year alone one of its days, with `known_of` beside it."""
    if text and len(text) == 4:
        text += "-12-31" if of_year == "last" else "-01-01"
    return date.fromisoformat(text) if text else None


def known_of(text: str | None) -> str | None:
    """`year` where no more is stated."""
    return "year" if text and len(text) == 4 else None


def _period(row: dict[str, str]) -> tuple[object, ...]:
    return tuple(read(row.get(name)) for name in ("start", "end") for read in (day_of, known_of))


PERIOD: dict[str, type[pl.DataType]] = {
    "start": pl.Date,
    "start_precision": pl.String,
    "end": pl.Date,
    "end_precision": pl.String,
}


def _frame(rows: list[tuple[object, ...]], schema: dict[str, type[pl.DataType]]) -> pl.LazyFrame:
    return pl.LazyFrame(rows, schema=schema, orient="row")


def _evidence(frame: pl.LazyFrame, file: str) -> pl.LazyFrame:
    """With the rows' own places, as the loaders note them."""
    line = pl.int_range(pl.len()) + 2
    return frame.with_columns(
        row=pl.format(f"{file}.csv:{{}}", line), sources=pl.concat_list(pl.lit("office"))
    )


def snapshot_of(world: World) -> Snapshot:
    """The people, talents, edges and promotions of the world's rows."""
    number = {row["person_id"]: place for place, row in enumerate(world["people"])}
    studios = {row["studio_id"] for row in world["studios"]}
    stay = {"person": pl.Int32, "studio_id": pl.String, **PERIOD}
    attributes = ("province", "occupation_code", "type", "enterprise_id")
    people = _frame(
        [
            (
                number[r["person_id"]],
                r["person_id"],
                r["name"],
                *(r.get(name) or None for name in attributes),
            )
            for r in world["people"]
        ],
        {"person": pl.Int32, "person_id": pl.String, "name": pl.String}
        | dict.fromkeys(attributes, pl.String),
    )
    enterprises = _frame(
        [
            (r["enterprise_id"], r["industry"] or None, r["ownership"] or None)
            for r in world.get("enterprises", [])
        ],
        dict.fromkeys(("enterprise_id", "industry", "ownership"), pl.String),
    )
    mentorships = _frame(
        [
            (number[r["mentor_id"]], number[r["apprentice_id"]], *_period(r))
            for r in world["mentorships"]
        ],
        {"mentor": pl.Int32, "apprentice": pl.Int32, **PERIOD},
    )
    leads = _frame(
        [(number[r["person_id"]], r["studio_id"], *_period(r)) for r in world["studio_leads"]],
        stay,
    )
    trainings = (
        _frame(
            [(number[r["person_id"]], r["place_id"], *_period(r)) for r in world["trainings"]],
            stay,
        )
        .with_columns(
            place_kind=pl.when(pl.col("studio_id").is_in(list(studios)))
            .then(pl.lit("Studio"))
            .otherwise(pl.lit("School"))
        )
        .rename({"studio_id": "place_id"})
    )
    recognitions = _frame(
        [
            (
                number[r["person_id"]],
                int(r["level"]),
                day_of(r["date"], "first"),
                known_of(r["date"]),
            )
            for r in world["recognitions"]
        ],
        {"person": pl.Int32, "level": pl.Int8, "date": pl.Date, "date_precision": pl.String},
    )
    talents = _frame(
        [
            (number[r["person_id"]], r.get("basis") or None, day_of(r.get("recognised_on")))
            for r in world["talents"]
        ],
        {"person": pl.Int32, "basis": pl.String, "recognised_on": pl.Date},
    )
    links = {"mentorships": mentorships, "leads": leads, "trainings": trainings}
    return Snapshot(
        0,
        None,
        {
            "people": people,
            "enterprises": enterprises,
            "talents": talents,
            "edges": build_edge_table(links),
            "edges_first": build_edge_table(
                {name: first_days(link) for name, link in links.items()}
            ),
            "promotions": compute_promotions(recognitions),
            "mentorships": _evidence(mentorships, "mentorships"),
            "leads": _evidence(leads, "studio_leads"),
            "trainings": _evidence(trainings, "trainings"),
            "recognitions": _evidence(recognitions, "recognitions"),
        },
    )
