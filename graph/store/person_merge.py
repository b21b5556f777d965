"""Two people of the graph who turn out to be one become one node.

Everything that sources state of the one who goes is stated of the one who stands: the node's own
row, its further labels, every relation, by the same rules as if it had been loaded so
(`graph.store.merge`). A further id leads from the old id to the new. All of it is noted for undoing
like any other batch of the load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from neo4j import ManagedTransaction

from graph.model.kinds import FACETS, NODE_KINDS, RELATION_KINDS, RELATIONS
from graph.model.schema_types import Facet, NodeKind, Relation, build_facet_prefix
from graph.server.database import convert_neo4j_value
from graph.store.merge import (
    RecordConflict,
    Writer,
    build_label_expression,
    build_link_key,
    build_link_rules,
    build_node_key_expression,
    drop_nulls,
    fill_missing_values,
    is_linked_relation,
    list_stated_properties,
    read_batch_nodes,
    write_batch_nodes,
)
from graph.store.statements import RELATION_KEY_COLUMN, MergeRules, Statement
from graph.store.undo import NodeImage, RelationImage

# So many people go in one transaction.
MERGE_BATCH_PEOPLE = 500
PERSON, ALIAS = NODE_KINDS["Person"], NODE_KINDS["PersonAlias"]
IDENTIFIES = RELATION_KINDS["IDENTIFIES"]

Node = dict[str, Any]


@dataclass(frozen=True)
class PersonMerge:
    """Who stands for somebody, why (`IDENTITY_BASES`), and how probable that is where computed."""

    person_id: str
    basis: str
    probability: float | None = None


@dataclass(frozen=True)
class FoundRelation:
    """A relation of somebody who goes: its kinds and keys of ends, and its properties."""

    relation: Relation
    start: str
    a: str
    end: str
    b: str
    properties: Mapping[str, Any]

    @property
    def is_link(self) -> bool:
        """Whether the start node's own row states it, one at a time."""
        key = self.properties[RELATION_KEY_COLUMN]
        return is_linked_relation(self.relation) and key == build_link_key(self.relation)


def merge_people(writer: Writer, merges: Mapping[str, PersonMerge]) -> None:
    """Merges people into others. `merges`: person_id of who goes -> who stands, and why.

    Who stands need not be there yet. No one in `merges` goes and stands.
    """
    pairs = list(merges.items())
    for at in range(0, len(pairs), MERGE_BATCH_PEOPLE):
        _merge_batch(writer, dict(pairs[at : at + MERGE_BATCH_PEOPLE]))


def _merge_batch(writer: Writer, merges: Mapping[str, PersonMerge]) -> None:
    standing = {old: merge.person_id for old, merge in merges.items()}
    nodes = read_people_nodes(writer, [*standing, *standing.values()])
    standing = {old: new for old, new in standing.items() if old in nodes}
    if not standing:
        return
    relations = list(read_person_relations(writer, list(standing)))
    with writer.dated(max(nodes[old]["properties"]["load"] for old in standing)):
        _merge_nodes(writer, standing)
        for facet in FACETS:
            _merge_facet(writer, facet, standing, nodes)
        _move_relations(writer, standing, [one for one in relations if not one.is_link])
        _move_links(writer, standing, nodes, [one for one in relations if one.is_link])
        _write_aliases(writer, {old: merges[old] for old in standing}, nodes, relations)
    delete_people(writer, list(standing), relations)


def read_people_nodes(writer: Writer, ids: Sequence[str]) -> dict[str, Node]:
    """The nodes of these people that are there, by person_id."""
    keys = list(dict.fromkeys(ids))
    found: dict[str, Node] = writer.database.read_with(
        lambda tx: read_batch_nodes(tx, PERSON, keys), seconds=600
    )
    return found


def _merge_nodes(writer: Writer, standing: Mapping[str, str]) -> None:
    """States of those who stand what is stated of those who go."""
    rules = MergeRules.of(PERSON, writer.ranks)
    _state_together(writer, PERSON, rules, list_stated_properties(rules, PERSON), standing, "")


