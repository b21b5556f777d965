"""Finds people, studios, enterprises, schools and occupations by part of a name."""

from __future__ import annotations

import re
from typing import Any

from components import store

# Han, with its extensions: what the index cuts into pairs of characters.
HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
RUNS = re.compile(rf"[{HAN}]+|[^\s{HAN}]+")
LUCENE = re.compile(r'([+\-!(){}\[\]^"~*?:\\/&|])')
KINDS = ("Person", "Studio", "Enterprise", "School", "Occupation", "Competition", "Province")
MOST_OF_A_KIND = 20
MOST_READ = 400

FIND = """
CALL () {
  CALL db.index.fulltext.queryNodes('names', $query, {limit: $most}) YIELD node, score
  RETURN node, score
  UNION ALL
  MATCH (node:Person {person_id: $text}) RETURN node, 1000.0 AS score
}
WITH node, max(score) AS score,
     [kind IN $kinds WHERE kind IN labels(node)][0] AS kind
WHERE kind IS NOT NULL
WITH kind, node, score, kind = 'Person' AND node:LeadingTalent AS leading
ORDER BY leading DESC, score DESC, node.name
WITH kind, collect(node) AS nodes
RETURN kind, size(nodes) AS found, nodes[..$of_a_kind] AS nodes
"""
PEOPLE = """
UNWIND $ids AS id
MATCH (p:Person {person_id: id})
RETURN id, p.name AS name, p.province AS province, p:LeadingTalent AS leading,
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


def full_text(text: str) -> str:
    """The Lucene query for what was typed; "" when there is nothing to look for.

    Han characters are found anywhere in a name, other words by their beginning; all must be there.
    """
    terms = []
    for run in RUNS.findall(text.strip()):
        if re.match(f"[{HAN}]", run):
            # The index holds pairs of characters, so one alone is the part of a pair.
            terms.append(f'"{run}"' if len(run) > 1 else f"({run}* OR *{run})")
        else:
            words = [w for w in re.split(r"[^\w]+", run.lower()) if w]
            terms += [LUCENE.sub(r"\\\1", word) + "*" for word in words]
    return " AND ".join(terms)


def find(text: str) -> dict[str, tuple[int, list[dict[str, Any]]]]:
    """Kind -> how many were found and the first of them, leading talents first.

    A row is the node's properties; people and studios have what tells them apart besides.
    """
    query = full_text(text)
    if not query:
        return {}
    rows = store.read(
        FIND, query=query, text=text.strip(), kinds=KINDS, most=MOST_READ,
        of_a_kind=MOST_OF_A_KIND,
    )  # fmt: skip
    found: dict[str, tuple[int, list[dict[str, Any]]]] = {}
    for row in sorted(rows, key=lambda row: KINDS.index(row["kind"])):
        nodes = [node["properties"] for node in row["nodes"]]
        found[row["kind"]] = row["found"], _told_apart(row["kind"], nodes)
    return found


def _told_apart(kind: str, nodes: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if kind == "Person":
        return people([node["person_id"] for node in nodes])
    if kind == "Studio":
        return _in_order(STUDIOS, [node["studio_id"] for node in nodes])
    return nodes


def people(ids: list[str]) -> list[dict[str, Any]]:
    """id, name, province, leading, level, occupation, enterprise, bases, honours; in order."""
    return _in_order(PEOPLE, ids)


def _in_order(cypher: str, ids: list[str]) -> list[dict[str, Any]]:
    rows = {row["id"]: row for row in store.read(cypher, ids=ids)}
    return [rows[id] for id in ids if id in rows]
