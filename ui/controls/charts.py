"""The exhibits drawn with Altair: the two ledgers by quarter, and the provinces as tiles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import altair as alt
import polars as pl

from graph.driven.drill_down import format_quarter
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from ui.shell.theme import TEXT_FONT, TOKENS_BY_MODE, ColourMode, Tokens
from ui.words.i18n import translate
from ui.words.numbers import (
    format_count,
    format_large,
    format_person_times,
    format_persons,
    format_share,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

from graph.programme.ledgers import Ledger

# What Altair gives for layers.
LayeredChart: TypeAlias = alt.LayerChart | alt.FacetChart
ConfiguredChart = TypeVar("ConfiguredChart", bound=LayeredChart | alt.Chart)

# Checking every part of a chart as it is made takes longer than all else a page does.
alt.utils.schemapi.disable_debug_mode()
# Sizes and type are the app's own (`apply_chart_config`).
alt.theme.enable("none")

# One tile a province: column, row, and the two letters of ISO 3166-2:CN for English.
PROVINCE_TILES: Mapping[str, tuple[int, int, str]] = {
    "23": (7, 0, "HL"),
    "65": (0, 1, "XJ"),
    "15": (4, 1, "NM"),
    "11": (5, 1, "BJ"),
    "22": (7, 1, "JL"),
    "63": (1, 2, "QH"),
    "62": (2, 2, "GS"),
    "64": (3, 2, "NX"),
    "14": (4, 2, "SX"),
    "13": (5, 2, "HE"),
    "12": (6, 2, "TJ"),
    "21": (7, 2, "LN"),
    "54": (0, 3, "XZ"),
    "61": (3, 3, "SN"),
    "41": (4, 3, "HA"),
    "37": (5, 3, "SD"),
    "51": (1, 4, "SC"),
    "50": (2, 4, "CQ"),
    "42": (3, 4, "HB"),
    "34": (4, 4, "AH"),
    "32": (5, 4, "JS"),
    "31": (6, 4, "SH"),
    "53": (1, 5, "YN"),
    "52": (2, 5, "GZ"),
    "43": (3, 5, "HN"),
    "36": (4, 5, "JX"),
    "33": (5, 5, "ZJ"),
    "45": (2, 6, "GX"),
    "44": (3, 6, "GD"),
    "35": (4, 6, "FJ"),
    "71": (6, 6, "TW"),
    "46": (2, 7, "HI"),
    "82": (3, 7, "MO"),
    "81": (4, 7, "HK"),
}
# No target is set for these; their tiles are dashed.
PROVINCES_WITHOUT_TARGET = frozenset({"71", "81", "82"})
TILE_WIDTH_PX, TILE_HEIGHT_PX, TILE_GAP_PX = 46, 43, 3
# The map has eight tiles each way.
TILE_MAP_SIZE_PX = {
    "x": 8 * (TILE_WIDTH_PX + TILE_GAP_PX) - TILE_GAP_PX,
    "y": 8 * (TILE_HEIGHT_PX + TILE_GAP_PX) - TILE_GAP_PX,
}
# Five steps of slate for the share of a target that is reached, and the text that stands on each;
# the break in lightness between the third and the fourth is the straight path. Neighbours differ
# by 8 or more in lightness (CIE L*), the two at the break by 18 or more.
TILE_FILL_RAMP: Mapping[ColourMode, tuple[str, ...]] = {
    "light": ("#ECEBE6", "#CDD4D8", "#A9B6BE", "#5A6B79", "#2B3D4E"),
    "dark": ("#232D36", "#384652", "#4F5F6E", "#93A2AE", "#DBE3EA"),
}
TILE_TEXT_RAMP: Mapping[ColourMode, tuple[str, ...]] = {
    "light": ("#1B2530", "#1B2530", "#1B2530", "#FFFFFF", "#FFFFFF"),
    "dark": ("#E8EAED", "#E8EAED", "#E8EAED", "#12181F", "#12181F"),
}


def apply_chart_config(chart: ConfiguredChart, theme: Tokens) -> ConfiguredChart:
    """The chart with the app's type and colours and no frame.

    It is read out by its `alt` text; its marks, some of them empty, have no names of their own.
    """
    # Set at once: each `configure_...` would copy the entire chart.
    chart.config = alt.Config(
        background="transparent",
        font=TEXT_FONT,
        view=alt.ViewConfig(stroke=None),
        # Without this Streamlit shows every field of a datum; a tooltip is what a chart says of it.
        mark=alt.MarkConfig(aria=False, tooltip=None),
        axis=alt.AxisConfig(
            labelColor=theme.muted,
            labelFontSize=13,
            tickColor=theme.slate_dark,
            title=None,
            domainColor=theme.slate_dark,
            gridColor=theme.hairline,
            gridOpacity=0.7,
            labelPadding=6,
        ),
        text=alt.MarkConfig(color=theme.muted, fontSize=13, font=TEXT_FONT),
    )
    return chart


def build_chart_spec(chart: Any) -> dict[str, Any]:
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


def build_ledger_chart(
    ledger: Ledger,
    mode: ColourMode,
    language: Language,
    height: int = 264,
    fan: pl.DataFrame | None = None,
) -> Any:
    """Both counts by quarter with the straight path to the target; an Altair chart.

    `fan`: the forecast of the person-times: day, low_80, high_80, low_95, high_95, from the data
    date on. A click selects `quarter`, as 2025Q3.
    """
    theme = TOKENS_BY_MODE[mode]
    rows = _build_ledger_rows(ledger, language)
    highest = [] if fan is None else fan["high_95"].to_list()
    top = max([ledger.target or 0, *rows["person_times"].to_list(), *highest, 1])
    x = alt.X(
        "day:T",
        scale=alt.Scale(
            domain=[format_axis_day(ledger.start), format_axis_day(ledger.end)], nice=False
        ),
        axis=alt.Axis(format="%Y", tickCount="year", grid=False, labelOpacity=0, tickSize=5),
    )
    scale = alt.Scale(domain=[0, top * 1.11], nice=False)
    y_axis = alt.Axis(
        domain=False,
        ticks=False,
        tickCount=3,
        labelExpr=build_large_label_expr(language),
        labelPadding=4,
    )
    base = alt.Chart(rows)
    y: Any
    layers: list[Any] = [
        _build_year_labels(ledger, x, alt.Y("zero:Q", scale=scale, axis=y_axis), theme)
    ]
    if ledger.target is not None:
        y = alt.Y("path:Q", scale=scale, axis=y_axis)
        layers += _build_path_layers(ledger, rows, x, y, theme, language)
    if fan is not None:
        layers += build_fan_layers(fan, x, scale, y_axis, theme)
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
    layers.append(_build_quarter_pointer(base, x, language))
    return apply_chart_config(
        alt.layer(*layers).properties(height=height, width="container"), theme
    )


def build_fan_layers(fan: pl.DataFrame, x: Any, scale: Any, axis: Any, theme: Tokens) -> list[Any]:
    """The intervals of a forecast as bands, the wider one paler."""
    base = alt.Chart(fan)
    return [
        base.mark_area(color=theme.slate, opacity=shade).encode(
            x=x,
            y=alt.Y(f"low_{name}:Q", scale=scale, axis=axis),
            y2=alt.Y2(f"high_{name}:Q"),
        )
        for name, shade in (("95", 0.18), ("80", 0.34))
    ]


def _build_year_labels(ledger: Ledger, x: Any, y: Any, theme: Tokens) -> Any:
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


def format_axis_day(day: date) -> dict[str, int]:
    """The day as Vega-Lite takes it in a domain, whatever the browser's time zone."""
    return {"year": day.year, "month": day.month, "date": day.day}