def _merge_facet(
    writer: Writer, facet: Facet, standing: Mapping[str, str], nodes: Mapping[str, Node]
) -> None:
    labelled = {old: new for old, new in standing.items() if facet.label in nodes[old]["labels"]}
    if labelled:
        rules = MergeRules.of(facet, writer.ranks, build_facet_prefix(facet))
        names = list_stated_properties(rules, facet)
        _state_together(writer, PERSON, rules, names, labelled, facet.label)


def _state_together(
    writer: Writer,
    kind: NodeKind,
    rules: MergeRules,
    names: Sequence[str],
    standing: Mapping[str, str],
    label: str,
) -> None:
    def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
        nodes = read_batch_nodes(tx, kind, [*standing, *standing.values()])
        images = writer.build_images()
        stated: dict[str, list[Statement]] = {}
        for old, new in standing.items():
            if new not in stated:
                images.add(NodeImage.of(kind.label, new, nodes.get(new)))
                there = nodes[new]["properties"] if new in nodes else {}
                stated[new] = writer.statements_of(rules, names, there)
            of_old = writer.statements_of(rules, names, nodes[old]["properties"])
            stated[new] = join_statements(stated[new], of_old)
        put, made = [], []
        for key, statements in stated.items():
            record = fill_missing_values(rules.decide(statements), names)
            properties = writer.to_properties(rules, record)
            if key in nodes:
                put.append({"id": nodes[key]["id"], "properties": properties})
            else:
                made.append({"properties": {kind.key: key, **drop_nulls(properties)}})
        write_batch_nodes(tx, kind, label, put, made)
        writer.keep_images(tx, images, {kind.label: stated})
        return len(stated), []

    writer.run_batch(once, 0)


def join_statements(first: Sequence[Statement], more: Sequence[Statement]) -> list[Statement]:
    """The statements of both, one a source: a source that speaks in both is heard in the first."""
    heard = {one.source for one in first}
    return [*first, *(one for one in more if one.source not in heard)]


def read_person_relations(writer: Writer, ids: Sequence[str]) -> Iterator[FoundRelation]:
    """Every relation of these people, once, whichever end they are."""
    for relation in RELATIONS:
        sides = [
            pattern
            for end, pattern in (
                (relation.start, "(a:Person {person_id: id})-[x:%s]->(b)"),
                (relation.end, "(a)-[x:%s]->(b:Person {person_id: id})"),
            )
            if PERSON.label in end.kinds
        ]
        seen: set[str] = set()
        for pattern in sides:
            for row in _read_side(writer, relation, pattern % relation.type, ids):
                if row["id"] not in seen:
                    seen.add(row["id"])
                    properties = convert_neo4j_value(row["properties"])
                    yield FoundRelation(
                        relation, row["start"], row["a"], row["end"], row["b"], properties
                    )


def _read_side(
    writer: Writer, relation: Relation, pattern: str, ids: Sequence[str]
) -> list[dict[str, Any]]:
    kinds = relation.start.kinds, relation.end.kinds
    return writer.database.read(
        f"UNWIND $ids AS id MATCH {pattern} RETURN elementId(x) AS id, "
        f"{build_label_expression('a', kinds[0])} AS start, "
        f"{build_node_key_expression('a', kinds[0])} AS a, "
        f"{build_label_expression('b', kinds[1])} AS end, "
        f"{build_node_key_expression('b', kinds[1])} AS b, properties(x) AS properties",
        {"ids": list(ids)},
        seconds=600,
    )


def _move_relations(
    writer: Writer, standing: Mapping[str, str], relations: Sequence[FoundRelation]
) -> None:
    """States the relations of those who go of those who stand; nobody's own master is made."""
    groups: dict[tuple[str, str, str], dict[tuple[str, str, str], list[Statement]]] = {}
    for one in relations:
        rules = MergeRules.of(one.relation, writer.ranks)
        names = list_stated_properties(rules, one.relation)
        a = standing.get(one.a, one.a) if one.start == PERSON.label else one.a
        b = standing.get(one.b, one.b) if one.end == PERSON.label else one.b
        if (one.start, a) == (one.end, b):
            continue
        key = "" if one.relation.one_tie else one.properties[RELATION_KEY_COLUMN]
        group = groups.setdefault((one.relation.type, one.start, one.end), {})
        stated = writer.statements_of(rules, names, one.properties)
        group[a, b, key] = [*group.get((a, b, key), ()), *stated]
    for (type, start, end), stated_by_pair in groups.items():
        relation = RELATION_KINDS[type]
        rules = MergeRules.of(relation, writer.ranks)
        writer.change_relations(relation, rules, start, end, stated_by_pair)


