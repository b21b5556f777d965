"""Metrics that take seconds at national size: found once a state and policy, then kept.

A page never waits for one: what is not there yet is offered by a button, worked out beside the
page, and drawn when it is done. A small network is worked out at once.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import polars as pl
import streamlit as st

from components import store
from components.i18n import current_language, t
from graph.kept_tables import is_kept, metric_table
from graph.metrics import METRICS
from graph.policy import Policy

# Of so many people a metric takes less than a second.
SMALL = 150_000
POLL = 2  # seconds


@st.cache_resource(max_entries=40, show_spinner=False)
def _table(state: str, policy: Policy, name: str, parameters: tuple[Any, ...]) -> pl.DataFrame:
    return metric_table(
        store.snapshot(), policy, name, driven=store.driven(policy), **dict(parameters)
    )


def table(policy: Policy, name: str, **parameters: str) -> pl.DataFrame:
    """The metric's table under a policy, of the graph as it stands; found now if need be."""
    return _table(store.state(), policy, name, tuple(sorted(parameters.items())))


@st.cache_data(max_entries=4, show_spinner=False)
def _people(state: str) -> int:
    return int(store.snapshot().frames["people"].select(pl.len()).collect().item())


def ready(policy: Policy, name: str, **parameters: str) -> bool:
    """Whether asking for the table costs next to nothing."""
    return small() or is_kept(store.snapshot(), policy, name, **parameters)


@st.cache_resource(show_spinner=False)
def _workers() -> tuple[ThreadPoolExecutor, dict[Any, Future[Any]]]:
    return ThreadPoolExecutor(1, thread_name_prefix="metric"), {}


def begin(key: Any, work: Callable[[], Any]) -> Future[Any]:
    """Starts the work, once for all visitors, and gives what will hold its end."""
    pool, running = _workers()
    if key not in running or (running[key].done() and running[key].exception()):
        running[key] = pool.submit(work)
    return running[key]


def under_way(key: Any) -> Future[Any] | None:
    """The work, when somebody has started it."""
    return _workers()[1].get(key)


def missing(policy: Policy, names: list[str]) -> None:
    """Offers to work out the metrics that are not there, and tells when they are."""
    state, snapshot = store.state(), store.snapshot()
    lacking = [name for name in names if not ready(policy, name)]
    for name in lacking:
        words = METRICS[name].zh if current_language() == "zh" else METRICS[name].en
        work = partial(metric_table, snapshot, policy, name, driven=store.driven(policy))
        _offer(
            (state, policy, name), words, work, key=f"compute_{name}",
            help=t("Takes up to half a minute at national size, and is then kept."),
        )  # fmt: skip


def worked_out(key: Any, words: str, work: Callable[[], Any]) -> Any:
    """What `work` gives, worked out beside the page and kept by the process; None until then.

    Offers to begin, and tells when it is under way.
    """
    job = under_way(key)
    if job is not None and job.done() and not job.exception():
        return job.result()
    _offer(key, words, work, key=f"begin_{key[0]}", type="primary")
    return None


def _offer(of: Any, words: str, work: Callable[[], Any], **button: Any) -> None:
    """A button that begins the work; or that it is under way."""
    job = under_way(of)
    if job is not None and not job.done():
        _wait(of, words)
        return
    if job is not None and job.exception():
        st.html(f'<span class="sc-warn">{t("It could not be worked out.")}</span>')
    st.button(t("Work out: {name}", name=words), on_click=begin, args=(of, work), **button)


@st.fragment(run_every=POLL)
def _wait(key: Any, words: str) -> None:
    job = under_way(key)
    if job is None or job.done():
        st.rerun()
    st.html(
        f'<span class="sc-muted" role="status">{t("Being worked out: {name}", name=words)}</span>'
    )


def awaited(key: Any, ready: bool, work: Callable[[], Any], words: str) -> bool:
    """Whether what the page stands on is there; if not, it is being worked out, and so it says."""
    if ready:
        return True
    job = begin(key, work)
    if not job.done():
        _wait(key, words)
    elif (error := job.exception()) is not None:
        raise error
    return job.done()


def small() -> bool:
    """Whether the network is so small that anything is worked out at once."""
    return _people(store.state()) <= SMALL
