"""Centrality against networkx on random lineages with cycles; drawn estimates and their error."""

from __future__ import annotations

from typing import Any

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from graph.metrics import centrality as metric
from graph.metrics.centrality import compute_centrality
from graph.metrics.examples import build_example_lineages
from graph.metrics.registry import METRICS
from graph.policy import Policy
from tests.examples import limit_examples

POLICY = Policy()
NAMES = "abcdefghij"
pair_lists = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=30
)


def figures(pairs: list[tuple[str, str]], **parameters: Any) -> pl.DataFrame:
    return compute_centrality(
        build_example_lineages(*(" ".join(pair) for pair in pairs)), POLICY, **parameters
    )


@example([("a", "b"), ("b", "c"), ("c", "a"), ("a", "c"), ("d", "d")])
@given(pair_lists)
@settings(max_examples=limit_examples(200), deadline=None)
def test_it_equals_networkx(pairs: list[tuple[str, str]]) -> None:
    graph = nx.DiGraph()
    graph.add_nodes_from(sorted({name for pair in pairs for name in pair}))
    graph.add_edges_from((u, v) for u, v in pairs if u != v)
    mentors = [name for name in graph if graph.out_degree(name)]
    upwards = graph.reverse()
    # networkx's harmonic sums over the ways that lead to a node: turned round, those that leave it.
    expected = {
        "harmonic": nx.harmonic_centrality(upwards),
        "betweenness": nx.betweenness_centrality(graph, normalized=False),
        "pagerank": {
            name: rank * len(graph)
            for name, rank in nx.pagerank(upwards, alpha=0.85, tol=1e-10, max_iter=1000).items()
        },
    }
    found = figures(pairs)
    assert found["person_id"].to_list() == sorted(mentors)
    for name, by_person in expected.items():
        wanted = [by_person[mentor] for mentor in sorted(mentors)]
        assert found[name].to_list() == pytest.approx(wanted, abs=1e-6), name
    assert found["harmonic_error"].to_list() == [0.0] * len(mentors)


def large_lineage(people: int, seed: int) -> list[tuple[str, str]]:
    """Everyone but the first learned from one or two of those before, the earlier the likelier."""
    draw = np.random.default_rng(seed)
    pairs = {
        (f"p{int(draw.integers(0, 1 + person // 8)):04}", f"p{person:04}")
        for person in range(1, people)
        for _ in range(int(draw.integers(1, 3)))
    }
    return sorted(pairs)


def test_the_error_of_drawn_figures_covers_what_it_says() -> None:
    pairs = large_lineage(1_500, seed=1)
    exact = figures(pairs)
    covered: dict[str, list[bool]] = {"harmonic": [], "betweenness": []}
    for seed in range(20):
        drawn = figures(pairs, apprentices=400, seed=seed)
        for name, inside in covered.items():
            # Zero in all that were drawn has no spread to tell an error by.
            estimated = drawn[f"{name}_error"].is_not_null() & (drawn[name] > 0)
            off = (drawn[name] - exact[name]).abs() <= drawn[f"{name}_error"] + 1e-9
            inside += off.filter(estimated).to_list()
    for name, inside in covered.items():
        assert len(inside) > 200
        assert sum(inside) / len(inside) > 0.88, name


def test_a_seed_draws_the_same_and_all_drawn_is_exact() -> None:
    pairs = large_lineage(300, seed=2)
    assert figures(pairs, apprentices=50).equals(figures(pairs, apprentices=50))
    assert not figures(pairs, apprentices=50).equals(figures(pairs, apprentices=50, seed=2))
    assert figures(pairs, apprentices=10**6).equals(figures(pairs))


def test_it_draws_of_itself_where_all_is_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = large_lineage(300, seed=3)
    monkeypatch.setattr(metric, "MAX_WALKED_POSITIONS", 400)
    found = figures(pairs)
    assert found["harmonic_error"].fill_null(1.0).max() > 0  # type: ignore[operator]
    assert found["harmonic_error"].null_count() > 0


def test_nobody_taught_and_a_number_that_cannot_be() -> None:
    assert compute_centrality(build_example_lineages(talents="a"), POLICY).height == 0
    assert figures([("a", "a")]).height == 0
    with pytest.raises(UsageError, match="apprentices is -1"):
        figures([("a", "b")], apprentices=-1)


def test_it_is_in_the_registry() -> None:
    entry = METRICS["centrality"]
    table = entry.table(build_example_lineages("a b"), POLICY, **entry.parsed({"apprentices": "1"}))
    assert list(entry.columns) == table.columns
