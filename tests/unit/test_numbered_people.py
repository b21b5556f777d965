"""People whose department gives them a number: one person, in any order of rows and of files."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path

import pytest

from graph.server.identity_key import build_id_digester
from loaders.department_files import iterate_raw_tables, read_department_files
from loaders.mapping.identifiers import is_certificate_id
from loaders.mapping.mapping import save_mapping
from loaders.mapping.proposal import propose_mapping
from loaders.readers.sheets import read_sheets
from loaders.tables import RawTable, UnreadFile

DEPARTMENT = "某局"
ID_NUMBER = "329999196201011015"
FIRST, SECOND = "S000032001051243000001", "S000032001051263000002"
LEVELS = "姓名,工号,身份证号,技能等级,证书编号,发证日期"
PAIRS = "师傅工号,徒弟工号,开始日期\n1001,1002,2025-01-01"
OTHER = f"李四,1002,,中级工,{FIRST[:-1]}9,2024-05-01"


def read_people(home: Path, files: Mapping[str, str]) -> tuple[list[str], list[tuple[str, str]]]:
    """The ids that rows of 张三 get, and the pairs of mentor and apprentice."""
    folder = home / "lists"
    folder.mkdir()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    paths = [folder / name for name in files]
    for one in read_department_files(paths, home, DEPARTMENT, {"by_number": "no"}).open:
        (sheet,) = (one for one in read_sheets(one.path) if not isinstance(one, UnreadFile))
        proposal = propose_mapping(sheet, DEPARTMENT, {"by_number": "no", "ladder": "new"})
        assert proposal is not None
        save_mapping(home, proposal.mapping)
    read = read_department_files(paths, home, DEPARTMENT, {"by_number": "no"})
    assert not read.open
    ids, pairs = [], []
    for raw in iterate_raw_tables(read, build_id_digester(home)):
        assert isinstance(raw, RawTable)
        rows = raw.rows
        if raw.table == "people":
            ids += rows.filter(rows["name"] == "张三")["person_id"].to_list()
        if raw.table == "mentorships":
            pairs += rows.select("mentor_id", "apprentice_id").rows()
    return ids, pairs


def write_list(*rows: str) -> str:
    return "\n".join((LEVELS, *rows))


@pytest.mark.parametrize("order", list(itertools.permutations(range(2))))
def test_two_certificates_of_one_own_number_are_one_persons(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    rows = [
        f"张三,1001,,高级工,{FIRST},2024-05-01",
        f"张三,1001,,技师,{SECOND},2026-05-01",
    ]
    ids, _ = read_people(tmp_path, {"a.csv": write_list(*(rows[at] for at in order))})
    assert len(set(ids)) == 1 and is_certificate_id(ids[0])


@pytest.mark.parametrize("beside", [{}, {"b.csv": write_list(OTHER)}])
def test_a_row_without_the_id_number_is_the_same_persons(
    tmp_path: Path, beside: dict[str, str]
) -> None:
    rows = (f"张三,1001,{ID_NUMBER},高级工,,2024-05-01", "张三,1001,,技师,,2026-05-01")
    ids, _ = read_people(tmp_path, {"a.csv": write_list(*rows), **beside})
    assert len(set(ids)) == 1 and ids[0].startswith("id-")


@pytest.mark.parametrize("order", list(itertools.permutations("abc")))
def test_whom_an_own_number_means_does_not_depend_on_the_order_of_files(
    tmp_path: Path, order: tuple[str, ...]
) -> None:
    files = {
        "a": write_list(f"张三,1001,,高级工,{FIRST},2024-05-01", OTHER),
        "b": f"姓名,工号,身份证号\n张三,1001,{ID_NUMBER}",
        "c": PAIRS,
    }
    ids, pairs = read_people(tmp_path, {f"{name}.csv": files[name] for name in order})
    assert len(set(ids)) == 1 and ids[0].startswith("id-")
    assert [mentor for mentor, _ in pairs] == [ids[0]]


def test_a_number_of_two_names_is_two_people_with_certificates(tmp_path: Path) -> None:
    rows = (
        f"张三,1001,,高级工,{FIRST},2024-05-01",
        f"王五,1001,,技师,{SECOND},2026-05-01",
    )
    ids, pairs = read_people(tmp_path, {"a.csv": write_list(*rows, OTHER), "c.csv": PAIRS})
    assert len(ids) == 1
    assert pairs == []  # nobody can tell which of the two teaches


def test_a_number_and_a_name_with_two_id_numbers_stay_two_people(tmp_path: Path) -> None:
    other = "11010519491231002X"
    rows = (
        f"张三,1001,{ID_NUMBER},高级工,,2024-05-01",
        f"张三,1001,{other},技师,,2026-05-01",
    )
    ids, _ = read_people(tmp_path, {"a.csv": write_list(*rows)})
    assert len(set(ids)) == 2


def test_a_masked_number_is_the_full_one_of_the_same_list(tmp_path: Path) -> None:
    masked = ID_NUMBER[:6] + "********" + ID_NUMBER[-4:]
    text = (
        "姓名,身份证号,技能等级,发证日期\n"
        f"张三,{ID_NUMBER},高级工,2024-05-01\n张三,{masked},技师,2026-05-01"
    )
    ids, _ = read_people(tmp_path, {"a.csv": text})
    assert len(set(ids)) == 1
