"""Metrics that take seconds at national size: computed once per state and policy, then cached.

A page never waits for one: what is missing is offered by a button, computed in the
background, and drawn when it is done. A small network is computed at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from html import escape
from typing import Any, TypeVar

import polars as pl
import streamlit as st

from graph.errors import UsageError
from graph.metrics.cached_tables import has_cached_metric_table, load_metric_table
from graph.metrics.registry import METRICS
from graph.policy import Policy
from ui.reading import talent_figures
from ui.shell import frame, graph_state
from ui.words.i18n import current_language, t, translate_message

Result = TypeVar("Result")

# Of so many people a metric takes less than a second.
SMALL_NETWORK_PEOPLE = 150_000
JOB_POLL_SECONDS = 2  # seconds


@graph_state.cache_by_graph_state(max_entries=40, resource=True)
def fetch_cached_metric(policy: Policy, name: str, **parameters: str) -> pl.DataFrame:
    """The metric's table under a policy, of the current graph; computed now if need be."""
    return load_metric_table(
        graph_state.fetch_snapshot(),
        policy,
        name,
        driven=talent_figures.fetch_driven_figures(policy),
        **parameters,
    )


@graph_state.cache_by_graph_state(max_entries=4)
def _count_network_people() -> int:
    return int(graph_state.fetch_snapshot().frames["people"].select(pl.len()).collect().item())


def is_metric_ready(policy: Policy, name: str, **parameters: str) -> bool:
    """Whether asking for the table costs next to nothing."""
    return is_network_small() or has_cached_metric_table(
        graph_state.fetch_snapshot(), policy, name, **parameters
    )


@st.cache_resource(show_spinner=False)
def _create_job_pool() -> tuple[ThreadPoolExecutor, dict[Any, Future[Any]]]:
    return ThreadPoolExecutor(1, thread_name_prefix="metric"), {}


def start_background_job(key: Any, work: Callable[[], Any]) -> Future[Any]:
    """Starts the work, once for all visitors, and gives what will hold its end."""
    pool, running = _create_job_pool()
    if key not in running or (running[key].done() and running[key].exception()):
        running[key] = pool.submit(work)
    return running[key]


def find_background_job(key: Any) -> Future[Any] | None:
    """The work, when somebody has started it."""
    return _create_job_pool()[1].get(key)


def draw_missing_metrics(policy: Policy, names: list[str]) -> None:
    """Offers to work out the metrics that are not there, and tells when they are."""
    state, snapshot = graph_state.fetch_graph_state(), graph_state.fetch_snapshot()
    lacking = [name for name in names if not is_metric_ready(policy, name)]
    for name in lacking:
        words = METRICS[name].zh if current_language() == "zh" else METRICS[name].en
        work = partial(
            load_metric_table,
            snapshot,
            policy,
            name,
            driven=talent_figures.fetch_driven_figures(policy),
        )
        _draw_job_button(
            (state, policy, name),
            words,
            work,
            key=f"compute_{name}",
            help=t("Takes up to half a minute at national size, and is then kept."),
        )


def draw_background_result(key: Any, words: str, work: Callable[[], Any]) -> Any:
    """The result of `work`, computed in the background and cached by the process; None until then.

    Offers to begin, and shows when it is under way.
    """
    job = find_background_job(key)
    if job is not None and job.done() and not job.exception():
        return job.result()
    _draw_job_button(key, words, work, key=f"begin_{key[0]}", type="primary")
    return None


def _begin_job(key: Any, work: Callable[[], Any]) -> None:
    start_background_job(key, work)


def _draw_job_button(of: Any, words: str, work: Callable[[], Any], **button: Any) -> None:
    """A button that begins the work; or that it is under way."""
    job = find_background_job(of)
    if job is not None and not job.done():
        _draw_job_progress(of, words)
        return
    if job is not None and job.exception():
        st.html(f'<span class="sc-warn">{t("It could not be worked out.")}</span>')
    st.button(t("Work out: {name}", name=words), on_click=_begin_job, args=(of, work), **button)


@frame.fragment(run_every=JOB_POLL_SECONDS)
def _draw_job_progress(key: Any, words: str) -> None:
    job = find_background_job(key)
    if job is None or job.done():
        st.rerun()
    st.html(
        f'<span class="sc-muted" role="status">{t("Being worked out: {name}", name=words)}</span>'
    )


def ensure_background_job(key: Any, ready: bool, work: Callable[[], Any], words: str) -> bool:
    """Whether the page's input is ready; if not, it is being computed, and the page says so."""
    if ready:
        return True
    job = start_background_job(key, work)
    if not job.done():
        _draw_job_progress(key, words)
    elif (error := job.exception()) is not None:
        raise error
    return job.done()


def is_network_small() -> bool:
    """Whether the network is so small that anything is computed at once."""
    return _count_network_people() <= SMALL_NETWORK_PEOPLE


def fetch_or_explain(
    head: Any, working: str, refused: str, fetch: Callable[[], Result | None]
) -> Result | None:
    """A page's input; None when the page's head says instead that it is being computed, or why it
    is not available.
    """
    try:
        with st.spinner(working):
            found = fetch()
    except UsageError as error:
        with head:
            frame.draw_lead(refused)
            frame.draw_under_lead(escape(translate_message(error)))
        return None
    if found is None:
        with head:
            frame.draw_lead(t("The figures are being worked out."))
    return found
