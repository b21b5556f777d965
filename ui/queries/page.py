"""Queries: the named ones with their parameters, and a box for Cypher that only reads."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from html import escape
from typing import Any, Final, Literal

import streamlit as st

from graph.cypher.internal_queries import load_internal_queries
from graph.cypher.named_queries import (
    Query,
    Reading,
    Table,
    parse_own_query,
    run_cypher,
)
from graph.cypher.plans import (
    ErrorPlace,
    PlanKind,
    StatementPlan,
    find_error_place,
    plan_cypher,
    plan_query,
)
from graph.cypher.spooled_answers import start_answer
from graph.errors import RefusedError, ShichengError
from graph.messages import Language
from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from ui.queries import form
from ui.queries.dashboard import draw_dashboards
from ui.queries.editor import (
    current_statement_tab,
    draw_statement_tabs,
    draw_statement_tools,
    read_declared_query,
    remember_statement,
)
from ui.queries.library import draw_proposals, list_library, run_library_query
from ui.queries.plan import draw_error_place, draw_statement_plan
from ui.queries.result import QueryResult, draw_query_result, render_result_answer
from ui.reading import talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.visitor import identify_visitor
from ui.words.i18n import current_language, t, translate_label, translate_message
from ui.words.numbers import format_count

# The choice of one's own statement, beside the names of queries.
OWN_CYPHER_CHOICE = "cypher"
RESULT_KEY: Final = "queries_result"
RUNNING_KEY: Final = "queries_running"
PLAN_KEY: Final = "queries_plan"
FAILURE_KEY: Final = "queries_failure"
# How long the first rows are waited for before the page offers to cancel; between two looks.
FIRST_LOOK_SECONDS: Final = 0.5
LOOK_SECONDS: Final = 0.25
# How the lineage draws each kind of relation.
LINE_CLASS_BY_RELATION = {
    "MENTORS": "",
    "LEADS": "dashed",
    "TRAINED_AT": "dashed",
    "TEACHES_AT": "dotted",
}


@frame.page
def page() -> None:
    """The page."""
    head = st.container()
    left, right = st.columns([812, 276], gap="medium")
    with left:
        kinds = {"named": t("Named queries")}
        if identify_visitor().may("cypher"):
            kinds["cypher"] = t("Own Cypher")
        kinds["dashboard"] = t("Dashboards")
        kind = address.draw_required_choice(
            "queries", "kind", t("What to run"), kinds, "named", untitled=True
        )
        result = None
        if kind == "dashboard":
            draw_dashboards()
        else:
            of = _draw_cypher_form() if kind == "cypher" else _draw_query_form()
            result = _draw_answer(of)
    with right, st.container(key="panel_schema"):
        _draw_graph_schema()
    with head:
        frame.draw_lead(render_result_answer(result))
        frame.draw_under_lead(
            t(
                "Read only · at most {seconds} s",
                seconds=f"{graph_state.open_shared_database().settings.read_seconds:g}",
            ),
            policy=False,
        )


def _draw_answer(of: str) -> QueryResult | None:
    """What the statement or query that is chosen led to: plan, failure, rows; the rows' result."""
    failure = _await_first_page(of) or st.session_state.pop(FAILURE_KEY, None)
    result: QueryResult | None = st.session_state.get(RESULT_KEY)
    result = result if result is not None and _is_shown_result(result, of) else None
    plan: StatementPlan | None = st.session_state.get(PLAN_KEY, {}).get(of)
    if plan is not None:
        draw_statement_plan(plan)
    if failure is not None:
        _draw_failure(failure)
    elif result is None and plan is None:
        frame.draw_empty_state(
            t("The rows stand here"), t("Choose, fill in what it asks for, and run.")
        )
    elif result is not None:
        draw_query_result(result)
    return result


def _is_shown_result(result: QueryResult, of: str) -> bool:
    """Whether it belongs to the choice on the page, and to who visits now."""
    return result.of == of and result.visitor == identify_visitor()


