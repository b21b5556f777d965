"""The tables of one revision of the graph: read out of Neo4j once, kept as Parquet beside it.

Neo4j is read in chunks of lists, not a row a relation, by ranges of the start nodes' keys: each
chunk is one seek in the key's index, so that the time grows with the graph and not with its
square. A snapshot is made in a folder of its own and then renamed: an interrupted one is never
seen. Its folder is named after the revision and the loads that led to it, so that a graph that
was put back from a dump, or emptied and filled anew, is never answered from an older one's tables.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from graph.errors import IncompleteError
from graph.model import NODE_KINDS, RELATION_KINDS, NodeKind, Property, Relation, Type
from graph.policy import CHANNELS

if TYPE_CHECKING:
    from graph.database import Database
    from graph.settings import Settings

CHANNEL: Final = pl.Enum(CHANNELS)
# Raised when the frames change, so that snapshots of an older form are not read as this one.
FORMAT: Final = 1
# Start nodes a chunk; one chunk's lists must fit in the memory Neo4j gives a transaction.
CHUNK: Final = 10_000
CHUNK_SECONDS: Final = 300.0
KEPT_REVISIONS: Final = 2
# A folder of an interrupted snapshot is swept once it is surely nobody's.
ABANDONED_SECONDS: Final = 6 * 3600
MANIFEST: Final = "snapshot.json"

# frame: the node kind it holds, a row a node
NODE_FRAMES: Final = {
    "people": "Person",
    "studios": "Studio",
    "enterprises": "Enterprise",
    "schools": "School",
    "competitions": "Competition",
    "occupations": "Occupation",
    "provinces": "Province",
    "goals": "Goal",
}
# frame: the relation it holds, a row a relation
RELATION_FRAMES: Final = {
    "talents": "NAMED",
    "mentorships": "MENTORS",
    "leads": "LEADS",
    "trainings": "TRAINED_AT",
    "recognitions": "RECOGNISED",
    "honours": "HONOURED",
    "placings": "PLACED_IN",
    "employments": "EMPLOYED_BY",
    "teaching": "TEACHES_AT",
    "partnerships": "PARTNERS_WITH",
}
# Columns of person ids, and the column of row numbers each becomes.
PERSON_COLUMNS: Final = {
    "person_id": "person",
    "mentor_id": "mentor",
    "apprentice_id": "apprentice",
}
DTYPES: Final[Mapping[Type, Any]] = {
    Type.STRING: pl.String,
    Type.DATE: pl.Date,
    Type.INTEGER: pl.Int64,
    Type.FLOAT: pl.Float64,
    Type.BOOLEAN: pl.Boolean,
    Type.LEVEL: pl.Int8,
    Type.PROVINCE: pl.String,
}

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Snapshot:
    """The graph's tables at one revision; `folder` is None when they stand in memory alone.

    `frames` holds them by name, lazily:

    - people: person (its row number, by which all other frames name people), person_id, the
      properties of the model, level (the best so far, 0 = none), leading, target
    - talents: person, basis, recognised_on, industry, grade; a row each time one was named
    - edges: mentor, apprentice, start, channel (see `influence_edges`)
    - promotions: person, day, level, before (see `promotions`)
    - mentorships, leads, trainings, recognitions, honours, placings, employments, teaching,
      partnerships: the relations with their properties, row and sources
    - studios, enterprises, schools, competitions, occupations, provinces, goals: the nodes
    """

    revision: int
    folder: Path | None
    frames: Mapping[str, pl.LazyFrame]


def take_snapshot(
    database: Database, settings: Settings, *, progress: Progress = lambda what, done, total: None
) -> Snapshot:
    """The snapshot of the graph as it stands: the kept one, or one read out now.

    `progress` is told the frame, the chunks done and the chunks in all. Raises `IncompleteError`
    when nothing is loaded, when a load did not finish, or when a load came in between.
    """
    standing = _standing(database)
    kept = _folder_of(database, settings)
    folder = kept / f"{standing.revision:06d}-{_digest(FORMAT, standing.loads)}"
    if not (folder / MANIFEST).exists():
        _read_out(database, folder, standing, progress)
        _sweep(kept)
    return open_snapshot(folder)


def open_snapshot(folder: Path) -> Snapshot:
    """The snapshot kept in the folder; its Parquet files are read as they are asked for."""
    manifest = json.loads((folder / MANIFEST).read_text())
    frames = {name: pl.scan_parquet(folder / f"{name}.parquet") for name in manifest["rows"]}
    return Snapshot(manifest["revision"], folder, frames)


@dataclass(frozen=True)
class Standing:
    """Where the graph stands: its revision, and the loads that led to it."""

    revision: int
    loads: tuple[str, ...]


def _standing(database: Database) -> Standing:
    loads = database.read(
        "MATCH (l:Load) RETURN l.load_id AS load_id, l.revision AS revision, "
        "l.finished_at AS finished_at ORDER BY load_id"
    )
    for load in loads:
        if load["finished_at"] is None:
            raise IncompleteError(
                f"The load {load['load_id']} did not finish, so no figure can be shown to be "
                "true; load the same files again."
            )
    if not loads:
        raise IncompleteError(
            "Nothing is loaded yet; load an exchange folder with `shicheng load folder PATH`, or "
            "make one with `shicheng generate`."
        )
    named = tuple(f"{load['load_id']} {load['finished_at']}" for load in loads)
    return Standing(max(int(load["revision"]) for load in loads), named)


def _folder_of(database: Database, settings: Settings) -> Path:
    """Where this database's snapshots are. The embedded server's port is another each time."""
    uri = "embedded" if database.embedded else database.uri
    return settings.home / "snapshots" / _digest(uri, database.name)


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _read_out(database: Database, folder: Path, standing: Standing, progress: Progress) -> None:
    """Make the folder, whole or not at all."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = folder.parent / f".making-{uuid.uuid4().hex}"
    making.mkdir(mode=0o700)
    try:
        rows = _write_frames(database, making, progress)
        if _standing(database) != standing:
            raise IncompleteError(
                "A load came in while the graph was being read, so the tables would mix two "
                "revisions; ask again when the load has finished."
            )
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = {"revision": standing.revision, "made_at": made_at, "rows": rows}
        (making / MANIFEST).write_text(json.dumps(manifest, indent=1))
        try:
            making.rename(folder)
        except OSError:
            # Another process made the same one meanwhile; either is as good.
            if not (folder / MANIFEST).exists():
                raise
    finally:
        shutil.rmtree(making, ignore_errors=True)


