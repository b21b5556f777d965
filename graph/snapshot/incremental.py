"""A snapshot made from the one before it: only what the loads in between touched is read again.

Every load after the first leaves a journal, (:Change {load_id, frame, keys}): `frame` is a relation
and `keys` the keys of the start nodes whose relations of that kind it touched or took away, or a
node's label and the keys of those nodes. The relations of these start nodes are read again in full,
so that what went is seen as well. `frame` "*" stands for everything.

The result equals a full read but for the order of rows and the row numbers of people: those
of the snapshot before stay, and new people come after them. Where a person went, where a load left
no journal, or where a name cannot be found, the graph is read in full instead.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

import polars as pl

from graph.dates import first_days
from graph.model.kinds import FACETS, NODE_KINDS, RELATION_KINDS
from graph.model.schema_types import NodeKind, Relation
from graph.progress import Progress
from graph.snapshot.edges import (
    build_influence_edges,
    compute_promotions,
    filter_studio_trainings,
    has_year_alone,
)
from graph.snapshot.frames import (
    LINK_FRAMES,
    NODE_FRAMES,
    RELATION_FRAMES,
    Manifest,
    hard_link_file,
    scan_stored_frame,
    write_snapshot_frame,
)
from graph.snapshot.reader import (
    PERSON_COLUMNS,
    SINGLE_READ_RECORDS,
    read_all_nodes,
    read_nodes_by_key,
    read_relations_by_start_key,
)
from graph.store.standing import GraphState

if TYPE_CHECKING:
    from graph.server.database import Database

JOURNAL_EVERYTHING: Final = "*"
# A layered frame is written in full again when more of its first file than this no longer holds.
MAX_GONE_SHARE: Final = 0.1
# More touched keys than this share of the people are read sooner with everything else.
MAX_TOUCHED_SHARE: Final = 0.05
# After more loads than this their journals are not asked for: those of old loads go.
MAX_JOURNAL_LOADS: Final = 10
# Tables that always stand in one file, for those who open it by name.
ONE_FILE_FRAMES: Final = frozenset({"talents"})
PERSON_LABEL: Final = "Person"
# Relations that show in a column of `people` too: the leading talents' label, the best level.
SHOWN_IN_PEOPLE: Final = ("NAMED", "RECOGNISED")
TALENT_COLUMNS: Final = ("person", "basis", "recognised_on", "industry", "grade")

TouchedKeys = Mapping[str, Sequence[str]]


class RecordSource(Protocol):
    """Where the records that were touched are read from, as they now are.

    Columns as in `graph.snapshot.reader.read_nodes_by_key` and `read_relations_by_start_key`.
    """

    def read_nodes(self, kind: NodeKind, keys: Sequence[str]) -> pl.DataFrame:
        """The nodes of a kind that have these keys."""

    def read_all_nodes(self, kind: NodeKind) -> pl.DataFrame:
        """All nodes of a kind of which there are few, sorted by key."""

    def read_relations(self, relation: Relation, keys: Sequence[str]) -> pl.DataFrame:
        """The relations of a kind that start at nodes with these keys; people's ends by id."""


@dataclass(frozen=True)
class _GraphSource:
    """The records of the live graph."""

    database: Database

    def read_nodes(self, kind: NodeKind, keys: Sequence[str]) -> pl.DataFrame:
        return read_nodes_by_key(self.database, kind, keys)

    def read_all_nodes(self, kind: NodeKind) -> pl.DataFrame:
        return read_all_nodes(self.database, kind)

    def read_relations(self, relation: Relation, keys: Sequence[str]) -> pl.DataFrame:
        return read_relations_by_start_key(self.database, relation, keys)


def build_incremental_snapshot(
    database: Database, base: Path, standing: GraphState, folder: Path, progress: Progress
) -> Manifest | None:
    """Writes into `folder` the frames of now, from those in `base`; None = read in full instead.

    Beside the frames it writes changed-edges, changed-promotions and changed-talents: the rows
    that came (gone = false) and those that went (gone = true).
    """
    before = Manifest.of(base)
    keys = _read_touched_keys(
        database, [load.split(" ")[0] for load in standing.loads[len(before.loads) :]]
    )
    if keys is None or sum(map(len, keys.values())) > max(
        MAX_TOUCHED_SHARE * before.rows["people"], 1000
    ):
        return None
    made = write_changed_frames(_GraphSource(database), base, keys, folder, progress)
    if made is None:
        return None
    return replace(made, revision=standing.revision, loads=standing.loads)


