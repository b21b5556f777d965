"""The exhibits drawn with Altair: the two ledgers by quarter, and the provinces as tiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from components.i18n import Language, translate
from components.numbers import count, large, person_times, persons, share
from components.theme import FONT, MODES, Mode, Tokens
from graph.behind import quarter_of
from graph.model import PROVINCES

if TYPE_CHECKING:
    from collections.abc import Mapping

# Checking every part of a chart as it is made takes longer than all else a page does.
alt.utils.schemapi.disable_debug_mode()
# Sizes and type are the app's own (`configured`).
alt.theme.enable("none")

# One tile a province: column, row, and the two letters of ISO 3166-2:CN for English.
TILES: Mapping[str, tuple[int, int, str]] = {
    "23": (7, 0, "HL"),
    "65": (0, 1, "XJ"), "15": (4, 1, "NM"), "11": (5, 1, "BJ"), "22": (7, 1, "JL"),
    "63": (1, 2, "QH"), "62": (2, 2, "GS"), "64": (3, 2, "NX"), "14": (4, 2, "SX"),
    "13": (5, 2, "HE"), "12": (6, 2, "TJ"), "21": (7, 2, "LN"),
    "54": (0, 3, "XZ"), "61": (3, 3, "SN"), "41": (4, 3, "HA"), "37": (5, 3, "SD"),
    "51": (1, 4, "SC"), "50": (2, 4, "CQ"), "42": (3, 4, "HB"), "34": (4, 4, "AH"),
    "32": (5, 4, "JS"), "31": (6, 4, "SH"),
    "53": (1, 5, "YN"), "52": (2, 5, "GZ"), "43": (3, 5, "HN"), "36": (4, 5, "JX"),
    "33": (5, 5, "ZJ"),
    "45": (2, 6, "GX"), "44": (3, 6, "GD"), "35": (4, 6, "FJ"), "71": (6, 6, "TW"),
    "46": (2, 7, "HI"), "82": (3, 7, "MO"), "81": (4, 7, "HK"),
}  # fmt: skip
# No target is set for these; their tiles are dashed.
WITHOUT_TARGET = frozenset({"71", "81", "82"})
TILE_WIDTH, TILE_HEIGHT, TILE_GAP = 46, 43, 3
# Five steps of slate for the share of a target that is reached, and the text that stands on each;
# the break in lightness between the third and the fourth is the straight path.
RAMP: Mapping[Mode, tuple[str, ...]] = {
    "light": ("#ECEBE6", "#D3D8DA", "#B2BDC4", "#5A6B79", "#2B3D4E"),
    "dark": ("#1D252D", "#2A343E", "#3A4651", "#8796A3", "#C4CED6"),
}
RAMP_TEXT: Mapping[Mode, tuple[str, ...]] = {
    "light": ("#1B2530", "#1B2530", "#1B2530", "#FFFFFF", "#FFFFFF"),
    "dark": ("#E8EAED", "#E8EAED", "#E8EAED", "#12181F", "#12181F"),
}


@dataclass(frozen=True)
class Ledger:
    """One target and the way to it.

    `quarters` has a row a quarter: `day` (its last day, or the last day with data), `persons`,
    `person_times`, both cumulative from the window's start. `target` is None when none is set.
    """

    quarters: pl.DataFrame
    target: int | None
    start: date
    end: date

    def path(self, day: date) -> float | None:
        """Where the straight path to the target stands on `day`."""
        if self.target is None:
            return None
        whole = (self.end - self.start).days + 1
        gone = min(max((day - self.start).days + 1, 0), whole)
        return self.target * gone / whole


def configured(chart: Any, theme: Tokens) -> Any:
    """The chart with the app's type and colours and no frame.

    It is read out by its `alt` text; its marks, some of them empty, have no names of their own.
    """
    # Set at once: each `configure_...` would copy the whole chart.
    chart.config = alt.Config(
        background="transparent", font=FONT, view=alt.ViewConfig(stroke=None),
        mark=alt.MarkConfig(aria=False),
        axis=alt.AxisConfig(
            labelColor=theme.muted, labelFontSize=13, tickColor=theme.slate_dark, title=None,
            domainColor=theme.slate_dark, gridColor=theme.hairline, gridOpacity=0.7,
            labelPadding=6,
        ),
        text=alt.MarkConfig(color=theme.muted, fontSize=13, font=FONT),
    )  # fmt: skip
    return chart


def specification(chart: Any) -> dict[str, Any]:
    """The chart as `st.vega_lite_chart` takes it: its Vega-Lite, with its tables beside it.

    To write this is most of what a chart costs, so pages keep it by what the chart depends on. It
    is not checked: the tests do that of every chart. The chart given is used up.
    """
    tables: dict[str, pl.DataFrame] = {}
    _name_tables(chart, tables)
    written: dict[str, Any] = chart.to_dict(validate=False)
    return written | {"datasets": tables}


def _name_tables(chart: Any, tables: dict[str, pl.DataFrame]) -> None:
    """Puts the chart's tables under names, and the names in their place, in every layer."""
    if isinstance(chart.data, pl.DataFrame):
        name = next((n for n, table in tables.items() if table is chart.data), None)
        name = name or f"table{len(tables)}"
        tables[name] = chart.data
        chart.data = alt.NamedData(name)
    for part in getattr(chart, "layer", None) or ():
        _name_tables(part, tables)


