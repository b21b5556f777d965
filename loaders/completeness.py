"""Whether a load may say that it is complete, and what it would take back.

A complete load takes back what its sources no longer state, so that a file that was misnamed,
lost its header or came out empty would take good records away. It is therefore refused when a
table of a source states nothing now though it stated something before, and when a file's rows
were all refused; and it needs a word of agreement when it takes back more than a set share.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from graph.messages import Message
from graph.model.kinds import NODE_KINDS, list_declared_tables
from graph.model.schema_types import Declared, Facet, NodeKind, Relation, build_facet_prefix
from graph.server.database import Database
from graph.store.creation import END_KEY_COLUMN, START_KEY_COLUMN
from graph.store.merge import WRITE_BATCH_ROWS

# A province is known by its code, whoever names it: its table states nothing that can be lost.
UNCOUNTED_TABLES = frozenset({"provinces"})
CENSUS_TIMEOUT_SECONDS = 600.0


@dataclass(frozen=True)
class Removal:
    """What a complete load takes back of one table.

    `stated`: records that its sources state so far; `taken_back`: of them those they no longer
    state; `removed`: of those the records that nobody else states, which go.
    """

    table: str
    stated: int
    taken_back: int
    removed: int

    @property
    def share(self) -> float:
        """The part of what was stated that is taken back, 0 to 1."""
        return self.taken_back / self.stated if self.stated else 0.0


@dataclass(frozen=True)
class TableState:
    """One file of the load: its table, its source, rows read and taken, rows taken by source."""

    table: str
    file: str
    source: str
    read: int
    accepted: int
    by_source: Mapping[str, int]


@dataclass
class Census:
    """Takes the calls of a writer and counts, table by table, what is stated again.

    `replaced`: the sources whose earlier statements the load replaces.
    """

    database: Database
    replaced: Sequence[str]
    again: dict[str, tuple[int, int]] = field(default_factory=dict)
    _seen: dict[str, pl.Series] = field(default_factory=dict)

    def nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Nodes of a kind."""
        self._look_up(kind, "", rows.select(pl.col(kind.key).alias("key")))

    def facet(self, facet: Facet, rows: pl.DataFrame) -> None:
        """A further label of nodes."""
        self._look_up(facet, "", rows.select(pl.col(facet.column).alias("key")))

    def relations(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """Relations between nodes of two kinds."""
        key_text = pl.format('"key": "{}"', "key")
        named = rows.select(
            pl.col(START_KEY_COLUMN).alias("from"),
            pl.col(END_KEY_COLUMN).alias("to"),
            "key",
            told=key_text,
        )
        self._look_up(relation, f"{start} {end}", named)

    def reference_nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Nodes that are only named: nothing to lose."""

    def links(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """Links repeat what a node's own row states."""

    def unlink(self, relation: Relation, start: str, key: str, rows: pl.DataFrame) -> None:
        """As `links`."""

    def _look_up(self, declared: Declared, ends: str, keys: pl.DataFrame) -> None:
        table = declared.table
        if table is None or table in UNCOUNTED_TABLES:
            return
        rows = self._new(table + ends, keys).to_dicts()
        statement = _build_census_cypher(declared, ends)
        for at in range(0, len(rows), WRITE_BATCH_ROWS):
            given = {"rows": rows[at : at + WRITE_BATCH_ROWS], "replaced": list(self.replaced)}
            (found,) = self.database.read(statement, given, seconds=CENSUS_TIMEOUT_SECONDS)
            stated, alone = self.again.get(table, (0, 0))
            self.again[table] = (stated + found["stated"], alone + found["alone"])

    def _new(self, scope: str, keys: pl.DataFrame) -> pl.DataFrame:
        """The keys that no earlier source of this load has named."""
        if len(self.replaced) < 2:
            return keys
        hashed = keys.hash_rows()
        seen = self._seen.get(scope)
        if seen is not None:
            new = ~hashed.is_in(seen.implode())
            keys, hashed = keys.filter(new), hashed.filter(new)
        self._seen[scope] = hashed if seen is None else pl.concat([seen, hashed])
        return keys


_CENSUS_COUNTS_CYPHER = (
    "WITH x, {ours} AS ours WHERE size(ours) > 0 "
    "WITH DISTINCT x, size(ours) = size([] + x.{p}sources) AS alone "
    "RETURN count(x) AS stated, count(CASE WHEN alone THEN 1 END) AS alone"
)


def _build_census_cypher(declared: Declared, ends: str) -> str:
    match declared:
        case NodeKind():
            found = f"MATCH (x:{declared.label} {{{declared.key}: row.key}}) "
        case Facet():
            key = NODE_KINDS[declared.kind].key
            found = f"MATCH (x:{declared.label} {{{key}: row.key}}) "
        case Relation():
            start, end = (NODE_KINDS[label] for label in ends.split(" "))
            found = (
                f"MATCH (a:{start.label} {{{start.key}: row.from}})-[x:{declared.type}]->"
                f"(b:{end.label} {{{end.key}: row.to}}) WHERE x.key = row.key "
            )
            if declared.one_tie:  # of a tie the key may be that of another source's statement
                found += "OR any(told IN coalesce(x.stated, []) WHERE told CONTAINS row.told) "
    return (
        "UNWIND $rows AS row "
        + found
        + _CENSUS_COUNTS_CYPHER.format(
            p=_build_facet_prefix(declared), ours=_build_stating_sources_cypher(declared)
        )
    )


def _build_stating_sources_cypher(declared: Declared) -> str:
    """Cypher: those of $replaced that state `x` by a row; others may name an occupation only."""
    stating = f"s IN [] + x.{_build_facet_prefix(declared)}sources WHERE s IN $replaced"
    if isinstance(declared, NodeKind) and declared.label == "Occupation":
        stating += (
            " AND none(told IN coalesce(x.stated, []) WHERE told CONTAINS '\"named\": true' "
            "AND told CONTAINS '\"source\": \"' + s + '\"')"
        )
    return f"[{stating}]"


def _build_facet_prefix(declared: Declared) -> str:
    return build_facet_prefix(declared) if isinstance(declared, Facet) else ""


def _build_record_pattern(declared: Declared) -> str:
    """The records that a table states, without those that another one brings about."""
    match declared:
        case Relation():
            return f"()-[x:{declared.type}]->() WHERE x.key <> 'current'"
        case _:
            return f"(x:{declared.label})"


@dataclass(frozen=True)
class StatedCount:
    """How many records of a table these sources state together; `alone`: nobody else does."""

    sources: tuple[str, ...]
    alone: bool
    records: int


def count_stated_records(
    database: Database, sources: Sequence[str]
) -> dict[str, list[StatedCount]]:
    """By table what the store holds of these sources."""
    found: dict[str, list[StatedCount]] = {}
    for table, declared in list_declared_tables():
        if table in UNCOUNTED_TABLES:
            continue
        p = _build_facet_prefix(declared)
        rows = database.read(
            f"MATCH {_build_record_pattern(declared)} WITH "
            f"{_build_stating_sources_cypher(declared)} AS ours, "
            f"size([] + x.{p}sources) AS every WHERE size(ours) > 0 "
            "RETURN ours, size(ours) = every AS alone, count(*) AS n",
            {"replaced": list(sources)},
            seconds=CENSUS_TIMEOUT_SECONDS,
        )
        found[table] = [StatedCount(tuple(row["ours"]), row["alone"], row["n"]) for row in rows]
    return found


def count_removals(
    database: Database,
    sources: Sequence[str],
    stated: Mapping[str, Sequence[StatedCount]],
    write_tables: Callable[[Census], None],
) -> list[Removal]:
    """What the load takes back of each table of which it takes anything back.

    `write_tables` makes the load's calls of a writer on what it is given.
    """
    census = Census(database, sources)
    write_tables(census)
    found = []
    for table, groups in stated.items():
        again, again_alone = census.again.get(table, (0, 0))
        before = sum(group.records for group in groups)
        alone = sum(group.records for group in groups if group.alone)
        found.append(Removal(table, before, before - again, alone - again_alone))
    return [removal for removal in found if removal.taken_back]


def explain_incomplete_load(
    tables: Sequence[TableState],
    stated: Mapping[str, Sequence[StatedCount]],
    withdrawn: Collection[str],
) -> Message | None:
    """Why these files are not all that their sources state; None when they may be."""
    for table in tables:
        if table.read and not table.accepted and table.table not in withdrawn:
            return Message(
                "None of the {read:,} rows of {file} could be taken, so this load is not "
                "complete: mend the file, or load without --complete. Nothing was written.",
                read=table.read,
                file=table.file,
            )
    now = {(t.table, source) for t in tables for source, rows in t.by_source.items() if rows}
    for name, groups in stated.items():
        for source in sorted({source for group in groups for source in group.sources}):
            if (name, source) not in now and name not in withdrawn:
                before = sum(group.records for group in groups if source in group.sources)
                return _describe_missing_table(name, source, before, tables)
    return None


def _describe_missing_table(
    table: str, source: str, before: int, tables: Sequence[TableState]
) -> Message:
    files = [t.file for t in tables if t.table == table and source in (t.source, *t.by_source)]
    named: dict[str, object] = {
        "source": source,
        "table": table,
        "before": before,
        "files": files,
    }
    if files:
        return Message(
            "{source} has stated {before:,} records of {table} so far, but {files} states none, "
            "so this load is not complete: mend the file, or, if {source} really has none any "
            "more, add --withdraw {table}. Nothing was written.",
            **named,
        )
    return Message(
        "{source} has stated {before:,} records of {table} so far, but no file {table} was read, "
        "so this load is not complete: look for it under another name, or, if {source} really "
        "has none any more, add --withdraw {table}. Nothing was written.",
        **named,
    )


def explain_needed_agreement(
    removals: Sequence[Removal], share: float, withdrawn: Collection[str]
) -> Message | None:
    """What would be taken back beyond the share (0 to 1) of a table; None when nothing is."""
    large = [r for r in removals if r.share > share and r.table not in withdrawn]
    if not large:
        return None
    tables = [
        Message(
            "{table}: {gone:,} of {all:,} ({percent:.0f} %)",
            table=r.table,
            gone=r.taken_back,
            all=r.stated,
            percent=100 * r.share,
        )
        for r in large
    ]
    return Message(
        "This complete load takes back more than {percent:g} % of what its sources state "
        "({tables}): look at the files, and add --yes if that is right. Nothing was written.",
        percent=100 * share,
        tables=tables,
    )
