"""Departures: who may leave by a month, what hangs on each of them, and who could take over."""

from __future__ import annotations

from datetime import date
from functools import partial
from html import escape

import polars as pl
import streamlit as st

from graph.dates import format_date_columns
from graph.errors import UsageError
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.people.retirement import RETIREMENT_GAPS
from graph.policy import Policy
from graph.programme import departures, successors
from graph.programme.departures import DEPARTURE_KINDS, Departures
from graph.programme.stored_departures import has_departures, load_departures
from ui.browser.header_sort import draw_sortable_list
from ui.controls import downloads
from ui.reading import cached_metrics, talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor, record_personal_read
from ui.words import terms
from ui.words.i18n import (
    current_language,
    join_sentences,
    t,
    translate_label,
    translate_labels,
    translate_message,
)
from ui.words.numbers import NO_VALUE_DASH, format_count, format_day, format_month, render_bold
from ui.words.terms import format_person_name, list_term_translations

DEPARTURES_PAGE = "departures"
MONTHS_AHEAD = ("3", "6", "12", "24", "36")
LIST_ROW_HEIGHT_PX = 34
MAX_LISTED_DEPARTURES = 500
NO_BREAK_HYPHEN = "\N{NON-BREAKING HYPHEN}"
EN_DASH = "\N{EN DASH}"
BENCH_COLUMNS = ("name", "points", "level", "enterprise", "apprentices")


@frame.page
def page() -> None:
    """The page."""
    policy = current_policy()
    head = st.container()
    with st.container(horizontal=True, vertical_alignment="bottom", key="departures_filters"):
        until, province, kind = _draw_departure_controls(policy)
    steward = identify_visitor().sees_personal_data
    if not _ensure_departures(policy, until, province, steward):
        with head:
            frame.draw_lead(t("The figures are being worked out."))
        return
    found = _fetch_departures(policy, until, province, steward)
    listed = found.rows["person_id"].head(MAX_LISTED_DEPARTURES).to_list()
    record_personal_read("departures", listed, rows=found.rows.height)
    rows = found.rows if kind is None else found.rows.filter(pl.col("kind") == kind)
    with head:
        frame.draw_lead(_render_departures_answer(rows, found, steward=steward))
        frame.draw_under_lead(escape(_format_order_rule(steward=steward)))
    if rows.is_empty():
        frame.draw_empty_state(
            t("Nobody on whom others depend is here"),
            t("Look further ahead, or take a filter away."),
        )
    else:
        asked = {"until": str(until), "province": province or "", "kind": kind or ""}
        asked["retirements_since"] = str(found.retirements_since)
        asked["retirements_until"] = str(found.retirements_until)
        _draw_departure_list(rows, policy, {n: v for n, v in asked.items() if v})
    left, right = st.columns([680, 404], gap="large")
    with left:
        _draw_bench(policy)
    with right:
        _draw_months(rows, found.retirements_since)
        _draw_unknown(found)


def _draw_departure_controls(policy: Policy) -> tuple[date, str | None, str | None]:
    """The last day, the province's code and the reason that the address says."""
    language = current_language()
    ahead = {n: t("{n} months", n=n) for n in MONTHS_AHEAD}
    months = address.draw_required_choice(
        DEPARTURES_PAGE, "months", t("Ahead"), ahead, str(departures.DEFAULT_MONTHS)
    )
    with st.container(width=150):
        province = address.draw_optional_select(
            DEPARTURES_PAGE, "province", t("Province"), translate_labels(PROVINCES, language)
        )
    with st.container(width=230):
        kind = address.draw_optional_select(
            DEPARTURES_PAGE, "kind", t("Reason"), translate_labels(DEPARTURE_KINDS, language)
        )
    return departures.compute_until(policy.as_of, int(months)), province, kind


def _ensure_departures(policy: Policy, until: date, province: str | None, steward: bool) -> bool:
    """Whether the list is stored, or takes little to work out from what hangs on each person."""
    snapshot = graph_state.fetch_snapshot()
    ready = (
        cached_metrics.is_network_small()
        or has_departures(snapshot, policy, until, province=province, steward=steward)
        or departures.has_departure_stakes(snapshot, policy, steward=steward)
    )
    return cached_metrics.ensure_background_job(
        (graph_state.fetch_graph_state(), DEPARTURES_PAGE, policy, steward),
        ready,
        partial(load_departures, snapshot, policy, until, province=province, steward=steward),
        t("what hangs on each person"),
    )


@graph_state.cache_by_graph_state(max_entries=12, resource=True)
def _fetch_departures(
    policy: Policy, until: date, province: str | None, steward: bool
) -> Departures:
    snapshot = graph_state.fetch_snapshot()
    return load_departures(snapshot, policy, until, province=province, steward=steward)


@graph_state.cache_by_graph_state(max_entries=24, resource=True)
def _fetch_successors(
    policy: Policy, id: str, steward: bool
) -> tuple[pl.DataFrame, list[tuple[str, str]]]:
    """The bench, and what the record of the person it is for lacks."""
    snapshot = graph_state.fetch_snapshot()
    found = successors.find_successors(snapshot, policy, id, steward=steward)
    return found, successors.list_missing_records(snapshot, policy, id)


