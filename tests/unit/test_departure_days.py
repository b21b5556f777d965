"""Departures by the day asked for: what a viewer may not learn, open months, lapsed agreements."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

import polars as pl
import pytest

from graph.errors import UsageError
from graph.metrics.examples import build_example_snapshot
from graph.people.table_queries import (
    TableQuery,
    mentors_about_to_retire,
    retired_mentors_with_apprentices,
    service_periods_ending,
)
from graph.policy import Policy
from graph.programme.departures import (
    Departures,
    compute_until,
    count_departures_by_month,
    list_departures,
)
from graph.programme.successors import find_successors, list_missing_records
from graph.snapshot.frames import Snapshot
from ui.departures import page

PEOPLE_SCHEMA: dict[str, Any] = {
    "birth_date": pl.Date,
    "sex": pl.String,
    "retirement_category": pl.String,
    "retired_on": pl.Date,
    "retired_on_precision": pl.String,
    "level": pl.Int8,
    "province": pl.String,
    "occupation_code": pl.String,
    "enterprise_id": pl.String,
}
EMPLOYMENT_SCHEMA: dict[str, Any] = {
    "person": pl.Int32,
    "enterprise_id": pl.String,
    "start": pl.Date,
    "end": pl.Date,
    "end_precision": pl.String,
    "reemployed": pl.Boolean,
    "service_until": pl.Date,
    "service_until_precision": pl.String,
    "non_compete_until": pl.Date,
    "retirement_postponed_until": pl.Date,
    "retirement_postponed_until_precision": pl.String,
}
MAN = {"sex": "male", "birth_date": date(1966, 11, 15)}  # 2027-05


def build_staff(
    people: Mapping[str, Mapping[str, Any]],
    employments: Iterable[dict[str, Any]] = (),
    **tables: Any,
) -> Snapshot:
    """Mentors of one apprentice each, with what is stated of them."""
    taught = [
        {"mentor": name, "apprentice": f"of {name}", "start": "2020-01-01"} for name in people
    ]
    tables["mentorships"] = [*taught, *tables.get("mentorships", ())]
    made = build_example_snapshot(employments=[], **tables)
    found = made.frames["people"].collect()
    stated = pl.DataFrame(
        [{c: people.get(name, {}).get(c) for c in PEOPLE_SCHEMA} for name in found["name"]],
        schema=PEOPLE_SCHEMA,
    )
    found = found.drop([c for c in PEOPLE_SCHEMA if c in found.columns]).hstack(stated)
    numbers = dict(found.select("name", "person").iter_rows())
    rows = [row | {"person": numbers[row["person"]]} for row in employments]
    frames = made.frames | {
        "people": found.lazy(),
        "employments": pl.LazyFrame(rows, schema=EMPLOYMENT_SCHEMA),
        "occupations": pl.LazyFrame(schema={"code": pl.String, "name": pl.String}),
    }
    return replace(made, frames=frames)


def ask(snapshot: Snapshot, day: date, until: date | None = None, **given: Any) -> Departures:
    return list_departures(snapshot, Policy(as_of=day), until, everyone=True, **given)


def list_seen(found: Departures) -> list[tuple[Any, ...]]:
    """All that a reader sees of the mentors."""
    rows = found.rows.filter(~pl.col("person_id").str.starts_with("of "))
    seen = "person_id", "kind", "day", "other_day", "last_mentor", "apprentices"
    return sorted(rows.select(seen).rows(), key=str)


def test_no_day_of_the_year_tells_a_viewer_more_than_another() -> None:
    here = {"province": "32", "occupation_code": "6-18"}
    people = {
        "by age": MAN | here,
        "on record": {"retired_on": date(2027, 5, 20)} | here,
        "on the first": {"retired_on": date(2027, 1, 1)} | here,
        "undecided": {"sex": "female", "birth_date": date(1976, 8, 3)} | here,
        "agreed": {"sex": "male", "birth_date": date(1964, 7, 1)},
    }
    agreed = {"person": "agreed", "retirement_postponed_until": date(2027, 6, 15)}
    snapshot = build_staff(people, [agreed])
    days = [date(2027, 1, 1), *(date(2027, month, 20) for month in range(1, 13))]
    found = [ask(snapshot, day, date(2027, 12, 31)) for day in [*days, date(2027, 12, 31)]]
    first = list_seen(found[0])
    assert {row[0] for row in first} == set(people)
    assert all(list_seen(one) == first for one in found)
    assert {one.overdue for one in found} == {0}
    next_year = [ask(snapshot, date(2028, month, 1)).overdue for month in (1, 7)]
    assert next_year == [2, 2]
    # A steward sees the days.
    steward = [ask(snapshot, day, date(2027, 12, 31), steward=True) for day in days]
    assert len({str(list_seen(one)) for one in steward}) > 3
    assert [one.overdue for one in steward[5:8]] == [0, 2, 2]


def test_a_period_ends_with_its_month_or_year() -> None:
    month = date(2026, 11, 1)
    people = {
        "service": {"birth_date": date(1990, 1, 1)},
        "kept on": {"retired_on": date(2024, 1, 1)},
        "retired": {"retired_on": month, "retired_on_precision": "month"},
        "agreed": {"sex": "male", "birth_date": date(1964, 7, 1)},
        "year": {"birth_date": date(1990, 1, 1)},
    }
    employments = [
        {"person": "service", "service_until": month, "service_until_precision": "month"},
        {
            "person": "kept on",
            "reemployed": True,
            "service_until": month,
            "service_until_precision": "month",
            "end": month,
            "end_precision": "month",
        },
        {
            "person": "agreed",
            "retirement_postponed_until": month,
            "retirement_postponed_until_precision": "month",
        },
        {"person": "year", "service_until": date(2026, 1, 1), "service_until_precision": "year"},
    ]
    snapshot = build_staff(people, employments)
    found = ask(snapshot, date(2026, 11, 23), steward=True)
    assert {(row[0], row[1]) for row in list_seen(found)} == {
        ("service", "service_ends"),
        ("kept on", "reemployment_ends"),
        ("retired", "retires"),
        ("agreed", "postponement_ends"),
        ("year", "service_ends"),
    }
    assert {row[2] for row in list_seen(found)} == {month, date(2026, 1, 1)}
    after = ask(snapshot, date(2026, 12, 1), steward=True)
    assert {row[0] for row in list_seen(after)} == {"year"} and after.overdue == 1


def test_who_is_past_a_lapsed_postponement_is_overdue() -> None:
    snapshot = build_staff(
        {"agreed": {"sex": "male", "birth_date": date(1964, 7, 1)}},
        [{"person": "agreed", "retirement_postponed_until": date(2026, 6, 30)}],
    )
    assert ask(snapshot, date(2026, 5, 1), steward=True).rows.height == 1
    lapsed = ask(snapshot, date(2026, 11, 23), steward=True)
    assert (lapsed.rows.height, lapsed.overdue) == (0, 1)
    # A viewer learns it with the new year.
    assert ask(snapshot, date(2026, 11, 23)).overdue == 0
    assert ask(snapshot, date(2027, 1, 1)).overdue == 1


def test_the_answer_says_which_retirements_it_counts() -> None:
    snapshot = build_staff(
        {"later": MAN, "ends": {"birth_date": date(1990, 1, 1)}},
        [{"person": "ends", "service_until": date(2027, 1, 31)}],
    )
    day, until = date(2026, 11, 23), date(2027, 2, 28)
    found = ask(snapshot, day, until)
    answer = page._render_departures_answer(found.rows, found, steward=False)
    assert "<b>1</b> retire in 2026–2027, taken as whole years" in answer
    assert "the others leave by 2027-02" in answer
    assert (found.retirements_since, found.retirements_until) == (
        date(2026, 1, 1),
        date(2027, 12, 31),
    )
    seen = ask(snapshot, day, until, steward=True)
    answer = page._render_departures_answer(seen.rows, seen, steward=True)
    assert "may leave by 2027-02: <b>0</b> retire;" in answer
    assert page._format_departure_month("2027") == "all of 2027"


def test_an_end_before_the_day_is_refused_and_the_calendar_ends() -> None:
    snapshot = build_staff({"one": MAN})
    with pytest.raises(UsageError, match=r"ends on 2020-01-01, before the as-of day 2026-11-23"):
        ask(snapshot, date(2026, 11, 23), date(2020, 1, 1))
    assert compute_until(date(9999, 11, 1)) == date(9999, 12, 31)
    assert ask(snapshot, date(9999, 11, 1)).overdue == 1
    assert ask(snapshot, date(1, 1, 1)).rows.is_empty()


def test_a_candidate_stays_by_the_year_for_a_viewer() -> None:
    lead = {"birth_date": date(1980, 1, 1), "sex": "male", "level": 5, "occupation_code": "6-18"}
    people = {
        "lead": lead,
        "by age": lead | MAN,
        "on record": lead | {"retired_on": date(2024, 6, 15)},
    }
    snapshot = build_staff(people)

    def list_stays(day: date, **given: Any) -> list[tuple[Any, ...]]:
        found = find_successors(snapshot, Policy(as_of=day), "lead", **given)
        return sorted(found.select("person_id", "stays").rows())

    days = [date(2024, month, 20) for month in range(1, 13)]
    assert {str(list_stays(day)) for day in days} == {
        "[('by age', False), ('on record', True)]",
    }
    assert list_stays(date(2023, 12, 31))[0] == ("by age", True)
    assert [len(list_stays(day, steward=True)) for day in days[4:7]] == [2, 1, 1]
    steward = [list_stays(day, steward=True)[0][1] for day in days[3:6]]
    assert steward == [True, False, False]


def test_who_is_near_by_the_day_at_a_studio() -> None:
    names = ("lead", "works", "trains", "later", "leads later", "shares later")
    day, after = date(2026, 6, 1), "2026-09-01"
    trainings = [
        {"person": "works", "place_id": "X1", "place_kind": "Enterprise", "start": "2023-01-01"},
        {"person": "trains", "place_id": "X1", "place_kind": "Studio", "start": "2023-01-01"},
        {"person": "later", "place_id": "X1", "place_kind": "Studio", "start": after},
    ]
    snapshot = build_staff(
        {name: {"level": 6} for name in names},
        mentorships=[{"mentor": "shares later", "apprentice": "of lead", "start": after}],
        leads=[
            {"person": "lead", "studio_id": "X1", "start": "2020-01-01"},
            {"person": "leads later", "studio_id": "X1", "start": after},
        ],
        studios=[{"studio_id": "X1", "name": "st"}],
        enterprises=[{"enterprise_id": "X1", "name": "e"}],
        trainings=trainings,
    )

    def list_near(asked: date) -> set[str]:
        return set(find_successors(snapshot, Policy(as_of=asked), "lead")["person_id"])

    assert list_near(day) == {"trains"}
    assert list_near(date(2026, 9, 1)) == {"trains", "later", "leads later", "shares later"}


@pytest.mark.parametrize("level", [None, 0])
def test_what_is_not_on_record_of_who_leaves_is_said(level: int | None) -> None:
    snapshot = build_staff(
        {"left": {"level": level, "occupation_code": "6-18"}, "near": {"level": 6}},
        mentorships=[{"mentor": "near", "apprentice": "of left", "start": "2020-01-01"}],
    )
    policy = Policy(as_of=date(2026, 6, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = find_successors(snapshot, policy, "left")
    assert found.select("person_id", "level_reached", "points").rows() == [("near", None, 2)]
    missing = list_missing_records(snapshot, policy, "left")
    assert [english for english, _ in missing] == ["level", "enterprise", "province"]


def test_the_query_of_mentors_gives_the_departures_that_retire() -> None:
    woman = {"sex": "female", "birth_date": date(1976, 8, 3)}
    people = {
        "man": MAN,
        "cadre": woman | {"retirement_category": "cadre"},
        "worker": woman | {"retirement_category": "worker"},
        "undecided": woman,
        "on record": MAN | {"retired_on": date(2027, 5, 20)},
        "this month": {"retired_on": date(2026, 11, 1), "retired_on_precision": "month"},
        "retired": {"retired_on": date(2026, 3, 1)},
        "kept on": MAN,
        "agreed": MAN,
        "lapsed": MAN,
        "unknown": {"birth_date": date(1966, 11, 15)},
    }
    employments = [
        {"person": "kept on", "reemployed": True},
        {"person": "agreed", "retirement_postponed_until": date(2028, 1, 1)},
        {"person": "lapsed", "retirement_postponed_until": date(2025, 1, 1)},
    ]
    snapshot, day = build_staff(people, employments), date(2026, 11, 23)
    for steward in (True, False):
        values = {"today": day, "months": 84, "steward": steward}
        found = mentors_about_to_retire(snapshot, values)
        listed = ask(snapshot, day, date(2033, 11, 23), steward=steward).rows
        listed = listed.filter(pl.col("kind") == "retires")
        assert set(found["person_id"]) == set(listed["person_id"])
        asked = found.filter(pl.col("person_id") == "undecided").sort("known_by")
        assert asked["known_by"].to_list() == ["age_cadre", "age_worker"]
        days = listed.filter(pl.col("person_id") == "undecided").select("other_day", "day").row(0)
        assert asked["retires_in"].to_list() == [one.year for one in days]
        # The name and the day of the rest are the same.
        rest = [t.filter(pl.col("person_id") != "undecided") for t in (found, listed)]
        years = [
            dict(zip(rows["person_id"], rows[column].dt.year(), strict=True))
            for rows, column in zip(rest, ("retires_on", "day"), strict=True)
        ]
        assert years[0] == years[1] and {"man", "cadre", "worker", "this month"} <= set(years[0])
        assert ("retired" in years[0]) is not steward


def test_queries_take_a_month_as_open_until_it_is_over() -> None:
    month = {"service_until": date(2026, 11, 1), "service_until_precision": "month"}
    retired = {"retired_on": date(2026, 11, 1), "retired_on_precision": "month"}
    snapshot = build_staff(
        {"ends": {}, "retires": retired},
        [{"person": "ends", "enterprise_id": "E1", **month}],
        enterprises=[{"enterprise_id": "E1", "name": "one"}],
    )

    def ask_query(query: TableQuery, day: date) -> list[str]:
        found = query(snapshot, {"today": day, "months": 12, "steward": True})
        return found["person_id"].to_list()

    during, after = date(2026, 11, 23), date(2026, 12, 1)
    assert [ask_query(service_periods_ending, day) for day in (during, after)] == [["ends"], []]
    found = [ask_query(retired_mentors_with_apprentices, day) for day in (during, after)]
    assert found == [[], ["retires"]]


def test_a_month_that_is_over_is_none_in_which_somebody_may_leave() -> None:
    # As a worker 2021-12, as a cadre 2027-06.
    snapshot = build_staff({"undecided": {"sex": "female", "birth_date": date(1971, 12, 5)}})
    for steward, month in ((True, "2027-06"), (False, "2027")):
        found = ask(snapshot, date(2026, 11, 23), date(2027, 12, 31), steward=steward)
        counted = count_departures_by_month(found.rows, found.retirements_since)
        assert counted.select("month", "people").rows() == [(month, 1)]
