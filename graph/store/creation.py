"""What a first load writes: records that cannot be there yet, created by several sessions at once.

A statement takes its rows as columns, and what all rows share once: half of the loader's work for
maps. A new relation locks both its nodes, and the relations that came last at each of them, which
may be of a third node; sessions that lock these crosswise end in deadlocks. A node of many
relations is not locked. So several sessions write nodes, and the relations to such hubs, each for
starts of its own; all others are written by one session, those between nodes of one kind last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from graph.model.kinds import NODE_KINDS
from graph.model.schema_types import NodeKind, Relation

# One more than two, so that the server works while a session packs its next rows.
WRITE_SESSIONS: Final = 3
CREATE_BATCH_ROWS: Final = 10_000
# Nodes with so many rows are hubs: Neo4j locks none that has more than 50 relations ("dense").
# They get these first, from one session.
HUB_ROWS: Final = 200
_DENSE_RELATIONS: Final = 60
# The columns in which rows bring the two ends of a relation.
START_KEY_COLUMN, END_KEY_COLUMN = "_from", "_to"
# The columns in which rows bring their provenance.
ORIGIN_COLUMN, SOURCE_NAME_COLUMN = "_origin", "_source"
_TURN_COLUMN: Final = "_turn"

# What sessions write at the same time, each its own rows.
Round = list[pl.DataFrame]


@dataclass(frozen=True)
class Creation:
    """A statement that creates a record a row.

    `columns` vary from row to row; `constants` are the values that all rows have.
    """

    statement: str
    columns: tuple[str, ...]
    constants: Mapping[str, Any]

    def build_parameters(self, rows: pl.DataFrame) -> dict[str, Any]:
        """The parameters for some of the rows."""
        columns = {f"c_{name}": rows[name].to_list() for name in self.columns}
        return {"count": rows.height, **self.constants, **columns}


def build_node_creation(kind: NodeKind, rows: pl.DataFrame, load: str) -> Creation:
    """The nodes of a kind that rows state."""
    own = {"load": "$load", "sources": "[{" + SOURCE_NAME_COLUMN + "}]"}
    return _build_creation(rows, own, {"load": load}, "", f"(x:{kind.label} {{values}})")


def build_relation_creation(
    relation: Relation, start: str, end: str, rows: pl.DataFrame
) -> Creation:
    """The relations between nodes of two kinds that rows state, and the labels these earn.

    They name no load, which is the first one, and their one source without a list: less to write.
    """
    match = "".join(
        f"MATCH ({name}:{kind} {{{{{NODE_KINDS[kind].key}: {{{column}}}}}}}) "
        for name, kind, column in (("a", start, START_KEY_COLUMN), ("b", end, END_KEY_COLUMN))
    )
    sides = (("a", relation.start.label), ("b", relation.end.label))
    labels = "".join(f"SET {name}:{label} " for name, label in sides if label)
    own = {"sources": "{" + SOURCE_NAME_COLUMN + "}"}
    pattern = f"(a)-[x:{relation.type} {{values}}]->(b)"
    return _build_creation(rows, own, {}, match + labels, pattern)


def _build_creation(
    rows: pl.DataFrame,
    own: Mapping[str, str],
    constants: Mapping[str, Any],
    before: str,
    pattern: str,
) -> Creation:
    """`own`: further properties. They and `before` name columns in braces; `pattern` has
    `{values}` where the properties go.
    """
    same = _find_constants(rows)
    columns = tuple(name for name in rows.columns if name not in same)
    given = {name: f"$c_{name}" for name in same}
    given |= {name: f"$c_{name}[i]" for name in columns}
    apart = (ORIGIN_COLUMN, SOURCE_NAME_COLUMN, START_KEY_COLUMN, END_KEY_COLUMN)
    values = {name: value for name, value in given.items() if name not in apart}
    values["row"] = given[ORIGIN_COLUMN]
    values |= {name: text.format(**given) for name, text in own.items()}
    written = ", ".join(
        f"{name}: {value}" for name, value in values.items() if same.get(name, "") is not None
    )
    statement = (
        f"UNWIND range(0, $count - 1) AS i {before.format(**given)}"
        f"CREATE {pattern.replace('{values}', f'{{{written}}}')}"
    )
    stated = {f"c_{name}": value for name, value in same.items() if value is not None}
    return Creation(statement, columns, {**constants, **stated})


def _find_constants(rows: pl.DataFrame) -> dict[str, Any]:
    """The columns that have one value in all rows, and the value."""
    if rows.is_empty():
        return {}
    first = rows.row(0, named=True)
    same = rows.select(pl.all().eq_missing(pl.all().first()).all()).row(0, named=True)
    return {name: first[name] for name in rows.columns if same[name]}


# --- who writes what, and when ----------------------------------------------------------------


def split_batches(rows: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The rows in as few batches as can be, of the same size."""
    return _split_evenly(rows, CREATE_BATCH_ROWS)


def _split_evenly(rows: pl.DataFrame, most: int) -> Iterator[pl.DataFrame]:
    count = -(-rows.height // most)
    return rows.iter_slices(-(-rows.height // count)) if count else iter(())


def split_node_rounds(rows: pl.DataFrame, sessions: int = WRITE_SESSIONS) -> Iterator[Round]:
    """Rows of nodes, for sessions that write at the same time: no two state one node."""
    yield list(_split_evenly(rows, max(-(-rows.height // sessions), CREATE_BATCH_ROWS)))


def split_relation_rounds(
    relation: Relation, same_kind: bool, rows: pl.DataFrame, sessions: int = WRITE_SESSIONS
) -> Iterator[Round]:
    """Rows of relations: those that one session writes, then those to hubs, apart by start.

    `same_kind`: a node may be the start of one and the end of another.
    """
    if rows.height <= CREATE_BATCH_ROWS or same_kind or relation.end.label:
        yield [rows]
        return
    counts = rows.group_by(END_KEY_COLUMN).len().filter(pl.col("len") >= HUB_ROWS)
    is_hub = pl.col(END_KEY_COLUMN).is_in(counts[END_KEY_COLUMN].implode())
    is_dense = pl.int_range(pl.len()).over(END_KEY_COLUMN) >= _DENSE_RELATIONS
    turn = pl.when(is_hub & is_dense).then(pl.col(START_KEY_COLUMN).hash() % sessions)
    turns = rows.with_columns(turn.alias(_TURN_COLUMN))
    conditions = [[pl.col(_TURN_COLUMN).is_null()]]
    conditions.append([pl.col(_TURN_COLUMN) == number for number in range(sessions)])
    for together in conditions:
        parts = [turns.filter(condition).drop(_TURN_COLUMN) for condition in together]
        yield [part for part in parts if part.height]
