"""Finds enterprises of the graph that may be one, queues them, and merges what was decided.

Names alone make nothing sure: every pair is asked. What stewards judged is merged, in a load of
its own, by the rules of people (`loaders.matching.merge_choice`), with credit codes for ID numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from graph.audit.log import record_event
from graph.errors import ShichengError
from graph.messages import Say
from graph.people.aliases import resolve_enterprise_ids
from graph.progress import Progress
from graph.snapshot.take import take_snapshot
from graph.store.identity_merge import ENTERPRISES, IdentityMerge
from loaders.broken_loads import undo_broken_loads
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.mapping.identifiers import is_credit_code
from loaders.matching.enterprise_names import GROUND_WORDS, find_name_pairs
from loaders.matching.judgements import Judgement, list_judged_pairs, list_judgements
from loaders.matching.match_records import LIST_SEPARATOR
from loaders.matching.merge_choice import MergeChoice, choose_merges
from loaders.matching.review_queue import (
    ENTERPRISE_QUEUE_FILE_NAME,
    follow_merges,
    replace_pair_ids,
    select_waiting_pairs,
    write_review_queue,
)
from loaders.sync import write_identity_merges

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.snapshot.frames import Snapshot

ENTERPRISE_PAIR_COLUMNS: Final = ("enterprise_a", "enterprise_b")
# Grounds on which a department's own two enterprises are not asked: it would know.
_ASKED_ACROSS_DEPARTMENTS: Final = ("same_core", "short_name")
_READ_ENTERPRISES: Final = 20_000
_ENTERPRISE_SCHEMA: Final[Mapping[str, Any]] = {
    "enterprise_id": pl.String,
    "name": pl.String,
    "province": pl.String,
    "sources": pl.List(pl.String),
}


@dataclass(frozen=True)
class EnterpriseMatchReport:
    """Enterprises compared, ids merged by decision, pairs that wait.

    `revision` is that of the load of the merges; None when nothing was merged.
    """

    enterprises: int
    decided: int
    waiting: int
    revision: int | None
    seconds: float
    dry_run: bool


def match_enterprises(
    database: Database,
    *,
    dry_run: bool = False,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> EnterpriseMatchReport:
    """Compares the names of all enterprises, merges what was decided, queues the other pairs.

    A dry run writes nothing, the queue neither.
    """
    began = time.monotonic()
    home, load_id = database.settings.home, build_load_id()
    revision = None
    with open_load_folder(home, load_id):
        if not dry_run:
            undo_broken_loads(database, say)
        snapshot = take_snapshot(database, database.settings, progress=progress)
        known = _read_enterprises(database, snapshot)
        choice = _choose_enterprise_merges(snapshot, known, list_judgements(home, ENTERPRISES))
        waiting = _describe_enterprise_pairs(choice.asked, known)
        if not dry_run:
            if choice.merges.height:
                merges = {id: IdentityMerge(*ground) for id, *ground in choice.merges.iter_rows()}
                record_event(
                    home,
                    "decision",
                    what="match_enterprises",
                    load_id=load_id,
                    merges=len(merges),
                )
                report = write_identity_merges(
                    database, load_id, ENTERPRISES, merges, progress=progress, say=say
                )
                revision = report.revision
                waiting = follow_merges(waiting, choice.merges, ENTERPRISE_PAIR_COLUMNS)
            write_review_queue(home, waiting, ENTERPRISE_QUEUE_FILE_NAME)
    seconds = time.monotonic() - began
    return EnterpriseMatchReport(
        known.height, choice.merges.height, waiting.height, revision, seconds, dry_run
    )


def load_enterprise_queue(
    snapshot: Snapshot, home: Path, judgements: Iterable[Judgement]
) -> pl.DataFrame:
    """The pairs of enterprises that still wait: neither judged nor merged; put off ones come last.

    Columns: enterprise_a, enterprise_b, ground (`GROUND_WORDS`), province (whether both state the
    same one; null: not both state one), put_off. Raises ShichengError where enterprises were
    never matched.
    """
    path = home / ENTERPRISE_QUEUE_FILE_NAME
    if not path.exists():
        raise ShichengError(
            "Enterprises have not been matched yet: run `shicheng enterprises match` first."
        )
    queue, judged = pl.read_parquet(path), list(judgements)
    ids = {id for one in judged for id in one.pair}
    standing = resolve_enterprise_ids(snapshot, ids)
    present = snapshot.frames["enterprises"].select("enterprise_id").collect()["enterprise_id"]
    return select_waiting_pairs(queue, ENTERPRISE_PAIR_COLUMNS, judged, standing, set(present))


def _read_enterprises(database: Database, snapshot: Snapshot) -> pl.DataFrame:
    """record, enterprise_id, name, province, sources, digest (the credit code), departments."""
    ids = snapshot.frames["enterprises"].select("enterprise_id").collect()["enterprise_id"].sort()
    statement = (
        "UNWIND $ids AS id MATCH (e:Enterprise {enterprise_id: id}) RETURN id AS enterprise_id, "
        "e.name AS name, e.province AS province, e.sources AS sources"
    )
    rows: list[dict[str, Any]] = []
    for at in range(0, ids.len(), _READ_ENTERPRISES):
        part = ids.slice(at, _READ_ENTERPRISES).to_list()
        rows += database.read(statement, {"ids": part}, seconds=600)
    found = pl.DataFrame(rows, schema=_ENTERPRISE_SCHEMA)
    codes = [id if is_credit_code(id) else None for id in found["enterprise_id"]]
    named = pl.element().str.split(LIST_SEPARATOR).list.first().unique().sort()
    return found.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("record"),
        pl.Series("digest", codes, dtype=pl.String),
        pl.col("sources").list.eval(named).alias("departments"),
    )


def _choose_enterprise_merges(
    snapshot: Snapshot, known: pl.DataFrame, judgements: list[Judgement]
) -> MergeChoice:
    judged = {id for one in judgements for id in one.pair}
    standing = resolve_enterprise_ids(snapshot, judged)
    same, different = (
        replace_pair_ids(list_judged_pairs(judgements, verdict), standing)
        for verdict in ("same", "different")
    )
    records = known.select("record", "digest", "departments", person_id="enterprise_id")
    return choose_merges(records, _find_enterprise_pairs(known), same, different)


def _find_enterprise_pairs(known: pl.DataFrame) -> pl.DataFrame:
    """record_l, record_r, weight (negative: nothing is merged by itself), ground, province."""
    pairs = find_name_pairs(known)
    facts = known.select("record", "digest", "province", "departments")
    for side in ("l", "r"):
        names = {name: f"{name}_{side}" for name in facts.columns}
        pairs = pairs.join(facts.rename(names), on=f"record_{side}")
    same_place = pl.col("province_l") == pl.col("province_r")
    shared = pl.col("departments_l").list.set_intersection("departments_r").list.len() > 0
    across = pl.col("ground").is_in(list(_ASKED_ACROSS_DEPARTMENTS))
    both_coded = (pl.col("digest_l") != pl.col("digest_r")).fill_null(value=False)
    elsewhere = ~same_place.fill_null(value=True)
    left = pairs.filter(~both_coded & ~(across & (shared | elsewhere)))
    ranks = {ground: -float(at + 1) for at, ground in enumerate(GROUND_WORDS)}
    return left.select(
        "record_l",
        "record_r",
        pl.col("ground").replace_strict(ranks, return_dtype=pl.Float64).alias("weight"),
        "ground",
        same_place.alias("province"),
    )


def _describe_enterprise_pairs(asked: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The pairs by id, the likeliest first."""
    ids = known.select("record", "enterprise_id")
    named = asked
    for side, column in zip(("l", "r"), ENTERPRISE_PAIR_COLUMNS, strict=True):
        names = ids.rename({"record": f"record_{side}", "enterprise_id": column})
        named = named.join(names, on=f"record_{side}")
    sorted_pairs = named.sort("weight", *ENTERPRISE_PAIR_COLUMNS, descending=[True, False, False])
    return sorted_pairs.select(*ENTERPRISE_PAIR_COLUMNS, "ground", "province")
