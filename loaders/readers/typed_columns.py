"""Parquet to a sheet of text cells: its column names are the first row."""

from __future__ import annotations

from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from graph.errors import UsageError
from graph.messages import Message
from loaders.columns import convert_to_text
from loaders.findings import REMARK, Finding
from loaders.readers.delimited import MAX_TABLE_COLUMNS
from loaders.readers.sheet import Sheet, format_column_letter
from loaders.tables import ROW_NUMBER_COLUMN

# Rows that a byte of Parquet may hold: each has at least an id of its own.
_MAX_ROWS_PER_BYTE: Final = 20
_NESTED_COLUMN_REMARK = Message(
    "its cells are lists or records ({kind}), not single values; it is left out"
)


def scan_parquet_table(source: Path | BinaryIO, size: int, file: str) -> pl.LazyFrame:
    """A Parquet file that may be read in full. Raises UsageError for one that is no table."""
    lazy = pl.scan_parquet(source, missing_columns="raise")
    columns = lazy.collect_schema()
    rows = lazy.select(pl.len()).collect().item()
    if len(columns) > MAX_TABLE_COLUMNS or rows > _MAX_ROWS_PER_BYTE * size:
        raise UsageError(
            "{file} has {rows:,} rows and {columns:,} columns in {bytes:,} bytes, so it is no "
            "table of records",
            file=file,
            rows=rows,
            columns=len(columns),
            bytes=size,
        )
    return lazy


def read_parquet_sheet(stream: BinaryIO, file: str) -> Sheet:
    """A Parquet file as text cells. Raises UsageError for one that is damaged or no table."""
    size = stream.seek(0, 2)
    stream.seek(0)
    try:
        frame = scan_parquet_table(stream, size, file).collect()
    except pl.exceptions.PolarsError as error:
        raise UsageError(
            "{file} can't be read as {kind}: the file is damaged or cut short; export it again",
            file=file,
            kind="parquet",
        ) from error
    remarks: list[Finding] = []
    columns: list[pl.Series] = []
    for at, (name, kind) in enumerate(frame.schema.items(), 1):
        if kind.is_nested():
            reason = _NESTED_COLUMN_REMARK.with_values(kind=kind.base_type().__name__)
            remarks.append((file, 1, format_column_letter(at), name, reason, REMARK))
            continue
        text = convert_to_text(frame[name]).replace("", None)
        header = pl.Series([name], dtype=pl.String)
        columns.append(pl.concat([header, text.rechunk()]).alias(f"c{len(columns)}"))
    numbers = pl.int_range(1, frame.height + 2, dtype=pl.Int64, eager=True)
    cells = pl.DataFrame([*columns, numbers.alias(ROW_NUMBER_COLUMN)])
    return Sheet(file, "", cells, encoding="parquet", typed=True, remarks=tuple(remarks))
