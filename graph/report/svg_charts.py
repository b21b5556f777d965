"""Charts of a report as SVG: text stays text, so that the reader's own fonts draw it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Final

from graph.report.document import ChartBand, ChartSeries, ReportChart

WIDTH, HEIGHT = 720, 330
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 34, 34
MAX_AXIS_LABELS: Final = 12
GRID_LINES: Final = 4
LEGEND_STEP_PX: Final = 150
# Chinese letters of names under bars, turned where there are many.
MAX_LEVEL_BARS: Final = 9


@dataclass(frozen=True)
class ChartFrame:
    """Where values stand: how many labels there are, and the value at the top of the axis."""

    labels: int
    top: float
    bars: bool

    @property
    def step(self) -> float:
        """The width between two labels."""
        room = WIDTH - LEFT - RIGHT
        return room / max(self.labels if self.bars else self.labels - 1, 1)

    def x(self, place: int) -> float:
        """Where a label stands."""
        return LEFT + self.step * (place + 0.5 if self.bars else place)

    def y(self, value: float) -> float:
        """Where a value stands."""
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / self.top


def render_svg_chart(chart: ReportChart, style: str = "") -> str:
    """The chart as one `<svg>` element; its colours are classes (`report.css`).

    `style`: a `<style>` element, for a chart that stands alone.
    """
    frame = ChartFrame(len(chart.labels), _find_axis_top(chart), chart.kind == "bars")
    parts = [*_draw_axes(chart, frame)]
    parts += [_draw_band(band, place, frame) for place, band in enumerate(chart.bands)]
    for series in chart.series:
        parts += _draw_svg_bars(series, frame) if frame.bars else _draw_svg_line(series, frame)
    if not frame.bars:
        parts += _draw_legend(chart)
    said = escape(f"{chart.title} ({chart.unit})")
    space = ' xmlns="http://www.w3.org/2000/svg"' if style else ""
    return (
        f'<svg{space} class="report-chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'aria-label="{said}">{style}{"".join(parts)}</svg>'
    )


def _find_axis_top(chart: ReportChart) -> float:
    """The least round number above every value.

    >>> _find_axis_top(ReportChart("", "", "bars", ("a",), (ChartSeries("", (41.0,)),)))
    50.0
    """
    lines = [*(one.values for one in chart.series), *(band.high for band in chart.bands)]
    most = max((v for values in lines for v in values if v is not None), default=1.0)
    size = 1.0
    while size * 10 <= most:
        size *= 10
    steps = (1, 1.2, 1.6, 2, 2.5, 3, 4, 5, 6, 8, 10)
    return next((size * step for step in steps if size * step >= most), 10 * size) or 1.0


def _draw_axes(chart: ReportChart, frame: ChartFrame) -> Iterator[str]:
    for line in range(GRID_LINES + 1):
        value = frame.top * line / GRID_LINES
        y = frame.y(value)
        yield f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        yield f'<text class="axis end" x="{LEFT - 6}" y="{y + 4:.1f}">{value:,.10g}</text>'
    every = -(-len(chart.labels) // MAX_AXIS_LABELS) if not frame.bars else 1
    turned = frame.bars and len(chart.labels) > MAX_LEVEL_BARS
    for place, label in enumerate(chart.labels):
        if place % every:
            continue
        x, y = frame.x(place), HEIGHT - BOTTOM + 16
        turn = f' transform="rotate(-32 {x:.1f} {y})"' if turned else ""
        look = "axis end" if turned else "axis middle"
        yield f'<text class="{look}" x="{x:.1f}" y="{y}"{turn}>{escape(label)}</text>'


def _draw_band(band: ChartBand, place: int, frame: ChartFrame) -> str:
    known = [
        (frame.x(at), low, high)
        for at, (low, high) in enumerate(zip(band.low, band.high, strict=True))
        if low is not None and high is not None
    ]
    above = [f"{x:.1f},{frame.y(high):.1f}" for x, _, high in known]
    below = [f"{x:.1f},{frame.y(low):.1f}" for x, low, _ in reversed(known)]
    return f'<polygon class="band{place}" points="{" ".join(above + below)}"/>'


def _draw_svg_line(series: ChartSeries, frame: ChartFrame) -> Iterator[str]:
    points = " ".join(
        f"{frame.x(at):.1f},{frame.y(value):.1f}"
        for at, value in enumerate(series.values)
        if value is not None
    )
    yield f'<polyline class="line {series.look}" points="{points}"/>'


def _draw_svg_bars(series: ChartSeries, frame: ChartFrame) -> Iterator[str]:
    wide = frame.step * 0.62
    for at, value in enumerate(series.values):
        if value is None:
            continue
        x, y = frame.x(at), frame.y(value)
        yield (
            f'<rect class="bar" x="{x - wide / 2:.1f}" y="{y:.1f}" width="{wide:.1f}" '
            f'height="{HEIGHT - BOTTOM - y:.1f}"/>'
            f'<text class="axis middle" x="{x:.1f}" y="{y - 5:.1f}">{value:,.0f}</text>'
        )


def _draw_legend(chart: ReportChart) -> Iterator[str]:
    named = [(f"line {one.look}", one.name) for one in chart.series]
    named += [(f"band{place}", band.name) for place, band in enumerate(chart.bands)]
    for at, (look, name) in enumerate(named):
        x = LEFT + at * min(LEGEND_STEP_PX, (WIDTH - LEFT) // len(named))
        if look.startswith("line"):
            yield f'<polyline class="{look}" points="{x},14 {x + 22},14"/>'
        else:
            yield f'<rect class="{look}" x="{x}" y="8" width="22" height="12"/>'
        yield f'<text class="axis" x="{x + 28}" y="18">{escape(name)}</text>'
