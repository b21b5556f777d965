"""A date of which the year alone is known stays a year: in the store, in `why`, on pages,
in files.

Loaded in one step and by a later load alike; and the policy says from which day of it a link
counts.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.cypher.named_queries import load_queries, run_query
from graph.dates import PartialDate
from graph.driven.results import load_driven
from graph.evidence.answer import explain_pair
from graph.people.network import build_lineage_graph
from graph.policy import Policy
from graph.server.database import Database, connect
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import format_canonical_lines
from loaders import folder
from loaders.sync import load_records
from tests.conformance.brute_force import brute_force, read_world
from tests.emptying import emptied
from tests.live.shell import run_here
from tests.live.visiting import go, text

POLICY = Policy(as_of=dt.date(2026, 6, 1))
FIRST_DAY = replace(POLICY, year_alone="first")
PEOPLE = {
    "people": "person_id,name\nt1,甲\nw1,乙\nw2,丙\nw3,丁\n",
    "talents": "person_id,basis,recognised_on\nt1,全国技术能手,2019\n",
    "studios": "studio_id,name,kind,founded\ns1,工作室,skill_master,2018\n",
    # w1 counts under both rules, w2 from the first day of 2024 alone, w3 by a studio likewise.
    "recognitions": "person_id,level,date\nw1,高级工,2024-06-01\nw2,高级工,2024-06-01\n"
    "w3,高级工,2025\n",
}
LINKS = {
    "mentorships": "mentor_id,apprentice_id,start,end,source\nt1,w1,2019,2023年,hr\n"
    "t1,w1,2019-12-31,2023,union\nt1,w2,2024,,hr\n",
    "studio_leads": "studio_id,person_id,start,end\ns1,t1,2018,\n",
    "trainings": "person_id,place_id,start,end\nw3,s1,2025,2025-06-30\n",
}


def write(path: Path, tables: dict[str, str]) -> Path:
    path.mkdir(parents=True)
    for table, rows in tables.items():
        (path / f"{table}.csv").write_text(rows, "utf-8")
    return path


def load(database: Database, settings: Settings, path: Path, bulk_rows: int) -> None:
    load_records(database, "folder", folder.get([path]), home=settings.home, bulk_rows=bulk_rows)


@pytest.fixture(scope="module")
def ministry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("years") / "ministry", PEOPLE | LINKS)


@pytest.fixture(scope="module")
def settings(second: Settings) -> Settings:
    """The second server: a load in one step starts it again, and the session's stays warm."""
    return second


def forget_pages() -> None:
    """What pages have cached is of another server."""
    st.cache_resource.clear()
    st.cache_data.clear()


@pytest.fixture(scope="module")
def loaded_years(settings: Settings, ministry: Path) -> Iterator[Database]:
    """All of it, loaded as a store of its own."""
    with connect(settings) as database:
        emptied(database)
        load(database, settings, ministry, 0)
        forget_pages()
        yield database
        forget_pages()
        emptied(database)
    shutil.rmtree(settings.home / "snapshots", ignore_errors=True)


def facts(database: Database) -> list[str]:
    """What the store holds, whichever load wrote it and whatever file it stood in."""
    return sorted(
        re.sub(r'"(load|row)": "[^"]*"', "", line) for line in format_canonical_lines(database)
    )


def tables(database: Database, settings: Settings) -> dict[str, list[tuple[object, ...]]]:
    frames = take_snapshot(database, settings).frames
    names = ("edges", "edges_first", "promotions", "mentorships", "leads", "trainings", "talents")
    apart = ("row", "sources")
    return {
        n: sorted(frames[n].drop(apart, strict=False).collect().rows(), key=repr) for n in names
    }


def measured_by_both(database: Database, settings: Settings) -> list[int]:
    snapshot = take_snapshot(database, settings)
    return [load_driven(snapshot, p).national["driven_persons"] for p in (POLICY, FIRST_DAY)]


def test_the_figures_are_those_of_the_files_under_both_rules(
    loaded_years: Database, settings: Settings, ministry: Path
) -> None:
    world = read_world(ministry)
    for row in (*world["mentorships"], *world["recognitions"]):
        row |= {"end": (row.get("end") or "").removesuffix("年")}
        row["level"] = "4"
    snapshot = take_snapshot(loaded_years, settings)
    for policy in (POLICY, FIRST_DAY):
        found = load_driven(snapshot, policy)
        expected = brute_force(world, policy)["national"]
        assert found.national | found.reconciliation() == expected
        for worker in ("w1", "w2", "w3"):
            answer = explain_pair(snapshot, policy, "t1", worker)
            assert answer.counts == (worker == "w1" or policy is FIRST_DAY)
        rows = driven_in_cypher(loaded_years, policy)
        assert [str(row["person_id"]) for row in rows] == sorted(
            found.workers_of("t1")["person_id"], key=lambda id: (id != "w1", id)
        )
    assert [str(row["arrival"]) for row in driven_in_cypher(loaded_years, FIRST_DAY)] == [
        "2019",
        "2024",
        "2025",
    ]


