"""Checked rows into the graph: one record per key, links, relations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import polars as pl

from graph.model.kinds import EXCHANGE_TABLES, NODE_KINDS, RELATION_KINDS, UNSTATED_OCCUPATION
from graph.model.schema_types import Declared, Facet, NodeKind, Relation
from graph.progress import Progress
from graph.store.bulk_import import BulkImport
from graph.store.creation import END_KEY_COLUMN, ORIGIN_COLUMN, START_KEY_COLUMN
from graph.store.identity_merge import (
    IDENTITY_KINDS,
    IdentityKind,
    IdentityMerge,
    merge_identities,
)
from graph.store.merge import Writer, build_link_key
from graph.store.statements import UPDATED_ON_COLUMN
from loaders.completeness import (
    Census,
)
from loaders.second_statements import build_first_values, order_statements
from loaders.staging import ROW_STATED_ID_COLUMN, EndKinds, StagedTable, group_staged_tables
from loaders.tables import (
    ROW_FILE_COLUMN,
    ROW_NUMBER_COLUMN,
    ROW_SOURCE_COLUMN,
    list_key_columns,
)

# What takes the calls that state a load's records: to write them, to import them, to count them.
RecordWriter = Writer | BulkImport | Census
# Label -> id of what goes -> what stands for it.
IdentityMerges = Mapping[str, Mapping[str, IdentityMerge]]


def build_row_counter(progress: Progress, what: str, total: int) -> Callable[[int], None]:
    """A function that adds rows to what is done and reports it to `progress`."""
    done = 0

    def count(rows: int) -> None:
        nonlocal done
        done += rows
        progress(what, min(done, total), total)

    return count


def write_load_records(
    writer: Writer, merges: IdentityMerges, staged: Sequence[StagedTable]
) -> dict[str, int]:
    """All that a load writes: ids merged, rows, what is taken back; how many records went."""
    for label, of_kind in merges.items():
        merge_identities(writer, IDENTITY_KINDS[label], of_kind)
    write_staged_tables(writer, staged)
    return writer.cleanup()


def write_staged_tables(writer: RecordWriter, staged: Sequence[StagedTable]) -> None:
    """Writes all rows of the staged tables, in their order: a source's of one table together, or
    the last of its files would take the place of the others.

    In a first load in batches relations between two people come last: before, several sessions
    write at once (`graph.store.creation`), and two would lock such a relation from its two ends.
    """
    if isinstance(writer, Writer) and writer.first:
        staged = sorted(staged, key=_has_ends_of_one_kind)
    for group in group_staged_tables(staged):
        ends = group.ends
        for rows in group.rows():
            _write_table_rows(writer, EXCHANGE_TABLES[group.table], rows, ends)
        for label, rows in group.alias_rows():
            _write_further_ids(writer, IDENTITY_KINDS[label], rows)


def _has_ends_of_one_kind(table: StagedTable) -> bool:
    declared = EXCHANGE_TABLES[table.table]
    return isinstance(declared, Relation) and bool(
        set(declared.start.kinds) & set(declared.end.kinds)
    )


def _write_table_rows(
    writer: RecordWriter, declared: NodeKind | Relation | Facet, rows: pl.DataFrame, ends: EndKinds
) -> None:
    rows = rows.with_columns(
        pl.format("{}:{}", ROW_FILE_COLUMN, ROW_NUMBER_COLUMN).alias(ORIGIN_COLUMN)
    ).drop(ROW_FILE_COLUMN, ROW_NUMBER_COLUMN)
    if isinstance(declared, Relation):
        _write_table_relations(writer, declared, rows, ends)
        return
    rows = merge_repeated_rows(declared, rows, list_key_columns(declared))
    if isinstance(declared, Facet):
        writer.facet(declared, _rename_to_stored(declared, rows))
        return
    if declared.key_from:
        key = pl.concat_str(*(pl.col(c).cast(pl.String) for c in declared.key_from), separator="|")
        rows = rows.with_columns(key.alias(declared.key))
    writer.nodes(declared, _rename_to_stored(declared, rows))
    for link in declared.links:
        _write_node_links(writer, declared, link.column, link.relation, link.create, rows, ends)


def _write_further_ids(writer: RecordWriter, identity: IdentityKind, rows: pl.DataFrame) -> None:
    """The ids under which departments state what other ids stand for."""
    alias, relation = identity.alias, identity.identifies
    origin = pl.format("{}:{}", ROW_FILE_COLUMN, ROW_NUMBER_COLUMN).alias(ORIGIN_COLUMN)
    grounds = [prop.name for prop in relation.properties]
    stated = rows.with_columns(origin).select(
        "alias_id",
        "standing_id",
        *grounds,
        ORIGIN_COLUMN,
        ROW_SOURCE_COLUMN,
        UPDATED_ON_COLUMN,
    )
    stated = merge_repeated_rows(alias, stated, ("alias_id",))
    writer.nodes(alias, stated.drop("standing_id", *grounds))
    ends = {"alias_id": START_KEY_COLUMN, "standing_id": END_KEY_COLUMN}
    links = stated.rename(ends).with_columns(key=pl.lit(""))
    writer.relations(relation, alias.label, identity.node.label, links)


def merge_repeated_rows(
    declared: Declared, rows: pl.DataFrame, keys: Sequence[str]
) -> pl.DataFrame:
    """One row a key, of one source's rows; each leaves its origin (`people.csv:3;...:7`).

    The first row of `order_statements` is heard first, and what it leaves empty comes from the next
    one that has it.
    """
    if not _has_repeated_keys(rows, keys):
        return rows.drop(ROW_STATED_ID_COLUMN, strict=False)
    again = pl.struct(*keys).is_duplicated()
    ordered = order_statements(rows.filter(again))
    merged = ordered.group_by(*keys, maintain_order=True).agg(
        *build_first_values(declared, [c for c in rows.columns if c not in (*keys, ORIGIN_COLUMN)]),
        pl.col(ORIGIN_COLUMN).str.join(";"),
    )
    rows = pl.concat([rows.filter(~again), merged.select(rows.columns)])
    return rows.drop(ROW_STATED_ID_COLUMN, strict=False)


def _has_repeated_keys(rows: pl.DataFrame, keys: Sequence[str]) -> bool:
    """Whether two rows may have the same keys (by hashes: quick, and never missed)."""
    return bool(rows.select(pl.struct(*keys).hash().n_unique()).item() < rows.height)


def _rename_to_stored(declared: NodeKind | Facet | Relation, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the names the graph stores the columns under."""
    return rows.rename({p.name: p.stored for p in declared.columns if p.stored != p.name})


