"""Checks tables by themselves, then against what is known."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import polars as pl

from graph.errors import (
    UsageError,
)
from graph.model.kinds import EXCHANGE_TABLES, NODE_KINDS
from graph.model.schema_types import Facet, NodeKind, Relation
from graph.progress import Progress
from graph.server.database import Database
from graph.server.identity_key import build_id_digester
from graph.store.identity_merge import ORGANISATIONS, PEOPLE
from graph.store.merge import (
    WRITE_BATCH_ROWS,
)
from graph.store.schema import apply_schema
from loaders.erasure.erased_people import open_erased_people
from loaders.erasure.erased_rows import mask_refused_rows, refuse_erased_rows
from loaders.load_identities import (
    LoadIdentities,
    resolve_organisation_identities,
    resolve_person_identities,
)
from loaders.matching.judgements import list_judgements
from loaders.second_statements import remark_second_statements
from loaders.several_people import split_several_people
from loaders.staging import StagedTable, stage_checked_table
from loaders.tables import (
    ROW_NUMBER_COLUMN,
    CheckedTable,
    KnownKeys,
    RawTable,
    check_references,
    check_table,
    list_references,
)

# Rows that such a load writes, imports and indexes, on 2 cores (docs/benchmarks.md).
IMPORT_ROWS_PER_SECOND = 90_000


def check_load_tables(
    database: Database,
    tables: Iterable[RawTable],
    folder: Path,
    home: Path,
    today: dt.date,
    progress: Progress,
) -> tuple[list[StagedTable], dict[str, LoadIdentities]]:
    """Every table checked by itself, one at a time, then against what is known.

    With the ids that are one, by the label of their nodes.
    """
    digest, erased = build_id_digester(home), open_erased_people(home)
    order = {table: place for place, table in enumerate(EXCHANGE_TABLES)}
    staged: list[StagedTable] = []
    refused: dict[str, list[pl.Series]] = {}
    for raw in tables:
        progress(f"check {raw.file}", len(staged), 0)
        checked = check_table(raw, digest, today)
        if erased is not None:
            checked = mask_refused_rows(raw, checked, erased)
        for kind, ids in _list_refused_ids(raw, checked):
            refused.setdefault(kind, []).append(ids)
        file = folder / f"checked-{len(staged)}.parquet"
        staged.append(
            replace(stage_checked_table(checked, file, raw.source), encoding=raw.encoding)
        )
    if not staged:
        raise UsageError("there is no table to load; see docs/model.md for the tables' names")
    staged.sort(key=lambda table: order[table.table])
    empty = not database.read("MATCH (n) RETURN count(n) AS n")[0]["n"]
    if not empty:  # a store of an older version has no index by which people are looked up
        apply_schema(database)
    progress("find the same people", 0, 0)
    split_several_people(database, staged, empty_store=empty)
    if erased is not None:
        refuse_erased_rows(staged, erased)
    identities = {
        PEOPLE.node.label: resolve_person_identities(
            database, staged, list_judgements(home), digest, empty_store=empty
        ),
    }
    for identity in ORGANISATIONS:
        judgements = list_judgements(home, identity)
        identities[identity.node.label] = resolve_organisation_identities(
            database, staged, identity, judgements, empty_store=empty
        )
    known = _collect_known_keys(database, staged, empty)
    gone = {kind: pl.concat(ids) for kind, ids in refused.items()}
    for table in staged:
        progress(f"check the references of {table.file}", 0, 0)
        _check_staged_references(table, known, gone)
    remark_second_statements(staged)
    return staged, identities


def _list_refused_ids(raw: RawTable, checked: CheckedTable) -> Iterator[tuple[str, pl.Series]]:
    """The keys of nodes whose rows were refused, with their kind."""
    declared = EXCHANGE_TABLES[raw.table]
    if not isinstance(declared, NodeKind) or not checked.refused:
        return
    header = _find_key_header(raw.rows.columns, declared)
    if header is not None:
        taken = (
            checked.rows[ROW_NUMBER_COLUMN]
            if checked.rows.height
            else pl.Series(ROW_NUMBER_COLUMN, [], dtype=pl.Int64)
        )
        gone = raw.rows.filter(~pl.col(ROW_NUMBER_COLUMN).is_in(taken.implode()))
        ids = gone[header].cast(pl.String).str.strip_chars().drop_nulls().alias("id")
        yield declared.label, ids


def _find_key_header(headers: Sequence[str], kind: NodeKind) -> str | None:
    key = next(p for p in kind.properties if p.name == kind.key)
    words = {key.name, key.zh, *key.headers}
    return next((header for header in headers if header.strip() in words), None)


def _check_staged_references(
    table: StagedTable, known: KnownKeys, refused: Mapping[str, pl.Series]
) -> None:
    """Refuses the rows that name what is not known, by the table's columns of ids alone."""
    if not table.accepted:
        return
    columns = [column for column, _ in _list_reference_columns(EXCHANGE_TABLES[table.table])]
    rows = table.columns([ROW_NUMBER_COLUMN, *dict.fromkeys(columns)])
    checked = CheckedTable(table.table, table.file, table.read, rows, table.findings)
    left, table.ends = check_references(checked, known, refused)
    table.findings = left.findings
    if left.rows.height != rows.height:
        gone = rows.join(left.rows, on=ROW_NUMBER_COLUMN, how="anti")[ROW_NUMBER_COLUMN]
        table.gone = pl.concat([table.gone, gone])
        table.accepted = left.rows.height