def write_changed_frames(
    source: RecordSource,
    base: Path,
    keys: TouchedKeys,
    folder: Path,
    progress: Progress = lambda what, done, total: None,
) -> Manifest | None:
    """Writes into `folder` the frames in `base` with the touched records as `source` has them.

    `keys`: by relation the keys of start nodes, by label the keys of nodes (see above). None where
    a person went, or where an end of a relation has no row number.
    """
    before, people = Manifest.of(base), scan_stored_frame(base, "people")
    now = _IncrementalBuild(source, base, folder, before, keys, progress)
    if not now.people_numbered(people) or not now.relations_found():
        return None
    now.write(people)
    return Manifest(
        before.revision,
        before.loads,
        now.rows,
        layered=sorted(now.layered),
        previous=base.name,
        changed=now.changed,
    )


def _read_touched_keys(database: Database, loads: Sequence[str]) -> TouchedKeys | None:
    """By relation or label, the keys that the loads touched; None when that is not known."""
    if len(loads) > MAX_JOURNAL_LOADS:
        return None
    rows = database.read(
        "MATCH (l:Load) WHERE l.load_id IN $loads OPTIONAL MATCH (c:Change {load_id: l.load_id}) "
        "RETURN l.load_id AS load, l.journal AS journal, c.frame AS frame, c.keys AS keys",
        {"loads": loads},
    )
    journaled = {row["load"] for row in rows if row["journal"]}
    frames = {row["frame"] for row in rows}
    if journaled != set(loads) or JOURNAL_EVERYTHING in frames:
        return None
    found: dict[str, set[str]] = {}
    for row in rows:
        if row["frame"] is not None:
            found.setdefault(row["frame"], set()).update(row["keys"] or ())
    return {frame: sorted(keys) for frame, keys in found.items() if keys}


