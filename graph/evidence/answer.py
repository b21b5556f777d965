"""Why a worker counts for a leading talent, or the first reason why not; and the rows of a number.

The verdict is found anew, backwards from the worker (`graph.people.chains`), not read from the
engine's result: that the two agree is a check on both.

When a worker does not count, the reason is the first of `REASONS` that holds. The last six look at
chains: each says that of the chains which met the reasons before it, none meets this rule too. So
there is always exactly one, and the chain shown is one that meets all rules before it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import islice
from typing import cast

import polars as pl

from graph.dates import (
    PRECISION,
    least_known,
    make_partial_date,
)
from graph.evidence.reasons import DEFAULT_CHAIN_COUNT, Explanation, PromotionEvent
from graph.evidence.source_rows import build_chain_hops, list_link_rows, list_recognition_rows
from graph.evidence.verdict import (
    answer_pairs,
    build_pair_questions,
    build_relaxed_policies,
    resolve_pair_numbers,
)
from graph.people.chains import (
    FOREVER_DAY,
    MentorLinks,
    Step,
    encode_day,
    list_chains_best_first,
    load_mentor_links,
    walk_chains_in_batches,
)
from graph.people.lookup import lookup_first_days
from graph.policy import Policy
from graph.snapshot.edges import (
    has_partial_starts,
)
from graph.snapshot.frames import LINK_FRAMES, Snapshot

# --- one pair ---------------------------------------------------------------------------------


def explain_pair(
    snapshot: Snapshot,
    policy: Policy,
    talent_id: str,
    worker_id: str,
    *,
    chains: int = DEFAULT_CHAIN_COUNT,
) -> Explanation:
    """Whether a worker counts for a talent under the policy, with the chains or the reason.

    `chains` is the most chains shown. A number that nobody has is a reason too, not an error.
    """
    snapshot = snapshot.under(policy)
    pair = pl.DataFrame({"talent_id": [talent_id], "worker_id": [worker_id]})
    numbers = resolve_pair_numbers(snapshot, pair)
    answer = answer_pairs(snapshot, policy, numbers).row(0, named=True)
    first = answer.pop("day")
    base = Explanation(**answer, policy=policy, revision=snapshot.revision, first_high=first)
    if base.reason in ("no_such_talent", "no_such_worker", "not_a_leading_talent", "same_person"):
        return base
    links = load_mentor_links(snapshot)
    talent, worker = numbers["talent"].item(), numbers["worker"].item()
    base = replace(base, first_high=_find_first_high_skilled_date(snapshot, policy, worker))
    found = _list_promotion_events(snapshot, links, policy, talent, worker)
    by = next((event.day for event in found if event.counts), None)
    if by is None and base.pending:
        by = policy.as_of
    counting = (
        [] if by is None else _list_pair_chains(links, (talent, worker, by), policy, chains + 1)
    )
    failing = _find_failing_chain(links, policy, (talent, worker), base.reason)
    shown_hops = build_chain_hops(snapshot, [*counting[:chains], *failing])
    return replace(
        base,
        events=found,
        arrived_by=by,
        chains=tuple(shown_hops[: len(counting[:chains])]),
        more=len(counting) > chains,
        failing=shown_hops[-1] if failing else (),
    )


def _list_pair_chains(
    links: MentorLinks, question: tuple[int, int, date], policy: Policy, most: int
) -> list[tuple[Step, ...]]:
    talent, worker, by = question
    return list(
        islice(list_chains_best_first(links, (talent, worker, encode_day(by)), policy), most)
    )


def _find_failing_chain(
    links: MentorLinks, policy: Policy, pair: tuple[int, int], reason: str | None
) -> list[tuple[Step, ...]]:
    """The best chain that meets the rules before the one that none meets; none for others."""
    rules = build_relaxed_policies(policy)
    order = [rule.reason for rule in rules] + ["too_late"]
    if reason not in order[1:]:
        return []
    met = rules[order.index(reason) - 1].policy
    return list(islice(list_chains_best_first(links, (*pair, FOREVER_DAY), met), 1))


def _find_first_high_skilled_date(snapshot: Snapshot, policy: Policy, worker: int) -> date | None:
    """The day on which the worker was first high-skilled, with what is known of it."""
    found = lookup_first_days(snapshot, [worker], policy.high_skilled_level)
    return make_partial_date(*found.select("day", "day_precision").row(0)) if found.height else None


def _list_promotion_events(
    snapshot: Snapshot, links: MentorLinks, policy: Policy, talent: int, worker: int
) -> tuple[PromotionEvent, ...]:
    """The worker's promotions inside the window that are to high skill or further."""
    level = policy.high_skilled_level
    rises = (
        snapshot.frames["promotions"]
        .filter(
            pl.col("person") == worker,
            pl.col("level") >= level,
            pl.col("day").is_between(policy.window_start, policy.window_end),
        )
        .sort("day")
        .with_columns(talent=pl.lit(talent), worker=pl.lit(worker))
        .collect()
    )
    found = walk_chains_in_batches(links, build_pair_questions(rises, rises["day"]), policy)
    rows = list_recognition_rows(snapshot, rises)
    return tuple(
        PromotionEvent(
            cast(date, make_partial_date(row["day"], row["day_precision"])),
            row["level"],
            row["before"],
            row["before"] < level,
            int(generation),
            channel,
            rows.get((worker, row["day"], row["level"]), ()),
        )
        for row, generation, channel in zip(
            rises.iter_rows(named=True), found.generation, found.channel(), strict=True
        )
    )


def find_start_precisions(snapshot: Snapshot, hops: pl.DataFrame) -> list[str | None]:
    """What is known of the start of each of these hops: mentor, apprentice, start, channel in."""
    links = {name: snapshot.frames[name] for name in LINK_FRAMES if name in snapshot.frames}
    if not has_partial_starts(links):
        return [None] * hops.height
    keys = ["mentor", "apprentice", "start", "channel"]
    name = "start" + PRECISION
    known = list_link_rows(snapshot, hops).group_by(keys).agg(least_known(name))
    found = hops.join(known, on=keys, how="left", nulls_equal=True, maintain_order="left")
    return found[name].to_list()