def _move_links(
    writer: Writer,
    standing: Mapping[str, str],
    nodes: Mapping[str, Node],
    links: Sequence[FoundRelation],
) -> None:
    """What a person's own row states one at a time, of sources that do not speak of who stands."""
    rules = build_link_rules(writer.ranks)
    for one in links:
        new = standing[one.a]
        heard = nodes[new]["properties"]["sources"] if new in nodes else ()
        before = {
            "properties": one.properties,
            "to": one.b,
            "end": one.end,
            "node": nodes[one.a]["properties"],
        }
        for statement in writer.link_statements(rules, before):
            if statement.source not in heard:
                key = one.properties[RELATION_KEY_COLUMN]
                writer.change_links(one.relation, one.start, key, {new: statement})


def _write_aliases(
    writer: Writer,
    merges: Mapping[str, PersonMerge],
    nodes: Mapping[str, Node],
    relations: Sequence[FoundRelation],
) -> None:
    """A further id for each who goes, stated by the sources that knew the person by it."""
    rules = MergeRules.of(PERSON, writer.ranks)
    elsewhere = _list_alias_rows(writer, relations)
    by_source: dict[str, dict[str, Statement]] = {}
    links: dict[tuple[str, str, str], list[Statement]] = {}
    for old, merge in merges.items():
        ground = {"basis": merge.basis, "probability": merge.probability}
        for one in writer.statements_of(rules, (), nodes[old]["properties"]):
            rows = [row for row in one.row.split(";") if (old, one.source, row) not in elsewhere]
            if rows:
                row = ";".join(rows)
                by_source.setdefault(one.source, {})[old] = Statement(one.source, row, {})
                link = Statement(one.source, row, ground)
                links.setdefault((old, merge.person_id, ""), []).append(link)
    for statements in by_source.values():
        writer.merge_nodes(ALIAS, MergeRules.of(ALIAS, writer.ranks), statements, label="")
    link_rules = MergeRules.of(IDENTIFIES, writer.ranks)
    writer.change_relations(IDENTIFIES, link_rules, ALIAS.label, PERSON.label, links)


def _list_alias_rows(
    writer: Writer, relations: Sequence[FoundRelation]
) -> set[tuple[str, str, str]]:
    """Person, source and row of what is stated of people under further ids that they have."""
    rules = MergeRules.of(IDENTIFIES, writer.ranks)
    return {
        (one.b, stated.source, row)
        for one in relations
        if one.relation is IDENTIFIES
        for stated in writer.statements_of(rules, (), one.properties)
        for row in stated.row.split(";")
    }


def delete_people(writer: Writer, ids: Sequence[str], relations: Sequence[FoundRelation]) -> None:
    """Takes away people with `relations`, which are all of theirs."""

    def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
        images = writer.build_images()
        keys: dict[str, set[str]] = {PERSON.label: set(ids)}
        for one in relations:
            images.add(
                RelationImage(one.relation.type, one.start, one.a, one.end, one.b, one.properties)
            )
            keys.setdefault(one.relation.type, set()).add(one.a)
        for key, node in read_batch_nodes(tx, PERSON, list(ids)).items():
            images.add(NodeImage.of(PERSON.label, key, node))
        tx.run(
            "UNWIND $ids AS id MATCH (p:Person {person_id: id}) DETACH DELETE p",
            {"ids": list(ids)},
        ).consume()
        writer.keep_images(tx, images, keys)
        return sum(map(len, keys.values())), []

    writer.run_batch(once, 0)
