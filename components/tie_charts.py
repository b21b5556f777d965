"""Ties drawn with Altair: the matrix as a heat map, the graph from places computed in Python."""

from __future__ import annotations

import json
from collections.abc import Mapping

import altair as alt
import polars as pl

from components.charts import RAMP, configured
from components.theme import MODES, Mode
from components.ties import Shown

SHAPES = {"studio": "diamond", "enterprise": "square", "school": "circle"}
LONGEST = 11  # signs of a name beside the matrix
NAMED = 24  # places of the graph whose names stand beside them
SIDE = 560


def short(name: str, most: int = LONGEST) -> str:
    """The name, cut with an ellipsis."""
    return name if len(name) <= most else name[: most - 1] + "…"


def _labels(names: Mapping[str, str]) -> str:
    """A Vega expression: the name of the id a label holds."""
    table = json.dumps({id: short(name) for id, name in names.items()}, ensure_ascii=False)
    return f"({table})[datum.label] || datum.label"


def heat_map(
    shown: Shown, names: Mapping[str, str], unit: str, mode: Mode, chosen: tuple[str, str] | None
) -> alt.Chart:
    """A cell each tie, darker for more; a click selects `cell` (a, b)."""
    theme = MODES[mode]
    rows, columns = shown.first["id"].to_list(), shown.second["id"].to_list()
    cells = shown.edges.with_columns(
        from_=pl.col("a").replace(names), to=pl.col("b").replace(names),
        chosen=(pl.col("a") == (chosen or ("", ""))[0]) & (pl.col("b") == (chosen or ("", ""))[1]),
    )  # fmt: skip
    most = max(1, int(cells["n"].max() or 1))  # type: ignore[arg-type]
    axis = {"labelExpr": _labels(names), "labelLimit": 190, "ticks": False, "domain": False}
    cell = alt.selection_point(name="cell", fields=["a", "b"], on="click", empty=False)
    step = max(16, min(26, SIDE // max(1, len(rows), len(columns))))
    base = alt.Chart(cells).encode(
        x=alt.X("b:N", sort=columns, scale=alt.Scale(domain=columns),
                axis=alt.Axis(orient="top", labelAngle=-55, **axis)),
        y=alt.Y("a:N", sort=rows, scale=alt.Scale(domain=rows), axis=alt.Axis(**axis)),
    )  # fmt: skip
    squares = base.mark_rect(cornerRadius=2, cursor="pointer").encode(
        color=alt.Color(
            "n:Q", legend=None,
            scale=alt.Scale(type="sqrt", domain=[0, most], range=[RAMP[mode][0], RAMP[mode][4]]),
        ),
        tooltip=[alt.Tooltip("from_:N", title="→"), alt.Tooltip("to:N", title="⇥"),
                 alt.Tooltip("n:Q", title=unit, format=",d")],
    ).add_params(cell)  # fmt: skip
    marked = base.transform_filter("datum.chosen").mark_rect(
        fillOpacity=0, stroke=theme.link, strokeWidth=2, cornerRadius=2
    )
    sized = alt.layer(squares, marked).properties(
        width=alt.Step(step), height=alt.Step(step)  # type: ignore[arg-type]
    )  # fmt: skip
    return configured(sized, theme).configure_axis(
        labelColor=theme.muted, labelFontSize=13, title=None, grid=False, labelPadding=4
    )


def _apart(ids: list[str], positions: Mapping[str, tuple[float, float]]) -> set[str]:
    """Of these places, the first first, those whose names do not lie on another's."""
    width = 0.16 * _span(positions, 0)
    height = 0.045 * _span(positions, 1)
    chosen: list[str] = []
    for id in ids:
        x, y = positions[id]
        if all(
            abs(x - positions[c][0]) > width or abs(y - positions[c][1]) > height for c in chosen
        ):
            chosen.append(id)
        if len(chosen) == NAMED:
            break
    return set(chosen)


def _span(positions: Mapping[str, tuple[float, float]], axis: int) -> float:
    values = [place[axis] for place in positions.values()]
    return max(values) - min(values) or 1.0


def _extent(values: pl.Series) -> tuple[float, float]:
    low, high = float(values.min() or 0), float(values.max() or 0)  # type: ignore[arg-type]
    air = 0.07 * (high - low) or 1.0
    return low - air, high + air


def graph(
    shown: Shown, positions: Mapping[str, tuple[float, float]], names: Mapping[str, str],
    kinds: Mapping[str, str], unit: str, mode: Mode,
) -> alt.LayerChart:  # fmt: skip
    """Places and ties; shape tells the kind, size the total; `node` and `cell` are clicked."""
    theme = MODES[mode]
    both = pl.concat([shown.first, shown.second]).unique("id", keep="first").sort(
        ["total", "id"], descending=[True, False]
    )  # fmt: skip
    named = _apart([id for id in both["id"] if id in positions], positions)
    nodes = pl.DataFrame([
        {"id": id, "x": positions[id][0], "y": positions[id][1], "name": names.get(id, id),
         "kind": kinds.get(id, ""), "total": total, "community": community,
         "label": short(names.get(id, id), 9) if id in named else ""}
        for id, total, community in both.rows() if id in positions
    ])  # fmt: skip
    lines = pl.DataFrame([
        {"a": a, "b": b, "n": n, "x": positions[a][0], "y": positions[a][1],
         "x2": positions[b][0], "y2": positions[b][1],
         "between": f"{names.get(a, a)} – {names.get(b, b)}"}
        for a, b, n in shown.edges.rows() if a in positions and b in positions
    ])  # fmt: skip
    (low_x, high_x), (low_y, high_y) = (_extent(nodes[axis]) for axis in ("x", "y"))
    x = alt.X("x:Q", axis=None, scale=alt.Scale(domain=[low_x, high_x], nice=False))
    y = alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[low_y, high_y], nice=False))
    cell = alt.selection_point(name="cell", fields=["a", "b"], on="click", empty=False)
    node = alt.selection_point(name="node", fields=["id"], on="click", empty=False)
    ties = alt.Chart(lines).mark_rule(color=theme.slate, opacity=0.55, cursor="pointer").encode(
        x=x, y=y, x2=alt.X2("x2:Q"), y2=alt.Y2("y2:Q"),
        strokeWidth=alt.StrokeWidth("n:Q", legend=None, scale=alt.Scale(range=[1, 8])),
        tooltip=[alt.Tooltip("between:N", title="–"), alt.Tooltip("n:Q", title=unit, format=",d")],
    ).add_params(cell)  # fmt: skip
    points = alt.Chart(nodes).mark_point(
        filled=True, fill=theme.slate_dark, stroke=theme.paper, strokeWidth=1, opacity=1,
        cursor="pointer",
    ).encode(
        x=x, y=y,
        shape=alt.Shape("kind:N", legend=None,
                        scale=alt.Scale(domain=list(SHAPES), range=list(SHAPES.values()))),
        size=alt.Size("total:Q", legend=None, scale=alt.Scale(range=[40, 420])),
        tooltip=[alt.Tooltip("name:N", title="·"), alt.Tooltip("total:Q", title=unit, format=",d"),
                 alt.Tooltip("community:N", title="#")],
    ).add_params(node)  # fmt: skip
    words = alt.Chart(nodes).mark_text(
        color=theme.ink, fontSize=13, dy=-13, stroke=theme.paper, strokeWidth=3, strokeJoin="round"
    ).encode(x=x, y=y, text=alt.Text("label:N"))  # fmt: skip
    over = alt.Chart(nodes).mark_text(color=theme.ink, fontSize=13, dy=-13).encode(
        x=x, y=y, text=alt.Text("label:N")
    )  # fmt: skip
    layers = alt.layer(ties, points, words, over).properties(width="container", height=620)
    return configured(layers, theme)
