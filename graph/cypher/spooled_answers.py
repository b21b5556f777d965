"""An answer that is read into a spool while somebody looks at its first page.

    answer = start_answer(database, lambda reading: run_cypher(database, text, reading=reading))
    answer.wait_for_page()

The rows are read in a thread of their own: validated, masked and logged as those of any other
answer, for `run_cypher` and `run_query` do it. Cancelling ends the transaction on the server.
"""

from __future__ import annotations

import contextlib
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from graph.audit.actor import acting_as, find_current_actor
from graph.cypher.named_queries import FinishTable, Reading, Table
from graph.cypher.spool import FIRST_PART_ROWS, PART_ROWS, SpoolFolder
from graph.errors import DatabaseError, ShichengError
from graph.messages import Message
from graph.server.console import Meter, Stream
from graph.server.database import Database, convert_neo4j_record

if TYPE_CHECKING:
    from neo4j import Transaction

    from graph.audit.actor import Actor

_CANCEL_WAIT_SECONDS: Final = 5.0


@dataclass
class AnswerProgress:
    """How far an answer is read: `columns` once it has begun, `ended` when no row comes any more.

    `stopped` says why the rows end before the answer does; `failure` why there are none.
    """

    columns: tuple[str, ...] = ()
    notices: tuple[Message, ...] = ()
    page: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    stopped: Message | None = None
    failure: ShichengError | None = None


