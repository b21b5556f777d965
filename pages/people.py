"""The people behind a figure: whoever it counts, who drives them, and the way to why."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from html import escape

import polars as pl
import streamlit as st

from components import address, downloads, frame, parts, store
from components.i18n import current_language, labels, t, tn
from components.numbers import bold, count, person_times, persons
from components.policy_form import current_policy
from graph.behind import CUTS, UNSTATED, Part
from graph.model import PROVINCES
from graph.policy import Policy

PAGE = "people"
ROW_HEIGHT = 34
FIRST_FILTERS = ("quarter", "province", "occupation_code", "industry", "generation", "channel")
# What a talent has as well, under the name the table of talents knows it by.
OF_TALENTS = {"province": "province", "occupation_code": "occupation", "basis": "basis",
              "year": "year"}  # fmt: skip


@frame.page
def page() -> None:
    """The page: of the part that stands in the address."""
    policy = current_policy()
    with st.spinner(t("Measuring the chains"), show_time=True):
        figures = store.overview(policy)
        parts.rows_behind(policy)
    head = st.container()
    part = _filters(parts.options(policy, figures, current_language()))
    number = parts.number(policy, part)
    with head:
        frame.lead(_answer(part, number))
        frame.under_lead(
            t("A person stands once, a person-time with each promotion; the talent named is the "
              "nearest of those who drive the worker.")
        )  # fmt: skip
    if not number:
        frame.empty(t("Nobody is behind this figure"), t("Take a filter away."))
        return
    _list(policy, part, number)


def _answer(part: Part, number: int) -> str:
    """Whom the list holds (HTML)."""
    language = current_language()
    unit = persons if part.count == "persons" else person_times
    figure = bold(unit(number, language, whole=True), count(number))
    words = [parts.word(name, value, language) for name, value in part.cuts.items()]
    if not words:
        return t("All who are driven: {n}.", n=figure)
    return t("{what}: {n}.", what=escape(" · ".join(words)), n=figure)


def _filters(options: dict[str, dict[str, str]]) -> Part:
    """Ledger and cuts, each in the address."""
    titles = parts.titles()
    chosen: dict[str, str] = {}
    ledgers = {"persons": t("Persons"), "person_times": t("Person-times")}
    with st.container(horizontal=True, vertical_alignment="bottom", key="people_filters"):
        ledger = address.one_of(PAGE, "count", t("Count"), ledgers, "persons")
        shown = [n for n in CUTS if n in FIRST_FILTERS or st.query_params.get(n)]
        for name in shown:
            known = parts.NAMES.get(name, name)
            with st.container(width=130):
                value = address.choice(PAGE, known, titles[name], options.get(name, {}))
            chosen[name] = value or ""
        st.button(
            t("Clear filters"), on_click=address.clear, disabled=not any(chosen.values()),
            args=[parts.NAMES.get(name, name) for name in CUTS],
        )  # fmt: skip
    return Part("person_times" if ledger == "person_times" else "persons", **chosen)


def _list(policy: Policy, part: Part, number: int) -> None:
    rows = parts.listed(policy, part)
    words = _words()
    table = _table(rows, words)
    told = t("Click a line to see why the worker counts; the talent's name opens the talent.")
    frame.muted(told)
    event = st.dataframe(
        table, key="people_table", hide_index=True, row_height=ROW_HEIGHT, width="stretch",
        height=min(ROW_HEIGHT * (rows.height + 1) + 2, 560),
        on_select="rerun", selection_mode="single-cell",
        column_config={t("Promoted on"): st.column_config.DateColumn(format="YYYY-MM-DD")},
    )  # fmt: skip
    _open(event, rows)
    about = downloads.About(store.revision(), policy, parts.query_of(part))
    with st.container(horizontal=True, vertical_alignment="center", key="people_foot"):
        frame.muted(_told(rows.height, number))
        query = {OF_TALENTS[n]: v for n, v in part.cuts.items()
                 if n in OF_TALENTS and v != UNSTATED}  # fmt: skip
        if query:
            frame.link("talents", t("The leading talents who are there"), **query)
        st.space("stretch")
        if number <= parts.ROWS:
            downloads.offer(table, about, "people", main=True)
        else:
            make = partial(_all, policy, part, words)
            downloads.offer_later(number, make, about, "people", main=True)


def _told(shown: int, number: int) -> str:
    if shown == number:
        return tn("{n} row.", "All {n} rows.", number, n=count(number))
    return t("The newest {n} of {all} rows; the download has all.", n=count(shown),
             all=count(number))  # fmt: skip


def _all(policy: Policy, part: Part, words: Words) -> pl.DataFrame:
    return _table(parts.listed(policy, part, None), words)


@dataclass(frozen=True)
class Words:
    """The headers of the list, by column, and the words of its codes, in one language.

    Taken while the page runs: a download is written outside it, where nobody's language is known.
    """

    headers: dict[str, str]
    codes: dict[str, dict[str, str]]


def _words() -> Words:
    language = current_language()
    headers = {
        "person_id": t("Person"), "name": t("Name"), "day": t("Promoted on"),
        "province": t("Province"), "occupation_code": t("Occupation"),
        "enterprise": t("Enterprise"), "generation": t("Generation"), "channel": t("Channel"),
        "talent": t("Nearest talent"),
    }  # fmt: skip
    codes = {
        "province": labels(PROVINCES, language), "occupation_code": store.occupations(),
        "channel": parts.channels(),
    }  # fmt: skip
    return Words(headers, codes)


def _table(rows: pl.DataFrame, words: Words) -> pl.DataFrame:
    """The rows in words."""
    return rows.select(
        pl.col(name).cast(pl.String).replace(words.codes[name]).alias(header)
        if name in words.codes
        else pl.col(name).alias(header)
        for name, header in words.headers.items()
    )


def _open(event: object, rows: pl.DataFrame) -> None:
    """A click on a line goes to why; one on the talent goes to the talent."""
    cell = next(iter(getattr(event, "selection", {}).get("cells") or []), None)
    if not frame.just_chosen("people", cell):
        return
    line, column = cell
    row = rows.row(line, named=True)
    if column == t("Nearest talent"):
        frame.go("talent", id=row["talent_id"])
    frame.go("lineage", id=row["talent_id"], selected=row["person_id"])


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()
