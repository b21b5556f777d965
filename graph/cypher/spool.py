"""Answers of any size: rows written to private Arrow files while they come, and read by the page.

Nothing of an answer is held in memory but the part that is being filled (`PART_ROWS` rows, or
`SHICHENG_RESULT_MB`). A part is one Arrow IPC file: a column of one plain type is stored as that
type, any other (lists, nodes, values of several types, dates of which the year alone is known) as
JSON with marks, so that what is read back is what Neo4j sent. The answer ends at
`SHICHENG_SPOOL_MB`, or after `SHICHENG_SPOOL_SECONDS`; what has come by then can be read.

The folder lies in the data folder and goes with the visit (`graph.server.session_folder`), or after
`SPOOL_IDLE_SECONDS` without use.
"""

from __future__ import annotations

import datetime as dt
import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.atomic import create_private_file
from graph.dates import PartialDate
from graph.errors import DatabaseError, UsageError
from graph.server.session_folder import SessionFolder, remove_abandoned_folders
from graph.tabular import format_cell

SPOOL_FOLDER: Final = "results"
PART_ROWS: Final = 10_000
# The first part is small, so that the first page is there at once.
FIRST_PART_ROWS: Final = 1_000
SPOOL_IDLE_SECONDS: Final = 2 * 3600.0
# A value that JSON does not have is a list of this mark, its kind and its text.
_MARK: Final = "\0"
_PLAIN_DTYPES: Final[dict[type, Any]] = {
    str: pl.String,
    int: pl.Int64,
    float: pl.Float64,
    bool: pl.Boolean,
    dt.date: pl.Date,
}


@dataclass(frozen=True)
class SpoolPart:
    """One file: which rows it has, and which columns (by place) are JSON in it."""

    path: Path
    first: int
    rows: int
    encoded: frozenset[int]
    dtypes: tuple[Any, ...]


class SpoolFolder(SessionFolder):
    """Rows in a private folder of Arrow files; removed with this object."""

    def __init__(
        self, home: Path, max_bytes: int, idle_seconds: float = SPOOL_IDLE_SECONDS
    ) -> None:
        super().__init__(home / SPOOL_FOLDER, idle_seconds)
        self.max_bytes = max_bytes
        self.bytes = 0
        self.rows = 0
        self.parts: list[SpoolPart] = []
        self._readers, self._closing = 0, False
        self._guard = threading.Lock()

    @property
    def is_full(self) -> bool:
        """Whether no more rows are taken."""
        return self.bytes >= self.max_bytes

    def append(self, rows: Sequence[Sequence[Any]], width: int) -> None:
        """Writes the rows as one more file. Raises `DatabaseError` where the disk does not take
        them."""
        if not rows:
            return
        frame, encoded = encode_spool_rows(rows, width)
        path = self.path / f"{len(self.parts):06}.arrow"
        try:
            with create_private_file(path) as out:
                frame.write_ipc(out, compression="zstd")
            self.bytes += path.stat().st_size
        except OSError:
            raise DatabaseError(
                "The rows of the answer cannot be stored in {folder}, as when its disk is full: "
                "free some space there, or ask for fewer rows.",
                folder=self.path.parent,
            ) from None
        self.parts.append(SpoolPart(path, self.rows, len(rows), encoded, tuple(frame.dtypes)))
        self.rows += len(rows)

    def read_rows(self, first: int, count: int) -> list[list[Any]]:
        """So many rows from a place on (from 0). Raises `UsageError` when the files are gone."""
        self.touch()
        found: list[list[Any]] = []
        for part in list(self.parts):
            if part.first + part.rows <= first or part.first >= first + count:
                continue
            begin = max(first - part.first, 0)
            end = min(first + count - part.first, part.rows)
            found += self._read_part(part, begin, end - begin)
        return found

    def iterate_parts(self) -> Iterator[list[list[Any]]]:
        """The rows part by part; the files stay until the last is read."""
        with self._reading():
            for part in list(self.parts):
                self.touch()
                yield self._read_part(part, 0, part.rows)

    def close(self) -> None:
        """Removes the folder, once nobody reads from it."""
        self._timer.cancel()
        with self._guard:
            self._closing = True
            free = self._readers == 0
        if free:
            self._remove()

    def finish_filling(self) -> None:
        """Says that no more is appended: where it was closed meanwhile, the last files go too."""
        with self._guard:
            closing = self._closing
        if closing:
            shutil.rmtree(self.path, ignore_errors=True)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with self._guard:
            self._readers += 1
        try:
            yield
        finally:
            with self._guard:
                self._readers -= 1
                free = self._closing and self._readers == 0
            if free:
                self._remove()

    def _read_part(self, part: SpoolPart, first: int, count: int) -> list[list[Any]]:
        try:
            frame = pl.read_ipc(part.path)
        except OSError:
            raise UsageError(
                "The rows of this answer were removed after a long pause; run the query again."
            ) from None
        return decode_spool_rows(frame.slice(first, count), part.encoded)


