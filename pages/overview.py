"""Overview: both ledgers against the targets, by quarter, province, generation and channel."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import streamlit as st

from components import address, charts, downloads, frame, kept, parts, store
from components import since as since_load
from components.figures import KINDS_OF_CHAIN, narrowing
from components.i18n import current_language, joined, label, t, tn
from components.numbers import (
    bold,
    count,
    day,
    large,
    person_times,
    persons,
    share,
    short_day,
)  # fmt: skip
from components.policy_form import current_policy
from graph.behind import UNSTATED
from graph.metrics.driven import OF_TALENTS
from graph.model import PROVINCES

if TYPE_CHECKING:
    from components.charts import Ledger
    from components.figures import Overview
    from components.i18n import Language
    from components.theme import Mode
    from graph.policy import Policy

# In the order of the control; of each so many values are shown before "the rest".
CUTS = ("quarter", "province", "industry", "occupation_code", "type", "basis", "generation",
        "channel", "ownership", "year")  # fmt: skip
IN_ORDER = frozenset({"quarter", "generation", "year"})
MOST_BARS = 12
LINES = {"mentorship_only": "", "studio_only": "dashed", "both": "both", "mixed": "mixed"}


@frame.page
def page() -> None:
    """The page."""
    with st.spinner(t("Measuring the chains"), show_time=True):
        figures = store.overview(current_policy())
    frame.lead(answer(figures))
    frame.under_lead(
        t(
            "Up to {day}, quarter {n}. Persons are counted once; person-times count each promotion "
            "in the window to level {level} or above.",
            day=day(figures.data_until), n=figures.quarter,
            level=current_policy().high_skilled_level,
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
        frame.rule()
        _since()
    frame.rule()
    _cut(figures)
    parts.prepare(current_policy())


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
        return joined(sentence, t("No national target is loaded to hold them against."))
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
            standing=standing + _trend(figures),
        )
    )


def _trend(figures: Overview) -> str:
    """How the gap to the straight path has moved, quarter by quarter; nothing when ahead."""
    run = narrowing(figures.workers)
    if run > 1:
        return t(", a gap that has narrowed for {n} quarters", n=run)
    if run < -1:
        return t(", a gap that has grown for {n} quarters", n=-run)
    return ""


def _ledgers(figures: Overview) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _ledger(t("New leading talents"), figures.talents, "talents")
    with right:
        _ledger(t("New high-skilled workers"), figures.workers, "workers")


def _ledger(title: str, ledger: Ledger, key: Literal["talents", "workers"]) -> None:
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
    event = st.vega_lite_chart(
        _ledger_drawn(store.state(), current_policy(), key, frame.mode(), language),
        width="stretch", theme=None, key=f"chart_{key}", on_select="rerun",
        selection_mode="quarter",
        alt=f"{title}: {count(last['persons'])}, {count(last['person_times'])}",
    )  # fmt: skip
    if quarter := _clicked(event, "quarter", "code", f"chart_{key}"):
        if key == "talents":
            frame.go("talents", year=quarter[:4])
        frame.go("people", count="person_times", quarter=quarter)


@st.cache_data(max_entries=32, show_spinner=False)
def _ledger_drawn(
    state: str, policy: Policy, name: Literal["talents", "workers"], mode: Mode, language: Language
) -> dict[str, Any]:
    ledger = getattr(store.overview(policy), name)
    return charts.specification(charts.ledger_chart(ledger, mode, language))


@st.cache_data(max_entries=16, show_spinner=False)
def _tiles_drawn(
    state: str, policy: Policy, mode: Mode, language: Language
) -> tuple[dict[str, Any], bool]:
    figures = store.overview(policy)
    chart, shaded = charts.tile_map(figures.provinces, figures.on_path, mode, language)
    return charts.specification(chart), shaded


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
    totals = "".join(
        f"<td>{_to_people(int(rows[kind].sum()), channel=kind)}</td>" for kind in KINDS_OF_CHAIN
    )
    total = sum(int(rows[kind].sum()) for kind in KINDS_OF_CHAIN)
    frame.html(
        f'<table class="sc-table sc-grid"><thead><tr><th></th>{head}'
        f'<th class="n">{escape(t("persons in all"))}</th></tr></thead><tbody>{body}'
        f'<tr class="total"><td>{escape(t("Total"))}</td>{totals}'
        f'<td class="n"><b>{count(total)}</b></td></tr></tbody></table>'
    )


def _generation_row(row: dict[str, int], largest: int) -> str:
    generation = str(row["generation"])
    cells = "".join(
        f"<td>{_to_people(row[kind], generation=generation, channel=kind)}"
        f'<div class="sc-bar" style="width:{88 * row[kind] / largest:.1f}%"></div></td>'
        for kind in KINDS_OF_CHAIN
    )
    total = sum(row[kind] for kind in KINDS_OF_CHAIN)
    name = escape(t("Generation {n}", n=row["generation"]))
    all_of_it = _to_people(total, generation=generation)
    return f'<tr><td>{name}</td>{cells}<td class="n"><b>{all_of_it}</b></td></tr>'


def _to_people(number: int, **query: str) -> str:
    """HTML: a figure that leads to the people behind it."""
    return frame.anchor("people", count(number), **query) if number else "—"


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
    chart, shaded = _tiles_drawn(store.state(), current_policy(), frame.mode(), language)
    frame.html(f"<div>{escape(reached)}</div>")
    event = st.vega_lite_chart(
        chart, width="stretch", theme=None, key="tiles", on_select="rerun",
        selection_mode="province", alt=t("The provinces as tiles of a map"),
    )  # fmt: skip
    told = t("Dashed: no target is set; counted nationally.")
    if shaded:
        frame.html(charts.tile_legend(figures.on_path, frame.mode()))
        told = joined(t("Right of the mark: on the straight path or above."), told)
    frame.muted(told)
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
    """A click on a tile goes to the people of the province."""
    if code := _clicked(event, "province", "province", "tile"):
        frame.go("people", count="person_times", province=code)


def _clicked(event: object, name: str, field: str, key: str) -> str | None:
    """What a click on a chart has chosen, once a click."""
    chosen = getattr(event, "selection", {}).get(name) or []
    value: str | None = chosen[0].get(field) if chosen else None
    return value if frame.just_chosen(key, value) else None


# --- since the last load ----------------------------------------------------------------------


@st.fragment(run_every=None)
def _since() -> None:
    """What the last load changed; each line opens its list."""
    language, policy = current_language(), current_policy()
    found = since_load.since(policy)
    if found is None:
        frame.heading(t("Since the last load"))
        frame.empty(
            t("One revision is kept"), t("After the next load, what it changed stands here.")
        )
        return
    if isinstance(found, since_load.Unmeasured):
        frame.heading(t("Since the last load"))
        told = t("Revision {n} was not counted under this policy.", n=found.before.revision)
        link = frame.anchor("data", t("Count it now"), view="restated")
        frame.html(f'<div class="sc-muted">{escape(told)} {link}</div>')
        return
    days = [
        short_day(date.fromisoformat(one.made_at[:10]), language)
        for one in (found.before, found.after)
    ]
    frame.heading(t("Since the last load"), t("{first} to {last}", first=days[0], last=days[1]))
    lines = [
        (t("Driven"), persons(found.persons, language, whole=True, sign=True),
         person_times(found.person_times, language, whole=True, sign=True), "data"),
        (t("New leading talents"), persons(found.talents, language, whole=True, sign=True),
         person_times(found.namings, language, whole=True, sign=True), "data"),
        (t("First at the target"), "", _named(found.reached), "data"),
    ]  # fmt: skip
    causes = since_load.restated(found, policy)
    if causes is None:
        lines.append((t("Withdrawn recognitions"), "", t("not worked out yet"), "data"))
    else:
        gone = causes.causes.filter(
            (pl.col("kind") == "recognition") & (pl.col("change") == "removed")
        )
        lines.append(
            (t("Withdrawn recognitions"),
             tn("{n} record", "{n} records", gone.height, n=count(gone.height)),
             person_times(int(gone["driven_person_times"].sum()), language, whole=True, sign=True),
             "data")
        )  # fmt: skip
    body = "".join(_since_line(*line) for line in lines) + _to_check()
    frame.html(f'<table class="sc-table"><tbody>{body}</tbody></table>')
    frame.link("data", t("Open what changed"), view="restated")


def _since_line(name: str, first: str, second: str, page: str) -> str:
    link = frame.anchor(page, name, view="restated")
    return (f'<tr><td>{link}</td><td class="n">{escape(first)}</td>'
            f'<td class="n">{escape(second)}</td></tr>')  # fmt: skip


def _to_check() -> str:
    """The line on findings to check, where they have been worked out."""
    policy = current_policy()
    link = frame.anchor("data", t("Findings to check"), view="claims")
    if not kept.ready(policy, "claims_by_kind"):
        told = escape(t("not worked out yet"))
        return f'<tr><td>{link}</td><td></td><td class="n sc-muted">{told}</td></tr>'
    every = kept.table(policy, "claims_by_kind").filter(pl.col("kind") == "all").to_dicts()[0]
    number = escape(
        tn("{n} finding", "{n} findings", every["findings"], n=count(every["findings"]))
    )
    effect = person_times(every["person_times_change"], current_language(), whole=True, sign=True)
    return (f'<tr class="sc-warn"><td>{link}</td><td class="n">{number}</td>'
            f'<td class="n">{escape(effect)}</td></tr>')  # fmt: skip


def _named(codes: tuple[str, ...]) -> str:
    if not codes:
        return t("none")
    names = [label(PROVINCES[code], current_language()) for code in codes[:3]]
    more = len(codes) - 3
    text = t(", ").join(names)
    return t("{names} and {n} more", names=text, n=more) if more > 0 else text


# --- broken down ------------------------------------------------------------------------------


def _cut(figures: Overview) -> None:
    """The headline by one of its cuts: bars that lead to the people, adding up to the total."""
    titles = parts.titles()
    offered = {name: titles[name] for name in CUTS if name in figures.cuts}
    frame.heading(t("Broken down"), t("persons and person-times, each on its own scale"))
    cut = address.one_of("overview", "by", t("By"), offered, "quarter", untitled=True)
    rows = ordered(figures.cuts[cut], cut)
    shown, rest = rows.head(MOST_BARS), rows.slice(MOST_BARS)
    if cut == "quarter":
        shown, rest = rows, rows.clear()
    if cut in OF_TALENTS:
        _cut_of_talents(figures, cut, shown, rest)
    else:
        _cut_of_workers(figures, cut, shown, rest)
    about = downloads.About(store.revision(), current_policy(), {"by": cut})
    with st.container(horizontal=True, vertical_alignment="center", key="overview_foot"):
        st.space("stretch")
        downloads.offer(_whole(rows, cut, titles[cut]), about, "breakdown", main=True)


def ordered(rows: pl.DataFrame, cut: str) -> pl.DataFrame:
    """The rows as they are shown: largest first, or in time; not stated comes last."""
    if cut in IN_ORDER:
        return rows.sort("value", nulls_last=True)
    figure = "person_times" if "person_times" in rows.columns else "persons"
    return rows.sort(
        pl.col("value").is_null(), figure, "value", descending=[False, True, False]
    )  # fmt: skip


def _whole(rows: pl.DataFrame, cut: str, title: str) -> pl.DataFrame:
    """The list as it is exported: every row, codes and words."""
    language = current_language()
    words = [parts.word(cut, value, language) for value in rows["value"]]
    names = {
        "persons": t("Driven (persons)"), "person_times": t("Person-times"),
        "leading_talents": t("Leading talents"), "equal": t("Equal credit (persons)"),
    }  # fmt: skip
    named = rows.select(
        pl.col("value").alias(t("Code")), pl.Series(title, words, dtype=pl.String),
        *(pl.col(c).alias(names[c]) for c in names if c in rows.columns),
    )  # fmt: skip
    return named


def _cut_of_workers(figures: Overview, cut: str, shown: pl.DataFrame, rest: pl.DataFrame) -> None:
    language = current_language()
    most = [max([1, *shown[name].to_list()]) for name in ("persons", "person_times")]
    totals = (figures.persons, figures.person_times)
    body = ""
    for value, *numbers in shown.select("value", "persons", "person_times").iter_rows():
        query = {parts.NAMES.get(cut, cut): value or UNSTATED}
        body += f"<tr><td>{escape(parts.word(cut, value, language))}</td>"
        for ledger, number, top, total in zip(
            ("persons", "person_times"), numbers, most, totals, strict=True
        ):
            figure = _to_people(number, **({"count": ledger} if ledger != "persons" else {}),
                                **query)  # fmt: skip
            look = "ink" if ledger == "person_times" else ""
            body += (
                f'<td class="sc-track"><div class="sc-bar {look}" '
                f'style="width:{100 * number / top:.1f}%"></div></td>'
                f'<td class="n">{figure}</td><td class="n sc-muted">{share(number, total)}</td>'
            )
        body += "</tr>"
    if rest.height:
        sums = (int(rest["persons"].sum()), int(rest["person_times"].sum()))
        name = escape(t("the other {n}", n=rest.height))
        body += f'<tr class="sc-muted"><td>{name}</td>' + "".join(
            f'<td></td><td class="n">{count(n)}</td><td class="n">{share(n, total)}</td>'
            for n, total in zip(sums, totals, strict=True)
        ) + "</tr>"  # fmt: skip
    body += f'<tr class="total"><td>{escape(t("Total"))}</td>' + "".join(
        f'<td></td><td class="n"><b>{count(total)}</b></td><td></td>' for total in totals
    ) + "</tr>"  # fmt: skip
    head = "".join(
        f'<th class="sc-track"></th><th class="n">{escape(name)}</th>'
        f'<th class="n">{escape(t("share"))}</th>'
        for name in (t("Persons"), t("Person-times"))
    )
    frame.html(
        f'<table class="sc-table sc-cut"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    told = t("The rows add up to the national figures. Click a figure for the people behind it.")
    frame.muted(told)


def _cut_of_talents(figures: Overview, cut: str, shown: pl.DataFrame, rest: pl.DataFrame) -> None:
    """By what talents alone have: a worker may stand in several rows; shared, he stands once."""
    language = current_language()
    both = pl.concat([shown, rest])
    top = max([1, *shown["persons"].to_list()])
    body = ""
    for row in shown.iter_rows(named=True):
        value = row["value"]
        talents = count(row["leading_talents"])
        if value is not None:
            talents = frame.anchor("talents", talents, **{cut: value})
        driven = count(row["persons"]) if value is None else _to_people(
            row["persons"], **{cut: value})  # fmt: skip
        body += (
            f'<tr><td>{escape(parts.word(cut, value, language))}</td><td class="n">{talents}</td>'
            f'<td class="sc-track"><div class="sc-bar" '
            f'style="width:{100 * row["persons"] / top:.1f}%"></div></td>'
            f'<td class="n">{driven}</td><td class="n">{count(round(row["equal"]))}</td></tr>'
        )
    if rest.height:
        body += (
            f'<tr class="sc-muted"><td>{escape(t("the other {n}", n=rest.height))}</td>'
            f'<td class="n">{count(int(rest["leading_talents"].sum()))}</td><td></td><td></td>'
            f'<td class="n">{count(round(rest["equal"].sum()))}</td></tr>'
        )
    body += (
        f'<tr class="total"><td>{escape(t("Total"))}</td>'
        f'<td class="n"><b>{count(int(both["leading_talents"].sum()))}</b></td><td></td>'
        f'<td></td><td class="n"><b>{count(round(both["equal"].sum()))}</b></td></tr>'
    )
    heads = (t("Leading talents"), "", t("Driven together (persons)"), t("Equal credit (persons)"))
    head = "".join(f'<th class="n">{escape(name)}</th>' for name in heads)
    frame.html(
        f'<table class="sc-table sc-cut"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    told = t(
        "Whom talents of several rows drive stands in each of them, so the rows of driven together "
        "add up to more; shared equally they add up to {n}, as the nation counts.",
        n=persons(figures.persons, language, whole=True),
    )
    frame.muted(told)


# Until app.py has run once, Streamlit runs the file of a page that is asked for by its address.
if __name__ == "__main__":
    from app import main

    main()
