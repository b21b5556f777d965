"""The one writer of tables that leave the program: CSV, JSON, Parquet and workbooks.

The pages, the commands and the reports of loads all write through it, so that all are alike:

- CSV is UTF-8 with a byte order mark, so that spreadsheets read the Chinese, unless another
  encoding is asked for, and inert: a text that a spreadsheet would run gets an apostrophe before
  it. Numbers and days stay what they are.
- A date of which the year alone is known is the year, `2019`; in Parquet it is a day, and what is
  known of it is in the next column, `NAME_precision`.
- A list or a map in a cell is JSON text where the format has plain cells.
- What the figures depend on (`About`) goes along once, never in every row: in JSON as fields
  beside the rows, in Parquet in the metadata, in a workbook on a sheet of its own, and beside a
  CSV file as `FILE.about.json`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, Literal

import polars as pl

from graph.dates import PartialDate, format_date_columns
from graph.errors import UsageError
from graph.policy import Policy

Format = Literal["csv", "json", "parquet", "xlsx"]
Encoding = Literal["utf-8-sig", "utf-8", "gb18030"]
# A text that begins so is a formula to some spreadsheet: the signs, their full-width forms, and
# what a spreadsheet strips before it looks at them.
FORMULA_PREFIXES: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MAX_SHEET_ROWS: Final = 1_048_575
# What marks are made with: the paper of a cell, and the ink of its border and of what is said.
MarkColor = Literal["red", "amber"]
MARK_COLORS: Final[Mapping[MarkColor, tuple[str, str]]] = {
    "red": ("#F8CBC6", "#B3261E"),
    "amber": ("#FFE9B8", "#8A5A00"),
}
MAX_SHEET_CELL_CHARACTERS: Final = 32_767
ABOUT_KEY: Final = "shicheng"  # of Parquet's metadata


@dataclass(frozen=True)
class About:
    """What every exported figure depends on.

    - revision: of the graph
    - policy: None where no metric is in the table
    - filters: what the page was narrowed to
    - parameters: what a metric or a query was given
    - content: what the rows are, as `metric claims`
    - capped: how many rows there are at most, where there were more
    - data: while a load is under way, of which revision this is and which load it is
    - loaded_on: the day (ISO 8601) on which the revision was loaded
    """

    revision: int
    policy: Policy | None = None
    filters: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    content: str = ""
    capped: int | None = None
    data: Mapping[str, Any] | None = None
    loaded_on: str | None = None

    def as_dict(self) -> dict[str, Any]:
        """Names and values, one below the other, as sheets and pages show them."""
        about: dict[str, Any] = {"content": self.content} if self.content else {}
        about["revision"] = self.revision
        if self.loaded_on is not None:
            about["data_as_of"] = self.loaded_on
        if self.policy is not None:
            about |= self.policy.as_dict() | {"policy_id": self.policy.id}
        about |= {f"filter_{name}": value for name, value in self.filters.items()}
        about |= {f"parameter_{name}": value for name, value in self.parameters.items()}
        if self.data is not None:
            about["load_under_way"] = " ".join(self.data["load"].values())
        return about | ({"capped_at": self.capped} if self.capped else {})

    def as_json(self) -> dict[str, Any]:
        """The same as JSON takes it: policy and parameters as objects."""
        about: dict[str, Any] = {"content": self.content} if self.content else {}
        about["revision"] = self.revision
        if self.loaded_on is not None:
            about["data_as_of"] = self.loaded_on
        if self.policy is not None:
            about |= {"policy": self.policy.as_dict(), "policy_id": self.policy.id}
        if self.filters:
            about["filters"] = dict(self.filters)
        if self.parameters:
            about["parameters"] = dict(self.parameters)
        if self.data is not None:
            about["data"] = dict(self.data)
        return about | ({"capped_at": self.capped} if self.capped else {})


# --- cells ------------------------------------------------------------------------------------


def escape_formula(text: str) -> str:
    """The text as a spreadsheet shows it and does not run it.

    >>> escape_formula("=1+1"), escape_formula("李雷")
    ("'=1+1", '李雷')
    """
    return f"'{text}" if text.startswith(FORMULA_PREFIXES) else text


def format_cell(value: object) -> str:
    """A value as the text of a cell; nothing is the empty text.

    >>> format_cell(["甲", 2]), format_cell(dt.date(2024, 5, 1)), format_cell(True)
    ('["甲", 2]', '2024-05-01', 'true')
    """
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | dict):
        return format_json(value)
    if isinstance(value, set | frozenset):
        return format_json(sorted(value, key=str))
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if isinstance(value, dt.date | dt.time) else str(value)


def format_json(value: object, **more: Any) -> str:
    """JSON with Chinese as it is, days in ISO 8601, and no number that JSON does not have."""
    return json.dumps(_replace_non_finite(value), ensure_ascii=False, default=format_cell, **more)


def _replace_non_finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {str(name): _replace_non_finite(item) for name, item in value.items()}
    return (
        [_replace_non_finite(item) for item in value] if isinstance(value, list | tuple) else value
    )


def build_frame_from_rows(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> pl.DataFrame:
    """Rows of Python values as a table; see `series_of`."""
    every = zip(*rows, strict=True) if rows else ([] for _ in columns)
    series = [series_of(name, list(values)) for name, values in zip(columns, every, strict=True)]
    return pl.DataFrame(series)


def series_of(name: str, values: list[Any]) -> pl.Series:
    """Python values as a column: text where they are of several types, or dates of which not all
    days are known."""
    types = {type(value) for value in values if value is not None}
    if types == {int, float}:
        values, types = [None if v is None else float(v) for v in values], {float}
    if len(types) <= 1 and not types & {list, dict, bytes, PartialDate}:
        try:
            return pl.Series(name, values, pl.String if not types else None)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            pass  # a number beyond 64 bits, a day with a zone of its own: text says it all
    return pl.Series(name, [None if v is None else format_cell(v) for v in values], pl.String)


def _flatten_cells(table: pl.DataFrame) -> pl.DataFrame:
    """The table with plain cells: nested values as JSON, codes as text, no number as nothing."""
    flat = []
    for column in table.get_columns():
        dtype = column.dtype
        if dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            texts = [None if v is None else format_cell(v) for v in column.to_list()]
            column = pl.Series(column.name, texts, pl.String)
        elif dtype in (pl.Enum, pl.Categorical, pl.Null):
            column = column.cast(pl.String)
        elif dtype.is_float():
            column = column.fill_nan(None)
        flat.append(column)
    return pl.DataFrame(flat)


def _escape_formulas(table: pl.DataFrame) -> pl.DataFrame:
    """The table with every text, and every head, as a spreadsheet shows it and does not run it."""
    texts = [
        pl.when(pl.col(name).str.slice(0, 1).is_in(FORMULA_PREFIXES))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        for name, dtype in table.schema.items()
        if dtype == pl.String
    ]
    return table.with_columns(texts).rename(escape_formula)


# --- formats ----------------------------------------------------------------------------------


def render_csv(
    table: pl.DataFrame, encoding: Encoding = "utf-8-sig", decimals: int | None = None
) -> bytes:
    """The table as CSV (see the top of this module); `decimals` of a fraction, None = as it is."""
    return encode_text(
        _escape_formulas(_flatten_cells(format_date_columns(table))).write_csv(
            float_precision=decimals
        ),
        encoding,
    )


def encode_text(text: str, encoding: Encoding) -> bytes:
    """The text's bytes. Raises `UsageError` for a sign that the encoding does not have."""
    try:
        return text.encode(encoding)
    except UnicodeEncodeError as error:
        sign = text[error.start]
        raise UsageError(
            "The table holds {sign!r}, which {encoding} does not have; take --encoding utf-8-sig.",
            sign=sign,
            encoding=encoding,
        ) from None


