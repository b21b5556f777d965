"""The ranges over all rules: each policy of the grid measured apart gives the same."""

from __future__ import annotations

from datetime import date

import polars as pl
from hypothesis import HealthCheck, given, settings

from graph.driven.figures import measure_driven
from graph.metrics.band import (
    CREDITING_WAYS,
    build_policy_grid,
    compute_headline_band,
    compute_rank_band,
)
from graph.policy import Policy
from tests.conformance.brute_force import World
from tests.conformance.worlds import snapshot_of
from tests.unit.test_driven import EXAMPLES, policies, random_world, taught, world_of, worlds


@settings(
    max_examples=max(EXAMPLES // 20, 1),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)
@given(world=worlds, policy=policies)
def test_the_band_is_that_of_measuring_each_policy(world: World, policy: Policy) -> None:
    snapshot = snapshot_of(world)
    found = compute_rank_band(snapshot, policy)
    ranks, driven, nation = [], [], []
    for one in build_policy_grid(policy):
        measured = measure_driven(snapshot, one)
        nation.append(measured.national)
        driven.append(measured.talents["driven"])
        figures = measured.talents.select(pl.col(CREDITING_WAYS).cast(pl.Float64).round(9))
        ranks += figures.select(pl.all().rank("min", descending=True)).get_columns()
    by_name = [dict(zip(found.nation.columns, row, strict=True)) for row in found.nation.rows()]
    for row, national in zip(by_name, nation, strict=True):
        assert {name: row[name] for name in national if name in row} == {
            name: count for name, count in national.items() if name in row
        }
    rows = list(zip(*ranks, strict=True))
    assert found.talents["rank_best"].to_list() == [min(row) for row in rows]
    assert found.talents["rank_worst"].to_list() == [max(row) for row in rows]
    assert found.talents["driven"].to_list() == driven[0].to_list()
    assert found.talents["driven_most"].to_list() == [max(r) for r in zip(*driven, strict=True)]


def test_a_rule_that_turns_two_talents_round() -> None:
    """p0 has one apprentice who has two of his own; p1's two apprentices have none."""
    links = [("p0", "p2"), ("p2", "p3"), ("p2", "p4"), ("p1", "p5"), ("p1", "p6")]
    world = world_of(
        talents=[{"person_id": "p0"}, {"person_id": "p1"}],
        mentorships=[taught(mentor, apprentice, "2023-01-01") for mentor, apprentice in links],
    )
    found = compute_rank_band(snapshot_of(world), Policy(as_of=date(2026, 1, 1))).table()
    ranges = found.select("talent_id", "driven", "rank", "rank_best", "rank_worst").rows()
    assert ranges == [("p0", 3, 1, 1, 2), ("p1", 2, 2, 1, 2)]
    assert found.select("driven_least", "driven_most").rows() == [(1, 3), (2, 2)]


def test_the_headline_stands_first() -> None:
    snapshot = snapshot_of(random_world(7))
    table = compute_headline_band(snapshot, Policy())
    assert table.height == 12
    assert (
        table["driven_persons"][0] == measure_driven(snapshot, Policy()).national["driven_persons"]
    )
