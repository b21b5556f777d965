"""One figure for all that the graph holds: every node and relation, with every property.

Unlike `graph.store.digest`, which tells whether two stores state the same records, this one covers
loads, journals and stamps too, and Neo4j's own numbers of nodes. A dump that is loaded elsewhere
has the same. The graph is read once, in no order, in one transaction: a hash of each record, added
up.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

from graph.server.database import Database

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

CHECKSUM_READ_SECONDS: Final = 3_600.0
_STATEMENTS: Final = (
    "MATCH (n) RETURN [id(n), labels(n)] AS head, properties(n) AS properties",
    "MATCH (a)-[r]->(b) RETURN [id(a), type(r), id(b)] AS head, properties(r) AS properties",
)


@dataclass(frozen=True)
class GraphChecksum:
    """How many nodes and relations, and the sum of their hashes (64 hexadecimal digits)."""

    nodes: int
    relations: int
    sha256: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def compute_graph_checksum(database: Database) -> GraphChecksum:
    """The checksum of the graph as it is now; nothing of it is held in memory."""
    return database.read_with(_sum_records, seconds=CHECKSUM_READ_SECONDS)


def _sum_records(tx: ManagedTransaction) -> GraphChecksum:
    counts, total = [0, 0], 0
    for at, statement in enumerate(_STATEMENTS):
        for head, properties in tx.run(statement):
            if at == 0:
                head = [head[0], sorted(head[1])]
            line = json.dumps([head, properties], sort_keys=True, default=str)
            total += int.from_bytes(hashlib.sha256(line.encode()).digest(), "big")
            counts[at] += 1
    return GraphChecksum(counts[0], counts[1], f"{total % (1 << 256):064x}")
