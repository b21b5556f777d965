"""The first load in one step: the same store as by batches, whatever stops it on the way."""

from __future__ import annotations

import datetime as dt
import fcntl
import signal
import subprocess
import sys
from contextlib import chdir, nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from polars.testing import assert_frame_equal
from pydantic import SecretStr

from graph.driven.figures import measure_driven
from graph.driven.results import has_cached_driven, load_cached_driven
from graph.errors import DatabaseError, UsageError
from graph.messages import Message
from graph.model.constraints import build_schema_statements
from graph.policy import Policy
from graph.server import admin, embedded, location
from graph.server.database import Database, connect
from graph.settings import Settings
from graph.snapshot.frames import NODE_FRAMES, RELATION_FRAMES, Manifest
from graph.snapshot.reader import GraphReader
from graph.snapshot.take import find_cached_snapshot, write_snapshot_frames
from graph.store import creation
from graph.store.digest import format_canonical_lines
from loaders import folder, sync
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.synthetic.network import write_synthetic_folder
from tests.emptying import emptied

ROOT = Path(__file__).parents[2]
CONFORMANCE = ROOT.parent / "shared" / "conformance"
BATCHES = 10**9
SOAK_LTS = (pytest.mark.soak, pytest.mark.lts)

# Quotation marks, lines and commas in texts; one person by two sources and by two files; a link
# that moves, one that is taken back; codes with a row and without; a province's code elsewhere.
FIRST = {
    "people": "person_id,name,province,occupation_code,enterprise_id,source,updated_on\n"
    'p1,"王""一\n二, 三",32,6-18,e1,hr,2024-01-01\np2,李二,江苏,,e1,hr,\np3,Zhao San,,32,,union,\n'
    "p2,李二,,6-18,e2,union,\np1,王一,33,,,union,\np4,刘四,,,e2,union,2025-05-05\n",
    "enterprises": 'enterprise_id,name,province\ne1,第一机床厂,32\ne2,"厂, 二",99\n',
    "occupations": "code,name\n6-18,机械\n",
    "studios": "studio_id,name,kind,host_id\ns1,王一,skill_master,e1\ns2,二,skill_master,sc1\n",
    "schools": "school_id,name\nsc1,技师学院\n",
    "talents": "person_id,basis,recognised_on\np1,全国技术能手,2020-05-01\n",
    "mentorships": "mentor_id,apprentice_id,start,source\np1,p2,2021-03-01,hr\n"
    "p1,p2,2021-03-01,union\np2,p3,,hr\np2,p9,,hr\n",
    "recognitions": "person_id,level,date\np2,高级工,2024-06-01\np2,高级工,2024-06-01\n",
    "trainings": "person_id,place_id,start,end\np3,s1,2022-01-01,\np3,sc1,2021-01-01,2021-02-01\n"
    "p3,s1,2022-01-01,2022-02-02\n",
    "employments": "person_id,enterprise_id,start,reemployed,non_compete_until,"
    "retirement_postponed_until,pay_form\np2,e1,2020-01-01,是,2027,2028-03-31,年薪制\n",
    "training_targets": "person_id,listed_on,reason\np3,2024-01-01,young\np1,2023-01-01,\n",
    "targets": "scope,year,leading_talents,high_skilled\n全国,2026,15000,5000000\n",
    "practices": "person_id,occupation_code\np1,6-20\n",
    "projects": "project_id,name,kind,start,enterprise_id,province\n"
    'j1,"重型, 攻关",技术攻关,2022,e1,32\nj2,援外,foreign_aid,,e9,\n',
    "participations": "person_id,project_id,role,start,end,source\np1,j1,负责人,2022-01-01,,hr\n"
    "p1,j1,负责人,2022-01-01,2023-01-01,union\np2,j1,,,,\np3,j2,参与人,2020-01-01,,\np9,j1,,,,\n",
    "achievements": "person_id,title,kind,grade,date,source\np1,夹具,patent,,2020-05-01,hr\n"
    "p1,夹具,专利,,2020-05-01,union\np2,夹具,patent,,2020,\np3,焊法,process,省级,,\n",
    "subsidies": "recipient_id,kind,amount,year,source\np1,人才津贴,20000,2024,hr\n"
    "p1,人才津贴,21000,2024,union\ns1,studio_grant,100000,2024,\ne1,本地补贴,5000,2025,\n"
    "sc1,vocational_training,1000.5,2025,\nx9,人才津贴,1,2024,\n",
}
SECOND = {
    "people": "person_id,name,province,enterprise_id\np3,赵三,44,e2\np5,五,,e9\n",
    "mentorships": "mentor_id,apprentice_id,start,kind\np3,p5,2024-02-02,peer\np2,p3,,\n",
    "provinces": "code,name\n44,广东省\n",
}


