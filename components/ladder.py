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
WIDTH = 1040  # px, about: what the years have on the screen the pages are made for
PHONE = 240  # px, about: what they have on a phone
MONTH = 58  # px that a month and the gap beside it take
NARROW = 560  # px of years below which honours are marks without names
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

    def held_on(self, day: date) -> int:
        """The best level held on a day; 0 before the first."""
        return max((level for start, level, _ in self.recognitions if start <= day), default=0)

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

    def share_of(self, day: date) -> float:
        """How far along the axis a day stands, 0 to 1."""
        return (day - self.first).days / max((self.last - self.first).days, 1)

    def of_honour(self, line: int) -> float:
        """The middle of a line of honours, counted from the lowest."""
        return LINE * (self.lines - 1 - line) + 10.0

    def of_level(self, level: int) -> float:
        """The upper edge of a level's step."""
        return self.top + (8 - level) * STEP

    @property
    def x(self) -> alt.X:
        """From `start`, on the axis of years."""
        return alt.X(
            "start:T",
            scale=alt.Scale(domain=[axis_day(self.first), axis_day(self.last)], nice=False),
            axis=alt.Axis(
                format="%Y", tickCount=10, grid=False, labelOverlap="greedy", labelSeparation=10
            ),
        )

    def y(self, field: str) -> alt.Y:
        """From a column of px."""
        scale = alt.Scale(domain=[self.height, 0], nice=False)
        return alt.Y(f"{field}:Q", scale=scale, axis=None)


def ladder(way: Ladder, policy: Policy, mode: Mode, language: Language) -> Any:
    """The chart; `way` must have at least one recognition."""
    theme = MODES[mode]
    steps, periods = way.steps(), way.periods()
    last = date(max(way.until, policy.window_end).year, 12, 31)
    begun = min(row["start"].year for row in (*steps, *periods))
    # Room for the month of the first step.
    first = date(begun - 2 - (last.year - begun) // 25, 1, 1)
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
    """Honours and namings in order, each on a line: a name stands above the earlier ones it
    reaches over, so that no hairline crosses it. A naming's holds on a phone too.
    """
    talent = translate(language, "leading talent")
    told = [(day, name, False) for day, name in way.honours]
    told += [(day, talent, True) for day in way.named]
    marks: list[dict[str, Any]] = []
    for day, name, named in sorted(mark for mark in told if mark[0] >= first):
        share = (day - first).days / max((last - first).days, 1)
        reach = share - (text_width(name) + 12) / (PHONE if named else WIDTH)
        line = max((m["line"] + 1 for m in marks if m["share"] > reach), default=0)
        marks.append(
            {
                "start": day, "name": name, "named": named, "share": share, "line": line,
                "colour": theme.talent if named else theme.muted,
                "rule": theme.talent if named else theme.slate, "level": way.held_on(day),
            }
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
    """A hairline from each honour's name down to the step it was given on; being named a leading
    talent in red. Where the years are narrow, a point stands for the name, which hover tells.
    """
    if not marks:
        return []
    rows = pl.DataFrame(
        [
            {
                **mark, "y": place.of_honour(mark["line"]) - 8,
                "y2": place.of_level(mark["level"]) + 5 if mark["level"] else place.foot,
                "text_y": place.of_honour(mark["line"]),
            }
            for mark in marks
        ]
    )  # fmt: skip
    told = [
        alt.Tooltip("name:N", title=translate(language, "Honour")),
        alt.Tooltip("start:T", title=translate(language, "Since"), format="%Y-%m-%d"),
    ]
    chart = alt.Chart(rows).encode(x=place.x, tooltip=told)
    names = chart.transform_filter(f"datum.named || width >= {NARROW}")
    return [
        chart.mark_rule(opacity=0.8).encode(
            y=place.y("y"), y2=alt.Y2("y2:Q"), color=alt.Color("rule:N", scale=None)
        ),
        chart.mark_point(filled=True, size=34, opacity=1, shape="square").encode(
            y=place.y("y"), color=alt.Color("rule:N", scale=None)
        ),
        names.mark_text(align="right", dx=-7, baseline="middle").encode(
            y=place.y("text_y"), text=alt.Text("name:N"), color=alt.Color("colour:N", scale=None)
        ),
    ]


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
                "tight": PHONE * place.share_of(step["start"]) < MONTH,
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
        # A phone has no room for the first months beside the names of the levels.
        alt.Chart(rows)
        .transform_filter(f"!datum.tight || width >= {NARROW}")
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