class SpooledAnswer:
    """The rows of one answer, as many as have come; given up with this object."""

    def __init__(self, database: Database, folder: SpoolFolder, stream: Stream) -> None:
        self.folder, self._stream, self._database = folder, stream, database
        self._progress = AnswerProgress()
        self._give_up = weakref.finalize(self, _give_up, database, stream, self._progress)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that whoever asked may see."""
        return self._progress.columns

    @property
    def notices(self) -> tuple[Message, ...]:
        """What the engine remarks of the statement."""
        return self._progress.notices

    @property
    def rows(self) -> int:
        """How many rows have come so far."""
        return self.folder.rows

    @property
    def ended(self) -> bool:
        """Whether no more rows come."""
        return self._progress.ended.is_set()

    @property
    def stopped(self) -> Message | None:
        """Why the rows end before the answer does; None where they are all of it."""
        return self._progress.stopped

    def wait_for_page(self, seconds: float | None = None) -> bool:
        """Waits for the first rows or the end; whether there is one. Raises what went wrong."""
        arrived = self._progress.page.wait(seconds)
        if self._progress.failure is not None:
            raise self._progress.failure
        return arrived

    def wait_for_end(self, seconds: float | None = None) -> bool:
        """Waits until no more rows come; whether that is so. Raises what went wrong."""
        ended = self._progress.ended.wait(seconds)
        if self._progress.failure is not None:
            raise self._progress.failure
        return ended

    def cancel(self) -> None:
        """Ends the reading, and the transaction on the server; rows that have come stay."""
        if not self.ended:
            self._database.console.cancel(self._stream)
            self._progress.ended.wait(_CANCEL_WAIT_SECONDS)

    def close(self) -> None:
        """Ends it and removes its files."""
        self.cancel()
        self._give_up.detach()
        self.folder.close()

    def read_page(self, first: int, count: int) -> Table:
        """So many rows from a place on (from 0)."""
        return Table(
            self.columns,
            self.folder.read_rows(first, count),
            truncated=self.stopped is not None,
            notices=self.notices,
        )

    def iterate_tables(self) -> Iterator[Table]:
        """All rows that have come, part by part."""
        for rows in self.folder.iterate_parts():
            yield Table(self.columns, rows)

    def list_dtypes(self) -> dict[str, Any]:
        """A type for each column that holds all its values: their own, or text."""
        parts = list(self.folder.parts)
        return {
            name: merge_dtypes(
                pl.Object if place in part.encoded else part.dtypes[place] for part in parts
            )
            for place, name in enumerate(self.columns)
        }


def merge_dtypes(dtypes: Iterator[Any]) -> Any:
    """The type of a column whose parts have these; `Object` stands for values of several.

    >>> merge_dtypes(iter([pl.Null(), pl.Int64(), pl.Float64()])), merge_dtypes(iter([pl.Object]))
    (Float64, String)
    """
    found = {dtype for dtype in dtypes if dtype != pl.Null}
    if len(found) == 1 and pl.Object not in found:
        return found.pop()
    return pl.Float64() if found == {pl.Int64(), pl.Float64()} else pl.String()


def start_answer(database: Database, run: Callable[[Reading], Table]) -> SpooledAnswer:
    """Begins to read what `run` asks for, and returns at once."""
    settings = database.settings
    folder = SpoolFolder(settings.home, settings.spool_mb * 1_000_000)
    stream = Stream(settings.read_seconds)
    answer = SpooledAnswer(database, folder, stream)
    progress = answer._progress
    reading = _build_spool_reading(settings.spool_seconds, folder, progress, stream)
    actor = find_current_actor()
    threading.Thread(
        target=_fill_spool, args=(run, reading, progress, actor, folder), daemon=True, name="spool"
    ).start()
    return answer


def _give_up(database: Database, stream: Stream, progress: AnswerProgress) -> None:
    """Ends what nobody looks at any more; the collector does not wait for it."""
    stream.cancelled.set()
    if not progress.ended.is_set():
        threading.Thread(target=database.console.cancel, args=(stream,), daemon=True).start()


def _fill_spool(
    run: Callable[[Reading], Table],
    reading: Reading,
    progress: AnswerProgress,
    actor: Actor,
    folder: SpoolFolder,
) -> None:
    stream = reading.stream
    try:
        with acting_as(actor):
            run(reading)
    except ShichengError as error:
        if stream is not None and stream.cancelled.is_set():
            progress.stopped = Message("The reading was cancelled.")
        elif progress.page.is_set():
            progress.stopped = progress.stopped or error.message
        else:
            progress.failure = error
    except Exception:
        progress.failure = DatabaseError("The answer could not be read: run the query again.")
        raise
    finally:
        folder.finish_filling()
        progress.ended.set()
        progress.page.set()


class _SpoolFiller:
    """Takes rows into the folder, in parts, and says when the first page is there."""

    def __init__(self, folder: SpoolFolder, progress: AnswerProgress, finish: FinishTable) -> None:
        self._folder, self._progress, self._finish = folder, progress, finish
        self._rows: list[list[Any]] = []
        self._names: tuple[str, ...] = ()

    def begin(self, names: tuple[str, ...]) -> None:
        """Says what the columns are."""
        self._names = names
        head = self._finish(Table(names, []))
        self._progress.columns, self._progress.notices = head.columns, head.notices

    def add(self, row: list[Any], full: bool) -> bool:
        """Takes a row; whether a part was written."""
        self._rows.append(row)
        if len(self._rows) < (PART_ROWS if self._folder.parts else FIRST_PART_ROWS) and not full:
            return False
        self.flush()
        self._progress.page.set()
        return True

    def flush(self) -> None:
        """Writes what was taken as one more part."""
        rows, self._rows = self._rows, []
        finished = self._finish(Table(self._names, rows))
        self._folder.append(finished.rows, len(finished.columns))


def _build_spool_reading(
    seconds: float, folder: SpoolFolder, progress: AnswerProgress, stream: Stream
) -> Reading:
    def read(
        tx: Transaction,
        text: str,
        parameters: Mapping[str, Any],
        meter: Meter,
        finish: FinishTable,
    ) -> Table:
        filler = _SpoolFiller(folder, progress, finish)
        result = tx.run(text, dict(parameters))
        filler.begin(tuple(result.keys()))
        try:
            for record in result:
                stream.flowing.set()
                if _must_stop(folder, progress, stream):
                    break
                if filler.add(list(convert_neo4j_record(record).values()), meter.full):
                    meter.read = 0
        except Exception as error:
            progress.stopped = _build_broken_off_message(error, seconds)
            with contextlib.suppress(ShichengError):
                filler.flush()
            if folder.rows:  # a page of its own, however few
                progress.page.set()
            raise
        filler.flush()
        meter.read = 0
        return Table(progress.columns, [])

    def take(found: pl.DataFrame, finish: FinishTable) -> Table:
        filler = _SpoolFiller(folder, progress, finish)
        filler.begin(tuple(found.columns))
        for row in found.iter_rows():
            if _must_stop(folder, progress, stream):
                break
            filler.add(list(row), False)
        filler.flush()
        return Table(progress.columns, [])

    return Reading(read, take, seconds, stream)


def _must_stop(folder: SpoolFolder, progress: AnswerProgress, stream: Stream) -> bool:
    """Whether one more row that has come is not taken any more; `stopped` then says why."""
    if stream.cancelled.is_set():
        progress.stopped = Message("The reading was cancelled.")
        return True
    if folder.is_full:
        progress.stopped = _build_full_message(folder)
        return True
    return False


def _build_full_message(folder: SpoolFolder) -> Message:
    return Message(
        "The rows end here, for they are {megabytes} MB, the most that is stored of one answer: "
        "ask for fewer columns or rows, or raise SHICHENG_SPOOL_MB.",
        megabytes=folder.max_bytes // 1_000_000,
    )


def _build_broken_off_message(error: Exception, seconds: float) -> Message | None:
    """Why rows that came were not all; None where the error itself says it."""
    code = str(getattr(error, "code", ""))
    if "TimedOut" in code or "Terminated" in code:
        return Message(
            "The rows end here, for {seconds:g} s were over: ask for less (a LIMIT, one "
            "province), or raise SHICHENG_SPOOL_SECONDS.",
            seconds=seconds,
        )
    return None
