"""What spreadsheets do to numbers and dates: recognised, and mended only where it is certain.

Certain are a number that its format shows with leading zeros, a day's number in a column of days,
a month's number in a column of months with two digits (month_numbers.py),
`.0` after every integer of a column, and the signs that keep a program from changing a text
(="007"). Lost digits and lost zeros cannot be mended; they are remarked, and the checks refuse
them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from graph.messages import Message
from loaders.findings import REFUSED, REMARK, Finding
from loaders.readers.month_numbers import AMBIGUOUS_MONTH_PATTERN, mark_october_numbers
from loaders.readers.sheet import format_column_letter
from loaders.tables import ROW_NUMBER_COLUMN

# So many cells of a column are named one by one; further ones are counted.
MAX_NAMED_CELLS: Final = 200
_ROUNDED_PATTERN: Final = r"^\d(?:\.\d+)?E\+1[5-9]$|^\d(?:\.\d+)?E\+2\d$|^\d\.\d{2,}E\+1[0-4]$"
_GUARDED_TEXT_PATTERN: Final = r'^="([^"]*)"$'
_NUMBER_PATTERN: Final = r"^\d+(?:\.\d+)?$"
# Marks of width and of direction; not the joiners, which change how other scripts are read.
_INVISIBLE_PATTERN: Final = (
    r"[\u{200b}\u{200e}\u{200f}\u{202a}-\u{202e}\u{2060}\u{2066}-\u{2069}\u{feff}\u{ad}]"
)
# Numbers of days from 1927 to 2099: years and months written as numbers are none.
_FIRST_SERIAL_DAY: Final = 10_000
_LAST_SERIAL_DAY: Final = 73_050
_MIN_DATE_CELLS: Final = 3
_MIN_DATE_SHARE: Final = 0.8
_MIN_ZERO_CHARS: Final = 3

_ROUNDED_REMARK = Message(
    "a spreadsheet has rounded this number and its last digits are lost; format the column as text "
    "and enter it again"
)
_SERIAL_DAY_REMARK = Message("a day's number in a column of dates; it is read as {date}")
_OCTOBER_REMARK = Message(
    "a month as a number: October, since the other months of this column have two digits"
)
_JANUARY_OR_OCTOBER_REMARK = Message(
    "a month as a number: a spreadsheet writes January and October alike, so the cell is not read; "
    "format the column as text and enter 2024-01 or 2024-10"
)
_LOST_ZEROS_REMARK = Message(
    "this number is shorter than others of its column, which begin with zeros: a spreadsheet may "
    "have dropped its zeros; format the column as text and enter it again"
)
_POINT_ZERO_REMARK = Message(
    'every whole number of this column ends in ".0"; the ending is dropped'
)
_GUARDED_TEXT_REMARK = Message('cells of this column are written as ="..."; the text is taken')
_PADDED_REMARK = Message(
    "numbers of this column are shown with leading zeros; they are taken as they are shown"
)
_ERROR_REMARK = Message("the formula of this cell gives an error ({error})")
_LONG_CELL_REASON = Message(
    "a cell of this row has more than {most:,} characters, more than a table has", most=1_000_000
)
_FURTHER_CELLS_REMARK = Message("{cells:,} further cells of this column: {why}")


@dataclass(frozen=True)
class CellMarks:
    """What a workbook's file says of cells beside their values; rows and columns are 1-based."""

    errors: Sequence[tuple[int, int, str]] = ()
    padded: Sequence[tuple[int, int, int]] = ()
    # Whether day 1 is the first day of 1900, so that numbers of days are known.
    counts_from_1900: bool = False


@dataclass
class DamageReport:
    """The remarks on the cells of one file."""

    file: str
    remarks: list[Finding] = field(default_factory=list)

    def add_cell(self, row: int, column: int, value: str, reason: Message) -> None:
        """One remark on a cell."""
        letter = format_column_letter(column)
        self.remarks.append((self.file, row, letter, value, reason, REMARK))

    def add_cells(
        self, which: pl.Series, rows: pl.Series, column: int, text: pl.Series, reason: Message
    ) -> None:
        """A remark on each cell that `which` marks, up to a limit, then on how many are left."""
        marked = which.fill_null(False)
        found = pl.DataFrame({"row": rows, "text": text}).filter(marked)
        for row, value in found.head(MAX_NAMED_CELLS).iter_rows():
            self.add_cell(row, column, value, reason)
        left = found.height - MAX_NAMED_CELLS
        if left > 0:
            further = _FURTHER_CELLS_REMARK.with_values(cells=left, why=reason)
            self.add_cell(found["row"][MAX_NAMED_CELLS], column, "", further)

    def add_column(
        self, which: pl.Series, rows: pl.Series, column: int, text: pl.Series, reason: Message
    ) -> None:
        """One remark, at the first cell that `which` marks."""
        at = which.fill_null(False).arg_max()
        if at is not None:
            self.add_cell(rows[at], column, text[at], reason)


