"""Overview: both ledgers against the targets, by quarter, province, generation and channel."""

from __future__ import annotations

from datetime import date
from html import escape
from typing import TYPE_CHECKING, Any, Literal

import polars as pl
import streamlit as st

from graph.driven.drill_down import UNSTATED
from graph.driven.terms import TALENT_BREAKDOWNS
from graph.model.vocabularies import PROVINCES
from graph.programme.areas import AREA_ATTRIBUTES
from graph.programme.overview import (
    OVERVIEW_CHAIN_KINDS,
    count_narrowing_quarters,
    count_provinces_on_path,
)
from ui.controls import charts, downloads
from ui.controls.fan_chart import build_fan_rows
from ui.overview.national_figures import draw_national_breakdown
from ui.reading import (
    areas,
    cached_metrics,
    drill_down,
    forecasts,
    merged_ids,
    talent_figures,
)
from ui.reading import restatement as since_load
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor
from ui.words.i18n import current_language, join_sentences, t, tn, translate_label
from ui.words.numbers import (
    format_count,
    format_day,
    format_large,
    format_person_times,
    format_persons,
    format_share,
    format_short_day,
    render_bold,
)

if TYPE_CHECKING:
    from graph.messages import Language
    from graph.policy import Policy
    from graph.programme.ledgers import Ledger
    from graph.programme.overview import Overview
    from ui.shell.theme import ColourMode

# In the order of the control; of each so many values are shown before "the rest".
BREAKDOWN_CUTS = (
    "quarter",
    "province",
    "industry",
    "occupation_code",
    "type",
    "basis",
    "generation",
    "channel",
    "ownership",
    "year",
)
ORDERED_CUTS = frozenset({"quarter", "generation", "year"})
MAX_BREAKDOWN_BARS = 12
LINE_CLASS_BY_CHAIN_KIND = {
    "mentorship_only": "",
    "studio_only": "dashed",
    "both": "both",
    "mixed": "mixed",
}


@frame.page
def page() -> None:
    """The page."""
    with st.spinner(t("Measuring the chains")):
        figures = talent_figures.fetch_overview(current_policy())
    frame.draw_lead(render_overview_answer(figures))
    frame.draw_under_lead(
        t(
            "Up to {day}, quarter {n}. Persons are counted once; person-times count each promotion "
            "in the window to level {level} or above.",
            day=format_day(figures.data_until),
            n=figures.quarter,
            level=current_policy().high_skilled_level,
        )
    )
    if identify_visitor().is_limited:
        frame.draw_rule()
        draw_national_breakdown(figures)
        return
    _draw_forecast_line()
    if merged := merged_ids.format_merged_counts():
        frame.draw_muted(merged)
    left, right = st.columns([690, 394], gap="large")
    with left:
        _draw_ledgers(figures)
        frame.draw_rule()
        _draw_generation_table(figures)
        frame.draw_rule()
        _draw_reconciliation(figures)
    with right:
        _draw_province_map(figures)
        frame.draw_rule()
        _draw_last_load_changes()
    frame.draw_rule()
    _draw_breakdown(figures)
    drill_down.start_promotion_rows_job(current_policy())
    areas.start_area_tables_job(current_policy())


def _draw_forecast_line() -> None:
    """The way to the forecast; its figure where it is stored, and never a wait for it."""
    policy, language = current_policy(), current_language()
    name = frame.render_page_anchor("forecast", t("Forecast"))
    if not forecasts.is_landing_forecast_cached(policy):
        frame.draw_html(f'<div class="sc-muted">{name}</div>')
        return
    forecast = forecasts.fetch_landing_forecast(policy)
    last = forecast.select_landing().filter(pl.col("ledger") == "person_times").row(0, named=True)
    sentence = t(
        "by {day} {figure}, with 80 % probability {low} to {high}",
        day=format_day(last["day"]),
        figure=format_person_times(last["median"], language),
        low=format_large(last["low_80"], language),
        high=format_large(last["high_80"], language),
    )
    frame.draw_html(f'<div class="sc-muted">{name}: {escape(sentence)}</div>')


