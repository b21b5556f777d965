"""Backups of a data folder whose graph is elsewhere: made, restored, refused, removed by rule."""

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import sqlite3
from collections import namedtuple
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from filelock import FileLock

from graph.archive.parts import PartWriter
from graph.archive.register import (
    RegisteredBackup,
    list_registered_backups,
    register_backup,
    remove_backups,
    select_expired_backups,
)
from graph.archive.sealing import SealedWriter
from graph.audit.log import AUDIT_FOLDER, record_event
from graph.audit.verification import verify_audit_log
from graph.backup import creation, restoring
from graph.backup.contents import list_backup_files
from graph.backup.creation import create_backup
from graph.backup.restoring import restore_backup, verify_backup, verify_backup_deeply
from graph.errors import ArchiveError, DatabaseError, RefusedError, ShichengError, UsageError
from graph.programme.notebook import Notebook
from graph.server.locks import LOAD_LOCK_NAME
from graph.settings import Settings
from graph.store.checksum import GraphChecksum
from loaders.erasure.backups import list_backups
from loaders.erasure.erased_people import ErasedPerson, bar_erased_people, list_erased_people
from tests.conftest import own_settings
from tests.live.shell import run_here

KEY = bytes(range(32))
LEFT_OUT = ("neo4j/data/x", "snapshots/a/b", "logs/l", "results/b1/000000.arrow", "a.dump")
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Of a data folder in use, whose graph is on a server of its own."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    Notebook(home).add("note", "me", "P1", {"text": "a"})
    for name in ("mappings/a.yaml", "accounts/accounts.json", "identity.key", "reports/1.json"):
        (home / name).parent.mkdir(exist_ok=True)
        (home / name).write_text(name)
    for name in (*LEFT_OUT, "load.lock", ".making-1"):
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(name)
    record_event(home, "query", what="a")
    facts = {"graph": False, "neo4j": "2026.08.1", "revision": 3}
    moment = creation.GraphMoment(facts)
    monkeypatch.setattr(creation, "_read_graph_moment", lambda settings: moment)
    return own_settings(home).model_copy(update={"neo4j_uri": "bolt://127.0.0.1:1"})


def read_tree(home: Path) -> dict[str, bytes]:
    """Every file of a backup's scope; the audit log has a line more after each act."""
    files = {file.relative_to(home).as_posix(): file for file in list_backup_files(home)}
    return {
        name: file.read_bytes() for name, file in files.items() if AUDIT_FOLDER not in file.parts
    }


def make_backup(settings: Settings, target: Path, **more: Any) -> Path:
    """Where a backup of it is."""
    return create_backup(settings, target, key=KEY, **more).file


def test_all_but_what_is_made_anew_comes_back_elsewhere(settings: Settings, tmp_path: Path) -> None:
    file = make_backup(settings, tmp_path)
    assert file.stat().st_mode & 0o777 == 0o600
    assert verify_backup(file, KEY).facts["revision"] == 3
    new = settings.at(tmp_path / "sub" / "new")
    done = restore_backup(new, file, key=KEY)
    assert done.aside is None and not done.erased
    before = read_tree(settings.home)
    assert {"notebook.sqlite", "mappings/a.yaml", "identity.key"} <= before.keys()
    with sqlite3.connect(new.home / "notebook.sqlite") as opened:
        assert opened.execute("SELECT count(*) FROM entries").fetchone() == (1,)
    after = read_tree(new.home)
    assert {k: v for k, v in after.items() if "sqlite" not in k} == {
        k: v for k, v in before.items() if "sqlite" not in k
    }
    assert not [name for name in LEFT_OUT if (new.home / name.partition("/")[0]).exists()]
    assert verify_audit_log(new.home).faults == () and verify_audit_log(new.home).lines == 3
    modes = {p.stat().st_mode & 0o077 for p in (new.home, *new.home.rglob("*.json"))}
    assert modes == {0}
    assert not list(new.home.parent.glob(".new.restoring-*"))


