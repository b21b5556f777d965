"""Two people, or two organisations, of the graph that turn out to be one become one node.

Everything that sources state of the one that goes is stated of the one that stands: the node's own
row, its further labels, every relation, and the rows of others that name it (a person's employer,
the enterprise of a mentorship), by the same rules as if it had been loaded so
(`graph.store.merge`). A further id leads from the old id to the new. All of it is noted for undoing
like any other batch of the load.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from neo4j import ManagedTransaction

from graph.model.kinds import FACETS, NODE_KINDS, NODES, RELATION_KINDS, RELATIONS
from graph.model.schema_types import Facet, NodeKind, Relation, build_facet_prefix
from graph.server.database import convert_neo4j_value
from graph.store.merge import (
    LINK_TO,
    WRITE_BATCH_ROWS,
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

# The property that says which load last wrote a record.
LOAD_COLUMN: Final = "load"
# So many nodes go in one transaction.
MERGE_BATCH_NODES = 500
# The value is cut out and looked up: to search each text for each id takes their product.
_ANY_STATED_CONDITION: Final = (
    "(x.stated IS NOT NULL AND "
    "any(told IN x.stated WHERE split(split(told, $before)[1], '\"')[0] IN $values))"
)

Node = dict[str, Any]


@dataclass(frozen=True)
class IdentityKind:
    """A kind of node that departments number each in their own way, and its further ids."""

    node: NodeKind
    alias: NodeKind
    identifies: Relation


PEOPLE = IdentityKind(NODE_KINDS["Person"], NODE_KINDS["PersonAlias"], RELATION_KINDS["IDENTIFIES"])
ENTERPRISES = IdentityKind(
    NODE_KINDS["Enterprise"], NODE_KINDS["EnterpriseAlias"], RELATION_KINDS["DENOTES"]
)
SCHOOLS = IdentityKind(
    NODE_KINDS["School"], NODE_KINDS["SchoolAlias"], RELATION_KINDS["DENOTES_SCHOOL"]
)
STUDIOS = IdentityKind(
    NODE_KINDS["Studio"], NODE_KINDS["StudioAlias"], RELATION_KINDS["DENOTES_STUDIO"]
)
# Enterprises and schools first: a studio's host tells one studio from another.
ORGANISATIONS: Sequence[IdentityKind] = (ENTERPRISES, SCHOOLS, STUDIOS)
IDENTITY_KINDS: Mapping[str, IdentityKind] = {
    identity.node.label: identity for identity in (PEOPLE, *ORGANISATIONS)
}


@dataclass(frozen=True)
class IdentityMerge:
    """Which id stands for another, why (`IDENTITY_BASES`), how probable that is where computed."""

    standing_id: str
    basis: str
    probability: float | None = None


@dataclass(frozen=True)
class FoundRelation:
    """A relation of a node that goes: its kinds and keys of ends, and its properties."""

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

    def is_named_by_start(self, identity: IdentityKind) -> bool:
        """Whether another node's own row names one of these as the end of a link."""
        return self.is_link and self.start != identity.node.label


def merge_identities(
    writer: Writer, identity: IdentityKind, merges: Mapping[str, IdentityMerge]
) -> None:
    """Merges nodes into others. `merges`: id of what goes -> what stands, and why.

    What stands need not be there yet. Nothing in `merges` goes and stands. Of several that go to
    one the first id is heard first.
    """
    pairs = sorted(merges.items(), key=lambda pair: pair[0])
    for at in range(0, len(pairs), MERGE_BATCH_NODES):
        _merge_batch(writer, identity, dict(pairs[at : at + MERGE_BATCH_NODES]))


def _merge_batch(
    writer: Writer, identity: IdentityKind, merges: Mapping[str, IdentityMerge]
) -> None:
    standing = {old: merge.standing_id for old, merge in merges.items()}
    nodes = read_identity_nodes(writer, identity, [*standing, *standing.values()])
    standing = {old: new for old, new in standing.items() if old in nodes}
    if not standing:
        return
    relations = list(read_node_relations(writer, identity, list(standing)))
    naming = [one for one in relations if one.is_named_by_start(identity)]
    own = [one for one in relations if not one.is_named_by_start(identity)]
    with writer.dated(max(nodes[old]["properties"]["load"] for old in standing)):
        _merge_nodes(writer, identity, standing)
        for facet in FACETS:
            if facet.kind == identity.node.label:
                _merge_facet(writer, facet, standing, nodes)
        _move_relations(writer, identity, standing, [one for one in own if not one.is_link])
        _move_links(writer, standing, nodes, [one for one in own if one.is_link])
        redirect_names(writer, identity, naming, standing)
        redirect_mentions(writer, identity, standing)
        _write_aliases(writer, identity, {old: merges[old] for old in standing}, nodes, own)
    delete_identity_nodes(writer, identity, list(standing), own)


