"""The criteria of the honours against a plain reading of them, row by row."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.programme.nominations import HONOURS, NATIONAL_HONOUR_CODES, Honour, find_nominees
from tests.examples import limit_examples

HELD = (
    *(f"holds_{code}" for code in NATIONAL_HONOUR_CODES),
    "holds_national",
    "holds_provincial_commendation",
    "holds_municipal_recognition",
)
ONE = st.integers(0, 1)
PERSON = st.fixed_dictionaries(
    {
        "level": st.integers(5, 8),
        "years_at_5": st.floats(0, 12),
        "years_at_6": st.one_of(st.none(), st.floats(0, 9)),
        "apprentices": st.integers(0, 14),
        "leads": ONE,
        "placed_municipal": ONE,
        "placed_provincial": ONE,
        "placed_national": ONE,
    }
    | dict.fromkeys(HELD, ONE)
)


def frame(people: list[dict[str, Any]]) -> pl.LazyFrame:
    rows = [row | {"person_id": f"P{at:03d}"} for at, row in enumerate(people)]
    return pl.LazyFrame(rows, schema_overrides={"years_at_6": pl.Float64})


def misses(person: dict[str, Any], honour: Honour) -> list[str]:
    return [
        c.code
        for c in honour.criteria
        if not any((person[name] or 0) >= least for name, least in c.any_of.items())
    ]


@settings(max_examples=limit_examples(40), deadline=None)
@given(st.lists(PERSON, min_size=1, max_size=12))
@pytest.mark.parametrize("honour", HONOURS.values(), ids=lambda honour: honour.code)
def test_nominees_are_those_who_miss_one_at_most(
    honour: Honour, people: list[dict[str, Any]]
) -> None:
    found = find_nominees(frame(people), honour).collect()
    expected = {
        f"P{at:03d}": misses(person, honour)
        for at, person in enumerate(people)
        if not any(person[name] for name in honour.held_by) and len(misses(person, honour)) <= 1
    }
    got = {row["person_id"]: row["missed"] for row in found.iter_rows(named=True)}
    assert got == {key: (gone[0] if gone else None) for key, gone in expected.items()}
    assert found["missing"].to_list() == sorted(found["missing"].to_list())


def test_every_honour_says_what_the_data_cannot_decide() -> None:
    for honour in HONOURS.values():
        assert all(honour.undecided) and len(honour.criteria) >= 3
        codes = [criterion.code for criterion in honour.criteria]
        assert len(set(codes)) == len(codes)
