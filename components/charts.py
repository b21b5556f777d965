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
from graph.model import LEVELS, PROVINCES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from graph.policy import Policy

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
    """The chart with the app's type and colours and no frame."""
    return (
        chart.configure(background="transparent", font=FONT)
        .configure_view(stroke=None)
        .configure_axis(
            labelColor=theme.muted, labelFontSize=13, tickColor=theme.slate_dark, title=None,
            domainColor=theme.slate_dark, gridColor=theme.hairline, gridOpacity=0.7, labelPadding=6,
        )
        .configure_text(color=theme.muted, fontSize=13, font=FONT)
    )  # fmt: skip


def ledger_chart(ledger: Ledger, mode: Mode, language: Language, height: int = 264) -> Any:
    """Both counts by quarter with the straight path to the target; an Altair chart."""
    theme = MODES[mode]
    rows = _ledger_rows(ledger, language)
    top = max([ledger.target or 0, *rows["person_times"].to_list(), 1])
    x = alt.X(
        "day:T",
        scale=alt.Scale(domain=[_utc(ledger.start), _utc(ledger.end)], nice=False),
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
    layers: list[Any] = [_years(ledger, x, scale, theme)]
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
    hover = base.mark_rule(opacity=0, strokeWidth=24).encode(
        x=x,
        tooltip=[
            alt.Tooltip("quarter:N", title=translate(language, "Quarter")),
            alt.Tooltip("times_text:N", title=translate(language, "Person-times")),
            alt.Tooltip("persons_text:N", title=translate(language, "Persons")),
            alt.Tooltip("path_text:N", title=translate(language, "Straight path")),
        ],
    )
    layers.append(hover)
    return configured(alt.layer(*layers).properties(height=height, width="container"), theme)


def _years(ledger: Ledger, x: Any, scale: Any, theme: Tokens) -> Any:
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
        .encode(x=x, y=alt.Y("zero:Q", scale=scale, axis=None), text="year:N")
    )


