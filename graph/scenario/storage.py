"""Saved scenarios: entries of the notebook, found by id or by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from graph.errors import UsageError
from graph.programme.notebook import Notebook
from graph.scenario.changes import Scenario, parse_scenario

SCENARIO_ENTRY_KIND: Final = "scenario"


@dataclass(frozen=True)
class SavedScenario:
    """A saved scenario: its entry's number, who saved it and when (ISO 8601, UTC)."""

    entry: int
    owner: str
    saved_at: str
    scenario: Scenario


def save_scenario(notebook: Notebook, owner: str, scenario: Scenario) -> SavedScenario:
    """Saves it; one of the same changes takes the new name."""
    entry = notebook.add(SCENARIO_ENTRY_KIND, owner, scenario.id, scenario.as_dict())
    return SavedScenario(entry.id, owner, entry.made_at, scenario)


def list_saved_scenarios(notebook: Notebook) -> list[SavedScenario]:
    """The saved scenarios, the newest first; one that cannot be read is left out."""
    found = []
    for entry in notebook.standing(SCENARIO_ENTRY_KIND).values():
        try:
            scenario = parse_scenario(entry.body)
        except UsageError:
            continue
        found.append(SavedScenario(entry.id, entry.owner, entry.made_at, scenario))
    return sorted(found, key=lambda saved: -saved.entry)


def find_saved_scenario(notebook: Notebook, wanted: str) -> SavedScenario:
    """The one of this id, or the newest of this name. Raises `UsageError` when there is none."""
    for saved in list_saved_scenarios(notebook):
        if wanted in (saved.scenario.id, saved.scenario.name):
            return saved
    raise UsageError(
        "There is no saved scenario {name!r}: `shicheng scenario list` names them.", name=wanted
    )


def delete_scenario(notebook: Notebook, owner: str, id: str) -> bool:
    """Takes away every entry of the owner's own for it; whether there was one."""
    entries = notebook.entries(SCENARIO_ENTRY_KIND, owner=owner, subject=id)
    return any([notebook.remove(entry.id, owner) for entry in entries])
