"""Takes people out of the graph for good: nodes, further ids, relations, and what names them.

Nothing of it is noted for undoing. Every step may be done again, so that an erasure that broke off
goes on where it stopped: it is given the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from graph.server.database import Database
from graph.store.merge import EVERY_FRAME_MARK
from graph.store.undo import delete_old_undo_images

# So many relations of somebody go in one transaction.
ERASE_BATCH_RELATIONS: Final = 10_000
# Kinds of nodes that a cell of another table makes: those go that nobody else names.
_REFERENCE_KINDS: Final = ("Honour", "Occupation", "Province", "Achievement", "Subsidy")
_IDS_OF_PERSON_STATEMENT: Final = (
    "OPTIONAL MATCH (one:Person {person_id: $id}) "
    "OPTIONAL MATCH (:PersonAlias {alias_id: $id})-[:IDENTIFIES]->(other:Person) "
    "WITH coalesce(one, other) AS p WHERE p IS NOT NULL "
    "OPTIONAL MATCH (a:PersonAlias)-[:IDENTIFIES]->(p) "
    "RETURN p.person_id AS person_id, collect(a.alias_id) AS aliases, properties(p) AS properties"
)
_RELATIONS_OF_PERSON_STATEMENT: Final = (
    "MATCH (p:Person {person_id: $id})-[x]-() RETURN type(x) AS type, properties(x) AS properties"
)
# An apprentice of nobody else is none any more; in the transaction that takes the mentorship.
_ERASE_MENTORSHIPS_STATEMENT: Final = (
    "UNWIND $ids AS id MATCH (:Person {person_id: id})-[x:MENTORS]->(a) "
    f"WITH x, a LIMIT {ERASE_BATCH_RELATIONS} DELETE x WITH DISTINCT a "
    "WHERE NOT (a)<-[:MENTORS]-() REMOVE a:Apprentice"
)
_ERASE_RELATIONS_STATEMENT: Final = (
    "UNWIND $ids AS id MATCH (:Person {person_id: id})-[x]-(b) "
    f"WITH DISTINCT x, b LIMIT {ERASE_BATCH_RELATIONS} DELETE x WITH DISTINCT b "
    f"WHERE (b:{'|'.join(_REFERENCE_KINDS)}) AND NOT (b)--() "
    "AND all(told IN coalesce(b.stated, []) WHERE told CONTAINS '\"named\": true') "
    "AND size(coalesce(b.stated, [])) = size(b.sources) DELETE b"
)
_ERASE_NODES_STATEMENTS: Final = (
    "UNWIND $ids AS id MATCH (a:PersonAlias {alias_id: id}) DETACH DELETE a",
    "UNWIND $ids AS id MATCH (p:Person {person_id: id}) DETACH DELETE p",
)
_ERASE_JOURNAL_STATEMENT: Final = (
    "MATCH (c:Change) WHERE any(key IN c.keys WHERE key IN $ids) "
    "SET c.keys = [key IN c.keys WHERE NOT key IN $ids]"
)
_MASK_FILES_STATEMENT: Final = (
    "MATCH (l:Load) WHERE any(file IN l.files WHERE file CONTAINS $name) "
    "SET l.files = [file IN l.files | replace(file, $name, $mask)]"
)
_NOTE_EVERYTHING_STATEMENT: Final = "CREATE (:Change {load_id: $load, frame: $frame, keys: []})"
ERASED_MASK: Final = "***"


@dataclass(frozen=True)
class PersonRecords:
    """What the graph holds of one person: the id that stands, further ids, the node's properties,
    relations (type, properties), each once."""

    person_id: str
    aliases: tuple[str, ...]
    properties: Mapping[str, Any]
    relations: tuple[tuple[str, Mapping[str, Any]], ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """Every id, the one that stands first."""
        return (self.person_id, *self.aliases)


def read_person_records(database: Database, id: str) -> PersonRecords | None:
    """What the graph holds of the person with this id, which may be a further one; else None."""
    found = database.read(_IDS_OF_PERSON_STATEMENT, {"id": id}, seconds=600)
    if not found:
        return None
    (row,) = found
    relations = database.read(_RELATIONS_OF_PERSON_STATEMENT, {"id": row["person_id"]}, seconds=600)
    return PersonRecords(
        row["person_id"],
        tuple(sorted(row["aliases"])),
        row["properties"],
        tuple((one["type"], one["properties"]) for one in relations),
    )


def list_shared_names(database: Database, names: Sequence[str], ids: Sequence[str]) -> set[str]:
    """Those of the names that another person has too, or has in a longer name."""
    found = database.read(
        "UNWIND $names AS name WITH name WHERE EXISTS {MATCH (p:Person) "
        "WHERE p.name CONTAINS name AND NOT p.person_id IN $ids} RETURN name",
        {"names": list(names), "ids": list(ids)},
        seconds=3600,
    )
    return {row["name"] for row in found}


def list_places_with_name(
    database: Database, name: str, ids: Sequence[str]
) -> list[tuple[str, str]]:
    """Places, competitions, projects and achievements whose name has this in it: kind and key.

    Achievements of the people with these `ids` alone are left out: they go with them.
    """
    found = database.read(
        "MATCH (x:Studio|Enterprise|School|Competition|Project|Achievement) "
        "WHERE coalesce(x.name, x.title) CONTAINS $name AND (NOT x:Achievement OR EXISTS "
        "{MATCH (x)<-[:ACHIEVED]-(p) WHERE NOT p.person_id IN $ids}) "
        "RETURN labels(x)[0] AS kind, coalesce(x.studio_id, x.project_id, x.enterprise_id, "
        "x.school_id, x.competition_id, x.title) AS key ORDER BY kind, key",
        {"name": name, "ids": list(ids)},
        seconds=600,
    )
    return [(row["kind"], row["key"]) for row in found]


def erase_person_records(
    database: Database, load_id: str, ids: Sequence[str], names: Sequence[str] = ()
) -> None:
    """Takes people out of the graph, all ids of each in `ids`, and notes a full read.

    What stood before earlier loads goes too, so that none of them can be undone any more.

    `names` are taken out of the names of loaded files.
    """
    given = {"ids": list(ids)}
    database.write(_NOTE_EVERYTHING_STATEMENT, {"load": load_id, "frame": EVERY_FRAME_MARK})
    for statement in (_ERASE_MENTORSHIPS_STATEMENT, _ERASE_RELATIONS_STATEMENT):
        while database.write(statement, given).relationships_deleted:
            pass
    for statement in _ERASE_NODES_STATEMENTS:
        database.write(statement, given)
    delete_old_undo_images(database, 0)  # an undoing would bring the people back
    database.write(_ERASE_JOURNAL_STATEMENT, given)
    for name in names:
        database.write(_MASK_FILES_STATEMENT, {"name": name, "mask": ERASED_MASK})
