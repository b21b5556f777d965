"""A load that cannot finish is undone: at once, or, when it was killed, by the next load."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.errors import DatabaseError
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store import merge as writing
from graph.store.digest import format_canonical_lines
from graph.store.standing import read_graph_state
from loaders import folder
from loaders.reports import LoadReport
from loaders.sync import load_records
from tests.live.test_bulk import FIRST, SECOND, write
from tests.live.test_during_loads import Paused

DELTA = {
    "people": "person_id,name,province,enterprise_id,source\np1,改,44,e2,hr\np2,,,,hr\n"
    "p9,九,32,e1,hr\np2,李,,,hr\n",
    "mentorships": "mentor_id,apprentice_id,start,source\np1,p2,2021-04-01,hr\np9,p1,,union\n",
    "talents": "person_id,basis,recognised_on\np9,全国技术能手,2020-05-01\n",
    "training_targets": "person_id,listed_on\np9,2024-02-02\np1,2025-01-01\n",
}
LESS = {"people": "person_id,name\np1,王一\n"}
EVERYTHING = [*FIRST, *SECOND]
Failing = Callable[[int], None]


def load(database: Database, settings: Settings, *paths: Path, **given: Any) -> LoadReport:
    return load_records(database, "folder", folder.get(paths), home=settings.home, **given)


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Failing]:
    """`failing(n)`: the n-th batch from now on fails in the database; 0: none does."""
    run, left = writing.Writer.run_batch, [0]

    def once(self: writing.Writer, work: Any, rows: int) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise DatabaseError("Neo4j could not do it.")
        run(self, work, rows)

    monkeypatch.setattr(writing.Writer, "run_batch", once)

    def fail(batch: int) -> None:
        left[0] = batch

    yield fail


COMPLETE = {"complete": True, "agreed": True, "withdrawn": EVERYTHING}


@pytest.mark.parametrize(
    ("tables", "given", "step"),
    [
        (DELTA, {}, 10),
        (LESS, COMPLETE, 10),
        pytest.param(DELTA, {}, 1, marks=pytest.mark.soak),
        pytest.param(LESS, COMPLETE, 1, marks=pytest.mark.soak),
    ],
    ids=["delta", "complete", "delta, each batch", "complete, each batch"],
)
def test_wherever_it_fails_the_graph_is_as_it_was(
    tables: dict[str, str],
    given: dict[str, Any],
    step: int,
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    failing: Failing,
) -> None:
    """`step`: every how many batches it fails, load after load."""
    first = write(tmp_path / "hr", FIRST), write(tmp_path / "second", SECOND)
    load(empty_database, settings, *first)
    before = list(format_canonical_lines(empty_database))
    path = write(tmp_path / "hr", tables)
    batch, others = 0, "MATCH (n:Load|Change|Undo) RETURN labels(n)[0] AS label, count(*) AS n"
    there = empty_database.read(others)
    while True:
        batch += step
        failing(batch)
        try:
            load(empty_database, settings, path, **given)
        except DatabaseError:
            assert list(format_canonical_lines(empty_database)) == before
            assert empty_database.read(others) == there
            assert read_graph_state(empty_database).revision == 1
            assert take_snapshot(empty_database, settings).revision == 1
        else:
            break
    assert batch > 2 * step  # it failed at two places and more
    assert read_graph_state(empty_database).revision == 2
    assert list(format_canonical_lines(empty_database)) != before
    statement = "MATCH (u:Undo) MATCH (l:Load {load_id: u.load_id}) RETURN DISTINCT l.revision AS n"
    assert empty_database.read(statement) == [{"n": 2}]


def test_a_first_load_that_fails_leaves_nothing_and_can_be_tried_again(
    empty_database: Database, settings: Settings, tmp_path: Path, failing: Failing
) -> None:
    path = write(tmp_path / "hr", FIRST)
    failing(7)
    with pytest.raises(DatabaseError):
        load(empty_database, settings, path)
    assert empty_database.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]
    assert load(empty_database, settings, path).revision == 1


def test_a_killed_load_is_undone_by_another_sources_load(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write(tmp_path / "hr", FIRST))
    Paused(settings, write(tmp_path / "other", DELTA)).killed()
    unfinished = "MATCH (l:Load) WHERE l.finished_at IS NULL RETURN count(l) AS n"
    assert empty_database.read(unfinished) == [{"n": 1}]
    load(empty_database, settings, write(tmp_path / "second", SECOND))
    after = list(format_canonical_lines(empty_database))
    assert not any("other" in line for line in after)
    assert empty_database.read(unfinished) == [{"n": 0}]
    assert take_snapshot(empty_database, settings).revision == 2
