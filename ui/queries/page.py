"""Queries: the named ones with their parameters, and a box for Cypher that only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from functools import cache
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from graph.cypher.internal_queries import load_internal_queries
from graph.cypher.named_queries import (
    Query,
    Table,
    format_coded_value,
    load_queries,
    run_cypher,
    run_query,
)
from graph.errors import RefusedError, ShichengError
from graph.messages import Language
from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from graph.model.vocabularies import PROVINCES
from graph.people.table_queries import bind_snapshot
from graph.tabular import build_frame_from_rows
from ui.browser.header_sort import draw_sortable_list
from ui.controls import downloads
from ui.queries import form
from ui.reading import talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.visitor import identify_visitor
from ui.words.i18n import (
    current_language,
    join_sentences,
    t,
    tn,
    translate_label,
    translate_labels,
    translate_message,
)
from ui.words.numbers import format_count, render_bold
from ui.words.terms import with_pinyin

MAX_SHOWN_QUERY_ROWS = 1_000
# The choice of one's own statement, beside the names of queries.
OWN_CYPHER_CHOICE = "cypher"
# How the lineage draws each kind of relation.
LINE_CLASS_BY_RELATION = {
    "MENTORS": "",
    "LEADS": "dashed",
    "TRAINED_AT": "dashed",
    "TEACHES_AT": "dotted",
}


@dataclass(frozen=True)
class QueryResult:
    """What was run last in this visit: the rows, how long it took, what was asked.

    `of` is the choice on the page that it belongs to: under another one it is not shown.
    """

    of: str
    title: str
    table: Table
    seconds: float
    asked: dict[str, str]
    query: Query | None
    told: str = ""


@cache
def load_query_catalogue() -> dict[str, Query]:
    """The named queries, read once a process."""
    return dict(load_queries())


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    left, right = st.columns([812, 276], gap="medium")
    with left:
        kinds = {"named": t("Named queries")}
        if identify_visitor().may("cypher"):
            kinds["cypher"] = t("Own Cypher")
        kind = address.draw_required_choice(
            "queries", "kind", t("What to run"), kinds, "named", untitled=True
        )
        of, failure = _draw_cypher_form() if kind == "cypher" else _draw_query_form()
        result: QueryResult | None = st.session_state.get("queries_result")
        result = result if result is not None and result.of == of else None
        if failure is not None:
            frame.draw_note(*failure)
        elif result is None:
            frame.draw_empty_state(
                t("The rows stand here"), t("Choose, fill in what it asks for, and run.")
            )
        else:
            _draw_query_rows(result)
    with right, st.container(key="panel_schema"):
        _draw_graph_schema()
    with head:
        frame.draw_lead(_render_queries_answer(result))
        frame.draw_under_lead(
            t(
                "Read only · at most {seconds} s",
                seconds=f"{graph_state.open_shared_database().settings.read_seconds:g}",
            ),
            policy=False,
        )


def _render_queries_answer(result: QueryResult | None) -> str:
    if result is None:
        return escape(t("Ask the graph itself."))
    rows = len(result.table.rows)
    if result.table.truncated:
        number = render_bold(t("more than {n} rows", n=format_count(rows)))
    else:
        number = render_bold(tn("{n} row", "{n} rows", rows, n=format_count(rows)))
    return t(
        "{title}: {rows} in {seconds} s.",
        title=escape(result.title),
        rows=number,
        seconds=f"{result.seconds:.2f}",
    )


# What a control of the page led to: the choice it belongs to, and what went wrong (title, text).
RunOutcome = tuple[str, tuple[str, str] | None]


def _draw_query_form() -> RunOutcome:
    """Chooses a query and its parameters, and runs it."""
    language = current_language()
    queries = load_query_catalogue()
    if not queries:
        frame.draw_empty_state(
            t("No named query is declared"), t("Add a block to a file in queries/.")
        )
        return "", None
    titles = {name: query.title(language) for name, query in queries.items()}
    name = address.draw_required_choice(
        "queries", "query", t("Query"), titles, next(iter(titles)), folded=True
    )
    query = queries[name]
    frame.draw_muted(query.help(language))
    people = form.draw_people_parameters(query)
    with st.form(f"query_{name}", border=False):
        values: dict[str, Any] = people | form.draw_parameter_controls(query)
        pressed = st.form_submit_button(t("Run"), type="primary", key=f"run_{name}")
    with st.expander(t("The Cypher of this query")):
        st.code(query.text, language="cypher", wrap_lines=True)
    if not pressed:
        return name, None
    form.write_query_values(query, values)
    asked_for = {key: str(value) for key, value in values.items() if value not in (None, "")}
    return name, _run_and_store_result(
        QueryResult(name, query.title(language), Table((), []), 0.0, asked_for, query),
        lambda: run_query(
            graph_state.open_live_database(),
            query,
            values,
            role=identify_visitor().role,
            tables=bind_snapshot(graph_state.fetch_snapshot),
        ),
    )


def _draw_cypher_form() -> RunOutcome:
    """The analyst's own statement."""
    with st.form("cypher_form", border=False):
        text = form.draw_statement_box(
            f"// {t('who took on most apprentices this year')}\n"
            + load_internal_queries()["own_statement_example"].text
        )
        pressed = st.form_submit_button(t("Run"), type="primary", key="run_cypher")
    if not pressed:
        return OWN_CYPHER_CHOICE, None
    told = ""
    if not form.write_statement_address(text):
        told = t(
            "The statement is too long for the address or names a person, so a link to this "
            "page does not hold it."
        )
    return OWN_CYPHER_CHOICE, _run_and_store_result(
        QueryResult(
            OWN_CYPHER_CHOICE, t("Own Cypher"), Table((), []), 0.0, {"cypher": text}, None, told
        ),
        lambda: run_cypher(graph_state.open_live_database(), text, role=identify_visitor().role),
    )


