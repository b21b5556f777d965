"""The store written anew: what was deleted from it is then in none of its files.

Neo4j marks a deleted record as free and leaves its bytes, in the property files, the indexes and
the transaction logs, until it writes something else there. Where people are erased that is not
enough. So everything that the store holds is read out into import files, `neo4j-admin database
import full` makes a store of them beside the old one, and that takes the old one's place, as after
a first load (`graph.store.bulk_import`). No record changes; Neo4j's own numbers do.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

from graph.messages import Message, Say
from graph.model.kinds import UNDO
from graph.progress import Progress
from graph.server.admin import swap_store, take_store_offline
from graph.server.database import Database
from graph.store.bulk_import import (
    LIST_SEPARATOR,
    NEW_STORE_FOLDER,
    ImportFile,
    run_store_import,
)
from graph.store.schema import apply_schema

# So many records are asked for at a time, by ranges of the store's own numbers.
REBUILD_CHUNK_RECORDS: Final = 10_000
# Lines of a file are gathered up to so many characters before they are written.
REBUILD_BUFFER_CHARACTERS: Final = 1 << 20
REBUILD_READ_SECONDS: Final = 600.0
# The steps that `progress` is told of.
REBUILD_READ_STEP: Final = "read the store out"
REBUILD_IMPORT_STEP: Final = "write the store anew"
ExportedKind = Literal["nodes", "relations"]
_CHUNK_STATEMENTS: Final[Mapping[ExportedKind, str]] = {
    "nodes": "MATCH (x) WHERE id(x) IN range($first, $last) AND NOT x:Undo RETURN [id(x)] AS own, "
    "reduce(all = '', one IN labels(x) | all + CASE all WHEN '' THEN '' ELSE ':' END + one) "
    "AS kind, properties(x) AS properties",
    "relations": "MATCH (a)-[x]->(b) WHERE id(x) IN range($first, $last) "
    "RETURN [id(a), id(b)] AS own, type(x) AS kind, properties(x) AS properties",
}
_LAST_STATEMENTS: Final[Mapping[ExportedKind, str]] = {
    "nodes": "MATCH (x) RETURN max(id(x)) AS last",
    "relations": "MATCH ()-[x]->() RETURN max(id(x)) AS last",
}
_UNDO_NUMBERS_STATEMENT: Final = f"MATCH (x:{UNDO.label}) RETURN id(x) AS id"
_UNDO_NODE_STATEMENT: Final = "MATCH (x) WHERE id(x) = $id RETURN properties(x) AS properties"


def rebuild_store(
    database: Database,
    folder: Path,
    *,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> None:
    """Writes the embedded store anew, with all that it holds. `folder`: of this task alone, in
    the data folder; the old store is left in it.

    Neo4j stops meanwhile. To be called inside `open_load_folder`, so that nothing else writes.
    Raises DatabaseError when neo4j-admin fails; the store is then as it was.
    """
    settings = database.settings
    folder.mkdir(mode=0o700)
    files = [
        *export_records(database, folder, "nodes", progress),
        *export_records(database, folder, "relations", progress),
    ]
    say(Message("Neo4j stops while its store is written anew, without what was erased."))
    with take_store_offline(settings):
        importing = partial(progress, REBUILD_IMPORT_STEP)
        what = Message("Writing the store anew")
        run_store_import(settings, folder, files, "integer", importing, what)
        swap_store(settings, folder / NEW_STORE_FOLDER)
    apply_schema(database)


def export_records(
    database: Database, folder: Path, what: ExportedKind, progress: Progress
) -> list[ImportFile]:
    """Writes all nodes, or all relations, as import files: one for each set of labels (or type)
    and of properties with their types.
    """
    parts: dict[tuple[str, ...], ExportPart] = {}
    for own, kind, properties in _iterate_stored_records(database, what, progress):
        cells = [_format_import_cell(name, properties[name]) for name in sorted(properties)]
        headers = (kind, *(header for header, _ in cells))
        if headers not in parts:
            path = folder / f"{what}-{len(parts)}.csv"
            parts[headers] = ExportPart(path, what, kind, headers[1:])
        parts[headers].add([*map(str, own), *(text for _, text in cells)])
    return [part.finish() for part in parts.values()]


def _iterate_stored_records(
    database: Database, what: ExportedKind, progress: Progress
) -> Iterator[tuple[Sequence[int], str, Mapping[str, Any]]]:
    """Numbers of a node, or of a relation's ends, in the store; labels or type; properties."""
    (found,) = database.read(_LAST_STATEMENTS[what], seconds=REBUILD_READ_SECONDS)
    last = -1 if found["last"] is None else found["last"]
    for first in range(0, last + 1, REBUILD_CHUNK_RECORDS):
        progress(REBUILD_READ_STEP, first, last + 1)
        given = {"first": first, "last": first + REBUILD_CHUNK_RECORDS - 1}
        for row in database.read(_CHUNK_STATEMENTS[what], given, seconds=REBUILD_READ_SECONDS):
            yield row["own"], row["kind"], row["properties"]
    if what == "nodes":  # one at a time: what stood before a batch may be megabytes
        for row in database.read(_UNDO_NUMBERS_STATEMENT, seconds=REBUILD_READ_SECONDS):
            (one,) = database.read(_UNDO_NODE_STATEMENT, row, seconds=REBUILD_READ_SECONDS)
            yield [row["id"]], UNDO.label, one["properties"]


@dataclass
class ExportPart:
    """An import file under way; `kind`: labels with colons between them, or a type."""

    path: Path
    what: ExportedKind
    kind: str
    headers: Sequence[str]
    _lines: list[str] = field(default_factory=list)
    _characters: int = 0
    _is_multiline: bool = False

    def __post_init__(self) -> None:
        ends = [":ID"] if self.what == "nodes" else [":START_ID", ":END_ID"]
        self.add([*ends, *self.headers])

    def add(self, cells: Sequence[str]) -> None:
        """A line of cells, each in quotation marks."""
        line = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
        self._is_multiline = self._is_multiline or "\n" in line or "\r" in line
        self._lines.append(line + "\n")
        self._characters += len(line)
        if self._characters > REBUILD_BUFFER_CHARACTERS:
            self._write()

    def finish(self) -> ImportFile:
        """The file, whole."""
        self._write()
        option = "--nodes" if self.what == "nodes" else "--relationships"
        return ImportFile(f"{option}={self.kind}={self.path}", self._is_multiline)

    def _write(self) -> None:
        with self.path.open("a", encoding="utf-8", newline="") as file:
            file.writelines(self._lines)
        self._lines, self._characters = [], 0


def _format_import_cell(name: str, value: object) -> tuple[str, str]:
    """A property as an import file has it: header and text."""
    match value:
        case bool():
            return f"{name}:boolean", str(value).lower()
        case int():
            return f"{name}:long", str(value)
        case float():
            return f"{name}:double", repr(value)
        case datetime():
            return f"{name}:datetime", value.isoformat()
        case date():
            return f"{name}:date", value.isoformat()
        case bytes() | bytearray():  # no array of numbers: `graph.store.undo` reads either
            return f"{name}:string", base64.b64encode(value).decode()
        case list():
            return f"{name}:string[]", LIST_SEPARATOR.join(map(str, value))
        case _:
            return f"{name}:string", str(value)
