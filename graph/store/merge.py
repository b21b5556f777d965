"""Batched writes from the one schema: nodes, labels, relations, their provenance, and the cleanup.

A record is found by its key, so that loading twice changes nothing. `sources` lists who states
it; where sources differ `graph.store.statements` decides, and keeps what the others say. A value
that one source alone states follows that source, empty cells too. A complete statement (`replaced`)
takes the source's name off every record it no longer states, and a record that nobody states goes.

Each batch is one transaction: what stands is read, the change is computed here, then written
with a note of what it touches, `(:Change {load_id, frame, keys})`, and with what stood before
(`graph.store.undo`), so that a load that cannot finish is undone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, Final

import polars as pl
from neo4j import ManagedTransaction

from graph.model.kinds import CHANGE, CURRENT_LINK_KEY, FACETS, NODE_KINDS, NODES, RELATIONS
from graph.model.schema_types import Declared, End, Facet, NodeKind, Relation, build_facet_prefix
from graph.model.vocabularies import PROVINCES
from graph.server.database import Database, convert_neo4j_value
from graph.store.creation import (
    END_KEY_COLUMN,
    ORIGIN_COLUMN,
    SOURCE_NAME_COLUMN,
    START_KEY_COLUMN,
    WRITE_SESSIONS,
    Creation,
    Round,
    build_node_creation,
    build_relation_creation,
    split_batches,
    split_node_rounds,
    split_relation_rounds,
)
from graph.store.statements import (
    RELATION_KEY_COLUMN,
    UPDATED_ON_COLUMN,
    Conflict,
    MergeRules,
    Record,
    Statement,
    format_relation_sources,
    parse_source_rank,
    parse_stored_sources,
)
from graph.store.undo import NodeImage, RelationImage, UndoImages

WRITE_BATCH_ROWS = 10_000
# More touched keys than this are not listed: the load's journal then says "everything".
MAX_JOURNAL_KEYS = 1_000_000
# So many conflicts are listed in a load's report; all of them stand in the graph.
MAX_REPORTED_CONFLICTS = 10_000
EVERY_FRAME_MARK = "*"
# The number under which a first load says that nothing stood before it.
FIRST_LOAD_NUMBER: Final = 0
# Where a link leads, and the kind of node there: one source states both.
LINK_TO, LINK_KIND = "to", "end"
_NON_PROPERTY_COLUMNS: Final = frozenset(
    {ORIGIN_COLUMN, SOURCE_NAME_COLUMN, START_KEY_COLUMN, END_KEY_COLUMN, RELATION_KEY_COLUMN}
)
_WRITE_CHANGE_STATEMENT = f"CREATE (:{CHANGE.label} {{load_id: $load, frame: $frame, keys: $keys}})"

RowMappings = Sequence[Mapping[str, Any]]
# A statement to take in, a source whose statement is taken back, what makes new statements of
# those that stand, or None, which only leaves out what this load replaces.
LinkChange = Statement | str | Callable[[Sequence[Statement]], Sequence[Statement]] | None


@dataclass(frozen=True)
class RecordConflict:
    """A conflict, and the record it is of: its label or type of relation, its keys."""

    frame: str
    key: str
    conflict: Conflict


def list_stated_properties(rules: MergeRules, declared: Declared) -> list[str]:
    """The properties of a record that sources state."""
    match declared:
        case NodeKind():
            apart = {declared.key}
        case Facet():
            apart = {declared.column}
        case Relation():
            apart = {declared.start.column, declared.end.column}
            if not declared.one_tie:
                apart.add(RELATION_KEY_COLUMN)
    return [name for name in rules.properties if name not in apart]


def build_link_rules(ranks: Mapping[str, int]) -> MergeRules:
    """The rules of links of which a node has one at a time: both columns from one source."""
    declared = Relation("", "", "", End("", ()), End("", ()))
    rules = MergeRules.of(declared, ranks)
    columns = {name: rules.properties[RELATION_KEY_COLUMN] for name in (LINK_TO, LINK_KIND)}
    return MergeRules({**rules.properties, **columns}, ranks, "", ((LINK_TO, LINK_KIND),))


LINK_NAMES: Final = (LINK_TO, LINK_KIND, UPDATED_ON_COLUMN)


def build_reference_values(kind: NodeKind, key: str) -> dict[str, Any]:
    """What is known of a node by its code alone."""
    name = PROVINCES[key][1] if kind.label == "Province" and key in PROVINCES else None
    return {} if name is None else {"name": name}


@dataclass
class Writer:
    """Writes one load. `progress` receives every batch (rows done).

    `stamp` is the load that records name as their last, where it is not this one (`dated`): None
    is the first load, which no relation names.
    `acknowledged` are the numbers of the batches that stand, where the load goes on after a kill:
    `resumed` receives, at the first other one, how many rows were passed over.
    """

    database: Database
    load_id: str
    replaced: Sequence[str] = ()
    first: bool = False
    stamp: str | None = ""
    progress: Callable[[int], None] = lambda rows: None
    acknowledged: frozenset[int] = frozenset()
    resumed: Callable[[int], None] = lambda rows: None
    written: dict[str, int] = field(default_factory=dict)
    conflicts: list[RecordConflict] = field(default_factory=list)
    _begun: set[str] = field(default_factory=set)
    _removed: dict[str, int] = field(default_factory=dict)
    _noted: int = 0
    _everything: bool = False
    _batches: int = 0
    _passed: int = 0

    def __post_init__(self) -> None:
        self.ranks = parse_source_rank(self.database.settings.source_rank)
        self._everything = self.first
        if self.first and FIRST_LOAD_NUMBER not in self.acknowledged:
            self._note_everything()
            UndoImages(self.load_id, FIRST_LOAD_NUMBER).write_everything(self.database)

    @contextmanager
    def dated(self, stamp: str | None) -> Iterator[None]:
        """Within it records are put as if this earlier load had written them so."""
        before = self.stamp, self.replaced
        self.stamp, self.replaced = stamp, ()
        try:
            yield
        finally:
            self.stamp, self.replaced = before

    def to_properties(self, rules: MergeRules, record: Record) -> dict[str, Any]:
        """The record as the graph has it, written by this load or by the one of `dated`."""
        if self.stamp != "":
            return rules.stored(record, self.stamp)
        return rules.stored(record, None if self.first and rules.is_of_relation else self.load_id)

    def _fresh(self, scope: str) -> bool:
        """Whether nothing of `scope` can be there: the first load, and its first rows of it."""
        return self.first and scope not in self._begun

    # nodes

    def nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Nodes of a kind. `rows`: its stored properties, `_origin`, `_source`."""
        if self._fresh(kind.label):
            creation = build_node_creation(kind, rows, self.load_id)
            self._create(creation, split_node_rounds(rows))
        else:
            rules = MergeRules.of(kind, self.ranks)
            for batch in _split_batches(rows):
                self.merge_nodes(kind, rules, _build_statements_by_key(batch, kind.key), label="")
        self._wrote(kind.label, rows)

    def reference_nodes(self, kind: NodeKind, rows: pl.DataFrame) -> None:
        """Makes nodes that are known by their code alone. `rows`: key, `_origin`, `_source`.

        A source's row of its own says more than a cell that names the node: it stays.
        """
        rules = MergeRules.of(kind, self.ranks)
        for batch in _split_batches(rows):
            named = {
                r["key"]: Statement(
                    r[SOURCE_NAME_COLUMN],
                    r[ORIGIN_COLUMN],
                    build_reference_values(kind, r["key"]),
                    True,
                )
                for r in batch
            }
            self.merge_nodes(kind, rules, named, label="")
        self._begun.add(kind.label)

    def facet(self, facet: Facet, rows: pl.DataFrame) -> None:
        """Gives nodes a further label with its properties and a provenance of its own."""
        kind, prefix = NODE_KINDS[facet.kind], build_facet_prefix(facet)
        rules = MergeRules.of(facet, self.ranks, prefix)
        rows = rename_facet_rows(facet, rows)
        for batch in _split_batches(rows):
            stated = _build_statements_by_key(batch, facet.column)
            self.merge_nodes(kind, rules, stated, label=facet.label, declared=facet)
        self._wrote(facet.label, rows)

    def _wrote(self, what: str, rows: pl.DataFrame) -> None:
        self.written[what] = self.written.get(what, 0) + rows.height
        self._begun.add(what)

    def merge_nodes(
        self,
        kind: NodeKind,
        rules: MergeRules,
        stated: Mapping[str, Statement],
        *,
        label: str,
        declared: NodeKind | Facet | None = None,
    ) -> None:
        """Takes in one statement a node; with `label` only nodes that are there get it."""
        names = list_stated_properties(rules, declared or kind)

        def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
            found = read_batch_nodes(tx, kind, list(stated))
            images = self.build_images()
            old, new, conflicts = [], [], []
            for key, statement in stated.items():
                node = found.get(key)
                images.add(NodeImage.of(kind.label, key, node))
                before = self.statements_of(rules, names, node["properties"] if node else {})
                record = rules.decide(merge_statement(before, statement))
                conflicts += _build_record_conflicts(label or kind.label, key, record)
                properties = self.to_properties(rules, fill_missing_values(record, names))
                if node is not None:
                    old.append({"id": node["id"], "properties": properties})
                elif not label:
                    new.append({"properties": {kind.key: key, **drop_nulls(properties)}})
            write_batch_nodes(tx, kind, label, old, new)
            self.keep_images(tx, images, {kind.label: stated})
            return len(stated), conflicts

        self.run_batch(once, len(stated))

    def statements_of(
        self, rules: MergeRules, names: Sequence[str], properties: Mapping[str, Any]
    ) -> list[Statement]:
        """What is stated of a stored record, without what this load replaces."""
        if not properties.get(f"{rules.prefix}sources"):
            return []
        statements = rules.statements(properties, names)
        unnamed = self.load_id if self.first else None
        if (properties.get(f"{rules.prefix}load") or unnamed) == self.load_id:
            return statements
        return [one for one in statements if one.source not in self.replaced]

    # relations

    def relations(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """Relations between nodes of two kinds. `rows`: `_from`, `_to`, key, properties."""
        scope = f"{relation.type} {start} {end}"
        if self._fresh(scope):
            self._create_relations(relation, start, end, rows)
        else:
            rules = MergeRules.of(relation, self.ranks)
            for batch in _split_batches(rows):
                self._merge_relations(relation, rules, start, end, batch)
        self._wrote(relation.type, rows)
        self._begun.add(scope)

    def _create_relations(
        self, relation: Relation, start: str, end: str, rows: pl.DataFrame
    ) -> None:
        creation = build_relation_creation(relation, start, end, rows)
        self._create(creation, split_relation_rounds(relation, start == end, rows))

    def _create(self, creation: Creation, rounds: Iterable[Round]) -> None:
        """The quick way where nothing can be there yet; writes what a merge would.

        Each session writes its own rows of a round, batch after batch; all end it together.
        """
        with ThreadPoolExecutor(WRITE_SESSIONS) as sessions:
            for one in rounds:
                batches = [iter(self._number_batches(rows)) for rows in one]
                running: dict[Future[int], Iterator[tuple[int, pl.DataFrame]]] = {}
                while batches or running:
                    for left in batches:
                        if (batch := next(left, None)) is not None:
                            running[sessions.submit(self._create_batch, creation, *batch)] = left
                    ended, _ = wait(running, return_when=FIRST_COMPLETED)
                    batches = [running.pop(future) for future in ended]
                    for future in ended:
                        self.progress(future.result())

    def _number_batches(self, rows: pl.DataFrame) -> list[tuple[int, pl.DataFrame]]:
        """The batches that do not stand yet, numbered before any of them is written."""
        batches = []
        for batch in split_batches(rows):
            if self._begin_batch(batch.height):
                batches.append((self._batches, batch))
        return batches

    def _create_batch(self, creation: Creation, number: int, rows: pl.DataFrame) -> int:
        """Creates the records of one batch in one transaction; how many rows it had."""
        given = creation.build_parameters(rows)

        def once(tx: ManagedTransaction) -> None:
            tx.run(creation.statement, given).consume()
            UndoImages(self.load_id, number).write(tx)

        self.database.write_with(once)
        return rows.height

    def _merge_relations(
        self, relation: Relation, rules: MergeRules, start: str, end: str, rows: RowMappings
    ) -> None:
        stated: dict[tuple[str, str, str], list[Statement]] = {}
        names = list_stated_properties(rules, relation)
        for row in rows:
            key = "" if relation.one_tie else row[RELATION_KEY_COLUMN]
            stated.setdefault((row[START_KEY_COLUMN], row[END_KEY_COLUMN], key), []).append(
                _build_statement(row, names)
            )
        self.change_relations(relation, rules, start, end, stated)

    def change_relations(
        self,
        relation: Relation,
        rules: MergeRules,
        start: str,
        end: str,
        stated: Mapping[tuple[str, str, str], Sequence[Statement]],
    ) -> None:
        """Takes statements in: `stated` by from, to and key (of ties: no key, the pair's all)."""
        names = list_stated_properties(rules, relation)

        def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
            found = _read_batch_relations(tx, relation, start, end, list(stated), relation.one_tie)
            images = self.build_images()
            change = RelationChanges()
            for (a, b, key), new in stated.items():
                here = found.get((a, b, key), [])
                for x in here:
                    images.add(RelationImage(relation.type, start, a, end, b, x["properties"]))
                if relation.one_tie:
                    self.retie(rules, names, (a, b), here, new, change)
                else:
                    self._restate(rules, names, (a, b, key), here, new, change)
            for a, b, key in change.added:
                images.made(relation.type, start, a, end, b, key)
            _write_batch_relations(tx, relation, start, end, change)
            keys = {relation.type: {a for a, _, _ in stated}}
            for label, kind, ends in _list_earned_labels(relation, start, end, change.new):
                gained = _add_label(tx, label, kind, ends)
                images.gained(label, kind, gained)
                keys[kind] = {*keys.get(kind, ()), *ends}
            self.keep_images(tx, images, keys)
            self._count_removed(relation.type, change.gone)
            return sum(map(len, keys.values())), change.conflicts_of(relation.type)

        self.run_batch(once, sum(map(len, stated.values())))

    def _restate(
        self,
        rules: MergeRules,
        names: Sequence[str],
        at: tuple[str, str, str],
        here: RowMappings,
        new: Sequence[Statement],
        change: RelationChanges,
    ) -> None:
        (before,) = here or ({"id": None, "properties": {}},)
        statements = self.statements_of(rules, names, before["properties"])
        for one in new:
            statements = merge_statement(statements, one)
        record = rules.decide(statements)
        properties = self.to_properties(rules, fill_missing_values(record, names)) | {
            RELATION_KEY_COLUMN: at[2]
        }
        change.put(before["id"], at, properties, record)

    def retie(
        self,
        rules: MergeRules,
        names: Sequence[str],
        pair: tuple[str, str],
        here: RowMappings,
        new: Sequence[Statement],
        change: RelationChanges,
    ) -> None:
        """All ties of a pair, from what stands of it and what is stated now.

        A relation that an older version stored beside another of the same key goes.
        """
        statements = [
            one for x in here for one in self.statements_of(rules, names, x["properties"])
        ]
        said = {(one.source, one.values[RELATION_KEY_COLUMN]) for one in new}
        statements = [
            o for o in statements if (o.source, o.values[RELATION_KEY_COLUMN]) not in said
        ]
        by_key: dict[str, list[Mapping[str, Any]]] = {}
        for x in here:
            by_key.setdefault(x["properties"][RELATION_KEY_COLUMN], []).append(x)
        touched = {id(one) for one in new}
        for tie in rules.ties([*statements, *new]):
            record = rules.decide(tie)
            stored = fill_missing_values(record, names)
            key = stored.values[RELATION_KEY_COLUMN]
            same_key = by_key.get(key)
            before = same_key.pop(0) if same_key else None
            properties = self.to_properties(rules, stored)
            if before is not None and not any(id(one) in touched for one in tie):
                sources = parse_stored_sources(before["properties"]["sources"])
                same = before["properties"] | {
                    "load": properties["load"],
                    "sources": format_relation_sources(sources),
                }
                if all(same.get(name) == value for name, value in properties.items()):
                    continue
            change.put(before["id"] if before else None, (*pair, key), properties, record)
        change.gone += [x["id"] for left in by_key.values() for x in left]

    # links: one at a time

    def links(self, relation: Relation, start: str, end: str, rows: pl.DataFrame) -> None:
        """As `relations`, where a node has one such relation at a time: the old one goes."""
        scope = f"{relation.type} {start} current"
        if self._fresh(scope):
            self._create_relations(relation, start, end, rows.drop(UPDATED_ON_COLUMN))
            self._begun.add(scope + end)
        else:
            for batch in _split_batches(rows):
                stated = {
                    r[START_KEY_COLUMN]: Statement(
                        r[SOURCE_NAME_COLUMN],
                        r[ORIGIN_COLUMN],
                        {
                            LINK_TO: r[END_KEY_COLUMN],
                            LINK_KIND: end,
                            UPDATED_ON_COLUMN: r[UPDATED_ON_COLUMN],
                        },
                    )
                    for r in batch
                }
                self.change_links(relation, start, batch[0][RELATION_KEY_COLUMN], stated)
        self._wrote(relation.type, rows)
        self._begun.add(scope)

    def unlink(self, relation: Relation, start: str, key: str, rows: pl.DataFrame) -> None:
        """Takes back what this source has stated of links and now leaves empty."""
        if rows.is_empty() or self._fresh(f"{relation.type} {start} current"):
            return
        for batch in _split_batches(rows):
            self.change_links(
                relation, start, key, {r[START_KEY_COLUMN]: r[SOURCE_NAME_COLUMN] for r in batch}
            )

    def change_links(
        self,
        relation: Relation,
        start: str,
        key: str,
        stated: Mapping[str, LinkChange],
    ) -> None:
        """Changes the link of each node: see `LinkChange`."""
        rules = build_link_rules(self.ranks)

        def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
            found = _read_batch_links(tx, relation, start, key, list(stated))
            images, changes = self.build_images(), _LinkChanges()
            for node, new in stated.items():
                before = found.get(node)
                standing = [] if before is None else self.link_statements(rules, before)
                if before is not None:
                    end, to, values = before["end"], before["to"], before["properties"]
                    images.add(RelationImage(relation.type, start, node, end, to, values))
                statements = _change_link_statements(standing, new)
                if not statements:
                    changes.lose(node, before)
                    continue
                record = rules.decide(statements)
                bare = Record({}, record.row, record.sources, record.stated)
                put = {RELATION_KEY_COLUMN: key, **self.to_properties(rules, bare)}
                if not changes.set(node, before, record, put):
                    to, end = record.values[LINK_TO], record.values[LINK_KIND]
                    images.made(relation.type, start, node, end, to, key)
            gone = RelationChanges(gone=[*changes.gone, *changes.lost])
            _write_batch_relations(tx, relation, start, "", gone)
            for end, change in changes.by_end.items():
                _write_batch_relations(tx, relation, start, end, change)
            self.keep_images(tx, images, {relation.type: changes.touched})
            if None in stated.values():
                self._count_removed(relation.type, changes.lost)
            return len(changes.touched), []

        self.run_batch(once, 0)

    def link_statements(self, rules: MergeRules, before: Mapping[str, Any]) -> list[Statement]:
        """What is stated of a stored link, each as of the day of its source's row of the node."""
        days = {
            one.source: one.values[UPDATED_ON_COLUMN]
            for one in rules.statements(before["node"], (UPDATED_ON_COLUMN,))
        }
        link = {**before["properties"], LINK_TO: before["to"], LINK_KIND: before["end"]}
        return [
            replace(one, values={**one.values, UPDATED_ON_COLUMN: days.get(one.source)})
            for one in self.statements_of(rules, LINK_NAMES, link)
        ]

    # what each batch leaves beside the records

    def build_images(self) -> UndoImages:
        """Where a batch notes what it changes, for its undoing."""
        return UndoImages(self.load_id, self._batches)

    def _begin_batch(self, rows: int) -> bool:
        """Gives the next batch its number; False where it stands, and is passed over."""
        self._batches += 1
        if self._batches not in self.acknowledged:
            if self._passed:
                self.resumed(self._passed)
                self._passed = 0
            return True
        self._passed += rows
        if rows:
            self.progress(rows)
        return False

    def run_batch(
        self, once: Callable[[ManagedTransaction], tuple[int, list[RecordConflict]]], rows: int
    ) -> None:
        """Runs a batch in one transaction; it returns the keys it noted and its conflicts."""
        if not self._begin_batch(rows):
            return
        noted, conflicts = self.database.write_with(once)
        room = MAX_REPORTED_CONFLICTS - len(self.conflicts)
        self.conflicts += conflicts[: max(room, 0)]
        self._count_noted(noted)
        if rows:
            self.progress(rows)

    def keep_images(
        self, tx: ManagedTransaction, images: UndoImages, keys: Mapping[str, Iterable[str]]
    ) -> None:
        """What stood before, and the journal of what is touched."""
        (UndoImages(self.load_id, images.number) if self.first else images).write(tx)
        for frame, named in keys.items():
            self._note(tx, frame, named)

    def _note(self, tx: ManagedTransaction, frame: str, keys: Iterable[str]) -> None:
        """Says in the journal which records of a label or type of relation are touched."""
        listed = sorted(set(keys))
        for at in range(0, 0 if self._everything else len(listed), WRITE_BATCH_ROWS):
            part = listed[at : at + WRITE_BATCH_ROWS]
            tx.run(
                _WRITE_CHANGE_STATEMENT, {"load": self.load_id, "frame": frame, "keys": part}
            ).consume()

    def _count_noted(self, keys: int) -> None:
        self._noted += keys
        if self._noted > MAX_JOURNAL_KEYS and not self._everything:
            self._note_everything()

    def _note_everything(self) -> None:
        self.database.write(
            _WRITE_CHANGE_STATEMENT, {"load": self.load_id, "frame": EVERY_FRAME_MARK, "keys": []}
        )
        self._everything = True

    def _count_removed(self, what: str, gone: Sequence[object]) -> None:
        if gone:
            self._removed[what] = self._removed.get(what, 0) + len(gone)

    # the cleanup

    def cleanup(self) -> dict[str, int]:
        """Takes the replaced sources off what they no longer state; how many records went."""
        # What it finds differs when it begins again: none of its batches is passed over.
        self._batches = max(self._batches, *self.acknowledged, 0)
        self.acknowledged = frozenset()
        if not self.replaced:
            return {}
        for relation in RELATIONS:
            self._clean_relations(relation)
        for facet in FACETS:
            self._clean_facet(facet)
        for kind in NODES:
            self._clean_nodes(kind)
        self._drop_earned_labels()
        return {what: count for what, count in self._removed.items() if count}

    def _stale(self, statement: str) -> Iterator[list[dict[str, Any]]]:
        """What a statement finds, a batch at a time, until it finds nothing more."""
        given = {
            "load": self.load_id,
            "unnamed": self.load_id if self.first else "",
            "replaced": list(self.replaced),
        }
        while found := self.database.read(statement, given, seconds=600):
            yield found

    def _clean_relations(self, relation: Relation) -> None:
        rules = MergeRules.of(relation, self.ranks)
        start, end = (
            build_label_expression("a", relation.start.kinds),
            build_label_expression("b", relation.end.kinds),
        )
        found = (
            f"MATCH (a)-[x:{relation.type}]->(b) WHERE {_STALE_CONDITION.format(p='')} "
            f"WITH a, x, b LIMIT {WRITE_BATCH_ROWS} RETURN {start} AS start, "
            f"{build_node_key_expression('a', relation.start.kinds)}"
            f" AS a, {end} AS end, {build_node_key_expression('b', relation.end.kinds)} AS b, "
            f"x.key AS key"
        )
        linked = is_linked_relation(relation)
        for batch in self._stale(found):
            for (first, second), rows in _group_row_mappings(batch, "start", "end"):
                links = [r for r in rows if linked and r["key"] == build_link_key(relation)]
                others = [r for r in rows if not linked or r["key"] != build_link_key(relation)]
                if links:
                    self._clean_links(relation, first, links)
                if others:
                    self._clean_plain(relation, rules, first, second, others)

    def _clean_links(self, relation: Relation, start: str, rows: RowMappings) -> None:
        for (key,), part in _group_row_mappings(rows, "key"):
            self.change_links(relation, start, key, {row["a"]: None for row in part})

    def _clean_plain(
        self, relation: Relation, rules: MergeRules, start: str, end: str, rows: RowMappings
    ) -> None:
        if relation.one_tie:
            pairs: dict[tuple[str, str, str], list[Statement]] = {
                (r["a"], r["b"], ""): [] for r in rows
            }
            self.change_relations(relation, rules, start, end, pairs)
            return
        names = list_stated_properties(rules, relation)

        def once(tx: ManagedTransaction) -> tuple[int, list[RecordConflict]]:
            asked = [(r["a"], r["b"], r["key"]) for r in rows]
            found = _read_batch_relations(tx, relation, start, end, asked, False)
            images, change = self.build_images(), RelationChanges()
            for at, here in found.items():
                for x in here:
                    images.add(
                        RelationImage(relation.type, start, at[0], end, at[1], x["properties"])
                    )
                    self._clean_one(rules, names, at, x, change)
            _write_batch_relations(tx, relation, start, end, change)
            self.keep_images(tx, images, {relation.type: {a for a, _, _ in asked}})
            self._count_removed(relation.type, change.gone)
            return len(asked), []

        self.run_batch(once, 0)

    def _clean_one(
        self,
        rules: MergeRules,
        names: Sequence[str],
        at: tuple[str, str, str],
        x: Mapping[str, Any],
        change: RelationChanges,
    ) -> None:
        left = self.statements_of(rules, names, x["properties"])
        if not left:
            change.gone.append(x["id"])
            return
        record = rules.decide(left)
        properties = self.to_properties(rules, fill_missing_values(record, names)) | {
            RELATION_KEY_COLUMN: at[2]
        }
        change.put(x["id"], at, properties, record)

    def _clean_facet(self, facet: Facet) -> None:
        kind, prefix = NODE_KINDS[facet.kind], build_facet_prefix(facet)
        rules = MergeRules.of(facet, self.ranks, prefix)
        names = list_stated_properties(rules, facet)
        drop = f"REMOVE x:{facet.label}, " + ", ".join(
            f"x.{name}" for name in rules.stored(Record(dict.fromkeys(names), "", []), "")
        )
        self._clean_labelled(kind, facet.label, rules, names, drop)

    def _clean_nodes(self, kind: NodeKind) -> None:
        rules = MergeRules.of(kind, self.ranks)
        self._clean_labelled(kind, kind.label, rules, list_stated_properties(rules, kind), "")
        self._delete_alone(kind)

    def _clean_labelled(
        self, kind: NodeKind, label: str, rules: MergeRules, names: Sequence[str], drop: str
    ) -> None:
        """Takes the replaced sources off nodes; with `drop` the label goes with the last one."""
        stale = (
            f"MATCH (x:{label}) WHERE {_STALE_CONDITION.format(p=rules.prefix)} "
            f"RETURN x.{kind.key} AS key LIMIT {WRITE_BATCH_ROWS}"
        )

        def clean(tx: ManagedTransaction, nodes: Mapping[str, dict[str, Any]]) -> None:
            old, dropped = [], []
            for node in nodes.values():
                left = self.statements_of(rules, names, node["properties"])
                if left:
                    record = fill_missing_values(rules.decide(left), names)
                    stored = self.to_properties(rules, record)
                    old.append({"id": node["id"], "properties": stored})
                elif drop:
                    dropped.append(node["id"])
                else:
                    none: dict[str, Any] = {"sources": [], "stated": None}
                    old.append({"id": node["id"], "properties": none})
            write_batch_nodes(tx, kind, "", old, [])
            if dropped:
                tx.run(
                    f"UNWIND $ids AS id MATCH (x) WHERE elementId(x) = id {drop}", {"ids": dropped}
                ).consume()
                self._count_removed(label, dropped)

        self._clean_found(kind, stale, clean)

    def _delete_alone(self, kind: NodeKind) -> None:
        """Nodes that nobody states any more and that nothing is related to."""
        found = (
            f"MATCH (x:{kind.label}) WHERE x.sources = [] AND NOT (x)--() "
            f"RETURN x.{kind.key} AS key LIMIT {WRITE_BATCH_ROWS}"
        )

        def delete(tx: ManagedTransaction, nodes: Mapping[str, dict[str, Any]]) -> None:
            ids = [node["id"] for node in nodes.values()]
            tx.run(
                "UNWIND $ids AS id MATCH (x) WHERE elementId(x) = id DELETE x", {"ids": ids}
            ).consume()
            self._count_removed(kind.label, ids)

        self._clean_found(kind, found, delete)

    def _drop_earned_labels(self) -> None:
        for relation in RELATIONS:
            for side, arrow in ((relation.start, "(x)-[:{}]->()"), (relation.end, "(x)<-[:{}]-()")):
                if side.label:
                    (kind,) = side.kinds
                    self._drop_label(NODE_KINDS[kind], side.label, arrow.format(relation.type))

    def _drop_label(self, kind: NodeKind, label: str, held: str) -> None:
        found = (
            f"MATCH (x:{label}) WHERE NOT {held} RETURN x.{kind.key} AS key LIMIT "
            f"{WRITE_BATCH_ROWS}"
        )

        def drop(tx: ManagedTransaction, nodes: Mapping[str, dict[str, Any]]) -> None:
            tx.run(
                f"UNWIND $keys AS key MATCH (x:{kind.label} {{{kind.key}: key}}) REMOVE x:{label}",
                {"keys": list(nodes)},
            ).consume()

        self._clean_found(kind, found, drop)

    def _clean_found(
        self,
        kind: NodeKind,
        found: str,
        clean: Callable[[ManagedTransaction, Mapping[str, dict[str, Any]]], None],
    ) -> None:
        """Cleans the nodes that the statement `found` gives the keys of, a batch a transaction."""
        for batch in self._stale(found):
            keys = [row["key"] for row in batch]

            def once(
                tx: ManagedTransaction, keys: list[str] = keys
            ) -> tuple[int, list[RecordConflict]]:
                images = self.build_images()
                nodes = read_batch_nodes(tx, kind, keys)
                for key, node in nodes.items():
                    images.add(NodeImage.of(kind.label, key, node))
                clean(tx, nodes)
                self.keep_images(tx, images, {kind.label: keys})
                return len(keys), []

            self.run_batch(once, 0)


# --- reading and writing a batch --------------------------------------------------------------

_STALE_CONDITION: Final = (
    "coalesce(x.{p}load, $unnamed) <> $load AND any(s IN [] + x.{p}sources WHERE s IN $replaced)"
)


@dataclass
class RelationChanges:
    """What becomes of a batch of relations; `added`: their ends and keys, `new`: with values."""

    old: list[dict[str, Any]] = field(default_factory=list)
    new: list[dict[str, Any]] = field(default_factory=list)
    gone: list[Any] = field(default_factory=list)
    added: list[tuple[str, str, str]] = field(default_factory=list)
    conflicts: list[tuple[str, Record]] = field(default_factory=list)

    def put(
        self,
        id: str | None,
        at: tuple[str, str, str],
        properties: dict[str, Any],
        record: Record,
    ) -> None:
        """A relation as it is to be: the one with this id, or a new one."""
        if id is None:
            put = {"from": at[0], "to": at[1], "properties": drop_nulls(properties)}
            self.new.append(put)
            self.added.append(at)
        else:
            self.old.append({"id": id, "properties": properties})
        if record.conflicts:
            self.conflicts.append((f"{at[0]} {at[1]}", record))

    def conflicts_of(self, frame: str) -> list[RecordConflict]:
        """The conflicts of all of them."""
        return [
            c for key, record in self.conflicts for c in _build_record_conflicts(frame, key, record)
        ]


@dataclass
class _LinkChanges:
    """What becomes of a batch of links: `by_end` by the kind of their end, `gone` are the old ones
    of nodes that have another now, `lost` those of nodes that have none now."""

    by_end: dict[str, RelationChanges] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)

    def lose(self, node: str, before: Mapping[str, Any] | None) -> None:
        """Nobody states a link of the node: one that it had goes."""
        if before is not None:
            self.touched.add(node)
            self.lost.append(before["id"])

    def set(
        self,
        node: str,
        before: Mapping[str, Any] | None,
        record: Record,
        properties: dict[str, Any],
    ) -> bool:
        """The node's link as it is to be; whether it is the one it had."""
        to, end = record.values[LINK_TO], record.values[LINK_KIND]
        same = before is not None and (before["to"], before["end"]) == (to, end)
        old = None if before is None else before["id"]
        if old is not None and not same:
            self.gone.append(old)
        self.touched.add(node)
        at = (node, to, properties[RELATION_KEY_COLUMN])
        self.by_end.setdefault(end, RelationChanges()).put(
            old if same else None, at, properties, record
        )
        return same


