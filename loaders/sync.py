"""get -> transform -> load -> cleanup: what every loader goes through, once.

A loader gives raw tables (`loaders.SOURCES`); here they are checked, written and cleaned up, and
the load itself is recorded, so that an interrupted one is seen and never counted.
"""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from graph.database import Database
from graph.errors import UsageError
from graph.identity import digester
from graph.model import (
    LOAD,
    NODE_KINDS,
    RELATION_KINDS,
    TABLES,
    UNSTATED_OCCUPATION,
    Facet,
    NodeKind,
    Relation,
)
from graph.schema import apply_schema
from graph.write import BATCH, FROM, ORIGIN, TO, Writer
from loaders.tables import (
    FILE,
    REFUSED,
    ROW,
    SOURCE,
    Checked,
    Known,
    RawTable,
    check_references,
    check_table,
    key_columns,
    no_findings,
    references,
)

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

# Of so many of the newest loads the journal is kept.
KEPT_JOURNALS = 20
Progress = Callable[[str, int, int], None]  # what is being done, rows done, rows in all


@dataclass(frozen=True)
class TableCount:
    """What one file came to: rows read = accepted + refused."""

    table: str
    file: str
    read: int
    accepted: int
    refused: int
    remarks: int


@dataclass(frozen=True)
class LoadReport:
    """What a load did. `findings` has a row for each refusal and remark; seconds of wall time."""

    load_id: str
    loader: str
    sources: tuple[str, ...]
    dry_run: bool
    tables: tuple[TableCount, ...]
    findings: pl.DataFrame
    written: Mapping[str, int] = field(default_factory=dict)
    removed: Mapping[str, int] = field(default_factory=dict)
    revision: int | None = None
    seconds: float = 0.0

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

    def as_dict(self) -> dict[str, Any]:
        """The report for JSON, without the findings (they have a file of their own)."""
        counts = {"read": self.read, "accepted": self.accepted, "refused": self.refused}
        return counts | {
            "load_id": self.load_id,
            "loader": self.loader,
            "sources": list(self.sources),
            "dry_run": self.dry_run,
            "revision": self.revision,
            "seconds": round(self.seconds, 3),
            "tables": [asdict(t) for t in self.tables],
            "written": dict(self.written),
            "removed": dict(self.removed),
        }


def sync(
    database: Database,
    loader: str,
    tables: Iterable[RawTable],
    *,
    home: Path,
    complete: bool = False,
    dry_run: bool = False,
    today: dt.date | None = None,
    progress: Progress = lambda what, done, total: None,
) -> LoadReport:
    """Checks `tables`, writes what can be taken, cleans up, and reports.

    `complete` says that the tables are all that their sources have to state: what these sources
    stated before and do not now is taken back. `dry_run` only checks. Raises UsageError when
    there is nothing to load, DatabaseError when Neo4j can't be used.
    """
    began = time.monotonic()
    raw = list(tables)
    if not raw:
        raise UsageError("there is no table to load; see docs/model.md for the tables' names")
    if not dry_run:
        apply_schema(database)
    checked = _transform(database, raw, home, today or dt.date.today(), progress)
    sources = tuple(sorted({s for t, _ in checked for s in _sources(t)}))
    report = LoadReport(
        load_id=f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:6]}",
        loader=loader,
        sources=sources,
        dry_run=dry_run,
        tables=tuple(_count(t) for t, _ in checked),
        findings=pl.concat([no_findings(), *(t.findings for t, _ in checked)]),
    )
    if not dry_run:
        report = _write(database, report, checked, complete, progress)
    return replace(report, seconds=time.monotonic() - began)


def _sources(checked: Checked) -> list[str]:
    return checked.rows[SOURCE].unique().to_list() if checked.rows.height else []


def _count(checked: Checked) -> TableCount:
    remarks = checked.findings.filter(pl.col("kind") != REFUSED).height
    return TableCount(
        checked.table, checked.file, checked.read, checked.accepted, checked.refused, remarks
    )


# transform


