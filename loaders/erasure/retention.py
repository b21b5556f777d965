"""What goes by rule: looked up, listed, removed, and logged a line a rule."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from graph.audit.log import record_event
from graph.cypher.spool import remove_abandoned_spools
from graph.errors import IncompleteError
from graph.messages import Message, Say, Words
from graph.progress import Progress
from graph.server.database import Database
from graph.snapshot.take import list_cached_snapshots
from graph.store.undo import delete_old_undo_images
from loaders.broken_loads import undo_broken_loads
from loaders.erasure.activity_log import log_activity
from loaders.erasure.backups import list_own_backups
from loaders.erasure.person_erasure import erase_people_locked
from loaders.erasure.retention_policy import RetentionPolicy, read_retention_policy
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.upload_folders import list_abandoned_uploads, remove_abandoned_uploads

# So many people go in one run: each is looked for in every file.
MAX_PEOPLE_A_RUN: Final = 1_000
_DAYS_A_YEAR: Final = 365.25
_RULE_WORDS: Final = {
    "refused_rows_days": Words("lists of refused rows", "拒收清单"),
    "load_reports_days": Words("reports of loads", "载入报告"),
    "undo_images_days": Words("loads that could be undone", "可撤销的载入"),
    "snapshots_days": Words("snapshots of earlier revisions", "较早版本的数据快照"),
    "uploads": Words("files that ended visits left", "已结束会话上传的文件"),
    "backups_days": Words("backups in the data folder", "数据文件夹内的备份"),
    "people_silent_years": Words("people of whom nothing new was stated", "长期无任何记录的人员"),
}
_OLD_IMAGES_STATEMENT: Final = (
    "MATCH (l:Load) WHERE l.undoable AND l.finished_at < $day RETURN count(l) AS loads"
)
_DROP_OLD_IMAGES_STATEMENT: Final = (
    "MATCH (l:Load) WHERE l.undoable AND l.finished_at < $day REMOVE l.undoable"
)
_SILENT_PEOPLE_STATEMENT: Final = (
    "MATCH (p:Person) WHERE NOT p:LeadingTalent AND p.load < $load "
    "AND coalesce(p.updated_on, $day) <= $day AND NOT EXISTS {MATCH (p)-[x]-() "
    "WHERE x.load >= $load OR any(day IN "
    "[x.start, x.end, x.date, x.recognised_on, x.service_until] WHERE day > $day)} "
    "RETURN p.person_id AS id ORDER BY id"
)


@dataclass(frozen=True)
class RuleFindings:
    """What one rule of the policy takes: how many, their bytes, and where they are.

    `paths` are files and folders, `ids` people; neither is ever logged.
    """

    rule: str
    limit: int
    count: int
    bytes: int = 0
    paths: tuple[Path, ...] = ()
    ids: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """For JSON, without ids of people."""
        return {"rule": self.rule, "limit": self.limit, "count": self.count, "bytes": self.bytes}

    def said(self) -> Message:
        """In words."""
        return Message(
            "{n:,} {what} ({bytes:,} bytes), by the rule {rule}: {limit}",
            n=self.count,
            what=_RULE_WORDS[self.rule],
            bytes=self.bytes,
            rule=self.rule,
            limit=self.limit,
        )


def plan_retention(database: Database, today: dt.date | None = None) -> list[RuleFindings]:
    """What the policy of the data folder takes as of today, a rule each; nothing is removed.

    Raises UsageError for a policy that can't be read.
    """
    policy = read_retention_policy(database.settings.home)
    return list(_iterate_findings(database, policy, today or dt.datetime.now(dt.UTC).date()))


def apply_retention(
    database: Database,
    *,
    by: str,
    today: dt.date | None = None,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> list[RuleFindings]:
    """Removes what `plan_retention` finds; `by` who does it. What was removed, a rule each."""
    home, now = database.settings.home, today or dt.datetime.now(dt.UTC).date()
    load_id = build_load_id()
    # One lock for all: whoever is erased is looked up where nothing can state them meanwhile.
    with open_load_folder(home, load_id, database):
        undo_broken_loads(database, say, progress)
        found = plan_retention(database, now)
        for one in found:
            record_event(home, "erasure", what="retention", rule=one.rule, found=one.count)
            _remove_findings(database, one, now)
            log_activity(home, "retention", by=by, **one.as_dict())
        for one in found:
            if one.ids:
                erase_people_locked(
                    database,
                    load_id,
                    one.ids,
                    by=by,
                    reason=f"retention rule {one.rule}: {one.limit}",
                    is_barred=False,
                    progress=progress,
                    say=say,
                )
    return found


def _iterate_findings(
    database: Database, policy: RetentionPolicy, today: dt.date
) -> Iterator[RuleFindings]:
    home = database.settings.home
    for rule, folder in (("refused_rows_days", "rejects"), ("load_reports_days", "reports")):
        if (days := getattr(policy, rule)) is not None:
            old = _subtract_days(today, days)
            files = [path for path in (home / folder).glob("*.*") if _read_file_day(path) < old]
            yield _describe_paths(rule, days, files)
    if (days := policy.undo_images_days) is not None:
        given = {"day": _subtract_days(today, days).isoformat()}
        (row,) = database.read(_OLD_IMAGES_STATEMENT, given)
        yield RuleFindings("undo_images_days", days, row["loads"])
    if (days := policy.snapshots_days) is not None:
        folders = _list_old_snapshots(database, _subtract_days(today, days))
        yield _describe_paths("snapshots_days", days, folders)
    if policy.uploads:
        yield _describe_paths("uploads", 0, list_abandoned_uploads(home))
    if (days := policy.backups_days) is not None:
        old = _subtract_days(today, days)
        copies = [path for path in list_own_backups(home) if _read_changed_day(path) < old]
        yield _describe_paths("backups_days", days, copies)
    if (years := policy.people_silent_years) is not None:
        ids = _list_silent_people(database, _subtract_days(today, round(years * _DAYS_A_YEAR)))
        some = tuple(ids[:MAX_PEOPLE_A_RUN])
        yield RuleFindings("people_silent_years", years, len(ids), ids=some)


def _remove_findings(database: Database, found: RuleFindings, today: dt.date) -> None:
    if found.rule == "undo_images_days":
        day = _subtract_days(today, found.limit).isoformat()
        database.write(_DROP_OLD_IMAGES_STATEMENT, {"day": day})
        delete_old_undo_images(database, database.settings.undo_loads)
    if found.rule == "uploads":
        remove_abandoned_uploads(database.settings.home)
        remove_abandoned_spools(database.settings.home)
        return
    for path in found.paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _subtract_days(today: dt.date, days: int) -> dt.date:
    return today - dt.timedelta(days=days)


def _read_file_day(path: Path) -> dt.date:
    """The day of a load's file: its name begins with when the load began."""
    try:
        return dt.datetime.strptime(path.name[:8], "%Y%m%d").date()
    except ValueError:
        return _read_changed_day(path)


def _read_changed_day(path: Path) -> dt.date:
    return dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC).date()


def _list_old_snapshots(database: Database, old: dt.date) -> list[Path]:
    """Those of earlier revisions that were made before the day; the newest stays."""
    try:
        _, *earlier = list_cached_snapshots(database, database.settings)
    except (IncompleteError, ValueError):  # nothing is loaded, or no snapshot was taken
        return []
    return [one.folder for one in earlier if one.made_at[:10] < old.isoformat()]


def _list_silent_people(database: Database, day: dt.date) -> list[str]:
    """People but leading talents of whom no day and no load of any record is after the day."""
    given = {"load": f"{day:%Y%m%d}", "day": day}
    rows = database.read(_SILENT_PEOPLE_STATEMENT, given, seconds=600)
    return [row["id"] for row in rows]


def _describe_paths(rule: str, limit: int, paths: Sequence[Path]) -> RuleFindings:
    sizes = [
        file.stat().st_size
        for path in paths
        for file in ([path] if path.is_file() else path.rglob("*"))
        if file.is_file()
    ]
    return RuleFindings(rule, limit, len(paths), sum(sizes), tuple(sorted(paths)))
