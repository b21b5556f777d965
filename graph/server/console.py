"""Users' own questions to the graph, separate from what the pages read.

They run on a few connections of their own, so that no number of them takes the pages' away; each
may take so much time and send so many bytes. Neo4j looks at the clock between rows, so one long
expression goes on after its limit (`reduce` over 10^11 for hours), and nothing short of the end of
its process stops it: the embedded server is then killed and started again, which its store is made
for, and that is said. Whether a question still runs beyond its limit is Neo4j's own word, by its
own clock: one that waits for a connection, for a server that is being started, or for a busy
machine is not taken for one that never ends. While a load runs this waits for the load's end. A
question that was under way when another was ended so is asked once more.
"""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

from graph.errors import DatabaseError, ShichengError
from graph.server import embedded, location
from graph.server.locks import is_load_running

if TYPE_CHECKING:
    from neo4j import Driver, Session, Transaction

    from graph.server.database import Database

T = TypeVar("T")
# Questions at once; how long the next one waits for its turn.
MAX_CONSOLE_QUERIES: Final = 4
TURN_SECONDS: Final = 5.0
# How long past its time limit a question is waited for; how long after that it may still run, so
# that a machine that is merely busy is not taken for one that is stuck.
GRACE_SECONDS: Final = 3.0
RESTART_WAIT_SECONDS: Final = 10.0
# A server that does not even say what runs on it for so long answers nobody: it is ended, too.
SILENT_SECONDS: Final = 60.0
# How long Neo4j may take to say what runs: it answers slowly when all processors are taken.
RUNS_SECONDS: Final = 30.0
# Records that Neo4j sends ahead: few, so that little is read of what is not wanted any more.
FETCH_RECORDS: Final = 100
_RUNS: Final = (
    "SHOW TRANSACTIONS YIELD metaData, elapsedTime WHERE metaData.question = $name "
    "RETURN elapsedTime.milliseconds / 1000.0 AS seconds"
)
# What ends a question before its time: its transaction, by the name it was begun with.
_RUNNING_IDS: Final = (
    "SHOW TRANSACTIONS YIELD transactionId, metaData WHERE metaData.question = $name "
    "RETURN transactionId AS id"
)
_TERMINATE: Final = "TERMINATE TRANSACTIONS $ids"
# A server with these in its errors answers no such statement any more until it starts again.
_BROKEN_CLASS_ERRORS: Final = (
    "StackOverFlow",
    "Could not initialize class",
    "NoClassDefFoundError",
)


class _TooLargeError(OSError):
    """One answer is larger than may be read; the driver gives the connection up."""


@dataclass
class Meter:
    """Counts the bytes of an answer as they come; reading stops for good beyond twice `most`."""

    most: int
    read: int = 0

    @property
    def full(self) -> bool:
        """Whether no further row is to be read."""
        return self.read > self.most

    @property
    def burst(self) -> bool:
        """Whether a single row, or the rows under way, went beyond what may be read at all."""
        return self.read > 2 * self.most

    def count(self, number: int) -> None:
        """Takes so many bytes more; raises when it is too much."""
        self.read += number
        if self.burst:
            raise _TooLargeError("the answer is too large")


class _MeteredSocket:
    """A socket of Neo4j's driver whose bytes are counted."""

    def __init__(self, socket: Any, meter: Meter) -> None:
        self._socket, self._meter = socket, meter

    def recv_into(self, buffer: Any, number: int) -> int:
        """As the socket's own."""
        read = int(self._socket.recv_into(buffer, number))
        self._meter.count(read)
        return read

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)


@contextlib.contextmanager
def _meter_transaction(transaction: Transaction, meter: Meter) -> Iterator[None]:
    """Within it the transaction's answers are counted.

    The driver has no public place for this: its inbox reads chunk by chunk from `_socket`.
    """
    inbox: Any = transaction._connection.inbox
    socket = inbox._socket
    inbox._socket = _MeteredSocket(socket, meter)
    try:
        yield
    finally:
        inbox._socket = socket


@dataclass
class Stream:
    """An answer whose rows are taken while they come, for longer than a question may take.

    Its first row must come within `first_seconds`; whoever reads sets `flowing` with it. Whoever
    has had enough sets `cancelled` by `Console.cancel`, and the reader takes no further row.
    """

    first_seconds: float
    fetch_records: int = 1_000
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    flowing: threading.Event = field(default_factory=threading.Event)
    cancelled: threading.Event = field(default_factory=threading.Event)


