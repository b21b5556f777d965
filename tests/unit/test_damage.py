"""Damaged files of the data folder that need no server: found, said, mended or set aside."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from graph.errors import DatabaseError, ShichengError
from graph.programme.notebook import Notebook
from graph.server import configuration, damage, embedded, location
from graph.server.doctor import run_doctor_checks
from graph.server.identity_key import build_id_digester
from graph.settings import Settings
from tests.conftest import own_settings
from tests.damage_kinds import a_folder, absent, cut, empty, garbage, open_to_all
from ui.data import load_reports

PLACE = "snapshots/0123456789ab/000001-0123456789ab"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data folder as loads, pages and servers leave it; nothing of it is damaged."""
    folder = tmp_path / PLACE
    (folder / "results" / "driven-3-abc").mkdir(parents=True)
    (folder / "results" / "rows").mkdir()
    table = pl.DataFrame({"person": range(1_000)})
    for file in ("people.parquet", "results/table-own-abc.parquet"):
        table.write_parquet(folder / file)
    table.write_parquet(folder / "results/driven-3-abc/talents.parquet")
    (folder / "results/driven-3-abc/result.json").write_text('{"national": {}, "lines": {}}')
    np.save(folder / "results/rows/at.npy", np.arange(1_000))
    (folder / "rows-people-3").mkdir()
    table.write_ipc(folder / "rows-people-3/rows.arrow", compression="uncompressed")
    np.save(folder / "rows-people-3/index.npy", np.arange(1_000))
    (folder / "snapshot.json").write_text(json.dumps({"revision": 1, "rows": {"people": 1_000}}))
    (tmp_path / "reports").mkdir()
    (tmp_path / "reports" / "20260101.json").write_text("{}")
    (tmp_path / "neo4j" / "data" / "databases" / "neo4j").mkdir(parents=True)
    (tmp_path / "neo4j.version").write_text("2026.08.1")
    (tmp_path / "neo4j.json").write_text('{"port": 1, "pid": 1, "began": 1.0, "version": "x"}')
    location.load_server_password(own_settings(tmp_path))
    build_id_digester(tmp_path)
    Notebook(tmp_path).add("note", "me", "P1", {"text": "a"})
    assert damage.find_damage(own_settings(tmp_path)) == []
    return tmp_path


def read_by_all_of_sqlite(file: Path) -> None:
    """Pages in the midst of it are overwritten."""
    with sqlite3.connect(file) as opened:
        opened.execute("PRAGMA journal_mode=DELETE")
    with file.open("r+b") as stream:
        stream.seek(4096)
        stream.write(os.urandom(6_000))


KINDS: list[tuple[str, Callable[[Path], None], str]] = [
    (f"{PLACE}/snapshot.json", cut, "made anew"),
    (f"{PLACE}/snapshot.json", empty, "made anew"),
    (f"{PLACE}/snapshot.json", garbage, "made anew"),
    (f"{PLACE}/snapshot.json", absent, "made anew"),
    (f"{PLACE}/people.parquet", cut, "made anew"),
    (f"{PLACE}/people.parquet", empty, "made anew"),
    (f"{PLACE}/people.parquet", garbage, "made anew"),
    (f"{PLACE}/people.parquet", absent, "made anew"),
    (f"{PLACE}/results/driven-3-abc/result.json", cut, "made anew"),
    (f"{PLACE}/results/driven-3-abc/talents.parquet", cut, "made anew"),
    (f"{PLACE}/results/table-own-abc.parquet", garbage, "made anew"),
    (f"{PLACE}/results/rows/at.npy", cut, "made anew"),
    (f"{PLACE}/rows-people-3/rows.arrow", cut, "made anew"),
    (f"{PLACE}/rows-people-3/rows.arrow", empty, "made anew"),
    (f"{PLACE}/rows-people-3/rows.arrow", garbage, "made anew"),
    (f"{PLACE}/rows-people-3/index.npy", cut, "made anew"),
    ("reports/20260101.json", cut, "of a load is damaged"),
    ("neo4j.version", garbage, "makes it anew"),
    ("neo4j.version", empty, "makes it anew"),
    ("neo4j.json", cut, "makes it anew"),
    ("neo4j.password", empty, "makes it anew"),
    ("neo4j.password", garbage, "makes it anew"),
    ("neo4j.password", open_to_all, "chmod 600"),
    ("neo4j/data", absent, "is gone"),
    ("neo4j.lock", a_folder, "take it away"),
    ("load.lock", a_folder, "take it away"),
    ("notebook.sqlite", garbage, "sets it aside"),
    ("notebook.sqlite", read_by_all_of_sqlite, "sets it aside"),
    ("identity.key", cut, "put it back from a copy"),
    ("identity.key", empty, "put it back from a copy"),
]


