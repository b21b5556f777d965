"""What reading a file gives: a table of text cells that knows no header yet."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from loaders.findings import Finding

# First row, first column, last row, last column; 1-based, as a spreadsheet numbers them.
MergedRange = tuple[int, int, int, int]


@dataclass(frozen=True)
class Sheet:
    """One table of cells.

    `file`: the name as it may be shown; a member of a zip as "list.zip/people.csv". `name`: of the
    sheet, "" where the file has none. `cells`: text columns c0, c1, ... (null = empty) and `_row`,
    the spreadsheet's row, 1-based. `hidden_rows` are read all the same. `typed`: the file's columns
    have types (Parquet), and its cells are the text of their values. `remarks`: findings with row
    and column letter; those of kind REFUSED name rows that are not in `cells`.
    """

    file: str
    name: str
    cells: pl.DataFrame
    merged: tuple[MergedRange, ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    encoding: str = ""
    typed: bool = False
    remarks: tuple[Finding, ...] = ()


def format_column_letter(column: int) -> str:
    """The letters of a spreadsheet's column: 1 is A, 27 is AA."""
    letters = ""
    while column > 0:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return letters
