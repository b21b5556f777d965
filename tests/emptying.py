"""Emptying the tests' store, in steps that fit into a small server's memory, and its notebook."""

from __future__ import annotations

from pathlib import Path

from graph.programme.notebook import Notebook
from graph.server.database import Database

# A province's or an occupation's node has tens of thousands of relations: they go first.
STEPS = (
    "MATCH ()-[r]->() WITH r LIMIT 10000 DELETE r",
    "MATCH (n) WITH n LIMIT 10000 DELETE n",
)


def emptied(database: Database) -> Database:
    """The database without a node; constraints and indexes may stay."""
    for step in STEPS:
        while True:
            done = database.write(step)
            if not (done.nodes_deleted or done.relationships_deleted):
                break
    return database


def empty_notebook(home: Path) -> None:
    """Take away what files of tests before this one noted and decided: ids are theirs too."""
    Notebook(home).redact(lambda entry: None)
