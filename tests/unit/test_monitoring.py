"""Health, readiness and metrics: for this machine alone, and of nobody."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from graph.accounts.registry import add_account
from graph.server.locks import OFFLINE_LOCK_NAME
from ui.shell.asgi import SecurityMiddleware

SECRET = "P0000001"  # pragma: allowlist secret


async def page(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 418, "headers": []})
    await send({"type": "http.response.body", "body": b"a page"})


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SHICHENG_HOME", str(tmp_path))
    monkeypatch.delenv("NEO4J_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def visit(address: str = "127.0.0.1") -> Any:
    return TestClient(SecurityMiddleware(page), base_url="http://127.0.0.1", client=(address, 50))


def test_it_lives_and_is_ready_while_the_store_can_be_used(home: Path) -> None:
    here = visit()
    assert here.get("/health").text == "ok\n"
    assert (here.get("/ready").status_code, here.get("/ready").json()["database"]) == (200, True)
    with FileLock(home / OFFLINE_LOCK_NAME):
        assert here.get("/ready").status_code == 503
        assert "\nshicheng_ready 0.0\n" in here.get("/metrics").text


def test_a_server_that_does_not_answer_is_not_ready(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEO4J_URI", "bolt://127.0.0.1:9")
    assert visit().get("/ready").json() == {"data_folder": True, "database": False}


def test_the_metrics_are_in_prometheus_form_and_name_nobody(home: Path) -> None:
    here = visit()
    here.get(f"/talent?id={SECRET}")
    text = here.get("/metrics").text
    assert 'shicheng_http_requests_total{status="418"}' in text
    value = re.compile(r'[a-z_]+({status="\d{3}"})? [0-9.e+]+')
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines and all(value.fullmatch(line) for line in lines), text
    assert SECRET not in text and str(home) not in text


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics"])
def test_nobody_else_is_answered(home: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert visit("10.0.0.7").get(path).status_code == 403  # nobody signs in
    monkeypatch.setenv("SHICHENG_OPEN_CLIENTS", "10.0.0.0/8")
    assert visit("10.0.0.7").get(path).text == "a page"
    proxied = {"X-Forwarded-For": "10.0.0.7"}
    assert visit().get(path, headers=proxied).status_code == 403  # nobody has to sign in here
    add_account(home, "admin", "admin", "a password of the test")
    assert visit().get(path, headers=proxied).text == "a page"
    assert "frame-ancestors" in visit().get(path).headers["Content-Security-Policy"]
