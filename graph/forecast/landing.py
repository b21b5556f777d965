"""The landing forecast: both ledgers at the window's end, with intervals, parts and assumptions.

Everything is computed from one snapshot, one policy and one seed, and stored beside the snapshot.
Medians and intervals are quantiles of `graph.forecast.simulation.DRAWS` draws.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.cache.tables import (
    build_table_path,
    has_cached_table,
    load_cached_table,
    scan_cached_table,
)
from graph.errors import UsageError
from graph.forecast.backtest import LEDGERS, Backtest, run_backtest, summarize_backtest
from graph.forecast.history import (
    BLOCK_MONTHS,
    MONTH_DAYS,
    DrivenHistory,
)
from graph.forecast.pending_people import count_pending, measure_pending
from graph.forecast.simulation import (
    NATION,
    PARTS,
    ForecastData,
    ForecastModel,
    SimulatedLedgers,
)
from graph.forecast.stored_data import load_driven_history, load_forecast_data
from graph.labels import MetricColumnLabels
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.programme.overview import sum_targets_by_scope
from graph.snapshot.frames import Snapshot

# Raised when the method changes, so that forecasts of an older one are not read as these.
FORECAST_VERSION: Final = 5
DEFAULT_SEED: Final = 2026
BACKTEST_ORIGINS: Final = 6
MAX_FORECAST_MONTHS: Final = 120
FIGURE_QUANTILES: Final = {
    "median": 0.5,
    "low_80": 0.1,
    "high_80": 0.9,
    "low_95": 0.025,
    "high_95": 0.975,
}
COLUMNS: Final[MetricColumnLabels] = {
    "attribute": ("broken down by", "分解维度"),
    "value": ("value", "取值"),
    "ledger": ("ledger", "口径"),
    "day": ("by", "截至"),
    "counted": ("already counted", "已计入"),
    "median": ("median", "中位数"),
    "low_80": ("80 % from", "80%区间下限"),
    "high_80": ("80 % to", "80%区间上限"),
    "low_95": ("95 % from", "95%区间下限"),
    "high_95": ("95 % to", "95%区间上限"),
    "target": ("target", "目标"),
    "probability": ("probability of reaching the target", "达标概率"),
    "part": ("part", "组成部分"),
    "count": ("known by then", "当时已知"),
    "level": ("level", "等级"),
    "occupation_group": ("occupation group", "职业中类"),
    "months": ("months waited, from", "已等待月数（起）"),
    "persons": ("persons", "人数"),
    "chance": ("chance of rising by the window's end", "期末前晋升概率"),
    "stream": ("arrivals", "新增来源"),
    "outcomes": ("outcomes", "检验次数"),
    "coverage_80": ("share inside the 80 % interval", "80%区间命中率"),
    "coverage_95": ("share inside the 95 % interval", "95%区间命中率"),
    "error": ("error of the median, all outcomes together", "中位数总体误差"),
    "ape": ("mean error of the median", "中位数平均误差"),
    "ape_line": ("mean error of the straight line", "直线外推平均误差"),
    "ape_run_rate": ("mean error of the run rate", "近四季均值平均误差"),
    "pinball": ("pinball loss", "分位数损失"),
    "pinball_line": ("pinball loss of the straight line", "直线外推分位数损失"),
    "pinball_run_rate": ("pinball loss of the run rate", "近四季均值分位数损失"),
    "ratio": ("loss to that of the better baseline", "与较优基准之比"),
    "origin": ("forecast made on", "预测起点"),
    "target_day": ("for", "预测终点"),
    "horizon": ("months ahead", "预测月数"),
    "outcome": ("what came", "实际值"),
    "line": ("straight line", "直线外推"),
    "run_rate": ("run rate of four quarters", "近四季均值"),
}


@dataclass(frozen=True)
class LandingForecast:
    """Where both ledgers will stand, under one policy at one revision.

    - figures: attribute ("nation" or one of `FORECAST_ATTRIBUTES`), value (null = the nation, or
      not stated), ledger ("persons" or "person_times"), day (each quarter's end to come, the last
      one the window's), counted, median, low_80, high_80, low_95, high_95, target (person-times,
      null = none), probability (of reaching it by the window's end)
    - parts: attribute, value, part (of `graph.forecast.simulation.PARTS`), median, low_80, high_80
      of what it adds by the window's end
    - past: attribute, value, ledger, day, count: what was known at past quarter-ends
    - pending: occupation_group, level, months (the class of months waited begins with), persons,
      chance: who is reached and not high-skilled on the data date, and the chance of becoming so
      by the window's end
    - arrivals: stream (see `ForecastModel.list_arrivals`), day, count: what arrived in each
      past quarter looked back on
    - waiting: the people pending, a row each (see `graph.forecast.pending_people`); read where it
      is asked for
    """

    policy: Policy
    revision: int
    data_date: date
    seed: int
    figures: pl.DataFrame
    parts: pl.DataFrame
    past: pl.DataFrame
    pending: pl.DataFrame
    arrivals: pl.DataFrame
    waiting: pl.LazyFrame = field(default_factory=pl.LazyFrame)

    def select_landing(self, attribute: str = NATION) -> pl.DataFrame:
        """The figures of the window's end, a row a value and ledger."""
        last = pl.col("day") == pl.col("day").max()
        return self.figures.filter(pl.col("attribute") == attribute).filter(last)

    def table(self) -> pl.DataFrame:
        """The figures of the window's end, of the nation and of every breakdown."""
        return self.figures.filter(pl.col("day") == pl.col("day").max())


def load_landing_forecast(
    snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED
) -> LandingForecast:
    """The forecast under the policy: the stored one, or one computed now and stored.

    Raises `UsageError` where chains have no dates, the window is over, or too little has happened.
    """
    found: list[LandingForecast] = []

    def compute() -> LandingForecast:
        if not found:
            found.append(compute_landing_forecast(snapshot, policy, seed=seed))
        return found[0]

    tables: dict[str, pl.DataFrame] = {}
    takers: dict[str, Callable[[], pl.DataFrame]] = {
        "figures": lambda: compute().figures.with_columns(data_date=compute().data_date),
        "parts": lambda: compute().parts,
        "past": lambda: compute().past,
        "pending": lambda: compute().pending,
        "arrivals": lambda: compute().arrivals,
    }
    for name, take in takers.items():
        path = build_table_path(snapshot, f"forecast-{name}", FORECAST_VERSION, policy.id, seed)
        tables[name] = load_cached_table(path, take)
    path = build_table_path(snapshot, "forecast-waiting", FORECAST_VERSION, policy.id, seed)
    waiting = scan_cached_table(path, lambda: compute().waiting.collect())
    figures = tables.pop("figures")
    return LandingForecast(
        policy,
        snapshot.revision,
        figures["data_date"][0],
        seed,
        figures.drop("data_date"),
        waiting=waiting,
        **tables,
    )


def has_landing_forecast(snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED) -> bool:
    """Whether the forecast is stored, so that asking for it costs little."""
    names = ("figures", "parts", "past", "pending", "arrivals", "waiting")
    return all(
        has_cached_table(
            build_table_path(snapshot, f"forecast-{name}", FORECAST_VERSION, policy.id, seed)
        )
        for name in names
    )


def load_backtest(snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED) -> Backtest:
    """The back-test under the policy: the stored one, or one run now and stored.

    Raises `UsageError` as `load_landing_forecast` does.
    """

    def compute() -> pl.DataFrame:
        return run_backtest(load_forecast_data(snapshot, policy, BACKTEST_ORIGINS), seed).outcomes

    path = build_table_path(snapshot, "forecast-backtest", FORECAST_VERSION, policy.id, seed)
    outcomes = load_cached_table(path, compute)
    return Backtest(outcomes, summarize_backtest(outcomes))


def has_backtest(snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED) -> bool:
    """Whether the back-test is stored, so that asking for it costs little."""
    return has_cached_table(
        build_table_path(snapshot, "forecast-backtest", FORECAST_VERSION, policy.id, seed)
    )


def compute_landing_forecast(
    snapshot: Snapshot, policy: Policy, *, seed: int = DEFAULT_SEED
) -> LandingForecast:
    """As `load_landing_forecast`; the forecast itself is not stored."""
    history = load_driven_history(snapshot, policy)
    check_window_open(history)
    days = list_forecast_days(history.data_date, policy.window_end)
    data = load_forecast_data(snapshot, policy)
    horizons = [(day - history.data_date).days / MONTH_DAYS for day in days]
    model = ForecastModel.fit(data, 0, horizons, np.random.default_rng([seed, 0]))
    simulated = model.simulate_all()
    targets = _read_targets(snapshot, policy)
    pending = measure_pending(model)
    return LandingForecast(
        policy,
        snapshot.revision,
        history.data_date,
        seed,
        pl.concat(
            _build_figures(data, attribute, found, days, targets)
            for attribute, found in simulated.items()
        ),
        pl.concat(_build_parts(attribute, found) for attribute, found in simulated.items()),
        pl.concat(_build_past(data, attribute) for attribute in simulated),
        count_pending(pending),
        model.list_arrivals(),
        pending.lazy(),
    )


def check_window_open(history: DrivenHistory) -> None:
    """Raises `UsageError` where nothing is left to forecast, nothing has begun, or the window ends
    too far away.
    """
    if history.policy.window_start > history.data_date:
        raise UsageError(
            "The window starts on {start}, and the data reach {day} only: what has not begun "
            "cannot be forecast. Choose a window that starts earlier.",
            start=history.policy.window_start,
            day=history.data_date,
        )
    if history.months_left > MAX_FORECAST_MONTHS:
        raise UsageError(
            "The window ends on {end}, more than {years} years after the data, which reach {day}. "
            "Choose a window that ends earlier.",
            end=history.policy.window_end,
            years=MAX_FORECAST_MONTHS // 12,
            day=history.data_date,
        )
    if history.policy.window_end <= history.data_date:
        raise UsageError(
            "The window ended on {end}, and the data reach {day}: there is nothing left to "
            "forecast. Choose a window that ends later.",
            end=history.policy.window_end,
            day=history.data_date,
        )


def list_forecast_days(data_date: date, window_end: date) -> list[date]:
    """The ends of the quarters after the data date, up to the window's end, which is the last."""
    if window_end <= data_date:
        return []
    found: list[date] = []
    year, quarter = data_date.year, (data_date.month - 1) // 3 + 1
    while True:
        following = date(year + quarter // 4, quarter % 4 * 3 + 1, 1)
        end = following - timedelta(days=1)
        if end >= window_end:
            return [*found, window_end]
        if end > data_date:
            found.append(end)
        year, quarter = following.year, quarter % 4 + 1


def _read_targets(snapshot: Snapshot, policy: Policy) -> dict[str, dict[str | None, int]]:
    """Attribute -> value -> the target in person-times; the nation's value is None.

    Targets are set for years; a window of other than full calendar years has none.
    """
    start, end = policy.window_start, policy.window_end
    if (start.month, start.day, end.month, end.day) != (1, 1, 12, 31):
        return {}
    goals: Sequence[dict[str, Any]] = (
        snapshot.frames["goals"].collect().to_dicts() if "goals" in snapshot.frames else []
    )
    found = sum_targets_by_scope(goals, policy.window_start.year, policy.window_end.year)
    targets: dict[str, dict[str | None, int]] = {NATION: {}, "province": {}, "industry": {}}
    for scope, sums in found.items():
        if "high_skilled" in sums:
            attribute = "province" if scope in PROVINCES else "industry"
            if scope == "national":
                targets[NATION][None] = sums["high_skilled"]
            else:
                targets[attribute][scope] = sums["high_skilled"]
    return targets


def _count_known(data: ForecastData, attribute: str, ledger: str) -> dict[str | None, int]:
    events = data.history.events
    if ledger == "persons":
        events = events.filter("first")
    if attribute == NATION:
        return {None: events.height}
    counted = events.group_by(pl.col(attribute).cast(pl.String)).agg(n=pl.len())
    return dict(counted.rows())


def _build_figures(
    data: ForecastData,
    attribute: str,
    simulated: SimulatedLedgers,
    days: list[date],
    targets: dict[str, dict[str | None, int]],
) -> pl.DataFrame:
    """The figures of each value, those among them that have a target and nobody yet."""
    set_for = targets.get(attribute, {})
    waiting = [value for value in PROVINCES if value in set_for and value not in simulated.values]
    values = [*simulated.values, *waiting]
    parts = []
    for ledger in LEDGERS:
        known = _count_known(data, attribute, ledger)
        counted = np.array([known.get(value, 0) for value in values], np.float64)
        added = simulated.sum_persons() if ledger == "persons" else simulated.sum_person_times()
        totals = np.pad(added, ((0, len(waiting)), (0, 0), (0, 0))) + counted[:, None, None]
        found: dict[str, NDArray[np.int64]] = {
            name: np.quantile(totals, level, axis=1).round().astype(np.int64).ravel()
            for name, level in FIGURE_QUANTILES.items()
        }
        goals = [set_for.get(value) if ledger == "person_times" else None for value in values]
        chances = [
            None if goal is None else float((totals[number, :, -1] >= goal).mean())
            for number, goal in enumerate(goals)
        ]
        steps = len(days)
        parts.append(
            pl.DataFrame(
                {
                    "attribute": [attribute] * (len(values) * steps),
                    "value": [value for value in values for _ in days],
                    "ledger": [ledger] * (len(values) * steps),
                    "day": days * len(values),
                    "counted": np.repeat(counted.astype(np.int64), steps),
                    **found,
                    "target": [goal for goal in goals for _ in days],
                    "probability": [chance for chance in chances for _ in days],
                },
                schema_overrides={
                    "value": pl.String,
                    "target": pl.Int64,
                    "probability": pl.Float64,
                },
            )
        )
    return pl.concat(parts)


def _build_parts(attribute: str, simulated: SimulatedLedgers) -> pl.DataFrame:
    rows = []
    for part in PARTS:
        last = simulated.added[part][:, :, -1]
        for number, value in enumerate(simulated.values):
            low, median, high = np.quantile(last[number], (0.1, 0.5, 0.9)).round()
            rows.append((attribute, value, part, int(median), int(low), int(high)))
    return pl.DataFrame(
        rows,
        schema={
            "attribute": pl.String,
            "value": pl.String,
            "part": pl.String,
            "median": pl.Int64,
            "low_80": pl.Int64,
            "high_80": pl.Int64,
        },
        orient="row",
    )


def _build_past(data: ForecastData, attribute: str) -> pl.DataFrame:
    """What was known at the end of each past block: running totals."""
    history = data.history
    rows = []
    for ledger in LEDGERS:
        events = history.events if ledger == "person_times" else history.events.filter("first")
        by = [] if attribute == NATION else [attribute]
        value = (
            pl.lit(None, pl.String) if attribute == NATION else pl.col(attribute).cast(pl.String)
        )
        for month in _list_past_months(history):
            known = events.filter(pl.col("known") <= month)
            counted = (
                known.group_by(*by).agg(count=pl.len()) if by else known.select(count=pl.len())
            )
            rows.append(
                counted.select(
                    attribute=pl.lit(attribute),
                    value=value,
                    ledger=pl.lit(ledger),
                    day=pl.lit(history.compute_day(month)),
                    count=pl.col("count").cast(pl.Int64),
                )
            )
    if not rows:  # the window has only just begun
        kinds = {"attribute": pl.String, "value": pl.String, "ledger": pl.String}
        return pl.DataFrame(schema={**kinds, "day": pl.Date, "count": pl.Int64})
    return pl.concat(rows).sort("ledger", "day", "value")


def _list_past_months(history: DrivenHistory) -> list[int]:
    """The ends of the blocks from the window's start to the data date."""
    return [*range(0, history.first_month - 1, -BLOCK_MONTHS)][::-1]
