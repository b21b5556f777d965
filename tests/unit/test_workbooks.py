"""Workbooks to sheets: values as a spreadsheet shows them, its damage, and hostile files."""

from __future__ import annotations

import datetime as dt
import io
import shutil
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from graph.errors import UsageError
from loaders.findings import REFUSED
from loaders.readers.sheets import Sheet, read_sheets
from loaders.tables import UnreadFile

MADE = Path(__file__).parent / "workbooks"
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def make_book(path: Path, fill: Callable[[xlsxwriter.Workbook], Any]) -> Path:
    with xlsxwriter.Workbook(path) as book:
        fill(book)
    return path


def make_rows(path: Path, rows: Iterable[Iterable[object]]) -> Path:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("名单")
        for at, row in enumerate(rows):
            sheet.write_row(at, 0, list(row))

    return make_book(path, fill)


def read(path: Path) -> Sheet:
    (sheet,) = (one for one in read_sheets(path) if isinstance(one, Sheet))
    return sheet


def said(sheet: Sheet) -> list[tuple[int, str, str]]:
    """Row, column and reason of each remark, as far as they are on cells."""
    return [(row, column, str(reason)) for _, row, column, _, reason, _ in sheet.remarks]


def test_values_are_written_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("甲")
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet.write_row(2, 1, ["x", 1, 1.5, True, 0.1 + 0.2])
        sheet.write_datetime(3, 1, dt.datetime(2024, 5, 1), day)
        sheet.write_datetime(3, 2, dt.datetime(2024, 5, 1, 10, 30), day)
        sheet.write_number(3, 3, 0.5, book.add_format({"num_format": "hh:mm"}))
        sheet.write_formula(3, 4, "=1+1", None, 2)
        sheet.write_string(3, 5, " 留空 ")

    sheet = read(make_book(tmp_path / "a.xlsx", fill))
    assert sheet.cells.rows() == [
        (None, None, None, None, None, None, 1),
        (None, None, None, None, None, None, 2),
        (None, "x", "1", "1.5", "TRUE", "0.3", 3),
        (None, "2024-05-01", "2024-05-01 10:30:00", "12:00:00", "2", " 留空 ", 4),
    ]
    assert (sheet.file, sheet.name, sheet.remarks) == ("a.xlsx", "甲", ())


