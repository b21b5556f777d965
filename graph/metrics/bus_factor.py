"""On how few people a studio's or an enterprise's driven count hangs.

The name is the software trade's: how many must be hit by a bus before a project stalls; see
G. Avelino, L. Passos, A. Hora, M. T. Valente, "A novel approach for estimating truck factors",
ICPC 2016, whose greedy rule and whose half this takes over, with driven workers in place of files.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import combinations
from typing import Final

import polars as pl

from graph.driven.arrivals import compute_last_hops
from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.metrics.places import collect_enterprise_links, collect_studio_links, compute_events_at
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

PLACE_KEY_COLUMNS: Final = {"studio": "studio_id", "enterprise": "enterprise_id"}
# Work spent a place to close the gap between the bounds: sets of people tried, times the sorts of
# workers each is held against.
MAX_TRIED_STEPS: Final = 5_000

COLUMNS: Final[MetricColumnLabels] = {
    "place_kind": ("studio or enterprise", "类型"),
    "place_id": ("place", "单位编号"),
    "name": ("name", "名称"),
    "driven_persons": ("driven workers taught there", "带动人数"),
    "mentors": ("people who taught them there", "带动者人数"),
    "bus_factor": ("fewest people whose leaving halves it", "关键人数"),
    "at_least": ("surely at least", "不少于"),
    "exact": ("shown to be the fewest", "已证为最少"),
    "left": ("driven workers still counted then", "剩余带动人数"),
    "who": ("who they are", "关键人员"),
}


def compute_bus_factor(snapshot: Snapshot, policy: Policy, *, of: str = "studio") -> pl.DataFrame:
    """A row a place that drives anyone, sorted by place_kind and place_id.

    A place's driven workers are those of `places`: whoever taught a worker there by a last hop that
    counts is one of the mentors of the worker at this place. A worker is lost to the place when
    all of these have left. bus_factor is the number of people (who, ids joined by a space) after
    whose leaving at most half are left (left).

    Found greedily: next leaves whoever takes most workers along, of these who teaches most of those
    still counted, of these the first by id. When no worker has two mentors at the place that is
    the fewest; else it is an upper bound. at_least is a lower bound: k people cannot take along
    more than the k largest numbers of workers taught by one mentor. Where the two are apart, all
    sets of fewer people are tried, up to `MAX_TRIED_STEPS`; exact tells whether bus_factor is shown
    to be the fewest.

    `of` is studio, enterprise or both (written studio,enterprise). Raises `UsageError` for others.

    A studio where Ada and Abe both taught Bo, Ada alone Cy, and Abe alone Di and Ed:

    >>> both, ada, abe = frozenset({"Ada", "Abe"}), frozenset({"Ada"}), frozenset({"Abe"})
    >>> find_fewest_people({both: 1, ada: 1, abe: 2})
    (['Abe'], 1)
    """
    kinds = [kind.strip() for kind in of.split(",")]
    if unknown := [kind for kind in kinds if kind not in PLACE_KEY_COLUMNS]:
        raise UsageError(
            "of has {text!r}; give studio, enterprise or both with a comma.", text=unknown[0]
        )
    snapshot = snapshot.under(policy)
    hops = compute_last_hops(snapshot, policy)
    ids = snapshot.frames["people"].select("person", "person_id")
    parts = []
    for kind in PLACE_KEY_COLUMNS:
        if kind in kinds:
            links = {"studio": collect_studio_links, "enterprise": collect_enterprise_links}[kind](
                snapshot
            )
            key = PLACE_KEY_COLUMNS[kind]
            first = compute_events_at(hops, links, key).lazy().filter("first")
            parts.append(_build_bus_factor_rows(_collect_worker_mentors(first, ids, key), kind))
    found = pl.concat(parts)
    named = pl.concat(
        snapshot.frames[f"{kind}s"].select(
            pl.lit(kind).alias("place_kind"), "name", place_id=PLACE_KEY_COLUMNS[kind]
        )
        for kind in PLACE_KEY_COLUMNS
    ).collect()
    rows = found.join(named, on=["place_kind", "place_id"], how="left")
    return rows.select(list(COLUMNS)).sort("place_kind", "place_id")


def _collect_worker_mentors(first: pl.LazyFrame, ids: pl.LazyFrame, key: str) -> pl.DataFrame:
    """place_id, mentors (a sorted list of ids) and how many workers have just these there."""
    mentors = ids.rename({"person": "mentor", "person_id": "mentor_id"})
    return (
        first.select("mentor", "person", place_id=key)
        .unique()
        .join(mentors, on="mentor")
        .group_by("place_id", "person")
        .agg(mentors=pl.col("mentor_id").sort())
        .group_by("place_id", "mentors")
        .agg(workers=pl.len())
        .collect()
    )


def _build_bus_factor_rows(taught: pl.DataFrame, kind: str) -> pl.DataFrame:
    places: dict[str, dict[frozenset[str], int]] = defaultdict(dict)
    for place, mentors, workers in taught.select("place_id", "mentors", "workers").rows():
        places[place][frozenset(mentors)] = workers
    rows = []
    for place, sets in places.items():
        who, at_least = find_fewest_people(sets)
        total = sum(sets.values())
        rows.append(
            (
                kind,
                place,
                total,
                len(frozenset().union(*sets)),
                len(who),
                at_least,
                len(who) == at_least,
                count_remaining_workers(sets, who),
                " ".join(who),
            )
        )
    schema = {
        "place_kind": pl.String,
        "place_id": pl.String,
        "driven_persons": pl.Int64,
        "mentors": pl.Int64,
        "bus_factor": pl.Int64,
        "at_least": pl.Int64,
        "exact": pl.Boolean,
        "left": pl.Int64,
        "who": pl.String,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def find_fewest_people(sets: dict[frozenset[str], int]) -> tuple[list[str], int]:
    """The people whose leaving halves the count, and a lower bound of how few could.

    `sets` gives how many workers have just these mentors.
    """
    who = find_people_greedily(sets)
    least = compute_lower_bound(sets)
    tried = 0
    people = sorted(frozenset().union(*sets))
    half = sum(sets.values()) / 2
    while least < len(who):
        for chosen in combinations(people, least):
            tried += len(sets)
            if tried > MAX_TRIED_STEPS:
                return who, least
            if count_remaining_workers(sets, chosen) <= half:
                return list(chosen), least
        least += 1
    return who, least


def count_remaining_workers(
    sets: dict[frozenset[str], int], gone: list[str] | tuple[str, ...]
) -> int:
    """How many workers still have a mentor."""
    away = frozenset(gone)
    return sum(workers for mentors, workers in sets.items() if not mentors <= away)


def find_people_greedily(sets: dict[frozenset[str], int]) -> list[str]:
    """Who leaves, one by one, until at most half of the workers have a mentor left."""
    half, left = sum(sets.values()) / 2, dict(sets)
    gone: list[str] = []
    while sum(left.values()) > half:
        alone: dict[str, int] = defaultdict(int)
        taught: dict[str, int] = defaultdict(int)
        for mentors, workers in left.items():
            if len(mentors) == 1:
                alone[next(iter(mentors))] += workers
            for mentor in mentors:
                taught[mentor] += workers
        leaver = min(taught, key=lambda one: (-alone[one], -taught[one], one))
        gone.append(leaver)
        merged: dict[frozenset[str], int] = defaultdict(int)
        for mentors, workers in left.items():
            if remaining := mentors - {leaver}:
                merged[remaining] += workers
        left = dict(merged)
    return gone


def compute_lower_bound(sets: dict[frozenset[str], int]) -> int:
    """How many people at least: as if the most taught could each take all of theirs along."""
    taught: dict[str, int] = defaultdict(int)
    for mentors, workers in sets.items():
        for mentor in mentors:
            taught[mentor] += workers
    need, number = sum(sets.values()) / 2, 0
    for workers in sorted(taught.values(), reverse=True):
        if need <= 0:
            break
        need -= workers
        number += 1
    return number
