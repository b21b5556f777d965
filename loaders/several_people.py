"""Several ids of people in one cell of an exchange table: `M1、M2` are two masters.

Ids may hold such signs themselves, so a cell is parted only where nobody has all of it for an
id and each of its parts is somebody's, in the load or in the store.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from graph.messages import Message
from graph.server.database import Database
from graph.store.merge import WRITE_BATCH_ROWS
from loaders.findings import REMARK, build_findings
from loaders.mapping.name_lists import split_items
from loaders.staging import StagedTable
from loaders.tables import ROW_NUMBER_COLUMN

_TABLE: Final = "mentorships"
_COLUMNS: Final = ("mentor_id", "apprentice_id")
# By these a cell may part several ids.
SEVERAL_SIGNS: Final = r"[、,，;；/／|｜\n]"
_SEVERAL_REMARK: Final = Message("{n} ids stand in this cell; each of them is read as a row")
_KNOWN_PEOPLE_QUERY: Final = (
    "UNWIND $ids AS id OPTIONAL MATCH (p:Person {person_id: id}) "
    "OPTIONAL MATCH (a:PersonAlias {alias_id: id}) WITH id, coalesce(p, a) AS known "
    "WHERE known IS NOT NULL RETURN collect(id) AS ids"
)


def split_several_people(
    database: Database, staged: Sequence[StagedTable], *, empty_store: bool
) -> None:
    """Parts the cells of mentorships that name several people, with a remark on each.

    A row of two masters is read as two rows of its number, so `read` and `accepted` grow alike.
    """
    tables = [table for table in staged if table.table == _TABLE and table.accepted]
    cells = {
        cell: split_items(cell)
        for table in tables
        for column in table.columns(_COLUMNS).get_columns()
        for cell in column.filter(column.str.contains(SEVERAL_SIGNS)).unique()
    }
    if not cells:
        return
    wanted = pl.Series("id", [*cells, *(part for parts in cells.values() for part in parts)])
    known = _find_known_people(database, staged, wanted.unique(), empty_store=empty_store)
    parted = {
        cell: parts
        for cell, parts in cells.items()
        if cell not in known and len(parts) > 1 and known.issuperset(parts)
    }
    if parted:
        for table in tables:
            _split_table(table, parted)


def _find_known_people(
    database: Database, staged: Sequence[StagedTable], ids: pl.Series, *, empty_store: bool
) -> set[str]:
    known: set[str] = set()
    for table in staged:
        if table.table == "people" and table.accepted:
            stated = table.columns(["person_id"])["person_id"]
            known |= set(ids.filter(ids.is_in(stated.implode())))
    for at in range(0, 0 if empty_store else ids.len(), WRITE_BATCH_ROWS):
        part = ids.slice(at, WRITE_BATCH_ROWS).to_list()
        known |= set(database.read(_KNOWN_PEOPLE_QUERY, {"ids": part}, seconds=600)[0]["ids"])
    return known


def _split_table(table: StagedTable, parted: dict[str, list[str]]) -> None:
    rows = pl.read_parquet(table.path)
    found = []
    for column in _COLUMNS:
        several = rows.filter(pl.col(column).is_in(list(parted)))
        for row, cell in several.select(ROW_NUMBER_COLUMN, column).iter_rows():
            reason = _SEVERAL_REMARK.with_values(n=len(parted[cell]))
            found.append((table.file, row, column, "***", reason, REMARK))
        lists = pl.Series(column, [parted.get(cell, [cell]) for cell in rows[column]])
        rows = rows.with_columns(lists).explode(column)
    if not found:
        return
    rows.write_parquet(table.path, compression="lz4", statistics=False)
    more = rows.height - table.accepted
    table.accepted, table.read = rows.height, table.read + more
    table.is_parted = True
    table.findings = pl.concat([table.findings, build_findings(found)])
