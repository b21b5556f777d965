"""Workbooks to send back: the department's own rows, what was refused marked, and why."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from pathlib import Path

import polars as pl
import pytest

from graph.messages import Message
from graph.server.identity_key import build_id_digester
from loaders.department_files import DepartmentFiles, iterate_raw_tables, read_department_files
from loaders.findings import REMARK, build_finding
from loaders.readers.sheet import Sheet
from loaders.readers.sheets import read_sheets
from loaders.refused_rows import count_refusal_reasons, list_refused_rows
from loaders.return_workbooks import (
    build_return_workbook,
    list_returned_sheets,
    write_return_workbooks,
)
from loaders.sheet_inspection import SheetChoices, confirm_sheet, inspect_sheet, read_file_sheets
from loaders.tables import RawTable, check_table

LISTS = Path(__file__).with_name("department_lists")
TODAY = dt.date(2026, 6, 1)
Checked = tuple[DepartmentFiles, pl.DataFrame]


def check(home: Path, path: Path, choices: SheetChoices) -> Checked:
    """The file as the Load page confirms and checks it; the findings."""
    digest = build_id_digester(home)
    departments = {}
    for sheet in read_file_sheets(path)[0]:
        seen = inspect_sheet(sheet, path, home, choices, digest)
        assert seen.is_loadable, seen.questions
        confirm_sheet(home, seen)
        departments[seen.label] = seen.department
    read = read_department_files([path], home, departments=departments)
    assert read.open == []
    raws = [raw for raw in iterate_raw_tables(read, digest) if isinstance(raw, RawTable)]
    return read, pl.concat([check_table(raw, digest, TODAY).findings for raw in raws])


@pytest.fixture
def dirty(tmp_path: Path) -> Checked:
    """A list of a labour office with one date that is none, and cells that would be formulas."""
    text = (LISTS / "r03" / "people.csv").read_text("utf-8-sig")
    text = text.replace("2,钱志远,女,329999196302021028", "2,=1+1,女,329999196302021028")
    text = text.replace("000002,2024年5月", "000002,2024年13月")
    path = tmp_path / "名单.csv"
    path.write_text(text, "utf-8")
    return check(tmp_path, path, SheetChoices())


def read_back(content: bytes, folder: Path) -> Sheet:
    path = folder / "back.xlsx"
    path.write_bytes(content)
    (sheet,) = read_sheets(path)
    assert isinstance(sheet, Sheet)
    return sheet


def test_every_row_stands_where_it_stood_with_its_reason(dirty: Checked, tmp_path: Path) -> None:
    read, findings = dirty
    ((name, sheets),) = list_returned_sheets(read, findings).items()
    assert name == "名单-退回.xlsx"
    content = build_return_workbook(sheets, findings)
    back, own = read_back(content, tmp_path), sheets[0].sheet
    columns = own.cells.columns
    assert back.cells.select(columns).equals(own.cells)
    notes = dict(back.cells.drop_nulls("c10").select("_row", "c10").iter_rows())
    assert notes.keys() == {4, 6} and notes[4] == "退回原因"
    assert notes[6].startswith("发证日期 应为") and "--" not in notes[6]


def test_the_refused_cell_is_marked_and_no_cell_is_a_formula(dirty: Checked) -> None:
    read, findings = dirty
    (sheets,) = list_returned_sheets(read, findings).values()
    content = build_return_workbook(sheets, findings)
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
        styles = book.read("xl/styles.xml").decode()
    assert "<f>" not in page and "<hyperlink" not in page
    assert "FFF8CBC6" in styles and "FFFFE9B8" in styles
    styled = dict(re.findall(r'<c r="([A-Z]+6)" s="(\d+)"', page))
    assert styled.keys() == {"I6", "K6"} and styled["I6"] != styled["K6"]


def test_what_was_changed_in_a_row_that_was_taken_is_marked_in_another_colour(
    dirty: Checked, tmp_path: Path
) -> None:
    read, findings = dirty
    (sheets,) = list_returned_sheets(read, findings).values()
    said = Message("this is the person {person}, by the same citizen ID number", person="R001")
    joined = build_finding("名单.csv", 7, "person_id", "K1", said, REMARK)
    content = build_return_workbook(sheets, pl.concat([findings, joined]))
    back = read_back(content, tmp_path)
    notes = dict(back.cells.drop_nulls("c11").select("_row", "c11").iter_rows())
    assert notes.pop(4) == "提示"
    remarked = set(findings.filter((pl.col("kind") == REMARK) & (pl.col("row") > 0))["row"])
    assert remarked and notes.keys() == remarked
    # In the list's own words, and nothing of another department's ids.
    assert any(text.startswith("发证日期：") for text in notes.values())
    assert not any("R001" in text for text in notes.values())
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        page = book.read("xl/worksheets/sheet1.xml").decode()
    cells = dict(re.findall(r'<c r="(I\d+)" s="(\d+)"', page))
    refused, taken = cells.pop("I6"), {cells[f"I{row}"] for row in notes if f"I{row}" in cells}
    assert taken and refused not in taken


def test_refused_rows_are_shown_as_they_stood_without_id_numbers(dirty: Checked) -> None:
    read, findings = dirty
    (row,) = list_refused_rows(read, findings, "zh", 10).iter_rows(named=True)
    assert (row["file"], row["row"], row["column"]) == ("名单.csv", 6, "发证日期")
    assert row["cells"].startswith("2 | =1+1 | 女 | *** | 苏州精测机电有限公司 | 电工")
    assert "329999196302021028" not in str(row)
    assert count_refusal_reasons(read, findings, "en").row(0)[3] == 1


def test_exchange_tables_are_marked_too(tmp_path: Path) -> None:
    path = tmp_path / "recognitions.csv"
    path.write_bytes((LISTS / "j1" / "recognitions.csv").read_bytes())
    choices = SheetChoices("总工会", {"ladder": "new"})
    read, findings = check(tmp_path, path, choices)
    (book,) = write_return_workbooks(read, findings, tmp_path / "back")
    assert book.stat().st_mode & 0o777 == 0o600
    (sheet,) = read_sheets(book)
    assert isinstance(sheet, Sheet)
    reasons = sheet.cells["c4"].to_list()
    assert reasons[0] == "退回原因" and all(text.startswith("技能等级：") for text in reasons[1:])
    assert "--answer" not in "".join(reasons)
    again = write_return_workbooks(read, findings, tmp_path / "back")
    assert [path.name for path in again] == ["recognitions-退回 (2).xlsx"]


def test_the_language_is_that_of_the_list(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text("name,id_number,level,date\nA,329999196201011015,3rd,2024-13-01\n", "utf-8")
    read, findings = check(tmp_path, path, SheetChoices("Office"))
    ((name, sheets),) = list_returned_sheets(read, findings).items()
    assert name == "list-returned.xlsx"
    notes = read_back(build_return_workbook(sheets, findings), tmp_path).cells["c4"].to_list()
    assert notes[0] == "Why it was refused" and notes[1]


def test_a_file_of_remarks_alone_can_be_sent_back(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_bytes((LISTS / "r06" / "recognitions.csv").read_bytes())
    read, findings = check(tmp_path, tmp_path / "list.csv", SheetChoices("总工会"))
    assert set(findings["kind"]) == {"remark"}
    (book,) = write_return_workbooks(read, findings, tmp_path / "back")
    assert book.name == "list-提示.xlsx"
    (sheet,) = read_sheets(book)
    assert isinstance(sheet, Sheet)
    (heads, *rows) = sheet.cells.select(sheet.cells.columns[-2:]).iter_rows()
    assert "提示" in heads and "退回原因" not in str(sheet.cells.rows())
    assert any("部分数字被遮盖" in str(row) for row in rows), rows


def test_nothing_is_sent_back_where_nothing_is_said(tmp_path: Path) -> None:
    read, findings = check(tmp_path, LISTS / "r03" / "people.csv", SheetChoices())
    findings = findings.clear()
    assert list_returned_sheets(read, findings) == {}
    assert write_return_workbooks(read, findings, tmp_path / "back") == []
