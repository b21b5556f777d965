"""Reading the graph out of Neo4j, fast: in full by its records' own numbers, or by given keys.

`FrameReader` makes the frames of a snapshot of records whose ends are numbers of nodes, wherever
the records come from: `GraphReader` reads them out of Neo4j, `graph.snapshot.initial` has them of
the load that made the store.

In a full read the records of a kind are asked for in the order in which the store has them: by
ranges of Neo4j's internal numbers, of which a first scan says where the kind has any. An end of a
relation travels as the internal number of its node, which the nodes read before turn into the
person's row number or the place's key. These numbers live inside one reading and are never stored.
A server whose numbers are too far apart for ranges (or one asked for a few keys) is read by keys of
start nodes.

Each chunk is one record of lists, a list a column. Two are under way at any time, so that the
server reads the next while this one is taken apart here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import polars as pl

from graph.errors import IncompleteError
from graph.model.kinds import (
    CURRENT_LINK_KEY,
    NODE_KINDS,
    NODES,
    RELATION_KINDS,
    is_stated_by_nodes,
    stored_properties,
)
from graph.model.schema_types import End, NodeKind, Property, Relation, Type
from graph.store.statements import parse_stored_sources

if TYPE_CHECKING:
    from graph.server.database import Database

# Records a chunk; one chunk's lists must fit in the memory Neo4j gives a transaction.
CHUNK_RECORDS: Final = 20_000
CHUNK_SECONDS: Final = 600.0
READ_SESSIONS: Final = 2
# A kind is read by ranges while they hold no more empty numbers than this for each record.
MAX_EMPTY_IDS_PER_RECORD: Final = 8
# So few records are read at one go, wherever they are.
SINGLE_READ_RECORDS: Final = 50_000
# What each of several sources states of a record (`graph.store.statements`), apart by
# `SOURCE_SEPARATOR`.
STATED_COLUMN: Final = "stated"
# The row of a node that several sources state; of no other, since a text for each is much to read.
STATED_ROW: Final = "stated_row"
# Between the sources of a relation on their way here and in the files.
SOURCE_SEPARATOR: Final = "\x1f"
EPOCH_DATE: Final = date(1970, 1, 1)
# What of a relation no table of a snapshot holds: a text of its own for each, and long.
OMITTED_PROPERTIES: Final = frozenset({"certificate_no"})

COLUMN_DTYPES: Final[Mapping[Type, Any]] = {
    Type.STRING: pl.String,
    Type.DATE: pl.Date,
    Type.INTEGER: pl.Int64,
    Type.FLOAT: pl.Float64,
    Type.BOOLEAN: pl.Boolean,
    Type.LEVEL: pl.Int8,
    Type.PROVINCE: pl.String,
    Type.OCCUPATION: pl.String,
}
# Columns of person ids, and the column of row numbers each becomes.
PERSON_COLUMNS: Final = {
    "person_id": "person",
    "mentor_id": "mentor",
    "apprentice_id": "apprentice",
}
_PERSON_LABEL: Final = "Person"
_PERSON_KEY: Final = "person_id"
# How a relation's row and sources are stored: the file and the line, the sources as one text.
PROVENANCE_COLUMNS: Final = ("row_file", "row_line", "stated_by")

ChunkProgress = Callable[[int, int], None]
ColumnLists = Mapping[str, Sequence[Any]]
# The sources of a relation as the graph has them: a name, or a list of several.
StoredSources = str | Sequence[str]


@dataclass(frozen=True)
class Column:
    """A column on its way: its name, the Cypher that gives it for `x`, and its polars type."""

    name: str
    cypher: str
    dtype: Any


def _build_property_column(prop: Property) -> Column:
    value = f"x.{prop.stored}"
    # A date travels as days: many times quicker to unpack than Neo4j's own struct of a date.
    if prop.type is Type.DATE:
        value = f"duration.inDays($epoch, {value}).days"
    return Column(prop.name, value, COLUMN_DTYPES[prop.type])


def list_frame_properties(declared: NodeKind | Relation) -> list[Property]:
    """The stored properties that a frame has as columns; of relations, their ends stand apart."""
    apart = set(OMITTED_PROPERTIES)
    if isinstance(declared, Relation):
        apart |= {declared.start.column, declared.end.column}
    return [
        p
        for p in stored_properties(declared)
        if p.type is not Type.ID_NUMBER and p.name not in apart
    ]


def build_node_columns(kind: NodeKind) -> list[Column]:
    """The columns of a node kind's frame; a person's also tell whether leading and a target."""
    columns = [_build_property_column(p) for p in list_frame_properties(kind)]
    columns.append(Column(STATED_COLUMN, _build_join_expression(f"x.{STATED_COLUMN}"), pl.String))
    several = f"CASE WHEN x.{STATED_COLUMN} IS NULL THEN null ELSE x.row END"
    columns.append(Column(STATED_ROW, several, pl.String))
    if kind.label == "Person":
        columns += [
            Column("leading", "x:LeadingTalent", pl.Boolean),
            Column("target", "x:TrainingTarget", pl.Boolean),
        ]
    return columns


def build_relation_columns(relation: Relation) -> list[Column]:
    stated = (
        "CASE WHEN x.sources = $usual THEN null ELSE "
        + _build_join_expression("([] + x.sources)")
        + " END"
    )
    return [
        *(_build_property_column(p) for p in list_frame_properties(relation)),
        Column("row", "x.row", pl.String),
        Column(STATED_COLUMN, _build_join_expression(f"x.{STATED_COLUMN}"), pl.String),
        Column("stated_by", stated, pl.String),
    ]


def _build_join_expression(texts: str) -> str:
    return f"reduce(all = head({texts}), s IN tail({texts}) | all + $apart + s)"


def _build_list_expressions(columns: Iterable[Column]) -> str:
    """One list a column. A comprehension keeps the nulls that collect() would drop."""
    return ", ".join(f"[x IN xs | {column.cypher}] AS `{column.name}`" for column in columns)


def build_chunk_frame(columns: Iterable[Column], lists: ColumnLists) -> pl.DataFrame:
    return pl.DataFrame(
        [_build_column_series(column, lists.get(column.name, [])) for column in columns]
    )


def _build_column_series(column: Column, values: Sequence[Any]) -> pl.Series:
    if column.dtype == pl.Date:
        return pl.Series(column.name, values, pl.Int32).cast(pl.Date)
    return pl.Series(column.name, values, column.dtype)


# --- where the records are --------------------------------------------------------------------


@dataclass(frozen=True)
class RecordRanges:
    """Where the records of a kind are: how many there are, and in which ranges of numbers."""

    count: int
    ranges: Sequence[int]

    @property
    def ranged(self) -> bool:
        """Whether reading by ranges asks for few numbers that are none."""
        return (
            len(self.ranges) * CHUNK_RECORDS
            <= MAX_EMPTY_IDS_PER_RECORD * self.count + CHUNK_RECORDS
        )


def _find_record_ranges(database: Database, patterns: Mapping[str, str]) -> dict[str, RecordRanges]:
    """By name, where the `x` of each pattern are."""

    def place(pattern: str) -> RecordRanges:
        rows = database.read(
            f"MATCH {pattern} RETURN id(x) / $chunk AS range, count(*) AS n ORDER BY range",
            {"chunk": CHUNK_RECORDS},
            seconds=CHUNK_SECONDS,
        )
        return RecordRanges(sum(row["n"] for row in rows), [row["range"] for row in rows])

    with ThreadPoolExecutor(READ_SESSIONS) as sessions:
        return dict(zip(patterns, sessions.map(place, patterns.values()), strict=True))


def _build_unrepeated_condition(relation: Relation) -> str:
    """The condition on `x` that leaves out the links that only repeat a property of a node."""
    return f"coalesce(x.key, '') <> '{CURRENT_LINK_KEY}'" if is_stated_by_nodes(relation) else ""


def _build_relation_pattern(relation: Relation) -> str:
    return f"()-[x:{relation.type}]->()"


# --- chunks -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chunk:
    """One question: a statement whose one record holds a list a column, and its parameters."""

    statement: str
    parameters: Mapping[str, Any]


def _read_chunk(database: Database, chunk: Chunk) -> dict[str, list[Any]]:
    given = {"apart": SOURCE_SEPARATOR, "epoch": EPOCH_DATE, "usual": [], **chunk.parameters}

    def work(tx: Any) -> dict[str, list[Any]]:
        return dict(tx.run(chunk.statement, given).single(strict=True))

    return database.read_with(work, seconds=CHUNK_SECONDS)


def _read_chunks_ahead(
    database: Database,
    chunks: Sequence[Chunk],
    made: Callable[[ColumnLists], pl.DataFrame],
    done: ChunkProgress,
) -> Iterator[pl.DataFrame]:
    """What `made` makes of each chunk's lists, in order; the next are asked for meanwhile."""
    with ThreadPoolExecutor(READ_SESSIONS) as sessions:
        ahead: deque[Future[pl.DataFrame]] = deque()

        def one(chunk: Chunk) -> pl.DataFrame:
            return made(_read_chunk(database, chunk))

        asked = iter(chunks)
        try:
            for number in range(1, len(chunks) + 1):
                while len(ahead) <= READ_SESSIONS and (chunk := next(asked, None)) is not None:
                    ahead.append(sessions.submit(one, chunk))
                yield ahead.popleft().result()
                done(number, len(chunks))
        finally:
            for waiting in ahead:
                waiting.cancel()


