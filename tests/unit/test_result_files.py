"""A result's file: for the browser that its page was drawn for, while its session stands."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from graph.audit.actor import Actor
from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.table_streams import TableStream
from graph.tabular import About
from ui.shell.result_files import (
    ResultFile,
    TicketHolder,
    build_result_routes,
    identify_browser,
)

COOKIES = {"shicheng_session": "a"}


def test_a_file_is_given_to_its_own_session_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHICHENG_HOME", str(tmp_path))
    table = TableStream(["a"], [pl.Int64()], 1, lambda: [pl.DataFrame({"a": [7]})], About(1))
    open_sessions = ["a"]
    file = ResultFile(
        table,
        "一",
        "query",
        tmp_path,
        Actor("an", "analyst", "app"),
        "zh",
        identify_browser(COOKIES),
        lambda: bool(open_sessions),
        {"name": "loads"},
    )
    holder = TicketHolder(file)
    own, other = (
        TestClient(Starlette(routes=build_result_routes()), cookies=cookies)
        for cookies in (COOKIES, {"shicheng_session": "b"})
    )
    address = "/" + holder.address("csv")
    answer = own.get(address)
    assert answer.status_code == 200 and answer.content.decode("utf-8-sig").split() == ["a", "7"]
    (logged,) = iterate_audit_entries(tmp_path, AuditFilter("export"))
    assert logged.facts == {"what": "query", "format": "csv", "name": "loads"}
    assert other.get(address).status_code == own.get(address + "x").status_code == 404
    open_sessions.clear()
    assert own.get(address).status_code == 404
    open_sessions.append("a")
    del holder
    assert own.get(address).status_code == 404
