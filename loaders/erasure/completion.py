"""The doing of an erasure, from its order: every step may be done again after a kill.

1. the graph: the people, their further ids and relations, and a revision of its own
2. files of the data folder that name them
3. the embedded store, written anew, so that no file of Neo4j has them
4. snapshots of all revisions, since each holds them
5. the restatement: by how much the figures fell
"""

from __future__ import annotations

import datetime as dt
import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.atomic import write_file_atomically
from graph.cypher.spool import remove_abandoned_spools
from graph.driven.results import load_driven
from graph.errors import DatabaseError, IncompleteError, UsageError
from graph.evidence.restatement import NATIONAL_FIGURES, compare_talent_figures
from graph.messages import Message, Say, Words
from graph.policy import Policy
from graph.progress import Progress
from graph.server.database import Database
from graph.snapshot.take import locate_snapshots, take_snapshot
from graph.store.erasure import erase_person_records
from graph.store.rebuild import rebuild_store
from graph.store.schema import apply_schema
from loaders.erasure.activity_log import log_activity
from loaders.erasure.backups import DataBackup, list_backups
from loaders.erasure.erasure_order import (
    EMBEDDED_STORE,
    ErasureOrder,
    describe_erasure_store,
    note_erasure_progress,
    read_erasure_order,
    read_talents_before,
    remove_erasure_order,
)
from loaders.erasure.person_traces import (
    ERASURES_FOLDER,
    MAX_SEARCHED_PEOPLE,
    erase_notebook_entries,
    erase_review_pairs,
    find_traces,
    list_unreadable_files,
    mask_listed_findings,
    mask_reports,
    remove_snapshots,
)
from loaders.erasure.term_matcher import TermMatcher
from loaders.findings import build_empty_findings
from loaders.load_nodes import create_load_node, finish_load
from loaders.reports import LoadReport, write_load_report
from loaders.upload_folders import remove_abandoned_uploads

# What an erasure names as its loader.
ERASURE_LOADER: Final = "erase"
# Where the store is written anew. Not in `loads`: it may hold the only complete store.
REBUILD_FOLDER: Final = "erasure-store"
_FIGURES_STEP: Final = "count the figures"
_LOAD_STATEMENT: Final = (
    "MATCH (l:Load {load_id: $load}) RETURN l.revision AS revision, l.finished_at AS finished_at"
)


@dataclass(frozen=True)
class CleanedFiles:
    """How many files, entries and pairs named the people, or would be changed."""

    reports: int = 0
    refusals: int = 0
    entries: int = 0
    pairs: int = 0
    uploads: int = 0
    snapshots: int = 0


@dataclass(frozen=True)
class ErasureOutcome:
    """What an erasure came to.

    `national`: figure -> before, after; empty where nothing was counted. `talents_changed`: of how
    many talents a figure fell. `backups` still hold the people; `traces` are files in which an id,
    a name or a certificate number of theirs still stands; `unreadable`: reports and lists of
    refusals out of which nobody could be taken.
    """

    revision: int
    people: int
    reason: str
    files: CleanedFiles
    national: dict[str, tuple[int, int]] = field(default_factory=dict)
    talents_changed: int = 0
    backups: tuple[DataBackup, ...] = ()
    traces: tuple[Path, ...] = ()
    unreadable: tuple[Path, ...] = ()
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "revision": self.revision,
            "people": self.people,
            "reason": self.reason,
            "files": self.files.__dict__,
            "national": {
                name: {"before": before, "after": after, "difference": after - before}
                for name, (before, after) in self.national.items()
            },
            "talents_changed": self.talents_changed,
            "backups": [one.as_dict() for one in self.backups],
            "traces": [str(one) for one in self.traces],
            "unreadable": [str(one) for one in self.unreadable],
            "seconds": round(self.seconds, 3),
        }


