"""Who is believed where sources differ, in whatever order they come."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import permutations
from typing import Any

import pytest

from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from graph.store.identity_merge import join_statements
from graph.store.merge import list_stated_properties, merge_statement
from graph.store.statements import MergeRules, Statement, parse_source_rank

PERSON = MergeRules.of(NODE_KINDS["Person"], {})
MENTORS = MergeRules.of(RELATION_KINDS["MENTORS"], {})
HR = Statement(
    "hr",
    "people.csv:2",
    {
        "sex": "male",
        "birth_date": date(1980, 1, 1),
        "province": "32",
        "updated_on": date(2024, 5, 1),
    },
)
UNION = Statement(
    "union",
    "u.csv:9",
    {
        "sex": "female",
        "birth_date": date(1981, 1, 1),
        "province": None,
        "updated_on": date(2025, 5, 1),
    },
)


def test_the_newest_wins_an_empty_cell_says_nothing_and_the_losers_are_kept() -> None:
    record = PERSON.decide([HR, UNION])
    assert record.values == {
        "sex": "female",
        "birth_date": date(1981, 1, 1),
        "province": "32",
        "updated_on": date(2025, 5, 1),
    }
    assert (record.row, record.sources) == ("u.csv:9", ["union", "hr"])
    assert [(c.property, c.source, c.value, c.standing_source) for c in record.conflicts] == [
        ("sex", "hr", "male", "union"),
        ("birth_date", "hr", date(1980, 1, 1), "union"),
    ]


def test_the_rank_of_a_source_comes_before_the_day() -> None:
    rules = MergeRules.of(NODE_KINDS["Person"], parse_source_rank("hr，union"))
    assert rules.decide([UNION, HR]).values["sex"] == "male"


def test_without_rank_and_day_the_names_decide_so_that_reloading_flips_nothing() -> None:
    a, b = (Statement(s, "r", {"sex": x}) for s, x in (("a", "male"), ("b", "female")))
    assert PERSON.decide([a, b]) == PERSON.decide([b, a])
    assert PERSON.decide([b, a]).values == {"sex": "male"}


def test_what_was_stated_is_read_back_from_the_record() -> None:
    named = Statement("school", "studios.csv:3", {}, named=True)
    record = PERSON.decide([HR, UNION, named])
    stored = PERSON.stored(record, "load")
    names = ["sex", "birth_date", "province", "updated_on"]
    again = {one.source: one for one in PERSON.statements(stored, names)}
    assert again["hr"] == HR and again["union"] == UNION and again["school"].named
    assert PERSON.decide(again.values()).stated == record.stated


def test_a_source_that_goes_leaves_what_the_others_say() -> None:
    stored = PERSON.stored(PERSON.decide([HR, UNION]), "load")
    left = [o for o in PERSON.statements(stored, HR.values) if o.source != "union"]
    assert PERSON.decide(left).values == HR.values
    assert PERSON.decide(left).stated is None


def test_of_two_statements_of_one_source_the_second_fills_what_the_first_leaves_empty() -> None:
    names = ("sex", "province", "birth_date", "birth_date_precision")
    first = Statement("hr", "a.csv:2", {"sex": "male", **dict.fromkeys(names[1:])})
    values = dict(zip(names, ("female", "32", date(1980, 1, 1), "year"), strict=True))
    second = Statement("hr", "a.csv:3", values)
    joined = Statement("hr", "a.csv:2;a.csv:3", values | {"sex": "male"})
    assert join_statements(PERSON, [first], [second, UNION]) == [joined, UNION]
    day = replace(first, values={**values, "birth_date_precision": None})
    assert PERSON.join(day, second).values["birth_date_precision"] is None
    named = Statement("hr", "b.csv:2", {}, named=True)
    assert PERSON.join(named, second) == replace(second, row="a.csv:3;b.csv:2")


def tie(source: str, start: date | None, end: date | None = None, kind: str = "") -> Statement:
    key = f"{start or ''}|{kind}"
    values = {"start": start, "end": end, "kind": kind or None, "key": key}
    return Statement(source, f"{source}:{key}", values)


D: Any = date


@pytest.mark.parametrize(
    ("statements", "ties"),
    [
        ([tie("a", D(2020, 1, 1)), tie("b", D(2020, 3, 1))], 1),
        ([tie("a", D(2020, 1, 1)), tie("b", None)], 1),
        ([tie("a", D(2020, 1, 1), D(2021, 1, 1)), tie("b", D(2022, 1, 1))], 2),
        # A source's own statements are ties apart.
        ([tie("a", D(2020, 1, 1)), tie("a", D(2020, 3, 1))], 2),
        ([tie("a", D(2020, 1, 1)), tie("a", D(2021, 1, 1)), tie("b", D(2020, 12, 1))], 2),
        ([tie("a", D(2020, 1, 1)), tie("b", D(2020, 3, 1)), tie("c", D(2020, 4, 1))], 1),
    ],
)
def test_statements_on_one_mentorship_are_one_tie(statements: list[Statement], ties: int) -> None:
    found = {
        str([[one.row for one in t] for t in MENTORS.ties(order)])
        for order in permutations(statements)
    }
    assert len(found) == 1
    assert len(MENTORS.ties(statements)) == ties


def test_a_period_comes_from_one_source() -> None:
    record = MENTORS.decide([tie("a", None, D(2021, 1, 1)), tie("b", D(2022, 1, 1))])
    assert (record.values["start"], record.values["end"]) == (None, D(2021, 1, 1))


def test_the_names_of_a_record_are_its_properties() -> None:
    assert "person_id" not in list_stated_properties(PERSON, NODE_KINDS["Person"])
    assert {"start", "key"} <= set(list_stated_properties(MENTORS, RELATION_KINDS["MENTORS"]))
    assert merge_statement([HR], Statement("hr", "x", {}, named=True)) == [HR]
