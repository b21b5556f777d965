"""The growth story tells the rows it was given, in order, and nothing else."""

from __future__ import annotations

from datetime import date
from xml.etree import ElementTree

import pytest

from graph.policy import Policy
from ui.person.growth_story import build_growth_story
from ui.person.person import Apprentice, Person, PersonMentor, PersonRecognition
from ui.profile.career_ladder import CareerLadder, build_ladder_chart
from ui.profile.career_ladder_svg import render_ladder_svg

NOBODY = Person("p", "甲")


def rise(day: date, level: int) -> PersonRecognition:
    return PersonRecognition(level, day, occupation="焊工", row=f"recognitions.csv:{level}")


def test_only_rises_are_told_each_with_its_row() -> None:
    about = Person(
        "p",
        "丙",
        recognitions=(
            rise(date(2001, 5, 1), 3),
            rise(date(2003, 5, 1), 2),
            rise(date(2010, 5, 1), 5),
        ),
        mentors=(
            PersonMentor("m1", "甲", date(2000, 1, 1), row="mentorships.csv:7"),
            PersonMentor("m2", "乙", row="mentorships.csv:8"),
        ),
        retired_on=date(2020, 1, 1),
    )
    events = build_growth_story(about, [], "zh")
    assert [event.day.year for event in events] == [2000, 2001, 2010, 2020]
    assert [event.row for event in events] == [
        "mentorships.csv:7",
        "recognitions.csv:3",
        "recognitions.csv:5",
        "",
    ]
    assert "拜甲为师" in events[0].text and "乙" not in "".join(event.text for event in events)


def test_the_first_apprentice_and_the_first_to_rise() -> None:
    taken = [
        Apprentice("a1", "丙", date(2012, 1, 1), skilled_on=date(2015, 1, 1)),
        Apprentice("a2", "丁", date(2010, 1, 1), skilled_on=date(2009, 1, 1)),
        Apprentice("a3", "戊", None, skilled_on=date(2008, 1, 1)),
    ]
    events = build_growth_story(NOBODY, taken, "en")
    assert [event.text for event in events] == [
        "Took on the first apprentice, 丁.",
        "丙 is the first of the apprentices to become high-skilled; 1 have.",
    ]


def test_nobody_without_dates_has_a_story() -> None:
    assert build_growth_story(NOBODY, [], "en") == []


def test_the_timeline_draws_a_bar_a_year_of_apprentices() -> None:
    way = CareerLadder(
        [(date(2000, 1, 1), 4, "told")], [], [], [], [], date(2026, 1, 1), {2010: 3, 2011: 1}
    )
    drawn = build_ladder_chart(way, Policy(), "light", "en").to_dict()
    rows = [row for rows in drawn["datasets"].values() for row in rows if "number" in row]
    tall = {row["year"]: row["y"] - row["y2"] for row in rows}
    assert tall["2010"] == pytest.approx(3 * tall["2011"])
    assert tall["2011"] > 0


def test_the_file_s_timeline_escapes_what_it_is_given() -> None:
    hostile = "<script>1</script>"
    way = CareerLadder(
        [(date(2000, 1, 1), 4, hostile)],
        [(date(2010, 1, 1), hostile)],
        [date(2024, 1, 1)],
        [(hostile, date(2001, 1, 1), None)],
        [(hostile, date(2015, 1, 1), None)],
        date(2026, 1, 1),
        {2010: 3},
    )
    drawn = render_ladder_svg(way, Policy(), "zh")
    assert "<script" not in drawn and drawn.count("&lt;script&gt;") == 4
    ElementTree.fromstring(drawn)
