"""Queries answered from the tables of a snapshot, against a walk over the rows."""

from __future__ import annotations

import json

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.people.table_queries import stated_by_several
from graph.snapshot.frames import Snapshot
from graph.snapshot.reader import SOURCE_SEPARATOR
from tests.examples import limit_examples

IDS = ("P1", "P10", "P2", "p", "P1 a", "甲")
SOURCES = st.lists(st.sampled_from(["hr", "union", "school"]), min_size=1, max_size=3, unique=True)
TIES = st.tuples(st.integers(0, 5), st.integers(0, 5), SOURCES)


def stated(sources: list[str]) -> str | None:
    """As a snapshot holds what several sources state; None of what one states."""
    statements = (json.dumps({"source": source, "sex": "female"}) for source in sources)
    return SOURCE_SEPARATOR.join(statements) if len(sources) > 1 else None


@given(
    st.lists(SOURCES, min_size=6, max_size=6),
    st.lists(TIES, max_size=20),
    st.sampled_from([1, 3, 8, 1_000]),
)
@settings(max_examples=limit_examples(60), deadline=None)
def test_what_several_state_is_listed_people_first_in_the_order_of_its_names(
    people: list[list[str]], ties: list[tuple[int, int, list[str]]], most: int
) -> None:
    persons = [
        {
            "person": n,
            "person_id": IDS[n],
            "name": "",
            "stated": stated(sources),
            "stated_row": f"people.csv:{n}" if len(sources) > 1 else None,
        }
        for n, sources in enumerate(people)
    ]
    mentorships = [
        {
            "mentor": a,
            "apprentice": b,
            "stated": stated(sources),
            "sources": sources,
            "row": f"mentorships.csv:{n:03}",
        }
        for n, (a, b, sources) in enumerate(ties)
    ]
    text, number = pl.String, pl.Int32
    frames = {
        "people": pl.LazyFrame(
            persons,
            schema={
                "person": number,
                "person_id": text,
                "name": text,
                "stated": text,
                "stated_row": text,
            },
        ),
        "mentorships": pl.LazyFrame(
            mentorships,
            schema={
                "mentor": number,
                "apprentice": number,
                "stated": text,
                "sources": pl.List(text),
                "row": text,
            },
        ),
    }
    found = stated_by_several(Snapshot(1, None, frames), {"rows": most}).rows()
    wanted = sorted(
        ("person", IDS[n], sources, f"people.csv:{n}")
        for n, sources in enumerate(people)
        if len(sources) > 1
    )
    wanted += sorted(
        (
            ("mentorship", f"{IDS[a]} > {IDS[b]}", sources, f"mentorships.csv:{n:03}")
            for n, (a, b, sources) in enumerate(ties)
            if len(sources) > 1
        ),
        key=lambda row: (row[1], row[3]),
    )
    assert found == wanted[:most]