def _render_departures_answer(rows: pl.DataFrame, found: Departures, *, steward: bool) -> str:
    """How many may leave, and how many of them nobody can stand in for (HTML).

    Retirements by calendar year stand apart: they are not those up to the month asked for.
    """
    day = escape(format_month(found.until))
    people = rows["person_id"].n_unique()
    if not people:
        return t("Nobody on whom others depend is due to leave by {month}.", month=day)
    kinds = ["retires"] if steward else departures.AGE_KINDS
    retiring = rows.filter(pl.col("kind").is_in(kinds))["person_id"].n_unique()
    last = rows.filter("last_mentor")["person_id"].n_unique()
    if not steward:
        first, end = found.retirements_since.year, found.retirements_until.year
        return t(
            "{n} people on whom others depend may leave: {retiring} retire in {years}, taken as "
            "whole years, and the others leave by {month}; {last} are the last mentor of their "
            "occupation in their province.",
            n=render_bold(format_count(people)),
            years=str(first) if first == end else f"{first}{EN_DASH}{end}",
            month=day,
            retiring=render_bold(format_count(retiring)),
            last=render_bold(format_count(last)),
        )
    return t(
        "{n} people on whom others depend may leave by {month}: {retiring} retire; {last} are the "
        "last mentor of their occupation in their province.",
        n=render_bold(format_count(people)),
        month=day,
        retiring=render_bold(format_count(retiring)),
        last=render_bold(format_count(last)),
    )


def _format_order_rule(*, steward: bool) -> str:
    rule = t(
        "In order: last mentors, key people of studios, driven workers lost, apprentices in "
        "training, then the day."
    )
    if steward:
        return rule
    return join_sentences(rule, t("Retirements stand by year; a data steward sees the month."))


def _translate_departures(rows: pl.DataFrame, language: Language) -> pl.DataFrame:
    """The rows with codes as words, and days as far as they are known or may be seen."""
    yes = pl.when("last_mentor").then(pl.lit(t("yes"))).otherwise(pl.lit(None, pl.String))
    return format_date_columns(rows).with_columns(
        pl.col("day").cast(pl.String),
        pl.col("other_day").cast(pl.String),
        pl.col("kind").replace(translate_labels(DEPARTURE_KINDS, language)),
        pl.col("province").replace(translate_labels(PROVINCES, language)),
        pl.col("occupation").replace(list_term_translations(language)),
        pl.col("gap").replace(translate_labels(RETIREMENT_GAPS, language)),
        pl.col("known_by").replace(translate_labels(departures.DAY_GROUNDS, language)),
        last_mentor=yes,
    )


def _list_column_titles() -> dict[str, str]:
    """The columns of the list, in order, with their titles; the download has all columns."""
    return {
        "rank": t("Rank"),
        "name": t("Name"),
        "kind": t("Reason"),
        "day": t("Day"),
        "last_mentor": t("Last mentor"),
        "key_studios": t("Studios at risk"),
        "irreplaceable": t("Lost (persons)"),
        "apprentices": t("Apprentices (persons)"),
        "level": t("Level"),
        "occupation": t("Occupation"),
        "province": t("Province"),
        "enterprise": t("Enterprise"),
    }


def _draw_departure_list(rows: pl.DataFrame, policy: Policy, asked: dict[str, str]) -> None:
    language = current_language()
    few = rows.head(MAX_LISTED_DEPARTURES)
    titles = _list_column_titles()
    shown = _translate_departures(few, language).select(list(titles)).rename(titles)
    cell = draw_sortable_list(
        terms.with_pinyin(shown, titles["name"]),
        key="departures_table",
        row_height=LIST_ROW_HEIGHT_PX,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        height=min(LIST_ROW_HEIGHT_PX * (few.height + 1) + 2, 430),
    )
    _apply_departure_click(cell, few, titles["name"])
    about = talent_figures.build_page_about(policy, asked)
    caption = t(
        "{n} of {all} rows; a click on a line shows who could take over, on a name the profile.",
        n=format_count(few.height),
        all=format_count(rows.height),
    )
    with frame.draw_exhibit_foot(DEPARTURES_PAGE, caption):
        labels = {n: translate_label(words, language) for n, words in departures.COLUMNS.items()}
        table = _translate_departures(rows, language).rename(labels)
        downloads.draw_download_buttons(table, about, DEPARTURES_PAGE, main=True)


def _apply_departure_click(
    cell: tuple[int, str] | None, rows: pl.DataFrame, name_title: str
) -> None:
    """A click on a name opens the profile, one elsewhere shows the bench."""
    if not frame.is_newly_chosen(DEPARTURES_PAGE, cell) or cell is None:
        return
    line, column = cell
    person_id = rows["person_id"][line]
    if column == name_title:
        frame.switch_to_page("talent", id=person_id)
    address.write_parameter("id", person_id)
    st.rerun()


# --- who could take over ----------------------------------------------------------------------


