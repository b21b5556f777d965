"""Several data folders that load into one server: one at a time, and nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from pydantic import SecretStr

from graph.errors import DatabaseError
from graph.messages import Message
from graph.server.database import Database, connect
from graph.server.location import load_server_password
from graph.settings import Settings
from graph.store.digest import compute_store_digest
from graph.store.load_turn import hold_load_turn
from loaders import folder, sync
from loaders.sync import load_records
from loaders.tables import RereadTables
from tests.emptying import emptied

pytestmark = pytest.mark.lts
PEOPLE = 200
NAMES = ("hr", "union", "school", "tax")


@pytest.fixture
def folders(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> Iterator[list[Database]]:
    """The server by its address, as data folders of their own see it."""
    named = {
        "neo4j_uri": empty_database.uri,
        "neo4j_password": SecretStr(load_server_password(settings)),
    }
    with ExitStack() as opened:
        yield [
            opened.enter_context(
                connect(settings.model_copy(update={**named, "home_path": tmp_path / name}))
            )
            for name in NAMES
        ]


def write_people(place: Path, source: str, people: int = PEOPLE) -> Path:
    path = place / source
    path.mkdir(parents=True)
    rows = "".join(f"p{number},{source}{number}\n" for number in range(people))
    (path / "people.csv").write_text(f"person_id,name\n{rows}", "utf-8")
    return path


def load(database: Database, path: Path) -> int | None:
    tables = RereadTables(lambda: folder.get([path]))
    home = database.settings.home
    return load_records(database, "folder", tables, home=home, queue=True).revision


def test_folders_that_load_at_once_lose_none_of_each_others_rows(
    folders: list[Database], empty_database: Database, tmp_path: Path
) -> None:
    paths = [write_people(tmp_path / "files", name) for name in NAMES]
    with ThreadPoolExecutor(len(NAMES)) as at_once:
        revisions = list(at_once.map(load, folders, paths))
    assert sorted(revisions, key=str) == [1, 2, 3, 4]
    (found,) = empty_database.read(
        "MATCH (p:Person) RETURN count(p) AS people, min(size(p.sources)) AS sources"
    )
    assert found == {"people": PEOPLE, "sources": len(NAMES)}


def test_what_another_folder_left_is_undone_before_and_never_after(
    folders: list[Database],
    empty_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class KilledError(BaseException):
        """As if the process had gone: nothing is undone."""

    def kill(what: str, done: int, total: int) -> None:
        if what == "write":
            raise KilledError

    hr, union, school, _ = folders
    paths = [write_people(tmp_path / "files", name) for name in NAMES]
    for database, path in ((school, paths[2]), (union, paths[1]), (hr, paths[0])):
        load(database, path)
    clean = compute_store_digest(empty_database)
    emptied(empty_database)
    load(school, paths[2])
    with monkeypatch.context() as killed, pytest.raises(KilledError):
        killed.setattr(sync, "_undo_failed_load", lambda database, load_id, say: None)
        tables = RereadTables(lambda: folder.get([paths[0]]))
        load_records(hr, "folder", tables, home=hr.settings.home, progress=kill)
    assert load(union, paths[1]) == 2
    assert load(hr, paths[0]) == 3
    assert compute_store_digest(empty_database) == clean


def test_a_load_that_is_not_to_wait_says_who_loads(folders: list[Database]) -> None:
    said: list[Message] = []
    with hold_load_turn(folders[0]):
        refused = pytest.raises(DatabaseError, match="Another data folder is loading")
        with refused, hold_load_turn(folders[1]):
            pass
    with hold_load_turn(folders[1], say=said.append):
        assert not said