@pytest.mark.parametrize(
    ("name", "how", "said"), KINDS, ids=[f"{n.split('/')[-1]}-{h.__name__}" for n, h, _ in KINDS]
)
def test_the_doctor_finds_it_and_says_what_to_do(
    home: Path, name: str, how: Callable[[Path], None], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    how(home / name)
    found = damage.find_damage(own_settings(home))
    assert len(found) == 1 and said in str(found[0])
    assert found[0].said("zh") != str(found[0])  # a sentence in Chinese too
    for check in ("_check_database", "_check_finished_loads"):
        monkeypatch.setattr(f"graph.server.doctor.{check}", lambda settings: "not looked at")
    monkeypatch.setenv("LANG", "C")
    files = [f for f in run_doctor_checks(own_settings(home)) if f.what == "files"]
    assert [f.ok for f in files] == [False] and said in files[0].found


@pytest.mark.parametrize(("name", "how"), [k[:2] for k in KINDS if k[0].startswith(PLACE)])
def test_of_a_snapshot_only_what_is_damaged_is_made_anew(
    home: Path, name: str, how: Callable[[Path], None]
) -> None:
    how(home / name)
    damage.pop_damage_notes()
    assert damage.mend_snapshot(home / PLACE)
    if "results" in name:
        assert (home / PLACE / "snapshot.json").exists()
        assert not (home / name).exists()
        assert len(list((home / PLACE / "results").iterdir())) == 2
        assert (home / PLACE / "rows-people-3").exists()
    elif "rows-people" in name:
        assert (home / PLACE / "snapshot.json").exists()
        assert not (home / PLACE / "rows-people-3").exists()
        assert len(list((home / PLACE / "results").iterdir())) == 3
    else:
        assert not (home / PLACE).exists()
    assert len(damage.pop_damage_notes()) == 1 and damage.pop_damage_notes() == []
    assert not damage.mend_snapshot(home / PLACE)
    assert damage.find_damage(own_settings(home)) == []


@pytest.mark.parametrize("how", [garbage, read_by_all_of_sqlite, cut])
def test_a_damaged_notebook_is_set_aside_with_a_sentence(
    home: Path, how: Callable[[Path], None]
) -> None:
    file = home / "notebook.sqlite"
    how(file)
    before = file.read_bytes()
    notebook = Notebook(home)
    assert notebook.entries("note") == []
    (aside,) = home.glob("notebook.sqlite.damaged-*")
    assert aside.read_bytes() == before
    assert str(aside) in str(damage.pop_damage_notes()[-1])
    notebook.add("note", "me", "P1", {"text": "b"})


def test_a_notebook_damaged_while_the_app_runs_is_set_aside_at_its_next_use(home: Path) -> None:
    notebook = Notebook(home)
    garbage(home / "notebook.sqlite")
    with pytest.raises(ShichengError, match="set aside"):
        notebook.entries("note")
    assert notebook.entries("note") == []


def test_a_notebook_that_cannot_be_opened_is_said(home: Path) -> None:
    a_folder(home / "notebook.sqlite")
    with pytest.raises(ShichengError, match=r"notebook .* cannot be used"):
        Notebook(home).entries("note")


@pytest.mark.parametrize("how", [garbage, empty])
def test_a_damaged_password_is_made_anew(home: Path, how: Callable[[Path], None]) -> None:
    file = home / "neo4j.password"
    how(file)
    made = location.load_server_password(own_settings(home))
    assert len(made) >= 24 and file.read_text() == made
    assert file.stat().st_mode & 0o777 == 0o600
    assert location.load_server_password(own_settings(home)) == made


def test_a_password_that_others_could_read_is_its_owners_again(home: Path) -> None:
    open_to_all(home / "neo4j.password")
    location.load_server_password(own_settings(home))
    assert (home / "neo4j.password").stat().st_mode & 0o777 == 0o600


def test_a_garbage_version_or_runtime_file_stops_nothing(home: Path) -> None:
    garbage(home / "neo4j.version")
    garbage(home / "neo4j.json")
    garbage(home / "neo4j.port")
    settings = own_settings(home)
    embedded.check_store_version(settings)
    assert (
        configuration.read_store_version(home) is None
        and location.find_running_server(settings) is None
    )
    assert configuration.read_preferred_port(home) == 0


def test_a_store_that_is_gone_is_not_begun_anew_in_silence(home: Path) -> None:
    absent(home / "neo4j")
    with pytest.raises(DatabaseError, match=r"is gone .*db restore"):
        embedded.start_server(own_settings(home))
    (home / "neo4j.version").unlink()
    assert damage.find_damage(own_settings(home)) == []


def test_a_damaged_key_of_the_digests_is_refused(home: Path) -> None:
    cut(home / "identity.key")
    with pytest.raises(ShichengError, match="put it back from a copy"):
        build_id_digester(home)


def test_a_lock_that_is_a_folder_is_said(home: Path) -> None:
    a_folder(home / "neo4j.lock")
    with (
        pytest.raises(DatabaseError, match="cannot be written"),
        embedded.hold_server_lock(home),
    ):
        pass


def test_a_damaged_report_of_a_load_is_set_aside(home: Path) -> None:
    cut(home / "reports" / "20260101.json")
    damage.pop_damage_notes()
    assert load_reports.fetch_load_report(home, "20260101") is None
    assert "is set aside" in str(damage.pop_damage_notes()[0])
    assert list((home / "reports").glob("*.damaged-*"))


def test_a_data_folder_that_is_a_file_is_said(tmp_path: Path) -> None:
    file = tmp_path / "home"
    file.touch()
    with pytest.raises(DatabaseError, match="cannot be written"):
        embedded.start_server(Settings().at(file))
