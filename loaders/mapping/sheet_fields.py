"""The first rows of a list by field, converted as a load converts them: for a preview."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from graph.dates import make_partial_date
from graph.model.schema_types import Property, Type
from loaders.columns import parse_column
from loaders.mapping.application import read_field_rows
from loaders.mapping.field_values import convert_fields
from loaders.mapping.header_rows import DATA, SheetLayout
from loaders.mapping.mapping import Mapping
from loaders.mapping.proposal import DATE_ATTRIBUTES
from loaders.readers.sheet import Sheet
from loaders.tables import ROW_NUMBER_COLUMN


def preview_field_rows(
    sheet: Sheet, layout: SheetLayout, mapping: Mapping, rows: int
) -> pl.DataFrame:
    """The first rows of the table: a text column for each field that is understood."""
    kinds = layout.kinds.filter(pl.col("kind") == DATA).head(rows)
    few = replace(layout, kinds=kinds)
    found = read_field_rows(sheet, few, mapping)
    units = {c.field: c.unit for c in mapping.columns if c.unit is not None}
    shown = convert_fields(found, mapping.ladder, units).drop(ROW_NUMBER_COLUMN)
    return pl.DataFrame([_format_dates(column.cast(pl.String)) for column in shown.get_columns()])


def _format_dates(cells: pl.Series) -> pl.Series:
    """Cells of a field of dates as the days that they are read as; what is no date with a mark."""
    attribute = cells.name.rpartition(".")[2]
    if attribute not in DATE_ATTRIBUTES:
        return cells
    read = parse_column(cells, Property(attribute, "", "", Type.DATE), str)
    known = [None] * cells.len() if read.precision is None else read.precision.to_list()
    empty = [False] * cells.len() if read.empty is None else read.empty.to_list()
    shown = [
        cell
        if cell is None or is_empty
        else str(make_partial_date(day, precision))
        if day is not None
        else f"{cell} ?"
        for cell, day, precision, is_empty in zip(cells, read.values, known, empty, strict=True)
    ]
    return pl.Series(cells.name, shown, dtype=pl.String)
