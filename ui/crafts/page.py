"""Survival of crafts: how many mentors each mentor raises, and when the last one leaves."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.forecast import extinction
from graph.forecast.landing import DEFAULT_SEED
from graph.messages import Language
from graph.metrics import replacement
from graph.metrics.cached_tables import load_metric_table
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.snapshot.frames import Snapshot
from ui.browser.header_sort import draw_sortable_list
from ui.controls import charts, downloads
from ui.crafts.province_map import build_craft_map
from ui.reading import cached_metrics, talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.words.i18n import (
    current_language,
    join_sentences,
    t,
    translate_label,
    translate_labels,
)
from ui.words.numbers import NO_VALUE_DASH, format_count, render_bold
from ui.words.terms import translate_term

CRAFTS_PAGE: Final = "crafts"
CRAFT_ROW_PX: Final = 34
MAX_LISTED_CRAFTS: Final = 500
# A craft is at risk where its last mentor is more likely gone by 2035 than not.
AT_RISK: Final = 0.5


@frame.page
def page() -> None:
    """The page: of all crafts, of a province, or of one occupation."""
    policy, language = current_policy(), current_language()
    head = st.container()
    found = cached_metrics.fetch_or_explain(
        head,
        t("Looking ahead at every craft"),
        t("Nothing can be said of the crafts' survival."),
        lambda: _fetch_crafts(policy) if _ensure_crafts(policy) else None,
    )
    if found is None:
        return
    clock, rates = found
    names = talent_figures.fetch_occupation_names()
    province, code = _draw_craft_controls(clock, names, language)
    rows = clock if province is None else clock.filter(pl.col("province") == province)
    with head:
        frame.draw_lead(_render_crafts_answer(rows, rates, province, language))
        frame.draw_under_lead(escape(_describe_crafts()))
    left, right = st.columns([690, 394], gap="large")
    with left:
        _draw_craft_list(rows, names, policy, language)
    with right:
        if code is not None:
            _draw_one_craft(clock, rates, policy, (code, province), names, language)
            frame.draw_rule()
        _draw_craft_map(clock, language)


def _ensure_crafts(policy: Policy) -> bool:
    snapshot = graph_state.fetch_snapshot()
    return cached_metrics.ensure_background_job(
        (CRAFTS_PAGE, graph_state.fetch_graph_state(), policy),
        cached_metrics.is_network_small() or extinction.has_extinction(snapshot, policy),
        partial(_load_crafts, snapshot, policy),
        t("the survival of crafts"),
    )


def _load_crafts(snapshot: Snapshot, policy: Policy) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The extinction clock, and the replacement rates."""
    rates = load_metric_table(snapshot, policy, "replacement")
    return extinction.load_extinction(snapshot, policy), rates


@graph_state.cache_by_graph_state(max_entries=6, resource=True)
def _fetch_crafts(policy: Policy) -> tuple[pl.DataFrame, pl.DataFrame]:
    return _load_crafts(graph_state.fetch_snapshot(), policy)


def _draw_craft_controls(
    clock: pl.DataFrame, names: Mapping[str, str], language: Language
) -> tuple[str | None, str | None]:
    """Province and occupation, as the address has them."""
    codes = clock["occupation_code"].unique().sort().to_list()
    with st.container(horizontal=True, vertical_alignment="bottom", key="crafts_filters"):
        with st.container(width=150):
            province = address.draw_optional_select(
                CRAFTS_PAGE, "province", t("Province"), translate_labels(PROVINCES, language)
            )
        with st.container(width=300):
            code = address.draw_optional_select(
                CRAFTS_PAGE,
                "code",
                t("Occupation"),
                {code: _format_craft(code, names) for code in codes},
            )
    return province, code if code in codes else None


def _format_craft(code: str, names: Mapping[str, str]) -> str:
    return f"{code} {translate_term(names.get(code, ''))}".strip()


def _name_area(province: str | None, language: Language) -> str:
    """The nation or a province; one that the address alone names, as it is written there."""
    if province is None:
        return t("The nation")
    return translate_label(PROVINCES[province], language) if province in PROVINCES else province


