"""The pace of promotions that a scenario gives to cohorts."""

from __future__ import annotations

import polars as pl

from graph.driven.figures import measure_driven
from graph.forecast.landing import compute_landing_forecast
from graph.forecast.simulation import PERSON_PARTS
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
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
    driven = measure_driven(network, policy)
    provinces = (
        network.frames["people"].select(pl.col("province").cast(pl.String)).unique().collect()
    )
    stop = Scenario("停", tuple(pace("province", str(p), 0.0) for p in provinces["province"] if p))
    landing = compute_landing_change(network, network, stop, driven, driven)
    stopped = -landing.summarize()["median"][0]
    forecast = compute_landing_forecast(network, policy)
    parts = forecast.parts.filter(pl.col("attribute") == "nation")
    coming = parts.filter(pl.col("part").is_in(["pending", "taken_on"]))["median"].sum()
    everything = parts.filter(pl.col("part").is_in(PERSON_PARTS))["median"].sum()
    assert 0.8 * coming < stopped < 1.2 * everything
    faster = Scenario(
        "快", tuple(pace("province", str(p), 10.0) for p in provinces["province"] if p)
    )
    gained = compute_landing_change(network, network, faster, driven, driven).summarize()["median"][
        0
    ]
    assert gained > 0
