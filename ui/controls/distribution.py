"""How a figure is spread: its histogram, small multiples of it, and what the first few hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import altair as alt
import numpy as np
import polars as pl

from graph.driven.reach_sets import compute_lorenz_curve
from ui.controls.charts import apply_chart_config
from ui.shell.theme import TOKENS_BY_MODE, ColourMode

HISTOGRAM_BINS = 24
MAX_SMALL_MULTIPLES = 15


def compute_bin_edges(values: Sequence[float], bins: int = HISTOGRAM_BINS) -> list[float]:
    """The bounds of equal bins from 0 to the largest value, at round numbers."""
    most = max([1.0, *values])
    step = most / bins
    size = 10 ** np.floor(np.log10(step))
    width = next(m * size for m in (1, 2, 2.5, 5, 10) if m * size >= step)
    width = max(1.0, float(width))
    return [width * n for n in range(int(np.floor(most / width)) + 2)]


def count_by_bin(values: Sequence[float], edges: Sequence[float]) -> pl.DataFrame:
    """low, high, n, said: how many values lie in each bin, and the bin in words; the high bound is
    left out.
    """
    counts, _ = np.histogram(np.asarray(values, dtype=float), bins=np.asarray(edges))
    said = [f"{low:,.10g}\N{EN DASH}{high:,.10g}" for low, high in pairwise(edges)]
    return pl.DataFrame(
        {"low": edges[:-1], "high": edges[1:], "n": counts.astype(np.int64), "said": said}
    )


def build_histogram(values: Sequence[float], titles: tuple[str, str], mode: ColourMode) -> Any:
    """How many have how much, the median as a line; `titles` name the value and the number."""
    theme = TOKENS_BY_MODE[mode]
    rows = count_by_bin(values, compute_bin_edges(values))
    bars = (
        alt.Chart(rows)
        .mark_bar(color=theme.slate)
        .encode(
            x=alt.X("low:Q", title=titles[0], axis=alt.Axis(grid=False, format=",d")),
            x2=alt.X2("high:Q"),
            y2=alt.datum(0),
            y=alt.Y("n:Q", title=titles[1], axis=alt.Axis(format=",d", tickCount=4, tickMinStep=1)),
            tooltip=[
                alt.Tooltip("said:N", title=titles[0]),
                alt.Tooltip("n:Q", title=titles[1], format=","),
            ],
        )
    )
    middle = pl.DataFrame({"low": [float(np.median(values)) if len(values) else 0.0]})
    rule = alt.Chart(middle).mark_rule(color=theme.ink, strokeWidth=2).encode(x="low:Q")
    return add_axis_titles(alt.layer(bars, rule).properties(height=260, width="container"), mode)


def build_share_curve(values: Sequence[float], titles: tuple[str, str], mode: ColourMode) -> Any:
    """What part of the sum the first part of the holders hold, against an even spread."""
    theme = TOKENS_BY_MODE[mode]
    curve = pl.DataFrame(compute_lorenz_curve(values), schema=["of", "held"], orient="row")
    even = pl.DataFrame({"of": [0.0, 1.0], "held": [0.0, 1.0]})
    x = alt.X("of:Q", title=titles[0], axis=alt.Axis(format="%", grid=False, tickCount=5))
    y = alt.Y("held:Q", title=titles[1], axis=alt.Axis(format="%", tickCount=5))
    line = (
        alt.Chart(curve)
        .mark_line(color=theme.ink, strokeWidth=2)
        .encode(
            x=x,
            y=y,
            tooltip=[
                alt.Tooltip("of:Q", format=".0%", title=titles[0]),
                alt.Tooltip("held:Q", format=".1%", title=titles[1]),
            ],
        )
    )
    straight = alt.Chart(even).mark_line(color=theme.slate, strokeWidth=1).encode(x=x, y=y)
    return add_axis_titles(
        alt.layer(straight, line).properties(height=260, width="container"), mode
    )


def build_small_multiples(
    parts: Mapping[str, Sequence[float]], titles: tuple[str, str, str], mode: ColourMode
) -> Any:
    """A histogram of each part, all on the same axes, as shares of the part's own number.

    `titles` name the parts, the value and the number.
    """
    theme = TOKENS_BY_MODE[mode]
    every = [value for values in parts.values() for value in values]
    edges = compute_bin_edges(every, 16)
    tables = [
        count_by_bin(values, edges).with_columns(
            part=pl.lit(name), share=pl.col("n") / max(1, len(values))
        )
        for name, values in parts.items()
    ]
    chart = (
        alt.Chart(pl.concat(tables))
        .mark_bar(color=theme.slate)
        .encode(
            x=alt.X("low:Q", title=None, axis=alt.Axis(grid=False, format=",d", tickCount=3)),
            x2=alt.X2("high:Q"),
            y=alt.Y("share:Q", title=None, axis=alt.Axis(format="%", tickCount=2)),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip("part:N", title=titles[0]),
                alt.Tooltip("said:N", title=titles[1]),
                alt.Tooltip("n:Q", title=titles[2], format=","),
            ],
        )
        .properties(width=178, height=92)
    )
    faceted = chart.facet(
        facet=alt.Facet(
            "part:N",
            sort=list(parts),
            title=None,
            header=alt.Header(
                labelColor=theme.ink, labelFontSize=13, labelAnchor="start", labelFontWeight="bold"
            ),
        ),
        columns=5,
        spacing=14,
    )
    return apply_chart_config(faceted, theme)


def add_axis_titles(chart: Any, mode: ColourMode) -> Any:
    """As `apply_chart_config`, with the titles of the axes."""
    theme = TOKENS_BY_MODE[mode]
    return apply_chart_config(chart, theme).configure_axis(
        labelColor=theme.muted,
        labelFontSize=13,
        tickColor=theme.slate_dark,
        titleColor=theme.muted,
        titleFontSize=13,
        titleFontWeight="normal",
        domainColor=theme.slate_dark,
        gridColor=theme.hairline,
        gridOpacity=0.7,
        labelPadding=6,
    )
