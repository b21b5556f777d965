"""Kinds of damage to a data folder beyond those of `test_damage.py`: found and named, or mended."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
import time
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from graph.accounts.registry import list_accounts
from graph.analysis.api_tokens import create_token
from graph.archive.register import RegisteredBackup, register_backup
from graph.archive.sealing import SealedWriter
from graph.audit.log import record_event
from graph.errors import DatabaseError, ShichengError
from graph.programme.notebook import Notebook
from graph.server import doctor, embedded
from graph.server.admin import list_noted_dumps
from graph.server.damage import find_damage
from graph.server.identity_key import build_id_digester
from graph.server.location import load_server_password
from graph.server.locks import is_load_running, is_store_offline
from loaders.erasure.erased_people import list_erased_people
from tests.conftest import own_settings
from tests.damage_kinds import a_folder, absent, cut, empty, garbage, open_to_all

Usage = namedtuple("Usage", "total used free")
NOW = dt.datetime.now(dt.UTC)
KEY = "ab" * 32


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder in use, with everything that people stated; nothing of it is damaged."""
    folder = tmp_path / "home"
    folder.mkdir(mode=0o700)
    for name, text in {
        "accounts/accounts.json": '{"accounts": []}',
        "tokens.json": "[]",
        "erased.json": '{"version": 1, "people": []}',
        "erasures.log": '{"what": "erase"}\n',
        "dumps.jsonl": '{"file": "/absent.dump"}\n',
        "standing.json": "{}",
        "retention.yaml": "version: 1\n",
        "mappings/a.yaml": "version: 1\n",
        "neo4j.version": "2026.08.1",
        "neo4j/data/databases/neo4j/x": "",
        "load.lock": "",
    }.items():
        (folder / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(0o600)
    Notebook(folder).add("note", "me", "P1", {"text": "a"})
    load_server_password(own_settings(folder))
    build_id_digester(folder)
    record_event(folder, "query", what="a")
    record_event(folder, "query", what="b")
    file = tmp_path / "newest.backup"
    with file.open("wb") as out:
        SealedWriter(out, {"revision": 1}, bytes.fromhex(KEY)).finish()
    made = NOW.isoformat(timespec="seconds")
    register_backup(folder, RegisteredBackup(str(file), made, file.stat().st_size, 1, True))
    monkeypatch.setenv("SHICHENG_BACKUP_KEY", KEY)
    monkeypatch.setenv("SHICHENG_LANG", "en")
    monkeypatch.delenv("SHICHENG_ID_KEY", raising=False)
    assert examine(folder) == {}
    return folder


def examine(home: Path) -> dict[str, str]:
    """What `shicheng doctor` finds wrong, without the checks that start Neo4j."""
    settings = own_settings(home)
    said = {str(at): message for at, message in enumerate(map(str, find_damage(settings)))}
    checks = {
        "folder": doctor._check_data_folder,
        "audit": doctor._check_audit_log,
        "backups": doctor._check_backups,
        "disk": doctor._check_free_disk,
        "version": lambda settings: embedded.check_store_version(settings),
    }
    for name, check in checks.items():
        finding = doctor._run_doctor_check(name, check, settings)
        if not finding.ok:
            said[name] = finding.found
    return said


def flip_bit(file: Path) -> None:
    """One bit in its midst is another."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def a_list(file: Path) -> None:
    """It is JSON, and not what stands there."""
    file.write_text("[1]")


def a_broken_link(file: Path) -> None:
    """A link in its place leads nowhere."""
    absent(file)
    file.symlink_to("/absent/place")


def of_another(path: Path) -> None:
    """It belongs to another account."""
    if os.geteuid():
        pytest.skip("only root gives files away")
    os.chown(path, 12345, -1)


def torn_line(file: Path) -> None:
    """Its last line was broken off."""
    with file.open("a") as out:
        out.write('{"file": "/to')


def left_long_ago(path: Path) -> None:
    """A killed command left it."""
    path.mkdir(parents=True)
    os.utime(path, (time.time() - 90_000,) * 2)


def of_version(version: str) -> Callable[[Path], None]:
    """The store was written by that version of Neo4j."""

    def write(file: Path) -> None:
        file.write_text(version)

    write.__name__ = version
    return write


def swap_lines(file: Path) -> None:
    """Two lines changed places."""
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(reversed(lines)))


def old_backup(file: Path) -> None:
    """No backup was made for long."""
    line = json.loads(file.read_text()) | {"made_at": (NOW - dt.timedelta(days=30)).isoformat()}
    file.write_text(json.dumps(line))


MONTH = f"audit/{NOW:%Y-%m}.jsonl"
KINDS: list[tuple[str, Callable[[Path], None], str]] = [
    ("accounts/accounts.json", cut, "put it back from a backup"),
    ("accounts/accounts.json", garbage, "put it back from a backup"),
    ("accounts/accounts.json", a_list, "put it back from a backup"),
    ("accounts/accounts.json", open_to_all, "chmod 600"),
    ("accounts/accounts.json", of_another, "belongs to another account"),
    ("tokens.json", cut, "put it back from a backup"),
    ("tokens.json", empty, "put it back from a backup"),
    ("tokens.json", open_to_all, "chmod 600"),
    ("erased.json", cut, "put it back from a backup"),
    ("erasures.log", torn_line, "line 2: this is no line"),
    ("dumps.jsonl", torn_line, "line 2: this is no line"),
    ("backups.jsonl", torn_line, "line 2: this is no line"),
    ("standing.json", cut, "make it anew"),
    ("retention.yaml", garbage, "put it back from a backup"),
    ("mappings/a.yaml", garbage, "put it back from a backup"),
    ("mappings/a.yaml", a_list, "put it back from a backup"),
    ("notebook.sqlite", empty, "is empty"),
    ("notebook.sqlite", a_broken_link, "leads nowhere"),
    ("identity.key", absent, "who was erased is not recognised"),
    ("neo4j.version", of_version("2099.01.0"), "SHICHENG_NEO4J_VERSION=2099.01.0"),
    ("neo4j.version", of_version("5.26.30"), "SHICHENG_NEO4J_VERSION=5.26.30"),
    (MONTH, cut, "audit verify"),
    (MONTH, absent, "audit verify"),
    (MONTH, flip_bit, "audit verify"),
    (MONTH, swap_lines, "audit verify"),
    ("audit/head.json", garbage, "audit verify"),
    ("audit/digest.key", open_to_all, "chmod 600"),
    ("offline.lock", a_folder, "is a folder"),
    ("tokens.json.lock", a_folder, "is a folder"),
    (".", open_to_all, "chmod 700"),
    (".", of_another, "belongs to another account"),
    (".making-1", left_long_ago, "left by a command that was killed"),
    ("reports/.making-1", left_long_ago, "left by a command that was killed"),
    ("restore-abc", left_long_ago, "left by a command that was killed"),
    ("../.home.restoring-abc", left_long_ago, "left by a command that was killed"),
    ("../.home.verifying-abc", left_long_ago, "left by a command that was killed"),
    ("backups.jsonl", old_backup, "30 days old"),
    ("../newest.backup", cut, "damaged or cut off"),
    ("../newest.backup", torn_line, "another size"),
    ("../newest.backup", garbage, "no backup by"),
]


@pytest.mark.parametrize(
    ("name", "how", "said"), KINDS, ids=[f"{n}-{getattr(h, '__name__', '')}" for n, h, _ in KINDS]
)
def test_damage_is_found_and_named(
    home: Path, name: str, how: Callable[[Path], None], said: str
) -> None:
    how(home / name)
    found = examine(home)
    assert len(found) == 1 and said in next(iter(found.values()))


def test_a_token_is_no_damage(home: Path) -> None:
    create_token(own_settings(home), "a test", "analyst", 1)
    assert examine(home) == {}


def test_a_full_disk_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1, 1, 10))
    assert "make room" in examine(home)["disk"]


def test_a_missing_key_of_backups_is_named(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHICHENG_BACKUP_KEY")
    assert "no key is set" in examine(home)["backups"]


def test_stale_locks_stop_nothing(home: Path) -> None:
    for name in ("load.lock", "offline.lock", "neo4j.lock"):
        (home / name).write_text("12345")
    assert not is_load_running(home) and not is_store_offline(home)
    with FileLock(home / "load.lock", timeout=0):
        assert is_load_running(home)
    assert examine(home) == {}


def test_a_change_of_the_notebook_that_was_broken_off_is_undone(home: Path) -> None:
    file = home / "notebook.sqlite"
    opened = sqlite3.connect(file, isolation_level=None)
    opened.execute("PRAGMA cache_size = 1")
    opened.execute("BEGIN")
    opened.execute("DELETE FROM entries")
    opened.executemany(
        "INSERT INTO entries (kind, owner, subject, made_at, body) VALUES ('note','x','x','x',?)",
        [("x" * 1_000,)] * 50,
    )
    for name in ("notebook.sqlite", "notebook.sqlite-journal"):  # as a kill leaves them
        shutil.copy(home / name, home.parent / name)
    opened.close()
    for name in ("notebook.sqlite", "notebook.sqlite-journal"):
        shutil.copy(home.parent / name, home / name)
    assert [entry.body["text"] for entry in Notebook(home).entries("note")] == ["a"]


def test_what_is_damaged_is_refused_where_it_is_used(home: Path) -> None:
    cut(home / "accounts/accounts.json")
    with pytest.raises(ShichengError, match="damaged"):
        list_accounts(home)
    cut(home / "erased.json")
    with pytest.raises(ShichengError, match="damaged"):
        list_erased_people(home)
    torn_line(home / "dumps.jsonl")
    assert list_noted_dumps(home) == [Path("/absent.dump")]
    (home / "neo4j.version").write_text("2099.01.0")
    with pytest.raises(DatabaseError, match=r"2099\.01\.0"):
        embedded.start_server(own_settings(home))
