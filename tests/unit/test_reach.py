"""Unions and overlaps of reaches, held against plain sets; how a sum is spread."""

from __future__ import annotations

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graph.driven.reach_sets import (
    ReachSets,
    compute_gini,
    compute_joint,
    compute_lorenz_curve,
    compute_top_share,
)

SETS = st.lists(st.sets(st.integers(0, 40), max_size=30), min_size=1, max_size=5)


def reach_of(sets: list[set[int]]) -> ReachSets:
    pairs = [(f"t{i}", person) for i, one in enumerate(sets) for person in one]
    frame = pl.DataFrame(pairs, schema={"talent": pl.String, "person": pl.Int32}, orient="row")
    return ReachSets.of(pl.concat([frame, frame]), "talent", 41)


@given(SETS)
def test_overlaps_are_those_of_sets_and_add_up(sets: list[set[int]]) -> None:
    reach = reach_of(sets)
    keys = [f"t{i}" for i in range(len(sets))]
    found = compute_joint([reach.of_key(key) for key in keys])
    expected = Counter(tuple(p in one for one in sets) for p in set().union(*sets))
    assert {o.members: o.persons for o in found.overlaps} == dict(expected)
    assert found.union == len(set().union(*sets)) == reach.union(keys)
    assert sum(o.persons for o in found.overlaps) == found.union
    assert found.total - found.twice == found.union
    for i, one in enumerate(sets):
        others = set().union(*(sets[:i] + sets[i + 1 :]))
        assert found.alone(i) == len(one - others)
        assert found.without(i) == len(others)
        for j, other in enumerate(sets):
            assert found.common(i, j) == len(one & other)
    assert found.alone(found.least()) == min(found.alone(i) for i in range(len(sets)))


def test_the_largest_overlap_comes_first_and_nobody_is_nothing() -> None:
    reach = reach_of([{1, 2, 3, 4}, {4, 5}, set()])
    found = compute_joint([reach.of_key(key) for key in ("t0", "t1", "t2", "unknown")])
    assert [o.persons for o in found.overlaps] == [3, 1, 1]
    assert found.overlaps[0].members == (True, False, False, False)
    assert compute_joint([]).union == 0
    assert reach.of_key("unknown").dtype == np.int32


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=60))
def test_what_the_first_hold(values: list[int]) -> None:
    curve = compute_lorenz_curve(values)
    assert curve[0] == (0.0, 0.0) and curve[-1] == pytest.approx((1.0, 1.0))
    held = [share for _, share in curve]
    assert held == sorted(held)
    uneven, tenth = compute_gini(values), compute_top_share(values, 0.1)
    if not sum(values):
        assert uneven is None and tenth is None
    else:
        assert uneven is not None and -1e-9 <= uneven < 1
        first = sorted(values, reverse=True)[: max(1, round(0.1 * len(values)))]
        assert tenth == pytest.approx(sum(first) / sum(values))
        differences = sum(abs(a - b) for a in values for b in values)
        assert uneven == pytest.approx(differences / (2 * len(values) * sum(values)))


def test_all_the_same_is_even() -> None:
    assert compute_gini([7, 7, 7]) == pytest.approx(0)
    assert compute_top_share([1] * 10, 0.1) == pytest.approx(0.1)
