"""A person's way up, drawn: the eight steps over the years, honours above, mentors below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from components.charts import axis_day, configured
from components.i18n import Language, label, translate
from components.layout import text_width
from components.theme import MODES, Mode, Tokens
from graph.model import LEVELS

if TYPE_CHECKING:
    from graph.policy import Policy

STEP, LINE, BELOW, BARS = 26, 20, 24, 48  # px: a level, honours, a mentor, apprentices a year
FEW_HONOURS = 5
WIDTH = 1040  # px, about: what the years have on the screen the pages are made for
MOST_MENTORS, MOST_STUDIOS = 3, 2


@dataclass(frozen=True)
class Ladder:
    """A person's way up.

    - recognitions: day, level, what to say on hover
    - honours: day, name; named: days of being named a leading talent
    - mentors, studios: name, first day, last day (None = goes on)
    - until: the last day of the data
    - taken_on: how many apprentices began in each year
    """

    recognitions: list[tuple[date, int, str]]
    honours: list[tuple[date, str]]
    named: list[date]
    mentors: list[tuple[str, date, date | None]]
    studios: list[tuple[str, date, date | None]]
    until: date
    taken_on: Mapping[int, int] = field(default_factory=dict)

    def steps(self) -> list[dict[str, Any]]:
        """Each rise of the best level: start, level, told, and the day of the next one as end."""
        best, steps = 0, []
        for day, level, told in sorted(self.recognitions, key=lambda r: (r[0], -r[1])):
            if level > best:
                if steps:
                    steps[-1]["end"] = day
                steps.append({"start": day, "end": self.until, "level": level, "told": told})
                best = level
        return steps

    def periods(self) -> list[dict[str, Any]]:
        """The mentors and studios that are drawn: name, start, end, dashed."""
        drawn = [(period, False) for period in self.mentors[:MOST_MENTORS]]
        drawn += [(period, True) for period in self.studios[:MOST_STUDIOS]]
        return [
            {"name": name, "start": start, "end": end or self.until, "dashed": dashed}
            for (name, start, end), dashed in drawn
        ]


@dataclass(frozen=True)
class Place:
    """Where things stand: the axis of years, and heights in px from the top."""

    first: date
    last: date
    lines: int
    below: int
    bars: float = 0

    @property
    def top(self) -> float:
        """Where the steps begin, under the lines of honours."""
        return self.lines * LINE + 6.0

    @property
    def foot(self) -> float:
        """Where the steps end."""
        return self.top + 8 * STEP

    @property
    def height(self) -> float:
        """Of the whole chart."""
        return self.foot + 8 + BELOW * self.below + self.bars

    def of_level(self, level: int) -> float:
        """The upper edge of a level's step."""
        return self.top + (8 - level) * STEP

    @property
    def x(self) -> alt.X:
        """From `start`, on the axis of years."""
        return alt.X(
            "start:T",
            scale=alt.Scale(domain=[axis_day(self.first), axis_day(self.last)], nice=False),
            axis=alt.Axis(format="%Y", tickCount=10, grid=False),
        )

    def y(self, field: str) -> alt.Y:
        """From a column of px."""
        scale = alt.Scale(domain=[self.height, 0], nice=False)
        return alt.Y(f"{field}:Q", scale=scale, axis=None)


def ladder(way: Ladder, policy: Policy, mode: Mode, language: Language) -> Any:
    """The chart; `way` must have at least one recognition."""
    theme = MODES[mode]
    steps, periods = way.steps(), way.periods()
    # Two years of room for the month of the first step.
    first = date(min(row["start"].year for row in (*steps, *periods)) - 2, 1, 1)
    last = date(max(way.until, policy.window_end).year, 12, 31)
    marks = _marks(way, first, last, theme, language)
    lines = 1 + max((mark["line"] for mark in marks), default=0)
    bars = BARS if way.taken_on else 0
    place = Place(first, last, lines, len(periods), bars)
    layers = [
        *_ground(place, policy, theme),
        *_honours(marks, place, language),
        *_steps(steps, place, theme, language),
        _level_names(place, theme, language),
        *_periods(periods, place, theme),
        *_taken_on(way.taken_on, place, theme, language),
    ]
    chart = alt.layer(*layers).properties(height=place.height, width="container")
    return configured(chart, theme)


