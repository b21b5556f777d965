"""get -> transform -> load -> cleanup: what every loader goes through, once.

A loader gives raw tables (`loaders.SOURCES`); here they are checked, written and cleaned up, and
the load itself is recorded, so that an interrupted one is seen and never counted.
"""

from __future__ import annotations

import datetime as dt
import errno
import fcntl
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from graph.admin import end_left_behind, offline, swap
from graph.bulk import STORE, Bulk
from graph.database import Database
from graph.errors import DatabaseError, UsageError
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
# Of so many of the newest loads the report and the refusals are kept.
KEPT_REPORTS = 50
# Fewer rows are in sooner by batches than by stopping Neo4j and making its store.
BULK_ROWS = 100_000
# Rows that such a load writes, imports and indexes, on 2 cores (docs/benchmarks.md).
WHOLE_ROWS_A_SECOND = 90_000
Progress = Callable[[str, int, int], None]  # what is being done, rows done, rows in all
Say = Callable[[str], None]


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
    bulk_rows: int = BULK_ROWS,
    progress: Progress = lambda what, done, total: None,
    say: Say = lambda line: None,
) -> LoadReport:
    """Checks `tables`, writes what can be taken, cleans up, and reports.

    `complete` says that the tables are all that their sources have to state: what these sources
    stated before and do not now is taken back. `dry_run` only checks. `bulk_rows`: the rows from
    which the first load of an empty embedded store is made beside it by neo4j-admin and put in its
    place. `say` is told in words how the load goes about it. Raises UsageError when
    there is nothing to load, DatabaseError when Neo4j can't be used.
    """
    began = time.monotonic()
    load_id = new_load_id()
    with _own_folder(home, load_id) as folder:
        checked = _transform(database, tables, folder, home, today or dt.date.today(), progress)
        report = LoadReport(
            load_id=load_id,
            loader=loader,
            sources=tuple(sorted({source for table in checked for source in table.sources})),
            dry_run=dry_run,
            tables=tuple(_count(table) for table in checked),
            findings=pl.concat([no_findings(), *(table.findings for table in checked)]),
        )
        if not dry_run:
            report = _write(database, report, checked, folder, complete, bulk_rows, progress, say)
    report = replace(report, seconds=time.monotonic() - began)
    if not dry_run:
        keep_report(home, report)
    return report


def new_load_id() -> str:
    """The name of a load that begins now; names sort in the order in which loads began.

    To the microsecond: of two loads within one second the later one must not sort before the
    other, or what the first led to is no longer known for a part of the graph's history.
    """
    return f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%f}-{uuid.uuid4().hex[:6]}"


def keep_report(home: Path, report: LoadReport) -> None:
    """Keeps what a load came to in the data folder, for the page of the data.

    `reports/LOAD.json` holds the counts, `rejects/LOAD.csv` each refusal and remark where there is
    one; both are readable by their owner alone, and those of the newest `KEPT_REPORTS` loads stay.
    """
    _write_own(home / "reports" / f"{report.load_id}.json", _json(report.as_dict()))
    if not report.findings.is_empty():
        write_findings(report.findings, home / "rejects" / f"{report.load_id}.csv")
    for folder, suffix in (("reports", ".json"), ("rejects", ".csv")):
        for old in sorted((home / folder).glob(f"*{suffix}"))[:-KEPT_REPORTS]:
            old.unlink(missing_ok=True)


def write_findings(findings: pl.DataFrame, path: Path) -> None:
    """Writes refusals and remarks as CSV (mode 0600) that spreadsheets read in any language."""
    _write_own(path, b"\xef\xbb\xbf" + findings.write_csv().encode())


def _json(report: dict[str, Any]) -> bytes:
    return json.dumps(report, ensure_ascii=False, indent=1).encode()


def _write_own(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)


