"""The first load of an empty store: what `graph.store.merge` would write, as files for
`neo4j-admin`.

`BulkImport` takes the same calls as `graph.store.merge.Writer` and keeps what they state as Parquet
in a folder of the load. At the end what several statements say of one record is merged by the same
rules, every node gets a number, and the import files are written. `neo4j-admin database import
full` makes a store of them beside the old one, which is then put in the old one's place.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import polars as pl

from graph.messages import Message
from graph.model.kinds import CHANGE, FACETS, LOAD, NODES, RELATIONS
from graph.model.schema_types import Declared, Facet, NodeKind, Relation, Type, build_facet_prefix
from graph.server import admin, configuration, location
from graph.store.creation import END_KEY_COLUMN, ORIGIN_COLUMN, SOURCE_NAME_COLUMN, START_KEY_COLUMN
from graph.store.merge import (
    EVERY_FRAME_MARK,
    LINK_KIND,
    LINK_TO,
    MAX_REPORTED_CONFLICTS,
    RecordConflict,
    build_link_rules,
    build_reference_values,
    fill_missing_values,
    list_stated_properties,
    merge_statement,
    rename_facet_rows,
)
from graph.store.statements import (
    RELATION_KEY_COLUMN,
    UPDATED_ON_COLUMN,
    MergeRules,
    Record,
    Statement,
)

if TYPE_CHECKING:
    from graph.settings import Settings

# Between the entries of a list in an import file: a sign that no text of a table should hold.
LIST_SEPARATOR: Final = "\x1f"
BULK_SLICE_ROWS: Final = 1_000_000
# Files of relations written at a time: polars alone leaves half of a machine idle here, and each
# takes memory.
PARALLEL_RELATION_FILES: Final = 2
# So much neo4j-admin reads at a time by itself; no value may be longer.
_READ_BUFFER_BYTES: Final = 4 << 20
# The store being made stands in this folder of the load's.
NEW_STORE_FOLDER: Final = "neo4j"
_LOAD_AGAIN_ADVICE: Final = Message(
    "Load again; if it fails again, free some memory and disk first."
)
IMPORT_HEAP_MB: Final = 1500
# Where the stages of an import stand in its time, in percent.
IMPORT_STAGE_PERCENTS: Final = (0, 20, 80, 93, 100)
_END_KIND: Final = "_end"  # the kind of node a link leads to, where it may be several
# The number of a node in the import files.
NODE_NUMBER_COLUMN: Final = "_number"
# Further labels of a node, apart by `LIST_SEPARATOR`.
LABELS_COLUMN: Final = ":LABEL"
SOURCES_COLUMN: Final = "sources"
_STATED: Final = "stated"
# So many records that several sources state are decided on at a time.
MERGE_SLICE_RECORDS: Final = 100_000
_POLARS_TYPES: Final = {
    Type.DATE: pl.Date,
    Type.INTEGER: pl.Int64,
    Type.LEVEL: pl.Int64,
    Type.FLOAT: pl.Float64,
    Type.BOOLEAN: pl.Boolean,
}
# Names neo4j-admin's special columns; the other columns are properties.
_IMPORT_HEADERS: Final = {
    START_KEY_COLUMN: ":START_ID",
    END_KEY_COLUMN: ":END_ID",
    NODE_NUMBER_COLUMN: ":ID",
    ORIGIN_COLUMN: "row",
    LABELS_COLUMN: ":LABEL",
}
_IMPORT_TYPES: Final = {
    pl.Date: "date",
    pl.Int64: "long",
    pl.Float64: "double",
    pl.Boolean: "boolean",
}


RecordMerger = Callable[[list[dict[str, Any]]], list[dict[str, Any]]]


class ImportObserver(Protocol):
    """Observes every record that goes into the import files."""

    def add_nodes(self, kind: NodeKind, nodes: pl.DataFrame) -> None:
        """Nodes of a kind, numbered and with their labels."""

    def add_relations(self, type: str, rows: pl.DataFrame) -> None:
        """Relations of a type, whose ends are the numbers of nodes; from several threads."""


@dataclass
class StatedRecords:
    """What is stated of one kind of record: a Parquet file a statement, in their order.

    `keys` tell two records apart; `decide` makes what stands of all rows that name one record.
    """

    keys: tuple[str, ...]
    decide: RecordMerger
    parts: list[Path] = field(default_factory=list)

    def records(self) -> Iterator[pl.LazyFrame]:
        """Each record once; `sources` and `stated` are texts, their entries apart by
        `LIST_SEPARATOR`.
        """
        parts = [pl.scan_parquet(part) for part in self.parts]
        doubled = self._doubled(parts)
        for part in parts:
            if doubled is not None:
                part = part.join(doubled.lazy(), on=self.keys, how="anti").collect().lazy()
            yield _drop_unlinked(part)
        if doubled is not None:
            yield _drop_unlinked(self._merged(parts, doubled).lazy())

    def _doubled(self, parts: Sequence[pl.LazyFrame]) -> pl.DataFrame | None:
        """The keys that more than one statement names."""
        if len(parts) < 2:
            return None
        keys = pl.concat([part.select(self.keys) for part in parts]).collect()
        doubled = keys.filter(pl.struct(*self.keys).is_duplicated()).unique()
        return doubled if doubled.height else None

    def _merged(self, parts: Sequence[pl.LazyFrame], doubled: pl.DataFrame) -> pl.DataFrame:
        """The records of `doubled`, a slice of them at a time: each is decided on by itself."""
        merged = []
        for keys in doubled.iter_slices(MERGE_SLICE_RECORDS):
            rows = pl.concat(
                [part.join(keys.lazy(), on=self.keys, how="semi").collect() for part in parts],
                how="diagonal",
            )
            by_key: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
            for row in rows.iter_rows(named=True):
                by_key.setdefault(tuple(row[key] for key in self.keys), []).append(row)
            decided = [one for group in by_key.values() for one in self.decide(group)]
            schema: dict[str, Any] = {**rows.schema, _STATED: pl.String}
            merged.append(pl.DataFrame(decided, schema=schema))
        return pl.concat(merged)


def _drop_unlinked(records: pl.LazyFrame) -> pl.LazyFrame:
    """Without the links that an empty cell takes back."""
    names = records.collect_schema().names()
    records = records.drop(UPDATED_ON_COLUMN) if _END_KIND in names else records
    return records.filter(pl.col(END_KEY_COLUMN).is_not_null()) if _END_KIND in names else records


@dataclass
class BulkImport:
    """Takes one first load in and writes its import files. `folder`: of this load alone.

    `progress` receives the rows of every step, `observer` the records that are imported.
    """

    folder: Path
    load_id: str
    progress: Callable[[int], None] = lambda rows: None
    ranks: Mapping[str, int] = field(default_factory=dict)
    observer: ImportObserver | None = None
    written: dict[str, int] = field(default_factory=dict)
    conflicts: list[RecordConflict] = field(default_factory=list)
    _nodes: dict[str, StatedRecords] = field(default_factory=dict)
    _references: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    _facets: dict[str, StatedRecords] = field(default_factory=dict)
    _relations: dict[tuple[str, str, str], StatedRecords] = field(default_factory=dict)
    _links: dict[tuple[str, str], StatedRecords] = field(default_factory=dict)
    _numbers: dict[str, pl.DataFrame] = field(default_factory=dict)
    _given: int = 0
    _files: Iterator[int] = field(default_factory=count)

    # what is stated

    def nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Nodes of a kind. `rows`: its stored properties, `_origin`, `_source`."""
        decide = self._by_rules(MergeRules.of(kind, self.ranks), kind, (kind.key,), kind.label)
        self._state(self._nodes, kind.label, StatedRecords((kind.key,), decide), rows)
        self._count(kind.label, rows)

    def reference_nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Nodes that are known by their code alone. `rows`: key, `_origin`, `_source`."""
        self._references.setdefault(kind.label, []).append(
            rows.select("key", ORIGIN_COLUMN, SOURCE_NAME_COLUMN)
        )

    def facet(self, facet: Facet, rows: pl.DataFrame) -> None:
        """A further label of nodes, with its properties and a provenance of its own."""
        rows = rename_facet_rows(facet, rows)
        rules = MergeRules.of(facet, self.ranks, build_facet_prefix(facet))
        decide = self._by_rules(rules, facet, (facet.column,), facet.label)
        self._state(self._facets, facet.label, StatedRecords((facet.column,), decide), rows)
        self._count(facet.label, rows)

    def relations(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """Relations between nodes of two kinds. `rows`: `_from`, `_to`, key, properties."""
        place = (relation.type, start, end)
        keys = (
            (START_KEY_COLUMN, END_KEY_COLUMN)
            if relation.one_tie
            else (START_KEY_COLUMN, END_KEY_COLUMN, RELATION_KEY_COLUMN)
        )
        decide = self._by_rules(MergeRules.of(relation, self.ranks), relation, keys, relation.type)
        self._state(self._relations, place, StatedRecords(keys, decide), rows)
        self._count(relation.type, rows)

    def links(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """As `relations`, where a node has one such relation at a time."""
        rows = rows.with_columns(pl.lit(end).alias(_END_KIND))
        place = (relation.type, start)
        self._state(self._links, place, StatedRecords((START_KEY_COLUMN,), self._decide_link), rows)
        self._count(relation.type, rows)

    def unlink(self, relation: Relation, start: str, key: str, rows: pl.DataFrame) -> None:
        """Takes back links that only this source has stated and now leaves empty."""
        stated = self._links.get((relation.type, start))
        if stated is None or rows.is_empty():
            return
        none = pl.lit(None, dtype=pl.String)
        empty = rows.select(
            START_KEY_COLUMN,
            none.alias(END_KEY_COLUMN),
            pl.lit(key).alias("key"),
            none.alias(ORIGIN_COLUMN),
            SOURCE_NAME_COLUMN,
            pl.lit(None, pl.Date).alias(UPDATED_ON_COLUMN),
            none.alias(_END_KIND),
        )
        self._state(self._links, (relation.type, start), stated, empty)

    def cleanup(self) -> dict[str, int]:
        """Nothing stood here before, so nothing is taken back."""
        return {}

    def _state(
        self, where: dict[Any, StatedRecords], place: Any, new: StatedRecords, rows: pl.DataFrame
    ) -> None:
        part = self.folder / f"stated-{next(self._files)}.parquet"
        rows.rename({SOURCE_NAME_COLUMN: SOURCES_COLUMN}).write_parquet(
            part, compression="lz4", statistics=False, row_group_size=BULK_SLICE_ROWS
        )
        where.setdefault(place, new).parts.append(part)

    def _count(self, what: str, rows: pl.DataFrame) -> None:
        self.written[what] = self.written.get(what, 0) + rows.height
        self.progress(rows.height)

    # where sources differ

    def _by_rules(
        self, rules: MergeRules, declared: Declared, keys: tuple[str, ...], frame: str
    ) -> RecordMerger:
        """What stands of the rows that name one record (of ties: one pair)."""
        names = list_stated_properties(rules, declared)

        def decide(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
            own = {name: rows[0][name] for name in keys}
            statements = {
                (
                    row[SOURCES_COLUMN],
                    row[RELATION_KEY_COLUMN] if _is_tie(declared) else "",
                ): _build_row_statement(row, names)
                for row in rows
            }.values()
            ties = rules.ties(statements) if _is_tie(declared) else [list(statements)]
            records = [rules.decide(tie) for tie in ties]
            self._note_conflicts(frame, " ".join(own.values()), records)
            return [
                own | _build_record_row(fill_missing_values(record, names)) for record in records
            ]

        return decide

    def _decide_link(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The end that stands of a link; none when every source has taken it back."""
        statements = {}
        for row in rows:
            values = {
                LINK_TO: row[END_KEY_COLUMN],
                LINK_KIND: row[_END_KIND],
                UPDATED_ON_COLUMN: row[UPDATED_ON_COLUMN],
            }
            statements[row[SOURCES_COLUMN]] = Statement(
                row[SOURCES_COLUMN], row[ORIGIN_COLUMN], values
            )
        left = [one for one in statements.values() if one.values[LINK_TO] is not None]
        if not left:
            return []
        record = build_link_rules(self.ranks).decide(left)
        ends = {END_KEY_COLUMN: record.values[LINK_TO], _END_KIND: record.values[LINK_KIND]}
        bare = Record({}, record.row, record.sources, record.stated)
        same = {
            START_KEY_COLUMN: rows[0][START_KEY_COLUMN],
            RELATION_KEY_COLUMN: rows[0][RELATION_KEY_COLUMN],
            UPDATED_ON_COLUMN: None,
        }
        return [same | ends | _build_record_row(bare)]

    def _note_conflicts(self, frame: str, key: str, records: Sequence[Record]) -> None:
        found = [RecordConflict(frame, key, c) for record in records for c in record.conflicts]
        self.conflicts += found[: max(MAX_REPORTED_CONFLICTS - len(self.conflicts), 0)]

    # the import files

    def import_files(self) -> list[ImportFile]:
        """Writes the files: the nodes, whose numbers the rest needs, then two at a time."""
        nodes = [
            self._node_file(kind, frame) for kind in NODES for frame in self._node_frames(kind)
        ]
        with ThreadPoolExecutor(PARALLEL_RELATION_FILES) as together:
            relations = [
                together.submit(self._relation_files, relation, start, end, stated)
                for relation, start, end, stated in self._stated_relations()
            ]
            return [*nodes, *(file for found in relations for file in found.result())]

    def _stated_relations(self) -> Iterator[tuple[str, str, str | None, StatedRecords]]:
        """Type of relation, kinds of its ends (None: it stands in the rows), what is stated."""
        for (relation, start, end), stated in self._relations.items():
            yield relation, start, end, stated
        for (relation, start), stated in self._links.items():
            yield relation, start, None, stated

    def _relation_files(
        self, relation: str, start: str, end: str | None, stated: StatedRecords
    ) -> list[ImportFile]:
        files: list[ImportFile] = []
        for records in stated.records():
            rows = records.collect()
            parts = [(end, rows)] if end else _split_by_end_kind(rows)
            del rows
            while parts:
                kind, part = parts.pop(0)
                if part.height:
                    files += self._relation_import_files(relation, start, kind, part)
        return files

    def _node_frames(self, kind: NodeKind) -> Iterator[pl.DataFrame]:
        """The nodes of a kind a slice at a time, numbered and with their labels."""
        stated = self._nodes.get(kind.label)
        frames = list(stated.records()) if stated else []
        if kind.label in self._references:
            frames = self._with_references(kind, [frame.collect() for frame in frames])
        earned = self._earned(kind)
        numbers: list[pl.DataFrame] = []
        for frame in frames:
            for at in range(0, frame.select(pl.len()).collect().item(), BULK_SLICE_ROWS):
                nodes = frame.slice(at, BULK_SLICE_ROWS).collect()
                number = pl.int_range(self._given, self._given + nodes.height, dtype=pl.UInt32)
                nodes = nodes.with_columns(number.alias(NODE_NUMBER_COLUMN))
                self._given += nodes.height
                numbers.append(nodes.select(pl.col(kind.key).alias("id"), NODE_NUMBER_COLUMN))
                labelled = self._labelled(kind, nodes, earned)
                if self.observer is not None:
                    self.observer.add_nodes(kind, labelled)
                yield labelled
        if numbers:
            self._numbers[kind.label] = pl.concat(numbers)

    def _with_references(
        self, kind: NodeKind, frames: Sequence[pl.DataFrame]
    ) -> list[pl.LazyFrame]:
        """The nodes with rows of their own and those known by their code alone, decided on again.

        Such kinds have few nodes: provinces, occupations, honours.
        """
        rules = MergeRules.of(kind, self.ranks)
        names = list_stated_properties(rules, kind)
        statements: dict[str, list[Statement]] = {}
        for frame in frames:
            for row in frame.iter_rows(named=True):
                record = _parse_record_row(row)
                statements.setdefault(row[kind.key], []).extend(rules.statements(record, names))
        codes = pl.concat(self._references[kind.label])
        for key, row, source in codes.select("key", ORIGIN_COLUMN, SOURCE_NAME_COLUMN).iter_rows():
            named = Statement(source, row, build_reference_values(kind, key), True)
            statements[key] = merge_statement(statements.get(key, []), named)
        decided = [
            {kind.key: key, **_build_record_row(fill_missing_values(rules.decide(some), names))}
            for key, some in statements.items()
        ]
        types = {n: _POLARS_TYPES.get(p.type, pl.String) for n, p in rules.properties.items()}
        schema = {
            kind.key: pl.String,
            **{name: types[name] for name in names},
            ORIGIN_COLUMN: pl.String,
            SOURCES_COLUMN: pl.String,
            _STATED: pl.String,
        }
        return [pl.DataFrame(decided, schema=schema).lazy()] if decided else []

    def _earned(self, kind: NodeKind) -> dict[str, pl.Series]:
        """By label that nodes of the kind earn, the keys of those that have."""
        sides = [
            (side.label, self._ends(relation, kind, column))
            for relation in RELATIONS
            for side, column in ((relation.start, START_KEY_COLUMN), (relation.end, END_KEY_COLUMN))
            if side.label
        ]
        return {label: keys for label, keys in sides if label and keys is not None}

    def _labelled(
        self, kind: NodeKind, nodes: pl.DataFrame, earned: Mapping[str, pl.Series]
    ) -> pl.DataFrame:
        """The nodes with the labels they have earned, and their facets' properties."""
        labels = []
        for label, keys in earned.items():
            held = nodes[kind.key].is_in(keys.implode())
            nodes = nodes.with_columns(held.alias(f"_{label}"))
            labels.append(pl.when(f"_{label}").then(pl.lit(label)))
        for facet in FACETS:
            if facet.kind == kind.label and facet.label in self._facets:
                nodes = self._with_facet(facet, nodes)
                is_one = pl.col(f"{build_facet_prefix(facet)}load").is_not_null()
                labels.append(pl.when(is_one).then(pl.lit(facet.label)))
        if not labels:
            return nodes
        text = pl.concat_str(*labels, separator=LIST_SEPARATOR, ignore_nulls=True)
        return nodes.with_columns(text.replace("", None).alias(LABELS_COLUMN)).drop(
            f"_{label}" for label in earned
        )

    def _ends(self, relation: Relation, kind: NodeKind, column: str) -> pl.Series | None:
        """The keys of the nodes of `kind` that stand at one side of a relation."""
        at = 1 if column == START_KEY_COLUMN else 2
        parts = [
            pl.scan_parquet(part).select(column)
            for place, stated in self._relations.items()
            for part in stated.parts
            if place[0] == relation.type and place[at] == kind.label
        ]
        return pl.concat(parts).unique().collect()[column] if parts else None

    def _with_facet(self, facet: Facet, nodes: pl.DataFrame) -> pl.DataFrame:
        prefix = build_facet_prefix(facet)
        records = [records.collect() for records in self._facets[facet.label].records()]
        stated = pl.concat(records, how="diagonal")
        own = {
            ORIGIN_COLUMN: f"{prefix}row",
            SOURCES_COLUMN: f"{prefix}sources",
            _STATED: f"{prefix}stated",
        }
        stated = stated.rename(own, strict=False)
        stated = stated.with_columns(pl.lit(self.load_id).alias(f"{prefix}load"))
        return nodes.join(stated, on=facet.column, how="left", maintain_order="left")

    def _relation_import_files(
        self, relation: str, start: str, end: str, rows: pl.DataFrame
    ) -> Iterator[ImportFile]:
        """As `graph.store.statements.format_relation_sources` has them: those of one source with
        its name, those of several with a list. They name no load, which is the first one.
        """
        ends = [
            self._number(rows[START_KEY_COLUMN], start),
            self._number(rows[END_KEY_COLUMN], end),
        ]
        numbered = rows.with_columns(ends[0].alias(START_KEY_COLUMN), ends[1].alias(END_KEY_COLUMN))
        if self.observer is not None:
            self.observer.add_relations(relation, numbered)
        what = f"--relationships={relation}="
        several = numbered[SOURCES_COLUMN].str.contains(LIST_SEPARATOR, literal=True)
        if not several.any():
            yield self._file(what, numbered, {SOURCES_COLUMN: f"{SOURCES_COLUMN}:string"})
            return
        yield self._file(what, numbered.filter(several), {})
        if not several.all():
            one = numbered.filter(~several)
            yield self._file(what, one, {SOURCES_COLUMN: f"{SOURCES_COLUMN}:string"})

    def _number(self, keys: pl.Series, kind: str) -> pl.Series:
        named = keys.alias("id").to_frame()
        return named.join(self._numbers[kind], on="id", how="left", maintain_order="left")[
            NODE_NUMBER_COLUMN
        ]

    def _node_file(self, kind: NodeKind, nodes: pl.DataFrame) -> ImportFile:
        named = nodes.with_columns(pl.lit(self.load_id).alias("load"))
        return self._file(f"--nodes={kind.label}=", named, {})

    def _file(self, what: str, rows: pl.DataFrame, headers: Mapping[str, str]) -> ImportFile:
        """`headers`: those of columns that have another than their type says.

        Columns that no row has a value in are left out: neo4j-admin would read them all the same.
        """
        path = self.folder / f"import-{next(self._files)}.csv"
        rows = rows.select(one.name for one in rows if one.null_count() < rows.height)
        headers = {name: header for name, header in headers.items() if name in rows.columns}
        usual = {c: _format_import_header(c, dtype) for c, dtype in rows.schema.items()}
        headed = rows.rename({**usual, **headers})
        lines, returns = -1, False
        with path.open("wb") as file:
            for at in range(0, headed.height, BULK_SLICE_ROWS):
                text = BytesIO()
                headed.slice(at, BULK_SLICE_ROWS).write_csv(text, include_header=at == 0)
                written = text.getvalue()
                file.write(written)
                lines += written.count(b"\n")
                returns = returns or b"\r" in written
        return ImportFile(what + str(path), returns or lines != headed.height)

    # the store

    @property
    def home(self) -> Path:
        """The Neo4j home that `make_store` fills."""
        return self.folder / NEW_STORE_FOLDER

    def write_files(self, load: Mapping[str, Any]) -> list[ImportFile]:
        """Writes the files of all that was stated, with its Load (`load`: properties), unfinished,
        and a journal that says "everything".
        """
        files = [*self.import_files(), *self._load_files(load)]
        for stated in self.folder.glob("*.parquet"):
            stated.unlink()
        return files

    def make_store(
        self,
        settings: Settings,
        files: Sequence[ImportFile],
        progress: Callable[[int, int], None],
    ) -> None:
        """Makes a store of what `write_files` has written. `progress`: percent done, 100.

        Raises DatabaseError when neo4j-admin fails, as on a full disk.
        """
        run_store_import(
            settings,
            self.folder,
            files,
            "actual",
            progress,
            Message("The import of the first load"),
        )

    def _load_files(self, load: Mapping[str, Any]) -> Iterator[ImportFile]:
        change = {"load_id": self.load_id, "frame": EVERY_FRAME_MARK}
        for number, (label, node) in enumerate(((LOAD.label, load), (CHANGE.label, change))):
            texts = dict(_format_property_cell(name, value) for name, value in node.items())
            row = pl.DataFrame([texts | {":ID": self._given + number}])
            path = self.folder / f"import-{label}.csv"
            row.write_csv(path)
            lines = any("\n" in str(text) or "\r" in str(text) for text in texts.values())
            yield ImportFile(f"--nodes={label}={path}", lines)


