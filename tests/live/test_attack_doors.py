"""The statements of `guard_corpus/attacks.jsonl` through every door by which one could come in.

A file and a server of the test stand for what an attack would read and call; a query of somebody
else runs all the while. A sample of each door is plain, the whole product is `soak`.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mcp import Client
from starlette.applications import Starlette
from starlette.testclient import TestClient
from streamlit.testing.v1 import AppTest

from graph.analysis.api_tokens import create_token
from graph.analysis.mcp_server import build_mcp_server
from graph.cypher.named_queries import load_queries, run_cypher, run_query
from graph.errors import RefusedError, ShichengError, UsageError
from graph.server.database import Database
from graph.settings import Settings
from graph.store.digest import compute_store_digest
from shicheng import open_graph
from tests.live.shell import run_here
from tests.live.test_guard_corpus import read_corpus
from tests.live.test_mcp import run_async
from tests.live.visiting import text as read_text
from ui.shell import query_links

CANARY_TEXT = "canary-of-the-test-4711"
HOSTS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]|2130706433|0x7f\.1):9\b")
SAMPLE_STEP = 83
# With the guard off a statement that never ends is ended by its limit.
RAW_SECONDS = 3.0

# Gives an attack to a door; what came back of it, as text.
Door = Callable[[str], str]


@dataclass
class Target:
    """What an attack would read or call, and whether it did."""

    file: Path
    port: int
    calls: list[str] = field(default_factory=list)

    @property
    def is_read(self) -> bool:
        """Whether the file was read since it was last marked."""
        return self.file.stat().st_atime_ns != 0

    def mark(self) -> None:
        """From now on a reading of the file shows."""
        os.utime(self.file, ns=(0, self.file.stat().st_mtime_ns))

    def aim(self, attack: str) -> str:
        """The attack with the test's own file and server in place of others."""
        aimed = HOSTS.sub(lambda found: f"{found[1]}:{self.port}", attack)
        return aimed.replace("/etc/passwd", str(self.file))


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Target]:
    file = tmp_path / "canary.csv"
    file.write_text(CANARY_TEXT, "utf-8")
    with socket.create_server(("127.0.0.1", 0)) as server:
        found = Target(file, server.getsockname()[1])
        thread = threading.Thread(target=accept_calls, args=(server, found.calls), daemon=True)
        thread.start()
        with socket.create_connection(("127.0.0.1", found.port)):
            pass  # the listener hears
        while not found.calls:
            thread.join(0.01)
        found.calls.clear()
        found.mark()
        assert file.read_text("utf-8") and found.is_read  # and the file shows that it was read
        yield found
        server.shutdown(socket.SHUT_RDWR)
    thread.join(10)


def accept_calls(server: socket.socket, calls: list[str]) -> None:
    with suppress(OSError):
        while True:
            connection, address = server.accept()
            calls.append(str(address))
            connection.close()


@contextmanager
def nothing_happens(database: Database, target: Target, *, others: bool = True) -> Iterator[None]:
    """Within it the graph stays, the file unread, the server uncalled, others' queries running."""
    before = compute_store_digest(database)
    target.mark()
    driver, _ = database.console_driver()
    session = database.session(driver)
    bystander = session.begin_transaction(timeout=3_000)
    try:
        bystander.run("RETURN 1").consume()
        yield
        if others:
            assert bystander.run("RETURN 2 AS n").single(strict=True)["n"] == 2
    finally:
        with suppress(Exception):
            bystander.close()
            session.close()
    assert compute_store_digest(database) == before
    assert target.calls == []
    assert not target.is_read


def open_console(network: Database) -> Iterator[Door]:
    def ask(attack: str) -> str:
        for role in ("analyst", "steward"):
            with pytest.raises((RefusedError, UsageError)) as refused:
                run_cypher(network, attack, {}, role=role)  # type: ignore[arg-type]
        return str(refused.value)

    yield ask


def open_page(app: Callable[..., AppTest]) -> Iterator[Door]:
    test = app("queries", lang="en", kind="cypher")

    def ask(attack: str) -> str:
        test.text_area(key="cypher").set_value(attack)
        test.button(key="run_cypher").click().run()
        assert not test.exception and not test.dataframe, attack
        return read_text(test)

    yield ask


