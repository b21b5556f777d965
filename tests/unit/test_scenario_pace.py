"""How a scenario moves the forecast: the pace of cohorts, and what is counted by the data date."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.forecast.history import compute_driven_history
from graph.forecast.landing import compute_landing_forecast
from graph.forecast.simulation import PERSON_PARTS
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.scenario import landing_change
from graph.scenario.changes import Change, Scenario
from graph.scenario.landing_change import build_pace, compute_landing_change
from tests.unit.forecast_networks import LAST_DAY, make_network

PEOPLE = pl.DataFrame(
    {"province": ["32", "11", None], "occupation_group": ["6-18", "6-18", "6-18"]},
    schema={"province": pl.Enum([*PROVINCES]), "occupation_group": pl.String},
)


def pace(attribute: str, value: str, factor: float) -> Change:
    return Change("change_hazard", attribute=attribute, value=value, factor=factor)


def test_a_person_of_several_cohorts_has_the_product_of_their_factors() -> None:
    changes = [
        pace("province", "32", 0.5),
        pace("province", "32", 3.0),
        pace("occupation_group", "6-18", 2.0),
    ]
    assert PEOPLE.select(build_pace(changes)).to_series().to_list() == [3.0, 2.0, 2.0]


def test_a_factor_for_every_province_is_looked_up_at_once() -> None:
    changes = [pace("province", code, 2.0) for code in PROVINCES] * 200
    changes += [pace("province", code, 0.5) for code in PROVINCES] * 200
    assert PEOPLE.select(build_pace(changes)).to_series().to_list() == [1.0, 1.0, 1.0]


def test_at_pace_zero_nobody_rises_that_the_forecast_still_expects() -> None:
    """Those who wait, who are taken on and who come with a new talent: all stand still."""
    network = make_network("constant", seed=5)
    policy = Policy(as_of=LAST_DAY)
    provinces = (
        network.frames["people"].select(pl.col("province").cast(pl.String)).unique().collect()
    )
    stop = Scenario("停", tuple(pace("province", str(p), 0.0) for p in provinces["province"] if p))
    landing = compute_landing_change(network, network, stop, policy)
    stopped = -landing.summarize()["median"][0]
    forecast = compute_landing_forecast(network, policy)
    parts = forecast.parts.filter(pl.col("attribute") == "nation")
    coming = parts.filter(pl.col("part").is_in(["pending", "taken_on"]))["median"].sum()
    everything = parts.filter(pl.col("part").is_in(PERSON_PARTS))["median"].sum()
    assert 0.8 * coming < stopped < 1.2 * everything
    faster = Scenario(
        "快", tuple(pace("province", str(p), 10.0) for p in provinces["province"] if p)
    )
    gained = compute_landing_change(network, network, faster, policy).summarize()["median"][0]
    assert gained > 0


@pytest.mark.parametrize("as_of", [date(2025, 12, 31), LAST_DAY])
def test_who_rises_after_the_data_date_is_not_counted_already(
    as_of: date, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who rises in 2026 is pending under the as-of day of 2025: not taken off both parts."""
    # Tables in memory alone have no record of what changed: everybody is looked at.
    monkeypatch.setattr(landing_change, "find_touched_people", lambda *_: None)
    network = make_network("constant", people=4_000, talents=40, seed=7)
    policy, leaves = Policy(as_of=as_of), date(2026, 1, 31)
    before = compute_driven_history(network, policy)
    first = measure_driven(network, policy).promotions.filter(
        pl.col("ledger").cast(pl.String) == "first_promotions", pl.col("day") > leaves
    )
    risen = first.select("person").unique().sort("person").head(20).collect()["person"]
    promotions = network.frames["promotions"].filter(
        ~(pl.col("person").is_in(risen.implode()) & (pl.col("day") > leaves))
    )
    changed = replace(network, frames=network.frames | {"promotions": promotions})
    ids = network.frames["people"].filter(pl.col("person").is_in(risen.implode()))
    scenario = Scenario(
        "离任", tuple(Change("leave", leaves, id) for id in ids.collect()["person_id"])
    )
    landing = compute_landing_change(network, changed, scenario, policy)
    parts = dict(landing.parts.select("part", "median").rows())
    after = compute_driven_history(changed, policy)
    counted = [int(one.events["first"].sum()) for one in (before, after)]
    assert parts["counted"] == counted[1] - counted[0] == (0 if as_of < leaves else -20)
    # One person is taken off once: as counted, or as pending with a chance below 1.
    assert -20 <= parts["counted"] + parts["pending"] <= 0
