"""Reads a workbook in a process of its own, which has a limit of memory and of time.

The workbook is the standard input; what is read goes to the standard output, one JSON value a
line. A workbook can be made so that any reader of it takes all memory there is (one cell far out,
a text that is repeated in each cell). The operating system ends this process then, and only it.
`loaders/readers/workbooks.py` starts it and says what came of it. It imports nothing of this
project, so that it starts fast.

Lines: {"error": why}; {"sheet": name, "type", "visible", "start", "end", "merged", "hidden",
"errors", "padded", "from1900"}, and after it the sheet's rows [number of the first, [[cell, ...],
...]]. A cell is null, or a letter and its text: s text, n number, x number of 16 and more digits,
d date, t time, b truth, l text that is too long.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import os
import re
import resource
import sys
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, Final
from xml.etree import ElementTree
from xml.parsers import expat

import python_calamine

MEMORY_BYTES: Final = 448 << 20
CPU_SECONDS: Final = 180
# A sheet of a million rows has about so much XML; what unpacks to more is no list of people.
MAX_PART_BYTES: Final = 1 << 30
# XML of sheets is packed to a tenth, that of rows which are all alike to a hundredth.
MAX_PACK_RATIO: Final = 400
ALWAYS_UNPACKED_BYTES: Final = 1 << 26
MAX_SMALL_PART_BYTES: Final = 1 << 24
MAX_CELL_CHARS: Final = 1_000_000
MAX_MARKS: Final = 100_000
_BATCH_CELLS: Final = 50_000
_CHUNK_BYTES: Final = 1 << 20
_LONGEST_TAG_BYTES: Final = 4 * MAX_CELL_CHARS
_EXACT_NUMBER: Final = 10**15

_ODS_TABLE: Final = "urn:oasis:names:tc:opendocument:xmlns:table:1.0 "
_READ_PART_PATTERN: Final = re.compile(r"\.(xml|rels|bin)$", re.IGNORECASE)
_HIDDEN_ROW_PATTERN: Final = re.compile(
    rb"<(?:\w+:)?row\s(?=[^>]*\shidden=\"(?:1|true)\")[^>]*?\br=\"(\d{1,7})\""
)
_ERROR_CELL_PATTERN: Final = re.compile(
    rb"<(?:\w+:)?c\s(?=[^>]*\st=\"e\")[^>]*?\br=\"([A-Z]{1,3})(\d{1,7})\"[^>]*>"
    rb"(?:<(?:\w+:)?f\b[^>]*?(?:/>|>[^<]*</(?:\w+:)?f>))?<(?:\w+:)?v>([^<]{1,20})<"
)
_STYLED_CELL_PATTERN: Final = re.compile(
    rb"<(?:\w+:)?c\s(?=[^>]*\ss=\"(\d+)\")[^>]*?\br=\"([A-Z]{1,3})(\d{1,7})\""
)


class WorkbookError(Exception):
    """Why a workbook is not read: a word that `workbooks.py` knows a sentence for."""


def main() -> None:
    """Reads the workbook of the standard input; its kind is the first argument."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with os.fdopen(0, "rb") as stream:
            for line in iterate_workbook_lines(stream, sys.argv[1]):
                _print_line(line)
        _print_line({"done": True})
    except WorkbookError as error:
        _print_line({"error": str(error)})
    except python_calamine.PasswordError:
        _print_line({"error": "password"})
    except MemoryError:
        _print_line({"error": "memory"})
    except BaseException as error:  # also what Rust calls a panic
        _print_line({"error": "damaged", "why": type(error).__name__})


def _print_line(value: object) -> None:
    sys.stdout.buffer.write(json.dumps(value, ensure_ascii=False).encode() + b"\n")
    sys.stdout.buffer.flush()


