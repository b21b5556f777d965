"""Creates the constraints and indexes of the schema."""

from __future__ import annotations

from graph.model.constraints import build_schema_statements, is_search_index
from graph.server.database import Database


def apply_schema(database: Database, *, searched: bool = True) -> None:
    """Makes the constraints and indexes that are not there yet, and waits until they serve.

    Without `searched` the indexes by which people search are left for later: filled once, at the
    end of a first load, they cost a fraction of what they cost batch by batch.
    """
    serving = {
        row["name"]
        for row in database.read("SHOW INDEXES YIELD name, state WHERE state = 'ONLINE'")
    }
    missing = [
        statement
        for name, statement in build_schema_statements()
        if name not in serving and (searched or not is_search_index(name))
    ]
    if missing:
        database.schema(missing)
