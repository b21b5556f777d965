"""What a load changed in the headline: two revisions under one policy."""

from __future__ import annotations

from dataclasses import dataclass, replace

import polars as pl

from graph.driven.figures import Driven
from graph.driven.results import has_cached_driven, list_cached_policies
from graph.policy import Policy
from graph.programme.overview import list_reached_provinces
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import CachedSnapshot


@dataclass(frozen=True)
class RevisionChange:
    """The revision before, the one now, and their difference.

    - persons, person_times: of driven workers
    - talents, namings: of leading talents, persons and person-times
    - reached: the provinces (codes) that reach their target now and did not before
    """

    before: CachedSnapshot
    after: CachedSnapshot
    persons: int
    person_times: int
    talents: int
    namings: int
    reached: tuple[str, ...]


@dataclass(frozen=True)
class MeasuredRevision:
    """A revision: where it is stored, its tables, and the number measured in it."""

    stored: CachedSnapshot
    snapshot: Snapshot
    driven: Driven


def find_earlier_policy(old: Snapshot, policy: Policy) -> Policy | None:
    """The policy as it was measured in an earlier snapshot: its as-of day alone may be another.

    None when the earlier snapshot was not measured under it.
    """
    if has_cached_driven(old, policy):
        return policy
    alike = (p for p in list_cached_policies(old) if replace(p, as_of=policy.as_of) == policy)
    return next(alike, None)


def compare_revisions(
    before: MeasuredRevision, after: MeasuredRevision, policy: Policy
) -> RevisionChange:
    """The difference of two revisions; targets are summed over the years of the policy's window."""
    was, now = before.driven.national, after.driven.national
    reached = _list_reached(after, policy) - _list_reached(before, policy)
    return RevisionChange(
        before.stored,
        after.stored,
        now["driven_persons"] - was["driven_persons"],
        now["driven_person_times"] - was["driven_person_times"],
        now["leading_talents"] - was["leading_talents"],
        _count_namings(after.snapshot) - _count_namings(before.snapshot),
        tuple(sorted(reached)),
    )


def _list_reached(revision: MeasuredRevision, policy: Policy) -> set[str]:
    goals = revision.snapshot.frames["goals"].collect().to_dicts()
    years = policy.window_start.year, policy.window_end.year
    return list_reached_provinces(revision.driven.by("province"), goals, *years)


def _count_namings(snapshot: Snapshot) -> int:
    return int(snapshot.frames["talents"].select(pl.len()).collect().item())
