"""The tables of one revision of the graph: read out of Neo4j once, stored as Parquet beside it.

The first snapshot is read in full (`graph.snapshot.reader`). After a load that left a journal of
what it touched, only that is read again and put on the newest stored snapshot of the same history
(`graph.snapshot.incremental`); files that did not change are shared by hard links, so a revision
more costs little. A snapshot is made in a folder of its own and then renamed: an interrupted one is
never seen. Its folder is named after the revision and the loads that led to it, so that a graph
that was put back from a dump, or emptied and filled anew, is never answered from an older one's
tables. The newest `SHICHENG_KEEP_REVISIONS` are retained, each with the results that were counted
from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from graph.atomic import write_folder_atomically
from graph.dates import first_days
from graph.errors import IncompleteError, UsageError
from graph.model.kinds import RELATION_KINDS
from graph.progress import Progress
from graph.server.damage import mend_snapshot
from graph.snapshot.reader import FrameReader, GraphReader
from graph.store.standing import GraphState, build_load_message, read_graph_state

if TYPE_CHECKING:
    from graph.server.database import Database
    from graph.settings import Settings

from graph.snapshot.edges import build_edge_table, compute_promotions, has_year_alone
from graph.snapshot.frames import (
    LINK_FRAMES,
    NODE_FRAMES,
    READABLE_VERSIONS,
    RELATION_FRAMES,
    SNAPSHOT_MANIFEST_NAME,
    SNAPSHOT_VERSION,
    Manifest,
    Snapshot,
    hard_link_file,
    open_snapshot,
    write_snapshot_frame,
)

# A folder of an interrupted snapshot is swept once it is surely nobody's.
ABANDONED_SECONDS: Final = 6 * 3600


@dataclass(frozen=True)
class CachedSnapshot:
    """A stored snapshot: its revision, when it was made (ISO 8601, UTC), its folder."""

    revision: int
    made_at: str
    folder: Path


def take_snapshot(
    database: Database,
    settings: Settings,
    *,
    progress: Progress = lambda what, done, total: None,
) -> Snapshot:
    """The snapshot of the last complete revision: the stored one, or one read out now.

    While a load is under way or broken off the stored one is given: the load has seen to it that it
    is there. `progress` receives the frame, the chunks done and the chunks in all. Raises
    `IncompleteError` when nothing is loaded, when a load begun elsewhere is under way, or when a
    load came in between.
    """
    standing = read_graph_state(database)
    root = locate_snapshots(database, settings)
    folder = _build_snapshot_path(root, standing)
    for other in root.glob("[!.]*"):
        mend_snapshot(other)
    if not (folder / SNAPSHOT_MANIFEST_NAME).exists():
        _materialize_snapshot(database, folder, standing, progress)
        _sweep_snapshots(root, settings.keep_revisions)
    return replace(open_snapshot(folder), standing=standing)


def find_cached_snapshot(database: Database, settings: Settings) -> Snapshot | None:
    """The stored snapshot of the last complete revision; None when there is none."""
    try:
        folder = _build_snapshot_path(
            locate_snapshots(database, settings), read_graph_state(database)
        )
    except IncompleteError:
        return None
    mend_snapshot(folder)
    return open_snapshot(folder) if (folder / SNAPSHOT_MANIFEST_NAME).exists() else None


def list_cached_snapshots(database: Database, settings: Settings) -> list[CachedSnapshot]:
    """The stored snapshots of the graph's own history, the newest revision first."""
    loads = read_graph_state(database).loads
    found = []
    for file in locate_snapshots(database, settings).glob(f"*/{SNAPSHOT_MANIFEST_NAME}"):
        manifest = Manifest.of(file.parent)
        earlier = tuple(manifest.loads) == loads[: len(manifest.loads)]
        if manifest.format in READABLE_VERSIONS and manifest.loads and earlier:
            one = CachedSnapshot(manifest.revision, manifest.made_at, file.parent)
            found.append((READABLE_VERSIONS.index(manifest.format), one))
    # A revision that stands in two forms is that of the newer one.
    newest_form_last = sorted(found, key=lambda pair: -pair[0])
    by_revision = {one.revision: one for _, one in newest_form_last}
    return sorted(by_revision.values(), key=lambda snapshot: snapshot.revision, reverse=True)


def load_snapshot_of_revision(database: Database, settings: Settings, revision: int) -> Snapshot:
    """The stored snapshot of a revision. Raises `UsageError` when it is not stored."""
    snapshots = list_cached_snapshots(database, settings)
    for one in snapshots:
        if one.revision == revision:
            return open_snapshot(one.folder)
    revisions = ", ".join(str(one.revision) for one in snapshots) or "none yet"
    raise UsageError(
        "Revision {revision} of the graph is not kept; kept are: {revisions}. The newest "
        "{keep_revisions} that figures were asked of are; raise SHICHENG_KEEP_REVISIONS "
        "to keep more from now on.",
        revision=revision,
        revisions=revisions,
        keep_revisions=settings.keep_revisions,
    )


def locate_snapshots(database: Database, settings: Settings) -> Path:
    """Where this database's snapshots are. The embedded server's port is another each time."""
    uri = "embedded" if database.embedded else database.uri
    return settings.home / "snapshots" / _compute_path_digest(uri, database.name)


def _build_snapshot_path(root: Path, standing: GraphState) -> Path:
    return (
        root / f"{standing.revision:06d}-{_compute_path_digest(SNAPSHOT_VERSION, standing.loads)}"
    )


