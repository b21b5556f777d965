"""Forecasts from past quarter-ends held against what came, beside two plain baselines.

At each origin everything later is hidden, by the dates themselves (`graph.forecast.history`). What
is compared is what was added between the origin and a later quarter-end, in persons and in
person-times.

- coverage: the share of outcomes inside the interval
- error: the sum of |forecast - outcome| / the sum of outcomes, of the median
- ape: the mean of |forecast - outcome| / outcome, of the median
- pinball: the quantile loss, averaged over `SCORE_QUANTILES`; a baseline gives one number, which
  stands for each of its quantiles. Source: Gneiting, Raftery 2007, Strictly proper scoring rules,
  prediction, and estimation, Journal of the American Statistical Association 102:359

Baselines: "line", what was known at the origin, spread evenly over the window so far; "run_rate",
the mean of the last four quarters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from graph.forecast.history import BLOCK_MONTHS, FORECAST_ATTRIBUTES, DrivenHistory
from graph.forecast.simulation import (
    MIN_LOOKBACK_BLOCKS,
    MIN_PROMOTIONS,
    NATION,
    ForecastData,
    SimulatedLedgers,
    count_lookback_promotions,
    simulate_ledgers,
)

Floats = NDArray[np.float64]

MAX_ORIGINS: Final = 6
RUN_RATE_BLOCKS: Final = 4
SCORE_QUANTILES: Final = tuple(round(0.05 * n, 2) for n in range(1, 20))
INTERVALS: Final = {"80": (0.1, 0.9), "95": (0.025, 0.975)}
LEDGERS: Final = ("persons", "person_times")
BASELINES: Final = ("line", "run_rate")


@dataclass(frozen=True)
class Backtest:
    """What past forecasts were worth.

    - outcomes: attribute, value, ledger, origin, target_day, horizon (months), outcome, median,
      low_80, high_80, low_95, high_95, line, run_rate, and pinball, pinball_line,
      pinball_run_rate (in persons or person-times)
    - scores: attribute, ledger, outcomes, coverage_80, coverage_95, error, ape, ape_line,
      ape_run_rate, pinball, pinball_line, pinball_run_rate, ratio (to the better baseline)
    """

    outcomes: pl.DataFrame
    scores: pl.DataFrame


def run_backtest(data: ForecastData, seed: int, origins: int = MAX_ORIGINS) -> Backtest:
    """Forecasts from the last quarter-ends, each to all quarter-ends that have come since.

    Quarters are blocks of three months counted back from the data date. An origin needs
    `MIN_LOOKBACK_BLOCKS` blocks of the window before it, and as many promotions as any forecast;
    those without are left out.
    """
    parts = [
        outcome
        for block in range(1, origins + 1)
        if _has_lookback(data, -block * BLOCK_MONTHS)
        for outcome in _forecast_from(data, -block * BLOCK_MONTHS, seed)
    ]
    outcomes = pl.concat(parts) if parts else pl.DataFrame(schema=_OUTCOME_SCHEMA)
    return Backtest(outcomes, summarize_backtest(outcomes))


def _has_lookback(data: ForecastData, origin: int) -> bool:
    earliest = origin - BLOCK_MONTHS * MIN_LOOKBACK_BLOCKS + 1
    if earliest < data.history.first_month:
        return False
    return count_lookback_promotions(data, origin) >= MIN_PROMOTIONS


_OUTCOME_SCHEMA: Final = {
    "attribute": pl.String,
    "value": pl.String,
    "ledger": pl.String,
    "origin": pl.Date,
    "target_day": pl.Date,
    "horizon": pl.Int64,
    "outcome": pl.Float64,
    "median": pl.Float64,
    "low_80": pl.Float64,
    "high_80": pl.Float64,
    "low_95": pl.Float64,
    "high_95": pl.Float64,
    "line": pl.Float64,
    "run_rate": pl.Float64,
    "pinball": pl.Float64,
    "pinball_line": pl.Float64,
    "pinball_run_rate": pl.Float64,
}


def _forecast_from(data: ForecastData, origin: int, seed: int) -> Iterator[pl.DataFrame]:
    horizons = [*range(BLOCK_MONTHS, -origin + 1, BLOCK_MONTHS)]
    found = simulate_ledgers(data, origin, horizons, seed)
    for attribute in (NATION, *FORECAST_ATTRIBUTES):
        simulated = found[attribute]
        for ledger in LEDGERS:
            counts = count_known_by_month(data, attribute, ledger, origin)
            yield _score(data.history, attribute, ledger, origin, horizons, simulated, counts)


def count_known_by_month(data: ForecastData, attribute: str, ledger: str, origin: int) -> Floats:
    """values x months: what each month from the window's first one to the data date added."""
    first = min(data.history.first_month, origin - BLOCK_MONTHS * RUN_RATE_BLOCKS + 1)
    events = data.history.events
    if ledger == "persons":
        events = events.filter("first")
    by = [] if attribute == NATION else [attribute]
    counted = (
        events.with_columns(month=pl.col("known").clip(first, None))
        .group_by(*by, "month")
        .agg(n=pl.len())
    )
    values = data.values[attribute]
    number = {value: place for place, value in enumerate(values)}
    found = np.zeros((len(values), 1 - first))
    for row in counted.iter_rows(named=True):
        place = number[row.get(attribute)]
        found[place, row["month"] - first] += row["n"]
    return found


