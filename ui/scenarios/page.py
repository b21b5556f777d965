"""Scenarios: what a change would do to every figure, beside the revision as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.programme import departures
from graph.scenario.changes import (
    CHANGE_FORMS,
    Scenario,
    build_change_table,
)
from graph.scenario.comparison import (
    HEADLINE_FIGURES,
    SUCCESSION_FIGURES,
    ScenarioComparison,
    find_succession_day,
)
from graph.scenario.stored_comparison import has_comparison, load_comparison
from graph.tabular import About
from ui.controls import downloads
from ui.reading import cached_metrics, talent_figures
from ui.scenarios import builder
from ui.shell import frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor, record_personal_read
from ui.words.i18n import current_language, t, translate_label, translate_message
from ui.words.numbers import format_count, format_day, render_bold
from ui.words.terms import format_person_name

MAX_LISTED_ROWS: Final = 40
MINUS_SIGN: Final = "\N{MINUS SIGN}"


@frame.page
def page() -> None:
    """The page: of one scenario, or of up to three beside each other."""
    policy = current_policy()
    head = st.container()
    scenarios = builder.choose_scenarios(policy)
    if not scenarios:
        with head:
            frame.draw_lead(t("What if somebody leaves, a studio opens, a mentorship begins?"))
            frame.draw_under_lead(
                escape(
                    t(
                        "Name who leaves, or state changes below. Nothing is written into the "
                        "graph: the same engine counts once more with the changes."
                    )
                )
            )
        return
    found = _compare_all(scenarios, policy)
    if found is None:
        with head:
            frame.draw_lead(t("The scenario is being worked out."))
        return
    with head:
        frame.draw_lead("<br>".join(_render_answer(one) for one in found))
        frame.draw_under_lead(escape(_describe_comparison_basis(found[0])))
    _draw_figures(found, policy)
    for one in found:
        _draw_details(one, policy, titled=len(found) > 1)


def _compare_all(scenarios: Sequence[Scenario], policy: Policy) -> list[ScenarioComparison] | None:
    """The comparisons; None while one of them is computed in the background.

    Succession is measured on one day in all of them, the latest, so that "Now" is the same.
    """
    steward = identify_visitor().sees_personal_data
    small, found = cached_metrics.is_network_small(), []
    day = find_succession_day(policy, scenarios)
    for one in scenarios:
        work = partial(_fetch_comparison, one.id, policy, steward, day, one)
        stored = has_comparison(
            graph_state.fetch_snapshot(), policy, one, steward=steward, succession_day=day
        )
        key = ("scenario", graph_state.fetch_graph_state(), policy, one.id, steward, day)
        if not cached_metrics.ensure_background_job(key, small or stored, work, one.name):
            return None
        record_personal_read("scenario", scenario=one.id)
        with st.spinner(t("Counting with the changes")):
            # The same changes may have been looked at under another name.
            found.append(replace(work(), scenario=one))
    return found


@graph_state.cache_by_graph_state(max_entries=12, resource=True)
def _fetch_comparison(
    id: str, policy: Policy, steward: bool, day: date, _scenario: Scenario
) -> ScenarioComparison:
    snapshot = graph_state.fetch_snapshot()
    return load_comparison(snapshot, policy, _scenario, steward=steward, succession_day=day)


# --- the answer --------------------------------------------------------------------------------


def _format_difference(difference: float) -> str:
    """With its sign; 0 is "no change"."""
    n = round(difference)
    if n == 0:
        return "0"
    return f"+{format_count(n)}" if n > 0 else f"{MINUS_SIGN}{format_count(-n)}"


def _select_figure(table: pl.DataFrame, figure: str) -> dict[str, int]:
    row: dict[str, int] = table.filter(pl.col("figure") == figure).row(0, named=True)
    return row


def _render_answer(one: ScenarioComparison) -> str:
    """The page's sentence on one scenario (HTML): what changes, and nothing else."""
    clauses = _list_changed_figures(one) or [t("no figure of the overview changes")]
    name = render_bold(escape(one.scenario.name))
    return t("{name}: {changes}.", name=name, changes=t("; ").join(clauses))


