"""Supply and demand: where high-skilled people are missing, why, and who closes the gap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from html import escape
from typing import Any, Final, get_args

import polars as pl
import streamlit as st

from graph.forecast import shortages
from graph.forecast.history import OCCUPATION_GROUP_CHARACTERS
from graph.forecast.landing import DEFAULT_SEED
from graph.forecast.shortages import GapTotals, Shortages
from graph.forecast.supply_changes import list_shortage_years
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.report.shortage_protection import list_told_people, protect_shortages
from ui.browser.header_sort import draw_sortable_list
from ui.controls import charts, downloads
from ui.reading import cached_metrics, talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor
from ui.shortages.backtest import draw_supply_backtest
from ui.shortages.heat_map import build_heat_map, render_heat_legend
from ui.words import terms
from ui.words.i18n import (
    current_language,
    join_sentences,
    t,
    translate_label,
    translate_labels,
)
from ui.words.numbers import NO_VALUE_DASH, format_count, render_bold
from ui.words.terms import translate_term

SHORTAGES_PAGE: Final = "shortages"
SHORTAGE_ROW_PX: Final = 34
MAX_LISTED_SHORTAGES: Final = 500
MAX_LISTED_PEOPLE: Final = 200


@frame.page
def page() -> None:
    """The page: of a year, of occupations or their groups, of a province or all."""
    policy, language = current_policy(), current_language()
    head = st.container()
    found = cached_metrics.fetch_or_explain(
        head,
        t("Working out supply and demand"),
        t("Supply and demand cannot be given."),
        lambda: _fetch_shortages(policy) if _ensure_shortages(policy) else None,
    )
    if found is None:
        return
    names, everything = _name_codes(found.rows), found
    if not identify_visitor().may("cypher"):
        found = replace(found, rows=_protect_rows(policy))
    year, kind, province, code = _draw_shortage_controls(policy, found, names, language)
    rows = shortages.select_shortages(found.rows, kind, "province", year, province)
    with head:
        if found.backtest.defends_gaps() is False:
            frame.draw_lead(t("Past forecasts do not defend a gap here, so none is given."))
        else:
            gaps = shortages.sum_gaps(found.rows, year, province)
            frame.draw_lead(_render_shortages_answer(rows, gaps, (year, province), names, language))
        frame.draw_under_lead(escape(_describe_shortages()))
        if found is not everything:
            frame.draw_muted(_explain_hidden())
    left, right = st.columns([730, 354], gap="large")
    with left:
        if province is None:
            _draw_heat_map(found, year, names, language)
        _draw_shortage_list(rows, names, policy, (year, kind, province), language)
    with right:
        _draw_row_panel(found, policy, (year, kind, province, code), names, language)
        frame.draw_rule()
        _draw_missing(found, year)
    frame.draw_rule()
    draw_supply_backtest(found.backtest, policy)


def _ensure_shortages(policy: Policy) -> bool:
    snapshot = graph_state.fetch_snapshot()
    return cached_metrics.ensure_background_job(
        (SHORTAGES_PAGE, graph_state.fetch_graph_state(), policy),
        cached_metrics.is_network_small() or shortages.has_shortages(snapshot, policy),
        partial(shortages.load_shortages, snapshot, policy),
        t("supply and demand"),
    )


@graph_state.cache_by_graph_state(max_entries=6, resource=True)
def _fetch_shortages(policy: Policy) -> Shortages:
    return shortages.load_shortages(graph_state.fetch_snapshot(), policy)


@graph_state.cache_by_graph_state(max_entries=6, resource=True)
def _protect_rows(policy: Policy) -> pl.DataFrame:
    """The rows as those see them who do not count by Cypher of their own."""
    return protect_shortages(_fetch_shortages(policy).rows)


def _explain_hidden() -> str:
    return t(
        "Groups of one or two people, and what would give them away, are not told to your role; "
        "sums leave them out."
    )


def _explain_hidden_people() -> str:
    return t(
        "The people behind a hidden figure are not listed for your role: their names would give "
        "the figure away."
    )


def _name_codes(rows: pl.DataFrame) -> dict[str, str]:
    """Occupation or group -> its code and words; a group is named by its largest occupation."""
    of_nation = rows.filter(kind="occupation", area="nation").filter(pl.col("code").is_not_null())
    ordered = of_nation.sort("stock", "code", descending=[True, False])
    named: dict[str, str] = {}
    groups: dict[str, str] = {}
    for code, name in ordered.select("code", "occupation").unique(maintain_order=True).rows():
        words = translate_term(name) if name else ""
        named[code] = f"{code} {words}".strip()
        group = code[:OCCUPATION_GROUP_CHARACTERS]
        if words and group not in groups:
            groups[group] = f"{group} {t('{name} and the like', name=words)}"
    return groups | named


def _draw_shortage_controls(
    policy: Policy, found: Shortages, names: Mapping[str, str], language: Language
) -> tuple[int, str, str | None, str | None]:
    """Year, kind, province and code, as the address has them."""
    years = {str(year): str(year) for year in list_shortage_years(policy)}
    kinds = {"occupation_group": t("Occupation groups"), "occupation": t("Occupations")}
    with st.container(horizontal=True, vertical_alignment="bottom", key="shortages_filters"):
        year = address.draw_required_choice(
            SHORTAGES_PAGE, "by_end", t("By the end of"), years, next(iter(years))
        )
        kind = address.draw_required_choice(
            SHORTAGES_PAGE, "of", t("Listed by"), kinds, "occupation_group", leaves=("code",)
        )
        with st.container(width=150):
            province = address.draw_optional_select(
                SHORTAGES_PAGE,
                "province",
                t("Province"),
                translate_labels(PROVINCES, language)
                | {shortages.UNSTATED_PROVINCE: t("not stated")},
            )
        listed = found.rows.filter(kind=kind, area="nation")["code"].drop_nulls().unique().sort()
        with st.container(width=260):
            code = address.draw_optional_select(
                f"{SHORTAGES_PAGE}_{kind}",
                "code",
                kinds[kind],
                {code: names.get(code, code) for code in listed},
            )
    return int(year), kind, province, code


def _render_shortages_answer(
    rows: pl.DataFrame,
    gaps: GapTotals | None,
    asked: tuple[int, str | None],
    names: Mapping[str, str],
    language: Language,
) -> str:
    """How many people are missing, how many are too many elsewhere, and where most (HTML)."""
    year, province = asked
    area = t("The nation") if province is None else _format_place(province, language)
    if gaps is None:
        return t(
            "{area}: no positions open are stated for {year}, so nothing is said of a gap.",
            area=escape(area),
            year=year,
        )
    sentence = t(
        "{area}: by the end of {year}, {n} high-skilled people are missing for {positions} open "
        "positions.",
        area=escape(area),
        year=year,
        n=render_bold(format_count(gaps.missing)),
        positions=format_count(gaps.positions),
    )
    if gaps.surplus:
        surplus = t(
            "In other occupations or provinces there are {n} more than needed, who fill none of "
            "these gaps.",
            n=format_count(gaps.surplus),
        )
        sentence = join_sentences(sentence, surplus)
    short = rows.filter(pl.col("gap") > 0)
    if short.is_empty():
        return sentence
    worst = short.sort("rank").row(0, named=True)
    where = [escape(names.get(worst["code"], worst["code"] or t("not stated")))]
    if province is None:
        where.append(escape(_format_place(worst["province"], language)))
    return join_sentences(sentence, t("Most of them: {where}.", where=" · ".join(where)))


def _format_place(province: str | None, language: Language) -> str:
    if province in (None, shortages.UNSTATED_PROVINCE):
        return t("not stated")
    return translate_label(PROVINCES[province], language) if province in PROVINCES else province


def _describe_shortages() -> str:
    return t(
        "Missing: positions open, plus who leaves, less who becomes high-skilled, by the year's "
        "end; seed {seed}. Retirements are taken by whole years.",
        seed=DEFAULT_SEED,
    )


def _draw_heat_map(
    found: Shortages, year: int, names: Mapping[str, str], language: Language
) -> None:
    rows = shortages.select_shortages(found.rows, "occupation_group", "province", year)
    if rows["gap"].null_count() == rows.height:
        return
    frame.draw_heading(t("Where people are missing"), t("persons"))
    mode = frame.detect_colour_mode()
    frame.draw_html(render_heat_legend(rows, mode))
    event = st.vega_lite_chart(
        charts.build_chart_spec(build_heat_map(rows, names, mode, language)),
        width="stretch",
        theme=None,
        key="chart_shortages",
        on_select="rerun",
        selection_mode="cell",
        alt=t("Where people are missing"),
    )
    chosen = (getattr(event, "selection", {}).get("cell") or [{}])[0]
    if chosen and frame.is_newly_chosen("chart_shortages", (chosen["code"], chosen["province"])):
        province, code = chosen["province"], chosen["code"]
        address.write_parameters({"of": None, "province": province, "code": code})
        st.rerun()


def _list_shortage_titles() -> dict[str, str]:
    """The columns of the list, in order, with their titles; the download has all columns."""
    return {
        "rank": t("Rank"),
        "named": t("Occupation"),
        "province": t("Province"),
        "gap": t("Missing"),
        "interval": t("80 % interval"),
        "positions": t("Positions open"),
        "stock": t("In work"),
        "retiring": t("Retiring"),
        "moved": t("Moving away"),
        "rising": t("Rising"),
        "mentors": t("Mentors"),
        "mentor_years": t("Mentor-years"),
    }


def _translate_shortages(
    rows: pl.DataFrame, names: Mapping[str, str], language: Language
) -> pl.DataFrame:
    """The rows with codes as words and figures as integers."""
    counts = ("gap", "retiring", "rising", "mentor_years", "gap_low", "gap_high")
    moved = (pl.col("moving_out") - pl.col("moving_in")).round().cast(pl.Int64)
    return rows.with_columns(
        moved.alias("moved"),
        *(pl.col(name).round().cast(pl.Int64) for name in counts),
    ).with_columns(
        named=pl.col("code").replace(names).fill_null(t("not stated")),
        province=pl.col("province")
        .replace(translate_labels(PROVINCES, language))
        .fill_null(t("not stated")),
        interval=pl.format("{} \N{EN DASH} {}", "gap_low", "gap_high"),
    )


def _draw_shortage_list(
    rows: pl.DataFrame,
    names: Mapping[str, str],
    policy: Policy,
    asked: tuple[int, str, str | None],
    language: Language,
) -> None:
    frame.draw_heading(t("By rank of shortage"), t("persons"))
    titles = _list_shortage_titles()
    few = rows.head(MAX_LISTED_SHORTAGES)
    shown = _translate_shortages(few, names, language).select(list(titles)).rename(titles)
    cell = draw_sortable_list(
        shown,
        key="shortages_table",
        row_height=SHORTAGE_ROW_PX,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        height=min(SHORTAGE_ROW_PX * (few.height + 1) + 2, 430),
    )
    if frame.is_newly_chosen("shortages_table", cell) and cell is not None:
        code, province = few.select("code", "province").row(cell[0])
        # Without a province in the address the panel would open the nation's row.
        place = shortages.UNSTATED_PROVINCE if province is None else province
        address.write_parameters({"code": code, "province": place})
        st.rerun()
    year, kind, province = asked
    filters = {"year": str(year), "of": kind, "province": province or "", "seed": str(DEFAULT_SEED)}
    about = talent_figures.build_page_about(policy, {n: v for n, v in filters.items() if v})
    caption = t(
        "{n} of {all} rows; a click on a line opens it.",
        n=format_count(few.height),
        all=format_count(rows.height),
    )
    with frame.draw_exhibit_foot(SHORTAGES_PAGE, caption):
        labels = {n: translate_label(words, language) for n, words in shortages.COLUMNS.items()}
        downloads.draw_download_buttons(rows.rename(labels), about, SHORTAGES_PAGE, main=True)


# --- one row, and its people --------------------------------------------------------------------


def _draw_row_panel(
    found: Shortages,
    policy: Policy,
    asked: tuple[int, str, str | None, str | None],
    names: Mapping[str, str],
    language: Language,
) -> None:
    """How the figures of the row that the address names come about, and the people behind it."""
    year, kind, province, code = asked
    area = "nation" if province is None else "province"
    rows = shortages.select_shortages(found.rows, kind, area, year, province)
    chosen = rows.filter(pl.col("code") == code) if code else rows.clear()
    if chosen.is_empty():
        frame.draw_heading(t("One occupation"))
        hint = t("Click a cell or a line to see how a gap comes about, and who is behind it.")
        if code:
            hint = t("Nobody is in work here, and no position is open.")
        frame.draw_muted(hint)
        return
    row: dict[str, Any] = chosen.row(0, named=True)
    where = t("The nation") if province is None else _format_place(province, language)
    frame.draw_heading(names.get(row["code"], row["code"]), where)
    frame.draw_html(frame.render_facts(_list_row_facts(row), "sc-wide"))
    frame.draw_muted(_explain_mentor_years(row))
    _draw_row_people(found, policy, (year, province, row["code"]), language)


def _list_row_facts(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    moved = None if row["moving_out"] is None else row["moving_out"] - row["moving_in"]
    facts = [
        (t("High-skilled in work"), format_count(row["stock"])),
        (t("Retiring by the year's end"), _format_expected(row["retiring"])),
        (t("Moving away, less those moving in"), _format_expected(moved)),
        (t("Becoming high-skilled"), _format_expected(row["rising"])),
        (t("In work at the year's end"), _format_expected(row["supply"])),
        (t("Positions open"), format_count(row["positions"])),
        (t("Missing"), _format_expected(row["gap"])),
        (t("Mentors in place"), format_count(row["mentors"])),
    ]
    if row["gap_low"] is not None:
        low, high = (_format_expected(row[name]) for name in ("gap_low", "gap_high"))
        facts.insert(7, (t("80 % interval"), f"{low} \N{EN DASH} {high}"))
    return facts


def _format_expected(value: float | None) -> str:
    """An expected number: an integer, or with a decimal where it is below ten."""
    if value is None:
        return NO_VALUE_DASH
    return f"{value:.1f}" if abs(value) < 10 else format_count(round(value))


def _explain_mentor_years(row: Mapping[str, Any]) -> str:
    if row["raised_per_year"] is None:
        return t(
            "Fewer than {n} apprentices became high-skilled in the window, here and in the nation: "
            "too few to say how many mentor-years close the gap.",
            n=shortages.MIN_RAISED,
        )
    rate = f"{row['raised_per_year']:.2f}"
    sentence = t("A mentor-year raised {rate} in this row.", rate=rate)
    if row["rate_of"] == "nation":
        sentence = t("A mentor-year raised {rate} in the nation; too few here to tell.", rate=rate)
    if row["mentor_years"] is None:
        return sentence
    years = _format_expected(row["mentor_years"])
    return join_sentences(sentence, t("{n} mentor-years would close the gap.", n=years))


def _list_row_people(
    found: Shortages,
    policy: Policy,
    part: shortages.ShortagePart,
    asked: tuple[int, str | None, str],
) -> tuple[pl.DataFrame, bool]:
    """The people of a part of the row, and whether some are not listed for the visitor's role."""
    year, province, code = asked
    rows = shortages.list_shortage_people(
        graph_state.fetch_snapshot(), policy, found, part, year, code=code, province=province
    )
    if identify_visitor().may("cypher"):
        return rows, False
    return list_told_people(rows, found.rows, part, year, code=code, province=province)


