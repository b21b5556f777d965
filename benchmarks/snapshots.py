"""Snapshots for benchmarks: straight from a clean exchange folder, or one grown to many times it.

    python -m benchmarks.snapshots EXCHANGE_FOLDER SNAPSHOT_FOLDER [TIMES]

The rows are those of `shicheng generate --parquet`: nothing is checked, no database is between.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable
from pathlib import Path

import polars as pl

from graph.dates import PRECISION
from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from graph.model.schema_types import Property
from graph.snapshot.edges import build_influence_edges, compute_promotions, filter_studio_trainings
from graph.snapshot.frames import NODE_FRAMES, RELATION_FRAMES, hard_link_file, write_snapshot_frame
from graph.snapshot.reader import (
    COLUMN_DTYPES,
    PERSON_COLUMNS,
    STATED_COLUMN,
    STATED_ROW,
    build_chunk_frame,
    build_empty_relations,
    build_node_columns,
)

PERSONS = tuple(dict.fromkeys(["person", *PERSON_COLUMNS.values()]))
NOT_KEPT = ("id_number", "source", "updated_on")


def write_snapshot(source: Path, folder: Path, times: int = 1) -> None:
    """Write the snapshot of the exchange folder, `times` over: each copy with people of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: dict[str, int] = {}

    def write(name: str, frame: pl.LazyFrame) -> None:
        copies = [_copy_people(frame, number, people) for number in range(times)]
        pl.concat(copies).sink_parquet(folder / f"{name}.parquet")
        rows[name] = pl.scan_parquet(folder / f"{name}.parquet").select(pl.len()).collect().item()

    table_of = {name: NODE_KINDS[label] for name, label in NODE_FRAMES.items()}
    nodes = {
        name: _read_table(source, kind.table, kind.properties) for name, kind in table_of.items()
    }
    known = nodes["people"].sort("person_id").with_row_index("person").collect()
    people = known.height
    numbers = known.select("person_id", pl.col("person").cast(pl.Int32))
    relations = {}
    for name, type in RELATION_FRAMES.items():
        relation = RELATION_KINDS[type]
        if relation.table is None:  # further ids: the generator's people have none
            continue
        found = _read_table(source, relation.table, relation.properties)
        place = pl.format(f"{relation.table}.parquet:{{}}", pl.int_range(pl.len()) + 2)
        found = found.with_columns(row=place, sources=pl.concat_list(pl.lit("synthetic")))
        relations[name] = _number_people(found, numbers)
    relations["trainings"] = _with_place_kind(relations["trainings"], nodes)
    levels = relations["recognitions"].group_by("person").agg(pl.col("level").max())
    leading = relations["talents"].collect()["person"].unique()
    nodes["people"] = (
        known.lazy()
        .with_columns(pl.col("person").cast(pl.Int32))
        .with_columns(leading=pl.col("person").is_in(leading.implode()), target=pl.lit(False))
        .join(levels, on="person", how="left", maintain_order="left")
        .with_columns(pl.col("level").fill_null(0).cast(pl.Int8))
    )
    goal = pl.concat_str("scope", pl.col("year").cast(pl.String), separator="|")
    nodes["goals"] = nodes["goals"].with_columns(goal_id=goal)
    empty = _build_empty_frames()
    for name, frame in {**nodes, **relations}.items():
        if times == 1 or name in ("people", "talents", "enterprises"):
            write(name, _add_stored_columns(frame, empty[name]))
    edges = build_influence_edges(
        relations["mentorships"],
        relations["leads"],
        filter_studio_trainings(relations["trainings"]),
    )
    write("edges", edges.sort("mentor", "apprentice", "start", "channel"))
    write("promotions", compute_promotions(relations["recognitions"]))
    rows |= write_missing_frames(folder, rows)
    manifest = {"revision": 1, "made_at": "2026-01-01T00:00:00+00:00", "rows": rows}
    (folder / "snapshot.json").write_text(json.dumps(manifest))


