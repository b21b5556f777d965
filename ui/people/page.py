"""The people behind a figure: whoever it counts, who drives them, and the way to why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from html import escape

import polars as pl
import streamlit as st

from graph.accounts.scope import Scope
from graph.driven.drill_down import DRILL_DOWN_CUTS, UNSTATED, DrillDownFilter
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from ui.browser.header_sort import draw_sortable_list
from ui.controls import downloads
from ui.reading import drill_down, talent_figures
from ui.shell import address, frame
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor
from ui.words import terms
from ui.words.i18n import current_language, t, tn, translate_labels
from ui.words.numbers import (
    NO_VALUE_DASH,
    format_count,
    format_person_times,
    format_persons,
    render_bold,
)

PEOPLE_PAGE = "people"
PEOPLE_ROW_HEIGHT_PX = 34
DEFAULT_PEOPLE_FILTERS = (
    "quarter",
    "province",
    "occupation_code",
    "industry",
    "generation",
    "channel",
)
# What a talent has as well, under the name the table of talents knows it by.
TALENT_COLUMN_BY_CUT = {
    "province": "province",
    "occupation_code": "occupation",
    "basis": "basis",
    "year": "year",
}


@frame.page
def page() -> None:
    """The page: of the part that stands in the address."""
    policy = current_policy()
    with st.spinner(t("Measuring the chains")):
        figures = talent_figures.fetch_overview(policy)
        drill_down.fetch_promotion_rows(policy)
    head = st.container()
    scope = identify_visitor().people_scope
    options = drill_down.list_cut_options(policy, figures, current_language())
    part = _draw_people_filters(options, drill_down.list_scope_cuts(scope))
    number = drill_down.fetch_part_count(policy, part, scope)
    with head:
        frame.draw_lead(_render_people_answer(part, number))
        frame.draw_under_lead(
            t(
                "A person stands once, a person-time with each promotion; the talent named is the "
                "nearest of those who drive the worker."
            )
        )
    if not number:
        frame.draw_empty_state(t("Nobody is behind this figure"), t("Take a filter away."))
        return
    _draw_people_list(policy, part, scope, number)


def _render_people_answer(part: DrillDownFilter, number: int) -> str:
    """The people the list holds (HTML)."""
    language = current_language()
    unit = format_persons if part.count == "persons" else format_person_times
    figure = render_bold(unit(number, language, exact=True), format_count(number))
    words = [
        drill_down.format_cut_value(name, value, language) for name, value in part.cuts.items()
    ]
    if not words:
        return t("All who are driven: {n}.", n=figure)
    return t("{what}: {n}.", what=escape(" · ".join(words)), n=figure)


def _draw_people_filters(
    options: dict[str, dict[str, str]], cuts: tuple[str, ...]
) -> DrillDownFilter:
    """Ledger and cuts, each in the address; those that are not of `cuts` are left out."""
    titles = drill_down.list_cut_titles()
    chosen: dict[str, str] = {}
    ledgers = {"persons": t("Persons"), "person_times": t("Person-times")}
    _drop_closed_cuts(cuts)
    with st.container(horizontal=True, vertical_alignment="bottom", key="people_filters"):
        ledger = address.draw_required_choice(PEOPLE_PAGE, "count", t("Count"), ledgers, "persons")
        shown = [n for n in cuts if n in DEFAULT_PEOPLE_FILTERS or st.query_params.get(n)]
        for name in shown:
            known = drill_down.QUERY_NAME_BY_CUT.get(name, name)
            with st.container(width=130):
                value = address.draw_optional_select(
                    PEOPLE_PAGE, known, titles[name], options.get(name, {})
                )
            chosen[name] = value or ""
        st.button(
            t("Clear filters"),
            on_click=address.clear_parameters,
            disabled=not any(chosen.values()),
            args=[drill_down.QUERY_NAME_BY_CUT.get(name, name) for name in DRILL_DOWN_CUTS],
        )
    return DrillDownFilter("person_times" if ledger == "person_times" else "persons", **chosen)


def _drop_closed_cuts(cuts: tuple[str, ...]) -> None:
    """Takes the cuts that this visitor cannot make out of the address, and notes it."""
    for name in DRILL_DOWN_CUTS:
        value = st.query_params.get(name)
        if name not in cuts and value:
            address.record_address_fault(name, value)
            address.write_parameter(name, None)


def _draw_people_list(policy: Policy, part: DrillDownFilter, scope: Scope, number: int) -> None:
    rows = drill_down.list_part_people(policy, part, scope)
    words = _collect_list_words()
    table = _build_people_list(rows, words)
    hint = t("Click a line to see why the worker counts; the talent's name opens the talent.")
    if part.count != "persons":
        hint = t("Click a line to see why it counts as a person-time; the name opens the talent.")
    frame.draw_muted(hint)
    cell = draw_sortable_list(
        terms.with_pinyin(table, t("Name"), t("Nearest talent")),
        key="people_table",
        row_height=PEOPLE_ROW_HEIGHT_PX,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        height=min(PEOPLE_ROW_HEIGHT_PX * (rows.height + 1) + 2, 560),
        config={t("Promoted on"): st.column_config.DateColumn(format="YYYY-MM-DD")},
    )
    _open_clicked_person(cell, rows)
    about = talent_figures.build_page_about(policy, drill_down.build_part_query(part))
    with st.container(horizontal=True, vertical_alignment="center", key="people_foot"):
        frame.draw_muted(_format_listed_rows(rows.height, number))
        query = {
            TALENT_COLUMN_BY_CUT[n]: v
            for n, v in part.cuts.items()
            if n in TALENT_COLUMN_BY_CUT and v != UNSTATED
        }
        if query:
            frame.draw_page_link("talents", t("The leading talents who are there"), **query)
        st.space("stretch")
        if number <= drill_down.MAX_PART_ROWS:
            downloads.draw_download_buttons(table, about, "people", main=True)
        else:
            make = partial(_build_full_people_list, policy, part, scope, words)
            downloads.draw_lazy_download_buttons(number, make, about, "people", main=True)


def _format_listed_rows(shown: int, number: int) -> str:
    if shown == number:
        return tn("{n} row.", "All {n} rows.", number, n=format_count(number))
    return t(
        "The newest {n} of {all} rows; the download has all.",
        n=format_count(shown),
        all=format_count(number),
    )


def _build_full_people_list(
    policy: Policy, part: DrillDownFilter, scope: Scope, words: PeopleListWords
) -> pl.DataFrame:
    return _build_people_list(drill_down.list_part_people(policy, part, scope, None), words)


@dataclass(frozen=True)
class PeopleListWords:
    """The headers of the list, by column, and the words of its codes, in one language.

    Taken while the page runs: a download is written outside it, where nobody's language is known.
    """

    headers: dict[str, str]
    codes: dict[str, dict[str, str]]


def _collect_list_words() -> PeopleListWords:
    language = current_language()
    headers = {
        "person_id": t("Number"),
        "name": t("Name"),
        "day": t("Promoted on"),
        "province": t("Province"),
        "occupation_code": t("Occupation"),
        "enterprise": t("Enterprise"),
        "generation": t("Generation"),
        "channel": t("Channel"),
        "talent": t("Nearest talent"),
    }
    codes = {
        "province": translate_labels(PROVINCES, language),
        "occupation_code": talent_figures.fetch_occupation_names(),
        "channel": drill_down.list_chain_kind_words(),
    }
    return PeopleListWords(headers, codes)


def _build_people_list(rows: pl.DataFrame, words: PeopleListWords) -> pl.DataFrame:
    """The rows in words."""
    return rows.select(
        pl.col(name).cast(pl.String).replace(words.codes[name]).alias(header)
        if name in words.codes
        else pl.col(name).alias(header)
        for name, header in words.headers.items()
    )


def _open_clicked_person(cell: tuple[int, str] | None, rows: pl.DataFrame) -> None:
    """A click on a line goes to why; one on the talent goes to the talent."""
    if not frame.is_newly_chosen("people", cell) or cell is None:
        return
    line, column = cell
    row = rows.row(line, named=True)
    if row["talent_id"] is None:  # outside the visitor's area
        frame.switch_to_page("talent", id=row["person_id"])
    if column == t("Nearest talent"):
        frame.switch_to_page("talent", id=row["talent_id"])
    frame.switch_to_page("lineage", id=row["talent_id"], selected=row["person_id"])