def _run_and_store_result(asked: QueryResult, work: Callable[[], Table]) -> tuple[str, str] | None:
    """Runs it and keeps the result for the visit; what stood there before goes, come what may."""
    st.session_state.pop("queries_result", None)
    began = time.monotonic()
    try:
        with st.spinner(t("Running")):
            table = work()
    except RefusedError as error:
        return t("Not run: the console only reads"), translate_message(error)
    except ShichengError as error:
        return t("Not run"), translate_message(error)
    seconds = time.monotonic() - began
    st.session_state["queries_result"] = replace(asked, table=table, seconds=seconds)
    return None


def _draw_query_rows(result: QueryResult) -> None:
    language = current_language()
    table = result.table
    for notice in table.notices:
        frame.draw_note(t("Neo4j remarks"), notice.said(language))
    if result.told:
        frame.draw_muted(result.told)
    if not table.rows:
        frame.draw_empty_state(
            t("No row"), t("Nothing in the graph fits; widen what was asked for.")
        )
        return
    shown = build_query_frame(
        Table(
            table.columns,
            [[_join_list_cell(cell) for cell in row] for row in table.rows[:MAX_SHOWN_QUERY_ROWS]],
        ),
        language,
    )
    if {"person_id", "name"} <= set(table.columns):
        shown = with_pinyin(shown, "name")
    named = result.query
    titles = {
        column: _capitalize_title(named.column_label(column, language)) if named else column
        for column in table.columns
    }
    cell = draw_sortable_list(
        shown, key="queries_table", placeholder="—", height="auto", row_height=34, config=titles
    )
    _open_row_person(cell, table)
    _draw_query_downloads(result, language, titles)


def _join_list_cell(cell: Any) -> Any:
    """A list of texts as the page's language sets one; all else as it is."""
    if isinstance(cell, list) and cell and all(isinstance(one, str) for one in cell):
        return ("、" if current_language() == "zh" else ", ").join(cell)
    return cell


def _capitalize_title(title: str) -> str:
    return title[:1].upper() + title[1:]


def _open_row_person(cell: tuple[int, str] | None, table: Table) -> None:
    """A click on a line that names a person opens the person."""
    if not frame.is_newly_chosen("queries", cell) or cell is None:
        return
    if "person_id" not in table.columns:
        return
    row = table.rows[cell[0]]
    id = row[table.columns.index("person_id")]
    if id:
        frame.switch_to_page("talent", id=str(id))