Ends = Mapping[str, pl.DataFrame]


def _transform(
    database: Database, raw: Sequence[RawTable], home: Path, today: dt.date, progress: Progress
) -> list[tuple[Checked, Ends]]:
    """Every table checked by itself, then against what is known; with its references' kinds."""
    digest = digester(home)
    order = {table: place for place, table in enumerate(TABLES)}
    alone = []
    for done, table in enumerate(sorted(raw, key=lambda t: order[t.table])):
        progress(f"check {table.file}", done, len(raw))
        alone.append(check_table(table, digest, today))
    refused = _refused_ids(raw, alone)
    known = _known(database, alone)
    return [check_references(table, known, refused) for table in alone]


def _refused_ids(raw: Sequence[RawTable], alone: Sequence[Checked]) -> dict[str, pl.Series]:
    """The keys of nodes whose rows were refused, a kind each."""
    by_file = {(r.table, r.file): r for r in raw}
    found: dict[str, list[pl.Series]] = {}
    for checked in alone:
        declared = TABLES[checked.table]
        if not isinstance(declared, NodeKind) or not checked.refused:
            continue
        rows = by_file[checked.table, checked.file].rows
        header = _key_header(rows.columns, declared)
        if header is not None:
            gone = rows.filter(~pl.col(ROW).is_in(_row_numbers(checked).implode()))
            ids = gone[header].cast(pl.String).str.strip_chars().drop_nulls().alias("id")
            found.setdefault(declared.label, []).append(ids)
    return {kind: pl.concat(ids) for kind, ids in found.items()}


def _key_header(headers: Sequence[str], kind: NodeKind) -> str | None:
    key = next(p for p in kind.properties if p.name == kind.key)
    words = {key.name, key.zh, *key.headers}
    return next((header for header in headers if header.strip() in words), None)


def _row_numbers(checked: Checked) -> pl.Series:
    return checked.rows[ROW] if checked.rows.height else pl.Series(ROW, [], dtype=pl.Int64)


def _known(database: Database, alone: Sequence[Checked]) -> Known:
    """The keys of this load's nodes, and of the nodes it names that the store has."""
    of: dict[str, list[pl.Series]] = {}
    wanted: dict[str, list[pl.Series]] = {}
    for checked in alone:
        declared = TABLES[checked.table]
        if not checked.rows.height:
            continue
        if isinstance(declared, NodeKind) and not declared.key_from:
            of.setdefault(declared.label, []).append(checked.rows[declared.key].alias("id"))
        for column, kinds in _named_columns(declared):
            for kind in kinds:
                ids = checked.rows[column].drop_nulls().unique().alias("id")
                wanted.setdefault(kind, []).append(ids)
    known = {kind: pl.concat(ids).unique() for kind, ids in of.items()}
    for kind, columns in wanted.items():
        here = known.get(kind, pl.Series("id", [], dtype=pl.String))
        named = pl.concat(columns).unique()
        missing = named.filter(~named.is_in(here.implode()))
        known[kind] = pl.concat([here, _in_store(database, NODE_KINDS[kind], missing)])
    return Known(known)


def _named_columns(declared: NodeKind | Relation | Facet) -> list[tuple[str, tuple[str, ...]]]:
    return [(column, kinds) for column, kinds, _, create in references(declared) if not create]


def _in_store(database: Database, kind: NodeKind, ids: pl.Series) -> pl.Series:
    """Those of `ids` that the store has."""
    statement = (
        f"UNWIND $ids AS id MATCH (n:{kind.label} {{{kind.key}: id}}) RETURN collect(id) AS ids"
    )
    found: list[str] = []
    for at in range(0, ids.len(), BATCH):
        part = ids.slice(at, BATCH).to_list()
        found += database.read(statement, {"ids": part}, seconds=600)[0]["ids"]
    return pl.Series("id", found, dtype=pl.String)


# load


