"""The server for assistants, asked by the SDK's own client."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
from mcp import Client
from mcp.client.stdio import StdioServerParameters

from graph.analysis.mcp_server import TOOL_NAMES, build_http_server, build_mcp_server
from graph.audit.entries import AuditFilter, iterate_audit_entries
from graph.cypher.masking import MASKED_PROPERTIES
from graph.server.database import Database
from graph.settings import Settings
from graph.store.digest import compute_store_digest
from shicheng import OpenGraph, open_graph
from tests.conftest import HEAP_MB

ROOT = Path(__file__).parents[2]
ATTACKS = (
    "MATCH (n) DETACH DELETE n",
    "CREATE (:Person {person_id: 'x'})",
    "LOAD CSV FROM 'file:///etc/passwd' AS line RETURN line",
    "RETURN [x IN [1] | COLLECT { LOAD CSV FROM 'file:///etc/passwd' AS l RETURN l }] AS a",
    "CALL dbms.listConfig() YIELD name RETURN name",
    "SHOW TRANSACTIONS",
    "MATCH (p:Person) RETURN p.birth_date",
    "MATCH (p:Person) RETURN p['birth' + '_date' ] AS a ORDER BY p.id_digest",
)


@pytest.fixture(scope="module")
def opened(network: Database, settings: Settings) -> Iterator[OpenGraph]:
    with open_graph(settings=settings) as graph:
        yield graph


def run_async(work: Coroutine[Any, Any, Any]) -> Any:
    """On a thread of its own: the browser tests of this process leave a loop in the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, asyncio.wait_for(work, 240)).result()


async def ask(client: Client, tool: str, **given: Any) -> dict[str, Any]:
    result = await client.call_tool(tool, given)
    assert not result.is_error, result.content
    assert isinstance(result.structured_content, dict)
    return result.structured_content


async def check_answers(client: Client, graph: OpenGraph) -> None:
    """What a client sees, whatever it came by."""
    listed = (await client.list_tools()).tools
    assert [tool.name for tool in listed] == list(TOOL_NAMES)
    for tool in listed:
        assert tool.annotations.read_only_hint and not tool.annotations.destructive_hint
        assert tool.output_schema and tool.description
    figures = graph.driven()
    driven = await ask(client, "driven", policy={"generations": "3"}, limit=3)
    assert driven["national"] == graph.national() and driven["truncated"]
    assert driven["rows"][0]["driven"] == figures["driven"].max()
    talent = driven["rows"][0]["talent_id"]
    worker = graph.measure().workers_of(talent)["person_id"][0]
    why = await ask(client, "why", worker_id=worker, talent_id=talent)
    assert why["answers"][0]["counts"] and why["answers"][0]["chains"]
    found = await ask(client, "search", text=talent)
    assert found["rows"][0] | {"name": ""} == {
        "kind": "Person",
        "key": talent,
        "name": "",
        "match": "exact",
    }
    counted = await ask(client, "cypher", statement="MATCH (p:Person) RETURN count(p) AS n")
    assert counted["rows"] == [{"n": graph.people().height}]
    refused = await client.call_tool("cypher", {"statement": "MATCH (n) DETACH DELETE n"})
    assert refused.is_error and "only read" in refused.content[0].text


@asynccontextmanager
async def connected(graph: OpenGraph) -> AsyncIterator[Client]:
    async with Client(build_mcp_server(graph)) as client:
        yield client


def test_over_stdin_and_stdout(opened: OpenGraph, settings: Settings) -> None:
    given = {"SHICHENG_HOME": str(settings.home), "SHICHENG_HEAP_MB": str(HEAP_MB)}
    command = StdioServerParameters(
        command=sys.executable, args=["-m", "cli.main", "mcp"], env=given, cwd=ROOT
    )

    async def work() -> None:
        async with Client(command) as client:
            await check_answers(client, opened)

    run_async(work())


def test_over_http_on_loopback_with_its_own_host_and_origin(opened: OpenGraph) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = build_http_server(opened, port)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        until = time.monotonic() + 60
        while not server.started and time.monotonic() < until:
            time.sleep(0.02)
        address = f"http://127.0.0.1:{port}/mcp"

        async def work() -> None:
            async with Client(address) as client:
                await check_answers(client, opened)

        run_async(work())
        for headers in (
            {"Host": "evil.example"},
            {"Host": f"evil.example:{port}"},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
        ):
            sent = {"Content-Type": "application/json", "Accept": "application/json"} | headers
            answer = requests.post(address, "{}", headers=sent, timeout=30)
            assert answer.status_code in (403, 421), headers
        with socket.socket() as other, pytest.raises(OSError):
            other.connect(("127.0.0.2", port))
    finally:
        server.should_exit = True
        thread.join(30)


def test_a_manager_gets_nothing_masked_and_nothing_is_changed(
    opened: OpenGraph, settings: Settings, network: Database
) -> None:
    before = compute_store_digest(network)

    async def work() -> None:
        async with connected(opened) as client:
            schema = await ask(client, "schema")
            properties = {name for kind in schema["nodes"].values() for name in kind}
            assert "person_id" in properties and not properties & MASKED_PROPERTIES
            for statement in ATTACKS:
                answer = await client.call_tool("cypher", {"statement": statement})
                assert answer.is_error, statement
                assert "Traceback" not in answer.content[0].text
            queries = await ask(client, "list_queries")
            assert {"chain_down", "driven_workers"} <= {row["name"] for row in queries["rows"]}
            people = await ask(client, "cypher", statement="MATCH (p:Person) RETURN p", limit=50)
            assert not {name for row in people["rows"] for name in row["p"]} & MASKED_PROPERTIES

    run_async(work())
    assert compute_store_digest(network) == before


def test_errors_are_sentences_and_questions_are_in_the_audit_log(
    opened: OpenGraph, settings: Settings
) -> None:
    wrong = (
        ("run_query", {"name": "nothing"}, "there is no query nothing"),
        ("run_query", {"name": "chain_down"}, "is missing"),
        ("cypher", {"statement": "MATCH (n RETURN n"}, "line 1"),
        ("driven", {"policy": {"generations": "0"}}, "give 1 to 100"),
        ("why", {"worker_id": "nobody"}, "no person of that id"),
        ("search", {"text": "a", "kinds": ["Planet"]}, "there is no kind Planet"),
    )

    async def work() -> None:
        async with connected(opened) as client:
            for tool, given, said in wrong:
                answer = await client.call_tool(tool, given)
                assert answer.is_error and said in answer.content[0].text, answer.content
            rows = await ask(client, "run_query", name="loads")
            assert rows["columns"] and len(rows["rows"]) == 1

    run_async(work())
    lines = list(iterate_audit_entries(settings.home, AuditFilter(event="read")))
    assert {line.facts["what"] for line in lines if line.via == "mcp"} >= {"why", "search"}
    assert not [line for line in lines if "nobody" in line.raw]
