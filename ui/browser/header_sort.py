"""A list whose lines open something: a click on a header sorts it, and opens nothing.

Streamlit sorts in the browser where columns cannot be chosen, but then also tells the first cell
as clicked. Here the header chooses the column, and the rows are sorted before they are drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
import streamlit as st

CLICKABLE_SELECTION_MODES: Final = (
    "single-cell",
    "single-column",
)  # what can be clicked in such a list


@dataclass(frozen=True)
class HeaderSort:
    """By which column a list is sorted now; None: as its page has sorted it."""

    name: str
    by: str | None
    descending: bool
    version: int

    @property
    def key(self) -> str:
        """The key of the list's widget: another for each order, so that no click stands on."""
        return f"{self.name}_{self.version}"

    def places(self, rows: pl.DataFrame) -> list[int]:
        """The numbers of the rows, in the order they are shown; nulls are last."""
        if self.by not in rows.columns or rows[self.by].dtype.is_nested():
            return list(range(rows.height))
        number = pl.int_range(pl.len())
        order = number.sort_by(self.by, descending=self.descending, nulls_last=True)
        return rows.select(place=order)["place"].to_list()

    def marked(self, config: Mapping[str, Any]) -> dict[str, Any]:
        """The columns' configuration with an arrow in the title of the sorted one."""
        if self.by is None:
            return dict(config)
        now = config.get(self.by) or self.by
        column = {"label": now} if isinstance(now, str) else dict(now)
        column["label"] = self.titled(column.get("label") or self.by)
        return {**config, self.by: column}

    def titled(self, title: str) -> str:
        """The title of the column that the list is sorted by."""
        arrow = "\N{DOWNWARDS ARROW}" if self.descending else "\N{UPWARDS ARROW}"
        return f"{title} {arrow}"

    def click(self, columns: Sequence[str]) -> None:
        """Sorts by the column whose header was clicked: up, down, then as the page sorts."""
        if not columns:
            return
        by: str | None = columns[0]
        descending = by == self.by
        if descending and self.descending:
            by, descending = None, False
        st.session_state[f"{self.name}_header_sort"] = (by, descending, self.version + 1)
        st.rerun()


def read_header_sort(name: str) -> HeaderSort:
    """How the visitor sorts the list of this name."""
    state = st.session_state.get(f"{name}_header_sort", (None, False, 0))
    return HeaderSort(name, *state)


def draw_sortable_list(
    rows: pl.DataFrame, *, key: str, config: Mapping[str, Any] | None = None, **look: Any
) -> tuple[int, str] | None:
    """Draws the rows; the row (its number in `rows`) and column that is clicked, if any."""
    sort = read_header_sort(key)
    places = sort.places(rows)
    event: Any = st.dataframe(
        rows[places],
        key=sort.key,
        hide_index=True,
        on_select="rerun",
        selection_mode=CLICKABLE_SELECTION_MODES,
        column_config=sort.marked(config or {}),
        **look,
    )
    sort.click(event.selection.columns)
    cell = next(iter(event.selection.cells), None)
    if cell is None or cell[0] >= len(places):
        return None
    return places[cell[0]], str(cell[1])
