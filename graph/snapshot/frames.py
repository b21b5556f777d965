"""The tables of a snapshot: their names, their files, and how they are read."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import polars as pl

from graph.dates import first_days
from graph.model.kinds import NODE_KINDS, RELATION_KINDS
from graph.policy import Policy
from graph.snapshot.edges import build_edge_table
from graph.snapshot.reader import (
    PROVENANCE_COLUMNS,
    STATED_COLUMN,
    STATED_ROW,
    build_chunk_frame,
    build_empty_relations,
    build_node_columns,
    expand_provenance,
)
from graph.store.standing import GraphState

# Raised when the frames change, so that snapshots of an older form are not read as this one.
SNAPSHOT_VERSION: Final = 12
# Older forms that can still be opened: what they lack is empty (`_fill_older_frames`).
READABLE_VERSIONS: Final = (SNAPSHOT_VERSION, 11, 10, 9, 8)
SNAPSHOT_MANIFEST_NAME: Final = "snapshot.json"

# frame: the node kind it holds, a row a node
NODE_FRAMES: Final = {
    "people": "Person",
    "studios": "Studio",
    "enterprises": "Enterprise",
    "schools": "School",
    "competitions": "Competition",
    "projects": "Project",
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
    "aliases": "IDENTIFIES",
    "enterprise_aliases": "DENOTES",
    "school_aliases": "DENOTES_SCHOOL",
    "studio_aliases": "DENOTES_STUDIO",
    "practices": "PRACTISES",
    "demand": "DEMANDED_IN",
    "participations": "WORKED_ON",
    "achievements": "ACHIEVED",
    "subsidies": "PAID_TO",
}

# The relations by which skill passes on, and by `Policy.year_alone` the table of its edges.
LINK_FRAMES: Final = ("mentorships", "leads", "trainings")
EDGES: Final = {"last": "edges", "first": "edges_first"}


@dataclass(frozen=True)
class Snapshot:
    """The graph's tables at one revision; `folder` is None when they stand in memory alone.

    `frames` holds them by name, lazily:

    - people: person (its row number, by which all other frames name people), person_id, the
      properties of the model, level (the best so far, 0 = none), leading, target
    - talents: person, basis, recognised_on, industry, grade; a row each time one was named
    - edges: mentor, apprentice, start, channel (see `build_influence_edges`); and edges_first, the
    same
      where a link of which the year alone is known begins on the first day of that year
    - promotions: person, day, level, before, day_precision (see `compute_promotions`)
    - mentorships, leads, trainings, recognitions, honours, placings, employments, teaching,
      partnerships, practices, demand, participations, achievements, subsidies: the relations with
      their properties, row and sources. A subsidy has its recipient as person, or else as
      recipient_id and recipient_kind. Of
      employments and practices, those with a row of their own; whom somebody works for now is
      `enterprise_id` of people too, and what somebody practises `occupation_code`
    - aliases: alias_id, person, basis, probability; the ids that departments gave a person whom
      another id stands for, and why (`IDENTITY_BASES`); enterprise_aliases,
      school_aliases, studio_aliases: alias_id, enterprise_id (or school_id, studio_id), basis
    - studios, enterprises, schools, competitions, projects, occupations, provinces, goals: the
      nodes

    What each of several sources states of a record is read by `scan_statements` alone.

    `standing` is where the graph stood when it was asked for: whether a load is under way since.

    Row numbers of people stay from a snapshot to one that was made from it; after a full read
    they are new, in the order of the ids.
    """

    revision: int
    folder: Path | None
    frames: Mapping[str, pl.LazyFrame]
    standing: GraphState | None = None
    year_alone: str = "last"

    def under(self, policy: Policy) -> Snapshot:
        """This snapshot with the starts of links, and its edges, as the policy takes them."""
        if policy.year_alone == self.year_alone:
            return self
        assert self.year_alone == "last", "a snapshot under a policy is not that of another"
        begun = {name: first_days(self.frames[name]) for name in LINK_FRAMES if name in self.frames}
        edges = self.frames.get(EDGES[policy.year_alone])
        if edges is None:
            edges = self.frames["edges"]
            if len(begun) == len(LINK_FRAMES):
                edges = build_edge_table(begun)
        frames = {**self.frames, **begun, "edges": edges}
        return replace(self, frames=frames, year_alone=policy.year_alone)


@dataclass
class Manifest:
    """What a snapshot's folder says of itself.

    `rows` by frame; `layered` frames stand in several files (see `layered`); `previous` is the
    folder of the snapshot it was made from, None when it was read in full, and `changed` then how
    many rows of edges, promotions and talents came and went.
    """

    revision: int
    loads: Sequence[str]
    rows: dict[str, int]
    layered: Sequence[str] = ()
    made_at: str = ""
    previous: str | None = None
    changed: Mapping[str, int] | None = None
    format: int | str = SNAPSHOT_VERSION

    @classmethod
    def of(cls, folder: Path) -> Manifest:
        """That of a snapshot's folder."""
        stated = json.loads((folder / SNAPSHOT_MANIFEST_NAME).read_text())
        return cls(**{"loads": (), "format": 0} | stated)

    def write(self, folder: Path) -> None:
        """Put it in the folder."""
        (folder / SNAPSHOT_MANIFEST_NAME).write_text(json.dumps(asdict(self), indent=1))