def _list_changed_figures(one: ScenarioComparison) -> list[str]:
    """What changes, a clause each (HTML)."""
    driven = _select_figure(one.headline, "driven_persons")["difference"]
    apprentices = _select_figure(one.succession, "apprentices")["difference"]
    lost, studios = int((one.lost_mentors["mentors_after"] == 0).sum()), one.lost_leaders.height
    clauses = []
    if driven:
        n = render_bold(_format_difference(driven))
        clauses.append(t("{n} persons driven so far", n=n))
    if lost:
        n = render_bold(format_count(lost))
        clauses.append(t("{n} occupations lose their last mentor in a province", n=n))
    if studios:
        n = render_bold(format_count(studios))
        clauses.append(t("{n} studios lose their leader", n=n))
    if apprentices:
        n = render_bold(_format_difference(apprentices))
        clauses.append(t("{n} apprentices with a mentor in place", n=n))
    nation = None if one.landing is None else one.landing.summarize().row(0, named=True)
    if nation is not None and (nation["low_80"] or nation["high_80"]):
        clauses.append(
            t(
                "{n} persons against the forecast for {day} (80 %: {low} to {high})",
                day=format_day(one.policy.window_end),
                n=render_bold(_format_difference(nation["median"])),
                low=_format_difference(nation["low_80"]),
                high=_format_difference(nation["high_80"]),
            )
        )
    return clauses


def _describe_comparison_basis(one: ScenarioComparison) -> str:
    return t(
        "Counted on revision {revision} with the changes put in; nothing is written. Succession is "
        "as of {day}.",
        revision=one.revision,
        day=format_day(one.succession_day),
    )


# --- figures -----------------------------------------------------------------------------------


def _draw_figures(found: Sequence[ScenarioComparison], policy: Policy) -> None:
    """Every figure now, and in each scenario with its difference."""
    language = current_language()
    frame.draw_heading(t("Figures"), t("now, and in the scenario"))
    body = []
    for figures, tables in (
        (HEADLINE_FIGURES, [one.headline for one in found]),
        (SUCCESSION_FIGURES, [one.succession for one in found]),
    ):
        for figure, words in figures.items():
            rows = [_select_figure(table, figure) for table in tables]
            cells = "".join(_render_figure_cells(row) for row in rows)
            body.append(
                f"<tr><td>{escape(translate_label(words, language))}</td>"
                f'<td class="n">{format_count(rows[0]["before"])}</td>{cells}</tr>'
            )
    heads = [t("Now")]
    for one in found:
        heads += [one.scenario.name, t("Difference")]
    frame.draw_figure_table("", heads, body)
    with frame.draw_exhibit_foot("scenario_figures"):
        table = pl.concat(
            one.table().with_columns(pl.lit(one.scenario.name).alias("scenario")) for one in found
        )
        downloads.draw_download_buttons(
            table, _build_about(found[0], policy), "scenario", main=True
        )


def _render_figure_cells(row: dict[str, int]) -> str:
    return (
        f'<td class="n">{format_count(row["after"])}</td>'
        f'<td class="n"><b>{_format_difference(row["difference"])}</b></td>'
    )


def _build_about(one: ScenarioComparison, policy: Policy) -> About:
    stated = {"scenario": one.scenario.id, "name": one.scenario.name}
    return talent_figures.build_page_about(policy, stated)


# --- details ----------------------------------------------------------------------------------


def _draw_details(one: ScenarioComparison, policy: Policy, *, titled: bool) -> None:
    frame.draw_rule()
    if titled:
        frame.draw_heading(one.scenario.name, t("in detail"))
    left, right = st.columns(2, gap="large")
    with left:
        _draw_talents(one, policy)
        _draw_provinces(one, policy)
    with right:
        _draw_stakes(one, policy)
        _draw_lost_mentors(one, policy)
        _draw_lost_leaders(one)
        _draw_landing(one)
        _draw_changes(one, policy)


