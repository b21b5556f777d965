"""What forecasts stand on, stored beside the snapshot: the history, and its counts by cell.

The landing forecast, a talent's own, supply and demand, pairing and scenarios ask for the same; at
national size it takes most of their time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Final

import polars as pl

from graph.cache.tables import build_table_path, load_cached_table
from graph.forecast.hazards import Exposure
from graph.forecast.history import DrivenHistory, compute_driven_history, find_data_date
from graph.forecast.simulation import ForecastData, build_forecast_data
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

# Raised when the history or the counts change, so that stored ones are made anew.
FORECAST_DATA_VERSION: Final = 2
HISTORY_TABLES: Final = ("spells", "reached", "events")


def load_driven_history(snapshot: Snapshot, policy: Policy) -> DrivenHistory:
    """The history under the policy: the stored one, or one computed now and stored.

    Raises as `graph.forecast.history.compute_driven_history`.
    """
    found: list[DrivenHistory] = []

    def compute(name: str) -> pl.DataFrame:
        if not found:
            found.append(compute_driven_history(snapshot, policy))
        table: pl.DataFrame = getattr(found[0], name)
        return table

    tables = {
        name: load_cached_table(
            build_table_path(snapshot, f"history-{name}", FORECAST_DATA_VERSION, policy.id),
            partial(compute, name),
        )
        for name in HISTORY_TABLES
    }
    data_date = found[0].data_date if found else find_data_date(snapshot.under(policy), policy)
    return DrivenHistory(policy, data_date, **tables)


def load_forecast_data(snapshot: Snapshot, policy: Policy, origins: int = 0) -> ForecastData:
    """As `graph.forecast.simulation.build_forecast_data`, with its counts stored.

    Raises as `load_driven_history`.
    """

    def load(name: str, count: Callable[[], Exposure]) -> Exposure:
        path = build_table_path(
            snapshot, f"exposure-{name}", FORECAST_DATA_VERSION, policy.id, origins
        )
        return Exposure.from_table(load_cached_table(path, lambda: count().as_table()))

    return build_forecast_data(load_driven_history(snapshot, policy), origins, load)
