"""Supply and demand: a cell whose figures are known by hand, and sums over provinces."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest

from graph.errors import UsageError
from graph.forecast.shortages import (
    COLUMNS,
    UNSTATED_PROVINCE,
    GapTotals,
    Shortages,
    compute_shortages,
    describe_missing,
    list_shortage_people,
    select_shortages,
    sum_gaps,
)
from graph.forecast.supply_backtest import SupplyBacktest
from graph.metrics.examples import build_example_snapshot
from graph.policy import Policy
from graph.report.shortage_protection import list_told_people
from graph.snapshot.frames import Snapshot

POLICY = Policy(as_of=date(2026, 6, 30))
KEYS = ["kind", "area", "year", "code", "province"]
TURNER, WELDER = "6-18-01-01", "6-18-02-04"
# person: born, sex, retirement category, retired on, occupation, province
PEOPLE: dict[str, tuple[Any, ...]] = {
    "Ann": (date(1966, 12, 9), "male", None, None, TURNER, "32"),  # 60y6m: 2027-06
    "Ben": (date(1971, 10, 1), "female", "cadre", None, TURNER, "32"),  # 55y6m: 2027-04, agreed
    "Cyd": (date(1976, 3, 5), "female", None, None, TURNER, "32"),  # 2026-11, or 2032-10
    "Dee": (None, "male", None, None, TURNER, "32"),
    "Eli": (
        date(1960, 1, 1),
        "male",
        None,
        date(2020, 1, 1),
        TURNER,
        "32",
    ),  # reemployed until 2028
    "Fay": (date(1960, 1, 1), "male", None, date(2020, 1, 1), TURNER, "32"),
    "Gus": (date(1990, 1, 1), "male", None, None, TURNER, "44"),
    "Hal": (date(1990, 1, 1), "male", None, None, WELDER, "32"),
}
EMPLOYMENTS: list[dict[str, Any]] = [
    {"person": "Ben", "retirement_postponed_until": date(2029, 3, 31)},
    {"person": "Eli", "reemployed": True, "service_until": date(2028, 1, 31)},
    {"person": "Gus", "enterprise_id": "E32", "start": date(2020, 1, 1), "end": date(2025, 1, 1)},
    {"person": "Gus", "enterprise_id": "E44", "start": date(2025, 1, 1)},
]
CROWD = 400
STATED = ("birth_date", "sex", "retirement_category", "retired_on", "occupation_code", "province")
DATES = ("start", "end", "service_until", "retirement_postponed_until")


def list_crowd() -> list[dict[str, Any]]:
    """Recognitions of welders without a mentor: each month one in 25 of those left rises."""
    rows = [{"person": f"W{n:03}", "level": 3, "date": "2015-01-01"} for n in range(CROWD)]
    left = CROWD
    for month in range(29, -1, -1):
        day = date(2026, 6, 30) - timedelta(days=round(30.4375 * month))
        rising = range(left - round(left / 25), left)
        rows += [{"person": f"W{n:03}", "level": 4, "date": str(day)} for n in rising]
        left = rising[0]
    return rows


def build_working_network() -> Snapshot:
    """The people above, 24 apprentices of Ann, and a crowd of welders who rise month by month."""
    made = build_example_snapshot(
        talents=[{"person": "Ann"}],
        mentorships=[
            {"mentor": "Ann", "apprentice": f"A{n:02}", "start": "2025-01-01"} for n in range(24)
        ]
        + [{"mentor": "Hal", "apprentice": "A00", "start": "2024-07-01", "end": "2025-01-01"}],
        recognitions=[
            *({"person": p, "level": 5, "date": "2010-01-01"} for p in PEOPLE),
            *({"person": f"A{n:02}", "level": 4, "date": "2026-01-01"} for n in range(24)),
            *list_crowd(),
        ],
        enterprises=[{"enterprise_id": f"E{p}", "province": p} for p in ("32", "44")],
    )
    people = made.frames["people"].collect()
    numbers = dict(people.select("name", "person").rows())
    crowd = (date(1990, 1, 1), "male", None, None, WELDER, "61")
    kinds = dict.fromkeys(STATED, pl.String) | dict.fromkeys(("birth_date", "retired_on"), pl.Date)
    stated = pl.DataFrame([PEOPLE.get(n, crowd) for n in numbers], kinds, orient="row")
    levels = made.frames["promotions"].group_by("person").agg(pl.col("level").max()).collect()
    people = people.drop("occupation_code", "province").hstack(stated)
    people = people.join(levels, on="person", how="left")
    employments = pl.DataFrame(
        [row | {"person": numbers[row["person"]]} for row in EMPLOYMENTS],
        {
            "person": pl.Int32,
            "reemployed": pl.Boolean,
            "enterprise_id": pl.String,
            **dict.fromkeys(DATES, pl.Date),
        },
    )
    demand = {"occupation_code": [TURNER, TURNER, WELDER], "province": ["32", "44", "32"]}
    return replace(
        made,
        frames=made.frames
        | {
            "people": people.lazy(),
            "employments": employments.lazy(),
            "occupations": pl.LazyFrame({"code": [TURNER], "name": ["车工"]}),
            "demand": pl.LazyFrame(demand | {"year": [2027, 2027, 2026], "positions": [10, 1, 4]}),
        },
    )


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return build_working_network()


@pytest.fixture(scope="module")
def found(snapshot: Snapshot) -> Shortages:
    return compute_shortages(snapshot, POLICY)


def pick(found: Shortages, year: int, province: str | None, code: str = TURNER) -> dict[str, Any]:
    kind = "occupation" if code in (TURNER, WELDER) else "occupation_group"
    area = "nation" if province is None else "province"
    rows = select_shortages(found.rows, kind, area, year, province)
    return rows.filter(code=code).row(0, named=True)


def test_the_figures_of_a_cell_by_hand(found: Shortages) -> None:
    row = pick(found, 2027, "32")
    # Fay has retired. Ann leaves in June 2027; Cyd half, for the later month is in 2032; Ben has
    # agreed on 2029 and Eli's contract ends in 2028; of Dee nothing is known.
    assert (row["stock"], row["retiring"], row["unknown_retirement"]) == (5, 1.5, 2)
    assert pick(found, 2026, "32")["retiring"] == 0.5 and pick(found, 2028, "32")["retiring"] == 2.5
    # Gus moved from 32 to 44 in the last three years: 1 / 3 of the six who work in 32 each year.
    years = (date(2027, 12, 31) - date(2026, 6, 30)).days / 365.25
    moved = 5 * years / (3 * 6)
    assert row["moving_out"] == pytest.approx(moved) and row["moving_in"] == row["rising"] == 0
    assert pick(found, 2027, "44")["moving_in"] == pytest.approx(moved)
    assert row["supply"] == pytest.approx(5 - 1.5 - moved)
    assert (row["positions"], row["without_demand"]) == (10, 0)
    assert row["gap"] == pytest.approx(10 + 1.5 + moved)
    # No past forecast of single occupations is measured.
    assert row["gap_low"] is row["gap_high"] is None
    group = pick(found, 2027, "32", TURNER[:4])
    assert group["gap_low"] <= group["gap"] - 1 and group["gap_high"] >= group["gap"] + 1
    assert (row["rank"], pick(found, 2027, "44")["rank"]) == (1, 2)


def test_mentor_years_rest_on_what_was_raised(found: Shortages) -> None:
    row = pick(found, 2027, "32")
    # Ann raised 23 and half of A00; from January 2025 to June 2026 she had apprentices.
    years = (date(2026, 6, 30) - date(2025, 1, 1)).days / 365.25
    assert row["mentors"] == 1 and row["rate_of"] == "own"
    assert row["raised"] == 23.5 and row["observed_mentor_years"] == pytest.approx(years)
    assert row["raised_per_year"] == pytest.approx(23.5 / years)
    assert row["mentor_years"] == pytest.approx(row["gap"] * years / 23.5)
    assert pick(found, 2027, "44")["rate_of"] == "nation"
    # Hal alone raised half of an apprentice: too few to tell.
    welder = pick(found, 2026, "32", WELDER)
    assert welder["raised"] == 0.5 and welder["raised_per_year"] is None
    assert welder["mentor_years"] is None and welder["gap"] > 0


def test_risers_follow_the_hazard(found: Shortages) -> None:
    row = pick(found, 2026, "61", WELDER)
    waiting = CROWD + 24 - row["stock"]
    months = (date(2026, 12, 31) - date(2026, 6, 30)).days / 30.4375
    assert row["rising"] == pytest.approx(waiting * (1 - (24 / 25) ** months), rel=0.15)
    assert row["gap"] is None and row["positions"] is None and row["gap_low"] is None
    later = pick(found, 2028, "61", WELDER)
    assert row["rising"] < later["rising"] < waiting


def test_of_women_who_may_have_left_half_rise(snapshot: Snapshot, found: Shortages) -> None:
    # The crowd may leave in November 2026 or in October 2032.
    crowd, birth = pl.col("birth_date") == date(1990, 1, 1), pl.lit(date(1976, 3, 5))
    people = snapshot.frames["people"].with_columns(
        birth_date=pl.when(crowd).then(birth).otherwise("birth_date"),
        sex=pl.when(crowd).then(pl.lit("female")).otherwise("sex"),
    )
    women = compute_shortages(
        replace(snapshot, frames=snapshot.frames | {"people": people}), POLICY
    )
    for year in (2026, 2028):
        full = pick(found, year, "61", WELDER)["rising"]
        assert pick(women, year, "61", WELDER)["rising"] == pytest.approx(full / 2)


def test_what_is_missing_is_said(found: Shortages) -> None:
    assert describe_missing(found.rows, 2027) == {
        "stock": 314,
        "without_demand": 308,
        "unknown_retirement": 2,
        "no_place": 0,
    }
    assert pick(found, 2028, "32")["gap"] is None


def test_who_is_too_many_fills_no_gap_elsewhere(found: Shortages) -> None:
    """300 turners missing in one province and 300 welders too many in another are 300 missing."""
    keys = {"kind": "occupation", "area": "province", "year": 2027}
    cells = pl.DataFrame(
        [(TURNER, "32", 300.4, 310), (WELDER, "62", -300.0, 5), (WELDER, None, None, None)],
        schema={"code": pl.String, "province": pl.String, "gap": pl.Float64, "positions": int},
        orient="row",
    ).with_columns(pl.lit(value).alias(name) for name, value in keys.items())
    assert sum_gaps(cells, 2027) == GapTotals(300, 300, 315)
    assert sum_gaps(cells, 2027, "62") == GapTotals(0, 300, 5)
    assert sum_gaps(cells, 2027, UNSTATED_PROVINCE) is None and sum_gaps(cells, 2028) is None
    both = sum_gaps(found.rows, 2027)
    leaf = found.rows.filter(**keys)["gap"].drop_nulls()
    assert both is not None and both.missing == round(leaf.clip(0).sum())


def test_a_row_without_a_province_is_a_row_of_its_own(snapshot: Snapshot, found: Shortages) -> None:
    """Not the nation's, in the rows and in the lists of people."""
    placed = pl.col("person_id").is_in(["Ann", "Gus"])
    people = snapshot.frames["people"].with_columns(
        province=pl.when(placed).then(None).otherwise("province")
    )
    moved = replace(snapshot, frames=snapshot.frames | {"people": people})
    rows = compute_shortages(moved, POLICY).rows
    row = select_shortages(rows, "occupation", "province", 2027, UNSTATED_PROVINCE)
    assert row["province"].null_count() == row.height > 0
    where = {"code": TURNER, "province": UNSTATED_PROVINCE}
    leaving = list_shortage_people(moved, POLICY, found, "leaving", 2027, **where)
    assert leaving["person_id"].to_list() == ["Ann"]
    told, hidden = list_told_people(leaving, rows, "leaving", 2027, **where)
    assert told.equals(leaving) and not hidden


