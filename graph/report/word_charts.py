"""Charts of a report as native charts of Word.

A picture would need Chinese letters drawn where the report is made, and a server often has none. A
native chart takes the reader's own fonts, prints sharp, and holds its figures. The chart's XML and
the workbook behind it are those of xlsxwriter.
"""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from itertools import pairwise
from typing import Any, Final
from zipfile import ZipFile

import xlsxwriter

from graph.report.document import ReportChart

SHEET_NAME: Final = "data"
# More labels than these are turned, or left out between.
MAX_LEVEL_LABELS: Final = 9
CHART_ENTRY: Final = "xl/charts/chart1.xml"
LINE_LOOKS: Final[dict[str, dict[str, Any]]] = {
    "ink": {"color": "#1B2530", "width": 2.25},
    "slate": {"color": "#8E99A4", "width": 2.0},
    "dashed": {"color": "#1B2530", "width": 1.75, "dash_type": "dash"},
    "target": {"color": "#B23A2E", "width": 1.5, "dash_type": "square_dot"},
}
BAR_FILL: Final = "#4A9BAE"
BAND_FILLS: Final = ("#DDE1E5", "#B9C1C8", "#DDE1E5")
# Nothing in the file may tell when it was made.
BOOK_DAY: Final = datetime(2000, 1, 1, tzinfo=UTC)


def build_word_chart(chart: ReportChart) -> tuple[bytes, bytes]:
    """The chart's XML, and the workbook with its figures."""
    made = BytesIO()
    book = xlsxwriter.Workbook(made, {"in_memory": True})
    book.set_properties({"created": BOOK_DAY.replace(tzinfo=None)})
    sheet = book.add_worksheet(SHEET_NAME)
    every = -(-len(chart.labels) // MAX_LEVEL_LABELS) if chart.kind == "lines" else 1
    # LibreOffice shows every label, whatever interval is set: those between are empty.
    shown = ["" if place % every else label for place, label in enumerate(chart.labels)]
    sheet.write_column(1, 0, shown)
    drawn = (
        _add_line_chart(book, sheet, chart)
        if chart.kind == "lines"
        else _add_bar_chart(book, sheet, chart)
    )
    crowded = len(chart.labels) > MAX_LEVEL_LABELS
    turned = -45 if crowded else 0
    drawn.set_x_axis(
        {
            "num_font": {"size": 8, "rotation": turned},
            "line": {"color": "#8E99A4"},
            "interval_unit": 1,
            "interval_tick": every,
        }
    )
    drawn.set_y_axis(
        {
            "num_font": {"size": 8},
            "num_format": "#,##0",
            "min": 0,
            "major_gridlines": {"visible": True, "line": {"color": "#DCDAD2", "width": 0.5}},
            "line": {"none": True},
        }
    )
    drawn.show_blanks_as("gap")
    sheet.insert_chart(1, len(chart.series) + 8, drawn)
    book.close()
    with ZipFile(made) as parts:
        xml = parts.read(CHART_ENTRY)
    return xml, made.getvalue()


def _write_series(sheet: Any, column: int, name: str, values: tuple[float | None, ...]) -> None:
    sheet.write_string(0, column, name)
    for row, value in enumerate(values, 1):
        if value is not None:
            sheet.write_number(row, column, value)


def _refer_series(chart: ReportChart, column: int) -> dict[str, Any]:
    last = len(chart.labels)
    return {
        "name": [SHEET_NAME, 0, column],
        "categories": [SHEET_NAME, 1, 0, last, 0],
        "values": [SHEET_NAME, 1, column, last, column],
    }


def _add_bar_chart(book: Any, sheet: Any, chart: ReportChart) -> Any:
    drawn = book.add_chart({"type": "column"})
    for column, series in enumerate(chart.series, 1):
        _write_series(sheet, column, series.name, series.values)
        look = {"fill": {"color": BAR_FILL}, "gap": 60}
        drawn.add_series(_refer_series(chart, column) | look)
    drawn.set_legend({"none": True})
    return drawn


def _add_line_chart(book: Any, sheet: Any, chart: ReportChart) -> Any:
    lines = book.add_chart({"type": "line"})
    column = 1
    bands = _stack_bands(chart)
    areas = book.add_chart({"type": "area", "subtype": "stacked"})
    for name, values, fill in bands:
        _write_series(sheet, column, name, values)
        look = {"fill": {"color": fill} if fill else {"none": True}, "line": {"none": True}}
        areas.add_series(_refer_series(chart, column) | look)
        column += 1
    for series in chart.series:
        _write_series(sheet, column, series.name, series.values)
        lines.add_series(_refer_series(chart, column) | {"line": LINE_LOOKS[series.look]})
        column += 1
    drawn = lines
    if bands:
        areas.combine(lines)
        drawn = areas
    # Of the bands' parts, the one under the wider band and the upper one of it have no name.
    unnamed = [place for place, (name, _, _) in enumerate(bands) if not name]
    drawn.set_legend({"position": "bottom", "font": {"size": 8}, "delete_series": unnamed})
    return drawn


def _stack_bands(chart: ReportChart) -> list[tuple[str, tuple[float | None, ...], str]]:
    """Two bands, the wider first, as areas that stand on each other: name, values, fill.

    The first, from 0 to the lowest line, has no fill; only one part of each band has its name.
    """
    if not chart.bands:
        return []
    wide, narrow = chart.bands
    edges = (wide.low, narrow.low, narrow.high, wide.high)
    parts = [wide.low]
    for lower, upper in pairwise(edges):
        parts.append(
            tuple(
                None if a is None or b is None else b - a for a, b in zip(lower, upper, strict=True)
            )
        )
    names = ("", wide.name, narrow.name, "")
    fills = ("", *BAND_FILLS)
    return list(zip(names, parts, fills, strict=True))
