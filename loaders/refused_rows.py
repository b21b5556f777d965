"""Refused rows as they stood, masked, with the reason in words: for the Load page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from graph.messages import Language
from loaders.department_files import DepartmentFiles, FoundSheet
from loaders.findings import REFUSED
from loaders.mapping.header_rows import list_cell_columns
from loaders.return_workbooks import (
    SheetHeads,
    find_finding_header,
    find_sheet_heads,
    format_reason,
)
from loaders.sheet_inspection import mask_preview_cell
from loaders.tables import ROW_NUMBER_COLUMN

_CELL_GAP: Final = " | "
_HIDDEN: Final = "***"
ROW_SCHEMA: Final = {
    "file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "cells": pl.String,
}


def list_refused_rows(
    read: DepartmentFiles, findings: pl.DataFrame, language: Language, most: int
) -> pl.DataFrame:
    """The first `most` refusals: file, row, column (the list's own header), value, reason, and
    `cells`, the row as received, with ID numbers hidden.
    """
    refused = findings.filter(pl.col("kind") == REFUSED).head(most)
    reason = "reason_zh" if language == "zh" else "reason"
    named = set(refused["file"])
    heads = {one.label: find_sheet_heads(one) for one in read.found if one.label in named}
    cells = {
        one.label: _read_rows(one, refused, heads[one.label])
        for one in read.found
        if one.label in named
    }
    rows = []
    for file, row, column, value, said in refused.select(
        "file", "row", "column", "value", reason
    ).iter_rows():
        header = find_finding_header(column, heads.get(file))
        text = format_reason(said, column, header)
        rows.append((file, row, header or column, value, text, cells.get(file, {}).get(row, "")))
    return pl.DataFrame(rows, schema=ROW_SCHEMA, orient="row")


def count_refusal_reasons(
    read: DepartmentFiles, findings: pl.DataFrame, language: Language
) -> pl.DataFrame:
    """file, column (the list's own header), reason, rows: the most frequent reason first."""
    reason = "reason_zh" if language == "zh" else "reason"
    named = set(findings.filter(pl.col("kind") == REFUSED)["file"])
    heads = {one.label: find_sheet_heads(one) for one in read.found if one.label in named}
    found = (
        findings.filter(pl.col("kind") == REFUSED)
        .group_by("file", "column", pl.col(reason).alias("reason"))
        .agg(pl.col("row").n_unique().cast(pl.Int64).alias("rows"))
        .sort("rows", "file", "column", descending=[True, False, False])
    )
    rows = []
    for file, column, said, count in found.iter_rows():
        header = find_finding_header(column, heads.get(file))
        rows.append((file, header or column, format_reason(said, column, header), count))
    return pl.DataFrame(
        rows,
        schema={"file": pl.String, "column": pl.String, "reason": pl.String, "rows": pl.Int64},
        orient="row",
    )


def _read_rows(found: FoundSheet, refused: pl.DataFrame, heads: SheetHeads) -> Mapping[int, str]:
    """Number of a refused row -> its cells, masked."""
    columns = list_cell_columns(found.sheet)
    numbers = refused.filter(pl.col("file") == found.label)["row"]
    rows = found.sheet.cells.filter(pl.col(ROW_NUMBER_COLUMN).is_in(numbers.implode()))
    shown: dict[int, str] = {}
    for *texts, number in rows.select(*columns, ROW_NUMBER_COLUMN).iter_rows():
        masked = [
            "" if text is None else mask_row_cell(heads.fields.get(at, ""), text)
            for at, text in enumerate(texts)
        ]
        shown[int(number)] = _CELL_GAP.join(masked).strip(" |")
    return shown


def mask_row_cell(field: str, text: str) -> str:
    """A cell of a refused row as it may be shown, by the field of its column."""
    attribute = field.rpartition(".")[2]
    if attribute == "id_number":
        return _HIDDEN
    return mask_preview_cell(attribute, " ".join(text.split()))
