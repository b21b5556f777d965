"""One person under several ids: joined by the ID number, in whatever order departments come."""

from __future__ import annotations

import re
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from graph.driven.figures import measure_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from graph.store.digest import format_canonical_lines
from loaders import folder
from loaders.reports import LoadReport
from loaders.sync import load_records
from tests.emptying import emptied
from tests.live.test_bulk import write

MASTER, WORKER, OTHER = "329999197001011015", "329999199902022028", "329999198003031110"
PEOPLE = "人员编号,姓名,身份证号,省份\n"
TALENTS = "人员编号,认定依据,认定日期\n"
TIES = "师傅编号,徒弟编号,开始日期\n"
LEVELS = "人员编号,技能等级,发证日期,证书编号\n"
# Each department knows a part, under its own ids.
SPLIT = {
    "renshe": {
        "people": PEOPLE + f"R001,赵建国,{MASTER},江苏\nR011,徒甲,{WORKER},江苏\n",
        "talents": TALENTS + "R001,全国技术能手,2023-01-01\n",
    },
    "gonghui": {
        "people": PEOPLE + f"G900,赵 建 国,{MASTER},江苏省\nG911,徒甲,{WORKER},江苏省\n",
        "mentorships": TIES + "G900,G911,2022-03-01\n",
    },
    "xuexiao": {
        "people": PEOPLE + f"S2021,徒甲,{WORKER},32\n",
        "recognitions": LEVELS + "S2021,三级/高级工,2024-06-01,S000032001000243000001\n",
    },
}
# Each department states all of it, under its own ids.
TRIPLED = {
    name: {
        "people": PEOPLE + f"{master},赵建国,{MASTER},江苏\n{worker},徒甲,{WORKER},江苏\n",
        "talents": TALENTS + f"{master},全国技术能手,2023-01-01\n",
        "mentorships": TIES + f"{master},{worker},2022-03-01\n",
        "recognitions": LEVELS + f"{worker},三级/高级工,2024-06-01,S000032001000243000001\n",
        "honours": f"人员编号,荣誉名称,级别,日期\n{master},全国技术能手,国家级,2023-01-01\n",
        "training_targets": f"人员编号,列入日期,列入理由\n{worker},2024-01-01,young\n",
        "projects": "项目编号,项目名称,项目类型\nj1,攻关,技术攻关\n",
        "participations": f"人员编号,项目编号,项目角色,开始日期\n{worker},j1,参与人,2023-01-01\n",
        "achievements": f"人员编号,成果名称,成果类型,日期\n{master},夹具,专利,2020-05-01\n",
        "subsidies": f"补贴对象编号,补贴类型,补贴金额,年度\n{master},人才津贴,20000,2024\n",
    }
    for name, master, worker in (
        ("renshe", "R001", "R011"),
        ("gonghui", "G900", "G911"),
        ("xuexiao", "S0001", "S2021"),
    )
}
POLICY = Policy.parsed(window="2024-01-01:2026-12-31")


def load(database: Database, settings: Settings, *paths: Path, **given: Any) -> LoadReport:
    return load_records(database, "folder", folder.get(paths), home=settings.home, **given)


def count(database: Database, settings: Settings) -> tuple[int, int, int]:
    """Leading talents, the workers they drive, person-times."""
    national = measure_driven(take_snapshot(database, settings), POLICY).national
    return (
        national["leading_talents"],
        national["driven_persons"],
        national["driven_person_times"],
    )


def lines_of(database: Database) -> list[str]:
    return [
        re.sub(r"\b(renshe|gonghui|xuexiao)/", "", line)
        for line in format_canonical_lines(database)
    ]


ORDERS = [*permutations(SPLIT)]


@pytest.mark.parametrize(
    ("tables", "orders"),
    [
        (SPLIT, ORDERS[::5]),  # one order and its reverse
        (TRIPLED, ORDERS[::5]),
        pytest.param(SPLIT, ORDERS, marks=pytest.mark.soak),
        pytest.param(TRIPLED, ORDERS, marks=pytest.mark.soak),
    ],
    ids=["split", "tripled", "split, all orders", "tripled, all orders"],
)
def test_three_departments_state_one_talent_and_one_worker_in_any_order(
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    tables: dict[str, dict[str, str]],
    orders: list[tuple[str, ...]],
) -> None:
    paths = {name: write(tmp_path / name, stated) for name, stated in tables.items()}
    found = {}
    load(empty_database, settings, *paths.values())
    found["one load"] = lines_of(empty_database)
    for order in orders:
        emptied(empty_database)
        for name in order:
            load(empty_database, settings, paths[name])
        found[" ".join(order)] = lines_of(empty_database)
    assert count(empty_database, settings) == (1, 1, 1)
    for name in paths:
        load(empty_database, settings, paths[name], complete=True, agreed=True)
    found["complete, again"] = lines_of(empty_database)
    first = found["one load"]
    assert {name: lines for name, lines in found.items() if lines != first} == {}


