"""Sheets whose table can't be read as it stands: forms, fields down the side, two tables in a row.

Each would be read in part, and the rest would be lost; so none of it is, and the message says what
to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import polars as pl

from graph.messages import Message
from loaders.mapping.aliases import find_subjects, match_header
from loaders.mapping.header_rows import DATA, SheetLayout, iterate_top_rows, list_cell_columns
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN

_SIDE_BY_SIDE: Final = Message(
    "{file} is not read; two tables stand side by side in it ({headers} stand twice): put one "
    "below the other"
)
_FORM: Final = Message(
    "{file} is not read; it is a form, with a person's fields beside and below each other: put "
    "the people into one table, a row each"
)
_DOWN_THE_SIDE: Final = Message(
    "{file} is not read; its fields stand down the side, a column each person: turn the table "
    "(copy it, Paste Special, Transpose), so that each person has a row"
)
_PROBED_ROWS: Final = 60
_MIN_FORM_ROWS: Final = 2
_MIN_SIDE_FIELDS: Final = 3


def find_sheet_fault(sheet: Sheet, layout: SheetLayout, file: str) -> Message | None:
    """Why nothing of the sheet may be read; None where it may. `file`: as messages name it."""
    if not layout.header_rows:
        return _DOWN_THE_SIDE.with_values(file=file) if _is_turned(sheet) else None
    if layout.header_rows == (0,):  # pairs without a header
        return None
    if layout.pair is None and (twice := _list_repeated_headers(layout.headers)):
        return _SIDE_BY_SIDE.with_values(file=file, headers=twice)
    return _FORM.with_values(file=file) if _is_form(sheet, layout) else None


def _list_repeated_headers(headers: Sequence[str]) -> list[str]:
    """The headers of a table that stand twice, a person's name and more among them."""
    subjects = find_subjects(headers)
    fields = {header: match_header(header, subjects) for header in headers if header}
    counted = Counter(header for header in headers if header)
    twice = [h for h, n in counted.items() if n > 1 and not (fields[h] or "").startswith("ignore.")]
    known = [h for h in twice if fields[h]]
    has_person = any((fields[h] or "").endswith((".name", ".id_number")) for h in known)
    return twice if has_person and len(known) > 1 else []


def _is_form(sheet: Sheet, layout: SheetLayout) -> bool:
    """Whether most rows below the header hold headers where a table has values."""
    data = layout.kinds.filter(pl.col("kind") == DATA).select(ROW_NUMBER_COLUMN).head(_PROBED_ROWS)
    cells = sheet.cells.join(data, on=ROW_NUMBER_COLUMN, how="semi", maintain_order="left")
    rows = cells.select(list_cell_columns(sheet)).rows()
    with_headers = sum(any(_is_field(cell) for cell in row[::2]) for row in rows)
    return with_headers >= _MIN_FORM_ROWS and 2 * with_headers >= len(rows)


def _is_turned(sheet: Sheet) -> bool:
    """Whether the fields of a table stand in its first column."""
    rows = [texts for _, texts in iterate_top_rows(sheet, list_cell_columns(sheet)) if any(texts)]
    first = [next(text for text in texts if text) for texts in rows]
    named = sum(_is_field(text) for text in first)
    return named >= _MIN_SIDE_FIELDS and 2 * named >= len(rows)


def _is_field(text: str | None) -> bool:
    field = match_header(text, ()) if text and len(text) <= 12 else None
    return field is not None and field.endswith(_FORM_ATTRIBUTES)


# What a form asks of a person; words such as 企业 and 项目 are values of other tables too.
_FORM_ATTRIBUTES: Final = (
    ".name",
    ".id_number",
    ".sex",
    ".birth_date",
    ".level",
    ".certificate_no",
    ".date",
    ".phone",
    ".education",
    ".nation",
    ".party",
)
