"""Tables to take away: exactly the rows shown, with the policy and the revision in the file."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

from components.i18n import tn, translate
from components.numbers import count
from graph.policy import Policy

if TYPE_CHECKING:
    from components.export import Format
    from components.lineage import LineageView
    from components.theme import Mode

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# A cell that begins so is run as a formula by spreadsheet programs.
FORMULA = r"^[=+\-@\t\r]"
MOST_ROWS_OF_A_SHEET = 1_048_575


@dataclass(frozen=True)
class About:
    """What every exported figure depends on; `policy` is None where no metric is in the table."""

    revision: int
    policy: Policy | None = None
    filters: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Names and values as they are written into the file."""
        about: dict[str, Any] = {"revision": self.revision}
        if self.policy is not None:
            about |= self.policy.as_dict() | {"policy_id": self.policy.id}
        return about | {f"filter_{name}": value for name, value in self.filters.items()}


def csv(table: pl.DataFrame, about: About) -> bytes:
    """The table as CSV that Excel reads in any language; `about` as JSON in a last column."""
    told = json.dumps(about.as_dict(), ensure_ascii=False)
    safe = table.select(*_unformulated(table), pl.lit(told).alias("policy"))
    return b"\xef\xbb\xbf" + safe.write_csv().encode("utf-8")


def _unformulated(table: pl.DataFrame) -> list[pl.Expr]:
    """Every column; text that a spreadsheet would run as a formula gets an apostrophe."""
    return [
        pl.when(pl.col(name).str.contains(FORMULA))
        .then(pl.lit("'") + pl.col(name))
        .otherwise(pl.col(name))
        .alias(name)
        if dtype == pl.String
        else pl.col(name)
        for name, dtype in table.schema.items()
    ]


def xlsx(table: pl.DataFrame, about: About) -> bytes:
    """The table as a workbook: the rows on one sheet, `about` on the other; text stays text."""
    import xlsxwriter

    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(target, options) as book:
        table.head(MOST_ROWS_OF_A_SHEET).write_excel(
            book, "table", autofit=True, freeze_panes=(1, 0)
        )
        sheet = book.add_worksheet("policy")
        for line, (name, value) in enumerate(about.as_dict().items()):
            sheet.write_string(line, 0, name)
            sheet.write_string(line, 1, str(value))
        sheet.set_column(0, 1, 24)
    return target.getvalue()


def offer(table: pl.DataFrame, about: About, name: str, *, main: bool = False) -> None:
    """Two buttons in a row that take away exactly these rows, as CSV and as a workbook.

    `name` is the file's and the buttons' key; `main` makes the workbook the page's red button.
    """
    offer_later(table.height, lambda: table, about, name, main=main)


def offer_later(
    rows: int, make: Callable[[], pl.DataFrame], about: About, name: str, *, main: bool = False
) -> None:
    """As `offer`, of a table too large to be made before somebody asks for it.

    A workbook holds no more than `MOST_ROWS_OF_A_SHEET`; beyond, CSV alone is offered.
    """
    import streamlit as st

    formats = (("CSV", csv, "text/csv"), ("XLSX", xlsx, XLSX))
    with st.container(horizontal=True, width="content", key=f"offer_{name}"):
        for format, write, mime in formats[: 1 if rows > MOST_ROWS_OF_A_SHEET else 2]:
            st.download_button(
                _button(rows, format),
                partial(_written, write, make, about), f"{name}.{format.lower()}", mime,
                key=f"{name}_{format}", on_click="ignore",
                type="primary" if main and format == "XLSX" else "secondary",
            )  # fmt: skip


def _button(rows: int, format: str) -> str:
    return tn("Download {n} row, {format}", "Download {n} rows, {format}", rows,
              n=count(rows), format=format)  # fmt: skip


def _written(
    write: Callable[[pl.DataFrame, About], bytes], make: Callable[[], pl.DataFrame], about: About
) -> bytes:
    return write(make(), about)


def view_file(view: LineageView, format: Format, about: About, title: str, mode: Mode) -> bytes:
    """A lineage view, exactly as shown, as a file: html, svg, graphml, or csv (a zip of tables)."""
    from components.export import network_bytes, view_network

    if format == "svg":
        return view_drawing(view, about, title, mode).encode("utf-8")
    graph = view_network(view)
    told = {name: str(value) for name, value in about.as_dict().items()}
    if format == "html":
        notes = view_notes(view, about)
        return network_bytes(
            graph, format, title=title, language=view.language, mode=mode, notes=notes
        )
    graph.graph.update(told)
    return network_bytes(graph, format)


def view_drawing(view: LineageView, about: About, title: str, mode: Mode) -> str:
    """A lineage view, exactly as shown, as an SVG document."""
    from components.drawing import view_svg

    notes = view_notes(view, about)
    return view_svg(view, title=title, notes=notes, about=about.as_dict(), mode=mode)


def view_notes(view: LineageView, about: About) -> list[str]:
    """What stands under the title of an exported view: policy, revision, day, filters, people."""
    language = view.language
    lines = [
        translate(
            language, "{n} people and {m} links, as shown; {left} more are not shown.",
            n=count(len(view.nodes)), m=count(len(view.edges)),
            left=count(sum(node.more_up + node.more_down for node in view.nodes)),
        ),
        translate(
            language, "Revision {revision}; made on {day}.",
            revision=about.revision, day=date.today(),
        ),
    ]  # fmt: skip
    if about.policy is not None:
        lines.insert(1, f"{about.policy.chip(language)} · {about.policy.id}")
    if about.filters:
        told = " · ".join(f"{name}: {value}" for name, value in about.filters.items())
        lines.append(told)
    return lines


# How a lineage view can be taken away: its name on the button, format, media type.
VIEWS: tuple[tuple[str, Format, str], ...] = (
    ("SVG", "svg", "image/svg+xml"),
    ("HTML", "html", "text/html"),
    ("GraphML", "graphml", "application/graphml+xml"),
    ("CSV", "csv", "application/zip"),
)