def open_command(settings: Settings) -> Iterator[Door]:
    shell = {"SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": str(settings.heap_mb)}

    def ask(attack: str) -> str:
        done = run_here(["cypher", "--", attack], shell)
        assert done.returncode in (2, 4), (attack, done.stdout)
        return done.stdout + done.stderr

    yield ask


def open_assistant(settings: Settings) -> Iterator[Door]:
    with open_graph(settings=settings) as graph:
        server = build_mcp_server(graph)

        async def call(attack: str) -> str:
            async with Client(server) as client:
                refused = await client.call_tool("cypher", {"statement": attack})
                assert refused.is_error, attack
                given = {"name": "chain_down", "parameters": {"person_id": attack}}
                as_value = await client.call_tool("run_query", given)
                found = await client.call_tool("search", {"text": attack[:200]})
                why = await client.call_tool("why", {"worker_id": attack})
                assert why.is_error
            return str([refused.content, as_value.content, found.content, why.content])

        yield lambda attack: run_async(call(attack))


def open_token_link(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    monkeypatch.setenv("SHICHENG_HOME", str(settings.home))
    monkeypatch.setenv("SHICHENG_HEAP_MB", str(settings.heap_mb))
    monkeypatch.setattr(query_links, "_limiter", query_links.RateLimiter(100_000, 60))
    token = create_token(settings, "attacks", "manager", 1)[1]
    client = TestClient(Starlette(routes=query_links.build_query_routes()))
    headers = {"Authorization": f"Bearer {token}"}

    def ask(attack: str) -> str:
        path = "/api/queries/chain_down.json"
        answers = [
            client.get(path, params={"person_id": attack}, headers=headers),
            client.get(path, params={"person_id": "x", "cypher": attack}, headers=headers),
            client.get(path, params={"person_id": "x", "_limit": attack}, headers=headers),
            client.get(path, headers={"Authorization": b"Bearer " + attack.encode()}),
        ]
        assert [one.status_code for one in answers] == [200, 400, 400, 401], attack
        assert answers[0].json()["rows"] == []
        return "".join(one.text for one in answers)

    yield ask
    query_links.close_query_links()


def open_parameters(network: Database) -> Iterator[Door]:
    """As the value of a named query's parameter, and of a statement's."""
    queries = load_queries()

    def ask(attack: str) -> str:
        named = run_query(network, queries["chain_down"], {"person_id": attack})
        own = "MATCH (p:Person) WHERE p.person_id = $x OR p[$x] = $x OR p.name = $x RETURN p.name"
        typed = run_cypher(network, own, {"x": attack})
        assert named.rows == typed.rows == []
        return str(run_cypher(network, "RETURN size($x) AS n", {"x": [attack]}).rows)

    yield ask


@pytest.fixture(params=["console", "page", "command", "assistant", "token", "parameters"])
def door(
    request: pytest.FixtureRequest,
    network: Database,
    settings: Settings,
    app: Callable[..., AppTest],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Door]:
    doors = {
        "console": lambda: open_console(network),
        "page": lambda: open_page(app),
        "command": lambda: open_command(settings),
        "assistant": lambda: open_assistant(settings),
        "token": lambda: open_token_link(settings, monkeypatch),
        "parameters": lambda: open_parameters(network),
    }
    yield from doors[request.param]()


@pytest.mark.parametrize("step", [SAMPLE_STEP, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.timeout(3_000)
def test_no_door_lets_an_attack_in(
    door: Door, step: int, network: Database, target: Target
) -> None:
    with nothing_happens(network, target):
        for attack in read_corpus("attacks")[::step]:
            answer = door(target.aim(attack))
            assert CANARY_TEXT not in answer and "Traceback" not in answer, attack


@pytest.mark.parametrize("step", [SAMPLE_STEP // 4, pytest.param(1, marks=pytest.mark.soak)])
@pytest.mark.timeout(3_000)
def test_without_the_guard_nothing_is_written_read_or_called(
    step: int, network: Database, target: Target
) -> None:
    """A session that may only read, and Neo4j's own settings, hold by themselves. Only whoever
    gets past the guard could end a query of somebody else.
    """
    with nothing_happens(network, target, others=False):
        for attack in read_corpus("attacks")[::step]:
            with suppress(ShichengError):
                rows = network.read(target.aim(attack), seconds=RAW_SECONDS)
                assert CANARY_TEXT not in repr(rows), attack
