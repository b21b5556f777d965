"""Where Neo4j is, and the one place that opens drivers and sessions.

`connect` gives a `Database`: the server that `NEO4J_URI` names, else the embedded one of the data
folder, found or started. From there on the code is the same. Reads run with access mode READ and
a time limit; writes are managed transactions, which Neo4j's driver tries again after a deadlock
or a change of leader; nothing is written in auto-commit. What goes wrong is a `ShichengError`.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from threading import RLock, get_ident
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

from graph.errors import DatabaseError, OfflineError, RefusedError, ShichengError, UsageError
from graph.messages import Say
from graph.model.kinds import NODE_KINDS
from graph.server import embedded, location
from graph.server.console import MAX_CONSOLE_QUERIES, Console
from graph.server.locks import is_store_offline

if TYPE_CHECKING:
    from types import TracebackType

    from neo4j import (
        Driver,
        ManagedTransaction,
        Record,
        Session,
        SummaryCounters,
        Transaction,
    )

    from graph.settings import Settings

T = TypeVar("T")
Parameters = Mapping[str, Any]

OLDEST_NEO4J_VERSION = (5, 26)
_CREATE_INDEX_PATTERN = re.compile(r"CREATE (\w+ )?INDEX ")
CONNECT_SECONDS = 5.0
RETRY_SECONDS = 15.0
# The driver tries a read of the embedded server once more (after a second). When that is being
# stopped for a copy, whoever reads must hear so, and not wait for it to come back.
EMBEDDED_READ_RETRY_SECONDS = 0.5
INDEX_SECONDS = 3600
# A killed server resets its connections some time before its process is gone.
ENDING_SECONDS = 10.0
# How often one piece of work may lose its server to somebody's endless statement.
MAX_RESTARTS = 2


def connect(settings: Settings, *, say: Say | None = None) -> Database:
    """The graph's database: NEO4J_URI's, else the embedded one, found or started.

    `say` receives what takes time (fetching, starting). Raises `DatabaseError` with one sentence
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

    def __init__(self, settings: Settings, say: Say | None = None) -> None:
        self.settings = settings
        self.embedded = not settings.neo4j_uri
        self.name = location.DATABASE if self.embedded else settings.neo4j_database
        self.uri = settings.neo4j_uri or ""
        self.version = ""
        self._say = say
        self._driver: Driver | None = None
        self._console_driver: Driver | None = None
        self._server: location.Server | None = None
        self._lock = RLock()
        self.console = Console(self)

    def open(self) -> None:
        """Find or start the server and check that it can be used.

        An embedded store that another command has offline is opened when it is first asked.
        """
        if self.embedded:
            with suppress(OfflineError), translate_driver_errors(self.uri, self.settings):
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
        return self.read_with(lambda tx: read_plain_rows(tx, cypher, parameters), seconds=seconds)

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
            with translate_driver_errors(
                self.uri, self.settings, limit, only=_PERMANENT_ERROR_CODES
            ):
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
            with translate_driver_errors(self.uri, self.settings, only=_PERMANENT_ERROR_CODES):
                return work(tx)

        return self._run(lambda session: session.execute_write(once), WRITE_ACCESS)

    def schema(self, statements: Iterable[str]) -> None:
        """Create constraints and indexes, and wait for them.

        Indexes are made in one transaction, so that Neo4j reads the store once to fill them all;
        the rest has a transaction each.
        """
        every = list(statements)
        indexes = [one for one in every if _CREATE_INDEX_PATTERN.match(one)]

        def create(tx: ManagedTransaction) -> None:
            for statement in indexes:
                tx.run(statement).consume()

        if indexes:
            self.write_with(create)
        for statement in every:
            if statement not in indexes:
                self.write(statement)
        self.read(f"CALL db.awaitIndexes({INDEX_SECONDS})", seconds=INDEX_SECONDS)

    @contextmanager
    def rehearse(self, *, seconds: float | None = None) -> Iterator[Rehearsal]:
        """A database whose reads and writes are one transaction, rolled back at the end.

        `seconds` limits the time that the transaction may take (0: nothing does; default: what
        the server is set to).
        """
        from neo4j import WRITE_ACCESS

        with self.said(seconds):
            driver = self._live()
            with self.session(driver, WRITE_ACCESS) as session:
                transaction = session.begin_transaction(timeout=seconds)
                try:
                    yield Rehearsal(self, transaction)
                finally:
                    transaction.close()  # rolls back: nothing here ever commits

    def close(self) -> None:
        """Close the connections; the embedded server goes on until it is idle."""
        self.console.close()
        self._close_drivers()

    def _close_drivers(self) -> None:
        with self._lock:
            for driver in (self._driver, self._console_driver):
                if driver:
                    driver.close()
            self._driver = self._console_driver = None

    def console_driver(self) -> tuple[Driver, location.Server | None]:
        """The driver of users' own questions, with connections of its own; the server it asks."""
        with self._lock:
            self._live()
            if self._console_driver is None:
                # Looked at before use, since a question is never asked twice.
                self._console_driver = _open_driver(
                    self.uri,
                    self._auth(),
                    max_connection_pool_size=MAX_CONSOLE_QUERIES,
                    liveness_check_timeout=0,
                )
            return self._console_driver, self._server

    def session(self, driver: Driver, access: str = "READ", **more: Any) -> Session:
        """A session on this database, by default one that may only read."""
        from neo4j import NotificationMinimumSeverity

        given = {"notifications_min_severity": NotificationMinimumSeverity.OFF} | more
        return driver.session(database=self.name, default_access_mode=access, **given)

    def said(self, seconds: float | None = None) -> AbstractContextManager[None]:
        """Within it, what Neo4j's driver raises is a `ShichengError`."""
        return translate_driver_errors(self.uri, self.settings, seconds)

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
        """Use a session; the work of a dead embedded server is done again on its successor."""
        from neo4j import READ_ACCESS, exceptions

        with translate_driver_errors(self.uri, self.settings, seconds):
            for _ in range(MAX_RESTARTS):
                with self._lock:
                    driver, server = self._live(), self._server
                try:
                    return self._use(driver, use, access)
                except exceptions.IncompleteCommit:
                    # A read has nothing to store: it is asked again, on whatever server.
                    if access != READ_ACCESS:
                        raise
                except exceptions.DriverError:
                    if not self._is_gone(driver, server):
                        raise
                except exceptions.Neo4jError as error:
                    if not self.embedded or not _has_store_failed(error):
                        raise
                    # It answers nothing more until it is started again: whoever asks next does so.
                    embedded.stop_server(self.settings)
                    # Of a commit that failed nobody knows what was stored; a read is asked again.
                    if access != READ_ACCESS:
                        raise
            return self._use(self._live(), use, access)

    def _is_gone(self, driver: Driver, server: location.Server | None) -> bool:
        """Whether the embedded server that the driver asked is gone, or goes in a moment.

        Another thread may have started its successor already, and closed this driver with it.
        """
        if not self.embedded:
            return False
        return driver is not self._driver or server is None or server.ends_within(ENDING_SECONDS)

    def _use(self, driver: Driver, use: Callable[[Session], T], access: str) -> T:
        more = {}
        if self.embedded and access == "READ":
            more["max_transaction_retry_time"] = EMBEDDED_READ_RETRY_SECONDS
        with self.session(driver, access, **more) as session:
            return use(session)

    def _live(self) -> Driver:
        """The driver, to a server that runs: the embedded one is started again when it stopped."""
        with self._lock:
            if self._driver and (not self._server or self._server.alive):
                return self._driver
            if not self.embedded:
                raise DatabaseError("This connection is closed: connect again.")
            if location.find_running_server(self.settings) is None and is_store_offline(
                self.settings.home
            ):
                raise OfflineError(
                    "The database is offline while another command loads, copies or checks it: "
                    "try again when that has ended."
                )
            driver = self._start_server()
            if not self._verify_server(driver):
                driver = self._start_server()
            return driver

    def _start_server(self) -> Driver:
        self._close_drivers()
        self._server = embedded.start_server(self.settings, self._say)
        self.uri, self.version = self._server.uri, self._server.version
        self._driver = _open_driver(self.uri, self._auth())
        return self._driver

    def _verify_server(self, driver: Driver) -> bool:
        """Whether the server can be used; False when it has to be started again.

        That is one with another password than the file, as after the file's loss, and one that
        was killed and whose process had not gone yet when it was found.
        """
        from neo4j.exceptions import AuthError, ServiceUnavailable

        try:
            driver.verify_connectivity()
        except AuthError:
            embedded.stop_server(self.settings)
            return False
        except ServiceUnavailable:
            if not self._is_gone(driver, self._server):
                raise
            return False
        return True

    def _auth(self) -> tuple[str, str] | None:
        if self.embedded:
            return location.USER, location.load_server_password(self.settings)
        secret = self.settings.neo4j_password
        return (self.settings.neo4j_username, secret.get_secret_value()) if secret else None

    def _open_uri(self) -> None:
        with translate_driver_errors(self.uri, self.settings):
            self._driver = _open_driver(self.uri, self._auth())
            agent = self._driver.get_server_info().agent
            self.version = agent.removeprefix("Neo4j/")
            check_server_version(self.version, self.uri)
        self.read("RETURN 1")


