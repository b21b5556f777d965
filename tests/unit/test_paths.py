"""Paths and common mentors, held to networkx on random networks and to small ones by hand."""

from __future__ import annotations

import random

import networkx as nx
import numpy as np
import pytest

from graph.errors import NoPathError
from graph.people.chains import ApprenticeLinks, MentorLinks
from graph.people.paths import Ties, find_common_mentors, find_shortest_paths

PEOPLE = 60


def ties(pairs: list[tuple[int, int]], people: int = PEOPLE) -> Ties:
    up = sorted((b, a) for a, b in pairs)
    down = sorted(pairs)
    at = np.arange(people + 1)

    def offset(rows: list[tuple[int, int]]) -> np.ndarray:
        return np.searchsorted(np.array([row[0] for row in rows]), at)

    none = np.zeros(len(pairs), np.int32)
    return Ties(
        MentorLinks(offset(up), np.array([row[1] for row in up], np.int32), none, none),
        ApprenticeLinks(offset(down), np.array([row[1] for row in down], np.int32)),
    )


def world(seed: int) -> list[tuple[int, int]]:
    dice = random.Random(seed)
    pairs = [(dice.randrange(PEOPLE), dice.randrange(PEOPLE)) for _ in range(75)]
    return [(a, b) for a, b in pairs if a != b] + [(1, 2), (1, 2)]


@pytest.mark.parametrize("either_way", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_every_shortest_path_and_no_other(seed: int, either_way: bool) -> None:
    pairs = world(seed)
    links = ties(pairs)
    graph = nx.DiGraph(pairs)
    graph.add_nodes_from(range(PEOPLE))
    full = graph.to_undirected() if either_way else graph
    dice = random.Random(seed + 100)
    for _ in range(60):
        start, end = dice.randrange(PEOPLE), dice.randrange(PEOPLE)
        if not nx.has_path(full, start, end):
            with pytest.raises(NoPathError) as none:
                find_shortest_paths(links, start, end, either_way=either_way)
            assert not none.value.cut
            continue
        found = find_shortest_paths(links, start, end, either_way=either_way)
        right = {tuple(path) for path in nx.all_shortest_paths(full, start, end)}
        assert set(found.listed()) == right
        assert found.paths == len(right)
        assert found.first() in right


def test_a_search_that_meets_too_many_says_it_was_cut_off() -> None:
    links = ties([(n, n + 1) for n in range(PEOPLE - 1)])
    with pytest.raises(NoPathError) as cut:
        find_shortest_paths(links, 0, PEOPLE - 1, most=10)
    assert cut.value.cut


@pytest.mark.parametrize("seed", range(12))
def test_the_nearest_common_mentors_have_no_common_one_below_them(seed: int) -> None:
    pairs = [(min(pair), max(pair)) for pair in world(seed)]  # no circles
    graph = nx.DiGraph(pairs)
    graph.add_nodes_from(range(PEOPLE))
    dice = random.Random(seed)
    for _ in range(40):
        people = dice.sample(range(PEOPLE), dice.randint(2, 4))
        above = [nx.ancestors(graph, person) | {person} for person in people]
        shared = set.intersection(*above)
        nearest = {c for c in shared if not nx.descendants(graph, c) & shared}
        found = find_common_mentors(ties(pairs), people, generations=PEOPLE)
        assert set(found.nearest) == nearest
        for mentor in found.nearest:
            lengths = tuple(nx.shortest_path_length(graph, mentor, person) for person in people)
            assert found.distances(mentor) == lengths
            ways = {
                one
                for person in people
                for path in nx.all_shortest_paths(graph, mentor, person)
                for one in path
            }
            assert found.ways_down(ties(pairs), mentor) == ways


def test_in_a_circle_the_fewest_links_decide() -> None:
    links = ties([(1, 2), (2, 1), (1, 3), (2, 4), (1, 4)])
    assert find_common_mentors(links, [3, 4]).nearest == (1,)


def test_how_many_are_not_shown() -> None:
    links = ties([(1, 2), (1, 3), (1, 3), (1, 4), (5, 1)])
    assert links.hidden([1, 2], "down") == {1: 2}
    assert links.hidden([1, 2], "up") == {1: 1}
    assert links.beyond([2, 3], "up") == {1}
