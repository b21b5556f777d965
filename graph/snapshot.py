"""The tables of one revision of the graph: read out of Neo4j once, kept as Parquet beside it.

The first snapshot is read whole (`graph.reading`). After a load that left a journal of what it
touched, only that is read again and put on the newest kept snapshot of the same history
(`graph.changes`); files that did not change are shared by hard links, so a revision more costs
little. A snapshot is made in a folder of its own and then renamed: an interrupted one is never
seen. Its folder is named after the revision and the loads that led to it, so that a graph that
was put back from a dump, or emptied and filled anew, is never answered from an older one's tables.
The newest `SHICHENG_KEEP_REVISIONS` are kept, each with the results that were counted from it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import polars as pl

from graph.errors import IncompleteError, UsageError
from graph.model import RELATION_KINDS
from graph.policy import CHANNELS
from graph.reading import PROVENANCE_COLUMNS, Reading, provenance
from graph.whole import whole_folder

if TYPE_CHECKING:
    from graph.database import Database
    from graph.settings import Settings

CHANNEL: Final = pl.Enum(CHANNELS)
# Raised when the frames change, so that snapshots of an older form are not read as this one.
FORMAT: Final = 2
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
      partnerships: the relations with their properties, row and sources. Of employments, those
      with a row of their own; whom somebody works for now is `enterprise_id` of people too
    - studios, enterprises, schools, competitions, occupations, provinces, goals: the nodes

    Row numbers of people stay from a snapshot to one that was made from it; after a whole reading
    they are new, in the order of the ids.
    """

    revision: int
    folder: Path | None
    frames: Mapping[str, pl.LazyFrame]


@dataclass(frozen=True)
class Kept:
    """A snapshot that is kept: its revision, when it was made (ISO 8601, UTC), its folder."""

    revision: int
    made_at: str
    folder: Path


@dataclass
class Manifest:
    """What a snapshot's folder says of itself.

    `rows` by frame; `layered` frames stand in several files (see `layered`); `previous` is the
    folder of the snapshot it was made from, None when it was read whole, and `changed` then how
    many rows of edges, promotions and talents came and went.
    """

    revision: int
    loads: Sequence[str]
    rows: dict[str, int]
    layered: Sequence[str] = ()
    made_at: str = ""
    previous: str | None = None
    changed: Mapping[str, int] | None = None
    format: int | str = FORMAT

    @classmethod
    def of(cls, folder: Path) -> Manifest:
        """That of a snapshot's folder."""
        stated = json.loads((folder / MANIFEST).read_text())
        return cls(**{"loads": (), "format": 0} | stated)

    def write(self, folder: Path) -> None:
        """Put it in the folder."""
        (folder / MANIFEST).write_text(json.dumps(asdict(self), indent=1))


def take_snapshot(
    database: Database, settings: Settings, *, progress: Progress = lambda what, done, total: None
) -> Snapshot:
    """The snapshot of the graph as it stands: the kept one, or one read out now.

    `progress` is told the frame, the chunks done and the chunks in all. Raises `IncompleteError`
    when nothing is loaded, when a load did not finish, or when a load came in between.
    """
    standing = standing_of(database)
    kept = _folder_of(database, settings)
    folder = _place(kept, standing)
    if not (folder / MANIFEST).exists():
        _read_out(database, folder, standing, progress)
        _sweep(kept, settings.keep_revisions)
    return open_snapshot(folder)


def kept_now(database: Database, settings: Settings) -> Snapshot | None:
    """The kept snapshot of the graph as it stands; None when there is none, or a load has not
    finished.
    """
    try:
        folder = _place(_folder_of(database, settings), standing_of(database))
    except IncompleteError:
        return None
    return open_snapshot(folder) if (folder / MANIFEST).exists() else None


def open_snapshot(folder: Path) -> Snapshot:
    """The snapshot kept in the folder; its Parquet files are read as they are asked for."""
    manifest = Manifest.of(folder)
    frames = {name: frame_of(folder, name, manifest.layered) for name in manifest.rows}
    return Snapshot(manifest.revision, folder, frames)


def frame_of(folder: Path, name: str, layered: Sequence[str] = ()) -> pl.LazyFrame:
    """One frame of a snapshot's folder, with row and sources as its readers know them."""
    stored = stored_frame(folder, name, layered)
    compact = set(PROVENANCE_COLUMNS) <= set(stored.collect_schema().names())
    return provenance(stored) if compact else stored


def stored_frame(folder: Path, name: str, layered: Sequence[str] = ()) -> pl.LazyFrame:
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


def kept_snapshots(database: Database, settings: Settings) -> list[Kept]:
    """The snapshots kept of the graph's own history, the newest revision first."""
    loads = standing_of(database).loads
    found = []
    for file in _folder_of(database, settings).glob(f"*/{MANIFEST}"):
        manifest = Manifest.of(file.parent)
        earlier = tuple(manifest.loads) == loads[: len(manifest.loads)]
        if manifest.format == FORMAT and manifest.loads and earlier:
            found.append(Kept(manifest.revision, manifest.made_at, file.parent))
    return sorted(found, key=lambda kept: kept.revision, reverse=True)


