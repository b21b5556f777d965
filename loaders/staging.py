"""A load's checked tables, in files of the load's own folder until they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from graph.model.kinds import EXCHANGE_TABLES, NODE_KINDS
from graph.model.schema_types import Declared
from graph.store.identity_merge import PEOPLE
from loaders.tables import ROW_NUMBER_COLUMN, ROW_SOURCE_COLUMN, CheckedTable, list_references

EndKinds = Mapping[str, pl.DataFrame]


@dataclass
class StagedTable:
    """A checked table whose rows stand in a Parquet file of the load's folder.

    `source` states the rows that name no source of their own; `sources` are those of its rows.
    `gone` are the numbers of rows refused since, by their references. `ends`: for a column of
    ids that may be unknown or of several kinds, the kind of each id. `renamed`: by label (Person,
    Enterprise) id, standing_id, basis, probability: ids in its cells, the ids that stand for them,
    and why. `is_parted`: several rows may have one number, as those of two masters in one cell.
    """

    table: str
    file: str
    path: Path
    source: str
    sources: tuple[str, ...]
    read: int
    accepted: int
    findings: pl.DataFrame
    encoding: str = ""
    gone: pl.Series = field(
        default_factory=lambda: pl.Series(ROW_NUMBER_COLUMN, [], dtype=pl.Int64)
    )
    ends: EndKinds = field(default_factory=dict)
    renamed: dict[str, pl.DataFrame] = field(default_factory=dict)
    is_parted: bool = False

    def rows(self) -> Iterator[pl.DataFrame]:
        """The accepted rows, apart by source."""
        for source in self.sources if self.accepted else ():
            rows = pl.read_parquet(self.path)
            if len(self.sources) > 1:
                rows = rows.filter(pl.col(ROW_SOURCE_COLUMN) == source)
            rows = self._rename_ids(self._drop_gone(rows))
            if rows.height:
                yield rows

    def columns(self, names: Sequence[str]) -> pl.DataFrame:
        """Some columns of all its accepted rows."""
        numbered = [ROW_NUMBER_COLUMN] if self.gone.len() else []
        rows = pl.read_parquet(self.path, columns=list(dict.fromkeys([*names, *numbered])))
        return self._rename_ids(self._drop_gone(rows)).select(names)

    def refuse_numbers(self, numbers: pl.Series) -> None:
        """Takes the rows of these numbers away, all the rows of a number that was parted too."""
        rows = self.columns([ROW_NUMBER_COLUMN])
        self.accepted -= rows.filter(pl.col(ROW_NUMBER_COLUMN).is_in(numbers.implode())).height
        self.gone = pl.concat([self.gone, numbers.unique()])

    def refuse_loops(self, start: str, end: str) -> None:
        """Takes the rows away whose two columns have one id; the others of their number stay."""
        rows = self._drop_gone(pl.read_parquet(self.path))
        ends = self._rename_ids(rows.select(start, end))
        left = rows.filter((ends[start] != ends[end]).fill_null(True))
        left.write_parquet(self.path, compression="lz4", statistics=False)
        self.accepted = left.height

    def alias_rows(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """The accepted rows under ids that others stand for: alias_id beside standing_id.

        Each with the label of its nodes, one frame a source, as `rows`.
        """
        for label, renamed in self.renamed.items():
            kind = NODE_KINDS[label]
            if self.table != kind.table:
                continue
            moved = renamed.rename({"id": "alias_id"})
            for source in self.sources:
                rows = self._drop_gone(pl.read_parquet(self.path))
                rows = rows.filter(pl.col(ROW_SOURCE_COLUMN) == source)
                aliases = rows.rename({kind.key: "alias_id"}).join(
                    moved, on="alias_id", maintain_order="left"
                )
                if aliases.height:
                    yield label, aliases

    def _drop_gone(self, rows: pl.DataFrame) -> pl.DataFrame:
        if not self.gone.len():
            return rows
        return rows.filter(~pl.col(ROW_NUMBER_COLUMN).is_in(self.gone.implode()))

    def _rename_ids(self, rows: pl.DataFrame) -> pl.DataFrame:
        declared = EXCHANGE_TABLES[self.table]
        for label, renamed in self.renamed.items():
            old, new = renamed["id"], renamed["standing_id"]
            named = [c for c in list_identity_columns(declared, label) if c in rows.columns]
            rows = rows.with_columns(pl.col(c).replace(old, new) for c in named)
        return rows


def stage_checked_table(checked: CheckedTable, path: Path, source: str) -> StagedTable:
    """Writes the accepted rows to `path`."""
    rows = checked.rows
    sources: tuple[str, ...] = ()
    if rows.height:
        rows.write_parquet(path, compression="lz4", statistics=False)
        sources = tuple(rows[ROW_SOURCE_COLUMN].unique(maintain_order=True))
    return StagedTable(
        checked.table,
        checked.file,
        path,
        source,
        sources,
        checked.read,
        rows.height,
        checked.findings,
    )


def list_identity_columns(declared: Declared, label: str) -> list[str]:
    """The columns of an exchange table that may hold ids of this kind, its own key among them."""
    key = NODE_KINDS[label].key
    columns = [column for column, kinds, *_ in list_references(declared) if label in kinds]
    # The key of its own table, and of a place that a row only mentions (a mentorship's employer).
    columns += [prop.name for prop in declared.properties if prop.name == key]
    return list(dict.fromkeys(columns))


def list_person_columns(declared: Declared) -> list[str]:
    """The columns of an exchange table that hold ids of people."""
    return list_identity_columns(declared, PEOPLE.node.label)