def _draw_query_form() -> str:
    """Chooses a query and its parameters, and runs it; its name."""
    language = current_language()
    notebook = graph_state.open_notebook()
    queries = list_library(notebook)
    draw_proposals(notebook)
    if not queries:
        frame.draw_empty_state(
            t("No named query is declared"), t("Add a block to a file in queries/.")
        )
        return ""
    titles = {name: query.title(language) for name, query in queries.items()}
    name = address.draw_required_choice(
        "queries", "query", t("Query"), titles, next(iter(titles)), folded=True
    )
    query = queries[name]
    frame.draw_muted(query.help(language))
    people = form.draw_people_parameters(query)
    with st.form(f"query_{name}", border=False):
        values: dict[str, Any] = people | form.draw_parameter_controls(query)
        pressed = _draw_run_buttons(name)
    with st.expander(t("The Cypher of this query")):
        st.code(query.text, language="cypher", wrap_lines=True)
    if pressed == "run":
        form.write_query_values(query, values)
        asked = {key: str(value) for key, value in values.items() if value not in (None, "")}
        _start_query(name, query.title(language), asked, query, values)
    elif pressed is not None:
        form.write_query_values(query, values)
        kind: PlanKind = pressed
        _store_plan(name, lambda: _plan_named_query(query, values, kind))
    return name


def _draw_run_buttons(name: str) -> Literal["run", "explain", "profile"] | None:
    """Run, and for who writes Cypher the plan before and after a run; which was pressed."""
    with st.container(horizontal=True, key="queries_run"):
        pressed = st.form_submit_button(t("Run"), type="primary", key=f"run_{name}")
        if not identify_visitor().may("cypher"):
            return "run" if pressed else None
        explained = st.form_submit_button(
            t("Plan"), key=f"explain_{name}", help=t("How Neo4j would answer it; nothing is run.")
        )
        profiled = st.form_submit_button(
            t("Measured plan"),
            key=f"profile_{name}",
            help=t("Runs it and counts what each step read."),
        )
    if pressed:
        return "run"
    return "explain" if explained else "profile" if profiled else None


def _plan_named_query(query: Query, values: Mapping[str, Any], kind: PlanKind) -> StatementPlan:
    database, role = graph_state.open_live_database(), identify_visitor().role
    return plan_query(database, query, values, kind=kind, role=role)


def _store_plan(of: str, make: Callable[[], StatementPlan], text: str = "") -> None:
    """Keeps the plan of a statement beside the rows, or what went wrong with it."""
    st.session_state.pop(PLAN_KEY, None)
    try:
        with st.spinner(t("Planning")):
            st.session_state[PLAN_KEY] = {of: make()}
    except ShichengError as error:
        st.session_state[FAILURE_KEY] = _build_failure(error, text)


@dataclass(frozen=True)
class RunFailure:
    """Why a statement was not run, or ended: title, text, and where in it the fault is."""

    title: str
    text: str
    place: ErrorPlace | None


def _build_failure(error: ShichengError, text: str) -> RunFailure:
    refused = isinstance(error, RefusedError)
    title = t("Not run: the console only reads") if refused else t("Not run")
    return RunFailure(title, translate_message(error), find_error_place(error, text))


def _draw_failure(failure: RunFailure) -> None:
    frame.draw_note(failure.title, failure.text)
    if failure.place is not None:
        draw_error_place(failure.place)


def _start_query(
    name: str, title: str, asked: dict[str, str], query: Query, values: Mapping[str, Any]
) -> None:
    database, role = graph_state.open_live_database(), identify_visitor().role

    def run(reading: Reading) -> Table:
        return run_library_query(database, name, query, values, role, reading)

    _replace_running(QueryResult(name, title, start_answer(database, run), asked, query))


