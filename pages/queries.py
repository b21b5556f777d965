"""Queries: the named ones with their parameters, and a box for Cypher that only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cache
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from components import address, downloads, frame, store
from components.i18n import Language, current_language, joined, label, labels, t, tn
from components.numbers import bold, count
from graph.errors import RefusedError, ShichengError
from graph.model import NODE_KINDS, PROVINCES, RELATION_KINDS
from graph.queries import Parameter, Query, Table, load_queries, run, run_cypher

MOST_SHOWN = 1_000
EXAMPLE = """// {title}
MATCH (m:Person)-[r:MENTORS]->(p:Person)
WHERE r.start >= date('2026-01-01')
RETURN m.person_id AS person_id, m.name AS name, count(p) AS apprentices
ORDER BY apprentices DESC LIMIT 100"""
# How the lineage draws each kind of relation.
LINES = {"MENTORS": "", "LEADS": "dashed", "TRAINED_AT": "dashed", "TEACHES_AT": "dotted"}


@dataclass(frozen=True)
class Result:
    """What was run last in this visit: the rows, how long it took, what was asked."""

    title: str
    table: Table
    seconds: float
    asked: dict[str, str]
    query: Query | None


@cache
def named_queries() -> dict[str, Query]:
    """The named queries, read once a process."""
    return dict(load_queries())


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    left, right = st.columns([812, 276], gap="medium")
    with left:
        kinds = {"named": t("Named queries"), "cypher": t("Own Cypher")}
        kind = address.one_of("queries", "kind", t("What to run"), kinds, "named", untitled=True)
        failure = _cypher() if kind == "cypher" else _named()
        result: Result | None = st.session_state.get(f"queries_result_{kind}")
        if failure is not None:
            frame.note(*failure)
        if result is None:
            frame.empty(t("The rows stand here"), t("Choose, fill in what it asks for, and run."))
        else:
            _rows(result)
    with right, st.container(key="panel_schema"):
        _schema()
    with head:
        frame.lead(_answer(result))
        frame.under_lead(
            t(
                "Read only · at most {seconds} s · the first {rows} rows shown",
                seconds=f"{store.database().settings.read_seconds:g}", rows=count(MOST_SHOWN),
            ),
            policy=False,
        )  # fmt: skip


def _answer(result: Result | None) -> str:
    if result is None:
        return escape(t("Ask the graph itself."))
    rows = len(result.table.rows)
    number = f"{count(rows)}+" if result.table.truncated else count(rows)
    return t(
        "{title}: {rows} in {seconds} s.",
        title=escape(result.title), rows=bold(tn("{n} row", "{n} rows", rows, n=number)),
        seconds=f"{result.seconds:.2f}",
    )  # fmt: skip


def _named() -> tuple[str, str] | None:
    """Chooses a query and its parameters and runs it; what went wrong, as title and text."""
    language = current_language()
    queries = named_queries()
    if not queries:
        frame.empty(t("No named query is declared"), t("Add a block to a file in queries/."))
        return None
    titles = {name: query.title(language) for name, query in queries.items()}
    name = address.one_of("queries", "query", t("Query"), titles, next(iter(titles)), folded=True)
    query = queries[name]
    frame.muted(query.help(language))
    with st.form(f"query_{name}", border=False):
        values = _parameters(query, language)
        pressed = st.form_submit_button(t("Run"), type="primary", key=f"run_{name}")
    with st.expander(t("The Cypher of this query")):
        st.code(query.text, language="cypher", wrap_lines=True)
    if not pressed:
        return None
    asked_for = {key: str(value) for key, value in values.items() if value not in (None, "")}
    return _run(
        query.title(language), "named", asked_for, query,
        lambda: run(store.database(), query, values),
    )  # fmt: skip


def _parameters(query: Query, language: Language) -> dict[str, Any]:
    """A widget a parameter, four in a line."""
    values: dict[str, Any] = {}
    columns: list[Any] = []
    for number, parameter in enumerate(query.parameters):
        if number % 4 == 0:
            columns = st.columns(4)
        with columns[number % 4]:
            values[parameter.name] = _widget(query.name, parameter, language)
    return values


def _widget(query: str, parameter: Parameter, language: Language) -> Any:
    name, key = parameter.label(language), f"parameter_{query}_{parameter.name}"
    if parameter.choices:
        codes = list(parameter.choices)
        default = codes.index(parameter.default) if parameter.default in codes else None
        return st.selectbox(
            name, codes, index=default, key=key, placeholder=t("any"),
            format_func=lambda code: label(parameter.choices[code], language),
        )  # fmt: skip
    if parameter.type == "boolean":
        return st.checkbox(name, parameter.default == "true", key=key)
    if parameter.type == "date":
        start = parameter.parse(None) if parameter.default else None
        return st.date_input(
            name, start, key=key, format="YYYY-MM-DD", min_value=date(1949, 10, 1),
            max_value=date(2099, 12, 31),
        )  # fmt: skip
    if parameter.type == "integer":
        return st.number_input(
            name, int(parameter.low) if parameter.low is not None else None,
            int(parameter.high) if parameter.high is not None else None,
            int(parameter.default) if parameter.default else None, step=1, key=key,
        )  # fmt: skip
    start = parameter.default or ""
    if parameter.type == "person":
        start = st.session_state.get("talent_id", start)
    return st.text_input(name, start, key=key, help=parameter.takes if language == "en" else None)


def _cypher() -> tuple[str, str] | None:
    """The analyst's own statement; what went wrong, as title and text."""
    with st.form("cypher", border=False):
        text = st.text_area(
            t("Cypher that only reads (Ctrl+Enter runs it)"),
            EXAMPLE.format(title=t("who took on most apprentices this year")),
            height=180, key="cypher", max_chars=20_000,
        )  # fmt: skip
        pressed = st.form_submit_button(t("Run"), type="primary", key="run_cypher")
    if not pressed:
        return None
    return _run(
        t("Own Cypher"), "cypher", {"cypher": text}, None,
        lambda: run_cypher(store.database(), text),
    )  # fmt: skip


