"""How much of the data can be counted with, and up to which day they go."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import date
from functools import partial
from typing import Final

import polars as pl

from graph.cache.tables import build_table_path, load_cached_table
from graph.snapshot.frames import Snapshot

# Table of the snapshot -> its column of days; None where it has none.
DATED_COLUMNS: Final[dict[str, str | None]] = {
    "recognitions": "date",
    "mentorships": "start",
    "trainings": "start",
    "talents": "recognised_on",
    "honours": "date",
    "employments": "start",
    "teaching": "start",
    "partnerships": "start",
    "placings": None,
}


@dataclass(frozen=True)
class CoverageShare:
    """Of `whole` records of a kind, `known` have what counting needs."""

    what: str
    known: int
    whole: int


def load_coverage(snapshot: Snapshot) -> tuple[CoverageShare, ...]:
    """As `measure_coverage`, cached beside the snapshot."""
    found = load_cached_table(
        build_table_path(snapshot, "coverage"),
        lambda: pl.DataFrame([asdict(share) for share in measure_coverage(snapshot)]),
    )
    return tuple(CoverageShare(**row) for row in found.iter_rows(named=True))


def measure_coverage(snapshot: Snapshot) -> tuple[CoverageShare, ...]:
    """How many records of each kind have what counting needs: a first day, a level, a place."""
    frames = snapshot.frames
    people = frames["people"]
    taught, led, trained = frames["mentorships"], frames["leads"], frames["trainings"]
    return (
        _compute_coverage_share("mentorships_dated", taught, pl.col("start").is_not_null()),
        _compute_coverage_share("leads_dated", led, pl.col("start").is_not_null()),
        _compute_coverage_share("trainings_dated", trained, pl.col("start").is_not_null()),
        _compute_coverage_share("people_levelled", people, pl.col("level") > 0),
        _compute_coverage_share("people_in_province", people, pl.col("province").is_not_null()),
        _compute_coverage_share(
            "people_in_occupation", people, pl.col("occupation_code").is_not_null()
        ),
        _compute_coverage_share("people_employed", people, pl.col("enterprise_id").is_not_null()),
        _compute_coverage_share(
            "talents_dated", frames["talents"], pl.col("recognised_on").is_not_null()
        ),
    )


def _compute_coverage_share(what: str, frame: pl.LazyFrame, known: pl.Expr) -> CoverageShare:
    found, total = frame.select(known.sum().cast(pl.Int64), pl.len()).collect().row(0)
    return CoverageShare(what, int(found or 0), int(total))


def load_freshness(snapshot: Snapshot, until: date | None) -> pl.DataFrame:
    """As `find_newest_days`, cached beside the snapshot."""
    path = build_table_path(snapshot, "freshness", until)
    return load_cached_table(path, partial(find_newest_days, snapshot, until))


def find_newest_days(snapshot: Snapshot, until: date | None) -> pl.DataFrame:
    """A row a table of `DATED_COLUMNS`: table, rows (how many records), newest (the last day
    stated up to `until`; null where none is, or the table has no days).
    """
    found = []
    for name, column in DATED_COLUMNS.items():
        day = pl.lit(None, pl.Date) if column is None else pl.col(column)
        last = day.filter(day <= (until or pl.lit(None))).max() if column else day
        rows, newest = snapshot.frames[name].select(pl.len(), last).collect().row(0)
        found.append((name, rows, newest))
    schema = {"table": pl.String, "rows": pl.Int64, "newest": pl.Date}
    return pl.DataFrame(found, schema=schema, orient="row")