def clean_workbook_cells(
    tagged: pl.DataFrame, marks: CellMarks, file: str
) -> tuple[pl.DataFrame, list[Finding]]:
    """Cells with a letter for their kind before the text (workbook_process.py) -> cells of text."""
    report = DamageReport(file)
    tagged = _refuse_long_cells(tagged, report)
    rows = tagged[ROW_NUMBER_COLUMN]
    names = tagged.columns[:-1]
    cells = tagged.with_columns(pl.col(names).str.slice(1))
    padded, errors = _group_by_column(marks.padded), _group_by_column(marks.errors)
    rounded = _list_columns(tagged, names, "^x")
    dates = _list_columns(tagged, names, "^d") if marks.counts_from_1900 else set()
    months = _list_columns(cells, names, AMBIGUOUS_MONTH_PATTERN)
    damaged = rounded | dates | months
    changed = []
    for at, name in enumerate(names, 1):
        if not (at in padded or at in errors or name in damaged):
            continue
        kinds, text = tagged[name].str.head(1), cells[name]
        report.add_cells(kinds == "x", rows, at, text, _ROUNDED_REMARK)
        if name in dates:
            text = _convert_serial_days(kinds, text, rows, at, report)
        if name in months:
            text = _resolve_month_numbers(kinds, text, rows, at, report)
        if at in padded:
            text = _pad_numbers(kinds, text, rows, at, padded[at], report)
        if at in errors:
            text = _fill_errors(text, rows, at, errors[at], report)
        changed.append(text)
    return _clean_columns(cells.with_columns(changed), report), report.remarks


def clean_text_cells(cells: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Finding]]:
    """The cells of a text file, which a spreadsheet may have written."""
    report = DamageReport(file)
    rows, names = cells[ROW_NUMBER_COLUMN], cells.columns[:-1]
    guarded = _list_columns(cells, names, _GUARDED_TEXT_PATTERN)
    rounded = _list_columns(cells, names, _ROUNDED_PATTERN)
    months = _list_columns(cells, names, AMBIGUOUS_MONTH_PATTERN)
    changed = []
    for at, name in enumerate(names, 1):
        text = cells[name]
        if name in rounded:
            report.add_cells(text.str.contains(_ROUNDED_PATTERN), rows, at, text, _ROUNDED_REMARK)
        if name in guarded:
            which = text.str.contains(_GUARDED_TEXT_PATTERN)
            report.add_column(which, rows, at, text, _GUARDED_TEXT_REMARK)
            text = text.str.replace(_GUARDED_TEXT_PATTERN, "$1")
        if name in months:
            # As typed, 2024.1 is January; what the months of its column say otherwise is taken.
            october, _ = mark_october_numbers(text, text.str.contains(_NUMBER_PATTERN))
            text = _write_october(october, text, rows, at, report)
        changed.append(text)
    return _clean_columns(cells.with_columns(changed), report), report.remarks


def _list_columns(cells: pl.DataFrame, names: Sequence[str], pattern: str) -> set[str]:
    """The columns with a cell of the pattern: of most rules there is none, and columns are many."""
    found = cells.select(pl.col(names).str.contains(pattern).any())
    return {name for name, holds in zip(names, found.row(0), strict=True) if holds}


def _clean_columns(cells: pl.DataFrame, report: DamageReport) -> pl.DataFrame:
    cells = _drop_invisible_signs(cells)
    rows, names = cells[ROW_NUMBER_COLUMN], cells.columns[:-1]
    suspect = _list_columns(cells, names, r"^0\d+$|^\d+\.0$")
    changed = [
        _clean_text_column(cells[name], rows, at, report)
        for at, name in enumerate(names, 1)
        if name in suspect
    ]
    return cells.with_columns(changed)


def _drop_invisible_signs(cells: pl.DataFrame) -> pl.DataFrame:
    """The cells without signs that no reader sees, which copying from a chat or a page brings."""
    names = cells.columns[:-1]
    found = _list_columns(cells, names, _INVISIBLE_PATTERN)
    return cells.with_columns(
        pl.col(name).str.replace_all(_INVISIBLE_PATTERN, "") for name in found
    )


def _refuse_long_cells(tagged: pl.DataFrame, report: DamageReport) -> pl.DataFrame:
    names = tagged.columns[:-1]
    long = tagged.select(pl.any_horizontal(pl.col(names) == "l").fill_null(False)).to_series()
    for row in tagged.filter(long)[ROW_NUMBER_COLUMN]:
        report.remarks.append((report.file, row, "", "", _LONG_CELL_REASON, REFUSED))
    return tagged.filter(~long) if long.any() else tagged


