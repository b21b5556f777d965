"""Where Neo4j is, and the one place that opens drivers and sessions.

`connect` gives a `Database`: the server that `NEO4J_URI` names, else the embedded one of the data
folder, found or started. From there on the code is the same. Reads run with access mode READ and
a time limit; writes are managed transactions, which Neo4j's driver tries again after a deadlock
or a change of leader; nothing is written in auto-commit. What goes wrong is a `ShichengError`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any, Self, TypeVar

from graph import embedded
from graph.errors import DatabaseError, RefusedError, ShichengError, UsageError

if TYPE_CHECKING:
    from types import TracebackType

    from neo4j import Driver, ManagedTransaction, Record, Session, SummaryCounters

    from graph.settings import Settings

T = TypeVar("T")
Parameters = Mapping[str, Any]

OLDEST = (5, 26)
CONNECT_SECONDS = 5.0
RETRY_SECONDS = 15.0
INDEX_SECONDS = 3600


def connect(settings: Settings, *, say: Callable[[str], None] | None = None) -> Database:
    """The graph's database: NEO4J_URI's, else the embedded one, found or started.

    `say` is told what takes time (fetching, starting). Raises `DatabaseError` with one sentence
    when it cannot be started, reached or used, `UsageError` when NEO4J_URI is no address.
    """
    _import_driver()
    database = Database(settings, say)
    try:
        database.open()
    except BaseException:
        database.close()
        raise
    return database


class Database:
    """One Neo4j database; safe to share between threads, closed by `close` or `with`.

    `uri`, `name`, `version` say which; `embedded` whether it is the one of the data folder.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None] | None = None) -> None:
        self.settings = settings
        self.embedded = not settings.neo4j_uri
        self.name = embedded.DATABASE if self.embedded else settings.neo4j_database
        self.uri = settings.neo4j_uri or ""
        self.version = ""
        self._say = say
        self._driver: Driver | None = None
        self._server: embedded.Server | None = None
        self._lock = RLock()

    def open(self) -> None:
        """Find or start the server and check that it can be used."""
        if self.embedded:
            self._live()
        else:
            self._open_uri()

    def read(
        self, cypher: str, parameters: Parameters | None = None, *, seconds: float | None = None
    ) -> list[dict[str, Any]]:
        """The rows of a query that only reads, each a dict by column name.

        Neo4j's temporal values come as Python's (DATE as `datetime.date`), nodes, relationships
        and paths as plain dicts and lists. `seconds` limits the time the query may take
        (default: `settings.read_seconds`).
        """
        return self.read_with(lambda tx: rows(tx, cypher, parameters), seconds=seconds)

    def read_with(
        self, work: Callable[[ManagedTransaction], T], *, seconds: float | None = None
    ) -> T:
        """What `work` returns, run in one transaction that may only read.

        It may be run again after a fault that passes, so it must have no effects of its own.
        """
        from neo4j import READ_ACCESS, unit_of_work

        limit = self.settings.read_seconds if seconds is None else seconds

        @unit_of_work(timeout=limit)
        def once(tx: ManagedTransaction) -> T:
            with said(self.uri, self.settings, limit, only=_LASTING):
                return work(tx)

        return self._run(lambda session: session.execute_read(once), READ_ACCESS, limit)

    def write(self, cypher: str, parameters: Parameters | None = None) -> SummaryCounters:
        """Run one query in a managed write transaction; what it changed, as counters."""

        def once(tx: ManagedTransaction) -> SummaryCounters:
            return tx.run(cypher, dict(parameters or {})).consume().counters

        return self.write_with(once)

    def write_with(self, work: Callable[[ManagedTransaction], T]) -> T:
        """What `work` returns, run in one managed write transaction.

        It is run again after a fault that passes (a deadlock), so nothing but the database may
        be changed by it.
        """
        from neo4j import WRITE_ACCESS

        def once(tx: ManagedTransaction) -> T:
            with said(self.uri, self.settings, only=_LASTING):
                return work(tx)

        return self._run(lambda session: session.execute_write(once), WRITE_ACCESS)

    def schema(self, statements: Iterable[str]) -> None:
        """Create or drop constraints and indexes, each in its own transaction; wait for them."""
        for statement in statements:
            self.write(statement)
        self.read(f"CALL db.awaitIndexes({INDEX_SECONDS})", seconds=INDEX_SECONDS)

    def close(self) -> None:
        """Close the connections; the embedded server goes on until it is idle."""
        with self._lock:
            if self._driver:
                self._driver.close()
            self._driver = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _run(self, use: Callable[[Session], T], access: str, seconds: float | None = None) -> T:
        """Use a session; a dead embedded server is started again and the work done once more."""
        from neo4j import exceptions

        with said(self.uri, self.settings, seconds):
            driver = self._live()
            try:
                return self._use(driver, use, access)
            except exceptions.IncompleteCommit:
                raise
            except (exceptions.ServiceUnavailable, exceptions.SessionExpired):
                if not self.embedded or (self._server and self._server.alive):
                    raise
            return self._use(self._live(), use, access)

    def _use(self, driver: Driver, use: Callable[[Session], T], access: str) -> T:
        from neo4j import NotificationMinimumSeverity

        with driver.session(
            database=self.name,
            default_access_mode=access,
            notifications_min_severity=NotificationMinimumSeverity.OFF,
        ) as session:
            return use(session)

    def _live(self) -> Driver:
        """The driver, to a server that runs: the embedded one is started again when it stopped."""
        with self._lock:
            if self._driver and (not self._server or self._server.alive):
                return self._driver
            if not self.embedded:
                raise DatabaseError("This connection is closed: connect again.")
            self.close()
            self._server = embedded.start(self.settings, self._say)
            self.uri, self.version = self._server.uri, self._server.version
            secret = embedded.password(self.settings)
            self._driver = _driver(self.uri, (embedded.USER, secret))
            return self._driver

    def _open_uri(self) -> None:
        with said(self.uri, self.settings):
            secret = self.settings.neo4j_password
            auth = (self.settings.neo4j_username, secret.get_secret_value()) if secret else None
            self._driver = _driver(self.uri, auth)
            agent = self._driver.get_server_info().agent
            self.version = agent.removeprefix("Neo4j/")
            check_version(self.version, self.uri)
        self.read("RETURN 1", seconds=CONNECT_SECONDS)


