"""A person's way up, drawn: the eight steps over the years, honours above, mentors below."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Any

import altair as alt
import polars as pl

from graph.messages import Language
from graph.model.vocabularies import LEVELS
from ui.controls.charts import apply_chart_config, format_axis_day
from ui.shell.measures import MEASURES
from ui.shell.theme import TOKENS_BY_MODE, ColourMode, Tokens
from ui.words.i18n import translate, translate_label
from ui.words.text_width import estimate_text_width

if TYPE_CHECKING:
    from graph.policy import Policy

LEVEL_HEIGHT_PX, HONOUR_LINE_PX, MENTOR_ROW_PX, APPRENTICE_BARS_PX = (
    26,
    20,
    24,
    48,
)  # px: a level, honours, a mentor, apprentices a year
SCREEN_YEARS_WIDTH_PX = 1040  # px, about: what the years have on the screen the pages are made for
PHONE_YEARS_WIDTH_PX = 240  # px, about: what they have on a phone
MONTH_LABEL_PX = 58  # px that a month and the gap beside it take
NARROW_YEARS_WIDTH_PX = 560  # px of years below which honours are marks without names
MAX_LADDER_MENTORS, MAX_LADDER_STUDIOS = 3, 2


@dataclass(frozen=True)
class LadderStep:
    """A rise of the best level: its day, what to say on hover, and the day of the next one."""

    start: date
    level: int
    tooltip: str
    end: date


@dataclass(frozen=True)
class LadderPeriod:
    """The time with a mentor, or at a studio (dashed)."""

    name: str
    start: date
    end: date
    dashed: bool


@dataclass(frozen=True)
class HonourMark:
    """An honour, or being named a leading talent, as it is drawn: how far along the axis (0 to 1),
    on which line, in which colours, over which level (0 = none yet).
    """

    start: date
    name: str
    named: bool
    share: float
    line: int
    colour: str
    rule: str
    level: int


@dataclass(frozen=True)
class CareerLadder:
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

    def steps(self) -> list[LadderStep]:
        """Each rise of the best level, until the next one."""
        rises: list[tuple[date, int, str]] = []
        for day, level, tooltip in sorted(self.recognitions, key=lambda r: (r[0], -r[1])):
            if level > (rises[-1][1] if rises else 0):
                rises.append((day, level, tooltip))
        ends = [*(day for day, _, _ in rises[1:]), self.until]
        return [LadderStep(*rise, end) for rise, end in zip(rises, ends, strict=False)]

    def held_on(self, day: date) -> int:
        """The best level held on a day; 0 before the first."""
        return max((level for start, level, _ in self.recognitions if start <= day), default=0)

    def periods(self) -> list[LadderPeriod]:
        """The mentors and studios that are drawn."""
        drawn = [(period, False) for period in self.mentors[:MAX_LADDER_MENTORS]]
        drawn += [(period, True) for period in self.studios[:MAX_LADDER_STUDIOS]]
        return [
            LadderPeriod(name, start, end or self.until, dashed)
            for (name, start, end), dashed in drawn
        ]


@dataclass(frozen=True)
class LadderScale:
    """Where things stand: the axis of years, and heights in px from the top."""

    first: date
    last: date
    lines: int
    below: int
    bars: float = 0

    @property
    def top(self) -> float:
        """Where the steps begin, under the lines of honours."""
        return self.lines * HONOUR_LINE_PX + 6.0

    @property
    def foot(self) -> float:
        """Where the steps end."""
        return self.top + 8 * LEVEL_HEIGHT_PX

    @property
    def height(self) -> float:
        """Of the full chart."""
        return self.foot + 8 + MENTOR_ROW_PX * self.below + self.bars

    def share_of(self, day: date) -> float:
        """How far along the axis a day stands, 0 to 1."""
        return (day - self.first).days / max((self.last - self.first).days, 1)

    def of_honour(self, line: int) -> float:
        """The middle of a line of honours, counted from the lowest."""
        return HONOUR_LINE_PX * (self.lines - 1 - line) + 10.0

    def of_level(self, level: int) -> float:
        """The upper edge of a level's step."""
        return self.top + (8 - level) * LEVEL_HEIGHT_PX

    @property
    def x(self) -> alt.X:
        """From `start`, on the axis of years."""
        return alt.X(
            "start:T",
            scale=alt.Scale(
                domain=[format_axis_day(self.first), format_axis_day(self.last)], nice=False
            ),
            axis=alt.Axis(
                format="%Y", tickCount=10, grid=False, labelOverlap="greedy", labelSeparation=10
            ),
        )

    def y(self, field: str) -> alt.Y:
        """From a column of px."""
        scale = alt.Scale(domain=[self.height, 0], nice=False)
        return alt.Y(f"{field}:Q", scale=scale, axis=None)


