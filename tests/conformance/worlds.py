"""A world of the conformance tests as a snapshot: the engine's tables with no database between."""

from __future__ import annotations

from datetime import date

import polars as pl
from conformance.brute_force import World

from graph.snapshot import Snapshot, influence_edges, promotions, studio_trainings


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


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
    stay = {"person": pl.Int32, "studio_id": pl.String, "start": pl.Date, "end": pl.Date}
    attributes = ("province", "occupation_code", "type", "enterprise_id")
    people = _frame(
        [(number[r["person_id"]], r["person_id"], r["name"],
          *(r.get(name) or None for name in attributes)) for r in world["people"]],
        {"person": pl.Int32, "person_id": pl.String, "name": pl.String}
        | dict.fromkeys(attributes, pl.String),
    )  # fmt: skip
    enterprises = _frame(
        [(r["enterprise_id"], r["industry"] or None, r["ownership"] or None)
         for r in world.get("enterprises", [])],
        dict.fromkeys(("enterprise_id", "industry", "ownership"), pl.String),
    )  # fmt: skip
    mentorships = _frame(
        [(number[r["mentor_id"]], number[r["apprentice_id"]], _day(r.get("start")),
          _day(r.get("end"))) for r in world["mentorships"]],
        {"mentor": pl.Int32, "apprentice": pl.Int32, "start": pl.Date, "end": pl.Date},
    )  # fmt: skip
    leads = _frame(
        [(number[r["person_id"]], r["studio_id"], _day(r.get("start")), _day(r.get("end")))
         for r in world["studio_leads"]],
        stay,
    )  # fmt: skip
    trainings = _frame(
        [(number[r["person_id"]], r["place_id"], _day(r.get("start")), _day(r.get("end")))
         for r in world["trainings"]],
        stay,
    ).with_columns(
        place_kind=pl.when(pl.col("studio_id").is_in(list(studios)))
        .then(pl.lit("Studio")).otherwise(pl.lit("School"))
    ).rename({"studio_id": "place_id"})  # fmt: skip
    recognitions = _frame(
        [(number[r["person_id"]], int(r["level"]), _day(r["date"]))
         for r in world["recognitions"]],
        {"person": pl.Int32, "level": pl.Int8, "date": pl.Date},
    )  # fmt: skip
    talents = _frame(
        [(number[r["person_id"]], r.get("basis") or None, _day(r.get("recognised_on")))
         for r in world["talents"]],
        {"person": pl.Int32, "basis": pl.String, "recognised_on": pl.Date},
    )  # fmt: skip
    return Snapshot(
        0,
        None,
        {
            "people": people,
            "enterprises": enterprises,
            "talents": talents,
            "edges": influence_edges(mentorships, leads, studio_trainings(trainings)),
            "promotions": promotions(recognitions),
            "mentorships": _evidence(mentorships, "mentorships"),
            "leads": _evidence(leads, "studio_leads"),
            "trainings": _evidence(trainings, "trainings"),
            "recognitions": _evidence(recognitions, "recognitions"),
        },
    )