def test_the_people_behind_a_figure(snapshot: Snapshot, found: Shortages) -> None:
    def listed(part: Any, year: int, **where: Any) -> pl.DataFrame:
        return list_shortage_people(snapshot, POLICY, found, part, year, **where)

    leaving = listed("leaving", 2027, code=TURNER, province="32")
    assert leaving.select("person_id", "year", "other_year").rows() == [
        ("Cyd", 2026, 2032),
        ("Ann", 2027, None),
    ]
    assert listed("mentors", 2027, code="6-18")["apprentices"].to_list() == [24]
    rising = listed("rising", 2026, code=WELDER)
    assert rising.height == CROWD + 24 - pick(found, 2026, "61", WELDER)["stock"]
    assert rising["chance"].sum() == pytest.approx(pick(found, 2026, "61", WELDER)["rising"])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_parts_add_up_over_provinces_and_occupations(snapshot: Snapshot, seed: int) -> None:
    random = np.random.default_rng(seed)
    people = snapshot.frames["people"].collect()
    n = people.height
    born = date(1962, 1, 1).toordinal() + random.integers(0, 9_000, n)

    def draw(*values: str | None) -> list[str | None]:
        return [values[at] for at in random.integers(0, len(values), n)]

    mixed = people.with_columns(
        province=pl.Series(draw("11", "32", "44", None)),
        occupation_code=pl.Series(draw(TURNER, WELDER, "4-02", None)),
        birth_date=pl.Series([date.fromordinal(day) for day in born]),
        sex=pl.Series(draw("male", "female", None)),
    )
    frames = {**snapshot.frames, "people": mixed.lazy()}
    rows = compute_shortages(replace(snapshot, frames=frames), POLICY, seed=seed).rows
    names = ("stock", "retiring", "moving_out", "moving_in", "rising", "supply", "gap", "positions")
    sums = rows.group_by("year", "kind", "area").agg(pl.col(names).sum())
    for (_,), year in sums.group_by("year"):
        for name in names:
            assert np.ptp(year[name].to_numpy()) == pytest.approx(0, abs=1e-6)
        assert year["moving_in"][0] == pytest.approx(year["moving_out"][0])
    lost = rows["retiring"] + rows["moving_out"] - rows["moving_in"] - rows["rising"]
    assert (rows["supply"] - rows["stock"] + lost).abs().max() == pytest.approx(0, abs=1e-6)


