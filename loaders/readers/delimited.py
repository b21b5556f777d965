"""Delimited text to rows of text, with the row numbers of a spreadsheet.

Text without quotation marks goes through polars; all else through the csv module, row by row: a
row that breaks the quoting, is too long or has too many cells costs only itself, and is named.
Rows end with LF, CRLF or CR alone, never at the other signs that Unicode calls line ends.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Final

import polars as pl

from graph.errors import UsageError
from graph.messages import Message
from loaders.findings import REFUSED, REMARK, Finding, build_empty_findings, build_findings
from loaders.readers.encodings import MAX_LINE_CHARS, Bytes, has_long_line
from loaders.readers.separators import SEPARATOR_SAMPLE_LINES, Separation, detect_separator
from loaders.tables import ROW_NUMBER_COLUMN

# As many columns as a spreadsheet has.
MAX_TABLE_COLUMNS: Final = 16_384
# Characters of a cell; what is longer is none of a table.
MAX_CELL_CHARS: Final = 100_000
# Rows that wait as Python's lists before they become a frame, by their cells.
_BATCH_CELLS: Final = 2_000_000
_SAMPLE_BYTES: Final = 1 << 20
# Stands for a line that is too long; the csv module refuses it as it would the line.
_OVERLONG_LINE: Final = "x" * (MAX_CELL_CHARS + 1) + "\n"
_BYTE_ORDER_MARK: Final = "\ufeff"
_LONE_CR_PATTERN: Final = re.compile(rb"\r(?!\n)")

_UNMATCHED_QUOTES_REASON = Message("its quotation marks don't match; mend them and load again")
_LONG_CELL_REASON = Message(
    "a cell has more than {most:,} characters; a quotation mark may not be closed",
    most=MAX_CELL_CHARS,
)
_MANY_CELLS_REASON = Message(
    "the row has more than {most:,} cells, more than a spreadsheet has", most=MAX_TABLE_COLUMNS
)
_DUPLICATE_HEADER_REMARK = Message("this header stands twice; the second column is left out")
_REPEATED_HEADER_REASON = Message("the header stands here again; the row is left out")
_MISSING_HEADER_REMARK = Message("this column has no header; it is left out")
# Marks a column that is left out; no header has it.
_DROPPED_COLUMN_MARK: Final = "\0"


@dataclass(frozen=True)
class DelimitedRows:
    """`frame` has the file's headers and `_row`; `found` are findings on rows and headers."""

    frame: pl.DataFrame
    found: pl.DataFrame


@dataclass(frozen=True)
class DelimitedCells:
    """`frame` has text columns c0, c1, ... (null = empty) and `_row`; `found` are lost rows."""

    frame: pl.DataFrame
    found: Sequence[Finding]
    separator: str


@dataclass
class FindingCollector:
    """The findings on one file, gathered row by row."""

    file: str
    rows: list[Finding] = field(default_factory=list)

    def add(self, row: int, column: str, reason: Message, kind: str = REFUSED) -> None:
        """One finding on a row or a column of the file."""
        self.rows.append((self.file, row, column, "", reason, kind))


def read_delimited_rows(
    data: Bytes, encoding: str, file: str, path: Path | None = None
) -> DelimitedRows:
    """The rows of a text file; `path` is where its bytes stand as they are in `data`, if anywhere.

    Raises UsageError for a file that is no table at all.
    """
    if not encoding.startswith("utf-8") and not has_long_line(data):
        data, encoding, path = data[:].decode(encoding).encode(), "utf-8", None
    rows = None if has_long_line(data) else _read_with_polars(data, encoding, path)
    return _drop_repeated_headers(rows or _read_with_csv_module(data, encoding, file, path), file)


def read_delimited_cells(data: Bytes, encoding: str, file: str) -> DelimitedCells:
    """Every row of a text as cells, whatever parts them; no row is taken for a header."""
    text = data[:]
    if not encoding.startswith("utf-8") and not has_long_line(text):
        text = text.decode(encoding).encode()
        encoding = "utf-8"
    text = text.removeprefix(codecs.BOM_UTF8)
    separation = detect_separator(_sample_lines(text, encoding))
    frame = None if has_long_line(text) else _split_with_polars(text, separation)
    if frame is not None:
        return DelimitedCells(drop_empty_columns(frame), (), separation.sign)
    found = FindingCollector(file)
    with io.BytesIO(text) as stream:
        records = _RecordReader(
            io.TextIOWrapper(stream, encoding, newline=""), separation.sign, separation.columns
        )
        frame = build_cell_frame(_iterate_cells(records, found))
    return DelimitedCells(drop_empty_columns(frame), found.rows, separation.sign)


