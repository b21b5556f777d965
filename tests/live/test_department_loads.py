"""Departments' files by the command line: looked at, confirmed, loaded, and what they count."""

from __future__ import annotations

import json
import shutil
from functools import partial
from pathlib import Path

import pytest

from graph.people.aliases import count_merged_ids, list_further_ids
from graph.server.database import Database
from graph.server.identity_key import build_id_digester
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders.department_files import DepartmentFiles, iterate_raw_tables, read_department_files
from loaders.mapping.mapping import save_mapping
from loaders.mapping.proposal import propose_mapping
from loaders.readers.sheet import Sheet
from loaders.readers.sheets import read_sheets
from loaders.reports import LoadReport
from loaders.sync import load_records
from loaders.tables import RereadTables
from loaders.undoing import undo_finished_load
from tests.emptying import emptied
from tests.live.shell import Run
from tests.live.test_loads import one
from tests.live.test_person_identity import lines_of
from tests.unit.test_department_lists import BY_CERTIFICATE, WITH_ID

ROOT = Path(__file__).parents[2]
LISTS = ROOT / "tests" / "unit" / "department_lists"
WORKBOOK = LISTS / "r01" / "2024年度高技能人才名单.xlsx"


def test_a_workbook_as_received(run: Run, empty_database: Database) -> None:
    assert "shicheng inspect" in run("load", WORKBOOK, code=2).stderr
    assert "saved: " in run("inspect", WORKBOOK, "--save").stdout
    report = json.loads(run("load", WORKBOOK, "--json").stdout)
    (sheet,) = report["sheets"]
    assert (sheet["rows"], sheet["data"], sheet["accepted"], sheet["refused"]) == (30, 24, 24, 0)
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 24
    assert one(empty_database, "MATCH (:Person)-[r:RECOGNISED]->() RETURN count(r)") == 24
    assert one(empty_database, "MATCH (:Person)-[r:EMPLOYED_BY]->(e) RETURN count(DISTINCT e)") == 4
    again = json.loads(run("load", WORKBOOK, "--json").stdout)
    assert again["accepted"] == report["accepted"]
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 24


def test_who_is_known_by_a_certificate_is_one_with_its_holder_in_any_order(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    texts = {"renshe": WITH_ID, "gonghui": BY_CERTIFICATE}
    for name, text in texts.items():
        path = tmp_path / name / "list.csv"
        path.parent.mkdir()
        path.write_text(text, "utf-8")
        proposal = propose_mapping(next(iter(read_sheets(path))), name, {})
        assert proposal is not None
        save_mapping(settings.home, proposal.mapping)

    def load(*names: str) -> LoadReport:
        read = DepartmentFiles()
        for name in names:
            found = read_department_files([tmp_path / name], settings.home, name)
            read.found += found.found
            assert not found.open
        digest = build_id_digester(settings.home)
        tables = RereadTables(partial(iterate_raw_tables, read, digest))
        return load_records(empty_database, "files", tables, home=settings.home)

    load("gonghui")
    before = lines_of(empty_database)
    report = load("renshe")
    assert "same certificate number" in str(report.findings["reason"].to_list())
    first = lines_of(empty_database)
    people = empty_database.read("MATCH (p:Person) RETURN p.name AS name ORDER BY name")
    assert [row["name"] for row in people] == ["赵建国", "钱"]
    snapshot = take_snapshot(empty_database, settings)
    assert count_merged_ids(snapshot)["certificate"] == 1
    ids = snapshot.frames["people"].collect()["person_id"].to_list()
    (further,) = list_further_ids(snapshot, ids).iter_rows(named=True)
    assert (further["basis"], further["sources"]) == ("certificate", ["renshe/人员"])
    emptied(empty_database)
    load("renshe")
    load("gonghui")
    assert lines_of(empty_database) == first
    emptied(empty_database)
    load("renshe", "gonghui")
    assert lines_of(empty_database) == first
    emptied(empty_database)
    load("gonghui")
    load("renshe")
    undo_finished_load(empty_database, "2", "clerk")
    assert lines_of(empty_database) == before


@pytest.mark.parametrize("way", ["folder", "files"])
def test_union_digits_count_one_worker(way: str, run: Run) -> None:
    """Of four apprentices, 5, 5, 4 and 3 on the old ladder, one is high-skilled: truth 1."""
    first = ["folder"] if way == "folder" else []
    asked = run("load", *first, LISTS / "j1", code=2)
    assert "ladder" in asked.stderr
    run("load", *first, LISTS / "j1", "--answer", "ladder=old")
    figures = json.loads(run("national", "--window", "2024-01-01:2026-12-31").stdout)
    assert figures["driven_persons"] == 1, figures


def test_what_is_refused_goes_back_as_a_workbook(run: Run, tmp_path: Path) -> None:
    text = (LISTS / "r03" / "people.csv").read_text("utf-8-sig")
    path = tmp_path / "名单.csv"
    path.write_text(text.replace("000002,2024年5月", "000002,2024年13月"), "utf-8")
    run("inspect", path, "--save")
    report = json.loads(run("load", path, "--return-to", tmp_path / "back", "--json").stdout)
    (back,) = report["returned"]
    assert Path(back).name == "名单-退回.xlsx" and Path(back).stat().st_mode & 0o777 == 0o600
    (sheet,) = read_sheets(Path(back))
    assert isinstance(sheet, Sheet)
    notes = dict(sheet.cells.drop_nulls("c10").select("_row", "c10").iter_rows())
    assert notes.keys() == {4, 6}
    assert "--return-to" in run("load", "folder", LISTS / "r06", "--return-to", "x", code=2).stderr


def test_names_find_their_people(run: Run, empty_database: Database) -> None:
    run("load", LISTS / "r10", "--source", "人社局", code=2)
    path = LISTS / "r10" / "mentorships.csv"
    run("inspect", path, "--source", "人社局", "--answer", "by_name=no", "--save")
    run("load", LISTS / "r10", "--source", "人社局")
    assert one(empty_database, "MATCH (:Person)-[m:MENTORS]->(:Person) RETURN count(m)") == 6
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 24


def test_names_find_people_of_an_earlier_load(
    run: Run, empty_database: Database, tmp_path: Path
) -> None:
    people = shutil.copy(LISTS / "r10" / "people.csv", tmp_path / "people.csv")
    run("load", people, "--source", "人社局")
    spaced = "SET p.name = left(p.name, 1) + ' ' + substring(p.name, 1)"
    empty_database.write(f"MATCH (p:Person) {spaced}")  # as an exchange file may write them
    path = LISTS / "r10" / "mentorships.csv"
    run("inspect", path, "--source", "人社局", "--answer", "by_name=no", "--save")
    run("load", path)
    assert one(empty_database, "MATCH (:Person)-[m:MENTORS]->(:Person) RETURN count(m)") == 6
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 24
