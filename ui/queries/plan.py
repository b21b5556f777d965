"""The plan of a statement: a drawing of its operators, and a table of what each gives and reads."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import polars as pl
import streamlit as st

from graph.cypher.plans import ErrorPlace, PlanOperator, StatementPlan
from ui.shell import frame
from ui.words.i18n import t, translate_message
from ui.words.numbers import format_count

_BOX_WIDTH: Final = 208
_BOX_HEIGHT: Final = 46
_GAP_X: Final = 20
_GAP_Y: Final = 26
_MAX_BOX_CHARACTERS: Final = 28


@dataclass(frozen=True)
class PlacedOperator:
    """An operator and where the left upper corner of its box is."""

    operator: PlanOperator
    x: float
    y: float
    parent: int | None


def place_operators(root: PlanOperator) -> list[PlacedOperator]:
    """The boxes of a tree: a level a row, each above those it reads from, in its middle."""
    placed: list[PlacedOperator] = []
    next_leaf = [0]

    def place(operator: PlanOperator, depth: int, parent: int | None) -> float:
        number = len(placed)
        placed.append(PlacedOperator(operator, 0.0, 0.0, parent))
        below = [place(child, depth + 1, number) for child in operator.children]
        if below:
            x = (below[0] + below[-1]) / 2
        else:
            x = float(next_leaf[0] * (_BOX_WIDTH + _GAP_X))
            next_leaf[0] += 1
        placed[number] = PlacedOperator(operator, x, float(depth * (_BOX_HEIGHT + _GAP_Y)), parent)
        return x

    place(root, 0, None)
    return placed


def draw_statement_plan(plan: StatementPlan) -> None:
    """The drawing, and the table below it."""
    for notice in plan.notices:
        frame.draw_note(t("Neo4j remarks"), translate_message(notice))
    profiled = plan.kind == "profile"
    if profiled:
        aside = t("{n} reads of the store", n=format_count(plan.db_hits))
    else:
        aside = t("as Neo4j expects it; nothing was run")
    frame.draw_heading(t("Plan"), aside)
    frame.draw_html(f'<div class="sc-plan">{render_plan_drawing(plan)}</div>')
    if any(operator.is_costly for operator in plan.operators):
        frame.draw_muted(
            t("A step with a red edge reads everything, or pairs everything with everything.")
        )
    _draw_plan_table(plan, profiled)


def _draw_plan_table(plan: StatementPlan, profiled: bool) -> None:
    rows = list(plan.root.walk())
    counted = {
        t("Rows"): [operator.rows for _, operator in rows],
        t("Reads of the store"): [operator.db_hits for _, operator in rows],
    }
    table = {
        t("Operator"): ["\N{EM SPACE}" * depth + operator.name for depth, operator in rows],
        t("Expected rows"): [round(operator.estimated_rows) for _, operator in rows],
        **(counted if profiled else {}),
        t("Details"): [operator.details for _, operator in rows],
    }
    st.dataframe(
        pl.DataFrame(table), hide_index=True, height="auto", row_height=34, key="queries_plan_table"
    )


def render_plan_drawing(plan: StatementPlan) -> str:
    """The tree as HTML: a box an operator, its rows in it, its share of the reads as a bar."""
    placed = place_operators(plan.root)
    width = max(one.x for one in placed) + _BOX_WIDTH
    height = max(one.y for one in placed) + _BOX_HEIGHT
    lines = "".join(
        _render_plan_line(one, placed[one.parent]) for one in placed if one.parent is not None
    )
    boxes = "".join(_render_operator(one, plan.db_hits) for one in placed)
    size = f"width:{width:.0f}px;height:{height:.0f}px"
    return f'<div class="tree" style="{size}">{lines}{boxes}</div>'


def _render_plan_line(one: PlacedOperator, parent: PlacedOperator) -> str:
    """From the middle of the upper box down, across, and down to the middle of the lower one."""
    middle, half = _BOX_WIDTH / 2, _GAP_Y / 2
    left, right = sorted((one.x + middle, parent.x + middle))
    turn = parent.y + _BOX_HEIGHT + half
    pieces = (
        (parent.x + middle, parent.y + _BOX_HEIGHT, 2, half),
        (left, turn, right - left + 2, 2),
        (one.x + middle, turn, 2, half),
    )
    return "".join(
        f'<i class="line" style="left:{x:.0f}px;top:{y:.0f}px;width:{w:.0f}px;height:{h:.0f}px">'
        "</i>"
        for x, y, w, h in pieces
    )


def _render_operator(one: PlacedOperator, all_hits: int) -> str:
    operator = one.operator
    name = operator.name
    shown = name if len(name) <= _MAX_BOX_CHARACTERS else name[: _MAX_BOX_CHARACTERS - 1] + "…"
    if operator.rows is None:
        count = t("expects {n} rows", n=format_count(round(operator.estimated_rows)))
    else:
        hits = format_count(operator.db_hits or 0)
        count = t("{n} rows, {hits} reads", n=format_count(operator.rows), hits=hits)
    share = (operator.db_hits or 0) / all_hits if all_hits else 0.0
    look = "box costly" if operator.is_costly else "box"
    title = escape(f"{name}: {operator.details}" if operator.details else name)
    place = f"left:{one.x:.0f}px;top:{one.y:.0f}px;width:{_BOX_WIDTH}px;height:{_BOX_HEIGHT}px"
    return (
        f'<div class="{look}" style="{place}" title="{title}"><b>{escape(shown)}</b>'
        f"<span>{escape(count)}</span>"
        f'<i class="share" style="width:{share:.1%}"></i></div>'
    )


def format_caret_lines(place: ErrorPlace) -> Sequence[str]:
    """The line of an error and a caret below the sign, as a monospaced face sets them.

    >>> format_caret_lines(ErrorPlace(1, 3, "李n x"))
    ('李n x', '\\u3000 ^')
    """
    before = place.line[: place.column - 1]
    gap = "".join(
        "\N{IDEOGRAPHIC SPACE}" if unicodedata.east_asian_width(sign) in "WF" else " "
        for sign in before
    )
    return place.line.replace("\t", " "), gap + "^"


def draw_error_place(place: ErrorPlace) -> None:
    """The line that Neo4j has something against, with a caret below the place."""
    st.code("\n".join(format_caret_lines(place)), language=None, height="content")
