"""The earliest day on which a talent's chains arrive at each person, in many worlds at once.

The rounds are those of `graph.driven.figures`, without its channels, generations and credits: what
the metrics need that ask "what if this link were not there" many times over. A test holds the two
to the same counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from graph.driven.engines import Polars
from graph.driven.terms import ALWAYS_DATE
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

# From so many generations on it pays to follow only what improves on shorter chains.
PRUNED_WALK_GENERATIONS: Final = 4


def filter_passable_links(links: pl.LazyFrame, policy: Policy) -> pl.LazyFrame:
    """The links that the policy lets chains take, with a start that is never null.

    Takes mentor, apprentice, start, channel and whatever else, which stays.
    """
    start = pl.col("start")
    passable = links.filter(
        pl.col("channel").cast(pl.String).is_in(list(policy.channels)),
        pl.col("mentor") != pl.col("apprentice"),
    )
    if policy.undated == "exclude":
        passable = passable.filter(start.is_not_null())
    return passable.with_columns(
        start=start.fill_null(ALWAYS_DATE) if policy.ordered else pl.lit(ALWAYS_DATE)
    )


def build_talent_homes(talents: pl.LazyFrame) -> pl.DataFrame:
    """The start of every walk, each talent at itself, always: talent, person, arrival."""
    at_home = talents.select(talent="person").unique()
    return at_home.with_columns(person="talent", arrival=pl.lit(ALWAYS_DATE)).collect()


def compute_arrivals(
    links: pl.DataFrame,
    homes: pl.DataFrame,
    generations: int | None,
    *,
    without: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The people the chains reach within `generations` hops: talent, person, arrival (earliest).

    Takes `filter_passable_links` links and `build_talent_homes`. With `without` (world, link),
    `homes` has a column world too, links one named link, and the result is that of each world, in
    which the links named for it are not there. A talent is never reached by itself. Raises
    `UsageError` when a round would not fit in memory.
    """
    keys = ["talent", "person"] if without is None else ["world", "talent", "person"]
    ways = links.group_by("mentor").agg(ways=pl.len())
    frontier, rounds = homes, [homes.clear().select(*keys, "arrival")]
    best: pl.DataFrame | None = None
    while generations is None or len(rounds) <= generations:
        steps = int(frontier.join(ways, left_on="person", right_on="mentor")["ways"].sum())
        Polars().refuse_what_cannot_fit(steps, len(rounds))
        frontier = _advance_arrivals(frontier, links, keys, without)
        if best is not None:
            frontier = _filter_earlier_arrivals(frontier, best, keys)
        if frontier.is_empty():
            break
        rounds.append(frontier)
        if generations is None or generations >= PRUNED_WALK_GENERATIONS:
            best = _merge_earliest_arrivals([frontier] if best is None else [best, frontier], keys)
    return _merge_earliest_arrivals(rounds, keys) if best is None else best


def _advance_arrivals(
    frontier: pl.DataFrame,
    links: pl.DataFrame,
    keys: Sequence[str],
    without: pl.DataFrame | None,
) -> pl.DataFrame:
    steps = _join_next_links(frontier, links)
    if without is not None:
        steps = steps.join(without.lazy(), on=["world", "link"], how="anti")
    return steps.group_by(keys).agg(pl.col("arrival").min()).collect()


def _filter_earlier_arrivals(
    frontier: pl.DataFrame, best: pl.DataFrame, keys: Sequence[str]
) -> pl.DataFrame:
    compared = frontier.join(best, on=keys, how="left", suffix="_best")
    earlier = pl.col("arrival") < pl.col("arrival_best")
    return compared.filter(earlier.fill_null(True)).drop("arrival_best")


def _merge_earliest_arrivals(rounds: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    return pl.concat(rounds).lazy().group_by(keys).agg(pl.col("arrival").min()).collect()


# --- what they count for ----------------------------------------------------------------------


def filter_counting_promotions(promotions: pl.LazyFrame, policy: Policy) -> pl.DataFrame:
    """The promotions that may count: person, day, first (it made the person high-skilled)."""
    level = policy.high_skilled_level
    inside = pl.col("day").is_between(policy.window_start, policy.window_end)
    counting = promotions.filter(pl.col("level") >= level, inside)
    return counting.select("person", "day", first=pl.col("before") < level).collect()


def find_counted_promotions(reached: pl.DataFrame, counting: pl.DataFrame) -> pl.DataFrame:
    """The promotions that the arrivals count for: the keys of `arrivals`, day, first."""
    found = reached.lazy().join(counting.lazy(), on="person")
    return found.filter(pl.col("arrival") <= pl.col("day")).drop("arrival").collect()


@dataclass(frozen=True)
class LastHops:
    """The last hops of all chains, and what they count for, under one policy.

    - links: the links that chains may take: link (its number), mentor, apprentice, start, stated
      (the start on record), channel
    - homes: `build_talent_homes`
    - near: the people the talents reach one hop short of the policy's generations, and themselves
    - hops: talent, person, link, arrival: a chain from the talent ends with this link
    - counting: `filter_counting_promotions`
    - events: talent, person, day, first: the promotions that count
    """

    policy: Policy
    links: pl.DataFrame
    homes: pl.DataFrame
    near: pl.DataFrame
    hops: pl.DataFrame
    counting: pl.DataFrame
    events: pl.DataFrame


def compute_last_hops(snapshot: Snapshot, policy: Policy) -> LastHops:
    """Every last hop of a chain of the policy; see `LastHops`."""
    snapshot = snapshot.under(policy)
    stated = snapshot.frames["edges"].with_columns(stated="start")
    links = filter_passable_links(stated, policy).with_row_index("link").collect()
    homes = build_talent_homes(snapshot.frames["talents"])
    short = None if policy.generations is None else policy.generations - 1
    near = pl.concat([homes, compute_arrivals(links, homes, short)], how="diagonal_relaxed")
    hops = _join_next_links(near, links).select("talent", "person", "link", "arrival").collect()
    counting = filter_counting_promotions(snapshot.frames["promotions"], policy)
    reached = hops.lazy().group_by("talent", "person").agg(pl.col("arrival").min()).collect()
    return LastHops(
        policy, links, homes, near, hops, counting, find_counted_promotions(reached, counting)
    )


def _join_next_links(frontier: pl.DataFrame, links: pl.DataFrame) -> pl.LazyFrame:
    """The frontier one link on: its columns, with person and arrival those of the link's end."""
    return (
        frontier.lazy()
        .join(links.lazy(), left_on="person", right_on="mentor")
        .filter(pl.col("start") >= pl.col("arrival"), pl.col("apprentice") != pl.col("talent"))
        .with_columns(person="apprentice", arrival="start")
    )


@dataclass(frozen=True)
class Ledgers:
    """Driven persons, their person-times, and persons summed over the talents."""

    persons: int
    person_times: int
    sum_over_talents: int


def compute_ledgers(events: pl.DataFrame) -> Ledgers:
    """Both ledgers of `counted`, of one world."""
    first = events.filter("first")
    times = events.lazy().select("person", "day").unique().select(pl.len()).collect().item()
    return Ledgers(first["person"].n_unique(), int(times), first.height)
