"""The tables of one revision of the graph: read out of Neo4j once, kept as Parquet beside it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from graph.policy import CHANNELS

CHANNEL = pl.Enum(CHANNELS)


@dataclass(frozen=True)
class Snapshot:
    """The graph's tables at one revision; `folder` is None when they stand in memory alone.

    `frames` holds them by name, people as row numbers (`person`) in all but `people`.
    """

    revision: int
    folder: Path | None
    frames: Mapping[str, pl.LazyFrame]


def influence_edges(
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
    together = leads.join(trainings, on="studio_id", suffix="_trained")
    later = pl.max_horizontal("start", "start_trained")
    earlier_end = pl.min_horizontal("end", "end_trained")
    dated = pl.col("start").is_not_null() & pl.col("start_trained").is_not_null()
    trained = together.filter((later <= earlier_end).fill_null(True)).select(
        mentor="person",
        apprentice="person_trained",
        start=pl.when(dated).then(later),
        channel=pl.lit("studio"),
    )
    return (
        pl.concat([taught, trained])
        .filter(pl.col("mentor") != pl.col("apprentice"))
        .with_columns(pl.col("channel").cast(CHANNEL))
        .unique()
    )


def promotions(recognitions: pl.LazyFrame) -> pl.LazyFrame:
    """The days on which a person's best level rises: person, day, level, before (0 = none).

    Several recognitions on one day count once, at the highest. Takes person, level, date.
    """
    best_of_day = (
        recognitions.group_by("person", day="date").agg(pl.col("level").max()).sort("person", "day")
    )
    # Levels have one digit: with the person's number before it, a running maximum over the whole
    # sorted table is each person's best level so far, with no grouping.
    person = pl.col("person").cast(pl.Int64)
    running = (person * 10 + pl.col("level")).cum_max()
    same_person = person == person.shift(1)
    before = pl.when(same_person).then(running.shift(1) - person * 10).otherwise(0)
    return (
        best_of_day.with_columns(before=before.cast(pl.Int8), level=pl.col("level").cast(pl.Int8))
        .filter(pl.col("level") > pl.col("before"))
        .select("person", "day", "level", "before")
    )