def read_identity_nodes(
    writer: Writer, identity: IdentityKind, ids: Sequence[str]
) -> dict[str, Node]:
    """The nodes with these ids that are there, by id."""
    keys = list(dict.fromkeys(ids))
    found: dict[str, Node] = writer.database.read_with(
        lambda tx: read_batch_nodes(tx, identity.node, keys), seconds=600
    )
    return found


def _merge_nodes(writer: Writer, identity: IdentityKind, standing: Mapping[str, str]) -> None:
    """States of those that stand what is stated of those that go."""
    kind = identity.node
    rules = MergeRules.of(kind, writer.ranks)
    _state_together(writer, kind, rules, list_stated_properties(rules, kind), standing, "")


def _merge_facet(
    writer: Writer, facet: Facet, standing: Mapping[str, str], nodes: Mapping[str, Node]
) -> None:
    labelled = {old: new for old, new in standing.items() if facet.label in nodes[old]["labels"]}
    if labelled:
        rules = MergeRules.of(facet, writer.ranks, build_facet_prefix(facet))
        names = list_stated_properties(rules, facet)
        kind = NODE_KINDS[facet.kind]
        _state_together(writer, kind, rules, names, labelled, facet.label)


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
            stated[new] = join_statements(rules, stated[new], of_old)
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


def join_statements(
    rules: MergeRules, first: Sequence[Statement], more: Sequence[Statement]
) -> list[Statement]:
    """The statements of both, one a source: a source that speaks in both is heard in the first,
    and where that is empty in the second, as when one load states both.
    """
    joined = {one.source: one for one in first}
    for one in more:
        heard = joined.get(one.source)
        joined[one.source] = one if heard is None else rules.join(heard, one)
    return list(joined.values())


def read_node_relations(
    writer: Writer, identity: IdentityKind, ids: Sequence[str]
) -> Iterator[FoundRelation]:
    """Every relation of these nodes, once, whichever end they are."""
    label, key = identity.node.label, identity.node.key
    for relation in RELATIONS:
        sides = [
            pattern
            for end, pattern in (
                (relation.start, f"(a:{label} {{{key}: id}})-[x:{relation.type}]->(b)"),
                (relation.end, f"(a)-[x:{relation.type}]->(b:{label} {{{key}: id}})"),
            )
            if label in end.kinds
        ]
        seen: set[str] = set()
        for pattern in sides:
            for row in _read_side(writer, relation, pattern, ids):
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
    writer: Writer,
    identity: IdentityKind,
    standing: Mapping[str, str],
    relations: Sequence[FoundRelation],
) -> None:
    """States the relations of those that go of those that stand; nobody's own master is made."""
    label = identity.node.label
    groups: dict[tuple[str, str, str], dict[tuple[str, str, str], list[Statement]]] = {}
    for one in relations:
        rules = MergeRules.of(one.relation, writer.ranks)
        names = list_stated_properties(rules, one.relation)
        a = standing.get(one.a, one.a) if one.start == label else one.a
        b = standing.get(one.b, one.b) if one.end == label else one.b
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
    """What a node's own row states one at a time, of sources that state none of what stands."""
    rules = build_link_rules(writer.ranks)
    moved: dict[tuple[str, str, str], dict[str, list[Statement]]] = {}
    for one in links:
        before = {
            "properties": one.properties,
            "to": one.b,
            "end": one.end,
            "node": nodes[one.a]["properties"],
        }
        place = (one.relation.type, one.start, one.properties[RELATION_KEY_COLUMN])
        stated, new = moved.setdefault(place, {}), standing[one.a]
        found = writer.link_statements(rules, before)
        stated[new] = _add_unheard(stated.get(new, []), found)
    for (type, start, key), by_node in moved.items():
        added = {new: partial(_add_unheard, more=stated) for new, stated in by_node.items()}
        writer.change_links(RELATION_KINDS[type], start, key, added)


def _add_unheard(standing: Sequence[Statement], more: Sequence[Statement]) -> list[Statement]:
    """The statements that stand, and those of sources that do not speak in them."""
    heard = {one.source for one in standing}
    return [*standing, *(one for one in more if one.source not in heard)]


