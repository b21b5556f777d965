"""What the last load changed: the two newest stored revisions, under one policy."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

import streamlit as st

from graph.driven.results import load_cached_driven
from graph.evidence.restatement import Restatement, find_cached_restatement, load_restatement
from graph.policy import Policy
from graph.programme.revision_change import (
    MeasuredRevision,
    RevisionChange,
    compare_revisions,
    find_earlier_policy,
)
from graph.snapshot.frames import Snapshot, open_snapshot
from graph.snapshot.take import CachedSnapshot, list_cached_snapshots
from ui.reading import cached_metrics, talent_figures
from ui.shell import graph_state


@dataclass(frozen=True)
class Unmeasured:
    """There is a revision before, but without stored figures under this policy."""

    before: CachedSnapshot


@graph_state.cache_by_graph_state(max_entries=8, resource=True)
def _list_newest_snapshots() -> tuple[CachedSnapshot, ...]:
    return tuple(
        list_cached_snapshots(
            graph_state.open_shared_database(), graph_state.open_shared_database().settings
        )[:2]
    )


def fetch_last_change(policy: Policy) -> RevisionChange | Unmeasured | None:
    """What changed under the policy since the revision before; None when only one is stored."""
    found = _list_newest_snapshots()
    if len(found) < 2:
        return None
    before = found[1]
    rules = find_earlier_policy(_open_cached_snapshot(before.folder), policy)
    return Unmeasured(before) if rules is None else _compute_last_change(policy, rules)


@graph_state.cache_by_graph_state(max_entries=8, resource=True)
def _compute_last_change(policy: Policy, rules: Policy) -> RevisionChange:
    after, before = _list_newest_snapshots()
    old, new = _open_cached_snapshot(before.folder), graph_state.fetch_snapshot()
    was, now = load_cached_driven(old, rules), talent_figures.fetch_driven_figures(policy)
    return compare_revisions(
        MeasuredRevision(before, old, was), MeasuredRevision(after, new, now), policy
    )


def fetch_restatement(found: RevisionChange, policy: Policy) -> Restatement | None:
    """The difference with its causes, once it has been computed; None until then.

    Of a small network it is begun at once; of the nation it takes both cores for half a minute,
    so the data page offers it.
    """
    before, after = found.before.folder, found.after.folder
    if (there := fetch_cached_restatement(before, after, policy)) is not None:
        return there
    key = format_restatement_key(before, after, policy)
    job = cached_metrics.find_background_job(key)
    if job is None and cached_metrics.is_network_small():
        job = cached_metrics.start_background_job(
            key, partial(materialize_restatement, before, after, policy)
        )
    return job.result() if job is not None and job.done() and not job.exception() else None


def format_restatement_key(
    before: Path, after: Path, policy: Policy
) -> tuple[str, str, str, Policy]:
    """The key of the background job that restates these snapshots' folders."""
    return "restated", str(before), str(after), policy


def materialize_restatement(before: Path, after: Path, policy: Policy) -> Restatement:
    """The restatement between two snapshots' folders: cached, or computed and cached now."""
    return load_restatement(open_snapshot(before), open_snapshot(after), policy)


def fetch_cached_restatement(before: Path, after: Path, policy: Policy) -> Restatement | None:
    """The restatement between two snapshots' folders, if it is cached."""
    found = _read_cached_restatement(before, after, policy)
    if found is None:
        _read_cached_restatement.clear(before, after, policy)  # it may be computed at any time
    return found


@st.cache_resource(max_entries=8, show_spinner=False)
def _read_cached_restatement(before: Path, after: Path, policy: Policy) -> Restatement | None:
    return find_cached_restatement(
        _open_cached_snapshot(before), _open_cached_snapshot(after), policy
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _open_cached_snapshot(folder: Path) -> Snapshot:
    return open_snapshot(folder)
