"""A load that was killed and is run again goes on from its last acknowledged batch.

Its Load node says what it was to write (`staged`), and each batch leaves an Undo node with its
number in its own transaction. A load of the same rows, by the same program, writes the same batches
in the same order: those with an Undo node stand, and are passed over. What it takes back at its end
is looked up in the graph, so of that nothing is passed over.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import polars as pl

import graph.model
import graph.store
import loaders
from graph.model.kinds import LOAD, UNDO
from graph.server.database import Database
from loaders.erasure.erasure_order import read_erasure_order
from loaders.load_nodes import compute_data_folder_id
from loaders.staging import StagedTable

_UNFINISHED_STATEMENT: Final = (
    f"MATCH (l:{LOAD.label}) WITH collect(l) AS loads, max(l.revision) AS newest "
    "UNWIND loads AS l WITH l, newest WHERE l.finished_at IS NULL "
    "RETURN l.load_id AS load_id, l.staged AS staged, l.undo AS folder, l.follows AS follows, "
    "newest"
)
_ACKNOWLEDGED_STATEMENT: Final = (
    f"MATCH (u:{UNDO.label} {{load_id: $load}}) RETURN collect(u.number) AS numbers"
)


@dataclass(frozen=True)
class ResumableLoad:
    """A load that broke off: what it was to write, and the numbers of the batches that stand.

    `first`: nothing was loaded before it.
    """

    load_id: str
    staged: str
    acknowledged: frozenset[int]
    first: bool


def find_resumable_load(database: Database) -> ResumableLoad | None:
    """The only load that broke off, where this data folder and this program began it.

    None also where another one has finished meanwhile, or where people are being erased.
    """
    if read_erasure_order(database.settings.home) is not None:
        return None
    found = database.read(_UNFINISHED_STATEMENT)
    if len(found) != 1:
        return None
    (load,) = found
    began_here = load["folder"] == compute_data_folder_id(database)
    same_program = (load["staged"] or "").startswith(compute_program_digest())
    if not began_here or not same_program or load["follows"] != load["newest"]:
        return None
    (there,) = database.read(_ACKNOWLEDGED_STATEMENT, {"load": load["load_id"]})
    numbers = frozenset(there["numbers"])
    first = load["newest"] is None
    return ResumableLoad(load["load_id"], load["staged"], numbers, first) if numbers else None


def compute_staged_digest(staged: Sequence[StagedTable], given: Mapping[str, Any]) -> str:
    """Tells what a load writes: the program, the rows in their order, and what else decides."""
    total = hashlib.sha256(repr(sorted(given.items())).encode())
    for table in staged:
        total.update(f"{table.table} {table.file} {table.source}".encode())
        for rows in (*table.rows(), *(rows for _, rows in table.alias_rows())):
            _add_rows(total, rows)
        for column, kinds in sorted(table.ends.items()):
            total.update(column.encode())
            _add_rows(total, kinds.sort(kinds.columns))
    return f"{compute_program_digest()}-{total.hexdigest()[:32]}"


def _add_rows(total: hashlib._Hash, rows: pl.DataFrame) -> None:
    total.update(repr(list(rows.schema.items())).encode())
    total.update(rows.hash_rows().to_numpy().tobytes())


@cache
def compute_program_digest() -> str:
    """Tells the program that makes batches of rows: by its text, and by polars' version."""
    total = hashlib.sha256(pl.__version__.encode())
    for package in (graph.model, graph.store, loaders):
        for path in sorted(Path(package.__path__[0]).glob("*.py")):
            total.update(path.read_bytes())
    return total.hexdigest()[:16]