def _run(
    title: str, kind: str, asked: dict[str, str], query: Query | None, work: Any
) -> tuple[str, str] | None:
    """Runs it and keeps the result for the visit; a failure leaves the earlier result."""
    began = time.monotonic()
    try:
        with st.spinner(t("Running"), show_time=True):
            table = work()
    except RefusedError as error:
        return t("Not run: the console only reads"), str(error)
    except ShichengError as error:
        return t("Not run"), str(error)
    seconds = time.monotonic() - began
    st.session_state[f"queries_result_{kind}"] = Result(title, table, seconds, asked, query)
    return None


def _rows(result: Result) -> None:
    language = current_language()
    table = result.table
    if not table.rows:
        frame.empty(t("No row"), t("Nothing in the graph fits; widen what was asked for."))
        return
    shown = as_frame(Table(table.columns, table.rows[:MOST_SHOWN]), language)
    named = result.query
    titles = {
        column: named.column_label(column, language) if named else column
        for column in table.columns
    }
    event = st.dataframe(
        shown, key="queries_table", hide_index=True, height="auto", row_height=34,
        column_config=titles, on_select="rerun", selection_mode="single-cell",
    )  # fmt: skip
    _open(event, table)
    _downloads(result, language, titles)


def _open(event: Any, table: Table) -> None:
    """A click on a line that names a person opens the person."""
    cell = next(iter(event.selection.cells), None)
    if not frame.just_chosen("queries", cell) or "person_id" not in table.columns:
        return
    row = table.rows[cell[0]]
    id = row[table.columns.index("person_id")]
    if id:
        frame.go("talent", id=str(id))


def _downloads(result: Result, language: Language, titles: dict[str, str]) -> None:
    table = result.table
    more = len(table.rows) - MOST_SHOWN
    told = (
        t("The first {n} of {all} rows; the download has them all.",
          n=count(MOST_SHOWN), all=count(len(table.rows)))
        if more > 0
        else tn("{n} row", "{n} rows", len(table.rows), n=count(len(table.rows)))
    )  # fmt: skip
    if table.truncated:
        told = joined(told, t("There are more rows than can be read at once; narrow the query."))
    if "person_id" in table.columns:
        told = joined(told, t("Click a line to open the person."))
    about = downloads.About(store.revision(), filters=result.asked)
    whole = as_frame(table, language).rename(
        {column: title for column, title in _distinct(titles).items() if column != title}
    )
    with frame.foot("queries", told):
        downloads.offer(whole, about, "query")


def _distinct(titles: dict[str, str]) -> dict[str, str]:
    """Titles, but where two columns have the same one both keep their own names."""
    seen = list(titles.values())
    return {c: title if seen.count(title) == 1 else c for c, title in titles.items()}


def as_frame(table: Table, language: Language) -> pl.DataFrame:
    """The rows as a dataframe: one type a column; lists, nodes and mixed values as text."""
    columns = {}
    for number, name in enumerate(table.columns):
        values = [row[number] for row in table.rows]
        if name == "province":
            names = labels(PROVINCES, language)
            values = [names.get(value, value) for value in values]
        columns[name] = _series(name, values)
    return pl.DataFrame(columns)


def _series(name: str, values: list[Any]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if kinds in ({int}, {float}, {bool}, {str}, {date}, set()):
        return pl.Series(name, values, dtype=pl.String if not kinds else None)
    if kinds == {int, float}:
        return pl.Series(name, [None if v is None else float(v) for v in values])
    return pl.Series(name, [None if v is None else _text(v) for v in values], dtype=pl.String)


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    if isinstance(value, dict):
        properties = value.get("properties", value)
        return ", ".join(f"{name}: {_text(item)}" for name, item in properties.items())
    return str(value)


def _name(kind: str, language: Language) -> str:
    return label((NODE_KINDS[kind].en, NODE_KINDS[kind].zh), language)


def _other_name(kind: str, language: Language) -> str:
    """The word for a kind of node where it is not the label itself."""
    name = _name(kind, language)
    return "" if name == kind else name


def _schema() -> None:
    """What is in the graph: kinds of nodes and relations with how many there are."""
    language = current_language()
    frame.heading(t("What the graph holds"))
    nodes, relations = store.counts()
    _kinds(
        nodes, NODE_KINDS,
        lambda kind: f'<td class="sc-muted">{escape(_other_name(kind, language))}',
    )  # fmt: skip
    frame.rule()
    _kinds(
        relations, RELATION_KINDS,
        lambda kind: f'<td><i class="sc-line thin {LINES.get(kind, "none")}"></i>',
    )  # fmt: skip


def _kinds(
    numbers: Mapping[str, int], known: Collection[str], beside: Callable[[str], str]
) -> None:
    """A line each kind there is: its name, the cell beside it, how many there are."""
    lines = "".join(
        f"<tr><td><code>{escape(kind)}</code></td>{beside(kind)}</td>"
        f'<td class="n">{count(number)}</td></tr>'
        for kind, number in numbers.items()
        if kind in known and number
    )
    frame.html(f'<table class="sc-table plain sc-schema">{lines}</table>')


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()
