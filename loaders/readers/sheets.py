"""Any file that an office makes -> sheets of text cells, with the row numbers of a spreadsheet.

What a file is, is decided by its content. No header is known here: the first row is a row like any
other. What the reading changed, lost or could not be sure of stands in the remarks of the sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO, Final

from graph.errors import UsageError
from graph.identity import mask_id_numbers
from graph.messages import Message, Words
from loaders.readers.archives import MAX_MEMBER_BYTES, iterate_zip_members, unpack_gzip
from loaders.readers.delimited import build_cell_frame, drop_empty_columns, read_delimited_cells
from loaders.readers.encodings import detect_encoding, lookup_encoding
from loaders.readers.excel_damage import clean_text_cells
from loaders.readers.file_kinds import FileKind, detect_file_kind
from loaders.readers.gedcom import check_gedcom_encoding, read_gedcom_sheets
from loaders.readers.json_records import parse_json_records
from loaders.readers.sheet import MergedRange, Sheet
from loaders.readers.spreadsheet_xml import read_spreadsheet_xml
from loaders.readers.typed_columns import read_parquet_sheet
from loaders.readers.web_tables import parse_web_tables
from loaders.readers.workbooks import PASSWORD_MESSAGE, read_workbook_sheets
from loaders.tables import UnreadFile

__all__ = ["MergedRange", "Sheet", "read_sheets"]

_MAX_NESTED_ARCHIVES: Final = 2
_WORKBOOK_KINDS: Final = (FileKind.XLSX, FileKind.XLSB, FileKind.XLS, FileKind.ODS)
_MAX_TEXT_BYTES: Final = 1 << 30
# Of web pages and XML, which take many times their size in memory.
_MAX_MARKUP_BYTES: Final = 1 << 26
_TEXT_SIZE_MESSAGE = Message(
    "{file} is text of more than {most:,} bytes; save it as CSV (UTF-8) with commas between its "
    "columns under the name of its table, or as Parquet"
)
_OTHER_KIND_MESSAGE = Message(
    "{file} is {kind}, which holds no table that is read; save its table as .xlsx or CSV (UTF-8)"
)
_EMPTY_MESSAGE = Message("{file} is empty; export it again")
_NESTED_MESSAGE = Message(
    "{file} is an archive inside archives; unpack it and send the files themselves"
)
_NO_TABLE_MESSAGE = Message("{file} is a web page without a table; save the table as .xlsx or CSV")


def read_sheets(path: Path, *, encoding: str | None = None) -> Iterator[Sheet | UnreadFile]:
    """The sheets of a file, and what of it could not be read.

    `encoding` is that of text; without it each file's is found. Raises UsageError, with what to
    do, for a file that can't be read at all.
    """
    if encoding is not None:
        lookup_encoding(encoding)
    file = mask_id_numbers(path.name.encode(errors="replace").decode())
    try:
        with path.open("rb") as stream:
            yield from read_stream_sheets(stream, file, encoding)
    except PermissionError as error:
        raise UsageError(
            "{file} may not be read by you; ask its owner for the right to", file=file
        ) from error
    except OSError as error:
        raise UsageError(
            "{file} can't be read from its disk or folder; copy it here and load the copy",
            file=file,
        ) from error


def read_stream_sheets(
    stream: BinaryIO, file: str, encoding: str | None = None, depth: int = 0
) -> Iterator[Sheet | UnreadFile]:
    """`read_sheets` of an open file; `depth` counts the archives around it."""
    kind = detect_file_kind(stream)
    if isinstance(kind, Words):
        raise UsageError(_OTHER_KIND_MESSAGE.with_values(file=file, kind=kind))
    if kind in (FileKind.GZIP, FileKind.ZIP):
        if depth >= _MAX_NESTED_ARCHIVES:
            raise UsageError(_NESTED_MESSAGE.with_values(file=file))
        reader = _read_gzip_sheets if kind is FileKind.GZIP else _read_zip_sheets
        yield from reader(stream, file, encoding, depth + 1)
    elif kind in _WORKBOOK_KINDS:
        yield from read_workbook_sheets(stream, kind.value, file)
    elif kind is FileKind.ENCRYPTED_WORKBOOK:
        raise UsageError(PASSWORD_MESSAGE.with_values(file=file))
    elif kind is FileKind.PARQUET:
        yield read_parquet_sheet(stream, file)
    elif kind is FileKind.EMPTY:
        raise UsageError(_EMPTY_MESSAGE.with_values(file=file))
    else:
        yield from _read_text_sheets(stream, kind, file, encoding)


def _read_gzip_sheets(
    stream: BinaryIO, file: str, encoding: str | None, depth: int
) -> Iterator[Sheet | UnreadFile]:
    with unpack_gzip(stream, file, MAX_MEMBER_BYTES) as unpacked:
        yield from read_stream_sheets(unpacked, file, encoding, depth)


def _read_zip_sheets(
    stream: BinaryIO, file: str, encoding: str | None, depth: int
) -> Iterator[Sheet | UnreadFile]:
    """The sheets of every file inside; one that can't be read costs only itself."""
    for shown, member in iterate_zip_members(stream, file):
        if isinstance(member, UsageError):
            yield UnreadFile(shown, member.message)
            continue
        try:
            yield from read_stream_sheets(member, shown, encoding, depth)
        except UsageError as error:
            yield UnreadFile(shown, error.message)


def _read_text_sheets(
    stream: BinaryIO, kind: FileKind, file: str, encoding: str | None
) -> Iterator[Sheet]:
    most = _MAX_TEXT_BYTES if kind is FileKind.TEXT else _MAX_MARKUP_BYTES
    if stream.seek(0, 2) > most:
        raise UsageError(_TEXT_SIZE_MESSAGE.with_values(file=file, most=most))
    stream.seek(0)
    data = stream.read()
    if kind is FileKind.GEDCOM:
        check_gedcom_encoding(data, file)
    found = detect_encoding(data, file, encoding)
    if kind is FileKind.GEDCOM:
        yield from read_gedcom_sheets(data, found, file)
        return
    if kind is FileKind.WEB_PAGE:
        yield from _read_web_sheets(data.decode(found, errors="replace"), file, found)
        return
    if kind is FileKind.SPREADSHEET_XML:
        yield from read_spreadsheet_xml(data.decode(found, errors="replace"), file)
        return
    if kind is FileKind.JSON:
        parsed = parse_json_records(data.decode(found).lstrip("\ufeff"), file)
        if parsed is not None:
            rows, remarks = parsed
            cells = build_cell_frame(iter(enumerate(rows, 1)))
            yield Sheet(file, "", cells, encoding=found, remarks=tuple(remarks))
            return
    read = read_delimited_cells(data, found, file)
    cells, damage = clean_text_cells(read.frame, file)
    yield Sheet(file, "", cells, encoding=found, remarks=(*read.found, *damage))


def _read_web_sheets(page: str, file: str, encoding: str) -> Iterator[Sheet]:
    tables = parse_web_tables(page, file)
    if not tables:
        raise UsageError(_NO_TABLE_MESSAGE.with_values(file=file))
    for number, table in enumerate(tables, 1):
        rows = (
            (at, [row.get(c, "") for c in range(max(row, default=-1) + 1)])
            for at, row in enumerate(table.rows, 1)
        )
        cells, damage = clean_text_cells(drop_empty_columns(build_cell_frame(rows)), file)
        name = str(number) if len(tables) > 1 else ""
        sheet = Sheet(file, name, cells, tuple(table.merged), frozenset(table.hidden), encoding)
        yield replace(sheet, remarks=tuple(damage))
