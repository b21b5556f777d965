"""Answers in Arrow files: what comes back, how much is held, and when the files go."""

from __future__ import annotations

import datetime as dt
import gc
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from python_calamine import CalamineWorkbook

from graph.cypher.spool import (
    SPOOL_FOLDER,
    SpoolFolder,
    decode_spool_rows,
    encode_spool_rows,
    remove_abandoned_spools,
)
from graph.cypher.spooled_answers import merge_dtypes
from graph.dates import PartialDate
from graph.errors import UsageError
from graph.table_streams import TableStream, stream_table
from graph.tabular import About, Format

ZONE = dt.timezone(dt.timedelta(hours=8))
ROWS: list[list[Any]] = [
    [1, "李雷", dt.date(2020, 1, 1), None, [1, "x", None], {"a": dt.date(2019, 1, 1)}, True],
    [2, None, PartialDate(2019, 12, 31, "year"), None, ["\0", "list"], None, 1],
    [None, "", None, None, [[], {}], {"n": [dt.time(8, 30)]}, 1.5],
    [-(2**63), "\0", dt.date(1, 1, 1), None, b"\x01", dt.datetime(2024, 1, 1, tzinfo=ZONE), "t"],
]


def test_rows_come_back_as_they_were() -> None:
    frame, encoded = encode_spool_rows(ROWS, 7)
    back = decode_spool_rows(frame, encoded)
    assert back == ROWS
    assert [[type(v) for v in row] for row in back] == [[type(v) for v in row] for row in ROWS]
    assert str(back[1][2]) == "2019"
    assert encoded == {2, 4, 5, 6}


def test_pages_are_read_across_files_and_go_with_the_spool(tmp_path: Path) -> None:
    spool = SpoolFolder(tmp_path, 10**9)
    for first in range(0, 50, 10):
        spool.append([[n] for n in range(first, first + 10)], 1)
    assert spool.read_rows(8, 25) == [[n] for n in range(8, 33)]
    assert spool.read_rows(48, 100) == [[48], [49]]
    assert {path.stat().st_mode & 0o777 for path in spool.path.glob("*.arrow")} == {0o600}
    assert spool.path.stat().st_mode & 0o777 == 0o700
    parts = spool.iterate_parts()
    next(parts)
    spool.close()  # somebody still reads
    assert sum(len(rows) for rows in parts) == 40
    assert spool.is_removed
    with pytest.raises(UsageError, match="run the query again"):
        spool.read_rows(0, 1)


def test_a_spool_that_nobody_holds_or_uses_is_removed(tmp_path: Path) -> None:
    spool = SpoolFolder(tmp_path, 10**9)
    path = spool.path
    assert remove_abandoned_spools(tmp_path) == 0
    del spool
    gc.collect()
    assert not path.exists()
    idle = SpoolFolder(tmp_path, 10**9, idle_seconds=0.05)
    idle._timer.join(10)
    assert idle.is_removed
    left = tmp_path / SPOOL_FOLDER / "left"
    left.mkdir()
    (left / ".lock").touch()
    assert remove_abandoned_spools(tmp_path) == 1 and not left.exists()


def test_a_column_has_one_type_for_all_its_files() -> None:
    kinds = [pl.Null(), pl.Int64(), pl.Null()]
    assert merge_dtypes(iter(kinds)) == pl.Int64
    assert merge_dtypes(iter([*kinds, pl.Float64()])) == pl.Float64
    assert merge_dtypes(iter([*kinds, pl.Date()])) == pl.String
    assert merge_dtypes(iter([pl.Null()])) == pl.String


PARTS = [
    pl.DataFrame({"a\nb": [1, 2], "text": ["=1+1", '说"明"\n二行']}),
    pl.DataFrame({"a\nb": ["x", None], "text": [None, "z"]}, schema={"a\nb": str, "text": str}),
]
STREAM = TableStream(["a\nb", "text"], [pl.String(), pl.String()], 4, lambda: PARTS, About(7))


def stream_whole(format: Format, folder: Path, table: TableStream = STREAM) -> bytes:
    found = b"".join(stream_table(table, format, folder))
    assert list(folder.iterdir()) == []
    return found


def test_a_table_is_streamed_in_each_format(tmp_path: Path) -> None:
    csv = pl.read_csv(stream_whole("csv", tmp_path), infer_schema=False)
    assert csv.rows() == [("1", "'=1+1"), ("2", '说"明"\n二行'), ("x", None), (None, "z")]
    document = json.loads(stream_whole("json", tmp_path))
    assert document["revision"] == 7 and [row["a\nb"] for row in document["rows"]] == [
        1,
        2,
        "x",
        None,
    ]
    parquet = io.BytesIO(stream_whole("parquet", tmp_path))
    assert pl.read_parquet(parquet)["a\nb"].to_list() == ["1", "2", "x", None]
    assert json.loads(pl.read_parquet_metadata(parquet)["shicheng"])["revision"] == 7
    book = CalamineWorkbook.from_filelike(io.BytesIO(stream_whole("xlsx", tmp_path)))
    rows = book.get_sheet_by_name("table").to_python()
    assert rows[0] == ["a\nb", "text"]
    assert [row[1] for row in rows[1:]] == ["=1+1", '说"明"\n二行', "", "z"]


def test_an_empty_table_has_its_heads_and_a_long_one_no_workbook(tmp_path: Path) -> None:
    empty = TableStream(["a"], [pl.String()], 0, list, About(7))
    assert stream_whole("csv", tmp_path, empty).decode("utf-8-sig").strip() == "a"
    assert json.loads(stream_whole("json", tmp_path, empty))["rows"] == []
    assert pl.read_parquet(stream_whole("parquet", tmp_path, empty)).columns == ["a"]
    long = TableStream(["a"], [pl.String()], 2_000_000, list, About(7))
    with pytest.raises(UsageError, match="take csv or parquet"):
        stream_table(long, "xlsx", tmp_path)
    text = TableStream(
        ["a"], [pl.String()], 1, lambda: [pl.DataFrame({"a": ["x" * 40_000]})], About(7)
    )
    with pytest.raises(UsageError, match="a has a text of 40,000 signs"):
        stream_whole("xlsx", tmp_path, text)
    assert list(tmp_path.iterdir()) == []