def write_missing_frames(folder: Path, known: Collection[str]) -> dict[str, int]:
    """Writes the frames that are not among the known ones, empty, and edges_first, which is the
    same file as edges; gives the rows of each.
    """
    missing = {n: frame for n, frame in _build_empty_frames().items() if n not in known}
    for name, frame in missing.items():
        write_snapshot_frame(folder, name, frame)
    hard_link_file(folder, folder, "edges.parquet", "edges_first.parquet")
    edges = pl.scan_parquet(folder / "edges.parquet").select(pl.len()).collect().item()
    return dict.fromkeys(missing, 0) | {"edges_first": edges}


def _build_empty_frames() -> dict[str, pl.DataFrame]:
    return {
        name: build_chunk_frame(build_node_columns(NODE_KINDS[label]), {})
        for name, label in NODE_FRAMES.items()
    } | {name: build_empty_relations(RELATION_KINDS[t]) for name, t in RELATION_FRAMES.items()}


def _add_stored_columns(frame: pl.LazyFrame, empty: pl.DataFrame) -> pl.LazyFrame:
    """The frame with the columns that a stored one has beside the generator's, empty: its dates
    are days, and of no record several sources state anything.
    """
    known = set(frame.collect_schema().names())
    return frame.with_columns(
        pl.lit(None, dtype).alias(name)
        for name, dtype in empty.schema.items()
        if name not in known and (name.endswith(PRECISION) or name in (STATED_COLUMN, STATED_ROW))
    )


def _read_table(source: Path, table: str | None, properties: Iterable[Property]) -> pl.LazyFrame:
    frame = pl.scan_parquet(source / f"{table}.parquet")
    schema = frame.collect_schema()
    typed = []
    for declared in properties:
        dtype = COLUMN_DTYPES.get(declared.type)
        if dtype is None or declared.name not in schema:
            continue
        column = pl.col(declared.name)
        text = schema[declared.name] == pl.String
        if dtype == pl.Date and text:
            column = column.str.to_date("%Y-%m-%d")
        elif dtype == pl.Boolean and text:
            column = column.is_in(["true", "是", "1"])
        typed.append(column.cast(dtype))
    stored = frame.with_columns(typed)
    return stored.drop(name for name in NOT_KEPT if name in schema)


def _number_people(frame: pl.LazyFrame, numbers: pl.DataFrame) -> pl.LazyFrame:
    for column, number in PERSON_COLUMNS.items():
        if column in frame.collect_schema():
            named = numbers.lazy().rename({"person_id": column, "person": number})
            frame = frame.join(named, on=column, how="left", maintain_order="left").drop(column)
    return frame


def _with_place_kind(trainings: pl.LazyFrame, nodes: dict[str, pl.LazyFrame]) -> pl.LazyFrame:
    studios, schools = (
        nodes[name].select(key).collect()[key].implode()
        for name, key in (("studios", "studio_id"), ("schools", "school_id"))
    )
    place = pl.col("place_id")
    kind = (
        pl.when(place.is_in(studios))
        .then(pl.lit("Studio"))
        .when(place.is_in(schools))
        .then(pl.lit("School"))
        .otherwise(pl.lit("Enterprise"))
    )
    return trainings.with_columns(place_kind=kind)


def _copy_people(frame: pl.LazyFrame, number: int, people: int) -> pl.LazyFrame:
    """The frame with other people, none of them of another copy."""
    if number == 0:
        return frame
    names = frame.collect_schema().names()
    shifted = [pl.col(name) + number * people for name in PERSONS if name in names]
    ids = [pl.col("person_id") + f"-{number}"] if "person_id" in names else []
    return frame.with_columns(*shifted, *ids)


if __name__ == "__main__":
    given = sys.argv[1:]
    write_snapshot(Path(given[0]), Path(given[1]), int(given[2]) if len(given) > 2 else 1)