def test_merged_cells_hidden_rows_and_sheets_are_told(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet("名单")
        sheet.merge_range("A1:C1", "标题")
        sheet.write_row("A2", ["甲", "乙"])
        sheet.write_row("A3", ["丙", "丁"])
        sheet.set_row(2, None, None, {"hidden": True})
        sheet.set_row(8, None, None, {"hidden": True})
        book.add_worksheet("旧").write("A1", "x")
        book.get_worksheet_by_name("旧").hide()

    first, second = (
        one for one in read_sheets(make_book(tmp_path / "a.xlsx", fill)) if isinstance(one, Sheet)
    )
    assert first.merged == ((1, 1, 1, 3),)
    assert first.hidden_rows == {3, 9}
    assert first.cells["c0"].to_list() == ["标题", "甲", "丙"]
    assert ["2 rows are hidden" in reason for _, _, reason in said(first)] == [True]
    assert ["is hidden in the workbook" in reason for _, _, reason in said(second)] == [True]


def test_charts_and_empty_sheets_are_named(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        book.add_chartsheet("图")
        book.add_worksheet("空")
        book.add_worksheet("表").write("A1", "x")

    found = list(read_sheets(make_book(tmp_path / "a.xlsx", fill)))
    assert [str(one.reason) for one in found if isinstance(one, UnreadFile)] == [
        "the sheet 图 is not read; it is a chart or a macro, not a table",
        "the sheet 空 is not read; nothing stands in it",
    ]
    with pytest.raises(UsageError, match="holds no cell") as error:
        list(read_sheets(make_book(tmp_path / "b.xlsx", lambda book: book.add_worksheet())))
    assert "没有任何内容" in error.value.said("zh")


def test_long_numbers_are_shown_rounded_and_remarked(tmp_path: Path) -> None:
    rows = [["证件号"], [320102199001010011], ["320102199001010011"], [999999999999999]]
    sheet = read(make_rows(tmp_path / "a.xlsx", rows))
    assert sheet.cells["c0"].to_list()[1:] == ["3.20102E+17", "320102199001010011", "9" * 15]
    assert [(row, column) for row, column, _ in said(sheet)] == [(2, "A")]


def test_lost_zeros_are_remarked_and_shown_ones_are_taken(tmp_path: Path) -> None:
    rows = [["编号"], ["000123"], ["000456"], [789], ["x"]]
    sheet = read(make_rows(tmp_path / "a.xlsx", rows))
    assert sheet.cells["c0"].to_list()[1:4] == ["000123", "000456", "789"]
    assert [(row, column) for row, column, _ in said(sheet)] == [(4, "A")]

    def fill(book: xlsxwriter.Workbook) -> None:
        shown = book.add_format({"num_format": "000000"})
        for row, number in enumerate([123, 1234567, 45]):
            book.get_worksheet_by_name("s") or book.add_worksheet("s")
            book.get_worksheet_by_name("s").write_number(row, 0, number, shown)

    sheet = read(make_book(tmp_path / "b.xlsx", fill))
    assert sheet.cells["c0"].to_list() == ["000123", "1234567", "000045"]
    assert len(sheet.remarks) == 1


@pytest.mark.parametrize("from_1904", [False, True])
def test_a_days_number_among_dates_is_a_date(tmp_path: Path, from_1904: bool) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        for row in range(8):
            sheet.write_datetime(row, 0, dt.datetime(2024, 1, 1 + row), day)
        sheet.write_number(8, 0, 45413)
        sheet.write_number(9, 0, 2024)
        sheet.write_string(10, 0, "2024.5")
        sheet.write_number(0, 1, 45413)

    with xlsxwriter.Workbook(tmp_path / "a.xlsx", {"date_1904": from_1904}) as book:
        fill(book)
    sheet = read(tmp_path / "a.xlsx")
    days = sheet.cells["c0"].to_list()
    assert days[7:] == ["2024-01-08", "45413" if from_1904 else "2024-05-01", "2024", "2024.5"]
    assert sheet.cells["c1"][0] == "45413"
    assert [row for row, _, _ in said(sheet)] == ([] if from_1904 else [9])


@pytest.mark.parametrize(
    ("months", "read_as", "reason"),
    [
        ([2024.02, 2024.1, 2024.12], ["2024.02", "2024.10", "2024.12"], "a month as a number: Oct"),
        ([2024.2, 2024.1, 2024.12], ["2024.2", "2024.1?", "2024.12"], "a month as a number: a s"),
        ([2024.1, 2023], ["2024.1?", "2023"], "a month as a number: a s"),
        ([2024.1, "2024.10"], ["2024.1", "2024.10"], ""),
        ([2024.1, 310.5, 77], ["2024.1", "310.5", "77"], ""),  # amounts
        (["2024.1", "2024.2"], ["2024.1", "2024.2"], ""),
    ],
)
def test_october_as_a_number_is_not_january(
    tmp_path: Path, months: list[object], read_as: list[str], reason: str
) -> None:
    sheet = read(
        make_rows(tmp_path / "a.xlsx", [["姓名", "年月"], *(["甲", one] for one in months)])
    )
    assert sheet.cells.to_series(1).to_list()[1:] == read_as
    remarks = [words[: len("a month as a number: Oct")] for _, column, words in said(sheet)]
    assert remarks == ([reason] if reason else [])


@pytest.mark.parametrize(
    ("months", "read_as"),
    [(["2024.02", "2024.1"], ["2024.02", "2024.10"]), (["2024.2", "2024.1"], ["2024.2", "2024.1"])],
)
def test_october_of_a_text_file_is_read_by_its_column(
    tmp_path: Path, months: list[str], read_as: list[str]
) -> None:
    file = tmp_path / "a.csv"
    file.write_text("\n".join(["姓名,年月", *(f"甲,{one}" for one in months)]), "utf-8")
    assert read(file).cells.to_series(1).to_list()[1:] == read_as


def test_errors_of_formulas_are_not_lost(tmp_path: Path) -> None:
    def fill(book: xlsxwriter.Workbook) -> None:
        sheet = book.add_worksheet()
        sheet.write_row("A1", ["甲", "乙"])
        sheet.write_formula("B2", "=VLOOKUP(1,A:A,2,0)", None, "#N/A")
        sheet.write("A3", "x")

    sheet = read(make_book(tmp_path / "a.xlsx", fill))
    assert sheet.cells["c1"].to_list() == ["乙", "#N/A", None]
    assert said(sheet) == [(2, "B", "the formula of this cell gives an error (#N/A)")]


def test_the_kinds_of_workbooks(tmp_path: Path) -> None:
    """By content: each under the name of another kind."""
    for made, name in (("list.xls", "a.csv"), ("list.xlsx", "b.et"), ("people.ods", "c.xlsx")):
        shutil.copy(MADE / made, tmp_path / name)
    assert read(tmp_path / "a.csv").cells.height == 6
    listed = read(tmp_path / "b.et")
    assert listed.cells.height == 30 and len(listed.merged) == 3
    ods = read(tmp_path / "c.xlsx")
    assert ods.cells.row(1)[:4] == ("R0001", "赵建国", "男", "1962-01-01")


def test_a_workbook_in_an_archive_with_a_chinese_name(tmp_path: Path) -> None:
    """Named in GBK without a word on it, as Windows in China packs."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("NAME.xls", (MADE / "list.xls").read_bytes())
        archive.writestr("NAME.pdf", b"%PDF-1.4")
        archive.writestr("__MACOSX/._NAME.xls", b"x")
    data = packed.getvalue().replace(b"NAME", "名单".encode("gb18030"))
    (tmp_path / "名单.zip").write_bytes(data)
    found = list(read_sheets(tmp_path / "名单.zip"))
    assert [one.file for one in found] == ["名单.zip/名单.xls", "名单.zip/名单.pdf"]
    assert isinstance(found[0], Sheet) and found[0].cells.height == 6
    assert isinstance(found[1], UnreadFile) and "is a PDF" in str(found[1].reason)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (OLE + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (OLE + b"\0" * 600 + "WordDocument".encode("utf-16-le"), r"a document \(\.doc\)"),
        (OLE + b"\0" * 600, "damaged"),
        (b"\x09\x04\x06\x00\x00\x00\x10\x00", "a workbook of Excel 4"),
        (b"Rar!\x1a\x07\x01\x00", "a RAR archive"),
        (b"", "is empty"),
    ],
)
def test_what_is_no_workbook_is_said_in_a_sentence(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "a.xls").write_bytes(content)
    with pytest.raises(UsageError, match=rf"^a\.xls .*{reason}"):
        list(read_sheets(tmp_path / "a.xls"))


def remake(path: Path, part: str, content: bytes) -> None:
    """The workbook with another content of a part."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (parts | {part: content}).items():
            archive.writestr(name, data)


def sheet_xml(rows: str) -> bytes:
    return f'<worksheet xmlns="{SPREADSHEET}"><sheetData>{rows}</sheetData></worksheet>'.encode()


LONG = '<row r="1"><c r="A1" t="inlineStr"><is><t>{}</t></is></c></row>'


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        (LONG.format("x" * 8_000_000), "a cell of more than 1,000,000 characters"),
        ("<row/>" * 15_000_000, "unpacks to more"),
        (
            LONG.format("x") + '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
            "needs more memory",
        ),
        ("<row><c><v>1</v></c>" + "<c><v>1</v></c>" * 20_000 + "</row>", "needs more memory"),
        ("<row><c", "damaged"),
    ],
    ids=["long cell", "many rows", "far corner", "many columns", "cut"],
)
def test_workbooks_that_would_take_all_memory(tmp_path: Path, rows: str, reason: str) -> None:
    path = make_rows(tmp_path / "a.xlsx", [["x"]])
    remake(path, "xl/worksheets/sheet1.xml", sheet_xml(rows))
    with pytest.raises(UsageError, match=reason):
        list(read_sheets(path))


