"""The first snapshot of a graph, from the records of the load that made its store.

The first load of an empty store is imported as files. The same records, on their way into those
files, are stored here as the columns of the snapshot's frames, so that 25 million of them need
not be read back out of Neo4j. What the frames hold is what `graph.snapshot.reader.GraphReader`
would read; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Final

import polars as pl

from graph.model.kinds import (
    CURRENT_LINK_KEY,
    RELATION_KINDS,
    is_stated_by_nodes,
)
from graph.model.schema_types import NodeKind, Property, Relation
from graph.snapshot.frames import RELATION_FRAMES
from graph.snapshot.reader import (
    COLUMN_DTYPES,
    STATED_COLUMN,
    STATED_ROW,
    FrameReader,
    build_chunk_frame,
    build_node_columns,
    build_unresolved_relations,
    compact_provenance,
    list_frame_properties,
    resolve_ends,
)
from graph.store.bulk_import import (
    LABELS_COLUMN,
    LIST_SEPARATOR,
    NODE_NUMBER_COLUMN,
    SOURCES_COLUMN,
)
from graph.store.creation import END_KEY_COLUMN, ORIGIN_COLUMN, START_KEY_COLUMN
from graph.store.statements import RELATION_KEY_COLUMN

FRAMED_RELATIONS: Final = frozenset(RELATION_FRAMES.values())
PERSON_LABELS: Final = {"leading": "LeadingTalent", "target": "TrainingTarget"}


class InitialRecords(FrameReader):
    """The records of a first load: put into `folder`, a new one, as they are imported, then read.

    `add_nodes` and `add_relations` are what `graph.store.bulk_import.BulkImport` tells; the second
    may be called by several threads.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder = folder
        folder.mkdir()
        self._parts: dict[str, list[Path]] = {}
        self._files = count()

    def add_nodes(self, kind: NodeKind, nodes: pl.DataFrame) -> None:
        """Nodes of a kind: stored properties, their numbers, labels, sources and rows."""
        columns = [pl.col(NODE_NUMBER_COLUMN).cast(pl.Int64).alias("_id")]
        columns += [_build_column(prop, nodes.columns) for prop in list_frame_properties(kind)]
        stated = _build_stated_column(nodes.columns)
        columns += [
            stated,
            pl.when(stated.is_not_null()).then(pl.col(ORIGIN_COLUMN)).alias(STATED_ROW),
        ]
        if kind.label == "Person":
            columns += _build_label_columns(nodes.columns)
        self._add(kind.label, nodes.select(columns))

    def add_relations(self, type: str, rows: pl.DataFrame) -> None:
        """Relations of a type, whose ends are numbers of nodes."""
        if type not in FRAMED_RELATIONS:
            return
        relation = RELATION_KINDS[type]
        if is_stated_by_nodes(relation):
            repeated = pl.col(RELATION_KEY_COLUMN).fill_null("") == CURRENT_LINK_KEY
            rows = rows.filter(~repeated)
        if rows.is_empty():
            return
        # The sources of the first stand for most, as in a reading out of Neo4j.
        usual = rows[SOURCES_COLUMN][0]
        sources = pl.col(SOURCES_COLUMN)
        found = rows.select(
            pl.col(START_KEY_COLUMN).cast(pl.Int64).alias("_start"),
            pl.col(END_KEY_COLUMN).cast(pl.Int64).alias("_end"),
            *(_build_column(prop, rows.columns) for prop in list_frame_properties(relation)),
            pl.col(ORIGIN_COLUMN).alias("row"),
            _build_stated_column(rows.columns),
            pl.when(sources != usual).then(sources).alias("stated_by"),
        )
        self._add(type, compact_provenance(found, usual.split(LIST_SEPARATOR)))

    def _add(self, name: str, rows: pl.DataFrame) -> None:
        part = self.folder / f"snapshot-{next(self._files)}.parquet"
        rows.write_parquet(part, compression="lz4", statistics=False)
        self._parts.setdefault(name, []).append(part)

    def _nodes(self, kind: NodeKind, name: str) -> pl.DataFrame:
        id_column = pl.Series("_id", [], pl.Int64).to_frame()
        empty = id_column.hstack(build_chunk_frame(build_node_columns(kind), {}))
        return pl.concat([empty, *map(pl.read_parquet, self._take(kind.label))]).sort(kind.key)

    def relations(self, relation: Relation, name: str) -> pl.DataFrame:
        """See `FrameReader`."""
        assert self.ends is not None, "nodes are read first"
        empty = build_unresolved_relations(relation)
        parts = [empty, *map(pl.read_parquet, self._take(relation.type))]
        return pl.concat([resolve_ends(part, relation, self.ends) for part in parts])

    def _take(self, name: str) -> Sequence[Path]:
        return self._parts.get(name, ())


def _build_column(prop: Property, columns: Sequence[str]) -> pl.Expr:
    value = pl.col(prop.stored) if prop.stored in columns else pl.lit(None)
    return value.cast(COLUMN_DTYPES[prop.type]).alias(prop.name)


def _build_label_columns(columns: Sequence[str]) -> list[pl.Expr]:
    labels = pl.col(LABELS_COLUMN) if LABELS_COLUMN in columns else pl.lit(None, pl.String)
    each = labels.fill_null("").str.split(LIST_SEPARATOR)
    return [each.list.contains(label).alias(name) for name, label in PERSON_LABELS.items()]


def _build_stated_column(columns: Sequence[str]) -> pl.Expr:
    value = pl.col(STATED_COLUMN) if STATED_COLUMN in columns else pl.lit(None, pl.String)
    return value.alias(STATED_COLUMN)
