"""Departures and successors: each reason, what is at stake, and the order of risk."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.dates import YEAR
from graph.errors import UsageError
from graph.metrics.examples import build_example_snapshot
from graph.policy import Policy
from graph.programme.departures import (
    compute_departure_stakes,
    compute_until,
    count_departures_by_month,
    list_departures,
)
from graph.programme.stored_departures import has_departures, load_departures
from graph.programme.successors import find_successors
from graph.snapshot.frames import Snapshot

DAY = date(2026, 11, 23)
POLICY = Policy(as_of=DAY)
UNTIL = date(2027, 6, 30)
# person: born, sex, category, retired on, occupation, province
PEOPLE: dict[str, tuple[Any, ...]] = {
    "Ann": (date(1966, 12, 9), "male", None, None, "6-18", "32"),  # 60y6m: 2027-06
    "Ben": (date(1971, 10, 1), "female", "cadre", None, "6-18", "32"),  # 55y6m: 2027-04
    "Cyd": (date(1976, 3, 5), "female", None, None, "6-31", "32"),  # 50y8m: 2026-11, or 2032-10
    "Dee": (date(1966, 1, 1), "male", None, None, "6-31", "32"),  # 2026-05, but agreed until 2027
    "Eli": (date(1960, 1, 1), "male", None, date(2020, 1, 1), "6-31", "44"),  # reemployed
    "Fay": (None, "female", "worker", None, "6-18", "32"),
    "Gus": (date(1990, 1, 1), "male", None, None, "6-18", "32"),
    "Hal": (date(1990, 1, 1), "male", None, None, None, None),
    "Ian": (date(1965, 1, 1), "male", None, None, "6-18", "32"),  # past 2025-02
    "Joy": (date(1985, 1, 1), "male", None, date(2027, 1, 15), "6-18", "32"),
}
EMPLOYMENTS: list[dict[str, Any]] = [
    {"person": "Dee", "retirement_postponed_until": date(2027, 3, 31)},
    {"person": "Eli", "reemployed": True, "service_until": date(2027, 1, 31)},
    {"person": "Gus", "service_until": date(2027, 2, 28), "non_compete_until": date(2027, 5, 1)},
    {"person": "Hal", "service_until": date(2028, 2, 28)},
    {"person": "Hal", "end": date(2026, 1, 1), "non_compete_until": date(2027, 1, 1)},
    {"person": "Fay", "end": date(2026, 1, 1), "service_until": date(2027, 1, 1)},
]
COLUMNS = ("birth_date", "sex", "retirement_category", "retired_on", "occupation_code", "province")


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    taught = ("Ann Gus", "Ann Joy", "Ben Gus", "Cyd Hal", "Eli Hal", "Dee Fay")
    made = build_example_snapshot(
        talents=[{"person": "Ann"}, {"person": "Cyd"}],
        mentorships=[
            dict(zip(("mentor", "apprentice"), pair.split(), strict=True), start="2020-01-01")
            for pair in taught
        ],
        recognitions=[
            *(
                {"person": p, "level": 6, "date": "2010-01-01"}
                for p in ("Ann", "Ben", "Cyd", "Dee")
            ),
            *({"person": p, "level": 4, "date": "2025-01-01"} for p in ("Gus", "Hal", "Joy")),
        ],
        employments=[{"person": p, "enterprise_id": "E1"} for p in PEOPLE],
    )
    frames = dict(made.frames)
    names = frames["people"].select("person", "name").collect()
    numbers = {name: number for number, name in names.rows()}
    schema = dict.fromkeys(COLUMNS, pl.String) | dict.fromkeys(
        ("birth_date", "retired_on"), pl.Date
    )
    stated = pl.DataFrame(
        [PEOPLE[name] for name in numbers], schema={c: schema[c] for c in COLUMNS}, orient="row"
    )
    levels = frames["promotions"].group_by("person").agg(pl.col("level").max()).collect()
    people = frames["people"].collect().drop("occupation_code", "province").hstack(stated)
    people = people.join(levels, on="person", how="left").with_columns(
        pl.col("level").fill_null(0), enterprise_id=pl.lit("E1")
    )
    dates = dict.fromkeys(
        ("start", "end", "service_until", "non_compete_until", "retirement_postponed_until"),
        pl.Date,
    )
    employments = pl.DataFrame(
        [row | {"person": numbers[row["person"]]} for row in EMPLOYMENTS],
        schema={"person": pl.Int32, "reemployed": pl.Boolean, **dates},
    )
    occupations = pl.LazyFrame({"code": ["6-18", "6-31"], "name": ["焊工", "车工"]})
    frames |= {
        "people": people.lazy(),
        "employments": employments.lazy(),
        "occupations": occupations,
    }
    return replace(made, frames=frames)


def list_events(snapshot: Snapshot, **given: Any) -> list[tuple[Any, ...]]:
    found = list_departures(snapshot, POLICY, UNTIL, everyone=True, **given).rows
    return (
        found.select("person_id", "kind", "day", "other_day", "known_by", "gap")
        .sort("person_id", "kind")
        .rows()
    )


def test_each_reason_with_its_day(snapshot: Snapshot) -> None:
    later = date(2032, 10, 1)
    assert list_events(snapshot, steward=True) == [
        ("Ann", "retires", date(2027, 6, 1), None, "age", None),
        ("Ben", "retires", date(2027, 4, 1), None, "age", None),
        ("Cyd", "retires", date(2026, 11, 1), later, "age", "no_category"),
        ("Dee", "postponement_ends", date(2027, 3, 31), None, "record", None),
        ("Eli", "reemployment_ends", date(2027, 1, 31), None, "record", None),
        ("Gus", "non_compete_ends", date(2027, 5, 1), None, "record", None),
        ("Gus", "service_ends", date(2027, 2, 28), None, "record", None),
        ("Hal", "non_compete_ends", date(2027, 1, 1), None, "record", None),
        ("Joy", "retires", date(2027, 1, 15), None, "record", None),
    ]
    found = list_departures(snapshot, POLICY, UNTIL)
    assert found.gaps == {"no_birth_date": 1, "no_category": 1}
    assert found.overdue == 1


@pytest.mark.parametrize("steward", [False, True])
def test_the_stored_list_is_the_list(snapshot: Snapshot, tmp_path: Path, steward: bool) -> None:
    stored = replace(snapshot, folder=tmp_path)
    listed = list_departures(snapshot, POLICY, UNTIL, steward=steward)
    assert not has_departures(stored, POLICY, UNTIL, steward=steward)
    for _ in ("worked out", "read"):
        found = load_departures(stored, POLICY, UNTIL, steward=steward)
        assert found.rows.equals(listed.rows)
        assert replace(found, rows=listed.rows) == listed
    assert has_departures(stored, POLICY, UNTIL, steward=steward)
    assert not has_departures(stored, POLICY, UNTIL, steward=not steward)


def test_whoever_is_no_steward_gets_years_of_retirements(snapshot: Snapshot) -> None:
    found = list_departures(snapshot, POLICY, date(2027, 1, 31), everyone=True).rows
    retiring = found.filter(pl.col("kind") == "retires")
    assert set(retiring["day"].dt.strftime("%m-%d")) == {"01-01"}
    assert set(retiring["day_precision"]) == {"year"}
    assert {"Ann", "Ben", "Cyd", "Joy"} == set(retiring["person_id"])
    others = found.filter(pl.col("kind") == "reemployment_ends")
    assert others["day"].to_list() == [date(2027, 1, 31)]


def test_what_hangs_on_each_and_the_order(snapshot: Snapshot) -> None:
    stakes = compute_departure_stakes(snapshot, POLICY)
    names = snapshot.frames["people"].select("person", "person_id").collect()
    held = {
        row["person_id"]: (row["last_mentor"], row["irreplaceable"], row["apprentices"])
        for row in stakes.join(names, on="person").iter_rows(named=True)
    }
    # Ann alone leads to Gus and Joy by a talent; Cyd to Hal; Eli is the last in 6-31 of 44.
    assert held == {
        "Ann": (False, 2, 2),
        "Ben": (False, 0, 1),
        "Cyd": (False, 1, 1),
        "Dee": (False, 0, 1),
        "Eli": (True, 0, 1),
    }
    rows = list_departures(snapshot, POLICY, UNTIL, steward=True).rows
    assert rows["person_id"].to_list() == ["Eli", "Ann", "Cyd", "Dee", "Ben"]
    assert rows["rank"].to_list() == [1, 2, 3, 4, 5]
    by_month = count_departures_by_month(rows, DAY)
    assert by_month["people"].sum() == rows.height
    part = list_departures(snapshot, POLICY, UNTIL, steward=True, province="44").rows
    assert part["person_id"].to_list() == ["Eli"]


def test_the_bench_has_its_reasons(snapshot: Snapshot) -> None:
    found = find_successors(snapshot, POLICY, "Ann")
    rows = {row["person_id"]: row for row in found.iter_rows(named=True)}
    assert [*rows] == ["Ben", "Gus", "Joy"]
    ben = rows["Ben"]
    assert (ben["points"], ben["shared_apprentices"], ben["stays"]) == (6, 1, False)
    assert rows["Gus"]["own_apprentice"] and not rows["Gus"]["level_reached"]
    assert find_successors(snapshot, POLICY, "Hal")["person_id"].to_list() == []
    with pytest.raises(UsageError, match="no studio has the id"):
        find_successors(snapshot, POLICY, "nobody")


def test_the_default_is_a_year_on() -> None:
    assert compute_until(DAY) == date(2027, 11, 30)
    assert compute_until(date(2024, 2, 29)) == date(2025, 2, 28)


@pytest.mark.parametrize("steward", [False, True])
def test_a_candidate_past_the_month_of_workers_stays_as_a_cadre(
    snapshot: Snapshot, *, steward: bool
) -> None:
    # Ben's category is not known: born 1973-06, as a worker until 2023-06, as a cadre 2029-05;
    # on 2025-11-23 the one is past and the other more than three years off.
    ben = pl.col("person_id") == "Ben"
    people = snapshot.frames["people"].with_columns(
        birth_date=pl.when(ben).then(pl.lit(date(1973, 6, 1))).otherwise("birth_date"),
        retirement_category=pl.when(ben).then(pl.lit(None)).otherwise("retirement_category"),
    )
    changed = replace(snapshot, frames=snapshot.frames | {"people": people})
    policy = Policy(as_of=date(2025, 11, 23))
    rows = find_successors(changed, policy, "Ann", steward=steward).filter(ben)
    assert rows["stays"].to_list() == [True]


def build_years_alone() -> Snapshot:
    """A studio and a mentorship of which the year alone is known: its last day stands."""
    made = build_example_snapshot(
        talents=[{"person": "Ada"}],
        leads=[{"person": "Ada", "studio_id": "S1", "start": "2024-12-31"}],
        trainings=[
            {"person": "Bo", "place_id": "S1", "place_kind": "Studio", "start": "2024-12-31"}
        ],
        mentorships=[{"mentor": "Ada", "apprentice": "Cy", "start": "2026-12-31"}],
        recognitions=[{"person": "Bo", "level": 4, "date": "2025-05-01"}],
        studios=[{"studio_id": "S1", "name": "焊接工作室"}],
    )
    frames = dict(made.frames)
    for name in ("leads", "trainings", "mentorships"):
        frames[name] = frames[name].with_columns(start_precision=pl.lit(YEAR))
    frames["people"] = frames["people"].with_columns(
        retired_on=pl.lit(None, pl.Date), occupation_code=pl.lit("6-18"), province=pl.lit("32")
    )
    frames["employments"] = frames["employments"].with_columns(
        reemployed=pl.lit(None, pl.Boolean), service_until=pl.lit(None, pl.Date)
    )
    return replace(made, frames=frames)


@pytest.mark.parametrize(("year_alone", "begun"), [("last", False), ("first", True)])
def test_the_stakes_take_years_alone_as_the_policy_does(year_alone: str, begun: bool) -> None:
    policy = replace(POLICY, year_alone=year_alone)
    stakes = compute_departure_stakes(build_years_alone(), policy)
    assert stakes.select("key_studios", "irreplaceable", "apprentices").rows() == [
        (1, 1, int(begun))
    ]