def iterate_workbook_lines(stream: BinaryIO, kind: str) -> Iterator[object]:
    """What stands in the workbook, in the lines that this module describes."""
    marks: dict[str, dict[str, Any]] = {}
    if kind != "xls":
        with zipfile.ZipFile(stream) as archive:
            marks = _scan_xlsx(stream, archive) if kind == "xlsx" else _scan_ods(stream, archive)
    stream.seek(0)
    book = python_calamine.CalamineWorkbook.from_object(io.BytesIO(stream.read()))
    for about in book.sheets_metadata:
        head: dict[str, object] = {
            "sheet": about.name,
            "type": str(about.typ).rpartition(".")[2],
            "visible": about.visible == python_calamine.SheetVisibleEnum.Visible,
        }
        if about.typ != python_calamine.SheetTypeEnum.WorkSheet:
            yield head
            continue
        sheet = book.get_sheet_by_name(about.name)
        head["start"], head["end"] = sheet.start, sheet.end
        head["merged"] = (sheet.merged_cell_ranges or [])[:MAX_MARKS]
        yield head | marks.get(about.name, {})
        yield from _iterate_row_batches(sheet)


def _iterate_row_batches(sheet: python_calamine.CalamineSheet) -> Iterator[object]:
    size = max(1, _BATCH_CELLS // max(sheet.width, 1))
    rows: list[list[str | None]] = []
    first = 1
    for row in sheet.iter_rows() if sheet.start is not None else ():
        rows.append([_tag_cell(cell) for cell in row])
        if len(rows) == size:
            yield [first, rows]
            first, rows = first + size, []
    yield [first, rows]


def _tag_cell(cell: object) -> str | None:
    """The cell's text after the letter of its kind; None for an empty one."""
    if isinstance(cell, str):
        if len(cell) > MAX_CELL_CHARS:
            return "l"
        return "s" + cell if cell else None
    if isinstance(cell, bool):
        return "bTRUE" if cell else "bFALSE"
    if isinstance(cell, int | float):
        return tag_number(cell)
    if isinstance(cell, dt.datetime):
        text = cell.isoformat(" ", "seconds")
        return "d" + (text[:10] if text.endswith(" 00:00:00") else text)
    if isinstance(cell, dt.date):
        return "d" + cell.isoformat()
    if isinstance(cell, dt.time):
        return "t" + cell.isoformat("seconds")
    if isinstance(cell, dt.timedelta):
        seconds = round(cell.total_seconds())
        return f"t{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    return "s" + str(cell)


def tag_number(number: float) -> str:
    """Integers without `.0`; longer than 15 digits as Excel shows them, the rest is lost."""
    if not math.isfinite(number):
        return f"s{number}"
    if abs(number) >= _EXACT_NUMBER:
        digits, _, power = f"{number:.5E}".partition("E")
        return f"x{digits.rstrip('0').rstrip('.')}E{int(power):+03d}"
    return f"n{int(number)}" if number == int(number) else f"n{number:.15g}"


def iterate_part(stream: BinaryIO, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The bytes of a member of a zip as they unpack, never more than may be.

    The size that the archive states is not trusted: a member that unpacks to another one is
    refused, since other readers would read on.
    """
    stream.seek(info.header_offset)
    header = stream.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise WorkbookError("damaged")
    if info.flag_bits & 1:
        raise WorkbookError("password")
    stream.seek(
        int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little"), 1
    )
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise WorkbookError("packing")
    unpacker = zlib.decompressobj(-15) if info.compress_type else None
    left, size = info.compress_size, 0
    while left > 0 and not (unpacker and unpacker.eof):
        packed = stream.read(min(_CHUNK_BYTES, left))
        if not packed:
            raise WorkbookError("damaged")
        left -= len(packed)
        while packed:
            part = unpacker.decompress(packed, _CHUNK_BYTES) if unpacker else packed
            packed = unpacker.unconsumed_tail if unpacker else b""
            size += len(part)
            if size > info.file_size or size > MAX_PART_BYTES:
                raise WorkbookError("bomb")
            yield part
    while unpacker and not unpacker.eof and (part := unpacker.decompress(b"", _CHUNK_BYTES)):
        size += len(part)
        if size > info.file_size or size > MAX_PART_BYTES:
            raise WorkbookError("bomb")
        yield part
    if size != info.file_size:
        raise WorkbookError("damaged")


def _scan_ods(stream: BinaryIO, archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """By sheet: hidden rows and merged ranges, which the library does not report for .ods.

    Every part that is read unpacks to what may be.
    """
    check_stated_sizes(archive)
    scan = _OdsScan()
    for info in archive.infolist():
        if info.filename == "META-INF/manifest.xml":
            manifest = _read_small_part(stream, info)
            if b"encryption-data" in manifest:
                raise WorkbookError("password")
        elif _READ_PART_PATTERN.search(info.filename):
            for part in iterate_part(stream, info):
                if info.filename == "content.xml":
                    scan.feed(part)
    return scan.marks


class _OdsScan:
    """Reads the XML of .ods for what stands around its cells."""

    def __init__(self) -> None:
        self.marks: dict[str, dict[str, Any]] = {}
        self._sheet: dict[str, Any] = {}
        self._row, self._rows, self._column = 0, 0, 0
        self._parser = expat.ParserCreate(namespace_separator=" ")
        self._parser.StartElementHandler = self._start_element

    def feed(self, part: bytes) -> None:
        """The next piece of the XML."""
        try:
            self._parser.Parse(part)
        except expat.ExpatError:
            raise WorkbookError("damaged") from None

    def _start_element(self, name: str, about: dict[str, str]) -> None:
        kind = name.removeprefix(_ODS_TABLE)
        if kind == "table":
            self._sheet = {"hidden": [], "merged": []}
            self.marks[about.get(_ODS_TABLE + "name", "")] = self._sheet
            self._row, self._rows = 0, 0
        elif kind == "table-row" and self._sheet:
            self._row += self._rows
            self._rows, self._column = _count(about, "number-rows-repeated"), 0
            if about.get(_ODS_TABLE + "visibility", "visible") != "visible":
                last = min(self._rows, MAX_MARKS - len(self._sheet["hidden"]))
                self._sheet["hidden"] += range(self._row + 1, self._row + last + 1)
        elif kind in ("table-cell", "covered-table-cell") and self._sheet:
            columns = _count(about, "number-columns-spanned")
            rows = _count(about, "number-rows-spanned")
            if columns * rows > 1 and len(self._sheet["merged"]) < MAX_MARKS:
                first = (self._row, self._column)
                last_cell = (self._row + rows - 1, self._column + columns - 1)
                self._sheet["merged"].append((first, last_cell))
            self._column += _count(about, "number-columns-repeated")


def _count(about: dict[str, str], name: str) -> int:
    text = about.get(_ODS_TABLE + name, "1")
    return min(int(text), 1 << 21) if text.isdecimal() else 1


def check_stated_sizes(archive: zipfile.ZipFile) -> None:
    """Raises for an archive that says itself that it unpacks to more than may be."""
    for info in archive.infolist():
        most = max(ALWAYS_UNPACKED_BYTES, MAX_PACK_RATIO * info.compress_size)
        if info.file_size > min(most, MAX_PART_BYTES):
            raise WorkbookError("bomb")


def _read_small_part(stream: BinaryIO, info: zipfile.ZipInfo) -> bytes:
    if info.file_size > MAX_SMALL_PART_BYTES:
        raise WorkbookError("bomb")
    return b"".join(iterate_part(stream, info))


def _scan_xlsx(stream: BinaryIO, archive: zipfile.ZipFile) -> dict[str, dict[str, Any]]:
    """By sheet: hidden rows, error cells, numbers shown with leading zeros.

    The library does not tell them. All parts that it will read are measured on the way.
    """
    check_stated_sizes(archive)
    parts = {info.filename.lstrip("/").lower(): info for info in archive.infolist()}
    names, from_1900 = _find_sheet_parts(stream, parts)
    padded = _find_padded_styles(stream, parts)
    marks: dict[str, dict[str, Any]] = {}
    for info in archive.infolist():
        if not _READ_PART_PATTERN.search(info.filename):
            continue
        name = names.get(info.filename.lstrip("/").lower())
        found = _scan_cells(iterate_part(stream, info), padded)
        if name is not None:
            marks[name] = found | {"from1900": from_1900}
    return marks


def _find_sheet_parts(
    stream: BinaryIO, parts: dict[str, zipfile.ZipInfo]
) -> tuple[dict[str, str], bool]:
    """The name of the sheet that stands in each part; whether days are counted from 1900."""
    book, links = parts.get("xl/workbook.xml"), parts.get("xl/_rels/workbook.xml.rels")
    if book is None or links is None:
        return {}, False
    target_of = {
        link.get("Id"): (link.get("Target") or "").lower()
        for link in _parse_part(stream, links).iter()
        if _strip_namespace(link.tag) == "Relationship"
    }
    found, from_1900 = {}, True
    for sheet in _parse_part(stream, book).iter():
        if _strip_namespace(sheet.tag) == "workbookPr":
            from_1900 = sheet.get("date1904") not in ("1", "true")
        if _strip_namespace(sheet.tag) == "sheet":
            id = next((v for k, v in sheet.attrib.items() if _strip_namespace(k) == "id"), "")
            target = target_of.get(id, "")
            path = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            found[path] = sheet.get("name") or ""
    return found, from_1900


def _find_padded_styles(stream: BinaryIO, parts: dict[str, zipfile.ZipInfo]) -> dict[int, int]:
    """The styles that show a number with leading zeros, and with how many digits: "000000"."""
    styles = parts.get("xl/styles.xml")
    if styles is None:
        return {}
    root = _parse_part(stream, styles)
    formats = {
        one.get("numFmtId"): len(code)
        for one in root.iter()
        if _strip_namespace(one.tag) == "numFmt"
        and re.fullmatch("0{2,}", code := (one.get("formatCode") or ""))
    }
    cells = next((one for one in root.iter() if _strip_namespace(one.tag) == "cellXfs"), ())
    return {
        at: formats[one.get("numFmtId")]
        for at, one in enumerate(cells)
        if one.get("numFmtId") in formats
    }


def _parse_part(stream: BinaryIO, info: zipfile.ZipInfo) -> ElementTree.Element:
    try:
        # In a process of its own with limits; the part is small, and expat bounds entities.
        return ElementTree.fromstring(_read_small_part(stream, info))  # noqa: S314
    except ElementTree.ParseError:
        raise WorkbookError("damaged") from None


def _strip_namespace(name: str) -> str:
    return name.rpartition("}")[2]


def _scan_cells(pieces: Iterator[bytes], padded: dict[int, int]) -> dict[str, Any]:
    hidden: list[int] = []
    errors: list[tuple[int, int, str]] = []
    zeros: list[tuple[int, int, int]] = []
    text = b""
    for piece in pieces:
        text += piece
        cut = text.rfind(b"<c ")
        cut = max(cut, text.rfind(b":c "), text.rfind(b"<si"), 0)
        cut = text.rfind(b"<", 0, cut + 1) if cut else 0
        if cut <= 0 and len(text) > _LONGEST_TAG_BYTES:
            raise WorkbookError("cell")
        _collect_marks(text[:cut], padded, hidden, errors, zeros)
        text = text[max(cut, 0) :]
        if len(hidden) + len(errors) + len(zeros) > 3 * MAX_MARKS:
            raise WorkbookError("marks")
    _collect_marks(text, padded, hidden, errors, zeros)
    return {"hidden": hidden, "errors": errors, "padded": zeros}


def _collect_marks(
    text: bytes,
    padded: dict[int, int],
    hidden: list[int],
    errors: list[tuple[int, int, str]],
    zeros: list[tuple[int, int, int]],
) -> None:
    if b' hidden="' in text:
        hidden += [int(row) for row in _HIDDEN_ROW_PATTERN.findall(text)]
    if b' t="e"' in text:
        errors += [
            (int(row), _count_column(letters), value.decode(errors="replace"))
            for letters, row, value in _ERROR_CELL_PATTERN.findall(text)
        ]
    if padded:
        zeros += [
            (int(row), _count_column(letters), padded[int(style)])
            for style, letters, row in _STYLED_CELL_PATTERN.findall(text)
            if int(style) in padded
        ]


def _count_column(letters: bytes) -> int:
    """The column's number, 1-based, of its letters."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - 64
    return number


if __name__ == "__main__":
    main()
