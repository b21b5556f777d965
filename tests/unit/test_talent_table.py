"""The table of talents: filters, ranks as bands, their order, groups."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from graph.driven.ranks import add_talent_ranks
from graph.driven.reach_sets import ReachSets
from graph.programme.groups import (
    add_enterprise_standing,
    add_partner_share,
    group_places,
    group_talents,
)
from ui.places import table
from ui.talents import table as talent_table


def talents() -> pl.DataFrame:
    rows: list[dict[str, Any]] = [
        {
            "talent_id": "A",
            "driven": 9,
            "equal": 3.0,
            "nearest": 5.0,
            "decay": 4.0,
            "level": 8,
            "bases": ["china_skills_award", "national_model_worker"],
            "province": "43",
        },
        {
            "talent_id": "B",
            "driven": 7,
            "equal": 6.0,
            "nearest": 6.0,
            "decay": 6.0,
            "level": 6,
            "bases": ["china_skills_award"],
            "province": "43",
        },
        {
            "talent_id": "C",
            "driven": 7,
            "equal": 5.0,
            "nearest": 4.0,
            "decay": 5.0,
            "level": 4,
            "bases": [],
            "province": None,
        },
    ]
    frame = pl.DataFrame(rows).with_columns(
        name="talent_id",
        enterprise=pl.lit("E"),
        studio=pl.lit("S"),
        person_times="driven",
        pending=pl.lit(1),
        studio_ids=pl.lit(["S1"]),
        year=pl.lit(2025),
        type=pl.lit("digital"),
        occupation_code=pl.lit("6-1"),
        occupation=pl.lit("x"),
        industry=pl.lit("y"),
        enterprise_id=pl.lit("E1"),
    )
    return add_talent_ranks(frame)


def ids(rows: pl.DataFrame) -> list[str]:
    return rows["talent_id"].to_list()


def test_a_band_holds_the_places_by_each_way_to_credit() -> None:
    found = {row["talent_id"]: row for row in talents().iter_rows(named=True)}
    assert (found["A"]["rank_best"], found["A"]["rank_worst"]) == (1, 3)
    assert (found["B"]["rank_best"], found["B"]["rank_worst"]) == (1, 2)
    assert found["B"]["rank_full"] == found["C"]["rank_full"] == 2


def test_bands_are_sorted_by_their_middle_and_one_rule_by_itself() -> None:
    rows = talents()
    assert ids(talent_table.sort_talents(rows, "band", "rank", False)) == ["B", "A", "C"]
    assert ids(talent_table.sort_talents(rows, "full", "rank", False)) == ["A", "B", "C"]
    assert ids(talent_table.sort_talents(rows, "equal", "rank", False)) == ["B", "C", "A"]
    assert ids(talent_table.sort_talents(rows, "band", "driven", True)) == ["A", "B", "C"]


def test_filters_take_codes_levels_and_text() -> None:
    rows = talents()
    for chosen, expected in (
        ({"level": "6-8"}, ["A", "B"]),
        ({"level": "4"}, ["C"]),
        ({"level": "x"}, []),
        ({"basis": "national_model_worker"}, ["A"]),
        ({"province": "43", "level": "8"}, ["A"]),
        ({"studio": "S1"}, ["A", "B", "C"]),
        ({"studio": "S2"}, []),
        ({"text": "b"}, ["B"]),
        ({"year": "2025"}, ["A", "B", "C"]),
        ({"type": "technical"}, []),
        ({"text": "("}, []),
    ):
        assert ids(talent_table.filter_talents(rows, chosen)) == expected, chosen


def test_groups_count_each_person_once_and_keep_what_is_not_stated() -> None:
    pairs = (
        [("A", p) for p in range(9)]
        + [("B", p) for p in range(5, 12)]
        + [("C", p) for p in range(7)]
    )
    frame = pl.DataFrame(pairs, schema=["talent", "person"], orient="row")
    reach = ReachSets.of(frame, "talent", 12)
    by = group_talents(talents(), "province", reach)
    assert by.select("group", "talents", "driven", "together").rows() == [
        ("43", 2, 16, 12),
        (None, 1, 7, 7),
    ]
    basis = group_talents(talents(), "basis", reach)
    found = {row["group"]: row["talents"] for row in basis.iter_rows(named=True)}
    assert found == {"china_skills_award": 2, "national_model_worker": 1}
    assert all(sum(row["bins"]) == row["talents"] for row in by.iter_rows(named=True))


def test_groups_of_places_count_each_person_once() -> None:
    rows = pl.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "province": ["43", "43", None, "43"],
            "driven": [2, 4, 1, 0],
            "frontline": ["met", "below", "below", "unknown"],
        }
    )
    pairs = pl.DataFrame(
        [("a", 0), ("a", 1), ("b", 1), ("b", 2), ("b", 3), ("b", 4), ("c", 0)],
        schema=["id", "person"],
        orient="row",
    )
    reach = ReachSets.of(pairs, "id", 5)
    found = group_places(rows, "province", "driven", reach)
    assert found.rows() == [("43", 3, 5, 6, 2.0, 2.0, 4.0, 1), (None, 1, 1, 1, 1.0, 1.0, 1.0, 1)]
    assert group_places(rows.drop("frontline"), "province", "driven", reach)["below"].null_count()


def test_places_are_held_against_what_is_due() -> None:
    schools = pl.DataFrame({"into_enterprises": [4, 0], "into_partners": [3, 0]})
    assert add_partner_share(schools)["partner_share"].to_list() == [0.75, None]
    enterprises = pl.DataFrame({"id": ["E1", "E2", "E3"], "meets_frontline": [True, False, None]})
    found = add_enterprise_standing(enterprises, talents())
    assert found.select("id", "talents", "frontline").rows() == [
        ("E1", 3, "met"),
        ("E2", 0, "below"),
        ("E3", 0, "unknown"),
    ]


def test_a_rank_is_an_interval_in_words() -> None:
    words = talent_table.translate_talent_codes(talents(), "band", "zh")
    assert words.sort("talent_id")["rank"].to_list()[0] == "1–3"
    assert words.sort("talent_id")["province"].to_list() == ["湖南", "湖南", "—"]


@pytest.mark.parametrize("descending", [True, False])
def test_a_cost_is_sorted_with_what_is_spent_on_nobody_beyond_every_other(descending: bool) -> None:
    rows = pl.DataFrame(
        {
            "id": ["few", "many", "nobody", "unknown"],
            "cost": [10, 500, None, None],
            "funding": [100, 500, 900, None],
            "driven_ever": [10, 1, 0, 4],
        }
    )
    found = table.sort_places(rows, "cost", kind="studio", descending=descending)
    worst_last = ["few", "many", "nobody"]
    assert found["id"].to_list() == [*(worst_last[::-1] if descending else worst_last), "unknown"]


def test_a_grade_is_sorted_by_its_rank() -> None:
    rows = pl.DataFrame({"id": ["a", "b", "c"], "grade": ["municipal", "national", "provincial"]})
    found = table.sort_places(rows, "grade", kind="studio", descending=False)
    assert found["grade"].to_list() == ["national", "provincial", "municipal"]