def render_overview_answer(figures: Overview) -> str:
    """The page's sentence (HTML)."""
    language = current_language()
    workers = figures.workers
    sentence = t(
        "Since {year}, leading talents have driven {persons}, {times}, to high skill.",
        year=workers.start.year,
        persons=render_bold(
            format_persons(figures.persons, language), format_count(figures.persons)
        ),
        times=render_bold(
            format_person_times(figures.person_times, language), format_count(figures.person_times)
        ),
    )
    if workers.target is None:
        return join_sentences(sentence, t("No national target is loaded to hold them against."))
    gap = figures.gap or 0
    if gap < 0:
        standing = t("{n} short of the straight path", n=format_large(-gap, language))
    else:
        standing = t("{n} ahead of the straight path", n=format_large(gap, language))
    done = render_bold(format_share(figures.person_times, workers.target))
    return (
        sentence
        + "<br>"
        + t(
            "By person-times that is {share} of the target, {standing}.",
            share=done,
            standing=standing + _format_gap_trend(figures),
        )
    )


def _format_gap_trend(figures: Overview) -> str:
    """How the gap to the straight path has moved, quarter by quarter; nothing when ahead."""
    run = count_narrowing_quarters(figures.workers)
    if run > 1:
        return t(", a gap that has narrowed for {n} quarters", n=run)
    if run < -1:
        return t(", a gap that has grown for {n} quarters", n=-run)
    return ""


def _draw_ledgers(figures: Overview) -> None:
    left, right = st.columns(2, gap="medium")
    with left:
        _draw_ledger(t("New leading talents"), figures.talents, "talents")
    with right:
        _draw_ledger(t("New high-skilled workers"), figures.workers, "workers")


def _draw_ledger(title: str, ledger: Ledger, key: Literal["talents", "workers"]) -> None:
    language = current_language()
    if ledger.target is None:
        target = t("no target")
    else:
        target = t("target {n}", n=format_large(ledger.target, language))
    frame.draw_heading(t("{title}, {target}", title=title, target=target))
    rows = "".join(
        f'<span><i class="sc-line {line}"></i></span>'
        f"{render_bold(unit(number, language), format_count(number))}"
        f"<span>{_format_target_share(number, ledger)}</span>"
        for number, unit, line in (
            (ledger.person_times, format_person_times, ""),
            (ledger.persons, format_persons, "slate"),
        )
    )
    frame.draw_html(f'<div class="sc-key">{rows}</div>{_render_path_gap(ledger)}')
    event = st.vega_lite_chart(
        _build_ledger_spec(
            current_policy(),
            key,
            frame.detect_colour_mode(),
            language,
            forecasts.is_landing_forecast_cached(current_policy()),
        ),
        width="stretch",
        theme=None,
        key=f"chart_{key}",
        on_select="rerun",
        selection_mode="quarter",
        alt=f"{title}: {format_count(ledger.persons)}, {format_count(ledger.person_times)}",
    )
    if quarter := _read_chart_click(event, "quarter", "code", f"chart_{key}"):
        if key == "talents":
            frame.switch_to_page("talents", year=quarter[:4])
        frame.switch_to_page("people", count="person_times", quarter=quarter)


@graph_state.cache_by_graph_state(max_entries=32)
def _build_ledger_spec(
    policy: Policy,
    name: Literal["talents", "workers"],
    mode: ColourMode,
    language: Language,
    with_fan: bool,
) -> dict[str, Any]:
    ledger = getattr(talent_figures.fetch_overview(policy), name)
    fan = _fetch_national_fan(policy) if with_fan and name == "workers" else None
    return charts.build_chart_spec(charts.build_ledger_chart(ledger, mode, language, fan=fan))


def _fetch_national_fan(policy: Policy) -> pl.DataFrame:
    """The forecast of the nation's person-times, from what is counted on the data date on."""
    forecast = forecasts.fetch_landing_forecast(policy)
    rows = forecast.figures.filter(
        pl.col("attribute") == "nation", pl.col("ledger") == "person_times"
    )
    known = pl.DataFrame({"day": [forecast.data_date], "count": [rows["counted"][0]]})
    return build_fan_rows(known, rows.sort("day"))


@graph_state.cache_by_graph_state(max_entries=16)
def _build_tile_map_spec(
    policy: Policy, mode: ColourMode, language: Language
) -> tuple[dict[str, Any], bool]:
    figures = talent_figures.fetch_overview(policy)
    chart, shaded = charts.build_tile_map(figures.provinces, figures.on_path, mode, language)
    return charts.build_chart_spec(chart), shaded


