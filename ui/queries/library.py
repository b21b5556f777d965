"""The library: the named queries of the files and those that a review has taken in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

import streamlit as st

from graph.cypher.named_queries import Query, Reading, Table, load_queries, run_cypher, run_query
from graph.errors import ShichengError
from graph.people.table_queries import bind_snapshot
from graph.programme.notebook import Notebook
from graph.programme.saved_queries import (
    PROMOTED_PREFIX,
    SavedQuery,
    list_promoted_queries,
    list_proposed_queries,
    may_review_queries,
    review_query,
)
from graph.roles import Role, has_permission
from graph.server.database import Database
from ui.shell import frame, graph_state
from ui.shell.visitor import identify_visitor
from ui.words.i18n import t, translate_message

_NOTE_KEY = "queries_review_note"


@cache
def load_query_catalogue() -> dict[str, Query]:
    """The named queries of the files, read once a process."""
    return dict(load_queries())


def list_library(notebook: Notebook) -> dict[str, Query]:
    """Every query that everybody may run, by name."""
    found = dict(load_query_catalogue())
    for name, saved in list_promoted_queries(notebook).items():
        try:
            found[name] = saved.build_query()
        except ShichengError:
            continue  # of an earlier release's words
    return found


def run_library_query(
    database: Database,
    name: str,
    query: Query,
    values: Mapping[str, Any],
    role: Role,
    reading: Reading | None = None,
    limit: int = 1_000,
) -> Table:
    """The rows of a query of the library; one that a review took in is judged as a statement."""
    if name.startswith(PROMOTED_PREFIX):
        # Who sees figures alone, or writes statements, asks as such.
        lends = has_permission(role, "people") and not has_permission(role, "cypher")
        asking: Role = "analyst" if lends else role
        given = query.parse(values)
        return run_cypher(database, query.text, given, role=asking, limit=limit, reading=reading)
    tables = bind_snapshot(graph_state.fetch_snapshot)
    return run_query(
        database, query, values, role=role, tables=tables, limit=limit, reading=reading
    )


def draw_proposals(notebook: Notebook) -> None:
    """For who reviews: the queries that wait, each with its text and the two decisions."""
    if not may_review_queries(identify_visitor().role):
        return
    note = st.session_state.pop(_NOTE_KEY, None)
    if note:
        frame.draw_muted(note)
    waiting = list_proposed_queries(notebook)
    if not waiting:
        return
    with st.expander(t("Proposed for the library: {n}", n=len(waiting)), key="queries_proposed"):
        for query in waiting:
            frame.draw_heading(query.title, query.owner)
            if query.help:
                frame.draw_muted(query.help)
            st.code(query.text, language="cypher", wrap_lines=True)
            with st.container(horizontal=True, key=f"queries_decide_{query.id}"):
                _draw_decision(notebook, query, "accepted", t("Take in"))
                _draw_decision(notebook, query, "declined", t("Decline"))


def _draw_decision(
    notebook: Notebook, query: SavedQuery, verdict: Literal["accepted", "declined"], label: str
) -> None:
    st.button(
        label,
        key=f"queries_{verdict}_{query.id}",
        on_click=_decide,
        args=(notebook, query, verdict),
    )


def _decide(
    notebook: Notebook, query: SavedQuery, verdict: Literal["accepted", "declined"]
) -> None:
    visitor = identify_visitor()
    settings = graph_state.open_shared_database().settings
    try:
        review_query(
            notebook,
            visitor.id,
            visitor.role,
            query.id,
            verdict,
            settings,
            version=query.version,
        )
    except ShichengError as error:
        st.session_state[_NOTE_KEY] = translate_message(error)