def _draw_cypher_form() -> str:
    """The analyst's own statement; the choice of it."""
    example = (
        f"// {t('who took on most apprentices this year')}\n"
        + load_internal_queries()["own_statement_example"].text
    )
    form.fill_statement(example)
    declared = read_declared_query(st.session_state[form.STATEMENT_PARAMETER])
    people = form.draw_people_parameters(declared) if declared else {}
    with st.form("cypher_form", border=False):
        tabs = st.container()
        text = form.draw_statement_box()
        values: dict[str, Any] = people | (
            form.draw_parameter_controls(declared) if declared else {}
        )
        # The first button is what Ctrl+Enter presses.
        pressed = _draw_run_buttons(OWN_CYPHER_CHOICE)
        with tabs:
            draw_statement_tabs()
        draw_statement_tools(graph_state.open_notebook())
    if pressed is not None:
        _answer_statement(text, values, pressed)
    return OWN_CYPHER_CHOICE


def _answer_statement(
    text: str, values: Mapping[str, Any], pressed: Literal["run", "explain", "profile"]
) -> None:
    try:
        given = _read_own_values(text, values)
    except ShichengError as error:
        st.session_state[FAILURE_KEY] = _build_failure(error, text)
        return
    note = ""
    if not form.write_statement_address(text):
        note = t(
            "The statement is too long for the address or names a person, so a link to this "
            "page does not hold it."
        )
    database, role = graph_state.open_live_database(), identify_visitor().role
    if pressed != "run":
        kind: PlanKind = pressed
        make = partial(plan_cypher, database, text, given, kind=kind, role=role)
        _store_plan(OWN_CYPHER_CHOICE, make, text)
        return
    remember_statement(text)
    answer = start_answer(
        database, lambda reading: run_cypher(database, text, given, role=role, reading=reading)
    )
    asked = {"cypher": text} | {name: str(value) for name, value in given.items()}
    title = current_statement_tab().title or t("Own Cypher")
    _replace_running(QueryResult(OWN_CYPHER_CHOICE, title, answer, asked, None, note))


def _read_own_values(text: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of the parameters that a statement declares."""
    if "// param" not in text:
        return {}
    query = parse_own_query(t("Own Cypher"), "", text)
    known = {parameter.name for parameter in query.parameters}
    return query.parse({name: value for name, value in values.items() if name in known})


def _replace_running(result: QueryResult) -> None:
    """Puts a query that was begun in the place of what stood there before."""
    st.session_state.pop(PLAN_KEY, None)
    for key in (RUNNING_KEY, RESULT_KEY):
        before: QueryResult | None = st.session_state.pop(key, None)
        if before is not None:
            before.answer.close()
    st.session_state.pop("queries_page", None)
    st.session_state[RUNNING_KEY] = result


def _await_first_page(of: str) -> RunFailure | None:
    """Waits for the first rows of what runs; what went wrong, if anything.

    Each look draws something, so that a click on Cancel, or on anything else, is heard at once.
    """
    running: QueryResult | None = st.session_state.get(RUNNING_KEY)
    if running is None or not _is_shown_result(running, of):
        return None
    place = st.empty()
    try:
        if not running.answer.wait_for_page(FIRST_LOOK_SECONDS):
            with place.container(key="queries_running", horizontal=True):
                st.button(t("Cancel"), key="queries_cancel", on_click=running.answer.cancel)
                shown = st.empty()
            while not running.answer.wait_for_page(LOOK_SECONDS):
                seconds = f"{time.monotonic() - running.began:.0f}"
                shown.markdown(t("Running for {seconds} s", seconds=seconds))
    except ShichengError as error:
        st.session_state.pop(RUNNING_KEY)
        return _build_failure(error, running.asked.get("cypher", ""))
    finally:
        place.empty()
    running.seconds = time.monotonic() - running.began
    st.session_state[RESULT_KEY] = st.session_state.pop(RUNNING_KEY)
    return None


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
