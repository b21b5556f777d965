"""A table's columns: how each is named, explained, set, and exported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypedDict

import polars as pl
import streamlit as st

from ui.browser.header_sort import CLICKABLE_SELECTION_MODES
from ui.shell.theme import Tokens
from ui.words.i18n import current_language, translate_marked
from ui.words.numbers import NO_VALUE_DASH
from ui.words.text_width import estimate_text_width

ColumnKind = Literal["text", "count", "decimal", "share", "bar", "bars", "level", "yes"]


@dataclass(frozen=True)
class TableColumn:
    """One column: its title with the unit, what it means, and how it is set.

    `metric` names the metric that gives it, when it is not always there.
    """

    title: str
    help: str
    kind: ColumnKind = "count"
    width: int = 100
    metric: str | None = None


@dataclass(frozen=True)
class ColumnSpec:
    """A column as data: `title` and `help` are message ids of `ui/words/locale`.

    `code` stands in the place of a title that is the same in every language. `width_en` is the
    width on English pages, where it is another than on Chinese ones.
    """

    name: str
    title: str
    help: str
    kind: ColumnKind = "count"
    width: int = 100
    metric: str | None = None
    code: str = ""
    width_en: int | None = None


def translate_columns(specs: Iterable[ColumnSpec]) -> dict[str, TableColumn]:
    """The columns by name, in the language of this visit."""
    english = current_language() == "en"
    return {
        spec.name: TableColumn(
            spec.code or translate_marked(spec.title),
            translate_marked(spec.help),
            spec.kind,
            spec.width_en if english and spec.width_en else spec.width,
            spec.metric,
        )
        for spec in specs
    }


class _ColumnAbout(TypedDict):
    """What every kind of column is given."""

    help: str
    width: int


def draw_table(
    rows: pl.DataFrame,
    columns: Mapping[str, TableColumn],
    tokens: Tokens,
    *,
    key: str,
    selected: Sequence[int],
    most: Mapping[str, float],
    height: int,
    choose: bool = True,
) -> Any:
    """Draws the rows; cells and headers can be clicked and, with `choose`, rows ticked.

    Gives back the selection.
    `most` is the largest value of the columns of bars, so that bars compare over all pages.
    """
    config = {
        name: _build_column_config(column, tokens, most.get(name, 0))
        for name, column in columns.items()
    }
    shown = rows.select(list(columns))
    event = st.dataframe(
        _colour_level_cells(shown, columns, tokens),
        key=key,
        hide_index=True,
        row_height=38,
        height=height,
        placeholder=NO_VALUE_DASH,
        on_select="rerun",
        column_config=config,
        selection_mode=["multi-row", *CLICKABLE_SELECTION_MODES]
        if choose
        else CLICKABLE_SELECTION_MODES,
        selection_default={"selection": {"rows": list(selected)}} if selected else None,
    )
    return event.selection


def _colour_level_cells(
    rows: pl.DataFrame, columns: Mapping[str, TableColumn], tokens: Tokens
) -> Any:
    """The rows with the level's cell in the ladder's colour."""
    levels = [name for name, column in columns.items() if column.kind == "level"]
    if not levels or not rows.height:
        return rows
    frame = rows.to_pandas()
    frame[levels] = frame[levels].astype("Int64")

    def dressed(level: Any) -> str:
        if not 1 <= (0 if level is None or level != level else level) <= 8:
            return ""
        return f"background-color:{tokens.level(level)};color:{tokens.on_level(level)}"

    return frame.style.map(lambda v: dressed(int(v)) if str(v).isdigit() else "", subset=levels)


def _build_column_config(column: TableColumn, tokens: Tokens, most: float) -> Any:
    # A title says the unit: it is never cut off, in neither language.
    width = max(column.width, round(estimate_text_width(column.title, 12)) + 22)
    config = st.column_config
    about: _ColumnAbout = {"help": column.help, "width": width}
    top = max(1.0, float(most))
    if column.kind == "bar":
        return config.ProgressColumn(
            column.title,
            format="localized",
            min_value=0,
            max_value=top,
            color=tokens.slate,
            **about,
        )
    if column.kind == "bars":
        return config.BarChartColumn(column.title, y_min=0, y_max=top, color=tokens.slate, **about)
    if column.kind == "count":
        return config.NumberColumn(column.title, format="localized", **about)
    if column.kind == "decimal":
        return config.NumberColumn(column.title, format="%.1f", **about)
    if column.kind == "share":
        return config.NumberColumn(column.title, format="percent", **about)
    if column.kind == "level":
        return config.NumberColumn(column.title, alignment="center", **about)
    if column.kind == "yes":
        return config.CheckboxColumn(column.title, **about)
    return config.TextColumn(column.title, **about)


def select_export_columns(
    rows: pl.DataFrame, columns: Mapping[str, TableColumn], ids: Mapping[str, str]
) -> Any:
    """The rows as they are taken away: the ids first, then just the columns shown, by title."""
    shown = []
    for name, column in columns.items():
        value = pl.col(name)
        if column.kind == "bars":
            longest = rows.select(pl.col(name).list.len().max()).item() or 0
            shown += [
                value.list.get(n, null_on_oob=True).alias(f"{column.title} {n + 1}")
                for n in range(longest)
            ]
        elif column.kind in ("decimal", "share"):
            shown.append(value.round(6).alias(column.title))
        else:
            shown.append(value.alias(column.title))
    first = [pl.col(name).alias(title) for name, title in ids.items()]
    return rows.select(*first, *shown)
