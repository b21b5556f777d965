"""The statements that pages run: blocks of `queries/*.cypher` that no list offers.

    // name: studio_names
    // internal: The names of studios by id; those without one are left out.
    UNWIND $ids AS id ...

They have no words and declare no parameters: the statement's own must all be given. They read only,
and give what masking hides too; the page masks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graph.cypher.query_files import QUERY_FOLDER, QueryBlock, read_query_files

if TYPE_CHECKING:
    from graph.server.database import Database


@dataclass(frozen=True)
class InternalQuery:
    """A statement with what it gives (`about`) and the names of its parameters."""

    name: str
    about: str
    text: str
    parameters: frozenset[str]


@cache
def load_internal_queries(folder: Path = QUERY_FOLDER) -> Mapping[str, InternalQuery]:
    """The internal queries of a folder by name.

    Raises `ShichengError` with `file:line` for a block that says nothing of what it gives, has no
    statement, or has lines that only a named query has.
    """
    blocks, _ = read_query_files(folder)
    return {block.name: _build_internal_query(block) for block in blocks if block.internal}


def _build_internal_query(block: QueryBlock) -> InternalQuery:
    about = block.said["internal"]
    if not about:
        raise block.place.wrong(f"{block.name} is internal; say after that what it gives.")
    if block.parameters or len(block.said) > 1:
        raise block.place.wrong(
            f"{block.name} is internal; leave out its titles, help, parameters and stewards."
        )
    return InternalQuery(block.name, about, block.statement(), block.used_parameters())


def read_internal_query(database: Database, name: str, **parameters: Any) -> list[dict[str, Any]]:
    """The rows of an internal query, dates as `datetime.date`.

    Raises `KeyError` for an unknown name and `TypeError` for other parameters than it has.
    """
    query = load_internal_queries()[name]
    if parameters.keys() != query.parameters:
        raise TypeError(f"{name} takes {sorted(query.parameters)}, not {sorted(parameters)}.")
    return database.read(query.text, parameters)
