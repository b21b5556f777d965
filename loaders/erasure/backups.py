"""Copies of the data that no erasure reaches: listed, with until when they stay."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graph.archive.register import list_registered_backups
from graph.messages import Message
from graph.server.admin import list_noted_dumps
from loaders.erasure.retention_policy import read_retention_policy
from loaders.upload_folders import UPLOADS_FOLDER

_BACKUP_PATTERNS: Final = (
    "*.dump",
    "*.backup",
    "*.bak",
    "*.tar",
    "*.tar.gz",
    "*.tgz",
    "*.zip",
    "*.damaged-*",
    "restore-*",
)


@dataclass(frozen=True)
class DataBackup:
    """A copy: where, of which day (ISO 8601), and the day on which a rule removes it, or None."""

    path: Path
    day: str
    until: str | None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"path": str(self.path), "day": self.day, "until": self.until}


def list_backups(home: Path) -> list[DataBackup]:
    """Backups, dumps and other copies in the data folder, those of it elsewhere that are still
    there, files that were damaged and set aside, and uploads of visits that go on; by path.
    """
    days = read_retention_policy(home).backups_days
    inside = set(list_own_backups(home))
    stated = {one.path: one for one in list_registered_backups(home)}
    elsewhere = {path for path in list_noted_dumps(home) if path.exists()} - inside - stated.keys()
    uploads = home / UPLOADS_FOLDER
    visits = list(uploads.iterdir()) if uploads.is_dir() else []
    found = [
        *(_describe_copy(path, days) for path in inside - stated.keys()),
        *(DataBackup(path, one.made_at[:10], one.until) for path, one in stated.items()),
        *(_describe_copy(path, None) for path in elsewhere),
        *(_describe_copy(path, 1) for path in visits),
    ]
    return sorted(found, key=lambda one: one.path)


def list_own_backups(home: Path) -> list[Path]:
    """The dumps and other copies in the data folder."""
    found = {path for pattern in _BACKUP_PATTERNS for path in home.rglob(pattern)}
    return sorted(path for path in found if path.relative_to(home).parts[0] != UPLOADS_FOLDER)


def describe_backup(backup: DataBackup) -> Message:
    """What it means for whoever was erased, in words."""
    if backup.until is None:
        return Message(
            "{path} of {day} may still hold erased people, until somebody deletes it.",
            path=backup.path,
            day=backup.day,
        )
    return Message(
        "{path} of {day} may still hold erased people, until {until}.",
        path=backup.path,
        day=backup.day,
        until=backup.until,
    )


def _describe_copy(path: Path, days: int | None) -> DataBackup:
    made = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()
    until = None if days is None else (made + dt.timedelta(days=days)).isoformat()
    return DataBackup(path, made.isoformat(), until)
