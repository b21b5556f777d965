"""When each leaves who works: women of unknown category, the retired who work on, agreements."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.people.retirement import list_leaving_days
from graph.snapshot.frames import Snapshot
from tests.examples import limit_examples
from tests.unit.forecast_networks import make_leaving_network

AS_OF = date(2026, 11, 23)
Row = dict[str, Any]


def find_leaving(person: Row, employment: Row | None = None, day: date = AS_OF) -> Row:
    """The row of the one person of a network."""
    network = make_leaving_network([person], [employment | {"person": 0}] if employment else [])
    return list_leaving_days(network, day).collect().row(0, named=True)


def pick_days(row: Mapping[str, Any]) -> tuple[date | None, date | None]:
    return row["leaves"], row["leaves_later"]


@pytest.mark.parametrize("day", [AS_OF, date(2027, 11, 23)])
def test_who_works_past_the_month_of_workers_is_a_cadre(day: date) -> None:
    row = find_leaving({"birth_date": date(1973, 6, 1), "sex": "female"}, day=day)
    assert pick_days(row) == (date(2029, 5, 1), None) and row["gap"] is None


@pytest.mark.parametrize(
    ("birth", "leaves"),
    [(date(1969, 6, 1), date(2027, 6, 1)), (date(1950, 1, 1), date(2027, 1, 1))],
)
def test_who_works_past_both_months_leaves_as_a_cadre_does(birth: date, leaves: date) -> None:
    unknown = find_leaving({"birth_date": birth, "sex": "female"})
    cadre = find_leaving({"birth_date": birth, "sex": "female", "retirement_category": "cadre"})
    assert pick_days(unknown) == pick_days(cadre) == (leaves, None)


def test_a_month_of_workers_that_is_to_come_decides_nothing() -> None:
    row = find_leaving({"birth_date": date(1976, 3, 5), "sex": "female"})
    assert pick_days(row) == (date(2026, 11, 1), date(2032, 10, 1)) and row["gap"] == "no_category"


RETIRED: Row = {"birth_date": date(1966, 3, 1), "sex": "male", "retired_on": date(2026, 3, 31)}
AGAIN: Row = {"reemployed": True, "start": date(2026, 4, 1)}


@pytest.mark.parametrize("day", [date(2026, 2, 3), date(2026, 4, 9), AS_OF, date(2027, 1, 15)])
def test_who_is_retired_and_rehired_in_one_year_leaves_with_the_contract(day: date) -> None:
    # On every day of the year the same: the day of retirement is told to nobody.
    row = find_leaving(RETIRED, AGAIN | {"service_until": date(2029, 3, 31)}, day)
    assert pick_days(row) == (date(2029, 3, 31), None) and row["reemployed"]


@pytest.mark.parametrize("day", [date(2026, 2, 3), date(2026, 4, 9), AS_OF, date(2027, 1, 15)])
def test_who_is_rehired_without_an_end_leaves_by_age(day: date) -> None:
    # The statutory month, July 2026, is in the year of the retirement: it is past.
    row = find_leaving(RETIRED, AGAIN, day)
    assert pick_days(row) == (date(2029, 7, 1), None) and row["reemployed"]


def test_who_is_retired_early_and_rehired_leaves_in_the_statutory_month() -> None:
    row = find_leaving(RETIRED | {"birth_date": date(1967, 1, 1)}, AGAIN)
    assert pick_days(row) == (date(2027, 8, 1), None)


def test_a_re_employment_that_is_over_ends_work() -> None:
    over = AGAIN | {"service_until": date(2029, 3, 31), "end": date(2026, 9, 30)}
    for day in (date(2026, 2, 3), date(2026, 5, 1), AS_OF):
        assert find_leaving(RETIRED, over, day)["leaves"] == date(2026, 9, 30)


def test_who_is_retired_in_the_year_and_not_rehired_leaves_on_the_day_on_record() -> None:
    row = find_leaving(RETIRED)
    assert pick_days(row) == (date(2026, 3, 31), None) and not row["reemployed"]


def test_an_agreement_past_the_statutory_month_says_when_it_ends() -> None:
    agreed = {"retirement_postponed_until": date(2027, 5, 31)}
    row = find_leaving({"birth_date": date(1964, 12, 1), "sex": "male"}, agreed)
    assert pick_days(row) == (date(2027, 5, 31), None)


@settings(deadline=None, max_examples=limit_examples(100))
@given(
    birth=st.dates(date(1945, 1, 1), date(1990, 12, 31)),
    category=st.sampled_from([None, "unknown", "worker", "cadre"]),
    year=st.integers(2020, 2040),
)
def test_nobody_leaves_before_the_year_and_an_unknown_category_adds_no_month(
    birth: date, category: str | None, year: int
) -> None:
    people = [
        {"birth_date": birth, "sex": "female", "retirement_category": one}
        for one in (category, "worker", "cadre")
    ]
    row, worker, cadre = _list(make_leaving_network(people, []), date(year, 7, 1))
    assert row["leaves"] >= date(year, 1, 1)
    assert row["leaves"] in (worker["leaves"], cadre["leaves"])
    assert row["leaves_later"] in (None, cadre["leaves"])


def _list(network: Snapshot, day: date) -> list[Row]:
    return list_leaving_days(network, day).sort("person").collect().to_dicts()