@pytest.mark.parametrize("name", ["mappings/b.yaml", "mappings/b.sqlite"])
def test_a_file_that_vanishes_meanwhile_is_left_out(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    expected, vanished = read_tree(settings.home), settings.home / name
    listed = sorted([*list_backup_files(settings.home), vanished])
    monkeypatch.setattr(creation, "list_backup_files", lambda home: listed)
    file = make_backup(settings, tmp_path)
    new = settings.at(tmp_path / "new")
    restore_backup(new, file, key=KEY)
    assert read_tree(new.home).keys() == expected.keys()
    assert not vanished.exists()


def test_an_existing_folder_is_replaced_when_that_is_said(
    settings: Settings, tmp_path: Path
) -> None:
    file = make_backup(settings, tmp_path)
    (settings.home / "mappings" / "a.yaml").write_text("changed")
    with pytest.raises(RefusedError, match="is not empty"):
        restore_backup(settings, file, key=KEY)
    (settings.home / "erased.json").write_text('{"people": []}')
    done = restore_backup(settings, file, key=KEY, replace=True)
    assert (settings.home / "mappings" / "a.yaml").read_text() == "mappings/a.yaml"
    assert done.aside is not None and (done.aside / "mappings/a.yaml").read_text() == "changed"
    assert done.erased and (settings.home / "erased.json").exists()
    assert {done.aside, file} <= {one.path for one in list_backups(settings.home)}


def test_whoever_was_erased_stays_out(settings: Settings, tmp_path: Path) -> None:
    file = make_backup(settings, tmp_path)
    (settings.home / "erased.json").write_text('{"people": []}')
    (settings.home / "identity.key").write_text("another")
    before = read_tree(settings.home)
    with pytest.raises(ShichengError, match=r"another identity\.key"):
        restore_backup(settings, file, key=KEY, replace=True)
    assert read_tree(settings.home) == before
    assert not list(tmp_path.glob("*restoring*")) and not list(tmp_path.glob("*replaced*"))


def test_who_is_erased_while_the_restore_waits_stays_out(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, last = (ErasedPerson(id, "2026-11-30", (id,)) for id in ("first", "last"))
    bar_erased_people(settings.home, [first])
    file = make_backup(settings, tmp_path)
    (settings.home / "erased.json").unlink()  # by a restore of an older backup, say

    class SlowLock(FileLock):
        """Another holds it until people were erased."""

        def acquire(self, *args: Any, **more: Any) -> Any:
            if self.lock_file.endswith(LOAD_LOCK_NAME):
                bar_erased_people(settings.home, [last])
            return super().acquire(*args, **more)

    monkeypatch.setattr(restoring, "FileLock", SlowLock)
    done = restore_backup(settings, file, key=KEY, replace=True)
    assert done.erased and list_erased_people(settings.home) == [last, first]


def forge_backup(file: Path, path: str, **facts: Any) -> Path:
    """A backup without a key that holds one part of anybody's choice."""
    stated = {"graph": False, "made_at": "2026-12-01T00:00:00+00:00", "revision": 3} | facts
    with file.open("wb") as out:
        writer = PartWriter(SealedWriter(out, stated, None))
        writer.add_part("mappings/a.yaml", "file", [b"a"])
        writer.add_part(path, "file", [b"b"])
        writer.finish_parts()
    return file


@pytest.mark.parametrize(
    "path",
    ["neo4j/plugins/x.jar", "./Neo4j/conf/x", "snapshots/a/b", "standing.json", "a/.b/c", "x.lock"],
)
def test_a_part_that_no_backup_holds_is_refused(
    settings: Settings, tmp_path: Path, path: str
) -> None:
    file = forge_backup(tmp_path / "a.backup", path)
    before = sorted(tmp_path.rglob("*"))
    for home in (settings.home, tmp_path / "sub" / "new"):
        with pytest.raises(ArchiveError, match="a backup never holds"):
            restore_backup(settings.at(home), file, key=None, replace=True)
    with pytest.raises(ArchiveError, match="a backup never holds"):
        verify_backup(file, None)
    assert sorted(tmp_path.rglob("*")) == before


def test_rows_of_results_in_an_earlier_backup_are_not_restored(
    settings: Settings, tmp_path: Path
) -> None:
    file = forge_backup(tmp_path / "a.backup", "results/b1/000000.arrow")
    new = settings.at(tmp_path / "new")
    assert restore_backup(new, file, key=None).verified.sizes == {"mappings/a.yaml": 1}
    assert not (new.home / "results").exists()


@pytest.mark.parametrize("facts", [{"made_at": None}, {"graph": 1}, {"graph": True}])
def test_facts_that_are_missing_are_named(tmp_path: Path, facts: dict[str, Any]) -> None:
    with pytest.raises(ArchiveError, match="lacks what a backup states"):
        verify_backup(forge_backup(tmp_path / "a.backup", "b", **facts), None)


def test_a_backup_without_a_key_needs_a_word_where_a_key_is_set(
    settings: Settings, tmp_path: Path
) -> None:
    file = forge_backup(tmp_path / "a.backup", "b")
    new, before = settings.at(tmp_path / "new"), sorted(tmp_path.rglob("*"))
    with pytest.raises(ArchiveError, match="--unencrypted"):
        verify_backup(file, KEY)
    with pytest.raises(ArchiveError, match="--unencrypted"):
        restore_backup(new, file, key=KEY)
    assert sorted(tmp_path.rglob("*")) == before
    given = {"SHICHENG_HOME": str(new.home), "SHICHENG_LANG": "en"}
    given |= {"NEO4J_URI": "bolt://127.0.0.1:1", "SHICHENG_BACKUP_KEY": KEY.hex()}
    for command in (["backup", "verify", file], ["restore", file]):
        assert run_here(command, given).returncode == 1
        done = run_here([*command, "--unencrypted"], given)
        assert done.returncode == 0, done.stderr
    assert (new.home / "b").read_text() == "b"


def test_a_deep_verification_leaves_a_line_of_the_log_alone(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_backup(settings, tmp_path)
    lines, before = verify_audit_log(settings.home).lines, sorted(tmp_path.rglob("*"))
    modes: list[int] = []
    fill = restoring._fill_home

    def fill_then_fail(made: Settings, *rest: Any) -> None:
        fill(made, *rest)
        assert made.home.parent.parent == settings.home.parent
        modes.append(made.home.parent.stat().st_mode & 0o777)
        if len(modes) > 1:
            raise OSError(28, os.strerror(28))

    monkeypatch.setattr(restoring, "_fill_home", fill_then_fail)
    assert verify_backup_deeply(settings, file, KEY).facts["revision"] == 3
    with pytest.raises(DatabaseError, match="No space left"):
        verify_backup_deeply(settings, file, KEY)
    assert modes == [0o700, 0o700] and sorted(tmp_path.rglob("*")) == before
    assert verify_audit_log(settings.home).lines == lines + 2
    absent = settings.at(tmp_path / "absent")
    monkeypatch.setattr(restoring, "_fill_home", fill)
    verify_backup_deeply(absent, file, KEY)
    assert not absent.home.exists()


def test_a_key_of_the_environment_serves_a_replacing_restore(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHICHENG_ID_KEY", "0123456789abcdef" * 4)
    (settings.home / "identity.key").unlink()  # with the variable there is none
    days = {"p1": "2026-01-01", "p2": "2026-01-02", "p9": "2026-01-03"}
    people = [ErasedPerson(digest, day, (digest,)) for digest, day in days.items()]
    bar_erased_people(settings.home, people[:2])
    file = make_backup(settings, tmp_path)
    (settings.home / "erased.json").unlink()
    bar_erased_people(settings.home, people[2:])
    assert restore_backup(settings, file, key=KEY, replace=True).erased
    assert list_erased_people(settings.home) == people


def test_a_swap_that_fails_puts_the_old_folder_back(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_backup(settings, tmp_path)
    (settings.home / "mappings" / "a.yaml").write_text("changed")
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if "restoring" in self.name:
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(DatabaseError, match="nothing was restored"):
        restore_backup(settings, file, key=KEY, replace=True)
    assert (settings.home / "mappings" / "a.yaml").read_text() == "changed"
    assert [p.name for p in tmp_path.iterdir() if "home" in p.name] == ["home"]


@pytest.mark.parametrize("damage", ["cut", "flipped", "key"])
def test_a_damaged_backup_leaves_everything_as_it_was(
    settings: Settings, tmp_path: Path, damage: str
) -> None:
    file = make_backup(settings, tmp_path)
    data = bytearray(file.read_bytes())
    data[-100] ^= 1 if damage == "flipped" else 0
    file.write_bytes(data[:-10] if damage == "cut" else data)
    for home in (settings.home, tmp_path / "new"):
        before = sorted(tmp_path.rglob("*"))
        with pytest.raises(ArchiveError):
            key = bytes(32) if damage == "key" else KEY
            restore_backup(settings.at(home), file, key=key, replace=True)
        assert sorted(tmp_path.rglob("*")) == before


def test_a_full_disk_is_refused_before(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = make_backup(settings, tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(1, 1, 10))
    with pytest.raises(ArchiveError, match="MB free, and the backup may take"):
        make_backup(settings, tmp_path / "other.backup")
    with pytest.raises(ArchiveError, match="MB free, and the restored data folder takes"):
        restore_backup(settings.at(tmp_path / "new"), file, key=KEY)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([file.name, "home"])


def test_a_disk_that_gets_full_leaves_nothing_half(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(writer: SealedWriter) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(SealedWriter, "finish", fail)
    with pytest.raises(ShichengError, match="No space left"):
        create_backup(settings, tmp_path, key=KEY)
    assert [p.name for p in tmp_path.iterdir()] == ["home"]


def test_what_is_under_way_is_refused(settings: Settings, tmp_path: Path) -> None:
    with (
        FileLock(settings.home / LOAD_LOCK_NAME),
        pytest.raises(DatabaseError, match=r"A load .* is running"),
    ):
        make_backup(settings, tmp_path)
    (settings.home / "erasure").mkdir()
    (settings.home / "erasure" / "order.json").write_text("{}")
    with pytest.raises(ShichengError, match="forget --resume"):
        make_backup(settings, tmp_path)
    shutil.rmtree(settings.home / "erasure")
    with pytest.raises(UsageError, match="no folder"):
        make_backup(settings, tmp_path / "absent" / "a.backup")
    (tmp_path / "a.backup").write_text("mine")
    with pytest.raises(UsageError, match="exists already"):
        make_backup(settings, tmp_path / "a.backup")
    make_backup(settings, tmp_path / "a.backup", force=True)
    (settings.home / "templates").symlink_to(tmp_path)
    with pytest.raises(ArchiveError, match="templates is a link"):
        make_backup(settings, tmp_path / "b.backup")
    with pytest.raises(DatabaseError, match="no data folder"):
        make_backup(settings.at(tmp_path / "absent"), tmp_path)


def test_a_store_that_does_not_fit_is_refused(settings: Settings, tmp_path: Path) -> None:
    facts = {"graph": True, "neo4j": "2099.01.0", "revision": 3}
    verified = restoring.VerifiedBackup(tmp_path / "a", True, facts, {})
    embedded = own_settings(tmp_path / "new")
    with pytest.raises(DatabaseError, match=r"SHICHENG_NEO4J_VERSION=2099\.01\.0"):
        restoring._require_usable(embedded, verified)
    with pytest.raises(UsageError, match="unset it to restore"):
        restoring._require_usable(settings, verified)


def test_what_rules_keep(tmp_path: Path) -> None:
    now = dt.datetime(2026, 12, 1, tzinfo=dt.UTC)
    made = [
        RegisteredBackup(
            str(tmp_path / f"{day}.backup"),
            (now - dt.timedelta(days=day)).isoformat(timespec="seconds"),
            1,
            None,
            True,
        )
        for day in (40, 30, 5, 1)
    ]

    def removed(keep: int | None, days: int | None) -> list[str]:
        return [one.path.stem for one in select_expired_backups(made, keep, days, now)]

    assert removed(None, None) == []
    assert removed(2, None) == ["40", "30"]
    assert removed(9, None) == []
    assert removed(None, 10) == ["40", "30"]
    assert removed(3, 2) == ["40"]
    assert select_expired_backups(made[:1], None, 10, now) == []  # the newest stays
    for one in made[1:]:
        one.path.touch()
        register_backup(tmp_path, one)
    with (tmp_path / "backups.jsonl").open("a") as listed:
        listed.write('{"file": "torn')
    assert list_registered_backups(tmp_path) == made[1:]
    assert remove_backups(tmp_path, made[1:2]) == 1
    assert list_registered_backups(tmp_path) == made[2:]


def test_a_backup_is_listed_with_its_last_day(settings: Settings, tmp_path: Path) -> None:
    file = make_backup(settings, tmp_path, days=30)
    (found,) = [one for one in list_backups(settings.home) if one.path == file]
    until = dt.datetime.now(dt.UTC).date() + dt.timedelta(days=30)
    assert found.until == until.isoformat()
    lines = (settings.home / "backups.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["encrypted"] is True


def test_a_graph_that_is_not_the_stated_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = SimpleNamespace(nodes={"Person": 2}, relationships={})
    monkeypatch.setattr(restoring, "connect", lambda settings: nullcontext())
    monkeypatch.setattr(restoring, "read_database_info", lambda database: info)
    found = GraphChecksum(2, 0, "1" * 64)
    monkeypatch.setattr(restoring, "compute_graph_checksum", lambda database: found)
    stated = {"nodes": {"Person": 2}, "relationships": {}, "checksum": found.as_dict()}
    verified = restoring.VerifiedBackup(tmp_path / "a", True, stated, {})
    restoring._require_same_graph(own_settings(tmp_path), verified)
    stated["checksum"] = found.as_dict() | {"sha256": "2" * 64}
    with pytest.raises(ArchiveError, match="is not the one that it states"):
        restoring._require_same_graph(own_settings(tmp_path), verified)


def test_the_command_asks_for_a_key_and_removes_by_rule(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "backups"
    place.mkdir()
    given = {
        "SHICHENG_HOME": str(settings.home),
        "NEO4J_URI": "bolt://127.0.0.1:1",
        "SHICHENG_LANG": "en",
    }
    refused = run_here(["backup", "create", place], given)
    assert refused.returncode == 4 and "openssl rand -hex 32" in refused.stderr
    with_key = given | {"SHICHENG_BACKUP_KEY": KEY.hex()}
    assert run_here(["backup", "create", place, "--unencrypted"], with_key).returncode == 2
    for name in ("a.backup", "b.backup"):
        done = run_here(["backup", "create", place / name, "--keep", "1", "--json"], with_key)
        assert done.returncode == 0, done.stderr
        assert "NEO4J_URI names a server of its own" in done.stderr
    assert [file.name for file in place.iterdir()] == ["b.backup"]
    assert json.loads(done.stdout)["removed"] == [str(place / "a.backup")]
    assert run_here(["backup", "verify", place / "b.backup"], with_key).returncode == 0
    assert run_here(["backup", "verify", place / "b.backup"], given).returncode == 1
    (row,) = json.loads(run_here(["backup", "list", "--json"], given).stdout)
    assert (row["encrypted"], row["erased"], row["overdue"]) == (True, 0, False)
    assert run_here(["backup", "prune"], given).returncode == 2
    new = ["--home", tmp_path / "new", "restore", place / "b.backup", "--json"]
    assert json.loads(run_here(new, with_key).stdout)["aside"] is None
    assert run_here(new, with_key).returncode == 4
