"""The landing forecast and its back-test, as the pages read them."""

from __future__ import annotations

from functools import partial

from graph.forecast.backtest import Backtest
from graph.forecast.landing import (
    LandingForecast,
    has_backtest,
    has_landing_forecast,
    load_backtest,
    load_landing_forecast,
)
from graph.policy import Policy
from ui.reading import cached_metrics
from ui.shell import graph_state
from ui.words.i18n import t


def ensure_landing_forecast(policy: Policy) -> bool:
    """Whether the forecast is there; if not, it is being computed, and the page says so.

    Raises what the forecast raises.
    """
    snapshot = graph_state.fetch_snapshot()
    return cached_metrics.ensure_background_job(
        ("forecast", graph_state.fetch_graph_state(), policy),
        cached_metrics.is_network_small() or has_landing_forecast(snapshot, policy),
        partial(load_landing_forecast, snapshot, policy),
        t("the forecast"),
    )


@graph_state.cache_by_graph_state(max_entries=8, resource=True)
def fetch_landing_forecast(policy: Policy) -> LandingForecast:
    """The forecast under the policy, of the current graph."""
    return load_landing_forecast(graph_state.fetch_snapshot(), policy)


def is_landing_forecast_cached(policy: Policy) -> bool:
    """Whether the forecast is stored, so that a page may show it in passing."""
    return has_landing_forecast(graph_state.fetch_snapshot(), policy)


def fetch_stored_backtest(policy: Policy) -> Backtest | None:
    """The back-test under the policy; None, and a button to run it, where it is not stored."""
    snapshot = graph_state.fetch_snapshot()
    if has_backtest(snapshot, policy):
        return load_backtest(snapshot, policy)
    found: Backtest | None = cached_metrics.draw_background_result(
        ("backtest", graph_state.fetch_graph_state(), policy),
        t("the back-test"),
        partial(load_backtest, snapshot, policy),
    )
    return found
