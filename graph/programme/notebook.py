"""What people add in the app: notes, saved views, searches and decisions, stored beside the graph.

An SQLite file in the data folder (mode 0600), so that a load never touches it and a store that is
put back from a dump keeps it. It holds ids and what people typed; no personal data of the graph.
Every entry has an owner and a time; a decision is never overwritten, the newest one stands.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from graph.audit.log import record_event
from graph.errors import ShichengError, UsageError
from graph.server.damage import is_notebook_intact, mend_notebook
from graph.system_errors import full_disk, reason_of

EntryKind = Literal[
    "note",
    "view",
    "search",
    "decision",
    "identity",
    "enterprise_identity",
    "school_identity",
    "studio_identity",
    "scenario",
    "query",
    "query_review",
    "dashboard",
]
NOTEBOOK_FILE_NAME: Final = "notebook.sqlite"
# What one entry may hold, so that a page stays a page.
MAX_ENTRY_CHARACTERS: Final = 4_000
# A scenario of thousands of changes is one entry.
MAX_SCENARIO_CHARACTERS: Final = 2_000_000
# A statement of the console and what is said of it.
MAX_QUERY_CHARACTERS: Final = 30_000
# Between the two people of a pair that a decision is on.
PAIR_SEPARATOR: Final = " > "
# The kinds that the audit log has a line of.
_ORGANISATION_KINDS: Final = ("enterprise_identity", "school_identity", "studio_identity")
_DECISION_KINDS: Final = ("decision", "identity", *_ORGANISATION_KINDS)
NOTEBOOK_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, subject TEXT NOT NULL,
  made_at TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entries_by_subject ON entries (kind, subject, id);
"""
INSERT_ENTRY_STATEMENT: Final = (
    "INSERT INTO entries (kind, owner, subject, made_at, body) VALUES (?, ?, ?, ?, ?)"
)


@dataclass(frozen=True)
class Entry:
    """One entry: `made_at` is ISO 8601 in UTC, `body` what its kind holds (plain JSON)."""

    id: int
    kind: EntryKind
    owner: str
    subject: str
    made_at: str
    body: Mapping[str, Any]


def _parse_entry_row(row: tuple[Any, ...]) -> Entry:
    id, kind, owner, subject, made_at, body = row
    return Entry(id, kind, owner, subject, made_at, json.loads(body))


def _list_subject_people(kind: EntryKind, subject: str) -> list[str]:
    """The people a decision is about: one, or the two of a pair."""
    if kind in _ORGANISATION_KINDS:
        return []
    if kind == "identity":
        return [str(id) for id in json.loads(subject)]
    return subject.partition(":")[2].split(PAIR_SEPARATOR)


def _format_body(body: Mapping[str, Any]) -> str:
    return json.dumps(dict(body), ensure_ascii=False)


def _serialize_entry_body(kind: EntryKind, body: Mapping[str, Any]) -> str:
    """The body as it is stored. Raises `UsageError` when it is too long."""
    text = _format_body(body)
    limits = {"scenario": MAX_SCENARIO_CHARACTERS, "query": MAX_QUERY_CHARACTERS}
    most = limits.get(kind, MAX_ENTRY_CHARACTERS)
    if len(text) > most:
        raise UsageError(
            "The {kind} has {length} characters, but at most {most} are kept; shorten it.",
            kind=kind,
            length=len(text),
            most=most,
        )
    return text


