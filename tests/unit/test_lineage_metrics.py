"""MPACT and the genealogical measures against plain walks, on random lineages with cycles."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.errors import UsageError
from graph.metrics import genealogy
from graph.metrics import mpact as walk
from graph.metrics.examples import build_example_lineages
from graph.metrics.genealogy import compute_genealogical_index
from graph.metrics.mpact import compute_mpact
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from tests.examples import limit_examples

POLICY = Policy()
NAMES = "abcdefghij"
pair_lists = st.lists(
    st.tuples(st.sampled_from(NAMES), st.sampled_from(NAMES)), min_size=1, max_size=22
)
Pairs = set[tuple[str, str]]


def clean(pairs: list[tuple[str, str]]) -> Pairs:
    return {(u, v) for u, v in pairs if u != v}


def snapshot(pairs: list[tuple[str, str]], talents: str = "") -> Snapshot:
    return build_example_lineages(*(f"{u} {v}" for u, v in pairs), talents=talents)


def shared(pairs: Pairs, root: str) -> dict[int, dict[str, Fraction]]:
    """Generation -> descendant -> the share of the chains of fewest hops."""
    mentors = defaultdict(set)
    for u, v in pairs:
        mentors[v].add(u)
    found, seen, at = {}, {root}, {root: Fraction(1)}
    while True:
        new: dict[str, Fraction] = defaultdict(Fraction)
        for u, v in pairs:
            if u in at and v not in seen:
                new[v] += at[u] / len(mentors[v])
        if not new:
            return found
        found[len(found) + 1] = dict(new)
        seen |= set(new)
        at = new


@settings(max_examples=limit_examples(150), deadline=None)
@given(pair_lists, st.integers(0, 3))
def test_mpact_equals_a_walk(pairs: list[tuple[str, str]], small: int) -> None:
    clear = clean(pairs)
    teachers = {u for u, _ in clear}
    old = walk.MAX_JOINED_STEPS
    walk.MAX_JOINED_STEPS = small or old  # so that batches are halved too
    try:
        rows = compute_mpact(snapshot(pairs), POLICY).to_dicts()
    finally:
        walk.MAX_JOINED_STEPS = old
    assert [row["person_id"] for row in rows] == sorted(teachers)
    for row in rows:
        below = shared(clear, row["person_id"])
        sizes = {g: len(people) for g, people in below.items()}
        shares = {g: sum(people.values()) for g, people in below.items()}
        assert (row["A"], row["T"], row["G"]) == (sizes[1], sum(sizes.values()), max(sizes))
        assert row["TD"] == pytest.approx(sum(n * 0.5 ** (g - 1) for g, n in sizes.items()))
        assert row["W"] == max(sizes.values())
        everyone = {p: s for people in below.values() for p, s in people.items()}
        assert row["TA"] == len(teachers & set(everyone))
        assert row["FA"] == pytest.approx(float(shares[1]))
        assert row["FT"] == pytest.approx(float(sum(shares.values())))
        halved = sum(float(s) * 0.5 ** (g - 1) for g, s in shares.items())
        assert row["FTD"] == pytest.approx(halved)
        assert row["FW"] == pytest.approx(float(max(shares.values())))
        assert row["FTA"] == pytest.approx(
            float(sum(s for p, s in everyone.items() if p in teachers))
        )
    apprentices = {v for _, v in clear}
    assert sum(row["FA"] for row in rows) == pytest.approx(len(apprentices))


@settings(max_examples=limit_examples(150), deadline=None)
@given(pair_lists, st.booleans())
def test_genealogy_equals_plain_sets(pairs: list[tuple[str, str]], small: bool) -> None:
    clear = clean(pairs)
    down, up = defaultdict(set), defaultdict(set)
    for u, v in clear:
        down[u].add(v)
        up[v].add(u)
    old = genealogy.COMPARED_PAIRS_PER_CHUNK
    genealogy.COMPARED_PAIRS_PER_CHUNK = 2 if small else old
    try:
        rows = compute_genealogical_index(snapshot(pairs), POLICY).to_dicts()
    finally:
        genealogy.COMPARED_PAIRS_PER_CHUNK = old
    assert [row["person_id"] for row in rows] == sorted(down)
    for row in rows:
        one = row["person_id"]
        own = [len(down[v]) for v in down[one]]
        index = max(g for g in range(len(own) + 1) if sum(n >= g for n in own) >= g)
        assert row["genealogical_index"] == index
        assert row["fecundity"] == len(own)
        assert row["fertility"] == sum(n > 0 for n in own)
        assert row["descendants"] == sum(map(len, shared(clear, one).values()))
        grand = {g for m in up[one] for g in up[m]}
        cousins = {
            v for v in list(up) if grand & {g for m in up[v] for g in up[m]} and not up[v] & up[one]
        }
        assert row["cousins"] == len(cousins - {one})


def test_mpact_of_the_talents_alone() -> None:
    network = snapshot([("a", "b"), ("b", "c"), ("x", "y")], talents="b y")
    rows = compute_mpact(network, POLICY, of="talents")
    assert rows["person_id"].to_list() == ["b"]
    assert rows["leading"].to_list() == [True]


def test_what_cannot_be_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="mentors or talents"):
        compute_mpact(snapshot([("a", "b")]), POLICY, of="everyone")
    monkeypatch.setattr(walk, "MAX_DESCENDANT_PAIRS", 2)
    with pytest.raises(UsageError, match="of=talents"):
        compute_mpact(snapshot([("a", "b"), ("b", "c"), ("c", "d")]), POLICY)
