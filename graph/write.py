"""Batched MERGE from the one schema: nodes, labels, relations, their provenance, and the cleanup.

A record is merged by its key, so that loading twice changes nothing. `sources` lists who states
it. A value that only its own source states follows that source, empty cells too; beside another
source an empty cell says nothing. A complete statement (`replaced`) takes the source's name off
every record it no longer states, and a record that nobody states goes.

What a write touches is noted in its own transaction: `(:Change {load_id, frame, keys})`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from neo4j import ManagedTransaction

from graph.database import Database
from graph.model import (
    CHANGE,
    FACETS,
    NODE_KINDS,
    NODES,
    PROVINCES,
    RELATIONS,
    Facet,
    NodeKind,
    Relation,
)

BATCH = 10_000
# More touched keys than this are not listed: the load's journal then says "everything".
MOST_KEYS = 1_000_000
EVERYTHING = "*"
# The columns in which rows bring their provenance.
ORIGIN, SOURCE = "_origin", "_source"
# The columns that name the two ends of a relation.
FROM, TO = "_from", "_to"
# What rows touch: a label or type of relation, and the place in a row of the node's key.
Touched = Sequence[tuple[str, str]]

_SOURCES = (
    "CASE WHEN {x}.{p}sources IS NULL THEN [] WHEN {x}.{p}load = $load THEN {x}.{p}sources "
    "ELSE [s IN {x}.{p}sources WHERE NOT s IN $replaced] END"
)
_NOTE = f"CREATE (:{CHANGE.label} {{load_id: $load, frame: $frame, keys: $keys}})"
_STATED = "x.sources = CASE WHEN row.source IN others THEN others ELSE others + [row.source] END"


@dataclass
class Writer:
    """Writes one load. `progress` is told of every batch (rows done)."""

    database: Database
    load_id: str
    replaced: Sequence[str] = ()
    first: bool = False
    progress: Callable[[int], None] = lambda rows: None
    written: dict[str, int] = field(default_factory=dict)
    _begun: set[str] = field(default_factory=set)
    _noted: int = 0
    _everything: bool = False

    def __post_init__(self) -> None:
        if self.first:
            self._note_everything()

    def _fresh(self, scope: str) -> bool:
        """Whether nothing of `scope` can be there: the first load, and its first rows of it."""
        return self.first and scope not in self._begun

    def nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Merges the nodes of a kind. `rows`: its stored properties, `_origin`, `_source`."""
        if self._fresh(kind.label):
            create = f"CREATE (x:{kind.label}) SET x = row.properties"
            self._create(kind.label, create, rows, touched=())
        else:
            merge = f"MERGE (x:{kind.label} {{{kind.key}: row.key}})"
            touched = ((kind.label, "key"),)
            self._merge(kind.label, merge, rows, key=kind.key, touched=touched)
        self._begun.add(kind.label)

    def reference_nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Makes nodes that are known by their code alone. `rows`: key, `_origin`, `_source`.

        A node that has a row of its own keeps that row as its origin.
        """
        provinces = {code: zh for code, (_, zh) in PROVINCES.items()}
        names = provinces if kind.label == "Province" else {}
        stated = "$replaced = [] OR x.load = $load"
        statement = (
            f"UNWIND $rows AS row MERGE (x:{kind.label} {{{kind.key}: row.key}}) "
            "ON CREATE SET x.name = $names[row.key], x.load = $load, x.row = row.row "
            f"WITH row, x, {_SOURCES.format(x='x', p='')} AS others "
            f"SET x.row = CASE WHEN {stated} THEN x.row ELSE row.row END, "
            f"x.load = CASE WHEN {stated} THEN x.load ELSE $load END, {_STATED}"
        )
        for batch in _batches(rows):
            given = [_row(r, "key", (), False) for r in batch]
            self._each(statement, given, ((kind.label, "key"),), names=names)
        self._begun.add(kind.label)

    def facet(self, facet: Facet, rows: pl.DataFrame) -> None:
        """Gives nodes a further label with its properties and a provenance of its own."""
        kind = NODE_KINDS[facet.kind]
        merge = f"MATCH (x:{kind.label} {{{kind.key}: row.key}}) SET x:{facet.label}"
        touched, prefix = ((kind.label, "key"),), facet_prefix(facet)
        self._merge(facet.label, merge, rows, key=facet.column, touched=touched, prefix=prefix)

    def relations(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """Merges relations between nodes of two kinds. `rows`: `_from`, `_to`, key, properties."""
        self._between(relation, start, end, rows, f"{relation.type} {start} {end}")

    def links(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """As `relations`, where a node has one such relation at a time: the old one goes."""
        scope = f"{relation.type} {start} current"
        if not self._fresh(scope):
            kind = NODE_KINDS[start]
            ends = "|".join(relation.end.kinds)
            self._each(
                f"UNWIND $rows AS row MATCH (a:{start} {{{kind.key}: row.from}})"
                f"-[x:{relation.type} {{key: row.key}}]->(b:{ends}) "
                f"WHERE b.{NODE_KINDS[end].key} IS NULL OR b.{NODE_KINDS[end].key} <> row.to "
                "DELETE x",
                rows.select(pl.col(FROM).alias("from"), pl.col(TO).alias("to"), "key").to_dicts(),
                ((relation.type, "from"),),
            )
        self._between(relation, start, end, rows, scope + end)
        self._begun.add(scope)

    def unlink(self, relation: Relation, start: str, key: str, rows: pl.DataFrame) -> None:
        """Takes off links that only this source has stated and now leaves empty."""
        if rows.is_empty() or self._fresh(f"{relation.type} {start} current"):
            return
        kind = NODE_KINDS[start]
        self._each(
            f"UNWIND $rows AS row MATCH (a:{start} {{{kind.key}: row.from}})"
            f"-[x:{relation.type} {{key: '{key}'}}]->() WHERE x.sources = [row.source] DELETE x",
            rows.select(pl.col(FROM).alias("from"), pl.col(SOURCE).alias("source")).to_dicts(),
            ((relation.type, "from"),),
        )

    def _between(
        self, relation: Relation, start: str, end: str, rows: pl.DataFrame, scope: str
    ) -> None:
        labels, touched = "", [(relation.type, "from")]
        for name, side, kind, column in (
            ("a", relation.start, start, "from"),
            ("b", relation.end, end, "to"),
        ):
            if side.label:
                labels += f" SET {name}:{side.label}"
                touched.append((kind, column))
        match = (
            f"MATCH (a:{start} {{{NODE_KINDS[start].key}: row.from}}) "
            f"MATCH (b:{end} {{{NODE_KINDS[end].key}: row.to}}){labels} "
        )
        if self._fresh(scope):
            create = match + f"CREATE (a)-[x:{relation.type}]->(b) SET x = row.properties"
            self._create(relation.type, create, rows, touched, ends=True)
        else:
            merge = match + (f"WITH row, a, b MERGE (a)-[x:{relation.type} {{key: row.key}}]->(b)")
            self._merge(relation.type, merge, rows, key="key", touched=touched, ends=True)
        self._begun.add(scope)

    def _create(
        self, what: str, create: str, rows: pl.DataFrame, touched: Touched, *, ends: bool = False
    ) -> None:
        """The quick way where nothing can be there yet; writes what `_merge` would."""
        statement = f"UNWIND $rows AS row {create}"
        for batch in _batches(rows):
            self._each(statement, [_new_row(r, self.load_id, ends) for r in batch], touched)
        self.written[what] = self.written.get(what, 0) + rows.height

    def _merge(
        self,
        what: str,
        merge: str,
        rows: pl.DataFrame,
        *,
        key: str,
        touched: Touched,
        prefix: str = "",
        ends: bool = False,
    ) -> None:
        apart = {key, ORIGIN, SOURCE, *((FROM, TO) if ends else ())}
        properties = [column for column in rows.columns if column not in apart]
        statement = (
            f"UNWIND $rows AS row {merge} "
            f"WITH row, x, {_SOURCES.format(x='x', p=prefix)} AS others "
            "SET x += CASE WHEN others = [] OR others = [row.source] THEN $blank ELSE {} END, "
            f"x += row.properties, x.{prefix}load = $load, x.{prefix}row = row.row, "
            f"{_STATED.replace('x.', f'x.{prefix}')}"
        )
        blank = dict.fromkeys(properties)
        for batch in _batches(rows):
            given = [_row(r, key, properties, ends) for r in batch]
            self._each(statement, given, touched, blank=blank)
        self.written[what] = self.written.get(what, 0) + rows.height

    def _each(
        self, statement: str, rows: list[dict[str, Any]], touched: Touched, **given: Any
    ) -> None:
        """Writes rows in batches, each with the note of what it touches in one transaction."""
        shared = {"load": self.load_id, "replaced": list(self.replaced), **given}
        for at in range(0, len(rows), BATCH):
            part = rows[at : at + BATCH]
            keys = {} if self._everything else {f: {r[c] for r in part} for f, c in touched}

            def once(
                tx: ManagedTransaction,
                part: list[dict[str, Any]] = part,
                keys: Mapping[str, Collection[str]] = keys,
            ) -> None:
                tx.run(statement, {"rows": part, **shared}).consume()
                for frame, named in keys.items():
                    self._note(tx, frame, named)

            self.database.write_with(once)
            self._count_noted(sum(len(named) for named in keys.values()))
            self.progress(len(part))

    def _note(self, tx: ManagedTransaction, frame: str, keys: Collection[str]) -> None:
        """Says in the journal which records of a label or type of relation are touched."""
        if keys and not self._everything:
            tx.run(_NOTE, {"load": self.load_id, "frame": frame, "keys": sorted(keys)}).consume()

    def _count_noted(self, keys: int) -> None:
        self._noted += keys
        if self._noted > MOST_KEYS and not self._everything:
            self._note_everything()

    def _note_everything(self) -> None:
        self.database.write(_NOTE, {"load": self.load_id, "frame": EVERYTHING, "keys": []})
        self._everything = True

    def cleanup(self) -> dict[str, int]:
        """Takes the replaced sources off what they no longer state; how many records went."""
        if not self.replaced:
            return {}
        removed: dict[str, int] = {}
        for relation in RELATIONS:
            held, start = f"(a)-[x:{relation.type}]->()", _key_of("a", relation.start.kinds)
            self._unstate(held, "", relation.type, start)
            removed[relation.type] = self._delete(
                f"{held} WHERE x.sources = []", "DELETE x", relation.type, start
            )
        for facet in FACETS:
            removed[facet.label] = self._drop_facet(facet)
        for kind in NODES:
            self._unstate(f"(x:{kind.label})", "", kind.label, f"x.{kind.key}")
            gone = f"(x:{kind.label}) WHERE x.sources = [] AND NOT (x)--()"
            removed[kind.label] = self._delete(gone, "DELETE x", kind.label, f"x.{kind.key}")
        self._drop_earned_labels()
        return {what: count for what, count in removed.items() if count}

    def _unstate(self, pattern: str, prefix: str, frame: str, key: str) -> None:
        self._repeat(
            f"MATCH {pattern} WHERE x.{prefix}load <> $load "
            f"AND any(s IN x.{prefix}sources WHERE s IN $replaced) "
            f"WITH x, {key} AS key LIMIT {BATCH} "
            f"SET x.{prefix}sources = [s IN x.{prefix}sources WHERE NOT s IN $replaced] "
            "RETURN count(*) AS n, collect(DISTINCT key) AS keys",
            frame,
        )

    def _delete(self, pattern: str, what: str, frame: str, key: str) -> int:
        return self._repeat(
            f"MATCH {pattern} WITH x, {key} AS key LIMIT {BATCH} {what} "
            "RETURN count(*) AS n, collect(DISTINCT key) AS keys",
            frame,
        )

    def _drop_facet(self, facet: Facet) -> int:
        prefix, key = facet_prefix(facet), f"x.{NODE_KINDS[facet.kind].key}"
        self._unstate(f"(x:{facet.label})", prefix, facet.kind, key)
        names = [p.stored for p in facet.properties if p.name != facet.column]
        names += [prefix + name for name in ("sources", "load", "row")]
        drop = f"REMOVE x:{facet.label}, " + ", ".join(f"x.{name}" for name in names)
        return self._delete(
            f"(x:{facet.label}) WHERE x.{prefix}sources = []", drop, facet.kind, key
        )

    def _drop_earned_labels(self) -> None:
        for relation in RELATIONS:
            for side, arrow in ((relation.start, "(x)-[:{}]->()"), (relation.end, "(x)<-[:{}]-()")):
                if side.label:
                    held = arrow.format(relation.type)
                    pattern = f"(x:{side.label}) WHERE NOT {held}"
                    (kind,) = side.kinds
                    key = f"x.{NODE_KINDS[kind].key}"
                    self._delete(pattern, f"REMOVE x:{side.label}", kind, key)

    def _repeat(self, statement: str, frame: str) -> int:
        """Runs a bounded statement until it finds nothing more; how many it touched in all."""
        given = {"load": self.load_id, "replaced": list(self.replaced)}

        def once(tx: ManagedTransaction) -> tuple[int, int]:
            found = tx.run(statement, given).single(strict=True)
            self._note(tx, frame, found["keys"])
            return int(found["n"]), len(found["keys"])

        total = 0
        while True:
            touched, keys = self.database.write_with(once)
            if not touched:
                return total
            total += touched
            self._count_noted(keys)


def _key_of(variable: str, kinds: Sequence[str]) -> str:
    keys = dict.fromkeys(NODE_KINDS[kind].key for kind in kinds)
    return "coalesce(" + ", ".join(f"{variable}.{key}" for key in keys) + ")"


def facet_prefix(facet: Facet) -> str:
    """`training_target_` for TrainingTarget: before the provenance of a facet's properties."""
    return re.sub(r"(?<!^)([A-Z])", r"_\1", facet.label).lower() + "_"


def _batches(rows: pl.DataFrame) -> Iterator[list[dict[str, Any]]]:
    for part in rows.iter_slices(BATCH):
        yield part.to_dicts()


def _new_row(row: Mapping[str, Any], load: str, ends: bool) -> dict[str, Any]:
    apart = (ORIGIN, SOURCE, FROM, TO)
    properties = {p: value for p, value in row.items() if value is not None and p not in apart}
    properties |= {"load": load, "row": row[ORIGIN], "sources": [row[SOURCE]]}
    written: dict[str, Any] = {"properties": properties}
    return written | {"from": row[FROM], "to": row[TO]} if ends else written


def _row(row: Mapping[str, Any], key: str, properties: Sequence[str], ends: bool) -> dict[str, Any]:
    written = {
        "key": row[key],
        "row": row[ORIGIN],
        "source": row[SOURCE],
        "properties": {p: row[p] for p in properties if row[p] is not None},
    }
    return written | {"from": row[FROM], "to": row[TO]} if ends else written
