"""Components and communities against networkx on random lineages with cycles."""

from __future__ import annotations

import networkx as nx
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from graph.metrics.communities import find_communities
from graph.metrics.components import find_components
from graph.metrics.examples import build_example_lineages
from graph.metrics.registry import METRICS
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from tests.examples import limit_examples

POLICY = Policy()
NAMES = "abcdefghijkl"
Pairs = list[tuple[str, str]]
pair_lists = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=25
)


def snapshot_of(pairs: Pairs, talents: str = "") -> Snapshot:
    return build_example_lineages(*(" ".join(pair) for pair in pairs), talents=talents)


def graph_of(pairs: Pairs) -> nx.DiGraph:
    graph = nx.DiGraph()
    graph.add_nodes_from(name for pair in pairs for name in pair)
    graph.add_edges_from((u, v) for u, v in pairs if u != v)
    return graph


def sets_of(members: pl.DataFrame, group: str) -> dict[str, set[str]]:
    rows = members.group_by(group).agg("person_id").rows()
    return {name: set(persons) for name, persons in rows}


@pytest.mark.parametrize("connection", ["weak", "strong"])
@given(pairs=pair_lists)
@settings(max_examples=limit_examples(100), deadline=None)
def test_components_are_those_of_networkx(connection: str, pairs: Pairs) -> None:
    graph, found = (
        graph_of(pairs),
        find_components(snapshot_of(pairs), POLICY, connection=connection),
    )
    kinds = {"weak": nx.weakly_connected_components, "strong": nx.strongly_connected_components}
    expected = {min(group): group for group in kinds[connection](graph) if len(group) > 1}
    assert sets_of(found.members, "component") == expected
    assert found.alone == len(graph) - found.members.height
    for name, people, mentorships, mentors, talents in found.table().rows():
        inside = graph.subgraph(expected[name])
        assert (people, mentorships) == (len(inside), inside.number_of_edges())
        assert mentors == sum(1 for _, taught in inside.out_degree if taught)
        assert talents == 0
    assert found.table()["people"].to_list() == sorted(map(len, expected.values()), reverse=True)


@given(pairs=pair_lists, resolution=st.sampled_from([0.5, 1.0, 2.0]))
@settings(max_examples=limit_examples(100), deadline=None)
def test_communities_add_up_to_their_modularity(pairs: Pairs, resolution: float) -> None:
    graph = graph_of(pairs).to_undirected()
    found = find_communities(snapshot_of(pairs), POLICY, resolution=resolution)
    groups = sets_of(found.members, "community")
    assert all(name == min(group) for name, group in groups.items())
    alone = [{name} for name in set(graph) - set().union(*groups.values())]
    if graph.number_of_edges():
        expected = nx.community.modularity(graph, [*groups.values(), *alone], resolution=resolution)
        assert found.modularity == pytest.approx(expected)
    assert all(nx.is_connected(graph.subgraph(group)) for group in groups.values())
    sizes = dict(found.sizes.select("community", "people").rows())
    assert sizes == {name: len(group) for name, group in groups.items()}


def test_two_circles_with_one_tie_between_them() -> None:
    circles = [(u, v) for circle in ("abcd", "efgh") for u in circle for v in circle if u < v]
    found = find_communities(snapshot_of([*circles, ("d", "e")], talents="a"), POLICY)
    assert sets_of(found.members, "community") == {"a": set("abcd"), "e": set("efgh")}
    assert found.table().drop("modularity").rows() == [("a", 4, 6, 3, 1), ("e", 4, 6, 3, 0)]
    again = find_communities(snapshot_of([*circles, ("d", "e")], talents="a"), POLICY)
    assert found.table().equals(again.table())


def test_both_are_quiet_where_nobody_taught() -> None:
    nobody = build_example_lineages(talents="a b")
    assert find_components(nobody, POLICY).table().height == 0
    assert find_components(nobody, POLICY).alone == 2
    assert find_communities(nobody, POLICY).table().height == 0
    assert find_communities(nobody, POLICY).modularity == 0


def test_what_cannot_be_is_said() -> None:
    with pytest.raises(UsageError, match="connection is 'loose'; give weak or strong"):
        find_components(snapshot_of([("a", "b")]), POLICY, connection="loose")
    with pytest.raises(UsageError, match="resolution has 0; give a number from"):
        find_communities(snapshot_of([("a", "b")]), POLICY, resolution=0)


@pytest.mark.parametrize("name", ["components", "communities"])
def test_they_are_in_the_registry(name: str) -> None:
    table = METRICS[name].table(snapshot_of([("a", "b")]), POLICY)
    assert set(table.columns) <= set(METRICS[name].columns)
    assert table.height == 1