def _format_property_cell(name: str, value: object) -> tuple[str, object]:
    """A property of the Load as an import file has it: header and text."""
    match value:
        case bool():
            return f"{name}:boolean", value
        case int():
            return f"{name}:long", value
        case list():
            return f"{name}:string[]", LIST_SEPARATOR.join(value)
        case _:
            return name, value


def run_store_import(
    settings: Settings,
    folder: Path,
    files: Sequence[ImportFile],
    id_type: Literal["actual", "integer"],
    progress: Callable[[int, int], None],
    what: Message,
) -> None:
    """Makes a store of import files, as a Neo4j home in `NEW_STORE_FOLDER` of the folder.

    `id_type`: "actual" where nodes are numbered from 0 on, in order. `progress`: percent done,
    100; `what` is said to have failed. Raises DatabaseError when neo4j-admin fails, as on a full
    disk.
    """
    home = folder / NEW_STORE_FOLDER
    longest = max((file.longest_bytes for file in files), default=0)
    (home / "conf").mkdir(parents=True)
    (home / "conf" / "neo4j.conf").touch()
    command = [
        "import",
        "full",
        location.DATABASE,
        f"--id-type={id_type}",
        f"--array-delimiter=U+{ord(LIST_SEPARATOR):04X}",
        f"--multiline-fields={str(any(file.multiline for file in files)).lower()}",
        # Without a name of its own it is left in the folder that the command was started in.
        f"--report-file={folder / 'import.report'}",
        f"--max-off-heap-memory={configuration.compute_memory_limits(settings).page_cache}m",
        f"--read-buffer-size={max(_READ_BUFFER_BYTES, 2 * longest)}",
        *(file.argument for file in files),
    ]
    heard = _ImportProgress(progress)
    done = admin.run_neo4j_admin(settings, command, home, heap_mb=IMPORT_HEAP_MB, heard=heard)
    if done.returncode:
        raise admin.build_admin_error(what, done, _LOAD_AGAIN_ADVICE)