def _sample_lines(text: bytes, encoding: str) -> list[str]:
    start = text[:_SAMPLE_BYTES].decode(encoding, errors="ignore")
    return io.StringIO(start, newline="").read().splitlines()[:SEPARATOR_SAMPLE_LINES]


def _split_with_polars(text: bytes, separation: Separation) -> pl.DataFrame | None:
    """The cells by polars; None when something in the text takes care."""
    sign = separation.sign.encode()
    if len(sign) > 1 or text.find(b'"') >= 0 or _LONE_CR_PATTERN.search(text):
        return None
    names = [f"c{at}" for at in range(separation.columns)]
    # polars takes the number of columns from the first line, which may be a title.
    padded = sign * (len(names) - 1) + b"\n" + text
    try:
        frame = pl.read_csv(
            padded,
            has_header=False,
            schema=dict.fromkeys(names, pl.String),
            separator=separation.sign,
            quote_char=None,
        )
    except pl.exceptions.PolarsError:
        return None
    return (
        frame.slice(1)
        .with_row_index(ROW_NUMBER_COLUMN, 1)
        .select(*names, pl.col(ROW_NUMBER_COLUMN).cast(pl.Int64))
    )


def _iterate_cells(
    records: _RecordReader, found: FindingCollector
) -> Iterator[tuple[int, list[str]]]:
    for cells, wrong in records:
        if wrong is None and len(cells) > MAX_TABLE_COLUMNS:
            wrong = _MANY_CELLS_REASON
        if wrong is not None:
            found.add(records.number, "", wrong)
        else:
            yield records.number, cells


def build_cell_frame(rows: Iterator[tuple[int, list[str]]]) -> pl.DataFrame:
    """Rows of any length as columns c0, c1, ... and `_row`."""
    parts = [pl.DataFrame(schema={"c0": pl.String, ROW_NUMBER_COLUMN: pl.Int64})]
    waiting: list[tuple[int, list[str]]] = []
    cells = 0
    for row in rows:
        waiting.append(row)
        cells += len(row[1]) + 1
        if cells > _BATCH_CELLS // 8:
            parts.append(_build_cell_part(waiting))
            waiting, cells = [], 0
    parts.append(_build_cell_part(waiting))
    frame = pl.concat(parts, how="diagonal")
    names = [f"c{at}" for at in range(frame.width - 1)]
    return frame.select(*names, ROW_NUMBER_COLUMN)


def _build_cell_part(rows: Sequence[tuple[int, list[str]]]) -> pl.DataFrame:
    width = max((len(cells) for _, cells in rows), default=1) or 1
    columns: dict[str, pl.Series] = {}
    padded = [cells + [""] * (width - len(cells)) for _, cells in rows]
    for at, column in enumerate(zip(*padded, strict=True) if padded else [()] * width):
        text = pl.Series(f"c{at}", column, dtype=pl.String)
        columns[f"c{at}"] = text.replace("", None)
    numbers = pl.Series(ROW_NUMBER_COLUMN, [number for number, _ in rows], dtype=pl.Int64)
    return pl.DataFrame([*columns.values(), numbers])


def drop_empty_columns(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells less the columns at the right end in which nothing stands."""
    names = [name for name in cells.columns if name != ROW_NUMBER_COLUMN]
    while len(names) > 1 and cells[names[-1]].null_count() == cells.height:
        names.pop()
    return cells.select(*names, ROW_NUMBER_COLUMN)


def _read_with_polars(data: Bytes, encoding: str, path: Path | None) -> DelimitedRows | None:
    """Everything by polars; None when something in the text takes care."""
    if not encoding.startswith("utf-8") or data.find(b'"') >= 0 or _LONE_CR_PATTERN.search(data):
        return None
    end = data.find(b"\n")
    first = data[:] if end < 0 else data[:end]
    headers = first.decode("utf-8-sig").rstrip("\r").split(",")
    if not _has_plain_headers(headers):
        return None
    try:
        frame = pl.read_csv(path or data[:], infer_schema=False, quote_char=None)
    except pl.exceptions.PolarsError:
        return None
    if frame.columns != headers:
        return None
    return DelimitedRows(add_row_numbers(frame), build_empty_findings())


def _has_plain_headers(headers: Sequence[str]) -> bool:
    distinct = set(headers)
    return (
        len(distinct) == len(headers) <= MAX_TABLE_COLUMNS
        and ROW_NUMBER_COLUMN not in distinct
        and all(header.strip() for header in headers)
    )


def add_row_numbers(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the numbers that a spreadsheet gives them, a header above them."""
    return rows.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias(ROW_NUMBER_COLUMN))


