"""The fan of a forecast: what was known by quarter, then the median with its intervals."""

from __future__ import annotations

from datetime import date
from typing import Any

import altair as alt
import polars as pl

from graph.messages import Language
from ui.controls.charts import (
    apply_chart_config,
    build_fan_layers,
    build_large_label_expr,
    format_axis_day,
)
from ui.shell.theme import TOKENS_BY_MODE, ColourMode, Tokens
from ui.words.i18n import translate
from ui.words.numbers import format_count, format_large

FAN_HEIGHT_PX = 300


def build_fan_chart(
    past: pl.DataFrame,
    figures: pl.DataFrame,
    start: date,
    mode: ColourMode,
    language: Language,
) -> Any:
    """An Altair chart of one value and ledger.

    `past`: day, count; `figures`: day, counted, median, low_80, high_80, low_95, high_95, target
    (see `graph.forecast.landing.LandingForecast`). `start` is the window's first day.
    """
    theme = TOKENS_BY_MODE[mode]
    known = past.filter(pl.col("day") >= start).sort("day").select("day", "count")
    last = known.tail(1)
    fan = build_fan_rows(last, figures.sort("day"))
    target = figures["target"][0] if figures.height else None
    top = max([target or 0, *fan["high_95"].to_list(), *known["count"].to_list(), 1])
    x = alt.X(
        "day:T",
        scale=alt.Scale(
            domain=[format_axis_day(start), format_axis_day(max(fan["day"].to_list()))], nice=False
        ),
        axis=alt.Axis(format="%Y", tickCount="year", grid=False, tickSize=5),
    )
    axis = alt.Axis(
        domain=False,
        ticks=False,
        tickCount=3,
        labelExpr=build_large_label_expr(language),
        labelPadding=4,
    )
    scale = alt.Scale(domain=[0, top * 1.11], nice=False)

    def y(column: str) -> Any:
        return alt.Y(f"{column}:Q", scale=scale, axis=axis)

    base = alt.Chart(fan)
    layers = [
        *build_fan_layers(fan, x, scale, axis, theme),
        base.mark_line(color=theme.ink, strokeWidth=2, strokeDash=[4, 3]).encode(
            x=x, y=y("median")
        ),
        alt.Chart(known).mark_line(color=theme.ink, strokeWidth=2.4).encode(x=x, y=y("count")),
    ]
    if target is not None:
        layers += _build_target_layers(target, start, x, y, theme, language)
    layers.append(_build_fan_pointer(base, x, language))
    return apply_chart_config(
        alt.layer(*layers).properties(height=FAN_HEIGHT_PX, width="container"), theme
    )


def build_fan_rows(last: pl.DataFrame, figures: pl.DataFrame) -> pl.DataFrame:
    """The fan from the data date on, where all its lines begin at what is counted."""
    quantiles = ["median", "low_80", "high_80", "low_95", "high_95"]
    ahead = figures.select("day", *quantiles)
    origin = last.select("day", **dict.fromkeys(quantiles, pl.col("count")))
    rows = pl.concat([origin, ahead], how="vertical_relaxed")
    return rows.with_columns(
        pl.Series("day_text", [day.isoformat() for day in rows["day"]]),
        pl.Series("median_text", [format_count(n) for n in rows["median"]]),
        *(
            pl.Series(
                f"text_{name}",
                [
                    f"{format_count(low)} \N{EN DASH} {format_count(high)}"
                    for low, high in rows.select(f"low_{name}", f"high_{name}").rows()
                ],
            )
            for name in ("80", "95")
        ),
    )


def _build_target_layers(
    target: int, start: date, x: Any, y: Any, theme: Tokens, language: Language
) -> list[Any]:
    named = f"{translate(language, 'Target')} {format_large(target, language)}"
    rows = alt.Chart(pl.DataFrame({"day": [start], "target": [target], "text": [named]}))
    line = rows.mark_rule(color=theme.slate_dark, strokeWidth=1.4).encode(y=y("target"))
    name = rows.mark_text(align="left", dx=4, dy=-9, color=theme.ink).encode(
        x=x, y=y("target"), text=alt.Text("text:N")
    )
    return [line, name]


def _build_fan_pointer(base: Any, x: Any, language: Language) -> Any:
    titles = {
        "day_text": translate(language, "Day"),
        "median_text": translate(language, "Median"),
        "text_80": translate(language, "80 % interval"),
        "text_95": translate(language, "95 % interval"),
    }
    return base.mark_rule(opacity=0, strokeWidth=18).encode(
        x=x, tooltip=[alt.Tooltip(f"{field}:N", title=title) for field, title in titles.items()]
    )
