"""How a figure is spread: its histogram, small multiples of it, and what the first few hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from components.charts import configured
from components.reach import lorenz
from components.theme import MODES, Mode

BINS = 24
SMALLS = 15


def edges_of(values: Sequence[float], bins: int = BINS) -> list[float]:
    """The bounds of equal bins from nought to the largest value, at round numbers."""
    most = max([1.0, *values])
    step = most / bins
    size = 10 ** np.floor(np.log10(step))
    width = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= step)
    width = max(1.0, float(width))
    return [width * n for n in range(int(np.floor(most / width)) + 2)]


def counted(values: Sequence[float], edges: Sequence[float]) -> pl.DataFrame:
    """low, high, talents: how many values lie in each bin; the high bound is left out."""
    counts, _ = np.histogram(np.asarray(values, dtype=float), bins=np.asarray(edges))
    return pl.DataFrame({"low": edges[:-1], "high": edges[1:], "n": counts.astype(np.int64)})


def histogram(values: Sequence[float], titles: tuple[str, str], mode: Mode) -> Any:
    """How many have how much, the median as a line; `titles` name the value and the number."""
    theme = MODES[mode]
    rows = counted(values, edges_of(values))
    bars = alt.Chart(rows).mark_bar(color=theme.slate).encode(
        x=alt.X("low:Q", title=titles[0], axis=alt.Axis(grid=False, format=",d")),
        x2=alt.X2("high:Q"),
        y2=alt.datum(0),
        y=alt.Y("n:Q", title=titles[1], axis=alt.Axis(format=",d", tickCount=4, tickMinStep=1)),
        tooltip=[alt.Tooltip("low:Q", format=","), alt.Tooltip("high:Q", format=","),
                 alt.Tooltip("n:Q", title=titles[1], format=",")],
    )  # fmt: skip
    middle = pl.DataFrame({"low": [float(np.median(values)) if len(values) else 0.0]})
    rule = alt.Chart(middle).mark_rule(color=theme.ink, strokeWidth=2).encode(x="low:Q")
    return titled(alt.layer(bars, rule).properties(height=260, width="container"), mode)


def share_curve(values: Sequence[float], titles: tuple[str, str], mode: Mode) -> Any:
    """What part of the sum the first part of the holders hold, against an even spread."""
    theme = MODES[mode]
    curve = pl.DataFrame(lorenz(values), schema=["of", "held"], orient="row")
    even = pl.DataFrame({"of": [0.0, 1.0], "held": [0.0, 1.0]})
    x = alt.X("of:Q", title=titles[0], axis=alt.Axis(format="%", grid=False, tickCount=5))
    y = alt.Y("held:Q", title=titles[1], axis=alt.Axis(format="%", tickCount=5))
    line = alt.Chart(curve).mark_line(color=theme.ink, strokeWidth=2).encode(
        x=x, y=y, tooltip=[alt.Tooltip("of:Q", format=".0%", title=titles[0]),
                           alt.Tooltip("held:Q", format=".1%", title=titles[1])],
    )  # fmt: skip
    straight = alt.Chart(even).mark_line(color=theme.slate, strokeWidth=1).encode(x=x, y=y)
    return titled(alt.layer(straight, line).properties(height=260, width="container"), mode)


def small_multiples(parts: Mapping[str, Sequence[float]], title: str, mode: Mode) -> Any:
    """A histogram of each part, all on the same axes, as shares of the part's own number."""
    theme = MODES[mode]
    every = [value for values in parts.values() for value in values]
    edges = edges_of(every, 16)
    tables = [
        counted(values, edges).with_columns(
            part=pl.lit(name), share=pl.col("n") / max(1, len(values))
        )
        for name, values in parts.items()
    ]
    chart = alt.Chart(pl.concat(tables)).mark_bar(color=theme.slate).encode(
        x=alt.X("low:Q", title=None, axis=alt.Axis(grid=False, format=",d", tickCount=3)),
        x2=alt.X2("high:Q"),
        y=alt.Y("share:Q", title=None, axis=alt.Axis(format="%", tickCount=2)),
        y2=alt.datum(0),
        tooltip=[alt.Tooltip("part:N", title=title), alt.Tooltip("low:Q", format=","),
                 alt.Tooltip("high:Q", format=","), alt.Tooltip("n:Q", format=",")],
    ).properties(width=178, height=92)  # fmt: skip
    faceted = chart.facet(
        facet=alt.Facet("part:N", sort=list(parts), title=None,
                        header=alt.Header(labelColor=theme.ink, labelFontSize=13,
                                          labelAnchor="start", labelFontWeight="bold")),
        columns=5, spacing=14,
    )  # fmt: skip
    return configured(faceted, theme)


def titled(chart: Any, mode: Mode) -> Any:
    """As `configured`, with the titles of the axes."""
    theme = MODES[mode]
    return configured(chart, theme).configure_axis(
        labelColor=theme.muted, labelFontSize=13, tickColor=theme.slate_dark,
        titleColor=theme.muted, titleFontSize=13, titleFontWeight="normal",
        domainColor=theme.slate_dark, gridColor=theme.hairline, gridOpacity=0.7, labelPadding=6,
    )  # fmt: skip