def test_a_part_that_states_a_smaller_size_than_it_has(tmp_path: Path) -> None:
    path = make_rows(tmp_path / "a.xlsx", [["x"]])
    rows = '<row r="1"><c r="A1"><v>1</v></c></row>' * 100_000
    remake(path, "xl/worksheets/sheet1.xml", sheet_xml(rows))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo("xl/worksheets/sheet1.xml").file_size
    at = data.rfind(size.to_bytes(4, "little"))
    data[at : at + 4] = (1_000).to_bytes(4, "little")
    path.write_bytes(data)
    with pytest.raises(UsageError, match="unpacks to more"):
        list(read_sheets(path))


def test_a_cell_of_more_than_a_million_characters_costs_only_its_row(tmp_path: Path) -> None:
    """In the shared texts, where one long text is no sign of a bomb."""
    rows = LONG.format("y") + LONG.format("x" * 1_000_001).replace('r="1"', 'r="2"').replace(
        "A1", "A2"
    )
    path = make_rows(tmp_path / "a.xlsx", [["x"]])
    remake(path, "xl/worksheets/sheet1.xml", sheet_xml(rows))
    sheet = read(path)
    assert sheet.cells.rows() == [("y", 1)]
    assert [(row, kind) for _, row, _, _, _, kind in sheet.remarks] == [(2, REFUSED)]


