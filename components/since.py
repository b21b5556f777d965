"""What the last load changed: the two newest kept revisions, under one policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial

import polars as pl
import streamlit as st

from components import kept, store
from components.figures import targets_of
from graph.policy import Policy
from graph.restatement import Restatement, diff
from graph.results import is_measured, kept_policies, measured
from graph.results import kept as kept_result
from graph.snapshot import Kept, Snapshot, kept_snapshots, open_snapshot


@dataclass(frozen=True)
class Since:
    """The revision before, the one now, and their difference.

    - persons, person_times: of driven workers
    - talents, namings: of leading talents, persons and person-times
    - reached: the provinces (codes) that reach their target now and did not before
    """

    before: Kept
    after: Kept
    persons: int
    person_times: int
    talents: int
    namings: int
    reached: tuple[str, ...]


@dataclass(frozen=True)
class Unmeasured:
    """There is a revision before, but no figures under this policy are kept of it."""

    before: Kept


@st.cache_resource(max_entries=8, show_spinner=False)
def _two_newest(state: str) -> tuple[Kept, ...]:
    return tuple(kept_snapshots(store.database(), store.database().settings)[:2])


@st.cache_resource(max_entries=2, show_spinner=False)
def _opened_before(state: str) -> Snapshot:
    return open_snapshot(_two_newest(state)[1].folder)


def since(policy: Policy) -> Since | Unmeasured | None:
    """What changed under the policy since the revision before; None when one alone is kept."""
    found = _two_newest(store.state())
    if len(found) < 2:
        return None
    before = found[1]
    rules = _rules(_opened_before(store.state()), policy)
    return Unmeasured(before) if rules is None else _since(store.state(), policy, rules)


def _rules(old: Snapshot, policy: Policy) -> Policy | None:
    """The policy as it was measured before: its as-of day alone may be another."""
    if is_measured(old, policy):
        return policy
    alike = (p for p in kept_policies(old) if replace(p, as_of=policy.as_of) == policy)
    return next(alike, None)


@st.cache_resource(max_entries=8, show_spinner=False)
def _since(state: str, policy: Policy, rules: Policy) -> Since:
    after, before = _two_newest(state)
    old, new = _opened_before(state), store.snapshot()
    was, now = kept_result(old, rules), store.driven(policy)
    change = {name: now.national[name] - was.national[name] for name in now.national}
    namings = [s.frames["talents"].select(pl.len()).collect().item() for s in (old, new)]
    reached = _reached(new, policy, now.by("province")) - _reached(old, policy, was.by("province"))
    return Since(
        before, after, change["driven_persons"], change["driven_person_times"],
        change["leading_talents"], namings[1] - namings[0], tuple(sorted(reached)),
    )  # fmt: skip


def _reached(snapshot: Snapshot, policy: Policy, provinces: pl.DataFrame) -> set[str]:
    goals = snapshot.frames["goals"].collect().to_dicts()
    targets = targets_of(goals, policy.window_start.year, policy.window_end.year)
    return {
        code
        for code, times in provinces.select("province", "driven_person_times").rows()
        if (goal := targets.get(code or "", {}).get("high_skilled")) and times >= goal
    }


def restated(found: Since, policy: Policy) -> Restatement | None:
    """The difference with its causes, once somebody has had it worked out; None until then.

    Of a small network it is begun at once; of the nation it takes both cores for half a minute,
    so the data page offers it.
    """
    key = ("restated", str(found.before.folder), str(found.after.folder), policy)
    job = kept.under_way(key)
    if job is None and kept.small():
        job = kept.begin(key, partial(_diff, found.before, found.after, policy))
    return job.result() if job is not None and job.done() and not job.exception() else None


def _diff(before: Kept, after: Kept, policy: Policy) -> Restatement:
    old, new = open_snapshot(before.folder), open_snapshot(after.folder)
    return diff((old, measured(old, policy)), (new, measured(new, policy)))
