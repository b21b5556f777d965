"""The engine on Spark, truly distributed: a master and two worker processes.

`SHICHENG_EXAMPLES_SPARK` sets how many random worlds are tried (default 200). They are put into a
few large worlds, side by side, for a job of Spark takes its time however small the world.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from graph.driven.engines import Engine, Spark, open_engine
from graph.driven.figures import measure_driven
from graph.driven.results import load_driven_from_location
from graph.policy import DEFAULT_POLICY, Policy
from tests.conformance.brute_force import read_world
from tests.conformance.test_conformance import CASES, EXPECTED
from tests.conformance.worlds import snapshot_of
from tests.unit.test_driven import (
    DAYS,
    it_adds_up,
    it_equals_the_walk,
    its_breakdowns_are_right,
    random_world,
    side_by_side,
)
from tests.unit.test_results import cached_in, same

EXAMPLES = int(os.environ.get("SHICHENG_EXAMPLES_SPARK", "200"))
CLUSTER = "local-cluster[2,1,1024]"
POLICIES = [
    Policy(DAYS[2], DAYS[-1], as_of=DAYS[9]),
    Policy(DAYS[0], DAYS[6], generations=None, as_of=DAYS[5]),
    Policy(
        DAYS[2], DAYS[-1], ordered=False, undated="include", channels=("mentorship",), as_of=DAYS[9]
    ),
    Policy(DAYS[2], DAYS[-1], ordered=False, undated="include", as_of=DAYS[9]),
    Policy(DAYS[3], DAYS[-1], high_skilled_level=5, channels=("studio",), generations=6),
]


@pytest.fixture(scope="module")
def spark() -> Iterator[Engine]:
    with open_engine("spark", master=CLUSTER) as engine:
        yield engine


def test_the_cluster_has_two_workers(spark: Engine) -> None:
    assert isinstance(spark, Spark)
    context = spark.session.sparkContext
    assert context.master == CLUSTER
    tracker = context._jsc.sc().statusTracker()
    ends = time.monotonic() + 120
    while len(tracker.getExecutorInfos()) < 3 and time.monotonic() < ends:
        time.sleep(0.5)  # a busy machine starts the second worker later
    assert len(tracker.getExecutorInfos()) == 3  # the driver, and two workers


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.chip())
def test_random_worlds_on_the_cluster(spark: Engine, policy: Policy) -> None:
    draw = random.Random(POLICIES.index(policy))
    seeds = [draw.randrange(2**32) for _ in range(-(-EXAMPLES // len(POLICIES)))]
    world = side_by_side(seeds)
    found = measure_driven(snapshot_of(world), policy, spark)
    it_equals_the_walk(found, world, policy)
    it_adds_up(found)
    its_breakdowns_are_right(found, world)


@pytest.mark.parametrize(
    "case",
    [CASES[0], *(pytest.param(case, marks=pytest.mark.soak) for case in CASES[1:])],
    ids=lambda case: case.name,
)
def test_the_conformance_folders_on_the_cluster(spark: Engine, case: Path) -> None:
    snapshot = snapshot_of(read_world(case))
    found = measure_driven(snapshot, DEFAULT_POLICY, spark)
    expected = {(place, name): figures for place, name, figures in EXPECTED}
    assert found.national == expected[case, "default"]
    same(found, measure_driven(snapshot, DEFAULT_POLICY))


def test_an_address_of_a_storage(spark: Engine, tmp_path: Path) -> None:
    world = random_world(7)
    snapshot = cached_in(tmp_path / "s", world)
    policy = POLICIES[0]
    found = load_driven_from_location(
        f"file://{tmp_path}/s", policy, engine="spark", master=CLUSTER
    )
    expected = measure_driven(snapshot, policy)
    assert found.national == expected.national
    assert found.table().equals(expected.table())
    assert found.by("province").height == expected.by("province").height