def _build_range_chunks(
    match: str, where: str, wanted: str, place: RecordRanges, **more: Any
) -> list[Chunk]:
    """The chunks of a kind by ranges of its records' numbers; of few records, all at once."""
    if place.count <= SINGLE_READ_RECORDS and not place.ranged:
        return [Chunk(f"MATCH {match} {_build_where_clause(where)} {wanted}", more)]
    ranges = "id(x) IN range($first, $first + $chunk - 1)"
    condition = f"{ranges} AND {where}" if where else ranges
    statement = f"MATCH {match} WHERE {condition} {wanted}"
    return [
        Chunk(statement, {"first": number * CHUNK_RECORDS, "chunk": CHUNK_RECORDS, **more})
        for number in place.ranges
    ]


def _build_where_clause(condition: str) -> str:
    return f"WHERE {condition}" if condition else ""


def _validate_record_count(found: int, place: RecordRanges, what: str) -> None:
    """Raises `IncompleteError` when not every record of a kind was met."""
    if found != place.count:
        raise IncompleteError(
            "{found:,} of the {count:,} {what} were met: something wrote to the graph while "
            "it was being read, so the tables would mix two revisions; ask again when no "
            "load is under way.",
            found=found,
            count=place.count,
            what=what,
        )


# --- nodes ------------------------------------------------------------------------------------


