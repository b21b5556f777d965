"""Files of every kind to sheets of text cells."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from graph.errors import UsageError
from loaders.readers.separators import detect_separator
from loaders.readers.sheets import Sheet, read_sheets
from loaders.tables import UnreadFile


def read(path: Path, **options: str) -> list[Sheet]:
    """The sheets of a file of which everything can be read."""
    found = list(read_sheets(path, **options))
    assert not [one for one in found if isinstance(one, UnreadFile)]
    return [one for one in found if isinstance(one, Sheet)]


LIST = "名,,\n人,姓名,工\n\n1,甲,三\n2,乙,\n共,,"
CELLS = [
    ("名", None, None, 1),
    ("人", "姓名", "工", 2),
    (None, None, None, 3),
    ("1", "甲", "三", 4),
    ("2", "乙", None, 5),
    ("共", None, None, 6),
]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "gb18030", "big5", "utf-16", "utf-16-le"]
)
@pytest.mark.parametrize("sign", [",", "\t", ";", "|", "，"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_text_in_every_encoding_and_with_every_separator(
    tmp_path: Path, encoding: str, sign: str, end: str
) -> None:
    path = tmp_path / "a.txt"
    text = LIST.replace("名,,", "名").replace(",", sign).replace("\n", end)
    path.write_bytes(text.encode(encoding))
    (sheet,) = read(path, encoding=encoding) if encoding == "big5" else read(path)
    assert sheet.cells.rows() == CELLS
    assert sheet.file == "a.txt" and sheet.name == "" and not sheet.remarks


def test_a_row_that_breaks_the_quoting_costs_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('a;b\n1;"x\n2;y\n3;"p;q"\n', "utf-8")
    (sheet,) = read(path)
    assert sheet.cells.rows() == [("a", "b", 1), ("2", "y", 3), ("3", "p;q", 4)]
    assert [remark[1] for remark in sheet.remarks] == [2]


def test_signs_inside_cells_do_not_part_columns() -> None:
    assert detect_separator(["名称;备注", "甲;一,二", "乙;三,四"]).sign == ";"
    assert detect_separator(["名称,荣誉", "甲,一、二", "乙,三、四"]).sign == ","
    assert detect_separator(["甲、乙", "丙"]).columns == 1
    assert detect_separator(["a、b", "甲、乙"]).sign == "、"


@pytest.mark.parametrize(
    ("start", "kind"),
    [
        (b"%PDF-1.4", "a PDF"),
        (b"\x89PNG\r\n", "a picture"),
        (b"MIME-Version: 1.0\r\n", "a web archive"),
        (b'<?xml version="1.0"?><list/>', "an XML file"),
        (b"a" * 257 + b"ustar", "a tar archive"),
        (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    ],
)
def test_what_holds_no_table_is_named(tmp_path: Path, start: bytes, kind: str) -> None:
    (tmp_path / "a.csv").write_bytes(start)
    with pytest.raises(UsageError, match=f"^a.csv is {kind}") as error:
        list(read_sheets(tmp_path / "a.csv"))
    assert "没有可读取的表格" in error.value.said("zh")


PAGE = """<html><head><meta charset="gbk"><style>td {x: "<table>"}</style></head><body>
<table><tr><td colspan="2">名单</td></tr>
<tr><th>姓名<th>备注</tr><tr><td rowspan=2>甲<td>一<br>二</tr>
<tr style="display: none"><td>&amp;三&nbsp;</tr></table></body></html>"""


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
def test_tables_of_web_pages(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "a.xls").write_bytes(PAGE.encode(encoding))
    (sheet,) = read(tmp_path / "a.xls")
    assert sheet.cells.rows() == [
        ("名单", None, 1),
        ("姓名", "备注", 2),
        ("甲", "一\n二", 3),
        (None, "&三", 4),
    ]
    assert sheet.merged == ((1, 1, 1, 2), (3, 1, 4, 1)) and sheet.hidden_rows == {4}


@pytest.mark.parametrize(
    "text",
    [
        '[{"a": 12345678901234567890, "b": null}, {"b": true, "c": [1, 2]}]',
        '{"code": 0, "data": [{"a": 12345678901234567890}, {"b": true, "c": [1, 2]}]}',
        '{"a": 12345678901234567890}\n{"b": true, "c": [1, 2]}\n',
    ],
)
def test_json_keeps_its_digits(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    (sheet,) = read(tmp_path / "a.json")
    assert sheet.cells.rows() == [
        ("a", "b", "c", 1),
        ("12345678901234567890", None, None, 2),
        (None, "TRUE", "1、2", 3),
    ]
    assert [(row, column) for _, row, column, *_ in sheet.remarks] == [(3, "c")]


def test_parquet_is_text_under_its_column_names(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"id": [1, None], "day": [dt.date(2024, 5, 1)] * 2, "share": [2.0, 0.5], "list": [[1], []]}
    )
    frame.write_parquet(tmp_path / "a.parquet")
    (sheet,) = read(tmp_path / "a.parquet")
    assert sheet.typed and sheet.encoding == "parquet"
    assert sheet.cells.rows() == [
        ("id", "day", "share", 1),
        ("1", "2024-05-01", "2", 2),
        (None, "2024-05-01", "0.5", 3),
    ]
    assert [remark[3] for remark in sheet.remarks] == ["list"]


def test_what_spreadsheets_write_into_text(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        '编号,证件号,级别,代码\n1,3.20102E+17,3.0,"=""007"""\n2,x,4.0,"=""008"""\n'
    )
    (sheet,) = read(tmp_path / "a.csv")
    assert sheet.cells.rows()[1:] == [
        ("1", "3.20102E+17", "3", "007", 2),
        ("2", "x", "4", "008", 3),
    ]
    assert [(row, column) for _, row, column, *_ in sheet.remarks] == [(2, "B"), (2, "D"), (2, "C")]