def read_batch_nodes(
    tx: ManagedTransaction, kind: NodeKind, keys: list[str]
) -> dict[str, dict[str, Any]]:
    """The nodes that stand, by key: id, labels, properties."""
    rows = tx.run(
        f"UNWIND $keys AS key MATCH (x:{kind.label} {{{kind.key}: key}}) RETURN key, "
        "elementId(x) AS id, labels(x) AS labels, properties(x) AS properties",
        {"keys": keys},
    )
    return {r["key"]: convert_neo4j_value(r.data()) for r in rows}


def write_batch_nodes(
    tx: ManagedTransaction,
    kind: NodeKind,
    label: str,
    old: list[dict[str, Any]],
    new: list[dict[str, Any]],
) -> None:
    """Puts properties on nodes by id (`old`, with `label` if any), and makes `new` ones."""
    if old:
        more = f" SET x:{label}" if label else ""
        tx.run(
            "UNWIND $rows AS row MATCH (x) WHERE elementId(x) = row.id "
            f"SET x += row.properties{more}",
            {"rows": old},
        ).consume()
    if new:
        create = f"UNWIND $rows AS row CREATE (x:{kind.label}) SET x = row.properties"
        tx.run(create, {"rows": new}).consume()


def _change_link_statements(
    standing: Sequence[Statement], change: LinkChange
) -> Sequence[Statement]:
    """What is stated of a link after the change."""
    if isinstance(change, Statement):
        return merge_statement(standing, change)
    if change is None or isinstance(change, str):
        return [one for one in standing if change is None or one.source != change]
    return change(standing)


