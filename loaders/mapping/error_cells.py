"""Cells that hold the error of a formula, or a rounded number where one tells a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from graph.messages import Message
from loaders.columns import ROUNDED_NUMBER_PATTERN, ROUNDED_NUMBER_REMARK
from loaders.findings import REFUSED, REMARK, Finding
from loaders.tables import ROW_NUMBER_COLUMN

# `####` is what a program writes for a column that is too narrow to show its dates.
_ERROR_CELL_PATTERN: Final = (
    r"^#(?:N/A|DIV/0!|REF!|VALUE!|NAME\?|NULL!|NUM!|SPILL!|CALC!|GETTING_DATA|#{2,})$"
)
# What names a person of a row: without it the row says something of nobody.
_NAMING_ATTRIBUTES: Final = ("name", "names", "id_number", "own_number")
_PEOPLE_ROLES: Final = ("person", "mentor", "apprentice", "lead")
# Their checks refuse what is no value, and say what is.
_CHECKED_ATTRIBUTES: Final = ("level", "date", "start", "end", "period", "birth_date", "amount")
# Of two people a spreadsheet may have made one number.
_NUMBER_ATTRIBUTES: Final = ("own_number", "certificate_no")
_ERROR_CELL_REASON: Final = Message(
    "the cell holds the error of a formula ({error}); enter its value and send the list again"
)


def drop_error_cells(rows: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Finding]]:
    """The rows without such cells, and what was found.

    A row whose error stands where a person is named is refused, and nothing of it is left.
    """
    findings: list[Finding] = []
    lost: set[int] = set()
    cleared = []
    for field in rows.columns:
        role, _, attribute = field.partition(".")
        if field == ROW_NUMBER_COLUMN or attribute in _CHECKED_ATTRIBUTES:
            continue
        wrong = rows[field].str.contains(_ERROR_CELL_PATTERN).fill_null(False)
        if not wrong.any():
            continue
        is_naming = role.rstrip("0123456789") in _PEOPLE_ROLES and attribute in _NAMING_ATTRIBUTES
        found = rows.filter(wrong).select(ROW_NUMBER_COLUMN, field).rows()
        findings += _iterate_error_findings(file, field, found, REFUSED if is_naming else REMARK)
        lost |= {row for row, _ in found} if is_naming else set()
        cleared.append(pl.when(~wrong).then(pl.col(field)).alias(field))
    rows = rows.with_columns(cleared)
    return rows.filter(~pl.col(ROW_NUMBER_COLUMN).is_in(list(lost))), findings


def drop_rounded_numbers(rows: pl.DataFrame, file: str) -> tuple[pl.DataFrame, list[Finding]]:
    """The rows without numbers of people and certificates whose last digits are lost."""
    findings: list[Finding] = []
    cleared = []
    for field in rows.columns:
        if field.partition(".")[2] not in _NUMBER_ATTRIBUTES:
            continue
        rounded = rows[field].str.contains(ROUNDED_NUMBER_PATTERN).fill_null(False)
        for row, number in rows.filter(rounded).select(ROW_NUMBER_COLUMN, field).iter_rows():
            findings.append((file, row, field, number, ROUNDED_NUMBER_REMARK, REMARK))
        cleared.append(pl.when(~rounded).then(pl.col(field)).alias(field))
    return rows.with_columns(cleared), findings


def _iterate_error_findings(
    file: str, field: str, found: list[tuple[int, str]], kind: str
) -> Iterator[Finding]:
    for row, error in found:
        yield file, row, field, error, _ERROR_CELL_REASON.with_values(error=error), kind