def ledger_chart(ledger: Ledger, mode: Mode, language: Language, height: int = 264) -> Any:
    """Both counts by quarter with the straight path to the target; an Altair chart.

    A click selects `quarter`, as 2025Q3.
    """
    theme = MODES[mode]
    rows = _ledger_rows(ledger, language)
    top = max([ledger.target or 0, *rows["person_times"].to_list(), 1])
    x = alt.X(
        "day:T",
        scale=alt.Scale(domain=[axis_day(ledger.start), axis_day(ledger.end)], nice=False),
        axis=alt.Axis(format="%Y", tickCount="year", grid=False, labelOpacity=0, tickSize=5),
    )
    scale = alt.Scale(domain=[0, top * 1.11], nice=False)
    y_axis = alt.Axis(
        domain=False,
        ticks=False,
        tickCount=3,
        labelExpr=_large_labels(language),
        labelPadding=4,
    )
    base = alt.Chart(rows)
    y: Any
    layers: list[Any] = [_years(ledger, x, alt.Y("zero:Q", scale=scale, axis=y_axis), theme)]
    if ledger.target is not None:
        y = alt.Y("path:Q", scale=scale, axis=y_axis)
        layers += _path_layers(ledger, rows, x, y, theme, language)
    for column, colour, width in (
        ("persons", theme.slate, 2.0),
        ("person_times", theme.ink, 2.4),
    ):
        y = alt.Y(f"{column}:Q", scale=scale, axis=y_axis)
        layers.append(base.mark_line(color=colour, strokeWidth=width).encode(x=x, y=y))
        layers.append(
            base.transform_filter("datum.last")
            .mark_point(color=colour, filled=True, size=70, opacity=1)
            .encode(x=x, y=y)
        )
    chosen = alt.selection_point(name="quarter", fields=["code"], empty=False)
    hover = (
        base.mark_rule(opacity=0, strokeWidth=24, cursor="pointer")
        .add_params(chosen)
        .encode(
            x=x,
            tooltip=[
                alt.Tooltip("quarter:N", title=translate(language, "Quarter")),
                alt.Tooltip("times_text:N", title=translate(language, "Person-times")),
                alt.Tooltip("persons_text:N", title=translate(language, "Persons")),
                alt.Tooltip("path_text:N", title=translate(language, "Straight path")),
            ],
        )
    )
    layers.append(hover)
    return configured(alt.layer(*layers).properties(height=height, width="container"), theme)


def _years(ledger: Ledger, x: Any, y: Any, theme: Tokens) -> Any:
    """Each year's number, under the middle of the year."""
    years = range(ledger.start.year, ledger.end.year + 1)
    middles = [
        max(date(y, 1, 1), ledger.start)
        + (min(date(y, 12, 31), ledger.end) - max(date(y, 1, 1), ledger.start)) / 2
        for y in years
    ]
    rows = pl.DataFrame({"day": middles, "year": [str(y) for y in years], "zero": [0] * len(years)})
    return (
        alt.Chart(rows)
        .mark_text(color=theme.muted, baseline="top", dy=10)
        .encode(x=x, y=y, text=alt.Text("year:N"))
    )


def axis_day(day: date) -> dict[str, int]:
    """The day as Vega-Lite takes it in a domain, whatever the browser's time zone."""
    return {"year": day.year, "month": day.month, "date": day.day}


def _large_labels(language: Language) -> str:
    """A Vega expression for the axis: 2000000 -> "200 万" or "2M"."""
    if language == "zh":
        return (
            "datum.value >= 1e5 ? format(datum.value / 1e4, ',') + ' 万' : format(datum.value, ',')"
        )
    return "datum.value >= 1e6 ? format(datum.value / 1e6, ',') + 'M' : format(datum.value, ',')"


