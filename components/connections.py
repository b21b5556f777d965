"""How people are tied: the paths between two, whom several go back to, two branches compared.

Each is read from the snapshot, kept by the graph's state and the ids, and drawn by the lineage
widget as a view of its own: mentors left, those they taught right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, Literal

import networkx as nx
import streamlit as st

from components import lineage_view, store
from components.i18n import Language
from components.layout import layers
from components.lineage import LineageView
from components.lineage_state import LineageState
from components.lineage_unfold import Unfolded
from components.lineage_view import Lineage
from graph import network
from graph.branches import Branch, branches
from graph.errors import NoPathError
from graph.policy import Policy

if TYPE_CHECKING:
    from graph.network import Graph

Way = Literal["either", "down", "up"]
MOST_PEOPLE = 300
MOST_LISTED = 50  # paths to step through


@dataclass(frozen=True)
class Tie:
    """What ties two people of a path: who taught whom, how and from when to when."""

    mentor: str
    apprentice: str
    channel: str
    start: date | None
    end: date | None


@st.cache_resource(max_entries=64, show_spinner=False)
def _path(state: str, first: str, last: str, either_way: bool) -> Graph | NoPathError:
    try:
        return network.path(store.snapshot(), first, last, limit=MOST_PEOPLE, either_way=either_way)
    except NoPathError as none:
        return none


def path(first: str, last: str, way: Way) -> Graph | NoPathError:
    """Everyone on a shortest path between two people (`graph.network.path`), or why there is none.

    `way` is "down" for chains in which the first taught, by way of others, the last; "up" for the
    other way round.
    """
    if way == "up":
        first, last = last, first
    return _path(store.state(), first, last, way == "either")


def listed(graph: Graph) -> list[tuple[str, ...]]:
    """The first shortest paths of a graph of `path`, as ids from start to end."""
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
    return list(islice(paths, MOST_LISTED))


def tie(graph: Graph, one: str, other: str) -> Tie:
    """The earliest tie between two neighbours of a path, whichever of them taught."""
    found = [
        Tie(a, b, link["channel"], link.get("start"), link.get("end"))
        for a, b in ((one, other), (other, one))
        for link in graph.get_edge_data(a, b, default={}).values()
    ]
    return min(found, key=lambda tie: (tie.start or date.max, tie.channel))


@st.cache_resource(max_entries=64, show_spinner=False)
def _common(state: str, ids: tuple[str, ...]) -> Graph:
    return network.common(store.snapshot(), ids, limit=MOST_PEOPLE)


def common(ids: Sequence[str]) -> Graph:
    """The nearest people whom all of these go back to, and the ways down (`network.common`)."""
    return _common(store.state(), tuple(ids))


@st.cache_resource(max_entries=64, show_spinner=False)
def _branches(state: str, policy: Policy, talent_id: str, first: tuple[str, ...]) -> list[Branch]:
    return branches(store.snapshot(), policy, talent_id, first)


def compared(policy: Policy, talent_id: str, first: Sequence[str]) -> list[Branch]:
    """The branches of a talent by way of these people, in their order."""
    return _branches(store.state(), policy, talent_id, tuple(first))


@dataclass(frozen=True)
class Connection(Lineage):
    """A graph drawn as it is: everyone in it, each right of all who taught him or her."""

    def generation(self, person: str, shown: Unfolded) -> int:
        """The column, 0 where the view's focus stands."""
        return shown.generations[person]


def view(
    graph: Graph,
    seen: Lineage,
    state: LineageState,
    path: Sequence[str],
    boxes: Mapping[str, Mapping[str, Any]],
    language: Language,
) -> LineageView:
    """The graph as the widget draws it, `path` in ink; who counts is as in the lineage `seen`."""
    part = _on_ways(
        graph.subgraph([p for p in graph if p not in state.shown.hidden or p == state.focus])
    )
    column = layers(part.nodes, part.edges())
    shown = Unfolded({p: n - column[state.focus] for p, n in column.items()}, {}, {}, {}, 0)
    whole = Connection(part, seen.reach, seen.policy, seen.focus, seen.why)
    drawn = lineage_view.view(whole, state, shown, (), boxes, language)
    return replace(drawn, focus=state.focus, paths=(tuple(path),), columns=())


def _on_ways(graph: Graph) -> Graph:
    """The graph with the ties that lead one step on alone: those beside the ways only confuse."""
    if "hops" in graph.graph:
        hop = dict(graph.nodes(data="hop"))
        on = [edge for edge in graph.edges(keys=True) if abs(hop[edge[0]] - hop[edge[1]]) == 1]
    else:
        below = [nx.single_source_shortest_path_length(graph, mentor)
                 for mentor in graph.graph["nearest"] if mentor in graph]  # fmt: skip
        on = [
            (a, b, key)
            for a, b, key in graph.edges(keys=True)
            if any(a in found and found.get(b) == found[a] + 1 for found in below)
        ]
    kept = graph.edge_subgraph(on).copy()
    kept.add_nodes_from(graph.nodes(data=True))
    return kept


def walked(graph: Graph, paths: Sequence[Sequence[str]]) -> list[list[Tie]]:
    """Each path as its ties."""
    return [[tie(graph, a, b) for a, b in pairwise(path)] for path in paths]
