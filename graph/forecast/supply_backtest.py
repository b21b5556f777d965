"""Past forecasts of leavers and risers held against what came, beside two plain baselines.

At the end of each past year everything later is hidden: promotions, retirements, agreements on
later retirement and employments of later days, and people of whom nothing earlier is on record;
who moved since is in the province of before. Then the changes are forecast and compared with what
the records of today say of the same people.

- leaving: high-skilled people in work at the origin who are no longer in work
- rising: people in work who have become high-skilled, and still work
- loss: leaving, and moving to another province, less moving in and rising; what a gap is made of,
  beside the positions open

Baselines: "last_year", as many a year as in the year before the origin; "average", as many a year
as in the `AVERAGE_YEARS` before it. Scores as in `graph.forecast.backtest`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graph.cache.tables import build_table_path, load_cached_table
from graph.dates import PRECISION
from graph.errors import UsageError
from graph.forecast.backtest import INTERVALS, SCORE_QUANTILES, compute_pinball, score_outcomes
from graph.forecast.history import (
    BLOCK_MONTHS,
    OCCUPATION_GROUP_CHARACTERS,
    compute_driven_history,
    find_data_date,
)
from graph.forecast.landing import DEFAULT_SEED
from graph.forecast.simulation import MIN_LOOKBACK_BLOCKS
from graph.forecast.supply_changes import (
    SHORTAGE_YEARS,
    SupplyModel,
    build_change_random,
    build_supply_model,
    list_employer_provinces,
    list_levels,
    sum_losses,
)
from graph.labels import MetricColumnLabels
from graph.people.retirement import find_working_people
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

Floats = NDArray[np.float64]

SUPPLY_BACKTEST_VERSION: Final = 3
MAX_SUPPLY_ORIGINS: Final = 3
AVERAGE_YEARS: Final = 3
SUPPLY_FIGURES: Final = ("leaving", "rising", "loss")
SUPPLY_BASELINES: Final = ("last_year", "average")
# What is forecast, and by which columns of a cell.
SUPPLY_AREAS: Final[Mapping[str, tuple[str, ...]]] = {
    "nation": (),
    "province": ("province",),
    "occupation_group": ("occupation_group",),
    "occupation_group_in_province": ("occupation_group", "province"),
}
# What is listed by an area is judged by the past losses of that area.
AREA_OF_ROWS: Final[Mapping[str, str]] = {
    "nation": "occupation_group",
    "province": "occupation_group_in_province",
}
JUDGED_FIGURE: Final = "loss"
MIN_JUDGED_OUTCOMES: Final = 20
COLUMNS: Final[MetricColumnLabels] = {
    "attribute": ("forecasts of", "预测对象"),
    "figure": ("figure", "指标"),
    "outcomes": ("outcomes compared", "检验次数"),
    "coverage_80": ("inside the 80 % interval", "落入80%区间"),
    "coverage_95": ("inside the 95 % interval", "落入95%区间"),
    "error": ("error of the median", "中位数误差"),
    "pinball": ("quantile loss (persons)", "分位数损失（人）"),
    "pinball_last_year": ("quantile loss, as last year", "分位数损失：按上年"),
    "pinball_average": ("quantile loss, as the years before", "分位数损失：按前几年平均"),
    "ratio": ("loss to the better baseline's", "与较优基线之比"),
}


@dataclass(frozen=True)
class SupplyBacktest:
    """What past forecasts of supply were worth.

    - outcomes: attribute (of `SUPPLY_AREAS`), occupation_group, province (null = all, "" = not
      stated), figure (of `SUPPLY_FIGURES`), origin, year, outcome, expected, median, low_80,
      high_80, low_95, high_95, last_year, average, and pinball, pinball_last_year,
      pinball_average
    - scores: `COLUMNS`
    """

    outcomes: pl.DataFrame
    scores: pl.DataFrame

    def defends_gaps(self) -> bool | None:
        """Whether past forecasts of what gaps are made of were better than both baselines; None
        where too few outcomes tell.
        """
        ratios = [self._judge(area)["ratio"] for area in AREA_OF_ROWS if self._judge(area).height]
        known = [ratio[0] for ratio in ratios]
        return all(ratio is not None and ratio < 1 for ratio in known) if known else None

    def _judge(self, area: str) -> pl.DataFrame:
        judged = self.scores.filter(attribute=AREA_OF_ROWS[area], figure=JUDGED_FIGURE)
        return judged.filter(pl.col("outcomes") >= MIN_JUDGED_OUTCOMES)

    def measure_widening(self, area: str) -> float:
        """How many times as wide, around what is expected, the 80 % interval of occupation groups
        has to be for 80 % of past outcomes to lie inside; at least 1, and 1 where too few outcomes
        tell. `widen_bounds` applies it.

        Source: split conformal prediction; Lei and others 2018, Distribution-free predictive
        inference for regression, Journal of the American Statistical Association 113:1094.
        """
        if self._judge(area).is_empty():
            return 1.0
        past = self.outcomes.filter(attribute=AREA_OF_ROWS[area], figure=JUDGED_FIGURE)
        missed = pl.col("outcome") - pl.col("expected")
        low, high = (_measure_side(bound, "expected") for bound in ("low_80", "high_80"))
        side = pl.when(missed > 0).then(high).otherwise(low)
        times = past.select(missed.abs() / side).to_series()
        return max(1.0, float(times.quantile(0.8, "higher") or 0.0))


def _measure_side(bound: str, centre: str) -> pl.Expr:
    """How far an interval reaches on one side of what is expected, in persons.

    One narrower than a person each way promises more than a count can.
    """
    return pl.max_horizontal((pl.col(bound) - pl.col(centre)).abs(), 1.0)


def widen_bounds(centre: str, low: str, high: str, times: pl.Expr) -> list[pl.Expr]:
    """The bounds (named low and high) so many times as far from what is expected as drawn."""
    below, above = (times * _measure_side(bound, centre) for bound in (low, high))
    return [(pl.col(centre) - below).alias(low), (pl.col(centre) + above).alias(high)]


def load_supply_backtest(
    snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED
) -> SupplyBacktest:
    """As `run_supply_backtest`; its outcomes are stored beside the snapshot."""
    outcomes = load_cached_table(
        build_supply_backtest_path(snapshot, policy, seed),
        lambda: run_supply_backtest(snapshot, policy, seed=seed).outcomes,
    )
    return SupplyBacktest(outcomes, summarize_supply_backtest(outcomes))


def build_supply_backtest_path(snapshot: Snapshot, policy: Policy, seed: int) -> Path | None:
    """Where the outcomes stand; None for a snapshot in memory alone."""
    return build_table_path(snapshot, "supply-backtest", SUPPLY_BACKTEST_VERSION, policy.id, seed)


def build_empty_backtest() -> SupplyBacktest:
    """That of a graph of which no past year can be tested."""
    outcomes = pl.DataFrame(schema=_OUTCOME_SCHEMA)
    return SupplyBacktest(outcomes, summarize_supply_backtest(outcomes))


def run_supply_backtest(
    snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED
) -> SupplyBacktest:
    """Forecasts from the last year-ends, each to all year-ends that have come since.

    An origin needs a year of the window before it, as any forecast, and as many promotions as
    expected risers; those without are left out.
    """
    last = find_data_date(snapshot.under(policy), policy)
    complete = last.year if (last + timedelta(days=1)).year > last.year else last.year - 1
    parts = [
        outcome
        for year in range(complete - 1, complete - 1 - MAX_SUPPLY_ORIGINS, -1)
        if _has_year_before(policy, date(year, 12, 31))
        for outcome in _forecast_from_year(snapshot, policy, year, complete, seed)
    ]
    if not parts:
        return build_empty_backtest()
    outcomes = pl.concat(parts)
    return SupplyBacktest(outcomes, summarize_supply_backtest(outcomes))


def summarize_supply_backtest(outcomes: pl.DataFrame) -> pl.DataFrame:
    """`SupplyBacktest.scores` of the outcomes."""
    return score_outcomes(outcomes, ("attribute", "figure"), SUPPLY_BASELINES).select(*COLUMNS)


def _has_year_before(policy: Policy, origin: date) -> bool:
    months = BLOCK_MONTHS * MIN_LOOKBACK_BLOCKS
    first = policy.window_start
    return (origin.year - first.year) * 12 + origin.month - first.month + 1 >= months


_KEYS: Final = ("occupation_group", "province")
_BOUNDS: Final = tuple(f"{side}_{name}" for name in INTERVALS for side in ("low", "high"))
_NUMBERS: Final = (
    "outcome",
    "expected",
    "median",
    *_BOUNDS,
    *SUPPLY_BASELINES,
    "pinball",
    *(f"pinball_{name}" for name in SUPPLY_BASELINES),
)
_OUTCOME_SCHEMA: Final = {
    "attribute": pl.String,
    **dict.fromkeys(_KEYS, pl.String),
    "figure": pl.String,
    "origin": pl.Date,
    "year": pl.Int64,
    **dict.fromkeys(_NUMBERS, pl.Float64),
}


# --- what was known ------------------------------------------------------------------------------


def hide_later_records(snapshot: Snapshot, day: date) -> Snapshot:
    """The people and employments as they were known on the day, in memory alone.

    An agreement on a later retirement has no day of its own: all of them are hidden.
    """
    later = pl.col("retired_on") > day
    people = snapshot.frames["people"].drop("province")
    people = people.join(place_people(snapshot, day), on="person")
    precision = f"retired_on{PRECISION}"
    dated = [name for name in ("retired_on", precision) if name in people.collect_schema().names()]
    known = people.join(_list_later_people(snapshot, day), on="person", how="anti").with_columns(
        pl.when(~later.fill_null(False)).then(name).alias(name) for name in dated
    )
    begun = pl.col("start").is_null() | (pl.col("start") <= day)
    over = (pl.col("end") <= day).fill_null(False)
    employments = (
        snapshot.frames["employments"]
        .filter(begun)
        .with_columns(
            pl.when(over).then("end").alias("end"),
            retirement_postponed_until=pl.lit(None, pl.Date),
        )
    )
    frames = {**snapshot.frames, "people": known, "employments": employments}
    return replace(snapshot, folder=None, frames=frames)


def _list_later_people(snapshot: Snapshot, day: date) -> pl.LazyFrame:
    """person: of whom nothing up to the day is on record, and something later is."""
    frames = snapshot.frames
    edges, employments = frames["edges"], frames["employments"]
    dated = [
        frames["promotions"].select("person", day="day"),
        edges.select(person="mentor", day="start"),
        edges.select(person="apprentice", day="start"),
        employments.select("person", day="start"),
    ]
    first = (
        pl.concat([one.drop_nulls() for one in dated]).group_by("person").agg(pl.col("day").min())
    )
    return first.filter(pl.col("day") > day).select("person")


def place_people(snapshot: Snapshot, day: date) -> pl.LazyFrame:
    """person, province (text, null = not stated) on the day: of who began with an employer in
    another province since, that of the employer of before; of the others, the present one.
    """
    before = pl.col("start") <= day
    moved = (
        list_employer_provinces(snapshot)
        .group_by("person", maintain_order=True)
        .agg(
            origin=pl.col("place").filter(before).last(),
            place=pl.col("place").filter(~before).first(),
        )
        .filter(pl.col("origin") != pl.col("place"))
        .select("person", "origin")
    )
    people = snapshot.frames["people"].select("person", pl.col("province").cast(pl.String))
    province = pl.coalesce("origin", "province")
    return people.join(moved, on="person", how="left").select("person", province=province)


# --- what came -----------------------------------------------------------------------------------


def list_cohort(snapshot: Snapshot, known: Snapshot, day: date) -> pl.DataFrame:
    """person, occupation_group, province, level: who worked on the day, as it was known then."""
    group = pl.col("occupation_code").cast(pl.String).fill_null("")
    return (
        find_working_people(known, day)
        .drop("level")  # the best so far, of today
        .join(list_levels(snapshot, day), on="person", how="left")
        .select(
            "person",
            pl.col("level").fill_null(0),
            pl.col("province").fill_null(""),
            occupation_group=group.str.slice(0, OCCUPATION_GROUP_CHARACTERS),
        )
        .collect()
    )


def count_supply_changes(
    snapshot: Snapshot, cohort: pl.DataFrame, since: date, until: date, high: int
) -> pl.DataFrame:
    """occupation_group, province, and each of `SUPPLY_FIGURES`: of the cohort, from one day to the
    other.
    """
    risen = (
        snapshot.frames["promotions"]
        .filter(pl.col("day") > since, pl.col("day") <= until, pl.col("level") >= high)
        .select("person", risen=True)
        .unique()
    )
    working = find_working_people(snapshot, until).select("person", works=True)
    now = place_people(snapshot, until).rename({"province": "place"})
    people = (
        cohort.lazy()
        .join(working, on="person", how="left")
        .join(risen, on="person", how="left")
        .join(now, on="person", how="left")
        .with_columns(pl.col("works", "risen").fill_null(False), pl.col("place").fill_null(""))
        .collect()
    )
    stock, works = pl.col("level") >= high, pl.col("works")
    moves = stock & works & (pl.col("province") != pl.col("place"))
    nothing = pl.lit(0)
    parts = [
        people.select(
            *_KEYS, leaving=stock & ~works, rising=~stock & works & pl.col("risen"), moved=moves
        ),
        people.filter(moves).select(
            "occupation_group", province="place", leaving=nothing, rising=nothing, moved=pl.lit(-1)
        ),
    ]
    counts = pl.col("leaving", "rising", "moved").cast(pl.Int64)
    summed = (
        pl.concat([one.with_columns(counts) for one in parts]).group_by(_KEYS).agg(counts.sum())
    )
    loss = pl.col("leaving") + pl.col("moved") - pl.col("rising")
    return summed.select(*_KEYS, "leaving", "rising", loss=loss)


# --- forecast and compare ------------------------------------------------------------------------


def _forecast_from_year(
    snapshot: Snapshot, policy: Policy, origin_year: int, last_year: int, seed: int
) -> Iterator[pl.DataFrame]:
    """The outcomes of forecasts from the end of a year; none where too few promotions are known."""
    origin, high = date(origin_year, 12, 31), policy.high_skilled_level
    years = [*range(origin_year + 1, min(last_year, origin_year + SHORTAGE_YEARS) + 1)]
    known = hide_later_records(snapshot, origin)
    history = compute_driven_history(snapshot, replace(policy, as_of=origin))
    try:
        model = build_supply_model(known, history, origin + timedelta(days=1), years, seed)
    except UsageError:
        return
    baselines = _count_baselines(snapshot, origin, high)
    cohort = list_cohort(snapshot, known, origin)
    random = build_change_random(seed)
    for at, year in enumerate(years):
        changes = model.draw_year(at, random)
        draws = {
            "leaving": (changes.expected["retiring"], changes.drawn["retiring"]),
            "rising": (changes.expected["rising"], changes.drawn["rising"]),
            "loss": (sum_losses(changes.expected), sum_losses(changes.drawn)),
        }
        came = count_supply_changes(snapshot, cohort, origin, date(year, 12, 31), high)
        for attribute, keys in SUPPLY_AREAS.items():
            yield _compare_areas(model, draws, (came, *baselines), attribute, keys, (origin, year))


def _count_baselines(
    snapshot: Snapshot, origin: date, high: int
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """What changed a year, in the last year and on average, by cell."""
    found = []
    for years in (1, AVERAGE_YEARS):
        since = origin.replace(year=origin.year - years)
        cohort = list_cohort(snapshot, hide_later_records(snapshot, since), since)
        counted = count_supply_changes(snapshot, cohort, since, origin, high)
        found.append(counted.with_columns(pl.col(SUPPLY_FIGURES) / years))
    return found[0], found[1]


def _compare_areas(
    model: SupplyModel,
    draws: Mapping[str, tuple[Floats, Floats]],
    counted: Sequence[pl.DataFrame],
    attribute: str,
    keys: Sequence[str],
    when: tuple[date, int],
) -> pl.DataFrame:
    """The outcomes of one area: `draws` are the expected and the drawn of each figure, by cell;
    `counted` are what came, and a year of each baseline.
    """
    (origin, year), ahead = when, when[1] - when[0].year
    cells = model.cells.select("cell", *_KEYS)
    areas = cells.select(keys).unique(maintain_order=True) if keys else pl.DataFrame({"all": [0]})
    areas = areas.with_row_index("area")
    number = (
        cells.join(areas, on=list(keys), maintain_order="left")
        if keys
        else cells.with_columns(area=pl.lit(0))
    )
    at = number.sort("cell")["area"].to_numpy()
    shape = (areas.height, cells.height)
    mapping = sparse.csr_matrix((np.ones(len(at)), (at, np.arange(len(at)))), shape)
    sides = [_sum_by_area(one, areas, keys) for one in counted]
    parts = []
    for figure in SUPPLY_FIGURES:
        expected, drawn = (mapping @ of_cells for of_cells in draws[figure])
        outcome = sides[0][figure].to_numpy()
        plain = [side[figure].to_numpy() * ahead for side in sides[1:]]
        parts.append(
            areas.select(
                pl.lit(attribute).alias("attribute"),
                *((pl.col(k) if k in keys else pl.lit(None, pl.String)).alias(k) for k in _KEYS),
                pl.lit(figure).alias("figure"),
                pl.lit(origin).alias("origin"),
                pl.lit(year, pl.Int64).alias("year"),
            ).with_columns(
                pl.Series(name, values)
                for name, values in (
                    {"expected": expected} | _score_draws(drawn, outcome, plain)
                ).items()
            )
        )
    return pl.concat(parts).select(*_OUTCOME_SCHEMA)


def _sum_by_area(counted: pl.DataFrame, areas: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    figures = pl.col(SUPPLY_FIGURES).cast(pl.Float64)
    if not keys:
        return counted.select(figures.sum())
    summed = counted.group_by(keys).agg(figures.sum())
    joined = areas.join(summed, on=list(keys), how="left", maintain_order="left")
    return joined.with_columns(pl.col(SUPPLY_FIGURES).fill_null(0.0))


def _score_draws(drawn: Floats, outcome: Floats, plain: Sequence[Floats]) -> dict[str, Floats]:
    """The numbers of `_OUTCOME_SCHEMA` of areas x draws, all but what is expected."""
    quantiles = np.quantile(drawn, SCORE_QUANTILES, axis=1)
    bounds = {
        f"{side}_{name}": np.quantile(drawn, level, axis=1)
        for name, interval in INTERVALS.items()
        for side, level in zip(("low", "high"), interval, strict=True)
    }
    found = {"outcome": outcome, "median": np.quantile(drawn, 0.5, axis=1), **bounds}
    found["pinball"] = compute_pinball(quantiles, outcome)
    for name, values in zip(SUPPLY_BASELINES, plain, strict=True):
        found[name] = values
        repeated = np.repeat(values[None], len(SCORE_QUANTILES), 0)
        found[f"pinball_{name}"] = compute_pinball(repeated, outcome)
    return found
