"""Ties: what a matrix and a graph show of them, projections, communities, places in the plane."""

from __future__ import annotations

import io

import networkx as nx
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.programme import place_ties
from graph.tabular import About
from ui.ties import counts
from ui.ties.charts import shorten_name
from ui.ties.page import encode_ties_graphml

PAIRS = st.dictionaries(
    st.tuples(st.sampled_from(["S1", "S2", "S3", "S4"]), st.sampled_from(["E1", "E2", "E3"])),
    st.integers(1, 9),
    min_size=1,
)


def frame(pairs: dict[tuple[str, str], int]) -> pl.DataFrame:
    rows = [(a, b, n) for (a, b), n in pairs.items()]
    schema = {"a": pl.String, "b": pl.String, "n": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@settings(deadline=None)
@given(PAIRS, st.integers(1, 4))
def test_a_matrix_shows_a_part_and_says_of_what(
    pairs: dict[tuple[str, str], int], size: int
) -> None:
    shown = place_ties.build_tie_matrix(frame(pairs), size, "total")
    assert shown.total == sum(pairs.values())
    assert shown.part == sum(n for a, b, n in shown.edges.rows()) <= shown.total
    assert set(shown.edges["a"]) <= set(shown.first["id"])
    assert set(shown.edges["b"]) <= set(shown.second["id"])
    assert all(pairs[a, b] == n for a, b, n in shown.edges.rows())
    if size == 4:
        assert shown.part == shown.total
    by = place_ties.build_tie_matrix(frame(pairs), size, "community")
    assert sorted(by.first["id"]) == sorted(shown.first["id"])
    assert by.first["community"].is_sorted()


@settings(deadline=None)
@given(PAIRS)
def test_a_projection_counts_what_two_share(pairs: dict[tuple[str, str], int]) -> None:
    of: dict[str, set[str]] = {}
    for a, b in pairs:
        of.setdefault(a, set()).add(b)
    expected = {(a, b): len(of[a] & of[b]) for a in of for b in of if a < b and of[a] & of[b]}
    made = place_ties.project_ties(frame(pairs), "first", 99)
    assert {(a, b): n for a, b, n in made.rows()} == expected
    for (a, b), n in expected.items():
        assert place_ties.list_shared_places(frame(pairs), "first", a, b).height == n
    square = place_ties.build_projection_matrix(made, 99, "total")
    cells = {(a, b): n for a, b, n in square.edges.rows()}
    assert all(cells[a, b] == cells[b, a] == n for (a, b), n in expected.items())


def test_circles_apart_are_communities_and_the_largest_is_first() -> None:
    pairs = {("S1", "E1"): 5, ("S1", "E2"): 5, ("S2", "E1"): 5, ("S2", "E2"): 5, ("S3", "E3"): 5}
    found = place_ties.detect_tie_communities(frame(pairs))
    assert {found[p] for p in ("S1", "S2", "E1", "E2")} == {1}
    assert {found[p] for p in ("S3", "E3")} == {2}
    assert place_ties.detect_tie_communities(frame({}).head(0)) == {}


def test_two_places_of_different_kinds_and_one_id_stay_two() -> None:
    """A studio and an enterprise X1: folded into one, X1 would be tied to itself and to E2."""
    rows = pl.LazyFrame(
        {"person": [1, 2, 3], "a": ["X1", "X1", "S2"], "b": ["X1", "E2", "X1"]},
        schema_overrides={"person": pl.Int32},
    )
    edges = place_ties.count_place_ties(rows, "studio_enterprise").collect()
    assert set(edges.rows()) == {
        ("studio:X1", "enterprise:X1", 1),
        ("studio:X1", "enterprise:E2", 1),
        ("studio:S2", "enterprise:X1", 1),
    }
    shown = place_ties.build_tie_network(edges)
    assert shown.places == (2, 2)
    assert (
        len(counts.compute_place_positions(shown))
        == len(place_ties.detect_tie_communities(edges))
        == 4
    )
    graph = nx.read_graphml(io.BytesIO(encode_ties_graphml(shown, {}, About(1))))
    assert {id: kind for id, kind in graph.nodes(data="kind")} == {
        "studio:X1": "studio",
        "studio:S2": "studio",
        "enterprise:X1": "enterprise",
        "enterprise:E2": "enterprise",
    }
    assert [place_ties.id_of(key) for key in ("studio:X1", "school:a:b")] == ["X1", "a:b"]


def test_the_same_ties_stand_at_the_same_places() -> None:
    pairs = frame({("S1", "E1"): 5, ("S2", "E1"): 1, ("S2", "E2"): 3})
    shown = place_ties.build_tie_network(pairs)
    assert counts.compute_place_positions(shown) == counts.compute_place_positions(
        place_ties.build_tie_network(pairs.reverse())
    )
    assert set(counts.compute_place_positions(shown)) == {"S1", "S2", "E1", "E2"}
    small = place_ties.build_tie_network(pairs, nodes=2)
    assert small.edges.height <= 1


def test_a_long_name_is_cut() -> None:
    assert shorten_name("a" * 11) == "a" * 11 and shorten_name("a" * 12) == "a" * 10 + "…"
