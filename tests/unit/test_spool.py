"""Answers in Arrow files: what comes back, how much is held, and when the files go."""

from __future__ import annotations

import datetime as dt
import gc
import io
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars as pl
import pytest
from neo4j import Record
from neo4j.exceptions import ClientError
from python_calamine import CalamineWorkbook

from graph.cypher import spooled_answers
from graph.cypher.named_queries import MAX_QUERY_ROWS, Reading, Table
from graph.cypher.spool import (
    FIRST_PART_ROWS,
    SPOOL_FOLDER,
    SpoolFolder,
    decode_spool_rows,
    encode_spool_rows,
    remove_abandoned_spools,
)
from graph.cypher.spooled_answers import SpooledAnswer, merge_dtypes, start_answer
from graph.dates import PartialDate
from graph.errors import DatabaseError, UsageError
from graph.server.console import Meter
from graph.settings import Settings
from graph.table_streams import TableStream, stream_table
from graph.tabular import About, Format
from tests.conftest import own_settings

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


class FakeResult:
    """Rows of one column as Neo4j's driver gives them, and what goes wrong after the last."""

    def __init__(self, rows: int, error: Exception | None = None) -> None:
        self.rows, self.error = rows, error

    def keys(self) -> list[str]:
        return ["n"]

    def __iter__(self) -> Iterator[Record]:
        for n in range(self.rows):
            yield Record([("n", n)])
        if self.error is not None:
            raise self.error


def read_answer(home: Path, run: Callable[[Reading], Table], **more: Any) -> SpooledAnswer:
    """An answer that is read to its end without a server."""
    settings = own_settings(home).model_copy(update=more)
    database: Any = SimpleNamespace(settings=settings, console=SimpleNamespace())
    answer = start_answer(database, run)
    assert answer.wait_for_end(60)
    return answer


def read_result(home: Path, result: FakeResult, **more: Any) -> SpooledAnswer:
    """An answer whose rows come from a transaction."""

    def run(reading: Reading) -> Table:
        tx: Any = SimpleNamespace(run=lambda text, parameters: result)
        try:
            return reading.read(tx, "", {}, Meter(10**9), lambda table: table)
        except ClientError as error:  # as `Database.said` does
            raise DatabaseError("The query did not end in time.") from error

    return read_answer(home, run, **more)


def test_an_answer_from_tables_has_all_its_rows_or_says_that_it_has_not(tmp_path: Path) -> None:
    frame = pl.DataFrame({"a": pl.int_range(MAX_QUERY_ROWS + 1, eager=True)})
    answer = read_answer(tmp_path, lambda reading: reading.take(frame, lambda table: table))
    assert answer.stopped is None and answer.rows == frame.height
    assert answer.read_page(MAX_QUERY_ROWS, 5).rows == [[MAX_QUERY_ROWS]]
    cut = read_answer(tmp_path, lambda reading: reading.take(frame, lambda t: t), spool_mb=1e-6)
    assert "SHICHENG_SPOOL_MB" in str(cut.stopped) and cut.rows == FIRST_PART_ROWS


def test_rows_that_came_before_the_time_was_over_stay(tmp_path: Path) -> None:
    late = ClientError._hydrate_neo4j(
        code="Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", message="late"
    )
    answer = read_result(tmp_path, FakeResult(5, late))
    assert answer.rows == 5 and answer.read_page(0, 9).rows == [[n] for n in range(5)]
    assert "SHICHENG_SPOOL_SECONDS" in str(answer.stopped)
    with pytest.raises(DatabaseError, match="did not end"):
        read_result(tmp_path, FakeResult(0, late))


def test_an_answer_that_ends_as_the_spool_is_full_is_complete(tmp_path: Path) -> None:
    complete = read_result(tmp_path, FakeResult(FIRST_PART_ROWS), spool_mb=1e-6)
    assert complete.stopped is None and complete.rows == FIRST_PART_ROWS
    cut = read_result(tmp_path, FakeResult(FIRST_PART_ROWS + 1), spool_mb=1e-6)
    assert cut.stopped is not None and cut.rows == FIRST_PART_ROWS


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


def test_one_table_is_taken_away_twice_at_once(tmp_path: Path) -> None:
    table = TableStream(
        ["a"], [pl.Int64()], 300_000, lambda: [pl.DataFrame({"a": range(300_000)})], About(1)
    )
    first = stream_table(table, "parquet", tmp_path)
    pieces = [next(first)]
    other = b"".join(stream_table(table, "parquet", tmp_path))
    assert b"".join((*pieces, *first)) == other and not list(tmp_path.iterdir())
    begun = [stream_table(table, "parquet", tmp_path) for _ in range(2)]
    assert [len(next(one)) > 0 for one in begun] == [True, True]
    assert len(list(tmp_path.iterdir())) == 2


def test_rows_that_come_after_closing_go_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spooled_answers, "_CANCEL_WAIT_SECONDS", 0)
    closed = threading.Event()

    def run(reading: Reading) -> Table:
        assert closed.wait(60)
        # As when a part is written while the folder is being removed.
        answer.folder.path.mkdir()
        (answer.folder.path / "000000.arrow").touch()
        return Table((), [])

    database: Any = SimpleNamespace(
        settings=Settings().at(tmp_path), console=SimpleNamespace(cancel=lambda stream: None)
    )
    answer = start_answer(database, run)
    answer.close()
    closed.set()
    assert answer.wait_for_end(60) and answer.folder.is_removed
