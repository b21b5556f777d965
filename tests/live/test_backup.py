"""A backup of a data folder in use, restored elsewhere: the same graph, while figures are given."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from graph.backup import restoring
from graph.backup.creation import create_backup
from graph.driven.results import load_driven
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.server.database import Database, connect
from graph.server.locks import is_store_offline
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.checksum import GraphChecksum, compute_graph_checksum
from graph.store.digest import compute_store_digest
from tests.filling import filled

KEY = bytes(range(32))


class FigureReader:
    """Asks for the figures over and over, on a thread, as pages do."""

    def __init__(self, settings: Settings) -> None:
        self.offline: list[int] = []
        self.figures: set[int] = set()
        self.said: set[str] = set()
        self._settings = settings
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> FigureReader:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        with connect(self._settings) as database:
            while not self._ended.is_set():
                was_offline = is_store_offline(self._settings.home)
                snapshot = take_snapshot(database, self._settings)
                figure = load_driven(snapshot, Policy()).talents["driven"].sum()
                self.figures.add(figure)
                if snapshot.standing is not None and snapshot.standing.unfinished is not None:
                    self.said.add(snapshot.standing.unfinished.condition)
                if was_offline:
                    self.offline.append(figure)
                self._ended.wait(0.05)


def test_a_backup_restored_elsewhere_is_the_same(
    second: Settings,
    second_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    filled(second_database, second, tmp_path / "made", talents=3, workers=60, seed=4)
    Notebook(second.home).add("note", "me", "P0000001", {"text": "before"})
    digest = compute_store_digest(second_database)
    with FigureReader(second) as reader:
        made = create_backup(second, tmp_path, key=KEY)
    assert reader.offline and len(reader.figures) == 1
    assert reader.said == {"offline"}
    assert made.facts["nodes"]["Person"] and made.facts["revision"]

    assert second_database.write("MATCH (p:Person) SET p.name = 'changed'").properties_set
    Notebook(second.home).add("note", "me", "P0000001", {"text": "after"})
    found = list[str]()

    def compute(database: Database) -> GraphChecksum:
        found.append(compute_store_digest(database))
        return compute_graph_checksum(database)

    monkeypatch.setattr(restoring, "compute_graph_checksum", compute)
    elsewhere = second.at(tmp_path / "elsewhere")
    restoring.restore_backup(elsewhere, made.file, key=KEY)
    assert found == [digest]
    notes = Notebook(elsewhere.home).entries("note", subject="P0000001")
    assert notes[0].body["text"] == "before"
    assert not (elsewhere.home / "neo4j.json").exists()
