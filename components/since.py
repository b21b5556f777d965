"""What the last load changed: the two newest kept revisions, under one policy."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import polars as pl
import streamlit as st

from components import kept, store
from components.figures import targets_of
from graph.policy import Policy
from graph.restatement import Restatement, found_diff, kept_diff
from graph.results import is_measured, kept_policies
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


def since(policy: Policy) -> Since | Unmeasured | None:
    """What changed under the policy since the revision before; None when one alone is kept."""
    found = _two_newest(store.state())
    if len(found) < 2:
        return None
    before = found[1]
    rules = _rules(_opened(before.folder), policy)
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
    old, new = _opened(before.folder), store.snapshot()
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
    before, after = found.before.folder, found.after.folder
    if (there := kept_between(before, after, policy)) is not None:
        return there
    key = job_of(before, after, policy)
    job = kept.under_way(key)
    if job is None and kept.small():
        job = kept.begin(key, partial(between, before, after, policy))
    return job.result() if job is not None and job.done() and not job.exception() else None


def job_of(before: Path, after: Path, policy: Policy) -> tuple[str, str, str, Policy]:
    """Under what the restatement of these snapshots' folders is worked out beside the page."""
    return "restated", str(before), str(after), policy


def between(before: Path, after: Path, policy: Policy) -> Restatement:
    """The restatement between two snapshots' folders: the kept one, or found now and kept."""
    return kept_diff(open_snapshot(before), open_snapshot(after), policy)


def kept_between(before: Path, after: Path, policy: Policy) -> Restatement | None:
    """The restatement between two snapshots' folders, if it is kept."""
    found = _kept_between(before, after, policy)
    if found is None:
        _kept_between.clear(before, after, policy)  # it may be worked out at any time
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def _kept_between(before: Path, after: Path, policy: Policy) -> Restatement | None:
    return found_diff(_opened(before), _opened(after), policy)


@st.cache_resource(max_entries=4, show_spinner=False)
def _opened(folder: Path) -> Snapshot:
    return open_snapshot(folder)
