"""Published forms in the store: loaded, loaded again, and what they count."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from graph.server.database import Database
from graph.store.digest import compute_store_digest
from tests.live.shell import Run
from tests.live.test_loads import one

PAIRS = "MATCH (a:Person)-[:MENTORS]->(b:Person) RETURN a.name + '>' + b.name AS pair ORDER BY pair"


def read_pairs(database: Database) -> list[str]:
    return [row["pair"] for row in database.read(PAIRS)]


def test_an_edge_list_is_in_the_store_and_again(
    run: Run, empty_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "edges.csv"
    path.write_text("张三,李四,2020-01-01\n张三,王五,2021-01-01\n李四,赵六,\n", "utf-8")
    assert "(mentor)" in run("load", path, "--source", "某厂", code=2).stderr
    run("inspect", path, "--source", "某厂", "--answer", "mentor=1", "--save")
    report = json.loads(run("load", path, "--json").stdout)
    (sheet,) = report["sheets"]
    assert (sheet["rows"], sheet["data"], sheet["accepted"], sheet["refused"]) == (3, 3, 3, 0)
    assert read_pairs(empty_database) == ["张三>李四", "张三>王五", "李四>赵六"]
    before = compute_store_digest(empty_database)
    run("load", path)
    assert compute_store_digest(empty_database) == before
    assert one(empty_database, "MATCH (p:Person) RETURN count(p)") == 4


@pytest.mark.parametrize("way", ["folder", "files"])
def test_several_masters_of_one_cell(
    way: str, run: Run, empty_database: Database, tmp_path: Path
) -> None:
    """Right: M1 and M2 are masters of m3; a name is no id, so its row is refused."""
    people = 'person_id,name\nM1,师一\nM2,师二\nm3,徒三\n"a,b",逗号\n'
    pairs = 'mentor_id,apprentice_id,start\nM1、M2,m3,2024-01-01\n"M1,M2",m3,2024-02-01\n'
    pairs += 'M1;M2,m3,2024-03-01\n"a,b",m3,2024-04-01\n师一,m3,2024-01-01\nM1、M9,m3,2024-01-01\n'
    (tmp_path / "people.csv").write_text(people, "utf-8")
    (tmp_path / "mentorships.csv").write_text(pairs, "utf-8")
    first = ["folder"] if way == "folder" else []
    report = json.loads(run("load", *first, tmp_path, "--json").stdout)
    (table,) = [t for t in report["tables"] if t["table"] == "mentorships"]
    assert (table["read"], table["accepted"], table["refused"], table["remarks"]) == (9, 7, 2, 3)
    assert set(read_pairs(empty_database)) == {"师一>徒三", "师二>徒三", "逗号>徒三"}
    # Of people that the store alone has, too.
    (tmp_path / "people.csv").unlink()
    before = compute_store_digest(empty_database)
    run("load", *first, tmp_path)
    assert compute_store_digest(empty_database) == before


def test_a_genealogy_is_undated_for_the_headline(
    run: Run, empty_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "tree.csv"
    path.write_text("name,advisor,year\n李四,张三,2024\n王五,李四,2025\n张三,,1990\n", "utf-8")
    run("inspect", path, "--source", "mgp", "--answer", "by_name=yes", "--save")
    run("load", path)
    assert read_pairs(empty_database) == ["张三>李四", "李四>王五"]
    dated = "MATCH ()-[m:MENTORS]->() RETURN count(m.start) AS starts, count(m.end) AS ends"
    assert empty_database.read(dated) == [{"starts": 0, "ends": 2}]


def test_a_genealogy_file_is_in_the_store(
    run: Run, empty_database: Database, tmp_path: Path
) -> None:
    path = tmp_path / "家谱.ged"
    people = "".join(f"0 @I{at}@ INDI\n1 NAME {name}\n" for at, name in enumerate("甲乙丙丁"))
    masters = "1 ASSO @I0@\n2 RELA 师傅\n1 ASSO @I9@\n2 RELA 师傅\n"
    family = "0 @F1@ FAM\n1 HUSB @I0@\n1 CHIL @I1@\n"
    path.write_text(f"0 HEAD\n1 CHAR UTF-8\n{people}{masters}{family}0 TRLR\n", "utf-8")
    assert "(parents)" in run("load", path, "--source", "某谱", code=2).stderr
    run("inspect", path, "--source", "某谱", "--answer", "parents=no", "--save")
    report = json.loads(run("load", path, "--json").stdout)
    assert [(s["data"], s["accepted"], s["refused"]) for s in report["sheets"]] == [
        (4, 4, 0),
        (2, 1, 1),
    ]
    assert read_pairs(empty_database) == ["甲>丁"]
    before = compute_store_digest(empty_database)
    run("load", path)
    assert compute_store_digest(empty_database) == before
