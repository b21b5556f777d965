"""The full store: info, dump, restore, check, with Neo4j's own neo4j-admin."""

from __future__ import annotations

from pathlib import Path

import pytest

from graph.errors import DatabaseError, UsageError
from graph.messages import Message
from graph.server import admin, embedded, location
from graph.server.database import Database, connect
from graph.settings import Settings


def test_info_counts_what_is_there(empty_database: Database) -> None:
    empty_database.write(
        "CREATE (:Person:Apprentice)<-[:MENTORS]-(:Person), "
        "(:Load {load_id: 'a', revision: 1, finished_at: datetime('2026-01-01T00:00:00Z')}), "
        "(:Load {load_id: 'b', revision: 2})"
    )
    info = admin.read_database_info(empty_database)
    assert info.nodes == {"Apprentice": 1, "Load": 2, "Person": 2}
    assert info.relationships == {"MENTORS": 1}
    assert (info.revision, info.unfinished) == (1, ("b",))
    assert info.embedded and info.store_bytes
    assert info.version == empty_database.version


def test_dump_restore_and_check(second: Settings, tmp_path: Path) -> None:
    file, messages = tmp_path / "all.dump", list[Message]()
    with connect(second) as database:
        database.write("MATCH (n) DETACH DELETE n")
        database.write("CREATE (:Person {person_id: 'kept'})")
        made = admin.dump_store(second, file, say=messages.append)
        assert made.size == file.stat().st_size > 1000
        assert [str(line) for line in messages] == [
            "Stopping Neo4j: the store must be offline ...",
            "Starting Neo4j again ...",
        ]
        assert [entry.name for entry in tmp_path.iterdir()] == ["all.dump"]
        with pytest.raises(UsageError, match=r"exists already.*--force"):
            admin.dump_store(second, file)

        database.write("MATCH (p:Person) SET p.person_id = 'changed'")
        embedded.stop_server(second)
        broken = tmp_path / "broken.dump"
        broken.write_bytes(file.read_bytes()[:500])
        with pytest.raises(DatabaseError, match=r"broken\.dump failed .*the store is as it was"):
            admin.restore_store(second, broken)
        admin.restore_store(second, file)
        assert admin.check_store(second) == admin.StoreCheck(True, ())
        assert location.find_running_server(second) is None  # it was stopped before, so it stays so
        assert not list(second.home.glob("restore-*"))
        assert database.read("MATCH (p:Person) RETURN p.person_id AS id") == [{"id": "kept"}]


def test_a_damaged_store_is_found(second: Settings) -> None:
    with connect(second) as database:
        database.write("UNWIND range(1, 5000) AS n CREATE (:Damaged {n: n})-[:R]->(:Damaged)")
    embedded.stop_server(second)
    folder = location.locate_store(second.home) / "data" / "databases" / "neo4j"
    files = [file for file in folder.glob("*relationshipstore.db") if file.is_file()]
    assert files
    content = files[0].read_bytes()
    half = len(content) // 4
    files[0].write_bytes(content[:half] + bytes(1000) + content[half + 1000 :])
    found = admin.check_store(second)
    files[0].write_bytes(content)
    assert not found.consistent and found.report


def test_what_cannot_be_is_refused(settings: Settings, tmp_path: Path) -> None:
    named = settings.model_copy(update={"neo4j_uri": "bolt://127.0.0.1:7687"})
    for act in (
        lambda: admin.dump_store(named, tmp_path / "x.dump"),
        lambda: admin.restore_store(named, tmp_path / "x.dump"),
        lambda: admin.check_store(named),
    ):
        with pytest.raises(UsageError, match="unset NEO4J_URI"):
            act()
    with pytest.raises(UsageError, match="There is no dump"):
        admin.restore_store(settings, tmp_path / "absent.dump")
    empty = settings.at(tmp_path)
    with pytest.raises(DatabaseError, match="no store in"):
        admin.dump_store(empty, tmp_path / "x.dump")
    with pytest.raises(DatabaseError, match="no store in"):
        admin.check_store(empty)
