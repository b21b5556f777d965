"""Two people who were merged without an ID number are parted again: the inverse of a merge.

Every value and every relation of a person lists which source states it. A source that knows the
person by the further id alone states the one who leaves; every other source states the one who
stays. Where a source knows the person by both ids, what it states of which cannot be told any
more, and nothing is parted: only loading the data anew does it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from neo4j import ManagedTransaction

from graph.errors import UsageError
from graph.model.kinds import FACETS, RELATION_KINDS
from graph.model.schema_types import Facet, build_facet_prefix
from graph.store.merge import (
    RecordConflict,
    Writer,
    build_link_rules,
    list_stated_properties,
    read_batch_nodes,
)
from graph.store.person_merge import (
    ALIAS,
    IDENTIFIES,
    PERSON,
    FoundRelation,
    Node,
    delete_people,
    read_people_nodes,
    read_person_relations,
)
from graph.store.statements import RELATION_KEY_COLUMN, MergeRules, Statement
from graph.store.undo import NodeImage

_PERSON_DIGEST = "id_digest"


def split_person(writer: Writer, alias_id: str, person_id: str) -> None:
    """Makes the further id a person of its own again, with all that its sources state.

    Raises UsageError, before anything is written, where it cannot be told who states what.
    """
    node = read_people_nodes(writer, [person_id])[person_id]
    relations = list(read_person_relations(writer, [person_id]))
    leaving = _find_leaving_sources(writer, alias_id, node, relations)
    _check_sources_known(writer, node, relations)
    leaving_aliases = {alias_id, *_list_digest_aliases(writer, node, relations, leaving)}
    owners = {source: alias_id for source in leaving}
    with writer.dated(node["properties"]["load"]):
        delete_people(writer, [person_id], relations)
        _delete_alias(writer, alias_id)
        _restate_node(writer, node, person_id, owners)
        for facet in FACETS:
            if facet.label in node["labels"]:
                _restate_facet(writer, facet, node, person_id, owners)
        _restate_links(writer, node, person_id, owners, [x for x in relations if x.is_link])
        plain = [x for x in relations if not x.is_link and x.a != alias_id]
        _restate_relations(writer, person_id, owners, leaving_aliases, plain)


def _find_leaving_sources(
    writer: Writer, alias_id: str, node: Node, relations: Sequence[FoundRelation]
) -> set[str]:
    """The sources that know the person by this further id, and by no other."""
    rules = MergeRules.of(IDENTIFIES, writer.ranks)
    rows: dict[str, dict[str, set[str]]] = {}
    for one in relations:
        if one.relation is IDENTIFIES:
            for stated in writer.statements_of(rules, (), one.properties):
                rows.setdefault(stated.source, {})[one.a] = set(stated.row.split(";"))
    person_rules = MergeRules.of(PERSON, writer.ranks)
    own = {
        stated.source: set(stated.row.split(";"))
        for stated in writer.statements_of(person_rules, (), node["properties"])
    }
    found = {source for source, by_alias in rows.items() if alias_id in by_alias}
    for source in found:
        known_rows = rows[source][alias_id]
        if len(rows[source]) > 1 or not own.get(source, set()) <= known_rows:
            raise _build_unclear_source_error(source, alias_id)
    if found == set(own):
        raise _build_unclear_source_error(sorted(found)[0], alias_id)
    return found


def _check_sources_known(writer: Writer, node: Node, relations: Sequence[FoundRelation]) -> None:
    """Raises UsageError for a source that states relations of the person, and no row of it."""
    known = set(node["properties"]["sources"])
    for one in relations:
        for source in one.properties["sources"]:
            if source not in known:
                raise _build_unclear_source_error(source, node["properties"]["person_id"])
    for facet in FACETS:
        for source in node["properties"].get(f"{build_facet_prefix(facet)}sources") or ():
            if source not in known:
                raise _build_unclear_source_error(source, node["properties"]["person_id"])


def _build_unclear_source_error(source: str, id: str) -> UsageError:
    return UsageError(
        "{source} states this person under several ids, so what it says of {id} alone cannot be "
        "told any more. The decision is written down; the two part when the data are loaded anew "
        "into an empty store.",
        source=source,
        id=id,
    )


def _list_digest_aliases(
    writer: Writer, node: Node, relations: Sequence[FoundRelation], leaving: set[str]
) -> set[str]:
    """Further ids by ID number, where the number is that of the one who leaves alone."""
    rules = MergeRules.of(PERSON, writer.ranks)
    statements = writer.statements_of(rules, (_PERSON_DIGEST,), node["properties"])
    numbered = {one.source for one in statements if one.values.get(_PERSON_DIGEST)}
    aliases = [
        one
        for one in relations
        if one.relation is IDENTIFIES and one.properties.get("basis") == "id_number"
    ]
    by_alias = {source for one in aliases for source in one.properties["sources"]}
    staying = set(node["properties"]["sources"]) - leaving - by_alias
    if numbered & staying or not numbered & leaving:
        return set()
    return {one.a for one in aliases}


def _delete_alias(writer: Writer, alias_id: str) -> None:
    """Takes the further id away; its relation went with the person."""

    def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
        images = writer.build_images()
        for key, node in read_batch_nodes(tx, ALIAS, [alias_id]).items():
            images.add(NodeImage.of(ALIAS.label, key, node))
        tx.run("MATCH (a:PersonAlias {alias_id: $id}) DETACH DELETE a", {"id": alias_id}).consume()
        writer.keep_images(tx, images, {ALIAS.label: [alias_id]})
        return 1, []

    writer.run_batch(once, 0)


def _restate_node(writer: Writer, node: Node, person_id: str, owners: Mapping[str, str]) -> None:
    rules = MergeRules.of(PERSON, writer.ranks)
    names = list_stated_properties(rules, PERSON)
    for one in writer.statements_of(rules, names, node["properties"]):
        stated = {owners.get(one.source, person_id): one}
        writer.merge_nodes(PERSON, rules, stated, label="")


def _restate_facet(
    writer: Writer, facet: Facet, node: Node, person_id: str, owners: Mapping[str, str]
) -> None:
    rules = MergeRules.of(facet, writer.ranks, build_facet_prefix(facet))
    names = list_stated_properties(rules, facet)
    for one in writer.statements_of(rules, names, node["properties"]):
        stated = {owners.get(one.source, person_id): one}
        writer.merge_nodes(PERSON, rules, stated, label=facet.label, declared=facet)


def _restate_links(
    writer: Writer,
    node: Node,
    person_id: str,
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
            owner = owners.get(stated.source, person_id)
            key = one.properties[RELATION_KEY_COLUMN]
            writer.change_links(one.relation, one.start, key, {owner: stated})


def _restate_relations(
    writer: Writer,
    person_id: str,
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
            owner = owners.get(stated.source, person_id)
            if one.relation is IDENTIFIES:
                leaves = one.a in leaving_aliases
                owner = next(iter(owners.values())) if leaves else person_id
            a = owner if (one.start, one.a) == (PERSON.label, person_id) else one.a
            b = owner if (one.end, one.b) == (PERSON.label, person_id) else one.b
            group.setdefault((a, b, key), []).append(stated)
    for (type, start, end), stated_by_pair in groups.items():
        relation = RELATION_KINDS[type]
        rules = MergeRules.of(relation, writer.ranks)
        writer.change_relations(relation, rules, start, end, stated_by_pair)
