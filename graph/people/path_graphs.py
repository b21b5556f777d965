"""Graphs of the ways between people, read path by path and tie by tie."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import islice, pairwise
from typing import Final

import networkx as nx

from graph.people.network import Graph

MAX_LISTED_PATHS: Final = 50


@dataclass(frozen=True)
class PathTie:
    """What ties two people of a path: who taught whom, how and from when to when."""

    mentor: str
    apprentice: str
    channel: str
    start: date | None
    end: date | None


def list_shortest_paths(graph: Graph) -> list[tuple[str, ...]]:
    """The first `MAX_LISTED_PATHS` shortest paths of a graph of
    `graph.people.network.build_path_graph`, as ids from start to end, in the order of the ids.
    """
    hop: Mapping[str, int] = dict(graph.nodes(data="hop"))
    either = nx.Graph(graph.edges())
    last = graph.graph["hops"]
    start = [person for person in graph if hop[person] == 0]

    def onward(so_far: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if len(so_far) > last:
            yield so_far
            return
        for person in sorted(either.adj.get(so_far[-1], ())):
            if hop[person] == len(so_far):
                yield from onward((*so_far, person))

    ends = {person for person in graph if hop[person] == last}
    paths = (found for found in onward((start[0],)) if found[-1] in ends)
    return list(islice(paths, MAX_LISTED_PATHS))


def find_earliest_tie(graph: Graph, one: str, other: str) -> PathTie:
    """The earliest tie between two neighbours of a path, whichever of them taught."""
    found = [
        PathTie(a, b, link["channel"], link.get("start"), link.get("end"))
        for a, b in ((one, other), (other, one))
        for link in graph.get_edge_data(a, b, default={}).values()
    ]
    return min(found, key=lambda tie: (tie.start or date.max, tie.channel))


def list_path_ties(graph: Graph, paths: Sequence[Sequence[str]]) -> list[list[PathTie]]:
    """Each path as its ties."""
    return [[find_earliest_tie(graph, a, b) for a, b in pairwise(path)] for path in paths]


def drop_side_ties(graph: Graph) -> Graph:
    """The graph without the ties that are no step of a shortest way.

    Of a path graph (`graph.people.network.build_path_graph`) those stay that go from one hop to the
    next; of a graph of common mentors those that go one generation down from a nearest one.
    Everyone stays.
    """
    if "hops" in graph.graph:
        hop = dict(graph.nodes(data="hop"))
        on = [edge for edge in graph.edges(keys=True) if abs(hop[edge[0]] - hop[edge[1]]) == 1]
    else:
        below = [
            nx.single_source_shortest_path_length(graph, mentor)
            for mentor in graph.graph["nearest"]
            if mentor in graph
        ]
        on = [
            (a, b, key)
            for a, b, key in graph.edges(keys=True)
            if any(a in found and found.get(b) == found[a] + 1 for found in below)
        ]
    steps = graph.edge_subgraph(on).copy()
    steps.add_nodes_from(graph.nodes(data=True))
    return steps