def open_snapshot(folder: Path) -> Snapshot:
    """The snapshot stored in the folder; its Parquet files are read as they are asked for."""
    manifest = Manifest.of(folder)
    frames = {name: scan_snapshot_frame(folder, name, manifest.layered) for name in manifest.rows}
    if manifest.format != SNAPSHOT_VERSION:
        frames = _fill_older_frames(frames)
    return Snapshot(manifest.revision, folder, frames)


def _fill_older_frames(frames: Mapping[str, pl.LazyFrame]) -> dict[str, pl.LazyFrame]:
    """The frames of an older form, with the tables and columns of this one, all of them empty."""
    filled = dict(frames)
    for name, label in NODE_FRAMES.items():
        empty = build_chunk_frame(build_node_columns(NODE_KINDS[label]), {})
        filled[name] = _fill_older_frame(frames.get(name), empty.lazy())
    for name, type in RELATION_FRAMES.items():
        empty = build_empty_relations(RELATION_KINDS[type])
        filled[name] = _fill_older_frame(frames.get(name), expand_provenance(empty.lazy()))
    return filled


def _fill_older_frame(frame: pl.LazyFrame | None, empty: pl.LazyFrame) -> pl.LazyFrame:
    empty = empty.drop(STATED_COLUMN, STATED_ROW, strict=False)
    if frame is None:
        return empty
    known = set(frame.collect_schema().names())
    missing = [(n, dtype) for n, dtype in empty.collect_schema().items() if n not in known]
    return frame.with_columns(pl.lit(None, dtype).alias(name) for name, dtype in missing)


def scan_snapshot_frame(folder: Path, name: str, layered: Sequence[str] = ()) -> pl.LazyFrame:
    """One frame of a snapshot's folder, with row and sources as its readers know them."""
    return _scan_frame_with_statements(folder, name, layered).drop(
        STATED_COLUMN, STATED_ROW, strict=False
    )


def scan_statements(snapshot: Snapshot, name: str) -> pl.LazyFrame:
    """A frame with `stated` besides: what each of several sources states
    (`graph.store.statements`).

    It holds people's own values, so that no other frame has it; null in a snapshot in memory. Of
    nodes that several sources state, `stated_row` is the row of the source believed first.
    """
    frame = snapshot.frames[name]
    if snapshot.folder is not None and (snapshot.folder / SNAPSHOT_MANIFEST_NAME).exists():
        frame = _scan_frame_with_statements(
            snapshot.folder, name, Manifest.of(snapshot.folder).layered
        )
        if snapshot.year_alone == "first" and name in LINK_FRAMES:
            frame = first_days(frame)
    if STATED_COLUMN in frame.collect_schema().names():
        return frame
    return frame.with_columns(pl.lit(None, pl.String).alias(n) for n in (STATED_COLUMN, STATED_ROW))


def _scan_frame_with_statements(folder: Path, name: str, layered: Sequence[str]) -> pl.LazyFrame:
    stored = scan_stored_frame(folder, name, layered)
    compact = set(PROVENANCE_COLUMNS) <= set(stored.collect_schema().names())
    return expand_provenance(stored) if compact else stored


def scan_stored_frame(folder: Path, name: str, layered: Sequence[str] = ()) -> pl.LazyFrame:
    """One frame as it is stored.

    A layered one stands in three files: NAME.parquet, of which the rows whose first column is in
    NAME.gone.parquet no longer hold, and NAME.more.parquet.
    """
    base = pl.scan_parquet(folder / f"{name}.parquet")
    if name not in layered:
        return base
    gone = pl.read_parquet(folder / f"{name}.gone.parquet").to_series()
    standing = base.filter(~pl.col(gone.name).is_in(gone.implode()))
    return pl.concat([standing, pl.scan_parquet(folder / f"{name}.more.parquet")])


def write_snapshot_frame(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """One file of a snapshot. LZ4: reading is as quick as it gets, the files half as small."""
    frame.write_parquet(folder / f"{name}.parquet", compression="lz4")


def hard_link_file(base: Path, folder: Path, file: str, name: str | None = None) -> None:
    """The same file under a second name in the folder; copied where links cannot be made."""
    try:
        os.link(base / file, folder / (name or file))
    except OSError:
        shutil.copyfile(base / file, folder / (name or file))
