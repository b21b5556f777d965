"""Finds people of the graph who are one, merges the certain ones, and queues the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from graph.audit.log import record_event
from graph.errors import ShichengError
from graph.messages import Say
from graph.people.aliases import resolve_person_ids
from graph.progress import Progress
from graph.snapshot.take import take_snapshot
from graph.store.identity_merge import PEOPLE, IdentityMerge
from loaders.broken_loads import undo_broken_loads
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.matching.judgements import (
    IdPair,
    Judgement,
    list_judged_pairs,
    list_judgements,
)
from loaders.matching.match_model import MERGE_WEIGHT_BITS, compute_probability
from loaders.matching.match_pairs import score_pairs
from loaders.matching.match_records import build_match_records
from loaders.matching.merge_choice import MergeChoice, choose_merges
from loaders.matching.review_queue import (
    QUEUE_FILE_NAME,
    follow_merges,
    replace_pair_ids,
    select_waiting_pairs,
    write_review_queue,
)
from loaders.sync import write_identity_merges

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.snapshot.frames import Snapshot

PAIR_COLUMNS: Final = ("person_a", "person_b")


@dataclass(frozen=True)
class MatchReport:
    """What a matching came to: people compared, ids merged by each basis, pairs that wait.

    `revision` is that of the load of the merges; None when nothing was merged.
    """

    people: int
    probable: int
    decided: int
    waiting: int
    revision: int | None
    seconds: float
    dry_run: bool


def match_people(
    database: Database,
    *,
    dry_run: bool = False,
    merge_bits: float = MERGE_WEIGHT_BITS,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> MatchReport:
    """Compares all people of the graph, merges pairs of at least so many bits, queues the others.

    What stewards judged stands before what is computed. The merges are a load of their own. A dry
    run writes nothing, the queue neither.
    """
    began = time.monotonic()
    home = database.settings.home
    load_id = build_load_id()
    with open_load_folder(home, load_id, database) as folder:
        if not dry_run:
            undo_broken_loads(database, say)
        snapshot = take_snapshot(database, database.settings, progress=progress)
        progress("find the same people", 0, 0)
        people, choice = _find_merges(database, snapshot, folder, merge_bits)
        waiting = describe_pairs(choice.asked, people)
        revision = None
        if not dry_run:
            if choice.merges.height:
                merges = {id: IdentityMerge(*ground) for id, *ground in choice.merges.iter_rows()}
                record_event(home, "decision", what="match", load_id=load_id, merges=len(merges))
                report = write_identity_merges(
                    database, load_id, PEOPLE, merges, progress=progress, say=say
                )
                revision = report.revision
                waiting = follow_merges(waiting, choice.merges, PAIR_COLUMNS)
            write_review_queue(home, waiting)
    counts = dict(choice.merges["basis"].value_counts().iter_rows())
    return MatchReport(
        people.height,
        counts.get("probable", 0),
        counts.get("decided", 0),
        waiting.height,
        revision,
        time.monotonic() - began,
        dry_run,
    )


def _find_merges(
    database: Database, snapshot: Snapshot, folder: Path, merge_bits: float
) -> tuple[pl.DataFrame, MergeChoice]:
    """The people as records, and what is to become of their pairs."""
    records = build_match_records(database, snapshot)
    judgements = list_judgements(database.settings.home)
    pairs = score_pairs(records, folder)
    taught = _resolve_record_pairs(_list_taught_pairs(snapshot, pairs), records)
    people = records.select("record", "person_id", "digest", "departments")
    choice = choose_merges(
        people,
        pairs,
        resolve_pairs(snapshot, list_judged_pairs(judgements, "same")),
        resolve_pairs(snapshot, list_judged_pairs(judgements, "different")),
        taught,
        merge_bits=merge_bits,
    )
    return people, choice


def _list_taught_pairs(snapshot: Snapshot, pairs: pl.DataFrame) -> list[tuple[int, int]]:
    """The pairs of which one is the other's master: nobody is one's own."""
    ties = snapshot.frames["mentorships"].select(
        pl.col("mentor").cast(pl.Int64), pl.col("apprentice").cast(pl.Int64)
    )
    both = pl.concat(
        [
            ties.rename({"mentor": "record_l", "apprentice": "record_r"}),
            ties.select(record_l="apprentice", record_r="mentor"),
        ]
    )
    names = ["record_l", "record_r"]
    found = pairs.lazy().select(names).join(both, on=names, how="semi").collect()
    return list(found.iter_rows())


def _resolve_record_pairs(pairs: Sequence[tuple[int, int]], records: pl.DataFrame) -> list[IdPair]:
    """The pairs of record numbers by ids; only theirs become Python's, of millions a few."""
    wanted = pl.Series([end for pair in pairs for end in pair], dtype=pl.Int64).unique()
    named = records.select("record", "person_id").filter(pl.col("record").is_in(wanted.implode()))
    ids = dict(named.iter_rows())
    return [(ids[a], ids[b]) for a, b in pairs]


def resolve_pairs(snapshot: Snapshot, pairs: Sequence[IdPair]) -> list[IdPair]:
    """The pairs by the ids that stand for theirs; those of one person are left out."""
    leading = resolve_person_ids(snapshot, {id for pair in pairs for id in pair})
    return replace_pair_ids(pairs, leading)


def describe_pairs(asked: pl.DataFrame, people: pl.DataFrame) -> pl.DataFrame:
    """The pairs with person_a, person_b and probability, the most probable first."""
    ids = people.select("record", "person_id")
    named = asked.join(ids.rename({"person_id": "person_a"}), left_on="record_l", right_on="record")
    named = named.join(ids.rename({"person_id": "person_b"}), left_on="record_r", right_on="record")
    probability = pl.Series([compute_probability(w) for w in named["weight"]], dtype=pl.Float64)
    return named.select(
        "person_a",
        "person_b",
        probability.alias("probability"),
        pl.exclude("person_a", "person_b", "record_l", "record_r"),
    ).sort(["weight", "person_a", "person_b"], descending=[True, False, False])


def load_review_queue(
    snapshot: Snapshot, home: Path, judgements: Iterable[Judgement]
) -> pl.DataFrame:
    """The pairs that still wait: neither judged nor merged; those put off come last.

    Columns: person_a, person_b, probability, weight, level and bits of each field, put_off.
    Raises ShichengError where people were never matched.
    """
    path = home / QUEUE_FILE_NAME
    if not path.exists():
        raise ShichengError("People have not been matched yet: run `shicheng people match` first.")
    queue = pl.read_parquet(path)
    ids = pl.concat([queue["person_a"], queue["person_b"]])
    named = {id for one in judgements for id in one.pair}.union(ids)
    leading = resolve_person_ids(snapshot, named)
    people = snapshot.frames["people"].select("person_id")
    present = people.filter(pl.col("person_id").is_in(ids.implode())).collect()["person_id"]
    return select_waiting_pairs(queue, PAIR_COLUMNS, judgements, leading, set(present))
