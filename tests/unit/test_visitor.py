"""Who visits, what is masked, and that a session passes nothing on to its next visitor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from graph.programme.notebook import Notebook
from graph.programme.saved_queries import save_query
from ui.lineage import notes
from ui.queries import dashboard, editor
from ui.shell import graph_state
from ui.shell import visitor as visiting
from ui.shell.visitor import (
    ANONYMOUS_VISITOR,
    Visitor,
    bind_visitor_check,
    mask_birth_year,
    mask_certificate_number,
    mask_retirement_day,
    parse_visitor_claims,
)

PARTS = ("fragment", "dialog")
STEWARDS = " Steward@Example.cn , other@example.cn,"


@pytest.mark.parametrize(
    ("claims", "id", "role"),
    [
        ({"email": "steward@example.cn"}, "steward@example.cn", "steward"),
        ({"email": "STEWARD@example.cn ", "email_verified": True}, "steward@example.cn", "steward"),
        ({"email": "m@example.cn"}, "m@example.cn", "manager"),
        ({"email": "steward@example.cn", "email_verified": False}, "https://p 7", "manager"),
        ({"email": "steward@example.cn", "email_verified": "false"}, "https://p 7", "manager"),
        ({"email": ""}, "https://p 7", "manager"),
        ({}, "https://p 7", "manager"),
    ],
)
def test_a_visitor_is_the_address_the_provider_vouches_for(
    claims: dict[str, Any], id: str, role: str
) -> None:
    found = parse_visitor_claims({"iss": "https://p", "sub": "7", **claims}, STEWARDS)
    assert (found.id, found.role) == (id, role)


def test_a_manager_sees_personal_data_masked() -> None:
    manager = parse_visitor_claims({"sub": "7"}, STEWARDS)
    unstated = parse_visitor_claims({"email": "other@example.cn"}, STEWARDS)
    steward = replace(unstated, purpose="check")
    assert mask_birth_year(1964, unstated) == "196·"
    assert (mask_birth_year(1964, manager), mask_birth_year(1964, steward)) == ("196·", "1964")
    assert mask_certificate_number("S0000012345", manager) == "····2345"
    assert mask_retirement_day(date(2021, 2, 3), manager) == "2021"
    assert mask_retirement_day(date(2021, 2, 3), steward) == "2021-02-03"
    assert mask_retirement_day(None, manager) == ""
    assert mask_certificate_number("S0000012345", steward) == "S0000012345"


STEWARD, ANALYST = Visitor("di", "steward"), Visitor("an", "analyst")


@pytest.fixture
def become(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Visitor], None]:
    """Makes everyone this visitor."""
    monkeypatch.setenv("SHICHENG_HOME", str(tmp_path))
    return lambda visitor: monkeypatch.setattr(visiting, "_identify", lambda _: visitor)


class Draft:
    ended = 0

    def end_visit(self) -> None:
        self.ended += 1


def test_the_next_visitor_of_a_session_finds_nothing(become: Callable[[Visitor], None]) -> None:
    test = AppTest.from_string("from ui.shell import visitor\nvisitor.record_sign_in()")
    draft = Draft()
    test.session_state["draft"], test.session_state["typed"] = draft, "李雷"
    become(STEWARD)
    assert not test.run().exception
    test.run()
    assert test.session_state["draft"] is draft and not draft.ended
    for after in (ANALYST, STEWARD, Visitor("di", "analyst")):
        test.session_state["draft"] = draft = Draft()
        become(after)
        assert not test.run().exception
        assert "draft" not in test.session_state and "typed" not in test.session_state
        assert draft.ended == 1


@pytest.mark.parametrize("visitor", [ANONYMOUS_VISITOR, ANALYST])
@pytest.mark.parametrize("act", range(6))
def test_a_click_on_a_page_of_another_visitor_stores_nothing(
    visitor: Visitor,
    act: int,
    tmp_path: Path,
    become: Callable[[Visitor], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notebook = Notebook(tmp_path)
    own = save_query(notebook, visitor.id, title="a", text="RETURN 1 AS a")
    monkeypatch.setattr(graph_state, "open_notebook", lambda: notebook)
    acts = [
        lambda: editor._save_statement("new", notebook),
        lambda: editor._propose_statement(own, notebook),
        lambda: editor._delete_saved(own, notebook),
        lambda: dashboard._save_dashboard(notebook, "new", None),
        lambda: notes._save_note("p1", "note"),
        notes._save_view,
    ]
    test = AppTest.from_string("import streamlit\nstreamlit.session_state['act']()")
    become(visitor)
    state = {
        "act": acts[act],
        visiting._SIGNED_IN_KEY: STEWARD,
        "cypher": "RETURN 2 AS b",
        "queries_title_new": "b",
        "dashboard_title_new": "d",
        "dashboard_queries_new": ["loads"],
        "note": "text",
        "view_name": "v",
        "view_note": "",
    }
    for name, value in state.items():
        test.session_state[name] = value
    assert not test.run().exception
    stored = [
        entry.id
        for kind in ("query", "query_review", "dashboard", "note", "view")
        for entry in notebook.entries(kind)  # type: ignore[arg-type]
    ]
    assert stored == [own.version]


def test_nothing_is_allowed_to_nobody(
    become: Callable[[Visitor], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(visiting, "_read_credentials", lambda: None)
    for visitor, allowed in ((ANALYST, True), (ANONYMOUS_VISITOR, False)):
        become(visitor)
        assert bind_visitor_check()() is allowed


def test_every_part_that_runs_by_itself_asks_who_visits() -> None:
    for file in (Path(visiting.__file__).parents[1]).rglob("*.py"):
        text = file.read_text("utf-8")
        assert file.name == "frame.py" or not any(f"st.{one}(" in text for one in PARTS), file
