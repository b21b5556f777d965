"""How people are tied: paths between two, common mentors of several, two branches compared.

Each is read from the snapshot, cached by the graph's state and the ids, and drawn by the lineage
widget as a view of its own: mentors left, those they taught right.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from graph.driven.branches import Branch, compute_branches
from graph.errors import NoPathError
from graph.messages import Language
from graph.people import network
from graph.people.path_graphs import drop_side_ties
from graph.policy import Policy
from ui.export.layout import assign_layers
from ui.lineage import view as lineage_view
from ui.lineage.state import LineageState
from ui.lineage.unfold import Unfolded
from ui.lineage.view import Lineage
from ui.lineage.widget import LineageView
from ui.person.person import PersonBox
from ui.shell import graph_state

if TYPE_CHECKING:
    from graph.people.network import Graph

PathWay = Literal["either", "down", "up"]
MAX_PATH_PEOPLE = 300


@graph_state.cache_by_graph_state(max_entries=64, resource=True)
def _compute_path_graph(first: str, last: str, either_way: bool) -> Graph | NoPathError:
    try:
        return network.build_path_graph(
            graph_state.fetch_snapshot(), first, last, limit=MAX_PATH_PEOPLE, either_way=either_way
        )
    except NoPathError as none:
        return none


def fetch_path_graph(first: str, last: str, way: PathWay) -> Graph | NoPathError:
    """Everyone on a shortest path between two people (`graph.people.network.build_path_graph`), or
    why there is none.

    `way` is "down" for chains in which the first taught, by way of others, the last; "up" for the
    other way round.
    """
    if way == "up":
        first, last = last, first
    return _compute_path_graph(first, last, way == "either")


@graph_state.cache_by_graph_state(max_entries=64, resource=True)
def fetch_common_mentors(ids: Sequence[str]) -> Graph:
    """The nearest mentors all of these have in common, and the ways down (`network.common`)."""
    return network.build_common_mentor_graph(
        graph_state.fetch_snapshot(), ids, limit=MAX_PATH_PEOPLE
    )


@graph_state.cache_by_graph_state(max_entries=64, resource=True)
def fetch_compared_branches(policy: Policy, talent_id: str, first: Sequence[str]) -> list[Branch]:
    """The branches of a talent by way of these people, in their order."""
    return compute_branches(graph_state.fetch_snapshot(), policy, talent_id, first)


@dataclass(frozen=True)
class Connection(Lineage):
    """A graph drawn as it is: everyone in it, each right of all who taught him or her."""

    def generation(self, person: str, shown: Unfolded) -> int:
        """The column, 0 where the view's focus stands."""
        return shown.generations[person]


def build_connection_view(
    graph: Graph,
    seen: Lineage,
    state: LineageState,
    path: Sequence[str],
    boxes: Mapping[str, PersonBox],
    language: Language,
) -> LineageView:
    """The graph as the widget draws it, `fetch_path_graph` in ink; who counts is as in the lineage
    `seen`.
    """
    part = drop_side_ties(
        graph.subgraph([p for p in graph if p not in state.shown.hidden or p == state.focus])
    )
    column = assign_layers(part.nodes, part.edges())
    shown = Unfolded({p: n - column[state.focus] for p, n in column.items()}, {}, {}, {}, 0)
    connection = Connection(part, seen.reach, seen.policy, seen.focus, seen.why)
    drawn = lineage_view.build_lineage_view(connection, state, shown, (), boxes, language)
    return replace(drawn, focus=state.focus, paths=(tuple(path),), columns=())
