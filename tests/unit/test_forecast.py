"""The landing forecast: its history, hazards, projections, draws, parts and back-test."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from math import comb
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.driven.figures import measure_driven
from graph.errors import UsageError
from graph.forecast.backtest import compute_pinball, run_backtest
from graph.forecast.hazards import (
    DURATION_STARTS,
    LEVELS,
    Hazards,
    add_cell_codes,
    compute_outlook,
    count_exposure,
    shrink_hazards,
)
from graph.forecast.history import (
    FORECAST_ATTRIBUTES,
    HISTORY_CHANNELS,
    MONTH_DAYS,
    compute_driven_history,
    count_known_ledgers,
)
from graph.forecast.landing import (
    compute_landing_forecast,
    list_forecast_days,
    load_backtest,
    load_landing_forecast,
)
from graph.forecast.projection import project_log_ratios
from graph.forecast.simulation import (
    NATION,
    PARTS,
    ForecastModel,
    build_forecast_data,
    simulate_ledgers,
)
from graph.forecast.stored_data import load_forecast_data
from graph.forecast.talent import compute_talent_forecast
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from tests.unit.forecast_networks import LAST_DAY, make_network

POLICY = Policy(as_of=LAST_DAY)


@pytest.fixture(scope="module")
def network() -> Snapshot:
    return make_network("constant", people=6_000, talents=60)


def hide_later_rows(snapshot: Snapshot, day: date) -> Snapshot:
    """The snapshot as it was on a day, by the dates of its rows."""
    frames = dict(snapshot.frames)
    frames["edges"] = frames["edges"].filter(pl.col("start") <= day)
    frames["promotions"] = frames["promotions"].filter(pl.col("day") <= day)
    frames["talents"] = frames["talents"].filter(pl.col("recognised_on") <= day)
    return replace(snapshot, frames=frames)


@settings(deadline=None, max_examples=12)
@given(months=st.integers(0, 40), generations=st.sampled_from([1, 2, 3]))
def test_the_history_says_of_every_past_day_what_the_engine_counts_then(
    network: Snapshot, months: int, generations: int
) -> None:
    policy = replace(POLICY, generations=generations)
    history = compute_driven_history(network, policy)
    day = history.data_date - timedelta(days=int(np.ceil(months * MONTH_DAYS)))
    then = measure_driven(hide_later_rows(network, day), policy).national
    known = count_known_ledgers(history, -months)
    assert known["persons"] == then["driven_persons"]
    assert known["person_times"] == then["driven_person_times"]


def test_exposure_is_what_walking_through_every_month_counts(network: Snapshot) -> None:
    history = compute_driven_history(network, POLICY)
    spells = add_cell_codes(history.spells, ["6-18", "6-20"])
    blocks = (-6, -3, 0)
    found = count_exposure(spells, [], blocks, 4)
    at_risk = np.zeros((LEVELS, len(DURATION_STARTS), 3))
    promotions = np.zeros_like(at_risk)
    for since, until, level, raised in spells.select("since", "until", "level", "raised_to").rows():
        for month in range(max(since, -8), min(until, 0) + 1):
            place = np.searchsorted(DURATION_STARTS, month - since, "right") - 1
            at_risk[level, place, (month + 8) // 3] += 1
            promotions[level, place, (month + 8) // 3] += raised > 0 and month == until
    level = found.keys["level"].to_numpy()
    for counted, expected in ((found.at_risk, at_risk), (found.promotions, promotions)):
        total = np.zeros_like(expected)
        np.add.at(total, level, counted)
        np.testing.assert_array_equal(total[:8], expected[:8])


def test_a_small_cell_is_drawn_to_the_wider_one_and_a_large_one_stays() -> None:
    shape = (1, 2, len(HISTORY_CHANNELS), LEVELS, len(DURATION_STARTS))
    at_risk, promotions = np.zeros(shape), np.zeros(shape)
    at_risk[0, 0, 0, 3, 0], promotions[0, 0, 0, 3, 0] = 100_000, 5_000
    at_risk[0, 1, 0, 3, 0], promotions[0, 1, 0, 3, 0] = 10, 0
    found = shrink_hazards(promotions, at_risk)
    assert found[0, 0, 0, 3, 0] == pytest.approx(0.05, rel=0.01)
    assert 0.045 < found[0, 1, 0, 3, 0] < 0.05


@settings(deadline=None)
@given(hazard=st.floats(0.001, 0.5), months=st.integers(1, 24))
def test_a_constant_hazard_leaves_a_geometric_share(hazard: float, months: int) -> None:
    monthly = np.full((1, 1, 1, LEVELS, len(DURATION_STARTS)), hazard)
    transitions = np.eye(LEVELS, k=1)
    outlook = compute_outlook(Hazards(monthly, transitions, 4), months)
    risen = 1 - (1 - hazard) ** months
    assert outlook.first[months, 0, 0, 0, 3, 5] == pytest.approx(risen, rel=1e-3)
    assert outlook.first[months, 0, 0, 0, 5, 0] == 0
    # From level 5 three promotions are left, so all that m months bring only while m is small.
    expected = sum(
        min(k, 3) * (hazard**k) * ((1 - hazard) ** (months - k)) * comb(months, k)
        for k in range(months + 1)
    )
    assert outlook.further[months, 0, 0, 0, 5, 0] == pytest.approx(expected, rel=1e-3)


def test_a_projection_follows_a_trend_and_is_not_led_astray_by_an_empty_quarter() -> None:
    random = np.random.default_rng(1)
    steady = np.full(8, 1000.0)
    found = np.exp(project_log_ratios(steady, np.ones(8), 2, 4_000, random, 0.05))
    assert np.median(found[:, 0]) == pytest.approx(1000, rel=0.05)
    gap = np.array([0.0, *[1000.0] * 7])
    found = np.exp(project_log_ratios(gap, np.ones(8), 2, 4_000, random, 0.05))
    assert np.median(found[:, 0]) == pytest.approx(1000, rel=0.15)
    rising = 1000 * 1.1 ** np.arange(8)
    found = np.exp(project_log_ratios(rising, np.ones(8), 1, 4_000, random, 0.15))
    assert np.median(found[:, 0]) == pytest.approx(rising[-1] * 1.1, rel=0.1)


def test_the_values_of_an_attribute_add_up_to_the_nation_in_every_draw(network: Snapshot) -> None:
    data = build_forecast_data(compute_driven_history(network, POLICY))
    found = simulate_ledgers(data, 0, [3.0, 6.0], seed=7)
    for attribute in FORECAST_ATTRIBUTES:
        for part in PARTS:
            total = found[attribute].added[part].sum(axis=0)
            np.testing.assert_allclose(total, found[NATION].added[part][0], atol=1e-6)


def test_no_more_of_those_who_wait_rise_than_there_are(network: Snapshot) -> None:
    """However fast promotions come: the high-skilled, who wait for no first one, are no reserve."""
    data = build_forecast_data(compute_driven_history(network, POLICY))
    model = ForecastModel.fit(data, 0, [24.0], np.random.default_rng(7))
    model.paths["first"][:] = np.log(5.0)
    waiting = model.select_open_spells().filter(pl.col("level") < model.hazards.high_level).height
    assert model.simulate(NATION, None).added["pending"].mean() < waiting


def test_the_same_seed_gives_the_same_figures_and_another_one_near_ones(network: Snapshot) -> None:
    first = compute_landing_forecast(network, POLICY, seed=1)
    assert first.figures.equals(compute_landing_forecast(network, POLICY, seed=1).figures)
    other = compute_landing_forecast(network, POLICY, seed=2).select_landing()
    medians = first.select_landing()["median"], other["median"]
    np.testing.assert_allclose(*(m.to_numpy() for m in medians), rtol=0.03)


def test_figures_start_from_what_is_counted_and_never_fall(network: Snapshot) -> None:
    forecast = compute_landing_forecast(network, replace(POLICY, window_end=date(2027, 12, 31)))
    national = measure_driven(network, POLICY).national
    nation = forecast.figures.filter(attribute=NATION)
    assert nation["day"].unique().sort().to_list() == [
        date(2026, 9, 30),
        date(2026, 12, 31),
        date(2027, 3, 31),
        date(2027, 6, 30),
        date(2027, 9, 30),
        date(2027, 12, 31),
    ]
    persons = nation.filter(ledger="persons").sort("day")
    assert persons["counted"].unique().to_list() == [national["driven_persons"]]
    assert persons["median"].is_sorted() and persons["low_95"].min() >= national["driven_persons"]
    times = nation.filter(ledger="person_times")
    assert times["counted"].unique().to_list() == [national["driven_person_times"]]
    assert times["target"].unique().to_list() == [18_000]
    assert 0 <= times["probability"][0] <= 1
    parts = forecast.parts.filter(attribute=NATION)
    assert parts["part"].to_list() == [*PARTS]
    pending = measure_driven(network, POLICY).waiting.select(pl.col("person").n_unique()).collect()
    assert forecast.pending["persons"].sum() == pending.item()
    expected = (forecast.pending["persons"] * forecast.pending["chance"]).sum()
    assert expected == pytest.approx(parts["median"][0], rel=0.1)
    for attribute in FORECAST_ATTRIBUTES:
        values = forecast.figures.filter(attribute=attribute, ledger="persons")
        last = values.filter(pl.col("day") == pl.col("day").max())
        assert last["counted"].sum() == national["driven_persons"]


@pytest.mark.parametrize("shape", ["constant", "humped"])
def test_past_forecasts_cover_what_came_and_beat_the_baselines(shape: str) -> None:
    """On networks with other hazards than the demo's. Outcomes of one network are correlated: two
    networks say less than the sixteen of `python -m benchmarks.forecast`.
    """
    scores = []
    for seed in (1, 2):
        snapshot = make_network(shape, people=12_000, talents=120, seed=seed)
        data = build_forecast_data(compute_driven_history(snapshot, POLICY), 4)
        scores.append(
            run_backtest(data, 1, 4).scores.filter(attribute="province", ledger="persons")
        )
    found = pl.concat(scores)
    assert found["outcomes"].sum() >= 60 * 2
    assert 0.65 <= found["coverage_80"].mean() <= 0.95, found
    assert found["ratio"].max() <= 0.8, found


def test_pinball_is_half_the_error_at_the_median_and_zero_when_right() -> None:
    outcome = np.array([[10.0]])
    assert compute_pinball(np.full((19, 1, 1), 10.0), outcome) == 0
    assert compute_pinball(np.full((19, 1, 1), 14.0), outcome)[0, 0] == pytest.approx(2.0)


def test_forecast_days_are_the_quarters_ends_and_the_windows_end() -> None:
    assert list_forecast_days(date(2026, 11, 23), date(2026, 12, 31)) == [date(2026, 12, 31)]
    assert list_forecast_days(date(2026, 9, 30), date(2027, 2, 10)) == [
        date(2026, 12, 31),
        date(2027, 2, 10),
    ]
    assert list_forecast_days(date(2026, 12, 31), date(2026, 12, 31)) == []


def test_what_cannot_be_forecast_says_why(network: Snapshot) -> None:
    for policy, why in (
        (replace(POLICY, ordered=False), "dated chains"),
        (replace(POLICY, window_end=date(2026, 3, 31)), "nothing left to forecast"),
    ):
        with pytest.raises(UsageError, match=why):
            compute_landing_forecast(network, policy)
    few = dict(network.frames)
    few["promotions"] = few["promotions"].head(30)
    with pytest.raises(UsageError, match="at least 50 promotions"):
        compute_landing_forecast(replace(network, frames=few), POLICY)
    with pytest.raises(UsageError, match="no leading talent"):
        compute_talent_forecast(network, POLICY, "P0000999")


def test_where_no_talent_was_named_lately_nothing_comes_by_naming(network: Snapshot) -> None:
    long_ago = dict(network.frames)
    long_ago["talents"] = long_ago["talents"].with_columns(recognised_on=pl.lit(date(2022, 1, 1)))
    older = replace(network, frames=long_ago)
    parts = compute_landing_forecast(older, POLICY).parts.filter(attribute=NATION)
    assert parts.filter(part="new_talents")["median"].to_list() == [0]
    assert parts.filter(part="pending")["median"][0] > 0
    assert not run_backtest(
        build_forecast_data(compute_driven_history(older, POLICY), 2), 1, 2
    ).scores.is_empty()


def test_windows_that_have_not_begun_or_never_end_are_refused(network: Snapshot) -> None:
    for start, end, why in (
        (date(2027, 1, 1), date(2027, 12, 31), "has not begun"),
        (date(2024, 1, 1), date(2099, 12, 31), "more than 10 years"),
    ):
        policy = replace(POLICY, window_start=start, window_end=end)
        with pytest.raises(UsageError, match=why):
            compute_landing_forecast(network, policy)
        with pytest.raises(UsageError, match=why):
            compute_talent_forecast(network, policy, "P0000000")
    begun = replace(POLICY, window_start=date(2026, 6, 20), window_end=date(2027, 6, 30))
    found = compute_landing_forecast(network, begun)
    assert found.past.is_empty() and found.figures.height


def test_targets_are_those_of_the_attribute_and_of_whole_years(network: Snapshot) -> None:
    goals = pl.DataFrame(
        {
            "scope": ["national", "32", "52", "6-18"],
            "year": [2026] * 4,
            "leading_talents": [None] * 4,
            "high_skilled": [18_000, 10, 500, 99],
        },
        schema_overrides={"leading_talents": pl.Int64},
    )
    asked = replace(network, frames={**network.frames, "goals": goals.lazy()})
    found = compute_landing_forecast(asked, POLICY).select_landing("province")
    times = {row["value"]: row for row in found.filter(ledger="person_times").to_dicts()}
    assert (times["32"]["target"], times["32"]["probability"]) == (10, 1.0)
    nobody = times["52"]  # has a target, and nobody is reached there
    assert (nobody["counted"], nobody["median"], nobody["probability"]) == (0, 0, 0.0)
    groups = compute_landing_forecast(asked, POLICY).select_landing("occupation_group")
    assert groups["target"].null_count() == groups.height
    part = replace(POLICY, window_end=date(2026, 7, 31))
    assert compute_landing_forecast(asked, part).figures["target"].null_count()
    assert compute_landing_forecast(asked, part).figures["target"].drop_nulls().is_empty()


def test_an_origin_with_too_few_promotions_is_left_out_of_the_back_test() -> None:
    small = make_network("constant", people=500, talents=10, seed=3)
    found = load_backtest(small, POLICY)
    full = load_backtest(make_network("constant", people=2_000, talents=20, seed=3), POLICY)
    assert found.outcomes["origin"].n_unique() < full.outcomes["origin"].n_unique()


def test_a_talents_list_starts_from_its_driven_count(network: Snapshot) -> None:
    driven = measure_driven(network, POLICY)
    best = driven.talents.sort("driven", descending=True).row(0, named=True)
    found = compute_talent_forecast(network, POLICY, best["talent_id"])
    assert found.counted == best["driven"]
    waiting = set(driven.waiting_of(best["talent_id"])["person_id"])
    assert set(found.pending["person_id"]) == waiting
    assert found.pending["chance"].is_between(0, 1).all()
    assert found.counted <= found.figures["low_80"] <= found.figures["median"]
    assert found.expected_pending == pytest.approx(found.pending["chance"].sum())


def test_a_memory_snapshot_needs_no_folder(network: Snapshot) -> None:
    assert load_landing_forecast(network, POLICY).figures.height
    assert load_backtest(network, POLICY).scores.height == 8


def test_what_forecasts_stand_on_is_read_back_as_it_was_counted(tmp_path: Path) -> None:
    network = make_network("humped", seed=3)
    policy = Policy(as_of=LAST_DAY)
    counted = build_forecast_data(compute_driven_history(network, policy), 2)
    stored = replace(network, folder=tmp_path)
    (tmp_path / "results").mkdir()
    for _ in range(2):  # made, then read
        found = load_forecast_data(stored, policy, 2)
        assert found.history.data_date == counted.history.data_date
        assert found.spells.sort(pl.all()).equals(counted.spells.sort(pl.all()))
        for one, other in (
            (found.by_person, counted.by_person),
            (found.by_place, counted.by_place),
        ):
            assert one.blocks == other.blocks
            cells = [
                {
                    key: tuple(map(bytes, arrays))
                    for key, *arrays in zip(
                        e.keys.cast(pl.String).rows(), e.at_risk, e.promotions, e.high, strict=True
                    )
                }
                for e in (one, other)
            ]
            assert cells[0] == cells[1]