def _format_target_share(number: int, ledger: Ledger) -> str:
    if ledger.target is None:
        return ""
    return escape(t("{share} of the target", share=format_share(number, ledger.target)))


def _render_path_gap(ledger: Ledger) -> str:
    gap, due = ledger.gap, ledger.due
    if gap is None or due is None:
        return ""
    figure = escape(format_person_times(gap, current_language(), sign=True))
    look = "sc-warn" if gap < -0.01 * due else ""
    text = escape(t("Against the straight path:"))
    return f'<div class="sc-muted">{text} <span class="{look}">{figure}</span></div>'


def _draw_generation_table(figures: Overview) -> None:
    """Generation x kind of chain: disjoint, so rows and columns add up to the headline."""
    frame.draw_heading(
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
        (
            f'<th><i class="sc-line thin '
            f'{LINE_CLASS_BY_CHAIN_KIND[kind]}"></i>{escape(names[kind])}</th>'
        )
        for kind in OVERVIEW_CHAIN_KINDS
    )
    rows = figures.generations
    largest = max([1, *(n for kind in OVERVIEW_CHAIN_KINDS for n in rows[kind].to_list())])
    body = "".join(_render_generation_row(row, largest) for row in rows.iter_rows(named=True))
    totals = "".join(
        f"<td>{_render_people_link(int(rows[kind].sum()), channel=kind)}</td>"
        for kind in OVERVIEW_CHAIN_KINDS
    )
    total = sum(int(rows[kind].sum()) for kind in OVERVIEW_CHAIN_KINDS)
    frame.draw_html(
        f'<table class="sc-table sc-grid"><thead><tr><th></th>{head}'
        f'<th class="n">{escape(t("persons in all"))}</th></tr></thead><tbody>{body}'
        f'<tr class="total"><td>{escape(t("Total"))}</td>{totals}'
        f'<td class="n"><b>{format_count(total)}</b></td></tr></tbody></table>'
    )
    frame.draw_muted(t("Generation 1 is one link away: apprentices and studio trainees."))


def _render_generation_row(row: dict[str, int], largest: int) -> str:
    generation = str(row["generation"])
    cells = "".join(
        f"<td>{_render_people_link(row[kind], generation=generation, channel=kind)}"
        f'<div class="sc-bar" style="width:{88 * row[kind] / largest:.1f}%"></div></td>'
        for kind in OVERVIEW_CHAIN_KINDS
    )
    total = sum(row[kind] for kind in OVERVIEW_CHAIN_KINDS)
    name = escape(t("Generation {n}", n=row["generation"]))
    all_of_it = _render_people_link(total, generation=generation)
    return f'<tr><td>{name}</td>{cells}<td class="n"><b>{all_of_it}</b></td></tr>'


def _render_people_link(number: int, **query: str) -> str:
    """HTML: a figure that leads to the people behind it."""
    return frame.render_page_anchor("people", format_count(number), **query) if number else "—"


def _draw_reconciliation(figures: Overview) -> None:
    """How persons become person-times, and the talents' sum the national figure."""
    lines = figures.lines
    parts = [
        t("{n} first promotions", n=format_count(lines["first_promotions"])),
        t("{n} further promotions", n=format_count(lines["further_promotions"])),
        t("{n} of people high-skilled before", n=format_count(lines["high_skilled_before"])),
    ]
    if lines["later_promotions"]:
        later = format_count(lines["later_promotions"])
        parts.append(t("{n} after a first one no chain reached", n=later))
    language = current_language()
    times = render_bold(format_person_times(figures.person_times, language, exact=True))
    people = render_bold(format_persons(figures.persons, language, exact=True))
    shared = format_count(figures.driven_by_several)
    frame.draw_html(
        '<div class="sc-reconcile">'
        f'<span class="sc-muted">{escape(t("From persons to person-times"))}</span>'
        f"<span>{escape(' + '.join(parts))} = {times}</span>"
        f'<span class="sc-muted">{escape(t("Sum over the talents"))}</span>'
        f"<span>{format_count(figures.sum_over_talents)} − "
        f"{escape(t('{n} driven by several', n=shared))} = {people}</span></div>"
    )


