"""A record of the screen is made of the rows of a statement: its columns are its fields."""

from __future__ import annotations

import re
from dataclasses import fields
from datetime import date
from typing import Any

from graph.cypher.internal_queries import load_internal_queries
from graph.dates import restore_date_precision
from ui.person import record
from ui.person.person import Apprentice, Person, PersonBox, PersonMentor, PersonRecognition
from ui.reading.search import FoundPerson, FoundStudio

QUERIES = load_internal_queries()


def list_columns(cypher: str) -> set[str]:
    """What the statement returns, the precisions of its days left out."""
    head = cypher.rpartition("\nRETURN ")[2]
    while (less := re.sub(r"\{[^{}]*\}", "", head)) != head:
        head = less
    names = re.findall(r"\bAS (\w+)", head) + re.findall(r"(?:^|, )(\w+)(?=,)", head)
    return {name for name in names if not name.endswith("_precision")}


def build_row() -> dict[str, Any]:
    """A row of the statement, its lists empty."""
    row: dict[str, Any] = dict.fromkeys(list_columns(QUERIES["person_record"].text))
    return row | {name: [] for name in record.PERSON_PARTS} | {"id": "p1", "name": "陈玉莲"}


def test_the_columns_of_each_statement_are_the_fields_of_its_record() -> None:
    for query, kind in (
        ("person_record", Person),
        ("person_boxes", PersonBox),
        ("direct_apprentices", Apprentice),
        ("people_found", FoundPerson),
        ("studios_found", FoundStudio),
    ):
        assert list_columns(QUERIES[query].text) == {field.name for field in fields(kind)} - {
            "match",
            "unseen_mentors",
        }


def test_the_keys_of_each_list_are_fields_of_what_it_holds() -> None:
    lists = dict(
        (name, keys)
        for keys, name in re.findall(
            r"RETURN \{([^{}]*)\}[^{}]*\} AS (\w+)", QUERIES["person_record"].text, re.S
        )
    )
    assert lists.keys() == record.PERSON_PARTS.keys()
    for name, kind in record.PERSON_PARTS.items():
        keys = set(re.findall(r"(\w+): ", lists[name]))
        keys = {key for key in keys if not key.endswith("_precision")}
        assert keys <= {field.name for field in fields(kind)}, name


def test_a_person_of_a_row() -> None:
    day = {"day": date(2019, 12, 31), "day_precision": "year"}
    recognitions = [{"level": 3, "mode": None, **day}, {"level": 5, "day": date(2024, 5, 1)}]
    mentors = [{"id": id, "name": name} for id, name in (("m1", "甲"), ("m2", "乙"), ("m1", "甲"))]
    row = build_row() | {"recognitions": recognitions, "mentors": mentors}
    person = record.build_person(restore_date_precision(row))
    assert person.level == 5 and str(person.recognitions[0].day) == "2019"
    assert person.recognitions[1] == PersonRecognition(5, date(2024, 5, 1))
    assert person.list_mentors() == [PersonMentor("m1", "甲"), PersonMentor("m2", "乙")]
    assert record.build_person(build_row()).level is None
