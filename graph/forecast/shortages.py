"""Supply and demand: the high-skilled people in work, who leaves, who rises, and what is missing.

A row an occupation (or its group), a province (or the nation) and a year, from the as-of year on.
`demand` states the positions open: those that nobody in work fills yet. So

    supply = stock - retiring - moving_out + moving_in + rising      (in work at the year's end)
    gap    = positions - (supply - stock)                            (> 0: people are missing)

- stock: people at a high-skilled level on the data date who worked at the start of the as-of year
- retiring: of them, who leaves by the year's end (`graph.people.retirement.list_leaving_days`),
  less the share kept_on that works on after retiring; a woman of unknown category counts half
  between her two months, past the earlier one as a cadre; who has no known month is
  counted in unknown_retirement alone
- moving_out, moving_in: stock * moves a person and year from the province, of the
  `graph.forecast.supply_changes.MOVE_YEARS` before the data date, and where those moves led
- rising: the chance of each person in work below the high-skilled level
  (`graph.forecast.rising`), of those who do not leave before the year's end; of a woman between
  her two months half
- mentor_years: gap / raised_per_year, where
  raised_per_year = apprentices who became high-skilled in the window / mentor-years in the window;
  an apprentice of k mentors counts 1/k to each, and a mentor-year is a year of a mentor with at
  least one mentorship going on

Figures are expected values, so they add up over provinces; the interval of the gap is 80 % of
`DRAWS` seeded draws: hazards and their ratio as in the forecast, binomial and Poisson counts. It
is as many times as wide as past forecasts of occupation groups needed for 80 % of what came to lie
inside, and reaches a person each way at least; single occupations have none. A gap is
not given where past forecasts were no better than a plain baseline
(`graph.forecast.supply_backtest`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy import sparse

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.dates import take_last_day
from graph.forecast.history import DrivenHistory
from graph.forecast.landing import DEFAULT_SEED
from graph.forecast.supply_backtest import (
    SupplyBacktest,
    build_empty_backtest,
    build_supply_backtest_path,
    load_supply_backtest,
    widen_bounds,
)
from graph.forecast.supply_changes import SupplyChanges, simulate_changes
from graph.labels import MetricColumnLabels
from graph.people.retirement import judge_retirement_by, list_leaving_days
from graph.policy import Policy
from graph.programme.departures import find_mentors_in_place
from graph.snapshot.frames import Snapshot

Floats = NDArray[np.float64]

SHORTAGES_VERSION: Final = 5
# Fewer apprentices who became high-skilled than this tell no rate a mentor-year.
MIN_RAISED: Final = 20
DAYS_A_YEAR: Final = 365.25
# What a row is of, and over which area.
SHORTAGE_KINDS: Final = ("occupation", "occupation_group")
SHORTAGE_AREAS: Final = ("province", "nation")
# In place of a province's code: the rows of which no province is stated.
UNSTATED_PROVINCE: Final = "unstated"
ShortagePart = Literal["leaving", "rising", "mentors"]
COLUMNS: Final[MetricColumnLabels] = {
    "code": ("occupation or its group", "职业（中类）编码"),
    "occupation": ("occupation", "职业"),
    "province": ("province", "省份"),
    "year": ("by the end of", "年末"),
    "rank": ("rank of shortage", "紧缺次序"),
    "stock": ("high-skilled in work", "在岗高技能人才（人）"),
    "retiring": ("retiring (persons)", "预计退休（人）"),
    "moving_out": ("moving out (persons)", "预计调出（人）"),
    "moving_in": ("moving in (persons)", "预计调入（人）"),
    "kept_on": ("kept on after retiring (share)", "退休后留用比例"),
    "rising": ("becoming high-skilled (persons)", "预计晋升为高技能人才（人）"),
    "supply": ("in work at the year's end (persons)", "年末在岗（人）"),
    "positions": ("positions open", "岗位需求"),
    "gap": ("people missing", "缺口（人）"),
    "gap_low": ("80 % from", "80%区间下限"),
    "gap_high": ("80 % to", "80%区间上限"),
    "without_demand": ("in work, demand not stated", "无需求数据的在岗人数"),
    "unknown_retirement": ("in work, retirement month not known", "退休月份不能确定人数"),
    "mentors": ("mentors in place", "在岗师傅（人）"),
    "raised": ("apprentices who became high-skilled", "徒弟晋升为高技能人才（人）"),
    "observed_mentor_years": ("mentor-years observed", "已有带徒人年"),
    "raised_per_year": ("raised a mentor-year", "每带徒人年晋升人数"),
    "rate_of": ("rate of", "晋升率来源"),
    "mentor_years": ("mentor-years that close the gap", "补缺所需带徒人年"),
}
PEOPLE_COLUMNS: Final[MetricColumnLabels] = {
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "level": ("level", "技能等级"),
    "occupation_code": ("occupation code", "职业代码"),
    "province": ("province", "省份"),
    "year": ("leaves in", "离岗年份"),
    "other_year": ("or in", "或年份"),
    "chance": ("chance of becoming high-skilled by the year's end", "年末前晋升概率"),
    "apprentices": ("apprentices in training (persons)", "在带徒弟（人）"),
}


@dataclass(frozen=True)
class Shortages:
    """The table of `compute_shortages`, who may rise, and what past forecasts were worth.

    - rows: kind (of `SHORTAGE_KINDS`), area (of `SHORTAGE_AREAS`) and `COLUMNS`, the worst first
    - chances: person, year, chance (of becoming high-skilled by its end)
    """

    rows: pl.DataFrame
    chances: pl.DataFrame
    backtest: SupplyBacktest = field(default_factory=build_empty_backtest)


def load_shortages(snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED) -> Shortages:
    """As `compute_shortages`; stored beside the snapshot."""
    found: list[Shortages] = []

    def compute() -> Shortages:
        if not found:
            found.append(compute_shortages(snapshot, policy, seed=seed))
        return found[0]

    rows, chances = _list_shortage_paths(snapshot, policy, seed)
    return Shortages(
        load_cached_table(rows, lambda: compute().rows),
        load_cached_table(chances, lambda: compute().chances),
        load_supply_backtest(snapshot, policy, seed=seed),
    )


def has_shortages(snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED) -> bool:
    """Whether the tables are stored, so that asking for them costs little."""
    paths = _list_shortage_paths(snapshot, policy, seed)
    backtest = build_supply_backtest_path(snapshot, policy, seed)
    return all(map(has_cached_table, (*paths, backtest)))


def _list_shortage_paths(snapshot: Snapshot, policy: Policy, seed: int) -> list[Path | None]:
    return [
        build_table_path(snapshot, name, SHORTAGES_VERSION, policy.id, seed)
        for name in ("shortages", "shortage-chances")
    ]


def compute_shortages(snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED) -> Shortages:
    """The rows and chances in memory alone.

    A null code or province is one not stated; of the area "nation" the province is null. gap is
    that of the occupations and provinces with demand rows in the year, null where none has any,
    and in every row where past forecasts do not defend it (`SupplyBacktest.defends_gaps`);
    without_demand counts the stock of the others. raised_per_year is the row's own where at least
    `MIN_RAISED` apprentices became high-skilled, else that of the same occupation (or group) in the
    nation, else null. Raises `UsageError` where chains have no dates or too few promotions are on
    record.
    """
    changes = simulate_changes(snapshot, policy, seed=seed)
    backtest = load_supply_backtest(snapshot, policy, seed=seed)
    cells = changes.model.cells.with_columns(
        _measure_mentoring(snapshot, policy, changes.model.cells, changes.model.history)
    )
    parts = [
        _sum_cells(changes, cells, kind, area) for kind in SHORTAGE_KINDS for area in SHORTAGE_AREAS
    ]
    names = snapshot.frames["occupations"].select(code="code", occupation="name").collect()
    kept_on = pl.lit(changes.model.kept_on_share, pl.Float64)
    judged = judge_gaps(pl.concat(parts).with_columns(kept_on=kept_on), backtest)
    rows = (
        _add_rates(judged)
        .join(names.unique("code"), on="code", how="left", maintain_order="left")
        .select("kind", "area", *COLUMNS)
    )
    return Shortages(rows, _compute_person_chances(changes), backtest)


# --- mentors and what they raised ----------------------------------------------------------------


def _measure_mentoring(
    snapshot: Snapshot, policy: Policy, cells: pl.DataFrame, history: DrivenHistory
) -> list[pl.Series]:
    """By cell of the mentor: mentors (in place), raised, observed_mentor_years."""
    keys = [pl.col(n).cast(pl.String).fill_null("") for n in ("occupation_code", "province")]
    placed = (
        snapshot.frames["people"]
        .select("person", *keys)
        .join(
            cells.lazy().select("cell", "occupation_code", "province"),
            on=["occupation_code", "province"],
        )
        .select("person", "cell")
        .collect()
    )
    by_year = judge_retirement_by(policy.as_of, steward=False)
    in_place = find_mentors_in_place(snapshot.under(policy), policy.as_of, by_year)
    periods = _list_mentoring(snapshot.under(policy), policy, history.data_date)
    raised = _share_raised(snapshot, policy, periods, history.data_date)
    found = (
        (in_place.select("person", n=pl.lit(1.0)), "mentors", pl.Int64),
        (raised, "raised", pl.Float64),
        (_sum_mentor_years(periods, policy.window_start), "observed_mentor_years", pl.Float64),
    )
    columns = []
    for rows, name, kind in found:
        at = rows.join(placed, on="person")
        counted = np.bincount(at["cell"], at["n"], minlength=cells.height)
        columns.append(pl.Series(name, counted).cast(kind))
    return columns


def _list_mentoring(snapshot: Snapshot, policy: Policy, data_date: date) -> pl.DataFrame:
    """mentor, apprentice, start, end (at most the data date) of dated mentorships.

    One that is over, and whose end is not stated, has no length: it is left out.
    """
    rows = snapshot.frames["mentorships"]
    over = pl.col("status").fill_null("ongoing") != "ongoing"
    last = pl.lit(min(data_date, policy.window_end))
    return (
        rows.filter(pl.col("start") <= last, pl.col("mentor") != pl.col("apprentice"))
        .filter(pl.col("end").is_not_null() | ~over)
        .select(
            "mentor",
            "apprentice",
            "start",
            end=pl.min_horizontal(take_last_day(rows, "end"), last),
        )
        .collect()
    )


def _share_raised(
    snapshot: Snapshot, policy: Policy, periods: pl.DataFrame, data_date: date
) -> pl.DataFrame:
    """person (a mentor), n: apprentices who became high-skilled in the window after it began, each
    shared by the mentors they had by then.
    """
    high = policy.high_skilled_level
    last = min(data_date, policy.window_end)
    risen = (
        snapshot.frames["promotions"]
        .filter(pl.col("level") >= high, pl.col("before") < high)
        .filter(pl.col("day").is_between(policy.window_start, last))
        .select(apprentice="person", day="day")
        .collect()
    )
    pairs = periods.join(risen, on="apprentice").filter(pl.col("start") <= pl.col("day"))
    pairs = pairs.unique(["mentor", "apprentice"])
    shared = pairs.with_columns(n=1.0 / pl.len().over("apprentice"))
    return shared.group_by(person="mentor").agg(pl.col("n").sum())


def _sum_mentor_years(periods: pl.DataFrame, window_start: date) -> pl.DataFrame:
    """person (a mentor), n: years in the window with a mentorship going on, overlaps once."""
    inside = periods.filter(pl.col("end") >= window_start).with_columns(
        pl.max_horizontal("start", pl.lit(window_start))
    )
    before = pl.col("end").cum_max().shift(1).over("mentor")
    days = (pl.col("end") - pl.max_horizontal("start", before)).dt.total_days()
    return (
        inside.sort("mentor", "start", "end")
        .with_columns(days=days.clip(0))
        .group_by(person="mentor")
        .agg(n=pl.col("days").sum() / DAYS_A_YEAR)
    )


# --- the rows ------------------------------------------------------------------------------------


def _sum_cells(changes: SupplyChanges, cells: pl.DataFrame, kind: str, area: str) -> pl.DataFrame:
    """The rows of one kind and area: kind, area, code, province and the figures."""
    code = "occupation_code" if kind == "occupation" else "occupation_group"
    place = pl.col("province") if area == "province" else pl.lit("")
    rows = cells.select("cell", pl.col(code).alias("code"), place.alias("place"))
    groups = rows.group_by("code", "place", maintain_order=True).agg(pl.col("cell"))
    groups = groups.with_row_index("group")
    group = groups.explode("cell").sort("cell")["group"].to_numpy()
    shape = (groups.height, cells.height)
    mapping = sparse.csr_matrix((np.ones(cells.height), (group, np.arange(cells.height))), shape)
    names = ("stock", "unknown_retirement", "mentors", "raised", "observed_mentor_years")
    fixed = {name: mapping @ cells[name].to_numpy().astype(np.float64) for name in names}
    stated = [pl.col(name).replace("", None) for name in ("code", "place")]
    parts = []
    for at, year in enumerate(changes.model.years):
        figures = {name: mapping @ values[:, at] for name, values in changes.expected.items()}
        figures |= _measure_gap(changes, mapping, cells, at)
        parts.append(
            groups.select(*stated).with_columns(
                pl.lit(kind).alias("kind"),
                pl.lit(area).alias("area"),
                pl.lit(year, pl.Int64).alias("year"),
                *(pl.Series(name, values) for name, values in (fixed | figures).items()),
            )
        )
    counts = ("stock", "unknown_retirement", "mentors", "without_demand", "positions")
    gained = pl.col("rising") + pl.col("moving_in") - pl.col("retiring") - pl.col("moving_out")
    return (
        pl.concat(parts)
        .rename({"place": "province"})
        .with_columns(pl.col(name).cast(pl.Int64) for name in counts)
        .with_columns(supply=pl.col("stock") + gained)
    )


def _measure_gap(
    changes: SupplyChanges, mapping: sparse.csr_matrix, cells: pl.DataFrame, at: int
) -> dict[str, pl.Series]:
    """positions, gap, gap_low, gap_high and without_demand, of the cells with demand rows."""
    stated = ~np.isnan(changes.positions[:, at])
    positions = np.where(stated, changes.positions[:, at], 0.0)
    expected = changes.expected
    left = expected["retiring"][:, at] + expected["moving_out"][:, at]
    lost = left - expected["moving_in"][:, at] - expected["rising"][:, at]
    draws = mapping @ (positions[:, None] + np.where(stated[:, None], changes.net[:, at], 0.0))
    low, high = np.quantile(draws, (0.1, 0.9), axis=1)
    known = pl.Series(mapping @ stated.astype(np.float64) > 0)
    figures = {
        "positions": mapping @ positions,
        "gap": mapping @ (positions + np.where(stated, lost, 0.0)),
        "gap_low": low,
        "gap_high": high,
    }
    shown = {
        name: pl.Series(name, values).to_frame().select(pl.when(known).then(name)).to_series()
        for name, values in figures.items()
    }
    stock = cells["stock"].to_numpy()
    return shown | {"without_demand": pl.Series(mapping @ np.where(stated, 0.0, stock))}


def judge_gaps(rows: pl.DataFrame, backtest: SupplyBacktest) -> pl.DataFrame:
    """The rows with intervals as wide as the past asks for; without gaps where it defends none.

    Past forecasts are held against what came by occupation groups: single occupations have no
    interval.
    """
    gaps = ("gap", "gap_low", "gap_high")
    if backtest.defends_gaps() is False:
        return rows.with_columns(pl.lit(None, pl.Float64).alias(name) for name in gaps)
    times = pl.lit(1.0)
    for area in SHORTAGE_AREAS:
        times = pl.when(area=area).then(backtest.measure_widening(area)).otherwise(times)
    judged = pl.when(kind="occupation_group")
    widened = widen_bounds(*gaps, times)
    return rows.with_columns(judged.then(one).alias(one.meta.output_name()) for one in widened)


def _add_rates(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with rank, raised_per_year, rate_of and mentor_years, the worst first."""
    enough = (pl.col("raised") >= MIN_RAISED) & (pl.col("observed_mentor_years") > 0)
    own = pl.when(enough).then(pl.col("raised") / pl.col("observed_mentor_years"))
    rows = rows.with_columns(own=own)
    nation = rows.filter(area="nation").select("kind", "code", "year", nation="own")
    rate, missing = pl.coalesce("own", "nation"), pl.col("gap") > 0
    by = ("kind", "area", "year")
    return (
        rows.join(nation, on=["kind", "code", "year"], how="left", nulls_equal=True)
        .with_columns(
            raised_per_year=rate,
            rate_of=pl.when(pl.col("own").is_not_null())
            .then(pl.lit("own"))
            .when(pl.col("nation").is_not_null())
            .then(pl.lit("nation")),
            mentor_years=pl.when(missing & (rate > 0)).then(pl.col("gap") / rate),
            rank=pl.col("gap").rank("min", descending=True).over(by).cast(pl.Int64),
        )
        .sort("kind", "area", "year", "rank", "code", "province", nulls_last=True)
    )


