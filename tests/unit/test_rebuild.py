"""A store written anew takes the place of the old one only when it is proven."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from graph.errors import DatabaseError
from graph.server import admin, embedded
from graph.store import bulk_import, rebuild

RECORDS = {
    "nodes": [([0], "Person:LeadingTalent", {"name": "甲"}), ([1], "Person", {"name": "乙"})],
    "relations": [([0, 1], "MENTORS", {"key": "k"})],
}
COUNTS = SimpleNamespace(nodes={"Person": 2, "LeadingTalent": 1}, relationships={"MENTORS": 1})


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A data folder whose store is a text file, with everything of Neo4j itself replaced."""

    @contextmanager
    def take_offline(*given: Any) -> Iterator[None]:
        yield

    def import_store(settings: Any, folder: Path, *given: Any) -> None:
        fill(folder / bulk_import.NEW_STORE_FOLDER, "new")

    def fill(home: Path, text: str) -> None:
        for part in ("databases", "transactions"):
            (home / "data" / part / "neo4j").mkdir(parents=True)
            (home / "data" / part / "neo4j" / "store").write_text(text)

    database = SimpleNamespace(settings=SimpleNamespace(home=tmp_path))
    fill(embedded.locate_store(tmp_path), "old")
    for name, made in {
        "take_store_offline": take_offline,
        "run_store_import": import_store,
        "start_server": lambda settings: None,
        "read_database_info": lambda database: COUNTS,
        "apply_schema": lambda database: None,
        "_iterate_stored_records": lambda database, what, progress: RECORDS[what],
    }.items():
        monkeypatch.setattr(rebuild, name, made)
    return database


def read_parts(home: Path) -> list[str]:
    data = embedded.locate_store(home) / "data"
    return [path.read_text() for path in sorted(data.glob("*/neo4j/store"))]


def test_a_store_that_holds_everything_takes_the_place(store: Any, tmp_path: Path) -> None:
    rebuild.rebuild_store(store, tmp_path / "aside")
    assert read_parts(tmp_path) == ["new", "new"]
    assert not (tmp_path / "aside").exists()


@pytest.mark.parametrize("fault", ["counts", "start"])
def test_a_store_that_is_not_proven_leaves_the_old_one(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    if fault == "counts":
        fewer = SimpleNamespace(nodes={"Person": 1}, relationships={})
        monkeypatch.setattr(rebuild, "read_database_info", lambda database: fewer)
    else:

        def start(settings: Any) -> None:
            if read_parts(tmp_path) == ["new", "new"]:
                raise DatabaseError("Neo4j did not start.")

        monkeypatch.setattr(rebuild, "start_server", start)
    with pytest.raises(DatabaseError, match="lacks records" if fault == "counts" else "not start"):
        rebuild.rebuild_store(store, tmp_path / "aside")
    assert read_parts(tmp_path) == ["old", "old"]
    assert not (tmp_path / "aside").exists()


def test_an_old_store_that_cannot_be_put_back_is_named_and_stays(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    aside, real = tmp_path / "aside", embedded.finish_store_swap

    def break_off(home: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(embedded, "finish_store_swap", break_off)
    monkeypatch.setattr(rebuild, "finish_store_swap", break_off)
    with pytest.raises(DatabaseError, match="aside"):
        rebuild.rebuild_store(store, aside)
    assert embedded.locate_swap_mark(tmp_path).exists() and aside.exists()
    # As the next command does. The counts are those of the store read out before.
    real(tmp_path)
    assert read_parts(tmp_path) == ["new", "new"]
    monkeypatch.setattr(rebuild, "finish_store_swap", real)
    rebuild.rebuild_store(store, aside)
    assert read_parts(tmp_path) == ["new", "new"] and not aside.exists()


@pytest.mark.parametrize("moved", ["one", "both"])
def test_a_putting_back_that_was_killed_goes_on(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moved: str
) -> None:
    aside = tmp_path / "aside"
    rebuild.rebuild_store(store, aside)
    for place, parts in {
        "old/data": ("databases", "transactions")[: 1 if moved == "one" else 2],
        "neo4j/data": ("databases", "transactions")[1 if moved == "one" else 2 :],
    }.items():
        for part in parts:
            name = "neo4j" if place == "old/data" else "before"
            (aside / place / part / name).mkdir(parents=True)
            (aside / place / part / name / "store").write_text("old")
    real, seen = rebuild.export_records, []

    def export(*given: Any) -> Any:
        seen.append(read_parts(tmp_path))
        return real(*given)

    monkeypatch.setattr(rebuild, "export_records", export)
    rebuild.rebuild_store(store, aside)
    # The old store is read out once more: the other one was not proven.
    assert seen == [["old", "old"]] * 2
    assert read_parts(tmp_path) == ["new", "new"] and not aside.exists()


def test_neo4j_admin_reads_lines_of_any_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = []

    def run(settings: Any, command: list[str], *given: Any, **more: Any) -> admin.AdminResult:
        commands.append(command)
        return admin.AdminResult(0, "")

    monkeypatch.setattr(admin, "run_neo4j_admin", run)
    monkeypatch.setattr(
        bulk_import.configuration,
        "compute_memory_limits",
        lambda settings: SimpleNamespace(page_cache=64),
    )
    part = rebuild.ExportPart(tmp_path / "nodes-0.csv", "nodes", "Load", ["text:string"])
    part.add(["0", "长" * 3_000_000])
    long, short = part.finish(), bulk_import.ImportFile("--nodes=x", False)
    for at, files in enumerate(([short], [long])):
        bulk_import.run_store_import(
            SimpleNamespace(), tmp_path / str(at), files, "integer", print, admin.Message("It")
        )
    sizes = [
        int(word.split("=")[1])
        for command in commands
        for word in command
        if word.startswith("--read-buffer-size=")
    ]
    assert sizes[0] == 4 << 20 and 18_000_000 < sizes[1] < 18_001_000