def _ledger_rows(ledger: Ledger, language: Language) -> pl.DataFrame:
    quarters = ledger.quarters
    last = quarters["day"].max()
    origin = pl.DataFrame(
        {"day": [ledger.start], "persons": [0], "person_times": [0]},
        schema={name: quarters.schema[name] for name in ("day", "persons", "person_times")},
    )
    rows = pl.concat([origin, quarters.select("day", "persons", "person_times")])
    paths = [ledger.path(day) if day != ledger.start else 0.0 for day in rows["day"]]
    return rows.with_columns(
        pl.Series("path", paths, dtype=pl.Float64),
        (pl.col("day") == last).alias("last"),
        pl.Series("quarter", [_quarter(day) for day in rows["day"]]),
        pl.Series("code", [quarter_of(day) for day in rows["day"]]),
        pl.Series("persons_text", [count(n) for n in rows["persons"]]),
        pl.Series("times_text", [count(n) for n in rows["person_times"]]),
        pl.Series("path_text", [count(None if p is None else round(p)) for p in paths]),
    )


def _quarter(day: date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def _path_layers(
    ledger: Ledger,
    rows: pl.DataFrame,
    x: Any,
    y: Any,
    theme: Tokens,
    language: Language,
) -> list[Any]:
    """The gap to the path (shaded), the straight path, the target as a line with its name."""
    target = ledger.target
    ends = pl.DataFrame({"day": [ledger.start, ledger.end], "path": [0, target]})
    middle = ledger.start + (ledger.end - ledger.start) * 0.36
    names = pl.DataFrame(
        {
            "day": [ledger.start, middle],
            "path": [float(target or 0), ledger.path(middle)],
            "text": [
                f"{translate(language, 'Target')} {large(target or 0, language)}",
                translate(language, "Straight path"),
            ],
        }
    )
    gap = (
        alt.Chart(rows)
        .mark_area(color=theme.soft, opacity=1)
        .encode(x=x, y=y, y2=alt.Y2("person_times:Q"))
    )
    path = alt.Chart(ends).mark_line(color=theme.slate_dark, strokeWidth=1).encode(x=x, y=y)
    line = alt.Chart(ends.tail(1)).mark_rule(color=theme.slate_dark, strokeWidth=1.4).encode(y=y)
    at = (
        alt.Chart(ends.tail(1))
        .mark_point(shape="square", filled=True, size=40, color=theme.ink, opacity=1)
        .encode(x=x, y=y)
    )
    target_name = (
        alt.Chart(names.head(1))
        .mark_text(align="left", dx=4, dy=-9, color=theme.ink)
        .encode(x=x, y=y, text=alt.Text("text:N"))
    )
    path_name = (
        alt.Chart(names.tail(1))
        .mark_text(align="right", dx=-8, dy=-8, color=theme.muted)
        .encode(x=x, y=y, text=alt.Text("text:N"))
    )
    return [gap, line, path, at, target_name, path_name]


def tile_map(
    provinces: pl.DataFrame, on_path: float, mode: Mode, language: Language
) -> tuple[Any, bool]:
    """The provinces as tiles of a grid, and whether their shades mean shares of a target.

    `provinces`: province (code), persons, person_times, target (or null). `on_path` is the share
    of a target that the straight path has reached. A click selects `province`.
    """
    theme = MODES[mode]
    rows = _tile_rows(provinces, on_path, mode, language)
    shaded = bool(rows.filter(pl.col("share").is_not_null()).height)
    width = 8 * (TILE_WIDTH + TILE_GAP) - TILE_GAP
    height = 8 * (TILE_HEIGHT + TILE_GAP) - TILE_GAP
    step_x, step_y = TILE_WIDTH + TILE_GAP, TILE_HEIGHT + TILE_GAP
    chosen = alt.selection_point(name="province", fields=["province"], empty=False)
    hover = alt.selection_point(
        name="hover",
        fields=["province"],
        on="pointerover",
        clear="pointerout",
        empty=False,
    )
    base = alt.Chart(rows).transform_calculate(
        x0=f"datum.column * {step_x}",
        x1=f"datum.column * {step_x} + {TILE_WIDTH}",
        y0=f"datum.line * {step_y}",
        y1=f"datum.line * {step_y} + {TILE_HEIGHT}",
        xm=f"datum.column * {step_x} + {TILE_WIDTH / 2}",
        yn=f"datum.line * {step_y} + 15",
        yv=f"datum.line * {step_y} + 31",
    )
    x_scale = alt.Scale(domain=[0, width], nice=False)
    y_scale = alt.Scale(domain=[height, 0], nice=False)

    def axis(kind: Any, field: str, scale: Any) -> Any:
        return kind(f"{field}:Q", scale=scale, axis=None)

    place = {
        "x": axis(alt.X, "x0", x_scale), "x2": alt.X2("x1:Q"), "y": axis(alt.Y, "y0", y_scale),
        "y2": alt.Y2("y1:Q"),
    }  # fmt: skip
    tiles = (
        base.mark_rect(cornerRadius=2)
        .encode(**place, color=alt.Color("fill:N", scale=None))
        .add_params(chosen, hover)
    )
    dashed = (
        base.transform_filter("datum.dashed")
        .mark_rect(fillOpacity=0, stroke=theme.slate, strokeWidth=1, strokeDash=[2, 2])
        .encode(**place)
    )
    pointed = (
        base.transform_filter(hover)
        .mark_rect(fillOpacity=0, stroke=theme.link, strokeWidth=2, cornerRadius=2)
        .encode(**place)
    )
    names = base.mark_text(fontSize=13).encode(
        x=axis(alt.X, "xm", x_scale), y=axis(alt.Y, "yn", y_scale), text=alt.Text("name:N"),
        color=alt.Color("text_colour:N", scale=None),
    )  # fmt: skip
    values = base.mark_text(fontSize=13).encode(
        x=axis(alt.X, "xm", x_scale), y=axis(alt.Y, "yv", y_scale), text=alt.Text("value:N"),
        color=alt.Color("text_colour:N", scale=None),
    )  # fmt: skip
    readout = [
        base.transform_filter(hover)
        .mark_text(align="left", fontSize=13, color=colour, fontWeight=weight)
        .encode(x=alt.value(step_x), y=alt.value(y), text=alt.Text(f"{field}:N"))
        for field, y, colour, weight in (
            ("read_name", 10, theme.ink, 700),
            ("read_figures", 28, theme.muted, 400),
        )
    ]
    chart = alt.layer(tiles, dashed, pointed, names, values, *readout)
    return configured(chart.properties(width="container", height=height), theme), shaded


def _tile_rows(
    provinces: pl.DataFrame, on_path: float, mode: Mode, language: Language
) -> pl.DataFrame:
    figures = {row["province"]: row for row in provinces.iter_rows(named=True)}
    rows = []
    for code, (column, line, letters) in TILES.items():
        row = figures.get(code, {"persons": 0, "person_times": 0, "target": None})
        target = None if code in WITHOUT_TARGET else row["target"]
        done = row["person_times"] / target if target else None
        fill, text_colour = _tile_colours(done, on_path, mode)
        english, chinese = PROVINCES[code]
        times = count(row["person_times"])
        unit_times = person_times(row["person_times"], language, whole=True)
        unit_persons = persons(row["persons"], language, whole=True)
        of_target = (
            ""
            if target is None
            else translate(
                language, "target {target}, {share}",
                target=count(target), share=share(row["person_times"], target),
            )
        )  # fmt: skip
        rows.append(
            {
                "province": code, "column": column, "line": line,
                "name": chinese if language == "zh" else letters,
                "value": times if done is None else f"{100 * done:.1f}",
                "share": done, "fill": fill, "text_colour": text_colour,
                "dashed": code in WITHOUT_TARGET,
                "read_name": f"{chinese if language == 'zh' else english}  {unit_times}",
                "read_figures": " · ".join(part for part in (unit_persons, of_target) if part),
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema_overrides={"share": pl.Float64}, infer_schema_length=None)


def tile_steps(on_path: float) -> tuple[float, float, float, float]:
    """The limits of the five steps of slate; the third is the straight path."""
    path = min(on_path, 1.0)
    return path * 0.82, path * 0.93, path, max(1.0, path)


def _tile_colours(done: float | None, on_path: float, mode: Mode) -> tuple[str, str]:
    """Fill and text of a tile."""
    if done is None:
        return MODES[mode].paper, MODES[mode].muted
    step = sum(done >= limit for limit in tile_steps(on_path))
    return RAMP[mode][step], RAMP_TEXT[mode][step]


def tile_legend(on_path: float, mode: Mode) -> str:
    """The steps of the tiles as HTML, the straight path marked between third and fourth."""
    limits = [f"{100 * limit:.0f}" for limit in tile_steps(on_path)]
    limits[2] = f"{100 * min(on_path, 1.0):.1f}"
    names = [
        f"&lt;{limits[0]}",
        f"{limits[0]}\N{EN DASH}{limits[1]}",
        f"{limits[1]}\N{EN DASH}{limits[2]}",
        f"{limits[2]}\N{EN DASH}{limits[3]}",
        f"≥{limits[3]}",
    ]
    steps = [
        f'<span><i style="background:{fill}"></i>{name}</span>'
        for fill, name in zip(RAMP[mode], names, strict=True)
    ]
    steps.insert(3, '<span class="mark"></span>')
    return f'<div class="sc-ramp">{"".join(steps)}</div>'
