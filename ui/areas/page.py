"""A province, an industry or an occupation: target, trend, and who brings it about there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Any

import polars as pl
import streamlit as st

from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.programme import areas
from graph.programme.areas import Area, AreaKind
from graph.tabular import About
from ui.controls import charts, downloads
from ui.reading import areas as found
from ui.reading import cached_metrics, talent_figures
from ui.reading.areas import AREA_KINDS, MAX_AREA_STUDIOS, MAX_AREA_TALENTS
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.words.i18n import current_language, join_sentences, t, translate_label
from ui.words.numbers import (
    format_count,
    format_large,
    format_person_times,
    format_persons,
    format_share,
    render_bold,
)
from ui.words.terms import format_person_name, format_province


@frame.page
def page() -> None:
    """The page: of the area that stands in the address."""
    policy, language = current_policy(), current_language()
    with st.spinner(t("Measuring the chains")):
        talent_figures.fetch_overview(policy)
    head = st.container()
    kind, code, name = _draw_area_controls(policy, language)
    if code is None:
        with head:
            frame.draw_lead(t("Nobody is driven in an area of this kind under this policy."))
            frame.draw_under_lead()
        return
    work = partial(
        areas.materialize_area_tables,
        graph_state.fetch_snapshot(),
        talent_figures.fetch_driven_figures(policy),
    )
    here = cached_metrics.ensure_background_job(
        found.format_area_job_key(policy),
        found.is_area_data_cached(policy) or cached_metrics.is_network_small(),
        work,
        t("the figures by area"),
    )
    if not here:
        with head:
            frame.draw_lead(t("The figures are being worked out."))
        return
    area = found.fetch_area(policy, kind, code)
    with head:
        frame.draw_lead(_render_area_answer(area, kind, name, language))
        frame.draw_under_lead(
            escape(
                t(
                    "Workers count where they are on record: by their province, their employer's "
                    "industry, their occupation."
                )
            )
        )
    left, right = st.columns([690, 394], gap="large")
    with left:
        _draw_area_trend(area, kind, code, language)
        frame.draw_rule()
        _draw_area_talents(area, kind, code, policy, language)
    with right:
        _draw_area_target(area, kind, code, language)
        frame.draw_rule()
        _draw_area_studios(area, kind, code, policy)


def _draw_area_controls(policy: Policy, language: Language) -> tuple[AreaKind, str | None, str]:
    """Kind, code and name of the area: what the address says, else where most are driven."""
    with st.container(horizontal=True, vertical_alignment="bottom", key="areas_filters"):
        kind = address.draw_required_choice(
            "areas",
            "kind",
            t("Kind of area"),
            found.list_area_kind_titles(),
            AREA_KINDS[0],
            leaves=("code",),
        )
        offered = found.list_area_options(policy, kind, language)
        if not offered:
            return kind, None, ""
        asked = st.query_params.get("code")
        if asked and asked not in offered and _format_area_name(kind, asked) == asked:
            address.record_address_fault("code", asked, "unknown")
        known = (
            offered
            if asked in offered or not asked
            else {**offered, asked: _format_area_name(kind, asked)}
        )
        with st.container(width=280):
            code = address.draw_required_choice(
                "areas",
                "code",
                found.list_area_kind_titles()[kind],
                known,
                next(iter(known)),
                folded=True,
            )
    return kind, code, known[code]


def _format_area_name(kind: AreaKind, code: str) -> str:
    """The name of an area where nobody is driven."""
    if kind == "occupation":
        return talent_figures.fetch_occupation_names().get(code, code)
    return translate_label(PROVINCES[code], current_language()) if code in PROVINCES else code


def _render_area_answer(area: Area, kind: AreaKind, name: str, language: Language) -> str:
    """The page's sentence (HTML)."""
    sentence = t(
        "{area}: since {year}, leading talents have helped {persons}, {times}, become highly "
        "skilled.",
        area=render_bold(name),
        year=area.ledger.start.year,
        persons=render_bold(format_persons(area.persons, language), format_count(area.persons)),
        times=render_bold(
            format_person_times(area.person_times, language), format_count(area.person_times)
        ),
    )
    if not area.ledger.target:
        return sentence
    done = render_bold(format_share(area.person_times, area.ledger.target))
    addition = t(
        "By person-times that is {share} of the target, {standing}.",
        share=done,
        standing=_format_path_gap(area, language),
    )
    return f"{sentence}<br>{addition}"


