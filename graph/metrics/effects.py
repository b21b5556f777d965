"""What the headline would be if some links or recognitions were not there.

All effects are changes against the figures as they stand: of the driven persons, of their
person-times, and of the persons summed over the talents. Each is exact: chains that are left are
walked again, not estimated.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from graph.driven.arrivals import (
    LastHops,
    Ledgers,
    compute_arrivals,
    filter_counting_promotions,
    find_counted_promotions,
)
from graph.snapshot.edges import compute_promotions

EFFECT_COLUMNS: Final = ("persons_change", "person_times_change", "sum_change")
# Rows of chains that may be walked again to measure worlds one by one: about ten seconds.
MAX_WALKED_ROWS: Final = 6_000_000
EVENT_COLUMNS: Final = ["talent", "person", "day", "first"]


def compute_ledger_changes(before: Ledgers, after: Ledgers) -> dict[str, int]:
    """The change from one to the other, by the names of `EFFECT_COLUMNS`."""
    figures = ("persons", "person_times", "sum_over_talents")
    return {
        change: getattr(after, figure) - getattr(before, figure)
        for change, figure in zip(EFFECT_COLUMNS, figures, strict=True)
    }


def compute_events_without(
    hops: LastHops, left_out: pl.DataFrame, recognitions: pl.LazyFrame | None = None
) -> pl.DataFrame:
    """The events when the links (link) are left out, and only these `recognitions` are there.

    Only talents whose chains take one of the links are walked again.
    """
    gone = hops.links.join(left_out, on="link", how="semi")
    touched = hops.near.join(gone, left_on="person", right_on="mentor", how="semi")
    talents = touched.select("talent").unique()
    links = hops.links.join(left_out, on="link", how="anti")
    homes = hops.homes.join(talents, on="talent", how="semi")
    again = compute_arrivals(links, homes, hops.policy.generations)
    if recognitions is None:
        untouched = hops.events.join(talents, on="talent", how="anti")
        return pl.concat(
            [untouched, find_counted_promotions(again, hops.counting).select(EVENT_COLUMNS)]
        )
    same = hops.hops.lazy().join(talents.lazy(), on="talent", how="anti")
    reached = same.group_by("talent", "person").agg(pl.col("arrival").min()).collect()
    counting = filter_counting_promotions(compute_promotions(recognitions), hops.policy)
    return find_counted_promotions(pl.concat([reached, again]), counting).select(EVENT_COLUMNS)


def measure_without_links(hops: LastHops, left_out: pl.DataFrame) -> pl.DataFrame:
    """The change for each world (world, link), when its links are left out: world and
    `EFFECT_COLUMNS`.

    Where everyone the links lead to passes nothing on, only the last hops are looked at, so all
    such worlds are measured. The others are walked again, those of the most far-reaching links
    first, as far as `MAX_WALKED_ROWS` goes; worlds beyond it are not in the result.
    """
    worlds = left_out.select("world").unique()
    ends = left_out.join(hops.links.select("link", "mentor", "apprentice"), on="link")
    passing_on = hops.links.select(apprentice="mentor").unique()
    deep = ends.join(passing_on, on="apprentice", how="semi").select("world").unique()
    shallow = left_out.join(deep, on="world", how="anti")
    walked, cost = _choose_affordable_worlds(hops, ends.join(deep, on="world", how="semi"))
    lost = pl.concat(
        [_find_lost_last_hops(hops, shallow), _find_lost_walks(hops, left_out, walked)]
    )
    unmeasured = deep.join(cost, on="world", how="anti")
    measured = worlds.join(unmeasured, on="world", how="anti")
    return measured.join(_sum_changes(hops, lost), on="world", how="left").with_columns(
        pl.col(EFFECT_COLUMNS).fill_null(0)
    )


def _find_lost_last_hops(hops: LastHops, left_out: pl.DataFrame) -> pl.DataFrame:
    """The events that each world loses, for links whose apprentices pass nothing on."""
    gone = left_out.lazy().with_columns(gone=pl.lit(True))
    touched = gone.join(hops.hops.lazy(), on="link").select("world", "talent", "person").unique()
    ways = (
        touched.join(hops.hops.lazy(), on=["talent", "person"])
        .join(hops.counting.lazy(), on="person")
        .filter(pl.col("arrival") <= pl.col("day"))
        .join(gone, on=["world", "link"], how="left")
    )
    events = ways.group_by("world", *EVENT_COLUMNS).agg(lost=pl.col("gone").is_not_null().all())
    return events.filter("lost").drop("lost").collect()


def _choose_affordable_worlds(
    hops: LastHops, ends: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The talents to walk again (world, talent), and the worlds so measured (world).

    A talent is touched when it reaches the mentor of one of the links by the link's start.
    """
    starts = ends.join(hops.links.select("link", "start"), on="link")
    touched = (
        starts.lazy()
        .join(hops.near.lazy(), left_on="mentor", right_on="person")
        .filter(pl.col("arrival") <= pl.col("start"))
        .select("world", "talent")
        .unique()
    )
    rows = hops.hops.lazy().group_by("talent").agg(rows=pl.len().cast(pl.Int64))
    costs = touched.join(rows, on="talent").group_by("world").agg(pl.col("rows").sum()).collect()
    ways = hops.links.group_by("mentor").agg(ways=pl.len().cast(pl.Int64))
    weight = ends.join(ways, left_on="apprentice", right_on="mentor", how="left")
    weight = weight.group_by("world").agg(weight=pl.col("ways").fill_null(0).sum() + pl.len())
    ordered = (
        weight.join(costs, on="world", how="left")
        .with_columns(pl.col("rows").fill_null(0))
        .sort("weight", "world", descending=[True, False])
    )
    chosen = ordered.filter((pl.col("rows") == 0) | (pl.col("rows").cum_sum() <= MAX_WALKED_ROWS))
    measured = chosen.select("world")
    return touched.collect().join(measured, on="world", how="semi"), measured


