"""The table of talents: filters, ranks as bands, their order, groups."""

from __future__ import annotations

from typing import Any

import polars as pl

from components import talent_table
from components.reach import Reach


def talents() -> pl.DataFrame:
    rows: list[dict[str, Any]] = [
        {"talent_id": "A", "driven": 9, "equal": 3.0, "nearest": 5.0, "decay": 4.0, "level": 8,
         "bases": ["china_skills_award", "national_model_worker"], "province": "43"},
        {"talent_id": "B", "driven": 7, "equal": 6.0, "nearest": 6.0, "decay": 6.0, "level": 6,
         "bases": ["china_skills_award"], "province": "43"},
        {"talent_id": "C", "driven": 7, "equal": 5.0, "nearest": 4.0, "decay": 5.0, "level": 4,
         "bases": [], "province": None},
    ]  # fmt: skip
    frame = pl.DataFrame(rows).with_columns(
        name="talent_id", enterprise=pl.lit("E"), studio=pl.lit("S"), person_times="driven",
        pending=pl.lit(1), studio_ids=pl.lit(["S1"]), year=pl.lit(2025), type=pl.lit("digital"),
        occupation_code=pl.lit("6-1"), occupation=pl.lit("x"), industry=pl.lit("y"),
        enterprise_id=pl.lit("E1"),
    )  # fmt: skip
    return talent_table.with_ranks(frame)


def ids(rows: pl.DataFrame) -> list[str]:
    return rows["talent_id"].to_list()


def test_a_band_holds_the_places_by_each_way_to_credit() -> None:
    found = {row["talent_id"]: row for row in talents().iter_rows(named=True)}
    assert (found["A"]["rank_best"], found["A"]["rank_worst"]) == (1, 3)
    assert (found["B"]["rank_best"], found["B"]["rank_worst"]) == (1, 2)
    assert found["B"]["rank_full"] == found["C"]["rank_full"] == 2


def test_bands_are_sorted_by_their_middle_and_one_rule_by_itself() -> None:
    rows = talents()
    assert ids(talent_table.ordered(rows, "band", "rank", False)) == ["B", "A", "C"]
    assert ids(talent_table.ordered(rows, "full", "rank", False)) == ["A", "B", "C"]
    assert ids(talent_table.ordered(rows, "equal", "rank", False)) == ["B", "C", "A"]
    assert ids(talent_table.ordered(rows, "band", "driven", True)) == ["A", "B", "C"]


def test_filters_take_codes_levels_and_text() -> None:
    rows = talents()
    for chosen, expected in (
        ({"level": "6-8"}, ["A", "B"]), ({"level": "4"}, ["C"]), ({"level": "x"}, []),
        ({"basis": "national_model_worker"}, ["A"]), ({"province": "43", "level": "8"}, ["A"]),
        ({"studio": "S1"}, ["A", "B", "C"]), ({"studio": "S2"}, []), ({"text": "b"}, ["B"]),
        ({"year": "2025"}, ["A", "B", "C"]), ({"type": "technical"}, []), ({"text": "("}, []),
    ):  # fmt: skip
        assert ids(talent_table.filtered(rows, chosen)) == expected, chosen


def test_groups_count_each_person_once_and_keep_what_is_not_stated() -> None:
    pairs = [("A", p) for p in range(9)] + [("B", p) for p in range(5, 12)] + [
        ("C", p) for p in range(7)
    ]  # fmt: skip
    frame = pl.DataFrame(pairs, schema=["talent", "person"], orient="row")
    reach = Reach.of(frame, "talent", 12)
    by = talent_table.grouped(talents(), "province", reach)
    assert by.select("group", "talents", "driven", "together").rows() == [
        ("43", 2, 16, 12), (None, 1, 7, 7),
    ]  # fmt: skip
    basis = talent_table.grouped(talents(), "basis", reach)
    found = {row["group"]: row["talents"] for row in basis.iter_rows(named=True)}
    assert found == {"china_skills_award": 2, "national_model_worker": 1}
    assert all(sum(row["bins"]) == row["talents"] for row in by.iter_rows(named=True))


def test_a_rank_is_an_interval_in_words() -> None:
    words = talent_table.worded(talents(), "band", "zh")
    assert words.sort("talent_id")["rank"].to_list()[0] == "1–3"
    assert words.sort("talent_id")["province"].to_list() == ["湖南", "湖南", "—"]