def _write(
    database: Database,
    report: LoadReport,
    checked: Sequence[tuple[Checked, Ends]],
    complete: bool,
    progress: Progress,
) -> LoadReport:
    """Writes what was taken under a Load node that says when it began and when it ended."""
    total = sum(t.rows.height for t, _ in checked)
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        progress("write", min(done, total), total)

    first = database.read(f"MATCH (l:{LOAD.label}) RETURN count(l) AS n")[0]["n"] == 0
    _begin(database, report)
    replaced = report.sources if complete else ()
    writer = Writer(database, report.load_id, replaced, first=first, progress=count)
    for table, ends in checked:
        if table.accepted:
            for rows in table.rows.partition_by(SOURCE, maintain_order=True):
                _write_table(writer, TABLES[table.table], rows, ends)
    removed = writer.cleanup()
    revision = _finish(database, report)
    return replace(report, written=writer.written, removed=removed, revision=revision)


def _begin(database: Database, report: LoadReport) -> None:
    database.write(
        "CREATE (l:Load {load_id: $load_id}) SET l += $properties",
        {
            "load_id": report.load_id,
            "properties": {
                "loader": report.loader,
                "sources": list(report.sources),
                "started_at": _now(),
                "files": [t.file for t in report.tables],
                "rows_read": report.read,
                "rows_accepted": report.accepted,
                "rows_rejected": report.refused,
                "journal": True,
            },
        },
    )


def _finish(database: Database, report: LoadReport) -> int:
    """Ends the load: the next revision, and interrupted loads of the same sources are made good.

    What those touched becomes part of this load's journal; journals of old loads go.
    """
    statement = (
        "OPTIONAL MATCH (o:Load) WITH coalesce(max(o.revision), 0) + 1 AS revision "
        "MATCH (l:Load {load_id: $load_id}) "
        "SET l.finished_at = $now, l.revision = revision "
        "WITH l, revision OPTIONAL MATCH (u:Load) WHERE u.finished_at IS NULL "
        "AND all(s IN u.sources WHERE s IN l.sources) "
        "OPTIONAL MATCH (c:Change {load_id: u.load_id}) SET c.load_id = $load_id "
        "DETACH DELETE u RETURN DISTINCT revision"
    )
    old = (
        "MATCH (l:Load) WITH l ORDER BY coalesce(l.revision, $revision) DESC LIMIT $kept "
        "WITH collect(l.load_id) AS kept MATCH (c:Change) WHERE NOT c.load_id IN kept DELETE c"
    )
    given = {"load_id": report.load_id, "now": _now()}

    def finish(tx: ManagedTransaction) -> int:
        revision: int = tx.run(statement, given).single(strict=True)["revision"]
        tx.run(old, {"revision": revision, "kept": KEPT_JOURNALS}).consume()
        return revision

    return database.write_with(finish)


def _now() -> str:
    return f"{dt.datetime.now(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def _write_table(
    writer: Writer, declared: NodeKind | Relation | Facet, rows: pl.DataFrame, ends: Ends
) -> None:
    rows = rows.with_columns(pl.format("{}:{}", FILE, ROW).alias(ORIGIN)).drop(FILE, ROW)
    if isinstance(declared, Relation):
        _write_relation(writer, declared, rows, ends)
        return
    rows = _once(rows, key_columns(declared))
    if isinstance(declared, Facet):
        writer.facet(declared, _stored(declared, rows))
        return
    if declared.key_from:
        key = pl.concat_str(*(pl.col(c).cast(pl.String) for c in declared.key_from), separator="|")
        rows = rows.with_columns(key.alias(declared.key))
    writer.nodes(declared, _stored(declared, rows))
    for link in declared.links:
        _write_link(writer, declared, link.column, link.relation, link.create, rows, ends)


