"""How many of the workers a talent drives are apprentices of the talent's own."""

from __future__ import annotations

from functools import partial

import polars as pl

from graph.cache.tables import build_table_path, load_cached_table
from graph.driven.figures import Driven
from graph.snapshot.frames import Snapshot


def load_own_apprentices(snapshot: Snapshot, driven: Driven) -> pl.DataFrame:
    """As `count_own_apprentices`, cached beside the snapshot."""
    path = build_table_path(snapshot, "own", driven.policy.id)
    return load_cached_table(path, partial(count_own_apprentices, snapshot, driven))


def count_own_apprentices(snapshot: Snapshot, driven: Driven) -> pl.DataFrame:
    """Own apprentices by talent: person (a row number) and own, the number of driven workers who
    count through a mentorship of the talent's own. Talents without one are left out.

    A mentorship counts when the policy has that channel, when its start is known or undated links
    are included, and, in an ordered policy, when it starts by the day of the promotion.
    """
    policy = driven.policy
    if "mentorship" not in policy.channels:
        return pl.DataFrame(schema={"person": pl.Int32, "own": pl.Int64})
    leading = driven.talents["person"]
    taught = (
        snapshot.under(policy)
        .frames["edges"]
        .filter(pl.col("channel") == "mentorship", pl.col("mentor").is_in(leading.implode()))
    )
    if policy.undated == "exclude":
        taught = taught.filter(pl.col("start").is_not_null())
    first = taught.group_by("mentor", "apprentice").agg(
        undated=pl.col("start").is_null().any(), start=pl.col("start").min()
    )
    own = first.join(
        driven.pairs.select("talent", "person", "day"),
        left_on=["mentor", "apprentice"],
        right_on=["talent", "person"],
    )
    if policy.ordered:
        own = own.filter(pl.col("undated") | (pl.col("start") <= pl.col("day")))
    return own.group_by(person="mentor").agg(own=pl.len().cast(pl.Int64)).collect()
