"""Pairing: the new mentorships and studios that add most, to accept or reject."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from html import escape
from typing import Any, Final

import polars as pl
import streamlit as st

from graph.forecast import pairing
from graph.forecast.pairing import Pairing
from graph.forecast.pairing_rules import PairingRules
from graph.messages import Language
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.programme.notebook import PAIR_SEPARATOR
from graph.programme.pair_decisions import (
    PAIRING_SCOPE,
    STUDIO_SCOPE,
    build_accepted_changes,
)
from graph.scenario.changes import Scenario, parse_changes
from graph.scenario.storage import save_scenario
from ui.controls import decisions, downloads
from ui.pairing import studio_proposals
from ui.reading import cached_metrics, talent_figures
from ui.shell import address, frame, graph_state
from ui.shell.policy_form import current_policy
from ui.shell.visitor import identify_visitor
from ui.words.i18n import (
    current_language,
    override_language,
    t,
    translate_label,
    translate_labels,
)
from ui.words.numbers import (
    NO_VALUE_DASH,
    format_count,
    format_day,
    format_persons,
    render_bold,
)
from ui.words.terms import format_person_name, list_term_translations, name_width, with_pinyin

PAIRING_PAGE: Final = "pairing"
LINK_CHOICES: Final = ("20", "50", "100", "500", "2000")
CAPACITY_CHOICES: Final = ("2", "3", "5")
STUDIO_CHOICES: Final = ("0", "5", "10", "20", "50")
MEMBER_CHOICES: Final = ("5", "10", "20")


@frame.page
def page() -> None:
    """The page: under the rules that the address has."""
    policy, language = current_policy(), current_language()
    head = st.container()
    rules, decision_place = _draw_pairing_controls(language)
    found = cached_metrics.fetch_or_explain(
        head,
        t("Looking for pairs"),
        t("No pairs can be proposed."),
        lambda: _fetch_pairing(policy, rules) if _ensure_pairing(policy, rules) else None,
    )
    if found is None:
        return
    with head:
        frame.draw_lead(_render_pairing_answer(found, policy, language))
        frame.draw_under_lead(escape(_describe_pairing(found)))
    with decision_place:
        kinds = {"pairs": t("Mentorships"), "studios": t("New studios")}
        kind = address.draw_required_choice(
            PAIRING_PAGE, "of", t("Proposals"), kinds, "pairs", leaves=("person",)
        )
    left, right = st.columns([790, 330], gap="medium")
    draw = _draw_pair_proposals if kind == "pairs" else _draw_studio_proposals
    draw((left, right, decision_place), found, policy, rules, language)
    with right:
        frame.draw_rule()
        _draw_accepted(policy)


def _draw_pair_proposals(
    places: tuple[Any, Any, Any],
    found: Pairing,
    policy: Policy,
    rules: PairingRules,
    language: Language,
) -> None:
    """The list of pairs, and beside it the one that is chosen."""
    left, right, decision_place = places
    rows = decisions.join_decisions(_identify_pairs(found.links), PAIRING_SCOPE)
    with decision_place, st.container(width=150):
        shown, decided = decisions.filter_by_decision(rows, PAIRING_PAGE)
    with left:
        decisions.draw_decision_tally(rows, t("Decisions (pairs):"))
        ticked = _draw_pair_list(shown, language)
        _draw_pairing_downloads(shown, policy, rules, decided, language)
    with right, st.container(key="panel_pairing"):
        under = _build_pair_context(policy, rules)
        if len(ticked) > 1:
            decisions.draw_bulk_decision(PAIRING_SCOPE, ticked, under, key="pairing_table")
        else:
            _draw_pair_panel(rows, under, language)


def _draw_studio_proposals(
    places: tuple[Any, Any, Any],
    found: Pairing,
    policy: Policy,
    rules: PairingRules,
    language: Language,
) -> None:
    """The list of new studios, and beside it the one that is chosen with its members."""
    left, right, decision_place = places
    studios = studio_proposals.identify_studios(found.studios)
    rows = decisions.join_decisions(studios, STUDIO_SCOPE)
    with decision_place, st.container(width=150):
        shown, decided = decisions.filter_by_decision(rows, PAIRING_PAGE)
    filters = rules.as_dict() | ({"decision": decided} if decided else {})
    others = studio_proposals.find_changed_studios(found)
    with left:
        decisions.draw_decision_tally(rows, t("Decisions (studios):"))
        ticked = studio_proposals.draw_studio_list(shown, others, language)
        about = talent_figures.build_page_about(policy, filters)
        studio_proposals.draw_studio_downloads(shown, found.members, others, about, language)
    context = _build_pair_context(policy, rules)
    under = partial(studio_proposals.build_studio_context, found, context)
    with right, st.container(key="panel_pairing"):
        if len(ticked) > 1:
            decisions.draw_bulk_decision(STUDIO_SCOPE, ticked, under, key="studios_table")
        else:
            studio_proposals.draw_studio_panel(rows, found.members, others, under)


def _draw_pairing_controls(language: Language) -> tuple[PairingRules, Any]:
    """The rules, each in the address; and where what is listed is chosen."""
    links = {n: format_count(int(n)) for n in LINK_CHOICES}
    capacities = {n: n for n in CAPACITY_CHOICES}
    numbers = {n: n for n in STUDIO_CHOICES}
    sizes = {n: n for n in MEMBER_CHOICES}
    places = {"province": t("Province"), "enterprise": t("Enterprise")}
    families = {"occupation_group": t("Occupation group"), "occupation": t("Occupation")}
    with st.container(horizontal=True, vertical_alignment="bottom", key="pairing_filters"):
        most = address.draw_required_choice(PAIRING_PAGE, "links", t("Pairs at most"), links, "100")
        capacity = address.draw_required_choice(
            PAIRING_PAGE, "capacity", t("Apprentices a mentor"), capacities, "3"
        )
        studios = address.draw_required_choice(
            PAIRING_PAGE, "studios", t("New studios at most"), numbers, "5"
        )
        members = address.draw_required_choice(
            PAIRING_PAGE, "members", t("Members a studio"), sizes, "10"
        )
        place = address.draw_required_choice(
            PAIRING_PAGE, "place", t("Same place"), places, "province"
        )
        family = address.draw_required_choice(
            PAIRING_PAGE, "family", t("Same occupation"), families, "occupation_group"
        )
        with st.container(width=150):
            province = address.draw_optional_select(
                PAIRING_PAGE, "province", t("Province"), translate_labels(PROVINCES, language)
            )
        decision_place = st.container(horizontal=True, vertical_alignment="bottom", width="content")
    known = province if province in PROVINCES else None
    rules = PairingRules(
        int(most),
        int(capacity),
        "enterprise" if place == "enterprise" else "province",
        "occupation" if family == "occupation" else "occupation_group",
        known,
        int(studios),
        int(members),
    )
    return rules, decision_place


def _ensure_pairing(policy: Policy, rules: PairingRules) -> bool:
    snapshot = graph_state.fetch_snapshot()
    return cached_metrics.ensure_background_job(
        (PAIRING_PAGE, graph_state.fetch_graph_state(), policy, rules),
        cached_metrics.is_network_small() or pairing.has_pairing(snapshot, policy, rules),
        partial(pairing.load_pairing, snapshot, policy, rules),
        t("the pairs"),
    )


@graph_state.cache_by_graph_state(max_entries=8, resource=True)
def _fetch_pairing(policy: Policy, rules: PairingRules) -> Pairing:
    return pairing.load_pairing(graph_state.fetch_snapshot(), policy, rules)


def _render_pairing_answer(found: Pairing, policy: Policy, language: Language) -> str:
    """What the links add (HTML)."""
    if found.links.is_empty() and found.studios.is_empty():
        return t("Nobody without a mentor can be paired under these rules.")
    expected = round(found.expected)
    return t(
        "New mentorships: {n}; new studios: {studios}. They are expected to add {persons} by "
        "{day}; with 80 % probability {low} to {high}.",
        n=render_bold(format_count(found.links.height)),
        studios=render_bold(format_count(found.studios.height)),
        persons=render_bold(format_persons(expected, language), format_count(expected)),
        day=format_day(policy.window_end),
        low=format_count(found.low),
        high=format_count(found.high),
    )


def _describe_pairing(found: Pairing) -> str:
    return t(
        "Those that add most stand first. Mentors with places free: {mentors}, with {places} "
        "places. Leading talents who lead no studio and could open one: {leaders}. People in "
        "their places and occupations with neither a mentor nor a chain: {apprentices}. "
        "A proposal, not a decision.",
        leaders=format_count(found.leaders),
        mentors=format_count(found.mentors),
        places=format_count(found.places),
        apprentices=format_count(found.apprentices),
    )


def _identify_pairs(links: pl.DataFrame) -> pl.DataFrame:
    """The links with `person_id`, the pair as decisions name it, and the occupation's name."""
    names = graph_state.fetch_snapshot().frames["occupations"]
    named = names.select(occupation_code="code", occupation="name").unique("occupation_code")
    pair = pl.concat_str("mentor_id", "apprentice_id", separator=PAIR_SEPARATOR)
    return links.with_columns(person_id=pair).join(
        named.collect(), on="occupation_code", how="left", maintain_order="left"
    )