class _WithoutFrames:
    """Hides pandas, numpy and pyarrow from one thread's imports, for as long as it is in place."""

    hidden = frozenset({"pandas", "numpy", "pyarrow"})

    def __init__(self) -> None:
        self.thread = get_ident()

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        """No module for a hidden name in this thread; otherwise no opinion."""
        if name in self.hidden and get_ident() == self.thread:
            raise ModuleNotFoundError(name=name)


def _import_driver() -> None:
    """Import Neo4j's driver, which would import pandas just to take its values as parameters.

    Without it a command answers 0.6 to 1.5 s sooner. Where pandas is in use already (Streamlit
    brings it) nothing is hidden and nothing is lost.
    """
    if "neo4j" in sys.modules:
        return
    finder = _WithoutFrames()
    sys.meta_path.insert(0, finder)
    try:
        import neo4j  # noqa: F401
    finally:
        sys.meta_path.remove(finder)


def rows(
    tx: ManagedTransaction, cypher: str, parameters: Parameters | None = None
) -> list[dict[str, Any]]:
    """The rows of a query in an open transaction, with plain Python values."""
    result = tx.run(cypher, dict(parameters or {}))
    return [plain_record(record) for record in result]


def plain_record(record: Record) -> dict[str, Any]:
    """A row by column name, with plain Python values."""
    return {name: plain(value) for name, value in dict(record).items()}


_PLAIN = frozenset({str, int, float, bool, bytes, type(None)})


def plain(value: Any) -> Any:
    """A value of Neo4j's driver as Python's own.

    DATE -> date, DATETIME -> datetime, TIME -> time, DURATION -> its ISO 8601 text, POINT -> list
    of coordinates, node -> {"labels", "properties"}, relationship -> {"type", "properties"},
    path -> list of nodes and relationships in turn.
    """
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is list:
        return [item if type(item) in _PLAIN else plain(item) for item in value]
    if kind is dict:
        return {name: plain(item) for name, item in value.items()}
    return _plain_other(value)


def _plain_other(value: Any) -> Any:
    from neo4j.graph import Node, Path, Relationship
    from neo4j.spatial import Point
    from neo4j.time import Duration

    if isinstance(value, Node):
        return {"labels": sorted(value.labels), "properties": plain(dict(value))}
    if isinstance(value, Relationship):
        return {"type": value.type, "properties": plain(dict(value))}
    if isinstance(value, Path):
        steps: list[Any] = [plain(value.start_node)]
        for relationship, node in zip(value.relationships, value.nodes[1:], strict=True):
            steps += [plain(relationship), plain(node)]
        return steps
    if isinstance(value, Duration):
        return value.iso_format()
    if isinstance(value, Point):
        return list(value)
    return value.to_native() if hasattr(value, "to_native") else value


