"""Aggregate queries of a generated network against a plain count over its CSV tables."""

from __future__ import annotations

import csv
import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.cypher.named_queries import load_queries, run_query
from graph.server.database import Database
from graph.settings import Settings
from tests.filling import filled

Row = dict[str, str]
TODAY = dt.date(2026, 6, 30)
ALL = 100_000


@pytest.fixture(scope="module")
def tables(
    database: Database, settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, list[Row]]:
    """The tables of a network that is loaded, in which several facts are stated twice."""
    made = tmp_path_factory.mktemp("brute") / "made"
    filled(database, settings, made, changed=_stated_twice, talents=12, workers=1500, seed=2026)
    return {file.stem: list(_rows(file)) for file in made.glob("*.csv")}


def _rows(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8-sig", newline="") as opened:
        yield from csv.DictReader(opened)


def _stated_twice(made: Path) -> None:
    """What people practise, by their own rows, stands in `practices` too."""
    people = list(_rows(made / "people.csv"))[:400]
    file = made / "practices.csv"
    known = {(r["person_id"], r["occupation_code"]) for r in _rows(file)}
    header = ["person_id", "occupation_code"]
    with file.open("a", encoding="utf-8", newline="") as opened:
        writer = csv.DictWriter(opened, header, restval="")
        for row in people:
            pair = row["person_id"], row["occupation_code"]
            if row["occupation_code"] and pair not in known:
                writer.writerow(dict(zip(("person_id", "occupation_code"), pair, strict=True)))


def asked(database: Database, name: str, **values: Any) -> list[dict[str, Any]]:
    return list(run_query(database, load_queries()[name], values, role="steward").records())


def day(text: str) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def test_schools_feeding_enterprises(database: Database, tables: dict[str, list[Row]]) -> None:
    """The enterprise of a person's own row counts only where no employment there is on record."""
    schools = {row["school_id"] for row in tables["schools"]}
    employed: dict[str, list[tuple[str, dt.date | None]]] = defaultdict(list)
    for row in tables["employments"]:
        employed[row["person_id"]].append((row["enterprise_id"], day(row["start"])))
    for row in tables["people"]:
        own, theirs = row["enterprise_id"], employed[row["person_id"]]
        if own and own not in {place for place, _ in theirs}:
            theirs.append((own, None))
    people: dict[tuple[str, str], set[str]] = defaultdict(set)
    for row in tables["trainings"]:
        begun = day(row["start"])
        for place, hired in employed[row["person_id"]] if row["place_id"] in schools else ():
            if begun is None or hired is None or hired >= begun:
                people[row["place_id"], place].add(row["person_id"])
    found = asked(database, "schools_feeding_enterprises")
    assert {(r["school_id"], r["enterprise_id"]): r["people"] for r in found} == {
        pair: len(ids) for pair, ids in people.items()
    }


def test_occupations_short_of_mentors(database: Database, tables: dict[str, list[Row]]) -> None:
    mentors = {row["mentor_id"] for row in tables["mentorships"]}
    gone = {
        row["person_id"]
        for row in tables["people"]
        if row["retired_on"] and dt.date.fromisoformat(row["retired_on"]) <= TODAY
    }
    practise: dict[str, set[str]] = defaultdict(set)
    for row in (*tables["people"], *tables["practices"]):
        if row["person_id"] in mentors - gone:
            practise[row["occupation_code"]].add(row["person_id"])
    positions: Counter[str] = Counter()
    for row in tables["demand"]:
        if row["year"] == "2026":
            positions[row["occupation_code"]] += int(row["positions"])
    found = asked(database, "occupations_short_of_mentors", today=TODAY, year=2026, rows=ALL)
    assert {r["occupation_code"]: (r["positions"], r["mentors"]) for r in found} == {
        code: (number, len(practise[code])) for code, number in positions.items()
    }


def test_mentors_and_apprentices(database: Database, tables: dict[str, list[Row]]) -> None:
    taught: dict[str, set[str]] = defaultdict(set)
    teachers: dict[str, set[str]] = defaultdict(set)
    now: dict[str, set[str]] = defaultdict(set)
    for row in tables["mentorships"]:
        mentor, apprentice = row["mentor_id"], row["apprentice_id"]
        taught[mentor].add(apprentice)
        teachers[apprentice].add(mentor)
        start, end = day(row["start"]), day(row["end"])
        goes_on = (end is None or end >= TODAY) and row["status"] in ("", "ongoing")
        if start and start <= TODAY and goes_on:
            now[mentor].add(apprentice)
    found = asked(database, "mentors_by_apprentices", today=TODAY, rows=ALL)
    assert {r["person_id"]: (r["apprentices"], r["at_once"]) for r in found} == {
        mentor: (len(ids), len(now[mentor])) for mentor, ids in taught.items()
    }
    found = asked(database, "co_mentored", rows=ALL)
    assert {r["person_id"]: (r["mentors"], len(r["mentor_names"])) for r in found} == {
        id: (len(mentors), len(mentors)) for id, mentors in teachers.items() if len(mentors) > 1
    }
    found = asked(database, "apprentices_who_mentor", rows=ALL)
    assert {r["person_id"]: r["apprentices"] for r in found} == {
        id: len(taught[id]) for id in taught if id in teachers
    }
    found = asked(database, "mentorships_by_source")
    undated = sum(not row["start"] for row in tables["mentorships"])
    assert sum(r["undated"] for r in found) == undated


def test_recognitions_by_level_and_year(database: Database, tables: dict[str, list[Row]]) -> None:
    people: dict[tuple[int, int], set[str]] = defaultdict(set)
    for row in tables["recognitions"]:
        people[int(row["date"][:4]), int(row["level"])].add(row["person_id"])
    found = asked(database, "recognitions_by_level_and_year", from_year=1950, to_year=2100)
    assert {(r["year"], r["level"]): r["people"] for r in found} == {
        place: len(ids) for place, ids in people.items()
    }


def test_talents_and_targets(database: Database, tables: dict[str, list[Row]]) -> None:
    province = {row["person_id"]: row["province"] for row in tables["people"]}
    by_basis = {(r["person_id"], r["basis"]) for r in tables["talents"]}
    found = asked(database, "talents_by_basis_and_province")
    assert {(r["province"], r["basis"]): r["talents"] for r in found} == Counter(
        (province[id], basis) for id, basis in by_basis
    )
    first: dict[str, str] = {}
    scopes: dict[str, set[str]] = defaultdict(lambda: {"national"})
    for row in tables["talents"]:
        id = row["person_id"]
        first[id] = min(first.get(id, "9999"), row["recognised_on"])
        scopes[id] |= {province[id], row["industry"]}
    named = Counter((scope, first[id][:4]) for id in first for scope in scopes[id])
    found = asked(database, "targets_and_named")
    assert found
    for row in found:
        assert row["named"] == named[row["scope"], str(row["year"])], row
        assert row["missing"] == max(row["target"] - row["named"], 0)
    own = Counter(row["enterprise_id"] for row in tables["people"] if row["person_id"] in first)
    del own[""]
    found = asked(database, "enterprises_by_talents", rows=ALL)
    assert {r["enterprise_id"]: r["talents"] for r in found} == own


def test_studios_by_output(database: Database, tables: dict[str, list[Row]]) -> None:
    high: dict[str, dt.date] = {}
    for row in tables["recognitions"]:
        on = dt.date.fromisoformat(row["date"])
        if int(row["level"]) >= 4:
            high[row["person_id"]] = min(on, high.get(row["person_id"], on))
    joined: dict[tuple[str, str], list[dt.date]] = defaultdict(list)
    for row in tables["trainings"]:
        begun = day(row["start"])
        joined[row["place_id"], row["person_id"]] += [begun] if begun else []
    first, last = dt.date(2024, 1, 1), dt.date(2026, 12, 31)
    for row in asked(database, "studios_by_output"):
        here = {id: days for (place, id), days in joined.items() if place == row["studio_id"]}
        risen = [
            id
            for id, days in here.items()
            if days and id in high and first <= high[id] <= last and min(days) <= high[id]
        ]
        assert (row["trained"], row["new_high_skilled"]) == (len(here), len(risen)), row


def test_kept_on_after_retirement(database: Database, tables: dict[str, list[Row]]) -> None:
    taught: dict[str, set[str]] = defaultdict(set)
    for row in tables["mentorships"]:
        taught[row["mentor_id"]].add(row["apprentice_id"])
    again = Counter(
        (row["person_id"], len(taught[row["person_id"]]))
        for row in tables["employments"]
        if row["reemployed"].lower() in ("true", "1", "是")
    )
    found = asked(database, "kept_on_after_retirement")
    assert Counter((r["person_id"], r["apprentices"]) for r in found) == again


def first_reached(tables: dict[str, list[Row]], level: int) -> dict[str, tuple[dt.date, Row]]:
    """Person -> the day of the first recognition at the level or above, and its row."""
    found: dict[str, tuple[dt.date, Row]] = {}
    for row in tables["recognitions"]:
        on = day(row["date"])
        if on and int(row["level"]) >= level:
            known = found.get(row["person_id"])
            if known is None or on < known[0]:
                found[row["person_id"]] = (on, row)
    return found


def test_supply(database: Database, tables: dict[str, list[Row]]) -> None:
    province = {row["person_id"]: row["province"] for row in tables["people"]}
    window = dt.date(2024, 1, 1), dt.date(2026, 12, 31)
    reached = first_reached(tables, 4)
    new = Counter(province[p] for p, (on, _) in reached.items() if window[0] <= on <= window[1])
    found = asked(database, "new_high_skilled_by_province")
    assert {row["province"]: row["people"] for row in found} == dict(new)
    by_occupation = asked(database, "new_high_skilled_by_occupation", rows=ALL)
    assert sum(row["people"] for row in by_occupation) == new.total()
    best: dict[tuple[str, str], int] = defaultdict(int)
    for row in tables["recognitions"]:
        pair = row["person_id"], row["occupation_code"] or "unstated"
        best[pair] = max(best[pair], int(row["level"]))
    counted = Counter((code, level) for (_, code), level in best.items())
    found = asked(database, "people_by_occupation_and_level")
    assert {(r["occupation_code"], r["level"]): r["people"] for r in found} == dict(counted)


def test_records_that_want_looking_at(database: Database, tables: dict[str, list[Row]]) -> None:
    taught: dict[str, set[str]] = defaultdict(set)
    for row in tables["mentorships"]:
        taught[row["mentor_id"]].add(row["apprentice_id"])
    recognised = {row["person_id"] for row in tables["recognitions"]}
    found = asked(database, "mentors_without_level", rows=ALL)
    assert {row["person_id"]: row["apprentices"] for row in found} == {
        id: len(those) for id, those in taught.items() if id not in recognised
    }
    pairs = {
        (a, b) for a, those in taught.items() for b in those if a < b and a in taught.get(b, ())
    }
    found = asked(database, "mutual_mentorships", rows=ALL)
    assert {(row["person_id"], row["other_id"]) for row in found} == pairs
    people = Counter(row["province"] or None for row in tables["people"])
    filled_in = Counter(row["province"] or None for row in tables["people"] if row["enterprise_id"])
    found = asked(database, "completeness_by_province")
    assert {r["province"]: (r["people"], r["with_enterprise"]) for r in found} == {
        code: (number, filled_in[code]) for code, number in people.items()
    }
