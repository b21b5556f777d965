"""Constraints and indexes, made from the one schema."""

from __future__ import annotations

from collections.abc import Iterator

from graph.database import Database
from graph.model import LOAD, NODES, RELATIONS

# Finds Chinese and English names by part; made over every name property the schema declares.
NAMES_INDEX = "names"


def schema_statements() -> Iterator[str]:
    """Each `CREATE ... IF NOT EXISTS` the graph needs, in Cypher 5 and Cypher 25 alike."""
    for kind in (*NODES, LOAD):
        yield (
            f"CREATE CONSTRAINT {kind.label.lower()}_key IF NOT EXISTS "
            f"FOR (n:{kind.label}) REQUIRE n.{kind.key} IS UNIQUE"
        )
        for name in kind.indexes:
            yield (
                f"CREATE INDEX {kind.label.lower()}_{name} IF NOT EXISTS "
                f"FOR (n:{kind.label}) ON (n.{name})"
            )
    for relation in RELATIONS:
        for name in relation.indexes:
            yield (
                f"CREATE INDEX {relation.type.lower()}_{name} IF NOT EXISTS "
                f"FOR ()-[r:{relation.type}]-() ON (r.{name})"
            )
    named = [kind for kind in NODES if kind.names]
    labels = "|".join(kind.label for kind in named)
    properties = ", ".join(dict.fromkeys(f"n.{name}" for kind in named for name in kind.names))
    yield (
        f"CREATE FULLTEXT INDEX {NAMES_INDEX} IF NOT EXISTS FOR (n:{labels}) "
        f"ON EACH [{properties}] OPTIONS {{indexConfig: {{`fulltext.analyzer`: 'cjk'}}}}"
    )


def apply_schema(database: Database) -> None:
    """Makes the constraints and indexes that are not there yet, and waits until they serve."""
    database.schema(schema_statements())
    database.read("CALL db.awaitIndexes(600)", seconds=600)