def _render_crafts_answer(
    rows: pl.DataFrame, rates: pl.DataFrame, province: str | None, language: Language
) -> str:
    """How many crafts are at risk, and whether mentors replace themselves (HTML)."""
    area = _name_area(province, language)
    if rows.is_empty():
        return t("{area}: no craft has a mentor in work.", area=escape(area))
    at_risk = rows.filter(pl.col("probability_2035") >= AT_RISK).height
    sentence = t(
        "{area}: {n} of {all} occupations by province are likely to lose their last mentor by "
        "2035.",
        area=escape(area),
        n=render_bold(format_count(at_risk)),
        all=format_count(rows.height),
    )
    rate = _find_rate(rates, None, province)
    if rate is None:
        return sentence
    addition = t(
        "A mentor raises {rate} later mentors (95 %: {low} to {high}).",
        rate=render_bold(_format_rate(rate["replacement"])),
        low=_format_rate(rate["low"]),
        high=_format_rate(rate["high"]),
    )
    return join_sentences(sentence, addition)


def _find_rate(
    rates: pl.DataFrame, code: str | None, province: str | None
) -> dict[str, Any] | None:
    """The replacement rate of a part; None where too few apprentices tell it."""
    found = rates.filter(
        pl.col("occupation_code").eq_missing(pl.lit(code, pl.String)),
        pl.col("province").eq_missing(pl.lit(province, pl.String)),
    )
    return found.row(0, named=True) if found.height else None


def _format_rate(value: float | None) -> str:
    return NO_VALUE_DASH if value is None else f"{value:.2f}"


def _describe_crafts() -> str:
    return t(
        "Simulated from retirements, apprentices in training and those still to be taken on; seed "
        "{seed}. Retirements are taken by whole years.",
        seed=DEFAULT_SEED,
    )


def _draw_craft_list(
    rows: pl.DataFrame, names: Mapping[str, str], policy: Policy, language: Language
) -> None:
    frame.draw_heading(t("The most endangered first"), t("occupations by province"))
    if rows.is_empty():
        frame.draw_empty_state(t("No craft is here"), t("Take a filter away."))
        return
    titles = {
        "craft": t("Occupation"),
        "place": t("Province"),
        "mentors": t("Mentors"),
        "in_training": t("In training"),
        "median": t("Last mentor leaves"),
        "between": t("80 % interval"),
        "by_2030": t("By 2030 (%)"),
        "by_2035": t("By 2035 (%)"),
    }
    few = rows.head(MAX_LISTED_CRAFTS)
    beyond = f">{policy.as_of.year + extinction.HORIZON_YEARS - 1}"
    shown = few.select(
        craft=pl.col("occupation_code").replace(
            {code: _format_craft(code, names) for code in few["occupation_code"]}
        ),
        place=pl.col("province").replace(translate_labels(PROVINCES, language)),
        mentors="mentors",
        in_training="in_training",
        median=pl.col("median").cast(pl.String).fill_null(beyond),
        between=pl.concat_str(
            pl.col("early").cast(pl.String).fill_null(beyond),
            pl.lit(" \N{EN DASH} "),
            pl.col("late").cast(pl.String).fill_null(beyond),
        ),
        by_2030=(100 * pl.col("probability_2030")).round().cast(pl.Int64),
        by_2035=(100 * pl.col("probability_2035")).round().cast(pl.Int64),
    ).rename(titles)
    cell = draw_sortable_list(
        shown,
        key="crafts_table",
        row_height=CRAFT_ROW_PX,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        height=min(CRAFT_ROW_PX * (few.height + 1) + 2, 520),
    )
    if frame.is_newly_chosen("crafts_table", cell) and cell is not None:
        code, province = few.select("occupation_code", "province").row(cell[0])
        address.write_parameters({"code": code, "province": province})
        st.rerun()
    about = talent_figures.build_page_about(policy, {"seed": str(DEFAULT_SEED)})
    caption = t(
        "{n} of {all} rows; a click on a line opens it.",
        n=format_count(few.height),
        all=format_count(rows.height),
    )
    with frame.draw_exhibit_foot(CRAFTS_PAGE, caption):
        labels = {n: translate_label(words, language) for n, words in extinction.COLUMNS.items()}
        downloads.draw_download_buttons(rows.rename(labels), about, "extinction", main=True)


