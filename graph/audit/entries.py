"""The lines of the audit log, to search and to take away."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graph.audit.log import find_person_digest, list_month_files


@dataclass(frozen=True)
class AuditFilter:
    """Which lines: all that are given hold. `since` and `until` are days (ISO 8601), with them."""

    event: str | None = None
    by: str | None = None
    person: str | None = None
    since: str | None = None
    until: str | None = None


@dataclass(frozen=True)
class AuditEntry:
    """One line: its number, when (UTC), who, under which role, by what door, what, and facts."""

    seq: int
    at: str
    by: str
    role: str
    via: str
    event: str
    facts: dict[str, Any]
    raw: str

    @property
    def facts_text(self) -> str:
        """The facts but people's digests, as `name=value`."""
        shown = {name: value for name, value in self.facts.items() if name != "people"}
        return ", ".join(f"{name}={value}" for name, value in shown.items())


def iterate_audit_entries(home: Path, wanted: AuditFilter) -> Iterator[AuditEntry]:
    """The lines that are asked for, the newest first; what is no line is left out.

    Files of months that cannot hold one are not read.
    """
    digest = None if wanted.person is None else find_person_digest(home, wanted.person)
    if wanted.person is not None and digest is None:
        return
    for path in reversed(list_month_files(home)):
        if wanted.since and path.stem < wanted.since[:7]:
            return
        for raw in reversed(path.read_text("utf-8", "replace").splitlines()):
            entry = _parse_entry(raw)
            if entry is not None and _is_wanted(entry, wanted, digest):
                yield entry


def _parse_entry(raw: str) -> AuditEntry | None:
    try:
        stated = json.loads(raw)
        stated.pop("prev")
        entry = AuditEntry(**stated, raw=raw)
    except (ValueError, TypeError, AttributeError, KeyError):
        return None
    texts = (entry.at, entry.by, entry.role, entry.via, entry.event)
    # A line that somebody wrote by hand must not hide the others; `verify` finds it.
    valid = isinstance(entry.seq, int) and isinstance(entry.facts, dict)
    return entry if valid and all(isinstance(text, str) for text in texts) else None


def _is_wanted(entry: AuditEntry, wanted: AuditFilter, digest: str | None) -> bool:
    return (
        (wanted.event is None or entry.event == wanted.event)
        and (wanted.by is None or entry.by == wanted.by)
        and (digest is None or digest in entry.facts.get("people", ()))
        and (wanted.since is None or entry.at[:10] >= wanted.since)
        and (wanted.until is None or entry.at[:10] <= wanted.until)
    )
