"""Pairing on a loaded network: the command, the page, and the decisions between them."""

from __future__ import annotations

import json

import polars as pl

from graph.forecast.pairing import PairingRules, compute_pairing
from graph.policy import Policy
from graph.programme.notebook import Notebook
from graph.programme.pair_decisions import format_pair
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from tests.live.shell import run_here


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
        }
    ]
    assert run_here(["pairing", "--links", "0"], home).returncode == 2
