"""Workbooks (.xlsx, .xlsm, .xlsb, .xls, .et, .ods) to sheets of text cells.

python-calamine reads them, in a process of its own (`workbook_process.py`).
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, Final

import polars as pl

from graph.errors import UsageError
from graph.identity import mask_id_numbers
from graph.messages import Message
from loaders.findings import REMARK, Finding
from loaders.readers import workbook_process
from loaders.readers.delimited import MAX_TABLE_COLUMNS, drop_empty_columns
from loaders.readers.excel_damage import CellMarks, clean_workbook_cells
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN, UnreadFile

MAX_SHEET_ROWS: Final = 1_048_576
MAX_WORKBOOK_BYTES: Final = 200 << 20

PASSWORD_MESSAGE = Message(
    "{file} is protected by a password; open it, take the password off and save it again"
)
DAMAGED_MESSAGE = Message(
    "{file} can't be read as a workbook: the file is damaged or cut short; open it, save it as "
    ".xlsx and send it again"
)
TOO_LARGE_MESSAGE = Message(
    "{file} needs more memory or time to be read than a list does: it is too large, or its sheets "
    "reach far beyond their tables; save the table alone as CSV (UTF-8)"
)
_GROWS_MESSAGE = Message(
    "{file} unpacks to more than a list does; save the table alone as CSV (UTF-8)"
)
_MESSAGES: Final = {
    "password": PASSWORD_MESSAGE,
    "damaged": DAMAGED_MESSAGE,
    "packing": DAMAGED_MESSAGE,
    "memory": TOO_LARGE_MESSAGE,
    "marks": TOO_LARGE_MESSAGE,
    "bomb": _GROWS_MESSAGE,
    "cell": Message(
        "{file} has a cell of more than {most:,} characters, so it is no table; save the table "
        "alone as CSV (UTF-8)",
        most=workbook_process.MAX_CELL_CHARS,
    ),
}
NO_CELLS_MESSAGE = Message("{file} holds no cell with anything in it; send the list itself")
_CHART_SHEET_REASON = Message("the sheet {name} is not read; it is a chart or a macro, not a table")
_EMPTY_SHEET_REASON = Message("the sheet {name} is not read; nothing stands in it")
_HIDDEN_SHEET_REMARK = Message(
    "the sheet {name} is hidden in the workbook; it is read all the same"
)
# The library does not say it, and no XML of rows stands beside the cells of these.
_UNTOLD_HIDDEN_ROWS_REMARK = Message(
    "in a workbook of this kind (.{kind}) it can't be told which rows are hidden; all rows are read"
)
_KINDS_WITHOUT_HIDDEN_ROWS: Final = ("xls", "xlsb")
_HIDDEN_ROWS_REMARK = Message(
    "{rows:,} rows are hidden in the workbook ({first}); they are read all the same"
)


def read_workbook_sheets(stream: BinaryIO, kind: str, file: str) -> Iterator[Sheet | UnreadFile]:
    """The sheets of a workbook of a kind ("xlsx", "xls", "xlsb", "ods").

    Raises UsageError for one that is damaged, protected, empty or too large.
    """
    if stream.seek(0, 2) > MAX_WORKBOOK_BYTES:
        raise UsageError(TOO_LARGE_MESSAGE.with_values(file=file))
    if isinstance(stream, io.BytesIO):
        with tempfile.TemporaryFile() as copy:
            copy.write(stream.getbuffer())
            yield from read_workbook_sheets(copy, kind, file)
        return
    seen = False
    for found in _read_process_sheets(stream, kind, file):
        seen = seen or isinstance(found, Sheet)
        yield found
    if not seen:
        raise UsageError(NO_CELLS_MESSAGE.with_values(file=file))


def _read_process_sheets(stream: BinaryIO, kind: str, file: str) -> Iterator[Sheet | UnreadFile]:
    head: dict[str, Any] | None = None
    parts: list[pl.DataFrame] = []
    for line in _run_reader_process(stream, kind, file):
        if isinstance(line, list):
            assert head is not None
            parts.append(_build_tagged_part(head, *line))
            continue
        if head is not None:
            yield _build_workbook_sheet(head, parts, file, kind)
        head, parts = line, []


def _run_reader_process(stream: BinaryIO, kind: str, file: str) -> Iterator[Any]:
    """The lines of the reading process; the last one is {"done": true}."""
    stream.seek(0)
    # Isolated, so that neither the environment nor this folder stands in for Python's own modules.
    command = [sys.executable, "-I", workbook_process.__file__, kind]
    process = subprocess.Popen(
        command, stdin=stream, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert process.stdout is not None
    try:
        for text in process.stdout:
            line = json.loads(text)
            if isinstance(line, dict) and "error" in line:
                raise UsageError(_MESSAGES[line["error"]].with_values(file=file))
            yield line
            if isinstance(line, dict) and "done" in line:
                return
        raise UsageError(TOO_LARGE_MESSAGE.with_values(file=file))
    except ValueError:
        raise UsageError(TOO_LARGE_MESSAGE.with_values(file=file)) from None
    finally:
        process.stdout.close()
        process.kill()
        process.wait()


def _build_tagged_part(
    head: dict[str, Any], first: int, rows: list[list[str | None]]
) -> pl.DataFrame:
    """Rows of the sheet as columns c0, c1, ... from the left edge, and their numbers."""
    (_, left), (_, right) = head["start"] or (0, 0), head["end"] or (0, 0)
    width = right - left + 1
    schema = {f"c{at}": pl.String for at in range(left, right + 1)}
    frame = pl.DataFrame(rows, schema=schema, orient="row") if rows else pl.DataFrame(schema=schema)
    assert frame.width == width
    edge = [pl.lit(None, dtype=pl.String).alias(f"c{at}") for at in range(left)]
    numbers = pl.int_range(first, first + pl.len(), dtype=pl.Int64).alias(ROW_NUMBER_COLUMN)
    return frame.select(*edge, pl.all(), numbers)


def _build_workbook_sheet(
    head: dict[str, Any], parts: list[pl.DataFrame], file: str, kind: str
) -> Sheet | UnreadFile:
    name = mask_id_numbers(head["sheet"])
    if head["type"] != "WorkSheet":
        return UnreadFile(file, _CHART_SHEET_REASON.with_values(name=name))
    if head["start"] is None:
        return UnreadFile(file, _EMPTY_SHEET_REASON.with_values(name=name))
    if head["end"][0] >= MAX_SHEET_ROWS or head["end"][1] >= MAX_TABLE_COLUMNS:
        raise UsageError(TOO_LARGE_MESSAGE.with_values(file=file))
    marks = CellMarks(
        [tuple(mark) for mark in head.get("errors", ())],
        [tuple(mark) for mark in head.get("padded", ())],
        head.get("from1900", False),
    )
    tagged = drop_empty_columns(pl.concat(parts))
    cells, remarks = clean_workbook_cells(tagged, marks, file)
    if not any(cells.select(pl.exclude(ROW_NUMBER_COLUMN).count()).row(0)) and not remarks:
        return UnreadFile(file, _EMPTY_SHEET_REASON.with_values(name=name))
    hidden = frozenset(head.get("hidden", ()))
    merged = tuple((r1 + 1, c1 + 1, r2 + 1, c2 + 1) for (r1, c1), (r2, c2) in head["merged"])
    said = list(list_hidden_remarks(head["visible"], hidden, name, file))
    if kind in _KINDS_WITHOUT_HIDDEN_ROWS:
        reason = _UNTOLD_HIDDEN_ROWS_REMARK.with_values(kind=kind)
        said.append((file, 0, "", "", reason, REMARK))
    return Sheet(file, name, cells, merged, hidden, remarks=(*said, *remarks))


def list_hidden_remarks(
    visible: bool, hidden: frozenset[int], name: str, file: str
) -> Iterator[Finding]:
    """That a sheet or rows of it are hidden in the workbook."""
    if not visible:
        yield file, 0, "", name, _HIDDEN_SHEET_REMARK.with_values(name=name), REMARK
    if hidden:
        first = sorted(hidden)
        reason = _HIDDEN_ROWS_REMARK.with_values(rows=len(hidden), first=first[:10])
        yield file, first[0], "", "", reason, REMARK
