"""A dry run says what the load does to the headline: exactly what it then does."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

from graph.driven.results import load_driven
from graph.policy import DEFAULT_POLICY, Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import compute_store_digest
from loaders import folder
from loaders.matching.judgements import save_judgement
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.synthetic.network import write_synthetic_folder
from tests.live.test_bulk import FIRST, SECOND, write
from tests.live.test_complete_loads import FIRST as COMPLETE

CONFORMANCE = Path(__file__).parents[1] / "conformance"
POLICIES = (DEFAULT_POLICY, Policy.parsed(year_alone="first", ordered=False))
TODAY = dt.date(2026, 11, 23)
Load = Callable[..., LoadReport]


def load(database: Database, settings: Settings, *paths: Path, **given: Any) -> LoadReport:
    tables = folder.get(paths)
    return load_records(database, "folder", tables, home=settings.home, today=TODAY, **given)


def describe_files(home: Path) -> dict[str, int]:
    """Every file of the caches, with the time of its last change."""
    files = [p for p in (home / "snapshots").rglob("*") if p.is_file()]
    return {str(p): p.stat().st_mtime_ns for p in files if p.name not in ("result.json",)}


def promise_and_load(
    database: Database, settings: Settings, *paths: Path, **given: Any
) -> tuple[Any, Any]:
    """The headline before and after that the dry run promises; the load then keeps it.

    Under each policy, and with nothing written by the dry run.
    """
    digest, files = compute_store_digest(database), describe_files(settings.home)
    counted = "MATCH (n) RETURN count(n) AS nodes"
    nodes = database.read(counted)
    promised = [
        load(database, settings, *paths, dry_run=True, policy=policy, **given).headline
        for policy in POLICIES
    ]
    assert compute_store_digest(database) == digest
    assert database.read(counted) == nodes
    assert describe_files(settings.home) == files
    load(database, settings, *paths, **given)
    snapshot = take_snapshot(database, settings)
    for headline, policy in zip(promised, POLICIES, strict=True):
        assert headline is not None and headline.unknown is None
        assert headline.after == load_driven(snapshot, policy).national
    first = promised[0]
    assert first is not None and first.after is not None
    return first.before, first.after


def test_a_dirty_network_and_hostile_folders_of_several_sources(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    write_synthetic_folder(tmp_path / "dirty", talents=6, workers=200, seed=7, dirt=0.05)
    before, after = promise_and_load(empty_database, settings, tmp_path / "dirty")
    assert before is None and after["driven_persons"]
    one, two = write(tmp_path / "shi", FIRST), write(tmp_path / "sheng", SECOND)
    promise_and_load(empty_database, settings, one)
    promise_and_load(empty_database, settings, two)
    # The first again, with less: it takes back what it stated.
    gone = ("practices", "trainings")
    for name in gone:
        (one / f"{name}.csv").unlink()
    write(one, {"mentorships": "mentor_id,apprentice_id,start,source\np1,p2,2021-04-01,union\n"})
    given = {"complete": True, "agreed": True, "withdrawn": [*gone, "mentorships"]}
    promise_and_load(empty_database, settings, one, **given)


def test_conformance_folders_one_after_the_other(
    empty_database: Database, settings: Settings
) -> None:
    for number in (1, 2, 3):
        promise_and_load(empty_database, settings, CONFORMANCE / f"case{number}")


def test_two_people_that_the_load_makes_one(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    people = "人员编号,姓名,身份证号\nK1,师傅,\nK2,徒,110101199003078558\nK3,徒,\n"
    known = write(tmp_path / "shi", COMPLETE | {"people": people})
    before, after = promise_and_load(empty_database, settings, known)
    assert after["driven_persons"] == 2
    # The same ID number under another id joins two of the graph.
    number = people.replace("K3,徒,", "K3,徒,110101199003078558")
    before, after = promise_and_load(
        empty_database, settings, write(tmp_path / "ju", {"people": number})
    )
    assert (before["driven_persons"], after["driven_persons"]) == (2, 1)


def test_two_people_whom_a_steward_judged_one(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "shi", COMPLETE)
    promise_and_load(empty_database, settings, path)
    save_judgement(settings.home, "K2", "K3", "same", "steward")
    try:
        before, after = promise_and_load(empty_database, settings, path)
    finally:
        (settings.home / "notebook.sqlite").unlink()
    assert (before["driven_persons"], after["driven_persons"]) == (2, 1)


def test_what_cannot_be_known_is_said(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    path = write(tmp_path / "shi", COMPLETE)
    load(empty_database, settings, path)
    empty_database.write("CREATE (:Load {load_id: '2', started_at: '2026-01-01T00:00:00Z'})")
    headline = load(empty_database, settings, path, dry_run=True).headline
    assert headline is not None and headline.after is None
    assert "has not finished" in str(headline.unknown)
