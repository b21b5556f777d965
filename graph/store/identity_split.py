"""Two nodes that were merged by probability or decision are parted again: the inverse of a merge.

Every value and every relation lists which source states it. A source that knows the node by the
further id alone states the one that leaves; every other source states the one that stays. Where a
source knows the node by both ids, what it states of which can no longer be determined, and nothing
is parted: only loading the data anew does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from neo4j import ManagedTransaction

from graph.errors import UsageError
from graph.model.kinds import FACETS, NODE_KINDS, RELATION_KINDS
from graph.model.schema_types import Facet, build_facet_prefix
from graph.store.identity_merge import (
    PEOPLE,
    FoundRelation,
    IdentityKind,
    Node,
    delete_identity_nodes,
    read_identity_nodes,
    read_node_relations,
    redirect_mentions,
    redirect_names,
)
from graph.store.merge import (
    LINK_TO,
    RecordConflict,
    Writer,
    build_link_rules,
    list_stated_properties,
    read_batch_nodes,
)
from graph.store.statements import (
    RELATION_KEY_COLUMN,
    MergeRules,
    Statement,
    parse_stored_sources,
)
from graph.store.undo import NodeImage

_PERSON_DIGEST = "id_digest"


def split_identity(writer: Writer, identity: IdentityKind, alias_id: str, standing_id: str) -> None:
    """Makes the further id a node of its own again, with all that its sources state.

    Raises UsageError, before anything is written, where it cannot be determined who states what.
    """
    node = read_identity_nodes(writer, identity, [standing_id])[standing_id]
    relations = list(read_node_relations(writer, identity, [standing_id]))
    own = [one for one in relations if not one.is_named_by_start(identity)]
    naming = [one for one in relations if one.is_named_by_start(identity)]
    leaving = _find_leaving_sources(writer, identity, alias_id, node, own)
    _check_sources_known(writer, identity, node, own)
    leaving_aliases = {alias_id, *_list_digest_aliases(writer, node, own, leaving)}
    owners = {source: alias_id for source in leaving}
    with writer.dated(node["properties"]["load"]):
        named = _read_naming_nodes(writer, naming)
        delete_identity_nodes(writer, identity, [standing_id], relations)
        _delete_alias(writer, identity, alias_id)
        _restate_node(writer, identity, node, standing_id, owners)
        for facet in FACETS:
            if facet.kind == identity.node.label and facet.label in node["labels"]:
                _restate_facet(writer, facet, node, standing_id, owners)
        _restate_links(writer, node, standing_id, owners, [x for x in own if x.is_link])
        _restate_naming_links(writer, standing_id, owners, naming, named)
        redirect_names(writer, identity, naming, {standing_id: alias_id}, leaving)
        redirect_mentions(writer, identity, {standing_id: alias_id}, leaving)
        plain = [x for x in own if not x.is_link and x.a != alias_id]
        _restate_relations(writer, identity, standing_id, owners, leaving_aliases, plain)


def _find_leaving_sources(
    writer: Writer,
    identity: IdentityKind,
    alias_id: str,
    node: Node,
    relations: Sequence[FoundRelation],
) -> set[str]:
    """The sources that know the node by this further id, and by no other."""
    rules = MergeRules.of(identity.identifies, writer.ranks)
    rows: dict[str, dict[str, set[str]]] = {}
    for one in relations:
        if one.relation is identity.identifies:
            for stated in writer.statements_of(rules, (), one.properties):
                rows.setdefault(stated.source, {})[one.a] = set(stated.row.split(";"))
    node_rules = MergeRules.of(identity.node, writer.ranks)
    own = {
        stated.source: set(stated.row.split(";"))
        for stated in writer.statements_of(node_rules, (), node["properties"])
    }
    found = {source for source, by_alias in rows.items() if alias_id in by_alias}
    for source in found:
        known_rows = rows[source][alias_id]
        if len(rows[source]) > 1 or not own.get(source, set()) <= known_rows:
            raise _build_unclear_source_error(source, alias_id)
    if found == set(own):
        raise _build_unclear_source_error(sorted(found)[0], alias_id)
    return found


def _check_sources_known(
    writer: Writer, identity: IdentityKind, node: Node, relations: Sequence[FoundRelation]
) -> None:
    """Raises UsageError for a source that states relations of the node, and no row of it."""
    known = set(node["properties"]["sources"])
    id = node["properties"][identity.node.key]
    for one in relations:
        for source in parse_stored_sources(one.properties["sources"]):
            if source not in known:
                raise _build_unclear_source_error(source, id)
    for facet in FACETS:
        for source in node["properties"].get(f"{build_facet_prefix(facet)}sources") or ():
            if source not in known:
                raise _build_unclear_source_error(source, id)


def _build_unclear_source_error(source: str, id: str) -> UsageError:
    return UsageError(
        "{source} states this under several ids, so what it says of {id} alone cannot be "
        "told any more. The decision is written down; the two part when the data are loaded anew "
        "into an empty store.",
        source=source,
        id=id,
    )


def _list_digest_aliases(
    writer: Writer, node: Node, relations: Sequence[FoundRelation], leaving: set[str]
) -> set[str]:
    """Further ids by ID number, where the number is that of the one who leaves alone."""
    if _PERSON_DIGEST not in node["properties"]:
        return set()
    rules = MergeRules.of(PEOPLE.node, writer.ranks)
    statements = writer.statements_of(rules, (_PERSON_DIGEST,), node["properties"])
    numbered = {one.source for one in statements if one.values.get(_PERSON_DIGEST)}
    aliases = [
        one
        for one in relations
        if one.relation is PEOPLE.identifies and one.properties.get("basis") == "id_number"
    ]
    by_alias = {
        source for one in aliases for source in parse_stored_sources(one.properties["sources"])
    }
    staying = set(node["properties"]["sources"]) - leaving - by_alias
    if numbered & staying or not numbered & leaving:
        return set()
    return {one.a for one in aliases}


def _delete_alias(writer: Writer, identity: IdentityKind, alias_id: str) -> None:
    """Takes the further id away; its relation went with the node."""
    alias = identity.alias

    def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
        images = writer.build_images()
        for key, node in read_batch_nodes(tx, alias, [alias_id]).items():
            images.add(NodeImage.of(alias.label, key, node))
        tx.run(
            f"MATCH (a:{alias.label} {{{alias.key}: $id}}) DETACH DELETE a", {"id": alias_id}
        ).consume()
        writer.keep_images(tx, images, {alias.label: [alias_id]})
        return 1, []

    writer.run_batch(once, 0)


def _restate_node(
    writer: Writer,
    identity: IdentityKind,
    node: Node,
    standing_id: str,
    owners: Mapping[str, str],
) -> None:
    kind = identity.node
    rules = MergeRules.of(kind, writer.ranks)
    names = list_stated_properties(rules, kind)
    for one in writer.statements_of(rules, names, node["properties"]):
        stated = {owners.get(one.source, standing_id): one}
        writer.merge_nodes(kind, rules, stated, label="")


def _restate_facet(
    writer: Writer, facet: Facet, node: Node, standing_id: str, owners: Mapping[str, str]
) -> None:
    rules = MergeRules.of(facet, writer.ranks, build_facet_prefix(facet))
    names = list_stated_properties(rules, facet)
    for one in writer.statements_of(rules, names, node["properties"]):
        stated = {owners.get(one.source, standing_id): one}
        kind = NODE_KINDS[facet.kind]
        writer.merge_nodes(kind, rules, stated, label=facet.label, declared=facet)


def _restate_links(
    writer: Writer,
    node: Node,
    standing_id: str,
    owners: Mapping[str, str],
    links: Sequence[FoundRelation],
) -> None:
    rules = build_link_rules(writer.ranks)
    for one in links:
        before = {
            "properties": one.properties,
            "to": one.b,
            "end": one.end,
            "node": node["properties"],
        }
        for stated in writer.link_statements(rules, before):
            owner = owners.get(stated.source, standing_id)
            key = one.properties[RELATION_KEY_COLUMN]
            writer.change_links(one.relation, one.start, key, {owner: stated})


def _read_naming_nodes(
    writer: Writer, naming: Sequence[FoundRelation]
) -> dict[tuple[str, str], Node]:
    """The nodes whose rows name this one, by label and key."""
    keys: dict[str, set[str]] = {}
    for one in naming:
        keys.setdefault(one.start, set()).add(one.a)
    return {
        (label, key): node
        for label, of_kind in keys.items()
        for key, node in writer.database.read_with(
            partial(read_batch_nodes, kind=NODE_KINDS[label], keys=sorted(of_kind)), seconds=600
        ).items()
    }


def _restate_naming_links(
    writer: Writer,
    standing_id: str,
    owners: Mapping[str, str],
    naming: Sequence[FoundRelation],
    nodes: Mapping[tuple[str, str], Node],
) -> None:
    """The links of other nodes to this one: a source's lead to whichever it states."""
    rules = build_link_rules(writer.ranks)
    by_source: dict[tuple[str, str, str, str], dict[str, Statement]] = {}
    for one in naming:
        node = nodes[one.start, one.a]["properties"]
        before = {"properties": one.properties, "to": one.b, "end": one.end, "node": node}
        for stated in writer.link_statements(rules, before):
            values = dict(stated.values)
            if values[LINK_TO] == standing_id:
                values[LINK_TO] = owners.get(stated.source, standing_id)
            at = (one.relation.type, one.start, one.properties[RELATION_KEY_COLUMN], stated.source)
            by_source.setdefault(at, {})[one.a] = replace(stated, values=values)
    for (type, start, key, _), statements in by_source.items():
        writer.change_links(RELATION_KINDS[type], start, key, statements)


