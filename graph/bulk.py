"""The first load of an empty store: what `graph.write` would write, as files for `neo4j-admin`.

`Bulk` takes the same calls as `graph.write.Writer` and keeps what they state as Parquet in a
folder of the load. At the end what several statements say of one record is merged by the same
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
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from graph import admin, embedded
from graph.model import (
    CHANGE,
    FACETS,
    LOAD,
    NODES,
    PROVINCES,
    RELATIONS,
    Facet,
    NodeKind,
    Relation,
)
from graph.write import EVERYTHING, FROM, ORIGIN, SOURCE, TO, facet_prefix

if TYPE_CHECKING:
    from graph.settings import Settings

# Between the entries of a list in an import file: a sign that no text of a table should hold.
BETWEEN: Final = "\x1f"
SLICE: Final = 1_000_000
# Files of relations written at a time: polars alone leaves half of a machine idle here, and each
# takes memory.
TOGETHER: Final = 2
# The store being made stands in this folder of the load's.
STORE: Final = "neo4j"
_LOAD_AGAIN: Final = "Load again; if it fails again, free some memory and disk first."
IMPORT_HEAP_MB: Final = 1500
# Where the stages of an import stand in its time, in percent.
STAGES: Final = (0, 20, 80, 93, 100)
_END: Final = "_end"  # the kind of node a link leads to, where it may be several
_NUMBER: Final = "_number"
_SOURCES: Final = "sources"
# Names neo4j-admin's special columns; the other columns are properties.
_HEADERS: Final = {
    FROM: ":START_ID",
    TO: ":END_ID",
    _NUMBER: ":ID",
    ORIGIN: "row",
    ":LABEL": ":LABEL",
}
_TYPES: Final = {pl.Date: "date", pl.Int64: "long", pl.Float64: "double", pl.Boolean: "boolean"}


@dataclass
class Statements:
    """What is stated of one kind of record: a Parquet file a statement, in their order.

    `keys` tell two records apart. With `moves` a record is a link of which a node has one at a
    time: another end takes the place of the old one, and an empty end takes it back.
    """

    keys: tuple[str, ...]
    moves: bool = False
    parts: list[Path] = field(default_factory=list)

    def records(self) -> Iterator[pl.LazyFrame]:
        """Each record once; `sources` is a text, its entries apart by `BETWEEN`."""
        parts = [pl.scan_parquet(part) for part in self.parts]
        doubled = self._doubled(parts)
        for part in parts:
            if doubled is not None:
                part = part.join(doubled.lazy(), on=self.keys, how="anti").collect().lazy()
            yield self._standing(part)
        if doubled is not None:
            yield self._standing(self._merged(parts, doubled).lazy())

    def _standing(self, records: pl.LazyFrame) -> pl.LazyFrame:
        return records.filter(pl.col(TO).is_not_null()) if self.moves else records

    def _doubled(self, parts: Sequence[pl.LazyFrame]) -> pl.DataFrame | None:
        """The keys that more than one statement names."""
        if len(parts) < 2:
            return None
        keys = pl.concat([part.select(self.keys) for part in parts]).collect()
        doubled = keys.filter(pl.struct(*self.keys).is_duplicated()).unique()
        return doubled if doubled.height else None

    def _merged(self, parts: Sequence[pl.LazyFrame], doubled: pl.DataFrame) -> pl.DataFrame:
        """The records of `doubled`: one statement taken in after the other."""
        first, *rest = (
            part.join(doubled.lazy(), on=self.keys, how="semi").collect() for part in parts
        )
        for new in rest:
            both = new.join(first, on=self.keys, suffix="_before")
            both = (_moved if self.moves else _restated)(both, self.keys)
            kept = first.join(new, on=self.keys, how="anti")
            added = new.join(first, on=self.keys, how="anti")
            first = pl.concat([frame.select(new.columns) for frame in (kept, both, added)])
        return first


def _restated(both: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """Values last stated; an empty cell blanks only what its own source alone has said."""
    alone = pl.col(f"{_SOURCES}_before") == pl.col(_SOURCES)
    values = [c for c in _values(both, keys) if c != ORIGIN]
    taken = [
        pl.when(alone | pl.col(c).is_not_null()).then(pl.col(c)).otherwise(pl.col(f"{c}_before"))
        for c in values
    ]
    return both.select(*keys, *(t.alias(c) for t, c in zip(taken, values, strict=True)),
                       ORIGIN, _both_sources())  # fmt: skip


def _moved(both: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """A link to the same end gains a source; to another it is new; an empty end of its only
    source takes it back."""
    alone = pl.col(f"{_SOURCES}_before") == pl.col(_SOURCES)
    stays = pl.col(TO).is_null() & ~alone
    same = (pl.col(TO) == pl.col(f"{TO}_before")) & (pl.col(_END) == pl.col(f"{_END}_before"))
    sources = pl.when(same).then(_both_sources()).otherwise(pl.col(_SOURCES))
    taken = {c: pl.col(c) for c in _values(both, keys)} | {_SOURCES: sources}
    return both.select(
        *keys,
        *(
            pl.when(stays).then(pl.col(f"{c}_before")).otherwise(new).alias(c)
            for c, new in taken.items()
        ),
    )


def _values(both: pl.DataFrame, keys: Sequence[str]) -> list[str]:
    before = [c.removesuffix("_before") for c in both.columns if c.endswith("_before")]
    return [c for c in before if c not in (*keys, _SOURCES)]


def _both_sources() -> pl.Expr:
    before, new = pl.col(f"{_SOURCES}_before"), pl.col(_SOURCES)
    said = before.str.split(BETWEEN).list.contains(new)
    joined = pl.concat_str(before, pl.lit(BETWEEN), new)
    return pl.when(said).then(before).otherwise(joined).alias(_SOURCES)


@dataclass
class Bulk:
    """Takes one first load in and writes its import files. `folder`: of this load alone.

    `progress` is told the rows of every step.
    """

    folder: Path
    load_id: str
    progress: Callable[[int], None] = lambda rows: None
    written: dict[str, int] = field(default_factory=dict)
    _nodes: dict[str, Statements] = field(default_factory=dict)
    _references: dict[str, list[pl.DataFrame]] = field(default_factory=dict)
    _facets: dict[str, Statements] = field(default_factory=dict)
    _relations: dict[tuple[str, str, str], Statements] = field(default_factory=dict)
    _links: dict[tuple[str, str], Statements] = field(default_factory=dict)
    _numbers: dict[str, pl.DataFrame] = field(default_factory=dict)
    _given: int = 0
    _files: Iterator[int] = field(default_factory=count)

    # what is stated

    def nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Nodes of a kind. `rows`: its stored properties, `_origin`, `_source`."""
        self._state(self._nodes, kind.label, Statements((kind.key,)), rows)
        self._count(kind.label, rows)

    def reference_nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Nodes that are known by their code alone. `rows`: key, `_origin`, `_source`."""
        self._references.setdefault(kind.label, []).append(rows.select("key", ORIGIN, SOURCE))

    def facet(self, facet: Facet, rows: pl.DataFrame) -> None:
        """A further label of nodes, with its properties and a provenance of its own."""
        self._state(self._facets, facet.label, Statements((facet.column,)), rows)
        self._count(facet.label, rows)

    def relations(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """Relations between nodes of two kinds. `rows`: `_from`, `_to`, key, properties."""
        place = (relation.type, start, end)
        self._state(self._relations, place, Statements((FROM, TO, "key")), rows)
        self._count(relation.type, rows)

    def links(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """As `relations`, where a node has one such relation at a time."""
        rows = rows.with_columns(pl.lit(end).alias(_END))
        place = (relation.type, start)
        self._state(self._links, place, Statements((FROM,), moves=True), rows)
        self._count(relation.type, rows)

    def unlink(self, relation: Relation, start: str, key: str, rows: pl.DataFrame) -> None:
        """Takes back links that only this source has stated and now leaves empty."""
        stated = self._links.get((relation.type, start))
        if stated is None or rows.is_empty():
            return
        none = pl.lit(None, dtype=pl.String)
        empty = rows.select(FROM, none.alias(TO), pl.lit(key).alias("key"),
                            none.alias(ORIGIN), SOURCE, none.alias(_END))  # fmt: skip
        self._state(self._links, (relation.type, start), stated, empty)

    def cleanup(self) -> dict[str, int]:
        """Nothing stood here before, so nothing is taken back."""
        return {}

    def _state(
        self, where: dict[Any, Statements], place: Any, new: Statements, rows: pl.DataFrame
    ) -> None:
        part = self.folder / f"stated-{next(self._files)}.parquet"
        rows.rename({SOURCE: _SOURCES}).write_parquet(
            part, compression="lz4", statistics=False, row_group_size=SLICE
        )
        where.setdefault(place, new).parts.append(part)

    def _count(self, what: str, rows: pl.DataFrame) -> None:
        self.written[what] = self.written.get(what, 0) + rows.height
        self.progress(rows.height)

    # the import files

    def import_files(self) -> list[ImportFile]:
        """Writes the files: the nodes, whose numbers the rest needs, then two at a time."""
        nodes = [
            self._file(f"--nodes={kind.label}=", frame)
            for kind in NODES
            for frame in self._node_frames(kind)
        ]
        with ThreadPoolExecutor(TOGETHER) as together:
            relations = [
                together.submit(self._relation_files, relation, start, end, stated)
                for relation, start, end, stated in self._stated_relations()
            ]
            return [*nodes, *(file for found in relations for file in found.result())]

    def _stated_relations(self) -> Iterator[tuple[str, str, str | None, Statements]]:
        """Type of relation, kinds of its ends (None: it stands in the rows), what is stated."""
        for (relation, start, end), stated in self._relations.items():
            yield relation, start, end, stated
        for (relation, start), stated in self._links.items():
            yield relation, start, None, stated

    def _relation_files(
        self, relation: str, start: str, end: str | None, stated: Statements
    ) -> list[ImportFile]:
        files = []
        for records in stated.records():
            rows = records.collect()
            parts = [(end, rows)] if end else _by_end(rows)
            del rows
            while parts:
                kind, part = parts.pop(0)
                if part.height:
                    files.append(self._relation_file(relation, start, kind, part))
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
            for at in range(0, frame.select(pl.len()).collect().item(), SLICE):
                nodes = frame.slice(at, SLICE).collect()
                number = pl.int_range(self._given, self._given + nodes.height, dtype=pl.UInt32)
                nodes = nodes.with_columns(number.alias(_NUMBER))
                self._given += nodes.height
                numbers.append(nodes.select(pl.col(kind.key).alias("id"), _NUMBER))
                yield self._labelled(kind, nodes, earned)
        if numbers:
            self._numbers[kind.label] = pl.concat(numbers)

    def _with_references(
        self, kind: NodeKind, frames: Sequence[pl.DataFrame]
    ) -> list[pl.LazyFrame]:
        """The nodes with rows of their own, then those known by their code alone."""
        codes = (
            pl.concat(self._references[kind.label])
            .group_by(pl.col("key").alias(kind.key), maintain_order=True)
            .agg(pl.col(ORIGIN).first(), pl.col(SOURCE).unique(maintain_order=True))
        )
        naming = codes.select(kind.key, SOURCE)
        own = [
            frame.join(naming, on=kind.key, how="left", maintain_order="left")
            .with_columns(_with_named_sources())
            .drop(SOURCE)
            for frame in frames
        ]
        for frame in own:
            codes = codes.join(frame, on=kind.key, how="anti", maintain_order="left")
        alone = codes.with_columns(
            pl.col(SOURCE).list.join(BETWEEN).alias(_SOURCES), _name_by_code(kind)
        ).drop(SOURCE)
        return [frame.lazy() for frame in (*own, alone) if frame.height]

    def _earned(self, kind: NodeKind) -> dict[str, pl.Series]:
        """By label that nodes of the kind earn, the keys of those that have."""
        sides = [
            (side.label, self._ends(relation, kind, column))
            for relation in RELATIONS
            for side, column in ((relation.start, FROM), (relation.end, TO))
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
                is_one = pl.col(f"{facet_prefix(facet)}load").is_not_null()
                labels.append(pl.when(is_one).then(pl.lit(facet.label)))
        if not labels:
            return nodes
        text = pl.concat_str(*labels, separator=BETWEEN, ignore_nulls=True)
        return nodes.with_columns(text.replace("", None).alias(":LABEL")).drop(
            f"_{label}" for label in earned
        )

    def _ends(self, relation: Relation, kind: NodeKind, column: str) -> pl.Series | None:
        """The keys of the nodes of `kind` that stand at one side of a relation."""
        at = 1 if column == FROM else 2
        parts = [
            pl.scan_parquet(part).select(column)
            for place, stated in self._relations.items()
            for part in stated.parts
            if place[0] == relation.type and place[at] == kind.label
        ]
        return pl.concat(parts).unique().collect()[column] if parts else None

    def _with_facet(self, facet: Facet, nodes: pl.DataFrame) -> pl.DataFrame:
        prefix = facet_prefix(facet)
        stated = pl.concat([records.collect() for records in self._facets[facet.label].records()])
        stated = stated.rename({ORIGIN: f"{prefix}row", _SOURCES: f"{prefix}sources"})
        stated = stated.with_columns(pl.lit(self.load_id).alias(f"{prefix}load"))
        shared = [c for c in stated.columns if c in nodes.columns and c != facet.column]
        joined = nodes.join(
            stated, on=facet.column, how="left", maintain_order="left", suffix="_facet"
        )
        is_one = pl.col(f"{prefix}load").is_not_null()
        return joined.with_columns(
            pl.when(is_one).then(pl.col(f"{c}_facet")).otherwise(pl.col(c)).alias(c) for c in shared
        ).drop(f"{c}_facet" for c in shared)

    def _relation_file(self, relation: str, start: str, end: str, rows: pl.DataFrame) -> ImportFile:
        ends = [self._number(rows[FROM], start), self._number(rows[TO], end)]
        numbered = rows.with_columns(ends[0].alias(FROM), ends[1].alias(TO))
        return self._file(f"--relationships={relation}=", numbered)

    def _number(self, keys: pl.Series, kind: str) -> pl.Series:
        named = keys.alias("id").to_frame()
        return named.join(self._numbers[kind], on="id", how="left", maintain_order="left")[_NUMBER]

    def _file(self, what: str, rows: pl.DataFrame) -> ImportFile:
        path = self.folder / f"import-{next(self._files)}.csv"
        rows = rows.with_columns(pl.lit(self.load_id).alias("load"))
        headed = rows.rename({c: _header(c, dtype) for c, dtype in rows.schema.items()})
        lines, returns = -1, False
        with path.open("wb") as file:
            for at in range(0, headed.height, SLICE):
                text = BytesIO()
                headed.slice(at, SLICE).write_csv(text, include_header=at == 0)
                written = text.getvalue()
                file.write(written)
                lines += written.count(b"\n")
                returns = returns or b"\r" in written
        return ImportFile(what + str(path), returns or lines != headed.height)

    # the store

    @property
    def home(self) -> Path:
        """The Neo4j home that `make_store` fills."""
        return self.folder / STORE

    def make_store(
        self, settings: Settings, load: Mapping[str, Any], progress: Callable[[int, int], None]
    ) -> None:
        """Makes a store of all that was stated, with its Load (`load`: properties), unfinished,
        and a journal that says "everything". `progress`: percent done, 100.

        Raises DatabaseError when neo4j-admin fails, as on a full disk.
        """
        (self.home / "conf").mkdir(parents=True)
        (self.home / "conf" / "neo4j.conf").touch()
        files = [*self.import_files(), *self._load_files(load)]
        for stated in self.folder.glob("*.parquet"):
            stated.unlink()
        command = [
            "import", "full", embedded.DATABASE, "--id-type=actual",
            f"--array-delimiter=U+{ord(BETWEEN):04X}",
            f"--multiline-fields={str(any(file.multiline for file in files)).lower()}",
            f"--max-off-heap-memory={embedded.memory(settings).page_cache}m",
            *(file.argument for file in files),
        ]  # fmt: skip
        heard = _Percent(progress)
        done = admin.run(settings, command, self.home, heap_mb=IMPORT_HEAP_MB, heard=heard)
        if done.returncode:
            raise admin.failed("The import of the first load", done, _LOAD_AGAIN)

    def _load_files(self, load: Mapping[str, Any]) -> Iterator[ImportFile]:
        change = {"load_id": self.load_id, "frame": EVERYTHING}
        for number, (label, node) in enumerate(((LOAD.label, load), (CHANGE.label, change))):
            texts = dict(_cell(name, value) for name, value in node.items())
            row = pl.DataFrame([texts | {":ID": self._given + number}])
            path = self.folder / f"import-{label}.csv"
            row.write_csv(path)
            lines = any("\n" in str(text) or "\r" in str(text) for text in texts.values())
            yield ImportFile(f"--nodes={label}={path}", lines)


def _cell(name: str, value: object) -> tuple[str, object]:
    """A property of the Load as an import file has it: header and text."""
    match value:
        case bool():
            return f"{name}:boolean", value
        case int():
            return f"{name}:long", value
        case list():
            return f"{name}:string[]", BETWEEN.join(value)
        case _:
            return name, value


@dataclass(frozen=True)
class ImportFile:
    """A file as neo4j-admin is told of it, and whether a text in it goes over several lines."""

    argument: str
    multiline: bool


@dataclass
class _Percent:
    """Reads how far the import is from what neo4j-admin prints: (2/4), then ... 45%."""

    progress: Callable[[int, int], None]
    stage: int = 0

    def __call__(self, line: str) -> None:
        if found := re.match(r"\((\d)/4\)", line):
            self.stage = int(found[1]) - 1
        elif found := re.search(r"(\d+)%", line):
            before, after = STAGES[self.stage : self.stage + 2]
            self.progress(before + (after - before) * int(found[1]) // 100, 100)


def _by_end(links: pl.DataFrame) -> list[tuple[str, pl.DataFrame]]:
    kinds = links[_END].unique(maintain_order=True)
    if kinds.len() == 1:
        return [(kinds[0], links.drop(_END))]
    return [(kind, links.filter(pl.col(_END) == kind).drop(_END)) for kind in kinds]


def _with_named_sources() -> pl.Expr:
    stated = pl.col(_SOURCES).str.split(BETWEEN)
    named = pl.col(SOURCE).fill_null(pl.lit([], dtype=pl.List(pl.String)))
    return pl.concat_list(stated, named).list.unique(maintain_order=True).list.join(BETWEEN)


def _name_by_code(kind: NodeKind) -> pl.Expr:
    names = {code: zh for code, (_, zh) in PROVINCES.items()} if kind.label == "Province" else {}
    if not names:
        return pl.lit(None, dtype=pl.String).alias("name")
    return (
        pl.col(kind.key).replace_strict(names, default=None, return_dtype=pl.String).alias("name")
    )


def _header(column: str, dtype: pl.DataType) -> str:
    if column in _HEADERS:
        return _HEADERS[column]
    if column.endswith(_SOURCES):
        return f"{column}:string[]"
    return f"{column}:{_TYPES.get(dtype.base_type(), 'string')}"