def write(path: Path, tables: dict[str, str]) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    for table, text in tables.items():
        (path / f"{table}.csv").write_text(text, "utf-8")
    return path


def load(database: Database, settings: Settings, *paths: Path, bulk_rows: int) -> LoadReport:
    today = dt.date(2026, 11, 23)
    tables = folder.get(paths)
    return load_records(
        database, "folder", tables, home=settings.home, today=today, bulk_rows=bulk_rows
    )


def compare_initial_snapshot(database: Database, settings: Settings) -> None:
    """The snapshot that the load left is what a reading of its store gives."""
    left = find_cached_snapshot(database, settings)
    assert left is not None and left.folder is not None
    with TemporaryDirectory() as folder:
        reader = GraphReader(database, RELATION_FRAMES.values(), lambda *_: None)
        rows = write_snapshot_frames(reader, Path(folder))
        assert Manifest.of(left.folder).rows == rows
        for name in rows:
            found, read = (read_sorted_frame(path, name) for path in (left.folder, Path(folder)))
            assert_frame_equal(found, read)


def check_first_figures(database: Database, settings: Settings) -> None:
    """The figures counted beside the import are cached, and those of the snapshot."""
    snapshot = find_cached_snapshot(database, settings)
    assert snapshot is not None and has_cached_driven(snapshot, Policy())
    counted = measure_driven(replace(snapshot, folder=None), Policy())
    assert load_cached_driven(snapshot, Policy()).national == counted.national


def read_sorted_frame(folder: Path, name: str) -> pl.DataFrame:
    """A frame of a snapshot as it is stored; relations have no order."""
    frame = pl.read_parquet(folder / f"{name}.parquet")
    if name in NODE_FRAMES:
        return frame
    texts = frame.with_columns(pl.col(pl.Categorical).cast(pl.String))
    places = texts.with_row_index("place").sort(*texts.columns, nulls_last=True)["place"]
    return frame[places]


def same_both_ways(by: Database, database: Database, *paths: Path) -> None:
    """A load in batches into one store equals the load in one step that makes the other.

    And that leaves nothing where the command was started.
    """
    settings = database.settings
    by_batches = load(by, by.settings, *paths, bulk_rows=BATCHES)
    expected = list(format_canonical_lines(by))
    loads = "MATCH (l:Load) RETURN l{.*, load_id: '', started_at: '', finished_at: ''} AS l"
    node = by.read(loads)
    with TemporaryDirectory() as stands, chdir(stands):
        at_once = load(database, settings, *paths, bulk_rows=0)
        assert list(Path(stands).iterdir()) == []
    assert list(format_canonical_lines(database)) == expected
    compare_initial_snapshot(database, settings)
    check_first_figures(database, settings)
    assert database.read(loads) == node
    assert (at_once.revision, at_once.written) == (1, by_batches.written)
    journal = database.read("MATCH (c:Change) RETURN c.frame AS frame, c.load_id AS load")
    assert journal == [{"frame": "*", "load": at_once.load_id}]
    serving = database.read("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE'")
    assert {name for name, _ in build_schema_statements()} <= {row["name"] for row in serving}
    assert not list((settings.home / "loads").iterdir())


