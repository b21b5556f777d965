"""Finds people of the graph who are one, merges the certain ones, and queues the others."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from graph.errors import ShichengError
from graph.messages import Say
from graph.people.aliases import resolve_person_ids
from graph.progress import Progress
from graph.snapshot.take import take_snapshot
from graph.store.person_merge import PersonMerge
from loaders.broken_loads import undo_broken_loads
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.matching.judgements import (
    Judgement,
    PersonPair,
    list_judged_pairs,
    list_judgements,
    order_pair,
)
from loaders.matching.match_model import MERGE_WEIGHT_BITS, compute_probability
from loaders.matching.match_pairs import score_pairs
from loaders.matching.match_records import build_match_records
from loaders.matching.merge_choice import MergeChoice, choose_merges
from loaders.matching.review_queue import QUEUE_FILE_NAME, write_review_queue
from loaders.sync import write_people_merges

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.snapshot.frames import Snapshot


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
    with open_load_folder(home, load_id) as folder:
        if not dry_run:
            undo_broken_loads(database, say)
        snapshot = take_snapshot(database, database.settings, progress=progress)
        progress("find the same people", 0, 0)
        people, choice = _find_merges(database, snapshot, folder, merge_bits)
        waiting = describe_pairs(choice.asked, people)
        revision = None
        if not dry_run:
            if choice.merges.height:
                merges = {id: PersonMerge(*ground) for id, *ground in choice.merges.iter_rows()}
                report = write_people_merges(
                    database, home, load_id, merges, progress=progress, say=say
                )
                revision = report.revision
                waiting = _follow_merges(waiting, choice.merges)
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
    names = dict(records.select("record", "person_id").iter_rows()) if pairs.height else {}
    taught = [(names[a], names[b]) for a, b in _list_taught_pairs(snapshot, pairs)]
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
    """Those of the pairs of whom one is the other's master: nobody is one's own."""
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


def resolve_pairs(snapshot: Snapshot, pairs: Sequence[PersonPair]) -> list[PersonPair]:
    """The pairs by the ids that stand for theirs; those of one person are left out."""
    leading = resolve_person_ids(snapshot, {id for pair in pairs for id in pair})
    found = ((leading.get(a, a), leading.get(b, b)) for a, b in pairs)
    return [(a, b) for a, b in found if a != b]


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


def _follow_merges(waiting: pl.DataFrame, merges: pl.DataFrame) -> pl.DataFrame:
    """The waiting pairs by the ids that stand now; several between two people become the best."""
    old, new = merges["id"], merges["person_id"]
    moved = waiting.with_columns(pl.col("person_a", "person_b").replace(old, new))
    turned = pl.col("person_a") > pl.col("person_b")
    a, b = pl.col("person_a"), pl.col("person_b")
    moved = moved.with_columns(
        person_a=pl.when(turned).then(b).otherwise(a), person_b=pl.when(turned).then(a).otherwise(b)
    )
    return moved.filter(a != b).unique(["person_a", "person_b"], keep="first", maintain_order=True)


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
    verdicts = {
        order_pair(a, b): one.verdict
        # What puts a pair off says less than a decision on it, by whichever of its ids.
        for one in sorted(judgements, key=lambda one: one.verdict != "later")
        if (a := leading.get(one.person_a, one.person_a))
        != (b := leading.get(one.person_b, one.person_b))
    }
    people = snapshot.frames["people"].select("person_id")
    present = set(people.filter(pl.col("person_id").is_in(ids.implode())).collect()["person_id"])
    found = [verdicts.get(pair) for pair in queue.select("person_a", "person_b").iter_rows()]
    put_off = pl.Series("put_off", [verdict == "later" for verdict in found], dtype=pl.Boolean)
    undecided = pl.Series([one in (None, "later") for one in found], dtype=pl.Boolean)
    here = pl.all_horizontal(pl.col("person_a", "person_b").is_in(list(present)))
    return queue.with_columns(put_off).filter(undecided & here).sort("put_off", maintain_order=True)