def _utc(day: date) -> dict[str, int]:
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
        .encode(x=x, y=y, text="text:N")
    )
    path_name = (
        alt.Chart(names.tail(1))
        .mark_text(align="right", dx=-8, dy=-8, color=theme.muted)
        .encode(x=x, y=y, text="text:N")
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

    tiles = (
        base.mark_rect(cornerRadius=2)
        .encode(
            x=axis(alt.X, "x0", x_scale), x2="x1:Q", y=axis(alt.Y, "y0", y_scale), y2="y1:Q",
            color=alt.Color("fill:N", scale=None),
            stroke=alt.condition(hover, alt.value(theme.link), alt.Stroke("edge:N", scale=None)),
            strokeWidth=alt.condition(hover, alt.value(2), alt.value(1)),
            strokeDash=alt.condition("datum.dashed", alt.value([2, 2]), alt.value([1, 0])),
        )
        .add_params(chosen, hover)
    )  # fmt: skip
    names = base.mark_text(fontSize=13).encode(
        x=axis(alt.X, "xm", x_scale), y=axis(alt.Y, "yn", y_scale), text="name:N",
        color=alt.Color("text_colour:N", scale=None),
    )  # fmt: skip
    values = base.mark_text(fontSize=13).encode(
        x=axis(alt.X, "xm", x_scale), y=axis(alt.Y, "yv", y_scale), text="value:N",
        color=alt.Color("text_colour:N", scale=None),
    )  # fmt: skip
    readout = [
        base.transform_filter(hover)
        .mark_text(align="left", fontSize=13, color=colour, fontWeight=weight)
        .encode(x=alt.value(step_x), y=alt.value(y), text=f"{field}:N")
        for field, y, colour, weight in (
            ("read_name", 10, theme.ink, 700),
            ("read_figures", 28, theme.muted, 400),
        )
    ]
    chart = alt.layer(tiles, names, values, *readout).properties(width=width, height=height)
    return configured(chart, theme), shaded


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
                "edge": MODES[mode].slate if code in WITHOUT_TARGET else fill,
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


@dataclass(frozen=True)
class Ladder:
    """A person's way up: what the ladder chart shows.

    - recognitions: day, level, what to say on hover
    - honours: day, name; named: days of being named a leading talent
    - mentors, studios: name, first day, last day (None = goes on)
    - until: the last day of the data
    """

    recognitions: list[tuple[date, int, str]]
    honours: list[tuple[date, str]]
    named: list[date]
    mentors: list[tuple[str, date, date | None]]
    studios: list[tuple[str, date, date | None]]
    until: date

    def steps(self) -> list[dict[str, Any]]:
        """Each rise of the best level with the day on which the next one came."""
        best, steps = 0, []
        for day, level, told in sorted(self.recognitions, key=lambda r: (r[0], r[1])):
            if level > best:
                if steps:
                    steps[-1]["end"] = day
                steps.append({"start": day, "end": self.until, "level": level, "told": told})
                best = level
        return [step for step in steps if step["start"] <= step["end"]]


def ladder(way: Ladder, policy: Policy, mode: Mode, language: Language) -> Any:
    """Eight steps of 26 px, honours above, mentors and studios below, on one axis of years."""
    theme = MODES[mode]
    steps = way.steps()
    below = [
        *(("mentorship", *period) for period in way.mentors[:3]),
        *(("studio", *period) for period in way.studios[:2]),
    ]
    begins = [step["start"] for step in steps] + [start for _, _, start, _ in below]
    first = date(min(begins).year, 1, 1)
    last = date(max(way.until, policy.window_end).year, 12, 31)
    row, top = 26, 24
    x = alt.X(
        "start:T",
        scale=alt.Scale(domain=[_utc(first), _utc(last)], nice=False),
        axis=alt.Axis(format="%Y", tickCount=10, grid=False, orient="bottom"),
    )
    height = top + 8 * row + 8 + 24 * len(below) + 6
    y_scale = alt.Scale(domain=[height, 0], nice=False)

    def y(field: str, kind: Any = alt.Y) -> Any:
        return kind(f"{field}:Q", scale=y_scale, axis=None)

    def line_of(level: int) -> float:
        return top + (8 - level) * row

    bars = pl.DataFrame(
        [
            {
                **step, "y": line_of(step["level"]) + 5.0, "y2": line_of(step["level"]) + 21.0,
                "fill": theme.level(step["level"]), "month": f"{step['start']:%Y-%m}",
                "middle": line_of(step["level"]) + 13.0,
            }
            for step in steps
        ]
    )  # fmt: skip
    lines = pl.DataFrame(
        {"y": [float(line_of(n)) for n in range(1, 9)], "start": [first] * 8, "end": [last] * 8}
    )
    skilled = pl.DataFrame(
        {
            "y": [float(line_of(policy.high_skilled_level) + row)], "start": [first],
            "end": [last],
        }
    )  # fmt: skip
    window = pl.DataFrame(
        {
            "start": [max(policy.window_start, first)], "end": [min(policy.window_end, last)],
            "y": [0.0], "y2": [float(height)],
        }
    )  # fmt: skip
    layers = [
        alt.Chart(window)
        .mark_rect(color=theme.soft, opacity=0.45)
        .encode(x=x, x2="end:T", y=y("y"), y2="y2:Q"),
        alt.Chart(lines)
        .mark_rule(color=theme.hairline)
        .encode(x=x, x2="end:T", y=y("y")),
        alt.Chart(skilled)
        .mark_rule(color=theme.ink, strokeWidth=1.2)
        .encode(x=x, x2="end:T", y=y("y")),
        *_ladder_marks(way, x, y, height, theme, language),
        alt.Chart(bars)
        .mark_rect(stroke=theme.ladder_outline or None)
        .encode(
            x=x, x2="end:T", y=y("y"), y2="y2:Q", color=alt.Color("fill:N", scale=None),
            tooltip=[
                alt.Tooltip("start:T", title=translate(language, "Since"), format="%Y-%m-%d"),
                alt.Tooltip("told:N", title=translate(language, "Recognised")),
            ],
        ),
        alt.Chart(bars)
        .mark_text(align="right", dx=-6, baseline="middle")
        .encode(x=x, y=y("middle"), text="month:N"),
        _level_names(x, y, first, line_of, theme, language),
        *_periods(below, way.until, x, y, top + 8 * row + 8, theme),
    ]  # fmt: skip
    return configured(alt.layer(*layers).properties(height=height, width="container"), theme)


def _level_names(
    x: Any, y: Any, first: date, line_of: Any, theme: Tokens, language: Language
) -> Any:
    names = pl.DataFrame(
        [
            {
                "start": first, "y": line_of(n) + 13.0,
                "name": f"{n}  {names[language == 'zh']}",
            }
            for n, names in LEVELS.items()
        ]
    )  # fmt: skip
    return (
        alt.Chart(names)
        .mark_text(align="right", baseline="middle", dx=-10, color=theme.ink)
        .encode(x=x, y=y("y"), text="name:N")
    )


def _ladder_marks(
    way: Ladder, x: Any, y: Any, height: float, theme: Tokens, language: Language
) -> list[Any]:
    """Honours as hairlines with their names, being named a leading talent in red."""
    marks = [
        {"start": day, "name": name, "colour": theme.muted, "rule": theme.slate}
        for day, name in way.honours
    ]
    marks += [
        {
            "start": day, "name": translate(language, "leading talent"),
            "colour": theme.talent, "rule": theme.talent,
        }
        for day in way.named
    ]  # fmt: skip
    if not marks:
        return []
    marks.sort(key=lambda mark: mark["start"])
    rows = pl.DataFrame([{**mark, "y": 0.0, "y2": 232.0, "text_y": 8.0} for mark in marks])
    return [
        alt.Chart(rows)
        .mark_rule(strokeWidth=1, opacity=0.8)
        .encode(x=x, y=y("y"), y2="y2:Q", color=alt.Color("rule:N", scale=None),
                tooltip=[alt.Tooltip("start:T", title=" ", format="%Y-%m-%d"),
                         alt.Tooltip("name:N", title=translate(language, "Honour"))]),
        alt.Chart(rows)
        .mark_text(align="right", dx=-5, baseline="middle")
        .encode(x=x, y=y("text_y"), text="name:N", color=alt.Color("colour:N", scale=None)),
    ]  # fmt: skip


def _periods(
    below: list[tuple[str, str, date, date | None]],
    until: date, x: Any, y: Any, top: float, theme: Tokens,
) -> list[Any]:  # fmt: skip
    """Mentors as solid lines, studios as dashed ones, with their names."""
    if not below:
        return []
    rows = pl.DataFrame(
        [
            {"start": start, "end": end or until, "name": name, "y": top + 24.0 * n + 12,
             "dashed": channel == "studio"}
            for n, (channel, name, start, end) in enumerate(below)
        ]
    )  # fmt: skip
    return [
        alt.Chart(rows)
        .mark_rule(strokeWidth=2, color=theme.ink)
        .encode(x=x, x2="end:T", y=y("y"),
                strokeDash=alt.StrokeDash("dashed:N", legend=None, scale=alt.Scale(
                    domain=[False, True], range=[[1, 0], [5, 4]]))),
        alt.Chart(rows)
        .mark_text(align="right", dx=-8, baseline="middle", color=theme.ink)
        .encode(x=x, y=y("y"), text="name:N"),
    ]  # fmt: skip
