"""One figure for what the store holds: two stores with equal digests state the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Any

from graph.model.kinds import FACETS, NODES, RELATION_KINDS, is_published_property
from graph.model.schema_types import build_facet_prefix
from graph.server.database import Database
from graph.store.statements import parse_stored_sources

DIGEST_SECONDS = 600.0
_KEYS = sorted({kind.key for kind in NODES})
# Two statements, not one a kind: a server that was just started plans each for 50 ms and more.
_NODES_STATEMENT = (
    "MATCH (n) WITH n, labels(n) AS labels WHERE any(label IN labels WHERE label IN $labels) "
    "RETURN labels, properties(n) AS properties"
)
_RELATIONS_STATEMENT = (
    "MATCH (a)-[r]->(b) WHERE type(r) IN $types "
    "RETURN type(r) AS type, labels(a) AS start_labels, [key IN $keys | a[key]] AS start_keys, "
    "labels(b) AS end_labels, [key IN $keys | b[key]] AS end_keys, properties(r) AS properties"
)


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
    """Every record as one line of JSON with sorted keys; the nodes first, each part in order."""
    labels = {"labels": [kind.label for kind in NODES]}
    yield from sorted(
        _format_record_line(sorted(row["labels"]), row["properties"])
        for row in database.read(_NODES_STATEMENT, labels, seconds=DIGEST_SECONDS)
    )
    given = {"types": list(RELATION_KINDS), "keys": _KEYS}
    yield from sorted(
        _format_relation_line(row)
        for row in database.read(_RELATIONS_STATEMENT, given, seconds=DIGEST_SECONDS)
    )


def _format_relation_line(row: dict[str, Any]) -> str:
    relation = RELATION_KINDS[row["type"]]
    start = _find_end_key(row["start_labels"], row["start_keys"], relation.start.kinds)
    end = _find_end_key(row["end_labels"], row["end_keys"], relation.end.kinds)
    return _format_record_line([start, relation.type, end], row["properties"])


def _find_end_key(labels: Sequence[str], keys: list[Any], kinds: Sequence[str]) -> Any:
    """A node's key by its label: a person has an `enterprise_id` too.

    An end of a kind that the relation never has is its keys by name.
    """
    for kind in NODES:
        if kind.label in kinds and kind.label in labels:
            return keys[_KEYS.index(kind.key)]
    return keys


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
