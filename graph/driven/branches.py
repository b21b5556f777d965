"""A talent's branches: what reaches by way of each of those he or she taught or trained directly.

A branch holds everyone at whom a chain of the policy arrives whose first link leads to that one
person. It is found by the engine itself (`graph.driven.figures`), on the talent's own links alone,
so that the branches together are exactly what the talent drives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import narwhals as nw
import numpy as np
import polars as pl

from graph.driven.promotions import compute_events, find_pending_pairs
from graph.driven.rounds import compute_reach
from graph.errors import UsageError
from graph.people.chains import UNKNOWN_DAY, NumberArray
from graph.people.paths import Ties, load_ties
from graph.policy import CHANNELS, Policy
from graph.snapshot.edges import CHANNEL_DTYPE
from graph.snapshot.frames import Snapshot

# More people below one talent than this are not walked for a page.
MAX_BRANCH_PEOPLE = 500_000


@dataclass(frozen=True)
class Branch:
    """What reaches by way of one person.

    - driven: person id -> generation, counted from the talent; the person too where driven
    - person_times: the promotions that count, each once
    - pending: ids of those who wait on the as-of day
    """

    first: str
    driven: Mapping[str, int]
    person_times: int
    pending: frozenset[str]

    @cached_property
    def generations(self) -> Mapping[int, int]:
        """Driven persons by generation."""
        return Counter(self.driven.values())


def compute_branches(
    snapshot: Snapshot, policy: Policy, talent_id: str, first: Sequence[str]
) -> list[Branch]:
    """The branches of a talent by way of each of these people, in their order.

    Empty branches for people the talent has no link to. Raises `UsageError` when the talent or one
    of them is not there, or when more people are below the talent than a page can walk.
    """
    people = (
        snapshot.frames["people"]
        .filter(pl.col("person_id").is_in([talent_id, *first]))
        .select("person_id", "person")
        .collect()
    )
    numbers: dict[str, int] = dict(people.iter_rows())
    if not {talent_id, *first} <= numbers.keys():
        raise UsageError("There is no person of that id in the graph; look the name up under Find.")
    ties, talent = load_ties(snapshot.under(policy)), numbers[talent_id]
    below = _collect_descendants(ties, talent, policy)
    edges = _build_branch_edges(ties, below)
    promotions = (
        snapshot.frames["promotions"].filter(_build_branch_filter(below.tolist())).collect()
    )
    found = [_compute_branch(edges, promotions, policy, talent, numbers[id]) for id in first]
    met = {person for driven, _, waiting in found for person in (*driven, *waiting)}
    ids = dict(
        snapshot.frames["people"]
        .filter(_build_branch_filter(met))
        .select("person", "person_id")
        .collect()
        .iter_rows()
    )
    return [
        Branch(
            id,
            {ids[p]: generation for p, generation in driven.items()},
            times,
            frozenset(ids[p] for p in waiting),
        )
        for id, (driven, times, waiting) in zip(first, found, strict=True)
    ]


def _build_branch_filter(people: Collection[int]) -> pl.Expr:
    return pl.col("person").is_in(pl.Series(list(people), dtype=pl.Int32).implode())


def _collect_descendants(ties: Ties, talent: int, policy: Policy) -> NumberArray:
    """The talent and everyone links lead to within the policy's generations (row numbers)."""
    found = frontier = np.array([talent], np.int64)
    hops = 0
    while len(frontier) and (policy.generations is None or hops < policy.generations):
        _, who = ties.around(frontier, ("down",))
        frontier = np.setdiff1d(who, found)
        found = np.union1d(found, frontier)
        hops += 1
        if len(found) > MAX_BRANCH_PEOPLE:
            raise UsageError(
                "More than {most:,} people are below this talent, too many to compare on "
                "a page; allow fewer generations in the policy.",
                most=MAX_BRANCH_PEOPLE,
            )
    return found


def _build_branch_edges(ties: Ties, people: NumberArray) -> pl.DataFrame:
    """The links among these people, as the snapshot's edges."""
    whose, link = ties.up.into(people)
    start = pl.Series("start", ties.up.start[link])
    table = pl.DataFrame(
        {
            "mentor": ties.up.mentor[link].astype(np.int32),
            "apprentice": people[whose].astype(np.int32),
            "start": start.set(start == UNKNOWN_DAY, None).cast(pl.Date),
            "channel": pl.Series(
                np.array(CHANNELS)[ties.up.channel[link]].tolist(), dtype=CHANNEL_DTYPE
            ),
        }
    )
    return table.filter(pl.col("mentor").is_in(pl.Series(people, dtype=pl.Int32).implode()))


def _compute_branch(
    edges: pl.DataFrame, promotions: pl.DataFrame, policy: Policy, talent: int, first: int
) -> tuple[dict[int, int], int, set[int]]:
    """Driven persons with generation, person-times, and who is pending; row numbers."""
    through = edges.filter((pl.col("mentor") != talent) | (pl.col("apprentice") == first))
    talents = pl.DataFrame({"person": [talent]}, schema={"person": pl.Int32})
    reached = compute_reach(nw.from_native(through.lazy()), nw.from_native(talents.lazy()), policy)
    rises = nw.from_native(promotions.lazy())
    counting: pl.DataFrame = compute_events(reached, rises, policy).to_native().collect()
    waiting: pl.DataFrame = find_pending_pairs(reached, rises, policy).to_native().collect()
    driven = counting.filter("first").select("person", "generation")
    return dict(driven.iter_rows()), counting.height, set(waiting["person"])