def build_ladder_chart(
    way: CareerLadder, policy: Policy, mode: ColourMode, language: Language
) -> Any:
    """The chart; `way` must have at least one recognition."""
    theme = TOKENS_BY_MODE[mode]
    steps, periods = way.steps(), way.periods()
    last = date(max(way.until, policy.window_end).year, 12, 31)
    begun = min([*(step.start for step in steps), *(period.start for period in periods)]).year
    # Room for the month of the first step.
    first = date(begun - 2 - (last.year - begun) // 25, 1, 1)
    marks = _arrange_honour_marks(way, first, last, theme, language)
    lines = 1 + max((mark.line for mark in marks), default=0)
    bars = APPRENTICE_BARS_PX if way.taken_on else 0
    place = LadderScale(first, last, lines, len(periods), bars)
    layers = [
        *_build_ladder_ground(place, policy, theme),
        *_build_honour_layers(marks, place, language),
        *_build_step_layers(steps, place, theme, language),
        _build_level_names(place, theme, language),
        *_build_period_layers(periods, place, theme),
        *_build_apprentice_bars(way.taken_on, place, theme, language),
    ]
    chart = alt.layer(*layers).properties(height=place.height, width="container")
    return apply_chart_config(chart, theme)


def _arrange_honour_marks(
    way: CareerLadder, first: date, last: date, theme: Tokens, language: Language
) -> list[HonourMark]:
    """Honours and namings in order, each on a line: a name stands above the earlier ones it
    reaches over, so that no hairline crosses it. A naming's holds on a phone too.
    """
    talent = translate(language, "leading talent")
    honours = [(day, name, False) for day, name in way.honours]
    honours += [(day, talent, True) for day in way.named]
    marks: list[HonourMark] = []
    for day, name, named in sorted(mark for mark in honours if mark[0] >= first):
        share = (day - first).days / max((last - first).days, 1)
        reach = share - (estimate_text_width(name) + 12) / (
            PHONE_YEARS_WIDTH_PX if named else SCREEN_YEARS_WIDTH_PX
        )
        line = max((m.line + 1 for m in marks if m.share > reach), default=0)
        marks.append(
            HonourMark(
                day,
                name,
                named,
                share,
                line,
                colour=theme.talent if named else theme.muted,
                rule=theme.talent if named else theme.slate,
                level=way.held_on(day),
            )
        )
    return marks


def _build_ladder_ground(place: LadderScale, policy: Policy, theme: Tokens) -> list[Any]:
    """The window shaded, a hairline a level, and the high-skilled line in ink."""
    window = pl.DataFrame(
        {
            "start": [max(policy.window_start, place.first)],
            "end": [min(policy.window_end, place.last)],
            "y": [0.0],
            "y2": [place.height],
        }
    )
    edges = [place.of_level(level) for level in range(1, 9)] + [place.foot]
    high = place.of_level(policy.high_skilled_level) + LEVEL_HEIGHT_PX
    rules = pl.DataFrame(
        {
            "start": place.first,
            "end": place.last,
            "y": [*edges, high],
            "colour": [theme.hairline] * len(edges) + [theme.ink],
        }
    )
    return [
        alt.Chart(window)
        .mark_rect(color=theme.soft, opacity=0.45)
        .encode(x=place.x, x2=alt.X2("end:T"), y=place.y("y"), y2=alt.Y2("y2:Q")),
        alt.Chart(rules)
        .mark_rule()
        .encode(
            x=place.x, x2=alt.X2("end:T"), y=place.y("y"), color=alt.Color("colour:N", scale=None)
        ),
    ]


def _build_honour_layers(
    marks: list[HonourMark], place: LadderScale, language: Language
) -> list[Any]:
    """A hairline from each honour's name down to the step it was given on; being named a leading
    talent in red. Where the years are narrow, a point stands for the name, which hover tells.
    """
    if not marks:
        return []
    rows = pl.DataFrame(
        [
            {
                **asdict(mark),
                "y": place.of_honour(mark.line) - 8,
                "y2": place.of_level(mark.level) + 5 if mark.level else place.foot,
                "text_y": place.of_honour(mark.line),
            }
            for mark in marks
        ]
    )
    tooltip = [
        alt.Tooltip("name:N", title=translate(language, "Honour")),
        alt.Tooltip("start:T", title=translate(language, "Since"), format="%Y-%m-%d"),
    ]
    chart = alt.Chart(rows).encode(x=place.x, tooltip=tooltip)
    names = chart.transform_filter(f"datum.named || width >= {NARROW_YEARS_WIDTH_PX}")
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


def _build_step_layers(
    steps: list[LadderStep], place: LadderScale, theme: Tokens, language: Language
) -> list[Any]:
    """A bar from each rise of the best level to the next, with its month."""
    rows = pl.DataFrame(
        [
            {
                **asdict(step),
                "y": place.of_level(step.level) + 5.0,
                "y2": place.of_level(step.level) + 21.0,
                "middle": place.of_level(step.level) + 13.0,
                "fill": theme.level(step.level),
                "month": f"{step.start:%Y-%m}",
                "tight": PHONE_YEARS_WIDTH_PX * place.share_of(step.start) < MONTH_LABEL_PX,
            }
            for step in steps
        ]
    )
    return [
        alt.Chart(rows)
        .mark_rect(stroke=theme.ladder_outline or alt.Undefined)
        .encode(
            x=place.x,
            x2=alt.X2("end:T"),
            y=place.y("y"),
            y2=alt.Y2("y2:Q"),
            color=alt.Color("fill:N", scale=None),
            tooltip=[
                alt.Tooltip("start:T", title=translate(language, "Since"), format="%Y-%m-%d"),
                alt.Tooltip("tooltip:N", title=translate(language, "Recognised")),
            ],
        ),
        # A phone has no room for the first months beside the names of the levels.
        alt.Chart(rows)
        .transform_filter(f"!datum.tight || width >= {NARROW_YEARS_WIDTH_PX}")
        .mark_text(align="right", dx=-6, baseline="middle")
        .encode(x=place.x, y=place.y("middle"), text=alt.Text("month:N")),
    ]


def _build_apprentice_bars(
    years: Mapping[int, int], place: LadderScale, theme: Tokens, language: Language
) -> list[Any]:
    """A bar a year: how many apprentices began."""
    shown = {y: n for y, n in years.items() if place.first.year <= y <= place.last.year}
    if not shown:
        return []
    most, ground = max(shown.values()), place.height
    rows = pl.DataFrame(
        [
            {
                "start": date(year, 1, 20),
                "end": date(year, 12, 10),
                "y": ground,
                "y2": ground - (APPRENTICE_BARS_PX - 20) * number / most,
                "year": str(year),
                "number": number,
            }
            for year, number in sorted(shown.items())
        ]
    )
    tooltip = [
        alt.Tooltip("year:N", title=translate(language, "Year")),
        alt.Tooltip("number:Q", title=translate(language, "Apprentices taken on")),
    ]
    name = pl.DataFrame(
        {
            "start": [place.first],
            "y": [ground - APPRENTICE_BARS_PX / 2 + 8],
            "name": [translate(language, "Apprentices a year")],
        }
    )
    return [
        alt.Chart(rows)
        .mark_rect(color=theme.slate)
        .encode(x=place.x, x2=alt.X2("end:T"), y=place.y("y"), y2=alt.Y2("y2:Q"), tooltip=tooltip),
        alt.Chart(name)
        .mark_text(align="right", baseline="middle", dx=-10)
        .encode(x=place.x, y=place.y("y"), text=alt.Text("name:N")),
    ]


def _build_level_names(place: LadderScale, theme: Tokens, language: Language) -> Any:
    rows = pl.DataFrame(
        [
            {
                "start": place.first,
                "y": place.of_level(level) + 13.0,
                "name": f"{level}  {translate_label(names, language)}",
            }
            for level, names in LEVELS.items()
        ]
    )
    return (
        alt.Chart(rows)
        .mark_text(align="right", baseline="middle", dx=-10, color=theme.ink)
        .encode(x=place.x, y=place.y("y"), text=alt.Text("name:N"))
    )


def _build_period_layers(
    periods: list[LadderPeriod], place: LadderScale, theme: Tokens
) -> list[Any]:
    """Mentors as solid lines, studios as dashed ones; the name left of each, or right of early
    ones, where there is no room.
    """
    if not periods:
        return []
    days = (place.last - place.first).days
    rows = pl.DataFrame(
        [
            {
                **asdict(period),
                "y": place.foot + 8 + MENTOR_ROW_PX * (number + 0.5),
                "early": SCREEN_YEARS_WIDTH_PX * (period.start - place.first).days / days
                < estimate_text_width(period.name) + 12,
            }
            for number, period in enumerate(periods)
        ]
    )
    lines = alt.Chart(rows).encode(x=place.x, x2=alt.X2("end:T"), y=place.y("y"))
    late = alt.Chart(rows).transform_filter("!datum.early")
    early = alt.Chart(rows).transform_filter("datum.early")
    end = place.x.copy()
    end.shorthand = "end:T"
    return [
        lines.transform_filter("!datum.dashed").mark_rule(
            strokeWidth=MEASURES.line.path_width, color=theme.ink
        ),
        lines.transform_filter("datum.dashed").mark_rule(
            strokeDash=MEASURES.dashes["studio"],
            strokeWidth=MEASURES.line.path_width,
            color=theme.ink,
        ),
        late.mark_text(align="right", dx=-8, baseline="middle", color=theme.ink).encode(
            x=place.x, y=place.y("y"), text=alt.Text("name:N")
        ),
        early.mark_text(align="left", dx=8, baseline="middle", color=theme.ink).encode(
            x=end, y=place.y("y"), text=alt.Text("name:N")
        ),
    ]