def snapshot_of(database: Database, settings: Settings, revision: int) -> Snapshot:
    """The kept snapshot of a revision. Raises `UsageError` when it is not kept."""
    kept = kept_snapshots(database, settings)
    for one in kept:
        if one.revision == revision:
            return open_snapshot(one.folder)
    revisions = ", ".join(str(one.revision) for one in kept) or "none yet"
    raise UsageError(
        f"Revision {revision} of the graph is not kept; kept are: {revisions}. The newest "
        f"{settings.keep_revisions} that figures were asked of are; raise SHICHENG_KEEP_REVISIONS "
        "to keep more from now on."
    )


@dataclass(frozen=True)
class Standing:
    """Where the graph stands: its revision, and the loads that led to it."""

    revision: int
    loads: tuple[str, ...]


def standing_of(database: Database) -> Standing:
    """Where the graph stands now. Raises `IncompleteError` as `take_snapshot` does."""
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


def _place(kept: Path, standing: Standing) -> Path:
    return kept / f"{standing.revision:06d}-{_digest(FORMAT, standing.loads)}"


def _digest(*parts: object) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:12]


def _read_out(database: Database, folder: Path, standing: Standing, progress: Progress) -> None:
    from graph.changes import follow

    with whole_folder(folder) as making:
        base = _newest_before(folder.parent, standing)
        manifest = follow(database, base, standing, making, progress) if base else None
        if manifest is None:
            _emptied(making)
            rows = _write_frames(database, making, progress)
            manifest = Manifest(standing.revision, standing.loads, rows)
        if standing_of(database) != standing:
            raise IncompleteError(
                "A load came in while the graph was being read, so the tables would mix two "
                "revisions; ask again when the load has finished."
            )
        manifest.made_at = datetime.now(UTC).isoformat(timespec="seconds")
        manifest.write(making)


def _newest_before(kept: Path, standing: Standing) -> Path | None:
    """The kept snapshot from which the fewest loads lead to where the graph stands."""
    found = []
    for file in kept.glob(f"*/{MANIFEST}"):
        manifest = Manifest.of(file.parent)
        count = len(manifest.loads)
        before = 0 < count < len(standing.loads)
        if manifest.format == FORMAT and before and [*manifest.loads] == [*standing.loads[:count]]:
            found.append((count, file.parent))
    return max(found)[1] if found else None


def _emptied(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def _write_frames(database: Database, folder: Path, progress: Progress) -> dict[str, int]:
    """Write every frame as Parquet; its rows by name."""
    rows: dict[str, int] = {}
    written: list[Future[None]] = []

    def scanned(name: str) -> pl.LazyFrame:
        return pl.scan_parquet(folder / f"{name}.parquet")

    def write(name: str, frame: pl.DataFrame) -> None:
        rows[name] = frame.height
        written.append(disk.submit(write_frame, folder, name, frame))

    with ThreadPoolExecutor(1) as disk:
        reading = Reading(database, RELATION_FRAMES.values(), progress)
        nodes = reading.nodes(NODE_FRAMES)
        people = nodes.pop("people")
        for name, frame in nodes.items():
            write(name, frame)
        for name, type in RELATION_FRAMES.items():
            write(name, reading.relations(RELATION_KINDS[type], name))
            _waited(written)
        del reading
    _waited(written, left=0)
    edges = influence_edges(
        scanned("mentorships"), scanned("leads"), studio_trainings(scanned("trainings"))
    )
    rows["edges"] = _derived(
        folder, "edges", edges.sort("mentor", "apprentice", "start", "channel")
    )
    rows["promotions"] = _derived(folder, "promotions", promotions(scanned("recognitions")))
    best = scanned("recognitions").group_by("person").agg(pl.col("level").max())
    levelled = people.lazy().join(best, on="person", how="left", maintain_order="left")
    rows["people"] = _derived(folder, "people", levelled.with_columns(pl.col("level").fill_null(0)))
    return rows


def _waited(written: list[Future[None]], left: int = 1) -> None:
    """Waits for the files, but for the last `left`, so that few tables are in memory at once."""
    while len(written) > left:
        written.pop(0).result()


def _derived(folder: Path, name: str, frame: pl.LazyFrame) -> int:
    collected = frame.collect()
    write_frame(folder, name, collected)
    return collected.height


def write_frame(folder: Path, name: str, frame: pl.DataFrame) -> None:
    """One file of a snapshot. LZ4: reading is as quick as it gets, the files half as small."""
    frame.write_parquet(folder / f"{name}.parquet", compression="lz4")


def _sweep(kept: Path, revisions: int) -> None:
    """Keep the newest revisions; drop the rest, and what interrupted snapshots left behind."""
    made = sorted(kept.glob(f"*/{MANIFEST}"), key=lambda file: file.stat().st_mtime, reverse=True)
    for file in made[revisions:]:
        shutil.rmtree(file.parent, ignore_errors=True)
    for folder in kept.glob(".making-*"):
        if time.time() - os.path.getmtime(folder) > ABANDONED_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


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
