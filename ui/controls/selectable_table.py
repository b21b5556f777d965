"""A table in pages whose rows can be ticked, to see what several are together.

The page of the table and the ids ticked stand in the address (`page`, `sel`); `name` says whose
table it is, for the keys of its controls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from ui.controls import table_columns as tables
from ui.controls.table_columns import TableColumn
from ui.shell import address, frame
from ui.shell.theme import TOKENS_BY_MODE
from ui.words.i18n import t

TABLE_PAGE_ROWS: Final = 200  # of one page of the table
MAX_TICKED_ROWS: Final = 5  # looked at together
TABLE_ROW_HEIGHT_PX: Final = 38
MAX_TABLE_HEIGHT_PX: Final = 650


@dataclass(frozen=True)
class Sorting:
    """How a table is sorted: by which column, in which order ("asc" or "desc").

    `first` is the order that a column begins with, by its name; the others begin with the largest.
    """

    by: str
    order: str
    default: str
    first: Mapping[str, str]

    @property
    def descending(self) -> bool:
        """Whether the largest stands first."""
        return self.order == "desc"

    @property
    def arrow(self) -> str:
        """What the header of the column says."""
        return "\N{DOWNWARDS ARROW}" if self.descending else "\N{UPWARDS ARROW}"

    def sort(self, by: str) -> None:
        """Sorts by a column; by the one it is sorted by, the other way."""
        first = self.first.get(by, "desc")
        order = {"asc": "desc", "desc": "asc"}[self.order] if by == self.by else first
        address.write_parameters(
            {
                "sort": None if by == self.default else by,
                "order": None if order == first else order,
                "page": None,
            }
        )


def draw_sort_controls(
    page: str, titles: Mapping[str, str], default: str, first: Mapping[str, str]
) -> Sorting:
    """The controls of what a table is sorted by, and which way; they stand in the address."""
    with st.container(width=190):
        by = address.draw_required_choice(
            page, "sort", t("Sort by"), titles, default, folded=True, leaves=("order", "page")
        )
    ways = {"asc": t("ascending"), "desc": t("descending")}
    order = address.draw_required_choice(
        page, "order", t("Order"), ways, first.get(by, "desc"), leaves=("page",)
    )
    return Sorting(by, order, default, first)


def list_ticked_ids(known: pl.Series) -> list[str]:
    """The ids that the address holds ticked, of those that are known."""
    return address.filter_known_ids("sel", known)[:MAX_TICKED_ROWS]


def slice_table_page(rows: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """The rows of the page that the address names, its number, and how many pages there are."""
    pages = max(1, -(-rows.height // TABLE_PAGE_ROWS))
    number = address.read_address_number("page", pages)
    return rows.slice((number - 1) * TABLE_PAGE_ROWS, TABLE_PAGE_ROWS), number, pages


def compute_table_height(rows: pl.DataFrame) -> int:
    """How high a table of these rows stands, px."""
    return min(TABLE_ROW_HEIGHT_PX * (rows.height + 1) + 2, MAX_TABLE_HEIGHT_PX)


def draw_selectable_table(
    name: str,
    part: pl.DataFrame,
    rows: pl.DataFrame,
    columns: Mapping[str, TableColumn],
    ticked: list[str],
    *,
    id: str,
    opened: Callable[[str], None],
    sorting: Sorting,
) -> None:
    """Draws a page of the rows; who is ticked goes into the address, at most `MAX_TICKED_ROWS`.

    `id` is the column of the ids; `opened` is called once with that of a name that was clicked. A
    click on a header sorts all rows, a second one the other way. Bars compare over all rows.
    """
    columns = {
        n: replace(c, title=f"{c.title} {sorting.arrow}") if n == sorting.by else c
        for n, c in columns.items()
    }
    ids = part[id].to_list()
    places = {one: place for place, one in enumerate(ids)}
    shown = [*ids, "", *columns, sorting.by, sorting.order]
    key = hashlib.sha256("\n".join(shown).encode()).hexdigest()[:10]
    # The table is made anew when others than itself change the selection.
    version = st.session_state.setdefault(f"{name}_version", 0)
    picked = tables.draw_table(
        part,
        columns,
        TOKENS_BY_MODE[frame.detect_colour_mode()],
        key=f"{name}_table_{key}_{version}",
        selected=[places[one] for one in ticked if one in places],
        most=_compute_bar_maxima(rows, columns),
        height=compute_table_height(part),
    )
    if picked.columns:
        st.session_state[f"{name}_version"] = version + 1
        sorting.sort(picked.columns[0])
        st.rerun()
    cell: Any = tuple(picked.cells[0]) if picked.cells else None
    if frame.is_newly_chosen(f"{name}_cell", cell and (key, cell)) and cell[1] == "name":
        opened(ids[cell[0]])
    here = [ids[row] for row in picked.rows if row < len(ids)]
    stay = [one for one in ticked if one in here or one not in places]
    now = stay + [one for one in here if one not in stay]
    if now != ticked:
        if len(now) > MAX_TICKED_ROWS:
            st.toast(t("At most {n} can be looked at together.", n=MAX_TICKED_ROWS))
            st.session_state[f"{name}_version"] = version + 1
        address.write_parameter("sel", ",".join(now[:MAX_TICKED_ROWS]) or None)
        st.rerun()


def _compute_bar_maxima(rows: pl.DataFrame, columns: Mapping[str, TableColumn]) -> dict[str, float]:
    """The largest value of each column of bars."""
    most = rows.select(
        (pl.col(name).list.max() if column.kind == "bars" else pl.col(name)).max()
        for name, column in columns.items()
        if column.kind in ("bar", "bars")
    )
    return {name: float(value or 0) for name, value in zip(most.columns, most.row(0), strict=True)}


def draw_page_buttons(name: str, number: int, pages: int) -> None:
    """Buttons to the page before and the next, where there is more than one."""
    if pages == 1:
        return
    for words, other in ((t("Back"), number - 1), (t("Further"), number + 1)):
        st.button(
            words,
            key=f"{name}_step_{other - number}",
            disabled=not 1 <= other <= pages,
            on_click=partial(address.write_parameter, "page", str(other), "1"),
        )


def draw_selection_heading(name: str, n: int) -> None:
    """The title of what the n ticked are together, and the button that takes them away."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{name}_chosen"):
        frame.draw_html(f"<h2 class='sc-h2'>{escape(t('{n} together', n=n))}</h2>")
        st.space("stretch")
        draw_clear_selection_button(name)


def draw_clear_selection_button(name: str) -> None:
    """A button that takes the selection away."""
    st.button(
        t("Take away the selection"),
        type="tertiary",
        key=f"{name}_unselect",
        on_click=clear_selection,
        args=(name,),
    )


def clear_selection(name: str) -> None:
    """Takes the selection away, and what is open of the table."""
    address.clear_parameters("sel", "id")
    st.session_state[f"{name}_version"] = st.session_state.get(f"{name}_version", 0) + 1
