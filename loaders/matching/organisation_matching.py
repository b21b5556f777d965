"""Finds organisations of the graph that may be one; merges what is sure or decided, asks the rest.

Sure are one credit code in two writings; two names that are the same with the place in them, or two
studios of one name and host, that two departments state. What stewards judged comes first. Both are
merged in a load of their own, by the rules of people (`loaders.matching.merge_choice`), with credit
codes for ID numbers.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from graph.audit.log import record_event
from graph.errors import ShichengError
from graph.messages import Say
from graph.people.organisation_aliases import ORGANISATION_FRAMES, resolve_organisation_ids
from graph.progress import Progress
from graph.snapshot.take import take_snapshot
from graph.store.identity_merge import ENTERPRISES, STUDIOS, IdentityKind, IdentityMerge
from loaders.broken_loads import undo_broken_loads
from loaders.load_nodes import build_load_id, open_load_folder
from loaders.mapping.identifiers import find_first_credit_code
from loaders.matching.judgements import Judgement, list_judged_pairs, list_judgements
from loaders.matching.match_records import LIST_SEPARATOR, normalize_employer_names
from loaders.matching.merge_choice import DECIDED_BASIS, MergeChoice, choose_merges
from loaders.matching.organisation_names import (
    GROUND_WORDS,
    find_name_pairs,
    flag_placed_names,
    strip_place,
)
from loaders.matching.review_queue import (
    follow_merges,
    replace_pair_ids,
    select_waiting_pairs,
    write_review_queue,
)
from loaders.sync import write_identity_merges

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.snapshot.frames import Snapshot

ORGANISATION_PAIR_COLUMNS: Final = ("id_a", "id_b")
# The basis of a merge by the same name and place (`IDENTITY_BASES`).
NAME_BASIS: Final = "name"
# Grounds on which a department's own two organisations are not asked: it would know.
_ASKED_ACROSS_DEPARTMENTS: Final = ("same_core", "same_subject", "short_name")
# Weighs more than any pair that is asked, by more than what makes two partners rivals.
_SURE_BITS: Final = 100.0
_READ_NODES: Final = 20_000
_NODE_SCHEMA: Final[Mapping[str, Any]] = {
    "organisation_id": pl.String,
    "name": pl.String,
    "province": pl.String,
    "host_id": pl.String,
    "host": pl.String,
    "sources": pl.List(pl.String),
    "aliases": pl.List(pl.String),
}


@dataclass(frozen=True)
class OrganisationMatchReport:
    """Organisations compared, ids merged by name and by decision, pairs that wait.

    `revision` is that of the load of the merges; None when nothing was merged.
    """

    kind: str
    compared: int
    named: int
    decided: int
    waiting: int
    revision: int | None
    seconds: float
    dry_run: bool


def build_queue_file_name(identity: IdentityKind) -> str:
    """The file of the data folder in which the pairs of this kind wait."""
    return f"review-{identity.node.table}.parquet"


def match_organisations(
    database: Database,
    identity: IdentityKind = ENTERPRISES,
    *,
    dry_run: bool = False,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> OrganisationMatchReport:
    """Compares the names of all organisations of a kind, merges what is sure or was decided, and
    queues the other pairs.

    A dry run writes nothing, the queue neither.
    """
    began = time.monotonic()
    home, load_id = database.settings.home, build_load_id()
    revision = None
    with open_load_folder(home, load_id, database):
        if not dry_run:
            undo_broken_loads(database, say)
        snapshot = take_snapshot(database, database.settings, progress=progress)
        known = _read_organisations(database, snapshot, identity)
        choice = _choose_organisation_merges(
            snapshot, known, identity, list_judgements(home, identity)
        )
        waiting = _describe_organisation_pairs(choice.asked, known)
        if not dry_run:
            if choice.merges.height:
                merges = {id: IdentityMerge(*ground) for id, *ground in choice.merges.iter_rows()}
                record_event(
                    home,
                    "decision",
                    what=f"match_{identity.node.table}",
                    load_id=load_id,
                    merges=len(merges),
                )
                report = write_identity_merges(
                    database, load_id, identity, merges, progress=progress, say=say
                )
                revision = report.revision
                waiting = follow_merges(waiting, choice.merges, ORGANISATION_PAIR_COLUMNS)
            write_review_queue(home, waiting, build_queue_file_name(identity))
    decided = choice.merges.filter(pl.col("basis") == DECIDED_BASIS).height
    return OrganisationMatchReport(
        identity.node.label.lower(),
        known.height,
        choice.merges.height - decided,
        decided,
        waiting.height,
        revision,
        time.monotonic() - began,
        dry_run,
    )


def load_organisation_queue(
    snapshot: Snapshot, home: Path, judgements: Iterable[Judgement], identity: IdentityKind
) -> pl.DataFrame:
    """The pairs that still wait: neither judged nor merged; put off ones come last.

    Columns: id_a, id_b, ground (`GROUND_WORDS`), province and host (whether both state the same
    one; null: not both state one), put_off. Raises ShichengError where the kind was never matched.
    """
    path = home / build_queue_file_name(identity)
    if not path.exists():
        raise ShichengError(
            "Organisations of this kind have not been matched yet: run `shicheng organisations "
            "match` first."
        )
    queue, judged = pl.read_parquet(path), list(judgements)
    queue = queue.rename({"enterprise_a": "id_a", "enterprise_b": "id_b"}, strict=False)
    ids = {id for one in judged for id in one.pair}
    standing = resolve_organisation_ids(snapshot, identity.node.label, ids)
    _, frame, key = ORGANISATION_FRAMES[identity.node.label]
    present = snapshot.frames[frame].select(key).collect()[key]
    return select_waiting_pairs(queue, ORGANISATION_PAIR_COLUMNS, judged, standing, set(present))


def _read_organisations(
    database: Database, snapshot: Snapshot, identity: IdentityKind
) -> pl.DataFrame:
    """record, organisation_id, name, province, host_id, host, sources, digest (the credit code),
    departments.
    """
    _, frame, key = ORGANISATION_FRAMES[identity.node.label]
    ids = snapshot.frames[frame].select(key).collect()[key].sort()
    hosted = (
        "OPTIONAL MATCH (x)-[:HOSTED_BY]->(h) " if identity is STUDIOS else "WITH x, id, null AS h "
    )
    statement = (
        f"UNWIND $ids AS id MATCH (x:{identity.node.label} {{{key}: id}}) {hosted}"
        "RETURN id AS organisation_id, x.name AS name, x.province AS province, "
        "coalesce(h.enterprise_id, h.school_id) AS host_id, h.name AS host, "
        f"x.sources AS sources, {_list_alias_ids(identity)} AS aliases"
    )
    rows: list[dict[str, Any]] = []
    for at in range(0, ids.len(), _READ_NODES):
        part = ids.slice(at, _READ_NODES).to_list()
        rows += database.read(statement, {"ids": part}, seconds=600)
    found = pl.DataFrame(rows, schema=_NODE_SCHEMA)
    # An id that was merged into one that sorts before it is an alias now: its code still counts.
    ids_of_each = found.select("organisation_id", "aliases").iter_rows()
    codes = [find_first_credit_code([id, *aliases]) for id, aliases in ids_of_each]
    named = pl.element().str.split(LIST_SEPARATOR).list.first().unique().sort()
    return found.with_columns(
        pl.int_range(pl.len(), dtype=pl.Int64).alias("record"),
        pl.Series("digest", codes, dtype=pl.String),
        pl.col("sources").list.eval(named).alias("departments"),
    )


def _list_alias_ids(identity: IdentityKind) -> str:
    """Cypher: the further ids of `x`, sorted by nothing."""
    alias, relation = identity.alias.label, identity.identifies.type
    return f"[(a:{alias})-[:{relation}]->(x) | a.alias_id]"


def _choose_organisation_merges(
    snapshot: Snapshot, known: pl.DataFrame, identity: IdentityKind, judgements: list[Judgement]
) -> MergeChoice:
    judged = {id for one in judgements for id in one.pair}
    standing = resolve_organisation_ids(snapshot, identity.node.label, judged)
    same, different = (
        replace_pair_ids(list_judged_pairs(judgements, verdict), standing)
        for verdict in ("same", "different")
    )
    records = known.select("record", "digest", "departments", person_id="organisation_id")
    pairs = find_organisation_pairs(known, identity)
    choice = choose_merges(records, pairs, same, different)
    by_name = pl.col("basis") != DECIDED_BASIS
    merges = choice.merges.with_columns(
        basis=pl.when(by_name).then(pl.lit(NAME_BASIS)).otherwise("basis"),
        probability=pl.lit(None, pl.Float64),
    )
    return MergeChoice(merges, choice.asked)


def find_organisation_pairs(known: pl.DataFrame, identity: IdentityKind) -> pl.DataFrame:
    """record_l, record_r, weight (negative: only asked), ground, province, host.

    `known`: record, name, province, host_id, host, digest, departments.
    """
    pairs = find_name_pairs(known, identity.node.label)
    facts = known.select(
        "record",
        "digest",
        "province",
        "departments",
        "host_id",
        host=_shorten_hosts(known["host"]),
        placed=flag_placed_names(known["name"]),
    )
    for side in ("l", "r"):
        names = {name: f"{name}_{side}" for name in facts.columns}
        pairs = pairs.join(facts.rename(names), on=f"record_{side}")
    same_place = pl.col("province_l") == pl.col("province_r")
    same_host = pl.col("host_id_l") == pl.col("host_id_r")
    shared = pl.col("departments_l").list.set_intersection("departments_r").list.len() > 0
    across = pl.col("ground").is_in(list(_ASKED_ACROSS_DEPARTMENTS))
    both_coded = (pl.col("digest_l") != pl.col("digest_r")).fill_null(value=False)
    elsewhere = ~same_place.fill_null(value=True)
    left = pairs.filter(~both_coded & ~(across & (shared | elsewhere)))
    if identity is STUDIOS:
        left = left.filter(_are_hosts_alike().fill_null(value=True))
        known_place = same_host
    else:
        known_place = same_place.fill_null(value=False) | pl.col("placed_l")
    sure = (pl.col("ground") == "same_name") & known_place.fill_null(value=False)
    sure &= ~shared & ~elsewhere
    sure |= pl.col("ground") == "same_code"
    ranks = {ground: -float(at + 1) for at, ground in enumerate(GROUND_WORDS)}
    rank = pl.col("ground").replace_strict(ranks, return_dtype=pl.Float64)
    return left.select(
        "record_l",
        "record_r",
        pl.when(sure).then(pl.lit(_SURE_BITS)).otherwise(rank).alias("weight"),
        "ground",
        same_place.alias("province"),
        same_host.alias("host"),
    )


def _shorten_hosts(names: pl.Series) -> pl.Series:
    """The hosts' names without legal words and place."""
    return pl.Series(
        [None if name is None else strip_place(name) for name in normalize_employer_names(names)],
        dtype=pl.String,
    )


def _are_hosts_alike() -> pl.Expr:
    """Whether two hosts are one, or may be: one's name begins the other's. Null: not both known."""
    one, other = pl.col("host_l"), pl.col("host_r")
    return one.str.starts_with(other) | other.str.starts_with(one)


def _describe_organisation_pairs(asked: pl.DataFrame, known: pl.DataFrame) -> pl.DataFrame:
    """The pairs by id, the likeliest first."""
    ids = known.select("record", "organisation_id")
    named = asked
    for side, column in zip(("l", "r"), ORGANISATION_PAIR_COLUMNS, strict=True):
        names = ids.rename({"record": f"record_{side}", "organisation_id": column})
        named = named.join(names, on=f"record_{side}")
    order: Sequence[str] = ("weight", *ORGANISATION_PAIR_COLUMNS)
    named = named.sort(order, descending=[True, False, False])
    return named.select(*ORGANISATION_PAIR_COLUMNS, "ground", "province", "host")
