"""What a sheet is taken for on the Load page, and that confirming is `inspect --save`."""

from __future__ import annotations

from pathlib import Path

from graph.server.identity_key import build_id_digester
from loaders.department_files import read_department_files
from loaders.mapping.aliases import list_known_fields
from loaders.mapping.field_names import FIELD_NAMES, list_named_fields, name_field
from loaders.mapping.mapping import find_mappings, list_mappings
from loaders.readers.sheet import Sheet
from loaders.sheet_inspection import (
    InspectedSheet,
    SheetChoices,
    confirm_sheet,
    inspect_sheet,
    read_file_sheets,
)

LISTS = Path(__file__).with_name("department_lists")
LIST = LISTS / "r03" / "people.csv"
NAME = "某市人力资源和社会保障局"
DIGITS = "姓名,身份证号码,技能等级,发证日期\n甲,329999196201011015,{level},2024.5\n"


def inspect(home: Path, path: Path, **choices: object) -> InspectedSheet:
    (sheet,) = read_file_sheets(path)[0]
    return inspect_sheet(sheet, path, home, SheetChoices(**choices), build_id_digester(home))  # type: ignore[arg-type]


def test_a_confirmed_list_is_applied_silently(tmp_path: Path) -> None:
    seen = inspect(tmp_path, LIST)
    assert (seen.kind, seen.department, seen.questions) == ("list", NAME, ())
    assert seen.tables == ("occupations", "enterprises", "people", "recognitions")
    assert confirm_sheet(tmp_path, seen) is not None
    again = inspect(tmp_path, LIST)
    assert again.remembered is not None and again.mapping is None
    assert again.rows == seen.rows and again.preview.equals(seen.preview)
    assert confirm_sheet(tmp_path, again) is None
    read = read_department_files([LIST], tmp_path, departments={again.label: NAME})
    assert read.open == [] and [one.source for one in read.found] == [NAME]


def test_a_remembered_list_can_be_changed(tmp_path: Path) -> None:
    confirm_sheet(tmp_path, inspect(tmp_path, LIST))
    seen = inspect(tmp_path, LIST, fields={"备注": "honour.name"}, answers={"date": "none"})
    assert seen.remembered is None and seen.mapping is not None
    confirm_sheet(tmp_path, seen)
    newest = [mapping for _, mapping in list_mappings(tmp_path)][-1]
    assert newest.revision == 2
    assert inspect(tmp_path, LIST).remembered == newest


def test_two_departments_with_the_same_headers_are_told_apart(tmp_path: Path) -> None:
    confirm_sheet(tmp_path, inspect(tmp_path, LIST))
    other = tmp_path / "other.csv"
    other.write_text(LIST.read_text("utf-8-sig").replace(NAME, "某县工会"), "utf-8")
    seen = inspect(tmp_path, other)
    assert seen.department == "某县工会" and seen.remembered is None
    confirm_sheet(tmp_path, seen)
    silent = tmp_path / "silent.csv"
    text = LIST.read_text("utf-8-sig").replace(f"填报单位（盖章）：{NAME}", "")
    silent.write_text(text, "utf-8")
    (question,) = inspect(tmp_path, silent).questions
    assert (question.key, set(question.choices)) == ("department", {NAME, "某县工会"})
    assert inspect(tmp_path, silent, department=NAME).remembered is not None


def test_a_ladder_that_a_later_file_needs_is_asked_and_joins_the_mapping(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.write_text(DIGITS.format(level="高级工"), "utf-8")
    second.write_text(DIGITS.format(level="3"), "utf-8")
    confirm_sheet(tmp_path, inspect(tmp_path, first, department="甲局"))
    (question,) = inspect(tmp_path, second).questions
    assert question.key == "ladder"
    confirm_sheet(tmp_path, inspect(tmp_path, second, answers={"ladder": "old"}))
    (mapping,) = find_mappings(tmp_path, ["姓名", "身份证号码", "技能等级", "发证日期"], "甲局")
    assert (mapping.ladder, mapping.revision) == ("old", 2)
    assert inspect(tmp_path, second).remembered == mapping


def test_an_exchange_table_asks_who_states_it(tmp_path: Path) -> None:
    path = LISTS / "j1" / "recognitions.csv"
    seen = inspect(tmp_path, path)
    assert seen.kind == "table" and [q.key for q in seen.questions] == ["department", "ladder"]
    said = inspect(tmp_path, path, department="总工会", answers={"ladder": "old"})
    assert said.is_loadable and confirm_sheet(tmp_path, said) is not None
    assert said.preview["技能等级"].to_list() == ["初级工", "初级工", "中级工", "高级工"] or (
        said.preview["技能等级"].to_list() == ["2", "2", "3", "4"]
    )
    assert inspect(tmp_path, path, department="总工会").is_loadable


def test_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.doc"
    path.write_bytes(b"%PDF-1.7 nothing")
    sheets, (unread,) = read_file_sheets(path)
    assert sheets == [] and "a.doc is not read" in str(unread.reason)
    assert all(isinstance(one, Sheet) for one in sheets)


def test_left_out_sheets_are_not_looked_at(tmp_path: Path) -> None:
    read = read_department_files([LIST], tmp_path, left_out=["people.csv"])
    assert (read.found, read.open, read.unread) == ([], [], [])


def test_every_field_has_a_name_in_both_languages() -> None:
    known = list_known_fields()
    assert set(list_named_fields()) == known
    assert [field for field in known if name_field(field).zh == field] == []
    assert set(FIELD_NAMES) <= known
    names = [name_field(field).zh for field in list_named_fields()]
    assert len(set(names)) == len(names)
    assert name_field("apprentice12.name").en == "apprentice12.name"