def _drop_repeated_headers(rows: DelimitedRows, file: str) -> DelimitedRows:
    """The rows less those that say the header again, as when files are joined."""
    frame = rows.frame
    headers = [column for column in frame.columns if column != ROW_NUMBER_COLUMN]
    if not headers:
        return rows
    again = frame[headers[0]].str.strip_chars(_BYTE_ORDER_MARK) == headers[0].strip(
        _BYTE_ORDER_MARK
    )
    if not again.any():
        return rows
    same = [
        pl.col(h).str.strip_chars(_BYTE_ORDER_MARK) == h.strip(_BYTE_ORDER_MARK) for h in headers
    ]
    doubled = frame.filter(pl.all_horizontal(same).fill_null(False))[ROW_NUMBER_COLUMN]
    found = build_findings(
        [(file, row, "", "", _REPEATED_HEADER_REASON, REFUSED) for row in doubled]
    )
    remaining = frame.filter(~pl.col(ROW_NUMBER_COLUMN).is_in(doubled.implode()))
    return DelimitedRows(remaining, pl.concat([rows.found, found]))


def _read_with_csv_module(
    data: Bytes, encoding: str, file: str, path: Path | None
) -> DelimitedRows:
    """Row by row, for text that takes care."""
    found = FindingCollector(file)
    with io.BytesIO(data[:]) if path is None else path.open("rb") as stream:
        records = _RecordReader(io.TextIOWrapper(stream, encoding, newline=""))
        headers = _read_headers(records, file)
        if headers is None:
            return DelimitedRows(add_row_numbers(pl.DataFrame()), build_empty_findings())
        names = _build_column_names(headers, records.number, found)
        frame = _build_text_frame(names, _iterate_valid_rows(records, names, found))
    frame = frame.select(c for c in frame.columns if not _is_column_dropped(frame, c, found))
    return DelimitedRows(frame, build_findings(found.rows))


def _read_headers(records: _RecordReader, file: str) -> list[str] | None:
    """The cells of the first row that is not blank; None when there is none."""
    for cells, wrong in records:
        if wrong is not None:
            raise UsageError(
                "{file}, row {row}: the header can't be read: {why}",
                file=file,
                row=records.number,
                why=wrong,
            )
        if len(cells) > MAX_TABLE_COLUMNS:
            raise UsageError(
                "{file} has {columns:,} columns; a spreadsheet has no more than {most:,}, so this "
                "is no table",
                file=file,
                columns=len(cells),
                most=MAX_TABLE_COLUMNS,
            )
        if any(cell.strip(_BYTE_ORDER_MARK).strip() for cell in cells):
            records.columns = len(cells)
            return cells
    return None


def _build_column_names(headers: Sequence[str], row: int, found: FindingCollector) -> list[str]:
    """A name of its own for each column; those without a header, or with one again, are marked."""
    names: list[str] = []
    seen: set[str] = set()
    for at, header in enumerate(headers):
        if not header.strip():
            names.append(f"{_DROPPED_COLUMN_MARK}{at}")
        elif header in seen:
            names.append(f"{header}{_DROPPED_COLUMN_MARK}{at}")
            found.add(row, header, _DUPLICATE_HEADER_REMARK, REMARK)
        else:
            names.append(f"{header} " if header == ROW_NUMBER_COLUMN else header)
            seen.add(header)
    return names


def _is_column_dropped(frame: pl.DataFrame, column: str, found: FindingCollector) -> bool:
    """Whether a column is marked; one without a header is named if anything stands in it."""
    if column.startswith(_DROPPED_COLUMN_MARK) and (frame[column].str.strip_chars() != "").any():
        found.add(1, "", _MISSING_HEADER_REMARK, REMARK)
    return _DROPPED_COLUMN_MARK in column


