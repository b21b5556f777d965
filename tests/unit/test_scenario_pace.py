"""The pace of promotions that a scenario gives to cohorts."""

from __future__ import annotations

import polars as pl

from graph.model.vocabularies import PROVINCES
from graph.scenario.changes import Change
from graph.scenario.landing_change import build_pace

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