class Rehearsal(Database):
    """A database as it would be: what is written is read back here, and never stored.

    All of it is one open transaction, so that threads take turns, and Neo4j's memory for one
    transaction must hold what is written. No constraint or index is made.
    """

    def __init__(self, database: Database, transaction: Transaction) -> None:
        super().__init__(database.settings)
        self.uri, self.version = database.uri, database.version
        # Work asks of a transaction only what both kinds have.
        self._transaction = cast("ManagedTransaction", transaction)
        self._turn = RLock()

    def read_with(
        self, work: Callable[[ManagedTransaction], T], *, seconds: float | None = None
    ) -> T:
        """What `work` returns; it may be run only once, and no time limits it."""
        return self.write_with(work)

    def write_with(self, work: Callable[[ManagedTransaction], T]) -> T:
        """As `read_with`; it may write."""
        with self._turn, translate_driver_errors(self.uri, self.settings):
            return work(self._transaction)

    def schema(self, statements: Iterable[str]) -> None:
        """Nothing: a transaction that writes records can change no schema."""


class _DataFrameImportBlocker:
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
    # What it warns of (a statement tried again) is said by us or over; stderr is for sentences.
    logging.getLogger("neo4j").addHandler(logging.NullHandler())
    if "neo4j" in sys.modules:
        return
    finder = _DataFrameImportBlocker()
    sys.meta_path.insert(0, finder)
    try:
        import neo4j  # noqa: F401
    finally:
        sys.meta_path.remove(finder)


