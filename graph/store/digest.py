"""One figure for what the store holds: two stores with equal digests state the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from graph.model.kinds import FACETS, NODES, RELATIONS, is_published_property
from graph.model.schema_types import build_facet_prefix
from graph.server.database import Database
from graph.store.statements import parse_stored_sources

DIGEST_PAGE_RECORDS = 10_000
_KEYS = sorted({kind.key for kind in NODES})


def compute_store_digest(database: Database) -> str:
    """SHA-256 (64 hexadecimal digits) over the canonical dump: a line a node, then a relation.

    Left out is what differs between two loads of the same rows: the Load nodes, load ids and
    times; and what was published on the talents, which no row states. What the records state,
    their labels, sources, files and rows are in it.
    """
    total = hashlib.sha256()
    for line in format_canonical_lines(database):
        total.update(line.encode() + b"\n")
    return total.hexdigest()


def format_canonical_lines(database: Database) -> Iterator[str]:
    """Every record as one line of JSON with sorted keys, in the order of kind and key."""
    for kind in NODES:
        statement = (
            f"MATCH (n:{kind.label}) WITH n ORDER BY n.{kind.key} SKIP $skip LIMIT "
            f"{DIGEST_PAGE_RECORDS} "
            "RETURN labels(n) AS labels, properties(n) AS properties"
        )
        for row in _read_record_pages(database, statement):
            yield _format_record_line(sorted(row["labels"]), row["properties"])
    for relation in RELATIONS:
        statement = (
            f"MATCH (a)-[r:{relation.type}]->(b) "
            f"WITH {_build_key_expression('a', relation.start.kinds)} AS a, "
            f"{_build_key_expression('b', relation.end.kinds)} AS b, r "
            f"ORDER BY a, b, r.key SKIP $skip "
            f"LIMIT {DIGEST_PAGE_RECORDS} RETURN a, b, properties(r) AS properties"
        )
        for row in _read_record_pages(database, statement):
            yield _format_record_line([row["a"], relation.type, row["b"]], row["properties"])


def _read_record_pages(database: Database, statement: str) -> Iterator[dict[str, Any]]:
    skip = 0
    while page := database.read(statement, {"skip": skip, "keys": _KEYS}, seconds=600):
        yield from page
        skip += DIGEST_PAGE_RECORDS


def _build_key_expression(variable: str, labels: Sequence[str]) -> str:
    """A node's key by its label: a person has an `enterprise_id` too.

    An end of a kind that the relation never has is its keys by name. Neo4j plans a choice among
    every kind three times as long.
    """
    keys = (
        f"WHEN {variable}:{kind.label} THEN {variable}.{kind.key}"
        for kind in NODES
        if kind.label in labels
    )
    return f"CASE {' '.join(keys)} ELSE [key IN $keys | {variable}[key]] END"


def _format_record_line(head: list[str], properties: dict[str, Any]) -> str:
    prefixes = ("", *(build_facet_prefix(facet) for facet in FACETS))
    loads = {f"{prefix}load" for prefix in prefixes}
    digested = {
        name: value
        for name, value in properties.items()
        if name not in loads and not is_published_property(name)
    }
    for prefix in prefixes:
        if f"{prefix}sources" in digested:
            digested[f"{prefix}sources"] = sorted(
                parse_stored_sources(digested[f"{prefix}sources"])
            )
    return json.dumps([head, digested], ensure_ascii=False, sort_keys=True, default=str)