def test_a_store_made_as_a_whole_joins_the_same_people(
    empty_database: Database,
    second_database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Digests of ID numbers are of one key in both data folders.
    monkeypatch.setenv("SHICHENG_ID_KEY", "0123456789abcdef" * 4)
    paths = [write(tmp_path / name, stated) for name, stated in TRIPLED.items()]
    load(empty_database, settings, *paths)
    by_batches = lines_of(empty_database)
    report = load(second_database, second_database.settings, *paths, bulk_rows=1)
    assert report.merged_ids == 4
    assert count(second_database, second_database.settings) == (1, 1, 1)
    assert lines_of(second_database) == by_batches


def write_people(folder_path: Path, *rows: str, **more: str) -> Path:
    return write(folder_path, {"people": PEOPLE + "".join(f"{row}\n" for row in rows), **more})


def people_of(database: Database) -> list[tuple[str, list[str]]]:
    """Every person with the further ids that lead to it."""
    rows = database.read(
        "MATCH (p:Person) RETURN p.person_id AS id, "
        "COLLECT { MATCH (a:PersonAlias)-[:IDENTIFIES]->(p) RETURN a.alias_id ORDER BY a.alias_id }"
        " AS aliases ORDER BY id"
    )
    return [(row["id"], row["aliases"]) for row in rows]


def test_one_folder_that_states_a_person_twice_has_one(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    rows = (f"R001,赵建国,{MASTER},江苏", f"R001-2,赵建国,{MASTER},江苏")
    ties = TIES + "R001,R001-2,2020-01-01\n"
    path = write_people(tmp_path / "renshe", *rows, mentorships=ties)
    report = load(empty_database, settings, path)
    assert people_of(empty_database) == [("R001", ["R001-2"])]
    assert report.merged_ids == 1
    said = report.findings.filter(file="mentorships.csv").rows(named=True)
    assert [(one["row"], one["kind"]) for one in said] == [(2, "refused")]
    assert said[0]["reason"] == "mentor_id and apprentice_id are two ids of one person, R001"
    assert MASTER not in str(report.findings.to_dicts())


def test_an_id_number_that_comes_later_joins_two_people_of_the_graph(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    first = write_people(
        tmp_path / "renshe",
        f"R001,赵建国,{MASTER},江苏",
        "R011,徒甲,,江苏",
        talents=TALENTS + "R001,全国技术能手,2023-01-01\n",
        mentorships=TIES + "R001,R011,2022-03-01\n",
    )
    second = write_people(
        tmp_path / "xuexiao",
        "Q2021,徒甲,,32",
        recognitions=LEVELS + "Q2021,三级/高级工,2024-06-01,C1\n",
    )
    load(empty_database, settings, first)
    load(empty_database, settings, second)
    assert count(empty_database, settings) == (1, 0, 0)
    known = write_people(tmp_path / "gongan", f"R011,徒甲,{WORKER},32", f"Q2021,徒甲,{WORKER},32")
    before = lines_of(empty_database)
    report = load(empty_database, settings, known)
    assert report.merged_ids == 1
    assert people_of(empty_database) == [("Q2021", ["R011"]), ("R001", [])]
    assert count(empty_database, settings) == (1, 1, 1)
    after = lines_of(empty_database)
    load(empty_database, settings, first)
    load(empty_database, settings, second)
    assert lines_of(empty_database) == after != before
    load(
        empty_database, settings, write(tmp_path / "later", {"mentorships": TIES + "R011,R001,\n"})
    )
    ties = empty_database.read("MATCH (a)-[:MENTORS]->(b) RETURN a.person_id + b.person_id AS ids")
    assert sorted(row["ids"] for row in ties) == ["Q2021R001", "R001Q2021"]


@pytest.mark.parametrize("rows", [(1, -1), (-1, 1)], ids=["in order", "reversed"])
def test_two_ids_of_one_source_say_the_same_in_one_load_and_merged_later(
    rows: tuple[int, int], empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    stated = ("R001,赵建国,,", "R001-2,赵建国,,江苏")[:: rows[0]]
    first = write_people(tmp_path / "renshe", *stated)
    known = (f"R001,赵建国,{MASTER},", f"R001-2,赵建国,{MASTER},")[:: rows[1]]
    later = write_people(tmp_path / "gongan", *known)
    place = (
        "MATCH (p:Person) RETURN p.person_id AS id, p.province AS province, "
        "COLLECT { MATCH (p)-->(x:Province) RETURN x.code } AS places"
    )
    load(empty_database, settings, first, later)
    assert empty_database.read(place) == [{"id": "R001", "province": "32", "places": ["32"]}]
    emptied(empty_database)
    load(empty_database, settings, first)
    load(empty_database, settings, later)
    assert empty_database.read(place) == [{"id": "R001", "province": "32", "places": ["32"]}]


def test_two_id_numbers_are_never_one_person(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write_people(tmp_path / "renshe", f"A1,赵建国,{MASTER},江苏"))
    load(empty_database, settings, write_people(tmp_path / "xuexiao", f"B1,赵建国,{OTHER},江苏"))
    report = load(
        empty_database,
        settings,
        write_people(tmp_path / "gonghui", f"A1,赵建国,{OTHER},江苏", f"C1,赵建国,{MASTER},江苏"),
    )
    assert people_of(empty_database) == [("A1", []), ("B1", []), ("C1", [])]
    assert report.merged_ids == 0
    (refused,) = report.findings.filter(row=2).rows(named=True)
    assert refused["reason"].startswith("this id comes with two different citizen ID numbers")


def test_a_further_id_with_another_id_number_is_refused(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    both = (f"A1,赵建国,{MASTER},江苏", f"B1,赵建国,{MASTER},江苏")
    load(empty_database, settings, write_people(tmp_path / "renshe", *both))
    assert people_of(empty_database) == [("A1", ["B1"])]
    report = load(
        empty_database,
        settings,
        write_people(tmp_path / "xuexiao", f"B1,赵建国,{OTHER},江苏", "B2,李四,,江苏"),
    )
    assert (report.accepted, report.refused) == (1, 1)
    assert people_of(empty_database) == [("A1", ["B1"]), ("B2", [])]


def test_a_complete_load_takes_back_the_further_id_that_it_no_longer_states(
    empty_database: Database, settings: Settings, tmp_path: Path
) -> None:
    load(empty_database, settings, write_people(tmp_path / "renshe", f"A1,赵建国,{MASTER},江苏"))
    both = (f"B1,赵建国,{MASTER},江苏", f"B2,徒甲,{WORKER},江苏")
    load(empty_database, settings, write_people(tmp_path / "xuexiao", *both))
    assert people_of(empty_database) == [("A1", ["B1"]), ("B2", [])]
    path = write_people(tmp_path / "again" / "xuexiao", f"B2,徒甲,{WORKER},江苏")
    load(empty_database, settings, path, complete=True, agreed=True)
    assert people_of(empty_database) == [("A1", []), ("B2", [])]


def test_a_load_that_fails_after_merging_leaves_the_store_as_it_was(
    empty_database: Database,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, tables in TRIPLED.items():
        without = {t: text.replace(MASTER, "").replace(WORKER, "") for t, text in tables.items()}
        load(empty_database, settings, write(tmp_path / name, without))
    before = lines_of(empty_database)
    known = write_people(
        tmp_path / "gongan",
        *(f"{id},赵建国,{MASTER},江苏" for id in ("R001", "G900", "S0001")),
        *(f"{id},徒甲,{WORKER},江苏" for id in ("R011", "G911", "S2021")),
    )
    with monkeypatch.context() as patched:
        patched.setattr("loaders.records.write_staged_tables", fail)
        with pytest.raises(RuntimeError):
            load(empty_database, settings, known)
    assert lines_of(empty_database) == before
    load(empty_database, settings, known)
    assert count(empty_database, settings) == (1, 1, 1)


def fail(*given: Any) -> None:
    raise RuntimeError("the disk is gone")
