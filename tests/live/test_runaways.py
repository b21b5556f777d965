"""Questions that would take the database away from everybody: deep, large, endless, many."""

from __future__ import annotations

import os
import resource
import signal
import statistics
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

from graph.cypher.named_queries import run_cypher
from graph.errors import DatabaseError, RefusedError, ShichengError
from graph.server import console, embedded, location
from graph.server.database import Database, connect, read_plain_rows
from graph.settings import Settings

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

# One call that tries some 10^13 ways: Neo4j can't break it off, compiled or not.
ENDLESS = f"RETURN '{'a' * 60}' =~ '(.*a){{15}}b' AS a"
# Of so many reads one in twenty may wait for the new server.
MEASURED_READS = 200
# What makes a statement deep or long, a way each.
DEEP = {
    "open brackets": "RETURN " + "(" * 9_990,
    "brackets": "RETURN " + "(" * 60 + "1" + ")" * 60,
    "lists": "RETURN " + "[" * 1_000 + "1" + "]" * 1_000,
    "maps": "RETURN " + "{a:" * 1_000 + "1" + "}" * 1_000,
    "subqueries": "CALL { " * 100 + "RETURN 1 AS a" + " } RETURN a" * 100,
    "cases": "RETURN " + "CASE WHEN true THEN " * 200 + "1" + " END" * 200,
    "negations": "RETURN " + "NOT " * 3_000 + "true",
    "sums": "RETURN 1" + "+1" * 3_000,
    "powers": "RETURN 1" + "^1" * 3_000,
    "properties": "WITH null AS m RETURN m" + ".a" * 3_000,
    "hops": "MATCH (a)" + "-->()" * 500 + " RETURN a LIMIT 1",
    "unions": " UNION ".join(["RETURN 1 AS a"] * 500),
    "characters": "RETURN '" + "x" * 30_000 + "'",
}


@pytest.fixture(scope="module")
def own(second: Settings) -> Iterator[Database]:
    """A server that may be killed, with connections of this module's own."""
    with pytest.MonkeyPatch.context() as patch:
        # How long the driver asks a server that is gone, before it is looked whether it is.
        patch.setattr("graph.server.database.RETRY_SECONDS", 3.0)
        with connect(second) as database:
            database.read("RETURN 1", seconds=60)
            yield database


@pytest.mark.parametrize("name", DEEP)
def test_a_statement_too_deep_for_the_engine_is_refused_and_takes_nothing_away(
    own: Database, name: str
) -> None:
    with pytest.raises(RefusedError, match="takes at most"):
        run_cypher(own, DEEP[name])
    began = time.monotonic()
    assert own.read("RETURN [1, 2] AS a") == [{"a": [1, 2]}]
    assert time.monotonic() - began < 10


def test_what_people_ask_is_not_too_deep(own: Database) -> None:
    names = ", ".join(f"'P{number:07}'" for number in range(1_000))
    hops = "MATCH (a:Person)" + "-[:MENTORS]->(:Person)" * 8
    for text in (
        f"MATCH (p:Person) WHERE p.person_id IN [{names}] RETURN p.person_id",
        f"{hops} RETURN count(*) AS n",
        "RETURN " + "(" * 40 + "1" + ")" * 40,
        "RETURN 1" + "+1" * 900,
    ):
        run_cypher(own, text, seconds=120)


def test_a_large_answer_is_cut_where_its_bytes_are_enough(own: Database) -> None:
    text = (
        "WITH reduce(s = '', x IN range(1, 1280) | s + $part) AS t "
        "UNWIND range(1, 10000) AS i RETURN i, t"
    )
    before = peak_mb()
    found = run_cypher(own, text, {"part": "x" * 100}, seconds=120)
    assert found.truncated and found.too_large
    assert 150 < len(found.rows) < 400
    assert peak_mb() - before < 200  # all of it would be 1,300 MB


def test_a_single_value_without_end_is_given_up(own: Database) -> None:
    before = peak_mb()
    with pytest.raises(DatabaseError, match=r"single row .* larger than 32 MB"):
        run_cypher(own, "RETURN [x IN range(1, 900) | $p] AS a", {"p": "x" * 100_000}, seconds=120)
    assert peak_mb() - before < 300
    assert own.read("RETURN 1 AS a", seconds=60) == [{"a": 1}]


