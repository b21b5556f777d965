"""The page of new studios: one that was accepted with other members than those proposed now."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest
from streamlit.testing.v1 import AppTest

from graph.forecast.new_studios import MEMBER_COLUMNS
from graph.programme.notebook import Notebook
from ui.shell import frame, graph_state

SCRIPT = """
import streamlit as st
from datetime import date
import polars as pl
from ui.pairing import studio_proposals
members = st.session_state["members"]
found = st.session_state["found"]
rows = pl.DataFrame({
    "person_id": ["P1"], "leader_id": ["P1"], "leader": ["Wu"], "host": [None], "host_id": ["E1"],
    "gain": [1.0], "record": [1.0], "training": [0], "start": [date(2026, 12, 1)],
})
others = studio_proposals.find_changed_studios(found)
def under(leader):
    return studio_proposals.build_studio_context(found, {}, leader)
studio_proposals.draw_studio_panel(rows, members, others, under)
"""


def test_it_is_said_and_may_be_accepted_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    people = pl.LazyFrame(
        {
            "person_id": ["P2", "P3", "P4"],
            "name": ["Li", "Zhao", "Sun"],
            "level": [3, 3, 3],
            "occupation_code": ["6-18"] * 3,
            "province": ["32"] * 3,
            "enterprise_id": ["E1"] * 3,
        }
    )
    notebook = Notebook(tmp_path)
    body = {"verdict": "accepted", "members": ["P2", "P4"], "start": "2026-12-01"}
    notebook.add("decision", "me", "new_studios:P1", body)
    monkeypatch.setattr(graph_state, "open_notebook", lambda: notebook)
    snapshot = SimpleNamespace(frames={"people": people})
    monkeypatch.setattr(graph_state, "fetch_snapshot", lambda: snapshot)
    monkeypatch.setattr(frame, "draw_page_link", lambda *_, **__: None)
    rows = [
        (1, "P1", id, name, 0.5, 0.5, 3, "6-18", "32", "E1")
        for id, name in (("P2", "Li"), ("P3", "Zhao"))
    ]
    members = pl.DataFrame(rows, list(MEMBER_COLUMNS), orient="row")
    studios = pl.DataFrame({"leader_id": ["P1"], "province": ["32"]})
    test = AppTest.from_string(SCRIPT, default_timeout=30)
    test.session_state["members"] = members
    test.session_state["found"] = SimpleNamespace(members=members, studios=studios)
    test.query_params["person"] = "P1"
    test.query_params["lang"] = "en"
    test.run()
    said = "Accepted with other members (2 persons): Li, Sun."
    assert not test.exception and said in read_html(test)
    accept = next(button for button in test.button if button.label == "Accept")
    assert not accept.disabled
    accept.click().run()
    assert not test.exception and said not in read_html(test)
    assert notebook.standing("decision")["new_studios:P1"].body["members"] == ["P2", "P3"]
    assert next(button for button in test.button if button.label == "Accept").disabled


def read_html(test: AppTest) -> str:
    return "\n".join(element.proto.body for element in test.get("html"))
