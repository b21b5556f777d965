"""Pairing on a loaded network: the command, the page, and the decisions between them."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl
from streamlit.testing.v1 import AppTest

from graph.forecast.pairing import compute_pairing
from graph.forecast.pairing_rules import PairingRules
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.programme.pair_decisions import format_pair, list_mentorships_to_start
from graph.scenario.storage import delete_scenario, list_saved_scenarios
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.shell import run_here
from tests.live.visiting import lead


def test_the_command_gives_the_links_and_the_accepted(
    network: Database, settings: Settings
) -> None:
    found = compute_pairing(take_snapshot(network, settings), Policy(), PairingRules(links=5))
    home = {"SHICHENG_HOME": str(settings.home)}
    done = run_here(["pairing", "--links", "5", "--json"], home)
    assert done.returncode == 0, done.stderr
    rows = pl.DataFrame(json.loads(done.stdout)["rows"], infer_schema_length=None)
    assert rows.height > 0
    assert rows["apprentice_id"].to_list() == found.links["apprentice_id"].to_list()
    mentor, apprentice = rows.select("mentor_id", "apprentice_id").row(0)
    body = {"verdict": "accepted", "start": "2026-12-01"}
    notebook = Notebook(settings.home)
    entry = notebook.add("decision", "me", f"pairing:{format_pair(mentor, apprentice)}", body)
    accepted = run_here(["pairing", "--accepted", "--json"], home)
    notebook.remove(entry.id, "me")
    assert json.loads(accepted.stdout)["rows"] == [
        {
            "change": "begin_mentorship",
            "on": "2026-12-01",
            "person_id": mentor,
            "other_id": apprentice,
            "studio_id": None,
            "province": None,
        }
    ]
    assert run_here(["pairing", "--links", "0", "--studios", "0"], home).returncode == 2
    members = run_here(["pairing", "--links", "5", "--show", "members", "--json"], home)
    listed = [row["person_id"] for row in json.loads(members.stdout)["rows"]]
    assert listed == found.members["person_id"].to_list(), members.stderr


def test_the_page_lists_the_links_and_keeps_decisions(
    network: Database, settings: Settings, app: Callable[..., AppTest]
) -> None:
    policy, rules = Policy(), PairingRules(links=20)
    found = compute_pairing(take_snapshot(network, settings), policy, rules)
    first = found.links.row(0, named=True)
    pair = format_pair(first["mentor_id"], first["apprentice_id"])
    test = app("pairing", lang="en", links="20", person=pair)
    sentence = f"New mentorships: {found.links.height}; new studios: {found.studios.height}."
    assert sentence in lead(test)
    assert len(test.dataframe[0].value) == found.links.height
    notebook = Notebook(settings.home)
    before = list_mentorships_to_start(notebook).height
    next(button for button in test.button if button.label == "Accept").click().run()
    assert not test.exception
    started = list_mentorships_to_start(notebook)
    assert started.height == before + 1
    assert (first["mentor_id"], first["apprentice_id"], policy.as_of) in started.rows()
    test.button(key="pairing_scenario").click().run()
    assert not test.exception
    (saved,) = list_saved_scenarios(notebook)
    expected = (first["mentor_id"], first["apprentice_id"])
    assert expected in [(c.person_id, c.other_id) for c in saved.scenario.changes]
    assert delete_scenario(notebook, saved.owner, saved.scenario.id)
    for entry in notebook.entries("decision", subject=f"pairing:{pair}"):
        notebook.remove(entry.id, entry.owner)
    over = app("pairing", lang="zh", window="2024-01-01:2025-12-31")
    assert "暂无法给出配对建议" in lead(over)