def _translate_pairs(rows: pl.DataFrame, language: Language) -> pl.DataFrame:
    return rows.select(
        pl.col("apprentice").alias("name"),
        mentor=pl.col("mentor"),
        gain=(100 * pl.col("gain")).round().cast(pl.Int64),
        level="level",
        record=pl.col("record").round(2),
        training="training",
        occupation=pl.col("occupation").replace(list_term_translations(language)),
        province=pl.col("province").replace(translate_labels(PROVINCES, language)),
        decision=pl.col("decision").replace_strict(
            decisions.list_marked_decisions(), default=NO_VALUE_DASH, return_dtype=pl.String
        ),
    )


def _draw_pair_list(shown: pl.DataFrame, language: Language) -> list[str]:
    """The list; which pairs are ticked."""
    if shown.is_empty():
        frame.draw_empty_state(
            t("No pair is here"), t("Take a filter away, or let a mentor have more apprentices.")
        )
        return []
    few = shown.head(decisions.MAX_LISTED_DECISIONS)
    config = st.column_config
    ticked = decisions.draw_decision_list(
        with_pinyin(_translate_pairs(few, language), "mentor"),
        few["person_id"],
        key="pairing_table",
        most=520,
        columns={
            "name": config.TextColumn(t("Apprentice"), width=name_width()),
            "mentor": config.TextColumn(t("Mentor"), width=name_width()),
            "gain": config.NumberColumn(
                t("Adds (%)"),
                width=76,
                help=t("Chance that the apprentice becomes a new driven worker by this pair"),
            ),
            "record": config.NumberColumn(
                t("Result"),
                format="%.2f",
                width=76,
                help=t(
                    "Promotions of the mentor's apprentices against those expected; 1: as expected"
                ),
            ),
            "training": config.NumberColumn(
                t("Has now"), width=84, help=t("Apprentices whom the mentor has now")
            ),
        },
    )
    frame.draw_muted(
        t(
            "{n} of {all} pairs; tick lines to decide.",
            n=format_count(few.height),
            all=format_count(shown.height),
        )
    )
    return ticked


