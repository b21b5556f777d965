"""Every figure of the overview equals the number of rows behind it, and the parts add up."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from components.charts import Ledger
from components.figures import cuts, narrowing
from components.parts import part_of, query_of
from graph.behind import UNSTATED, Part, behind, quarter_days, quarter_of
from graph.errors import UsageError
from graph.metrics.driven import OF_TALENTS, measure
from graph.metrics.examples import snapshot_of
from graph.policy import Policy
from graph.snapshot import Snapshot

POLICY = Policy(as_of=date(2026, 9, 30))


def network() -> Snapshot:
    """Two talents; Cy is reached by both, Di through Cy, Em by Bo alone and twice promoted."""
    snapshot = snapshot_of(
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
    )  # fmt: skip
    return Snapshot(0, None, frames)


def test_each_cut_counts_the_rows_behind_it() -> None:
    snapshot = network()
    driven = measure(snapshot, POLICY)
    rows = behind(snapshot, driven)
    found = cuts(driven)
    assert {"quarter", "province", "generation", "channel", "basis", "year"} <= found.keys()
    for name, table in found.items():
        for row in table.iter_rows(named=True):
            value = UNSTATED if row["value"] is None else row["value"]
            assert rows.number(Part(**{name: value})) == row["persons"], (name, value)
            if name not in OF_TALENTS:
                times = rows.number(Part("person_times", **{name: value}))
                assert times == row["person_times"], (name, value)
        if name not in OF_TALENTS:
            assert table["persons"].sum() == driven.national["driven_persons"] == 3
            assert table["person_times"].sum() == driven.national["driven_person_times"] == 4
        else:
            assert table["equal"].sum() == pytest.approx(3)


def test_cuts_are_made_together() -> None:
    snapshot = network()
    rows = behind(snapshot, measure(snapshot, POLICY))
    assert rows.number(Part("person_times", quarter="2026Q2", province="33")) == 1
    assert rows.number(Part("persons", quarter="2026Q2", province="33")) == 0
    assert rows.number(Part(province=UNSTATED, generation="2")) == 1
    assert rows.number(Part(year="2019")) == 2
    assert rows.number(Part(year="2024")) == 3
    assert rows.number(Part(year="1999")) == 0
    assert rows.number(Part(channel="no such")) == 0


def test_the_nearest_talent_is_named() -> None:
    snapshot = network()
    driven = measure(snapshot, POLICY)
    names = dict(driven.talents.select("person", "name").rows())
    found = behind(snapshot, driven).of(Part()).select("person", "nearest").collect()
    people = dict(snapshot.frames["people"].select("person", "name").collect().rows())
    nearest = {people[p]: names[t] for p, t in found.rows()}
    assert nearest == {"Cy": "Ana", "Di": "Ana", "Em": "Bo"}


def test_quarters() -> None:
    assert quarter_days("2024Q4") == (date(2024, 10, 1), date(2024, 12, 31))
    assert quarter_days("2024Q1") == (date(2024, 1, 1), date(2024, 3, 31))
    assert quarter_of(date(2025, 9, 30)) == "2025Q3"
    for wrong in ("2025", "2025Q5", "xQ1", "2025Q3 "):
        with pytest.raises(UsageError):
            quarter_days(wrong)


def test_a_part_in_the_address_and_back() -> None:
    part = Part("person_times", province="32", occupation_code="6-18-01-01")
    assert query_of(part) == {
        "count": "person_times", "province": "32", "occupation": "6-18-01-01",
    }  # fmt: skip
    assert part_of(query_of(part)) == part
    assert part_of({"count": "nonsense"}) == Part()


def ledger(*times: int) -> Ledger:
    days = [date(2024, 3, 31), date(2024, 6, 30), date(2024, 9, 30), date(2024, 12, 31)]
    rows = pl.DataFrame({"day": days[: len(times)], "persons": times, "person_times": times})
    return Ledger(rows, 400, date(2024, 1, 1), date(2024, 12, 31))


def test_how_long_the_gap_has_narrowed() -> None:
    assert narrowing(ledger(10, 120, 250)) == 2
    assert narrowing(ledger(90, 150, 230)) == -3
    assert narrowing(ledger(10, 20, 200)) == 1
    assert narrowing(ledger(150, 250, 400)) == 0
