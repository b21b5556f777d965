"""Reading and writing, by the embedded server and by a URI; each failure in one sentence."""

from __future__ import annotations

import datetime as dt
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from neo4j import ManagedTransaction

from graph.errors import DatabaseError, RefusedError, UsageError
from graph.server import embedded, location
from graph.server.database import Database, check_server_version, connect, read_plain_rows
from graph.settings import Settings


@pytest.fixture(scope="module")
def by_uri(second: Settings, settings: Settings) -> Settings:
    """Settings that name the second server by its address, as a server of the user's own."""
    server = embedded.start_server(second)
    return settings.model_copy(update={"neo4j_uri": server.uri, "neo4j_password": secret(second)})


def secret(settings: Settings) -> object:
    """The server's password, as settings hold one."""
    from pydantic import SecretStr

    return SecretStr(location.load_server_password(settings))


@pytest.fixture
def clock() -> Iterator[None]:
    """What is wrong is said within ten seconds."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 20  # twice the promise: the test machine is shared


def test_dates_and_graph_values_come_as_pythons_own(empty_database: Database) -> None:
    row = empty_database.read(
        "RETURN date('2024-02-29') AS day, [date('1999-12-31'), {at: date('2000-01-01')}] AS days, "
        "datetime('2024-02-29T12:00:00Z') AS at, localdatetime('2024-02-29T12:00') AS here, "
        "time('12:00Z') AS noon, duration('P1Y2M') AS span, point({x: 1.0, y: 2.0}) AS point, "
        "$given AS given, null AS none",
        {"given": dt.date(2025, 1, 1)},
    )[0]
    assert row == {
        "day": dt.date(2024, 2, 29),
        "days": [dt.date(1999, 12, 31), {"at": dt.date(2000, 1, 1)}],
        "at": dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC),
        "here": dt.datetime(2024, 2, 29, 12),
        "noon": dt.time(12, tzinfo=dt.UTC),
        "span": "P1Y2M",
        "point": [1.0, 2.0],
        "given": dt.date(2025, 1, 1),
        "none": None,
    }
    assert type(row["day"]) is dt.date
    path = empty_database.write_with(
        lambda tx: read_plain_rows(
            tx,
            "CREATE p = (a:Person {name: '李'})-[r:MENTORS {start: date('2020-01-01')}]->(:Person) "
            "RETURN a, r, p",
        )
    )[0]
    person = {"labels": ["Person"], "id": None, "properties": {"name": "李"}}
    mentors = {"type": "MENTORS", "properties": {"start": dt.date(2020, 1, 1)}}
    assert path["a"] == person and path["r"] == mentors
    assert path["p"] == [person, mentors, {"labels": ["Person"], "id": None, "properties": {}}]


@pytest.mark.parametrize("scheme", ["bolt", "neo4j"])
def test_the_same_by_uri(by_uri: Settings, scheme: str) -> None:
    assert by_uri.neo4j_uri is not None
    uri = by_uri.neo4j_uri.replace("bolt", scheme)
    with connect(by_uri.model_copy(update={"neo4j_uri": uri})) as database:
        assert (database.uri, database.embedded, database.name) == (uri, False, "neo4j")
        assert database.version.startswith(by_uri.neo4j_version[:4])
        counters = database.write("CREATE (:Probe), (:Probe)")
        assert counters.nodes_created == 2
        assert database.read("MATCH (n:Probe) RETURN count(n) AS n") == [{"n": 2}]
        assert database.write("MATCH (n:Probe) DELETE n").nodes_deleted == 2


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE (:Person)",
        "CREA\\u0054E (:Person)",
        "MATCH (n) DETACH DELETE n",
        "CREATE INDEX some FOR (n:Person) ON (n.name)",
        "CREATE USER other SET PASSWORD 'something else'",
    ],
)
def test_a_read_cannot_write(empty_database: Database, statement: str) -> None:
    with pytest.raises((RefusedError, UsageError)):
        empty_database.read(statement)
    assert empty_database.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


@pytest.mark.parametrize("source", ["file:///etc/passwd", "http://127.0.0.1:1/", "ftp://[::1]/x"])
def test_a_query_reads_no_file_and_no_address(database: Database, source: str) -> None:
    with pytest.raises((UsageError, DatabaseError)) as refusal:
        database.read(f"LOAD CSV FROM '{source}' AS line RETURN line")
    assert "root:" not in str(refusal.value)


def test_wrong_cypher_is_said_with_its_place(database: Database) -> None:
    with pytest.raises(UsageError, match=r"does not take the query: .*MTCH.*line 1"):
        database.read("MTCH (n) RETURN n")
    with pytest.raises(UsageError, match=r"xpected parameter.*missing"):
        database.read("RETURN $missing")


def test_a_read_ends_at_its_time_limit(database: Database) -> None:
    long = "UNWIND range(1, 100000) AS a UNWIND range(1, 100000) AS b RETURN count(*)"
    began = time.monotonic()
    with pytest.raises(DatabaseError, match=r"did not end in 0\.5 s: ask for less"):
        database.read(long, seconds=0.5)
    assert time.monotonic() - began < 15


def test_a_query_that_hoards_is_stopped_and_others_go_on(database: Database) -> None:
    hoard = "UNWIND range(1, 200000000) AS n RETURN size(collect(toString(n) + 'xxxxxxxxxxxx'))"
    with pytest.raises(DatabaseError, match="needs more memory than one query may take"):
        database.read(hoard, seconds=120)
    assert database.read("RETURN 1 AS one") == [{"one": 1}]


def test_a_broken_rule_is_said_without_the_value(empty_database: Database) -> None:
    empty_database.schema(
        ["CREATE CONSTRAINT once IF NOT EXISTS FOR (p:Person) REQUIRE p.person_id IS UNIQUE"]
    )
    empty_database.write("CREATE (:Person {person_id: 'secret-7'})")
    with pytest.raises(DatabaseError, match="rule of the graph") as refusal:
        empty_database.write("CREATE (:Person {person_id: 'secret-7'})")
    assert "secret-7" not in str(refusal.value)
    assert "person_id" in str(refusal.value)


def test_a_failed_write_leaves_nothing(empty_database: Database) -> None:
    def half(tx: ManagedTransaction) -> None:
        tx.run("CREATE (:Person)").consume()
        raise UsageError("not after all")

    with pytest.raises(UsageError, match="not after all"):
        empty_database.write_with(half)
    assert empty_database.read("MATCH (n) RETURN count(n) AS n") == [{"n": 0}]


def test_writers_that_lock_each_other_out_both_end_well(empty_database: Database) -> None:
    empty_database.write("CREATE (:Counter {id: 'a', n: 0}), (:Counter {id: 'b', n: 0})")

    def add(order: tuple[str, str]) -> None:
        def both(tx: ManagedTransaction) -> None:
            for name in order:
                tx.run("MATCH (c:Counter {id: $id}) SET c.n = c.n + 1", id=name).consume()

        empty_database.write_with(both)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [("a", "b"), ("b", "a")] * 10))
    counts = empty_database.read("MATCH (c:Counter) RETURN c.n AS n")
    assert counts == [{"n": 20}, {"n": 20}]


@pytest.mark.usefixtures("clock")
def test_a_dead_address_is_said(settings: Settings) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    for scheme in ("bolt", "neo4j"):
        dead = settings.model_copy(update={"neo4j_uri": f"{scheme}://127.0.0.1:{port}"})
        with pytest.raises(DatabaseError, match=r"No Neo4j answers at .*check NEO4J_URI"):
            connect(dead)


@pytest.mark.usefixtures("clock")
def test_a_wrong_password_is_said(by_uri: Settings, settings: Settings) -> None:
    for given in (secret(settings), None):
        wrong = by_uri.model_copy(update={"neo4j_password": given})
        with pytest.raises(DatabaseError, match=r"does not let user neo4j in.*NEO4J_PASSWORD"):
            connect(wrong)


@pytest.mark.usefixtures("clock")
def test_a_missing_database_is_said(by_uri: Settings) -> None:
    assert by_uri.neo4j_uri is not None
    for scheme in ("bolt", "neo4j"):
        uri = by_uri.neo4j_uri.replace("bolt", scheme)
        absent = by_uri.model_copy(update={"neo4j_database": "absent", "neo4j_uri": uri})
        with pytest.raises(DatabaseError, match="no database absent"):
            connect(absent)


@pytest.mark.parametrize("uri", ["localhost:7687", "http://localhost:7474", "bolt:", "nonsense"])
def test_what_is_no_address_is_said(settings: Settings, uri: str) -> None:
    with pytest.raises((UsageError, DatabaseError), match="NEO4J_URI"):
        connect(settings.model_copy(update={"neo4j_uri": uri}))


def test_too_old_a_server_is_refused() -> None:
    for version in ("4.4.40", "5.25.1"):
        with pytest.raises(DatabaseError, match=rf"is Neo4j {version}; 5\.26 or newer is needed"):
            check_server_version(version, "bolt://old:7687")
    for version in ("5.26.30", "5.27-aura", "2026.08.1"):
        check_server_version(version, "bolt://new:7687")


def test_a_closed_connection_by_uri_says_so(by_uri: Settings) -> None:
    database = connect(by_uri)
    database.close()
    with pytest.raises(DatabaseError, match="connect again"):
        database.read("RETURN 1")
