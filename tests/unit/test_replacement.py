"""The replacement rate against a plain Kaplan-Meier estimate, and known small networks."""

from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.metrics.examples import build_example_lineages
from graph.metrics.replacement import compute_replacement, estimate_survival
from graph.policy import Policy

POLICY = Policy(as_of=date(2030, 1, 1))


def walk_survival(rows: list[tuple[int, bool]], last: float) -> tuple[float, float]:
    """S and Greenwood's sum, day by day."""
    survival, greenwood = 1.0, 0.0
    for day in sorted({day for day, _ in rows}):
        if day > last:
            break
        at_risk = sum(days >= day for days, _ in rows)
        events = sum(days == day and became for days, became in rows)
        if events:
            survival *= 1 - events / at_risk
            left = at_risk - events
            greenwood += events / (at_risk * left) if left else math.inf
    return survival, greenwood


@settings(deadline=None)
@given(
    groups=st.lists(
        st.lists(st.tuples(st.integers(0, 60), st.booleans()), min_size=1, max_size=25),
        min_size=1,
        max_size=4,
    )
)
def test_the_estimate_is_that_of_a_walk_day_by_day(groups: list[list[tuple[int, bool]]]) -> None:
    rows = [(name, 30 * days, became) for name, g in enumerate(groups) for days, became in g]
    frame = pl.DataFrame(
        rows, schema={"group": pl.Int64, "days": pl.Int64, "became": pl.Boolean}, orient="row"
    )
    found = {row[0]: row[1:] for row in estimate_survival(frame, ["group"], 3).rows()}
    for name, group in enumerate(groups):
        expected = walk_survival([(30 * days, became) for days, became in group], 3 * 365.25)
        if name not in found:
            assert expected == (1.0, 0.0)
            continue
        assert found[name] == pytest.approx(expected)


def test_apprentices_without_time_are_censored_not_counted_as_no() -> None:
    # Bo and Cy had time, and Bo became a mentor after a year; Di has only just begun.
    links = ("Ada Bo 2010-01-01", "Ada Cy 2010-01-01", "Bo Di 2011-01-01", "Ada Ed 2029-12-31")
    network = build_example_lineages(*links, talents="Ada")
    (row,) = (
        compute_replacement(network, POLICY, apprentices=1)
        .filter(pl.all_horizontal(pl.col("occupation_code", "province").is_null()))
        .to_dicts()
    )
    assert (row["mentors"], row["apprentices"], row["became_mentors"]) == (2, 4, 1)
    assert row["share"] == pytest.approx(1 / 3)  # of Bo, Cy and Di, who were followed a year
    assert row["apprentices_per_mentor"] == 2
    assert row["replacement"] == pytest.approx(2 / 3)
    assert 0 < row["low"] < row["replacement"] < row["high"] <= 2


def test_what_tells_nothing_is_left_out() -> None:
    network = build_example_lineages("Ada Bo 2010-01-01", talents="Ada")
    assert compute_replacement(network, POLICY).is_empty()
    empty = build_example_lineages(talents="Ada")
    assert compute_replacement(empty, POLICY).is_empty()


def test_where_nobody_became_a_mentor_yet_there_is_no_interval() -> None:
    links = [f"Ada B{n} 2010-01-01" for n in range(20)]
    row = compute_replacement(build_example_lineages(*links, talents="Ada"), POLICY).to_dicts()[0]
    assert (row["replacement"], row["low"], row["high"]) == (0, None, None)


def test_a_pair_counts_once_and_who_taught_before_is_left_out() -> None:
    links = ("Ada Bo 2010-01-01", "Ada Bo 2012-01-01", "Cy Di 2001-01-01", "Ada Cy 2005-01-01")
    network = build_example_lineages(*links, talents="Ada")
    row = compute_replacement(network, POLICY, apprentices=1).to_dicts()[0]
    assert (row["mentors"], row["apprentices"]) == (2, 2)  # Cy taught before being taught
    assert row["apprentices_per_mentor"] == pytest.approx(3 / 2)
