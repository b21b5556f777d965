"""A finished load is undone exactly: digest, stamps, tables and figures are those before it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from graph.errors import DatabaseError, RefusedLoadError, UsageError
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import take_snapshot
from graph.store import undo
from graph.store.digest import compute_store_digest, format_canonical_lines
from graph.store.identity_merge import PEOPLE, IdentityMerge
from graph.store.standing import list_loads, read_graph_state
from loaders import folder
from loaders.findings import build_empty_findings
from loaders.load_nodes import build_load_id, create_load_node
from loaders.reports import LoadReport
from loaders.sync import load_records, write_identity_merges
from loaders.undoing import undo_finished_load
from tests.live.test_bulk import FIRST, SECOND, write
from tests.live.test_person_identity import SPLIT, TRIPLED
from tests.live.test_snapshot_changes import World, named
from tests.live.test_snapshot_changes import load as load_world
from tests.live.test_undone_loads import DELTA, EVERYTHING, LESS

ROOT = Path(__file__).parents[2]
NODES = "MATCH (n:!Load&!Change&!Undo) RETURN labels(n) AS labels, properties(n) AS properties"
RELATIONS = (
    "MATCH (a)-[r]->(b) RETURN coalesce(a.person_id, a.code, properties(a)) AS a, type(r) AS type, "
    "properties(b) AS b, properties(r) AS properties"
)


def load(database: Database, settings: Settings, *paths: Path, **given: Any) -> LoadReport:
    return load_records(database, "folder", folder.get(paths), home=settings.home, **given)


def read_store(database: Database) -> list[str]:
    """Every node and relation with all its properties, the loads that wrote it among them."""
    rows = [*database.read(NODES), *database.read(RELATIONS)]
    for row in rows:
        if "labels" in row:
            row["labels"] = sorted(row["labels"])
    return sorted(json.dumps(row, sort_keys=True, default=str) for row in rows)


def read_tables(snapshot: Snapshot) -> Mapping[str, pl.DataFrame]:
    return {name: named(snapshot, name) for name in snapshot.frames}


def assert_tables(found: Snapshot, expected: Mapping[str, pl.DataFrame]) -> None:
    for name, table in read_tables(found).items():
        assert_frame_equal(table, expected[name], check_column_order=False)


@pytest.mark.parametrize(
    ("before", "tables", "given"),
    [
        ({"hr": FIRST, "second": SECOND}, {"hr": DELTA}, {}),
        (
            {"hr": FIRST, "second": SECOND},
            {"hr": LESS},
            {"complete": True, "agreed": True, "withdrawn": EVERYTHING},
        ),
        ({"renshe": SPLIT["renshe"]}, {"gonghui": SPLIT["gonghui"]}, {}),
        ({"xuexiao": TRIPLED["xuexiao"]}, {n: TRIPLED[n] for n in ("renshe", "gonghui")}, {}),
    ],
    ids=["delta", "complete", "merge", "tripled"],
)
def test_a_load_undone_is_as_never_loaded_and_loads_again(
    before: dict[str, dict[str, str]],
    tables: dict[str, dict[str, str]],
    given: dict[str, Any],
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
) -> None:
    load(empty_database, settings, *(write(tmp_path / n, rows) for n, rows in before.items()))
    stood, lines = read_store(empty_database), list(format_canonical_lines(empty_database))
    first = read_tables(take_snapshot(empty_database, settings))
    paths = [write(tmp_path / name, rows) for name, rows in tables.items()]
    load(empty_database, settings, *paths, **given)
    digest = compute_store_digest(empty_database)
    take_snapshot(empty_database, settings)
    undone = undo_finished_load(empty_database, "2", "clerk")
    assert (undone.undone_revision, undone.revision) == (2, 3)
    assert list(format_canonical_lines(empty_database)) == lines
    assert read_store(empty_database) == stood
    snapshot = take_snapshot(empty_database, settings)
    assert snapshot.revision == 3
    assert_tables(snapshot, first)
    assert empty_database.read("MATCH (u:Undo) RETURN count(u) AS n") == [{"n": 0}]
    states = [(one["state"], one["undoable"]) for one in list_loads(empty_database)]
    assert states == [("finished", False), ("undone", False), ("finished", False)]
    newest, second, _ = list_loads(empty_database)
    assert newest["undoes"] == second["load_id"] and second["undone_by"] == "clerk"
    assert second["undone_at"] == newest["finished_at"]
    load(empty_database, settings, *paths, **given)
    assert compute_store_digest(empty_database) == digest
    assert read_graph_state(empty_database).revision == 4


@pytest.mark.parametrize("seed", [2, *(pytest.param(n, marks=pytest.mark.soak) for n in (5, 11))])
def test_loads_are_undone_one_after_another_whatever_they_changed(
    seed: int,
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World(seed)
    more = empty_database.settings.model_copy(update={"undo_loads": 4})
    monkeypatch.setattr(empty_database, "settings", more)
    load_world(empty_database, tmp_path / "w", world.tables(), complete=False)
    states = []
    for step in range(4):
        tables = read_tables(take_snapshot(empty_database, settings))
        states.append((read_store(empty_database), tables))
        load_world(empty_database, tmp_path / "w", world.change(), complete=bool(step % 2))
    for revision in (5, 4, 3, 2):
        undo_finished_load(empty_database, str(revision), "clerk")
        store, tables = states.pop()
        assert read_store(empty_database) == store
        assert_tables(take_snapshot(empty_database, settings), tables)
    assert read_graph_state(empty_database).revision == 9


def test_what_cannot_be_undone_says_what_must_come_first(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "hr", FIRST)
    for _ in range(5):
        load(empty_database, settings, path)
    with pytest.raises(UsageError, match="no load 17"):
        undo_finished_load(empty_database, "17", "clerk")
    with pytest.raises(RefusedLoadError, match="first load"):
        undo_finished_load(empty_database, "1", "clerk")
    with pytest.raises(RefusedLoadError, match="not kept"):
        undo_finished_load(empty_database, "2", "clerk")
    with pytest.raises(RefusedLoadError, match="undo first 5, 4, in this order"):
        undo_finished_load(empty_database, "3", "clerk")
    undoable = {one["revision"]: one["undoable"] for one in list_loads(empty_database)}
    assert undoable == {1: False, 2: False, 3: True, 4: True, 5: True}
    newest = list_loads(empty_database)[0]
    assert newest["revision"] == 5
    undo_finished_load(empty_database, newest["load_id"], "clerk")
    with pytest.raises(RefusedLoadError, match="already"):
        undo_finished_load(empty_database, "5", "clerk")
    with pytest.raises(RefusedLoadError, match="load its files"):
        undo_finished_load(empty_database, "6", "clerk")
    assert undo_finished_load(empty_database, "4", "clerk").revision == 7


@pytest.mark.parametrize("again", ["undo", "load"])
def test_an_undoing_that_breaks_off_is_completed(
    again: str,
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", FIRST))
    stood = read_store(empty_database)
    load(empty_database, settings, write(tmp_path / "hr", DELTA))
    figures = read_tables(take_snapshot(empty_database, settings))
    restore, left = undo._restore_batch, [3]

    def fail(*given: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise DatabaseError("Neo4j could not do it.")
        restore(*given)

    with monkeypatch.context() as patched:
        patched.setattr(undo, "_restore_batch", fail)
        with pytest.raises(DatabaseError):
            undo_finished_load(empty_database, "2", "clerk")
    state = read_graph_state(empty_database)
    assert state.unfinished is not None and state.unfinished.condition == "undoing broken off"
    assert "shicheng undo" in str(state.said())
    assert_tables(take_snapshot(empty_database, settings), figures)
    if again == "undo":
        assert undo_finished_load(empty_database, "2", "clerk").revision == 3
    else:
        load(empty_database, settings, write(tmp_path / "third", SECOND))
        assert undo_finished_load(empty_database, "4", "clerk").revision == 5
    assert read_store(empty_database) == stood
    assert [one["undone_by"] for one in list_loads(empty_database)[-2:]] == ["clerk", None]


def test_a_load_beside_another_is_not_undoable(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "hr", FIRST)
    load(empty_database, settings, path)
    load(empty_database, settings, path)
    empty_database.write("CREATE (:Load {load_id: 'elsewhere', sources: ['x'], undo: 'y'})")
    beside = "MATCH (l:Load {load_id: 'elsewhere'}) "
    empty_database.write(beside + "REMOVE l.undo")
    load(empty_database, settings, path)
    empty_database.write(beside + "DELETE l")
    assert not any(one["undoable"] for one in list_loads(empty_database))
    with pytest.raises(RefusedLoadError, match="not kept"):
        undo_finished_load(empty_database, "3", "clerk")


def test_merges_that_were_decided_are_undone(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", FIRST))
    stood = read_store(empty_database)
    merges = {"p2": IdentityMerge("p1", "decided")}
    write_identity_merges(empty_database, build_load_id(), PEOPLE, merges)
    assert list_loads(empty_database)[0]["merged_ids"] == 1
    undo_finished_load(empty_database, "2", "clerk")
    assert read_store(empty_database) == stood


def test_what_was_published_since_stays(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", FIRST))
    publish = "MATCH (p:Person {person_id: $id}) SET p += $figures"
    old = {"driven": 1, "driven_g1": 1, "driven_g4": 1, "driven_at": "then"}
    new = {"driven": 2, "driven_g1": 2, "driven_at": "now"}
    for id in ("p1", "p2"):
        empty_database.write(publish, {"id": id, "figures": old})
    stood = list(format_canonical_lines(empty_database))
    load(empty_database, settings, write(tmp_path / "hr", DELTA))
    empty_database.write(publish, {"id": "p1", "figures": new | {"driven_g4": None}})
    empty_database.write(publish, {"id": "p2", "figures": dict.fromkeys(old)})
    undo_finished_load(empty_database, "2", "clerk")
    assert list(format_canonical_lines(empty_database)) == stood
    found = empty_database.read(
        "MATCH (p:Person) WHERE p.person_id IN ['p1', 'p2'] RETURN p.driven AS driven, "
        "p.driven_g4 AS g4, p.driven_at AS at ORDER BY p.person_id"
    )
    assert found == [
        {"driven": 2, "g4": None, "at": "now"},
        {"driven": None, "g4": None, "at": None},
    ]


def test_while_another_folder_undoes_nothing_is_loaded(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "hr", FIRST)
    load(empty_database, settings, path)
    load(empty_database, settings, path)
    stood = read_store(empty_database)
    empty_database.write(
        "MATCH (l:Load {revision: 2}) CREATE (:Load {load_id: 'z', undoes: l.load_id, sources: []})"
    )
    for act in (
        lambda: load(empty_database, settings, write(tmp_path / "second", SECOND)),
        lambda: undo_finished_load(empty_database, "2", "clerk"),
    ):
        with pytest.raises(DatabaseError, match="undoing a load"):
            act()
    report = LoadReport("y", "folder", (), False, (), build_empty_findings())
    with pytest.raises(DatabaseError, match="undoing a load"):
        create_load_node(empty_database, report)
    assert read_store(empty_database) == stood


KILLED = """
import os, signal, sys
from pathlib import Path
from graph.server.database import connect
from graph.server.location import find_running_server
from graph.settings import Settings
from loaders.undoing import undo_finished_load

settings = Settings().model_copy(update={"home_path": Path(sys.argv[1]), "heap_mb": 768})

def progress(what, done, total):
    if (what, done) == ("undo", int(sys.argv[2])):
        os.kill(find_running_server(settings).pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

with connect(settings) as database:
    undo_finished_load(database, "2", "clerk", progress=progress)
"""


@pytest.mark.parametrize("places", [["1"], pytest.param(["2", "1"], marks=pytest.mark.soak)])
def test_an_undoing_and_its_server_killed_is_completed(
    places: list[str], second_database: Database, second: Settings, tmp_path: Path
) -> None:
    """`places`: how many batches are undone when both are killed, time after time."""
    load(second_database, second, write(tmp_path / "hr", FIRST))
    stood = read_store(second_database)
    load(second_database, second, write(tmp_path / "hr", DELTA))
    for batches in places:
        command = [sys.executable, "-c", KILLED, str(second.home), batches]
        killed = subprocess.run(command, cwd=ROOT, check=False)
        assert killed.returncode == -signal.SIGKILL
    assert take_snapshot(second_database, second).revision == 2
    assert undo_finished_load(second_database, "2", "clerk").revision == 3
    assert read_store(second_database) == stood
    assert len(list_loads(second_database)) == 3