def _write_frames(database: Database, folder: Path, progress: Progress) -> dict[str, int]:
    """Write every frame as Parquet; its rows by name."""
    rows: dict[str, int] = {}

    def write(name: str, frame: pl.DataFrame) -> None:
        rows[name] = frame.height
        frame.write_parquet(folder / f"{name}.parquet")

    def written(name: str) -> pl.LazyFrame:
        return pl.scan_parquet(folder / f"{name}.parquet")

    nodes, bounds = _all_nodes(database, progress)
    row_number = pl.int_range(pl.len(), dtype=pl.Int32).alias("person")
    people = nodes.pop("people").select(row_number, pl.all())
    for name, frame in nodes.items():
        write(name, frame)
    numbers = people.select("person_id", "person")
    for name, found in _all_relations(database, bounds, progress):
        write(name, _numbered(found, numbers))
    edges = influence_edges(
        written("mentorships"), written("leads"), studio_trainings(written("trainings"))
    )
    write("edges", edges.sort("mentor", "apprentice", "start", "channel").collect())
    write("promotions", promotions(written("recognitions")).collect())
    best = written("recognitions").group_by("person").agg(pl.col("level").max())
    levelled = people.lazy().join(best, on="person", how="left", maintain_order="left")
    write("people", levelled.with_columns(pl.col("level").fill_null(0)).collect())
    return rows


