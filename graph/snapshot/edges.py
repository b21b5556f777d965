"""Tables derived from a snapshot's own: edges along which skill passes on, and promotions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from graph.dates import DAY, PRECISION, YEAR
from graph.policy import CHANNELS

CHANNEL_DTYPE: Final = pl.Enum(CHANNELS)


# --- what the metrics stand on ----------------------------------------------------------------


def build_edge_table(links: Mapping[str, pl.LazyFrame]) -> pl.LazyFrame:
    """The edges of mentorships, leads and trainings (see `build_influence_edges`), sorted."""
    trainings = filter_studio_trainings(links["trainings"])
    edges = build_influence_edges(links["mentorships"], links["leads"], trainings)
    return edges.sort("mentor", "apprentice", "start", "channel")


def has_year_alone(links: Mapping[str, pl.LazyFrame]) -> bool:
    """Whether the year alone is known of the start of any of the links."""
    return _any_start(links, pl.col("start" + PRECISION) == YEAR)


def has_partial_starts(links: Mapping[str, pl.LazyFrame]) -> bool:
    """Whether not more than the year or the month is known of the start of any of the links."""
    return _any_start(links, pl.col("start" + PRECISION).is_not_null())


def _any_start(links: Mapping[str, pl.LazyFrame], holds: pl.Expr) -> bool:
    name = "start" + PRECISION
    return any(
        not frame.select(name).filter(holds).head(1).collect().is_empty()
        for frame in links.values()
        if name in frame.collect_schema()
    )


def build_influence_edges(
    mentorships: pl.LazyFrame, leads: pl.LazyFrame, trainings: pl.LazyFrame
) -> pl.LazyFrame:
    """The edges along which skill passes on: mentor, apprentice, start, channel.

    A mentorship starts with its row. A studio's edge goes from one who leads it to one who trains
    there while the periods overlap (an empty end is open, both ends count), and starts with the
    later of the two. A start that is not known is open for the overlap, and the edge is undated.
    Nobody has an edge to himself.

    Takes mentorships (mentor, apprentice, start), leads and trainings (person, studio_id, start,
    end).
    """
    taught = mentorships.select("mentor", "apprentice", "start", channel=pl.lit("mentorship"))
    trained = build_studio_ties(leads, trainings).select(
        "mentor", "apprentice", "start", channel=pl.lit("studio")
    )
    return (
        pl.concat([taught, trained])
        .filter(pl.col("mentor") != pl.col("apprentice"))
        .with_columns(pl.col("channel").cast(CHANNEL_DTYPE))
        .unique()
    )


def build_studio_ties(leads: pl.LazyFrame, trainings: pl.LazyFrame) -> pl.LazyFrame:
    """Who led a studio while who trained there: mentor, apprentice, studio_id, start, end.

    A row for each two periods that overlap, `start` and `end` the overlap's; see
    `build_influence_edges`. One who both leads and trains is here with himself.
    """
    together = leads.join(trainings, on="studio_id", suffix="_trained")
    later = pl.max_horizontal("start", "start_trained")
    earlier_end = pl.min_horizontal("end", "end_trained")
    dated = pl.col("start").is_not_null() & pl.col("start_trained").is_not_null()
    return together.filter((later <= earlier_end).fill_null(True)).select(
        "studio_id",
        mentor="person",
        apprentice="person_trained",
        start=pl.when(dated).then(later),
        end=earlier_end,
        **combine_precisions(together, start=later, end=earlier_end),
    )


def combine_precisions(together: pl.LazyFrame, **days: pl.Expr) -> dict[str, pl.Expr]:
    """How much is known of the day that stands of two: `start` and `start_trained`, one of them.

    Nothing where the tables do not say it of both.
    """
    known = together.collect_schema().names()
    found: dict[str, pl.Expr] = {}
    for name, day in days.items():
        precisions = (name + PRECISION, f"{name}{PRECISION}_trained")
        if set(precisions) <= set(known):
            own, other = (
                pl.when(pl.col(of) == day).then(pl.col(precision).fill_null(DAY))
                for of, precision in zip((name, f"{name}_trained"), precisions, strict=True)
            )
            exact = (own == DAY).fill_null(False) | (other == DAY).fill_null(False)
            found[name + PRECISION] = pl.when(~exact).then(pl.coalesce(own, other))
    return found


def filter_studio_trainings(trainings: pl.LazyFrame) -> pl.LazyFrame:
    """The trainings at studios, `studio_id` in place of the place."""
    return trainings.filter(pl.col("place_kind") == "Studio").rename({"place_id": "studio_id"})


def compute_promotions(recognitions: pl.LazyFrame) -> pl.LazyFrame:
    """The days on which a person's best level rises: person, day, level, before (0 = none).

    Several recognitions on one day count once, at the highest. Takes person, level, date, and
    date_precision where the table has it; day_precision is what is known of the day.
    """
    known = pl.col("date" + PRECISION)
    has_precision = known.meta.output_name() in recognitions.collect_schema()
    if has_precision:
        has_precision = not recognitions.filter(known.is_not_null()).head(1).collect().is_empty()
    best = pl.col("level") == pl.col("level").max()
    precision = known.filter(best)
    of_day = pl.when(precision.null_count() == 0).then(precision.max()) if has_precision else None
    best_of_day = (
        recognitions.group_by("person", day="date")
        .agg(
            pl.col("level").max(),
            day_precision=pl.lit(None, pl.String) if of_day is None else of_day,
        )
        .sort("person", "day")
    )
    # Levels have one digit: with the person's number before it, a running maximum over the full
    # sorted table is each person's best level so far, with no grouping.
    person = pl.col("person").cast(pl.Int64)
    running = (person * 10 + pl.col("level")).cum_max()
    same_person = person == person.shift(1)
    before = pl.when(same_person).then(running.shift(1) - person * 10).otherwise(0)
    return (
        best_of_day.with_columns(before=before.cast(pl.Int8), level=pl.col("level").cast(pl.Int8))
        .filter(pl.col("level") > pl.col("before"))
        .select("person", "day", "level", "before", "day_precision")
    )