def complete_erasure(
    database: Database,
    *,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> ErasureOutcome:
    """Does what is left of the order that was begun here; to be called inside `open_load_folder`.

    Raises DatabaseError when Neo4j can't be used, or the order is for another store; it then
    stays, to be completed later.
    """
    began, home = time.monotonic(), database.settings.home
    order = read_erasure_order(home)
    assert order is not None, "an erasure is completed where one was begun"
    _check_store(database, order)
    revision = _erase_from_graph(database, order)
    files = clean_files(database, order)
    if database.embedded and not order.rebuilt:
        rebuild_store(database, home / REBUILD_FOLDER, progress=progress, say=say)
        order = note_erasure_progress(home, order, rebuilt=True)
    national, talents_changed = _write_restatement(database, order, revision, progress)
    report = _build_erasure_report(order)
    write_load_report(home, LoadReport(**{**report.__dict__, "revision": revision}))
    outcome = ErasureOutcome(
        revision,
        order.people,
        order.reason,
        files,
        national,
        talents_changed,
        tuple(list_backups(home)),
        tuple(_find_some_traces(home, order, say)),
        tuple(list_unreadable_files(home)),
        time.monotonic() - began,
    )
    _log_erasure(home, order, outcome)
    remove_erasure_order(home)
    return outcome


def _check_store(database: Database, order: ErasureOrder) -> None:
    here = describe_erasure_store(database)
    if order.store != here:
        own = Words("the data folder's own store", "本数据文件夹自带的库")
        there, this = (own if one == EMBEDDED_STORE else one for one in (order.store, here))
        raise DatabaseError(
            "An erasure of people broke off in {there}, and this is {this}: complete it there "
            "first, with `shicheng forget --resume`.",
            there=there,
            this=this,
        )


def _find_some_traces(home: Path, order: ErasureOrder, say: Say) -> list[Path]:
    """The files that still name the people, where they are few."""
    if order.people <= MAX_SEARCHED_PEOPLE:
        return find_traces(home, order.terms)
    say(
        Message(
            "{people:,} people went, so the files were not searched for what still names them; "
            "that is done for at most {most} at once.",
            people=order.people,
            most=MAX_SEARCHED_PEOPLE,
        )
    )
    return []


def _erase_from_graph(database: Database, order: ErasureOrder) -> int:
    """Takes the people out of the graph; the revision without them."""
    found = database.read(_LOAD_STATEMENT, {"load": order.load_id})
    if found and found[0]["finished_at"] is not None:
        return int(found[0]["revision"])
    apply_schema(database)
    if not found:
        more = {"erased": order.people, "erasure_reason": order.reason}
        create_load_node(database, _build_erasure_report(order), more)
    erase_person_records(database, order.load_id, order.terms.ids, order.terms.names)
    return finish_load(database, order.load_id)


def _build_erasure_report(order: ErasureOrder) -> LoadReport:
    return LoadReport(order.load_id, ERASURE_LOADER, (), False, (), build_empty_findings())


def clean_files(database: Database, order: ErasureOrder, *, dry_run: bool = False) -> CleanedFiles:
    """Takes the people out of the files of the data folder, or only counts what names them."""
    home, matcher = database.settings.home, TermMatcher(order.terms)
    snapshots = locate_snapshots(database, database.settings)
    return CleanedFiles(
        mask_reports(home, matcher, dry_run=dry_run),
        mask_listed_findings(home, matcher, dry_run=dry_run),
        erase_notebook_entries(home, matcher, dry_run=dry_run),
        erase_review_pairs(home, order.terms, dry_run=dry_run),
        0 if dry_run else remove_abandoned_uploads(home) + remove_abandoned_spools(home),
        remove_snapshots(home, snapshots, order.terms.ids, dry_run=dry_run),
    )


def _write_restatement(
    database: Database, order: ErasureOrder, revision: int, progress: Progress
) -> tuple[dict[str, tuple[int, int]], int]:
    """Counts the figures again and writes down by how much they fell: the snapshots with which
    they could be compared are gone. The national figures, and how many talents' figures changed.
    """
    talents = read_talents_before(database.settings.home)
    if order.policy is None or talents is None:
        return {}, 0
    policy = Policy.of(order.policy)
    try:
        snapshot = take_snapshot(database, database.settings, progress=progress)
        progress(_FIGURES_STEP, 0, 0)
        now = load_driven(snapshot, policy)
    except (IncompleteError, UsageError):  # nobody is left, or a load came in from elsewhere
        return {}, 0
    changed = compare_talent_figures(talents, now.talents)
    changed = changed.filter(~pl.col("talent_id").is_in(list(order.terms.ids)))
    national = {name: (order.before[name], now.national[name]) for name in NATIONAL_FIGURES}
    stated = {
        "load_id": order.load_id,
        "before": order.revision_before,
        "after": revision,
        "day": f"{dt.datetime.now(dt.UTC):%Y-%m-%d}",
        "people": order.people,
        "reason": order.reason,
        "policy": order.policy,
        "national": [
            {"figure": name, "before": was, "after": is_now, "difference": is_now - was}
            for name, (was, is_now) in national.items()
        ],
        "talents": changed.to_dicts(),
    }
    folder = database.settings.home / ERASURES_FOLDER
    folder.mkdir(exist_ok=True, mode=0o700)
    with write_file_atomically(folder / f"{order.load_id}.json") as making:
        making.touch(mode=0o600)
        making.write_text(json.dumps(stated, ensure_ascii=False, indent=1), encoding="utf-8")
    return national, changed.height


def _log_erasure(home: Path, order: ErasureOrder, outcome: ErasureOutcome) -> None:
    log_activity(
        home,
        "erase",
        by=order.by,
        reason=order.reason,
        digests=list(order.digests),
        people=order.people,
        load_id=order.load_id,
        revision=outcome.revision,
        files=outcome.files.__dict__,
        traces=len(outcome.traces),
        backups=len(outcome.backups),
    )
