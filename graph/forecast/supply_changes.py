"""What the years add to the high-skilled people in work and take from them: expected, and drawn.

By cell: an occupation and a province. What each figure is: `graph.forecast.shortages`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graph.forecast.history import (
    MONTH_DAYS,
    OCCUPATION_GROUP_CHARACTERS,
    DrivenHistory,
)
from graph.forecast.landing import DEFAULT_SEED
from graph.forecast.rising import RisingModel, fit_rising_model
from graph.forecast.simulation import DRAWS
from graph.forecast.stored_data import load_driven_history
from graph.people.retirement import (
    KeptOn,
    count_kept_on,
    judge_retirement_by,
    list_leaving_days,
    weigh_staying,
)
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHORTAGE_YEARS: Final = 3  # the as-of year and those after it
MOVE_YEARS: Final = 3
# Of those who retired in so many years, the share that is kept on; of fewer people none is taken.
KEPT_ON_YEARS: Final = 3
MIN_RETIRED: Final = 20
CHANGE_PARTS: Final = ("retiring", "moving_out", "moving_in", "rising")


def list_shortage_years(policy: Policy) -> list[int]:
    """The years that figures are given for, the as-of year first."""
    first = policy.as_of.year
    return [*range(first, min(first + SHORTAGE_YEARS, date.max.year + 1))]


@dataclass(frozen=True)
class SupplyModel:
    """What the changes of the years are drawn from, by cell ("" = not stated).

    - years, horizons: each year, and the months from the data date to its end
    - people: person, cell, level, leaves, leaves_later, gap, reemployed, of everybody in work
    - cells: cell, occupation_code, occupation_group, province, stock, unknown_retirement
    - stock: the rows of people at a high-skilled level
    - moves: a year and cell, how many of the stock move away, and how many move in
    - kept_on: of the high-skilled who retired in the last `KEPT_ON_YEARS`, who works on
    - chances: years x hazard draws x cells of the model of risers, at ratio 1
    """

    history: DrivenHistory
    years: Sequence[int]
    horizons: Sequence[float]
    people: pl.DataFrame
    cells: pl.DataFrame
    stock: pl.DataFrame
    moves: tuple[Floats, Floats]
    kept_on: KeptOn
    rising: RisingModel
    chances: Floats

    def draw_year(self, at: int, random: np.random.Generator) -> YearChanges:
        """The changes from the data date to the end of the year of this place in `years`."""
        size, horizon, end = self.cells.height, self.horizons[at], date(self.years[at], 12, 31)
        out, into = (rate * horizon / 12 for rate in self.moves)
        n, risen = _expect_risers(self.rising, self.people, size, self.chances[at], horizon, end)
        retiring, left = self._draw_leaving(end, random)
        moved = [random.poisson(rate[:, None], (size, DRAWS)) for rate in (out, into)]
        expected = (retiring, out, into, n * risen.mean(axis=1))
        drawn = (left, *moved, random.binomial(n[:, None], risen))
        return YearChanges(
            *(dict(zip(CHANGE_PARTS, one, strict=True)) for one in (expected, drawn))
        )

    def _draw_leaving(self, end: date, random: np.random.Generator) -> tuple[Floats, Floats]:
        """Who leaves by the day: expected (cells), drawn (cells x draws)."""
        ended = _count_leaving(self.stock.filter("reemployed"), self.cells.height, end)[0]
        of_age = self.stock.filter(~pl.col("reemployed"))
        certain, undecided = _count_leaving(of_age, self.cells.height, end)
        leaving = 1.0 - self._draw_kept_on(random)
        left: Floats = random.binomial(certain[:, None], leaving).astype(np.float64)
        left += random.binomial(undecided[:, None], 0.5 * leaving)
        gone = 1.0 - (self.kept_on_share or 0.0)
        return ended + gone * (certain + undecided / 2), ended[:, None] + left

    @property
    def kept_on_share(self) -> float | None:
        """Of those who reach retirement, the share that works on; None where too few retired."""
        seen = self.kept_on
        return seen.kept / seen.retired if seen.retired >= MIN_RETIRED else None

    def _draw_kept_on(self, random: np.random.Generator) -> Floats:
        if self.kept_on_share is None:
            return np.zeros(DRAWS)
        seen = self.kept_on
        return random.beta(seen.kept + 1, seen.retired - seen.kept + 1, DRAWS)


@dataclass(frozen=True)
class YearChanges:
    """Of each of `CHANGE_PARTS`: expected (cells), drawn (cells x draws)."""

    expected: Mapping[str, Floats]
    drawn: Mapping[str, Floats]


def sum_losses(changes: Mapping[str, Floats]) -> Floats:
    """Leavers less risers, of what is expected or drawn of each of `CHANGE_PARTS`."""
    left = changes["retiring"] + changes["moving_out"]
    found: Floats = left - changes["moving_in"] - changes["rising"]
    return found


def build_supply_model(
    snapshot: Snapshot,
    history: DrivenHistory,
    day: date,
    years: Sequence[int],
    seed: int,
    demand: pl.DataFrame | None = None,
) -> SupplyModel:
    """The model of those in work at the start of the day's year, and what is known of them.

    `demand` (occupation_code, province): cells that are listed even where nobody works.
    Raises `UsageError` where too few promotions are on record.
    """
    high = history.policy.high_skilled_level
    people = _list_people_in_work(snapshot, day, history)
    cells = _list_cells(people, demand)
    people = people.join(cells, on=["occupation_code", "province"]).drop("occupation_group")
    horizons = [(date(year, 12, 31) - history.data_date).days / MONTH_DAYS for year in years]
    model = fit_rising_model(snapshot, history, people.select("person"), horizons[-1] + 1, seed)
    stock = people.filter(pl.col("level") >= high)
    counts = np.bincount(stock["cell"], minlength=cells.height).astype(np.float64)
    unsure = stock.filter(pl.col("gap").is_not_null())
    unknown = np.bincount(unsure["cell"], minlength=cells.height)
    return SupplyModel(
        history,
        years,
        horizons,
        people,
        cells.with_columns(
            stock=pl.Series(counts), unknown_retirement=pl.Series(unknown, dtype=pl.Int64)
        ),
        stock,
        _expect_moves(snapshot, people, cells, counts, history.data_date),
        _count_kept_on(snapshot, day, history),
        model,
        model.compute_cell_chances(horizons),
    )


@dataclass(frozen=True)
class SupplyChanges:
    """What the years add and take.

    - expected: of each of `CHANGE_PARTS`, cells x years
    - positions: cells x years, NaN where none are stated
    - net: cells x years x draws: leavers less risers
    """

    model: SupplyModel
    expected: Mapping[str, Floats]
    positions: Floats
    net: Floats


def simulate_changes(
    snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED
) -> SupplyChanges:
    """The expected changes and their draws.

    Raises as `graph.forecast.shortages.compute_shortages`.
    """
    history = load_driven_history(snapshot, policy)
    years = list_shortage_years(policy)
    demand = _read_demand(snapshot, years)
    model = build_supply_model(snapshot, history, policy.as_of, years, seed, demand)
    random = build_change_random(seed)
    size = model.cells.height
    expected = {name: np.zeros((size, len(years))) for name in CHANGE_PARTS}
    net = np.zeros((size, len(years), DRAWS))
    for at in range(len(years)):
        changes = model.draw_year(at, random)
        net[:, at] = sum_losses(changes.drawn)
        for name in CHANGE_PARTS:
            expected[name][:, at] = changes.expected[name]
    return SupplyChanges(model, expected, _place_positions(demand, model.cells, years), net)


def build_change_random(seed: int) -> np.random.Generator:
    """What the changes are drawn with: of one seed always the same."""
    return np.random.default_rng([seed, 4])


def _list_people_in_work(snapshot: Snapshot, day: date, history: DrivenHistory) -> pl.DataFrame:
    """person, occupation_code, province ("" = not stated), level (on the data date), leaves,
    leaves_later, gap, reemployed.
    """
    keys = (pl.col(n).cast(pl.String).fill_null("") for n in ("occupation_code", "province"))
    return (
        snapshot.frames["people"]
        .select("person", *keys)
        .join(list_leaving_days(snapshot, day), on="person")
        .join(list_levels(snapshot, history.data_date), on="person", how="left")
        .with_columns(pl.col("level").fill_null(0))
        .collect()
    )


def list_levels(snapshot: Snapshot, day: date) -> pl.LazyFrame:
    """person, level: the best by the day, of those who have one."""
    reached = snapshot.frames["promotions"].filter(pl.col("day") <= day)
    return reached.group_by("person").agg(pl.col("level").max())


def _count_kept_on(snapshot: Snapshot, day: date, history: DrivenHistory) -> KeptOn:
    """By whole years, as all that retirement decides."""
    last = judge_retirement_by(day, steward=False)
    high = pl.col("level") >= history.policy.high_skilled_level
    skilled = list_levels(snapshot, history.data_date).filter(high).select("person")
    since = last.replace(year=max(last.year - KEPT_ON_YEARS, 1))
    return count_kept_on(snapshot, skilled, since, last)


def _read_demand(snapshot: Snapshot, years: list[int]) -> pl.DataFrame:
    """occupation_code, province, year, positions."""
    keys = (pl.col(n).cast(pl.String).fill_null("") for n in ("occupation_code", "province"))
    return (
        snapshot.frames["demand"]
        .filter(pl.col("year").is_in(years), pl.col("positions").is_not_null())
        .select(*keys, pl.col("year").cast(pl.Int64), "positions")
        .group_by("occupation_code", "province", "year")
        .agg(pl.col("positions").sum())
        .collect()
    )


def _list_cells(people: pl.DataFrame, demand: pl.DataFrame | None) -> pl.DataFrame:
    keys = ["occupation_code", "province"]
    sought = [] if demand is None else [demand.select(keys)]
    return (
        pl.concat([people.select(keys), *sought])
        .unique()
        .sort(keys)
        .with_columns(
            occupation_group=pl.col("occupation_code").str.slice(0, OCCUPATION_GROUP_CHARACTERS)
        )
        .with_row_index("cell")
    )


def _place_positions(demand: pl.DataFrame, cells: pl.DataFrame, years: list[int]) -> Floats:
    found = np.full((cells.height, len(years)), np.nan)
    placed = demand.join(cells, on=["occupation_code", "province"])
    column = placed["year"].to_numpy() - years[0]
    found[placed["cell"].to_numpy(), column] = placed["positions"].to_numpy()
    return found


def _count_leaving(stock: pl.DataFrame, size: int, end: date) -> tuple[Ints, Ints]:
    """By cell: who reaches the end of work by the day, and who does with even odds."""
    by_end = (pl.col("leaves") <= end).fill_null(False)
    open_still = (pl.col("leaves_later") > end).fill_null(False)
    certain = np.bincount(stock.filter(by_end & ~open_still)["cell"], minlength=size)
    undecided = np.bincount(stock.filter(by_end & open_still)["cell"], minlength=size)
    return certain, undecided


def _expect_risers(
    model: RisingModel,
    people: pl.DataFrame,
    size: int,
    chances: Floats,
    horizon: float,
    end: date,
) -> tuple[Ints, Floats]:
    """By cell: who waits for a promotion and may be there after the day; of each draw, the chance
    of staying and rising by the horizon, on average over them.
    """
    there = weigh_staying(people, end).filter(pl.col("stays") > 0)
    rows = model.waiting.join(there.select("person", "cell", "stays"), on="person")
    flat = model.number_cells(rows)
    used, column = np.unique(flat, return_inverse=True)
    at, stays = rows["cell"].to_numpy(), rows["stays"].to_numpy()
    n = np.bincount(at, minlength=size)
    staying = np.bincount(at, stays, minlength=size)
    counts = sparse.csr_matrix((stays, (at, column)), (size, len(used)))
    mean = np.asarray(counts @ chances[:, used].T) / np.maximum(staying, 0.5)[:, None]
    risen = model.follow_ratio(mean, horizon) * (staying / np.maximum(n, 1))[:, None]
    return n.astype(np.int64), risen


def _expect_moves(
    snapshot: Snapshot,
    people: pl.DataFrame,
    cells: pl.DataFrame,
    stock: Floats,
    data_date: date,
) -> tuple[Floats, Floats]:
    """By cell, a year: how many of the stock move to another province, and from another."""
    first_day = date(data_date.year - MOVE_YEARS, data_date.month, min(data_date.day, 28))
    begun = list_employer_provinces(snapshot).filter(pl.col("start") <= data_date)
    same = pl.col("person") == pl.col("person").shift(1)
    moves = (
        begun.with_columns(origin=pl.when(same).then(pl.col("place").shift(1)))
        .filter(pl.col("origin") != pl.col("place"), pl.col("start") > first_day)
        .group_by("origin", "place")
        .agg(n=pl.len())
        .collect()
    )
    provinces = sorted({*cells["province"], *moves["origin"], *moves["place"]})
    number = {province: at for at, province in enumerate(provinces)}
    flows = np.zeros((len(provinces), len(provinces)))
    for origin, place, n in moves.rows():
        flows[number[origin], number[place]] = n / MOVE_YEARS
    heads = dict(people.group_by("province").len().rows())
    working = np.array([float(heads.get(province, 0)) for province in provinces])
    rates = flows / np.maximum(working, 1.0)[:, None]
    rates *= np.minimum(1.0, 1.0 / np.maximum(rates.sum(axis=1, keepdims=True), 1e-9))
    return _apply_move_rates(cells, stock, rates, number)


def list_employer_provinces(snapshot: Snapshot) -> pl.LazyFrame:
    """person, start, place: the province of each dated employment's enterprise, in that order."""
    places = snapshot.frames["enterprises"].select("enterprise_id", place="province")
    return (
        snapshot.frames["employments"]
        .join(places, on="enterprise_id")
        .select("person", "start", pl.col("place").cast(pl.String))
        .drop_nulls()
        .sort("person", "start", "place")
    )


def _apply_move_rates(
    cells: pl.DataFrame, stock: Floats, rates: Floats, number: Mapping[str, int]
) -> tuple[Floats, Floats]:
    """Each cell's stock times the rates from its province; who moves keeps the occupation."""
    codes = cells["occupation_code"].unique(maintain_order=True)
    row = cells["occupation_code"].replace_strict(
        codes, np.arange(codes.len()), return_dtype=pl.Int64
    )
    at = row.to_numpy(), cells["province"].replace_strict(number, return_dtype=pl.Int64).to_numpy()
    by_place = np.zeros((codes.len(), len(number)))
    by_place[at] = stock
    there = np.zeros_like(by_place)
    there[at] = 1.0
    # A move to where nobody of the occupation is, and none is sought, has no cell: it is left out.
    out = by_place * (there @ rates.T)
    into = (by_place @ rates) * there
    return out[at], into[at]