def remove_abandoned_spools(home: Path) -> int:
    """Removes the folders whose process has ended; how many there were."""
    return remove_abandoned_folders(home / SPOOL_FOLDER)


# Rows as Arrow columns, and back


def encode_spool_rows(
    rows: Sequence[Sequence[Any]], width: int
) -> tuple[pl.DataFrame, frozenset[int]]:
    """The rows as columns named by their place, and which of them are JSON."""
    encoded: set[int] = set()
    series = []
    for place in range(width):
        values = [row[place] for row in rows]
        types = {type(value) for value in values if value is not None}
        if not types:
            series.append(pl.Series(str(place), values, pl.Null))
        elif len(types) == 1 and (dtype := _PLAIN_DTYPES.get(next(iter(types)))) is not None:
            series.append(pl.Series(str(place), values, dtype))
        else:
            encoded.add(place)
            texts = [None if v is None else json.dumps(_mark_value(v)) for v in values]
            series.append(pl.Series(str(place), texts, pl.String))
    return pl.DataFrame(series), frozenset(encoded)


def decode_spool_rows(frame: pl.DataFrame, encoded: frozenset[int]) -> list[list[Any]]:
    """The rows that `encode_spool_rows` was given."""
    columns = [
        [None if v is None else _unmark_value(json.loads(v)) for v in column.to_list()]
        if place in encoded
        else column.to_list()
        for place, column in enumerate(frame.get_columns())
    ]
    return [list(row) for row in zip(*columns, strict=True)]


def _mark_value(value: Any) -> Any:
    if isinstance(value, list | tuple):
        items = [_mark_value(item) for item in value]
        return [_MARK, "list", items] if items[:1] == [_MARK] else items
    if isinstance(value, dict):
        return {name: _mark_value(item) for name, item in value.items()}
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, PartialDate):
        day = dt.date(value.year, value.month, value.day)
        return [_MARK, "partial", day.isoformat(), value.precision]
    if isinstance(value, bytes):
        return [_MARK, "bytes", value.hex()]
    for kind in (dt.datetime, dt.date, dt.time):  # a datetime is a date, too
        if isinstance(value, kind):
            return [_MARK, kind.__name__, value.isoformat()]
    return format_cell(value)


def _unmark_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _unmark_value(item) for name, item in value.items()}
    if not isinstance(value, list):
        return value
    if value[:1] != [_MARK]:
        return [_unmark_value(item) for item in value]
    kind, content = value[1], value[2]
    if kind == "list":
        return [_unmark_value(item) for item in content]
    if kind == "partial":
        day = dt.date.fromisoformat(content)
        return PartialDate(day.year, day.month, day.day, value[3])
    return _MARKED_TYPES[kind](content)


_MARKED_TYPES: Final[dict[str, Callable[[str], Any]]] = {
    "datetime": dt.datetime.fromisoformat,
    "date": dt.date.fromisoformat,
    "time": dt.time.fromisoformat,
    "bytes": bytes.fromhex,
}
