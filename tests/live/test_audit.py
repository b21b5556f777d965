"""Every act leaves its line in the audit log, and what cannot leave one does not happen."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from graph.audit.entries import AuditEntry, AuditFilter, iterate_audit_entries
from graph.audit.verification import verify_audit_log
from graph.cypher.named_queries import load_queries, run_cypher, run_query
from graph.errors import AuditError, RefusedError
from graph.programme.notebook import Notebook
from graph.server.database import Database
from graph.settings import Settings
from graph.store.digest import compute_store_digest
from loaders import folder
from loaders.erasure import completion
from loaders.erasure.person_erasure import erase_people
from loaders.sync import load_records
from loaders.undoing import undo_finished_load
from tests.live.shell import run_here
from tests.live.test_bulk import FIRST, SECOND, write
from tests.live.visiting import lead


@pytest.fixture
def log(settings: Settings) -> Iterator[Callable[..., list[AuditEntry]]]:
    """The lines so far, the oldest first, of a log that begins here; some of them by event."""
    shutil.rmtree(settings.home / "audit", ignore_errors=True)

    def read(*events: str) -> list[AuditEntry]:
        found = [*iterate_audit_entries(settings.home, AuditFilter())][::-1]
        assert not verify_audit_log(settings.home).faults
        return [one for one in found if not events or one.event in events]

    yield read
    shutil.rmtree(settings.home / "audit", ignore_errors=True)


def test_acts_on_the_store_leave_lines_that_name_nobody(
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    log: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # What an erasure does to Neo4j's files is shown elsewhere: here it would start the server anew.
    monkeypatch.setattr(completion, "rebuild_store", lambda *given, **more: None)
    database, home = empty_database, settings.home
    for name, tables in (("first", FIRST), ("second", SECOND)):
        write(tmp_path / name, tables)
    first = load_records(database, "folder", folder.get([tmp_path / "first"]), home=home)
    second = load_records(database, "folder", folder.get([tmp_path / "second"]), home=home)
    load_records(database, "folder", folder.get([tmp_path / "second"]), home=home, dry_run=True)
    undo_finished_load(database, second.load_id, "someone")
    run_query(database, load_queries()["chain_down"], {"person_id": "p1"})
    text = "MATCH (p:Person {person_id: 'p1'}) WHERE p.name = '王一' RETURN p.name AS WangYi"
    run_cypher(database, text)
    with pytest.raises(RefusedError):
        run_cypher(database, "MATCH (p:Person) SET p.name = '王一' RETURN p")
    notebook = Notebook(home)
    notebook.add_all("decision", "li", ["targets:p1", "targets:p2"], {"verdict": "accepted"})
    notebook.add("school_identity", "li", '["s1", "s2"]', {"verdict": "same"})
    notebook.add("note", "li", "person:p1", {"text": "a note"})
    erase_people(database, ["p1"], by="someone")
    found = log()
    acts = ("load", "load", "undo", "query", "query", "query", "refusal")
    assert [one.event for one in found] == [*acts, "decision", "decision", "erasure"]
    assert [one.facts.get("load_id") for one in found[:2]] == [first.load_id, second.load_id]
    assert found[2].facts["undoes"] == second.load_id
    assert found[4].facts["statement"] == (
        "MATCH ( x : Person { person_id : ? } ) WHERE x . name = ? RETURN x . name AS x"
    )
    assert found[7].facts["people_count"] == 2 and found[7].facts["verdict"] == "accepted"
    assert {one.via for one in found} == {"python"}
    for path in (home / "audit").iterdir():
        for secret in ("王一", '"p1"', "WangYi"):
            assert secret not in path.read_text("utf-8")
    by_person = iterate_audit_entries(home, AuditFilter(person="p1"))
    assert [one.event for one in by_person] == ["erasure", "decision", "query"]


def test_what_cannot_be_logged_does_not_happen(
    network: Database, settings: Settings, tmp_path: Path, log: Any
) -> None:
    (settings.home / "audit").write_text("in the way")
    try:
        digest = compute_store_digest(network)
        write(tmp_path / "first", FIRST)
        with pytest.raises(AuditError):
            load_records(network, "folder", folder.get([tmp_path / "first"]), home=settings.home)
        with pytest.raises(AuditError):
            run_cypher(network, "RETURN 1")
        home = {"SHICHENG_HOME": str(settings.home)}
        out = tmp_path / "network.graphml"
        done = run_here(["export", "network", "-o", out], home)
        assert (done.returncode, out.exists()) == (1, False), done.stderr
        assert "nothing was done" in done.stderr
        assert compute_store_digest(network) == digest
    finally:
        (settings.home / "audit").unlink()


def test_visits_reads_refusals_and_the_page_itself(
    network: Database,
    settings: Settings,
    app: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    log: Any,
) -> None:
    [[talent]] = [
        row.values()
        for row in network.read("MATCH (p:LeadingTalent) RETURN p.person_id AS id LIMIT 1")
    ]
    app("talent", lang="en", id=talent)
    assert "stewards" in lead(app("audit", lang="en"))
    assert [one.event for one in log()] == ["sign_in", "sign_in", "refusal"]
    monkeypatch.setenv("SHICHENG_ROLE", "steward")
    app("talent", lang="en", id=talent).run()
    assert [one.facts["what"] for one in log("read")] == ["profile"]
    seen = app("audit", lang="en")
    assert "5 lines" in lead(seen) or "6 lines" in lead(seen), lead(seen)
    home = {"SHICHENG_HOME": str(settings.home)}
    assert run_here(["audit", "search"], home).returncode == 0
    done = run_here(["audit", "search", "--person", talent, "--json"], home)
    assert '"profile"' in done.stdout and talent not in done.stdout
    out = tmp_path / "audit.jsonl"
    assert run_here(["audit", "export", "-o", out], home).returncode == 0
    assert len(out.read_text().splitlines()) >= 5
    assert [one.facts["format"] for one in log("export")] == ["jsonl"]
    assert run_here(["audit", "verify"], home).returncode == 0
    monkeypatch.setenv("SHICHENG_ROLE", "manager")
    assert run_here(["audit", "search"], home).returncode == 4
    [path] = (settings.home / "audit").glob("*.jsonl")
    path.write_text(path.read_text().replace('"local"', '"nobody"', 1))
    done = run_here(["audit", "verify"], home)
    assert done.returncode == 1 and "line 2" in done.stdout
    shutil.rmtree(settings.home / "audit")
