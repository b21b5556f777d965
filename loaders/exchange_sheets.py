"""Sheets that are tables of the exchange format, whatever their file is and is called.

A sheet is such a table when one of its first rows holds the headers of all columns that the table
must have.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from graph.messages import Message
from graph.model.kinds import COMMON_TABLE_COLUMNS, EXCHANGE_TABLES
from loaders.findings import REFUSED, REMARK, Finding, build_findings
from loaders.readers.sheet import Sheet, format_column_letter
from loaders.tables import ROW_NUMBER_COLUMN, RawTable, normalize_header

# A header stands below so many rows of titles and notes at most.
_MAX_ROWS_ABOVE_HEADER: Final = 20
# What people add to a table's name: a year, a copy's number, dashes and blanks.
_NAME_ENDING_PATTERN: Final = re.compile(
    r"(?:[\s_\-.]|[(（]\s*(?:\d*年?|副本|copy)\s*[)）]|\d+年?|副本|copy)*表?$"
)

_ROWS_ABOVE_REMARK = Message(
    "the header of {table} stands in row {row}; what stands above it is left out"
)
_REPEATED_COLUMN_REMARK = Message("this header stands twice; the second column is left out")
_MISSING_HEADER_REMARK = Message("this column has no header; it is left out")
_REPEATED_HEADER_REASON = Message("the header stands here again; the row is left out")
_EXTRA_CELLS_REASON = Message(
    "the row has {cells} cells where the header has {columns}; "
    "put text that holds a comma in quotation marks"
)


@dataclass(frozen=True)
class TableMatch:
    """The table that a sheet is, and the place of its header among the sheet's rows (from 0)."""

    table: str
    header: int


def find_table_by_name(name: str) -> str | None:
    """The table whose English or Chinese name this is, but for a year, a copy's number, case."""
    bare = _NAME_ENDING_PATTERN.sub("", name.strip().casefold()).strip()
    return _list_table_names().get(bare)


@cache
def _list_table_names() -> dict[str, str]:
    return {
        name.casefold(): table
        for table, kind in EXCHANGE_TABLES.items()
        for name in (table, kind.zh)
    }


@cache
def _list_header_words(table: str) -> tuple[dict[str, str], frozenset[str]]:
    """Header as normalized -> column of the table; the columns that must be there."""
    columns = (*EXCHANGE_TABLES[table].columns, *COMMON_TABLE_COLUMNS)
    words = {normalize_header(w): p.name for p in columns for w in (p.name, p.zh, *p.headers)}
    return words, frozenset(p.name for p in columns if p.required)


def has_table_headers(headers: Iterable[str], table: str) -> bool:
    """Whether the headers name every column that the table must have."""
    words, required = _list_header_words(table)
    return required <= {words.get(normalize_header(header)) for header in headers}


def match_exchange_table(
    sheet: Sheet, hints: Sequence[str], only_hints: bool = False
) -> TableMatch | None:
    """The table that the sheet is: the first of `hints` that its headers fit, else the only one
    that knows all of its headers. None when it is none, or when two fit alike.
    """
    names = sheet.cells.columns[:-1]
    for at, row in enumerate(sheet.cells.head(_MAX_ROWS_ABOVE_HEADER).select(names).iter_rows()):
        headers = [cell for cell in row if cell is not None and cell.strip()]
        if len(headers) < 2:
            continue
        fitting = [table for table in EXCHANGE_TABLES if has_table_headers(headers, table)]
        hinted = [table for table in hints if table in fitting]
        if hinted:
            return TableMatch(hinted[0], at)
        table = None if only_hints else _find_best_table(headers, fitting)
        if table is not None:
            return TableMatch(table, at)
    return None


def _find_best_table(headers: Sequence[str], fitting: Sequence[str]) -> str | None:
    """The only one of the tables that knows all headers of the sheet."""
    known = []
    for table in fitting:
        words, _ = _list_header_words(table)
        if all(normalize_header(header) in words for header in headers):
            known.append(table)
    return known[0] if len(known) == 1 else None


