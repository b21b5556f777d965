"""Overview: both ledgers against the targets, by quarter, province, generation and channel."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import polars as pl
import streamlit as st

from components import charts, frame, store
from components.figures import KINDS_OF_CHAIN
from components.i18n import current_language, t
from components.numbers import (
    bold,
    count,
    day,
    large,
    person_times,
    persons,
    share,
)  # fmt: skip
from components.policy_form import current_policy

if TYPE_CHECKING:
    from components.charts import Ledger
    from components.figures import Overview

LINES = {"mentorship_only": "", "studio_only": "dashed", "both": "both", "mixed": "mixed"}


@frame.page
def page() -> None:
    """The page."""
    with st.spinner(t("Measuring the chains"), show_time=True):
        figures = store.overview(current_policy())
    frame.lead(answer(figures))
    frame.under_lead(
        t(
            "Up to {day}. Persons are counted once; person-times count each promotion in the "
            "window to level {level} or above.",
            day=day(figures.data_until), level=current_policy().high_skilled_level,
        )
    )  # fmt: skip
    left, right = st.columns([690, 394], gap="large")
    with left:
        _ledgers(figures)
        frame.rule()
        _generations(figures)
        frame.rule()
        _reconciliation(figures)
    with right:
        _provinces(figures)


def answer(figures: Overview) -> str:
    """The page's sentence (HTML)."""
    language = current_language()
    workers = figures.workers
    sentence = t(
        "Since {year}, leading talents have driven {persons}, {times}, to high skill.",
        year=workers.start.year,
        persons=bold(persons(figures.persons, language), count(figures.persons)),
        times=bold(person_times(figures.person_times, language), count(figures.person_times)),
    )
    if workers.target is None:
        return sentence + " " + t("No national target is loaded to hold them against.")
    behind = figures.person_times - round(workers.path(figures.data_until) or 0)
    if behind < 0:
        standing = t("{n} short of the straight path", n=large(-behind, language))
    else:
        standing = t("{n} ahead of the straight path", n=large(behind, language))
    done = bold(share(figures.person_times, workers.target))
    return (
        sentence
        + "<br>"
        + t(
            "By person-times that is {share} of the target, {standing}.",
            share=done,
            standing=standing,
        )
    )


def _ledgers(figures: Overview) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _ledger(t("New leading talents"), figures.talents, "talents")
    with right:
        _ledger(t("New high-skilled workers"), figures.workers, "workers")


def _ledger(title: str, ledger: Ledger, key: str) -> None:
    language = current_language()
    if ledger.target is None:
        target = t("no target")
    else:
        target = t("target {n}", n=large(ledger.target, language))
    frame.heading(t("{title}, {target}", title=title, target=target))
    last = ledger.quarters.row(-1, named=True)
    rows = "".join(
        f'<span><i class="sc-line {line}"></i></span>'
        f"{bold(unit(last[column], language), count(last[column]))}"
        f"<span>{_of_target(last[column], ledger)}</span>"
        for column, unit, line in (
            ("person_times", person_times, ""),
            ("persons", persons, "slate"),
        )
    )
    frame.html(f'<div class="sc-key">{rows}</div>{_against_path(ledger, last)}')
    st.altair_chart(
        charts.ledger_chart(ledger, frame.mode(), language), width="stretch", theme=None,
        key=f"chart_{key}",
        alt=f"{title}: {count(last['persons'])}, {count(last['person_times'])}",
    )  # fmt: skip


def _of_target(number: int, ledger: Ledger) -> str:
    if ledger.target is None:
        return ""
    return escape(t("{share} of the target", share=share(number, ledger.target)))


def _against_path(ledger: Ledger, last: dict[str, object]) -> str:
    path = ledger.path(last["day"])  # type: ignore[arg-type]
    if path is None:
        return ""
    gap = int(last["person_times"]) - round(path)  # type: ignore[call-overload]
    figure = escape(person_times(gap, current_language(), sign=True))
    look = "sc-warn" if gap < -0.01 * path else ""
    text = escape(t("Against the straight path:"))
    return f'<div class="sc-muted">{text} <span class="{look}">{figure}</span></div>'