def _sweep(kept: Path) -> None:
    """Keep the newest revisions; drop the rest, and what interrupted snapshots left behind."""
    made = sorted(kept.glob(f"*/{MANIFEST}"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in made[KEPT_REVISIONS:]:
        shutil.rmtree(file.parent, ignore_errors=True)
    for folder in kept.glob(".making-*"):
        if time.time() - os.path.getmtime(folder) > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


# --- reading in chunks ------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """A column of a frame: its name, the Cypher that gives it for `x`, and its polars type."""

    name: str
    cypher: str
    dtype: Any


def _column(prop: Property) -> Column:
    # A date travels as text: many times quicker to unpack than Neo4j's own struct of a date.
    dated = prop.type is Type.DATE
    return Column(
        prop.name, f"toString(x.{prop.stored})" if dated else f"x.{prop.stored}", DTYPES[prop.type]
    )


# Between the sources of a relation on their way here: one text unpacks sooner than a list.
APART: Final = "\x1f"
PROVENANCE_COLUMNS: Final = (
    Column("row", "x.row", pl.String),
    Column(
        "sources",
        "reduce(all = head(x.sources), s IN tail(x.sources) | all + $apart + s)",
        pl.List(pl.String),
    ),
)


def _node_columns(kind: NodeKind) -> list[Column]:
    columns = [_column(p) for p in kind.properties if p.type is not Type.ID_NUMBER]
    if kind.label == "Person":
        columns += [
            Column("leading", "x:LeadingTalent", pl.Boolean),
            Column("target", "x:TrainingTarget", pl.Boolean),
        ]
    return columns


def _relation_columns(relation: Relation) -> list[Column]:
    start, end = relation.start, relation.end
    start_key = NODE_KINDS[start.kinds[0]].key
    end_keys = ", ".join(f"endNode(x).{NODE_KINDS[label].key}" for label in end.kinds)
    columns = [
        Column(start.column, f"startNode(x).{start_key}", pl.String),
        Column(end.column, f"coalesce({end_keys})", pl.String),
    ]
    if len(end.kinds) > 1:
        cases = " ".join(f"WHEN endNode(x):{label} THEN '{label}'" for label in end.kinds)
        name = end.column.removesuffix("_id") + "_kind"
        columns.append(Column(name, f"CASE {cases} END", pl.String))
    ends = {start.column, end.column}
    columns += [_column(p) for p in relation.properties if p.name not in ends]
    return [*columns, *PROVENANCE_COLUMNS]


def _lists(columns: Sequence[Column]) -> str:
    """One list a column. A comprehension keeps the nulls that collect() would drop."""
    return ", ".join(f"[x IN xs | {column.cypher}] AS `{column.name}`" for column in columns)


def _all_nodes(
    database: Database, progress: Progress
) -> tuple[dict[str, pl.DataFrame], dict[str, list[str]]]:
    """The nodes by frame, and by label the last key of each chunk (the first is "")."""
    counts = _counts(database, {label: f"(x:{label})" for label in NODE_FRAMES.values()})
    nodes, bounds = {}, {}
    for name, label in NODE_FRAMES.items():
        chunks = -(-counts[label] // CHUNK)

        def done(chunk: int, name: str = name, chunks: int = chunks) -> None:
            progress(name, chunk, chunks)

        nodes[name], bounds[label] = _read_nodes(database, NODE_KINDS[label], done)
    return nodes, bounds


def _all_relations(
    database: Database, bounds: Mapping[str, Sequence[str]], progress: Progress
) -> Iterator[tuple[str, pl.DataFrame]]:
    """Each relation's frame with its rows; those that the graph has none of are not asked for."""
    counts = _counts(database, {type: f"()-[x:{type}]->()" for type in RELATION_FRAMES.values()})
    for name, type in RELATION_FRAMES.items():
        relation = RELATION_KINDS[type]
        ends = bounds[relation.start.kinds[0]] if counts[type] else [""]

        def done(chunk: int, name: str = name, chunks: int = len(ends) - 1) -> None:
            progress(name, chunk, chunks)

        yield name, _read_relations(database, relation, ends, done)


def _counts(database: Database, patterns: Mapping[str, str]) -> dict[str, int]:
    each = (
        f"MATCH {pattern} WITH count(x) AS n RETURN '{name}' AS name, n"
        for name, pattern in patterns.items()
    )
    rows = database.read(" UNION ALL ".join(each), seconds=CHUNK_SECONDS)
    return {row["name"]: row["n"] for row in rows}


def _read_nodes(
    database: Database, kind: NodeKind, done: Callable[[int], None]
) -> tuple[pl.DataFrame, list[str]]:
    """All nodes of a kind by key, and the last key of each chunk."""
    columns = _node_columns(kind)
    statement = (
        f"MATCH (x:{kind.label}) WHERE x.{kind.key} > $after "
        f"WITH x ORDER BY x.{kind.key} LIMIT $size WITH collect(x) AS xs RETURN {_lists(columns)}"
    )
    chunks, bounds = [_frame(columns, {})], [""]
    while True:
        found = _chunk(database, statement, after=bounds[-1], size=CHUNK)
        if keys := found[kind.key]:
            chunks.append(_frame(columns, found))
            bounds.append(keys[-1])
            done(len(bounds) - 1)
        if len(keys) < CHUNK:
            return pl.concat(chunks), bounds


def _read_relations(
    database: Database, relation: Relation, bounds: Sequence[str], done: Callable[[int], None]
) -> pl.DataFrame:
    """All relations of a kind, in chunks of their start nodes: those between two bounds."""
    label = relation.start.kinds[0]
    key = NODE_KINDS[label].key
    columns = _relation_columns(relation)
    statement = (
        f"MATCH (a:{label})-[x:{relation.type}]->() WHERE a.{key} > $after AND a.{key} <= $last "
        f"WITH collect(x) AS xs RETURN {_lists(columns)}"
    )
    chunks = [_frame(columns, {})]
    for number, (after, last) in enumerate(pairwise(bounds), start=1):
        chunks.append(_frame(columns, _chunk(database, statement, after=after, last=last)))
        done(number)
    return pl.concat(chunks)


def _chunk(database: Database, statement: str, **parameters: Any) -> dict[str, list[Any]]:
    """The one record of the statement: a list a column."""

    def work(tx: Any) -> dict[str, list[Any]]:
        return dict(tx.run(statement, parameters, apart=APART).single(strict=True))

    return database.read_with(work, seconds=CHUNK_SECONDS)


def _frame(columns: Sequence[Column], lists: Mapping[str, Sequence[Any]]) -> pl.DataFrame:
    return pl.DataFrame([_series(column, lists.get(column.name, [])) for column in columns])


def _series(column: Column, values: Sequence[Any]) -> pl.Series:
    if column.dtype == pl.Date:
        return pl.Series(column.name, values, pl.String).str.to_date("%Y-%m-%d")
    if column.dtype == pl.List(pl.String):
        return pl.Series(column.name, values, pl.String).str.split(APART)
    return pl.Series(column.name, values, column.dtype)


def _numbered(found: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """The people's ids replaced by their row numbers."""
    for column, number in PERSON_COLUMNS.items():
        if column in found.columns:
            named = numbers.rename({"person_id": column, "person": number})
            found = found.join(named, on=column, how="left", maintain_order="left")
            found = found.select(number, pl.exclude(number, column))
    return found


# --- what the metrics stand on ----------------------------------------------------------------


def influence_edges(
    mentorships: pl.LazyFrame, leads: pl.LazyFrame, trainings: pl.LazyFrame
) -> pl.LazyFrame:
    """The edges along which skill passes on: mentor, apprentice, start, channel.

    A mentorship starts with its row. A studio's edge goes from one who leads it to one who trains
    there while the periods overlap (an empty end is open, both ends count), and starts with the
    later of the two. A start that is not known is open for the overlap, and the edge is undated.
    Nobody has an edge to himself.

    Takes mentorships (mentor, apprentice, start), leads and trainings (person, studio_id, start,
    end).
    """
    taught = mentorships.select("mentor", "apprentice", "start", channel=pl.lit("mentorship"))
    trained = studio_ties(leads, trainings).select(
        "mentor", "apprentice", "start", channel=pl.lit("studio")
    )
    return (
        pl.concat([taught, trained])
        .filter(pl.col("mentor") != pl.col("apprentice"))
        .with_columns(pl.col("channel").cast(CHANNEL))
        .unique()
    )


def studio_ties(leads: pl.LazyFrame, trainings: pl.LazyFrame) -> pl.LazyFrame:
    """Who led a studio while who trained there: mentor, apprentice, studio_id, start, end.

    A row for each two periods that overlap, `start` and `end` the overlap's; see
    `influence_edges`. One who both leads and trains is here with himself.
    """
    together = leads.join(trainings, on="studio_id", suffix="_trained")
    later = pl.max_horizontal("start", "start_trained")
    earlier_end = pl.min_horizontal("end", "end_trained")
    dated = pl.col("start").is_not_null() & pl.col("start_trained").is_not_null()
    return together.filter((later <= earlier_end).fill_null(True)).select(
        "studio_id",
        mentor="person",
        apprentice="person_trained",
        start=pl.when(dated).then(later),
        end=earlier_end,
    )


def studio_trainings(trainings: pl.LazyFrame) -> pl.LazyFrame:
    """The trainings at studios, `studio_id` in place of the place."""
    return trainings.filter(pl.col("place_kind") == "Studio").rename({"place_id": "studio_id"})


def promotions(recognitions: pl.LazyFrame) -> pl.LazyFrame:
    """The days on which a person's best level rises: person, day, level, before (0 = none).

    Several recognitions on one day count once, at the highest. Takes person, level, date.
    """
    best_of_day = (
        recognitions.group_by("person", day="date").agg(pl.col("level").max()).sort("person", "day")
    )
    # Levels have one digit: with the person's number before it, a running maximum over the whole
    # sorted table is each person's best level so far, with no grouping.
    person = pl.col("person").cast(pl.Int64)
    running = (person * 10 + pl.col("level")).cum_max()
    same_person = person == person.shift(1)
    before = pl.when(same_person).then(running.shift(1) - person * 10).otherwise(0)
    return (
        best_of_day.with_columns(before=before.cast(pl.Int8), level=pl.col("level").cast(pl.Int8))
        .filter(pl.col("level") > pl.col("before"))
        .select("person", "day", "level", "before")
    )