@graph_state.cache_by_graph_state(max_entries=24)
def _fetch_bench_name(id: str) -> str | None:
    """The name of the person or the studio that has the id; None where none has it."""
    frames = graph_state.fetch_snapshot().frames
    for name, key in (("people", "person_id"), ("studios", "studio_id")):
        found = frames[name].filter(pl.col(key) == id).select("name").collect()
        if found.height:
            return str(found.item())
    return None


def _draw_bench(policy: Policy) -> None:
    """Who could take over from the person, or in the studio, that the address names."""
    frame.draw_heading(t("Who could take over"))
    id = st.query_params.get("id")
    name = _fetch_bench_name(id) if id else None
    if id and name is None:
        address.record_address_fault("id", id, "unknown")
    if not id or name is None:
        frame.draw_muted(t("Click a line above; those nearest to the work are listed here."))
        return
    language = current_language()
    try:
        found, missing = _fetch_successors(policy, id, identify_visitor().sees_personal_data)
    except UsageError as error:
        frame.draw_empty_state(t("Nobody is near enough"), translate_message(error))
        return
    note = t("For {name}, with the reasons that hold.", name=format_person_name(name))
    if missing:
        what = t(", ").join(translate_label(words, language) for words in missing)
        unknown = t("Not on record: {what}; the reasons that ask for it are empty.", what=what)
        note = join_sentences(note, unknown)
    frame.draw_muted(note)
    _draw_scenario_link(id)
    if found.is_empty():
        frame.draw_empty_state(
            t("Nobody is near enough"),
            t("No high-skilled person has the occupation or taught or learned with this one."),
        )
        return
    labels = {name: translate_label(words, language) for name, words in successors.COLUMNS.items()}
    reasons = pl.concat_str(
        [
            pl.when(pl.col(name).fill_null(False)).then(pl.lit(labels[name]))
            for name in successors.REASONS
        ],
        separator=t(", "),
        ignore_nulls=True,
    )
    titles = {name: labels[name] for name in BENCH_COLUMNS} | {"reasons": t("Reasons")}
    shown = found.with_columns(reasons=reasons).select(list(titles)).rename(titles)
    cell = draw_sortable_list(
        terms.with_pinyin(shown, titles["name"]),
        key="departures_bench",
        row_height=LIST_ROW_HEIGHT_PX,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        height=LIST_ROW_HEIGHT_PX * (found.height + 1) + 2,
    )
    if frame.is_newly_chosen("departures_bench", cell) and cell is not None:
        frame.switch_to_page("talent", id=found["person_id"][cell[0]])
    about = talent_figures.build_page_about(policy, {"person": id})
    with frame.draw_exhibit_foot("departures_bench"):
        downloads.draw_download_buttons(found.rename(labels), about, "successors")


def _draw_scenario_link(id: str) -> None:
    """The way to what the figures would be without the person; a studio has none."""
    people = graph_state.fetch_snapshot().frames["people"]
    if not people.filter(pl.col("person_id") == id).limit(1).collect().is_empty():
        frame.draw_page_link("scenarios", t("What if this person leaves?"), **{"with": id})


# --- by month, and what is not known ----------------------------------------------------------


def _draw_months(rows: pl.DataFrame, retirements_since: date) -> None:
    """How many may leave each month, by reason; retirements by year where months are masked."""
    if rows.is_empty():
        return
    language = current_language()
    frame.draw_heading(t("By month"), t("persons"))
    months = departures.count_departures_by_month(rows, retirements_since)
    body = "".join(
        f"<tr><td>{escape(_format_departure_month(month))}</td>"
        f"<td>{escape(translate_label(DEPARTURE_KINDS[kind], language))}</td>"
        f"<td class='n'>{format_count(people)}</td><td class='n'>{format_count(taught)}</td></tr>"
        for month, kind, people, taught in months.select(
            "month", "kind", "people", "apprentices"
        ).rows()
    )
    titles = (t("Month"), t("Reason"), t("Persons"), t("Apprentices"))
    head = "".join(
        f"<th{' class=n' if at > 1 else ''}>{escape(title)}</th>" for at, title in enumerate(titles)
    )
    frame.draw_html(
        f'<table class="sc-table"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>'
    )


def _format_departure_month(month: str) -> str:
    """A month as it is; a year, which stands for all its months, says so."""
    if "-" in month:
        return month.replace("-", NO_BREAK_HYPHEN)
    return t("all of {year}", year=month)


def _draw_unknown(found: Departures) -> None:
    """Of how many working people no single month is known, and why."""
    if not found.gaps and not found.overdue:
        return
    language = current_language()
    frame.draw_heading(t("What the records do not say"), t("working people"))
    named = [
        (translate_label(RETIREMENT_GAPS[gap], language), format_count(n))
        for gap, n in found.gaps.items()
    ]
    if found.overdue:
        day = format_day(found.retirements_since)
        past = t("past the month on {day}, no retirement on record", day=day)
        named.append((past, format_count(found.overdue)))
    frame.draw_html(frame.render_facts(named, "sc-wide"))
