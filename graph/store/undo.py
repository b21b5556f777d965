"""What stood before a load, batch by batch, and how it is put back.

Each transaction of a load also writes `(:Undo {load_id, number, undo_images})`: compressed
JSON of the records that it changes, as they were. A load that cannot finish is undone from these,
the last batch first; a batch and its putting back are one transaction each, so that an undoing
that was cut short goes on where it stopped. When the load has finished they go.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from neo4j import ManagedTransaction

from graph.model.kinds import CHANGE, FACETS, LOAD, NODE_KINDS, RELATIONS, UNDO
from graph.server.database import Database

# So many nodes are deleted in a transaction.
UNDO_DELETE_BATCH_NODES: Final = 10_000
# So many batches' notes go in a transaction once the load has finished.
UNDO_NOTES_PER_DELETE: Final = 20
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
        """Writes them, in the transaction of the batch."""
        if self.nodes or self.relations or self.new_relations or self.labels:
            tx.run(_WRITE_UNDO_STATEMENT, self._given(asdict(self))).consume()

    def write_everything(self, database: Database) -> None:
        """Says of a first load that nothing stood before it."""
        database.write(_WRITE_UNDO_STATEMENT, self._given({_EVERYTHING_FIELD: True}))

    def _given(self, before: Mapping[str, Any]) -> dict[str, Any]:
        text = json.dumps(before, default=_encode_date, ensure_ascii=False).encode()
        packed = zlib.compress(text, 1)
        return {"load": self.load_id, "number": self.number, "images": packed}


def _encode_date(value: object) -> dict[str, str]:
    if isinstance(value, date):
        return {"$date": value.isoformat()}
    raise TypeError(f"no value of the graph: {type(value).__name__}")


def _decode_date(value: dict[str, Any]) -> Any:
    return date.fromisoformat(value["$date"]) if set(value) == {"$date"} else value


# --- putting back -----------------------------------------------------------------------------


def undo_load(database: Database, load_id: str) -> None:
    """Puts everything back as it was before the load, and takes the load away.

    A load that has finished stays as it is.
    """
    if database.read(_FINISHED_LOAD_STATEMENT, {"load": load_id}):
        return
    while _undo_newest_batch(database, load_id):
        pass
    for label in (CHANGE.label, LOAD.label):
        database.write(f"MATCH (n:{label} {{load_id: $load}}) DELETE n", {"load": load_id})


def delete_undo_images(database: Database, load_id: str) -> None:
    """Takes away what stood before a load that has finished."""
    statement = (
        f"MATCH (u:{UNDO.label} {{load_id: $load}}) WITH u LIMIT {UNDO_NOTES_PER_DELETE} DELETE u"
    )
    while database.write(statement, {"load": load_id}).nodes_deleted:
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
    before = json.loads(zlib.decompress(bytes(packed)), object_hook=_decode_date)
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
    for (kind, labels), rows in _group_images(was, "kind", "labels"):
        others = [label for label in _list_additional_labels(kind) if label not in labels]
        change = "".join(f" SET x:{label}" for label in labels if label != kind)
        change += "".join(f" REMOVE x:{label}" for label in others)
        tx.run(
            f"UNWIND $rows AS row MERGE (x:{kind} {{{NODE_KINDS[kind].key}: row.key}}) "
            f"SET x = row.properties{change}",
            {"rows": rows},
        ).consume()


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