class Notebook:
    """The entries of one data folder."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self._path = home / NOTEBOOK_FILE_NAME
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._begin()
        except OSError as error:
            raise _build_notebook_error(self._path, error) from error

    def _begin(self) -> None:
        """A notebook that can be used: a damaged one is set aside, and its tables are there."""
        mend_notebook(self._path)
        self._path.touch(mode=0o600, exist_ok=True)
        with self._opened() as opened:
            opened.executescript(NOTEBOOK_SCHEMA)

    def add(self, kind: EntryKind, owner: str, subject: str, body: Mapping[str, Any]) -> Entry:
        """Writes an entry. Raises `UsageError` when it is too long to keep."""
        assert kind in get_args(EntryKind), kind
        text = _serialize_entry_body(kind, body)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        self._record_decisions(kind, [subject], body)
        row = (kind, owner, subject, now, text)
        with self._opened() as opened:
            done = opened.execute(INSERT_ENTRY_STATEMENT, row)
            assert done.lastrowid is not None
            return Entry(done.lastrowid, kind, owner, subject, now, json.loads(text))

    def add_all(
        self, kind: EntryKind, owner: str, subjects: Iterable[str], body: Mapping[str, Any]
    ) -> int:
        """Writes the same on each of the subjects, all or none; how many. Raises as `add`."""
        text = _serialize_entry_body(kind, body)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        named = list(subjects)
        self._record_decisions(kind, named, body)
        rows = [(kind, owner, subject, now, text) for subject in named]
        with self._opened() as opened:
            opened.executemany(INSERT_ENTRY_STATEMENT, rows)
        return len(rows)

    def _record_decisions(
        self, kind: EntryKind, subjects: Sequence[str], body: Mapping[str, Any]
    ) -> None:
        """Adds a line to the audit log where the entry is a decision."""
        if kind not in _DECISION_KINDS or not subjects:
            return
        scope = subjects[0].partition(":")[0] if kind == "decision" else kind
        record_event(
            self._path.parent,
            "decision",
            people=[id for subject in subjects for id in _list_subject_people(kind, subject)],
            what=scope,
            verdict=str(body.get("verdict")),
            entries=len(subjects),
        )

    def entries(
        self,
        kind: EntryKind,
        *,
        owner: str | None = None,
        subject: str | None = None,
        most: int = 200,
    ) -> list[Entry]:
        """Those of a kind, newest first; of one owner, or on one subject, where named."""
        wanted = {"kind": kind, "owner": owner, "subject": subject}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given)
        with self._opened() as opened:
            rows = opened.execute(
                "SELECT id, kind, owner, subject, made_at, body FROM entries "  # noqa: S608
                # Names of columns that stand above; values go as parameters.
                f"WHERE {where} ORDER BY id DESC LIMIT :most",
                given | {"most": most},
            ).fetchall()
        return [_parse_entry_row(row) for row in rows]

    def standing(self, kind: EntryKind) -> dict[str, Entry]:
        """The newest entry on each subject."""
        with self._opened() as opened:
            rows = opened.execute(
                "SELECT id, kind, owner, subject, made_at, body FROM entries WHERE id IN "
                "(SELECT max(id) FROM entries WHERE kind = ? GROUP BY subject)",
                (kind,),
            ).fetchall()
        return {row[3]: _parse_entry_row(row) for row in rows}

    def remove(self, id: int, owner: str) -> bool:
        """Takes away an entry of the owner's own; whether there was one."""
        with self._opened() as opened:
            done = opened.execute("DELETE FROM entries WHERE id = ? AND owner = ?", (id, owner))
            return done.rowcount > 0

    def redact(self, redact: Callable[[Entry], Entry | None], *, dry_run: bool = False) -> int:
        """Puts what `redact` makes of each entry in its place, or takes it away (None); how many.

        The file is then written anew, so that what went is in none of its free pages.
        """
        changed: dict[int, str | None] = {}
        with self._opened() as opened:
            opened.execute("PRAGMA secure_delete = ON")
            rows = opened.execute("SELECT id, kind, owner, subject, made_at, body FROM entries")
            for before in map(_parse_entry_row, rows.fetchall()):
                after = redact(before)
                if after != before:
                    # With no limit: a mask may be longer than what it stands for.
                    changed[before.id] = None if after is None else _format_body(after.body)
            for id, body in [] if dry_run else changed.items():
                if body is None:
                    opened.execute("DELETE FROM entries WHERE id = ?", (id,))
                else:
                    opened.execute("UPDATE entries SET body = ? WHERE id = ?", (body, id))
        if changed and not dry_run:
            with closing(sqlite3.connect(self._path, timeout=10)) as opened:
                opened.execute("VACUUM")
        return len(changed)

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection of the calling thread's own, committed at the end.

        Raises `ShichengError` when the file cannot be used; one that is damaged is set aside.
        """
        try:
            with closing(sqlite3.connect(self._path, timeout=10)) as opened, opened:
                yield opened
        except sqlite3.DatabaseError as error:
            if is_notebook_intact(self._path):
                raise _build_notebook_error(self._path, error) from error
            self._begin()
            raise ShichengError(
                "The notebook was damaged, so it was set aside and a new one has begun: do again "
                "what was not kept."
            ) from error


def _build_notebook_error(file: Path, error: Exception) -> ShichengError:
    reason = reason_of(error) if isinstance(error, OSError) else full_disk(error) or str(error)
    return ShichengError(
        "The notebook {file} cannot be used now ({reason}): free some space there or mend its "
        "permissions, then try again.",
        file=file,
        reason=reason,
    )