def _iterate_valid_rows(
    records: _RecordReader, names: Sequence[str], found: FindingCollector
) -> Iterator[list[str]]:
    """The rows that split into the header's columns, with their number; others are findings."""
    columns = len(names)
    for cells, wrong in records:
        reason = wrong or _describe_extra_cells(cells, columns)
        if reason is not None:
            found.add(records.number, "", reason)
            continue
        if len(cells) != columns:
            cells = [*cells, *([""] * (columns - len(cells)))][:columns]
        yield [*cells, str(records.number)]


def _describe_extra_cells(cells: Sequence[str], columns: int) -> Message | None:
    if len(cells) <= columns or not any(cell.strip() for cell in cells[columns:]):
        return None
    return Message(
        "the row has {cells} cells where the header has {columns}; "
        "put text that holds a comma in quotation marks",
        cells=len(cells),
        columns=columns,
    )


def _build_text_frame(names: Sequence[str], rows: Iterator[list[str]]) -> pl.DataFrame:
    """The rows as text, `_row` as numbers; a part of them at a time in Python's own lists."""
    schema = dict.fromkeys((*names, ROW_NUMBER_COLUMN), pl.String)
    size = max(_BATCH_CELLS // len(schema), 1)
    parts = [pl.DataFrame(schema=schema)]
    while part := list(islice(rows, size)):
        columns = dict(zip(schema, zip(*part, strict=True), strict=True))
        parts.append(pl.DataFrame(columns, schema=schema))
    return pl.concat(parts).with_columns(pl.col(ROW_NUMBER_COLUMN).cast(pl.Int64))


class _RecordReader:
    """The records of a text, each with what is wrong with it; `number` is the last one's.

    `columns`, once set, tells rows that a stray quotation mark has swallowed.
    """

    def __init__(self, text: io.TextIOWrapper, separator: str = ",", columns: int = 0) -> None:
        self.number, self.columns = 0, columns
        self._lines = _LineReader(text)
        self._separator = separator

    def __iter__(self) -> Iterator[tuple[list[str], Message | None]]:
        csv.field_size_limit(MAX_CELL_CHARS)
        reader = csv.reader(self._lines, strict=True, delimiter=self._separator)
        while True:
            self._lines.record.clear()
            wrong = None
            try:
                cells = next(reader, None)
            except csv.Error as error:
                wrong = (
                    _LONG_CELL_REASON if "field limit" in str(error) else _UNMATCHED_QUOTES_REASON
                )
                reader = csv.reader(self._lines, strict=True, delimiter=self._separator)
            else:
                if cells is None:
                    return
                wrong = self._swallowed()
            if wrong is not None:
                cells = []
                self._lines.back()
            self.number += 1
            yield cells or [], wrong

    def _swallowed(self) -> Message | None:
        """Whether the record is several lines that each look like a row of the table."""
        lines = self._lines.record
        if len(lines) < 2 or self.columns < 2:
            return None
        unquoted = csv.reader(lines, quoting=csv.QUOTE_NONE, delimiter=self._separator)
        alike = sum(len(cells) == self.columns for cells in unquoted)
        if alike < 2 or alike * 2 < len(lines):
            return None
        return Message(
            "a quotation mark opens here and closes {lines} lines below, over what look like rows "
            "of their own; those are read by themselves, this one is not: take the mark out or "
            "close it",
            lines=len(lines) - 1,
        )


class _LineReader:
    """Lines for the csv module; the lines of the record in hand can be put back but for one."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self.record: list[str] = []
        self._text = text
        self._ahead: deque[str] = deque()

    def __iter__(self) -> _LineReader:
        return self

    def __next__(self) -> str:
        line = self._ahead.popleft() if self._ahead else self._next()
        if not line:
            raise StopIteration
        self.record.append(line)
        return line

    def back(self) -> None:
        """Puts back every line of the record but its first."""
        self._ahead.extendleft(reversed(self.record[1:]))

    def _next(self) -> str:
        line = self._text.readline(MAX_LINE_CHARS)
        if len(line) < MAX_LINE_CHARS or line.endswith(("\n", "\r")):
            return line
        while line and not line.endswith(("\n", "\r")):
            line = self._text.readline(MAX_LINE_CHARS)
        return _OVERLONG_LINE
