"""A chart of a result: what is on each axis, what colours tell, and what is drawn, as chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

import altair as alt
import polars as pl

from ui.controls.charts import apply_chart_config, build_chart_spec
from ui.shell.theme import Tokens

ChartMark = Literal["bar", "line", "point", "area"]
CHART_MARKS: Final[tuple[ChartMark, ...]] = ("bar", "line", "point", "area")
# Stands for the number of rows on the upright axis, and for one colour.
ROW_COUNT: Final = "*"
ONE_COLOUR: Final = "*"
MAX_COLOURS: Final = 8
MAX_ORDINAL_VALUES: Final = 40
# So many names stand level below the axis.
MAX_LEVEL_LABELS: Final = 8
CHART_HEIGHT_PX: Final = 380


@dataclass(frozen=True)
class ChartChoice:
    """What a chart shows: columns of the result, by name, or the marks above."""

    x: str
    y: str
    colour: str
    mark: ChartMark


def list_number_columns(rows: pl.DataFrame) -> list[str]:
    """The columns that can be added up."""
    return [name for name, dtype in rows.schema.items() if dtype.is_numeric()]


def list_colour_columns(rows: pl.DataFrame) -> list[str]:
    """The columns of so few values that colours tell them apart."""
    return [
        name
        for name, dtype in rows.schema.items()
        if not dtype.is_nested() and 1 < rows[name].n_unique() <= MAX_COLOURS
    ]


def suggest_chart(rows: pl.DataFrame) -> ChartChoice:
    """The first column that is no number across, the last number upright."""
    numbers = list_number_columns(rows)
    others = [n for n in rows.columns if n not in numbers] or rows.columns
    days = [name for name in others if rows.schema[name].is_temporal()]
    x = (days or others)[0]
    upright = [name for name in numbers if name != x]
    return ChartChoice(
        x, upright[-1] if upright else ROW_COUNT, ONE_COLOUR, "line" if days else "bar"
    )


def build_result_chart(
    rows: pl.DataFrame, choice: ChartChoice, titles: dict[str, str], theme: Tokens
) -> dict[str, Any]:
    """The chart as Vega-Lite. Sums stand for several rows of one place, but as points."""
    coloured = choice.colour != ONE_COLOUR
    table = pl.DataFrame(
        {
            "x": rows[choice.x],
            "y": pl.Series([1] * rows.height) if choice.y == ROW_COUNT else rows[choice.y],
            "colour": rows[choice.colour] if coloured else pl.Series([""] * rows.height),
        }
    )
    if choice.mark != "point":
        table = table.group_by("x", "colour", maintain_order=True).agg(pl.col("y").sum())
    kind = _pick_axis_kind(table["x"])
    few = kind in "NO" and table["x"].n_unique() <= MAX_LEVEL_LABELS
    axis = alt.Axis(titleColor=theme.muted, labelAngle=0 if few else alt.Undefined)
    order = None if kind == "N" else alt.Undefined
    x = alt.X(f"x:{kind}", title=titles[choice.x], sort=order, axis=axis)
    y_title = titles[choice.y]
    fields = [alt.Tooltip(f"x:{kind}", title=titles[choice.x]), alt.Tooltip("y:Q", title=y_title)]
    chart = alt.Chart(table).encode(
        x=x, y=alt.Y("y:Q", title=y_title, axis=alt.Axis(titleColor=theme.muted))
    )
    if coloured:
        legend = alt.Legend(title=titles[choice.colour], orient="top", labelColor=theme.muted)
        scale = alt.Scale(range=list(_list_series_colours(theme)))
        chart = chart.encode(color=alt.Color("colour:N", legend=legend, scale=scale))
        fields.append(alt.Tooltip("colour:N", title=titles[choice.colour]))
    marked = _add_chart_mark(chart.encode(tooltip=fields), choice, theme)
    sized = marked.properties(width="container", height=CHART_HEIGHT_PX)
    return build_chart_spec(apply_chart_config(sized, theme))


def _pick_axis_kind(values: pl.Series) -> str:
    if values.dtype.is_temporal():
        return "T"
    if values.dtype.is_numeric():
        return "O" if values.n_unique() <= MAX_ORDINAL_VALUES else "Q"
    return "N"


def _add_chart_mark(chart: Any, choice: ChartChoice, theme: Tokens) -> Any:
    look: dict[str, Any] = {"color": theme.slate_dark} if choice.colour == ONE_COLOUR else {}
    if choice.mark == "line":
        return chart.mark_line(point=alt.OverlayMarkDef(size=30, **look), **look)
    if choice.mark == "point":
        return chart.mark_point(filled=True, opacity=0.7, size=40, **look)
    if choice.mark == "area":
        return chart.mark_area(opacity=0.8, **look)
    return chart.mark_bar(**look)


def _list_series_colours(theme: Tokens) -> tuple[str, ...]:
    """Colours that tell up to `MAX_COLOURS` groups apart; none means a level or a talent."""
    return (
        theme.slate_dark,
        theme.link,
        theme.warning,
        theme.ladder[4],
        theme.slate,
        theme.ladder[6],
        theme.ladder[2],
        theme.ladder[7],
    )