@pytest.mark.lts
def test_hostile_folders_and_a_dirty_network_both_ways(
    empty_database: Database,
    second_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """In one load: each making of a store starts a server, and a cold one reads it slowly."""
    # Digests of ID numbers are of one key in both data folders.
    monkeypatch.setenv("SHICHENG_ID_KEY", "0123456789abcdef" * 4)
    write_synthetic_folder(tmp_path / "dirty", talents=10, workers=500, seed=7, dirt=0.05)
    # As at national size: many batches, by several sessions, some nodes with many relations.
    monkeypatch.setattr(creation, "CREATE_BATCH_ROWS", 40)
    monkeypatch.setattr(creation, "HUB_ROWS", 100)
    paths = write(tmp_path / "hr", FIRST), write(tmp_path / "second", SECOND), tmp_path / "dirty"
    same_both_ways(empty_database, second_database, *paths)


def test_a_first_load_without_any_leading_talent_both_ways(
    empty_database: Database, second_database: Database, tmp_path: Path
) -> None:
    """As a department's list of people and levels: nobody of it has a label beside Person."""
    tables = {name: FIRST[name] for name in ("people", "enterprises", "recognitions")}
    same_both_ways(empty_database, second_database, write(tmp_path / "hr", tables))


@pytest.mark.lts
@pytest.mark.soak
@pytest.mark.shared
@pytest.mark.skipif(not CONFORMANCE.exists(), reason="../shared is absent")
def test_the_conformance_folders_both_ways(
    empty_database: Database, second_database: Database
) -> None:
    # In one load: they name the same people, so that each states something of the others'.
    paths = sorted(path.parent for path in CONFORMANCE.rglob("people.csv"))
    assert paths
    same_both_ways(empty_database, second_database, *paths)


KILLED = """
import os, signal, sys
from pathlib import Path
import psutil
from graph.server.database import connect
from graph.settings import Settings
from loaders import folder
from loaders.sync import load_records

home, path, where = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
settings = Settings().model_copy(update={"home_path": home, "heap_mb": 768})

def killed(*given):
    os.kill(os.getpid(), signal.SIGKILL)

def progress(what, done, total):
    if what == "import" and where == "loader":
        killed()
    if what == "import" and where == "neo4j-admin":
        for child in psutil.Process().children():
            if child.name() == "java":
                child.kill()
    if what == "make the indexes" and where == "indexes":
        killed()

rename = Path.replace
def replace(self, target):
    moved = rename(self, target)
    if where == "swap" and self.name == "neo4j" and self.parent.name == "databases":
        killed()
    return moved
Path.replace = replace

with connect(settings) as database:
    load_records(database, "folder", folder.get([path]), home=home, bulk_rows=0, progress=progress)
"""


@pytest.mark.parametrize(
    "places",
    [
        # Before the new store is there, with neo4j-admin left alone; and when it is half in place.
        ["loader", "swap"],
        pytest.param(["loader", "neo4j-admin", "swap", "indexes"], marks=SOAK_LTS),
    ],
    ids=len,
)
def test_killed_anywhere_then_loaded_again_is_as_never_killed(
    places: list[str],
    empty_database: Database,
    second_database: Database,
    settings: Settings,
    second: Settings,
    tmp_path: Path,
) -> None:
    path = write(tmp_path / "hr", FIRST)
    load(empty_database, settings, path, bulk_rows=BATCHES)
    clean = list(format_canonical_lines(empty_database))
    for where in places:
        command = [sys.executable, "-c", KILLED, str(second.home), str(path), where]
        ended = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
        if where == "neo4j-admin":
            assert "DatabaseError: The import of the first load failed" in ended.stderr
        else:
            assert ended.returncode == -signal.SIGKILL
    load(second_database, second, path, bulk_rows=0)
    assert list(format_canonical_lines(second_database)) == clean
    loads = "MATCH (l:Load) RETURN collect(l.revision) AS revisions"
    assert second_database.read(loads) == [{"revisions": [1]}]
    assert not list((second.home / "loads").iterdir())
    assert not embedded.locate_swap_mark(second.home).exists()


def test_why_neo4j_admin_did_not_make_the_store_is_said(
    second_database: Database, second: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "hr", FIRST)
    for code, printed, said in (
        (1, "java.io.IOException: No space left on device", "the disk is full"),
        (-signal.SIGKILL, "", "The import of the first load failed"),
    ):
        failed = admin.AdminResult(code, printed)
        monkeypatch.setattr(admin, "run_neo4j_admin", lambda *_, failure=failed, **__: failure)
        if not printed:  # the same way again: once, the server is stopped for it and started
            monkeypatch.setattr(sync, "take_store_offline", lambda _: nullcontext())
        with pytest.raises(DatabaseError, match=said):
            load(second_database, second, path, bulk_rows=0)
    assert not list((second.home / "loads").iterdir())
    assert second_database.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


def test_one_load_at_a_time(empty_database: Database, settings: Settings, tmp_path: Path) -> None:
    path = write(tmp_path / "hr", SECOND)
    (settings.home / "load.lock").touch()
    with (settings.home / "load.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DatabaseError, match="Another load"):
            load(empty_database, settings, path, bulk_rows=BATCHES)


def test_a_server_with_others_people_is_refused(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    empty_database.write("CREATE (:Person {person_id: 'x'})")
    secret = SecretStr(location.load_server_password(settings))
    named = settings.model_copy(update={"neo4j_uri": empty_database.uri, "neo4j_password": secret})
    path, messages = write(tmp_path / "hr", FIRST), list[Message]()
    with connect(named) as server:
        with pytest.raises(UsageError, match="1 Person nodes that no load"):
            load(server, settings, path, bulk_rows=0)
        emptied(server)
        tables = folder.get([path])
        load_records(server, "folder", tables, home=settings.home, bulk_rows=0, say=messages.append)
    assert [str(line) for line in messages] == [
        "The records go in batches: the store of the server at NEO4J_URI is not ours to make."
    ]
