"""Named queries by token: what a script gets, what it does not, and who may ask how often."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import requests
import uvicorn
from starlette.applications import Starlette

from graph.analysis import api_tokens
from graph.analysis.api_tokens import create_token, list_tokens, revoke_token
from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.cypher.named_queries import load_queries, run_query
from graph.errors import DatabaseError, RefusedError, UsageError
from graph.server.database import Database
from graph.settings import Role, Settings
from tests.live.shell import run_here
from ui.shell import asgi, query_links

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def address(network: Database, settings: Settings) -> Iterator[str]:
    """The routes and the middleware of the app's server, without its pages."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    app = Starlette(
        routes=query_links.build_query_routes(), middleware=asgi.build_app_options()["middleware"]
    )
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SHICHENG_HOME", str(settings.home))
        patched.setenv("SHICHENG_HEAP_MB", str(settings.heap_mb))
        thread.start()
        until = time.monotonic() + 60
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
        server.should_exit = True
        thread.join(30)
        query_links.close_query_links()


def make_token(settings: Settings, role: Role = "manager") -> str:
    owner = settings.model_copy(update={"role": role})
    return create_token(owner, "a test", role, 30)[1]


def get(address: str, path: str, token: str, **values: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{address}/api/queries/{path}", values, headers=headers, timeout=120)


def test_the_rows_are_those_of_the_query_in_each_format(
    address: str, settings: Settings, network: Database
) -> None:
    token = make_token(settings)
    expected = run_query(network, load_queries()["leading_talents"], {})
    answer = get(address, "leading_talents.json", token)
    assert answer.status_code == 200 and answer.headers["X-Truncated"] == "false"
    found = answer.json()
    assert found["columns"] == list(expected.columns) and found["content"].endswith("talents")
    assert [row["person_id"] for row in found["rows"]] == [row[0] for row in expected.rows]
    text = get(address, "leading_talents.csv", token)
    assert text.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert text.headers["X-Frame-Options"] == "DENY"  # behind the app's own middleware
    table = pl.read_csv(io.BytesIO(text.content))
    parquet = pl.read_parquet(io.BytesIO(get(address, "leading_talents.parquet", token).content))
    assert table.height == parquet.height == len(expected.rows) == 12
    assert parquet.schema["apprentices"] == pl.Int64
    cut = get(address, "leading_talents.json", token, _limit=3)
    assert len(cut.json()["rows"]) == cut.json()["capped_at"] == 3
    assert cut.headers["X-Truncated"] == "true"


def test_the_tokens_role_masks(address: str, settings: Settings) -> None:
    path, values = "mentors_about_to_retire.json", {"today": "2026-11-01", "months": "240"}
    masked = get(address, path, make_token(settings), **values).json()
    unmasked = get(address, path, make_token(settings, "steward"), **values).json()
    assert "retires_on" in unmasked["columns"] and "retires_on" not in masked["columns"]
    assert len(unmasked["rows"]) == len(masked["rows"]) > 0


def test_errors_are_sentences_with_the_right_status(address: str, settings: Settings) -> None:
    token = make_token(settings)
    for path, values, status, said in (
        ("nothing.json", {}, 404, "nothing at this address"),
        ("loads.xlsx", {}, 404, "nothing at this address"),
        ("loads", {}, 404, "nothing at this address"),
        ("chain_down.json", {}, 400, "is missing"),
        ("chain_down.json", {"person_id": "a", "generations": "x"}, 400, "whole number"),
        ("chain_down.json", {"person_id": ["a", "b"]}, 400, "stands twice"),
        ("loads.json", {"cypher": "MATCH (n) DETACH DELETE n"}, 400, "no parameter"),
        ("loads.json", {"_limit": "0"}, 400, "_limit"),
        ("loads.json", {"_limit": "1" * 400}, 400, "_limit"),
        ("loads.json", {"steward": "true"}, 400, "no parameter"),
    ):
        answer = get(address, path, token, **values)
        assert answer.status_code == status, (path, answer.text)
        assert said in answer.json()["error"] and answer.json()["error_zh"], answer.text
    for header in ({}, {"Authorization": f"Basic {token}"}, {"Authorization": "Bearer x"}):
        answer = requests.get(f"{address}/api/queries/loads.json", headers=header, timeout=30)
        assert answer.status_code == 401 and "token" in answer.json()["error"]
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    by_address = requests.get(f"{address}/api/queries/loads.json?token={token}", timeout=30)
    assert by_address.status_code == 401
    foreign = {"Authorization": f"Bearer {token}", "Origin": "http://evil.example"}
    answer = requests.get(f"{address}/api/queries/loads.json", headers=foreign, timeout=30)
    assert answer.status_code == 403
    posted = requests.post(f"{address}/api/queries/loads.json", timeout=30)
    assert posted.status_code == 405


def test_a_revoked_and_an_expired_token_are_refused(
    address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, text = create_token(settings, "a script", "manager", 1)
    assert get(address, "loads.json", text).status_code == 200
    monkeypatch.setattr(api_tokens.ApiToken, "expired", True)
    assert get(address, "loads.json", text).status_code == 401
    monkeypatch.undo()
    monkeypatch.setenv("SHICHENG_HOME", str(settings.home))
    revoke_token(settings.home, made.id)
    assert get(address, "loads.json", text).status_code == 401
    with pytest.raises(UsageError, match="no token"):
        revoke_token(settings.home, made.id)


def test_a_token_that_asks_too_often_waits(
    address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_links, "_limiter", query_links.RateLimiter(2, 60))
    token, other = make_token(settings), make_token(settings)
    codes = [get(address, "loads.json", token).status_code for _ in range(3)]
    assert codes == [200, 200, 429]
    assert 1 <= int(get(address, "loads.json", token).headers["Retry-After"]) <= 61
    assert get(address, "loads.json", other).status_code == 200


def test_no_neo4j_is_a_sentence(
    address: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*given: object, **more: object) -> None:
        raise DatabaseError("This connection is closed: connect again.")

    monkeypatch.setattr(query_links, "run_query", fail)
    answer = get(address, "loads.json", make_token(settings))
    assert answer.status_code == 503 and "closed" in answer.json()["error"]


def test_the_file_holds_no_token_and_the_log_each_export(address: str, settings: Settings) -> None:
    made, text = create_token(settings, "monthly figures", "manager", 30)
    file = settings.home / api_tokens.TOKENS_FILE_NAME
    assert text not in file.read_text("utf-8") and file.stat().st_mode & 0o777 == 0o600
    assert made in list_tokens(settings.home) and text not in repr(made)
    get(address, "loads.csv", text)
    asked = AuditFilter(by=f"token:{made.id}")
    events = [(e.event, e.via) for e in iterate_audit_entries(settings.home, asked)]
    assert events == [("export", "token"), ("query", "token")]
    with pytest.raises(RefusedError, match="data steward"):
        create_token(settings, "more", "steward", 30)
    for name, days in (("", 30), ("x" * 61, 30), ("a", 0), ("a", 400)):
        with pytest.raises(UsageError):
            create_token(settings, name, "manager", days)


def test_the_commands_make_list_and_revoke(settings: Settings) -> None:
    given = {"SHICHENG_HOME": str(settings.home)}
    made = run_here(["token", "create", "a clerk's script"], given)
    assert made.returncode == 0 and made.stdout.startswith("shc_")
    listed = json.loads(run_here(["token", "list", "--json"], given).stdout)
    mine = next(one for one in listed if one["name"] == "a clerk's script")
    assert "digest" not in mine and made.stdout.strip() not in json.dumps(listed)
    assert run_here(["token", "revoke", mine["id"]], given).returncode == 0
    assert run_here(["token", "revoke", mine["id"]], given).returncode == 2


def test_the_examples_of_the_page_run(address: str, settings: Settings, tmp_path: Path) -> None:
    text = (DOCS / "links.md").read_text("utf-8")
    commands = re.findall(r"^\$ (curl .*)$", text, re.MULTILINE)
    assert len(commands) >= 3
    own = {"SHICHENG_TOKEN": make_token(settings), "PATH": os.environ["PATH"]}
    for command in commands:
        local = command.replace("http://127.0.0.1:8501", address)
        ran = subprocess.run(
            ["sh", "-c", local], cwd=tmp_path, env=own, capture_output=True, timeout=120
        )
        assert ran.returncode == 0, (command, ran.stderr)
        assert shlex.split(command)[0] == "curl"
    assert (tmp_path / "talents.csv").read_text("utf-8").startswith("person_id,")
    assert pl.read_parquet(tmp_path / "studios.parquet").height > 0