@dataclass
class Ends:
    """What the internal numbers of nodes stand for, inside one reading.

    `people`: by number, the person's row number. `others`: by number, the place in `keys` and
    `kinds`, the key and label of every other node. -1 = none.
    """

    people: np.ndarray[Any, Any]
    others: np.ndarray[Any, Any]
    keys: pl.Series
    kinds: pl.Series


_NO_ENDS: Final = Ends(
    np.full(1, -1, dtype=np.int32),
    np.full(1, -1, dtype=np.int32),
    pl.Series("key", [], pl.String),
    pl.Series("kind", [], pl.String),
)


class FrameReader(ABC):
    """One reading of all nodes, and then of relations: `nodes` first.

    Its numbers of nodes are what `relations` goes by.
    """

    def __init__(self) -> None:
        self.ends: Ends | None = None
        self._keys: dict[str, pl.Series] = {}

    def nodes(self, frames: Mapping[str, str]) -> dict[str, pl.DataFrame]:
        """The frames of these labels by name, each sorted by key; people with their row number."""
        found = {name: self._nodes(NODE_KINDS[label], name) for name, label in frames.items()}
        others = [kind.label for kind in NODES if kind.label not in frames.values()]
        unframed = [self._nodes(NODE_KINDS[label], label.lower()) for label in others]
        people = found["people"]
        labelled = [*zip([*found.values(), *unframed], [*frames.values(), *others], strict=True)]
        self.ends = _build_end_index(
            people, [(f, label) for f, label in labelled if label != _PERSON_LABEL]
        )
        self._keys = {label: frame[NODE_KINDS[label].key] for frame, label in labelled}
        number = pl.int_range(pl.len(), dtype=pl.Int32).alias("person")
        found = {name: frame.drop("_id") for name, frame in found.items()}
        return found | {"people": found["people"].select(number, pl.all())}

    @abstractmethod
    def _nodes(self, kind: NodeKind, name: str) -> pl.DataFrame:
        """The nodes of a kind sorted by key: `_id` and the columns of `build_node_columns`."""

    @abstractmethod
    def relations(self, relation: Relation, name: str) -> pl.DataFrame:
        """All relations of a kind: ends, properties and provenance (`PROVENANCE_COLUMNS`)."""


