"""Tables of a web page: what many office systems export under the name .xls or .csv."""

from __future__ import annotations

from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Final

from graph.errors import UsageError
from graph.messages import Message
from loaders.readers.sheet import MergedRange

MAX_PAGE_CELLS: Final = 1_000_000
_MAX_SPAN: Final = 10_000
_MAX_NESTED_TABLES: Final = 50
MAX_PAGE_TABLES: Final = 1_000
_TOO_LARGE_MESSAGE = Message(
    "{file} holds a table of more than {most:,} cells; save it as CSV (UTF-8)", most=MAX_PAGE_CELLS
)
_MANY_TABLES_MESSAGE = Message(
    "{file} is a web page of more than {most:,} tables; save its list as CSV (UTF-8)",
    most=MAX_PAGE_TABLES,
)


@dataclass
class PageTable:
    """One table of a page: the text of its cells by row and column (from 0), and merged ones."""

    rows: list[dict[int, str]] = field(default_factory=list)
    merged: list[MergedRange] = field(default_factory=list)
    hidden: set[int] = field(default_factory=set)
    # Column -> first row (from 0) that is free of a cell above that reaches down.
    taken: dict[int, int] = field(default_factory=dict)

    def place_cell(self, text: str, columns: int, rows: int) -> int:
        """Puts a cell at the next free place of the last row; returns its column."""
        row = len(self.rows) - 1
        column = 0
        while column in self.rows[row] or self.taken.get(column, 0) > row:
            column += 1
        self.rows[row][column] = text
        for at in range(column + 1, column + columns):
            self.rows[row][at] = ""
        if rows > 1:
            for at in range(column, column + columns):
                self.taken[at] = row + rows
        if columns > 1 or rows > 1:
            self.merged.append((row + 1, column + 1, row + rows, column + columns))
        return column


class PageTableParser(HTMLParser):
    """Gathers the tables of a page; a table inside another is one of its own."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.tables: list[PageTable] = []
        self._file = file
        self._open: list[PageTable] = []
        self._text: list[str] | None = None
        self._span = (1, 1)
        self._skipped = 0
        self._cells = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begins a table, row or cell."""
        about = dict(attrs)
        if tag in ("script", "style"):
            self._skipped += 1
        elif tag == "table":
            self._end_cell()
            if len(self.tables) == MAX_PAGE_TABLES:
                raise UsageError(_MANY_TABLES_MESSAGE.with_values(file=self._file))
            self.tables.append(PageTable())
            self._open = [*self._open, self.tables[-1]][-_MAX_NESTED_TABLES:]
        elif tag == "tr" and self._open:
            self._begin_row(about)
        elif tag in ("td", "th") and self._open:
            self._end_cell()
            if not self._open[-1].rows:
                self._open[-1].rows.append({})
            self._span = (_parse_span(about.get("colspan")), _parse_span(about.get("rowspan")))
            self._text = []
        elif tag in ("br", "p", "div") and self._text:
            self._text.append("\n")

    def _begin_row(self, about: dict[str, str | None]) -> None:
        self._end_cell()
        table = self._open[-1]
        table.rows.append({})
        if "display:none" in (about.get("style") or "").replace(" ", "").lower():
            table.hidden.add(len(table.rows))

    def handle_endtag(self, tag: str) -> None:
        """Ends a table, row or cell."""
        if tag in ("script", "style"):
            self._skipped = max(0, self._skipped - 1)
        elif tag in ("td", "th", "tr"):
            self._end_cell()
        elif tag == "table" and self._open:
            self._end_cell()
            self._open.pop()

    def handle_data(self, data: str) -> None:
        """Text of the open cell."""
        if self._text is not None and not self._skipped:
            self._text.append(data)

    def _end_cell(self) -> None:
        if self._text is None or not self._open:
            self._text = None
            return
        lines = [" ".join(line.split()) for line in "".join(self._text).split("\n")]
        self._text = None
        columns, rows = self._span
        self._cells += columns * rows
        if self._cells > MAX_PAGE_CELLS:
            raise UsageError(_TOO_LARGE_MESSAGE.with_values(file=self._file))
        self._open[-1].place_cell("\n".join(filter(None, lines)), columns, rows)


def _parse_span(text: str | None) -> int:
    try:
        return min(max(int(text or 1), 1), _MAX_SPAN)
    except ValueError:
        return 1


def parse_web_tables(page: str, file: str) -> list[PageTable]:
    """The tables of a page that have a row. Raises UsageError for one that is too large."""
    parser = PageTableParser(file)
    parser.feed(page)
    parser.close()
    return [table for table in parser.tables if any(table.rows)]