def _draw_province_map(figures: Overview) -> None:
    language = current_language()
    provinces = figures.provinces
    frame.draw_heading(t("Share of the target, by province"), t("%, by person-times"))
    reached = _format_reached_provinces(figures)
    chart, shaded = _build_tile_map_spec(current_policy(), frame.detect_colour_mode(), language)
    frame.draw_html(f"<div>{escape(reached)}</div>")
    event = st.vega_lite_chart(
        chart,
        width="stretch",
        theme=None,
        key="tiles",
        on_select="rerun",
        selection_mode="province",
        alt=t("The provinces as tiles of a map"),
    )
    note = t("Dashed: no target is set; counted nationally.")
    if shaded:
        steps = charts.compute_tile_steps(provinces, figures.on_path)
        frame.draw_html(charts.render_tile_legend(steps, frame.detect_colour_mode()))
        note = join_sentences(t("Right of the mark: on the straight path or above."), note)
    frame.draw_muted(note)
    _go_to_clicked_province(event)


def _format_reached_provinces(figures: Overview) -> str:
    """How many provinces stand on the straight path."""
    on, of_all = count_provinces_on_path(figures)
    if not of_all:
        return t("No target is loaded for the provinces; the tiles give person-times.")
    return t("{n} of {all} provinces stand on the straight path or above.", n=on, all=of_all)


def _go_to_clicked_province(event: object) -> None:
    """A click on a tile goes to the page of the province."""
    if code := _read_chart_click(event, "province", "province", "tile"):
        frame.switch_to_page("areas", code=code)


def _read_chart_click(event: object, name: str, field: str, key: str) -> str | None:
    """What a click on a chart has chosen, once a click."""
    chosen = getattr(event, "selection", {}).get(name) or []
    value: str | None = chosen[0].get(field) if chosen else None
    return value if frame.is_newly_chosen(key, value) else None


# --- since the last load ----------------------------------------------------------------------


@frame.fragment()
def _draw_last_load_changes() -> None:
    """What the last load changed; each line opens its list."""
    language, policy = current_language(), current_policy()
    found = since_load.fetch_last_change(policy)
    if found is None:
        frame.draw_heading(t("Since the last load"))
        frame.draw_empty_state(
            t("One revision is kept"), t("After the next load, what it changed stands here.")
        )
        return
    if isinstance(found, since_load.Unmeasured):
        frame.draw_heading(t("Since the last load"))
        note = t("Revision {n} was not counted under this policy.", n=found.before.revision)
        link = frame.render_page_anchor("data", t("Count it now"), view="restated")
        frame.draw_html(f'<div class="sc-muted">{escape(note)} {link}</div>')
        return
    days = [
        format_short_day(date.fromisoformat(one.made_at[:10]), language)
        for one in (found.before, found.after)
    ]
    frame.draw_heading(
        t("Since the last load"), t("{first} to {last}", first=days[0], last=days[1])
    )
    lines = [
        (
            t("Driven"),
            format_persons(found.persons, language, exact=True, sign=True),
            format_person_times(found.person_times, language, exact=True, sign=True),
            "data",
        ),
        (
            t("New leading talents"),
            format_persons(found.talents, language, exact=True, sign=True),
            format_person_times(found.namings, language, exact=True, sign=True),
            "data",
        ),
        (t("First at the target"), "", _format_province_names(found.reached), "data"),
    ]
    causes = since_load.fetch_restatement(found, policy)
    if causes is None:
        lines.append((t("Withdrawn recognitions"), "", t("not worked out yet"), "data"))
    else:
        gone = causes.causes.filter(
            (pl.col("kind") == "recognition") & (pl.col("change") == "removed")
        )
        lines.append(
            (
                t("Withdrawn recognitions"),
                tn("{n} record", "{n} records", gone.height, n=format_count(gone.height)),
                format_person_times(
                    int(gone["driven_person_times"].sum()), language, exact=True, sign=True
                ),
                "data",
            )
        )
    body = "".join(_render_change_line(*line) for line in lines) + _render_claims_line()
    frame.draw_html(f'<table class="sc-table"><tbody>{body}</tbody></table>')
    frame.draw_page_link("data", t("Open what changed"), view="restated")


def _render_change_line(name: str, first: str, second: str, page: str) -> str:
    link = frame.render_page_anchor(page, name, view="restated")
    return (
        f'<tr><td>{link}</td><td class="n">{escape(first)}</td>'
        f'<td class="n">{escape(second)}</td></tr>'
    )


