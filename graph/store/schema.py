"""Creates the constraints and indexes of the schema."""

from __future__ import annotations

from graph.model.constraints import build_schema_statements
from graph.server.database import Database


def apply_schema(database: Database) -> None:
    """Makes the constraints and indexes that are not there yet, and waits until they serve."""
    serving = {
        row["name"]
        for row in database.read("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE'")
    }
    missing = [statement for name, statement in build_schema_statements() if name not in serving]
    if missing:
        database.schema(missing)