def _draw_craft_map(clock: pl.DataFrame, language: Language) -> None:
    frame.draw_heading(t("Crafts at risk by 2035"), t("by province"))
    at_risk = clock.filter(pl.col("probability_2035") >= AT_RISK)
    counts = dict(at_risk.group_by("province").len().rows())
    event = st.vega_lite_chart(
        charts.build_chart_spec(build_craft_map(counts, frame.detect_colour_mode(), language)),
        width="stretch",
        theme=None,
        key="chart_crafts",
        on_select="rerun",
        selection_mode="province",
        alt=t("Crafts at risk by 2035"),
    )
    chosen = (getattr(event, "selection", {}).get("province") or [{}])[0].get("province")
    if frame.is_newly_chosen("chart_crafts", chosen):
        address.write_parameter("province", chosen)
        st.rerun()


# --- one occupation ------------------------------------------------------------------------------


def _draw_one_craft(
    clock: pl.DataFrame,
    rates: pl.DataFrame,
    policy: Policy,
    asked: tuple[str, str | None],
    names: Mapping[str, str],
    language: Language,
) -> None:
    """One occupation, here or in the nation: its rate, its clock, its mentors by age."""
    code, province = asked
    where = _name_area(province, language)
    frame.draw_heading(_format_craft(code, names), where)
    here = clock.filter(pl.col("occupation_code") == code)
    if province is not None:
        here = here.filter(pl.col("province") == province)
    facts = [
        (t("Mentors in work"), format_count(int(here["mentors"].sum()))),
        (t("Apprentices who may become mentors"), format_count(int(here["in_training"].sum()))),
    ]
    if province is not None and here.height:
        row = here.row(0, named=True)
        facts.append((t("Last mentor leaves"), str(row["median"] or t("not within 40 years"))))
    rate = _find_rate(rates, code, province)
    if rate is not None:
        between = f"{_format_rate(rate['low'])} \N{EN DASH} {_format_rate(rate['high'])}"
        facts.append((t("Later mentors a mentor"), _format_rate(rate["replacement"])))
        facts.append((t("95 % interval"), between))
    frame.draw_html(frame.render_facts(facts, "sc-wide"))
    if rate is None:
        frame.draw_muted(t("Too few apprentices to say how many later mentors a mentor raises."))
    _draw_mentor_decades(policy, code, province)
    labels = {n: translate_label(words, language) for n, words in replacement.COLUMNS.items()}
    of_craft = rates.filter(pl.col("occupation_code") == code)
    about = talent_figures.build_page_about(policy, {"occupation": code})
    with frame.draw_exhibit_foot("crafts_rates", t("Rates by province")):
        downloads.draw_download_buttons(of_craft.rename(labels), about, "replacement")


def _draw_mentor_decades(policy: Policy, code: str, province: str | None) -> None:
    """Mentors in work by the decade of their birth, as bars."""
    decades = extinction.count_mentors_by_decade(
        graph_state.fetch_snapshot(), policy, code, province
    )
    if decades.is_empty():
        return
    frame.draw_heading(t("Mentors by age"), t("born in the decade, persons"))
    most = max(decades["mentors"])
    body = "".join(
        f"<tr><td>{escape(t('{year}s', year=decade) if decade else t('not known'))}</td>"
        f'<td><div class="sc-bar" style="width:{max(2, 100 * mentors // most)}%"></div></td>'
        f'<td class="n">{format_count(mentors)}</td></tr>'
        for decade, mentors in decades.rows()
    )
    frame.draw_html(f'<table class="sc-table"><tbody>{body}</tbody></table>')
