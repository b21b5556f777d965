"""The earliest day on which a talent's chains arrive at each person, in many worlds at once.

The rounds are those of `graph.metrics.driven`, without its channels, generations and credits: what
the metrics need that ask "what if this link were not there" many times over. A test holds the two
to the same counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from graph.engines import Polars
from graph.metrics.driven import ALWAYS
from graph.policy import Policy
from graph.snapshot import Snapshot

# From so many generations on it pays to follow only what improves on shorter chains.
LONG_WALK: Final = 4


def passable(links: pl.LazyFrame, policy: Policy) -> pl.LazyFrame:
    """The links that the policy lets chains take, with a start that is never null.

    Takes mentor, apprentice, start, channel and whatever else, which stays.
    """
    start = pl.col("start")
    kept = links.filter(
        pl.col("channel").cast(pl.String).is_in(list(policy.channels)),
        pl.col("mentor") != pl.col("apprentice"),
    )
    if policy.undated == "exclude":
        kept = kept.filter(start.is_not_null())
    return kept.with_columns(start=start.fill_null(ALWAYS) if policy.ordered else pl.lit(ALWAYS))


def talents_at_home(talents: pl.LazyFrame) -> pl.DataFrame:
    """Each talent where it stands, before everything: talent, person, arrival."""
    at_home = talents.select(talent="person").unique()
    return at_home.with_columns(person="talent", arrival=pl.lit(ALWAYS)).collect()


def arrivals(
    links: pl.DataFrame,
    homes: pl.DataFrame,
    generations: int | None,
    *,
    without: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Whom the chains reach in at most so many hops: talent, person, arrival (the earliest day).

    Takes `passable` links and `talents_at_home`. With `without` (world, link), `homes` has a column
    world too, links one named link, and the result is that of each world, in which the links named
    for it are not there. A talent is never reached by itself. Raises `UsageError` when a round
    would not fit in memory.
    """
    keys = ["talent", "person"] if without is None else ["world", "talent", "person"]
    ways = links.group_by("mentor").agg(ways=pl.len())
    frontier, rounds = homes, [homes.clear().select(*keys, "arrival")]
    best: pl.DataFrame | None = None
    while generations is None or len(rounds) <= generations:
        steps = int(frontier.join(ways, left_on="person", right_on="mentor")["ways"].sum())
        Polars().refuse_what_cannot_fit(steps, len(rounds))
        frontier = _next(frontier, links, keys, without)
        if best is not None:
            frontier = _improved(frontier, best, keys)
        if frontier.is_empty():
            break
        rounds.append(frontier)
        if generations is None or generations >= LONG_WALK:
            best = _earliest([frontier] if best is None else [best, frontier], keys)
    return _earliest(rounds, keys) if best is None else best


def _next(
    frontier: pl.DataFrame,
    links: pl.DataFrame,
    keys: Sequence[str],
    without: pl.DataFrame | None,
) -> pl.DataFrame:
    steps = _steps(frontier, links)
    if without is not None:
        steps = steps.join(without.lazy(), on=["world", "link"], how="anti")
    return steps.group_by(keys).agg(pl.col("arrival").min()).collect()


def _improved(frontier: pl.DataFrame, best: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    compared = frontier.join(best, on=keys, how="left", suffix="_best")
    earlier = pl.col("arrival") < pl.col("arrival_best")
    return compared.filter(earlier.fill_null(True)).drop("arrival_best")


def _earliest(rounds: Sequence[pl.DataFrame], keys: Sequence[str]) -> pl.DataFrame:
    return pl.concat(rounds).lazy().group_by(keys).agg(pl.col("arrival").min()).collect()


# --- what they count for ----------------------------------------------------------------------


def counting_promotions(promotions: pl.LazyFrame, policy: Policy) -> pl.DataFrame:
    """The promotions that may count: person, day, first (it made the person high-skilled)."""
    level = policy.high_skilled_level
    inside = pl.col("day").is_between(policy.window_start, policy.window_end)
    counting = promotions.filter(pl.col("level") >= level, inside)
    return counting.select("person", "day", first=pl.col("before") < level).collect()


def counted(reached: pl.DataFrame, counting: pl.DataFrame) -> pl.DataFrame:
    """The promotions that the arrivals count for: the keys of `arrivals`, day, first."""
    found = reached.lazy().join(counting.lazy(), on="person")
    return found.filter(pl.col("arrival") <= pl.col("day")).drop("arrival").collect()


@dataclass(frozen=True)
class Hops:
    """The last hops of all chains, and what they count for, under one policy.

    - links: the links that chains may take: link (its number), mentor, apprentice, start, stated
      (the start on record), channel
    - homes: `talents_at_home`
    - near: whom the talents reach one hop short of the policy's generations, themselves included
    - hops: talent, person, link, arrival: a chain from the talent ends with this link
    - counting: `counting_promotions`
    - events: talent, person, day, first: the promotions that count
    """

    policy: Policy
    links: pl.DataFrame
    homes: pl.DataFrame
    near: pl.DataFrame
    hops: pl.DataFrame
    counting: pl.DataFrame
    events: pl.DataFrame


def last_hops(snapshot: Snapshot, policy: Policy) -> Hops:
    """Every last hop of a chain of the policy; see `Hops`."""
    stated = snapshot.frames["edges"].with_columns(stated="start")
    links = passable(stated, policy).with_row_index("link").collect()
    homes = talents_at_home(snapshot.frames["talents"])
    short = None if policy.generations is None else policy.generations - 1
    near = pl.concat([homes, arrivals(links, homes, short)], how="diagonal_relaxed")
    hops = _steps(near, links).select("talent", "person", "link", "arrival").collect()
    counting = counting_promotions(snapshot.frames["promotions"], policy)
    reached = hops.lazy().group_by("talent", "person").agg(pl.col("arrival").min()).collect()
    return Hops(policy, links, homes, near, hops, counting, counted(reached, counting))


def _steps(frontier: pl.DataFrame, links: pl.DataFrame) -> pl.LazyFrame:
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


def ledgers(events: pl.DataFrame) -> Ledgers:
    """Both ledgers of `counted`, of one world."""
    first = events.filter("first")
    times = events.lazy().select("person", "day").unique().select(pl.len()).collect().item()
    return Ledgers(first["person"].n_unique(), int(times), first.height)