def read_plain_rows(
    tx: ManagedTransaction, cypher: str, parameters: Parameters | None = None
) -> list[dict[str, Any]]:
    """The rows of a query in an open transaction, with plain Python values."""
    result = tx.run(cypher, dict(parameters or {}))
    return [convert_neo4j_record(record) for record in result]


def convert_neo4j_record(record: Record) -> dict[str, Any]:
    """A row by column name, with plain Python values."""
    return {name: convert_neo4j_value(value) for name, value in dict(record).items()}


_PLAIN_TYPES = frozenset({str, int, float, bool, bytes, type(None)})


def convert_neo4j_value(value: Any) -> Any:
    """A value of Neo4j's driver as Python's own.

    DATE -> date, DATETIME -> datetime, TIME -> time, DURATION -> its ISO 8601 text, POINT -> list
    of coordinates, node -> {"labels", "id", "properties"}, relationship -> {"type", "start", "end",
    "properties"} (the ids of its ends where Neo4j sends them, as in a path), path -> list of nodes
    and relationships in turn.
    """
    kind = type(value)
    if kind in _PLAIN_TYPES:
        return value
    if kind is list:
        return [item if type(item) in _PLAIN_TYPES else convert_neo4j_value(item) for item in value]
    if kind is dict:
        return {name: convert_neo4j_value(item) for name, item in value.items()}
    return _convert_neo4j_object(value)


def _read_node_id(node: Any) -> Any:
    """The id of a node by its kind's key in the schema; None where it has none, or is not sent."""
    if node is None:
        return None
    return next((node[k.key] for k in NODE_KINDS.values() if k.label in node.labels), None)


def _convert_neo4j_object(value: Any) -> Any:
    from neo4j.graph import Node, Path, Relationship
    from neo4j.spatial import Point
    from neo4j.time import Duration

    if isinstance(value, Node):
        return {
            "labels": sorted(value.labels),
            "id": _read_node_id(value),
            "properties": convert_neo4j_value(dict(value)),
        }
    if isinstance(value, Relationship):
        ends = {
            side: _read_node_id(node)
            for side, node in zip(("start", "end"), value.nodes, strict=True)
        }
        known = {side: id for side, id in ends.items() if id is not None}
        return {"type": value.type, **known, "properties": convert_neo4j_value(dict(value))}
    if isinstance(value, Path):
        steps: list[Any] = [convert_neo4j_value(value.start_node)]
        for relationship, node in zip(value.relationships, value.nodes[1:], strict=True):
            steps += [convert_neo4j_value(relationship), convert_neo4j_value(node)]
        return steps
    if isinstance(value, Duration):
        return value.iso_format()
    if isinstance(value, Point):
        return list(value)
    return value.to_native() if hasattr(value, "to_native") else value


def check_server_version(version: str, uri: str) -> None:
    """Raise `DatabaseError` when a server is older than Neo4j 5.26."""
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST_NEO4J_VERSION:
        raise DatabaseError(
            "The server at {uri} is Neo4j {version}; 5.26 or newer is needed: upgrade it, or "
            "leave NEO4J_URI empty to use the embedded one.",
            uri=uri,
            version=version,
        )