def _generations(figures: Overview) -> None:
    """Generation x kind of chain: disjoint, so rows and columns add up to the headline."""
    frame.heading(
        t("Through how many generations, by which channel"),
        t("persons, once each, at the nearest generation"),
    )
    names = {
        "mentorship_only": t("by mentorship"),
        "studio_only": t("by studios"),
        "both": t("by both"),
        "mixed": t("mixed only"),
    }
    head = "".join(
        f'<th><i class="sc-line thin {LINES[kind]}"></i>{escape(names[kind])}</th>'
        for kind in KINDS_OF_CHAIN
    )
    rows = figures.generations
    largest = max([1, *(n for kind in KINDS_OF_CHAIN for n in rows[kind].to_list())])
    body = "".join(_generation_row(row, largest) for row in rows.iter_rows(named=True))
    totals = "".join(f"<td>{count(int(rows[kind].sum()))}</td>" for kind in KINDS_OF_CHAIN)
    total = sum(int(rows[kind].sum()) for kind in KINDS_OF_CHAIN)
    frame.html(
        f'<table class="sc-table sc-grid"><thead><tr><th></th>{head}'
        f'<th class="n">{escape(t("persons in all"))}</th></tr></thead><tbody>{body}'
        f'<tr class="total"><td>{escape(t("Total"))}</td>{totals}'
        f'<td class="n"><b>{count(total)}</b></td></tr></tbody></table>'
    )


def _generation_row(row: dict[str, int], largest: int) -> str:
    cells = "".join(
        f"<td>{count(row[kind]) if row[kind] else '—'}"
        f'<div class="sc-bar" style="width:{88 * row[kind] / largest:.1f}%"></div></td>'
        for kind in KINDS_OF_CHAIN
    )
    total = sum(row[kind] for kind in KINDS_OF_CHAIN)
    name = escape(t("Generation {n}", n=row["generation"]))
    return f'<tr><td>{name}</td>{cells}<td class="n"><b>{count(total)}</b></td></tr>'


def _reconciliation(figures: Overview) -> None:
    """How persons become person-times, and the talents' sum the national figure."""
    lines = figures.lines
    parts = [
        t("{n} first promotions", n=count(lines["first_promotions"])),
        t("{n} further promotions", n=count(lines["further_promotions"])),
        t("{n} of people high-skilled before", n=count(lines["high_skilled_before"])),
    ]
    if lines["later_promotions"]:
        later = count(lines["later_promotions"])
        parts.append(t("{n} after a first one no chain reached", n=later))
    language = current_language()
    times = bold(person_times(figures.person_times, language, whole=True))
    people = bold(persons(figures.persons, language, whole=True))
    shared = figures.sum_over_talents - figures.persons
    frame.html(
        '<div class="sc-reconcile">'
        f'<span class="sc-muted">{escape(t("From persons to person-times"))}</span>'
        f"<span>{escape(' + '.join(parts))} = {times}</span>"
        f'<span class="sc-muted">{escape(t("Sum over the talents"))}</span>'
        f"<span>{count(figures.sum_over_talents)} − "
        f"{escape(t('{n} driven by several', n=count(shared)))} = {people}</span></div>"
    )


def _provinces(figures: Overview) -> None:
    language = current_language()
    provinces = figures.provinces
    frame.heading(t("Share of the target, by province"), t("%, by person-times"))
    reached = _reached(provinces, figures.on_path)
    chart, shaded = charts.tile_map(provinces, figures.on_path, frame.mode(), language)
    frame.html(f"<div>{escape(reached)}</div>")
    event = st.altair_chart(
        chart, width="content", theme=None, key="tiles", on_select="rerun",
        selection_mode="province", alt=t("The provinces as tiles of a map"),
    )  # fmt: skip
    told = t("Dashed: no target is set; counted nationally.")
    if shaded:
        frame.html(charts.tile_legend(figures.on_path, frame.mode()))
        told = t("Right of the mark: on the straight path or above.") + " " + told
    frame.html(f'<div class="sc-muted">{escape(told)}</div>')
    _open_province(event)


def _reached(provinces: pl.DataFrame, on_path: float) -> str:
    """How many provinces stand on the straight path."""
    with_target = provinces.filter(pl.col("target").is_not_null() & (pl.col("target") > 0))
    if with_target.is_empty():
        return t("No target is loaded for the provinces; the tiles give person-times.")
    on = with_target.filter(pl.col("person_times") >= on_path * pl.col("target")).height
    return t(
        "{n} of {all} provinces stand on the straight path or above.", n=on, all=with_target.height
    )


def _open_province(event: object) -> None:
    """A click on a tile goes to the talents of the province."""
    chosen = getattr(event, "selection", {}).get("province") or []
    if chosen and (code := chosen[0].get("province")) and code != st.session_state.get("tile"):
        st.session_state["tile"] = code
        frame.go("talents", province=code)


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()