@contextmanager
def _own_folder(home: Path, load_id: str) -> Iterator[Path]:
    """A folder of this load alone, taken away at its end; those of killed loads go now."""
    loads = home / "loads"
    loads.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "load.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DatabaseError(
                f"Another load with the data folder {home} is running: wait until it has "
                "finished, then load again."
            ) from None
        for left in loads.iterdir():
            end_left_behind(left / STORE)
            shutil.rmtree(left, ignore_errors=True)
        folder = loads / load_id
        folder.mkdir(mode=0o700)
        try:
            yield folder
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise DatabaseError(
                f"The disk under {home} is full, so the load stopped, and nothing of it counts: "
                "free some space there, or name another data folder with --home."
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _count(kept: Kept) -> TableCount:
    remarks = kept.findings.filter(pl.col("kind") != REFUSED).height
    refused = kept.read - kept.accepted
    return TableCount(kept.table, kept.file, kept.read, kept.accepted, refused, remarks)


# transform


Ends = Mapping[str, pl.DataFrame]


@dataclass
class Kept:
    """A checked table whose rows stand in a Parquet file of the load's folder.

    `gone` are the numbers of rows refused since, by their references. `ends`: for a column of
    ids that may be unknown or of several kinds, the kind of each id.
    """

    table: str
    file: str
    path: Path
    sources: tuple[str, ...]
    read: int
    accepted: int
    findings: pl.DataFrame
    gone: pl.Series = field(default_factory=lambda: pl.Series(ROW, [], dtype=pl.Int64))
    ends: Ends = field(default_factory=dict)

    def rows(self) -> Iterator[pl.DataFrame]:
        """The accepted rows, apart by source."""
        for source in self.sources if self.accepted else ():
            rows = pl.read_parquet(self.path)
            if len(self.sources) > 1:
                rows = rows.filter(pl.col(SOURCE) == source)
            if self.gone.len():
                rows = rows.filter(~pl.col(ROW).is_in(self.gone.implode()))
            if rows.height:
                yield rows

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        """Some columns of all its rows."""
        return pl.read_parquet(self.path, columns=list(names))


def _transform(
    database: Database,
    tables: Iterable[RawTable],
    folder: Path,
    home: Path,
    today: dt.date,
    progress: Progress,
) -> list[Kept]:
    """Every table checked by itself, one at a time, then against what is known."""
    digest = digester(home)
    order = {table: place for place, table in enumerate(TABLES)}
    kept: list[Kept] = []
    refused: dict[str, list[pl.Series]] = {}
    for raw in tables:
        progress(f"check {raw.file}", len(kept), 0)
        checked = check_table(raw, digest, today)
        for kind, ids in _refused_ids(raw, checked):
            refused.setdefault(kind, []).append(ids)
        kept.append(_keep(checked, folder / f"checked-{len(kept)}.parquet"))
    if not kept:
        raise UsageError("there is no table to load; see docs/model.md for the tables' names")
    kept.sort(key=lambda table: order[table.table])
    known = _known(database, kept)
    gone = {kind: pl.concat(ids) for kind, ids in refused.items()}
    for table in kept:
        progress(f"check the references of {table.file}", 0, 0)
        _check_references(table, known, gone)
    return kept


def _keep(checked: Checked, path: Path) -> Kept:
    rows = checked.rows
    sources: tuple[str, ...] = ()
    if rows.height:
        rows.write_parquet(path, compression="lz4", statistics=False)
        sources = tuple(rows[SOURCE].unique(maintain_order=True))
    return Kept(
        checked.table, checked.file, path, sources, checked.read, rows.height, checked.findings
    )


def _refused_ids(raw: RawTable, checked: Checked) -> Iterator[tuple[str, pl.Series]]:
    """The keys of nodes whose rows were refused, with their kind."""
    declared = TABLES[raw.table]
    if not isinstance(declared, NodeKind) or not checked.refused:
        return
    header = _key_header(raw.rows.columns, declared)
    if header is not None:
        taken = checked.rows[ROW] if checked.rows.height else pl.Series(ROW, [], dtype=pl.Int64)
        gone = raw.rows.filter(~pl.col(ROW).is_in(taken.implode()))
        ids = gone[header].cast(pl.String).str.strip_chars().drop_nulls().alias("id")
        yield declared.label, ids


def _key_header(headers: Sequence[str], kind: NodeKind) -> str | None:
    key = next(p for p in kind.properties if p.name == kind.key)
    words = {key.name, key.zh, *key.headers}
    return next((header for header in headers if header.strip() in words), None)


def _check_references(kept: Kept, known: Known, refused: Mapping[str, pl.Series]) -> None:
    """Refuses the rows that name what is not known, by the table's columns of ids alone."""
    if not kept.accepted:
        return
    columns = [column for column, _ in _named_columns(TABLES[kept.table])]
    rows = kept.columns([ROW, *dict.fromkeys(columns)])
    checked = Checked(kept.table, kept.file, kept.read, rows, kept.findings)
    left, kept.ends = check_references(checked, known, refused)
    kept.findings = left.findings
    if left.rows.height != rows.height:
        kept.gone = rows.join(left.rows, on=ROW, how="anti")[ROW]
        kept.accepted = left.rows.height


def _known(database: Database, kept: Sequence[Kept]) -> Known:
    """The keys of this load's nodes, and of the nodes it names that the store has."""
    of: dict[str, list[pl.Series]] = {}
    for table in kept:
        declared = TABLES[table.table]
        if isinstance(declared, NodeKind) and not declared.key_from and table.accepted:
            ids = table.columns([declared.key])[declared.key]
            of.setdefault(declared.label, []).append(ids.alias("id"))
    known = {kind: pl.concat(ids).unique() for kind, ids in of.items()}
    if database.read("MATCH (n) RETURN count(n) AS n")[0]["n"]:
        for kind, named in _named_ids(kept).items():
            here = known.get(kind, pl.Series("id", [], dtype=pl.String))
            missing = named.join(here.to_frame(), on="id", how="anti")["id"]
            known[kind] = pl.concat([here, _in_store(database, NODE_KINDS[kind], missing)])
    return Known(known)


def _named_ids(kept: Sequence[Kept]) -> dict[str, pl.DataFrame]:
    """The ids (column `id`) that the tables name, by the kinds they may be of."""
    named: dict[str, list[pl.DataFrame]] = {}
    for table in kept:
        for column, kinds in _named_columns(TABLES[table.table]) if table.accepted else ():
            ids = table.columns([column]).rename({column: "id"}).drop_nulls().unique()
            for kind in kinds:
                named.setdefault(kind, []).append(ids)
    return {kind: pl.concat(ids).unique() for kind, ids in named.items()}


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
    kept: Sequence[Kept],
    folder: Path,
    complete: bool,
    bulk_rows: int,
    progress: Progress,
    say: Say,
) -> LoadReport:
    """Writes what was taken under a Load node that says when it began and when it ended."""
    first = _is_first(database)
    if database.embedded and report.accepted >= bulk_rows and _starts_clean(database, report):
        return _write_whole(database, report, kept, folder, progress, say)
    if first and not database.embedded:
        say("The records go in batches: the store of the server at NEO4J_URI is not ours to make.")
    apply_schema(database)
    count = _counter(progress, "write", report.accepted)
    _begin(database, report)
    replaced = report.sources if complete else ()
    writer = Writer(database, report.load_id, replaced, first=first, progress=count)
    _write_tables(writer, kept)
    removed = writer.cleanup()
    revision = _finish(database, report)
    return replace(report, written=writer.written, removed=removed, revision=revision)


