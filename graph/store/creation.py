"""What a first load writes: records that cannot be there yet, created by several sessions at once.

A statement takes its rows as columns, and what all rows share once: that is a third of the packing
that maps cost, and half of what a server that has just started does for a row. No two sessions
relate the same nodes at one time, so none waits for another's lock and none ends in a deadlock:
nodes go to parts, relations in rounds, and in a round a session has two parts for itself. A node
of many relations is not locked by a further one, so every session may relate others to it.
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
HUB_ROWS: Final = 1_000
_DENSE_RELATIONS: Final = 60
# The columns in which rows bring the two ends of a relation.
START_KEY_COLUMN, END_KEY_COLUMN = "_from", "_to"
# The columns in which rows bring their provenance.
ORIGIN_COLUMN, SOURCE_NAME_COLUMN = "_origin", "_source"
_UNIT_COLUMN: Final = "_unit"
_FIRST_UNIT: Final = 0

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
    return _build_creation(rows, load, "", f"(x:{kind.label} {{values}})")


def build_relation_creation(
    relation: Relation, start: str, end: str, rows: pl.DataFrame, load: str
) -> Creation:
    """The relations between nodes of two kinds that rows state, and the labels these earn."""
    match = "".join(
        f"MATCH ({name}:{kind} {{{{{NODE_KINDS[kind].key}: {{{column}}}}}}}) "
        for name, kind, column in (("a", start, START_KEY_COLUMN), ("b", end, END_KEY_COLUMN))
    )
    sides = (("a", relation.start.label), ("b", relation.end.label))
    labels = "".join(f"SET {name}:{label} " for name, label in sides if label)
    return _build_creation(rows, load, match + labels, f"(a)-[x:{relation.type} {{values}}]->(b)")


def _build_creation(rows: pl.DataFrame, load: str, before: str, pattern: str) -> Creation:
    """`before` names columns in braces; `pattern` has `{values}` where the properties go."""
    same = _find_constants(rows)
    columns = tuple(name for name in rows.columns if name not in same)
    given = {name: f"$c_{name}" for name in same}
    given |= {name: f"$c_{name}[i]" for name in columns}
    apart = (ORIGIN_COLUMN, SOURCE_NAME_COLUMN, START_KEY_COLUMN, END_KEY_COLUMN)
    values = {name: value for name, value in given.items() if name not in apart}
    values |= {"load": "$load", "row": given[ORIGIN_COLUMN]}
    values["sources"] = f"[{given[SOURCE_NAME_COLUMN]}]"
    written = ", ".join(
        f"{name}: {value}" for name, value in values.items() if same.get(name, "") is not None
    )
    statement = (
        f"UNWIND range(0, $count - 1) AS i {before.format(**given)}"
        f"CREATE {pattern.replace('{values}', f'{{{written}}}')}"
    )
    stated = {f"c_{name}": value for name, value in same.items() if value is not None}
    return Creation(statement, columns, {"load": load, **stated})


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
    """Rows of relations, in rounds within which no two sessions lock one node.

    `same_kind`: a node may be the start of one and the end of another.
    """
    if rows.height <= CREATE_BATCH_ROWS:
        yield [rows]
        return
    labelled = bool(relation.start.label), bool(relation.end.label)
    if same_kind:
        labelled = any(labelled), any(labelled)
    starts, ends = (
        [] if locked else _list_hubs(rows, column)
        for column, locked in zip((START_KEY_COLUMN, END_KEY_COLUMN), labelled, strict=True)
    )
    if same_kind:
        starts = ends = [*starts, *ends]
    rounds = build_pair_rounds(2 * sessions)
    units = rows.with_columns(_build_unit_expression(rounds, starts, ends).alias(_UNIT_COLUMN))
    number = _FIRST_UNIT
    for size in (1, *(len(pairs) for pairs in rounds)):
        one = [
            units.filter(pl.col(_UNIT_COLUMN) == number + place).drop(_UNIT_COLUMN)
            for place in range(size)
        ]
        number += size
        yield [part for part in one if part.height]


def build_pair_rounds(parts: int) -> list[list[tuple[int, int]]]:
    """An even number of parts in pairs: all are in each round, and each pair once in a round."""
    last = parts - 1
    return [
        [(turn, last)]
        + [((turn + step) % last, (turn - step) % last) for step in range(1, parts // 2)]
        for turn in range(last)
    ]


def _list_hubs(rows: pl.DataFrame, column: str) -> list[str]:
    counts = rows.group_by(column).len()
    return counts.filter(pl.col("len") >= HUB_ROWS)[column].sort().to_list()


def _build_unit_expression(
    rounds: list[list[tuple[int, int]]], starts: list[str], ends: list[str]
) -> pl.Expr:
    """The number of the session's turn to which a row belongs.

    A hub is in no part: its row goes with its other end. The first relations of hubs come first.
    """
    parts = len(rounds) + 1
    a, b = (
        pl.when(~pl.col(column).is_in(hubs)).then(pl.col(column).hash() % parts)
        for column, hubs in ((START_KEY_COLUMN, starts), (END_KEY_COLUMN, ends))
    )
    own = pl.int_range(pl.len()).cast(pl.UInt64) % parts
    start, end = pl.coalesce(a, b, own), pl.coalesce(b, a, own)
    pair = pl.min_horizontal(start, end) * parts + pl.max_horizontal(start, end)
    turns: dict[int, int] = {}
    for number, (one, other) in enumerate((p for pairs in rounds for p in pairs), _FIRST_UNIT + 1):
        turns[min(one, other) * parts + max(one, other)] = number
        for alone in (one, other):
            turns.setdefault(alone * parts + alone, number)
    unit = pair.replace_strict(turns, return_dtype=pl.Int32)
    early = pl.lit(False)
    for column, hubs in ((START_KEY_COLUMN, starts), (END_KEY_COLUMN, ends)):
        place = pl.int_range(pl.len()).over(column)
        early = early | (pl.col(column).is_in(hubs) & (place < _DENSE_RELATIONS))
    return pl.when(early).then(_FIRST_UNIT).otherwise(unit)
