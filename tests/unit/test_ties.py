"""Ties: what a matrix and a graph show of them, projections, communities, places in the plane."""

from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from components import ties
from components.tie_charts import short

PAIRS = st.dictionaries(
    st.tuples(st.sampled_from(["S1", "S2", "S3", "S4"]), st.sampled_from(["E1", "E2", "E3"])),
    st.integers(1, 9), min_size=1,
)  # fmt: skip


def frame(pairs: dict[tuple[str, str], int]) -> pl.DataFrame:
    rows = [(a, b, n) for (a, b), n in pairs.items()]
    schema = {"a": pl.String, "b": pl.String, "n": pl.Int64}
    return pl.DataFrame(rows, schema=schema, orient="row")


@given(PAIRS, st.integers(1, 4))
def test_a_matrix_shows_a_part_and_says_of_what(
    pairs: dict[tuple[str, str], int], size: int
) -> None:
    shown = ties.matrix(frame(pairs), size, "total")
    assert shown.total == sum(pairs.values())
    assert shown.part == sum(n for a, b, n in shown.edges.rows()) <= shown.total
    assert set(shown.edges["a"]) <= set(shown.first["id"])
    assert set(shown.edges["b"]) <= set(shown.second["id"])
    assert all(pairs[a, b] == n for a, b, n in shown.edges.rows())
    if size == 4:
        assert shown.part == shown.total
    by = ties.matrix(frame(pairs), size, "community")
    assert sorted(by.first["id"]) == sorted(shown.first["id"])
    assert by.first["community"].is_sorted()


@given(PAIRS)
def test_a_projection_counts_what_two_share(pairs: dict[tuple[str, str], int]) -> None:
    of: dict[str, set[str]] = {}
    for a, b in pairs:
        of.setdefault(a, set()).add(b)
    expected = {(a, b): len(of[a] & of[b]) for a in of for b in of if a < b and of[a] & of[b]}
    made = ties.projected(frame(pairs), "first", 99)
    assert {(a, b): n for a, b, n in made.rows()} == expected
    for (a, b), n in expected.items():
        assert ties.shared(frame(pairs), "first", a, b).height == n
    square = ties.square(made, 99, "total")
    cells = {(a, b): n for a, b, n in square.edges.rows()}
    assert all(cells[a, b] == cells[b, a] == n for (a, b), n in expected.items())


def test_circles_apart_are_communities_and_the_largest_is_first() -> None:
    pairs = {("S1", "E1"): 5, ("S1", "E2"): 5, ("S2", "E1"): 5, ("S2", "E2"): 5, ("S3", "E3"): 5}
    found = ties.communities(frame(pairs))
    assert {found[p] for p in ("S1", "S2", "E1", "E2")} == {1}
    assert {found[p] for p in ("S3", "E3")} == {2}
    assert ties.communities(frame({}).head(0)) == {}


def test_the_same_ties_stand_at_the_same_places() -> None:
    pairs = frame({("S1", "E1"): 5, ("S2", "E1"): 1, ("S2", "E2"): 3})
    shown = ties.network(pairs)
    assert ties.positions(shown) == ties.positions(ties.network(pairs.reverse()))
    assert set(ties.positions(shown)) == {"S1", "S2", "E1", "E2"}
    small = ties.network(pairs, nodes=2)
    assert small.edges.height <= 1


def test_a_long_name_is_cut() -> None:
    assert short("a" * 11) == "a" * 11 and short("a" * 12) == "a" * 10 + "…"
