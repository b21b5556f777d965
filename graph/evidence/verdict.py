"""The verdict on many (talent, worker) pairs at once."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import polars as pl

from graph.people.chains import (
    FOREVER_DAY,
    MentorLinks,
    NumberArray,
    Questions,
    WalkResult,
    build_empty_walk_result,
    load_mentor_links,
    walk_chains_in_batches,
)
from graph.policy import CHANNELS, Policy
from graph.snapshot.frames import Snapshot

# --- the verdict ------------------------------------------------------------------------------


@dataclass(frozen=True)
class RelaxedPolicy:
    """A policy with rules left out, and the reason when no chain meets the rules it still has."""

    reason: str
    policy: Policy


def build_relaxed_policies(policy: Policy) -> list[RelaxedPolicy]:
    """The rules of a chain, one more in each: all but that it arrives by the day."""
    unrestricted = replace(
        policy, generations=None, ordered=False, channels=CHANNELS, undated="include"
    )
    limited = replace(unrestricted, generations=policy.generations)
    dated = replace(limited, undated=policy.undated)
    allowed = replace(dated, channels=policy.channels)
    ordered = replace(allowed, ordered=policy.ordered)
    named = ("no_chain", "too_many_hops", "undated", "channel", "back_in_time")
    return [
        RelaxedPolicy(reason, one)
        for reason, one in zip(named, (unrestricted, limited, dated, allowed, ordered), strict=True)
    ]


def explain_pairs(snapshot: Snapshot, policy: Policy, pairs: pl.DataFrame) -> pl.DataFrame:
    """The verdict on many pairs: talent_id, worker_id in, the same rows out with the answers.

    Adds counts, generation (0 = none), channel, pending, day (first high-skilled, null = never),
    and reason (null = it counts). Any order, repeats too.
    """
    return answer_pairs(snapshot, policy, resolve_pair_numbers(snapshot, pairs))


def answer_pairs(snapshot: Snapshot, policy: Policy, asked: pl.DataFrame) -> pl.DataFrame:
    """As `explain_pairs`, of pairs whose row numbers `resolve_pair_numbers` has found."""
    known = asked.drop_nulls(["talent", "worker"])
    snapshot = snapshot.under(policy)
    judged = _judge_pairs(snapshot, load_mentor_links(snapshot), policy, known)
    unknown = (
        pl.when(pl.col("talent").is_null())
        .then(pl.lit("no_such_talent"))
        .otherwise(pl.when(pl.col("worker").is_null()).then(pl.lit("no_such_worker")))
    )
    answers = asked.join(judged, on="place", how="left", maintain_order="left")
    return answers.select(
        "talent_id",
        "worker_id",
        pl.col("counts").fill_null(False),
        pl.col("generation").fill_null(0),
        "channel",
        pl.col("pending").fill_null(False),
        "day",
        reason=pl.coalesce("reason", unknown),
    )


def resolve_pair_numbers(snapshot: Snapshot, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with place, talent and worker, their row numbers (null = there is none)."""
    wanted = pl.concat([pairs["talent_id"], pairs["worker_id"]]).unique().implode()
    people = (
        snapshot.frames["people"]
        .filter(pl.col("person_id").is_in(wanted))
        .select("person_id", "person")
        .collect()
    )
    talents = people.rename({"person_id": "talent_id", "person": "talent"})
    workers = people.rename({"person_id": "worker_id", "person": "worker"})
    return (
        pairs.select("talent_id", "worker_id")
        .with_row_index("place")
        .join(talents, on="talent_id", how="left", maintain_order="left")
        .join(workers, on="worker_id", how="left", maintain_order="left")
    )


