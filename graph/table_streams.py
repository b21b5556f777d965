"""Tables larger than memory as files: written from their parts, one after the other.

The formats are those of `graph.tabular`, and say the same; a part is a data frame of some thousand
rows, and no more than a part is held at once.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.errors import UsageError
from graph.tabular import (
    ABOUT_KEY,
    MAX_SHEET_CELL_CHARACTERS,
    MAX_SHEET_ROWS,
    About,
    Format,
    build_frame_from_rows,
    format_cell,
    format_json,
    render_csv,
)

# Written into a file before it is sent; the others are sent while they are written.
FILE_FORMATS: Final = ("parquet", "xlsx")


@dataclass(frozen=True)
class TableStream:
    """A table by its parts.

    - columns: its heads, in order
    - dtypes: for each column a type that holds all its values
    - rows: how many there are
    - parts: gives the parts, each time from the first one on
    - sheets: names of the two sheets of a workbook
    - words, said: how `about` is named there, as of `graph.tabular.render_xlsx`
    """

    columns: Sequence[str]
    dtypes: Sequence[Any]
    rows: int
    parts: Callable[[], Iterable[pl.DataFrame]]
    about: About
    sheets: tuple[str, str] = ("table", "about")
    words: Mapping[str, str] = field(default_factory=dict)
    said: Callable[[str, object], str | None] = lambda name, value: None


def stream_table(table: TableStream, format: Format, folder: Path) -> Iterator[bytes]:
    """The file piece by piece; `folder` takes what has to be written before it is sent.

    Raises `UsageError` where the format cannot hold the table, before the first piece.
    """
    if format == "csv":
        return _stream_csv(table)
    if format == "json":
        return _stream_json(table)
    if format == "xlsx" and table.rows > MAX_SHEET_ROWS:
        raise UsageError(
            "The table has {rows:,} rows, and a sheet of a workbook holds {most:,}; "
            "take csv or parquet.",
            rows=table.rows,
            most=MAX_SHEET_ROWS,
        )
    return _stream_file(table, format, folder)


def _stream_csv(table: TableStream) -> Iterator[bytes]:
    head = True
    for part in table.parts():
        yield render_csv(part) if head else _drop_first_line(render_csv(part, "utf-8"))
        head = False
    if head:
        yield render_csv(build_frame_from_rows(table.columns, []))


def _drop_first_line(text: bytes) -> bytes:
    """CSV without its heads; a break inside quotes is part of a head."""
    quoted = False
    for at, sign in enumerate(text):
        if sign == 0x22:
            quoted = not quoted
        elif sign == 0x0A and not quoted:
            return text[at + 1 :]
    return b""


def _stream_json(table: TableStream) -> Iterator[bytes]:
    yield (format_json(table.about.as_json())[:-1] + ', "rows": [\n').encode()
    first = True
    for part in table.parts():
        lines = ",\n".join(format_json(row) for row in part.iter_rows(named=True))
        if lines:
            yield (("" if first else ",\n") + lines).encode()
            first = False
    yield b"\n]}\n"


def _stream_file(table: TableStream, format: Format, folder: Path) -> Iterator[bytes]:
    # One table may be asked for twice at once.
    path = folder / f"{uuid.uuid4().hex}.{format}"
    try:
        (_write_parquet if format == "parquet" else _write_xlsx)(table, path, folder)
        with path.open("rb") as file:
            while piece := file.read(1 << 20):
                yield piece
    finally:
        path.unlink(missing_ok=True)


def _write_parquet(table: TableStream, path: Path, folder: Path) -> None:
    import pyarrow.parquet

    typed = {name: dtype for name, dtype in zip(table.columns, table.dtypes, strict=True)}
    schema = pl.DataFrame(schema=typed).to_arrow().schema
    about = {ABOUT_KEY: format_json(table.about.as_json())}
    with pyarrow.parquet.ParquetWriter(path, schema.with_metadata(about)) as writer:
        for part in table.parts():
            texts = [_cast_column(part[name], dtype) for name, dtype in typed.items()]
            writer.write_table(pl.DataFrame(texts).to_arrow().cast(writer.schema))


def _cast_column(column: pl.Series, dtype: Any) -> pl.Series:
    if column.dtype == dtype:
        return column
    if dtype == pl.String:
        texts = [None if value is None else format_cell(value) for value in column.to_list()]
        return pl.Series(column.name, texts, pl.String)
    return column.cast(dtype)


def _write_xlsx(table: TableStream, path: Path, folder: Path) -> None:
    import xlsxwriter

    options = {
        "constant_memory": True,
        "tmpdir": str(folder),
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
        "remove_timezone": True,
        "default_date_format": "yyyy-mm-dd",
    }
    with xlsxwriter.Workbook(path, options) as book:
        sheet = book.add_worksheet(table.sheets[0])
        sheet.freeze_panes(1, 0)
        bold = book.add_format({"bold": True})
        for place, name in enumerate(table.columns):
            sheet.write_string(0, place, name, bold)
        line = 0
        for part in table.parts():
            for row in part.iter_rows():
                line += 1
                _write_sheet_row(sheet, line, table.columns, row)
        sheet = book.add_worksheet(table.sheets[1])
        for at, (name, value) in enumerate(table.about.as_dict().items()):
            sheet.write_string(at, 0, table.words.get(name, name))
            text = table.said(name, value)
            sheet.write_string(at, 1, format_cell(value) if text is None else text)


def _write_sheet_row(sheet: Any, line: int, names: Sequence[str], row: Sequence[Any]) -> None:
    for place, value in enumerate(row):
        text = format_cell(value) if isinstance(value, list | dict) else value
        if not isinstance(text, str):
            sheet.write(line, place, text)
        elif len(text) <= MAX_SHEET_CELL_CHARACTERS:
            sheet.write_string(line, place, text)
        else:
            raise UsageError(
                "{name} has a text of {length:,} signs, and a cell of a workbook holds {most:,}; "
                "take csv or parquet.",
                name=names[place],
                length=len(text),
                most=MAX_SHEET_CELL_CHARACTERS,
            )
