"""Constraints and indexes as statements, made from the one schema."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from graph.model.kinds import CHANGE, LOAD, NODES, RELATIONS, UNDO
from graph.model.schema_types import NodeKind

# Finds Chinese and English names by part; made over every name property the schema declares.
NAMES_INDEX = "names"
_KEY_SUFFIX = "_key"


def build_schema_statements() -> Iterator[tuple[str, str]]:
    """The name of each constraint and index the graph needs, and the statement that makes it.

    Cypher 5 and Cypher 25 take them alike. Indexes come first: they are filled in the background
    while the constraints are.
    """
    named = [kind for kind in NODES if kind.names]
    labels = "|".join(kind.label for kind in named)
    properties = ", ".join(dict.fromkeys(f"n.{name}" for kind in named for name in kind.names))
    yield (
        NAMES_INDEX,
        f"CREATE FULLTEXT INDEX {NAMES_INDEX} IF NOT EXISTS FOR (n:{labels}) "
        f"ON EACH [{properties}] OPTIONS {{indexConfig: {{`fulltext.analyzer`: 'cjk'}}}}",
    )
    for kind in (*NODES, LOAD, CHANGE, UNDO):
        yield from _build_index_statements(kind.label, kind.indexes, f"(n:{kind.label})")
    for relation in RELATIONS:
        yield from _build_index_statements(
            relation.type, relation.indexes, f"()-[n:{relation.type}]-()"
        )
    yield from (_build_key_constraint(kind) for kind in (*NODES, LOAD))


def is_search_index(name: str) -> bool:
    """Whether an index is there to find records, and none that a load itself needs."""
    loads = tuple(f"{kind.label.lower()}_" for kind in (CHANGE, UNDO))
    return not name.endswith(_KEY_SUFFIX) and not name.startswith(loads)


def _build_index_statements(
    what: str, properties: Sequence[str], pattern: str
) -> Iterator[tuple[str, str]]:
    for name in properties:
        index = f"{what.lower()}_{name}"
        yield index, f"CREATE INDEX {index} IF NOT EXISTS FOR {pattern} ON (n.{name})"


def _build_key_constraint(kind: NodeKind) -> tuple[str, str]:
    name = f"{kind.label.lower()}{_KEY_SUFFIX}"
    pattern = f"FOR (n:{kind.label}) REQUIRE n.{kind.key} IS UNIQUE"
    return name, f"CREATE CONSTRAINT {name} IF NOT EXISTS {pattern}"
