"""Statutory retirement months: the official schedule's rows, and a second way to compute them."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from graph.people.retirement import (
    FLEXIBLE_MONTHS,
    MEN,
    WOMEN_CADRES,
    WOMEN_WORKERS,
    RetirementRule,
    add_retirement_months,
)

# Rows of the annexed tables: birth month, age of retirement (years, months), retirement month.
MEN_ROWS = [
    ("1964-12", (60, 0), "2024-12"),
    ("1965-01", (60, 1), "2025-02"),
    ("1965-02", (60, 1), "2025-03"),
    ("1965-03", (60, 1), "2025-04"),
    ("1965-04", (60, 1), "2025-05"),
    ("1965-05", (60, 2), "2025-07"),
    ("1965-06", (60, 2), "2025-08"),
    ("1965-07", (60, 2), "2025-09"),
    ("1965-08", (60, 2), "2025-10"),
    ("1965-09", (60, 3), "2025-12"),
    ("1965-12", (60, 3), "2026-03"),
    ("1966-01", (60, 4), "2026-05"),
    ("1966-04", (60, 4), "2026-08"),
    ("1966-05", (60, 5), "2026-10"),
    ("1966-12", (60, 6), "2027-06"),
    ("1967-01", (60, 7), "2027-08"),
    ("1968-01", (60, 10), "2028-11"),
    ("1968-09", (61, 0), "2029-09"),
    ("1969-01", (61, 1), "2030-02"),
    ("1970-01", (61, 4), "2031-05"),
    ("1971-01", (61, 7), "2032-08"),
    ("1972-01", (61, 10), "2033-11"),
    ("1972-12", (62, 0), "2034-12"),
    ("1973-01", (62, 1), "2035-02"),
    ("1974-05", (62, 5), "2036-10"),
    ("1975-09", (62, 9), "2038-06"),
    ("1976-04", (62, 10), "2039-02"),
    ("1976-05", (62, 11), "2039-04"),
    ("1976-08", (62, 11), "2039-07"),
    ("1976-09", (63, 0), "2039-09"),
    ("1976-12", (63, 0), "2039-12"),
    ("1990-01", (63, 0), "2053-01"),
]
CADRE_ROWS = [
    ("1969-12", (55, 0), "2024-12"),
    ("1970-01", (55, 1), "2025-02"),
    ("1970-04", (55, 1), "2025-05"),
    ("1970-05", (55, 2), "2025-07"),
    ("1970-08", (55, 2), "2025-10"),
    ("1970-12", (55, 3), "2026-03"),
    ("1971-01", (55, 4), "2026-05"),
    ("1972-01", (55, 7), "2027-08"),
    ("1973-09", (56, 0), "2029-09"),
    ("1975-01", (56, 4), "2031-05"),
    ("1977-12", (57, 0), "2034-12"),
    ("1978-01", (57, 1), "2035-02"),
    ("1981-05", (57, 11), "2039-04"),
    ("1981-08", (57, 11), "2039-07"),
    ("1981-09", (58, 0), "2039-09"),
    ("1981-12", (58, 0), "2039-12"),
    ("1995-06", (58, 0), "2053-06"),
]
WORKER_ROWS = [
    ("1974-12", (50, 0), "2024-12"),
    ("1975-01", (50, 1), "2025-02"),
    ("1975-02", (50, 1), "2025-03"),
    ("1975-03", (50, 2), "2025-05"),
    ("1975-04", (50, 2), "2025-06"),
    ("1975-05", (50, 3), "2025-08"),
    ("1975-06", (50, 3), "2025-09"),
    ("1975-12", (50, 6), "2026-06"),
    ("1976-01", (50, 7), "2026-08"),
    ("1976-11", (51, 0), "2027-11"),
    ("1977-01", (51, 1), "2028-02"),
    ("1978-01", (51, 7), "2029-08"),
    ("1979-01", (52, 1), "2031-02"),
    ("1980-12", (53, 0), "2033-12"),
    ("1981-01", (53, 1), "2034-02"),
    ("1983-01", (54, 1), "2037-02"),
    ("1984-09", (54, 11), "2039-08"),
    ("1984-10", (54, 11), "2039-09"),
    ("1984-11", (55, 0), "2039-11"),
    ("1984-12", (55, 0), "2039-12"),
    ("1999-07", (55, 0), "2054-07"),
]
ROWS = [
    (sex, category, *row)
    for sex, category, rows in (
        ("male", "worker", MEN_ROWS),
        ("male", None, MEN_ROWS),
        ("female", "cadre", CADRE_ROWS),
        ("female", "worker", WORKER_ROWS),
    )
    for row in rows
]
COLUMNS = ("sex", "retirement_category", "birth_date", "birth_date_precision")


def compute(*rows: tuple[object, ...]) -> pl.DataFrame:
    schema = dict.fromkeys(COLUMNS, pl.String) | {"birth_date": pl.Date}
    return add_retirement_months(pl.LazyFrame(rows, schema=schema, orient="row")).collect()


def parse_month(text: str) -> date:
    return date.fromisoformat(f"{text}-01")


def test_the_official_schedule() -> None:
    # The day within the month makes no difference.
    born = [parse_month(row[2]).replace(day=1 + at % 28) for at, row in enumerate(ROWS)]
    given_rows = [(*row[:2], day, None) for row, day in zip(ROWS, born, strict=True)]
    found = compute(*given_rows)
    for row, day, month in zip(ROWS, born, found["statutory"], strict=True):
        years, months = row[3]
        assert month == parse_month(row[4]), row
        assert (month.year - day.year) * 12 + month.month - day.month == 12 * years + months, row
    assert found["gap"].null_count() == found.height


def walk_schedule(rule: RetirementRule) -> dict[date, date]:
    """Birth month -> retirement month, by walking the calendar and counting the steps."""
    found, delay, in_step = {}, 0, 0
    for number in range(12 * 1940, 12 * 2010):
        born = date(number // 12, number % 12 + 1, 1)
        reached = number + 12 * rule.old_age
        if reached >= 12 * 2025:
            if in_step == 0 and delay < rule.most:
                delay += 1
            in_step = (in_step + 1) % rule.every
        at = reached + delay
        found[born] = date(at // 12, at % 12 + 1, 1)
    return found


@pytest.mark.parametrize(
    ("sex", "category", "rule"),
    [
        ("male", "cadre", MEN),
        ("female", "cadre", WOMEN_CADRES),
        ("female", "worker", WOMEN_WORKERS),
    ],
)
def test_every_birth_month_by_two_formulations(
    sex: str, category: str, rule: RetirementRule
) -> None:
    walked = walk_schedule(rule)
    found = compute(*((sex, category, born, None) for born in walked))
    assert found["statutory"].to_list() == list(walked.values())
    old, most = 12 * rule.old_age, FLEXIBLE_MONTHS
    for born, month, early, late in found.select(
        "birth_date", "statutory", "earliest", "latest"
    ).rows():
        at, least, last = (
            (day.year - born.year) * 12 + day.month - born.month for day in (month, early, late)
        )
        assert old <= at <= old + rule.most
        assert (least, last) == (max(old, at - most), at + most)


def test_what_is_not_known_is_said_and_not_guessed() -> None:
    day = date(1975, 1, 15)
    found = compute(
        ("female", None, day, None),
        ("female", "unknown", day, None),
        ("male", "unknown", day, None),
        (None, "cadre", day, None),
        ("male", None, None, None),
        ("male", None, date(1975, 1, 1), "year"),
        ("female", "cadre", date(1975, 1, 1), "month"),
    )
    both = (None, date(2025, 2, 1), date(2031, 5, 1), "no_category")
    man = date(2037, 8, 1)
    assert found.select("statutory", "statutory_first", "statutory_other", "gap").rows() == [
        both,
        both,
        (man, man, None, None),
        (None, None, None, "no_sex"),
        (None, None, None, "no_birth_date"),
        (None, None, None, "birth_year_only"),
        (date(2031, 5, 1), date(2031, 5, 1), None, None),
    ]