def _render_claims_line() -> str:
    """The line on findings to check, where they have been computed."""
    policy = current_policy()
    link = frame.render_page_anchor("data", t("Findings to check"), view="claims")
    if not cached_metrics.is_metric_ready(policy, "claims_by_kind"):
        text = escape(t("not worked out yet"))
        return f'<tr><td>{link}</td><td></td><td class="n sc-muted">{text}</td></tr>'
    every = (
        cached_metrics.fetch_cached_metric(policy, "claims_by_kind")
        .filter(pl.col("kind") == "all")
        .to_dicts()[0]
    )
    number = escape(
        tn("{n} finding", "{n} findings", every["findings"], n=format_count(every["findings"]))
    )
    effect = format_person_times(
        every["person_times_change"], current_language(), exact=True, sign=True
    )
    return (
        f'<tr class="sc-warn"><td>{link}</td><td class="n">{number}</td>'
        f'<td class="n">{escape(effect)}</td></tr>'
    )


def _format_province_names(codes: tuple[str, ...]) -> str:
    if not codes:
        return t("none")
    names = [translate_label(PROVINCES[code], current_language()) for code in codes[:3]]
    more = len(codes) - 3
    text = t(", ").join(names)
    return t("{names} and {n} more", names=text, n=more) if more > 0 else text


# --- broken down ------------------------------------------------------------------------------


def _draw_breakdown(figures: Overview) -> None:
    """The headline by one of its cuts: bars that lead to the people, adding up to the total."""
    titles = drill_down.list_cut_titles()
    offered = {name: titles[name] for name in BREAKDOWN_CUTS if name in figures.cuts}
    frame.draw_heading(t("Broken down"), t("persons and person-times, each on its own scale"))
    if not offered:
        frame.draw_muted(t("Nobody is driven yet, so there is nothing to break down."))
        return
    default = "quarter" if "quarter" in offered else next(iter(offered))
    cut = address.draw_required_choice("overview", "by", t("By"), offered, default, untitled=True)
    rows = sort_breakdown(figures.cuts[cut], cut)
    shown, rest = rows.head(MAX_BREAKDOWN_BARS), rows.slice(MAX_BREAKDOWN_BARS)
    if cut == "quarter":
        shown, rest = rows, rows.clear()
    if cut in TALENT_BREAKDOWNS:
        _draw_talent_breakdown(figures, cut, shown, rest)
    else:
        _draw_worker_breakdown(figures, cut, shown, rest)
    about = talent_figures.build_page_about(current_policy(), {"by": cut})
    with st.container(horizontal=True, vertical_alignment="center", key="overview_foot"):
        st.space("stretch")
        downloads.draw_download_buttons(
            _build_breakdown_export(rows, cut, titles[cut]), about, "breakdown", main=True
        )


def sort_breakdown(rows: pl.DataFrame, cut: str) -> pl.DataFrame:
    """The rows as they are shown: largest first, or in time; not stated comes last."""
    if cut in ORDERED_CUTS:
        return rows.sort("value", nulls_last=True)
    figure = "person_times" if "person_times" in rows.columns else "persons"
    return rows.sort(pl.col("value").is_null(), figure, "value", descending=[False, True, False])


def _build_breakdown_export(rows: pl.DataFrame, cut: str, title: str) -> pl.DataFrame:
    """The list as it is exported: every row, codes and words."""
    language = current_language()
    words = [drill_down.format_cut_value(cut, value, language) for value in rows["value"]]
    names = {
        "persons": t("Driven (persons)"),
        "person_times": t("Person-times"),
        "leading_talents": t("Leading talents"),
        "equal": t("Equal credit (persons)"),
    }
    named = rows.select(
        pl.col("value").alias(t("Code")),
        pl.Series(title, words, dtype=pl.String),
        *(pl.col(c).alias(names[c]) for c in names if c in rows.columns),
    )
    return named


