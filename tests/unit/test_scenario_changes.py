"""Changes that contradict each other, or name nothing, are refused and not passed over."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from graph.errors import UsageError
from graph.policy import Policy
from graph.scenario.changes import Change, Scenario, parse_changes, resolve_changes
from graph.scenario.comparison import find_succession_day
from graph.snapshot.frames import Snapshot
from tests.unit.forecast_networks import make_network


@pytest.fixture(scope="module")
def network() -> Snapshot:
    made = make_network("constant", people=60, talents=6)
    made.frames.setdefault("studios", pl.LazyFrame(schema={"studio_id": pl.String}))
    return made


def test_nobody_takes_on_who_has_left(network: Snapshot) -> None:
    mentor, apprentice = network.frames["people"].head(2).collect()["person_id"]
    changes = [
        Change("leave", date(2026, 1, 31), apprentice),
        Change("begin_mentorship", date(2026, 2, 1), mentor, apprentice),
    ]
    with pytest.raises(UsageError, match=f"Change 2, column on: {apprentice} has left by then"):
        resolve_changes(network, changes)


def test_a_studio_opens_once(network: Snapshot) -> None:
    leader = network.frames["people"].head(1).collect()["person_id"][0]
    opening = Change("open_studio", date(2027, 1, 1), leader, studio_id="s9", name="one")
    other = Change("open_studio", date(2026, 1, 1), leader, studio_id="s9", name="two")
    assert resolve_changes(network, [opening]) == (opening,)
    with pytest.raises(UsageError, match="Change 2, column studio_id: s9 is there already"):
        resolve_changes(network, [opening, other])


def test_scenarios_beside_each_other_are_measured_on_the_latest_of_their_days() -> None:
    policy = Policy(as_of=date(2025, 12, 31))
    one, other = (
        Scenario("x", (Change("leave", day, "P1"),)) for day in (date(2026, 12, 31), date.max)
    )
    assert find_succession_day(policy, [one]) == date(2027, 1, 1)
    assert find_succession_day(policy, [one, other]) == date.max
    assert find_succession_day(policy, []) == policy.as_of
    assert find_succession_day(Policy(as_of=date(2030, 1, 1)), [one]) == date(2030, 1, 1)


def test_a_cohort_of_no_province_is_refused() -> None:
    row = {"change": "change_hazard", "attribute": "province", "value": "苏", "factor": "2"}
    with pytest.raises(UsageError, match="column value: '苏' is no code of a province"):
        parse_changes([row])
    assert parse_changes([row | {"value": "32"}])[0].value == "32"
