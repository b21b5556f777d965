"""The promotions that chains count for, and the credit of each."""

from __future__ import annotations

import narwhals as nw

from graph.driven.engines import IN_MEMORY, Engine, Frame
from graph.driven.rounds import build_earliest_arrival, deduplicate_pairs, list_carried_arrivals
from graph.driven.terms import GENERATION_KEY_BASE, LEDGER_LINES
from graph.policy import CHANNELS, Policy

# --- what the chains count for ----------------------------------------------------------------


def compute_events(
    reached: Frame, promotions: Frame, policy: Policy, engine: Engine = IN_MEMORY
) -> Frame:
    """The promotions that chains count for: one row a (talent, person, day).

    generation is the fewest hops of a chain that counts for it; by_mentorship and by_studio tell
    whether a chain of that channel alone counts; first whether it made the person high-skilled.
    """
    day, level = nw.col("day"), policy.high_skilled_level
    inside = promotions.filter(
        nw.col("level") >= level, day >= policy.window_start, day <= policy.window_end
    ).select("person", "day", first=nw.col("before") < level)
    counting = reached.join(engine.in_order(inside, "person"), on="person", how="inner")
    of_promotion, arrivals = ("talent", "person", "day", "first"), list_carried_arrivals(policy)
    alone = {f"by_{channel}": _build_channel_alone(channel, policy) for channel in CHANNELS}
    if not arrivals:
        # Every chain counts, and the reach has each pair once: so is each promotion of it here.
        return counting.select(*of_promotion, "generation", **alone)
    generation = nw.when(nw.col("arrival") <= day).then(nw.col("generation"))
    return (
        counting.filter(build_earliest_arrival(arrivals) <= day)
        .select(*of_promotion, generation=generation, **alone)
        .group_by(*of_promotion)
        .agg(nw.col("generation").min(), *(nw.col(kind).max() for kind in alone))
    )


def _build_channel_alone(channel: str, policy: Policy) -> nw.Expr:
    """1 where a chain of the channel alone arrives by the day, else 0."""
    if policy.channels == CHANNELS:
        arrives = nw.col(channel) <= nw.col("day")
        return nw.when(arrives).then(nw.lit(1, nw.Int8)).otherwise(nw.lit(0, nw.Int8))
    return nw.lit(int(channel in policy.channels), nw.Int8)


def find_pending_pairs(
    reached: Frame, promotions: Frame, policy: Policy, engine: Engine = IN_MEMORY
) -> Frame:
    """The (talent, person) pairs that wait on the as-of day: reached, not high-skilled by then."""
    level = policy.high_skilled_level
    skilled = promotions.filter(
        nw.col("level") >= level, nw.col("before") < level, nw.col("day") <= policy.as_of
    ).select("person")
    arrived = reached.filter(nw.col("arrival") <= policy.as_of) if policy.ordered else reached
    waiting = arrived.select("talent", "person").join(skilled, on="person", how="anti")
    return deduplicate_pairs(waiting, (), engine) if list_carried_arrivals(policy) else waiting


def compute_credits(counted: Frame) -> Frame:
    """The driven pairs of `events`, each with its share of the worker's credit.

    equal is 1/|T(w)|, the Shapley value of the coverage game; nearest shares one among the talents
    of the smallest generation; decay shares it in proportion to 0.5^generation.
    """
    first = counted.filter(nw.col("first")).drop("first")
    generation, number = nw.col("generation").cast(nw.Int64), nw.col("number")
    by_generation = first.group_by("person", "generation").agg(number=nw.len().cast(nw.Int64))
    shared = by_generation.group_by("person").agg(
        talents=number.sum(),
        weights=(number * nw.lit(0.5) ** generation).sum(),
        # The smallest generation and how many are of it, as one number.
        nearest=(generation * GENERATION_KEY_BASE + number).min(),
    )
    is_closest = nw.col("generation") == nw.col("nearest") // GENERATION_KEY_BASE
    return first.join(shared, on="person", how="inner").select(
        "talent",
        "person",
        "day",
        "generation",
        "by_mentorship",
        "by_studio",
        equal=1.0 / nw.col("talents"),
        nearest=nw.when(is_closest)
        .then(1.0 / (nw.col("nearest") % GENERATION_KEY_BASE))
        .otherwise(nw.lit(0.0)),
        decay=nw.lit(0.5) ** generation / nw.col("weights"),
    )


def compute_national_promotions(counted: Frame, promotions: Frame, policy: Policy) -> Frame:
    """The promotions that any talent's chain counts for, once each.

    One row a (person, day): generation (the fewest hops from any talent), by_mentorship,
    by_studio, and ledger: the place in `LEDGER_LINES` of the line of the reconciliation it stands
    in.
    """
    once = counted.group_by("person", "day", "first").agg(
        nw.col("generation").min(), nw.col("by_mentorship").max(), nw.col("by_studio").max()
    )
    level = policy.high_skilled_level
    high_since = promotions.filter(nw.col("level") >= level, nw.col("before") < level).select(
        "person", high_since=nw.col("day")
    )
    driven = once.filter(nw.col("first")).select("person", driven=nw.lit(True))
    code = {line: nw.lit(place, nw.Int8) for place, line in enumerate(LEDGER_LINES)}
    line = (
        nw.when(nw.col("first"))
        .then(code["first_promotions"])
        .when(nw.col("high_since") < policy.window_start)
        .then(code["high_skilled_before"])
        .when(nw.col("driven"))
        .then(code["further_promotions"])
        .otherwise(code["later_promotions"])
    )
    return (
        once.join(high_since, on="person", how="inner")
        .join(driven, on="person", how="left")
        .select("person", "day", "generation", "by_mentorship", "by_studio", ledger=line)
    )