def guess_header_row(sheet: Sheet, table: str) -> int:
    """The row (from 0) with the most headers of the table; the first with any cell if none has."""
    words, _ = _list_header_words(table)
    names = sheet.cells.columns[:-1]
    rows = list(sheet.cells.head(_MAX_ROWS_ABOVE_HEADER).select(names).iter_rows())
    counts = [sum(normalize_header(cell) in words for cell in row if cell) for row in rows]
    if not any(counts):
        return next((at for at, row in enumerate(rows) if any(row)), 0)
    return counts.index(max(counts))


def build_sheet_table(sheet: Sheet, match: TableMatch, file: str, source: str) -> RawTable:
    """The sheet's rows below its header under the header's words, named as `file`."""
    number = ROW_NUMBER_COLUMN
    cells = sheet.cells
    if not cells.height:
        return RawTable(match.table, file, source, pl.DataFrame(schema={number: pl.Int64}))
    header_row = int(cells[number][match.header])
    header = [cell or "" for cell in cells.row(match.header)[:-1]]
    found: list[Finding] = [
        (file, row, _name_column(column, header), value, reason, kind)
        for _, row, column, value, reason, kind in sheet.remarks
    ]
    if cells.head(match.header).select(pl.any_horizontal(pl.col("^c\\d+$").is_not_null()).any())[
        0, 0
    ]:
        above = _ROWS_ABOVE_REMARK.with_values(table=match.table, row=header_row)
        found.append((file, header_row, "", "", above, REMARK))
    rows = cells.slice(match.header + 1)
    rows = _drop_long_rows(rows, header, sheet, file, found)
    rows = _drop_header_rows(rows, header, file, found)
    names = _name_columns(rows, header, header_row, file, found)
    table = rows.select(*(pl.col(cell).alias(name) for cell, name in names.items()), number)
    refused = build_findings(found) if found else None
    return RawTable(match.table, file, source, table, refused, encoding=sheet.encoding)


def _name_column(letters: str, header: Sequence[str]) -> str:
    """The header of a column that is named by its letters."""
    for at, text in enumerate(header, 1):
        if text and format_column_letter(at) == letters:
            return text
    return letters


def _drop_long_rows(
    rows: pl.DataFrame, header: Sequence[str], sheet: Sheet, file: str, found: list[Finding]
) -> pl.DataFrame:
    """The rows of a text file less those with cells beyond the header: a stray separator has
    moved their cells.
    """
    columns = max((at for at, text in enumerate(header, 1) if text.strip()), default=0)
    beyond = [f"c{at}" for at in range(columns, len(header))]
    if not beyond or not sheet.encoding or sheet.typed:
        return rows
    filled = pl.any_horizontal(pl.col(c).str.strip_chars().fill_null("") != "" for c in beyond)
    long = rows.select(filled).to_series()
    for row in rows.filter(long).iter_rows():
        cells = max(at for at, cell in enumerate(row[:-1], 1) if cell)
        reason = _EXTRA_CELLS_REASON.with_values(cells=cells, columns=columns)
        found.append((file, row[-1], "", "", reason, REFUSED))
    return rows.filter(~long)


def _drop_header_rows(
    rows: pl.DataFrame, header: Sequence[str], file: str, found: list[Finding]
) -> pl.DataFrame:
    """The rows less those that say the header again, as when files are joined."""
    same = pl.all_horizontal(
        pl.col(f"c{at}").fill_null("").str.strip_chars("\ufeff") == text.strip("\ufeff")
        for at, text in enumerate(header)
    )
    again = rows.select(same).to_series()
    for row in rows.filter(again)[ROW_NUMBER_COLUMN]:
        found.append((file, row, "", "", _REPEATED_HEADER_REASON, REFUSED))
    return rows.filter(~again)


def _name_columns(
    rows: pl.DataFrame, header: Sequence[str], header_row: int, file: str, found: list[Finding]
) -> dict[str, str]:
    """Column of the sheet -> its header; without those that have none or one that was there."""
    names: dict[str, str] = {}
    for at, text in enumerate(header):
        cell = f"c{at}"
        if not text.strip():
            if (rows[cell].str.strip_chars() != "").any():
                letter = format_column_letter(at + 1)
                found.append((file, header_row, letter, "", _MISSING_HEADER_REMARK, REMARK))
        elif text in names.values():
            found.append((file, header_row, text, "", _REPEATED_COLUMN_REMARK, REMARK))
        else:
            names[cell] = f"{text} " if text == ROW_NUMBER_COLUMN else text
    return names
