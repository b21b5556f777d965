"""Branches of a talent: together they are what the talent drives, and each is what it says."""

from __future__ import annotations

import polars as pl
import pytest

from graph.driven.branches import compute_branches
from graph.driven.figures import measure_driven
from graph.errors import UsageError
from graph.policy import Policy
from tests.conformance.worlds import snapshot_of
from tests.examples import list_seeds
from tests.unit.test_driven import random_world

POLICIES = (
    Policy(),
    Policy(generations=2, channels=("mentorship",)),
    Policy(generations=None, undated="include"),
    Policy(ordered=False),
)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("seed", list_seeds(15))
def test_the_branches_together_are_what_the_talent_drives(seed: int, policy: Policy) -> None:
    snapshot = snapshot_of(random_world(seed))
    driven = measure_driven(snapshot, policy)
    edges = snapshot.frames["edges"].collect()
    people = dict(snapshot.frames["people"].select("person", "person_id").collect().iter_rows())
    for talent in driven.talents["talent_id"]:
        number = next(n for n, id in people.items() if id == talent)
        first = [people[a] for a in edges.filter(mentor=number)["apprentice"].unique()]
        found = compute_branches(snapshot, policy, talent, first)
        workers = driven.workers_of(talent)
        together: dict[str, int] = {}
        for branch in found:
            for person, generation in branch.driven.items():
                together[person] = min(generation, together.get(person, generation))
        assert together == dict(workers.select("person_id", "generation").iter_rows())
        waiting = {id for branch in found for id in branch.pending}
        assert waiting == set(driven.waiting_of(talent)["person_id"])
        times = driven.talents.filter(pl.col("talent_id") == talent)["person_times"].item()
        most = max((branch.person_times for branch in found), default=0)
        assert most <= times <= sum(branch.person_times for branch in found)


def test_a_branch_by_way_of_someone_not_taught_is_empty_and_nobody_is_said_so() -> None:
    snapshot = snapshot_of(random_world(1))
    talent = measure_driven(snapshot, Policy()).talents["talent_id"][0]
    (alone,) = compute_branches(snapshot, Policy(), talent, [talent])
    assert not alone.driven and not alone.pending and alone.person_times == 0
    with pytest.raises(UsageError, match="no person"):
        compute_branches(snapshot, Policy(), talent, ["nobody"])
