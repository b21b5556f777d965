"""What is found of what a visitor types, with what tells each apart; recent and saved searches.

The names are found in `graph.names`; here the few that are shown are looked up in the graph. What
was typed may be a name: it stands in the visitor's own notebook and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from components import store
from graph.model import NODE_KINDS
from graph.names import KINDS
from graph.notebook import Entry

MOST_OF_A_KIND = 20
RECENTS = 10
# Shorter letters than this are not kept as a search: they are on the way to one.
LEAST_KEPT = 2

PEOPLE = """
UNWIND $ids AS id
MATCH (p:Person {person_id: id})
RETURN id, p.name AS name, p.province AS province, p:LeadingTalent AS leading,
  p.birth_date.year AS born,
  COLLECT { MATCH (p)-[r:RECOGNISED]->() RETURN r.level ORDER BY r.level DESC LIMIT 1 }[0] AS level,
  COLLECT { MATCH (p)-[:PRACTISES]->(o:Occupation) RETURN o.name LIMIT 1 }[0] AS occupation,
  COLLECT { MATCH (p)-[:EMPLOYED_BY]->(e:Enterprise) RETURN e.name LIMIT 1 }[0] AS enterprise,
  COLLECT { MATCH (p)-[:NAMED]->(h:Honour) RETURN DISTINCT h.honour } AS bases,
  COLLECT { MATCH (p)-[:HONOURED]->(h:Honour) RETURN DISTINCT h.honour } AS honours
"""
STUDIOS = """
UNWIND $ids AS id
MATCH (s:Studio {studio_id: id})
RETURN id, s.name AS name, s.province AS province, s.kind AS kind, s.grade AS grade,
  COLLECT { MATCH (s)<-[l:LEADS]-(p:Person)
            RETURN {id: p.person_id, name: p.name} ORDER BY l.start DESC LIMIT 1 }[0] AS leader,
  COUNT { MATCH (s)<-[:TRAINED_AT]-(p:Person) RETURN DISTINCT p } AS trained
"""
OTHERS = "UNWIND $ids AS id MATCH (n:{kind} {{{key}: id}}) RETURN id, properties(n) AS properties"

Which = Literal["recent", "saved"]


@dataclass(frozen=True)
class Results:
    """Of one kind: how many are found, how many of them are only alike, and the first rows.

    A row has id, name, match (one of `graph.names.MATCHES`) and what tells it apart.
    """

    total: int
    alike: int
    rows: list[dict[str, Any]]


def find(
    text: str, kinds: Iterable[str] = tuple(KINDS), most: int = MOST_OF_A_KIND
) -> dict[str, Results]:
    """What is found of what was typed, by kind, in the order of `graph.names.NameIndex.find`."""
    found = {}
    for kind, of_kind in store.names().find(text, kinds, most).items():
        rows = told_apart(kind, [hit.key for hit in of_kind.hits])
        matched = {hit.key: hit.match for hit in of_kind.hits}
        rows = [row | {"match": matched[row["id"]]} for row in rows]
        found[kind] = Results(of_kind.total, of_kind.alike, rows)
    return found


def told_apart(kind: str, ids: list[str]) -> list[dict[str, Any]]:
    """What tells these apart, in their order; those that the graph no longer has are left out."""
    if kind == "Person":
        return people(ids)
    if kind == "Studio":
        return _in_order(STUDIOS, ids)
    rows = _in_order(OTHERS.format(kind=kind, key=NODE_KINDS[kind].key), ids)
    return [row["properties"] | {"id": row["id"]} for row in rows]


def people(ids: list[str]) -> list[dict[str, Any]]:
    """id, name, province, leading, born, level, occupation, enterprise, bases, honours."""
    return _in_order(PEOPLE, ids)


def _in_order(cypher: str, ids: list[str]) -> list[dict[str, Any]]:
    rows = {row["id"]: row for row in store.read(cypher, ids=ids)}
    return [rows[id] for id in ids if id in rows]


# --- recent and saved -------------------------------------------------------------------------


def searches(which: Which, owner: str) -> list[Entry]:
    """The owner's searches, the newest first; `body["text"]` is what was typed."""
    most = RECENTS if which == "recent" else 200
    return store.notebook().entries("search", owner=owner, subject=which, most=most)


def keep_search(which: Which, owner: str, text: str, instead_of: int | None = None) -> int | None:
    """Keeps what was typed as the newest; the entry's number, None when it is too short.

    The same text kept before goes, and so does `instead_of`: what the visitor typed on the way.
    """
    text = text.strip()
    notebook = store.notebook()
    if instead_of is not None:
        notebook.remove(instead_of, owner)
    if len(text) < LEAST_KEPT:
        return None
    kept = notebook.entries("search", owner=owner, subject=which)
    for place, entry in enumerate(kept):
        if entry.body.get("text") == text or (which == "recent" and place >= RECENTS - 1):
            notebook.remove(entry.id, owner)
    return notebook.add("search", owner, which, {"text": text}).id


def forget_search(id: int, owner: str) -> None:
    """Takes one of the owner's searches away."""
    store.notebook().remove(id, owner)