def _build_ends_match(start: str, end: str) -> str:
    return (
        f"MATCH (a:{start} {{{NODE_KINDS[start].key}: row.from}}) "
        f"MATCH (b:{end} {{{NODE_KINDS[end].key}: row.to}}) "
    )


def _list_earned_labels(
    relation: Relation, start: str, end: str, new: RowMappings
) -> Iterator[tuple[str, str, set[str]]]:
    """The labels that the ends of new relations earn: label, kind of node, their keys."""
    for label, kind, side in (
        (relation.start.label, start, "from"),
        (relation.end.label, end, "to"),
    ):
        if label:
            yield label, kind, {row[side] for row in new}


def _add_label(tx: ManagedTransaction, label: str, kind: str, keys: set[str]) -> list[str]:
    """Gives nodes a label; the keys of those that had it not."""
    found = tx.run(
        f"UNWIND $keys AS key MATCH (x:{kind} {{{NODE_KINDS[kind].key}: key}}) "
        f"WHERE NOT x:{label} SET x:{label} RETURN collect(key) AS keys",
        {"keys": sorted(keys)},
    ).single(strict=True)
    return list(found["keys"])


def _read_batch_relations(
    tx: ManagedTransaction,
    relation: Relation,
    start: str,
    end: str,
    asked: list[tuple[str, str, str]],
    any_key: bool,
) -> dict[tuple[str, str, str], list[dict[str, Any]]]:
    """The relations that stand, by from, to and key (with `any_key`: all of the pair)."""
    key = "" if any_key else " {key: row.key}"
    rows = tx.run(
        f"UNWIND $rows AS row MATCH (a:{start} {{{NODE_KINDS[start].key}: row.from}})"
        f"-[x:{relation.type}{key}]->(b:{end} {{{NODE_KINDS[end].key}: row.to}}) "
        "RETURN row.from AS a, row.to AS b, row.key AS key, elementId(x) AS id, "
        "properties(x) AS properties",
        {"rows": [{"from": a, "to": b, "key": k} for a, b, k in asked]},
    )
    found: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
    for row in rows:
        one = {"id": row["id"], "properties": convert_neo4j_value(row["properties"])}
        found.setdefault((row["a"], row["b"], row["key"]), []).append(one)
    return found