def _draw_talents(one: ScenarioComparison, policy: Policy) -> None:
    frame.draw_heading(t("Leading talents whose figures change"), t("persons"))
    rows = one.talents
    if rows.is_empty():
        frame.draw_muted(t("None: what they drive so far stays as it is."))
        return
    body = [
        f"<tr><td>{_render_changed_talent(row)}</td>"
        f'<td class="n">{format_count(row["driven_before"])}</td>'
        f'<td class="n">{format_count(row["driven_after"])}</td>'
        f'<td class="n"><b>{_format_difference(row["driven_difference"])}</b></td>'
        f'<td class="n">{_format_difference(row["pending_difference"])}</td></tr>'
        for row in rows.head(MAX_LISTED_ROWS).iter_rows(named=True)
    ]
    heads = (t("Driven now"), t("Scenario"), t("Difference"), t("Pending, difference"))
    frame.draw_figure_table(t("Name"), heads, body)
    caption = t(
        "{n} of {all}",
        n=format_count(min(rows.height, MAX_LISTED_ROWS)),
        all=format_count(rows.height),
    )
    with frame.draw_exhibit_foot(f"scenario_talents_{one.scenario.id}", caption):
        downloads.draw_download_buttons(
            rows, _build_about(one, policy), f"scenario_talents_{one.scenario.id}"
        )


def _render_changed_talent(row: dict[str, Any]) -> str:
    return frame.render_page_anchor("talent", format_person_name(row["name"]), id=row["talent_id"])


def _draw_provinces(one: ScenarioComparison, policy: Policy) -> None:
    frame.draw_heading(t("By province"), t("where the workers are"))
    landing = None if one.landing is None else one.landing.summarize()
    rows = one.provinces
    if landing is not None:
        rows = rows.join(
            landing.rename({"median": "landing"}), on="province", how="left", nulls_equal=True
        ).with_columns(pl.col("landing").fill_null(0))
    moved = [name for name in rows.columns if name.endswith("_difference") or name == "landing"]
    rows = rows.filter(pl.any_horizontal(pl.col(name) != 0 for name in moved))
    if rows.is_empty():
        frame.draw_muted(t("No province's figures change."))
        return
    language = current_language()
    body = []
    for row in rows.iter_rows(named=True):
        code = row["province"]
        name = translate_label(PROVINCES[code], language) if code in PROVINCES else t("not stated")
        ahead = _format_difference(row["landing"]) if landing is not None else "\N{EM DASH}"
        body.append(
            f"<tr><td>{escape(name)}</td>"
            f'<td class="n">{_format_difference(row["driven_persons_difference"])}</td>'
            f'<td class="n">{_format_difference(row["pending_difference"])}</td>'
            f'<td class="n">{ahead}</td></tr>'
        )
    heads = (t("Driven so far"), t("Pending"), t("Forecast"))
    frame.draw_figure_table(t("Province"), heads, body)
    with frame.draw_exhibit_foot(f"scenario_provinces_{one.scenario.id}"):
        downloads.draw_download_buttons(
            one.provinces, _build_about(one, policy), f"scenario_provinces_{one.scenario.id}"
        )


def _draw_stakes(one: ScenarioComparison, policy: Policy) -> None:
    """What hangs on those who leave, by the rule of the Departures page."""
    leavers = [*one.last_days]
    snapshot, steward = graph_state.fetch_snapshot(), identify_visitor().sees_personal_data
    stored = departures.has_departure_stakes(snapshot, policy, steward=steward)
    if not leavers or not (stored or cached_metrics.is_network_small()):
        return
    stakes = departures.load_departure_stakes(snapshot, policy, steward=steward)
    people = snapshot.frames["people"].select("person", "person_id", "name")
    named = people.filter(pl.col("person_id").is_in(leavers)).collect()
    rows = named.join(stakes, on="person", how="left").sort(
        "irreplaceable", "person_id", descending=[True, False], nulls_last=True
    )
    frame.draw_heading(t("What hangs on those who leave"), t("as of the policy's day"))
    body = [
        f"<tr><td>{escape(format_person_name(row['name']))}</td>"
        f'<td class="n">{format_count(row["irreplaceable"] or 0)}</td>'
        f'<td class="n">{format_count(row["key_studios"] or 0)}</td>'
        f'<td class="n">{format_count(row["apprentices"] or 0)}</td></tr>'
        for row in rows.head(MAX_LISTED_ROWS).iter_rows(named=True)
    ]
    heads = (t("Lost (persons)"), t("Studios at risk"), t("Apprentices (persons)"))
    frame.draw_figure_table(t("Name"), heads, body)
    frame.draw_muted(
        t("Lost: driven workers who would have no chain to any leading talent without the person.")
    )