@dataclass
class _IncrementalBuild:
    """The work of `write_changed_frames`, step by step."""

    source: RecordSource
    base: Path
    folder: Path
    before: Manifest
    keys: TouchedKeys
    progress: Progress
    rows: dict[str, int] = field(default_factory=dict)
    layered: set[str] = field(default_factory=set)
    changed: dict[str, int] = field(default_factory=dict)
    found: dict[str, pl.DataFrame] = field(default_factory=dict)
    fresh: pl.DataFrame = field(default_factory=pl.DataFrame)
    numbers: pl.DataFrame = field(default_factory=pl.DataFrame)

    def people_numbered(self, people: pl.LazyFrame) -> bool:
        """Reads the touched people; False when one of them went.

        `fresh` are they; `numbers` everyone's row number, new people after all others.
        """
        facets = [facet.label for facet in FACETS if facet.kind == PERSON_LABEL]
        touched = _merge_keys(
            self.keys.get(k, ()) for k in (PERSON_LABEL, *facets, *SHOWN_IN_PEOPLE)
        )
        self.fresh = self.source.read_nodes(NODE_KINDS[PERSON_LABEL], touched)
        self.numbers = people.select("person_id", "person").collect()
        found, known = self.fresh["person_id"], self.numbers["person_id"]
        asked = pl.Series(touched, dtype=pl.String)
        known_of_them = known.filter(known.is_in(asked.implode()))
        if not known_of_them.is_in(found.implode()).all():
            return False
        new = found.filter(~found.is_in(known_of_them.implode())).sort()
        start = known.len()
        numbered = new.to_frame().with_columns(
            person=pl.int_range(start, start + new.len(), dtype=pl.Int32, eager=True)
        )
        self.numbers = pl.concat([self.numbers, numbered])
        return True

    def relations_found(self) -> bool:
        """Reads the touched relations; False when an end of one has no row number."""
        touched = {n: t for n, t in RELATION_FRAMES.items() if t in self.keys}
        read = {}
        for done, (name, type) in enumerate(touched.items(), start=1):
            read[name] = self.source.read_relations(RELATION_KINDS[type], self.keys[type])
            self.progress(name, done, len(touched))
        self.numbers = self._of_interest(read)
        self.found = {
            name: replace_ids_by_numbers(frame, self.numbers) for name, frame in read.items()
        }
        return all(
            self.found[name][number].null_count() == frame[column].null_count()
            for name, frame in read.items()
            for column, number in PERSON_COLUMNS.items()
            if column in frame.columns
        )

    def _of_interest(self, read: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """The numbers of those who are named in what was read, or whose relations were."""
        starts = [keys for frame, keys in self.keys.items() if _has_person_start(frame)]
        ends = [frame[c] for frame in read.values() for c in PERSON_COLUMNS if c in frame.columns]
        named = [pl.Series(keys, dtype=pl.String) for keys in starts] + ends
        wanted = pl.concat([self.fresh["person_id"], *named]).unique()
        return self.numbers.filter(pl.col("person_id").is_in(wanted.implode()))

    def write(self, people: pl.LazyFrame) -> None:
        """Writes every frame: the untouched ones as links to the old files."""
        for name, label in NODE_FRAMES.items():
            if name != "people":
                self._node_frame(name, label)
        for name in RELATION_FRAMES:
            self._relation_frame(name)
        self._edges()
        self._promotions()
        self._talents()
        self._people(people)

    def _node_frame(self, name: str, label: str) -> None:
        if label in self.keys:
            self._put(name, self.source.read_all_nodes(NODE_KINDS[label]))
        else:
            self._link(name)

    def _relation_frame(self, name: str) -> None:
        if name not in self.found:
            self._link(name)
            return
        old = scan_stored_frame(self.base, name, self.before.layered)
        more = self.found[name].select(old.collect_schema().names())
        start, touched = self._starts(name)
        was_layered = name in self.before.layered
        base = pl.scan_parquet(self.base / f"{name}.parquet")
        if was_layered:
            gone = pl.read_parquet(self.base / f"{name}.gone.parquet").to_series()
            stored = pl.read_parquet(self.base / f"{name}.more.parquet")
            more = pl.concat([stored.filter(~pl.col(start).is_in(touched.implode())), more])
            touched = pl.concat([gone, touched]).unique()
        standing = base.filter(~pl.col(start).is_in(touched.implode()))
        total = int(base.select(pl.len()).collect().item())
        left = int(standing.select(pl.len()).collect().item())
        if (
            name in ONE_FILE_FRAMES
            or total <= SINGLE_READ_RECORDS
            or total - left > MAX_GONE_SHARE * total
        ):
            self._put(name, pl.concat([standing.collect(), more]))
            return
        hard_link_file(self.base, self.folder, f"{name}.parquet")
        write_snapshot_frame(self.folder, f"{name}.gone", touched.alias(start).to_frame())
        write_snapshot_frame(self.folder, f"{name}.more", more)
        self.layered.add(name)
        self.rows[name] = left + more.height

    def _starts(self, name: str) -> tuple[str, pl.Series]:
        """The column of a frame's start nodes, and those of them that were touched."""
        relation = RELATION_KINDS[RELATION_FRAMES[name]]
        keys = self.keys[relation.type]
        column = relation.start.column
        if _has_person_start(relation.type):
            return PERSON_COLUMNS[column], self._numbers_of(keys)
        return column, pl.Series(column, keys, pl.String)

    def _numbers_of(self, keys: Sequence[str]) -> pl.Series:
        chosen = pl.col("person_id").is_in(pl.Series(keys, dtype=pl.String).implode())
        return self.numbers.filter(chosen)["person"]

    def _touched_starts(self, name: str) -> pl.Series:
        known = name in self.found
        return self._starts(name)[1] if known else pl.Series(dtype=pl.Int32)

    def _now(self, name: str) -> pl.LazyFrame:
        return scan_stored_frame(self.folder, name, list(self.layered))

    def _edges(self) -> None:
        links = {name: self._now(name) for name in LINK_FRAMES}
        self._edges_named("edges", links)
        same = _is_one_file(self.base, "edges", "edges_first")
        if same and not has_year_alone(links):
            hard_link_file(self.folder, self.folder, "edges.parquet", "edges_first.parquet")
            self.rows["edges_first"] = self.rows["edges"]
            changed = (f"changed-{name}.parquet" for name in ("edges", "edges_first"))
            hard_link_file(self.folder, self.folder, *changed)
            self.changed["edges_first"] = self.changed["edges"]
        else:
            self._edges_named("edges_first", {n: first_days(f) for n, f in links.items()})

    def _edges_named(self, name: str, links: Mapping[str, pl.LazyFrame]) -> None:
        mentors, leading, training = (
            self._touched_starts(name) for name in ("mentorships", "leads", "trainings")
        )
        mentor, apprentice = pl.col("mentor"), pl.col("apprentice")
        by_studio = pl.col("channel") == "studio"
        affected = (~by_studio & mentor.is_in(mentors.implode())) | (
            by_studio & (mentor.is_in(leading.implode()) | apprentice.is_in(training.implode()))
        )
        edges = pl.scan_parquet(self.base / f"{name}.parquet")
        old = edges.filter(affected).collect()
        new = self._edges_of(links, mentors, leading, training).collect()
        self._replace(name, "mentor", edges, old, new)

    def _edges_of(
        self,
        links: Mapping[str, pl.LazyFrame],
        mentors: pl.Series,
        leading: pl.Series,
        training: pl.Series,
    ) -> pl.LazyFrame:
        """The edges, as they now are, of these mentors, leads and people in training."""
        mentorships = links["mentorships"].filter(pl.col("mentor").is_in(mentors.implode()))
        leads, trainings = links["leads"], filter_studio_trainings(links["trainings"])
        led = build_influence_edges(
            mentorships, leads.filter(pl.col("person").is_in(leading.implode())), trainings
        )
        trained = build_influence_edges(
            mentorships.clear(),
            leads,
            trainings.filter(pl.col("person").is_in(training.implode())),
        )
        return pl.concat([led, trained]).unique()

    def _promotions(self) -> None:
        rises = pl.scan_parquet(self.base / "promotions.parquet")
        persons = self._touched_starts("recognitions")
        old = rises.filter(pl.col("person").is_in(persons.implode())).collect()
        new = old.clear()
        if "recognitions" in self.found:
            new = compute_promotions(self.found["recognitions"].lazy()).collect()
        self._replace("promotions", "person", rises, old, new)

    def _talents(self) -> None:
        old, new = (
            scan_stored_frame(folder, "talents").select(TALENT_COLUMNS).collect()
            for folder in (self.base, self.folder)
        )
        self._note_changed("talents", _subtract_rows(old, new), _subtract_rows(new, old))

    def _replace(
        self, name: str, by: str, frame: pl.LazyFrame, old: pl.DataFrame, new: pl.DataFrame
    ) -> None:
        """Writes a frame that is sorted by `by` with the rows `new` in place of the rows `old`."""
        went, came = _subtract_rows(old, new), _subtract_rows(new, old)
        self._note_changed(name, went, came)
        if went.is_empty() and came.is_empty():
            self._link(name)
            return
        among = pl.col(by).is_in(went[by].unique().implode())
        rest = frame.filter(~among)
        standing = _subtract_rows(frame.filter(among).collect(), went)
        again = pl.concat([standing, came.select(standing.columns)]).sort(standing.columns)
        self._put(name, rest.merge_sorted(again.lazy(), key=by).collect())

    def _note_changed(self, name: str, went: pl.DataFrame, came: pl.DataFrame) -> None:
        changed = pl.concat(
            [went.with_columns(gone=pl.lit(True)), came.with_columns(gone=pl.lit(False))]
        )
        self.changed[name] = changed.height
        write_snapshot_frame(self.folder, f"changed-{name}", changed)

    def _people(self, people: pl.LazyFrame) -> None:
        if self.fresh.is_empty():
            self._link("people")
            return
        names = people.collect_schema().names()
        fresh = self.fresh.join(self.numbers, on="person_id", how="left")
        again = pl.col("person").is_in(fresh["person"].implode())
        levels = people.filter(again).select("person", "level").collect()
        read_again = self._touched_starts("recognitions")
        levels = levels.filter(~pl.col("person").is_in(read_again.implode()))
        if "recognitions" in self.found:
            best = self.found["recognitions"].group_by("person").agg(pl.col("level").max())
            levels = pl.concat([levels, best.select(levels.columns)])
        fresh = fresh.join(levels, on="person", how="left").with_columns(
            pl.col("level").fill_null(0)
        )
        fresh = fresh.select(names).sort("person")
        self._put(
            "people", people.filter(~again).merge_sorted(fresh.lazy(), key="person").collect()
        )

    def _put(self, name: str, frame: pl.DataFrame) -> None:
        write_snapshot_frame(self.folder, name, frame)
        self.rows[name] = frame.height

    def _link(self, name: str) -> None:
        """The frame as it was before: the same files under a second name."""
        parts = [name]
        if name in self.before.layered:
            self.layered.add(name)
            parts += [f"{name}.gone", f"{name}.more"]
        for part in parts:
            hard_link_file(self.base, self.folder, f"{part}.parquet")
        self.rows[name] = self.before.rows[name]


def replace_ids_by_numbers(found: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    """People's ids replaced by their row numbers. `numbers`: person_id, person."""
    for column, number in PERSON_COLUMNS.items():
        if column in found.columns:
            named = numbers.rename({"person_id": column, "person": number})
            found = found.join(named, on=column, how="left", maintain_order="left").drop(column)
    return found


def _has_person_start(type: str) -> bool:
    relation: Relation | None = RELATION_KINDS.get(type)
    return relation is not None and relation.start.kinds == (PERSON_LABEL,)


def _merge_keys(keys: Iterable[Sequence[str]]) -> list[str]:
    return sorted({key for some in keys for key in some})


def _subtract_rows(some: pl.DataFrame, others: pl.DataFrame) -> pl.DataFrame:
    """The rows of `some` that are none of `others`."""
    return some.join(others, on=some.columns, how="anti", nulls_equal=True)


def _is_one_file(folder: Path, *names: str) -> bool:
    one, other = (folder / f"{name}.parquet" for name in names)
    return one.samefile(other)