@dataclass
class _Question(Generic[T]):
    """One question in a thread of its own: what came of it, and on which server.

    `begun` is set when its time starts to count: its transaction is open. `name` is what Neo4j
    knows the transaction by. `stream` where its rows are taken while they come.
    """

    seconds: float
    stream: Stream | None = None
    name: str = field(default_factory=lambda: uuid.uuid4().hex)
    begun: threading.Event = field(default_factory=threading.Event)
    server: location.Server | None = None
    found: list[T] = field(default_factory=list)
    failed: list[BaseException] = field(default_factory=list)

    @property
    def limit(self) -> float:
        """How long it may take: as a stream it takes longer once rows come, and no more when
        nobody wants them."""
        if self.stream is not None and self.stream.cancelled.is_set():
            return 0.0
        if self.stream is None or self.stream.flowing.is_set():
            return self.seconds
        return min(self.stream.first_seconds, self.seconds)


class Console:
    """The door for users' own questions to one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._turns = threading.BoundedSemaphore(MAX_CONSOLE_QUERIES)
        self._ending = threading.Lock()
        self._closing = threading.Event()
        self._enders: list[threading.Thread] = []

    def ask(
        self,
        work: Callable[[Transaction, Meter], T],
        *,
        seconds: float,
        stream: Stream | None = None,
    ) -> T:
        """What `work` returns, run once in a transaction that may only read.

        `work` stops taking rows when its meter is full. As a `stream` it may take `seconds` in all,
        and its limit until the first row is the stream's own. Raises `DatabaseError` when the
        question does not end within `seconds`, when its answer is too large, or when too many are
        under way.
        """
        question = self._asked(work, seconds, stream)
        flowed = stream is not None and stream.flowing.is_set()
        lost = question.failed and question.server is not None and not question.server.alive
        if lost and not flowed:  # rows that were taken are not taken twice
            question = self._asked(work, seconds, stream)
        if not question.failed:
            return question.found[0]
        if question.server is not None and not question.server.alive:
            raise DatabaseError(
                "Neo4j was started again while the query ran, as another query could not be "
                "broken off: run this one again."
            )
        self._mend(question)
        raise question.failed[0]

    def cancel(self, stream: Stream) -> None:
        """Ends a stream's transaction on the server, whatever it is at; nothing if it has ended."""
        stream.cancelled.set()
        self._terminate(stream.name)

    def _terminate(self, name: str) -> None:
        with contextlib.suppress(ShichengError):
            found = self._database.read(_RUNNING_IDS, {"name": name}, seconds=RUNS_SECONDS)
            if found:
                ids = [row["id"] for row in found]
                self._database.read(_TERMINATE, {"ids": ids}, seconds=RUNS_SECONDS)

    def _asked(
        self, work: Callable[[Transaction, Meter], T], seconds: float, stream: Stream | None
    ) -> _Question[T]:
        """The question when it has ended; raises `DatabaseError` when it outlives its limit."""
        if not self._turns.acquire(timeout=TURN_SECONDS):
            raise DatabaseError(
                "{number} queries of users are being answered, and no more run at once: wait for "
                "one of them to end, then run this one again.",
                number=MAX_CONSOLE_QUERIES,
            )
        question: _Question[T] = _Question(seconds, stream)
        if stream is not None:
            question.name = stream.name
        thread = threading.Thread(
            target=self._run, args=(question, work), daemon=True, name="console"
        )
        thread.start()
        question.begun.wait()
        if stream is None:
            thread.join(seconds + GRACE_SECONDS)
        else:
            self._await_stream(question, thread, stream)
        if thread.is_alive():
            raise self._end(question, thread)
        return question

    def _await_stream(
        self, question: _Question[T], thread: threading.Thread, stream: Stream
    ) -> None:
        """Returns when the stream has ended, or had its time.

        The server itself gives it its whole time, so that one without a row by its limit is ended
        here.
        """
        began = time.monotonic()
        while thread.is_alive() and time.monotonic() - began < question.seconds:
            late = not stream.flowing.is_set() and time.monotonic() - began > question.limit
            if late:
                self._terminate(question.name)
            if late or stream.cancelled.is_set():
                break
            thread.join(0.05)
        thread.join(GRACE_SECONDS)

    def _run(self, question: _Question[T], work: Callable[[Transaction, Meter], T]) -> None:
        try:
            driver, question.server = self._database.console_driver()
            meter = Meter(self._database.settings.result_mb * 1_000_000)
            first = question.seconds if question.stream is None else question.stream.first_seconds
            with self._database.said(first):
                question.found.append(self._answer(driver, work, meter, question))
        except BaseException as error:
            question.failed.append(error)
        finally:
            self._turns.release()
            question.begun.set()

    def _answer(
        self,
        driver: Driver,
        work: Callable[[Transaction, Meter], T],
        meter: Meter,
        question: _Question[T],
    ) -> T:
        stream = question.stream
        session = self._database.session(
            driver,
            fetch_size=FETCH_RECORDS if stream is None else stream.fetch_records,
            notifications_min_severity="WARNING",
        )
        found: list[T] = []
        try:
            self._once(session, work, meter, question, found)
        except Exception:
            # What is still under way of a full answer is not read to its end.
            if found and meter.full:
                return found[0]
            if meter.burst:
                raise _build_too_large_error(meter) from None
            raise
        finally:
            with contextlib.suppress(Exception):
                session.close()
        return found[0]

    def _once(
        self,
        session: Session,
        work: Callable[[Transaction, Meter], T],
        meter: Meter,
        question: _Question[T],
        found: list[T],
    ) -> None:
        metadata = {"question": question.name}
        opened = session.begin_transaction(metadata, timeout=question.seconds)
        question.begun.set()
        with opened as tx, _meter_transaction(tx, meter):
            found.append(work(tx, meter))
            if meter.full:
                meter.most = 0  # the rows under way are not read either
                tx.close()

    def _end(self, question: _Question[T], thread: threading.Thread) -> DatabaseError:
        """Sees to the end of a question that outlives its limit; what to tell who asked it."""
        server, seconds = question.server, question.limit
        if server is None:
            return DatabaseError(
                "The query did not end in {seconds:g} s, and Neo4j can't break off the long "
                "expression it is in: ask for less (a shorter list or range, a LIMIT).",
                seconds=seconds,
            )
        ender = threading.Thread(
            target=self._end_later, args=(server, thread, question), daemon=True
        )
        self._enders.append(ender)
        ender.start()
        return DatabaseError(
            "The query did not end in {seconds:g} s, and Neo4j can't break off the long "
            "expression it is in; if it still runs in {more:g} s, Neo4j is started again, and "
            "others wait for it: ask for less (a shorter list or range, a LIMIT).",
            seconds=seconds,
            more=RESTART_WAIT_SECONDS,
        )

    def _end_later(
        self, server: location.Server, thread: threading.Thread, question: _Question[T]
    ) -> None:
        """Starts the server again when the question still runs; never while a load does.

        Its time is counted from when Neo4j first says that it runs on: a machine that stood still
        gets as long to end it as any other.
        """
        over, more = time.monotonic(), RESTART_WAIT_SECONDS
        confirmed: float | None = None
        while thread.is_alive() and server.alive:
            runs, now = self._runs_beyond_limit(question), time.monotonic()
            if runs:
                confirmed = now if confirmed is None else confirmed
            waited = (
                self._closing.is_set()
                or (confirmed is not None and now - confirmed > more)
                or now - over > SILENT_SECONDS
            )
            if runs is not False and waited and not is_load_running(self._database.settings.home):
                self._restart(server)
                return
            time.sleep(0.2)

    def _runs_beyond_limit(self, question: _Question[T]) -> bool | None:
        """Whether the question runs on past its limit, as Neo4j says; None when it doesn't say."""
        try:
            found = self._database.read(_RUNS, {"name": question.name}, seconds=RUNS_SECONDS)
        except ShichengError:
            return None
        return any(row["seconds"] > question.limit for row in found)

    def close(self) -> None:
        """Ends what still runs beyond its limit; a server that had to be killed stays so."""
        self._closing.set()
        for ender in self._enders:
            ender.join(RESTART_WAIT_SECONDS)

    def _restart(self, server: location.Server) -> None:
        """Starts the server again, once for all the questions that ask for it."""
        with self._ending:
            if server.alive:
                again = not self._closing.is_set()
                embedded.restart_server(self._database.settings, server, start_again=again)

    def _mend(self, question: _Question[T]) -> None:
        """Starts a server again whose classes a statement has broken."""
        cause: BaseException | None = question.failed[0]
        text = ""
        while cause is not None:
            text += f"{getattr(cause, 'code', '')} {getattr(cause, 'message', '')}"
            cause = cause.__cause__
        if question.server is not None and any(word in text for word in _BROKEN_CLASS_ERRORS):
            self._restart(question.server)


def _build_too_large_error(meter: Meter) -> DatabaseError:
    return DatabaseError(
        "A single row of the answer is larger than {megabytes:.0f} MB, so none is shown: return "
        "less of each (fewer properties, no collected lists), or raise SHICHENG_RESULT_MB.",
        megabytes=meter.most / 1e6,
    )