def _format_path_gap(area: Area, language: Language) -> str:
    gap = area.ledger.gap or 0
    if gap < 0:
        return t("{n} short of the straight path", n=format_large(-gap, language))
    return t("{n} ahead of the straight path", n=format_large(gap, language))


def _render_area_people_link(
    kind: AreaKind, code: str, number: int, ledger: str = "persons"
) -> str:
    """HTML: a figure that leads to the people behind it."""
    if not number:
        return format_count(number)
    query = {} if ledger == "persons" else {"count": ledger}
    return frame.render_page_anchor("people", format_count(number), **{kind: code}, **query)


# --- target and trend -------------------------------------------------------------------------


def _draw_area_target(area: Area, kind: AreaKind, code: str, language: Language) -> None:
    """What is set, what is due by now and what is reached; or what the data lack."""
    frame.draw_heading(t("Target"), t("person-times"))
    rows = [
        (
            t("Driven person-times"),
            _render_area_people_link(kind, code, area.person_times, "person_times"),
        )
    ]
    if area.ledger.target:
        due, gap = round(area.ledger.due or 0), area.ledger.gap or 0
        rows = [
            (t("Target"), format_count(area.ledger.target)),
            (t("Due by now (on-pace line)"), format_count(due)),
            *rows,
            (t("Ahead of it") if gap >= 0 else t("Behind it"), f"<b>{format_count(abs(gap))}</b>"),
        ]
    rows.append((t("Driven persons"), _render_area_people_link(kind, code, area.persons)))
    rows += _list_area_demand(kind, code)
    body = "".join(f'<tr><td>{escape(a)}</td><td class="n">{b}</td></tr>' for a, b in rows)
    frame.draw_html(f'<table class="sc-table"><tbody>{body}</tbody></table>')
    if not area.ledger.target:
        frame.draw_muted(_explain_missing_target(kind))


def _list_area_demand(kind: AreaKind, code: str) -> list[tuple[str, str]]:
    wanted = found.fetch_occupation_demand(code) if kind == "occupation" else None
    if wanted is None:
        return []
    return [(t("Positions open, {year}", year=wanted["year"]), format_count(wanted["positions"]))]


def _explain_missing_target(kind: AreaKind) -> str:
    """What would have to be loaded for a target to stand here."""
    if kind == "province":
        return t("No target is loaded for this province: add its rows to targets.csv, a year each.")
    if kind == "industry":
        return t(
            "No target is loaded for this industry: add rows to targets.csv whose scope is its "
            "name, a year each."
        )
    return t("The programme sets no targets by occupation, and targets.csv takes none.")


def _draw_area_trend(area: Area, kind: AreaKind, code: str, language: Language) -> None:
    frame.draw_heading(t("By quarter, running totals"), t("persons and person-times"))
    rows = "".join(
        f'<span><i class="sc-line {line}"></i></span>{render_bold(text)}<span></span>'
        for text, line in (
            (format_person_times(area.person_times, language, exact=True), ""),
            (format_persons(area.persons, language, exact=True), "slate"),
        )
    )
    frame.draw_html(f'<div class="sc-key">{rows}</div>')
    event = st.vega_lite_chart(
        charts.build_chart_spec(
            charts.build_ledger_chart(area.ledger, frame.detect_colour_mode(), language)
        ),
        width="stretch",
        theme=None,
        key="chart_area",
        on_select="rerun",
        selection_mode="quarter",
        alt=f"{t('By quarter, running totals')}: {format_count(area.person_times)}",
    )
    chosen = (getattr(event, "selection", {}).get("quarter") or [{}])[0].get("code")
    if frame.is_newly_chosen("chart_area", chosen):
        frame.switch_to_page("people", count="person_times", quarter=chosen, **{kind: code})


# --- who and where ----------------------------------------------------------------------------


