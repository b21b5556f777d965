"""Paths of a graph, one after another, and the ties that are steps of a shortest way."""

from __future__ import annotations

import random
from datetime import date
from itertools import pairwise

import networkx as nx
import pytest

from graph.people.path_graphs import (
    MAX_LISTED_PATHS,
    drop_side_ties,
    find_earliest_tie,
    list_path_ties,
    list_shortest_paths,
)


def path_graph(pairs: list[tuple[str, str]], start: str, end: str) -> nx.MultiDiGraph:
    """The part on the shortest ways between two, as `build_path_graph` gives it."""
    full = nx.Graph(pairs)
    paths = list(nx.all_shortest_paths(full, start, end))
    hop = {person: at for path in paths for at, person in enumerate(path)}
    graph = nx.MultiDiGraph(hops=len(paths[0]) - 1)
    graph.add_nodes_from((person, {"hop": at}) for person, at in hop.items())
    graph.add_edges_from(
        (a, b, {"channel": "mentorship"}) for a, b in pairs if a in hop and b in hop
    )
    return graph


@pytest.mark.parametrize("seed", range(12))
def test_the_paths_are_all_shortest_ones(seed: int) -> None:
    dice = random.Random(seed)
    people = [f"P{n}" for n in range(12)]
    pairs = [tuple(dice.sample(people, 2)) for _ in range(26)]
    full = nx.Graph(pairs)
    start, end = dice.sample(sorted(nx.node_connected_component(full, pairs[0][0])), 2)
    graph = path_graph(pairs, start, end)
    found = list_shortest_paths(graph)
    right = {tuple(path) for path in nx.all_shortest_paths(full, start, end)}
    assert found == sorted(right)[:MAX_LISTED_PATHS]
    steps = drop_side_ties(graph)
    assert set(steps) == set(graph)
    assert {frozenset(edge) for edge in steps.edges()} == {
        frozenset(step) for path in right for step in pairwise(path)
    }


def test_the_earliest_tie_is_taken_whichever_way_it_goes() -> None:
    graph = nx.MultiDiGraph()
    graph.add_edge("A", "B", channel="studio", start=date(2020, 1, 1))
    graph.add_edge("A", "B", channel="mentorship")
    graph.add_edge("B", "A", channel="mentorship", start=date(2010, 1, 1), end=date(2011, 1, 1))
    graph.add_edge("B", "C", channel="teaching")
    tie = find_earliest_tie(graph, "A", "B")
    assert (tie.mentor, tie.apprentice, tie.start) == ("B", "A", date(2010, 1, 1))
    ((first, second),) = list_path_ties(graph, [("A", "B", "C")])
    assert first == tie and (second.channel, second.start) == ("teaching", None)


def test_below_a_common_mentor_only_ties_one_generation_down_stay() -> None:
    graph = nx.MultiDiGraph(nearest={"M": (1, 2)})
    graph.add_edges_from([("M", "A"), ("M", "B"), ("B", "C"), ("M", "C"), ("A", "B")])
    assert set(drop_side_ties(graph).edges()) == {("M", "A"), ("M", "B"), ("M", "C")}
