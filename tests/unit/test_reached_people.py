"""From when somebody is reached, and whether a link or a naming made it so."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from graph.forecast.history import compute_reached_people
from graph.metrics.examples import build_example_lineages
from graph.policy import Policy
from tests.examples import limit_examples

POLICY = Policy(as_of=date(2026, 11, 23))
OLD, LINK, EARLIER, LATE = (
    date(2020, 1, 1),
    date(2024, 6, 10),
    date(2024, 1, 10),
    date(2026, 9, 1),
)


def find_reached(*talents: tuple[date, date]) -> tuple[date, bool] | None:
    """reached, by_naming of the one apprentice of talents, each (link, naming)."""
    names = [f"T{number}" for number in range(len(talents))]
    made = build_example_lineages(
        *(f"{name} W {link}" for name, (link, _) in zip(names, talents, strict=True)),
        talents=" ".join(names),
    )
    named = pl.Series("recognised_on", [naming for _, naming in talents], pl.Date)
    listed = made.frames["talents"].collect().with_columns(named)
    snapshot = replace(made, frames=made.frames | {"talents": listed.lazy()})
    rows = compute_reached_people(snapshot, POLICY, POLICY.as_of)
    found = rows.select("reached", "by_naming").rows()
    return found[0] if found else None


@pytest.mark.parametrize(
    ("talents", "by_naming"),
    [
        # Who is named later than the day decides nothing.
        ([(LINK, OLD), (EARLIER, LATE)], False),
        ([(LINK, OLD)], False),
        ([(EARLIER, LINK)], True),
        # Another link arrives on the very day of the naming.
        ([(EARLIER, LINK), (LINK, OLD)], False),
        ([(EARLIER, LINK), (EARLIER, LATE)], True),
    ],
)
def test_who_decides_the_reach_says_by_what(
    talents: list[tuple[date, date]], by_naming: bool
) -> None:
    assert find_reached(*talents) == (LINK, by_naming)


days = st.integers(0, 5).map(lambda n: date(2024, 1 + n, 1))


@settings(deadline=None, max_examples=limit_examples(60))
@given(st.lists(st.tuples(days, days), min_size=1, max_size=4))
def test_a_naming_after_the_day_changes_nothing(talents: list[tuple[date, date]]) -> None:
    reached = min(max(pair) for pair in talents)
    by_link = any(link == reached and named <= reached for link, named in talents)
    assert find_reached(*talents) == (reached, not by_link)
    known = [pair for pair in talents if pair[1] <= reached]
    assert find_reached(*known) == (reached, not by_link)