def _draw_worker_breakdown(
    figures: Overview, cut: str, shown: pl.DataFrame, rest: pl.DataFrame
) -> None:
    language = current_language()
    most = [max([1, *shown[name].to_list()]) for name in ("persons", "person_times")]
    totals = (figures.persons, figures.person_times)
    body = ""
    for value, *numbers in shown.select("value", "persons", "person_times").iter_rows():
        query = {drill_down.QUERY_NAME_BY_CUT.get(cut, cut): value or UNSTATED}
        body += f"<tr><td>{_render_area_link(cut, value, language)}</td>"
        for ledger, number, top, total in zip(
            ("persons", "person_times"), numbers, most, totals, strict=True
        ):
            figure = _render_people_link(
                number, **({"count": ledger} if ledger != "persons" else {}), **query
            )
            look = "ink" if ledger == "person_times" else ""
            body += (
                f'<td class="sc-track"><div class="sc-bar {look}" '
                f'style="width:{100 * number / top:.1f}%"></div></td>'
                f'<td class="n">{figure}</td><td class="n '
                f'sc-muted">{format_share(number, total)}</td>'
            )
        body += "</tr>"
    if rest.height:
        sums = (int(rest["persons"].sum()), int(rest["person_times"].sum()))
        name = escape(t("the other {n}", n=rest.height))
        body += (
            f'<tr class="sc-muted"><td>{name}</td>'
            + "".join(
                (
                    f'<td></td><td class="n">{format_count(n)}</td><td '
                    f'class="n">{format_share(n, total)}</td>'
                )
                for n, total in zip(sums, totals, strict=True)
            )
            + "</tr>"
        )
    body += (
        f'<tr class="total"><td>{escape(t("Total"))}</td>'
        + "".join(
            f'<td></td><td class="n"><b>{format_count(total)}</b></td><td></td>' for total in totals
        )
        + "</tr>"
    )
    head = "".join(
        f'<th class="sc-track"></th><th class="n">{escape(name)}</th>'
        f'<th class="n">{escape(t("share"))}</th>'
        for name in (t("Persons"), t("Person-times"))
    )
    frame.draw_html(
        f'<table class="sc-table sc-cut"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    hint = t("The rows add up to the national figures. Click a figure for the people behind it.")
    frame.draw_muted(hint)


def _render_area_link(cut: str, value: str | None, language: Language) -> str:
    """HTML: a value of a cut, which leads to the page of its area where it has one."""
    name = drill_down.format_cut_value(cut, value, language)
    kind = next((kind for kind, attribute in AREA_ATTRIBUTES.items() if attribute == cut), None)
    if kind is None or value is None:
        return escape(name)
    return frame.render_page_anchor("areas", name, kind=kind, code=value)


def _draw_talent_breakdown(
    figures: Overview, cut: str, shown: pl.DataFrame, rest: pl.DataFrame
) -> None:
    """By what talents alone have: a worker may stand in several rows; shared, he stands once."""
    language = current_language()
    both = pl.concat([shown, rest])
    top = max([1, *shown["persons"].to_list()])
    body = ""
    for row in shown.iter_rows(named=True):
        value = row["value"]
        talents = format_count(row["leading_talents"])
        if value is not None:
            talents = frame.render_page_anchor("talents", talents, **{cut: value})
        driven = (
            format_count(row["persons"])
            if value is None
            else _render_people_link(row["persons"], **{cut: value})
        )
        body += (
            f"<tr><td>{escape(drill_down.format_cut_value(cut, value, language))}</td><td "
            f'class="n">{talents}</td>'
            f'<td class="sc-track"><div class="sc-bar" '
            f'style="width:{100 * row["persons"] / top:.1f}%"></div></td>'
            f'<td class="n">{driven}</td><td '
            f'class="n">{format_count(round(row["equal"]))}</td></tr>'
        )
    if rest.height:
        body += (
            f'<tr class="sc-muted"><td>{escape(t("the other {n}", n=rest.height))}</td>'
            f'<td class="n">{format_count(int(rest["leading_talents"].sum()))}</td><td></td><td>'
            f"</td>"
            f'<td class="n">{format_count(round(rest["equal"].sum()))}</td></tr>'
        )
    body += (
        f'<tr class="total"><td>{escape(t("Total"))}</td>'
        f'<td class="n"><b>{format_count(int(both["leading_talents"].sum()))}</b></td><td></td>'
        f'<td></td><td class="n"><b>{format_count(round(both["equal"].sum()))}</b></td></tr>'
    )
    heads = (t("Leading talents"), "", t("Driven together (persons)"), t("Equal credit (persons)"))
    head = "".join(f'<th class="n">{escape(name)}</th>' for name in heads)
    frame.draw_html(
        f'<table class="sc-table sc-cut"><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    note = t(
        "Whom talents of several rows drive stands in each of them, so the rows of driven together "
        "add up to more; shared equally they add up to {n}, as the nation counts.",
        n=format_persons(figures.persons, language, exact=True),
    )
    frame.draw_muted(note)
