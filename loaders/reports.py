"""The report of a load: what was read, refused, changed and removed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import polars as pl

from graph.atomic import write_file_atomically
from graph.errors import (
    NothingLoadedError,
    RefusedLoadError,
)
from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from graph.store.merge import (
    RecordConflict,
)
from graph.tabular import render_csv
from loaders.completeness import (
    Removal,
)
from loaders.erasure.erased_rows import count_erased_rows
from loaders.tables import (
    UnreadFile,
)

# The number of newest loads whose report and refusals are retained.
MAX_LOAD_REPORTS = 50
# Values of these properties are people's own, and stand in no report.
PERSONAL_STORED_NAMES = frozenset(
    p.stored for kind in EXCHANGE_TABLES.values() for p in kind.columns if p.personal
)
CONFLICT_MASK = "***"


@dataclass(frozen=True)
class TableCount:
    """What one file came to: rows read = accepted + refused."""

    table: str
    file: str
    read: int
    accepted: int
    refused: int
    remarks: int
    encoding: str = ""


@dataclass(frozen=True)
class HeadlineChange:
    """What a load would do to the national figures, under one policy.

    `before` is None while nothing is loaded; `unknown` says why `after` cannot be known.
    """

    before: Mapping[str, int] | None = None
    after: Mapping[str, int] | None = None
    unknown: Message | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        unknown = None if self.unknown is None else str(self.unknown)
        return {
            name: None if figures is None else dict(figures)
            for name, figures in (("before", self.before), ("after", self.after))
        } | {"unknown": unknown}


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `findings` has a row for each refusal and remark; seconds of wall time.

    `conflicts`: values of this load's records that do not stand, since another source is believed.
    `taken_back`: what a complete load takes back of each table, known before anything is written.
    `refusal`: why nothing was written, or, in a dry run, why nothing would be.
    `unread` are the files beside the tables that were not read. `merged_ids` are ids of people
    that turned out to be further ids of somebody else. `headline`: of a dry run alone.
    """

    load_id: str
    loader: str
    sources: tuple[str, ...]
    dry_run: bool
    tables: tuple[TableCount, ...]
    findings: pl.DataFrame
    written: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    unread: tuple[UnreadFile, ...] = ()
    revision: int | None = None
    seconds: float = 0.0
    taken_back: tuple[Removal, ...] = ()
    conflicts: tuple[RecordConflict, ...] = ()
    refusal: NothingLoadedError | RefusedLoadError | None = None
    merged_ids: int = 0
    headline: HeadlineChange | None = None

    @property
    def read(self) -> int:
        """Rows read."""
        return sum(t.read for t in self.tables)

    @property
    def accepted(self) -> int:
        """Rows taken."""
        return sum(t.accepted for t in self.tables)

    @property
    def refused(self) -> int:
        """Rows refused."""
        return sum(t.refused for t in self.tables)

    @property
    def erased(self) -> int:
        """Rows refused since they state, or refer to, somebody who was erased at request."""
        return count_erased_rows(self.findings)

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON, without the findings (they have a file of their own)."""
        counts = {"read": self.read, "accepted": self.accepted, "refused": self.refused}
        return counts | {
            "load_id": self.load_id,
            "loader": self.loader,
            "sources": list(self.sources),
            "dry_run": self.dry_run,
            "headline": None if self.headline is None else self.headline.as_dict(),
            "revision": self.revision,
            "merged_ids": self.merged_ids,
            "erased": self.erased,
            "seconds": round(self.seconds, 3),
            "tables": [asdict(t) for t in self.tables],
            "written": dict(self.written),
            "removed": dict(self.removed),
            "taken_back": [asdict(r) | {"share": round(r.share, 4)} for r in self.taken_back],
            "refusal": None if self.refusal is None else str(self.refusal),
            "unread": [
                {
                    "file": one.file,
                    "table": one.nearest,
                    "reason": str(one.reason),
                    "reason_zh": one.reason.said("zh"),
                }
                for one in self.unread
            ],
            "conflicts": [_build_conflict_row(conflict) for conflict in self.conflicts],
        }


def _build_conflict_row(found: RecordConflict) -> dict[str, str | None]:
    """A value that does not stand, and the one that does; people's own values are hidden."""
    lost = found.conflict
    values = (lost.value, lost.standing)
    if lost.property in PERSONAL_STORED_NAMES:
        values = (CONFLICT_MASK, CONFLICT_MASK)
    value, standing = (None if value is None else str(value) for value in values)
    return {
        "record": f"{found.frame} {found.key}",
        "property": lost.property,
        "value": value,
        "source": lost.source,
        "row": lost.row,
        "standing": standing,
        "standing_source": lost.standing_source,
    }


def write_load_report(home: Path, report: LoadReport) -> None:
    """Keeps what a load came to in the data folder, for the page of the data.

    `reports/LOAD.json` holds the counts, `rejects/LOAD.csv` each refusal and remark where there is
    one; both are readable by their owner alone, and those of the newest `MAX_LOAD_REPORTS` loads
    stay.
    """
    _write_private_file(
        home / "reports" / f"{report.load_id}.json", _encode_report_json(report.as_dict())
    )
    if not report.findings.is_empty():
        write_findings(report.findings, home / "rejects" / f"{report.load_id}.csv")
    for folder, suffix in (("reports", ".json"), ("rejects", ".csv")):
        for old in sorted((home / folder).glob(f"*{suffix}"))[:-MAX_LOAD_REPORTS]:
            old.unlink(missing_ok=True)


def write_findings(findings: pl.DataFrame, path: Path) -> None:
    """Writes refusals and remarks as CSV (mode 0600) that spreadsheets read in any language."""
    _write_private_file(path, render_csv(findings))


def _encode_report_json(report: dict[str, Any]) -> bytes:
    return json.dumps(report, ensure_ascii=False, indent=1).encode()


def _write_private_file(path: Path, content: bytes) -> None:
    """A file, written atomically, that nobody but its owner reads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with write_file_atomically(path) as making:
        making.touch(mode=0o600)
        making.write_bytes(content)
