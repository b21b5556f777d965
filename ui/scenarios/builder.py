"""Putting a scenario together on the page: who leaves, further changes, saving."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

import streamlit as st

from graph.errors import UsageError
from graph.model.vocabularies import PROVINCES
from graph.policy import Policy
from graph.scenario.changes import (
    CHANGE_FORMS,
    FIELD_WORDS,
    Change,
    Scenario,
    parse_changes,
    parse_scenario_name,
)
from graph.scenario.storage import SavedScenario, list_saved_scenarios, save_scenario
from ui.controls import people_picker
from ui.shell import address, frame
from ui.shell.graph_state import open_notebook
from ui.shell.visitor import identify_visitor
from ui.words.i18n import current_language, t, translate_message

SCENARIOS_PAGE: Final = "scenarios"
SAVED_PARAMETER: Final = "scenario"
DAY_PARAMETER: Final = "on"
MAX_COMPARED_SCENARIOS: Final = 3
MAX_LEAVERS: Final = 50
EDITOR_ROWS: Final = 3


def choose_scenarios(policy: Policy) -> list[Scenario]:
    """The scenarios to look at: those saved that the address names, or the one being built."""
    saved = {one.scenario.id: one for one in list_saved_scenarios(open_notebook())}
    chosen = [saved[id] for id in _draw_saved_choice(saved)]
    if chosen:
        return [one.scenario for one in chosen][:MAX_COMPARED_SCENARIOS]
    built = _draw_builder(policy)
    return [built] if built is not None and built.changes else []


def _draw_saved_choice(saved: dict[str, SavedScenario]) -> list[str]:
    if not saved:
        asked = st.query_params.get(SAVED_PARAMETER)
        if asked:
            address.record_address_fault(SAVED_PARAMETER, asked, "unknown")
        return []
    names = {id: one.scenario.name for id, one in saved.items()}
    return address.draw_multi_select(
        SCENARIOS_PAGE,
        SAVED_PARAMETER,
        t("Saved scenarios, up to three beside each other"),
        names,
        (),
    )


def _draw_builder(policy: Policy) -> Scenario | None:
    """The scenario that the controls state; None where one of them cannot be used."""
    frame.draw_heading(t("Who leaves"), t("and on which day"))
    leavers = people_picker.list_chosen_people()[:MAX_LEAVERS]
    day = _draw_day(policy)
    people_picker.draw_people_picker(leavers, MAX_LEAVERS, key="leavers")
    changes = [Change("leave", day, person_id=id) for id in leavers]
    with st.expander(t("Further changes")):
        further = _draw_changes_editor()
    if further is None:
        return None
    scenario = Scenario(t("This scenario"), (*changes, *further))
    if scenario.changes:
        _draw_save(scenario)
    return scenario


def _draw_day(policy: Policy) -> date:
    asked = st.query_params.get(DAY_PARAMETER)
    try:
        default = date.fromisoformat(asked) if asked else policy.as_of
    except ValueError:
        address.record_address_fault(DAY_PARAMETER, asked or "")
        default = policy.as_of
    chosen = st.date_input(
        t("Last day"),
        value=default,
        min_value=date(1950, 1, 1),
        max_value=date(2100, 12, 31),
        format="YYYY-MM-DD",
        key="scenario_day",
        width=210,
    )
    day = chosen if isinstance(chosen, date) else default
    address.write_parameter(DAY_PARAMETER, day.isoformat(), policy.as_of.isoformat())
    return day


def _draw_changes_editor() -> tuple[Change, ...] | None:
    """The rows of the table of changes; None where one is wrong, which is said."""
    language = current_language()
    offered = {form.words.said(language): kind for kind, form in CHANGE_FORMS.items()}
    config: dict[str, Any] = {
        name: st.column_config.TextColumn(words.said(language))
        for name, words in FIELD_WORDS.items()
    }
    config["change"] = st.column_config.SelectboxColumn(
        FIELD_WORDS["change"].said(language), options=list(offered), width="medium"
    )
    config["on"] = st.column_config.DateColumn(
        FIELD_WORDS["on"].said(language), format="YYYY-MM-DD"
    )
    config["province"] = st.column_config.SelectboxColumn(
        FIELD_WORDS["province"].said(language), options=list(PROVINCES)
    )
    config["attribute"] = st.column_config.SelectboxColumn(
        FIELD_WORDS["attribute"].said(language),
        options=["province", "industry", "occupation_group"],
    )
    config["factor"] = st.column_config.NumberColumn(
        FIELD_WORDS["factor"].said(language), min_value=0.0, max_value=10.0
    )
    frame.draw_muted(
        t(
            "A row a change. A mentorship has the mentor as person and the apprentice as other "
            "person; a new leader is the person, the one before, where named, the other."
        )
    )
    rows = st.data_editor(
        [dict.fromkeys(FIELD_WORDS) for _ in range(EDITOR_ROWS)],
        column_config=config,
        num_rows="dynamic",
        hide_index=True,
        key=f"scenario_changes_{language}",
    )
    try:
        return parse_changes([row | {"change": offered.get(row["change"] or "")} for row in rows])
    except UsageError as error:
        frame.draw_note(t("A change cannot be used"), translate_message(error))
        return None


def _draw_save(scenario: Scenario) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="scenario_save"):
        name = st.text_input(
            t("Scenario name"),
            key="scenario_name",
            max_chars=80,
            placeholder=t("Name to save it under"),
            width=280,
        )
        st.button(
            t("Save, to share it by a link"),
            key="scenario_save_button",
            disabled=not (name or "").strip(),
            on_click=_save_built_scenario,
            args=(scenario,),
        )


def _save_built_scenario(scenario: Scenario) -> None:
    name = parse_scenario_name(st.session_state["scenario_name"])
    saved = save_scenario(open_notebook(), identify_visitor().id, scenario.renamed(name))
    address.write_parameter(SAVED_PARAMETER, saved.scenario.id)
    people_picker.write_chosen_people([])
    address.clear_parameters(DAY_PARAMETER)
