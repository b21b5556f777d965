"""Workbooks as XML of Excel 2003 ("XML Spreadsheet"), which many systems export as .xls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from graph.errors import UsageError
from graph.identity import mask_id_numbers
from loaders.readers.delimited import MAX_TABLE_COLUMNS, build_cell_frame, drop_empty_columns
from loaders.readers.excel_damage import CellMarks, clean_workbook_cells
from loaders.readers.sheet import MergedRange, Sheet
from loaders.readers.workbook_process import MAX_CELL_CHARS, tag_number
from loaders.readers.workbooks import (
    DAMAGED_MESSAGE,
    MAX_SHEET_ROWS,
    NO_CELLS_MESSAGE,
    TOO_LARGE_MESSAGE,
    list_hidden_remarks,
)

_SPREADSHEET: Final = "urn:schemas-microsoft-com:office:spreadsheet "
_MAX_CELLS: Final = 2_000_000


@dataclass
class _XmlTable:
    """The cells of one worksheet, each with a letter for its kind before the text."""

    name: str
    rows: list[tuple[int, list[str]]] = field(default_factory=list)
    merged: list[MergedRange] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    errors: list[tuple[int, int, str]] = field(default_factory=list)


class _XmlWorkbookParser:
    """Gathers the worksheets while the XML is read."""

    def __init__(self) -> None:
        self.tables: list[_XmlTable] = []
        self._row, self._column, self._place, self._cells = 0, 0, 0, 0
        self._kind = ""
        self._text: list[str] | None = None
        self._chars = 0

    def start_element(self, name: str, about: dict[str, str]) -> None:
        """Begins a worksheet, row, cell or value."""
        match name.removeprefix(_SPREADSHEET):
            case "Worksheet":
                self.tables.append(_XmlTable(about.get(_SPREADSHEET + "Name", "")))
                self._row = 0
            case "Row" if self.tables:
                self._row = self._read_index(about, self._row, MAX_SHEET_ROWS)
                self._column = 0
                self.tables[-1].rows.append((self._row, []))
                if about.get(_SPREADSHEET + "Hidden") == "1":
                    self.tables[-1].hidden.add(self._row)
            case "Cell" if self.tables and self.tables[-1].rows:
                self._begin_cell(about)
            case "Data":
                self._kind, self._text = about.get(_SPREADSHEET + "Type", "String"), []
                self._chars = 0

    def _read_index(self, about: dict[str, str], last: int, most: int) -> int:
        index = int(about.get(_SPREADSHEET + "Index", last + 1))
        if not last < index <= most:
            raise ValueError("an index that goes back or too far")
        return index

    def _begin_cell(self, about: dict[str, str]) -> None:
        table = self.tables[-1]
        self._column = self._read_index(about, self._column, MAX_TABLE_COLUMNS)
        across = int(about.get(_SPREADSHEET + "MergeAcross", 0))
        down = int(about.get(_SPREADSHEET + "MergeDown", 0))
        if not (0 <= across < MAX_TABLE_COLUMNS and 0 <= down < MAX_SHEET_ROWS):
            raise ValueError("a merged range that goes too far")
        if across or down:
            at = self._column
            table.merged.append((self._row, at, self._row + down, at + across))
        cells = table.rows[-1][1]
        self._cells += self._column + across - len(cells)
        if self._cells > _MAX_CELLS:
            raise MemoryError
        cells.extend([""] * (self._column - len(cells)))
        cells.extend([""] * across)
        self._place, self._column = self._column, self._column + across

    def end_element(self, name: str) -> None:
        """Ends a value."""
        if name != _SPREADSHEET + "Data" or self._text is None:
            return
        text, self._text = "".join(self._text), None
        if not self.tables or not self.tables[-1].rows or not self.tables[-1].rows[-1][1]:
            return
        if self._kind == "Error":
            self.tables[-1].errors.append((self._row, self._place, text))
        self.tables[-1].rows[-1][1][self._place - 1] = _tag_xml_value(self._kind, text)

    def add_text(self, text: str) -> None:
        """Text of the open value."""
        if self._text is not None:
            self._chars += len(text)
            if self._chars <= MAX_CELL_CHARS + 1:
                self._text.append(text)


def _tag_xml_value(kind: str, text: str) -> str:
    if len(text) > MAX_CELL_CHARS:
        return "l"
    if not text or kind == "Error":
        return ""
    if kind == "Number":
        try:
            return tag_number(float(text))
        except ValueError:
            return "s" + text
    if kind == "DateTime":
        day, _, time = text.partition("T")
        time = time.partition(".")[0]
        return "d" + (day if time in ("", "00:00:00") else f"{day} {time}")
    if kind == "Boolean":
        return "bTRUE" if text == "1" else "bFALSE"
    return "s" + text


def read_spreadsheet_xml(text: str, file: str) -> Iterator[Sheet]:
    """The worksheets of the XML that have a cell. Raises UsageError for a damaged or large one."""
    parser = _XmlWorkbookParser()
    reader = expat.ParserCreate("utf-8", namespace_separator=" ")
    reader.StartElementHandler = parser.start_element
    reader.EndElementHandler = parser.end_element
    reader.CharacterDataHandler = parser.add_text
    try:
        reader.Parse(text.encode(), True)
    except (expat.ExpatError, ValueError) as error:
        raise UsageError(DAMAGED_MESSAGE.with_values(file=file)) from error
    except MemoryError as error:
        raise UsageError(TOO_LARGE_MESSAGE.with_values(file=file)) from error
    found = False
    for table in parser.tables:
        if not table.rows:
            continue
        found = True
        tagged = drop_empty_columns(build_cell_frame(iter(table.rows)))
        cells, remarks = clean_workbook_cells(tagged, CellMarks(table.errors), file)
        hidden, name = frozenset(table.hidden), mask_id_numbers(table.name)
        said = (*list_hidden_remarks(True, hidden, name, file), *remarks)
        yield Sheet(file, name, cells, tuple(table.merged), hidden, remarks=said)
    if not found:
        raise UsageError(NO_CELLS_MESSAGE.with_values(file=file))