def check_version(version: str, uri: str) -> None:
    """Raise `DatabaseError` when a server is older than Neo4j 5.26."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        raise DatabaseError(
            f"The server at {uri} is Neo4j {version}; 5.26 or newer is needed: upgrade it, or "
            "leave NEO4J_URI empty to use the embedded one."
        )


def _driver(uri: str, auth: tuple[str, str] | None) -> Driver:
    from neo4j import GraphDatabase

    if not re.match(r"(bolt|neo4j)(\+s|\+ssc)?://[^/@]+$", uri.rstrip("/")):
        raise _no_address()
    return GraphDatabase.driver(
        uri,
        auth=auth,
        connection_timeout=CONNECT_SECONDS,
        connection_acquisition_timeout=60.0,
        max_transaction_retry_time=RETRY_SECONDS,
        user_agent="shicheng",
        telemetry_disabled=True,
    )


def _no_address() -> UsageError:
    return UsageError(
        "NEO4J_URI is no address of a Neo4j server: write bolt://host:7687, neo4j://host:7687 or "
        "neo4j+s://host:7687, without a user or password in it."
    )


# What is wrong for good, though Neo4j's driver would try it again: said from inside the work.
_LASTING = ("MemoryPool", "TransactionMemory", "OutOfMemory")


@contextmanager
def said(
    uri: str, settings: Settings, seconds: float | None = None, only: tuple[str, ...] = ()
) -> Iterator[None]:
    """Turn what Neo4j's driver raises into a `ShichengError`; with `only`, these codes alone."""
    from neo4j.exceptions import ConfigurationError, DriverError, Neo4jError

    try:
        yield
    except Neo4jError as error:
        code = error.code or ""
        if only and not any(part in code for part in only):
            raise
        raise _refusal(error, code, uri, settings, seconds) from error
    except (ConfigurationError, DriverError) as error:
        if only:
            raise
        raise _unreachable(error, uri) from error


def _unreachable(error: Exception, uri: str) -> ShichengError:
    from neo4j.exceptions import ConfigurationError, IncompleteCommit

    if isinstance(error, ConfigurationError):
        return _no_address()
    if isinstance(error, IncompleteCommit):
        return DatabaseError(
            f"Neo4j at {uri} went away while it committed, so it is not known whether the last "
            "change was stored: run the same command again."
        )
    return DatabaseError(
        f"No Neo4j answers at {uri}: start that server, or check NEO4J_URI, the network and the "
        "port (Bolt's is 7687); neo4j+s:// is for servers with TLS."
    )


def _refusal(
    error: Exception, code: str, uri: str, settings: Settings, seconds: float | None
) -> ShichengError:
    """The sentence for what the server answered; values of the graph are kept out of it."""
    if ".Security." in code:
        return DatabaseError(
            f"Neo4j at {uri} does not let user {settings.neo4j_username} in: check NEO4J_USERNAME "
            "and NEO4J_PASSWORD."
        )
    if "DatabaseNotFound" in code or "DatabaseUnavailable" in code:
        return DatabaseError(
            f"Neo4j at {uri} has no database {settings.neo4j_database} that is online: check "
            "NEO4J_DATABASE."
        )
    if "AccessMode" in code:
        return RefusedError("This query would write, and only reading is allowed here.")
    if "TimedOut" in code or ("Terminated" in code and seconds is not None):
        limit = f" in {seconds:g} s" if seconds is not None else " in time"
        return DatabaseError(
            f"The query did not end{limit}: ask for less (a LIMIT, fewer hops, one province), or "
            "raise SHICHENG_READ_SECONDS."
        )
    if any(part in code for part in _LASTING):
        return DatabaseError(
            "The query needs more memory than one query may take: ask for less (a LIMIT, fewer "
            "hops), or raise SHICHENG_HEAP_MB and run `shicheng db stop`."
        )
    return _statement(error, code)


def _statement(error: Exception, code: str) -> ShichengError:
    message = str(getattr(error, "message", "") or code)
    first = message.splitlines()[0].strip()
    if "ConstraintValidationFailed" in code or "ConstraintViolation" in code:
        return DatabaseError(
            "A rule of the graph refuses the change: " + re.sub(r"\s*=\s*.*", "", first) + "."
        )
    if ".ClientError." in code:
        return UsageError(f"Neo4j does not take the query: {first}")
    if "DatabaseError.Transaction." in code or "No space left" in message:
        return DatabaseError(
            "Neo4j cannot store any more, as when its disk is full; what was stored before is "
            "kept: free some space there, then run `shicheng db stop` and the command again."
        )
    return DatabaseError(f"Neo4j could not do it ({code}): try again, and see its log if it lasts.")
