"""Where sources contradict each other: who is believed, in whatever order they are loaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.cypher import named_queries
from graph.cypher.named_queries import load_queries, run_query
from graph.driven.figures import measure_driven
from graph.evidence.conflicts import list_conflicts
from graph.metrics.claims import find_claims
from graph.people.table_queries import bind_snapshot
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import compute_store_digest, format_canonical_lines
from loaders import folder
from loaders.reports import LoadReport
from loaders.sync import load_records
from tests.emptying import emptied
from tests.live.test_bulk import write
from tests.live.visiting import text

PEOPLE = "person_id,name,sex,birth_date,province,enterprise_id,occupation_code,updated_on\n"
TIES = "mentor_id,apprentice_id,start,end\n"
HR = {
    "people": PEOPLE
    + "p1,王一,男,1980-01-01,江苏,e1,6-18,2024-01-01\np2,李二,,,,,,\np3,三,,,,,,\n",
    "enterprises": "enterprise_id,name,province\ne1,第一机床厂,32\ne2,二厂,44\n",
    "occupations": "code,name\n6-18,机械\n",
    "talents": "person_id,basis,recognised_on\np1,全国技术能手,2020-05-01\n",
    "mentorships": TIES + "p1,p2,2023-03-01,\np1,p3,2015-01-01,2016-01-01\n",
    "recognitions": "person_id,level,date,certificate_no\np2,4,2024-06-01,C1\n",
}
UNION = {
    "people": PEOPLE + "p1,王一,女,1981-01-01,,e2,,2025-01-01\np2,李二,女,,,,,\n",
    "mentorships": TIES + "p1,p2,2023-09-01,2024-12-31\np1,p3,2019-01-01,\n",
    "recognitions": "person_id,level,date,certificate_no\np2,4,2024-06-01,C2\n",
    "training_targets": "person_id,listed_on,reason\np3,2024-01-01,young\n",
}
SCHOOL = {
    "people": PEOPLE + "p1,王壹,,,广东,,6-20,\np2,李二,男,,,,,\n",
    "occupations": "code,name\n6-20,焊接\n",
    "mentorships": TIES + "p1,p2,,\n",
    "training_targets": "person_id,listed_on,reason\np3,2024-02-01,gifted\n",
}
SOURCES = {"hr": HR, "union": UNION, "school": SCHOOL}
# HR names the people and enterprises of the others' tables, so it is first.
ORDERS = [("hr", "school", "union"), ("hr", "union", "school")]


def load(database: Database, settings: Settings, *paths: Path, **given: Any) -> LoadReport:
    return load_records(database, "folder", folder.get(paths), home=settings.home, **given)


def lines_of(database: Database) -> list[str]:
    """What the store holds; the files of one load are named with their folder, alone without."""
    return [re.sub(r"\b(hr|union|school)/", "", line) for line in format_canonical_lines(database)]


def person(database: Database, *columns: str) -> list[Any]:
    values = ", ".join(f"p.{column}" for column in columns)
    (row,) = database.read(f"MATCH (p:Person {{person_id: 'p1'}}) RETURN [{values}] AS values")
    found: list[Any] = row["values"]
    return found


@pytest.mark.parametrize(
    "orders",
    [ORDERS[:1], pytest.param(ORDERS, marks=pytest.mark.soak)],
    ids=["one order", "all orders"],
)
def test_the_order_of_loading_never_decides(
    orders: list[tuple[str, ...]],
    empty_database: Database,
    second_database: Database,
    settings: Settings,
    tmp_path: Path,
) -> None:
    paths = {name: write(tmp_path / name, tables) for name, tables in SOURCES.items()}
    found = {}
    load(second_database, second_database.settings, *paths.values(), bulk_rows=0)
    found["as a whole"] = lines_of(second_database)
    for order in orders:
        emptied(empty_database)
        for name in order:
            load(empty_database, settings, paths[name])
        for name in reversed(order):
            load(empty_database, settings, paths[name])
        found[", ".join(order)] = lines_of(empty_database)
    emptied(empty_database)
    load(empty_database, settings, *(paths[name] for name in ("school", "union", "hr")))
    found["one load"] = lines_of(empty_database)
    for name in ("school", "hr", "union"):
        load(empty_database, settings, paths[name], complete=True)
    found["complete"] = lines_of(empty_database)
    assert {how: lines for how, lines in found.items() if lines != found["as a whole"]} == {}
    assert person(empty_database, "sex", "birth_date.year", "province", "enterprise_id") == [
        "female",
        1981,
        "32",
        "e2",
    ]


def test_shuffled_delta_loads_of_people_give_one_digest(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    tables = {name: {"people": each["people"]} for name, each in SOURCES.items()}
    paths = {name: write(tmp_path / name, each) for name, each in tables.items()}
    digests = set()
    for order in permutations(paths):
        emptied(empty_database)
        for name in order:
            load(empty_database, settings, paths[name])
        digests.add(compute_store_digest(empty_database))
    assert len(digests) == 1


def test_the_rank_of_sources_is_a_setting(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    ranked = settings.model_copy(update={"source_rank": "hr, union"})
    paths = [write(tmp_path / name, SOURCES[name]) for name in ("hr", "union")]
    previous, empty_database.settings = empty_database.settings, ranked
    try:
        load(empty_database, ranked, *paths)
    finally:
        empty_database.settings = previous
    assert person(empty_database, "sex", "enterprise_id") == ["male", "e1"]


def test_what_a_source_takes_back_leaves_the_others_word(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    hr, union = (write(tmp_path / name, SOURCES[name]) for name in ("hr", "union"))
    load(empty_database, settings, hr)
    alone = list(format_canonical_lines(empty_database))
    load(empty_database, settings, union)
    assert person(empty_database, "sex") == ["female"]
    links = "MATCH (:Person {person_id: 'p1'})-[r:EMPLOYED_BY]->(e) RETURN e.enterprise_id AS e"
    assert empty_database.read(links) == [{"e": "e2"}]
    other = {"enterprises": "enterprise_id,name\ne9,九厂\n"}
    later = write(tmp_path / "later" / "union", other)
    load(empty_database, settings, later, complete=True, agreed=True, withdrawn=[*UNION])
    assert empty_database.read(links) == [{"e": "e1"}]
    again = [line for line in format_canonical_lines(empty_database) if '"e9"' not in line]
    assert again == alone


def test_one_mentorship_of_two_sources_is_one_tie_and_a_finding(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    paths = [write(tmp_path / name, SOURCES[name]) for name in ("hr", "union")]
    report = load(empty_database, settings, *paths)
    ties = empty_database.read(
        "MATCH (:Person {person_id: 'p1'})-[m:MENTORS]->(b) RETURN b.person_id AS b, "
        "toString(m.start) AS start, [] + m.sources AS sources ORDER BY b, start"
    )
    assert ties == [
        {"b": "p2", "start": "2023-03-01", "sources": ["hr", "union"]},
        # Periods apart: two ties.
        {"b": "p3", "start": "2015-01-01", "sources": ["hr"]},
        {"b": "p3", "start": "2019-01-01", "sources": ["union"]},
    ]
    snapshot = take_snapshot(empty_database, settings)
    assert measure_driven(snapshot, Policy()).national["driven_person_times"] == 1
    found = find_claims(snapshot, Policy()).table()
    rows = found.select("kind", "person_id", "other_id", "observed", "rows", "persons_change")
    assert rows.rows() == [("sources_differ", "p1", "p2", 2, 2, -1)]
    conflicts = {(c.conflict.property, str(c.conflict.value)) for c in report.conflicts}
    assert {("start", "2023-09-01"), ("sex", "male"), ("certificate_no", "C2")} <= conflicts
    listed = report.as_dict()["conflicts"]
    assert {one["value"] for one in listed if one["property"] == "birth_date"} == {"***"}


def test_a_large_store_lists_what_several_state_as_its_cypher_does(
    empty_database: Database, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In full and after a delta; a person another source only names, and one only named."""
    paths = {name: write(tmp_path / name, SOURCES[name]) for name in SOURCES}
    only = TIES + "p3,p9,2020-01-01,\n"
    paths["named"] = write(
        tmp_path / "named", {"people": PEOPLE + "p9,九,,,,,,\n", "mentorships": only}
    )
    query = load_queries()["stated_by_several"]
    for names in (("hr", "union"), ("school",), ("named",)):
        load(empty_database, settings, *(paths[name] for name in names))
        tables = lambda: take_snapshot(empty_database, settings)  # noqa: E731
        for most in (1, 3, 1000):
            stated = run_query(empty_database, query, {"rows": most})
            with monkeypatch.context() as patched:
                patched.setattr(named_queries, "LARGE_STORE_MENTORSHIPS", 0)
                found = run_query(
                    empty_database, query, {"rows": most}, tables=bind_snapshot(tables)
                )
            assert found == stated
            assert len(found.rows) >= min(most, 3)


def test_the_data_page_lists_what_does_not_count(
    empty_database: Database, settings: Settings, tmp_path: Path, app: Callable[..., AppTest]
) -> None:
    load(empty_database, settings, *(write(tmp_path / n, SOURCES[n]) for n in ("hr", "union")))
    st.cache_resource.clear()
    st.cache_data.clear()
    found = list_conflicts(take_snapshot(empty_database, settings))
    lost = found.filter(found["property"] == "sex").row(0, named=True)
    assert lost == {
        "table": "people",
        "record": "p1",
        "other": None,
        "property": "sex",
        "standing": "female",
        "standing_source": "union",
        "value": "male",
        "source": "hr",
        "row": "hr/people.csv:2",
    }
    for language, head, value in (
        ("en", "Where sources contradict", "male"),
        ("zh", "各来源所报不一致之处", "男"),
    ):
        test = app("data", lang=language, view="conflicts")
        assert head in text(test)
        (table,) = test.dataframe
        listed = table.value.to_csv()
        assert value in listed and "1980" not in listed
    st.cache_resource.clear()
    st.cache_data.clear()