def _restate_relations(
    writer: Writer,
    identity: IdentityKind,
    standing_id: str,
    owners: Mapping[str, str],
    leaving_aliases: set[str],
    relations: Sequence[FoundRelation],
) -> None:
    groups: dict[tuple[str, str, str], dict[tuple[str, str, str], list[Statement]]] = {}
    for one in relations:
        rules = MergeRules.of(one.relation, writer.ranks)
        names = list_stated_properties(rules, one.relation)
        group = groups.setdefault((one.relation.type, one.start, one.end), {})
        key = "" if one.relation.one_tie else one.properties[RELATION_KEY_COLUMN]
        for stated in writer.statements_of(rules, names, one.properties):
            owner = owners.get(stated.source, standing_id)
            if one.relation is identity.identifies:
                leaves = one.a in leaving_aliases
                owner = next(iter(owners.values())) if leaves else standing_id
            a = owner if (one.start, one.a) == (identity.node.label, standing_id) else one.a
            b = owner if (one.end, one.b) == (identity.node.label, standing_id) else one.b
            group.setdefault((a, b, key), []).append(stated)
    for (type, start, end), stated_by_pair in groups.items():
        relation = RELATION_KINDS[type]
        rules = MergeRules.of(relation, writer.ranks)
        writer.change_relations(relation, rules, start, end, stated_by_pair)
