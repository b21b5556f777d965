"""The training targets' rule against a brute force over invented careers."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from graph.policy import Policy
from graph.programme.training_targets import (
    GRADE_WORTH,
    LEAST_PEERS,
    LEAST_RISE,
    Rule,
    compute_candidate_facts,
    score_candidates,
)
from graph.snapshot.edges import CHANNEL_DTYPE
from graph.snapshot.frames import Snapshot

POLICY = Policy(as_of=date(2026, 6, 30))
DAY = date(2018, 1, 1)


def world(
    years: list[float],
    placings: list[tuple[int, int, str]] = (),  # type: ignore[assignment]
    edges: list[tuple[int, date, str]] = (),  # type: ignore[assignment]
    listed: frozenset[int] = frozenset(),
    born: date = date(1996, 3, 1),
) -> Snapshot:
    """People who took so many years from level 1 to 4, the last one a leading talent."""
    n = len(years) + 1
    people = pl.LazyFrame(
        {
            "person": list(range(n)),
            "person_id": [f"P{i}" for i in range(n)],
            "name": [f"N{i}" for i in range(n)],
            "province": ["11"] * n,
            "occupation_code": ["A"] * n,
            "enterprise_id": [None] * n,
            "level": [4] * n,
            "target": [i in listed for i in range(n)],
            "leading": [i == n - 1 for i in range(n)],
            "birth_date": [born] * n,
            "retired_on": [None] * n,
        },
        schema_overrides={
            "person": pl.Int32,
            "enterprise_id": pl.String,
            "level": pl.Int8,
            "retired_on": pl.Date,
        },
    )
    promotions: list[dict[str, Any]] = []
    for i, took in enumerate(years):
        promotions.append({"person": i, "day": DAY, "level": 1, "before": 0})
        high = DAY + timedelta(days=round(365.25 * took))
        promotions.append({"person": i, "day": high, "level": 4, "before": 1})
    frames = {
        "people": people,
        "promotions": pl.LazyFrame(
            promotions,
            schema={
                "person": pl.Int32,
                "day": pl.Date,
                "level": pl.Int8,
                "before": pl.Int8,
                "day_precision": pl.String,
            },
        ),
        "placings": pl.LazyFrame(
            [
                {"person": p, "competition_id": f"K{at}", "rank": rank}
                for at, (p, rank, _) in enumerate(placings)
            ],
            schema={"person": pl.Int32, "competition_id": pl.String, "rank": pl.Int64},
        ),
        "competitions": pl.LazyFrame(
            [
                {"competition_id": f"K{at}", "name": "K", "grade": grade, "date": date(2024, 5, 1)}
                for at, (_, _, grade) in enumerate(placings)
            ],
            schema={
                "competition_id": pl.String,
                "name": pl.String,
                "grade": pl.String,
                "date": pl.Date,
                "date_precision": pl.String,
            },
        ),
        "talents": pl.LazyFrame({"person": [n - 1]}, schema={"person": pl.Int32}),
        "edges": pl.LazyFrame(
            [{"mentor": n - 1, "apprentice": a, "start": s, "channel": c} for a, s, c in edges],
            schema={
                "mentor": pl.Int32,
                "apprentice": pl.Int32,
                "start": pl.Date,
                "channel": CHANNEL_DTYPE,
            },
        ),
    }
    return Snapshot(1, None, frames)


def rows_of(snapshot: Snapshot, rule: Rule | None = None) -> dict[str, dict[str, Any]]:
    rows = score_candidates(compute_candidate_facts(snapshot, POLICY).lazy(), rule or Rule(least=1))
    return {row["person_id"]: row for row in rows.iter_rows(named=True)}


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 8), min_size=LEAST_PEERS, max_size=40))
def test_the_rise_is_the_share_who_were_slower(years: list[int]) -> None:
    found = rows_of(world([float(y) for y in years]), Rule(fast=80, least=1))
    for i, mine in enumerate(years):
        slower = sum(y > mine for y in years) + 0.5 * (years.count(mine) - 1) + 0.5
        expected = slower / len(years)
        if expected >= LEAST_RISE:
            assert found[f"P{i}"]["rise"] == pytest.approx(expected)
        else:
            assert f"P{i}" not in found


def test_too_few_to_compare_with_give_no_rise() -> None:
    assert rows_of(world([1.0] + [5.0] * (LEAST_PEERS - 2))) == {}
    assert "P0" in rows_of(world([1.0] + [5.0] * (LEAST_PEERS - 1)))


def test_the_best_placing_counts() -> None:
    places = [(0, 5, "national"), (0, 1, "municipal"), (1, 2, "provincial"), (2, 40, "national")]
    found = rows_of(world([3.0, 3.0, 3.0], places))
    assert found["P0"]["competition"] == pytest.approx(0.5 * GRADE_WORTH["national"])
    assert found["P1"]["competition"] == pytest.approx(0.8 * GRADE_WORTH["provincial"])
    assert set(found) == {"P0", "P1"}


def test_a_leading_mentor_counts_when_it_came_before_the_rise_in_the_window() -> None:
    # 7 years from 2018 is 2025: inside the window; 3 years is 2021: before it.
    links = [
        (0, date(2020, 1, 1), "mentorship"),
        (1, date(2026, 1, 1), "mentorship"),
        (2, date(2020, 1, 1), "mentorship"),
        (3, date(2020, 1, 1), "studio"),
    ]
    found = rows_of(world([7.0, 7.0, 3.0, 7.0], edges=links))
    assert {key: row["mentor"] for key, row in found.items()} == {"P0": 1.0, "P3": 0.6}
    assert found["P0"]["state"] == "driven" and found["P0"]["mentor_name"] == "N4"


def test_the_points_add_up_and_the_list_is_held_against_the_rule() -> None:
    places = [(0, 1, "national"), (1, 1, "national")]
    found = rows_of(world([3.0] * 4, places, listed=frozenset({1, 2})), Rule(least=35))
    assert {key: row["standing"] for key, row in found.items()} == {
        "P0": "new",
        "P1": "listed",
        "P2": "unmet",
    }
    for row in found.values():
        parts = sum(row[f"{part}_points"] for part in ("rise", "competition", "mentor"))
        assert row["score"] == pytest.approx(parts) and 0 <= row["score"] <= 100


def test_who_is_too_old_is_no_candidate_however_good() -> None:
    old = world([3.0] * 2, [(0, 1, "national")], born=date(1990, 1, 1))
    assert rows_of(old) == {}
    assert "P0" in rows_of(old, Rule(age=40, least=1))


@given(st.integers(0, 100), st.integers(0, 100), st.integers(1, 100))
def test_a_rule_is_written_and_read_back(rise: int, competition: int, mentor: int) -> None:
    rule = Rule(rise, competition, mentor)
    assert Rule.parsed(rule.code) == rule


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1-2",
        "0-0-0-90-35-50",
        "40-35-25-10-35-50",
        "a-b-c-d-e-f",
        "40-35-25-90-99-50",
        "140-35-25-90-35-50",
    ],
)
def test_a_broken_rule_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Rule.parsed(text)