def _find_lost_walks(hops: LastHops, left_out: pl.DataFrame, walked: pl.DataFrame) -> pl.DataFrame:
    """The events that each (world, talent) loses, all its chains walked again."""
    homes = walked.join(hops.homes, on="talent")
    again = compute_arrivals(hops.links, homes, hops.policy.generations, without=left_out)
    still_counted = find_counted_promotions(again, hops.counting)
    before = walked.lazy().join(hops.events.lazy(), on="talent")
    keys = ["world", *EVENT_COLUMNS]
    return before.join(still_counted.lazy(), on=keys, how="anti").select(keys).collect()


def _sum_changes(hops: LastHops, lost: pl.DataFrame) -> pl.DataFrame:
    """The changes of each world that loses anything, from the events it loses."""
    talents = hops.events.lazy().group_by("person", "day").agg(talents=pl.len())
    by_event = lost.lazy().group_by("world", "person", "day", "first").agg(losing=pl.len())
    loses_all = pl.col("losing") == pl.col("talents")
    return (
        by_event.join(talents, on=["person", "day"])
        .group_by("world")
        .agg(
            persons_change=-(loses_all & pl.col("first")).sum().cast(pl.Int64),
            person_times_change=-loses_all.sum().cast(pl.Int64),
            sum_change=-pl.col("losing").filter(pl.col("first")).sum().cast(pl.Int64),
        )
        .collect()
    )


def measure_without_recognitions(
    hops: LastHops, recognitions: pl.DataFrame, left_out: pl.DataFrame
) -> pl.DataFrame:
    """The change for each world (world, person, day) without the person's recognitions of that day.

    Takes all recognitions of these people (person, level, date). A later recognition may then be
    the one that counts, so a change may be of either sign.
    """
    days = left_out.rename({"day": "left_out"})
    theirs = recognitions.lazy().join(days.lazy(), on="person")
    remaining = theirs.filter(pl.col("date") != pl.col("left_out"))
    # Each world has one person, so that its number can stand for him.
    rises = compute_promotions(remaining.select("level", "date", person="world"))
    counting = filter_counting_promotions(rises, hops.policy).rename({"person": "world"})
    reached = (
        hops.hops.lazy()
        .join(left_out.lazy(), on="person")
        .group_by("world", "talent")
        .agg(pl.col("arrival").min())
    )
    after = reached.join(counting.lazy(), on="world").filter(pl.col("arrival") <= pl.col("day"))
    before = left_out.lazy().select("world", "person").join(hops.events.lazy(), on="person")
    return (
        pl.concat([_count_person_changes(after, 1), _count_person_changes(before, -1)])
        .group_by("world")
        .agg(pl.col(EFFECT_COLUMNS).sum())
        .join(left_out.lazy().select("world"), on="world", how="right")
        .with_columns(pl.col(EFFECT_COLUMNS).fill_null(0))
        .collect()
    )


def _count_person_changes(events: pl.LazyFrame, sign: int) -> pl.LazyFrame:
    first = pl.col("first")
    return events.group_by("world").agg(
        persons_change=first.any().cast(pl.Int64) * sign,
        person_times_change=pl.col("day").n_unique().cast(pl.Int64) * sign,
        sum_change=first.sum().cast(pl.Int64) * sign,
    )
