"""The timeline of a career as SVG written here, for a file without network or script."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from html import escape

from graph.messages import Language
from graph.model.vocabularies import LEVELS
from graph.policy import Policy
from ui.profile.career_ladder import MAX_LADDER_MENTORS, MAX_LADDER_STUDIOS, CareerLadder
from ui.shell.measures import MEASURES, render_dash_attribute
from ui.shell.theme import TEXT_FONT, TOKENS_BY_MODE
from ui.words.i18n import translate, translate_label

(
    SVG_WIDTH_PX,
    SVG_LEFT_PX,
    SVG_LEVEL_HEIGHT_PX,
    SVG_HONOUR_LINE_PX,
    SVG_MENTOR_ROW_PX,
    SVG_APPRENTICE_BARS_PX,
) = 1040, 110, 22, 16, 20, 40  # px


def render_ladder_svg(way: CareerLadder, policy: Policy, language: Language) -> str:
    """An SVG element: honours, the eight steps, mentors and studios, apprentices a year."""
    drawing = _LadderDrawing(way, policy, language)
    parts = [
        *drawing.render_window(),
        *drawing.render_levels(),
        *drawing.render_steps(),
        *drawing.render_honours(),
        *drawing.render_periods(),
        *drawing.render_apprentices(),
        *drawing.render_years(),
    ]
    theme = drawing.theme
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SVG_WIDTH_PX} {drawing.height}" '
        f'width="100%" '
        f'role="img" font-family="{escape(TEXT_FONT)}" font-size="13" fill="{theme.ink}">'
        f"<title>{escape(translate(language, 'Ladder and honours'))}</title>{''.join(parts)}</svg>"
    )


class _LadderDrawing:
    """A ladder set on paper: from the top the honours, the steps, the periods, the apprentices.

    `top` is where the steps begin, `foot` where they end, `low` where the periods end, in px.
    """

    def __init__(self, way: CareerLadder, policy: Policy, language: Language) -> None:
        self.way, self.policy, self.language = way, policy, language
        self.theme = TOKENS_BY_MODE["light"]
        self.steps, self.periods = way.steps(), way.periods()
        starts = [step.start for step in self.steps] + [period.start for period in self.periods]
        self.first = date(min(starts or [policy.window_start]).year, 1, 1)
        self.last = date(max(way.until, policy.window_end).year, 12, 31)
        self.honours = self._list_honours()
        self.top = SVG_HONOUR_LINE_PX * max(len(self.honours), 1) + 6
        self.foot = self.top + 8 * SVG_LEVEL_HEIGHT_PX
        self.low = self.foot + 8 + SVG_MENTOR_ROW_PX * len(self.periods)
        self.height = self.low + (SVG_APPRENTICE_BARS_PX if way.taken_on else 0) + 24

    def _list_honours(self) -> list[tuple[date, str, bool]]:
        """The last eight: day, name, and whether it is the naming as a leading talent."""
        named = translate(self.language, "leading talent")
        honours = [(day, name, False) for day, name in self.way.honours]
        honours += [(day, named, True) for day in self.way.named]
        return [row for row in sorted(honours) if row[0] >= self.first][-8:]

    def _x(self, day: date) -> float:
        span = (self.last - self.first).days
        gone = min(max((day - self.first).days, 0), span)
        return SVG_LEFT_PX + (SVG_WIDTH_PX - SVG_LEFT_PX - 8) * gone / span

    def _y(self, level: int) -> float:
        """The upper edge of a level's row."""
        return self.top + (8 - level) * SVG_LEVEL_HEIGHT_PX

    def render_window(self) -> Iterator[str]:
        """The policy's window, behind everything."""
        left, right = self._x(self.policy.window_start), self._x(self.policy.window_end)
        yield (
            f'<rect x="{left:.1f}" y="0" height="{self.height - 20}" '
            f'width="{right - left:.1f}" fill="{self.theme.soft}" '
            'opacity="0.45"/>'
        )

    def render_levels(self) -> Iterator[str]:
        """A line and a name for each of the eight levels."""
        for level, names in LEVELS.items():
            y = self._y(level)
            first_counted = level == self.policy.high_skilled_level
            colour = self.theme.ink if first_counted else self.theme.hairline
            below = y + SVG_LEVEL_HEIGHT_PX
            yield _render_ladder_line(SVG_LEFT_PX, below, SVG_WIDTH_PX - 8, below, colour)
            name = f"{level} {translate_label(names, self.language)}"
            yield _render_ladder_text(SVG_LEFT_PX - 8, y + SVG_LEVEL_HEIGHT_PX / 2 + 4, name, "end")

    def render_steps(self) -> Iterator[str]:
        """The best level of each time, with the month of its start where there is room."""
        for row in self.steps:
            y, left = self._y(row.level), self._x(row.start)
            yield (
                f'<rect x="{left:.1f}" y="{y + 4}" height="{SVG_LEVEL_HEIGHT_PX - 8}" '
                f'width="{max(self._x(row.end) - left, 1):.1f}" '
                f'fill="{self.theme.level(row.level)}"><title>{escape(row.tooltip)}</title></rect>'
            )
            if left > SVG_LEFT_PX + 60:
                month = f"{row.start:%Y-%m}"
                middle = y + SVG_LEVEL_HEIGHT_PX / 2 + 4
                yield _render_ladder_text(left - 5, middle, month, "end", self.theme.muted)

    def render_honours(self) -> Iterator[str]:
        """The earliest lowest, so that no hairline crosses a name."""
        theme = self.theme
        for place, (day, name, red) in enumerate(reversed(self.honours)):
            y, colour = SVG_HONOUR_LINE_PX * place + 12, theme.talent if red else theme.muted
            level = self.way.held_on(day)
            end = self._y(level) + 4 if level else self.foot
            x, line_colour = self._x(day), theme.talent if red else theme.slate
            yield _render_ladder_line(x, y - 8, x, end, line_colour)
            yield _render_ladder_text(x - 5, y, f"{name} {day:%Y-%m}", "end", colour)

    def render_periods(self) -> Iterator[str]:
        """Mentors and, dashed, studios."""
        for place, period in enumerate(self.periods[: MAX_LADDER_MENTORS + MAX_LADDER_STUDIOS]):
            middle = self.foot + 8 + SVG_MENTOR_ROW_PX * (place + 0.5)
            dash = render_dash_attribute("studio") if period.dashed else ""
            left, right = self._x(period.start), self._x(period.end)
            yield _render_ladder_line(
                left,
                middle,
                right,
                middle,
                self.theme.ink,
                f'stroke-width="{MEASURES.line.path_width}"{dash}',
            )
            if left > SVG_WIDTH_PX / 2:
                yield _render_ladder_text(left - 6, middle + 4, period.name, "end")
            else:
                yield _render_ladder_text(left + 4, middle - 4, period.name, "start")

    def render_apprentices(self) -> Iterator[str]:
        """A bar a year: how many apprentices began."""
        if not self.way.taken_on:
            return
        most, foot = max(self.way.taken_on.values()), self.low + SVG_APPRENTICE_BARS_PX
        for year, number in self.way.taken_on.items():
            if self.first.year <= year <= self.last.year:
                tall = (SVG_APPRENTICE_BARS_PX - 8) * number / most
                left, right = self._x(date(year, 1, 20)), self._x(date(year, 12, 10))
                yield (
                    f'<rect x="{left:.1f}" y="{foot - tall:.1f}" '
                    f'height="{tall:.1f}" '
                    f'width="{right - left:.1f}" fill="{self.theme.slate}">'
                    f"<title>{year}: {number}</title></rect>"
                )
        words = translate(self.language, "Apprentices a year")
        yield _render_ladder_text(SVG_LEFT_PX - 8, foot - 8, words, "end", self.theme.muted)

    def render_years(self) -> Iterator[str]:
        """The axis: each year, or each fifth."""
        line = self.height - 20
        yield _render_ladder_line(SVG_LEFT_PX, line, SVG_WIDTH_PX - 8, line, self.theme.slate_dark)
        every = 5 if self.last.year - self.first.year > 12 else 1
        for year in range(self.first.year, self.last.year + 1):
            if year % every == 0:
                x = self._x(date(year, 1, 1))
                yield _render_ladder_text(x, self.height - 5, str(year), "middle", self.theme.muted)


def _render_ladder_line(
    x1: float, y1: float, x2: float, y2: float, colour: str, more: str = ""
) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>'
    )


def _render_ladder_text(x: float, y: float, text: str, anchor: str, colour: str = "") -> str:
    fill = f' fill="{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{fill}>{escape(text)}</text>'