def _write_node_links(
    writer: RecordWriter,
    kind: NodeKind,
    column: str,
    relation_type: str,
    create: bool,
    rows: pl.DataFrame,
    ends: EndKinds,
) -> None:
    relation = RELATION_KINDS[relation_type]
    key = build_link_key(relation)
    pairs = rows.select(
        pl.col(kind.key).alias(START_KEY_COLUMN),
        pl.col(column).alias(END_KEY_COLUMN),
        pl.lit(key).alias("key"),
        ORIGIN_COLUMN,
        ROW_SOURCE_COLUMN,
        UPDATED_ON_COLUMN,
    )
    parts = _split_by_node_kind(
        pairs.drop_nulls(END_KEY_COLUMN), END_KEY_COLUMN, relation.end.kinds, ends.get(column)
    )
    gone = pairs.select(START_KEY_COLUMN, ROW_SOURCE_COLUMN)
    for _, part in parts:
        gone = gone.join(part, on=START_KEY_COLUMN, how="anti", maintain_order="left")
    writer.unlink(relation, kind.label, key, gone)
    for end, part in parts:
        if create:
            _write_reference_nodes(writer, NODE_KINDS[end], part, END_KEY_COLUMN)
        writer.links(relation, kind.label, end, part)


def _write_reference_nodes(
    writer: RecordWriter, kind: NodeKind, rows: pl.DataFrame, column: str
) -> None:
    codes = rows.group_by(pl.col(column).alias("key"), maintain_order=True).first()
    writer.reference_nodes(kind, codes.select("key", ORIGIN_COLUMN, ROW_SOURCE_COLUMN))


def _split_by_node_kind(
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


def _write_table_relations(
    writer: RecordWriter, relation: Relation, rows: pl.DataFrame, ends: EndKinds
) -> None:
    start, end = relation.start, relation.end
    if relation.type == "RECOGNISED":
        rows = rows.with_columns(pl.col(end.column).fill_null(UNSTATED_OCCUPATION))
    rows = _add_relation_keys(
        relation, rows.rename({start.column: START_KEY_COLUMN, end.column: END_KEY_COLUMN})
    )
    for first, left in _split_by_node_kind(
        rows, START_KEY_COLUMN, start.kinds, ends.get(start.column)
    ):
        for second, part in _split_by_node_kind(
            left, END_KEY_COLUMN, end.kinds, ends.get(end.column)
        ):
            for side, kind, column in (
                (start, first, START_KEY_COLUMN),
                (end, second, END_KEY_COLUMN),
            ):
                if side.create:
                    _write_reference_nodes(writer, NODE_KINDS[kind], part, column)
            writer.relations(relation, first, second, part)


def _add_relation_keys(relation: Relation, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with the `key` that tells relations between the same two ends apart.

    Rows that say the same are one; rows that differ beside an equal key (a second training from
    the same day, with another end) stay apart as `#2`, `#3`, in the order of what they say.
    """
    said = [c for c in rows.columns if c not in (ORIGIN_COLUMN, ROW_SOURCE_COLUMN)]
    parts = [pl.col(c).cast(pl.String).fill_null("") for c in relation.key]
    key = pl.concat_str(*parts, separator="|") if parts else pl.lit("")
    rows = rows.with_columns(key.alias("key"))
    same = [START_KEY_COLUMN, END_KEY_COLUMN, "key"]
    if _has_repeated_keys(rows, same):
        rows = rows.group_by(*said, "key", ROW_SOURCE_COLUMN, maintain_order=True).agg(
            pl.col(ORIGIN_COLUMN).str.join(";")
        )
        rows = rows.sort(*said, nulls_last=True, maintain_order=True)
        place = pl.int_range(pl.len()).over(*same)
        again = pl.when(place > 0).then(pl.format("#{}", place + 1)).otherwise(pl.lit(""))
        rows = rows.with_columns(pl.concat_str("key", again).alias("key"))
    return rows
