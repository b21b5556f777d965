"""A lineage view as a networkx graph."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import networkx as nx

    from ui.lineage.widget import LineageGroup, LineageView


def build_view_network(view: LineageView) -> nx.MultiDiGraph[Any]:
    """A lineage view as a graph: exactly the people and ties shown, with their places.

    With years chosen, only the ties begun in them, and only the people these reach.
    """
    import networkx as nx

    from ui.lineage.widget import lay_out_view

    graph: nx.MultiDiGraph[Any] = nx.MultiDiGraph(focus=view.focus)
    places = lay_out_view(replace(view, studios=())).places
    ids = {node.id: _format_group_id(node.id) if node.group else node.id for node in view.nodes}
    for node in view.nodes:
        graph.add_node(
            ids[node.id],
            name=node.name,
            generation=node.generation,
            level=node.level,
            state=node.state,
            leading=node.leading,
            honour=node.honour,
            reason=node.reason,
            not_shown=node.more_up + node.more_down,
            x=places[node.id].x,
            y=places[node.id].y,
            **(_list_group_attributes(node.group) if node.group else {}),
        )
    for flow in view.flows:
        graph.add_edge(ids[flow.source], ids[flow.target], channel="flow", persons=flow.persons)
    for edge in view.edges:
        if _is_date_in_years(edge.start, view.years):
            graph.add_edge(
                edge.source, edge.target, channel=edge.channel, start=edge.start, end=edge.end
            )
    if view.years and view.columns_hold == "people":
        reached = {view.focus} | nx.ancestors(graph, view.focus)
        reached |= nx.descendants(graph, view.focus)
        reached |= {node.id for node in view.nodes if node.pinned}
        graph.remove_nodes_from(set(graph) - reached)
    return graph


def _format_group_id(id: str) -> str:
    """The id of a group in a file: no line breaks, and no person's."""
    return "group:" + id.replace("\n", "/")


def _list_group_attributes(group: LineageGroup) -> dict[str, Any]:
    counts = {"persons": group.persons, "driven": group.driven, "pending": group.pending}
    return counts | {"kind": "group", "open": group.open}


def _is_date_in_years(start: date | None, years: tuple[int, int] | None) -> bool:
    return years is None or (start is not None and years[0] <= start.year <= years[1])