class GraphReader(FrameReader):
    """One reading of all nodes and of the relations of `types` out of Neo4j.

    `progress` receives the kind, the chunks done and in all.
    """

    def __init__(
        self,
        database: Database,
        types: Iterable[str],
        progress: Callable[[str, int, int], None],
    ) -> None:
        super().__init__()
        self.database = database
        self.progress = progress
        patterns = {kind.label: f"(x:{kind.label})" for kind in NODES}
        patterns |= {type: _build_relation_pattern(RELATION_KINDS[type]) for type in types}
        self.places = _find_record_ranges(database, patterns)

    def _nodes(self, kind: NodeKind, name: str) -> pl.DataFrame:
        columns = [Column("_id", "id(x)", pl.Int64), *build_node_columns(kind)]
        place = self.places[kind.label]
        wanted = f"WITH collect(x) AS xs RETURN {_build_list_expressions(columns)}"
        if place.count > SINGLE_READ_RECORDS and not place.ranged:
            return pl.concat(self._pages(kind, columns, wanted, name)).sort(kind.key)
        chunks = _build_range_chunks(f"(x:{kind.label})", "", wanted, place)
        parts = _read_chunks_ahead(
            self.database,
            chunks,
            lambda lists: build_chunk_frame(columns, lists),
            self._done(name),
        )
        found = pl.concat([build_chunk_frame(columns, {}), *parts]).sort(kind.key)
        _validate_record_count(found.height, place, f"nodes {kind.label}")
        return found

    def _pages(
        self, kind: NodeKind, columns: Sequence[Column], wanted: str, name: str
    ) -> Iterator[pl.DataFrame]:
        """The nodes of a kind by key, page by page: for stores whose numbers are far apart."""
        statement = (
            f"MATCH (x:{kind.label}) WHERE x.{kind.key} > $after "
            f"WITH x ORDER BY x.{kind.key} LIMIT $size {wanted}"
        )
        after, pages, last = "", -(-self.places[kind.label].count // CHUNK_RECORDS), False
        number = 0
        while not last:
            page = Chunk(statement, {"after": after, "size": CHUNK_RECORDS})
            found = build_chunk_frame(columns, _read_chunk(self.database, page))
            last = found.height < CHUNK_RECORDS
            after, number = (after if last else found[kind.key][-1]), number + 1
            yield found
            self.progress(name, min(number, pages), pages)

    def relations(self, relation: Relation, name: str) -> pl.DataFrame:
        """See `FrameReader`."""
        assert self.ends is not None, "nodes are read first"
        place = self.places[relation.type]
        columns = [
            Column("_start", "id(startNode(x))", pl.Int64),
            Column("_end", "id(endNode(x))", pl.Int64),
            *build_relation_columns(relation),
        ]
        usual = _read_usual_sources(self.database, relation)
        where = _build_unrepeated_condition(relation)
        wanted = f"WITH collect(x) AS xs RETURN {_build_list_expressions(columns)}"
        chunks = _build_range_chunks(
            _build_relation_pattern(relation), where, wanted, place, usual=usual
        )
        if place.count > SINGLE_READ_RECORDS and not place.ranged:
            chunks = self._by_starts(relation, where, wanted, usual)
        ends = self.ends

        def made(lists: ColumnLists) -> pl.DataFrame:
            found = compact_provenance(build_chunk_frame(columns, lists), usual)
            return resolve_ends(found, relation, ends)

        parts = _read_chunks_ahead(self.database, chunks, made, self._done(name))
        found_all = pl.concat([made({}), *parts])
        if not where:
            _validate_record_count(found_all.height, place, f"relations {relation.type}")
        return found_all

    def _by_starts(
        self, relation: Relation, where: str, wanted: str, usual: StoredSources
    ) -> list[Chunk]:
        """The relations by keys of their start nodes, where numbers are far apart."""
        label = relation.start.kinds[0]
        match = (
            f"MATCH (a:{label})-[x:{relation.type}]->() "
            f"WHERE a.{NODE_KINDS[label].key} IN $keys AND {where or 'true'} {wanted}"
        )
        keys, size = self._keys[label], max(CHUNK_RECORDS // 4, 1)
        return [
            Chunk(match, {"keys": keys.slice(at, size).to_list(), "usual": usual})
            for at in range(0, keys.len(), size)
        ]

    def _done(self, name: str) -> ChunkProgress:
        return lambda done, total: self.progress(name, done, total)


def _build_end_index(people: pl.DataFrame, others: Sequence[tuple[pl.DataFrame, str]]) -> Ends:
    keys = [f.select("_id", key=NODE_KINDS[label].key, kind=pl.lit(label)) for f, label in others]
    every = pl.concat(keys)
    return Ends(
        _build_id_index(people["_id"]), _build_id_index(every["_id"]), every["key"], every["kind"]
    )


def _build_id_index(ids: pl.Series) -> np.ndarray[Any, Any]:
    """By internal number, the place in `ids`; -1 = none."""
    largest = ids.max()
    index = np.full((int(largest) if isinstance(largest, int) else -1) + 2, -1, dtype=np.int32)
    index[ids.to_numpy()] = np.arange(ids.len(), dtype=np.int32)
    return index


def _lookup_ids(index: np.ndarray[Any, Any], ids: pl.Series) -> pl.Series:
    numbers = np.minimum(ids.to_numpy(), len(index) - 1)
    places = pl.Series(ids.name, index[numbers], pl.Int32)
    return places.set(places < 0, None)


def resolve_ends(found: pl.DataFrame, relation: Relation, ends: Ends) -> pl.DataFrame:
    """`_start` and `_end` replaced by the columns they stand for, ends first."""
    columns: list[pl.Series] = []
    for end, ids in ((relation.start, found["_start"]), (relation.end, found["_end"])):
        if end.kinds == (_PERSON_LABEL,):
            columns.append(_lookup_ids(ends.people, ids).alias(PERSON_COLUMNS[end.column]))
            continue
        at = _lookup_ids(ends.others, ids)
        columns.append(ends.keys.gather(at).alias(end.column))
        kinds = ends.kinds.gather(at)
        if _PERSON_LABEL in end.kinds:
            people = _lookup_ids(ends.people, ids).alias(PERSON_COLUMNS[_PERSON_KEY])
            kinds = kinds.set(people.is_not_null(), _PERSON_LABEL)
            columns.append(people)
        if len(end.kinds) > 1:
            columns.append(kinds.alias(_build_kind_column_name(end.column)))
    return pl.DataFrame(columns).hstack(found.drop("_start", "_end").get_columns())


def build_empty_relations(relation: Relation) -> pl.DataFrame:
    """No relations of a kind, with the columns of `FrameReader.relations`."""
    return resolve_ends(build_unresolved_relations(relation), relation, _NO_ENDS)


def build_unresolved_relations(relation: Relation) -> pl.DataFrame:
    """No relations of a kind, whose ends are still numbers of nodes."""
    ends = pl.DataFrame(schema={"_start": pl.Int64, "_end": pl.Int64})
    columns = build_chunk_frame(build_relation_columns(relation), {})
    return compact_provenance(ends.hstack(columns), ())


def _build_kind_column_name(column: str) -> str:
    return column.removesuffix("_id") + "_kind"


def _read_usual_sources(database: Database, relation: Relation) -> StoredSources:
    """The sources of one of the relations: most have the same, which then need not travel."""
    pattern = _build_relation_pattern(relation)
    rows = database.read(f"MATCH {pattern} RETURN x.sources AS sources LIMIT 1")
    return (rows[0]["sources"] or []) if rows else []


def compact_provenance(found: pl.DataFrame, usual: StoredSources) -> pl.DataFrame:
    """`row` as file and line, and the usual sources put in where none travelled."""
    file = str(found["row"][0] or "").rpartition(":")[0] if found.height else ""
    digits = found["row"].str.strip_prefix(f"{file}:")
    line = digits.cast(pl.UInt32, strict=False)
    # Text of another form ("a.csv:007", another file) stays unsplit, with no line beside it.
    if line.has_nulls() or digits.str.contains("^[^1-9]").any():
        files, line = _split_files_and_lines(found["row"])
    else:
        files = _build_constant_series(file, found.height)
    joined = SOURCE_SEPARATOR.join(parse_stored_sources(usual))
    return found.drop("row", "stated_by").with_columns(
        files.alias("row_file"),
        line.alias("row_line"),
        _fill_usual_sources(found["stated_by"], joined).alias("stated_by"),
    )


def _split_files_and_lines(rows: pl.Series) -> tuple[pl.Series, pl.Series]:
    files = rows.str.strip_chars_end("0123456789")
    digits = rows.to_frame("row").select(pl.col("row").str.slice(files.str.len_chars()))["row"]
    ordinary = files.str.ends_with(":") & digits.str.contains(r"^[1-9][0-9]{0,8}$")
    apart = pl.DataFrame({"row": rows, "file": files, "line": digits, "ordinary": ordinary})
    parts = apart.select(
        file=pl.when("ordinary").then(pl.col("file").str.head(-1)).otherwise("row"),
        line=pl.when("ordinary").then("line").cast(pl.UInt32),
    )
    return parts["file"].cast(pl.Categorical()), parts["line"]


def _fill_usual_sources(others: pl.Series, usual: str) -> pl.Series:
    if others.null_count() == others.len():
        return _build_constant_series(usual, others.len())
    return others.fill_null(usual).cast(pl.Categorical())


def _build_constant_series(text: str, times: int) -> pl.Series:
    return pl.Series([text], dtype=pl.Categorical()).new_from_index(0, times)


def expand_provenance(frame: pl.LazyFrame) -> pl.LazyFrame:
    """The frame with `row` (file:line) and `sources` (a list) in place of their stored form."""
    file = pl.col("row_file").cast(pl.String)
    return frame.with_columns(
        row=pl.when(pl.col("row_line").is_null())
        .then(file)
        .otherwise(pl.format("{}:{}", file, "row_line")),
        sources=pl.col("stated_by").cast(pl.String).str.split(SOURCE_SEPARATOR),
    ).drop(PROVENANCE_COLUMNS)


# --- by given keys ----------------------------------------------------------------------------


def read_nodes_by_key(database: Database, kind: NodeKind, keys: Sequence[str]) -> pl.DataFrame:
    """The nodes of a kind that have these keys; those that are no more are not among them."""
    columns = build_node_columns(kind)
    statement = (
        f"MATCH (x:{kind.label}) WHERE x.{kind.key} IN $keys "
        f"WITH collect(x) AS xs RETURN {_build_list_expressions(columns)}"
    )
    parts = _read_chunks_ahead(
        database,
        _build_key_chunks(statement, keys),
        lambda lists: build_chunk_frame(columns, lists),
        _ignore_progress,
    )
    return pl.concat([build_chunk_frame(columns, {}), *parts])


def read_all_nodes(database: Database, kind: NodeKind) -> pl.DataFrame:
    """All nodes of a kind of which there are few, sorted by key."""
    columns = build_node_columns(kind)
    asked = Chunk(
        f"MATCH (x:{kind.label}) WITH collect(x) AS xs RETURN {_build_list_expressions(columns)}",
        {},
    )
    return build_chunk_frame(columns, _read_chunk(database, asked)).sort(kind.key)


def read_relations_by_start_key(
    database: Database, relation: Relation, keys: Sequence[str]
) -> pl.DataFrame:
    """The relations of a kind that start at nodes with these keys; ends by their own keys.

    Columns as in `GraphReader.relations`, but a person's end is the person's id, under its own
    name.
    """
    label = relation.start.kinds[0]
    ends = [_build_key_column(relation.start.column, relation.start.kinds, "startNode(x)")]
    ends += _build_end_columns(relation.end)
    columns = [*ends, *build_relation_columns(relation)]
    where = f"AND {_build_unrepeated_condition(relation) or 'true'}"
    statement = (
        f"MATCH (a:{label})-[x:{relation.type}]->() "
        f"WHERE a.{NODE_KINDS[label].key} IN $keys {where} "
        f"WITH collect(x) AS xs RETURN {_build_list_expressions(columns)}"
    )
    usual = _read_usual_sources(database, relation)

    def made(lists: ColumnLists) -> pl.DataFrame:
        return compact_provenance(build_chunk_frame(columns, lists), usual)

    chunks = _build_key_chunks(statement, keys, usual=usual)
    return pl.concat([made({}), *_read_chunks_ahead(database, chunks, made, _ignore_progress)])


def _build_end_columns(end: End) -> list[Column]:
    """The columns of a relation's end: its key, and of several kinds which it is.

    Where people are among other kinds, a person's id has a column of its own.
    """
    places = tuple(kind for kind in end.kinds if kind != _PERSON_LABEL)
    if len(end.kinds) == 1:
        return [_build_key_column(end.column, end.kinds, "endNode(x)")]
    key = _build_key_column(end.column, places, "endNode(x)")
    columns = [key]
    if _PERSON_LABEL in end.kinds:  # a person has the key of an enterprise too
        cypher = f"CASE WHEN endNode(x):{_PERSON_LABEL} THEN null ELSE {key.cypher} END"
        person = Column(_PERSON_KEY, f"endNode(x).{_PERSON_KEY}", pl.String)
        columns = [Column(key.name, cypher, pl.String), person]
    cases = " ".join(f"WHEN endNode(x):{kind} THEN '{kind}'" for kind in end.kinds)
    kind = Column(_build_kind_column_name(end.column), f"CASE {cases} END", pl.String)
    return [*columns, kind]


def _build_key_column(column: str, kinds: Sequence[str], node: str) -> Column:
    keys = ", ".join(f"{node}.{NODE_KINDS[kind].key}" for kind in kinds)
    return Column(column, f"coalesce({keys})" if len(kinds) > 1 else keys, pl.String)


def _build_key_chunks(statement: str, keys: Sequence[str], **more: Any) -> list[Chunk]:
    size = max(CHUNK_RECORDS // 4, 1)
    return [
        Chunk(statement, {"keys": list(keys[at : at + size]), **more})
        for at in range(0, len(keys), size)
    ]


def _ignore_progress(done: int, total: int) -> None:
    """A progress callback for short reads: does nothing."""