@dataclass(frozen=True)
class ImportFile:
    """A file as an argument of neo4j-admin, and whether a text in it goes over several lines.

    `longest_bytes`: of its longest line, where that may be more than neo4j-admin reads at a time.
    """

    argument: str
    multiline: bool
    longest_bytes: int = 0


@dataclass
class _ImportProgress:
    """Reads how far the import is from what neo4j-admin prints: (2/4), then ... 45%."""

    progress: Callable[[int, int], None]
    stage: int = 0

    def __call__(self, line: str) -> None:
        if found := re.match(r"\((\d)/4\)", line):
            self.stage = int(found[1]) - 1
        elif found := re.search(r"(\d+)%", line):
            before, after = IMPORT_STAGE_PERCENTS[self.stage : self.stage + 2]
            self.progress(before + (after - before) * int(found[1]) // 100, 100)


def _split_by_end_kind(links: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    kinds = links[_END_KIND].unique(maintain_order=True)
    if kinds.len() == 1:
        return [(kinds[0], links.drop(_END_KIND))]
    return [(kind, links.filter(pl.col(_END_KIND) == kind).drop(_END_KIND)) for kind in kinds]


def _is_tie(declared: Declared) -> bool:
    return isinstance(declared, Relation) and declared.one_tie


def _build_row_statement(row: Mapping[str, Any], names: Sequence[str]) -> Statement:
    return Statement(
        row[SOURCES_COLUMN], row[ORIGIN_COLUMN], {name: row.get(name) for name in names}
    )


def _build_record_row(record: Record) -> dict[str, Any]:
    """The record as a row: its lists as texts."""
    stated = None if record.stated is None else LIST_SEPARATOR.join(record.stated)
    return record.values | {
        ORIGIN_COLUMN: record.row,
        SOURCES_COLUMN: LIST_SEPARATOR.join(record.sources),
        _STATED: stated,
    }


def _parse_record_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The record that a row holds, as the graph would have it."""
    stated = row.get(_STATED)
    return {
        **row,
        "row": row[ORIGIN_COLUMN],
        "sources": row[SOURCES_COLUMN].split(LIST_SEPARATOR),
        "stated": stated.split(LIST_SEPARATOR) if stated else None,
    }


def _format_import_header(column: str, dtype: pl.DataType) -> str:
    if column in _IMPORT_HEADERS:
        return _IMPORT_HEADERS[column]
    if column.endswith((SOURCES_COLUMN, _STATED)):
        return f"{column}:string[]"
    return f"{column}:{_IMPORT_TYPES.get(dtype.base_type(), 'string')}"
