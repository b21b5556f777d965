"""What the workers of one talent add up to, and what talents share one worker."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from graph.driven.figures import Driven
from graph.driven.terms import CREDIT_COLUMNS
from graph.snapshot.frames import Snapshot


def sum_worker_credits(workers: pl.DataFrame) -> pl.DataFrame:
    """A talent's workers (`Driven.workers_of`) by generation and channel: full (persons), and the
    sums of equal, nearest, decay (persons, shared); each adds up to the talent's total.
    """
    return (
        workers.group_by("generation", "channel")
        .agg(pl.len().alias("full"), pl.col(CREDIT_COLUMNS).sum())
        .sort("generation", "channel")
    )


def list_worker_shares(snapshot: Snapshot, driven: Driven, worker_id: str) -> pl.DataFrame:
    """The talents who drive a worker: talent_id, name, generation, and the worker's shares of
    credit (equal, nearest, decay), the nearest first; no row for a worker nobody drives.
    """
    people = snapshot.frames["people"].filter(pl.col("person_id") == worker_id)
    number = people.select("person").collect()["person"]
    rows = driven.pairs.filter(pl.col("person").is_in(number.implode()))
    talents = driven.talents.select("talent_id", "name", talent="person")
    return (
        rows.select("talent", "generation", *CREDIT_COLUMNS)
        .collect()
        .join(talents, on="talent")
        .select("talent_id", "name", "generation", *CREDIT_COLUMNS)
        .sort("generation", "talent_id")
    )


def count_joint_person_times(driven: Driven, talent_ids: Sequence[str]) -> int:
    """The person-times these talents drive together: each (person, day) once."""
    numbers = driven.talents.filter(pl.col("talent_id").is_in(talent_ids))["person"]
    events = driven.tables["events"].filter(pl.col("talent").is_in(numbers.implode()))
    return int(events.select("person", "day").unique().select(pl.len()).collect().item())


def list_mentorships_among(
    snapshot: Snapshot, driven: Driven, talent_ids: Sequence[str]
) -> list[tuple[str, str]]:
    """Who of these talents was mentor of whom among them: (mentor, apprentice), each once."""
    own = driven.talents.filter(pl.col("talent_id").is_in(talent_ids))
    ids = dict(own.select("person", "talent_id").rows())
    numbers = own["person"].implode()
    taught = (
        snapshot.frames["edges"]
        .filter(
            pl.col("channel") == "mentorship",
            pl.col("mentor").is_in(numbers),
            pl.col("apprentice").is_in(numbers),
        )
        .select("mentor", "apprentice")
        .unique()
        .collect()
    )
    return [(ids[mentor], ids[apprentice]) for mentor, apprentice in taught.rows()]
