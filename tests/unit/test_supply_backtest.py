"""Past forecasts of leavers and risers: nothing later is known, and outcomes are those by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.forecast.shortages import judge_gaps
from graph.forecast.supply_backtest import (
    JUDGED_FIGURE,
    MIN_JUDGED_OUTCOMES,
    SUPPLY_FIGURES,
    SupplyBacktest,
    build_empty_backtest,
    count_supply_changes,
    hide_later_records,
    list_cohort,
    place_people,
    run_supply_backtest,
    summarize_supply_backtest,
)
from graph.snapshot.frames import Snapshot
from tests.examples import limit_examples
from tests.unit.test_shortages import POLICY, TURNER, build_working_network

ORIGIN = date(2024, 12, 31)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """As test_shortages has it; Gus moves on 1 January 2025, and Ben retires in that year."""
    made = build_working_network()
    people = made.frames["people"].with_columns(
        retired_on=pl.when(name="Ben").then(pl.date(2025, 5, 1)).otherwise("retired_on")
    )
    return replace(made, frames=made.frames | {"people": people})


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> SupplyBacktest:
    return run_supply_backtest(snapshot, POLICY)


def number(snapshot: Snapshot, *names: str) -> list[int]:
    known = dict(snapshot.frames["people"].select("name", "person").collect().rows())
    return [known[name] for name in names]


def test_what_is_later_is_hidden(snapshot: Snapshot) -> None:
    known = hide_later_records(snapshot, ORIGIN)
    ben, gus, dee = number(snapshot, "Ben", "Gus", "Dee")
    people = {row["person"]: row for row in known.frames["people"].collect().to_dicts()}
    assert people[ben]["retired_on"] is None
    assert (people[gus]["province"], people[dee]["province"]) == ("32", "32")
    # Of the apprentices nothing is on record before 2025.
    assert not {*number(snapshot, "A01", "A02")} & {*people}
    employments = known.frames["employments"].collect()
    assert employments["retirement_postponed_until"].null_count() == employments.height
    at_gus = employments.filter(person=gus)
    assert at_gus["start"].to_list() == [date(2020, 1, 1)] and at_gus["end"].to_list() == [None]


def test_who_moved_is_where_the_employer_was(snapshot: Snapshot) -> None:
    (gus,) = number(snapshot, "Gus")
    for day, province in ((ORIGIN, "32"), (date(2025, 1, 1), "44")):
        placed = dict(place_people(snapshot, day).collect().rows())
        assert placed[gus] == province


def test_what_came_by_hand(snapshot: Snapshot) -> None:
    cohort = list_cohort(snapshot, hide_later_records(snapshot, ORIGIN), ORIGIN)
    came = count_supply_changes(snapshot, cohort, ORIGIN, date(2025, 12, 31), 4)
    turners = came.filter(occupation_group=TURNER[:4], province="32").row(0, named=True)
    # Of the turners in 32 Ben left, and Gus moved to 44; nobody rose.
    assert [turners[name] for name in SUPPLY_FIGURES] == [1, 0, 2]
    there = came.filter(occupation_group=TURNER[:4], province="44").row(0, named=True)
    assert there["loss"] == -1
    rising = snapshot.frames["promotions"].filter(
        pl.col("day").is_between(date(2025, 1, 1), date(2025, 12, 31)), pl.col("before") == 3
    )
    assert came["rising"].sum() == rising.collect().height


def test_no_forecast_knows_what_came(snapshot: Snapshot, found: SupplyBacktest) -> None:
    """Another future, the same forecasts: the outcomes alone differ."""
    later, promotions = pl.col("day") > ORIGIN, snapshot.frames["promotions"]
    other = pl.col("person") % 3 == 0
    frames = snapshot.frames | {
        "promotions": promotions.filter(~(later & other)),
        "people": snapshot.frames["people"].with_columns(
            retired_on=pl.when(name="Dee").then(pl.date(2025, 2, 1)).otherwise("retired_on")
        ),
        "employments": snapshot.frames["employments"].filter(
            pl.col("start").is_null() | (pl.col("start") <= ORIGIN)
        ),
    }
    keys = ["attribute", "occupation_group", "province", "figure", "year"]
    told = ["median", "low_80", "high_80", "last_year", "average"]
    again = run_supply_backtest(replace(snapshot, frames=frames), POLICY)
    # Gus lives where his present employer is: without that employment nothing says that he moved.
    elsewhere = pl.col("province").is_null() | ~pl.col("province").is_in(["32", "44"])
    sides = [
        one.outcomes.filter(elsewhere, attribute="occupation_group_in_province").sort(keys)
        for one in (found, again)
    ]
    assert sides[0].select(*keys, *told).equals(sides[1].select(*keys, *told))
    assert not sides[0]["outcome"].equals(sides[1]["outcome"])


def test_areas_add_up(found: SupplyBacktest) -> None:
    sums = found.outcomes.group_by("attribute", "figure", "origin", "year").agg(
        pl.col("outcome", "last_year", "average").sum()
    )
    assert sums["year"].unique().to_list() == [2025] and sums.height == 4 * len(SUPPLY_FIGURES)
    # A move to where nobody of the occupation worked has no place among the areas.
    for _, part in sums.filter(pl.col("figure") != "loss").group_by("figure"):
        for name in ("outcome", "last_year", "average"):
            assert np.ptp(part[name].to_numpy()) == pytest.approx(0)


def test_without_a_past_year_nothing_is_judged(snapshot: Snapshot) -> None:
    empty = run_supply_backtest(snapshot, replace(POLICY, window_start=date(2025, 6, 1)))
    assert empty.scores.is_empty() and empty.defends_gaps() is None
    assert build_empty_backtest().measure_widening("province") == 1.0


def make_backtest(outcomes: list[float], baseline_loss: float) -> SupplyBacktest:
    """Past losses that were forecast as 0, with an interval from -1 to 1."""
    rows = pl.concat(
        [
            build_empty_backtest().outcomes,
            pl.DataFrame(
                {
                    "attribute": "occupation_group_in_province",
                    "figure": JUDGED_FIGURE,
                    "outcome": outcomes,
                    "expected": 0.0,
                    "median": 0.0,
                    "low_80": -1.0,
                    "high_80": 1.0,
                    "low_95": -2.0,
                    "high_95": 2.0,
                    "last_year": 0.0,
                    "average": 0.0,
                    "pinball": 1.0,
                    "pinball_last_year": baseline_loss,
                    "pinball_average": 9.0,
                }
            ),
        ],
        how="diagonal_relaxed",
    )
    return SupplyBacktest(rows, summarize_supply_backtest(rows))


def test_the_past_defends_a_gap_or_not() -> None:
    many = [0.5] * 30
    assert make_backtest(many, 2.0).defends_gaps() is True
    assert make_backtest(many, 1.0).defends_gaps() is False
    assert make_backtest(many[:5], 2.0).defends_gaps() is None


def test_the_widened_interval_holds_what_came() -> None:
    outcomes = [*np.linspace(-4.0, 4.0, 101)]
    found = make_backtest(outcomes, 2.0)
    times = found.measure_widening("province")
    inside = np.mean([abs(one) <= times + 1e-9 for one in outcomes])
    assert times == pytest.approx(3.2) and 0.8 <= inside <= 0.82
    assert make_backtest([0.5] * 30, 2.0).measure_widening("province") == 1.0
    assert found.measure_widening("nation") == 1.0


@settings(deadline=None, max_examples=limit_examples(60))
@given(
    drawn=st.floats(0.0, 4.0),
    off=st.floats(-2.0, 2.0),
    misses=st.lists(st.integers(-9, 9), min_size=MIN_JUDGED_OUTCOMES, max_size=60),
)
def test_the_shown_intervals_hold_what_past_ones_missed(
    drawn: float, off: float, misses: list[int]
) -> None:
    # An interval that is drawn around the median, beside what is expected.
    past = make_backtest([float(one) for one in misses], 2.0)
    ends = {"low_80": off - drawn, "high_80": off + drawn, "median": off}
    outcomes = past.outcomes.with_columns(pl.lit(end).alias(name) for name, end in ends.items())
    backtest = SupplyBacktest(outcomes, past.scores)
    rows = outcomes.select(
        "outcome",
        kind=pl.lit("occupation_group"),
        area=pl.lit("province"),
        gap="expected",
        gap_low="low_80",
        gap_high="high_80",
    )
    shown = judge_gaps(rows, backtest)
    slack = 1e-9
    inside = pl.col("outcome").is_between(pl.col("gap_low") - slack, pl.col("gap_high") + slack)
    assert shown.select(inside.mean()).item() >= 0.8
    single = judge_gaps(rows.with_columns(kind=pl.lit("occupation")), backtest)
    assert single["gap_low"].count() == single["gap_high"].count() == 0


def test_an_interval_of_nothing_is_widened_from_a_person_each_way() -> None:
    past = make_backtest([float(n % 7 - 3) for n in range(200)], 2.0)
    bounds = {name: pl.lit(0.0) for name in ("low_80", "high_80")}
    backtest = SupplyBacktest(past.outcomes.with_columns(**bounds), past.scores)
    rows = pl.DataFrame(
        {"kind": "occupation_group", "area": "province", "gap": 5.0, "gap_low": 5.0}
    ).with_columns(gap_high="gap_low")
    shown = judge_gaps(rows, backtest).row(0, named=True)
    assert (shown["gap_low"], shown["gap_high"]) == (2.0, 8.0)
