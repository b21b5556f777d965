"""A table in pages whose rows can be ticked, to see what several are together.

The page of the table and the ids ticked stand in the address (`page`, `sel`); `name` says whose
table it is, for the keys of its controls.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import partial
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from components import address, frame
from components import columns as tables
from components.columns import Column
from components.i18n import t
from components.theme import MODES

ROWS: Final = 200  # of one page of the table
MOST: Final = 5  # looked at together
ROW_HEIGHT: Final = 38
HEIGHT: Final = 650


def selected(known: pl.Series) -> list[str]:
    """The ids that the address holds ticked, of those that are known."""
    return [id for id in address.ids("sel") if known.eq(id).any()][:MOST]


def page_of(rows: pl.DataFrame) -> tuple[pl.DataFrame, int, int]:
    """The rows of the page that the address names, its number, and how many pages there are."""
    pages = max(1, -(-rows.height // ROWS))
    asked = st.query_params.get("page", "1")
    number = min(int(asked), pages) if asked.isdigit() and int(asked) > 0 else 1
    address.write("page", str(number), "1")
    return rows.slice((number - 1) * ROWS, ROWS), number, pages


def height(rows: pl.DataFrame) -> int:
    """How high a table of these rows stands, px."""
    return min(ROW_HEIGHT * (rows.height + 1) + 2, HEIGHT)


def table(
    name: str, part: pl.DataFrame, rows: pl.DataFrame, columns: Mapping[str, Column],
    ticked: list[str], *, id: str, opened: Callable[[str], None],
) -> None:  # fmt: skip
    """Draws a page of the rows; who is ticked goes into the address, at most `MOST`.

    `id` is the column of the ids; `opened` is called once with that of a name that was clicked.
    Bars compare over all rows.
    """
    ids = part[id].to_list()
    places = {one: place for place, one in enumerate(ids)}
    key = hashlib.sha256("\n".join([*ids, "", *columns]).encode()).hexdigest()[:10]
    # The table is made anew when others than itself change the selection.
    version = st.session_state.setdefault(f"{name}_version", 0)
    picked = tables.table(
        part, columns, MODES[frame.mode()], key=f"{name}_table_{key}_{version}",
        selected=[places[one] for one in ticked if one in places], most=_most(rows, columns),
        height=height(part),
    )  # fmt: skip
    cell: Any = tuple(picked.cells[0]) if picked.cells else None
    if frame.just_chosen(f"{name}_cell", cell and (key, cell)) and cell[1] == "name":
        opened(ids[cell[0]])
    here = [ids[row] for row in picked.rows if row < len(ids)]
    stay = [one for one in ticked if one in here or one not in places]
    now = stay + [one for one in here if one not in stay]
    if now != ticked:
        if len(now) > MOST:
            st.toast(t("At most {n} can be looked at together.", n=MOST))
            st.session_state[f"{name}_version"] = version + 1
        address.write("sel", ",".join(now[:MOST]) or None)
        st.rerun()


def _most(rows: pl.DataFrame, columns: Mapping[str, Column]) -> dict[str, float]:
    """The largest value of each column of bars."""
    values = {
        name: rows[name].list.max() if column.kind == "bars" else rows[name]
        for name, column in columns.items() if column.kind in ("bar", "bars")
    }  # fmt: skip
    return {name: float(value.max() or 0) for name, value in values.items()}  # type: ignore[arg-type]


def steps(name: str, number: int, pages: int) -> None:
    """Buttons to the page before and the next, where there is more than one."""
    if pages == 1:
        return
    for words, other in ((t("Back"), number - 1), (t("Further"), number + 1)):
        st.button(
            words, key=f"{name}_step_{other - number}", disabled=not 1 <= other <= pages,
            on_click=partial(address.write, "page", str(other), "1"),
        )  # fmt: skip


def together(name: str, n: int) -> None:
    """The title of what the n ticked are together, and the button that takes them away."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"{name}_chosen"):
        frame.html(f"<h2 class='sc-h2'>{escape(t('{n} together', n=n))}</h2>")
        st.space("stretch")
        take_away(name)


def take_away(name: str) -> None:
    """A button that takes the selection away."""
    st.button(t("Take away the selection"), type="tertiary", key=f"{name}_unselect",
              on_click=nobody, args=(name,))  # fmt: skip


def nobody(name: str) -> None:
    """Takes the selection away, and what is open of the table."""
    address.clear("sel", "id")
    st.session_state[f"{name}_version"] = st.session_state.get(f"{name}_version", 0) + 1