@dataclass(frozen=True)
class RenamedNames:
    """Ids that other nodes' rows name -> those to be named instead; `sources`: by whom, or all."""

    ids: Mapping[str, str]
    sources: Collection[str] | None = None

    def apply(self, statements: Iterable[Statement], column: str) -> list[Statement]:
        """The statements with the new ids in a column."""
        return [self._rename(one, column) for one in statements]

    def _rename(self, one: Statement, column: str) -> Statement:
        if self.sources is not None and one.source not in self.sources:
            return one
        named = one.values.get(column)
        if named is None:
            return one
        return replace(one, values={**one.values, column: self.ids.get(named, named)})


def redirect_names(
    writer: Writer,
    identity: IdentityKind,
    naming: Sequence[FoundRelation],
    ids: Mapping[str, str],
    sources: Collection[str] | None = None,
) -> None:
    """Names other ids in the rows of nodes that name these: a person's employer, a studio's host.

    `naming`: the links to these ids; of nodes whose link leads elsewhere, what a source says that
    is not believed is changed too. Only statements of `sources`, where they are given.
    """
    renamed = RenamedNames(ids, sources)
    for kind in NODES:
        for link in kind.links:
            if identity.node.label not in link.ends or kind is identity.node:
                continue
            linked = {
                one.a
                for one in naming
                if (one.start, one.relation.type) == (kind.label, link.relation)
            }
            keys = sorted(linked | _find_unbelieved_names(writer, kind, link.column, ids))
            for at in range(0, len(keys), WRITE_BATCH_ROWS):
                part = keys[at : at + WRITE_BATCH_ROWS]
                _redirect_column(writer, kind, link.column, part, renamed)
                relation = RELATION_KINDS[link.relation]
                redirected = {key: partial(renamed.apply, column=LINK_TO) for key in part}
                writer.change_links(relation, kind.label, build_link_key(relation), redirected)


def _find_unbelieved_names(
    writer: Writer, kind: NodeKind, column: str, ids: Iterable[str]
) -> set[str]:
    """The nodes of which several sources state something, and one of them names such an id."""
    rows = writer.database.read(
        f"MATCH (x:{kind.label}) WHERE {_ANY_STATED_CONDITION} RETURN x.{kind.key} AS key",
        _build_stated_parameters(column, ids),
        seconds=600,
    )
    return {row["key"] for row in rows}


def _build_stated_parameters(column: str, ids: Iterable[str]) -> dict[str, Any]:
    """For `_ANY_STATED_CONDITION`: what stands before a value in `stated`, and the values there.

    An id with a quotation mark in it is compared up to that mark; what is found is looked at again.
    """
    values = {json.dumps(id, ensure_ascii=False)[1:-1].partition('"')[0] for id in ids}
    return {"before": f'"{column}": "', "values": sorted(values)}


def _redirect_column(
    writer: Writer, kind: NodeKind, column: str, keys: Sequence[str], renamed: RenamedNames
) -> None:
    """The same in the property that the nodes' own rows state."""
    rules = MergeRules.of(kind, writer.ranks)
    names = list_stated_properties(rules, kind)

    def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
        images, put = writer.build_images(), []
        for key, node in read_batch_nodes(tx, kind, list(keys)).items():
            images.add(NodeImage.of(kind.label, key, node))
            before = writer.statements_of(rules, names, node["properties"])
            record = rules.decide(renamed.apply(before, column))
            properties = writer.to_properties(rules, fill_missing_values(record, names))
            properties[LOAD_COLUMN] = node["properties"][LOAD_COLUMN]
            put.append({"id": node["id"], "properties": properties})
        write_batch_nodes(tx, kind, "", put, [])
        writer.keep_images(tx, images, {kind.label: keys})
        return len(keys), []

    if keys:
        writer.run_batch(once, 0)


def redirect_mentions(
    writer: Writer,
    identity: IdentityKind,
    ids: Mapping[str, str],
    sources: Collection[str] | None = None,
) -> None:
    """Names other ids in relations that only mention these: the enterprise of a mentorship.

    What a source says that is not believed is changed too. Only statements of `sources`, where
    they are given. A relation stays that of the load that last wrote it.
    """
    renamed = RenamedNames(ids, sources)
    for relation in RELATIONS:
        ends = (relation.start.column, relation.end.column)
        columns = [prop.name for prop in relation.properties if prop.name == identity.node.key]
        for column in columns if identity.node.key not in ends else ():
            rules = MergeRules.of(relation, writer.ranks)
            names = list_stated_properties(rules, relation)
            groups: dict[
                tuple[str | None, str, str], dict[tuple[str, str, str], list[Statement]]
            ] = {}
            for one in _read_mentioning_relations(writer, relation, column, list(ids)):
                before = writer.statements_of(rules, names, one.properties)
                after = renamed.apply(before, column)
                if after != before:
                    key = "" if relation.one_tie else one.properties[RELATION_KEY_COLUMN]
                    load = one.properties.get(LOAD_COLUMN)
                    group = groups.setdefault((load, one.start, one.end), {})
                    group.setdefault((one.a, one.b, key), []).extend(after)
            for (load, start, end), stated in groups.items():
                with writer.dated(load):
                    writer.change_relations(relation, rules, start, end, stated)


