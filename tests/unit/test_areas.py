"""The figures of a province or an occupation: by talent, by quarter, by studio; they add up."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.metrics.examples import build_example_snapshot
from graph.policy import Policy
from graph.programme.areas import load_area_quarters, load_area_studios, load_area_talents
from graph.programme.overview import sum_targets_by_scope
from graph.snapshot.frames import Snapshot

POLICY = Policy(as_of=date(2026, 9, 30))


def network() -> Snapshot:
    """Cy (32) is reached by Ana and Bo, Di (32) through Cy, Em (33) by Bo and twice promoted;
    Di trained at the studio before, Em after the promotion.
    """
    snapshot = build_example_snapshot(
        talents=[{"person": "Ana"}, {"person": "Bo"}],
        mentorships=[
            {"mentor": "Ana", "apprentice": "Cy", "start": "2023-01-01"},
            {"mentor": "Bo", "apprentice": "Cy", "start": "2023-02-01"},
            {"mentor": "Cy", "apprentice": "Di", "start": "2023-06-01"},
            {"mentor": "Bo", "apprentice": "Em", "start": "2023-06-01"},
        ],
        leads=[{"person": "Ana", "studio_id": "S", "start": "2022-01-01"}],
        trainings=[
            {"person": "Di", "place_kind": "Studio", "place_id": "S", "start": "2025-01-01"},
            {"person": "Em", "place_kind": "Studio", "place_id": "S", "start": "2024-06-01"},
        ],
        recognitions=[
            {"person": "Cy", "level": 4, "date": "2024-02-01"},
            {"person": "Di", "level": 4, "date": "2025-05-01"},
            {"person": "Em", "level": 4, "date": "2024-03-31"},
            {"person": "Em", "level": 5, "date": "2026-04-01"},
        ],
    )
    frames = dict(snapshot.frames)
    province = pl.col("name").replace_strict({"Cy": "32", "Di": "32", "Em": "33"}, default=None)
    frames["people"] = frames["people"].with_columns(province=province)
    return Snapshot(0, None, frames)


def of(frame: pl.LazyFrame, value: str) -> pl.DataFrame:
    here = (pl.col("attribute") == "province") & (pl.col("value") == value)
    return frame.filter(here).drop("attribute", "value").collect()


def test_talents_stand_by_what_they_give_here_and_their_shares_add_up() -> None:
    snapshot = network()
    driven = measure_driven(snapshot, POLICY)
    names = dict(snapshot.frames["people"].select("person", "name").collect().rows())
    found = load_area_talents(snapshot, driven)
    here = {names[row["talent"]]: row["persons"] for row in of(found, "32").to_dicts()}
    assert here == {"Ana": 2, "Bo": 2}
    assert of(found, "32")["equal"].sum() == pytest.approx(2)
    there = {names[row["talent"]]: row["persons"] for row in of(found, "33").to_dicts()}
    assert there["Bo"] == 1


def test_quarters_add_up_to_both_ledgers_of_the_breakdown() -> None:
    snapshot = network()
    driven = measure_driven(snapshot, POLICY)
    found = load_area_quarters(snapshot, driven)
    for row in driven.by("province").drop_nulls("province").iter_rows(named=True):
        here = of(found, row["province"])
        assert here["persons"].sum() == row["driven_persons"]
        assert here["person_times"].sum() == row["driven_person_times"]
    assert of(found, "33")["quarter"].to_list() == [date(2024, 1, 1), date(2026, 4, 1)]


def test_a_studio_counts_who_trained_there_by_the_promotion() -> None:
    snapshot = network()
    found = load_area_studios(snapshot, measure_driven(snapshot, POLICY))
    assert of(found, "32")["persons"].to_list() == [1]
    assert of(found, "33").is_empty()
    ignored = Policy(as_of=POLICY.as_of, ordered=False)
    found = load_area_studios(snapshot, measure_driven(snapshot, ignored))
    assert of(found, "33")["persons"].to_list() == [1]


def test_an_industry_named_in_the_targets_has_its_own() -> None:
    goals = [
        {"scope": "装备制造", "year": 2024, "leading_talents": 3, "high_skilled": 40},
        {"scope": "江苏", "year": 2024, "leading_talents": None, "high_skilled": 7},
        {"scope": "32", "year": 2025, "leading_talents": None, "high_skilled": 8},
        {"scope": "全国", "year": 2023, "leading_talents": None, "high_skilled": 9},
    ]
    found = sum_targets_by_scope(goals, 2024, 2026)
    assert found["装备制造"] == {"leading_talents": 3, "high_skilled": 40}
    assert found["32"] == {"high_skilled": 15}
    assert "national" not in found