def _draw_query_downloads(result: QueryResult, language: Language, titles: dict[str, str]) -> None:
    table = result.table
    told = _format_shown_query_rows(table)
    if "person_id" in table.columns:
        told = join_sentences(told, t("Click a line to open the person."))
    about = talent_figures.build_page_about(
        parameters=result.asked,
        content=result.of,
        capped=len(table.rows) if table.truncated else None,
    )
    whole = build_query_frame(table, language).rename(
        {
            column: title
            for column, title in _build_distinct_titles(titles).items()
            if column != title
        }
    )
    with frame.draw_exhibit_foot("queries", told):
        downloads.draw_download_buttons(whole, about, "query")


def _format_shown_query_rows(table: Table) -> str:
    """How many of the rows are shown, can be taken away, and are there, in one sentence."""
    rows = len(table.rows)
    if table.too_large:
        return t(
            "{n} rows are read and no more, for they are as many bytes as one answer may have: "
            "ask for fewer columns or rows.",
            n=format_count(rows),
        )
    if table.truncated:
        return t(
            "The first {n} rows are shown; the download has {all}, the most that are read at once. "
            "There are more: narrow the query.",
            n=format_count(min(rows, MAX_SHOWN_QUERY_ROWS)),
            all=format_count(rows),
        )
    if rows > MAX_SHOWN_QUERY_ROWS:
        return t(
            "The first {n} of {all} rows; the download has them all.",
            n=format_count(MAX_SHOWN_QUERY_ROWS),
            all=format_count(rows),
        )
    return tn("{n} row.", "All {n} rows.", rows, n=format_count(rows))


def _build_distinct_titles(titles: dict[str, str]) -> dict[str, str]:
    """Titles, but where two columns have the same one both keep their own names."""
    seen = list(titles.values())
    return {c: title if seen.count(title) == 1 else c for c, title in titles.items()}


def build_query_frame(table: Table, language: Language) -> pl.DataFrame:
    """The rows as a dataframe: one type a column; codes in words; nested values as JSON."""
    names = translate_labels(PROVINCES, language)

    def worded(column: str, value: Any) -> Any:
        if column == "province" and isinstance(value, str):
            return names.get(value, value)
        return format_coded_value(column, value, language)

    rows = [[worded(c, v) for c, v in zip(table.columns, row, strict=True)] for row in table.rows]
    return build_frame_from_rows(table.columns, rows)


def _format_node_kind(kind: str, language: Language) -> str:
    return translate_label((NODE_KINDS[kind].en, NODE_KINDS[kind].zh), language)


def _format_other_node_kind(kind: str, language: Language) -> str:
    """The word for a kind of node where it is not the label itself."""
    name = _format_node_kind(kind, language)
    return "" if name == kind else name


def _format_relation_kind(kind: str, language: Language) -> str:
    """The Chinese name of a type of relation; in English the type says it itself."""
    return RELATION_KINDS[kind].zh if language == "zh" else ""


def _draw_graph_schema() -> None:
    """What is in the graph: kinds of nodes and relations with how many there are."""
    language = current_language()
    frame.draw_heading(t("What the graph holds"))
    nodes, relations = talent_figures.fetch_kind_counts()
    _draw_kind_counts(
        nodes,
        NODE_KINDS,
        lambda kind: f'<td class="sc-muted">{escape(_format_other_node_kind(kind, language))}',
    )
    frame.draw_rule()
    _draw_kind_counts(
        relations,
        RELATION_KINDS,
        lambda kind: (
            f'<td><i class="sc-line thin {LINE_CLASS_BY_RELATION.get(kind, "none")}"></i> '
            f'<span class="sc-muted">{escape(_format_relation_kind(kind, language))}</span>'
        ),
    )


def _draw_kind_counts(
    numbers: Mapping[str, int], known: Collection[str], beside: Callable[[str], str]
) -> None:
    """A line each kind there is: its name, the cell beside it, how many there are."""
    lines = "".join(
        f"<tr><td><code>{escape(kind)}</code></td>{beside(kind)}</td>"
        f'<td class="n">{format_count(number)}</td></tr>'
        for kind, number in numbers.items()
        if kind in known and number
    )
    frame.draw_html(f'<table class="sc-table plain sc-schema">{lines}</table>')