def _draw_pair_panel(rows: pl.DataFrame, under: dict[str, str], language: Language) -> None:
    """The pair that the address names: both, why, and the decision."""
    asked = st.query_params.get("person")
    found = rows.filter(pl.col("person_id") == asked) if asked else rows.clear()
    if found.is_empty():
        frame.draw_heading(t("Which pair is chosen"))
        hint = t("Tick a line to see why, and decide; tick several to decide on them together.")
        frame.draw_muted(hint)
        return
    row: dict[str, Any] = found.row(0, named=True)
    frame.draw_heading(t("Mentor"))
    frame.draw_page_link("talent", _format_pair_name(row, "mentor"), id=row["mentor_id"])
    frame.draw_heading(t("Apprentice"))
    frame.draw_page_link("talent", _format_pair_name(row, "apprentice"), id=row["apprentice_id"])
    facts = [
        (t("Chance by the window's end"), f"{100 * row['chance']:.0f}%"),
        (t("Mentor's record"), f"{row['record']:.2f}"),
        (t("Adds (%)"), f"{100 * row['gain']:.0f}"),
        (t("The mentor's apprentices now"), format_count(row["training"])),
        (t("Begins on"), format_day(row["start"])),
    ]
    frame.draw_html(frame.render_facts(facts, "sc-wide"))
    decisions.draw_decision_panel(PAIRING_SCOPE, row["person_id"], under)


