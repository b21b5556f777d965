"""Own apprentices driven, shares of a worker, and what talents are together, each by a slow way."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.driven.own_apprentices import count_own_apprentices
from graph.driven.reach_sets import build_talent_reach, count_row_numbers
from graph.driven.shares import (
    count_joint_person_times,
    list_mentorships_among,
    list_worker_shares,
    sum_worker_credits,
)
from graph.policy import Policy
from tests.conformance.brute_force import brute_force
from tests.conformance.worlds import snapshot_of
from tests.examples import list_seeds
from tests.unit.test_driven import random_world

POLICIES = (
    Policy(),
    Policy(channels=("studio",)),
    Policy(generations=None, undated="include"),
    Policy(ordered=False),
)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", list_seeds(15))
def test_own_apprentices_are_those_whom_one_mentorship_alone_drives(
    seed: int, policy: Policy
) -> None:
    world = random_world(seed)
    snapshot = snapshot_of(world)
    driven = measure_driven(snapshot, policy)
    ids = dict(driven.talents.select("person", "talent_id").rows())
    found = {ids[person]: own for person, own in count_own_apprentices(snapshot, driven).rows()}
    expected = {}
    if "mentorship" in policy.channels:
        walk = brute_force(world, replace(policy, channels=("mentorship",), generations=1))
        talents = walk["talents"].items()
        expected = {id: row["driven"] for id, row in talents if row["driven"]}
    assert found == expected


@pytest.mark.parametrize("seed", list_seeds(10))
def test_the_shares_of_workers_are_those_of_the_talents(seed: int) -> None:
    snapshot = snapshot_of(random_world(seed))
    driven = measure_driven(snapshot, Policy())
    everyone = driven.workers
    for worker in [*everyone["person_id"].unique(), "nobody"]:
        shares = list_worker_shares(snapshot, driven, worker)
        own = everyone.filter(pl.col("person_id") == worker)
        assert dict(shares.select("talent_id", "equal").rows()) == dict(
            own.select("talent_id", "equal").rows()
        )
        assert shares["generation"].is_sorted()
        assert shares.is_empty() or shares["equal"].sum() == pytest.approx(1)
    for talent_id, driven_count in driven.talents.select("talent_id", "driven").rows():
        assert sum_worker_credits(driven.workers_of(talent_id))["full"].sum() == driven_count


@pytest.mark.parametrize("seed", list_seeds(10))
def test_talents_together_count_each_once(seed: int) -> None:
    world = random_world(seed)
    snapshot = snapshot_of(world)
    driven = measure_driven(snapshot, Policy())
    ids = driven.talents["talent_id"].to_list()[:3]
    workers = driven.workers_of(*ids)
    assert build_talent_reach(driven).union(ids) == workers["person_id"].n_unique()
    numbers = dict(driven.talents.select("talent_id", "person").rows())
    events = driven.tables["events"].select("talent", "person", "day").collect().rows()
    mine = {numbers[id] for id in ids}
    expected = {(person, day) for talent, person, day in events if talent in mine}
    assert count_joint_person_times(driven, ids) == len(expected)
    taught = {(r["mentor_id"], r["apprentice_id"]) for r in world["mentorships"]}
    among = list_mentorships_among(snapshot, driven, ids)
    assert len(among) == len(set(among))
    assert set(among) == {(a, b) for a, b in taught if a in ids and b in ids and a != b}


def test_nobody_has_no_row_number() -> None:
    assert count_row_numbers(pl.LazyFrame({"person": []}, schema={"person": pl.Int32})) == 0
    assert count_row_numbers(pl.LazyFrame({"person": [0, 4]})) == 5
