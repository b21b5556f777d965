"""The first rows of a list by field, converted as a load converts them: for a preview."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from loaders.mapping.application import read_field_rows
from loaders.mapping.field_values import convert_fields
from loaders.mapping.header_rows import DATA, SheetLayout
from loaders.mapping.mapping import Mapping
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
    return shown.select(pl.all().cast(pl.String))
