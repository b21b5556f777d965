"""Ties drawn with Altair: the matrix as a heat map, the graph from places computed in Python."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import altair as alt
import polars as pl

from graph.programme.place_ties import ShownTies
from ui.controls.charts import TILE_FILL_RAMP, LayeredChart, apply_chart_config
from ui.shell.theme import TOKENS_BY_MODE, ColourMode, Tokens
from ui.words.i18n import t

PLACE_SHAPES = {
    "studio": "diamond",
    "enterprise": "square",
    "school": "circle",
    "project": "triangle-up",
}
MAX_LABEL_CHARS = 11  # signs of a name beside the matrix
MAX_LABELLED_PLACES = 24  # places of the graph whose names stand beside them
MATRIX_SIDE_PX = 560
NARROW = 520  # px; fewer names fit beside the places of a narrower graph


def shorten_name(name: str, most: int = MAX_LABEL_CHARS) -> str:
    """The name, cut with an ellipsis."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _build_label_expr(names: Mapping[str, str]) -> str:
    """A Vega expression: the name of the id a label holds."""
    table = json.dumps({id: shorten_name(name) for id, name in names.items()}, ensure_ascii=False)
    return f"({table})[datum.label] || datum.label"


def build_tie_heat_map(
    shown: ShownTies,
    names: Mapping[str, str],
    unit: str,
    mode: ColourMode,
    chosen: tuple[str, str] | None,
) -> LayeredChart:
    """A cell each tie, darker for more; a click selects `cell` (a, b)."""
    theme = TOKENS_BY_MODE[mode]
    rows, columns = shown.first["id"].to_list(), shown.second["id"].to_list()
    cells = shown.edges.with_columns(
        from_=pl.col("a").replace(names),
        to=pl.col("b").replace(names),
        chosen=(pl.col("a") == (chosen or ("", ""))[0]) & (pl.col("b") == (chosen or ("", ""))[1]),
    )
    most = max(1, cells.select(pl.col("n").max()).item() or 1)
    axis = partial(
        alt.Axis, labelExpr=_build_label_expr(names), labelLimit=190, ticks=False, domain=False
    )
    cell = alt.selection_point(name="cell", fields=["a", "b"], on="click", empty=False)
    step = max(16, min(26, MATRIX_SIDE_PX // max(1, len(rows), len(columns))))
    base = alt.Chart(cells).encode(
        x=alt.X(
            "b:N",
            sort=columns,
            scale=alt.Scale(domain=columns),
            axis=axis(orient="top", labelAngle=-55),
        ),
        y=alt.Y("a:N", sort=rows, scale=alt.Scale(domain=rows), axis=axis()),
    )
    shades = [TILE_FILL_RAMP[mode][0], TILE_FILL_RAMP[mode][4]]
    shade = alt.Scale(type="sqrt", domain=[0, most], range=shades)
    squares = (
        base.mark_rect(cornerRadius=2, cursor="pointer")
        .encode(
            color=alt.Color("n:Q", legend=None, scale=shade),
            tooltip=[
                alt.Tooltip("from_:N", title=t("From")),
                alt.Tooltip("to:N", title=t("To")),
                alt.Tooltip("n:Q", title=unit, format=",d"),
            ],
        )
        .add_params(cell)
    )
    marked = base.transform_filter("datum.chosen").mark_rect(
        fillOpacity=0, stroke=theme.link, strokeWidth=2, cornerRadius=2
    )
    sized = alt.layer(squares, marked).properties(width=alt.Step(step), height=alt.Step(step))
    chart: LayeredChart = apply_chart_config(sized, theme).configure_axis(
        labelColor=theme.muted, labelFontSize=13, title=None, grid=False, labelPadding=4
    )
    return chart


def _select_uncrowded_labels(
    ids: list[str], positions: Mapping[str, tuple[float, float]], across: float = 0.16
) -> set[str]:
    """Of these places, the first first, those whose names do not lie on another's.

    `across` is the part of the graph's width that a name takes.
    """
    width = across * _compute_span(positions, 0)
    height = 0.045 * _compute_span(positions, 1)
    chosen: list[str] = []
    for id in ids:
        x, y = positions[id]
        if all(
            abs(x - positions[c][0]) > width or abs(y - positions[c][1]) > height for c in chosen
        ):
            chosen.append(id)
        if len(chosen) == MAX_LABELLED_PLACES:
            break
    return set(chosen)


def _compute_span(positions: Mapping[str, tuple[float, float]], axis: int) -> float:
    values = [place[axis] for place in positions.values()]
    return max(values) - min(values) or 1.0


def _compute_extent(values: list[float]) -> list[float]:
    low, high = min(values, default=0.0), max(values, default=0.0)
    air = 0.07 * (high - low) or 1.0
    return [low - air, high + air]


def build_tie_graph_chart(
    shown: ShownTies,
    positions: Mapping[str, tuple[float, float]],
    names: Mapping[str, str],
    kinds: Mapping[str, str],
    unit: str,
    mode: ColourMode,
) -> LayeredChart:
    """Places and ties; shape tells the kind, size the total; `node` and `cell` are clicked."""
    theme = TOKENS_BY_MODE[mode]
    nodes = _list_graph_places(shown, positions, names, kinds)
    lines = _list_graph_lines(shown, positions, names)
    x = alt.X("x:Q", axis=None, scale=_build_graph_scale(nodes["x"]))
    y = alt.Y("y:Q", axis=None, scale=_build_graph_scale(nodes["y"]))
    seen = alt.condition(f"datum.on_a_phone || width > {NARROW}", alt.value(1), alt.value(0))
    text = {"x": x, "y": y, "text": alt.Text("label:N"), "opacity": seen}
    # Below each name the same in the colour of the paper, broader: a line does not run through it.
    words = (
        alt.Chart(nodes)
        .mark_text(
            color=theme.ink,
            fontSize=13,
            dy=-13,
            stroke=theme.paper,
            strokeWidth=3,
            strokeJoin="round",
        )
        .encode(**text)
    )
    over = alt.Chart(nodes).mark_text(color=theme.ink, fontSize=13, dy=-13).encode(**text)
    ties = _draw_graph_lines(lines, x, y, unit, theme)
    points = _draw_graph_points(nodes, x, y, unit, theme)
    layers = alt.layer(ties, points, words, over).properties(width="container", height=620)
    return apply_chart_config(layers, theme)


def _list_graph_places(
    shown: ShownTies,
    positions: Mapping[str, tuple[float, float]],
    names: Mapping[str, str],
    kinds: Mapping[str, str],
) -> pl.DataFrame:
    """A row a place that has a position, those of the largest total first."""
    both = (
        pl.concat([shown.first, shown.second])
        .unique("id", keep="first")
        .sort(["total", "id"], descending=[True, False])
    )
    named = _select_uncrowded_labels([id for id in both["id"] if id in positions], positions)
    on_a_phone = _select_uncrowded_labels([id for id in both["id"] if id in named], positions, 0.4)
    return pl.DataFrame(
        [
            {
                "id": id,
                "on_a_phone": id in on_a_phone,
                "x": positions[id][0],
                "y": positions[id][1],
                "name": names.get(id, id),
                "kind": kinds.get(id, ""),
                "total": total,
                "community": community,
                "label": shorten_name(names.get(id, id), 9) if id in named else "",
            }
            for id, total, community in both.rows()
            if id in positions
        ]
    )


def _list_graph_lines(
    shown: ShownTies, positions: Mapping[str, tuple[float, float]], names: Mapping[str, str]
) -> pl.DataFrame:
    """A row a tie between two places that have positions."""
    return pl.DataFrame(
        [
            {
                "a": a,
                "b": b,
                "n": n,
                "x": positions[a][0],
                "y": positions[a][1],
                "x2": positions[b][0],
                "y2": positions[b][1],
                "between": f"{names.get(a, a)} – {names.get(b, b)}",
            }
            for a, b, n in shown.edges.rows()
            if a in positions and b in positions
        ]
    )


def _build_graph_scale(values: pl.Series) -> alt.Scale:
    return alt.Scale(domain=_compute_extent(values.to_list()), nice=False)


def _draw_graph_lines(lines: pl.DataFrame, x: alt.X, y: alt.Y, unit: str, theme: Tokens) -> Any:
    """The ties: wider for more."""
    cell = alt.selection_point(name="cell", fields=["a", "b"], on="click", empty=False)
    return (
        alt.Chart(lines)
        .mark_rule(color=theme.slate, opacity=0.55, cursor="pointer")
        .encode(
            x=x,
            y=y,
            x2=alt.X2("x2:Q"),
            y2=alt.Y2("y2:Q"),
            strokeWidth=alt.StrokeWidth("n:Q", legend=None, scale=alt.Scale(range=[1, 8])),
            tooltip=[
                alt.Tooltip("between:N", title=t("Between")),
                alt.Tooltip("n:Q", title=unit, format=",d"),
            ],
        )
        .add_params(cell)
    )


def _draw_graph_points(nodes: pl.DataFrame, x: alt.X, y: alt.Y, unit: str, theme: Tokens) -> Any:
    """The places: a shape a kind, larger for a larger total."""
    node = alt.selection_point(name="node", fields=["id"], on="click", empty=False)
    shapes = alt.Scale(domain=list(PLACE_SHAPES), range=list(PLACE_SHAPES.values()))
    return (
        alt.Chart(nodes)
        .mark_point(
            filled=True,
            fill=theme.slate_dark,
            stroke=theme.paper,
            strokeWidth=1,
            opacity=1,
            cursor="pointer",
        )
        .encode(
            x=x,
            y=y,
            shape=alt.Shape("kind:N", legend=None, scale=shapes),
            size=alt.Size("total:Q", legend=None, scale=alt.Scale(range=[40, 420])),
            tooltip=[
                alt.Tooltip("name:N", title=t("Place")),
                alt.Tooltip("total:Q", title=unit, format=",d"),
                alt.Tooltip("community:N", title=t("Community")),
            ],
        )
        .add_params(node)
    )
