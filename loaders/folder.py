"""The exchange folder: one table a file, `people.csv`, `mentorships.csv.gz`, `talents.parquet`.

UTF-8 or GB18030, with or without a byte-order mark. Headers may be the schema's names or the
Chinese ones. What the tables and their columns are stands in docs/model.md.
"""

from __future__ import annotations

import codecs
import csv
import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from graph.errors import UsageError
from graph.model import TABLES
from loaders.tables import REMARK, ROW, RawTable, finding

ENDINGS = (".csv", ".csv.gz", ".parquet")
_PIECE = 1 << 24
_AGAIN = "\0"  # marks a header that stands twice


def get(paths: Sequence[Path], source: str | None = None) -> Iterator[RawTable]:
    """The raw tables of one or several exchange folders.

    A row's source is its `source` cell, else `source`, else its folder's name. Raises UsageError
    for a folder that is not there, holds no table, or holds one table twice.
    """
    for folder in paths:
        files = _files(folder)
        before = f"{folder.resolve().name}/" if len(paths) > 1 else ""
        for table, path in files.items():
            yield _read(table, path, before + path.name, source or folder.resolve().name)


def _files(folder: Path) -> dict[str, Path]:
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder; name the one that holds people.csv")
    found: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        table, _, ending = path.name.partition(".")
        if table not in TABLES or not path.is_file():
            continue
        if "." + ending not in ENDINGS:
            raise UsageError(
                f"{path.name} can't be read; save it as {table}.csv (UTF-8) or {table}.parquet"
            )
        if table in found:
            raise UsageError(
                f"{folder} holds {found[table].name} and {path.name}: keep one of the two"
            )
        found[table] = path
    if not found:
        raise UsageError(
            f"{folder} holds no table of the exchange format; it needs at least people.csv "
            "(see docs/model.md)"
        )
    return {table: found[table] for table in TABLES if table in found}


def _read(table: str, path: Path, file: str, source: str) -> RawTable:
    try:
        if path.suffix == ".parquet":
            return RawTable(table, file, source, _numbered(pl.read_parquet(path)))
        return _read_csv(table, path, file, source)
    except (pl.exceptions.PolarsError, OSError, EOFError) as error:
        raise UsageError(
            f"{file} can't be read as {path.suffix[1:]}: the file is damaged or cut short; "
            "export it again"
        ) from error


def _numbered(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(pl.int_range(2, pl.len() + 2, dtype=pl.Int64).alias(ROW))


def _read_csv(table: str, path: Path, file: str, source: str) -> RawTable:
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    text = _as_utf8(data, file)
    try:
        rows = pl.read_csv(text, infer_schema=False)
        if not any("_duplicated_" in header for header in rows.columns):
            return RawTable(table, file, source, _numbered(rows))
    except pl.exceptions.NoDataError:
        return RawTable(table, file, source, _numbered(pl.DataFrame()))
    except pl.exceptions.ComputeError:
        pass
    return _read_row_by_row(table, text, file, source)


def _as_utf8(data: bytes, file: str) -> bytes:
    """The file's text as UTF-8, from UTF-8, UTF-16 with a mark, or GB18030."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16").encode()
    if _is_utf8(data):
        return data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("gb18030").removeprefix("\ufeff").encode()
    except UnicodeDecodeError as error:
        row = data.count(b"\n", 0, error.start) + 1
        raise UsageError(
            f"{file}, row {row}: the text is neither UTF-8 nor GB18030; save the file as UTF-8"
        ) from error


def _is_utf8(data: bytes) -> bool:
    """Judged piece by piece: as one text a large file would take several times its size."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(data), _PIECE):
            decoder.decode(data[at : at + _PIECE])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _read_row_by_row(table: str, text: bytes, file: str, source: str) -> RawTable:
    """The careful way, for a file with rows that don't split into the header's columns."""
    records = _records(text.decode().splitlines(keepends=True))
    _, headers, _ = next(records)
    refused = [
        finding(file, 1, h, "", "this header stands twice; the second column is left out", REMARK)
        for at, h in enumerate(headers)
        if h in headers[:at]
    ]
    kept: list[list[str]] = []
    for number, cells, wrong in records:
        reason = wrong or _too_many(cells, len(headers))
        if reason:
            refused.append(finding(file, number, "", "", reason))
        else:
            filled = [*cells, *([""] * (len(headers) - len(cells)))]
            kept.append([*filled[: len(headers)], str(number)])
    names = [h if h not in headers[:at] else f"{h}{_AGAIN}{at}" for at, h in enumerate(headers)]
    schema = dict.fromkeys((*names, ROW), pl.String)
    rows = pl.DataFrame(kept, schema=schema, orient="row").with_columns(pl.col(ROW).cast(pl.Int64))
    rows = rows.select(column for column in rows.columns if _AGAIN not in column)
    return RawTable(table, file, source, rows, pl.concat(refused) if refused else None)


def _too_many(cells: Sequence[str], columns: int) -> str:
    if not any(cell.strip() for cell in cells[columns:]):
        return ""
    return (
        f"the row has {len(cells)} cells where the header has {columns}; "
        "put text that holds a comma in quotation marks"
    )


def _records(lines: Sequence[str]) -> Iterator[tuple[int, list[str], str]]:
    """Row number, cells, and what is wrong; a row that breaks the quoting costs only itself."""
    csv.field_size_limit(1_000_000)
    number, at = 1, 0
    while at < len(lines):
        reader = csv.reader(lines[at:], strict=True)
        done = 0
        try:
            for cells in reader:
                yield number, cells, ""
                number, done = number + 1, reader.line_num
            return
        except csv.Error:
            yield number, [], "its quotation marks don't match; mend them and load again"
            number, at = number + 1, at + done + 1