def _once(rows: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """One row a key; rows that say the same again leave their origin (`people.csv:3;...:7`)."""
    if not rows.select(pl.struct(*keys).is_duplicated().any()).item():
        return rows
    rest = [c for c in rows.columns if c not in (*keys, ORIGIN)]
    return rows.group_by(*keys, maintain_order=True).agg(
        *(pl.col(c).first() for c in rest), pl.col(ORIGIN).str.join(";")
    )


def _stored(declared: NodeKind | Facet | Relation, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the names the graph stores the columns under."""
    return rows.rename({p.name: p.stored for p in declared.columns if p.stored != p.name})


def _write_link(
    writer: Writer,
    kind: NodeKind,
    column: str,
    relation_type: str,
    create: bool,
    rows: pl.DataFrame,
    ends: Ends,
) -> None:
    relation = RELATION_KINDS[relation_type]
    key = "current" if relation.table else ""
    pairs = rows.select(
        pl.col(kind.key).alias(FROM),
        pl.col(column).alias(TO),
        pl.lit(key).alias("key"),
        ORIGIN,
        SOURCE,
    )
    gone = pairs.filter(pl.col(TO).is_null())
    writer.unlink(relation, kind.label, key, gone.select(FROM, SOURCE))
    for end, part in _by_kind(pairs.drop_nulls(TO), TO, relation.end.kinds, ends.get(column)):
        if create:
            _make_references(writer, NODE_KINDS[end], part, TO)
        writer.links(relation, kind.label, end, part)


def _make_references(writer: Writer, kind: NodeKind, rows: pl.DataFrame, column: str) -> None:
    codes = rows.group_by(pl.col(column).alias("key"), maintain_order=True).first()
    writer.reference_nodes(kind, codes.select("key", ORIGIN, SOURCE))


def _by_kind(
    rows: pl.DataFrame, column: str, kinds: Sequence[str], kinds_of: pl.DataFrame | None
) -> list[tuple[str, pl.DataFrame]]:
    """The rows apart by the kind of node that `column` names; unknown ones are left out."""
    if kinds_of is None:
        return [(kinds[0], rows)] if rows.height else []
    one = kinds_of.filter(pl.col("kinds").list.len() == 1)
    parts = []
    for kind in kinds:
        ids = one.filter(pl.col("kinds").list.first() == kind)["id"]
        part = rows.filter(pl.col(column).is_in(ids.implode()))
        if part.height:
            parts.append((kind, part))
    return parts


def _write_relation(writer: Writer, relation: Relation, rows: pl.DataFrame, ends: Ends) -> None:
    start, end = relation.start, relation.end
    if relation.type == "RECOGNISED":
        rows = rows.with_columns(pl.col(end.column).fill_null(UNSTATED_OCCUPATION))
    rows = _keyed(relation, rows.rename({start.column: FROM, end.column: TO}))
    for first, left in _by_kind(rows, FROM, start.kinds, ends.get(start.column)):
        for second, part in _by_kind(left, TO, end.kinds, ends.get(end.column)):
            for side, kind, column in ((start, first, FROM), (end, second, TO)):
                if side.create:
                    _make_references(writer, NODE_KINDS[kind], part, column)
            writer.relations(relation, first, second, part)


def _keyed(relation: Relation, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the `key` that tells relations between the same two ends apart.

    Rows that say the same are one; rows that differ beside an equal key (a second training from
    the same day, with another end) stay apart as `#2`, `#3`, in the order of what they say.
    """
    said = [c for c in rows.columns if c not in (ORIGIN, SOURCE)]
    parts = [pl.col(c).cast(pl.String).fill_null("") for c in relation.key]
    key = pl.concat_str(*parts, separator="|") if parts else pl.lit("")
    rows = rows.with_columns(key.alias("key"))
    same = [FROM, TO, "key"]
    if rows.select(pl.struct(*same).is_duplicated().any()).item():
        rows = rows.group_by(*said, "key", SOURCE, maintain_order=True).agg(
            pl.col(ORIGIN).str.join(";")
        )
        rows = rows.sort(*said, nulls_last=True, maintain_order=True)
        place = pl.int_range(pl.len()).over(*same)
        again = pl.when(place > 0).then(pl.format("#{}", place + 1)).otherwise(pl.lit(""))
        rows = rows.with_columns(pl.concat_str("key", again).alias("key"))
    return rows