def _judge_pairs(
    snapshot: Snapshot, links: MentorLinks, policy: Policy, pairs: pl.DataFrame
) -> pl.DataFrame:
    """place, counts, generation, channel, pending, day and reason of pairs of row numbers."""
    leading = snapshot.frames["talents"].select("person").unique().collect()["person"].implode()
    high = find_first_high_skilled(snapshot, policy, pairs["worker"])
    facts = pairs.join(
        high, left_on="worker", right_on="person", how="left", maintain_order="left"
    ).with_columns(
        leading=pl.col("talent").is_in(leading),
        other=pl.col("talent") != pl.col("worker"),
        inside=pl.col("day").is_between(policy.window_start, policy.window_end).fill_null(False),
        waits=pl.col("day").is_null() | (pl.col("day") > policy.as_of),
    )
    may = facts["leading"] & facts["other"]
    asked = build_pair_questions(facts, facts["day"])
    as_of = build_pair_questions(
        facts, pl.repeat(policy.as_of, facts.height, dtype=pl.Date, eager=True)
    )
    found = _walk_masked_questions(links, asked, policy, may & facts["inside"])
    waiting = _walk_masked_questions(links, as_of, policy, may & facts["waits"]).generation > 0
    missed = (may & facts["inside"]).to_numpy() & (found.generation == 0)
    return facts.with_columns(
        pl.Series("counts", found.generation > 0),
        pl.Series("generation", found.generation),
        found.channel(),
        pl.Series("pending", waiting),
        pl.Series("broken", _find_broken_rules(links, asked, policy, missed), pl.String),
    ).select(
        "place",
        "counts",
        "generation",
        "channel",
        "pending",
        "day",
        _build_reason_expression(policy),
    )


def _build_reason_expression(policy: Policy) -> pl.Expr:
    """The first of `REASONS`, in their order; null for a pair that counts."""
    day = pl.col("day")
    return (
        pl.when(~pl.col("leading"))
        .then(pl.lit("not_a_leading_talent"))
        .when(~pl.col("other"))
        .then(pl.lit("same_person"))
        .when(day.is_null() & pl.col("pending"))
        .then(pl.lit("pending"))
        .when(day.is_null())
        .then(pl.lit("never_high_skilled"))
        .when(day < policy.window_start)
        .then(pl.lit("high_skilled_before"))
        .when(day > policy.window_end)
        .then(pl.lit("high_skilled_after"))
        .otherwise(pl.col("broken"))
        .alias("reason")
    )


def build_pair_questions(pairs: pl.DataFrame, day: pl.Series) -> Questions:
    """Those of rows with talent and worker; a null day is `FOREVER_DAY`."""
    days: NumberArray = day.cast(pl.Int32).fill_null(FOREVER_DAY).to_numpy()
    talent, worker = (pairs[name].to_numpy().astype(np.int64) for name in ("talent", "worker"))
    return Questions(talent, worker, days)


def _walk_masked_questions(
    links: MentorLinks, asked: Questions, policy: Policy, where: pl.Series
) -> WalkResult:
    """The walk's answers where it is asked for, elsewhere none."""
    rows = np.flatnonzero(where.to_numpy())
    some = walk_chains_in_batches(links, asked.at(rows), policy)
    found = build_empty_walk_result(len(asked))
    found.generation[rows] = some.generation
    found.by_mentorship[rows], found.by_studio[rows] = some.by_mentorship, some.by_studio
    return found


def _find_broken_rules(
    links: MentorLinks, asked: Questions, policy: Policy, where: NumberArray
) -> list[str | None]:
    """The reason that lies in the chains, row by row; None where it is not asked for."""
    reasons: list[str | None] = [None] * len(asked)
    left = np.flatnonzero(where)
    for rule in build_relaxed_policies(policy):
        some = asked.at(left)
        forever = replace(some, day=np.full(len(some), FOREVER_DAY, np.int32))
        answered = walk_chains_in_batches(links, forever, rule.policy).generation > 0
        for row in left[~answered]:
            reasons[row] = rule.reason
        left = left[answered]
    for row in left:
        reasons[row] = "too_late"
    return reasons


def find_first_high_skilled(snapshot: Snapshot, policy: Policy, workers: pl.Series) -> pl.DataFrame:
    """The day each of these people (row numbers) was first high-skilled: person, day, level."""
    level = policy.high_skilled_level
    return (
        snapshot.frames["promotions"]
        .filter(
            pl.col("level") >= level,
            pl.col("before") < level,
            pl.col("person").is_in(workers.unique().implode()),
        )
        .select("person", "day", "level")
        .collect()
    )