def _write_whole(
    database: Database,
    report: LoadReport,
    kept: Sequence[Kept],
    folder: Path,
    progress: Progress,
    say: Say,
) -> LoadReport:
    """The first load: a store made by neo4j-admin beside the empty one, then put in its place."""
    say(
        f"A first load of {report.accepted:,} rows: Neo4j stops while its store is made as a "
        f"whole, {_estimate(report.accepted)}."
    )
    count = _counter(progress, "write the import files", report.accepted)
    with offline(database.settings):
        bulk = Bulk(folder, report.load_id, count)
        _write_tables(bulk, kept)
        importing = partial(progress, "import")
        bulk.make_store(database.settings, _load_properties(report), importing)
        swap(database.settings, bulk.home)
    progress("make the indexes", 0, 0)
    apply_schema(database)
    revision = _finish(database, report)
    return replace(report, written=bulk.written, revision=revision)


def _estimate(rows: int) -> str:
    """How long a store of so many checked rows takes to be made, in words."""
    minutes = -(-rows // (60 * WHOLE_ROWS_A_SECOND))
    return f"in about {minutes} minutes" if minutes > 1 else "in a minute or less"


def _counter(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        progress(what, min(done, total), total)

    return count


def _write_tables(writer: Writer | Bulk, kept: Sequence[Kept]) -> None:
    for table in kept:
        for rows in table.rows():
            _write_table(writer, TABLES[table.table], rows, table.ends)


def _is_first(database: Database) -> bool:
    """Whether nothing was loaded yet. Raises UsageError for a server that holds others' data."""
    loads = database.read(f"MATCH (l:{LOAD.label}) RETURN count(l) AS n")[0]["n"]
    people = database.read("MATCH (p:Person) RETURN count(p) AS n")[0]["n"]
    if people and not loads and not database.embedded:
        raise UsageError(
            f"the server at NEO4J_URI holds {people:,} Person nodes that no load of this program "
            "wrote, and the first load would mix with them; name an empty database with "
            "NEO4J_DATABASE, or unset NEO4J_URI to use the embedded one"
        )
    return bool(loads == 0)


def _starts_clean(database: Database, report: LoadReport) -> bool:
    """Whether the store holds nothing, or only what killed first loads of these sources left."""
    if database.read("MATCH (n) RETURN count(n) AS n")[0]["n"] == 0:
        return True
    (loads,) = database.read(
        "MATCH (l:Load) RETURN count(l) AS n, count(l.finished_at) AS finished, "
        "all(l IN collect(l) WHERE all(s IN l.sources WHERE s IN $sources)) AS ours",
        {"sources": list(report.sources)},
    )
    if not loads["n"] or loads["finished"] or not loads["ours"]:
        return False
    others = "MATCH (n:!Load&!Change) WHERE n.load IS NULL RETURN count(n) AS n"
    return bool(database.read(others, seconds=600)[0]["n"] == 0)


def _begin(database: Database, report: LoadReport) -> None:
    database.write(
        "CREATE (l:Load {load_id: $load_id}) SET l += $properties",
        {
            "load_id": report.load_id,
            "properties": _load_properties(report),
        },
    )


def _load_properties(report: LoadReport) -> dict[str, Any]:
    return {
        "load_id": report.load_id,
        "loader": report.loader,
        "sources": list(report.sources),
        "started_at": _now(),
        "files": [t.file for t in report.tables],
        "rows_read": report.read,
        "rows_accepted": report.accepted,
        "rows_rejected": report.refused,
        "journal": True,
    }


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
    writer: Writer | Bulk, declared: NodeKind | Relation | Facet, rows: pl.DataFrame, ends: Ends
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
    if not _repeated(rows, keys):
        return rows
    rest = [c for c in rows.columns if c not in (*keys, ORIGIN)]
    return rows.group_by(*keys, maintain_order=True).agg(
        *(pl.col(c).first() for c in rest), pl.col(ORIGIN).str.join(";")
    )


def _repeated(rows: pl.DataFrame, keys: Sequence[str]) -> bool:
    """Whether two rows may have the same keys (told by hashes: quick, and never missed)."""
    return bool(rows.select(pl.struct(*keys).hash().n_unique()).item() < rows.height)


def _stored(declared: NodeKind | Facet | Relation, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the names the graph stores the columns under."""
    return rows.rename({p.name: p.stored for p in declared.columns if p.stored != p.name})


def _write_link(
    writer: Writer | Bulk,
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


def _make_references(
    writer: Writer | Bulk, kind: NodeKind, rows: pl.DataFrame, column: str
) -> None:
    codes = rows.group_by(pl.col(column).alias("key"), maintain_order=True).first()
    writer.reference_nodes(kind, codes.select("key", ORIGIN, SOURCE))


def _by_kind(
    rows: pl.DataFrame, column: str, kinds: Sequence[str], kinds_of: pl.DataFrame | None
) -> list[tuple[str, pl.DataFrame]]:
    """The rows apart by the kind of node that `column` names; unknown ones are left out."""
    if kinds_of is None:
        return [(kinds[0], rows)] if rows.height else []
    parts = []
    for kind in kinds:
        ids = kinds_of.filter(pl.col("kind") == kind).select("id")
        part = rows.join(ids, left_on=column, right_on="id", how="semi", maintain_order="left")
        if part.height:
            parts.append((kind, part))
    return parts


def _write_relation(
    writer: Writer | Bulk, relation: Relation, rows: pl.DataFrame, ends: Ends
) -> None:
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
    if _repeated(rows, same):
        rows = rows.group_by(*said, "key", SOURCE, maintain_order=True).agg(
            pl.col(ORIGIN).str.join(";")
        )
        rows = rows.sort(*said, nulls_last=True, maintain_order=True)
        place = pl.int_range(pl.len()).over(*same)
        again = pl.when(place > 0).then(pl.format("#{}", place + 1)).otherwise(pl.lit(""))
        rows = rows.with_columns(pl.concat_str("key", again).alias("key"))
    return rows