def _group_by_column(
    marks: Sequence[tuple[int, int, int]] | Sequence[tuple[int, int, str]],
) -> Mapping[int, dict[int, str]]:
    """Column -> row -> what is marked there."""
    found: dict[int, dict[int, str]] = {}
    for row, column, value in marks:
        found.setdefault(column, {})[row] = str(value)
    return found


def _convert_serial_days(
    kinds: pl.Series, text: pl.Series, rows: pl.Series, column: int, report: DamageReport
) -> pl.Series:
    """Numbers of days in a column of dates as dates."""
    days, numbers = int((kinds == "d").sum()), int((kinds == "n").sum())
    if not numbers or days < max(_MIN_DATE_CELLS, _MIN_DATE_SHARE * (days + numbers)):
        return text
    number = text.set((kinds != "n").fill_null(True), None).cast(pl.Int64, strict=False)
    is_day = number.is_between(_FIRST_SERIAL_DAY, _LAST_SERIAL_DAY).fill_null(False)
    dates = pl.select(
        (pl.lit("1899-12-30").str.to_date() + pl.duration(days=pl.lit(number))).cast(pl.String)
    ).to_series()
    for at in is_day.arg_true():
        report.add_cell(rows[at], column, text[at], _SERIAL_DAY_REMARK.with_values(date=dates[at]))
    return pl.select(pl.when(is_day).then(dates).otherwise(text)).to_series().alias(text.name)


def _resolve_month_numbers(
    kinds: pl.Series, text: pl.Series, rows: pl.Series, column: int, report: DamageReport
) -> pl.Series:
    """October as 2024.10; what may be January or October as what is no date."""
    october, unclear = mark_october_numbers(text, kinds == "n")
    report.add_cells(unclear, rows, column, text, _JANUARY_OR_OCTOBER_REMARK)
    marked = pl.select(pl.when(unclear).then(text + "?").otherwise(text)).to_series()
    return _write_october(october, marked.alias(text.name), rows, column, report)


def _write_october(
    october: pl.Series, text: pl.Series, rows: pl.Series, column: int, report: DamageReport
) -> pl.Series:
    report.add_cells(october, rows, column, text, _OCTOBER_REMARK)
    return pl.select(pl.when(october).then(text + "0").otherwise(text)).to_series().alias(text.name)


def _pad_numbers(
    kinds: pl.Series,
    text: pl.Series,
    rows: pl.Series,
    column: int,
    digits: Mapping[int, str],
    report: DamageReport,
) -> pl.Series:
    """Numbers with as many digits as their format shows."""
    wanted = rows.replace_strict(
        list(digits), [int(one) for one in digits.values()], default=None, return_dtype=pl.Int64
    )
    frame = pl.DataFrame({"text": text, "digits": wanted})
    longer = frame.select(pl.col("text").str.zfill(pl.col("digits")).alias(text.name)).to_series()
    shown = (
        (kinds == "n") & wanted.is_not_null() & text.str.contains(r"^\d+$") & (longer != text)
    ).fill_null(False)
    if shown.any():
        report.add_column(shown, rows, column, longer, _PADDED_REMARK)
    return pl.select(pl.when(shown).then(longer).otherwise(text)).to_series().alias(text.name)


def _fill_errors(
    text: pl.Series, rows: pl.Series, column: int, errors: Mapping[int, str], report: DamageReport
) -> pl.Series:
    """The error that a formula gives as the cell's text."""
    for row, error in list(errors.items())[:MAX_NAMED_CELLS]:
        report.add_cell(row, column, error, _ERROR_REMARK.with_values(error=error))
    said = rows.replace_strict(
        list(errors), list(errors.values()), default=None, return_dtype=pl.String
    )
    return pl.select(pl.coalesce(said, text)).to_series().alias(text.name)


def _clean_text_column(
    text: pl.Series, rows: pl.Series, column: int, report: DamageReport
) -> pl.Series:
    ends = text.str.contains(r"^\d+\.0$")
    if ends.sum() > 1 and ends.sum() == text.str.contains(r"^\d+(?:\.\d+)?$").sum():
        report.add_column(ends, rows, column, text, _POINT_ZERO_REMARK)
        text = text.str.replace(r"^(\d+)\.0$", "$1")
    _remark_lost_zeros(text, rows, column, report)
    return text


def _remark_lost_zeros(text: pl.Series, rows: pl.Series, column: int, report: DamageReport) -> None:
    with_zeros = text.str.contains(r"^0\d+$")
    if not with_zeros.any():
        return
    lengths = text.filter(with_zeros.fill_null(False)).str.len_chars().unique()
    if lengths.len() > 1 or lengths[0] < _MIN_ZERO_CHARS:
        return
    lost = text.str.contains(r"^[1-9]\d*$") & (text.str.len_chars() < lengths[0])
    report.add_cells(lost, rows, column, text, _LOST_ZEROS_REMARK)
