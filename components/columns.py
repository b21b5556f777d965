"""A table's columns: how each is named, explained, set, and exported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import polars as pl
import streamlit as st

from components.layout import text_width
from components.theme import Tokens

Kind = Literal["text", "count", "decimal", "share", "bar", "bars", "level", "yes"]


@dataclass(frozen=True)
class Column:
    """One column: its title with the unit, what it means, and how it is set.

    `metric` names the metric that gives it, when it is not always there.
    """

    title: str
    help: str
    kind: Kind = "count"
    width: int = 100
    metric: str | None = None


def table(
    rows: pl.DataFrame,
    columns: Mapping[str, Column],
    tokens: Tokens,
    *,
    key: str,
    selected: Sequence[int],
    most: Mapping[str, float],
    height: int,
    choose: bool = True,
) -> Any:
    """Draws the rows; cells can be clicked and, with `choose`, rows ticked.

    Gives back the selection.
    `most` is the largest value of the columns of bars, so that bars compare over all pages.
    """
    config = {name: _config(column, tokens, most.get(name, 0)) for name, column in columns.items()}
    shown = rows.select(list(columns))
    event = st.dataframe(
        _coloured(shown, columns, tokens), key=key, hide_index=True, row_height=38, height=height,
        on_select="rerun", column_config=config,
        selection_mode=["multi-row", "single-cell"] if choose else "single-cell",
        selection_default={"selection": {"rows": list(selected)}} if selected else None,
    )  # fmt: skip
    return event.selection


def _coloured(rows: pl.DataFrame, columns: Mapping[str, Column], tokens: Tokens) -> Any:
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


def _config(column: Column, tokens: Tokens, most: float) -> Any:
    # A title says the unit: it is never cut off, in neither language.
    width = max(column.width, round(text_width(column.title, 12)) + 22)
    config, about = st.column_config, {"help": column.help, "width": width}
    top = max(1.0, float(most))
    if column.kind == "bar":
        return config.ProgressColumn(
            column.title, format="localized", min_value=0, max_value=top, color=tokens.slate,
            **about,
        )  # fmt: skip
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


def exported(rows: pl.DataFrame, columns: Mapping[str, Column], ids: Mapping[str, str]) -> Any:
    """The rows as they are taken away: the ids first, then just the columns shown, by title."""
    shown = []
    for name, column in columns.items():
        value = pl.col(name)
        if column.kind == "bars":
            longest = rows[name].list.len().max() or 0
            shown += [
                value.list.get(n, null_on_oob=True).alias(f"{column.title} {n + 1}")
                for n in range(int(longest))  # type: ignore[call-overload]
            ]
        elif column.kind in ("decimal", "share"):
            shown.append(value.round(6).alias(column.title))
        else:
            shown.append(value.alias(column.title))
    first = [pl.col(name).alias(title) for name, title in ids.items()]
    return rows.select(*first, *shown)
