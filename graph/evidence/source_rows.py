"""The rows of files that state a recognition or a link."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from datetime import date
from typing import Any, Final

import polars as pl

from graph.dates import (
    PRECISION,
    get_date_precision,
    make_partial_date,
)
from graph.evidence.reasons import Hop, SourceRow
from graph.people.chains import (
    Step,
)
from graph.snapshot.edges import (
    CHANNEL_DTYPE,
    combine_precisions,
    filter_studio_trainings,
)
from graph.snapshot.frames import Snapshot

# --- the rows that state it -------------------------------------------------------------------


def list_recognition_rows(
    snapshot: Snapshot, promoted: pl.DataFrame
) -> dict[tuple[int, date, int], tuple[SourceRow, ...]]:
    """(person, day, level) -> the rows that state that recognition."""
    stated = filter_stating_rows(snapshot, "recognitions", pl.col("person"), promoted["person"])
    stating_rows: dict[tuple[int, date, int], tuple[SourceRow, ...]] = {}
    for row in stated.iter_rows(named=True):
        key = row["person"], row["date"], row["level"]
        stating_rows[key] = (
            *stating_rows.get(key, ()),
            _parse_source_row("recognitions", row["row"], row["sources"]),
        )
    return stating_rows


def filter_stating_rows(
    snapshot: Snapshot, frame: str, who: pl.Expr, people: pl.Series
) -> pl.DataFrame:
    """The rows of a relation that are of these people (row numbers), with row and sources."""
    wanted = who.is_in(people.unique().implode())
    return snapshot.frames[frame].filter(wanted).collect()


def _parse_source_row(table: str, row: str | None, sources: Sequence[str] | None) -> SourceRow:
    file, _, line = (row or "").rpartition(":")
    return SourceRow(
        table, file or (row or ""), int(line) if line.isdigit() else None, tuple(sources or ())
    )


def list_link_rows(snapshot: Snapshot, hops: pl.DataFrame) -> pl.DataFrame:
    """The rows that state these hops: mentor, apprentice, start, channel in, repeats dropped.

    A row a stating row: the hop, end (of the mentorship, or of what the periods at a studio
    share), studio_id, table, row, sources, and what is known of start and end. Of a studio's hop
    both the leading and the training are given.
    """
    keys = ["mentor", "apprentice", "start", "channel"]
    wanted = hops.select(keys).unique()
    taught = (
        filter_stating_rows(snapshot, "mentorships", pl.col("apprentice"), wanted["apprentice"])
        .with_columns(channel=pl.lit("mentorship", CHANNEL_DTYPE))
        .pipe(_with_precisions)
        .select(
            *keys,
            "end",
            studio_id=pl.lit(None, pl.String),
            table=pl.lit("mentorships"),
            row="row",
            sources="sources",
            **PRECISIONS,
        )
    )
    stated = [taught]
    ties = _join_studio_ties(snapshot, wanted["mentor"], wanted["apprentice"])
    for table, prefix in (("studio_leads", ""), ("trainings", "_trained")):
        stated.append(
            ties.with_columns(channel=pl.lit("studio", CHANNEL_DTYPE), table=pl.lit(table)).select(
                *keys,
                "end",
                "studio_id",
                "table",
                row=f"row{prefix}",
                sources=f"sources{prefix}",
                **PRECISIONS,
            )
        )
    return (
        pl.concat(stated)
        .join(wanted, on=keys, how="semi", nulls_equal=True)
        .unique(maintain_order=True)
        .sort(*keys, "table", "row", nulls_last=True)
    )


PRECISIONS: Final = {name: name for name in ("start" + PRECISION, "end" + PRECISION)}


def _with_precisions(rows: pl.DataFrame) -> pl.DataFrame:
    """The rows with what is known of their starts and ends, where their table does not say it."""
    absent = [pl.lit(None, pl.String).alias(n) for n in PRECISIONS if n not in rows.columns]
    return rows.with_columns(absent)


def _join_studio_ties(
    snapshot: Snapshot, mentors: pl.Series, apprentices: pl.Series
) -> pl.DataFrame:
    """As `graph.snapshot.edges.build_studio_ties`, between these people, with the rows of both
    sides.
    """
    leads = filter_stating_rows(snapshot, "leads", pl.col("person"), mentors).lazy()
    trained = filter_stating_rows(snapshot, "trainings", pl.col("person"), apprentices).lazy()
    known = pl.col("start").is_not_null() & pl.col("start_trained").is_not_null()
    later = pl.max_horizontal("start", "start_trained")
    end = pl.min_horizontal("end", "end_trained")
    both = leads.join(filter_studio_trainings(trained), on="studio_id", suffix="_trained")
    return (
        both.select(
            "studio_id",
            "row",
            "sources",
            "row_trained",
            "sources_trained",
            mentor="person",
            apprentice="person_trained",
            start=pl.when(known).then(later),
            end=end,
            later=later,
            **combine_precisions(both, start=later, end=end),
        )
        .filter((pl.col("later") <= pl.col("end")).fill_null(True))
        .collect()
        .pipe(_with_precisions)
    )


def build_chain_hops(snapshot: Snapshot, chains: Sequence[Sequence[Step]]) -> list[tuple[Hop, ...]]:
    """The chains with people's ids, periods, studios and the rows that state each hop."""
    steps = {step for chain in chains for step in chain}
    if not steps:
        return [() for _ in chains]
    ids = lookup_person_ids(snapshot, {p for step in steps for p in (step.mentor, step.apprentice)})
    hops = {
        step: Hop(ids[step.mentor], ids[step.apprentice], step.start, step.channel)
        for step in steps
    }
    asked = pl.DataFrame([asdict(step) for step in steps], schema=STEP_SCHEMA)
    for row in list_link_rows(snapshot, asked).iter_rows(named=True):
        step = Step(row["mentor"], row["apprentice"], row["start"], row["channel"])
        hop, stated = hops[step], _parse_source_row(row["table"], row["row"], row["sources"])
        start, end = (
            make_partial_date(row[name], row[name + PRECISION]) for name in ("start", "end")
        )
        # Of rows that begin on one day, one that states the day itself says more.
        if hop.rows and get_date_precision(hop.start) is None:
            start = hop.start
        hops[step] = replace(
            hop,
            start=start,
            end=hop.end or end,
            studio=hop.studio or row["studio_id"],
            rows=(*hop.rows, stated),
        )
    return [tuple(hops[step] for step in chain) for chain in chains]


STEP_SCHEMA: Final[dict[str, Any]] = {
    "mentor": pl.Int32,
    "apprentice": pl.Int32,
    "start": pl.Date,
    "channel": CHANNEL_DTYPE,
}


def lookup_person_ids(snapshot: Snapshot, people: Iterable[int]) -> dict[int, str]:
    """Row number -> person_id of these people."""
    wanted = pl.Series(list(people), dtype=pl.Int32).implode()
    found = snapshot.frames["people"].filter(pl.col("person").is_in(wanted))
    return dict(found.select("person", "person_id").collect().rows())