def _draw_area_talents(
    area: Area, kind: AreaKind, code: str, policy: Policy, language: Language
) -> None:
    """The leading talents by what they give here, whoever they are elsewhere."""
    all_of_them = area.talents.height
    frame.draw_heading(t("Who brings it about"), t("persons driven here"))
    if not all_of_them:
        frame.draw_empty_state(
            t("No leading talent drives anyone here"), t("Widen the policy or the window.")
        )
        return
    top = max(1, int(area.talents["persons"][0]))
    body = "".join(
        f"<tr><td>{_render_talent_link(row)}</td>"
        f"<td>{escape(format_province(row['province'], language))}</td>"
        f'<td class="sc-track">'
        f'<div class="sc-bar" style="width:{100 * row["persons"] / top:.1f}%">'
        f'</div></td><td class="n"><b>{format_count(row["persons"])}</b></td>'
        f'<td class="n">{row["equal"]:,.1f}</td><td class="n">{format_count(row["driven"])}</td>'
        f'<td class="n sc-muted">{format_share(row["persons"], row["driven"])}</td></tr>'
        for row in area.talents.head(MAX_AREA_TALENTS).iter_rows(named=True)
    )
    heads = (t("Here"), t("Shared here"), t("In all"), t("share"))
    head = "".join(f'<th class="n">{escape(name)}</th>' for name in heads)
    frame.draw_html(
        f'<table class="sc-table sc-cut"><thead><tr><th>{escape(t("Talent"))}</th>'
        f'<th>{escape(t("Province"))}</th><th class="sc-track"></th>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    caption = t(
        "Here: driven in this area, each counted for every talent who drives them. Shared "
        "here: with equal credit; adds up to {n}.",
        n=format_count(area.persons),
    )
    shown = t(
        "{n} of {all}",
        n=format_count(min(MAX_AREA_TALENTS, all_of_them)),
        all=format_count(all_of_them),
    )
    with frame.draw_exhibit_foot(
        "areas_talents", join_sentences(t("{shown} talents.", shown=shown), caption)
    ):
        downloads.draw_download_buttons(
            _build_area_talent_export(area.talents, language),
            _build_area_about(policy, kind, code),
            "area_talents",
        )


def _build_area_talent_export(rows: pl.DataFrame, language: Language) -> pl.DataFrame:
    provinces = [format_province(code, language) for code in rows["province"]]
    return rows.select(
        pl.col("talent_id").alias(t("Number")),
        pl.col("name").alias(t("Name")),
        pl.Series(t("Province"), provinces, pl.String),
        pl.col("persons").alias(t("Driven here (persons)")),
        pl.col("equal").round(6).alias(t("Shared here (persons)")),
        pl.col("driven").alias(t("Driven (persons)")),
    )


def _render_talent_link(row: Mapping[str, Any]) -> str:
    name = format_person_name(row["name"])
    return frame.render_page_anchor("talent", name, id=row["talent_id"])


def _draw_area_studios(area: Area, kind: AreaKind, code: str, policy: Policy) -> None:
    """The studios at which the driven of the area trained by then."""
    frame.draw_heading(t("Studios"), t("persons driven here"))
    if area.studios.is_empty():
        frame.draw_empty_state(
            t("No studio trained anyone driven here"),
            t("Undated trainings count only if the policy includes them."),
        )
        return
    body = "".join(
        f"<tr><td>{_render_studio_link(row['studio_id'], row['name'])}</td>"
        f'<td class="n">{format_count(row["persons"])}</td></tr>'
        for row in area.studios.head(MAX_AREA_STUDIOS).iter_rows(named=True)
    )
    frame.draw_html(f'<table class="sc-table"><tbody>{body}</tbody></table>')
    shown = t(
        "{n} of {all}",
        n=format_count(min(MAX_AREA_STUDIOS, area.studios.height)),
        all=format_count(area.studios.height),
    )
    caption = t(
        "{shown} studios: driven workers of the area who had trained there by then.", shown=shown
    )
    with frame.draw_exhibit_foot("areas_studios", caption):
        table = area.studios.select(
            pl.col("studio_id").alias(t("Number")),
            pl.col("name").alias(t("Studio")),
            pl.col("persons").alias(t("Driven here (persons)")),
        )
        downloads.draw_download_buttons(
            table, _build_area_about(policy, kind, code), "area_studios"
        )


def _render_studio_link(id: str, name: str | None) -> str:
    return frame.render_page_anchor("places", name or id, kind_of_place="studio", id=id)


def _build_area_about(policy: Policy, kind: AreaKind, code: str) -> About:
    return talent_figures.build_page_about(policy, {kind: code})
