"""The graph's state that all pages of a run show: database, standing, snapshot.

What pages read is cached by that state: see `cache_by_graph_state`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import wraps
from operator import attrgetter
from typing import Any, ParamSpec, TypeVar

import polars as pl
import streamlit as st

from graph.cypher.internal_queries import read_internal_query
from graph.dates import restore_date_precision
from graph.errors import NothingLoadedYetError, ShichengError
from graph.people import lookup
from graph.people.paths import load_ties
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.server.damage import mend_snapshot
from graph.server.database import Database, connect
from graph.settings import Settings
from graph.snapshot.frames import Snapshot
from graph.snapshot.take import find_cached_snapshot, take_snapshot
from graph.store.standing import UnfinishedLoad, read_graph_state

# Streamlit hashes a dataclass field by field, which takes a millisecond a policy.
ARGUMENT_HASHES: dict[str | type[Any], Callable[[Any], Any]] = {Policy: attrgetter("id")}
P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True)
class GraphRevision:
    """Which graph the pages show: its last complete revision.

    `revision` is None when no load has ever finished. `unfinished` is the load that is
    under way or was broken off since: none of the figures counts anything of it.
    """

    revision: int | None
    loaded_at: datetime | None
    data_until: date | None
    unfinished: UnfinishedLoad | None = None
    loads: tuple[str, ...] = ()

    @property
    def state(self) -> str:
        """What tells this graph from every other: the key under which values are cached."""
        return f"{self.revision} {self.loads[-1] if self.loads else ''}"


@st.cache_resource(show_spinner=False)
def open_shared_database() -> Database:
    """The database of this process: the one server all visitors share."""
    return connect(Settings())


def open_live_database() -> Database:
    """The database, for who reads the graph as it is now; the page says so."""
    mark_live_read()
    return open_shared_database()


def repair_damaged_snapshot() -> bool:
    """Whether a damaged file of the snapshot was in the way; it is made anew at the next look."""
    try:
        folder = fetch_snapshot().folder
    except (ShichengError, OSError, ValueError):
        return False
    if folder is None or not mend_snapshot(folder):
        return False
    st.cache_resource.clear()
    return True


@st.cache_resource(show_spinner=False)
def open_notebook() -> Notebook:
    """What people add in the app: notes, saved views, searches, decisions."""
    return Notebook(open_shared_database().settings.home)


_pinned_revision: ContextVar[list[GraphRevision] | None] = ContextVar("looked", default=None)


@contextmanager
def pin_graph_revision() -> Iterator[None]:
    """Within it the graph is asked once where it stands, so that one run shows one state of it."""
    if _pinned_revision.get() is not None:
        yield
        return
    token = _pinned_revision.set([])
    try:
        yield
    finally:
        _pinned_revision.reset(token)


def fetch_graph_revision() -> GraphRevision:
    """The graph's revision now (see `pin_graph_revision`) and how far its data go."""
    looked = _pinned_revision.get()
    if looked is None:
        return _read_graph_revision()
    if not looked:
        looked.append(_read_graph_revision())
    return looked[0]


def _read_graph_revision() -> GraphRevision:
    try:
        found = read_graph_state(open_shared_database())
    except NothingLoadedYetError as error:
        return GraphRevision(None, None, None, error.unfinished)
    loaded_at = _parse_load_time(found.finished_at)
    now = GraphRevision(found.revision, loaded_at, None, found.unfinished, found.loads)
    return replace(now, data_until=_read_data_until(now.state))


def _parse_load_time(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text[:19])
    except ValueError:
        return None


def fetch_graph_state() -> str:
    """What tells the graph of now from every other: see `GraphRevision.state`."""
    return fetch_graph_revision().state


def cache_by_graph_state(
    *, max_entries: int, resource: bool = False
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Caches what a function reads of the graph by the graph's state now and by the arguments.

    The function is called without the state. What it calls in turn sees the same state, even if a
    load ends meanwhile. At most `max_entries` values are stored, the oldest leave first. An
    argument whose name begins with "_" is no part of the key.

    `resource` True: every caller gets the same object, which must not be changed (tables, large
    values). False: each caller gets a copy.

    The values are shared by all visitors: none may depend on who asks, and a public function gives
    nothing that masking hides from some of them. Where what is read holds more (certificate
    numbers), the cached function is private, and a public one takes the visitor and masks: see
    `ui.data.load_reports.fetch_shown_conflicts`.
    """
    store: Any = st.cache_resource if resource else st.cache_data

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @wraps(function)
        def read(state: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
            return function(*args, **kwargs)

        # Streamlit looks up here which argument has which name.
        key = inspect.Parameter("graph_state", inspect.Parameter.POSITIONAL_ONLY)
        names = [key, *signature.parameters.values()]
        read.__signature__ = signature.replace(parameters=names)  # type: ignore[attr-defined]
        cached = store(
            read, max_entries=max_entries, show_spinner=False, hash_funcs=ARGUMENT_HASHES
        )

        @wraps(function)
        def fetch(*args: P.args, **kwargs: P.kwargs) -> R:
            # One key, however the arguments are given.
            given = signature.bind(*args, **kwargs)
            given.apply_defaults()
            with pin_graph_revision():
                more = dict(sorted(given.kwargs.items()))
                found: R = cached(fetch_graph_state(), *given.args, **more)
            return found

        return fetch

    return decorate


def fetch_revision_number() -> int:
    """The graph's revision now; 0 when nothing was ever loaded."""
    return fetch_graph_revision().revision or 0


@st.cache_data(max_entries=4, show_spinner=False)
def _read_data_until(state: str) -> date | None:
    """The last day on which anyone was recognised, in a state; never in the future."""
    today = date.today()
    snapshot = find_cached_snapshot(open_shared_database(), open_shared_database().settings)
    day: date | None
    if snapshot is None:
        rows = read_internal_query(open_shared_database(), "last_recognition_day", today=today)
        day = rows[0]["day"]
    else:
        past = snapshot.frames["recognitions"].filter(pl.col("date") <= today)
        day = past.select(pl.col("date").max()).collect().item()
    return day


@cache_by_graph_state(max_entries=2, resource=True)
def fetch_snapshot() -> Snapshot:
    """The tables of the graph's state now."""
    snapshot = take_snapshot(open_shared_database(), open_shared_database().settings)
    # Made once a revision, now rather than at somebody's click.
    load_ties(snapshot)
    lookup.materialize_rows(snapshot)
    return snapshot


def read_live_rows(query: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of an internal query (`graph.cypher.internal_queries`), of the graph as it is now.

    A date beside which `NAME_precision` says that the year alone is known is a `PartialDate`.
    """
    mark_live_read()
    rows: list[dict[str, Any]] = restore_date_precision(
        read_internal_query(open_shared_database(), query, **parameters)
    )
    return rows


_live_reads: ContextVar[list[bool] | None] = ContextVar("live", default=None)


@contextmanager
def record_live_reads() -> Iterator[list[bool]]:
    """Gives a list that is not empty once something was read of the graph as it is now."""
    noted: list[bool] = []
    token = _live_reads.set(noted)
    try:
        yield noted
    finally:
        _live_reads.reset(token)


def mark_live_read() -> None:
    """Notes that what is shown comes from the graph as it is now, not from a snapshot."""
    noted = _live_reads.get()
    if noted is not None:
        noted.append(True)