def _open_driver(uri: str, auth: tuple[str, str] | None, **more: Any) -> Driver:
    from neo4j import GraphDatabase

    if not re.match(r"(bolt|neo4j)(\+s|\+ssc)?://[^/@]+$", uri.rstrip("/")):
        raise _build_bad_uri_error()
    return GraphDatabase.driver(
        uri,
        auth=auth,
        connection_timeout=CONNECT_SECONDS,
        connection_acquisition_timeout=60.0,
        max_transaction_retry_time=RETRY_SECONDS,
        user_agent="shicheng",
        telemetry_disabled=True,
        **more,
    )


def _build_bad_uri_error() -> UsageError:
    return UsageError(
        "NEO4J_URI is no address of a Neo4j server: write bolt://host:7687, neo4j://host:7687 or "
        "neo4j+s://host:7687, without a user or password in it."
    )


# What is wrong for good, though Neo4j's driver would try it again: said from inside the work.
_PERMANENT_ERROR_CODES = ("MemoryPool", "TransactionMemory", "OutOfMemory")


@contextmanager
def translate_driver_errors(
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
        raise _build_server_error(error, code, uri, settings, seconds) from error
    except (ConfigurationError, DriverError) as error:
        if only:
            raise
        raise _build_unreachable_error(error, uri) from error


def _build_unreachable_error(error: Exception, uri: str) -> ShichengError:
    from neo4j.exceptions import ConfigurationError, IncompleteCommit

    if isinstance(error, ConfigurationError):
        return _build_bad_uri_error()
    if isinstance(error, IncompleteCommit):
        return DatabaseError(
            "Neo4j at {uri} went away while it committed, so it is not known whether the "
            "last change was stored: run the same command again.",
            uri=uri,
        )
    return DatabaseError(
        "No Neo4j answers at {uri}: start that server, or check NEO4J_URI, the network "
        "and the port (Bolt's is 7687); neo4j+s:// is for servers with TLS.",
        uri=uri,
    )


def _build_server_error(
    error: Exception, code: str, uri: str, settings: Settings, seconds: float | None
) -> ShichengError:
    """The sentence for what the server answered; values of the graph are left out of it."""
    if ".Security." in code:
        return DatabaseError(
            "Neo4j at {uri} does not let user {user} in: check NEO4J_USERNAME and NEO4J_PASSWORD.",
            uri=uri,
            user=settings.neo4j_username,
        )
    if "DatabaseNotFound" in code or "DatabaseUnavailable" in code:
        return DatabaseError(
            "Neo4j at {uri} has no database {database} that is online: check NEO4J_DATABASE.",
            uri=uri,
            database=settings.neo4j_database,
        )
    if "AccessMode" in code:
        return RefusedError("This query would write, and only reading is allowed here.")
    if "TimedOut" in code or ("Terminated" in code and seconds is not None):
        if seconds is None:
            return DatabaseError(
                "The query did not end in time: ask for less (a LIMIT, fewer hops, one province), "
                "or raise SHICHENG_READ_SECONDS."
            )
        return DatabaseError(
            "The query did not end in {seconds:g} s: ask for less (a LIMIT, fewer hops, one "
            "province), or raise SHICHENG_READ_SECONDS.",
            seconds=seconds,
        )
    if any(part in code for part in _PERMANENT_ERROR_CODES):
        return DatabaseError(
            "The query needs more memory than one query may take: ask for less (a LIMIT, fewer "
            "hops), or raise SHICHENG_HEAP_MB and run `shicheng db stop`."
        )
    return _build_statement_error(error, code)


def _build_statement_error(error: Exception, code: str) -> ShichengError:
    message = str(getattr(error, "message", "") or code)
    first = message.splitlines()[0].strip()
    if "ConstraintValidationFailed" in code or "ConstraintViolation" in code:
        return DatabaseError(
            "A rule of the graph refuses the change: {rule}.", rule=re.sub(r"\s*=\s*.*", "", first)
        )
    if ".ClientError." in code:
        return UsageError("Neo4j does not take the query: {reason}", reason=first)
    if _has_store_failed(error):
        return DatabaseError(
            "Neo4j cannot store any more, as when its disk is full; what was stored before is "
            "kept: free some space there, start Neo4j again if it is a server of your own, then "
            "run the command again."
        )
    return DatabaseError(
        "Neo4j could not do it ({code}): try again, and see its log if it lasts.", code=code
    )


def _has_store_failed(error: Exception) -> bool:
    """Whether the server could not write a commit; it refuses all work from then on."""
    code, message = (str(getattr(error, name, "") or "") for name in ("code", "message"))
    return "DatabaseError.Transaction." in code or "No space left" in message