def peak_mb() -> float:
    """The most memory this process has held."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def test_ten_that_never_end_are_ended_and_a_reader_hardly_waits(
    own: Database, second: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "RESTART_WAIT_SECONDS", 4.0)
    monkeypatch.setattr(console, "TURN_SECONDS", 1.0)
    before = location.find_running_server(second)
    logged = location.locate_log_file(second.home).read_text("utf-8").count("started again")
    failures: list[ShichengError] = []

    def runaway() -> None:
        with pytest.raises(ShichengError) as error:
            run_cypher(own, ENDLESS, seconds=2)
        failures.append(error.value)

    runaways = [threading.Thread(target=runaway) for _ in range(10)]
    for thread in runaways:
        thread.start()
    waited: list[float] = []
    until, restarted = time.monotonic() + 220, False
    while time.monotonic() < until:
        restarted = restarted or location.find_running_server(second) not in (before, None)
        # Nobody is left who would start it once more.
        over = not any(ender.is_alive() for ender in own.console._enders)
        if restarted and over and len(waited) >= MEASURED_READS:
            break
        began = time.monotonic()
        assert own.read("RETURN 1 AS a", seconds=60) == [{"a": 1}]
        waited.append(time.monotonic() - began)
        time.sleep(0.02)
    for thread in runaways:
        thread.join()
    said = [str(error) for error in failures]
    assert sum("no more run at once" in text for text in said) == 10 - console.MAX_CONSOLE_QUERIES
    assert sum("did not end in 2 s" in text for text in said) == console.MAX_CONSOLE_QUERIES
    log = location.locate_log_file(second.home).read_text("utf-8")
    assert restarted and log.count("started again") == logged + 1  # once for all of them
    assert statistics.quantiles(waited, n=20)[-1] < 2.0


def test_a_reader_reads_on_when_another_thread_has_found_the_new_server(
    own: Database, second: Settings
) -> None:
    """The server that went is the reader's, not the one that stands in its place by then."""
    killed: list[location.Server] = []

    def work(tx: ManagedTransaction) -> list[dict[str, Any]]:
        server = location.find_running_server(second)
        if not killed:
            assert server is not None
            killed.append(server)
            embedded.restart_server(second, server)
            thread = threading.Thread(target=own.read, args=("RETURN 1",), kwargs={"seconds": 60})
            thread.start()
            thread.join()
        return read_plain_rows(tx, "RETURN 1 AS a")

    assert own.read_with(work, seconds=60) == [{"a": 1}]
    assert location.find_running_server(second) not in (None, *killed)


def test_a_reader_reads_on_when_the_server_goes_after_the_last_row(
    own: Database, second: Settings
) -> None:
    """The end of a read was taken for a commit that may have been stored, and given up."""
    killed: list[location.Server] = []

    def work(tx: ManagedTransaction) -> list[dict[str, Any]]:
        rows = read_plain_rows(tx, "RETURN 1 AS a")
        server = location.find_running_server(second)
        if not killed:
            assert server is not None
            killed.append(server)
            os.kill(server.pid, signal.SIGKILL)
            wait_for_end(server)
        return rows

    assert own.read_with(work, seconds=60) == [{"a": 1}]
    assert location.find_running_server(second) not in (None, *killed)


def wait_for_end(server: location.Server) -> None:
    """Return when the process is gone."""
    while server.alive:
        time.sleep(0.05)


def test_waiting_for_a_connection_is_not_running(
    own: Database, second: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that is being started, or a busy machine: the limit is of the statement alone."""
    monkeypatch.setattr(console, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(console, "RESTART_WAIT_SECONDS", 0.2)
    run_cypher(own, "RETURN 1 AS a", seconds=60)
    before, found = location.find_running_server(second), []
    thread = threading.Thread(
        target=lambda: found.append(run_cypher(own, "RETURN 2 AS a", seconds=4).rows)
    )
    with own._lock:  # as while another thread starts the server
        thread.start()
        time.sleep(5)
    thread.join()
    assert found == [[[2]]]
    assert location.find_running_server(second) == before


def test_a_machine_that_stands_still_for_a_while_is_not_taken_for_a_runaway(
    own: Database, second: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "GRACE_SECONDS", 0.2)
    monkeypatch.setattr(console, "RESTART_WAIT_SECONDS", 3.0)
    own.console_driver()
    before = location.find_running_server(second)
    assert before is not None
    thread = threading.Thread(target=ask_for_a_while, args=(own,))
    thread.start()
    time.sleep(0.5)
    os.kill(before.pid, signal.SIGSTOP)
    try:
        time.sleep(6)
    finally:
        os.kill(before.pid, signal.SIGCONT)
    thread.join()
    assert own.read("RETURN 1 AS a", seconds=60) == [{"a": 1}]
    time.sleep(3)
    assert location.find_running_server(second) == before


def ask_for_a_while(database: Database) -> None:
    """Ask what the time limit ends, between two rows."""
    with pytest.raises(DatabaseError, match="did not end in 1 s"):
        run_cypher(database, "UNWIND range(1, 1000000000000) AS x RETURN sum(x) AS a", seconds=1)


def test_one_that_never_ends_does_not_hold_up_the_stop(second: Settings) -> None:
    embedded.start_server(second)
    with connect(second) as database:
        thread = threading.Thread(target=ask_for_ever, args=(database,), daemon=True)
        thread.start()
        time.sleep(2)
        began = time.monotonic()
        assert embedded.stop_server(second)
        assert time.monotonic() - began < 30  # 65 s before
        assert location.find_running_server(second) is None
        thread.join(20)


def ask_for_ever(database: Database) -> None:
    """Ask what never ends, past the console."""
    driver, _ = database.console_driver()
    with pytest.raises(Exception), database.session(driver) as session:  # noqa: B017
        session.run(ENDLESS).consume()