def _marks(
    way: Ladder, first: date, last: date, theme: Tokens, language: Language
) -> list[dict[str, Any]]:
    """Honours and namings in order: a few on a line each, so that they stand clear of each other
    on a phone too; many on the first line where the name has room on a wide screen."""
    told = [(day, name, theme.muted, theme.slate) for day, name in way.honours]
    talent = translate(language, "leading talent")
    told += [(day, talent, theme.talent, theme.talent) for day in way.named]
    marks: list[dict[str, Any]] = []
    ends: list[float] = []
    told = sorted(mark for mark in told if mark[0] >= first)
    for day, name, colour, rule in told:
        at = WIDTH * (day - first).days / max((last - first).days, 1)
        begins = at - text_width(name) - 12
        room = (n for n, end in enumerate(ends) if end <= begins)
        line = len(ends) if len(told) <= FEW_HONOURS else next(room, len(ends))
        ends[line : line + 1] = [at]
        marks.append(
            {"start": day, "name": name, "colour": colour, "rule": rule, "line": line}
        )  # fmt: skip
    return marks


def _ground(place: Place, policy: Policy, theme: Tokens) -> list[Any]:
    """The window shaded, a hairline a level, and the high-skilled line in ink."""
    window = pl.DataFrame(
        {
            "start": [max(policy.window_start, place.first)],
            "end": [min(policy.window_end, place.last)], "y": [0.0], "y2": [place.height],
        }
    )  # fmt: skip
    edges = [place.of_level(level) for level in range(1, 9)] + [place.foot]
    high = place.of_level(policy.high_skilled_level) + STEP
    rules = pl.DataFrame(
        {
            "start": place.first, "end": place.last, "y": [*edges, high],
            "colour": [theme.hairline] * len(edges) + [theme.ink],
        }
    )  # fmt: skip
    return [
        alt.Chart(window)
        .mark_rect(color=theme.soft, opacity=0.45)
        .encode(x=place.x, x2=alt.X2("end:T"), y=place.y("y"), y2=alt.Y2("y2:Q")),
        alt.Chart(rules)
        .mark_rule()
        .encode(
            x=place.x, x2=alt.X2("end:T"), y=place.y("y"), color=alt.Color("colour:N", scale=None)
        ),
    ]  # fmt: skip


def _honours(marks: list[dict[str, Any]], place: Place, language: Language) -> list[Any]:
    """A hairline down from each honour's name; being named a leading talent in red."""
    if not marks:
        return []
    rows = pl.DataFrame(
        [
            {**mark, "y": LINE * mark["line"] + 2.0, "y2": place.foot,
             "text_y": LINE * mark["line"] + 10.0}
            for mark in marks
        ]
    )  # fmt: skip
    told = [
        alt.Tooltip("name:N", title=translate(language, "Honour")),
        alt.Tooltip("start:T", title=translate(language, "Since"), format="%Y-%m-%d"),
    ]
    return [
        alt.Chart(rows)
        .mark_rule(opacity=0.8)
        .encode(
            x=place.x, y=place.y("y"), y2=alt.Y2("y2:Q"), color=alt.Color("rule:N", scale=None),
            tooltip=told,
        ),
        alt.Chart(rows)
        .mark_text(align="right", dx=-5, baseline="middle")
        .encode(
            x=place.x, y=place.y("text_y"), text=alt.Text("name:N"),
            color=alt.Color("colour:N", scale=None), tooltip=told,
        ),
    ]  # fmt: skip