def _read_mentioning_relations(
    writer: Writer, relation: Relation, column: str, ids: Sequence[str]
) -> list[FoundRelation]:
    """The relations of which some source's row mentions one of these ids in the column."""
    kinds = relation.start.kinds, relation.end.kinds
    rows = writer.database.read(
        f"MATCH (a)-[x:{relation.type}]->(b) WHERE x.{column} IN $ids OR {_ANY_STATED_CONDITION} "
        f"RETURN {build_label_expression('a', kinds[0])} AS start, "
        f"{build_node_key_expression('a', kinds[0])} AS a, "
        f"{build_label_expression('b', kinds[1])} AS end, "
        f"{build_node_key_expression('b', kinds[1])} AS b, properties(x) AS properties",
        {"ids": list(ids), **_build_stated_parameters(column, ids)},
        seconds=600,
    )
    return [
        FoundRelation(
            relation,
            row["start"],
            row["a"],
            row["end"],
            row["b"],
            convert_neo4j_value(row["properties"]),
        )
        for row in rows
    ]


def _write_aliases(
    writer: Writer,
    identity: IdentityKind,
    merges: Mapping[str, IdentityMerge],
    nodes: Mapping[str, Node],
    relations: Sequence[FoundRelation],
) -> None:
    """A further id for each that goes, stated by the sources that knew the node by it."""
    rules = MergeRules.of(identity.node, writer.ranks)
    link_rules = MergeRules.of(identity.identifies, writer.ranks)
    grounds = list_stated_properties(link_rules, identity.identifies)
    elsewhere = _list_alias_rows(writer, identity, relations)
    by_source: dict[str, dict[str, Statement]] = {}
    links: dict[tuple[str, str, str], list[Statement]] = {}
    for old, merge in merges.items():
        ground = {"basis": merge.basis, "probability": merge.probability}
        ground = {name: value for name, value in ground.items() if name in grounds}
        for one in writer.statements_of(rules, (), nodes[old]["properties"]):
            rows = [row for row in one.row.split(";") if (old, one.source, row) not in elsewhere]
            if rows:
                row = ";".join(rows)
                by_source.setdefault(one.source, {})[old] = Statement(one.source, row, {})
                link = Statement(one.source, row, ground)
                links.setdefault((old, merge.standing_id, ""), []).append(link)
    alias = identity.alias
    for statements in by_source.values():
        writer.merge_nodes(alias, MergeRules.of(alias, writer.ranks), statements, label="")
    writer.change_relations(
        identity.identifies, link_rules, alias.label, identity.node.label, links
    )


def _list_alias_rows(
    writer: Writer, identity: IdentityKind, relations: Sequence[FoundRelation]
) -> set[tuple[str, str, str]]:
    """Node, source and row of what is stated under further ids that these nodes have."""
    rules = MergeRules.of(identity.identifies, writer.ranks)
    return {
        (one.b, stated.source, row)
        for one in relations
        if one.relation is identity.identifies
        for stated in writer.statements_of(rules, (), one.properties)
        for row in stated.row.split(";")
    }


def delete_identity_nodes(
    writer: Writer,
    identity: IdentityKind,
    ids: Sequence[str],
    relations: Sequence[FoundRelation],
) -> None:
    """Takes away nodes with `relations`, which are all of theirs."""
    kind = identity.node

    def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
        images = writer.build_images()
        keys: dict[str, set[str]] = {kind.label: set(ids)}
        for one in relations:
            images.add(
                RelationImage(one.relation.type, one.start, one.a, one.end, one.b, one.properties)
            )
            keys.setdefault(one.relation.type, set()).add(one.a)
        for key, node in read_batch_nodes(tx, kind, list(ids)).items():
            images.add(NodeImage.of(kind.label, key, node))
        tx.run(
            f"UNWIND $ids AS id MATCH (x:{kind.label} {{{kind.key}: id}}) DETACH DELETE x",
            {"ids": list(ids)},
        ).consume()
        writer.keep_images(tx, images, keys)
        return sum(map(len, keys.values())), []

    writer.run_batch(once, 0)