def _score(
    history: DrivenHistory,
    attribute: str,
    ledger: str,
    origin: int,
    horizons: list[int],
    simulated: SimulatedLedgers,
    counts: Floats,
) -> pl.DataFrame:
    draws = simulated.sum_persons() if ledger == "persons" else simulated.sum_person_times()
    before, after = counts[:, : counts.shape[1] + origin], counts[:, counts.shape[1] + origin :]
    outcome = np.cumsum(after, axis=1)[:, [month - 1 for month in horizons]]
    months = np.asarray(horizons)
    gone = max(origin - history.first_month + 1, 1)
    line = before.sum(axis=1, keepdims=True) / gone * months
    last = before[:, -BLOCK_MONTHS * RUN_RATE_BLOCKS :]
    run_rate = last.sum(axis=1, keepdims=True) / last.shape[1] * months
    quantiles = np.quantile(draws, SCORE_QUANTILES, axis=1)
    bounds = {
        f"{side}_{name}": np.quantile(draws, level, axis=1)
        for name, interval in INTERVALS.items()
        for side, level in zip(("low", "high"), interval, strict=True)
    }
    median = np.quantile(draws, 0.5, axis=1)
    size, steps = outcome.shape
    columns = {
        "outcome": outcome,
        "median": median,
        **bounds,
        "line": line,
        "run_rate": run_rate,
        "pinball": compute_pinball(quantiles, outcome),
        "pinball_line": compute_pinball(np.repeat(line[None], len(SCORE_QUANTILES), 0), outcome),
        "pinball_run_rate": compute_pinball(
            np.repeat(run_rate[None], len(SCORE_QUANTILES), 0), outcome
        ),
    }
    return pl.DataFrame(
        {
            "attribute": [attribute] * (size * steps),
            "value": [value for value in simulated.values for _ in horizons],
            "ledger": [ledger] * (size * steps),
            "origin": [history.compute_day(origin)] * (size * steps),
            "target_day": [history.compute_day(origin + month) for month in horizons] * size,
            "horizon": horizons * size,
            **{name: found.ravel() for name, found in columns.items()},
        },
        schema=_OUTCOME_SCHEMA,
    )


def compute_pinball(quantiles: Floats, outcome: Floats) -> Floats:
    """The mean quantile loss: `quantiles` are levels x ..., at `SCORE_QUANTILES`."""
    level = np.asarray(SCORE_QUANTILES).reshape(-1, *[1] * outcome.ndim)
    error = outcome[None] - quantiles
    found: Floats = np.maximum(level * error, (level - 1) * error).mean(axis=0)
    return found


def summarize_backtest(outcomes: pl.DataFrame) -> pl.DataFrame:
    """`Backtest.scores` of the outcomes."""
    return score_outcomes(outcomes, ("attribute", "ledger"), BASELINES)


def score_outcomes(
    outcomes: pl.DataFrame, by: Sequence[str], baselines: Sequence[str]
) -> pl.DataFrame:
    """The scores of each group of outcomes; values of which nothing came are not averaged in ape.

    `outcomes`: outcome, median, the ends of `INTERVALS`, each baseline, and the losses of all.
    """
    outcome = pl.col("outcome")
    inside = {
        f"coverage_{name}": outcome.is_between(f"low_{name}", f"high_{name}").mean()
        for name in INTERVALS
    }
    error = {
        "ape" if name == "median" else f"ape_{name}": (
            ((pl.col(name) - outcome).abs() / outcome).filter(outcome > 0).mean()
        )
        for name in ("median", *baselines)
    }
    total = outcome.abs().sum()
    missed = (pl.col("median") - outcome).abs().sum()
    error["error"] = pl.when(total > 0).then(missed / total)
    losses = ("pinball", *(f"pinball_{name}" for name in baselines))
    better = pl.min_horizontal(losses[1:])
    return (
        outcomes.group_by(by, maintain_order=True)
        .agg(outcomes=pl.len(), **inside, **error, **{name: pl.col(name).mean() for name in losses})
        .with_columns(ratio=pl.when(better > 0).then(pl.col("pinball") / better))
    )
