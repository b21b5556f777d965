"""The snapshot, out of a real Neo4j: what it holds, when it is stored, when it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from graph.driven.figures import measure_driven
from graph.errors import IncompleteError, UsageError
from graph.model.kinds import EXCHANGE_TABLES
from graph.policy import DEFAULT_POLICY
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot import reader
from graph.snapshot import take as snapshots
from graph.snapshot.frames import NODE_FRAMES, RELATION_FRAMES
from graph.snapshot.take import list_cached_snapshots, take_snapshot
from graph.snapshot.take import load_snapshot_of_revision as snapshot_at
from loaders import folder
from loaders.sync import load_records
from tests.conformance.brute_force import read_world
from tests.conformance.test_conformance import CASES, policy_named
from tests.conformance.worlds import snapshot_of

Load = Callable[[Path], None]


@pytest.fixture
def own(settings: Settings, tmp_path: Path) -> Settings:
    """The session's database with a data folder of the test's own for the snapshots."""
    return settings.model_copy(update={"home_path": tmp_path})


@pytest.fixture
def load(empty_database: Database, tmp_path: Path) -> Load:
    """Loads an exchange folder through the loader."""

    def loaded(path: Path) -> None:
        load_records(
            empty_database,
            "folder",
            folder.get([path]),
            home=tmp_path,
            complete=True,
            agreed=True,
            withdrawn=[*EXCHANGE_TABLES],
        )

    return loaded


def write_folder(folder: Path, **tables: list[str]) -> Path:
    folder.mkdir(exist_ok=True)
    for table, lines in tables.items():
        (folder / f"{table}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


PEOPLE = ["person_id,name,province", "p1,张师傅,11", "p2,李徒弟,", "p3,王工,44"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_number_is_exact_through_loader_and_neo4j(
    case: Path, load: Load, empty_database: Database, own: Settings
) -> None:
    load(case)
    taken = take_snapshot(empty_database, own)
    expected = pl.read_csv(case / "expected.csv")
    found = measure_driven(taken, DEFAULT_POLICY)
    assert found.table().select(expected.columns).rows() == expected.rows()
    national = json.loads((case / "expected_national.json").read_text())
    for name, figures in national.items():
        assert measure_driven(taken, policy_named(name)).national == figures
    straight = measure_driven(snapshot_of(read_world(case)), DEFAULT_POLICY)
    assert found.table().equals(straight.table())
    counts = pl.all().exclude("equal", "nearest", "decay")
    assert found.talents.select(counts).equals(straight.talents.select(counts))
    assert found.workers.select(counts).equals(straight.workers.select(counts))


def test_what_the_frames_hold(
    load: Load, empty_database: Database, own: Settings, tmp_path: Path
) -> None:
    exchange = write_folder(
        tmp_path / "in",
        people=PEOPLE,
        talents=[
            "person_id,basis,recognised_on,grade",
            "p1,china_skills_award,2020-05-01,national",
        ],
        mentorships=["mentor_id,apprentice_id,start,kind", "p1,p2,2021-03-01,peer", "p1,p3,,peer"],
        recognitions=["person_id,level,date", "p2,3,2022-01-01", "p2,4,2024-02-01"],
        studios=["studio_id,name,kind", "s1,一号工作室,skill_master"],
        schools=["school_id,name", "c1,一号学校"],
        studio_leads=["studio_id,person_id,start,end", "s1,p1,2022-01-01,"],
        trainings=["person_id,place_id,start,end", "p3,s1,2021-06-01,2022-01-01"],
        training_targets=["person_id,listed_on", "p3,2024-01-01"],
        targets=["scope,year,leading_talents,high_skilled", "national,2024,5000,1500000"],
    )
    load(exchange)
    empty_database.write("MATCH ()-[x:TRAINED_AT]->() SET x.sources = ['甲', '乙;丙']")
    taken = take_snapshot(empty_database, own)
    assert set(taken.frames) == {
        *NODE_FRAMES,
        *RELATION_FRAMES,
        "edges",
        "edges_first",
        "promotions",
    }

    def rows(name: str, *columns: str) -> list[tuple[Any, ...]]:
        return taken.frames[name].select(columns).collect().rows()

    assert rows("people", "person", "person_id", "province", "level", "leading", "target") == [
        (0, "p1", "11", 0, True, False),
        (1, "p2", None, 4, False, False),
        (2, "p3", "44", 0, False, True),
    ]
    assert rows("talents", "person", "basis", "recognised_on", "grade") == [
        (0, "china_skills_award", date(2020, 5, 1), "national")
    ]
    assert sorted(rows("mentorships", "mentor", "apprentice", "start", "row"), key=str) == [
        (0, 1, date(2021, 3, 1), "mentorships.csv:2"),
        (0, 2, None, "mentorships.csv:3"),
    ]
    assert rows("mentorships", "sources") == [(["in"],), (["in"],)]
    assert rows("trainings", "sources") == [(["甲", "乙;丙"],)]
    assert rows("promotions", "person", "day", "level", "before") == [
        (1, date(2022, 1, 1), 3, 0),
        (1, date(2024, 2, 1), 4, 3),
    ]
    assert rows("goals", "scope", "year", "high_skilled") == [("national", 2024, 1_500_000)]
    assert rows("edges", "mentor", "apprentice", "start")[0] == (0, 1, date(2021, 3, 1))
    assert taken.frames["people"].collect_schema()["person"] == pl.Int32


@pytest.mark.parametrize("sparse", [10**6, -(10**6)], ids=["by ranges", "by keys"])
def test_chunks_make_no_difference(
    sparse: int,
    load: Load,
    empty_database: Database,
    own: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(CASES[0])
    at_once = take_snapshot(empty_database, own)
    steps: list[tuple[str, int, int]] = []
    with monkeypatch.context() as small:
        small.setattr(reader, "CHUNK_RECORDS", 7)
        small.setattr(reader, "SINGLE_READ_RECORDS", 0)
        small.setattr(reader, "MAX_EMPTY_IDS_PER_RECORD", sparse)
        small.setattr(snapshots, "SNAPSHOT_VERSION", "in small chunks")
        parts = take_snapshot(empty_database, own, progress=lambda *step: steps.append(step))
    assert parts.folder != at_once.folder
    for name, frame in at_once.frames.items():
        assert_same(frame, parts.frames[name], name)
    ends = {name: (done, total) for name, done, total in steps}
    assert all(done == total > 1 for done, total in (ends["people"], ends["mentorships"]))


def assert_same(one: pl.LazyFrame, other: pl.LazyFrame, name: str) -> None:
    """Equal but for the order of rows."""
    tables = []
    for frame in (one, other):
        table = frame.collect()
        if "sources" in table.columns:
            table = table.with_columns(pl.col("sources").list.sort().list.join(";"))
        tables.append(table.sort(pl.all()))
    assert tables[0].equals(tables[1]), name


def test_it_is_read_once_a_revision_and_the_newest_are_kept(
    load: Load, empty_database: Database, own: Settings, tmp_path: Path
) -> None:
    own = own.model_copy(update={"keep_revisions": 2})
    taken = []
    for number in range(3):
        load(write_folder(tmp_path / "in", people=PEOPLE[: number + 2]))
        taken.append(take_snapshot(empty_database, own))
    assert [snapshot.revision for snapshot in taken] == [1, 2, 3]
    assert [snapshot.frames["people"].collect().height for snapshot in taken[1:]] == [2, 3]
    assert [bool(s.folder and s.folder.exists()) for s in taken] == [False, True, True]
    cached = list_cached_snapshots(empty_database, own)
    assert [one.revision for one in cached] == [3, 2]
    assert [one.folder for one in cached] == [taken[2].folder, taken[1].folder]
    again = snapshot_at(empty_database, own, 2)
    assert again.frames["people"].collect()["person_id"].to_list() == ["p1", "p2"]
    with pytest.raises(UsageError, match="kept are: 3, 2"):
        snapshot_at(empty_database, own, 1)

    def no_reading(*_: object) -> None:
        raise AssertionError("it was read out again")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(snapshots, "_materialize_snapshot", no_reading)
        assert take_snapshot(empty_database, own).folder == taken[2].folder


def test_a_store_filled_anew_is_not_answered_from_the_old_ones_tables(
    load: Load, empty_database: Database, own: Settings, tmp_path: Path
) -> None:
    load(write_folder(tmp_path / "in", people=PEOPLE))
    old = take_snapshot(empty_database, own)
    empty_database.write("MATCH (n) DETACH DELETE n")
    load(write_folder(tmp_path / "in", people=PEOPLE[:2]))
    new = take_snapshot(empty_database, own)
    assert (old.revision, new.revision) == (1, 1)
    assert new.frames["people"].collect()["person_id"].to_list() == ["p1"]


def test_an_interrupted_one_is_never_seen(
    load: Load, empty_database: Database, own: Settings, tmp_path: Path
) -> None:
    load(write_folder(tmp_path / "in", people=PEOPLE))

    def stop(what: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        take_snapshot(empty_database, own, progress=stop)
    assert list((own.home / "snapshots").rglob("*.parquet")) == []
    assert take_snapshot(empty_database, own).frames["people"].collect().height == 3


def test_it_refuses_what_cannot_be_shown_to_be_true(
    load: Load, empty_database: Database, own: Settings, tmp_path: Path
) -> None:
    with pytest.raises(IncompleteError, match="shicheng load folder"):
        take_snapshot(empty_database, own)
    load(write_folder(tmp_path / "in", people=PEOPLE))
    empty_database.write("CREATE (:Load {load_id: 'cut off', started_at: '2026-01-01'})")
    with pytest.raises(IncompleteError, match="revision 1 are not kept here"):
        take_snapshot(empty_database, own)


def test_a_load_in_between_is_noticed(
    load: Load, empty_database: Database, own: Settings, tmp_path: Path
) -> None:
    load(write_folder(tmp_path / "in", people=PEOPLE))
    loads = iter([True])

    def load_meanwhile(what: str, done: int, total: int) -> None:
        if next(loads, False):
            load(write_folder(tmp_path / "in", people=PEOPLE[:2]))

    with pytest.raises(IncompleteError, match="mix two revisions"):
        take_snapshot(empty_database, own, progress=load_meanwhile)
    assert list((own.home / "snapshots").rglob("*.parquet")) == []
