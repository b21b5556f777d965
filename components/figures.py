"""The overview's figures: what the metric found, held against the targets of the programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from components.charts import Ledger
from graph.metrics.driven import OF_EMPLOYERS, OF_PEOPLE, OF_TALENTS
from graph.model import PROVINCES

if TYPE_CHECKING:
    from graph.metrics.driven import Driven

KINDS_OF_CHAIN = ("mentorship_only", "studio_only", "both", "mixed")
NATIONAL = frozenset({"national", "全国"})
PROVINCE_CODES = {name: code for code, names in PROVINCES.items() for name in (code, *names)}


@dataclass(frozen=True)
class Overview:
    """Both ledgers, nationally and broken down; counts in persons or person-times as named.

    - talents, workers: the ledgers by quarter (see `Ledger`)
    - provinces: province (code), persons, person_times, target (null = none)
    - generations: generation, and the kinds of chain; they add up to `persons`
    - lines: the reconciliation of person-times by line (see `graph.metrics.driven.LEDGER`)
    - cuts: the headline by each of `CUTS`: value (null = not stated), persons, person_times; by
      what talents alone have (`graph.metrics.driven.OF_TALENTS`): value, persons (whom the row's
      talents drive together), leading_talents, equal (credit, which adds up)
    """

    data_until: date
    talents: Ledger
    workers: Ledger
    provinces: pl.DataFrame
    generations: pl.DataFrame
    persons: int
    person_times: int
    sum_over_talents: int
    lines: dict[str, int]
    cuts: dict[str, pl.DataFrame]

    @property
    def quarter(self) -> int:
        """Which quarter of the window the data end in, from 1."""
        return self.workers.quarters.height

    @property
    def on_path(self) -> float:
        """The share of a target that the straight path has reached by `data_until`."""
        whole = (self.workers.end - self.workers.start).days + 1
        gone = (self.data_until - self.workers.start).days + 1
        return min(max(gone, 0), whole) / whole


def overview(
    driven: Driven, named: pl.DataFrame, goals: Sequence[dict[str, Any]], data_until: date
) -> Overview:
    """The figures under one policy.

    `named`: person, day, a row for each naming of a leading talent. `goals`: scope, year,
    leading_talents, high_skilled, of the Goal nodes; a year's goal counts toward the window's.
    """
    policy = driven.policy
    window = policy.window_start, policy.window_end
    until = min(max(data_until, window[0]), window[1])
    targets = targets_of(goals, window[0].year, window[1].year)
    national = targets.get("national", {})
    return Overview(
        data_until=until,
        talents=Ledger(
            _cumulative(_named_by_quarter(named, window), window[0], until),
            national.get("leading_talents"), *window,
        ),
        workers=Ledger(
            _cumulative(_driven_by_quarter(driven), window[0], until),
            national.get("high_skilled"), *window,
        ),
        provinces=_provinces(driven, targets),
        generations=_generations(driven),
        persons=driven.national["driven_persons"],
        person_times=driven.national["driven_person_times"],
        sum_over_talents=driven.national["sum_over_talents"],
        lines=driven.reconciliation(),
        cuts=cuts(driven),
    )  # fmt: skip


def cuts(driven: Driven) -> dict[str, pl.DataFrame]:
    """The headline broken down: see `Overview.cuts`. What no row of the data states is left out."""
    counts = {"persons": "driven_persons", "person_times": "driven_person_times"}
    cells = driven.by_generation_and_channel()
    quarters = driven.by_quarter().with_columns(
        pl.format("{}Q{}", pl.col("quarter").dt.year(), pl.col("quarter").dt.quarter())
    )
    found = {"quarter": quarters.select(value="quarter", **counts)}
    for name in (*OF_PEOPLE, *OF_EMPLOYERS):
        rows = driven.by(name).select(value=name, **counts)
        found[name] = rows.filter(pl.col("person_times") > 0)
    for name in OF_TALENTS:
        found[name] = driven.by(name).select(
            "leading_talents", "equal", value=name, persons="driven_persons"
        )
    for name in ("generation", "channel"):
        found[name] = (
            cells.group_by(pl.col(name).cast(pl.String).alias("value"), maintain_order=True)
            .agg(pl.col(column).sum().alias(new) for new, column in counts.items())
            .sort("value")
        )
    return {name: rows for name, rows in found.items() if not rows.is_empty()}


def narrowing(ledger: Ledger) -> int:
    """For how many quarters in a row, up to now, person-times have drawn nearer the straight path.

    Negative: for how many they have fallen further behind it. 0 when they are not behind.
    """
    rows = ledger.quarters.select("day", "person_times").rows()
    gaps = [(ledger.path(day) or 0.0) - times for day, times in rows]
    if ledger.target is None or not gaps or gaps[-1] <= 0:
        return 0
    steps = [now - before for before, now in zip([0.0, *gaps], gaps, strict=False)]
    run = 0
    for step in reversed(steps):
        if step == 0 or (run and (step < 0) != (run > 0)):
            break
        run += 1 if step < 0 else -1
    return run


def targets_of(goals: Sequence[dict[str, Any]], first: int, last: int) -> dict[str, dict[str, int]]:
    """Scope ("national" or a province's code) -> the sums of its yearly goals in the window."""
    sums: dict[str, dict[str, int]] = {}
    for goal in goals:
        scope = str(goal["scope"]).strip()
        name = "national" if scope.lower() in NATIONAL else PROVINCE_CODES.get(scope)
        if name is None or not first <= goal["year"] <= last:
            continue
        scope_sums = sums.setdefault(name, {})
        for kind in ("leading_talents", "high_skilled"):
            if goal[kind]:
                scope_sums[kind] = scope_sums.get(kind, 0) + int(goal[kind])
    return sums


def _named_by_quarter(named: pl.DataFrame, window: tuple[date, date]) -> pl.DataFrame:
    """New leading talents by quarter: persons at their first naming, person-times at each."""
    inside = named.unique().filter(pl.col("day").is_between(*window)).sort("day")
    return (
        inside.with_columns(
            pl.col("day").dt.truncate("1q").alias("quarter"),
            pl.col("person").is_first_distinct().alias("first"),
        )
        .group_by("quarter")
        .agg(
            pl.col("first").sum().cast(pl.Int64).alias("persons"),
            pl.len().cast(pl.Int64).alias("person_times"),
        )
    )


def _driven_by_quarter(driven: Driven) -> pl.DataFrame:
    return driven.by_quarter().select(
        "quarter", persons="driven_persons", person_times="driven_person_times"
    )


def _cumulative(quarters: pl.DataFrame, start: date, until: date) -> pl.DataFrame:
    """Running totals at each quarter's last day, the last one at `until`."""
    days = []
    opening = date(start.year, 3 * ((start.month - 1) // 3) + 1, 1)
    firsts = pl.date_range(opening, until, "1q", eager=True)
    for first in firsts:
        following = date(first.year + first.month // 10, (first.month + 2) % 12 + 1, 1)
        days.append(min(following - timedelta(days=1), until))
    frame = pl.DataFrame({"quarter": firsts, "day": days})
    return (
        frame.join(quarters, on="quarter", how="left")
        .with_columns(pl.col("persons", "person_times").fill_null(0))
        .sort("quarter")
        .select("day", pl.col("persons", "person_times").cum_sum())
    )


def _provinces(driven: Driven, targets: dict[str, dict[str, int]]) -> pl.DataFrame:
    found = driven.by("province").select(
        "province", persons="driven_persons", person_times="driven_person_times"
    )
    goals = pl.DataFrame(
        {
            "province": list(PROVINCES),
            "target": [targets.get(code, {}).get("high_skilled") for code in PROVINCES],
        },
        schema={"province": pl.String, "target": pl.Int64},
    )
    return goals.join(found, on="province", how="left").with_columns(
        pl.col("persons", "person_times").fill_null(0)
    )


def _generations(driven: Driven) -> pl.DataFrame:
    """generation x kind of chain, in persons; at least the three generations people expect."""
    found = driven.by_generation_and_channel().filter(pl.col("driven_persons") > 0)
    counts = {(row["generation"], row["channel"]): row["driven_persons"]
              for row in found.iter_rows(named=True)}  # fmt: skip
    least = min(driven.policy.generations or 3, 3)
    last = max([least, *(generation for generation, _ in counts)])
    return pl.DataFrame(
        [
            {"generation": g, **{kind: counts.get((g, kind), 0) for kind in KINDS_OF_CHAIN}}
            for g in range(1, last + 1)
        ]
    )
