"""What people add in the app: notes, saved views, searches and decisions, kept beside the store.

An SQLite file in the data folder (mode 0600), so that a load never touches it and a store that is
put back from a dump keeps it. It holds ids and what people typed; no personal data of the graph.
Every entry has an owner and a time; a decision is never overwritten, the newest one stands.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal, get_args

from graph.errors import UsageError

Kind = Literal["note", "view", "search", "decision"]
FILE: Final = "notebook.sqlite"
# What one entry may hold, so that a page stays a page.
MOST_CHARACTERS: Final = 4_000
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS entries (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, owner TEXT NOT NULL, subject TEXT NOT NULL,
  made_at TEXT NOT NULL, body TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS entries_by_subject ON entries (kind, subject, id);
"""


@dataclass(frozen=True)
class Entry:
    """One entry: `made_at` is ISO 8601 in UTC, `body` what its kind holds (plain JSON)."""

    id: int
    kind: Kind
    owner: str
    subject: str
    made_at: str
    body: Mapping[str, Any]


def _entry(row: tuple[Any, ...]) -> Entry:
    id, kind, owner, subject, made_at, body = row
    return Entry(id, kind, owner, subject, made_at, json.loads(body))


class Notebook:
    """The entries of one data folder."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._path = home / FILE
        self._path.touch(mode=0o600, exist_ok=True)
        with self._opened() as opened:
            opened.executescript(SCHEMA)

    def add(self, kind: Kind, owner: str, subject: str, body: Mapping[str, Any]) -> Entry:
        """Writes an entry. Raises `UsageError` when it is too long to keep."""
        assert kind in get_args(Kind), kind
        text = json.dumps(dict(body), ensure_ascii=False)
        if len(text) > MOST_CHARACTERS:
            raise UsageError(
                f"The {kind} has {len(text)} characters, but at most {MOST_CHARACTERS} are kept; "
                "shorten it."
            )
        now = datetime.now(UTC).isoformat(timespec="seconds")
        row = (kind, owner, subject, now, text)
        with self._opened() as opened:
            done = opened.execute(
                "INSERT INTO entries (kind, owner, subject, made_at, body) VALUES (?, ?, ?, ?, ?)",
                row,
            )
            assert done.lastrowid is not None
            return Entry(done.lastrowid, kind, owner, subject, now, json.loads(text))

    def entries(
        self, kind: Kind, *, owner: str | None = None, subject: str | None = None, most: int = 200
    ) -> list[Entry]:
        """Those of a kind, newest first; of one owner, or on one subject, where named."""
        wanted = {"kind": kind, "owner": owner, "subject": subject}
        given = {name: value for name, value in wanted.items() if value is not None}
        where = " AND ".join(f"{name} = :{name}" for name in given)
        with self._opened() as opened:
            rows = opened.execute(
                "SELECT id, kind, owner, subject, made_at, body FROM entries "
                f"WHERE {where} ORDER BY id DESC LIMIT :most",
                given | {"most": most},
            ).fetchall()
        return [_entry(row) for row in rows]

    def standing(self, kind: Kind) -> dict[str, Entry]:
        """The newest entry on each subject."""
        with self._opened() as opened:
            rows = opened.execute(
                "SELECT id, kind, owner, subject, made_at, body FROM entries WHERE id IN "
                "(SELECT max(id) FROM entries WHERE kind = ? GROUP BY subject)",
                (kind,),
            ).fetchall()
        return {row[3]: _entry(row) for row in rows}

    def remove(self, id: int, owner: str) -> bool:
        """Takes away an entry of the owner's own; whether there was one."""
        with self._opened() as opened:
            done = opened.execute("DELETE FROM entries WHERE id = ? AND owner = ?", (id, owner))
            return done.rowcount > 0

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """A connection of the calling thread's own, committed at the end."""
        with closing(sqlite3.connect(self._path, timeout=10)) as opened, opened:
            yield opened