def _read_batch_links(
    tx: ManagedTransaction, relation: Relation, start: str, key: str, asked: list[str]
) -> dict[str, dict[str, Any]]:
    kinds = relation.end.kinds
    rows = tx.run(
        f"UNWIND $keys AS key MATCH (a:{start} {{{NODE_KINDS[start].key}: key}})"
        f"-[x:{relation.type} {{key: $key}}]->(b) RETURN key AS a, elementId(x) AS id, "
        f"properties(x) AS properties, {build_label_expression('b', kinds)} AS end, "
        f"{build_node_key_expression('b', kinds)} AS to, "
        "a {.sources, .row, .stated, .updated_on} AS node",
        {"keys": asked, "key": key},
    )
    return {
        row["a"]: {
            "id": row["id"],
            "properties": convert_neo4j_value(row["properties"]),
            "end": row["end"],
            "to": row["to"],
            "node": convert_neo4j_value(row["node"]),
        }
        for row in rows
    }


def _write_batch_relations(
    tx: ManagedTransaction, relation: Relation, start: str, end: str, change: RelationChanges
) -> None:
    if change.gone:
        tx.run(
            "UNWIND $ids AS id MATCH ()-[x]->() WHERE elementId(x) = id DELETE x",
            {"ids": change.gone},
        ).consume()
    if change.old:
        tx.run(
            "UNWIND $rows AS row MATCH ()-[x]->() WHERE elementId(x) = row.id "
            "SET x += row.properties",
            {"rows": change.old},
        ).consume()
    if change.new:
        tx.run(
            f"UNWIND $rows AS row {_build_ends_match(start, end)}"
            f"CREATE (a)-[x:{relation.type}]->(b) SET x = row.properties",
            {"rows": change.new},
        ).consume()


