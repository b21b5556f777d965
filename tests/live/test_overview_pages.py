"""The overview's breakdowns, the people behind a figure, and what the last load changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.driven.figures import measure_driven
from graph.driven.results import load_driven
from graph.policy import Policy
from graph.server.database import Database
from graph.settings import Settings
from graph.snapshot.take import take_snapshot
from loaders import folder
from loaders.sync import load_records
from tests.live.visiting import lead, text

Open = Callable[..., AppTest]


@pytest.mark.parametrize("cut", ["province", "industry", "occupation_code", "generation"])
def test_the_rows_of_a_breakdown_add_up(
    cut: str, network: Database, settings: Settings, app: Open
) -> None:
    national = measure_driven(take_snapshot(network, settings), Policy()).national
    test = app("overview", lang="en", by=cut)
    assert not test.exception and test.query_params["by"] in (cut, [cut])
    table = text(test).split('class="sc-table sc-cut"')[1].split("</table>")[0]
    rows, total = table.split('<tr class="total">')
    numbers = [int(n.replace(",", "")) for n in re.findall(r">([\d,]+)(?:</a>)?</td>", rows)]
    assert f"<b>{national['driven_persons']:,}</b>" in total
    assert f"<b>{national['driven_person_times']:,}</b>" in total
    assert sum(numbers) == national["driven_persons"] + national["driven_person_times"]


def test_the_list_counts_what_the_figure_says(
    network: Database, settings: Settings, app: Open
) -> None:
    driven = measure_driven(take_snapshot(network, settings), Policy())
    row = driven.by_quarter().row(-1, named=True)
    quarter = f"{row['quarter'].year}Q{(row['quarter'].month + 2) // 3}"
    said = lead(app("people", lang="en", quarter=quarter, count="person_times"))
    assert f"{row['driven_person_times']:,} person-time" in said
    assert f"{row['driven_persons']:,} people" in lead(app("people", lang="en", quarter=quarter))
    assert f"{driven.national['driven_persons']:,} people" in lead(app("people", lang="en"))
    nobody = app("people", lang="en", province="99")
    assert "Nobody matches" in text(nobody)
    assert "cannot be shown" in text(app("people", lang="en", quarter="nonsense"))


def test_what_the_last_load_changed(
    network: Database, settings: Settings, app: Open, tmp_path: Path
) -> None:
    before = load_driven(take_snapshot(network, settings), Policy()).national
    assert "One revision is kept" in text(app("overview", lang="en"))
    worker = network.read(
        "MATCH (t:LeadingTalent)-[:MENTORS]->(p) WHERE NOT EXISTS { (p)-[:RECOGNISED]->() } "
        "AND EXISTS { MATCH (t)-[m:MENTORS]->(p) WHERE m.start < date('2026-01-01') } "
        "RETURN p.person_id AS id LIMIT 1"
    )[0]["id"]
    more = tmp_path / "more"
    more.mkdir()
    (more / "recognitions.csv").write_text(
        f"person_id,level,date,occupation_code\n{worker},4,2026-10-01,\n", encoding="utf-8"
    )
    load_records(network, "folder", folder.get([more]), home=settings.home)
    st.cache_resource.clear()
    st.cache_data.clear()
    test = app("overview", lang="en")
    after = load_driven(take_snapshot(network, settings), Policy()).national
    change = after["driven_persons"] - before["driven_persons"]
    assert change == 1
    section = text(test).split("Since the last load")[-1]
    assert re.search(r"Driven</a></td><td class=\"n\">\+1 person<", section), section[:1500]
