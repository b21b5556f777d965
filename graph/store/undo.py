"""What stood before a load, batch by batch, and how it is put back.

Each transaction of a load also writes `(:Undo {load_id, number, undo_images})`: compressed
JSON of the records that it changes, as they were. It also says that the batch stands, so that a
load that was killed can go on after it (`loaders.resumption`). A load that cannot finish is undone
from these, the last batch first; a batch and its putting back are one transaction each, so that an
undoing that was cut short goes on where it stopped. When a load has finished, those of the newest
loads stay (`settings.undo_loads`), so that the newest can be undone exactly, then the one before.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from itertools import islice, takewhile
from typing import Any, Final

from neo4j import ManagedTransaction

from graph.model.kinds import (
    CHANGE,
    FACETS,
    LOAD,
    NODE_KINDS,
    RELATIONS,
    UNDO,
    is_published_property,
)
from graph.progress import Progress
from graph.server.database import Database

# So many nodes are deleted in a transaction.
UNDO_DELETE_BATCH_NODES: Final = 10_000
# So many batches' notes go in a transaction once the load has finished.
UNDO_NOTES_PER_DELETE: Final = 20
# The step that `progress` receives while a load is undone.
UNDO_STEP: Final = "undo"
# The kind of node on which figures are published.
PUBLISHED_ON: Final = "Person"
_EVERYTHING_FIELD: Final = "everything"
_FINISHED_LOAD_STATEMENT: Final = (
    f"MATCH (l:{LOAD.label} {{load_id: $load}}) WHERE l.finished_at IS NOT NULL RETURN l.load_id"
)
_WRITE_UNDO_STATEMENT: Final = (
    f"CREATE (:{UNDO.label} {{load_id: $load, number: $number, undo_images: $images}})"
)


@dataclass(frozen=True)
class NodeImage:
    """A node as it was: its kind, key, labels and properties (None: it was not there)."""

    kind: str
    key: str
    labels: Sequence[str]
    properties: Mapping[str, Any] | None

    @classmethod
    def of(cls, kind: str, key: str, node: Mapping[str, Any] | None) -> NodeImage:
        """From what was read of it, None when nothing was found."""
        if node is None:
            return cls(kind, key, (), None)
        return cls(kind, key, sorted(node["labels"]), node["properties"])


@dataclass(frozen=True)
class RelationImage:
    """A relation as it was: its type, the kinds and keys of its ends, its properties."""

    type: str
    start: str
    a: str
    end: str
    b: str
    properties: Mapping[str, Any]


@dataclass
class UndoImages:
    """What one batch of a load changes, as it was before."""

    load_id: str
    number: int
    nodes: list[NodeImage] = field(default_factory=list)
    relations: list[RelationImage] = field(default_factory=list)
    new_relations: list[RelationImage] = field(default_factory=list)
    labels: list[tuple[str, str, list[str]]] = field(default_factory=list)

    def add(self, image: NodeImage | RelationImage) -> None:
        """A record as it stands before the batch."""
        if isinstance(image, NodeImage):
            self.nodes.append(image)
        else:
            self.relations.append(image)

    def made(self, type: str, start: str, a: str, end: str, b: str, key: str) -> None:
        """A relation that the batch makes."""
        self.new_relations.append(RelationImage(type, start, a, end, b, {"key": key}))

    def gained(self, label: str, kind: str, keys: Sequence[str]) -> None:
        """Nodes that the batch gives a label."""
        if keys:
            self.labels.append((label, kind, list(keys)))

    def write(self, tx: ManagedTransaction) -> None:
        """Writes them, in the transaction of the batch, which they acknowledge too."""
        tx.run(_WRITE_UNDO_STATEMENT, self._given(asdict(self))).consume()

    def write_everything(self, database: Database) -> None:
        """Says of a first load that nothing stood before it."""
        database.write(_WRITE_UNDO_STATEMENT, self._given({_EVERYTHING_FIELD: True}))

    def _given(self, before: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps(before, default=_encode_date, ensure_ascii=False).encode()
        return {"load": self.load_id, "number": self.number, "images": _pack_images(text)}


def _encode_date(value: object) -> dict[str, str]:
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    raise TypeError(f"no value of the graph: {type(value).__name__}")


def _decode_date(value: dict[str, Any]) -> Any:
    return date.fromisoformat(value["$date"]) if set(value) == {"$date"} else value


def _pack_images(text: bytes) -> bytes:
    return zlib.compress(text, 1)


def _unpack_images(packed: bytes) -> bytes:
    return zlib.decompress(bytes(packed))


# --- putting back -----------------------------------------------------------------------------


def undo_load(database: Database, load_id: str) -> None:
    """Puts everything back as it was before the load, and takes the load away.

    A load that has finished stays as it is.
    """
    if database.read(_FINISHED_LOAD_STATEMENT, {"load": load_id}):
        return
    # What is half undone must never be taken for a load that could go on.
    database.write(f"MATCH (l:{LOAD.label} {{load_id: $load}}) REMOVE l.staged", {"load": load_id})
    restore_before_load(database, load_id)
    for label in (CHANGE.label, LOAD.label):
        database.write(f"MATCH (n:{label} {{load_id: $load}}) DELETE n", {"load": load_id})


def restore_before_load(
    database: Database, load_id: str, progress: Progress = lambda what, done, total: None
) -> None:
    """Puts everything back as it was before the load, batch by batch, the newest first."""
    (left,) = database.read(
        f"MATCH (u:{UNDO.label} {{load_id: $load}}) RETURN count(u) AS batches", {"load": load_id}
    )
    done = 0
    while _undo_newest_batch(database, load_id):
        done += 1
        progress(UNDO_STEP, done, left["batches"])


def list_standing_loads(database: Database) -> list[dict[str, Any]]:
    """The finished loads that are not undone, newest first: load_id, revision, undoable.

    An erasure of people is none: nothing undoes it. It took the images of all loads before it.
    """
    return database.read(
        f"MATCH (l:{LOAD.label}) WHERE l.finished_at IS NOT NULL AND l.undone_at IS NULL "
        "AND l.undoes IS NULL AND l.erased IS NULL "
        "RETURN l.load_id AS load_id, l.revision AS revision, "
        "coalesce(l.undoable, false) AS undoable ORDER BY revision DESC"
    )


def delete_old_undo_images(database: Database, most: int) -> None:
    """Takes away what stood before finished loads, but for the newest `most` without a gap.

    Below a load that cannot be undone none can.
    """
    newest = takewhile(lambda load: load["undoable"], list_standing_loads(database))
    retained = [load["load_id"] for load in islice(newest, most)]
    database.write(
        f"MATCH (l:{LOAD.label}) WHERE l.undoable AND NOT l.load_id IN $kept REMOVE l.undoable",
        {"kept": retained},
    )
    old = database.read(
        f"MATCH (u:{UNDO.label}) WITH DISTINCT u.load_id AS load MATCH (l:{LOAD.label} "
        "{load_id: load}) WHERE l.finished_at IS NOT NULL AND l.undoable IS NULL RETURN load"
    )
    statement = (
        f"MATCH (u:{UNDO.label} {{load_id: $load}}) WITH u LIMIT {UNDO_NOTES_PER_DELETE} DELETE u"
    )
    for row in old:
        while database.write(statement, row).nodes_deleted:
            pass


def _undo_newest_batch(database: Database, load_id: str) -> bool:
    """Puts the newest batch back that is noted; False when there is none."""
    rows = database.read(
        f"MATCH (u:{UNDO.label} {{load_id: $load}}) RETURN u.number AS number, "
        "u.undo_images AS images ORDER BY u.number DESC LIMIT 1",
        {"load": load_id},
        seconds=600,
    )
    if not rows:
        return False
    number, packed = rows[0]["number"], rows[0]["images"]
    before = json.loads(_unpack_images(packed), object_hook=_decode_date)
    if before.get(_EVERYTHING_FIELD):
        _delete_first_load(database, load_id)

    def once(tx: ManagedTransaction) -> None:
        if not before.get(_EVERYTHING_FIELD):
            _restore_batch(tx, before)
        tx.run(
            f"MATCH (u:{UNDO.label} {{load_id: $load, number: $number}}) DELETE u",
            {"load": load_id, "number": number},
        ).consume()

    database.write_with(once)
    return True


def _delete_first_load(database: Database, load_id: str) -> None:
    """Takes away all that a first load wrote."""
    statement = (
        f"MATCH (n) WHERE n.load = $load WITH n LIMIT {UNDO_DELETE_BATCH_NODES} DETACH DELETE n"
    )
    while database.write(statement, {"load": load_id}).nodes_deleted:
        pass


def _restore_batch(tx: ManagedTransaction, before: Mapping[str, Any]) -> None:
    for label, kind, keys in before["labels"]:
        tx.run(
            f"UNWIND $keys AS key MATCH (x:{kind} {{{NODE_KINDS[kind].key}: key}}) "
            f"REMOVE x:{label}",
            {"keys": keys},
        ).consume()
    relations = [*before["relations"], *before["new_relations"]]
    for (type, start, end), rows in _group_images(relations, "type", "start", "end"):
        tx.run(
            f"UNWIND $rows AS row MATCH (a:{start} {{{NODE_KINDS[start].key}: row.a}})"
            f"-[x:{type} {{key: row.properties.key}}]->(b:{end} {{{NODE_KINDS[end].key}: row.b}}) "
            "DELETE x",
            {"rows": rows},
        ).consume()
    _restore_nodes(tx, before["nodes"])
    for (type, start, end), rows in _group_images(before["relations"], "type", "start", "end"):
        tx.run(
            f"UNWIND $rows AS row MATCH (a:{start} {{{NODE_KINDS[start].key}: row.a}}) "
            f"MATCH (b:{end} {{{NODE_KINDS[end].key}: row.b}}) "
            f"CREATE (a)-[x:{type}]->(b) SET x = row.properties",
            {"rows": rows},
        ).consume()


def _restore_nodes(tx: ManagedTransaction, nodes: Iterable[Mapping[str, Any]]) -> None:
    was: list[Mapping[str, Any]] = []
    was_not: list[Mapping[str, Any]] = []
    for node in nodes:
        (was_not if node["properties"] is None else was).append(node)
    for (kind,), rows in _group_images(was_not, "kind"):
        tx.run(
            f"UNWIND $rows AS row MATCH (x:{kind} {{{NODE_KINDS[kind].key}: row.key}}) "
            "DETACH DELETE x",
            {"rows": rows},
        ).consume()
    for (kind, labels), before in _group_images(was, "kind", "labels"):
        rows = _keep_published(tx, kind, before)
        others = [label for label in _list_additional_labels(kind) if label not in labels]
        change = "".join(f" SET x:{label}" for label in labels if label != kind)
        change += "".join(f" REMOVE x:{label}" for label in others)
        tx.run(
            f"UNWIND $rows AS row MERGE (x:{kind} {{{NODE_KINDS[kind].key}: row.key}}) "
            f"SET x = row.properties{change}",
            {"rows": rows},
        ).consume()


def _keep_published(
    tx: ManagedTransaction, kind: str, images: list[Mapping[str, Any]]
) -> list[Mapping[str, Any]]:
    """The images with what is published on the nodes now: that is nothing of the load's."""
    if kind != PUBLISHED_ON:
        return images
    found = tx.run(
        f"UNWIND $keys AS key MATCH (x:{kind} {{{NODE_KINDS[kind].key}: key}}) "
        "RETURN key, CASE WHEN x.driven_at IS NULL THEN {} ELSE properties(x) END AS now",
        {"keys": [image["key"] for image in images]},
    )
    standing: dict[str, Mapping[str, Any]] = {row["key"]: row["now"] for row in found}
    rows: list[Mapping[str, Any]] = []
    for image in images:
        own, now = image["properties"], standing.get(image["key"])
        if now is not None:
            own = {n: v for n, v in own.items() if not is_published_property(n)}
            own |= {n: v for n, v in now.items() if is_published_property(n)}
        rows.append({**image, "properties": own})
    return rows


def _list_additional_labels(kind: str) -> list[str]:
    """The labels that nodes of a kind may have besides."""
    earned = [
        side.label
        for r in RELATIONS
        for side in (r.start, r.end)
        if side.label and kind in side.kinds
    ]
    return [*dict.fromkeys([*earned, *(facet.label for facet in FACETS if facet.kind == kind)])]


def _group_images(
    rows: Iterable[Mapping[str, Any]], *by: str
) -> list[tuple[tuple[Any, ...], list[Mapping[str, Any]]]]:
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        values = (row[name] for name in by)
        place = tuple(tuple(v) if isinstance(v, list) else v for v in values)
        groups.setdefault(place, []).append(row)
    return list(groups.items())
