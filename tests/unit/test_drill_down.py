"""Every figure of the overview equals the number of its rows, and the parts add up."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from graph.driven.drill_down import (
    UNSTATED,
    DrillDownFilter,
    format_quarter,
    load_drill_down,
    parse_quarter,
)
from graph.driven.figures import measure_driven
from graph.driven.terms import TALENT_BREAKDOWNS
from graph.errors import UsageError
from graph.metrics.examples import build_example_snapshot
from graph.policy import Policy
from graph.programme.ledgers import Ledger
from graph.programme.overview import build_overview_cuts, count_narrowing_quarters
from graph.snapshot.frames import Snapshot
from ui.reading.drill_down import build_part_query

POLICY = Policy(as_of=date(2026, 9, 30))


def network() -> Snapshot:
    """Two talents; Cy is reached by both, Di through Cy, Em by Bo alone and twice promoted."""
    snapshot = build_example_snapshot(
        talents=[{"person": "Ana"}, {"person": "Bo"}],
        mentorships=[
            {"mentor": "Ana", "apprentice": "Cy", "start": "2023-01-01"},
            {"mentor": "Bo", "apprentice": "Cy", "start": "2023-02-01"},
            {"mentor": "Cy", "apprentice": "Di", "start": "2023-06-01"},
            {"mentor": "Bo", "apprentice": "Em", "start": "2023-06-01"},
        ],
        recognitions=[
            {"person": "Cy", "level": 4, "date": "2024-02-01"},
            {"person": "Di", "level": 4, "date": "2025-05-01"},
            {"person": "Em", "level": 4, "date": "2024-03-31"},
            {"person": "Em", "level": 5, "date": "2026-04-01"},
        ],
    )
    frames = dict(snapshot.frames)
    province = pl.col("name").replace_strict({"Cy": "32", "Em": "33"}, default=None)
    frames["people"] = frames["people"].with_columns(province=province)
    named = pl.col("person").replace_strict({0: "2019", 1: "2024"}, return_dtype=pl.String)
    frames["talents"] = frames["talents"].with_columns(
        recognised_on=pl.concat_str(named, pl.lit("-05-01")).str.to_date(),
        basis=pl.lit("china_skills_award"),
    )
    return Snapshot(0, None, frames)


def test_each_cut_counts_the_rows_behind_it() -> None:
    snapshot = network()
    driven = measure_driven(snapshot, POLICY)
    rows = load_drill_down(snapshot, driven)
    found = build_overview_cuts(driven)
    assert {"quarter", "province", "generation", "channel", "basis", "year"} <= found.keys()
    for name, table in found.items():
        for row in table.iter_rows(named=True):
            value = UNSTATED if row["value"] is None else row["value"]
            assert rows.number(DrillDownFilter(**{name: value})) == row["persons"], (name, value)
            if name not in TALENT_BREAKDOWNS:
                times = rows.number(DrillDownFilter("person_times", **{name: value}))
                assert times == row["person_times"], (name, value)
        if name in ("quarter", "province"):
            counted = rows.count_values(name, rows.of(DrillDownFilter("person_times")))
            assert {*counted.rows()} == {*table.select(counted.columns).rows()}
        if name not in TALENT_BREAKDOWNS:
            assert table["persons"].sum() == driven.national["driven_persons"] == 3
            assert table["person_times"].sum() == driven.national["driven_person_times"] == 4
        else:
            assert table["equal"].sum() == pytest.approx(3)


def test_cuts_are_made_together() -> None:
    snapshot = network()
    rows = load_drill_down(snapshot, measure_driven(snapshot, POLICY))
    assert rows.number(DrillDownFilter("person_times", quarter="2026Q2", province="33")) == 1
    assert rows.number(DrillDownFilter("persons", quarter="2026Q2", province="33")) == 0
    assert rows.number(DrillDownFilter(province=UNSTATED, generation="2")) == 1
    assert rows.number(DrillDownFilter(year="2019")) == 2
    assert rows.number(DrillDownFilter(year="2024")) == 3
    assert rows.number(DrillDownFilter(year="1999")) == 0
    assert rows.number(DrillDownFilter(channel="no such")) == 0


def test_the_nearest_talent_is_named() -> None:
    snapshot = network()
    driven = measure_driven(snapshot, POLICY)
    names = dict(driven.talents.select("person", "name").rows())
    found = (
        load_drill_down(snapshot, driven)
        .of(DrillDownFilter())
        .select("person", "nearest")
        .collect()
    )
    people = dict(snapshot.frames["people"].select("person", "name").collect().rows())
    nearest = {people[p]: names[t] for p, t in found.rows()}
    assert nearest == {"Cy": "Ana", "Di": "Ana", "Em": "Bo"}


def test_quarters() -> None:
    assert parse_quarter("2024Q4") == (date(2024, 10, 1), date(2024, 12, 31))
    assert parse_quarter("2024Q1") == (date(2024, 1, 1), date(2024, 3, 31))
    assert format_quarter(date(2025, 9, 30)) == "2025Q3"
    for wrong in ("2025", "2025Q5", "xQ1", "2025Q3 "):
        with pytest.raises(UsageError):
            parse_quarter(wrong)


def test_a_part_in_the_address() -> None:
    part = DrillDownFilter("person_times", province="32", occupation_code="6-18-01-01")
    assert build_part_query(part) == {
        "count": "person_times",
        "province": "32",
        "occupation": "6-18-01-01",
    }


def ledger(*times: int) -> Ledger:
    days = [date(2024, 3, 31), date(2024, 6, 30), date(2024, 9, 30), date(2024, 12, 31)]
    rows = pl.DataFrame({"day": days[: len(times)], "persons": times, "person_times": times})
    return Ledger(rows, 400, date(2024, 1, 1), date(2024, 12, 31))


def test_how_long_the_gap_has_narrowed() -> None:
    assert count_narrowing_quarters(ledger(10, 120, 250)) == 2
    assert count_narrowing_quarters(ledger(90, 150, 230)) == -3
    assert count_narrowing_quarters(ledger(10, 20, 200)) == 1
    assert count_narrowing_quarters(ledger(150, 250, 400)) == 0