def test_a_gap_that_the_past_does_not_defend_is_not_given(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = compute_shortages(snapshot, POLICY).rows
    monkeypatch.setattr(SupplyBacktest, "defends_gaps", lambda self: False)
    rows = compute_shortages(snapshot, POLICY).rows
    assert kept["gap"].count() and kept["rank"].count()
    for name in ("gap", "gap_low", "gap_high", "mentor_years", "rank"):
        assert rows[name].count() == 0
    parts = ["stock", "retiring", "rising", "positions", "mentors"]
    assert (
        rows.sort(KEYS, nulls_last=True)
        .select(parts)
        .equals(kept.sort(KEYS, nulls_last=True).select(parts))
    )


def test_intervals_are_as_wide_as_the_past_asks_for(
    snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def widen(times: float) -> pl.DataFrame:
        monkeypatch.setattr(SupplyBacktest, "measure_widening", lambda self, area: times)
        return compute_shortages(snapshot, POLICY).rows.drop_nulls("gap_low").sort(KEYS)

    plain, wide = widen(1.0), widen(2.5)
    for end in ("gap_low", "gap_high"):
        assert (wide[end] - wide["gap"]).to_numpy() == pytest.approx(
            2.5 * (plain[end] - plain["gap"]).to_numpy()
        )


def test_who_is_kept_on_after_retiring_does_not_leave(snapshot: Snapshot) -> None:
    """Half of the 40 who retired in the last years work on: so does half of Ann."""
    people = snapshot.frames["people"].collect()
    gone = pl.col("name").is_in([f"W{n:03}" for n in range(40)])
    back = people.filter(pl.col("name").is_in([f"W{n:03}" for n in range(20)]))["person"]
    kept = pl.DataFrame({"person": back}).with_columns(reemployed=pl.lit(True))
    frames = snapshot.frames | {
        "people": people.lazy().with_columns(
            retired_on=pl.when(gone).then(pl.date(2024, 6, 1)).otherwise("retired_on"),
        ),
        "promotions": snapshot.frames["promotions"].with_columns(
            level=pl.lit(5, snapshot.frames["promotions"].collect_schema()["level"])
        ),
        "employments": pl.concat(
            [snapshot.frames["employments"], kept.lazy()], how="diagonal_relaxed"
        ),
    }
    rows = compute_shortages(replace(snapshot, frames=frames), POLICY).rows
    assert rows["kept_on"].unique().to_list() == [0.5]
    found = rows.filter(kind="occupation", area="province", code=TURNER, province="32")
    assert found.sort("year")["retiring"].to_list() == [0.25, 0.75, 1.75]


def test_too_few_promotions_are_said(snapshot: Snapshot) -> None:
    few = snapshot.frames["promotions"].filter(pl.col("day") < date(2020, 1, 1))
    poor = replace(snapshot, frames={**snapshot.frames, "promotions": few})
    with pytest.raises(UsageError, match="at least 50 promotions of people in work"):
        compute_shortages(poor, POLICY)
    assert set(COLUMNS) <= set(compute_shortages(snapshot, POLICY).rows.columns)