def build_label_expression(variable: str, kinds: Sequence[str]) -> str:
    """Which of the kinds a node is."""
    return "CASE " + " ".join(f"WHEN {variable}:{k} THEN '{k}'" for k in kinds) + " END"


def build_node_key_expression(variable: str, kinds: Sequence[str]) -> str:
    """A node's key by its label: a person has an `enterprise_id` too."""
    keys = " ".join(f"WHEN {variable}:{k} THEN {variable}.{NODE_KINDS[k].key}" for k in kinds)
    return f"CASE {keys} END"


def build_link_key(relation: Relation) -> str:
    """The key of the links that a node's own row states."""
    return CURRENT_LINK_KEY if relation.table else ""


def is_linked_relation(relation: Relation) -> bool:
    """Whether a node's own row states relations of this type, one at a time."""
    return any(link.relation == relation.type for kind in NODES for link in kind.links)


def _group_row_mappings(
    rows: RowMappings, *by: str
) -> list[tuple[tuple[Any, ...], list[Mapping[str, Any]]]]:
    groups: dict[tuple[Any, ...], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in by), []).append(row)
    return list(groups.items())


# --- rows to statements -----------------------------------------------------------------------


def rename_facet_rows(facet: Facet, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows of a further label, with a name of its own for the day they were changed."""
    return rows.rename(
        {UPDATED_ON_COLUMN: build_facet_prefix(facet) + UPDATED_ON_COLUMN}, strict=False
    )


def _split_batches(rows: pl.DataFrame) -> Iterator[list[dict[str, Any]]]:
    for part in rows.iter_slices(WRITE_BATCH_ROWS):
        yield part.to_dicts()


def _build_statements_by_key(rows: RowMappings, key: str) -> dict[str, Statement]:
    names = (
        [name for name in rows[0] if name != key and name not in _NON_PROPERTY_COLUMNS]
        if rows
        else []
    )
    return {row[key]: _build_statement(row, names) for row in rows}


def _build_statement(row: Mapping[str, Any], names: Iterable[str]) -> Statement:
    return Statement(
        row[SOURCE_NAME_COLUMN], row[ORIGIN_COLUMN], {name: row.get(name) for name in names}
    )


def merge_statement(statements: Sequence[Statement], new: Statement) -> list[Statement]:
    """The statements with a source's new one in place of its old; a named one adds no more."""
    if new.named and any(one.source == new.source for one in statements):
        return list(statements)
    return [*(one for one in statements if one.source != new.source), new]


def fill_missing_values(record: Record, names: Iterable[str]) -> Record:
    """The record with an empty value for each name that nobody states."""
    values = {name: record.values.get(name) for name in names}
    return Record(values, record.row, record.sources, record.stated, record.conflicts)


def drop_nulls(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The properties that have a value."""
    return {name: value for name, value in properties.items() if value is not None}


def _build_record_conflicts(frame: str, key: str, record: Record) -> list[RecordConflict]:
    return [RecordConflict(frame, key, conflict) for conflict in record.conflicts]
