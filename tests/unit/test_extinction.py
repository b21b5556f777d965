"""The extinction clock on small crafts of which the end is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import polars as pl
import pytest

from graph.errors import UsageError
from graph.forecast.extinction import (
    _describe_craft,
    compute_extinction,
    count_mentors_by_decade,
)
from graph.metrics.examples import build_example_lineages
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

POLICY = Policy(as_of=date(2026, 6, 30))


def make_craft(*links: str, **people: dict[str, object]) -> Snapshot:
    """Mentorships, and by name what is stated of people; all of one occupation and province."""
    network = build_example_lineages(*links, talents=links[0].split()[0])
    rows = network.frames["people"].collect()

    def state(column: str, kind: type[pl.DataType]) -> pl.Series:
        values = [people.get(name, {}).get(column) for name in rows["person_id"]]
        return pl.Series(column, values, kind)

    stated = rows.with_columns(
        state("birth_date", pl.Date),
        state("retired_on", pl.Date),
        state("sex", pl.String),
        state("retirement_category", pl.String),
        pl.lit("6-18-01-01").alias("occupation_code"),
        pl.lit("32").alias("province"),
    )
    employments = pl.LazyFrame(
        schema={
            "person": pl.Int32,
            "start": pl.Date,
            "end": pl.Date,
            "reemployed": pl.Boolean,
            "service_until": pl.Date,
            "retirement_postponed_until": pl.Date,
        }
    )
    frames = {**network.frames, "people": stated.lazy(), "employments": employments}
    return replace(network, frames=frames)


def test_a_last_mentor_without_apprentices_ends_the_craft_on_the_statutory_year() -> None:
    # Bo left the trade; nobody is in training and nobody was taken on lately.
    craft = make_craft(
        "Ada Bo 2010-01-01",
        Ada={"birth_date": date(1970, 3, 1), "sex": "male"},
        Bo={"birth_date": date(1960, 1, 1), "sex": "male", "retired_on": date(2020, 2, 1)},
    )
    (row,) = compute_extinction(craft, POLICY).to_dicts()
    assert (row["mentors"], row["in_training"], row["unknown"]) == (1, 0, 0)
    # A man born in March 1970 retires at 61 years 3 months: in June 2031 (60 + 16 months).
    assert (row["early"], row["median"], row["late"]) == (2031, 2031, 2031)
    assert (row["probability_2030"], row["probability_2035"]) == (0.0, 1.0)


def test_a_woman_without_a_category_leaves_at_either_month() -> None:
    craft = make_craft(
        "Ada Bo 2010-01-01",
        Ada={"birth_date": date(1980, 1, 1), "sex": "female"},
        Bo={"retired_on": date(2020, 2, 1)},
    )
    (row,) = compute_extinction(craft, POLICY).to_dicts()
    assert row["early"] < 2036 < row["late"]
    assert row["probability_2030"] == 0 and 0.35 < row["probability_2035"] < 0.65


def test_each_woman_without_a_category_leaves_on_her_own() -> None:
    women = {f"W{n}": {"birth_date": date(1980, 1, 1), "sex": "female"} for n in range(6)}
    gone = {f"B{n}": {"retired_on": date(2020, 2, 1)} for n in range(6)}
    links = [f"W{n} B{n} 2010-01-01" for n in range(6)]
    (row,) = compute_extinction(make_craft(*links, **women, **gone), POLICY).to_dicts()
    # All six at the earlier month has a chance of 1/64; with one coin for all it were 1/2.
    assert row["unknown"] == 6 and row["probability_2035"] < 0.06


@pytest.mark.parametrize(
    "months",
    [(1, 2, 3, 4, 12), pytest.param(range(1, 13), marks=pytest.mark.soak)],
    ids=["those around it", "all"],
)
def test_the_clock_tells_nobody_in_which_month_a_mentor_retires(months: Sequence[int]) -> None:
    craft = make_craft(
        "Ada Bo 2010-01-01",
        Ada={"birth_date": date(1966, 3, 1), "sex": "male"},
        Bo={"retired_on": date(2026, 5, 9), "birth_date": date(1960, 1, 1), "sex": "male"},
    )
    rows = [
        compute_extinction(craft, Policy(as_of=date(2026, month, 15)))
        .select("mentors", "unknown", "in_training", "median", "probability_2030")
        .row(0)
        for month in months
    ]
    assert len(set(rows)) == 1


def test_without_any_known_retirement_month_there_is_no_clock() -> None:
    craft = make_craft("Ada Bo 2010-01-01", Bo={"retired_on": date(2020, 2, 1)})
    with pytest.raises(UsageError, match="needs mentors whose retirement month is known"):
        compute_extinction(craft, POLICY)


def test_a_year_that_is_gone_by_has_no_probability() -> None:
    craft = make_craft(
        "Ada Bo 2010-01-01",
        Ada={"birth_date": date(1975, 3, 1), "sex": "male"},
        Bo={"birth_date": date(1960, 1, 1), "sex": "male", "retired_on": date(2020, 2, 1)},
    )
    (row,) = compute_extinction(craft, Policy(as_of=date(2031, 6, 30))).to_dicts()
    assert row["probability_2030"] is None and row["probability_2035"] is not None


def test_those_in_training_and_those_taken_on_keep_a_craft() -> None:
    links = [f"Ada B{n} 20{10 + n // 3}-01-01" for n in range(40)]
    links += [f"B{n} C{n} 20{14 + n // 3}-01-01" for n in range(20)]
    old = {"Ada": {"birth_date": date(1966, 1, 1), "sex": "male"}}
    young = {f"B{n}": {"birth_date": date(1990, 1, 1), "sex": "male"} for n in range(40)}
    (surviving,) = compute_extinction(make_craft(*links, **old, **young), POLICY).to_dicts()
    assert (
        surviving["mentors"] == 21
        and surviving["median"] is None
        and surviving["probability_2035"] == 0
    )
    again = compute_extinction(make_craft(*links, **old, **young), POLICY)
    assert again.to_dicts() == [surviving]


@pytest.mark.parametrize("others", ["", "Abe", "Abe Amy", "twice"])
def test_an_apprentice_of_several_mentors_is_taken_on_once(others: str) -> None:
    # Ten apprentices in five years; whoever taught one, or taught one again, took on a share.
    rows = [f"Ada B{n} 2023-01-01" for n in range(10)]
    if others == "twice":
        rows += [f"Ada B{n} 2024-01-01" for n in range(10)]
        mentors = ["Ada"]
    else:
        mentors = ["Ada", *others.split()]
        rows += [f"{name} B{n} 2024-01-01" for name in mentors[1:] for n in range(10)]
    known = {name: {"birth_date": date(1990, 1, 1), "sex": "male"} for name in mentors}
    craft = _describe_craft(make_craft(*rows, **known), POLICY)
    assert craft.rate.tolist() == pytest.approx([10 / (5 * len(mentors))])


def test_who_was_taken_on_long_ago_is_not_taken_on_again() -> None:
    known = {name: {"birth_date": date(1990, 1, 1), "sex": "male"} for name in ("Ada", "Abe")}
    rows = [f"Ada B{n} 2012-01-01" for n in range(10)] + ["Ada B0 2024-01-01"]
    craft = _describe_craft(make_craft(*rows, **known), POLICY)
    assert craft.rate.tolist() == [0.0]


def test_no_mentor_no_row() -> None:
    craft = make_craft("Ada Bo 2010-01-01", Ada={"retired_on": date(2020, 1, 1)})
    assert compute_extinction(craft, POLICY).is_empty()


@pytest.mark.parametrize("birth", [date(1964, 1, 1), date(1950, 1, 1)])
def test_who_works_past_the_statutory_month_leaves_soon(birth: date) -> None:
    craft = make_craft(
        "Ada Bo 2010-01-01",
        Ada={"birth_date": birth, "sex": "male"},
        Bo={"retired_on": date(2020, 2, 1)},
    )
    (row,) = compute_extinction(craft, POLICY).to_dicts()
    assert row["median"] == 2027


def test_an_agreed_later_retirement_and_a_contract_put_the_end_off() -> None:
    craft = make_craft(
        "Ada Bo 2010-01-01",
        Ada={"birth_date": date(1970, 3, 1), "sex": "male"},  # June 2031 without an agreement
        Bo={"birth_date": date(1960, 1, 1), "sex": "male", "retired_on": date(2020, 2, 1)},
    )
    schema = craft.frames["employments"].collect_schema()
    agreed = pl.LazyFrame(
        [{"person": 0, "retirement_postponed_until": date(2033, 5, 1)}], schema=schema
    )
    (row,) = compute_extinction(
        replace(craft, frames={**craft.frames, "employments": agreed}), POLICY
    ).to_dicts()
    assert row["median"] == 2033


def test_mentors_by_the_decade_of_their_birth() -> None:
    craft = make_craft(
        "Ada Bo 2010-01-01",
        "Cyd Bo 2010-01-01",
        "Dee Bo 2010-01-01",
        "Eli Bo 2010-01-01",
        Ada={"birth_date": date(1970, 3, 1), "sex": "male"},
        Cyd={"birth_date": date(1979, 12, 31), "sex": "male"},
        Eli={"birth_date": date(1960, 1, 1), "sex": "male", "retired_on": date(2020, 2, 1)},
    )
    found = count_mentors_by_decade(craft, POLICY, "6-18-01-01", "32")
    assert found.rows() == [(1970, 2), (None, 1)]
    assert count_mentors_by_decade(craft, POLICY, "6-18-01-01", "44").is_empty()
    (row,) = compute_extinction(craft, POLICY).to_dicts()
    assert row["mentors"] == found["mentors"].sum()
