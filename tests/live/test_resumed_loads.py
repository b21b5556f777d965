"""A load that was killed and is run again: on from the last acknowledged batch, or undone."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import pytest

from graph.messages import Message
from graph.server.database import Database
from graph.settings import Settings
from graph.store import creation, merge
from graph.store.digest import compute_store_digest
from graph.store.standing import read_graph_state
from loaders import folder, sync
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.synthetic.network import write_synthetic_folder
from loaders.tables import RereadTables
from tests.emptying import emptied

BATCHES = 10**9
UNDONE = "A load that broke off has been undone."


class KilledError(BaseException):
    """As if the process had gone: nothing is undone."""


@dataclass
class Loader:
    """Loads folders into a store; `kill_at`: after how many batches it goes."""

    database: Database
    settings: Settings
    said: list[str] = field(default_factory=list)
    written: int = 0
    kill_at: int = 0

    def load(self, *paths: Path, kill_at: int = 0, **given: Any) -> LoadReport:
        self.said, self.written, self.kill_at = [], 0, kill_at
        return load_records(
            self.database,
            "folder",
            RereadTables(lambda: folder.get(paths)),
            home=self.settings.home,
            bulk_rows=BATCHES,
            progress=self._count,
            say=self._hear,
            **given,
        )

    def kill(self, *paths: Path, at: int, **given: Any) -> None:
        with pytest.raises(KilledError):
            self.load(*paths, kill_at=at, **given)

    def _count(self, what: str, done: int, total: int) -> None:
        self.written += what == "write"
        if what == "write" and self.written == self.kill_at:
            raise KilledError

    def _hear(self, line: Message) -> None:
        self.said.append(str(line))


@pytest.fixture
def loader(empty_database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Loader:
    monkeypatch.setenv("SHICHENG_ID_KEY", "0123456789abcdef" * 4)
    monkeypatch.setattr(creation, "CREATE_BATCH_ROWS", 30)
    monkeypatch.setattr(creation, "HUB_ROWS", 60)
    monkeypatch.setattr(merge, "WRITE_BATCH_ROWS", 30)
    # Who is killed undoes nothing.
    monkeypatch.setattr(sync, "_undo_failed_load", lambda database, load_id, say: None)
    return Loader(empty_database, settings)


def goes_on(said: list[str]) -> bool:
    assert not (UNDONE in said and any("goes on at row" in line for line in said))
    return any("goes on at row" in line for line in said)


@pytest.mark.parametrize("times", [1, pytest.param(8, marks=pytest.mark.soak)])
def test_wherever_it_is_killed_it_goes_on_to_what_a_clean_load_leaves(
    times: int, loader: Loader, tmp_path: Path
) -> None:
    """A first load, then one on top that takes rows back, each killed twice on its way."""
    first, second = tmp_path / "first" / "hr", tmp_path / "second" / "hr"
    for seed, path in enumerate((first, second), 1):
        write_synthetic_folder(path, talents=4, workers=80, seed=seed)
    complete = {"complete": True, "agreed": True}
    written, digests = [], []
    for path, given in ((first, {}), (second, complete)):
        loader.load(path, **given)
        written.append(loader.written)
        digests.append(compute_store_digest(loader.database))
    chance = Random(20_261_130)
    for _ in range(times):
        emptied(loader.database)
        for revision, (path, given) in enumerate(((first, {}), (second, complete))):
            early, late = sorted(chance.sample(range(2, written[revision]), 2))
            loader.kill(path, at=early, **given)
            if revision:
                assert read_graph_state(loader.database).revision == revision
            loader.kill(path, at=late, **given)
            assert goes_on(loader.said)
            report = loader.load(path, **given)
            assert goes_on(loader.said)
            assert report.revision == revision + 1
            assert compute_store_digest(loader.database) == digests[revision]
    left = loader.database.read("MATCH (l:Load) RETURN count(l) AS n, count(l.staged) AS staged")
    assert left == [{"n": 2, "staged": 0}]


def test_other_rows_another_program_and_another_way_undo_it_first(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, other = tmp_path / "hr", tmp_path / "other" / "hr"
    write_synthetic_folder(path, talents=4, workers=60, seed=1)
    loader.load(path)
    clean = compute_store_digest(loader.database)
    shutil.copytree(path, other)
    people = (other / "people.csv").read_text("utf-8").splitlines(keepends=True)
    (other / "people.csv").write_text("".join([people[0], *reversed(people[1:])]), "utf-8")
    for killed, given, program in (
        (other, {}, False),
        (path, {"complete": True, "agreed": True}, False),
        (path, {}, True),
    ):
        emptied(loader.database)
        with monkeypatch.context() as changed:
            if program:
                changed.setattr("loaders.resumption.compute_program_digest", lambda: "another")
            loader.kill(killed, at=5, **given)
        loader.load(path)
        assert UNDONE in loader.said
        assert not goes_on(loader.said)
        assert compute_store_digest(loader.database) == clean