def _compute_path_digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _materialize_snapshot(
    database: Database, folder: Path, standing: GraphState, progress: Progress
) -> None:
    if standing.unfinished is not None:
        raise IncompleteError(
            "The tables of revision {revision} are not kept here, and the graph cannot be read "
            "out now: {load}",
            revision=standing.revision,
            load=build_load_message(standing.unfinished),
        )
    with write_folder_atomically(folder) as making:
        base = _find_newest_base(folder.parent, standing)
        manifest = read_snapshot_frames(database, base, standing, making, progress)
        if read_graph_state(database) != standing:
            if (folder / SNAPSHOT_MANIFEST_NAME).exists():
                return  # the load that came in has stored them first
            raise IncompleteError(
                "A load came in while the graph was being read, so the tables would mix two "
                "revisions; ask again when the load has finished."
            )
        manifest.made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest.write(making)


def read_snapshot_frames(
    database: Database, base: Path | None, standing: GraphState, folder: Path, progress: Progress
) -> Manifest:
    """Read the graph's frames into `folder`: what changed since the snapshot in `base`, or all."""
    from graph.snapshot.incremental import build_incremental_snapshot

    if base is not None:
        manifest = build_incremental_snapshot(database, base, standing, folder, progress)
        if manifest is not None:
            return manifest
        _empty_folder(folder)
    reader = GraphReader(database, RELATION_FRAMES.values(), progress)
    rows = write_snapshot_frames(reader, folder)
    return Manifest(standing.revision, standing.loads, rows)


def publish_initial_snapshot(
    database: Database, settings: Settings, made: Path, rows: dict[str, int]
) -> None:
    """Put the frames of the graph's first load in place as the snapshot of its first revision.

    `made`: a folder that `write_snapshot_frames` has filled, on the file system of the data
    folder; `rows`: what it said. Where the graph has had another load since, they are left.
    """
    standing = read_graph_state(database)
    folder = _build_snapshot_path(locate_snapshots(database, settings), standing)
    if len(standing.loads) != 1 or standing.unfinished is not None or folder.exists():
        return
    manifest = Manifest(standing.revision, standing.loads, rows)
    manifest.made_at = datetime.now(UTC).isoformat(timespec="seconds")
    manifest.write(made)
    with write_folder_atomically(folder) as making:
        for file in made.iterdir():
            file.replace(making / file.name)


def _find_newest_base(root: Path, standing: GraphState) -> Path | None:
    """The stored snapshot from which the fewest loads lead to where the graph stands."""
    found = []
    for file in root.glob(f"*/{SNAPSHOT_MANIFEST_NAME}"):
        manifest = Manifest.of(file.parent)
        count = len(manifest.loads)
        before = 0 < count < len(standing.loads)
        if (
            manifest.format == SNAPSHOT_VERSION
            and before
            and [*manifest.loads] == [*standing.loads[:count]]
        ):
            found.append((count, file.parent))
    return max(found)[1] if found else None


def _empty_folder(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def write_snapshot_frames(reader: FrameReader, folder: Path) -> dict[str, int]:
    """Write every frame as Parquet; its rows by name."""
    rows: dict[str, int] = {}
    written: list[Future[None]] = []

    def scanned(name: str) -> pl.LazyFrame:
        return pl.scan_parquet(folder / f"{name}.parquet")

    def write(name: str, frame: pl.DataFrame) -> None:
        rows[name] = frame.height
        written.append(disk.submit(write_snapshot_frame, folder, name, frame))

    with ThreadPoolExecutor(1) as disk:
        nodes = reader.nodes(NODE_FRAMES)
        people = nodes.pop("people")
        for name, frame in nodes.items():
            write(name, frame)
        for name, type in RELATION_FRAMES.items():
            write(name, reader.relations(RELATION_KINDS[type], name))
            _wait_for_writes(written)
        reader.ends = None
    _wait_for_writes(written, left=0)
    links = {name: scanned(name) for name in LINK_FRAMES}
    rows["edges"] = _write_derived_frame(folder, "edges", build_edge_table(links))
    if has_year_alone(links):
        begun = {name: first_days(frame) for name, frame in links.items()}
        rows["edges_first"] = _write_derived_frame(folder, "edges_first", build_edge_table(begun))
    else:
        hard_link_file(folder, folder, "edges.parquet", "edges_first.parquet")
        rows["edges_first"] = rows["edges"]
    rows["promotions"] = _write_derived_frame(
        folder, "promotions", compute_promotions(scanned("recognitions"))
    )
    best = scanned("recognitions").group_by("person").agg(pl.col("level").max())
    levelled = people.lazy().join(best, on="person", how="left", maintain_order="left")
    rows["people"] = _write_derived_frame(
        folder, "people", levelled.with_columns(pl.col("level").fill_null(0))
    )
    return rows


def _wait_for_writes(written: list[Future[None]], left: int = 1) -> None:
    """Waits for the files, but for the last `left`, so that few tables are in memory at once."""
    while len(written) > left:
        written.pop(0).result()


def _write_derived_frame(folder: Path, name: str, frame: pl.LazyFrame) -> int:
    collected = frame.collect()
    write_snapshot_frame(folder, name, collected)
    return collected.height


def _sweep_snapshots(root: Path, revisions: int) -> None:
    """Keep the newest revisions; drop the rest, and what interrupted snapshots left."""
    made = sorted(
        root.glob(f"*/{SNAPSHOT_MANIFEST_NAME}"),
        key=lambda file: file.stat().st_mtime,
        reverse=True,
    )
    for file in made[revisions:]:
        shutil.rmtree(file.parent, ignore_errors=True)
    for folder in root.glob(".making-*"):
        if time.time() - os.path.getmtime(folder) > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
