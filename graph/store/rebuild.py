"""The store written anew: what was deleted from it is then in none of its files.

Neo4j marks a deleted record as free and leaves its bytes, in the property files, the indexes and
the transaction logs, until it writes something else there. Where people are erased that is not
enough. So everything that the store holds is read out into import files, `neo4j-admin database
import full` makes a store of them beside the old one, and that takes the old one's place, as after
a first load (`graph.store.bulk_import`). No record changes; Neo4j's own numbers do.

The old store goes only when the new one has started and holds as many records of each kind.
Otherwise it is put back. Killed at any point, the next call goes on by what is in the folder:
the new home's `before`, the old store while the new one is unproven; `OLD_STORE_FOLDER`, the old
store on its way back.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, get_args

from graph.errors import DatabaseError
from graph.messages import Message, Say
from graph.progress import Progress
from graph.server.admin import (
    end_orphaned_admin,
    read_database_info,
    swap_store,
    take_store_offline,
)
from graph.server.database import Database
from graph.server.embedded import (
    finish_store_swap,
    locate_swap_mark,
    start_server,
)
from graph.server.location import DATABASE
from graph.store.bulk_import import (
    LIST_SEPARATOR,
    NEW_STORE_FOLDER,
    ImportFile,
    run_store_import,
)
from graph.store.schema import apply_schema
from graph.system_errors import reason_of

# So many records are asked for at a time, by ranges of the store's own numbers.
REBUILD_CHUNK_RECORDS: Final = 10_000
# Lines of a file are gathered up to so many characters before they are written.
REBUILD_BUFFER_CHARACTERS: Final = 1 << 20
REBUILD_READ_SECONDS: Final = 600.0
# The steps that `progress` receives.
REBUILD_READ_STEP: Final = "read the store out"
REBUILD_IMPORT_STEP: Final = "write the store anew"
# The old store on its way back into its place.
OLD_STORE_FOLDER: Final = "old"
_COUNTS_NAME: Final = "counts.json"
# What `finish_store_swap` calls the database that stood in the place.
_REPLACED: Final = "before"
_STORE_PARTS: Final = ("databases", "transactions")
ExportedKind = Literal["nodes", "relations"]
# How many nodes have each label, and how many relations each type.
StoreCounts = dict[str, dict[str, int]]
_CHUNK_STATEMENTS: Final[Mapping[ExportedKind, str]] = {
    "nodes": "MATCH (x) WHERE id(x) IN range($first, $last) RETURN [id(x)] AS own, "
    "reduce(all = '', one IN labels(x) | all + CASE all WHEN '' THEN '' ELSE ':' END + one) "
    "AS kind, properties(x) AS properties",
    "relations": "MATCH (a)-[x]->(b) WHERE id(x) IN range($first, $last) "
    "RETURN [id(a), id(b)] AS own, type(x) AS kind, properties(x) AS properties",
}
_LAST_STATEMENTS: Final[Mapping[ExportedKind, str]] = {
    "nodes": "MATCH (x) RETURN max(id(x)) AS last",
    "relations": "MATCH ()-[x]->() RETURN max(id(x)) AS last",
}


def rebuild_store(
    database: Database,
    folder: Path,
    *,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> None:
    """Writes the embedded store anew, with all that it holds. `folder`: of this task alone, in
    the data folder but not in `loads`; it is there only while the old store is.

    Neo4j stops meanwhile. To be called inside `open_load_folder`, so that nothing else writes.
    Raises DatabaseError when neo4j-admin fails, or the new store does not start or lacks records;
    the old one is then in its place, or in the folder that the error names.
    """
    settings = database.settings
    if _complete_broken_rebuild(database, folder):
        return
    end_orphaned_admin(folder / NEW_STORE_FOLDER)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700)
    try:
        counts: StoreCounts = {}
        files = [
            file
            for what in get_args(ExportedKind)
            for file in export_records(database, folder, what, progress, counts)
        ]
        (folder / _COUNTS_NAME).write_text(json.dumps(counts), encoding="utf-8")
        say(Message("Neo4j stops while its store is written anew, without what was erased."))
        with take_store_offline(settings):
            importing = partial(progress, REBUILD_IMPORT_STEP)
            what = Message("Writing the store anew")
            run_store_import(settings, folder, files, "integer", importing, what)
            swap_store(settings, folder / NEW_STORE_FOLDER)
        _check_new_store(database, folder)
    except (DatabaseError, OSError) as error:
        _put_back_old_store(database, folder, error)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    apply_schema(database)


def _complete_broken_rebuild(database: Database, folder: Path) -> bool:
    """Goes on where a rebuild was killed; whether the store is the new one, and proven."""
    if _holds_store(folder / OLD_STORE_FOLDER, DATABASE):
        _put_back_old_store(database, folder, None)
        return False
    if not _holds_store(folder / NEW_STORE_FOLDER, _REPLACED):
        return False
    try:
        _check_new_store(database, folder)
    except (DatabaseError, OSError) as error:
        _put_back_old_store(database, folder, error)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    apply_schema(database)
    return True


def _holds_store(home: Path, name: str) -> bool:
    return any((home / "data" / part / name).exists() for part in _STORE_PARTS)


def _check_new_store(database: Database, folder: Path) -> None:
    """Raises DatabaseError where the store does not hold what was read out."""
    start_server(database.settings)
    info = read_database_info(database)
    expected = json.loads((folder / _COUNTS_NAME).read_text("utf-8"))
    if expected != {"nodes": info.nodes, "relations": info.relationships}:
        raise DatabaseError(
            "The store that was written anew lacks records, so the old one stays: run `shicheng "
            "forget --resume` to try again."
        )


def _put_back_old_store(
    database: Database, folder: Path, error: DatabaseError | OSError | None
) -> None:
    """Puts the old store back into its place, where a new one has it, and starts it.

    Raises DatabaseError, with the folder that has it, where that is not possible.
    """
    settings, old = database.settings, folder / OLD_STORE_FOLDER
    is_marked = locate_swap_mark(settings.home).is_file()
    is_replaced = _holds_store(folder / NEW_STORE_FOLDER, _REPLACED)
    if not (is_marked or is_replaced or _holds_store(old, DATABASE)):
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        with take_store_offline(settings):
            finish_store_swap(settings.home)  # does nothing where no mark stands
            for part in _STORE_PARTS:
                replaced = folder / NEW_STORE_FOLDER / "data" / part / _REPLACED
                if replaced.exists():
                    (old / "data" / part).mkdir(parents=True, exist_ok=True)
                    replaced.replace(old / "data" / part / DATABASE)
            if _holds_store(old, DATABASE):
                swap_store(settings, old)
        start_server(settings)
    except (DatabaseError, OSError) as failed:
        first = error or failed
        raise DatabaseError(
            "Neo4j's store could not be written anew ({reason}), and the one before it could not "
            "be put back: it is in {folder}. Leave that folder there, free some space, and run "
            "`shicheng forget --resume`.",
            reason=reason_of(first) if isinstance(first, OSError) else first.message,
            folder=folder,
        ) from failed
    shutil.rmtree(folder, ignore_errors=True)


def export_records(
    database: Database, folder: Path, what: ExportedKind, progress: Progress, counts: StoreCounts
) -> list[ImportFile]:
    """Writes all nodes, or all relations, as import files: one for each set of labels (or type)
    and of properties with their types. `counts` gets how many have each label, or type.
    """
    parts: dict[tuple[str, ...], ExportPart] = {}
    by_kind: Counter[str] = Counter()
    for own, kind, properties in _iterate_stored_records(database, what, progress):
        by_kind.update(kind.split(":") if what == "nodes" else [kind])
        cells = [_format_import_cell(name, properties[name]) for name in sorted(properties)]
        headers = (kind, *(header for header, _ in cells))
        if headers not in parts:
            path = folder / f"{what}-{len(parts)}.csv"
            parts[headers] = ExportPart(path, what, kind, headers[1:])
        parts[headers].add([*map(str, own), *(text for _, text in cells)])
    counts[what] = dict(by_kind)
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
    _longest_bytes: int = 0

    def __post_init__(self) -> None:
        ends = [":ID"] if self.what == "nodes" else [":START_ID", ":END_ID"]
        self.add([*ends, *self.headers])

    def add(self, cells: Sequence[str]) -> None:
        """A line of cells, each in quotation marks."""
        line = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
        self._is_multiline = self._is_multiline or "\n" in line or "\r" in line
        self._longest_bytes = max(self._longest_bytes, len(line.encode()))
        self._lines.append(line + "\n")
        self._characters += len(line)
        if self._characters > REBUILD_BUFFER_CHARACTERS:
            self._write()

    def finish(self) -> ImportFile:
        """The full file."""
        self._write()
        option = "--nodes" if self.what == "nodes" else "--relationships"
        argument = f"{option}={self.kind}={self.path}"
        return ImportFile(argument, self._is_multiline, self._longest_bytes)

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
        case list():
            return f"{name}:string[]", LIST_SEPARATOR.join(map(str, value))
        case _:
            return f"{name}:string", str(value)
