"""A dashboard: several queries of the library on one page, with their parameters on top."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.cypher.named_queries import Query, Table
from graph.errors import ShichengError
from graph.programme.dashboards import (
    MAX_TILES,
    TILE_VIEWS,
    Dashboard,
    DashboardTile,
    TileView,
    collect_shared_parameters,
    find_dashboard,
    list_dashboards,
    remove_dashboard,
    save_dashboard,
    select_query_values,
)
from graph.programme.notebook import Notebook
from ui.browser.print_button import draw_print_button
from ui.queries import form
from ui.queries.library import list_library, run_library_query
from ui.queries.result import build_column_titles, build_query_frame, join_list_cell
from ui.queries.result_chart import ROW_COUNT, build_result_chart, suggest_chart
from ui.reading import talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.theme import TOKENS_BY_MODE
from ui.shell.visitor import check_permission, identify_visitor
from ui.words.i18n import current_language, t, translate_message
from ui.words.numbers import format_count, format_person_times, format_persons

DASHBOARD_PARAMETER: Final = "dashboard"
NEW_DASHBOARD: Final = "new"
MAX_TILE_ROWS: Final = 100
_NOTE_KEY: Final = "queries_dashboard_note"
_RESULT_KEY: Final = "queries_dashboard_result"


def draw_dashboards() -> None:
    """The choice of a dashboard, what it is made of, and its tiles."""
    notebook = graph_state.open_notebook()
    queries = list_library(notebook)
    shown = _choose_dashboard(notebook)
    note = st.session_state.pop(_NOTE_KEY, None)
    if note:
        frame.draw_muted(note)
    if shown is not None:
        frame.draw_heading(shown.title)
        _draw_tiles(shown, queries)
    own = shown is None or shown.owner == identify_visitor().id
    with st.container(key="noprint_dashboard"):
        if shown is not None:
            draw_print_button(t("Print"))
        if own:
            _draw_composer(notebook, shown, queries)


def _choose_dashboard(notebook: Notebook) -> Dashboard | None:
    """The dashboard of the address, else the first of one's own."""
    own = list_dashboards(notebook, identify_visitor().id)
    named = {one.id: one.title for one in own}
    asked = st.query_params.get(DASHBOARD_PARAMETER)
    linked = find_dashboard(notebook, asked) if asked and asked not in named else None
    if linked is not None:
        named[linked.id] = linked.title
    elif asked not in (None, NEW_DASHBOARD, *named):
        address.record_address_fault(DASHBOARD_PARAMETER, str(asked))
        address.clear_parameters(DASHBOARD_PARAMETER)
    named[NEW_DASHBOARD] = t("A new dashboard")
    # It always stands in the address, so that a link opens the same one for others.
    if st.query_params.get(DASHBOARD_PARAMETER) is None:
        address.write_parameter(DASHBOARD_PARAMETER, next(iter(named)))
    with st.container(key="noprint_dashboards"):
        id = address.draw_required_choice(
            "queries", DASHBOARD_PARAMETER, t("Dashboard"), named, "", folded=True
        )
    return next((one for one in (*own, linked) if one is not None and one.id == id), None)


def _draw_tiles(dashboard: Dashboard, queries: Mapping[str, Query]) -> None:
    known = [tile for tile in dashboard.tiles if tile.query in queries]
    if len(known) < len(dashboard.tiles):
        frame.draw_muted(t("Queries that are not in the library any more are left out."))
    own = [queries[tile.query] for tile in known]
    shared = Query("dashboard", "", "", "", "", collect_shared_parameters(own), "", "", 1)
    people = form.draw_people_parameters(shared)
    with st.form(f"dashboard_{dashboard.id}", border=False):
        values: dict[str, Any] = people | form.draw_parameter_controls(shared)
        pressed = st.form_submit_button(t("Run"), type="primary", key="run_dashboard")
    if pressed:
        form.write_query_values(shared, values)
        rows = _run_tiles(known, queries, shared, values)
        st.session_state[_RESULT_KEY] = (dashboard, rows, identify_visitor())
    stored = st.session_state.get(_RESULT_KEY)
    if stored is None or stored[0] != dashboard or stored[2] != identify_visitor():
        frame.draw_empty_state(t("The rows stand here"), t("Fill in what it asks for, and run."))
        return
    if dashboard.figures:
        _draw_policy_figures()
    columns = st.columns(2, gap="medium")
    for number, (tile, table) in enumerate(zip(known, stored[1], strict=True)):
        with columns[number % 2], st.container(key=f"dashboard_tile_{number}"):
            _draw_tile(tile, queries[tile.query], table, number)


def _run_tiles(
    tiles: list[DashboardTile],
    queries: Mapping[str, Query],
    shared: Query,
    values: Mapping[str, Any],
) -> list[Table | ShichengError]:
    database, role = graph_state.open_live_database(), identify_visitor().role
    found: list[Table | ShichengError] = []
    with st.spinner(t("Running the queries")):
        for tile in tiles:
            query = queries[tile.query]
            try:
                given = select_query_values(query, shared.parameters, values)
                found.append(
                    run_library_query(database, tile.query, query, given, role, limit=MAX_TILE_ROWS)
                )
            except ShichengError as error:
                found.append(error)
    return found


def _draw_policy_figures() -> None:
    """The driven number under the policy of the visit, nationally."""
    figures, language = talent_figures.fetch_overview(current_policy()), current_language()
    frame.draw_under_lead()
    frame.draw_figures(
        [
            (t("Driven persons"), format_persons(figures.persons, language)),
            (t("Person-times"), format_person_times(figures.person_times, language)),
        ]
    )


