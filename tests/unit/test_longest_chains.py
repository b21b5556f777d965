"""The longest chains from tables, held to every chain of small random networks."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.people.longest_chains import find_longest_chains
from tests.examples import limit_examples

Ties = list[tuple[int, int]]
PEOPLE = 9


def starts(ties: Ties) -> set[int]:
    """Mentors without a mentor, or on a trail of two to four different ties back to themselves."""

    def returns(first: int, now: int, used: frozenset[int]) -> bool:
        for n, (mentor, apprentice) in enumerate(ties):
            if mentor == now and n not in used:
                if apprentice == first and len(used) >= 1:
                    return True
                if len(used) < 3 and returns(first, apprentice, used | {n}):
                    return True
        return False

    mentors, taught = {m for m, _ in ties}, {a for _, a in ties}
    return {m for m in mentors if m not in taught or returns(m, m, frozenset())}


def every_chain(ties: Ties) -> list[list[int]]:
    """Every chain from a start to somebody all of whose apprentices are on it."""
    found: list[list[int]] = []

    def walk(chain: list[int]) -> None:
        beyond = {a for m, a in ties if m == chain[-1]} - {*chain}
        if not beyond and len(chain) > 1:
            found.append(chain)
        for person in beyond:
            walk([*chain, person])

    for person in starts(ties):
        walk([person])
    return found


def expected(ties: Ties, chains: int) -> list[tuple[int, list[int]]]:
    best: dict[int, list[int]] = {}
    for chain in sorted(every_chain(ties), key=lambda chain: (-len(chain), chain)):
        best.setdefault(chain[-1], chain)
    order = sorted(best.values(), key=lambda chain: (-len(chain), chain[0], chain[-1]))
    return [(len(chain) - 1, chain) for chain in order[:chains]]


@settings(max_examples=limit_examples(400), deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, PEOPLE - 1), st.integers(0, PEOPLE - 1)), max_size=14),
    st.integers(1, 12),
)
def test_they_are_the_longest_of_every_chain(ties: Ties, chains: int) -> None:
    frame = pl.DataFrame(ties, schema={"mentor": pl.Int32, "apprentice": pl.Int32}, orient="row")
    people = pl.DataFrame({"person": range(PEOPLE), "person_id": [f"p{n}" for n in range(PEOPLE)]})
    ids = people.with_columns(pl.col("person").cast(pl.Int32))
    assert find_longest_chains(frame, ids, chains).rows() == expected(ties, chains)
