"""The growth story tells the rows it was given, in order, and nothing else."""

from __future__ import annotations

from datetime import date
from typing import Any
from xml.etree import ElementTree

import pytest

from components.ladder import Ladder, ladder
from components.ladder_svg import ladder_svg
from components.story import story
from graph.policy import Policy

EMPTY: dict[str, Any] = {
    "recognitions": [], "named": [], "honours": [], "studios": [], "trainings": [],
    "employments": [], "mentors": [], "placings": [], "teaching": [], "retired_on": None,
}  # fmt: skip


def rise(day: date, level: int) -> dict[str, Any]:
    return {"day": day, "level": level, "occupation": "焊工", "row": f"recognitions.csv:{level}"}


def test_only_rises_are_told_each_with_its_row() -> None:
    about = EMPTY | {
        "recognitions": [
            rise(date(2001, 5, 1), 3), rise(date(2003, 5, 1), 2), rise(date(2010, 5, 1), 5),
        ],
        "mentors": [
            {"name": "甲", "start": date(2000, 1, 1), "row": "mentorships.csv:7"},
            {"name": "乙", "start": None, "row": "mentorships.csv:8"},
        ],
        "retired_on": date(2020, 1, 1),
    }  # fmt: skip
    told = story(about, [], "zh")
    assert [event.day.year for event in told] == [2000, 2001, 2010, 2020]
    assert [event.row for event in told] == [
        "mentorships.csv:7", "recognitions.csv:3", "recognitions.csv:5", "",
    ]  # fmt: skip
    assert "拜甲为师" in told[0].text and "乙" not in "".join(event.text for event in told)


def test_the_first_apprentice_and_the_first_to_rise() -> None:
    taken = [
        {"name": "丙", "start": date(2012, 1, 1), "skilled_on": date(2015, 1, 1)},
        {"name": "丁", "start": date(2010, 1, 1), "skilled_on": date(2009, 1, 1)},
        {"name": "戊", "start": None, "skilled_on": date(2008, 1, 1)},
    ]
    told = story(EMPTY, taken, "en")
    assert [event.text for event in told] == [
        "Took on the first apprentice, 丁.",
        "丙 is the first of the apprentices to become high-skilled; 1 have.",
    ]


def test_nobody_without_dates_has_a_story() -> None:
    assert story(EMPTY, [], "en") == []


def test_the_timeline_draws_a_bar_a_year_of_apprentices() -> None:
    way = Ladder(
        [(date(2000, 1, 1), 4, "told")], [], [], [], [], date(2026, 1, 1), {2010: 3, 2011: 1}
    )
    drawn = ladder(way, Policy(), "light", "en").to_dict()
    rows = [row for rows in drawn["datasets"].values() for row in rows if "number" in row]
    tall = {row["year"]: row["y"] - row["y2"] for row in rows}
    assert tall["2010"] == pytest.approx(3 * tall["2011"])
    assert tall["2011"] > 0


def test_the_file_s_timeline_escapes_what_it_is_given() -> None:
    hostile = "<script>1</script>"
    way = Ladder(
        [(date(2000, 1, 1), 4, hostile)], [(date(2010, 1, 1), hostile)], [date(2024, 1, 1)],
        [(hostile, date(2001, 1, 1), None)], [(hostile, date(2015, 1, 1), None)],
        date(2026, 1, 1), {2010: 3},
    )  # fmt: skip
    drawn = ladder_svg(way, Policy(), "zh")
    assert "<script" not in drawn and drawn.count("&lt;script&gt;") == 4
    ElementTree.fromstring(drawn)