def test_nested_archives_are_refused(tmp_path: Path) -> None:
    data = b"person_id,name\np1,A\n"
    for name in ("people.csv", "1.zip", "2.zip", "3.zip"):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(name, data)
        data = packed.getvalue()
    (tmp_path / "a.zip").write_bytes(data)
    (one,) = read_sheets(tmp_path / "a.zip")
    assert isinstance(one, UnreadFile) and "an archive inside archives" in str(one.reason)


XML_2003 = """<?xml version="1.0"?>
<?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
 xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
 <Worksheet ss:Name="名单"><Table>
  <Row ss:Index="2"><Cell ss:MergeAcross="2"><Data ss:Type="String">标题</Data></Cell></Row>
  <Row ss:Hidden="1"><Cell><Data ss:Type="Number">320102199001010011</Data></Cell>
   <Cell ss:Index="3"><Data ss:Type="DateTime">2024-05-01T00:00:00.000</Data></Cell></Row>
  <Row><Cell><Data ss:Type="Number">3</Data></Cell>
   <Cell><Data ss:Type="Error">#N/A</Data></Cell>
   <Cell><ss:Data ss:Type="String">甲<B>乙</B></ss:Data></Cell></Row>
 </Table></Worksheet>
 <Worksheet ss:Name="空"><Table/></Worksheet>
</Workbook>"""


def test_a_workbook_as_xml_of_excel_2003(tmp_path: Path) -> None:
    path = tmp_path / "a.xls"
    path.write_text(XML_2003, "utf-8")
    sheet = read(path)
    assert sheet.cells.rows() == [
        ("标题", None, None, 2),
        ("3.20102E+17", None, "2024-05-01", 3),
        ("3", "#N/A", "甲乙", 4),
    ]
    assert (sheet.name, sheet.merged, sheet.hidden_rows) == ("名单", ((2, 1, 2, 3),), {3})
    assert [(row, column) for row, column, _ in said(sheet)] == [(3, ""), (3, "A"), (4, "B")]
    for wrong in (XML_2003[:600], XML_2003.replace('"2"><', '"9999999"><')):
        path.write_text(wrong, "utf-8")
        with pytest.raises(UsageError, match="damaged"):
            list(read_sheets(path))


ODS_ROWS = (
    '<table:table-row><table:table-cell table:number-columns-spanned="2"'
    ' table:number-rows-spanned="1" office:value-type="string"><text:p>标题</text:p>'
    "</table:table-cell><table:covered-table-cell/></table:table-row>"
    '<table:table-row table:number-rows-repeated="2"><table:table-cell/></table:table-row>'
    '<table:table-row table:visibility="collapse">'
    '<table:table-cell office:value-type="float" office:value="3"><text:p>3</text:p>'
    '</table:table-cell><table:table-cell office:value-type="date"'
    ' office:date-value="2024-05-01"><text:p>5/1</text:p></table:table-cell></table:table-row>'
)


def make_ods(path: Path, rows: str, manifest: str = "<manifest/>") -> Path:
    names = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f"<office:document-content{names}><office:body><office:spreadsheet>"
            f'<table:table table:name="名单">{rows}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def test_an_open_document_with_merged_cells_and_hidden_rows(tmp_path: Path) -> None:
    sheet = read(make_ods(tmp_path / "a.ods", ODS_ROWS))
    assert sheet.cells.rows() == [
        ("标题", None, 1),
        (None, None, 2),
        (None, None, 3),
        ("3", "2024-05-01", 4),
    ]
    assert (sheet.merged, sheet.hidden_rows) == (((1, 1, 1, 2),), {4})


def test_open_documents_that_are_protected_or_made_to_hurt(tmp_path: Path) -> None:
    path = make_ods(tmp_path / "a.ods", ODS_ROWS, "<m><encryption-data/></m>")
    with pytest.raises(UsageError, match="protected by a password"):
        list(read_sheets(path))
    cell = '<table:table-cell table:number-columns-repeated="16384" office:value-type="string">'
    row = f'<table:table-row table:number-rows-repeated="1048576">{cell}<text:p>x</text:p>'
    path = make_ods(tmp_path / "b.ods", f"{row}</table:table-cell></table:table-row>")
    with pytest.raises(UsageError, match="save"):
        list(read_sheets(path))


def test_where_hidden_rows_cannot_be_told_it_is_said() -> None:
    assert [
        "which rows are hidden" in reason for _, _, reason in said(read(MADE / "list.xls"))
    ] == [True]
    assert not any("which rows" in reason for _, _, reason in said(read(MADE / "list.xlsx")))
