"""A load's checked tables, in files of the load's own folder until they are written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

import polars as pl

from graph.model.kinds import EXCHANGE_TABLES, NODE_KINDS
from graph.model.schema_types import Declared, Facet, NodeKind
from graph.store.identity_merge import PEOPLE
from loaders.tables import ROW_NUMBER_COLUMN, ROW_SOURCE_COLUMN, CheckedTable, list_references

EndKinds = Mapping[str, pl.DataFrame]
# The id that a row states its node under, where another one stands for it.
ROW_STATED_ID_COLUMN = "_stated_id"


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
            rows = self.rows_of(source)
            if rows.height:
                yield rows

    def rows_of(self, source: str) -> pl.DataFrame:
        """The accepted rows of one source, of which some are there."""
        rows = pl.read_parquet(self.path)
        if len(self.sources) > 1:
            rows = rows.filter(pl.col(ROW_SOURCE_COLUMN) == source)
        return self._rename_ids(self._drop_gone(rows))

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
        for source in self.sources:
            for label, aliases in self.alias_rows_of(source):
                if aliases.height:
                    yield label, aliases

    def alias_rows_of(self, source: str) -> Iterator[tuple[str, pl.DataFrame]]:
        """`alias_rows` of one source; there may be none."""
        for label, renamed in self.renamed.items():
            kind = NODE_KINDS[label]
            if self.table != kind.table:
                continue
            moved = renamed.rename({"id": "alias_id"})
            rows = self._drop_gone(pl.read_parquet(self.path))
            rows = rows.filter(pl.col(ROW_SOURCE_COLUMN) == source)
            yield (
                label,
                rows.rename({kind.key: "alias_id"}).join(
                    moved, on="alias_id", maintain_order="left"
                ),
            )

    def _drop_gone(self, rows: pl.DataFrame) -> pl.DataFrame:
        if not self.gone.len():
            return rows
        return rows.filter(~pl.col(ROW_NUMBER_COLUMN).is_in(self.gone.implode()))

    def _rename_ids(self, rows: pl.DataFrame) -> pl.DataFrame:
        declared = EXCHANGE_TABLES[self.table]
        for label, renamed in self.renamed.items():
            old, new = renamed["id"], renamed["standing_id"]
            named = [c for c in list_identity_columns(declared, label) if c in rows.columns]
            if (key := find_identity_key(declared, label)) in rows.columns:
                stated = pl.when(pl.col(key).is_in(old.implode())).then(pl.col(key))
                rows = rows.with_columns(stated.alias(ROW_STATED_ID_COLUMN))
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


@dataclass(frozen=True)
class StagedGroup:
    """The files of one table in a load, by name: whichever was given first does not decide."""

    table: str
    files: Sequence[StagedTable]

    @property
    def sources(self) -> list[str]:
        """The sources of the rows."""
        return list(dict.fromkeys(s for file in self.files if file.accepted for s in file.sources))

    @property
    def ends(self) -> EndKinds:
        """The kind of each id, as `StagedTable.ends`."""
        found: dict[str, list[pl.DataFrame]] = {}
        for file in self.files:
            for column, kinds in file.ends.items():
                found.setdefault(column, []).append(kinds)
        return {column: pl.concat(kinds).unique() for column, kinds in found.items()}

    def files_of(self, source: str) -> list[StagedTable]:
        """The files with rows of a source."""
        return [file for file in self.files if file.accepted and source in file.sources]

    def rows(self) -> Iterator[pl.DataFrame]:
        """The accepted rows, one frame a source."""
        for source in self.sources:
            rows = _join_frames([file.rows_of(source) for file in self.files_of(source)])
            if rows.height:
                yield rows

    def alias_rows(self) -> Iterator[tuple[str, pl.DataFrame]]:
        """As `StagedTable.alias_rows`, of all files."""
        for source in self.sources:
            found: dict[str, list[pl.DataFrame]] = {}
            for file in self.files_of(source):
                for label, aliases in file.alias_rows_of(source):
                    found.setdefault(label, []).append(aliases)
            for label, frames in found.items():
                if (rows := _join_frames(frames)).height:
                    yield label, rows


def _join_frames(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    return frames[0] if len(frames) == 1 else pl.concat(frames, how="diagonal")


def group_staged_tables(staged: Sequence[StagedTable]) -> Iterator[StagedGroup]:
    """The tables in their order, each with its files. `staged`: those of one table in a row."""
    for table, files in groupby(staged, key=lambda one: one.table):
        yield StagedGroup(table, sorted(files, key=lambda one: one.file))


def find_identity_key(declared: Declared, label: str) -> str:
    """The column by which a table's rows name the node they are of, where it is of this kind."""
    if isinstance(declared, Facet) and declared.kind == label:
        return declared.column
    return declared.key if isinstance(declared, NodeKind) and declared.label == label else ""


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