def _compute_person_chances(changes: SupplyChanges) -> pl.DataFrame:
    """person, year, chance: of everybody in work who waits for a promotion."""
    waiting = changes.model.rising.waiting
    flat = changes.model.rising.number_cells(waiting)
    used, column = np.unique(flat, return_inverse=True)
    parts = []
    for year, horizon, chances in zip(
        changes.model.years, changes.model.horizons, changes.model.chances, strict=True
    ):
        # A thousand draws of each cell: so many cells at a time take little memory.
        mean = [
            changes.model.rising.follow_ratio(part, horizon).mean(axis=1)
            for part in np.array_split(chances[:, used].T, 1 + len(used) // 5_000)
        ]
        parts.append(
            waiting.select(
                "person",
                year=pl.lit(year, pl.Int64),
                chance=pl.Series(np.concatenate(mean)[column], dtype=pl.Float64),
            )
        )
    return pl.concat(parts)


# --- the people of a row -------------------------------------------------------------------------


def list_shortage_people(
    snapshot: Snapshot,
    policy: Policy,
    found: Shortages,
    part: ShortagePart,
    year: int,
    *,
    code: str,
    province: str | None = None,
) -> pl.DataFrame:
    """The people of a part of an occupation's row, or of those whose code begins with `code`.

    - leaving: high-skilled people who leave by the end of the year: year, other_year (of a woman of
      unknown category the later one)
    - rising: who may become high-skilled: chance, the likeliest first
    - mentors: mentors in place: apprentices, the most first

    Without `province` those of the nation; `UNSTATED_PROVINCE`: of no stated province. Retirements
    are given by year to everybody.
    """
    people = snapshot.frames["people"].select(
        "person", "person_id", "name", "level", "occupation_code", "province"
    )
    here = pl.col("occupation_code").fill_null("").str.starts_with(code)
    people = people.filter(here, match_province(province))
    if part == "mentors":
        by_year = judge_retirement_by(policy.as_of, steward=False)
        in_place = find_mentors_in_place(snapshot.under(policy), policy.as_of, by_year)
        rows, order = in_place.select("person", "apprentices").lazy(), "apprentices"
    elif part == "rising":
        rows, order = found.chances.lazy().filter(pl.col("year") == year).drop("year"), "chance"
    else:
        people = people.filter(pl.col("level") >= policy.high_skilled_level)
        rows, order = _list_leaving_years(snapshot, policy, year), "year"
    listed = people.join(rows, on="person")
    stated = listed.collect_schema().names()
    return (
        listed.sort(order, "person_id", descending=[part != "leaving", False])
        .select(name for name in PEOPLE_COLUMNS if name in stated)
        .collect()
    )


def _list_leaving_years(snapshot: Snapshot, policy: Policy, year: int) -> pl.LazyFrame:
    leaving = list_leaving_days(snapshot, policy.as_of)
    years = leaving.select(
        "person", year=pl.col("leaves").dt.year(), other_year=pl.col("leaves_later").dt.year()
    )
    return years.filter(pl.col("year") <= year)


def match_province(province: str | None) -> pl.Expr:
    """Which rows are of the province, by its code or `UNSTATED_PROVINCE`; without one all are."""
    if province is None:
        return pl.lit(True)
    if province == UNSTATED_PROVINCE:
        return pl.col("province").is_null()
    return pl.col("province") == province


def select_shortages(
    rows: pl.DataFrame, kind: str, area: str, year: int, province: str | None = None
) -> pl.DataFrame:
    """The rows of one kind, area and year, of one province where it is named (by its code or
    `UNSTATED_PROVINCE`): `COLUMNS`.
    """
    found = rows.filter(kind=kind, area=area, year=year).select(*COLUMNS)
    return found.filter(match_province(province))


@dataclass(frozen=True)
class GapTotals:
    """High-skilled people by the end of a year, in persons: `missing` where there are too few,
    `surplus` where there are more than needed, and the `positions` open in both.
    """

    missing: int
    surplus: int
    positions: int


def sum_gaps(rows: pl.DataFrame, year: int, province: str | None = None) -> GapTotals | None:
    """The gaps of the year's occupations and provinces; None where none is known.

    Who is too many in one occupation or province does not fill a gap in another, so that the two
    are sums of their own.
    """
    of_year = rows.filter(kind="occupation", area="province", year=year)
    known = of_year.filter(match_province(province)).drop_nulls("gap")
    if known.is_empty():
        return None
    surplus, missing = (-known["gap"]).clip(0).sum(), known["gap"].clip(0).sum()
    return GapTotals(round(missing), round(surplus), int(known["positions"].sum()))


def describe_missing(rows: pl.DataFrame, year: int) -> dict[str, int | None]:
    """What the figures of a year leave out, in persons of the stock.

    stock; without_demand (no demand row for their occupation and province); unknown_retirement (no
    single retirement month); no_place (no province or occupation). None where the rows do not tell
    it to the role (`graph.report.shortage_protection`).
    """
    of_year = rows.filter(kind="occupation", area="province", year=year)
    unplaced = of_year.filter(pl.col("code").is_null() | pl.col("province").is_null())
    names = ("stock", "without_demand", "unknown_retirement")
    return {name: _sum_told(of_year[name]) for name in names} | {
        "no_place": _sum_told(unplaced["stock"])
    }


def _sum_told(figures: pl.Series) -> int | None:
    """The sum of what is told; None where there are figures and all of them are hidden."""
    if figures.len() and figures.null_count() == figures.len():
        return None
    return int(figures.sum())