def render_csv_lines(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Rows of Python values as lines of inert CSV, one by one, the head first."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)  # with "\n" for lines it would leave a carriage return bare
    for row in chain([columns], rows):
        writer.writerow([format_csv_cell(value) for value in row])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def render_tab_line(cells: Iterable[object]) -> str:
    """A row for programs that take a line for a row: inert, no tabulator or break in a cell."""
    texts = (" ".join(cell.split()) if isinstance(cell, str) else cell for cell in cells)
    return "\t".join(format_csv_cell(text) for text in texts)


def format_csv_cell(value: object) -> str:
    """A cell of CSV: a number or a day as it is, a text inert."""
    return escape_formula(value) if isinstance(value, str) else format_cell(value)


def render_json(table: pl.DataFrame, about: About) -> bytes:
    """The table as one JSON object: what it depends on, and `rows`."""
    value = about.as_json() | {"rows": format_date_columns(table).to_dicts()}
    return (format_json(value, indent=1) + "\n").encode("utf-8")


def render_parquet(table: pl.DataFrame, about: About) -> bytes:
    """The table as Parquet, with what it depends on in the metadata."""
    target = io.BytesIO()
    table.write_parquet(target, metadata={ABOUT_KEY: format_json(about.as_json())})
    return target.getvalue()


def render_xlsx(
    table: pl.DataFrame,
    about: About,
    *,
    sheets: tuple[str, str] = ("table", "about"),
    words: Mapping[str, str] = MappingProxyType({}),
    said: Callable[[str, object], str | None] = lambda name, value: None,
) -> bytes:
    """The table as a workbook: the rows on one sheet, `about` on the other; text stays text.

    `sheets` are their names, `words` what a name of `about` is called in the reader's language,
    `said` what a value of it is there (None: itself).
    Raises `UsageError` where a sheet would lose something: too many rows or too long a text.
    """
    import xlsxwriter

    flat = _flatten_cells(format_date_columns(table))
    _validate_sheet_size(flat)
    target = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "nan_inf_to_errors": True,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(target, options) as book:
        flat.write_excel(book, sheets[0], autofit=True, freeze_panes=(1, 0))
        sheet = book.add_worksheet(sheets[1])
        for line, (name, value) in enumerate(about.as_dict().items()):
            sheet.write_string(line, 0, words.get(name, name))
            text = said(name, value)
            sheet.write_string(line, 1, format_cell(value) if text is None else text)
        sheet.set_column(0, 1, 24)
    return target.getvalue()


@dataclass(frozen=True)
class MarkedNotes:
    """A column of remarks on a sheet's rows, and the cells that they are about.

    - marks: (number of the row, place of the cell from 0) of each marked cell
    - texts: number of a row -> the remark on it
    - title: stands above them, in the last of the sheet's `heads`
    - color: one of `MARK_COLORS`
    """

    title: str
    color: MarkColor
    marks: AbstractSet[tuple[int, int]]
    texts: Mapping[int, str]


@dataclass(frozen=True)
class MarkedSheet:
    """A sheet of somebody's own rows with remarks on them.

    - rows: number of the row in the sheet (from 1) and its texts, in order
    - heads: numbers of the rows that are set as heads
    - notes: columns after the others, each with marks of its own colour; the first with marks on
      a cell decides how it looks
    - note_place: the place of the first of these columns
    """

    name: str
    rows: Iterable[tuple[int, Sequence[str | None]]]
    heads: Sequence[int]
    notes: Sequence[MarkedNotes]
    note_place: int


def render_marked_xlsx(sheets: Sequence[MarkedSheet]) -> bytes:
    """The sheets as a workbook, each cell as text where it stood, marked ones in colour.

    No cell is a formula or a link. Nothing is written to a disk.
    """
    import xlsxwriter

    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        looks = {"head": book.add_format({"bold": True})}
        for color, (paper, ink) in MARK_COLORS.items():
            looks[color] = book.add_format({"bg_color": paper, "border": 1, "border_color": ink})
            looks[f"{color} note"] = book.add_format({"font_color": ink, "text_wrap": True})
        names: list[str] = []
        for sheet in sheets:
            names.append(_format_sheet_name(sheet.name, names))
            _write_marked_sheet(book.add_worksheet(names[-1]), sheet, looks)
    return target.getvalue()


def _write_marked_sheet(page: Any, sheet: MarkedSheet, looks: Mapping[str, Any]) -> None:
    widths: dict[int, int] = {}
    marked = {mark: notes.color for notes in reversed(sheet.notes) for mark in notes.marks}
    for number, texts in sheet.rows:
        if number > MAX_SHEET_ROWS:
            break
        for place, text in enumerate(texts):
            color = marked.get((number, place))
            look = looks.get(color or ("head" if number in sheet.heads else ""))
            if text is not None:
                cut = text[:MAX_SHEET_CELL_CHARACTERS]
                page.write_string(number - 1, place, cut, look)
                widths[place] = max(widths.get(place, 8), min(40, 2 * len(text)))
            elif color is not None:
                page.write_blank(number - 1, place, None, look)
    for place, width in widths.items():
        page.set_column(place, place, width)
    for place, notes in enumerate(sheet.notes, sheet.note_place):
        _write_notes(page, place, notes, sheet.heads, looks)
    if sheet.heads:
        page.freeze_panes(sheet.heads[-1], 0)


def _write_notes(
    page: Any, place: int, notes: MarkedNotes, heads: Sequence[int], looks: Mapping[str, Any]
) -> None:
    for number, note in notes.texts.items():  # also of a row that could not be read into cells
        cut = note[:MAX_SHEET_CELL_CHARACTERS]
        page.write_string(number - 1, place, cut, looks[f"{notes.color} note"])
    page.set_column(place, place, 70)
    if heads:
        page.write_string(heads[-1] - 1, place, notes.title, looks["head"])


def _format_sheet_name(name: str, taken: Sequence[str]) -> str:
    """The name as a workbook takes it: no sign of a reference, 31 signs, none twice."""
    plain = re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:26] or "Sheet"
    used = {one.casefold() for one in taken}
    forms = chain([plain], (f"{plain} ({at})" for at in range(2, len(taken) + 3)))
    return next(form for form in forms if form.casefold() not in used)


def _validate_sheet_size(table: pl.DataFrame) -> None:
    if table.height > MAX_SHEET_ROWS:
        raise UsageError(
            "The table has {rows:,} rows, and a sheet of a workbook holds {most:,}; "
            "take csv or parquet.",
            rows=table.height,
            most=MAX_SHEET_ROWS,
        )
    for name in table.select(pl.col(pl.String)).columns:
        longest = table.select(pl.col(name).str.len_chars().max().fill_null(0)).item()
        if longest > MAX_SHEET_CELL_CHARACTERS:
            raise UsageError(
                "{name} has a text of {length:,} signs, and a cell of a workbook holds {most:,}; "
                "take csv or parquet.",
                name=name,
                length=longest,
                most=MAX_SHEET_CELL_CHARACTERS,
            )


def render_table_bytes(
    table: pl.DataFrame,
    format: Format,
    about: About,
    *,
    encoding: Encoding = "utf-8-sig",
    decimals: int | None = None,
) -> bytes:
    """The table in a format. Raises `UsageError` where the format cannot hold it."""
    if format == "csv":
        return render_csv(table, encoding, decimals)
    writers = {"json": render_json, "parquet": render_parquet, "xlsx": render_xlsx}
    return writers[format](table, about)
