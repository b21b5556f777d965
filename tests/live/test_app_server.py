"""The app's server: what it refuses, what it tells browsers, and that it ends when it is told to.

`shicheng app` is started as a person starts it. Every web request of its own would go to a proxy
that the test listens at, so that none goes unseen.
"""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from starlette.datastructures import Headers
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from graph.accounts.registry import add_account
from graph.server.database import Database
from graph.settings import Settings
from tests.serving import find_own_port, wait_until_healthy
from ui.shell import asgi

ROOT = Path(__file__).resolve().parents[2]
HEADERS = {
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}
# The page, a script, a file that is not there, a refused path, health, a download that is gone.
PATHS = ("/", "/talents", "/static/no.js", "/..%2f..%2fetc", "/_stcore/health", "/media/no.csv")


@pytest.fixture(scope="module")
def asked() -> Iterator[socket.socket]:
    """A proxy that answers nobody: what connects to it wanted to leave the machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.fixture(scope="module")
def server(
    database: Database,
    settings: Settings,
    asked: socket.socket,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[psutil.Process, int]]:
    """`shicheng app`: its process and port."""
    port = find_own_port()
    proxy = f"http://127.0.0.1:{asked.getsockname()[1]}"
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "SHICHENG_HOME": str(settings.home),
        "SHICHENG_HEAP_MB": str(settings.heap_mb),
        "http_proxy": proxy,
        "https_proxy": proxy,
    }
    command = [sys.executable, "-m", "cli.main", "app", "--port", str(port)]
    log = tmp_path_factory.mktemp("app") / "log.txt"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env=environment, stdout=output, stderr=subprocess.STDOUT, cwd="/"
        ) as started,
    ):
        wait_until_healthy(started, f"http://127.0.0.1:{port}", log)
        yield psutil.Process(started.pid), port
        if started.poll() is None:
            started.kill()


def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers (lower case) and text of an answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, text


def test_a_query_by_token_is_served_beside_the_pages(server: tuple[psutil.Process, int]) -> None:
    status, headers, text = get(server[1], "/api/queries/loads.json")
    assert (status, headers["x-frame-options"]) == (401, "DENY") and "Authorization" in text
    assert get(server[1], "/queries")[0] == 200


def stream(port: int, origin: str | None = None, **more: str) -> object:
    """A visit's websocket, asked for by a page of this origin."""
    return connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        origin=origin,
        additional_headers=more,
        subprotocols=["streamlit"],
        open_timeout=30,
    )


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_forbids_other_hosts_frames_and_guesses(
    server: tuple[psutil.Process, int], path: str
) -> None:
    _, headers, _ = get(server[1], path)
    assert {name: headers.get(name) for name in HEADERS} == HEADERS
    policy = dict(part.split(" ", 1) for part in headers["content-security-policy"].split("; "))
    assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
    for part in policy.values():
        assert "*" not in part and "http" not in part and "unsafe-eval" not in part
    assert "unsafe-inline" not in policy["script-src"]


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "http://127.0.0.1.evil.example", "null", "http://[::bad", ""]
)
def test_a_foreign_origin_is_refused_and_no_host_is_asked(
    server: tuple[psutil.Process, int], asked: socket.socket, origin: str
) -> None:
    port = server[1]
    assert get(port, "/_stcore/health", Origin=origin)[0] == 403
    with pytest.raises(InvalidStatus, match="403"):
        stream(port, origin)
    with pytest.raises(BlockingIOError):
        asked.accept()


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8501", "127.0.0.1.evil.example"])
def test_a_name_that_was_made_to_lead_here_is_refused(
    server: tuple[psutil.Process, int], host: str
) -> None:
    status, headers, text = get(server[1], "/", Host=host)
    assert status == 403 and "server.allowedHosts" in text
    assert headers["x-frame-options"] == "DENY"


def test_without_a_sign_in_it_answers_on_its_own_machine_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An address that the settings name opens the app to a network, so somebody must sign in."""
    monkeypatch.setenv("SHICHENG_HOME", str(tmp_path))
    monkeypatch.setattr(asgi, "is_host_allowed", lambda host: True)
    here, there = ("127.0.0.1", 50), ("172.18.0.1", 50)
    named = Headers({"host": "talents.example.cn"})
    assert asgi._find_refusal_text(named, here) == asgi.SIGN_IN_MISSING_TEXT
    for own in ("localhost:8501", "127.0.0.1:8501", "[::1]:8501"):
        assert asgi._find_refusal_text(Headers({"host": own}), here) is None
        assert asgi._find_refusal_text(Headers({"host": own}), ("::ffff:127.0.0.1", 5)) is None
        assert asgi._find_refusal_text(Headers({"host": own}), there) == asgi.SIGN_IN_MISSING_TEXT
    proxied = Headers({"host": "localhost", "x-forwarded-for": "10.0.0.7"})
    assert asgi._find_refusal_text(proxied, here) == asgi.SIGN_IN_MISSING_TEXT
    monkeypatch.setenv("SHICHENG_OPEN_CLIENTS", "10.1.0.0/16, 172.16.0.0/12")
    assert asgi._find_refusal_text(Headers({"host": "localhost"}), there) is None
    assert asgi._find_refusal_text(named, there) == asgi.SIGN_IN_MISSING_TEXT
    add_account(tmp_path, "admin", "admin", "a password of the test")
    assert asgi._find_refusal_text(named, there) is asgi._find_refusal_text(proxied, there) is None


def test_its_own_pages_reach_it(server: tuple[psutil.Process, int]) -> None:
    port = server[1]
    for host in ("127.0.0.1", "localhost"):
        assert get(port, "/", Host=f"{host}:{port}")[0] == 200
    with stream(port, f"http://127.0.0.1:{port}"):  # type: ignore[attr-defined]
        pass


def test_told_to_end_it_ends_with_all_it_started(server: tuple[psutil.Process, int]) -> None:
    process, port = server
    own = [
        child for child in process.children(True) if "graph.server.embedded" not in child.cmdline()
    ]
    with stream(port, f"http://127.0.0.1:{port}"):  # type: ignore[attr-defined]
        process.send_signal(signal.SIGTERM)
        psutil.wait_procs([process], timeout=20)
    assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    assert not [child for child in own if child.is_running()]
    with pytest.raises(OSError):
        get(port, "/_stcore/health")
