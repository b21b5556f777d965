"""The rows of a talent's figures: one row per person-time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import polars as pl

from graph.dates import (
    PRECISION,
    least_known,
    written_dates,
)
from graph.errors import UsageError
from graph.people.chains import (
    find_best_chains,
    load_mentor_links,
)
from graph.snapshot.frames import Snapshot

if TYPE_CHECKING:
    from graph.driven.figures import Driven

from graph.evidence.source_rows import filter_stating_rows, list_link_rows
from graph.evidence.verdict import build_pair_questions

# --- the rows of a number ----------------------------------------------------------------------

LEDGER_ROW_COLUMNS: Final = {
    "talent_id": ("leading talent", "领军人才编号"),
    "person_id": ("person", "人员编号"),
    "day": ("day", "认定日期"),
    "day_precision": ("what is known of the day", "认定日期精度"),
    "level": ("level", "技能等级"),
    "driven": ("counts as a person too", "是否计入人数"),
    "generation": ("generation", "代数"),
    "channel": ("channel", "渠道"),
    "chain": ("best chain", "最短链条"),
    "starts": ("starts", "各段起始日期"),
    "channels": ("channels of its links", "各段渠道"),
    "rows": ("rows of its links", "各段依据行"),
    "recognition_rows": ("rows of the recognition", "认定依据行"),
    "sources": ("sources", "数据来源"),
}
LEDGER_ROW_COLUMN_NAMES: Final = tuple(LEDGER_ROW_COLUMNS)
CHAIN_SEPARATOR: Final = " > "


def list_ledger_rows(snapshot: Snapshot, driven: Driven, talent_id: str) -> pl.DataFrame:
    """The rows of a talent's figures: one row per person-time, sorted by person_id and day.

    - day_precision: year or month, where no more is known of the day
    - driven: whether it is the worker's first high-skilled promotion; as many of these as the
      talent's driven persons, as many rows as its person-times
    - generation, channel: of the chains that count for it
    - chain: the people of the best chain, from the talent on, with starts, channels, and rows, the
      file and line that state each hop ("?" = not known, " + " between the rows of one hop)
    - recognition_rows, sources: the rows that state the promotion, and who states any of it

    No names: ids alone, as in every table of workers. Raises `UsageError` when there is no such
    leading talent.
    """
    snapshot = snapshot.under(driven.policy)
    talent = _lookup_leading_talent(snapshot, talent_id)
    counted = _list_talent_events(snapshot, driven, talent)
    asked = build_pair_questions(counted, counted["day"])
    found, hops = find_best_chains(load_mentor_links(snapshot), asked, driven.policy)
    explained = counted.with_columns(
        pl.Series("generation", found.generation),
        found.channel(),
        pl.int_range(pl.len(), dtype=pl.Int64).alias("question"),
    )
    chains = _format_chain_texts(snapshot, hops)
    recognised = _format_recognition_texts(snapshot, counted)
    ids = _lookup_id_table(snapshot, counted["worker"])
    return (
        explained.join(chains, on="question", how="left")
        .join(recognised, on=["worker", "day", "level"], how="left")
        .join(ids.rename({"person": "worker"}), on="worker")
        .with_columns(
            talent_id=pl.lit(talent_id),
            sources=pl.concat_list("sources", "sources_of_recognition")
            .list.unique()
            .list.sort()
            .list.join("; "),
        )
        .select(LEDGER_ROW_COLUMN_NAMES)
        .sort("person_id", "day")
    )


def _lookup_leading_talent(snapshot: Snapshot, talent_id: str) -> int:
    named = snapshot.frames["talents"].select("person").unique()
    people = snapshot.frames["people"].filter(pl.col("person_id") == talent_id)
    found = people.join(named, on="person", how="semi").select("person").collect()
    if found.is_empty():
        raise UsageError(
            "There is no leading talent {talent_id} in revision {revision}; `shicheng "
            "driven` lists them all.",
            talent_id=talent_id,
            revision=snapshot.revision,
        )
    return int(found.item())


def _list_talent_events(snapshot: Snapshot, driven: Driven, talent: int) -> pl.DataFrame:
    """The promotions one talent's chains count for: talent, worker, day (and what is known of it),
    level, driven."""
    of_talent = (
        driven.tables["events"]
        .filter(pl.col("talent") == talent)
        .select("talent", "person", "day", driven=pl.col("first").cast(pl.Boolean))
        .collect()
    )
    rises = snapshot.frames["promotions"].select("person", "day", "level", "day_precision")
    return (
        rises.filter(pl.col("person").is_in(of_talent["person"].unique().implode()))
        .join(of_talent.lazy(), on=["person", "day"])
        .select("talent", "day", "day_precision", "level", "driven", worker="person")
        .sort("worker", "day")
        .collect()
    )


def _lookup_id_table(snapshot: Snapshot, people: pl.Series) -> pl.DataFrame:
    wanted = people.unique().implode()
    found = snapshot.frames["people"].filter(pl.col("person").is_in(wanted))
    return found.select("person", "person_id").collect()


def _format_chain_texts(snapshot: Snapshot, hops: pl.DataFrame) -> pl.DataFrame:
    """question -> chain, starts, channels, rows (texts) and sources (a list)."""
    keys = ["mentor", "apprentice", "start", "channel"]
    stated = (
        list_link_rows(snapshot, hops)
        .group_by(keys, maintain_order=True)
        .agg(
            pl.col("row").fill_null("?").unique(maintain_order=True).str.join(" + "),
            least_known("start" + PRECISION),
            pl.col("sources").explode().drop_nulls().unique(),
        )
    )
    ids = _lookup_id_table(snapshot, pl.concat([hops["mentor"], hops["apprentice"]]))
    named = (
        hops.join(stated, on=keys, how="left", nulls_equal=True)
        .join(ids.rename({"person": "mentor", "person_id": "from"}), on="mentor")
        .join(ids.rename({"person": "apprentice", "person_id": "to"}), on="apprentice")
        .sort("question", "hop")
    )
    chain_text = pl.col("from").first() + CHAIN_SEPARATOR + pl.col("to").str.join(CHAIN_SEPARATOR)
    return named.group_by("question", maintain_order=True).agg(
        chain=chain_text,
        starts=written_dates("start").fill_null("?").str.join(CHAIN_SEPARATOR),
        channels=pl.col("channel").cast(pl.String).str.join(CHAIN_SEPARATOR),
        rows=pl.col("row").fill_null("?").str.join(CHAIN_SEPARATOR),
        sources=pl.col("sources").explode().drop_nulls(),
    )


def _format_recognition_texts(snapshot: Snapshot, counted: pl.DataFrame) -> pl.DataFrame:
    """worker, day, level -> recognition_rows (text) and sources_of_recognition (a list)."""
    stated = filter_stating_rows(snapshot, "recognitions", pl.col("person"), counted["worker"])
    return stated.group_by(worker="person", day="date", level="level").agg(
        pl.col("row").fill_null("?").unique().sort().str.join(" + ").alias("recognition_rows"),
        pl.col("sources").explode().drop_nulls().alias("sources_of_recognition"),
    )