def driven_in_cypher(database: Database, policy: Policy) -> list[dict[str, object]]:
    query = load_queries()["driven_workers"]
    given = {"person_id": "t1", "year_alone": policy.year_alone}
    found = run_query(database, query, given, role="steward")
    assert not [name for name in found.columns if name.endswith("_precision")]
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def test_why_says_the_year(loaded_years: Database, settings: Settings) -> None:
    snapshot = take_snapshot(loaded_years, settings)
    late = explain_pair(snapshot, POLICY, "t1", "w2")
    assert late.reason == "too_late"
    assert "t1 to w2 began in 2024, the recognition" in late.sentence()
    assert "始于 2024 年" in late.sentence("zh")
    assert str(late.failing[0].start) == "2024" and late.failing[0].start == dt.date(2024, 12, 31)
    (hop,) = explain_pair(snapshot, FIRST_DAY, "t1", "w2").chains[0]
    assert str(hop.start) == "2024" and hop.start == dt.date(2024, 1, 1)
    # Of two sources that state one tie the one believed first knows its year alone.
    (known,) = explain_pair(snapshot, POLICY, "t1", "w1").chains[0]
    assert (str(known.start), str(known.end), known.start) == (
        "2019",
        "2023",
        dt.date(2019, 12, 31),
    )
    trained = explain_pair(snapshot, FIRST_DAY, "t1", "w3")
    assert str(trained.events[0].day) == "2025" and str(trained.chains[0][0].start) == "2025"
    assert json.dumps(trained.as_dict(), default=str).count('"2025-') == 1  # the end of June
    edge = build_lineage_graph(snapshot, "t1").get_edge_data("t1", "w2")[0]
    assert isinstance(edge["start"], PartialDate) and str(edge["start"]) == "2024"


def test_the_commands_write_the_year(
    loaded_years: Database, settings: Settings, tmp_path: Path
) -> None:
    def typed(*command: str) -> str:
        given = {"SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": "768"}
        done = run_here(command, given, tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "2024-12-31" not in typed("why", "t1", "w2")
    stdout = typed("why", "t1", "w2", "--year-alone", "first")
    assert "\t2024\t" in stdout and "2024-01-01" not in stdout
    rows = typed("rows", "t1", "--year-alone", "first")
    assert "w3,2025,4" in rows and "day_precision" not in rows
    typed("rows", "t1", "--year-alone", "first", "-o", "behind.parquet")
    people = pl.read_parquet(tmp_path / "behind.parquet").filter(person_id="w3")
    assert people.select("day", "day_precision").row(0) == (dt.date(2025, 1, 1), "year")
    typed("export", "network", "-o", "network.graphml")
    graph = (tmp_path / "network.graphml").read_text("utf-8")
    assert ">2024<" in graph and "2024-12-31" not in graph and "precision" not in graph
    assert "2019" in typed("query", "leading_talents") and "2019-01-01" not in typed(
        "query", "leading_talents"
    )


def test_pages_show_the_year(
    loaded_years: Database, settings: Settings, app: Callable[..., AppTest]
) -> None:
    load_driven(take_snapshot(loaded_years, settings), POLICY)
    test = app("overview", lang="zh")
    shown = text(go(test, "talent", id="w2"))
    assert "2024-12" not in shown and "2024 年" in shown
    test = go(test, "lineage", id="t1", selected="w2", as_of="2026-06-01")
    shown = text(test)
    assert "2024-12-31" not in shown and "2024 年" in shown
    shown = text(go(test, "places", place="s1"))
    assert "2018-12-31" not in shown


def test_a_later_load_writes_what_a_whole_one_does(
    loaded_years: Database, settings: Settings, tmp_path: Path
) -> None:
    database = loaded_years
    expected, figures = facts(database), measured_by_both(database, settings)
    read = tables(database, settings)
    emptied(database)
    shutil.rmtree(settings.home / "snapshots", ignore_errors=True)
    load(database, settings, write(tmp_path / "a" / "ministry", PEOPLE), 10**9)
    take_snapshot(database, settings)
    measured_by_both(database, settings)
    load(database, settings, write(tmp_path / "b" / "ministry", LINKS), 10**9)
    assert facts(database) == expected
    # The snapshot that followed the load, and the figures counted again, are those of a full one.
    assert tables(database, settings) == read
    assert measured_by_both(database, settings) == figures == [1, 3]
    shutil.rmtree(settings.home / "snapshots", ignore_errors=True)
    load(database, settings, write(tmp_path / "c" / "ministry", LINKS), 10**9)
    assert facts(database) == expected