def _format_pair_name(row: Mapping[str, Any], role: str) -> str:
    return format_person_name(row[role] or row[f"{role}_id"])


def _build_pair_context(policy: Policy, rules: PairingRules) -> dict[str, str]:
    """The facts stored with each decision; the mentorship begins on the as-of day."""
    return {
        "start": policy.as_of.isoformat(),
        "policy": policy.id,
        "revision": str(graph_state.fetch_revision_number()),
        **rules.as_dict(),
    }


def _draw_pairing_downloads(
    shown: pl.DataFrame,
    policy: Policy,
    rules: PairingRules,
    decided: str | None,
    language: Language,
) -> None:
    filters = rules.as_dict() | ({"decision": decided} if decided else {})
    about = talent_figures.build_page_about(policy, filters)
    make = partial(_build_pairing_export, language=language)
    decisions.draw_decision_downloads(shown, make, about, PAIRING_PAGE)


def _build_pairing_export(few: pl.DataFrame, *, language: Language) -> pl.DataFrame:
    with override_language(language):
        labels = {n: translate_label(w, language) for n, w in pairing.COLUMNS.items()}
        return few.select(
            *(pl.col(name).alias(label) for name, label in labels.items()),
            *decisions.build_decision_export_columns(),
        )


def _draw_accepted(policy: Policy) -> None:
    """The accepted pairs and studios of all lists, as changes that a scenario can take."""
    changes = build_accepted_changes(graph_state.open_notebook())
    kinds = dict(changes.group_by("change").len().rows())
    pairs, studios = kinds.get("begin_mentorship", 0), kinds.get("open_studio", 0)
    frame.draw_heading(t("Accepted so far"), format_count(pairs + studios))
    if changes.is_empty():
        frame.draw_muted(t("What is accepted stands here, for a scenario to take."))
        return
    frame.draw_muted(
        t(
            "{pairs} mentorships and {studios} studios with their members, as changes of a "
            "scenario.",
            pairs=format_count(pairs),
            studios=format_count(studios),
        )
    )
    about = talent_figures.build_page_about(policy, {"decision": "accepted"})
    with frame.draw_exhibit_foot("pairing_accepted"):
        if st.button(t("What if these begin?"), key="pairing_scenario"):
            _open_accepted_scenario(changes)
        # The heads are those that a scenario reads.
        downloads.draw_download_buttons(changes, about, "mentorships_to_start")


def _open_accepted_scenario(changes: pl.DataFrame) -> None:
    """Saves the changes as a scenario, and goes there."""
    scenario = Scenario(t("Accepted proposals"), parse_changes(changes.to_dicts()))
    save_scenario(graph_state.open_notebook(), identify_visitor().id, scenario)
    frame.switch_to_page("scenarios", scenario=scenario.id)