def _draw_lost_mentors(one: ScenarioComparison, policy: Policy) -> None:
    frame.draw_heading(t("Occupations that lose mentors"), t("none or one is left"))
    rows = one.lost_mentors
    if rows.is_empty():
        frame.draw_muted(t("None."))
        return
    language = current_language()
    body = [
        f"<tr><td>{escape(row['occupation'] or row['occupation_code'])}<br>"
        f'<span class="sc-muted">{escape(translate_label(PROVINCES[row["province"]], language))}'
        f'</span></td><td class="n">{format_count(row["mentors_before"])}</td>'
        f'<td class="n"><b>{format_count(row["mentors_after"])}</b></td></tr>'
        for row in rows.head(MAX_LISTED_ROWS).iter_rows(named=True)
    ]
    frame.draw_figure_table(t("Occupation"), (t("Mentors now"), t("Scenario")), body)
    with frame.draw_exhibit_foot(f"scenario_mentors_{one.scenario.id}"):
        downloads.draw_download_buttons(
            rows, _build_about(one, policy), f"scenario_mentors_{one.scenario.id}"
        )


def _draw_lost_leaders(one: ScenarioComparison) -> None:
    if one.lost_leaders.is_empty():
        return
    frame.draw_heading(t("Studios left without a leader"))
    body = [
        f"<tr><td>{_render_leaderless_studio(row)}</td></tr>"
        for row in one.lost_leaders.head(MAX_LISTED_ROWS).iter_rows(named=True)
    ]
    frame.draw_figure_table(t("Studio"), (), body)


def _render_leaderless_studio(row: dict[str, Any]) -> str:
    id = row["studio_id"]
    return frame.render_page_anchor("places", row["name"] or id, id=id)


def _list_landing_part_titles() -> dict[str, str]:
    return {
        "counted": t("Counted already"),
        "pending": t("Pending, who will rise"),
        "ceased": t("Not taken on by those who leave"),
        "pace": t("At another pace"),
    }


def _draw_landing(one: ScenarioComparison) -> None:
    frame.draw_heading(t("Against the forecast"), t("persons by the window's end"))
    if one.landing is None:
        if one.no_landing is not None:
            frame.draw_muted(translate_message(one.no_landing))
        return
    titles = _list_landing_part_titles()
    parts = one.landing.parts.rows(named=True)
    nation = one.landing.summarize().row(0, named=True)
    named = [(titles[row["part"]], row) for row in parts] + [(t("Together"), nation)]
    body = [
        f'<tr><td>{escape(title)}</td><td class="n"><b>{_format_difference(row["median"])}</b></td>'
        f'<td class="n sc-muted">{_format_difference(row["low_80"])} \N{EN DASH} '
        f"{_format_difference(row['high_80'])}</td></tr>"
        for title, row in named
    ]
    frame.draw_figure_table("", (t("Median"), t("80 % interval")), body)
    frame.draw_muted(
        t(
            "By the forecast's own model. Nobody is taken to stand in for those who leave, and "
            "further promotions are not followed."
        )
    )


def _draw_changes(one: ScenarioComparison, policy: Policy) -> None:
    language = current_language()
    changes = one.scenario.changes
    frame.draw_heading(t("The changes"), format_count(len(changes)))
    body = []
    for change in changes[:MAX_LISTED_ROWS]:
        stated = {k: v for k, v in change.as_dict().items() if k not in ("change", "on")}
        values = " · ".join(str(value) for value in stated.values())
        day = "" if change.on is None else format_day(change.on)
        body.append(
            f"<tr><td>{escape(CHANGE_FORMS[change.kind].words.said(language))}</td>"
            f"<td>{escape(values)}</td><td>{escape(day)}</td></tr>"
        )
    frame.draw_figure_table("", ("", ""), body)
    with frame.draw_exhibit_foot(f"scenario_changes_{one.scenario.id}"):
        downloads.draw_download_buttons(
            build_change_table(changes),
            _build_about(one, policy),
            f"scenario_changes_{one.scenario.id}",
        )
