"""Where sources contradict each other: which value stands, which does not, and whose each is.

Read from the snapshot: a record that several sources state holds what each of them says where it
differs from what stands (`graph.store.statements`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, Final

import polars as pl

from graph.cache.tables import build_table_path, load_cached_table
from graph.dates import PRECISION, make_partial_date
from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from graph.model.schema_types import Declared, NodeKind, Relation, Type
from graph.snapshot.frames import NODE_FRAMES, RELATION_FRAMES, Snapshot, scan_statements
from graph.snapshot.reader import PERSON_COLUMNS, SOURCE_SEPARATOR, STATED_COLUMN, STATED_ROW
from graph.store.statements import RELATION_KEY_COLUMN, UPDATED_ON_COLUMN

CONFLICT_SCHEMA: Final = {
    "table": pl.String,
    "record": pl.String,
    "other": pl.String,
    "property": pl.String,
    "standing": pl.String,
    "standing_source": pl.String,
    "value": pl.String,
    "source": pl.String,
    "row": pl.String,
}
# What a statement says of itself.
_STATEMENT_FIELDS: Final = frozenset(
    {"source", "row", "named", UPDATED_ON_COLUMN, RELATION_KEY_COLUMN}
)


def load_conflicts(snapshot: Snapshot) -> pl.DataFrame:
    """As `list_conflicts` of every table, stored beside the snapshot."""
    return load_cached_table(
        build_table_path(snapshot, "conflicts"), lambda: list_conflicts(snapshot)
    )


def list_conflicts(snapshot: Snapshot, frames: Sequence[str] = ()) -> pl.DataFrame:
    """A row a value that does not stand (`CONFLICT_SCHEMA`); of `frames` alone where any are named.

    `record` and `other` are the keys of the node, or of the relation's two ends; `value` is what
    `source` states at `row`, `standing` what counts in its place. Values are text.
    """
    found: list[tuple[Any, ...]] = []
    for name, declared in _list_declared_frames().items():
        if name in snapshot.frames and (not frames or name in frames):
            found += _list_frame_conflicts(snapshot, name, declared)
    return pl.DataFrame(found, schema=CONFLICT_SCHEMA, orient="row").sort(
        "table", "record", "other"
    )


def _list_declared_frames() -> dict[str, Declared]:
    nodes: dict[str, Declared] = {name: NODE_KINDS[label] for name, label in NODE_FRAMES.items()}
    return nodes | {name: RELATION_KINDS[type] for name, type in RELATION_FRAMES.items()}


def _list_frame_conflicts(
    snapshot: Snapshot, name: str, declared: Declared
) -> Iterator[tuple[Any, ...]]:
    rows = scan_statements(snapshot, name).filter(pl.col(STATED_COLUMN).is_not_null()).collect()
    ids = _lookup_conflict_ids(snapshot, rows)
    ends = _list_end_columns(rows.columns, declared)
    for row in rows.iter_rows(named=True):
        keys = [
            ids.get(row[end], row[end]) if end in _PERSON_NUMBER_COLUMNS else row[end]
            for end in ends
        ]
        record, other = (*keys, None)[:2] if len(keys) < 2 else keys[:2]
        for one in _list_lost_values(row, declared):
            yield (name, record, other, *one)


_PERSON_NUMBER_COLUMNS: Final = frozenset(PERSON_COLUMNS.values())


def _lookup_conflict_ids(snapshot: Snapshot, rows: pl.DataFrame) -> Mapping[int, str]:
    """The ids of the people that the rows name by number."""
    numbers = [rows[column] for column in _PERSON_NUMBER_COLUMNS if column in rows.columns]
    if not numbers or rows.is_empty():
        return {}
    wanted = pl.concat([column.cast(pl.Int32).alias("person") for column in numbers]).unique()
    people = snapshot.frames["people"].select("person", "person_id")
    return dict(people.filter(pl.col("person").is_in(wanted.implode())).collect().rows())


def _list_end_columns(columns: Sequence[str], declared: Declared) -> list[str]:
    if isinstance(declared, NodeKind):
        return [declared.key]
    assert isinstance(declared, Relation)
    ends = (declared.start.column, declared.end.column)
    return [PERSON_COLUMNS.get(end, end) for end in ends if PERSON_COLUMNS.get(end, end) in columns]


def _list_lost_values(row: Mapping[str, Any], declared: Declared) -> Iterator[tuple[Any, ...]]:
    """The values of one record that another source overrules."""
    statements = [json.loads(text) for text in row[STATED_COLUMN].split(SOURCE_SEPARATOR)]
    stored = {p.stored: p for p in declared.properties}
    for one in statements:
        if one.get("named"):
            continue
        for name, value in one.items():
            if name in _STATEMENT_FIELDS or value is None or name not in stored:
                continue
            believed = next(
                (o["source"] for o in statements if name not in o and not o.get("named")), ""
            )
            standing = row.get(stored[name].name)
            if stored[name].type is Type.DATE:
                value = make_partial_date(
                    date.fromisoformat(value), _get_stated_precision(one, row, name)
                )
                standing = make_partial_date(standing, row.get(name + PRECISION))
            if stored[name].type is Type.ID_NUMBER:
                standing = "another digest"
            yield (
                name,
                None if standing is None else str(standing),
                believed,
                str(value),
                one["source"],
                one.get("row", row.get("row", row.get(STATED_ROW))),
            )


def _get_stated_precision(
    statement: Mapping[str, Any], row: Mapping[str, Any], name: str
) -> str | None:
    """The precision a source gives a date; stored only where it differs from the row's own."""
    precision: str | None = statement.get(name + PRECISION, row.get(name + PRECISION))
    return precision
