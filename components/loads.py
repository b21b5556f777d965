"""What was loaded, what was refused, and how much of the data can be counted with.

Loads stand in the graph; what a load came to table by table, and each refusal, in the data folder
of the machine that loaded (`loaders.sync.keep_report`). A load from another machine has no such
report here, and the page says so.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

import polars as pl
import streamlit as st

from components import store
from components.visitor import Visitor
from graph.kept_tables import kept_table, table_place
from graph.model import TABLES

# Cells of these columns, in any language of the files, are people's own; a manager sees that
# something stood there, not what.
PERSONAL: Final = frozenset(
    header
    for table in ("people", "recognitions")
    for column in TABLES[table].properties
    if column.personal or column.name in ("name", "certificate_no")
    for header in (column.name, column.zh, *column.headers)
)
HIDDEN: Final = "····"
MOST_FINDINGS: Final = 50_000
FINDING: Final = {
    "file": pl.String, "row": pl.Int64, "column": pl.String, "value": pl.String,
    "reason": pl.String, "kind": pl.String,
}  # fmt: skip
FRESH: Final = {"table": pl.String, "rows": pl.Int64, "newest": pl.Date}
LOADS: Final = """
MATCH (l:Load)
RETURN l.load_id AS load_id, l.loader AS loader, l.revision AS revision,
  toString(l.started_at) AS started_at, toString(l.finished_at) AS finished_at,
  l.sources AS sources, l.files AS files, l.rows_read AS rows_read,
  l.rows_accepted AS rows_accepted, l.rows_rejected AS rows_rejected
ORDER BY coalesce(l.revision, 1000000000) DESC LIMIT 200
"""


@dataclass(frozen=True)
class Share:
    """Of `whole` records of a kind, `known` have what counting needs."""

    what: str
    known: int
    whole: int


def loads() -> list[dict[str, Any]]:
    """The loads of the graph, newest first."""
    return store.read(LOADS)


def report(home: Path, load_id: str) -> dict[str, Any] | None:
    """What the load came to, table by table; None when this machine did not load it."""
    file = home / "reports" / f"{load_id}.json"
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found


def findings(home: Path, load_id: str, visitor: Visitor) -> pl.DataFrame:
    """Refusals and remarks of a load (file, row, column, value, reason, kind), as a visitor may
    see them; at most `MOST_FINDINGS`.
    """
    file = home / "rejects" / f"{load_id}.csv"
    if not file.is_file():
        return pl.DataFrame(schema=FINDING)
    found = pl.read_csv(file, schema_overrides=FINDING, n_rows=MOST_FINDINGS)
    return found if visitor.sees_personal_data else masked(found)


def masked(found: pl.DataFrame) -> pl.DataFrame:
    """The findings with people's own cells hidden."""
    own = pl.col("column").is_in(list(PERSONAL)) & (pl.col("value").fill_null("") != "")
    return found.with_columns(
        value=pl.when(own).then(pl.lit(HIDDEN)).otherwise(pl.col("value")),
    )


@st.cache_resource(max_entries=4, show_spinner=False)
def _coverage(state: str) -> tuple[Share, ...]:
    place = table_place(store.snapshot(), "coverage")
    found = kept_table(place, lambda: pl.DataFrame([asdict(share) for share in _covered()]))
    return tuple(Share(**row) for row in found.iter_rows(named=True))


def _covered() -> tuple[Share, ...]:
    frames = store.snapshot().frames
    people = frames["people"]
    taught, led, trained = frames["mentorships"], frames["leads"], frames["trainings"]
    return (
        _share("mentorships_dated", taught, pl.col("start").is_not_null()),
        _share("leads_dated", led, pl.col("start").is_not_null()),
        _share("trainings_dated", trained, pl.col("start").is_not_null()),
        _share("people_levelled", people, pl.col("level") > 0),
        _share("people_in_province", people, pl.col("province").is_not_null()),
        _share("people_in_occupation", people, pl.col("occupation_code").is_not_null()),
        _share("people_employed", people, pl.col("enterprise_id").is_not_null()),
        _share("talents_dated", frames["talents"], pl.col("recognised_on").is_not_null()),
    )


def _share(what: str, frame: pl.LazyFrame, known: pl.Expr) -> Share:
    found, whole = frame.select(known.sum().cast(pl.Int64), pl.len()).collect().row(0)
    return Share(what, int(found or 0), int(whole))


def coverage() -> tuple[Share, ...]:
    """How much of each kind of record has what counting needs, at the revision now."""
    return _coverage(store.state())


@st.cache_data(max_entries=4, show_spinner=False)
def _fresh(state: str) -> list[dict[str, Any]]:
    until = store.data_until(state)
    place = table_place(store.snapshot(), "freshness", until)
    return kept_table(place, lambda: pl.DataFrame(_newest(until), FRESH)).to_dicts()


def _newest(until: date | None) -> list[dict[str, Any]]:
    frames = store.snapshot().frames
    found = []
    for name, column in (
        ("recognitions", "date"), ("mentorships", "start"), ("trainings", "start"),
        ("talents", "recognised_on"), ("honours", "date"), ("employments", "start"),
        ("teaching", "start"), ("partnerships", "start"), ("placings", None),
    ):  # fmt: skip
        frame = frames[name]
        last = pl.lit(None, pl.Date) if column is None else pl.col(column).filter(
            pl.col(column) <= (until or pl.lit(None))
        ).max()  # fmt: skip
        rows, newest = frame.select(pl.len(), last).collect().row(0)
        found.append({"table": name, "rows": rows, "newest": newest})
    return found


def freshness() -> list[dict[str, Any]]:
    """Each table: how many records the graph holds, and the newest day stated up to today."""
    return _fresh(store.state())
