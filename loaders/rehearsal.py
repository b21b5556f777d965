"""What a load would do to the headline, before anything is written.

A load into an empty store is turned into the tables of a snapshot, as a first load is. Any other is
written by the same code into one transaction of Neo4j, which is rolled back once the tables of the
revision that it would make have been read out of it. Both are counted by the engine of all figures.
The tables stand in the load's own folder and go with it: no snapshot and no result is cached.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from graph.driven.figures import measure_driven
from graph.driven.results import has_cached_driven, load_cached_driven, load_driven
from graph.errors import DatabaseError
from graph.messages import Message
from graph.policy import Policy
from graph.progress import Progress
from graph.server.database import Database
from graph.snapshot.frames import Manifest, Snapshot, open_snapshot
from graph.snapshot.initial import InitialRecords
from graph.snapshot.take import find_cached_snapshot, read_snapshot_frames, write_snapshot_frames
from graph.store.bulk_import import BulkImport
from graph.store.merge import Writer
from graph.store.standing import GraphState, is_store_empty, read_graph_state
from graph.store.statements import parse_source_rank
from loaders.erasure.erasure_order import read_erasure_order
from loaders.load_nodes import create_load_node
from loaders.records import (
    IdentityMerges,
    build_row_counter,
    write_load_records,
    write_staged_tables,
)
from loaders.reports import HeadlineChange, LoadReport
from loaders.staging import StagedTable

# The step that `progress` receives while the load is tried out.
REHEARSAL_STEP: Final = "try out"
_BROKEN_OFF: Final = Message(
    "An earlier load, undoing or erasure has not finished, and the next load begins by putting "
    "that right: what this one does to the headline is known once it is loaded."
)
_TOO_LARGE: Final = Message(
    "The load could not be tried out: {reason} What it does to the headline is known once it is "
    "loaded."
)


@dataclass(frozen=True)
class RehearsedLoad:
    """What a load would write. `replaced`: the sources of which the files state all there is."""

    report: LoadReport
    tables: Sequence[StagedTable]
    merges: IdentityMerges
    replaced: Sequence[str] = ()


def measure_headline_change(
    database: Database, load: RehearsedLoad, folder: Path, policy: Policy, progress: Progress
) -> HeadlineChange:
    """The national figures as they are and as the load would make them, under the policy.

    `folder` is the load's own. Where the second cannot be known, it is said why.
    """
    if is_store_empty(database):
        after = _build_first_snapshot(load, folder / "rehearsal", database, progress)
        return HeadlineChange(None, load_driven(after, policy).national)
    if _has_unfinished_load(database):
        return HeadlineChange(unknown=_BROKEN_OFF)
    standing = read_graph_state(database)
    base = _open_base_snapshot(database, standing, folder / "base", progress)
    before = _measure_base(base, policy)
    try:
        after = _read_rehearsed_snapshot(
            database, load, base, standing, folder / "rehearsal", progress
        )
    except DatabaseError as error:
        return HeadlineChange(before, unknown=_TOO_LARGE.with_values(reason=error.message))
    return HeadlineChange(before, load_driven(after, policy).national)


def _has_unfinished_load(database: Database) -> bool:
    """Whether the next load puts something right first, or nothing here came by a load."""
    (found,) = database.read(
        "MATCH (l:Load) RETURN count(l) AS loads, count(l.finished_at) AS finished"
    )
    unfinished = found["loads"] != found["finished"] or not found["loads"]
    return unfinished or read_erasure_order(database.settings.home) is not None


def _open_base_snapshot(
    database: Database, standing: GraphState, folder: Path, progress: Progress
) -> Snapshot:
    """The tables of the revision that stands: the cached ones, else read into `folder`."""
    cached = find_cached_snapshot(database, database.settings)
    if cached is not None:
        return cached
    folder.mkdir()
    read_snapshot_frames(database, None, standing, folder, progress).write(folder)
    return open_snapshot(folder)


def _measure_base(base: Snapshot, policy: Policy) -> Mapping[str, int]:
    if has_cached_driven(base, policy):
        return load_cached_driven(base, policy).national
    return measure_driven(replace(base, folder=None), policy).national


def _build_first_snapshot(
    load: RehearsedLoad, folder: Path, database: Database, progress: Progress
) -> Snapshot:
    """The tables of a first load, from its own records."""
    folder.mkdir()
    records, frames = InitialRecords(folder / "records"), folder / "frames"
    frames.mkdir()
    ranks = parse_source_rank(database.settings.source_rank)
    count = build_row_counter(progress, REHEARSAL_STEP, load.report.accepted)
    bulk = BulkImport(folder, load.report.load_id, count, ranks=ranks, observer=records)
    write_staged_tables(bulk, load.tables)
    bulk.import_files()
    rows = write_snapshot_frames(records, frames)
    Manifest(1, (load.report.load_id,), rows).write(frames)
    return open_snapshot(frames)


def _read_rehearsed_snapshot(
    database: Database,
    load: RehearsedLoad,
    base: Snapshot,
    standing: GraphState,
    folder: Path,
    progress: Progress,
) -> Snapshot:
    """The tables of the revision that the load would make, written and rolled back."""
    folder.mkdir()
    load_id = load.report.load_id
    assert base.folder is not None
    count = build_row_counter(progress, REHEARSAL_STEP, load.report.accepted)
    next_standing = GraphState(standing.revision + 1, (*standing.loads, load_id))
    with database.rehearse() as rehearsal:
        create_load_node(rehearsal, load.report)
        writer = Writer(rehearsal, load_id, load.replaced, progress=count)
        write_load_records(writer, load.merges, load.tables)
        manifest = read_snapshot_frames(rehearsal, base.folder, next_standing, folder, progress)
    if manifest.previous is not None:
        # Results are sought beside the snapshot that it was made from, which stands elsewhere.
        manifest.previous = str(base.folder.resolve())
    manifest.write(folder)
    return open_snapshot(folder)
