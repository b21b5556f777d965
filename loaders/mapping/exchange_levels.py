"""Exchange tables among departments' files, which need no mapping, and the ladder of their levels.

Only the ladder of bare digits may have to be said: under the header `level` they are the levels of
the exchange format, under 技能等级 they may as well be the degrees of the old ladder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import polars as pl

from graph.model.kinds import COMMON_TABLE_COLUMNS, EXCHANGE_TABLES
from loaders.columns import convert_to_text
from loaders.exchange_sheets import build_sheet_table, find_table_by_name, match_exchange_table
from loaders.mapping.aliases import match_header
from loaders.mapping.field_values import convert_levels
from loaders.mapping.identifiers import has_id_number_shape
from loaders.mapping.level_words import Ladder, parse_bare_digits
from loaders.mapping.mapping import ColumnMapping
from loaders.mapping.mapping import Mapping as ListMapping
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN, RawTable, normalize_header

_LEVEL, _CERTIFICATE = "level", "certificate_no"
_PERSON_ID_FIELDS: Final = ("person_id", "mentor_id", "apprentice_id")
_SCHEMA_LEVEL_HEADERS: Final = ("level",)


@dataclass(frozen=True)
class ExchangeSheet:
    """A table of the exchange format as it was read. `fields`: header -> column of the schema."""

    raw: RawTable
    fields: Mapping[str, str]

    @staticmethod
    def of_table(raw: RawTable) -> ExchangeSheet:
        """With the columns that its headers name."""
        known = list_table_headers(raw.table)
        named = {header: known.get(normalize_header(header)) for header in raw.rows.columns}
        return ExchangeSheet(raw, {header: name for header, name in named.items() if name})

    @property
    def table(self) -> str:
        """Its name."""
        return self.raw.table

    @property
    def rows(self) -> pl.DataFrame:
        """As `RawTable.rows`."""
        return self.raw.rows

    @property
    def headers(self) -> list[str]:
        """As they stand in the sheet."""
        return [column for column in self.rows.columns if column != ROW_NUMBER_COLUMN]

    @property
    def levels(self) -> pl.Series:
        """The cells of its levels as text."""
        return self._get_cells(_LEVEL)

    @property
    def certificates(self) -> pl.Series:
        """The cells of its certificate numbers as text."""
        return self._get_cells(_CERTIFICATE)

    def _get_cells(self, field: str) -> pl.Series:
        header = self.find_header(field)
        if header is None:
            return pl.Series(field, [None], dtype=pl.String).new_from_index(0, self.rows.height)
        return convert_to_text(self.rows[header])

    def find_header(self, field: str) -> str | None:
        """The header under which a column of the schema stands."""
        return next((header for header, name in self.fields.items() if name == field), None)


@cache
def list_table_headers(table: str) -> dict[str, str]:
    """Normalized header -> column of an exchange table."""
    return {
        normalize_header(word): column.name
        for column in (*EXCHANGE_TABLES[table].columns, *COMMON_TABLE_COLUMNS)
        for word in (column.name, column.zh, *column.headers)
    }


def find_exchange_sheet(
    sheet: Sheet, file_name: str, label: str, source: str
) -> ExchangeSheet | None:
    """The sheet as the exchange table that its headers are those of; None where it is a list.

    A further column that means something in a list (工作单位) makes it a list; one that means
    nothing is left out with a remark, as in an exchange folder. So do ID numbers in the place of
    ids: from those of a list ids are made.
    """
    names = (file_name.partition(".")[0], sheet.name)
    hints = [table for name in names if (table := find_table_by_name(name)) is not None]
    match = match_exchange_table(sheet, hints)
    if match is None:
        return None
    found = ExchangeSheet.of_table(build_sheet_table(sheet, match, label, source))
    foreign = [h for h in found.headers if h not in found.fields and match_header(h, ())]
    return None if foreign or _has_id_numbers_for_ids(found) else found


def _has_id_numbers_for_ids(exchange: ExchangeSheet) -> bool:
    """Whether ID numbers stand where ids of people belong."""
    headers = [exchange.find_header(field) for field in _PERSON_ID_FIELDS]
    return any(
        has_id_number_shape(cell)
        for header in headers
        if header is not None
        for cell in exchange.rows[header].drop_nulls()
    )


def needs_ladder(exchange: ExchangeSheet) -> bool:
    """Whether levels are bare digits under a header that is not the schema's own."""
    header = exchange.find_header(_LEVEL)
    if exchange.table != "recognitions" or header is None:
        return False
    if re.sub(r"\W", "", header).casefold() in _SCHEMA_LEVEL_HEADERS:
        return False
    digits = parse_bare_digits(exchange.levels)
    return digits.null_count() < digits.len()


def convert_ladder(exchange: ExchangeSheet, ladder: Ladder) -> ExchangeSheet:
    """The sheet with its levels as numbers of the ladder of eight."""
    header = exchange.find_header(_LEVEL)
    if header is None or ladder == "new":
        return exchange
    settled = convert_levels(exchange.levels, ladder).alias(header)
    rows = exchange.rows.with_columns(settled)
    return replace(exchange, raw=replace(exchange.raw, rows=rows))


def build_ladder_mapping(exchange: ExchangeSheet, department: str, ladder: Ladder) -> ListMapping:
    """What is remembered of an exchange table: the department, its headers and the ladder."""
    columns = tuple(
        ColumnMapping(header=header, field=match_header(header, ()) or "")
        for header in exchange.headers
    )
    return ListMapping(department=department, columns=columns, ladder=ladder)
