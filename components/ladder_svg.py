"""The timeline of a career as SVG written here, for a file without network or script."""

from __future__ import annotations

from datetime import date
from html import escape

from components.i18n import Language, label, translate
from components.ladder import MOST_MENTORS, MOST_STUDIOS, Ladder
from components.theme import FONT, MODES
from graph.model import LEVELS
from graph.policy import Policy

WIDTH, LEFT, STEP, LINE, BELOW, BARS = 1040, 110, 22, 16, 20, 40  # px


def ladder_svg(way: Ladder, policy: Policy, language: Language) -> str:
    """An SVG element: honours, the eight steps, mentors and studios, apprentices a year."""
    theme = MODES["light"]
    steps, periods = way.steps(), way.periods()
    days = [row["start"] for row in (*steps, *periods)] or [policy.window_start]
    first = date(min(days).year, 1, 1)
    last = date(max(way.until, policy.window_end).year, 12, 31)
    span = (last - first).days

    def x(day: date) -> float:
        return LEFT + (WIDTH - LEFT - 8) * min(max((day - first).days, 0), span) / span

    honours = sorted(
        [(day, name, False) for day, name in way.honours]
        + [(day, translate(language, "leading talent"), True) for day in way.named]
    )
    honours = [row for row in honours if row[0] >= first][-8:]
    top = LINE * max(len(honours), 1) + 6
    foot = top + 8 * STEP
    low = foot + 8 + BELOW * len(periods)
    height = low + (BARS if way.taken_on else 0) + 24
    parts = [
        f'<rect x="{x(policy.window_start):.1f}" y="0" height="{height - 20}" '
        f'width="{x(policy.window_end) - x(policy.window_start):.1f}" fill="{theme.soft}" '
        'opacity="0.45"/>'
    ]
    for level, names in LEVELS.items():
        y = top + (8 - level) * STEP
        ink = level == policy.high_skilled_level
        parts.append(
            _line(LEFT, y + STEP, WIDTH - 8, y + STEP, theme.ink if ink else theme.hairline)
        )
        parts.append(_text(LEFT - 8, y + STEP / 2 + 4, f"{level} {label(names, language)}", "end"))
    for row in steps:
        y = top + (8 - row["level"]) * STEP
        parts.append(
            f'<rect x="{x(row["start"]):.1f}" y="{y + 4}" height="{STEP - 8}" '
            f'width="{max(x(row["end"]) - x(row["start"]), 1):.1f}" '
            f'fill="{theme.level(row["level"])}"><title>{escape(row["told"])}</title></rect>'
        )
        if x(row["start"]) > LEFT + 60:
            parts.append(
                _text(
                    x(row["start"]) - 5,
                    y + STEP / 2 + 4,
                    f"{row['start']:%Y-%m}",
                    "end",
                    theme.muted,
                )
            )
    # The earliest lowest, so that no hairline crosses a name.
    for place, (day, name, red) in enumerate(reversed(honours)):
        y, colour = LINE * place + 12, theme.talent if red else theme.muted
        level = way.held_on(day)
        end = top + (8 - level) * STEP + 4 if level else foot
        parts.append(_line(x(day), y - 8, x(day), end, theme.talent if red else theme.slate))
        parts.append(_text(x(day) - 5, y, f"{name} {day:%Y-%m}", "end", colour))
    for place, row in enumerate(periods[: MOST_MENTORS + MOST_STUDIOS]):
        y = foot + 8 + BELOW * (place + 0.5)
        dash = ' stroke-dasharray="5 4"' if row["dashed"] else ""
        more = f'stroke-width="2"{dash}'
        parts.append(_line(x(row["start"]), y, x(row["end"]), y, theme.ink, more))
        late = x(row["start"]) > WIDTH / 2
        at = x(row["start"]) + (-6 if late else 4)
        parts.append(_text(at, y + 4 if late else y - 4, row["name"], "end" if late else "start"))
    if way.taken_on:
        most = max(way.taken_on.values())
        for year, number in way.taken_on.items():
            if first.year <= year <= last.year:
                tall = (BARS - 8) * number / most
                left, right = x(date(year, 1, 20)), x(date(year, 12, 10))
                parts.append(
                    f'<rect x="{left:.1f}" y="{low + BARS - tall:.1f}" height="{tall:.1f}" '
                    f'width="{right - left:.1f}" fill="{theme.slate}">'
                    f"<title>{year}: {number}</title></rect>"
                )
        parts.append(
            _text(
                LEFT - 8,
                low + BARS - 8,
                translate(language, "Apprentices a year"),
                "end",
                theme.muted,
            )
        )
    parts.append(_line(LEFT, height - 20, WIDTH - 8, height - 20, theme.slate_dark))
    every = 5 if last.year - first.year > 12 else 1
    for year in range(first.year, last.year + 1):
        if year % every == 0:
            parts.append(_text(x(date(year, 1, 1)), height - 5, str(year), "middle", theme.muted))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="100%" '
        f'role="img" font-family="{escape(FONT)}" font-size="13" fill="{theme.ink}">'
        f"<title>{escape(translate(language, 'Ladder and honours'))}</title>{''.join(parts)}</svg>"
    )


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, more: str = "") -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" {more}/>'
    )


def _text(x: float, y: float, text: str, anchor: str, colour: str = "") -> str:
    fill = f' fill="{colour}"' if colour else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{fill}>{escape(text)}</text>'