def build_large_label_expr(language: Language) -> str:
    """A Vega expression for the axis: 2000000 -> "200 万" or "2M"."""
    if language == "zh":
        return (
            "datum.value >= 1e5 ? format(datum.value / 1e4, ',') + ' 万' : format(datum.value, ',')"
        )
    return "datum.value >= 1e6 ? format(datum.value / 1e6, ',') + 'M' : format(datum.value, ',')"


def _build_ledger_rows(ledger: Ledger, language: Language) -> pl.DataFrame:
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
        pl.Series("quarter", [_format_quarter(day) for day in rows["day"]]),
        pl.Series("code", [format_quarter(day) for day in rows["day"]]),
        pl.Series("persons_text", [format_count(n) for n in rows["persons"]]),
        pl.Series("times_text", [format_count(n) for n in rows["person_times"]]),
        pl.Series("path_text", [format_count(None if p is None else round(p)) for p in paths]),
    )


def _format_quarter(day: date) -> str:
    return f"{day.year} Q{(day.month + 2) // 3}"


def _build_path_layers(
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
                f"{translate(language, 'Target')} {format_large(target or 0, language)}",
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


def _build_quarter_pointer(base: Any, x: Any, language: Language) -> Any:
    """The last layer of the ledger's chart: it takes clicks and says a quarter's figures."""
    chosen = alt.selection_point(name="quarter", fields=["code"], empty=False)
    return (
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


def build_tile_map(
    provinces: pl.DataFrame, on_path: float, mode: ColourMode, language: Language
) -> tuple[Any, bool]:
    """The provinces as tiles of a grid, and whether their shades mean shares of a target.

    `provinces`: province (code), persons, person_times, target (or null). `on_path` is the share
    of a target that the straight path has reached. A click selects `province`.
    """
    theme = TOKENS_BY_MODE[mode]
    rows = _build_tile_rows(provinces, on_path, mode, language)
    shaded = bool(rows.filter(pl.col("share").is_not_null()).height)
    chosen = alt.selection_point(name="province", fields=["province"], empty=False)
    hover = alt.selection_point(
        name="hover",
        fields=["province"],
        on="pointerover",
        clear="pointerout",
        empty=False,
    )
    base = _place_tiles(rows)
    box = {
        "x": _build_tile_axis(alt.X, "x0"),
        "x2": alt.X2("x1:Q"),
        "y": _build_tile_axis(alt.Y, "y0"),
        "y2": alt.Y2("y1:Q"),
    }
    tiles = base.mark_rect(cornerRadius=2).encode(**box, color=alt.Color("fill:N", scale=None))
    dashed = (
        base.transform_filter("datum.dashed")
        .mark_rect(fillOpacity=0, stroke=theme.slate, strokeWidth=1, strokeDash=[2, 2])
        .encode(**box)
    )
    pointed = (
        base.transform_filter(hover)
        .mark_rect(fillOpacity=0, stroke=theme.link, strokeWidth=2, cornerRadius=2)
        .encode(**box)
    )
    names, values = (_build_tile_text(base, *of) for of in (("name", "yn"), ("value", "yv")))
    # The last layer takes the pointer: it says in words what the tile stands for.
    touched = (
        base.mark_rect(fillOpacity=0, cursor="pointer")
        .encode(**box, tooltip=_build_tile_tooltips(language))
        .add_params(chosen, hover)
    )
    chart = alt.layer(tiles, dashed, pointed, names, values, touched)
    sized = chart.properties(width="container", height=TILE_MAP_SIZE_PX["y"])
    return apply_chart_config(sized, theme), shaded


def _place_tiles(rows: pl.DataFrame) -> Any:
    """The chart of these rows with the corners of each tile, and where its two texts stand."""
    step_x, step_y = TILE_WIDTH_PX + TILE_GAP_PX, TILE_HEIGHT_PX + TILE_GAP_PX
    return alt.Chart(rows).transform_calculate(
        x0=f"datum.column * {step_x}",
        x1=f"datum.column * {step_x} + {TILE_WIDTH_PX}",
        y0=f"datum.line * {step_y}",
        y1=f"datum.line * {step_y} + {TILE_HEIGHT_PX}",
        xm=f"datum.column * {step_x} + {TILE_WIDTH_PX / 2}",
        yn=f"datum.line * {step_y} + 15",
        yv=f"datum.line * {step_y} + 31",
    )


def _build_tile_axis(kind: Any, field: str) -> Any:
    """A channel of the map; its y goes downwards."""
    axis = field[0]
    domain = [0, TILE_MAP_SIZE_PX[axis]] if axis == "x" else [TILE_MAP_SIZE_PX[axis], 0]
    return kind(f"{field}:Q", scale=alt.Scale(domain=domain, nice=False), axis=None)


def _build_tile_text(base: Any, field: str, y: str) -> Any:
    return base.mark_text(fontSize=13).encode(
        x=_build_tile_axis(alt.X, "xm"),
        y=_build_tile_axis(alt.Y, y),
        text=alt.Text(f"{field}:N"),
        color=alt.Color("text_colour:N", scale=None),
    )


def _build_tile_tooltips(language: Language) -> list[Any]:
    """What a tile says under the pointer, each line with its title."""
    words = {
        "read_name": translate(language, "Province"),
        "read_times": translate(language, "Person-times"),
        "read_persons": translate(language, "Persons"),
        "read_target": translate(language, "Target"),
        "read_share": translate(language, "Share of the target"),
        "read_gap": translate(language, "Against the straight path"),
    }
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in words.items()]


def _build_tile_rows(
    provinces: pl.DataFrame, on_path: float, mode: ColourMode, language: Language
) -> pl.DataFrame:
    figures = {row["province"]: row for row in provinces.iter_rows(named=True)}
    steps = compute_tile_steps(provinces, on_path)
    rows = []
    for code, (column, line, letters) in PROVINCE_TILES.items():
        row = figures.get(code, {"persons": 0, "person_times": 0, "target": None})
        target = None if code in PROVINCES_WITHOUT_TARGET else row["target"]
        done = row["person_times"] / target if target else None
        fill, text_colour = _pick_tile_colours(done, steps, mode)
        english, chinese = PROVINCES[code]
        rows.append(
            {
                "province": code,
                "column": column,
                "line": line,
                "name": chinese if language == "zh" else letters,
                "value": format_count(row["person_times"]) if done is None else f"{100 * done:.1f}",
                "share": done,
                "fill": fill,
                "text_colour": text_colour,
                "dashed": code in PROVINCES_WITHOUT_TARGET,
                "read_name": chinese if language == "zh" else english,
            }
            | _format_tile_figures(row, target, on_path, language)
        )
    return pl.DataFrame(rows, schema_overrides={"share": pl.Float64}, infer_schema_length=None)


def _format_tile_figures(
    row: Mapping[str, Any], target: int | None, on_path: float, language: Language
) -> dict[str, str]:
    """The figures of a province as its tooltip says them."""
    times, none = row["person_times"], translate(language, "no target is set")
    gap = None if not target else times - round(on_path * target)
    return {
        "read_times": format_person_times(times, language, exact=True),
        "read_persons": format_persons(row["persons"], language, exact=True),
        "read_target": format_person_times(target, language, exact=True) if target else none,
        "read_share": format_share(times, target) if target else "\N{EM DASH}",
        "read_gap": "\N{EM DASH}"
        if gap is None
        else format_person_times(gap, language, exact=True, sign=True),
    }


@dataclass(frozen=True)
class TileSteps:
    """The steps of the tiles: `limits` between them, rising; each step's place in the ramp.

    `below` of the steps lie below the straight path.
    """

    limits: tuple[float, ...]
    fills: tuple[int, ...]
    below: int


# Of so many steps, which of the ramp they are.
FILLS_BELOW_PATH: Mapping[int, tuple[int, ...]] = {0: (), 1: (1,), 2: (0, 2), 3: (0, 1, 2)}


def compute_tile_steps(provinces: pl.DataFrame, on_path: float) -> TileSteps:
    """The steps for the shares that provinces have reached of their targets.

    Below the straight path the provinces are parted into three equal groups (fewer where they are
    too alike); from it on, by whether the target is reached.
    """
    with_target = provinces.filter(
        (pl.col("target").fill_null(0) > 0)
        & ~pl.col("province").is_in(list(PROVINCES_WITHOUT_TARGET))
    )
    shares = with_target.select(s=pl.col("person_times") / pl.col("target"))["s"]
    path = min(on_path, 1.0)
    low = shares.filter(shares < path).sort()
    # At a tenth of a percent, as the tiles say it.
    parts = [round(float(low[len(low) * n // 3]), 3) for n in (1, 2)] if len(low) else []
    inner = sorted({limit for limit in parts if round(float(low[0]), 3) < limit < path})
    below = len(inner) + 1 if len(low) else 0
    above = (3, 4) if path < 1 else (4,)
    limits = [*inner, *([path] if below else []), *([1.0] if path < 1 else [])]
    return TileSteps(tuple(limits), (*FILLS_BELOW_PATH[below], *above), below)


def _pick_tile_colours(done: float | None, steps: TileSteps, mode: ColourMode) -> tuple[str, str]:
    """Fill and text of a tile."""
    if done is None:
        return TOKENS_BY_MODE[mode].paper, TOKENS_BY_MODE[mode].muted
    inner = steps.limits[: max(steps.below - 1, 0)]
    step = sum(round(done, 3) >= limit for limit in inner)
    step += sum(done >= limit for limit in steps.limits[len(inner) :])
    fill = steps.fills[step]
    return TILE_FILL_RAMP[mode][fill], TILE_TEXT_RAMP[mode][fill]


def render_tile_legend(steps: TileSteps, mode: ColourMode) -> str:
    """The steps of the tiles as HTML, the straight path marked between two of them."""
    limits = [f"{100 * limit:.1f}".removesuffix(".0") for limit in steps.limits]
    names = [f"&lt;{limits[0]}"] if limits else [""]
    names += [f"{a}\N{EN DASH}{b}" for a, b in pairwise(limits)]
    names += [f"\N{GREATER-THAN OR EQUAL TO}{limits[-1]}"] if limits else []
    parts = [
        f'<span><i style="background:{TILE_FILL_RAMP[mode][fill]}"></i>{name}</span>'
        for fill, name in zip(steps.fills, names, strict=True)
    ]
    if steps.below:
        parts.insert(steps.below, '<span class="mark"></span>')
    return f'<div class="sc-ramp">{"".join(parts)}</div>'