def _steps(
    steps: list[dict[str, Any]], place: Place, theme: Tokens, language: Language
) -> list[Any]:
    """A bar from each rise of the best level to the next, with its month."""
    rows = pl.DataFrame(
        [
            {
                **step, "y": place.of_level(step["level"]) + 5.0,
                "y2": place.of_level(step["level"]) + 21.0,
                "middle": place.of_level(step["level"]) + 13.0,
                "fill": theme.level(step["level"]), "month": f"{step['start']:%Y-%m}",
            }
            for step in steps
        ]
    )  # fmt: skip
    outline = {"stroke": theme.ladder_outline} if theme.ladder_outline else {}
    return [
        alt.Chart(rows)
        .mark_rect(**outline)
        .encode(
            x=place.x, x2=alt.X2("end:T"), y=place.y("y"), y2=alt.Y2("y2:Q"),
            color=alt.Color("fill:N", scale=None),
            tooltip=[
                alt.Tooltip("start:T", title=translate(language, "Since"), format="%Y-%m-%d"),
                alt.Tooltip("told:N", title=translate(language, "Recognised")),
            ],
        ),
        alt.Chart(rows)
        .mark_text(align="right", dx=-6, baseline="middle")
        .encode(x=place.x, y=place.y("middle"), text=alt.Text("month:N")),
    ]  # fmt: skip


def _taken_on(
    years: Mapping[int, int], place: Place, theme: Tokens, language: Language
) -> list[Any]:
    """A bar a year: how many apprentices began."""
    shown = {y: n for y, n in years.items() if place.first.year <= y <= place.last.year}
    if not shown:
        return []
    most, ground = max(shown.values()), place.height
    rows = pl.DataFrame(
        [
            {
                "start": date(year, 1, 20), "end": date(year, 12, 10), "y": ground,
                "y2": ground - (BARS - 20) * number / most, "year": str(year), "number": number,
            }
            for year, number in sorted(shown.items())
        ]
    )  # fmt: skip
    told = [
        alt.Tooltip("year:N", title=translate(language, "Year")),
        alt.Tooltip("number:Q", title=translate(language, "Apprentices taken on")),
    ]
    name = pl.DataFrame(
        {
            "start": [place.first], "y": [ground - BARS / 2 + 8],
            "name": [translate(language, "Apprentices a year")],
        }
    )  # fmt: skip
    return [
        alt.Chart(rows)
        .mark_rect(color=theme.slate)
        .encode(x=place.x, x2=alt.X2("end:T"), y=place.y("y"), y2=alt.Y2("y2:Q"), tooltip=told),
        alt.Chart(name)
        .mark_text(align="right", baseline="middle", dx=-10)
        .encode(x=place.x, y=place.y("y"), text=alt.Text("name:N")),
    ]


def _level_names(place: Place, theme: Tokens, language: Language) -> Any:
    rows = pl.DataFrame(
        [
            {
                "start": place.first, "y": place.of_level(level) + 13.0,
                "name": f"{level}  {label(names, language)}",
            }
            for level, names in LEVELS.items()
        ]
    )  # fmt: skip
    return (
        alt.Chart(rows)
        .mark_text(align="right", baseline="middle", dx=-10, color=theme.ink)
        .encode(x=place.x, y=place.y("y"), text=alt.Text("name:N"))
    )


def _periods(periods: list[dict[str, Any]], place: Place, theme: Tokens) -> list[Any]:
    """Mentors as solid lines, studios as dashed ones; the name left of each, or right of early
    ones, where there is no room.
    """
    if not periods:
        return []
    days = (place.last - place.first).days
    rows = pl.DataFrame(
        [
            {
                **period, "y": place.foot + 8 + BELOW * (number + 0.5),
                "early": WIDTH * (period["start"] - place.first).days / days
                < text_width(period["name"]) + 12,
            }
            for number, period in enumerate(periods)
        ]
    )  # fmt: skip
    lines = alt.Chart(rows).encode(x=place.x, x2=alt.X2("end:T"), y=place.y("y"))
    dashed = {"strokeWidth": 2, "color": theme.ink}
    late = alt.Chart(rows).transform_filter("!datum.early")
    early = alt.Chart(rows).transform_filter("datum.early")
    end = place.x.copy()
    end.shorthand = "end:T"
    return [
        lines.transform_filter("!datum.dashed").mark_rule(**dashed),
        lines.transform_filter("datum.dashed").mark_rule(strokeDash=[5, 4], **dashed),
        late.mark_text(align="right", dx=-8, baseline="middle", color=theme.ink).encode(
            x=place.x, y=place.y("y"), text=alt.Text("name:N")
        ),
        early.mark_text(align="left", dx=8, baseline="middle", color=theme.ink).encode(
            x=end, y=place.y("y"), text=alt.Text("name:N")
        ),
    ]
