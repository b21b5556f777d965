"""The ways to look at a result beside its rows: a chart, a network, JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import polars as pl
import streamlit as st

from graph.cypher.named_queries import Table
from graph.tabular import format_json
from ui.queries.result_chart import (
    CHART_MARKS,
    ONE_COLOUR,
    ROW_COUNT,
    ChartChoice,
    build_result_chart,
    list_colour_columns,
    list_number_columns,
    suggest_chart,
)
from ui.queries.result_network import (
    MAX_DRAWN_LINKS,
    MAX_DRAWN_NODES,
    build_network_chart,
    extract_network,
)
from ui.shell import address, frame
from ui.shell.theme import TOKENS_BY_MODE
from ui.words.i18n import t
from ui.words.numbers import format_count

# Rows that a chart, a network and the JSON are made of, at most.
MAX_CHART_ROWS: Final = 5_000
MAX_NETWORK_ROWS: Final = 1_000
MAX_JSON_ROWS: Final = 200


def draw_result_chart(rows: pl.DataFrame, titles: dict[str, str], all_rows: int) -> None:
    """The controls of the chart, and the chart."""
    named = titles | {ROW_COUNT: t("number of rows")}
    suggested = suggest_chart(rows)
    numbers = [*list_number_columns(rows), ROW_COUNT]
    _clear_old_choices({"x": rows.columns, "y": numbers, "colour": list_colour_columns(rows)})
    marks = {"bar": t("bars"), "line": t("lines"), "point": t("points"), "area": t("areas")}
    across, upright, colours, kinds = st.columns(4)
    with across:
        x = address.draw_required_choice(
            "queries",
            "x",
            t("Across"),
            {name: named[name] for name in rows.columns},
            suggested.x,
            folded=True,
        )
    with upright:
        y = address.draw_required_choice(
            "queries",
            "y",
            t("Upright"),
            {name: named[name] for name in numbers},
            suggested.y,
            folded=True,
        )
    with colours:
        options = {ONE_COLOUR: t("none")} | {n: named[n] for n in list_colour_columns(rows)}
        colour = address.draw_required_choice(
            "queries", "colour", t("Colour"), options, ONE_COLOUR, folded=True
        )
    with kinds:
        mark = address.draw_required_choice(
            "queries",
            "mark",
            t("Drawn as"),
            {one: marks[one] for one in CHART_MARKS},
            suggested.mark,
            folded=True,
        )
    choice = ChartChoice(x, y, colour, mark)
    theme = TOKENS_BY_MODE[frame.detect_colour_mode()]
    spec = build_result_chart(rows, choice, named, theme)
    st.vega_lite_chart(spec, width="stretch", theme=None, key="queries_chart")
    _draw_cut(rows.height, all_rows)


def _clear_old_choices(known: Mapping[str, Sequence[str]]) -> None:
    """Takes columns of an earlier result out of the address."""
    for name, columns in known.items():
        if st.query_params.get(name) not in (None, *columns):
            address.clear_parameters(name)


def draw_result_network(table: Table, all_rows: int) -> None:
    """The nodes and relations in the rows, as a drawing."""
    network = extract_network(table)
    if not network.nodes:
        frame.draw_empty_state(
            t("No node and no relation is among these rows"),
            t("Return nodes, relations or paths, as RETURN p for a path p."),
        )
        return
    theme = TOKENS_BY_MODE[frame.detect_colour_mode()]
    spec = build_network_chart(network, theme)
    st.vega_lite_chart(spec, width="stretch", theme=None, key="queries_network")
    if network.is_cut:
        frame.draw_muted(
            t(
                "Drawn are the first {nodes} of {all} nodes, and {links} relations at most.",
                nodes=format_count(min(MAX_DRAWN_NODES, len(network.nodes))),
                all=format_count(len(network.nodes)),
                links=format_count(MAX_DRAWN_LINKS),
            )
        )
    _draw_cut(len(table.rows), all_rows)


def draw_result_json(table: Table, all_rows: int) -> None:
    """The first rows as JSON, as they came."""
    rows = Table(table.columns, table.rows[:MAX_JSON_ROWS])
    text = "[\n" + ",\n".join(format_json(record) for record in rows.records()) + "\n]"
    st.code(text, language="json", height=520, wrap_lines=True)
    _draw_cut(len(rows.rows), all_rows)


def _draw_cut(drawn: int, all_rows: int) -> None:
    if drawn < all_rows:
        frame.draw_muted(
            t(
                "Made of the first {n} of {all} rows.",
                n=format_count(drawn),
                all=format_count(all_rows),
            )
        )
