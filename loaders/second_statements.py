"""What one source says of one thing in several rows: of several files, or under two of its ids.

Rows of one file under one id say the same, or are refused (`loaders.tables`). Of others the row
under the id that stands is heard first, then the one with the newest `updated_on`, then the first
by file and row; an empty cell says nothing beside another row's value. What is not heard is
remarked.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import polars as pl

from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES, stored_properties
from graph.model.schema_types import Declared, Facet, NodeKind, Property
from graph.store.statements import UPDATED_ON_COLUMN
from loaders.findings import FINDING_MASK, REMARK, build_row_findings, format_reported_cells
from loaders.staging import ROW_STATED_ID_COLUMN, StagedGroup, StagedTable, group_staged_tables
from loaders.tables import (
    ROW_FILE_COLUMN,
    ROW_NUMBER_COLUMN,
    ROW_SOURCE_COLUMN,
    list_key_columns,
)

_OTHER_VALUE_REMARK = Message(
    "row {row} of {stated_in} states the same {key} with another value, which stands"
)


def order_statements(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows, by file and number, in the order in which they are heard."""
    by = [pl.col(UPDATED_ON_COLUMN)]
    descending, last = [True], [True]
    if ROW_STATED_ID_COLUMN in rows.columns:
        by, descending, last = [pl.col(ROW_STATED_ID_COLUMN), *by], [False, True], [False, True]
    return rows.sort(by, descending=descending, nulls_last=last, maintain_order=True)


def build_first_values(declared: Declared, columns: Sequence[str]) -> Iterator[pl.Expr]:
    """Of each column the first value of a group's rows; those of one group from one row."""
    for together in _list_column_groups(declared, columns):
        stated = pl.any_horizontal(pl.col(name).is_not_null() for name in together)
        for name in together:
            yield pl.col(name).filter(stated).first()


def _list_column_groups(declared: Declared, columns: Iterable[str]) -> list[list[str]]:
    """The columns, those together that only make sense together (`Property.group`)."""
    of = {prop.name: prop.group for prop in stored_properties(declared)}
    groups: dict[str, list[str]] = {}
    for name in columns:
        groups.setdefault(of.get(name) or name, []).append(name)
    return list(groups.values())


def remark_second_statements(staged: Sequence[StagedTable]) -> None:
    """Adds a remark for each cell that says something else than what another row is heard with."""
    for group in group_staged_tables(staged):
        declared = EXCHANGE_TABLES[group.table]
        if isinstance(declared, NodeKind | Facet):
            for source in group.sources:
                _remark_source(group, declared, source)


def _remark_source(group: StagedGroup, declared: NodeKind | Facet, source: str) -> None:
    files = group.files_of(source)
    if len(files) < 2 and not any(file.renamed for file in files):
        return
    keys = list_key_columns(declared)
    named = pl.concat(file.columns([*keys, ROW_SOURCE_COLUMN]) for file in files)
    named = named.filter(pl.col(ROW_SOURCE_COLUMN) == source).select(keys)
    again = named.filter(named.is_duplicated()).unique()
    if again.is_empty():
        return
    found = [file.rows_of(source).join(again, on=keys, how="semi") for file in files]
    rows = order_statements(pl.concat(found, how="diagonal"))
    for file in files:
        file.findings = pl.concat(
            [file.findings, *_find_other_values(rows, declared, keys, file.file)]
        )


def _find_other_values(
    rows: pl.DataFrame, declared: NodeKind | Facet, keys: Sequence[str], file: str
) -> Iterator[pl.DataFrame]:
    """Findings on the cells of a file that say something else than what stands."""
    properties = {prop.name: prop for prop in declared.columns if prop.name not in keys}
    for together in _list_column_groups(declared, [c for c in rows.columns if c not in keys]):
        stated = pl.any_horizontal(pl.col(name).is_not_null() for name in together)
        heard = rows.filter(stated).group_by(keys, maintain_order=True).first()
        beside = rows.filter(pl.col(ROW_FILE_COLUMN) == file).join(
            heard, on=keys, suffix="_heard", maintain_order="left"
        )
        for name in properties.keys() & set(together):
            other = beside.filter(
                pl.col(name).is_not_null(), pl.col(name).ne_missing(pl.col(f"{name}_heard"))
            )
            if other.height:
                yield _build_other_value_findings(other, properties[name], keys[0], file)


def _build_other_value_findings(
    other: pl.DataFrame, prop: Property, key: str, file: str
) -> pl.DataFrame:
    value = format_reported_cells(other[prop.name])
    if prop.personal:
        value = pl.repeat(FINDING_MASK, other.height, dtype=pl.String, eager=True)
    return build_row_findings(
        other[ROW_NUMBER_COLUMN],
        file,
        prop.name,
        value,
        _OTHER_VALUE_REMARK.with_values(key=key),
        REMARK,
        row=other[f"{ROW_NUMBER_COLUMN}_heard"],
        stated_in=other[f"{ROW_FILE_COLUMN}_heard"],
    )
