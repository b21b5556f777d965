"""The figures of the leading talents, written back into Neo4j for those who work in Cypher.

Every talent gets the properties of `graph.model.kinds.PUBLISHED_PROPERTIES`: what it drives, under
which policy, at which revision of the graph, and when that was written. No load states or touches
them, the store's digest leaves them out, and a new publication takes away all of the one before it.
Whoever reads them compares `driven_revision` with the newest `Load.revision`: after a load they are
of the past.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from graph.errors import IncompleteError
from graph.model.kinds import PUBLISHED_PROPERTIES
from graph.server.locks import is_load_running

if TYPE_CHECKING:
    from neo4j import ManagedTransaction

    from graph.driven.figures import Driven
    from graph.server.database import Database

PUBLISH_BATCH_ROWS: Final = 10_000
# Column of the figures: the property it becomes. Generations (g1, g2, ...) become driven_g1, ...
PUBLISHED_PROPERTY_NAMES: Final[Mapping[str, str]] = {
    "driven": "driven",
    "person_times": "driven_person_times",
    "pending": "driven_pending",
    "equal": "driven_equal",
    "nearest": "driven_nearest",
    "decay": "driven_decay",
    "rank_best": "driven_rank_best",
    "rank_worst": "driven_rank_worst",
}
# Nothing is written once a load has come in or is under way: in the same transaction, so that no
# figure of an older graph can follow it.
_UNCHANGED_GRAPH_CLAUSE: Final = (
    "MATCH (l:Load) WITH max(l.revision) AS newest, "
    "sum(CASE WHEN l.finished_at IS NULL THEN 1 ELSE 0 END) AS running "
    "WHERE newest = $revision AND running = 0 "
)
_WRITE_FIGURES_STATEMENT: Final = (
    _UNCHANGED_GRAPH_CLAUSE + "UNWIND $rows AS row MATCH (p:Person {person_id: row.person_id}) "
    "SET p += $none SET p += row.figures, p += $all RETURN count(p) AS n"
)
_CLEAR_FIGURES_STATEMENT: Final = (
    _UNCHANGED_GRAPH_CLAUSE
    + "MATCH (p:Person) WHERE p.driven_at IS NOT NULL AND p.driven_at <> $at "
    "WITH p LIMIT $batch SET p += $none RETURN count(p) AS n"
)


def publish_figures(database: Database, driven: Driven, band: pl.DataFrame) -> int:
    """Writes the figures on the talents and takes old ones away; how many talents have them.

    `band` has talent_id, rank_best and rank_worst (`graph.metrics.band`) at the same revision.
    Raises `IncompleteError` when the graph is not any more at the revision the figures are of,
    and while a load or an erasure runs.
    """
    # An erasure goes on after its revision: the store that it makes anew would lack the figures.
    if is_load_running(database.settings.home):
        raise _build_stale_error(driven.revision)
    at = datetime.now(UTC).isoformat(timespec="milliseconds")
    ranks = band.select("talent_id", "rank_best", "rank_worst")
    figures = driven.talents.join(ranks, on="talent_id", how="left", maintain_order="left")
    rows = _build_figure_rows(figures)
    given = {
        "revision": driven.revision,
        "at": at,
        "batch": PUBLISH_BATCH_ROWS,
        "none": dict.fromkeys(_list_published_names(figures)),
        "all": {
            "driven_policy": driven.policy.id,
            "driven_rules": json.dumps(driven.policy.as_dict(), default=str),
            "driven_revision": driven.revision,
            "driven_at": at,
        },
    }
    written = 0
    for start in range(0, len(rows), PUBLISH_BATCH_ROWS):
        part = rows[start : start + PUBLISH_BATCH_ROWS]
        done = _run_counting_statement(database, _WRITE_FIGURES_STATEMENT, {**given, "rows": part})
        if done != len(part):
            raise _build_stale_error(driven.revision)
        written += done
    while _run_counting_statement(database, _CLEAR_FIGURES_STATEMENT, given):
        pass
    return written


def _run_counting_statement(database: Database, statement: str, given: Mapping[str, Any]) -> int:
    def once(tx: ManagedTransaction) -> int:
        found = tx.run(statement, dict(given)).single()
        return 0 if found is None else int(found["n"])

    return database.write_with(once)


def _build_figure_rows(talents: pl.DataFrame) -> list[dict[str, Any]]:
    columns = {c: _build_published_name(c) for c in talents.columns if _build_published_name(c)}
    return [
        {
            "person_id": row["talent_id"],
            "figures": {name: row[column] for column, name in columns.items()},
        }
        for row in talents.select("talent_id", *columns).iter_rows(named=True)
    ]


def _build_published_name(column: str) -> str:
    if column[:1] == "g" and column[1:].isdigit():
        return f"driven_{column}"
    return PUBLISHED_PROPERTY_NAMES.get(column, "")


def _list_published_names(talents: pl.DataFrame) -> list[str]:
    """Every property a publication may have left, of longer chains than these too."""
    generations = [f"driven_g{number}" for number in range(1, 100)]
    now = [name for column in talents.columns if (name := _build_published_name(column))]
    return list(dict.fromkeys([*(p.name for p in PUBLISHED_PROPERTIES), *generations, *now]))


def _build_stale_error(revision: int) -> IncompleteError:
    return IncompleteError(
        "The figures are of revision {revision}, but a load has changed the graph since "
        "or is under way, so they were not published; ask for them again and publish "
        "those.",
        revision=revision,
    )
