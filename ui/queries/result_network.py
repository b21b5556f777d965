"""The nodes and relations in a result, as a drawing: layers from left to right where there is no
circle, else by springs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import altair as alt
import networkx as nx
import polars as pl

from graph.cypher.named_queries import Table
from ui.controls.charts import apply_chart_config, build_chart_spec
from ui.shell.theme import Tokens

MAX_DRAWN_NODES: Final = 200
MAX_DRAWN_LINKS: Final = 600
NETWORK_HEIGHT_PX: Final = 520
_LABEL_CHARACTERS: Final = 12
# Columns of ids that stand for a relation: who is at its start, who at its end, their names.
_LINK_COLUMNS: Final = (
    ("mentor_id", "mentor", "apprentice_id", "apprentice"),
    ("mentor_id", "mentor", "person_id", "name"),
    ("through_id", "through", "person_id", "name"),
    ("school_id", "school", "enterprise_id", "enterprise"),
)


@dataclass
class ResultNetwork:
    """What is drawn: id -> (label, kind), and the pairs with the type of their relation."""

    nodes: dict[str, tuple[str, str]] = field(default_factory=dict)
    links: set[tuple[str, str, str]] = field(default_factory=set)

    @property
    def is_cut(self) -> bool:
        """Whether there is more than is drawn."""
        return len(self.nodes) > MAX_DRAWN_NODES or len(self.links) > MAX_DRAWN_LINKS


def extract_network(table: Table) -> ResultNetwork:
    """Nodes, relations and paths in the cells; else the columns that name who is tied to whom."""
    found = ResultNetwork()
    for row in table.rows:
        for cell in row:
            for value in _iterate_values(cell):
                _add_value(found, value)
    if not found.links:
        for columns in _LINK_COLUMNS:
            if {columns[0], columns[2]} <= set(table.columns):
                _add_linked_columns(found, table, columns)
                break
    return found


def _iterate_values(cell: Any) -> Iterator[dict[str, Any]]:
    if isinstance(cell, dict):
        yield cell
    elif isinstance(cell, list):
        for item in cell:
            yield from _iterate_values(item)


def _add_value(found: ResultNetwork, value: dict[str, Any]) -> None:
    properties = value.get("properties")
    if not isinstance(properties, dict):
        return
    if isinstance(value.get("labels"), list) and value.get("id") is not None:
        id = str(value["id"])
        label = str(properties.get("name") or properties.get("title") or id)
        found.nodes[id] = (label, "/".join(map(str, value["labels"])))
    elif value.get("start") is not None and value.get("end") is not None:
        start, end = str(value["start"]), str(value["end"])
        for id in (start, end):
            found.nodes.setdefault(id, (id, ""))
        found.links.add((start, end, str(value.get("type", ""))))


def _add_linked_columns(found: ResultNetwork, table: Table, columns: Sequence[str]) -> None:
    places = {name: at for at, name in enumerate(table.columns)}
    for row in table.rows:
        ends = [row[places[columns[0]]], row[places[columns[2]]]]
        if None in ends:
            continue
        for id, named in zip(ends, (columns[1], columns[3]), strict=True):
            label = row[places[named]] if named in places else None
            found.nodes[str(id)] = (str(label or id), "")
        found.links.add((str(ends[0]), str(ends[1]), ""))


def place_nodes(network: ResultNetwork) -> dict[str, tuple[float, float]]:
    """Where each node that is drawn stands; the same network stands the same way."""
    drawn = list(network.nodes)[:MAX_DRAWN_NODES]
    graph = nx.DiGraph()
    graph.add_nodes_from(drawn)
    graph.add_edges_from((a, b) for a, b, _ in list_drawn_links(network))
    if nx.is_directed_acyclic_graph(graph) and graph.number_of_edges():
        places: dict[str, tuple[float, float]] = {}
        for depth, layer in enumerate(nx.topological_generations(graph)):
            for at, id in enumerate(layer):
                places[id] = (float(depth), (at + 0.5) / len(layer))
        return places
    springs = nx.spring_layout(graph, seed=1, iterations=60)
    return {id: (float(x), float(y)) for id, (x, y) in springs.items()}


def list_drawn_links(network: ResultNetwork) -> list[tuple[str, str, str]]:
    """The relations between nodes that are drawn, in a fixed order."""
    drawn = set(list(network.nodes)[:MAX_DRAWN_NODES])
    links = sorted(link for link in network.links if link[0] in drawn and link[1] in drawn)
    return links[:MAX_DRAWN_LINKS]


def build_network_chart(network: ResultNetwork, theme: Tokens) -> dict[str, Any]:
    """The drawing as Vega-Lite."""
    places = place_nodes(network)
    nodes = pl.DataFrame(
        [
            (
                *places[id],
                _shorten(network.nodes[id][0]),
                network.nodes[id][0],
                network.nodes[id][1],
            )
            for id in places
        ],
        schema=["x", "y", "label", "name", "kind"],
        orient="row",
    )
    ties = pl.DataFrame(
        [(*places[a], *places[b], kind) for a, b, kind in list_drawn_links(network)],
        schema={"x": pl.Float64, "y": pl.Float64, "x2": pl.Float64, "y2": pl.Float64, "type": str},
        orient="row",
    )
    axes: dict[str, Any] = {"axis": None, "scale": alt.Scale(zero=False, nice=False, padding=40)}
    across, upright = alt.X("x:Q", **axes), alt.Y("y:Q", **axes)
    talent = alt.condition(
        "indexof(datum.kind, 'LeadingTalent') >= 0",
        alt.value(theme.talent),
        alt.value(theme.slate_dark),
    )
    lines = alt.Chart(ties).mark_rule(color=theme.slate, opacity=0.6)
    dots = alt.Chart(nodes).mark_circle(size=110, opacity=1)
    texts = alt.Chart(nodes).mark_text(dy=-12, color=theme.ink, fontSize=13)
    chart = alt.layer(
        lines.encode(x=across, y=upright, x2="x2:Q", y2="y2:Q", tooltip=["type:N"]),
        dots.encode(x=across, y=upright, color=talent, tooltip=["name:N", "kind:N"]),
        texts.encode(x=across, y=upright, text="label:N"),
    ).properties(width="container", height=NETWORK_HEIGHT_PX)
    return build_chart_spec(apply_chart_config(chart, theme))


def _shorten(label: str) -> str:
    return label if len(label) <= _LABEL_CHARACTERS else label[: _LABEL_CHARACTERS - 1] + "…"
