"""The landing forecast: seconds, memory, and what past forecasts were worth.

`python -m benchmarks.forecast SNAPSHOT_FOLDER` takes a snapshot's folder; without one, the two
networks of tests/unit/forecast_networks.py, whose hazards are not the generator's, eight of each.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from graph.driven.results import load_reach
from graph.forecast.backtest import run_backtest
from graph.forecast.extinction import compute_extinction
from graph.forecast.history import compute_driven_history
from graph.forecast.landing import BACKTEST_ORIGINS, DEFAULT_SEED, compute_landing_forecast
from graph.forecast.simulation import build_forecast_data
from graph.metrics.replacement import compute_replacement
from graph.policy import Policy
from graph.snapshot.frames import Snapshot, open_snapshot
from tests.unit.forecast_networks import LAST_DAY, make_network

SEEDS = range(1, 9)
SHOWN = ("attribute", "ledger", "outcomes", "coverage_80", "coverage_95", "error", "ape", "ratio")


def run_timed(name: str, work: Callable[[], Any]) -> Any:
    """What the call gives; its seconds by the clock and of the processors, and the process's most
    memory, are printed.
    """
    began, worked = time.perf_counter(), time.process_time()
    found = work()
    spent = time.process_time() - worked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    clock = time.perf_counter() - began
    print(f"{name}: {clock:.1f} s ({spent:.1f} s of work), {peak:.1f} GB at most", flush=True)
    return found


def score_snapshot(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """The scores of the back-test."""
    data = build_forecast_data(compute_driven_history(snapshot, policy), BACKTEST_ORIGINS)
    return run_backtest(data, DEFAULT_SEED).scores


def measure_snapshot(folder: Path) -> None:
    """The forecast of a stored snapshot, step by step."""
    snapshot, policy = open_snapshot(folder), Policy()
    run_timed("the reach", lambda: load_reach(snapshot, policy))
    run_timed("the forecast", lambda: compute_landing_forecast(snapshot, policy))
    scores = run_timed("the back-test", lambda: score_snapshot(snapshot, policy))
    print(scores.select(SHOWN))
    run_timed("replacement", lambda: compute_replacement(snapshot, policy))
    run_timed("extinction", lambda: compute_extinction(snapshot, policy))


def measure_networks() -> None:
    """The scores by province of networks with other hazards, all seeds together."""
    for shape in ("constant", "humped"):
        scores = pl.concat(
            score_snapshot(make_network(shape, seed=seed), Policy(as_of=LAST_DAY)) for seed in SEEDS
        ).filter(ledger="persons")
        numbers = pl.col(SHOWN[3:]).mean()
        print(shape)
        print(
            scores.group_by("attribute", maintain_order=True).agg(pl.col("outcomes").sum(), numbers)
        )


if __name__ == "__main__":
    pl.Config.set_tbl_cols(12)
    pl.Config.set_tbl_width_chars(140)
    if len(sys.argv) > 1:
        measure_snapshot(Path(sys.argv[1]))
    else:
        measure_networks()
