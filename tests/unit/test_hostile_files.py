"""Any bytes, any small workbook: read, or refused in a sentence; no row is lost without a word."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import zipfile
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from loaders.findings import REFUSED
from loaders.readers.sheets import Sheet, read_sheets
from loaders.tables import UnreadFile
from tests.examples import limit_examples

QUICK = settings(
    deadline=None,
    max_examples=limit_examples(60),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
WORKBOOKS = Path(__file__).parent / "workbooks"
STARTS = [
    b"",
    b"PK\x03\x04",
    b"PK\x05\x06" + b"\0" * 18,
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
    b"\x1f\x8b\x08\x00",
    b"PAR1",
    b"\xef\xbb\xbf",
    b"\xff\xfe",
    b"<html><table>",
    b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">',
    b"[{",
    b'{"a":',
    "姓名,编号\n".encode("gb18030"),
]


def read(path: Path, content: bytes) -> list[Sheet | UnreadFile] | UsageError:
    """What reading gives; every reason can be said in both languages."""
    path.write_bytes(content)
    try:
        found = list(read_sheets(path))
    except UsageError as error:
        assert str(error) and error.said("zh") != str(error)
        return error
    for one in found:
        if isinstance(one, UnreadFile):
            assert one.reason.said("zh") != str(one.reason)
        else:
            assert set(one.cells.dtypes[:-1]) <= {pl.String} and one.cells.columns[-1] == "_row"
            assert one.cells["_row"].is_unique().all()
            for _, _, _, _, reason, _ in one.remarks:
                assert reason.said("zh") != str(reason)
    return found


def count_rows(sheet: Sheet) -> int:
    """Rows taken and refused."""
    refused = {row for _, row, _, _, _, kind in sheet.remarks if kind == REFUSED}
    return sheet.cells.height + len(refused)


@QUICK
@given(st.sampled_from(STARTS), st.binary(max_size=400))
def test_any_bytes(tmp_path: Path, start: bytes, rest: bytes) -> None:
    read(tmp_path / "a.xls", start + rest)


@QUICK
@given(
    st.sampled_from(["list.xls", "list.xlsx", "people.ods"]),
    st.lists(st.tuples(st.floats(0, 1), st.binary(min_size=1, max_size=9)), max_size=6),
    st.floats(0.2, 1),
)
def test_damaged_workbooks(
    tmp_path: Path, name: str, damage: list[tuple[float, bytes]], left: float
) -> None:
    data = bytearray((WORKBOOKS / name).read_bytes())
    for place, other in damage:
        at = int(place * (len(data) - len(other)))
        data[at : at + len(other)] = other
    read(tmp_path / "a.xlsx", bytes(data[: int(left * len(data))] if left < 0.9 else data))


CELLS = st.one_of(
    st.none(),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.sampled_from(['a"b', '"', "x,y", "a;b\tc", "1.5E+17", "007", "8", "2.0", '="01"', "\ufeff"]),
)


@QUICK
@given(
    st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=12),
    st.sampled_from([",", "\t", ";", "|", "，"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "gb18030"]),
    st.sampled_from(["plain", "gz", "zip"]),
)
def test_every_line_of_a_text_is_taken_or_refused(
    tmp_path: Path, rows: list[list[str | None]], sign: str, encoding: str, packed: str
) -> None:
    """Lines without quotation marks are rows; those with any may join, and then are refused."""
    lines = [
        sign.join((cell or "").replace("\r", " ").replace("\n", " ") for cell in row)
        for row in rows
    ]
    text = "\n".join(lines) + "\n"
    data = text.encode(encoding)
    if packed == "gz":
        data = gzip.compress(data)
    elif packed == "zip":
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("a.csv", data)
        data = archive.getvalue()
    found = read(tmp_path / "a.csv", data)
    if isinstance(found, list) and '"' not in text and isinstance(found[0], Sheet):
        kind = text.lstrip("\ufeff \t\n")[:1]
        if kind not in ("[", "{", "<"):
            assert count_rows(found[0]) == len(lines)


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**18), 10**18),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(st.characters(codec="utf-8", min_codepoint=32), max_size=12),
    st.datetimes(dt.datetime(1900, 3, 1), dt.datetime(2100, 1, 1)),
)


@QUICK
@example([[""]])
@given(st.lists(st.lists(VALUES, min_size=1, max_size=5), min_size=1, max_size=8))
def test_every_row_of_a_workbook_is_taken(tmp_path: Path, rows: list[list[object]]) -> None:
    content = io.BytesIO()
    filled = 0
    with xlsxwriter.Workbook(content, {"in_memory": True}) as book:
        sheet = book.add_worksheet()
        day = book.add_format({"num_format": "yyyy-mm-dd"})
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if isinstance(value, dt.datetime):
                    sheet.write_datetime(at, column, value, day)
                elif isinstance(value, str):
                    sheet.write_string(at, column, value)
                elif value is not None:
                    sheet.write(at, column, value)
                filled += value is not None and value != ""
    found = read(tmp_path / "a.xlsx", content.getvalue())
    if not filled:
        assert isinstance(found, UsageError)
        return
    assert isinstance(found, list)
    (sheet_read,) = found
    assert isinstance(sheet_read, Sheet)
    cells = sheet_read.cells.select(pl.exclude("_row"))
    assert sum(cells.count().row(0)) == filled


@QUICK
@given(
    st.lists(
        st.dictionaries(
            st.text(max_size=4),
            st.one_of(st.none(), st.text(max_size=6), st.integers(), st.booleans()),
            min_size=1,
            max_size=4,
        ),
        min_size=1,
        max_size=6,
    ),
    st.booleans(),
)
def test_every_record_of_json_is_a_row(
    tmp_path: Path, records: list[dict[str, object]], by_line: bool
) -> None:
    document = json.dumps(records, ensure_ascii=False)
    lines = "\n".join(json.dumps(record, ensure_ascii=False) for record in records)
    found = read(tmp_path / "a.json", (lines if by_line else document).encode())
    assert isinstance(found, list) and isinstance(found[0], Sheet)
    assert count_rows(found[0]) == len(records) + 1


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 1_000_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"<table>" + b"<tr><td colspan=10000 rowspan=10000>x" * 1_000,
        b"<table><tr><td>" * 100_000,
        b"x" * 5_000_000,
        b'"' * 1_000_001,
        b"\n" * 1_000_000,
    ],
)
def test_text_that_is_made_to_hurt(tmp_path: Path, content: bytes) -> None:
    read(tmp_path / "a.csv", content)
