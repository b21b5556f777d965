"""The backups that were made of a data folder: where they are, and until when they stay."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from graph.archive.sealing import ArchiveHead, read_archive_head
from graph.atomic import append_synced
from graph.audit.log import record_event

REGISTER_NAME: Final = "backups.jsonl"


@dataclass(frozen=True)
class RegisteredBackup:
    """One backup as it was made: `made_at` is ISO 8601 in UTC; `until`, the day from which a
    `--days` removes it, None where none does; `revision` that of its graph.
    """

    file: str
    made_at: str
    size: int
    revision: int | None
    encrypted: bool
    until: str | None = None

    @property
    def path(self) -> Path:
        """Where it was written."""
        return Path(self.file)


def register_backup(home: Path, backup: RegisteredBackup) -> None:
    """Notes a backup in the data folder."""
    line = json.dumps(asdict(backup), ensure_ascii=False) + "\n"
    append_synced(home / REGISTER_NAME, line.encode())


def list_registered_backups(home: Path) -> list[RegisteredBackup]:
    """Those that are still where they were written, the oldest first; a damaged line is none."""
    try:
        lines = (home / REGISTER_NAME).read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return []
    found: dict[str, RegisteredBackup] = {}
    for line in lines:
        try:
            backup = RegisteredBackup(**json.loads(line))
        except (ValueError, TypeError):
            continue
        found[backup.file] = backup
    there = [backup for backup in found.values() if backup.path.is_file()]
    return sorted(there, key=lambda one: one.made_at)


def read_backup_head(file: Path) -> ArchiveHead:
    """What a backup says of itself without its key. Raises ArchiveError, OSError."""
    with file.open("rb") as source:
        return read_archive_head(source, file)


def select_expired_backups(
    backups: Iterable[RegisteredBackup], keep: int | None, days: int | None, now: dt.datetime
) -> list[RegisteredBackup]:
    """Those that neither rule keeps, the oldest first; the newest one always stays.

    `keep`: the newest so many stay. `days`: those of the last so many days stay. With both, what
    either keeps stays.
    """
    ordered = sorted(backups, key=lambda one: one.made_at)
    if keep is None and days is None:
        return []
    stay = {one.file for one in ordered[-max(keep or 1, 1) :]}
    if days is not None:
        oldest = (now - dt.timedelta(days=days)).isoformat()
        stay |= {one.file for one in ordered if one.made_at >= oldest}
    return [one for one in ordered if one.file not in stay]


def remove_backups(home: Path, backups: Iterable[RegisteredBackup]) -> int:
    """Deletes backups, with a line of the audit log before; how many."""
    going = list(backups)
    if going:
        record_event(home, "backup", what="remove", files=len(going))
    for backup in going:
        backup.path.unlink(missing_ok=True)
    return len(going)