def _draw_row_people(
    found: Shortages,
    policy: Policy,
    asked: tuple[int, str | None, str],
    language: Language,
) -> None:
    titles = {"leaving": t("Leaving"), "rising": t("Rising"), "mentors": t("Mentors")}
    part = address.draw_required_choice(
        SHORTAGES_PAGE, "people", t("Who is behind it"), titles, "leaving"
    )
    assert part in get_args(shortages.ShortagePart)
    year, province, code = asked
    rows, hidden = _list_row_people(found, policy, part, asked)  # type: ignore[arg-type]
    if hidden:
        frame.draw_muted(_explain_hidden_people())
    if rows.is_empty():
        if not hidden:
            frame.draw_muted(t("Nobody is on record."))
        return
    few = rows.head(MAX_LISTED_PEOPLE)
    labels = {
        "name": t("Name"),
        "level": t("Level"),
        "year": t("Year"),
        "other_year": t("Or in"),
        "chance": t("Chance"),
        "apprentices": t("Apprentices (persons)"),
    }
    shown = few.with_columns(
        (pl.format("{}%", (100 * pl.col("chance")).round().cast(pl.Int64)).alias("chance"))
        if "chance" in few.columns
        else pl.lit(None).alias("chance")
    )
    columns = [name for name in labels if name in few.columns]
    listed = shown.select(columns).rename({name: labels[name] for name in columns})
    cell = draw_sortable_list(
        terms.with_pinyin(listed, labels["name"]),
        key=f"shortages_people_{part}",
        row_height=SHORTAGE_ROW_PX,
        width="stretch",
        placeholder=NO_VALUE_DASH,
        height=min(SHORTAGE_ROW_PX * (few.height + 1) + 2, 320),
    )
    if frame.is_newly_chosen(f"shortages_people_{part}", cell) and cell is not None:
        frame.switch_to_page("talent", id=few["person_id"][cell[0]])
    filters = {"year": str(year), "code": code, "province": province or "", "people": part}
    about = talent_figures.build_page_about(policy, {n: v for n, v in filters.items() if v})
    words = {n: translate_label(w, language) for n, w in shortages.PEOPLE_COLUMNS.items()}
    caption = t("{n} of {all}", n=format_count(few.height), all=format_count(rows.height))
    with frame.draw_exhibit_foot("shortages_people", caption):
        downloads.draw_download_buttons(rows.rename(words, strict=False), about, "shortage_people")


def _draw_missing(found: Shortages, year: int) -> None:
    """What the figures leave out, in persons."""
    missing = shortages.describe_missing(found.rows, year)
    frame.draw_heading(t("What the records do not say"), t("high-skilled people in work"))
    words = {
        "without_demand": t("no demand row for their occupation, province and year"),
        "unknown_retirement": t("no single retirement month"),
        "no_place": t("no province or occupation"),
    }
    stock = format_count(missing["stock"])
    named = [
        (title, t("{n} of {all}", n=format_count(missing[name]), all=stock))
        for name, title in words.items()
        if missing[name] is not None
    ]
    frame.draw_html(frame.render_facts(named, "sc-wide"))
    frame.draw_muted(
        t(
            "A woman who may be a worker or a cadre counts half between her two months; the others "
            "without a month are not counted as retiring."
        )
    )