def _draw_tile(
    tile: DashboardTile, query: Query, found: Table | ShichengError, number: int
) -> None:
    language = current_language()
    frame.draw_heading(query.title(language))
    if isinstance(found, ShichengError):
        frame.draw_note(t("Not run"), translate_message(found))
        return
    if not found.rows:
        frame.draw_empty_state(
            t("No row"), t("Nothing in the graph fits; widen what was asked for.")
        )
        return
    titles = build_column_titles(found.columns, query, language)
    cells = [[join_list_cell(cell) for cell in row] for row in found.rows]
    rows = build_query_frame(Table(found.columns, cells), language)
    draw: dict[TileView, Callable[[pl.DataFrame, dict[str, str], int], None]] = {
        "table": _draw_tile_table,
        "chart": _draw_tile_chart,
        "number": lambda rows, titles, _: _draw_tile_number(rows, titles, query.addable),
    }
    draw[tile.view](rows, titles, number)
    if found.truncated:
        frame.draw_muted(t("The first {n} rows.", n=format_count(len(found.rows))))


def _draw_tile_table(rows: pl.DataFrame, titles: dict[str, str], number: int) -> None:
    st.dataframe(
        rows,
        hide_index=True,
        placeholder="—",
        row_height=34,
        height=min(36 + 34 * rows.height, 380),
        column_config=titles,
        key=f"dashboard_table_{number}",
    )


def _draw_tile_chart(rows: pl.DataFrame, titles: dict[str, str], number: int) -> None:
    theme = TOKENS_BY_MODE[frame.detect_colour_mode()]
    named = titles | {ROW_COUNT: t("number of rows")}
    spec = build_result_chart(rows, suggest_chart(rows), named, theme)
    st.vega_lite_chart(spec, width="stretch", theme=None, key=f"dashboard_chart_{number}")


def _draw_tile_number(rows: pl.DataFrame, titles: dict[str, str], addable: Set[str]) -> None:
    """The sums of the columns that the query declares addable, or how many rows there are."""
    sums = [
        (titles[name], format_count(total))
        for name, total in sum_addable_columns(rows, addable).items()
    ]
    frame.draw_figures(sums[:4] or [(t("number of rows"), format_count(rows.height))])


def sum_addable_columns(rows: pl.DataFrame, addable: Set[str]) -> dict[str, int]:
    """The sum of each of these columns; none of one that lacks a value, as where it is withheld."""
    return {
        name: round(rows[name].sum())
        for name, dtype in rows.schema.items()
        if name in addable and dtype.is_numeric() and not rows[name].null_count()
    }


# Putting one together


def _draw_composer(
    notebook: Notebook, shown: Dashboard | None, queries: Mapping[str, Query]
) -> None:
    language = current_language()
    suffix = NEW_DASHBOARD if shown is None else shown.id
    chosen = [] if shown is None else [tile.query for tile in shown.tiles if tile.query in queries]
    views = {} if shown is None else {tile.query: tile.view for tile in shown.tiles}
    labels = {"table": t("Table"), "chart": t("Chart"), "number": t("sums")}
    with st.expander(t("Contents of the dashboard"), expanded=shown is None):
        st.text_input(
            t("Title"),
            "" if shown is None else shown.title,
            key=f"dashboard_title_{suffix}",
            max_chars=80,
        )
        picked = st.multiselect(
            t("Queries shown"),
            list(queries),
            chosen,
            key=f"dashboard_queries_{suffix}",
            max_selections=MAX_TILES,
            format_func=lambda name: queries[name].title(language),
            placeholder=t("type a part of its name"),
        )
        for name in picked:
            st.segmented_control(
                queries[name].title(language),
                TILE_VIEWS,
                default=views.get(name, "table"),
                key=f"dashboard_view_{suffix}_{name}",
                required=True,
                format_func=lambda view: labels[view],
            )
        st.checkbox(
            t("The driven number on top"),
            False if shown is None else shown.figures,
            key=f"dashboard_figures_{suffix}",
        )
        with st.container(horizontal=True, key="dashboard_actions"):
            given = (notebook, suffix, None if shown is None else shown.id)
            st.button(t("Save"), key="dashboard_save", on_click=_save_dashboard, args=given)
            if shown is not None:
                st.button(
                    t("Delete"),
                    key="dashboard_delete",
                    on_click=_delete_dashboard,
                    args=(notebook, shown.id),
                )


def _save_dashboard(notebook: Notebook, suffix: str, id: str | None) -> None:
    if not check_permission("people"):
        return
    state = st.session_state
    tiles = [
        DashboardTile(name, state.get(f"dashboard_view_{suffix}_{name}") or "table")
        for name in state.get(f"dashboard_queries_{suffix}", [])
    ]
    try:
        saved = save_dashboard(
            notebook,
            identify_visitor().id,
            title=state.get(f"dashboard_title_{suffix}", ""),
            tiles=tiles,
            figures=bool(state.get(f"dashboard_figures_{suffix}")),
            id=id,
        )
    except ShichengError as error:
        state[_NOTE_KEY] = translate_message(error)
        return
    state[_NOTE_KEY] = t("{title} is saved; its address opens it for others.", title=saved.title)
    address.write_parameter(DASHBOARD_PARAMETER, saved.id)


def _delete_dashboard(notebook: Notebook, id: str) -> None:
    if not check_permission("people"):
        return
    remove_dashboard(notebook, identify_visitor().id, id)
    address.write_parameter(DASHBOARD_PARAMETER, None)
