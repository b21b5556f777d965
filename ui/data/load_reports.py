"""What was loaded, what was refused, and how much of the data can be counted with.

Loads stand in the graph; what a load came to table by table, and each refusal, in the data folder
of the machine that loaded (`loaders.reports.write_load_report`). A load from another machine has no
such report here, and the page says so.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl

from graph.evidence.conflicts import load_conflicts
from graph.messages import Message
from graph.model.kinds import EXCHANGE_TABLES
from graph.programme.coverage import CoverageShare, load_coverage, load_freshness
from graph.server.damage import is_readable, note_damage, set_aside
from graph.store.standing import list_loads
from ui.shell import graph_state
from ui.shell.visitor import Visitor
from ui.words.i18n import current_language

# Cells of these columns, in any language of the files, are people's own; a manager sees that
# something stood there, not what.
PERSONAL_HEADERS: Final = frozenset(
    header
    for table in ("people", "recognitions")
    for column in EXCHANGE_TABLES[table].properties
    if column.personal or column.name in ("name", "certificate_no")
    for header in (column.name, column.zh, *column.headers)
)
PERSONAL_PROPERTIES: Final = frozenset(
    column.stored
    for table in ("people", "recognitions")
    for column in EXCHANGE_TABLES[table].properties
    if column.personal or column.name == "certificate_no"
)
MASKED_VALUE: Final = "····"
MAX_FINDINGS: Final = 50_000
FINDING_SCHEMA: Final = {
    "file": pl.String,
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "reason": pl.String,
    "reason_zh": pl.String,
    "kind": pl.String,
}


@dataclass(frozen=True)
class LoadRecord:
    """A load of the graph; its times are ISO 8601. What it has not come to is None or empty."""

    load_id: str
    loader: str | None
    revision: int | None
    started_at: str | None
    finished_at: str | None
    sources: tuple[str, ...]
    files: tuple[str, ...]
    rows_read: int | None
    rows_accepted: int | None
    rows_rejected: int | None
    merged_ids: int | None
    state: str
    undoable: bool
    undoes: str | None
    undone_at: str | None
    undone_by: str | None
    erased: int | None
    erasure_reason: str | None

    @property
    def counts(self) -> bool:
        """Whether its rows are in the newest revision: it has ended, and was not undone."""
        return self.state == "finished" and self.undoes is None and self.erased is None


def fetch_loads() -> list[LoadRecord]:
    """The loads of the graph, newest first."""
    return [
        LoadRecord(
            **{
                **row,
                "sources": tuple(row["sources"] or ()),
                "files": tuple(row["files"] or ()),
            }
        )
        for row in list_loads(graph_state.open_live_database())
    ]


def fetch_load_report(home: Path, load_id: str) -> dict[str, Any] | None:
    """What the load came to, table by table; None when this machine did not load it."""
    file = home / "reports" / f"{load_id}.json"
    if not file.is_file():
        return None
    if not is_readable(file):
        set_aside(file)
        note_damage(Message("The report {file} of a load was damaged and is set aside.", file=file))
        return None
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def fetch_findings(home: Path, load_id: str, visitor: Visitor) -> pl.DataFrame:
    """Refusals and remarks of a load (file, row, column, value, reason, kind), as a visitor may
    see them, the reason in the visit's language; at most `MAX_FINDINGS`.
    """
    file = home / "rejects" / f"{load_id}.csv"
    if not file.is_file():
        return pl.DataFrame(schema=FINDING_SCHEMA)
    found = pl.read_csv(file, schema_overrides=FINDING_SCHEMA, n_rows=MAX_FINDINGS)
    # Reports of loads by an older version have English alone.
    zh = pl.col("reason_zh" if "reason_zh" in found.columns else "reason")
    if current_language() == "zh":
        found = found.with_columns(reason=zh)
    found = found.select(*(name for name in FINDING_SCHEMA if name != "reason_zh"))
    return found if visitor.sees_personal_data else mask_findings(found)


def mask_findings(found: pl.DataFrame) -> pl.DataFrame:
    """The findings with people's own cells hidden."""
    own = pl.col("column").is_in(list(PERSONAL_HEADERS)) & (pl.col("value").fill_null("") != "")
    return found.with_columns(
        value=pl.when(own).then(pl.lit(MASKED_VALUE)).otherwise(pl.col("value")),
    )


@graph_state.cache_by_graph_state(max_entries=2, resource=True)
def _list_unmasked_conflicts() -> pl.DataFrame:
    return load_conflicts(graph_state.fetch_snapshot())


def fetch_shown_conflicts(visitor: Visitor) -> pl.DataFrame:
    """Values that do not count since another source is believed (`graph.evidence.conflicts`), as a
    visitor may see them.
    """
    found = _list_unmasked_conflicts()
    if visitor.sees_personal_data:
        return found
    own = pl.col("property").is_in(sorted(PERSONAL_PROPERTIES))
    return found.with_columns(
        pl.when(own).then(pl.lit(MASKED_VALUE)).otherwise(pl.col(name)).alias(name)
        for name in ("standing", "value")
    )


@graph_state.cache_by_graph_state(max_entries=4, resource=True)
def fetch_coverage() -> tuple[CoverageShare, ...]:
    """How much of each kind of record has what counting needs, at the revision now."""
    return load_coverage(graph_state.fetch_snapshot())


@graph_state.cache_by_graph_state(max_entries=4)
def fetch_freshness() -> list[dict[str, Any]]:
    """Each table: how many records the graph holds, and the newest day stated up to today."""
    until = graph_state.fetch_graph_revision().data_until
    return load_freshness(graph_state.fetch_snapshot(), until).to_dicts()