def _collect_known_keys(
    database: Database, staged: Sequence[StagedTable], empty_store: bool
) -> KnownKeys:
    """The keys of this load's nodes, and of the nodes it names that the store has."""
    of: dict[str, list[pl.Series]] = {}
    for table in staged:
        declared = EXCHANGE_TABLES[table.table]
        if isinstance(declared, NodeKind) and not declared.key_from and table.accepted:
            ids = table.columns([declared.key])[declared.key]
            of.setdefault(declared.label, []).append(ids.alias("id"))
    known = {kind: pl.concat(ids).unique() for kind, ids in of.items()}
    if not empty_store:
        for kind, named in _collect_referenced_ids(staged).items():
            here = known.get(kind, pl.Series("id", [], dtype=pl.String))
            missing = named.join(here.to_frame(), on="id", how="anti")["id"]
            known[kind] = pl.concat([here, _fetch_stored_ids(database, NODE_KINDS[kind], missing)])
    return KnownKeys(known)


def _collect_referenced_ids(staged: Sequence[StagedTable]) -> dict[str, pl.DataFrame]:
    """The ids (column `id`) that the tables name, by the kinds they may be of."""
    named: dict[str, list[pl.DataFrame]] = {}
    for table in staged:
        for column, kinds in (
            _list_reference_columns(EXCHANGE_TABLES[table.table]) if table.accepted else ()
        ):
            ids = table.columns([column]).rename({column: "id"}).drop_nulls().unique()
            for kind in kinds:
                named.setdefault(kind, []).append(ids)
    return {kind: pl.concat(ids).unique() for kind, ids in named.items()}


def _list_reference_columns(
    declared: NodeKind | Relation | Facet,
) -> list[tuple[str, tuple[str, ...]]]:
    return [(column, kinds) for column, kinds, _, create in list_references(declared) if not create]


def _fetch_stored_ids(database: Database, kind: NodeKind, ids: pl.Series) -> pl.Series:
    """Those of `ids` that the store has."""
    statement = (
        f"UNWIND $ids AS id MATCH (n:{kind.label} {{{kind.key}: id}}) RETURN collect(id) AS ids"
    )
    found: list[str] = []
    for at in range(0, ids.len(), WRITE_BATCH_ROWS):
        part = ids.slice(at, WRITE_BATCH_ROWS).to_list()
        found += database.read(statement, {"ids": part}, seconds=600)[0]["ids"]
    return pl.Series("id", found, dtype=pl.String)
