"""The driven counts by attributes of workers and talents."""

from __future__ import annotations

from collections.abc import Mapping

import narwhals as nw
import polars as pl

from graph.driven.engines import Engine, Frame
from graph.driven.rounds import collect_frame
from graph.driven.terms import (
    CREDIT_COLUMNS,
    EMPLOYER_BREAKDOWNS,
    LEDGER_LINES,
    PERSON_BREAKDOWNS,
    TALENT_BREAKDOWNS,
)

# --- broken down ------------------------------------------------------------------------------


def build_person_attributes(people: Frame, enterprises: Frame | None) -> Frame:
    """By what people's figures are broken down: person, and those attributes that are stated."""
    names = people.collect_schema().names()
    known = [name for name in PERSON_BREAKDOWNS if name in names]
    if enterprises is None or "enterprise_id" not in names:
        return people.select("person", *known)
    employers = enterprises.select("enterprise_id", *EMPLOYER_BREAKDOWNS)
    placed = people.select("person", "enterprise_id", *known)
    return placed.join(employers, on="enterprise_id", how="left").drop("enterprise_id")


def find_first_naming(talents: Frame) -> Frame | None:
    """Each talent by the first day it was named: person, basis, year; None where none is stated.

    Of several bases on that day the first by name stands.
    """
    if "basis" not in talents.collect_schema().names():
        return None
    day = nw.col("recognised_on")
    first = talents.group_by("person").agg(named=day.min())
    named = talents.join(first, on="person", how="inner").filter(day == nw.col("named"))
    return (
        named.group_by("person", "named")
        .agg(nw.col("basis").cast(nw.String).min())
        .select("person", "basis", year=nw.col("named").dt.year().cast(nw.String))
    )


def break_down_by_worker(workers: Frame, attribute: str) -> pl.DataFrame:
    """Both ledgers and their lines by an attribute of the workers: value and the counts."""
    lines = workers.group_by(attribute, "ledger").agg(n=nw.len())
    return compute_ledgers_by_value(collect_frame(lines), attribute)


def compute_ledgers_by_value(lines: pl.DataFrame, attribute: str) -> pl.DataFrame:
    """Both ledgers by value from counts (`n`) by value and line, sorted by value."""
    of_line = {
        line: pl.col("n").filter(pl.col("ledger") == place).sum().cast(pl.Int64)
        for place, line in enumerate(LEDGER_LINES)
    }
    return (
        lines.group_by(attribute)
        .agg(
            of_line["first_promotions"].alias("driven_persons"),
            pl.col("n").sum().cast(pl.Int64).alias("driven_person_times"),
            **of_line,
        )
        .sort(attribute)
    )


def break_down_by_talent(rows: pl.DataFrame, placed: pl.DataFrame, attribute: str) -> pl.DataFrame:
    """The talents' own figures by an attribute of theirs; each adds up to the nation's."""
    summed = ("driven", *CREDIT_COLUMNS, "pending")
    found = rows.join(placed.select("person", attribute), on="person", how="left")
    return (
        found.group_by(attribute)
        .agg(pl.len().cast(pl.Int64).alias("leading_talents"), pl.col(summed).sum())
        .rename({"driven": "sum_over_talents"})
    )


def count_persons_driven_together(pairs: Frame, named: Frame, attribute: str) -> pl.DataFrame:
    """How many persons the talents of each value drive together, each person once a value.

    A person driven by talents of two values counts for both, so these do not add up.
    """
    both = pairs.select("talent", "person").join(
        named.select(attribute, talent="person"), on="talent", how="inner"
    )
    return collect_frame(both.group_by(attribute).agg(driven_persons=nw.col("person").n_unique()))


def compute_breakdowns(
    frames: Mapping[str, Frame], rows: pl.DataFrame, pairs: Frame, promoted: Frame, engine: Engine
) -> pl.DataFrame:
    """Every breakdown in one table: attribute, value (null = not stated) and the figures.

    By `PERSON_BREAKDOWNS` and `EMPLOYER_BREAKDOWNS`: both ledgers and their lines by where the
    worker is, and the talents' own figures by where the talent is. By `TALENT_BREAKDOWNS`: the
    talents' own figures, and driven_persons as in `count_persons_driven_together`.
    """
    placed = build_person_attributes(frames["people"], frames.get("enterprises"))
    chosen = frames["talents"].select("person").unique().join(placed, on="person", how="inner")
    chosen_rows = collect_frame(chosen)
    workers = promoted.select("person", "ledger").join(placed, on="person", how="inner")
    workers = engine.keep(workers.drop("person"))
    parts = [
        break_down_by_worker(workers, attribute)
        .join(
            break_down_by_talent(rows, chosen_rows, attribute),
            on=attribute,
            how="full",
            coalesce=True,
            nulls_equal=True,
        )
        .with_columns(pl.exclude(attribute).fill_null(0))
        .pipe(_format_breakdown, attribute)
        for attribute in chosen_rows.columns[1:]
    ]
    named = find_first_naming(frames["talents"])
    if named is not None:
        named_rows = collect_frame(named)
        parts += [
            break_down_by_talent(rows, named_rows, attribute)
            .join(
                count_persons_driven_together(pairs, named, attribute),
                on=attribute,
                how="left",
                nulls_equal=True,
            )
            .with_columns(pl.col("driven_persons").fill_null(0).cast(pl.Int64))
            .pipe(_format_breakdown, attribute)
            for attribute in TALENT_BREAKDOWNS
        ]
    return pl.concat(parts, how="diagonal_relaxed")


def _format_breakdown(found: pl.DataFrame, attribute: str) -> pl.DataFrame:
    value = pl.col(attribute).cast(pl.String).alias("value")
    return found.sort(attribute).select(
        pl.lit(attribute).alias("attribute"), value, pl.exclude(attribute)
    )
