"""What bars erased people, what names them in files, and the rules of retention."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from filelock import FileLock
from hypothesis import given
from hypothesis import strategies as st

from graph.driven.publish import publish_figures
from graph.errors import DatabaseError, IncompleteError, ShichengError, UsageError
from graph.programme.notebook import MAX_ENTRY_CHARACTERS, Notebook
from graph.server.locks import LOAD_LOCK_NAME, is_load_running
from loaders.erasure import completion, retention
from loaders.erasure.activity_log import ACTIVITY_LOG_NAME, log_activity
from loaders.erasure.backups import list_backups
from loaders.erasure.erased_people import (
    ERASED_FILE_NAME,
    allow_erased_person,
    bar_erased_people,
    build_erased_person,
    find_erased_person,
    list_erased_people,
    open_erased_people,
)
from loaders.erasure.erasure_order import ErasureOrder, PersonTerms, write_erasure_order
from loaders.erasure.person_traces import (
    SEARCHED_CHUNK_BYTES,
    erase_notebook_entries,
    find_traces,
    list_unreadable_files,
    mask_listed_findings,
    mask_reports,
)
from loaders.erasure.retention_policy import (
    RetentionPolicy,
    read_retention_policy,
    write_example_policy,
)
from loaders.erasure.term_matcher import TermMatcher
from loaders.findings import FINDING_COLUMNS
from loaders.reports import write_findings


def test_ids_are_masked_where_they_stand_alone() -> None:
    matcher = TermMatcher(PersonTerms(("P0012", "17", "人社局:0017"), ("王五",), ("S1234567",)))
    cases = {
        "MENTORS P0012 P00123": "MENTORS *** P00123",
        "这是人员P0012，按编号": "这是人员***，按编号",
        "XP0012 P0012-2 P0012_a": "XP0012 P0012-2 P0012_a",
        "17": "***",
        "people.csv:17, 17 rows": "people.csv:17, 17 rows",
        "人社局:0017": "***",
        "王五工作室 S1234567": "***工作室 ***",
    }
    assert {text: matcher.mask(text) for text in cases} == cases
    assert matcher.mask_values({"a": [1, "P0012"], "b": None}) == {"a": [1, "***"], "b": None}


@given(st.text("P01 -_:王", max_size=30))
def test_what_was_masked_names_nobody_any_more(text: str) -> None:
    matcher = TermMatcher(PersonTerms(("P01", "10"), ("王",), ("0-1",)))
    assert not matcher.is_in(matcher.mask(text))
    assert TermMatcher(PersonTerms()).mask(text) == text


def test_findings_on_rows_of_the_person_lose_their_values(tmp_path: Path) -> None:
    rows = [
        ("people.csv", 17, "birth_date", "1985-13-01", "no date", "不是日期", "refused"),
        ("people.csv", 18, "birth_date", "1985-13-02", "no date", "不是日期", "refused"),
        ("people.csv", 19, "id", "", "the same as P0012", "与 P0012 相同", "remark"),
    ]
    path = tmp_path / "rejects" / "20260101T000000-a.csv"
    write_findings(pl.DataFrame(rows, schema=FINDING_COLUMNS, orient="row"), path)
    matcher = TermMatcher(PersonTerms(("P0012",), rows=("people.csv:17",)))
    assert mask_listed_findings(tmp_path, matcher, dry_run=True) == 1
    assert "13-01" in path.read_text("utf-8-sig")
    assert mask_listed_findings(tmp_path, matcher) == 1
    found = pl.read_csv(path)
    assert found["value"].to_list() == ["***", "1985-13-02", ""]
    assert found["reason"].to_list() == ["no date", "no date", "the same as ***"]
    assert mask_listed_findings(tmp_path, matcher) == 0
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_notebook_is_written_anew_without_what_went(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    for at in range(200):
        notebook.add("note", "m", f"person:p{at}", {"text": f"secret-{at} of somebody"})
    remaining = notebook.add("note", "m", "person:q", {"text": "stays"})
    assert notebook.redact(lambda entry: entry) == 0
    assert notebook.redact(lambda e: e if e == remaining else None, dry_run=True) == 200
    assert notebook.redact(lambda e: e if e == remaining else None) == 200
    assert notebook.entries("note") == [remaining]
    assert b"secret-" not in (tmp_path / "notebook.sqlite").read_bytes()


def test_bars_hold_digests_alone_and_are_asked_by_id_and_number(tmp_path: Path) -> None:
    assert open_erased_people(tmp_path) is None
    person = build_erased_person(tmp_path, ["P1", "Q1"], ["digest of a number"], "2026-11-30")
    bar_erased_people(tmp_path, [person])
    bar_erased_people(tmp_path, [person, build_erased_person(tmp_path, ["P2"], [], "2026-12-01")])
    assert [one.day for one in list_erased_people(tmp_path)] == ["2026-11-30", "2026-12-01"]
    path = tmp_path / ERASED_FILE_NAME
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "P1" not in path.read_text() and "number" not in path.read_text()
    erased = open_erased_people(tmp_path)
    assert erased is not None
    assert erased.find_ids(pl.Series(["P1", "P3", None, "Q1", "P2"])) == {"P1", "Q1", "P2"}
    assert erased.find_number_digests(pl.Series(["digest of a number", "P1"])) == {
        "digest of a number"
    }
    assert find_erased_person(tmp_path, "Q1") == person
    assert allow_erased_person(tmp_path, person.digest[:8]) == person
    with pytest.raises(UsageError, match="nobody with this digest"):
        allow_erased_person(tmp_path, "P1")
    path.write_text("{")
    with pytest.raises(ShichengError, match="damaged"):
        open_erased_people(tmp_path)


def test_traces_are_found_in_any_file(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("the name is 王五六", "utf-8")
    (tmp_path / "b.bin").write_bytes(b"\x00" + "王五六".encode("utf-16-le"))
    (tmp_path / "c.txt").write_text("17", "utf-8")
    (tmp_path / "d.txt").touch()
    found = find_traces(tmp_path, PersonTerms(("17",), ("王五六",)))
    assert [path.name for path in found] == ["a.txt", "b.bin"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_traces_are_found_between_zeros_and_across_chunks(tmp_path: Path, encoding: str) -> None:
    term = "P0017".encode(encoding)
    for place in range(len(term) + 1):
        content = bytes(2 * SEARCHED_CHUNK_BYTES - place) + term + bytes(SEARCHED_CHUNK_BYTES)
        (tmp_path / "log").write_bytes(content)
        assert find_traces(tmp_path, PersonTerms(("P0017",))) == [tmp_path / "log"]


def test_a_policy_is_data_and_says_what_is_wrong(tmp_path: Path) -> None:
    assert read_retention_policy(tmp_path) == RetentionPolicy()
    path = write_example_policy(tmp_path)
    assert read_retention_policy(tmp_path).refused_rows_days == 365
    with pytest.raises(UsageError, match="there already"):
        write_example_policy(tmp_path)
    for text in ("refused_rows_days: -1", "rows: 3", "- a", "a: [", "version: 2"):
        path.write_text(text)
        with pytest.raises(UsageError, match=r"retention\.yaml is no retention policy"):
            read_retention_policy(tmp_path)


def test_backups_are_listed_with_the_day_until_which_they_stay(tmp_path: Path) -> None:
    (tmp_path / "a.dump").write_bytes(b"x")
    (tmp_path / "notebook.sqlite.damaged-20260101T000000").write_bytes(b"x")
    (tmp_path / "uploads" / "visit").mkdir(parents=True)
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere.dump"
    elsewhere.write_bytes(b"x")
    gone = {"file": str(tmp_path / "gone.dump")}
    lines = [json.dumps(one) for one in ({"file": str(elsewhere)}, gone)]
    (tmp_path / "dumps.jsonl").write_text("\n".join(lines) + "\n")
    found = {one.path.name: one.until for one in list_backups(tmp_path)}
    assert found.keys() == {"a.dump", "visit", elsewhere.name} | {
        "notebook.sqlite.damaged-20260101T000000"
    }
    assert found["a.dump"] is None
    (tmp_path / "retention.yaml").write_text("backups_days: 30")
    found = {one.path.name: one.until for one in list_backups(tmp_path)}
    assert found["a.dump"] is not None and found[elsewhere.name] is None


def test_the_log_is_only_appended_to(tmp_path: Path) -> None:
    log_activity(tmp_path, "erase", people=1)
    log_activity(tmp_path, "allow", digests=["a"])
    path = tmp_path / ACTIVITY_LOG_NAME
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(one["what"], one.get("people")) for one in lines] == [("erase", 1), ("allow", None)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_file_that_is_no_list_is_named_and_stops_nothing(tmp_path: Path) -> None:
    rejects, reports = tmp_path / "rejects", tmp_path / "reports"
    rejects.mkdir()
    reports.mkdir()
    (rejects / "a.csv").write_bytes("文件,行\n王五,17\n".encode("gb18030"))
    (rejects / "b.csv").touch()
    (rejects / "c.csv").write_text("name,note\n王五,17\n", "utf-8")
    (reports / "d.json").write_text("[]")
    (reports / "e.json").write_text("{")
    rows = [("people.csv", 19, "id", "", "the same as P0012", "与 P0012 相同", "remark")]
    found = pl.DataFrame(rows, schema=FINDING_COLUMNS, orient="row")
    write_findings(found, rejects / "f.csv")
    (reports / "g.json").write_text('{"told": "P0012"}')
    matcher = TermMatcher(PersonTerms(("P0012",), ("王五",)))
    assert (mask_listed_findings(tmp_path, matcher), mask_reports(tmp_path, matcher)) == (1, 1)
    named = [path.name for path in list_unreadable_files(tmp_path)]
    assert named == ["a.csv", "b.csv", "c.csv", "d.json", "e.json"]


def test_entries_on_other_people_stay_in_the_notebook(tmp_path: Path) -> None:
    notebook = Notebook(tmp_path)
    notebook.add("decision", "m", "targets:人社局:0017", {"note": "P0012 比李明华强"})
    notebook.add("decision", "m", "targets:0017", {"note": ""})
    notebook.add("note", "m", "person:w1", {"text": "0" * (MAX_ENTRY_CHARACTERS - 20) + " 17 P1"})
    notebook.add("identity", "m", '["P0012", "w1"]', {"verdict": "different"})
    notebook.add("identity", "m", '["P00123", "w1"]', {"verdict": "different"})
    notebook.add("view", "m", "lineage", {"query": {"selected": "P0012"}})
    notebook.add("view", "m", "lineage", {"query": {"selected": "P00123"}})
    notebook.add("search", "m", "recent", {"text": "王五"})
    # Of 李明 only the ids are looked for: 李明华 has the name in hers.
    matcher = TermMatcher(PersonTerms(("P0012", "0017", "P1"), ("王五",)))
    assert erase_notebook_entries(tmp_path, matcher) == 6
    left = {
        kind: [(one.subject, one.body) for one in notebook.entries(kind)]
        for kind in ("decision", "identity", "view", "search")
    }
    assert left == {
        "decision": [("targets:人社局:0017", {"note": "*** 比李明华强"})],
        "identity": [('["P00123", "w1"]', {"verdict": "different"})],
        "view": [("lineage", {"query": {"selected": "P00123"}})],
        "search": [("recent", {"text": "***"})],
    }
    assert notebook.entries("note")[0].body["text"].endswith("0 17 ***")


@pytest.mark.parametrize("is_embedded", [True, False])
def test_an_order_is_completed_in_its_own_store_alone(tmp_path: Path, is_embedded: bool) -> None:
    settings = SimpleNamespace(home=tmp_path)
    database: Any = SimpleNamespace(
        embedded=is_embedded, uri="bolt://a:7687", name="neo4j", settings=settings
    )
    for store in ("bolt://a:7687 other", "bolt://b:7687 neo4j", "embedded")[
        : 2 + (not is_embedded)
    ]:
        write_erasure_order(tmp_path, ErasureOrder("l", 1, "m", "r", PersonTerms(), store=store))
        with pytest.raises(DatabaseError, match="complete it there first"):
            completion.complete_erasure(database)


def test_many_people_are_not_searched_for_and_that_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("P0012")
    said: list[str] = []
    for people, found in ((20, 1), (21, 0)):
        order = ErasureOrder("l", people, "m", "r", PersonTerms(("P0012",)))
        traces = completion._find_some_traces(tmp_path, order, lambda one: said.append(str(one)))
        assert len(traces) == found
    assert len(said) == 1 and "21 people went" in said[0]


def test_while_a_load_runs_no_bar_is_taken_back_and_no_figure_is_published(tmp_path: Path) -> None:
    bar_erased_people(tmp_path, [build_erased_person(tmp_path, ["P1"], [], "2026-11-30")])
    database: Any = SimpleNamespace(settings=SimpleNamespace(home=tmp_path))
    driven: Any = SimpleNamespace(revision=3)
    with FileLock(tmp_path / LOAD_LOCK_NAME):
        with pytest.raises(DatabaseError, match="is running"):
            allow_erased_person(tmp_path, "P1")
        with pytest.raises(IncompleteError, match="not published"):
            publish_figures(database, driven, pl.DataFrame())
    assert len(list_erased_people(tmp_path)) == 1


def test_people_are_looked_up_and_erased_by_rule_under_one_lock(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []

    def look(*given: Any) -> list[retention.RuleFindings]:
        seen.append(is_load_running(tmp_path))
        return [retention.RuleFindings("people_silent_years", 3, 1, ids=("p",))]

    def erase(database: Any, load_id: str, ids: Any, **more: Any) -> None:
        seen.append((tmp_path / "loads" / load_id).is_dir() and is_load_running(tmp_path))

    monkeypatch.setattr(retention, "undo_broken_loads", lambda *given: None)
    monkeypatch.setattr(retention, "plan_retention", look)
    monkeypatch.setattr(retention, "erase_people_locked", erase)
    database: Any = SimpleNamespace(settings=SimpleNamespace(home=tmp_path), embedded=True)
    retention.apply_retention(database, by="m")
    assert seen == [True, True]
