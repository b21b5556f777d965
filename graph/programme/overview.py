"""The overview's figures: what the metric found, held against the targets of the programme."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from graph.driven.terms import EMPLOYER_BREAKDOWNS, PERSON_BREAKDOWNS, TALENT_BREAKDOWNS
from graph.model.vocabularies import PROVINCES
from graph.programme.ledgers import Ledger

if TYPE_CHECKING:
    from graph.driven.figures import Driven

OVERVIEW_CHAIN_KINDS = ("mentorship_only", "studio_only", "both", "mixed")
NATIONAL_SCOPE_NAMES = frozenset({"national", "全国"})
PROVINCE_CODE_BY_NAME = {name: code for code, names in PROVINCES.items() for name in (code, *names)}


@dataclass(frozen=True)
class Overview:
    """Both ledgers, nationally and broken down; counts in persons or person-times as named.

    - talents, workers: the ledgers by quarter (see `Ledger`)
    - provinces: province (code), persons, person_times, target (null = none)
    - generations: generation, and the kinds of chain; they add up to `persons`
    - lines: the reconciliation of person-times by line (see `graph.driven.terms.LEDGER_LINES`)
    - cuts: the headline by each breakdown of `graph.driven.terms`: value (null = not stated),
      persons, person_times; by what talents alone have (`TALENT_BREAKDOWNS`): value, persons
      (driven by the row's talents together), leading_talents, equal (credit, which adds up)
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
    def gap(self) -> int | None:
        """Person-times of the headline ahead of the straight path on `data_until` (negative: short
        of it); None when there is no national target.
        """
        due = self.workers.path(self.data_until)
        return None if due is None else self.person_times - round(due)

    @property
    def driven_by_several(self) -> int:
        """How often the sum over the talents counts a person again: the sum less the persons."""
        return self.sum_over_talents - self.persons

    @property
    def on_path(self) -> float:
        """The share of a target that the straight path has reached by `data_until`."""
        total_days = (self.workers.end - self.workers.start).days + 1
        gone = (self.data_until - self.workers.start).days + 1
        return min(max(gone, 0), total_days) / total_days


def build_overview(
    driven: Driven, named: pl.DataFrame, goals: Sequence[dict[str, Any]], data_until: date
) -> Overview:
    """The figures under one policy.

    `named`: person, day, a row for each naming of a leading talent. `goals`: scope, year,
    leading_talents, high_skilled, of the Goal nodes; a year's goal counts toward the window's.
    """
    policy = driven.policy
    window = policy.window_start, policy.window_end
    until = min(max(data_until, window[0]), window[1])
    targets = sum_targets_by_scope(goals, window[0].year, window[1].year)
    national = targets.get("national", {})
    return Overview(
        data_until=until,
        talents=Ledger(
            accumulate_quarters(_count_namings_by_quarter(named, window), window[0], until),
            national.get("leading_talents"),
            *window,
        ),
        workers=Ledger(
            accumulate_quarters(_count_driven_by_quarter(driven), window[0], until),
            national.get("high_skilled"),
            *window,
        ),
        provinces=_join_province_targets(driven, targets),
        generations=_count_by_chain_kind(driven),
        persons=driven.national["driven_persons"],
        person_times=driven.national["driven_person_times"],
        sum_over_talents=driven.national["sum_over_talents"],
        lines=driven.reconciliation(),
        cuts=build_overview_cuts(driven),
    )


def build_overview_cuts(driven: Driven) -> dict[str, pl.DataFrame]:
    """The headline broken down: see `Overview.cuts`. What no row of the data states is left out."""
    counts = {"persons": "driven_persons", "person_times": "driven_person_times"}
    cells = driven.by_generation_and_channel()
    quarters = driven.by_quarter().with_columns(
        pl.format("{}Q{}", pl.col("quarter").dt.year(), pl.col("quarter").dt.quarter())
    )
    found = {"quarter": quarters.select(value="quarter", **counts)}
    for name in (*PERSON_BREAKDOWNS, *EMPLOYER_BREAKDOWNS):
        rows = driven.by(name).select(value=name, **counts)
        found[name] = rows.filter(pl.col("person_times") > 0)
    for name in TALENT_BREAKDOWNS:
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


def count_provinces_on_path(overview: Overview) -> tuple[int, int]:
    """How many provinces stand on the straight path or above it, of how many with a target.

    A province does when person-times >= `Overview.on_path` * target.
    """
    rows = overview.provinces.filter(pl.col("target") > 0)
    on = rows.filter(pl.col("person_times") >= overview.on_path * pl.col("target"))
    return on.height, rows.height


def list_reached_provinces(
    provinces: pl.DataFrame, goals: Sequence[dict[str, Any]], first: int, last: int
) -> set[str]:
    """The codes of the provinces whose person-times have reached the target of these years.

    `provinces`: province, driven_person_times; `goals` as `build_overview` takes them.
    """
    targets = sum_targets_by_scope(goals, first, last)
    return {
        code
        for code, times in provinces.select("province", "driven_person_times").rows()
        if (goal := targets.get(code or "", {}).get("high_skilled")) and times >= goal
    }


def count_narrowing_quarters(ledger: Ledger) -> int:
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


def sum_targets_by_scope(
    goals: Sequence[dict[str, Any]], first: int, last: int
) -> dict[str, dict[str, int]]:
    """Scope -> the sums of its yearly goals in the window.

    A scope is "national", a province's code, or what else the data name, as an industry.
    """
    sums: dict[str, dict[str, int]] = {}
    for goal in goals:
        scope = str(goal["scope"]).strip()
        name = (
            "national"
            if scope.lower() in NATIONAL_SCOPE_NAMES
            else PROVINCE_CODE_BY_NAME.get(scope, scope)
        )
        if not name or not first <= goal["year"] <= last:
            continue
        scope_sums = sums.setdefault(name, {})
        for kind in ("leading_talents", "high_skilled"):
            if goal[kind]:
                scope_sums[kind] = scope_sums.get(kind, 0) + int(goal[kind])
    return sums


def _count_namings_by_quarter(named: pl.DataFrame, window: tuple[date, date]) -> pl.DataFrame:
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


def _count_driven_by_quarter(driven: Driven) -> pl.DataFrame:
    return driven.by_quarter().select(
        "quarter", persons="driven_persons", person_times="driven_person_times"
    )


def accumulate_quarters(quarters: pl.DataFrame, start: date, until: date) -> pl.DataFrame:
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


def _join_province_targets(driven: Driven, targets: dict[str, dict[str, int]]) -> pl.DataFrame:
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


def _count_by_chain_kind(driven: Driven) -> pl.DataFrame:
    """generation x kind of chain, in persons; at least the three generations people expect."""
    found = driven.by_generation_and_channel().filter(pl.col("driven_persons") > 0)
    counts = {
        (row["generation"], row["channel"]): row["driven_persons"]
        for row in found.iter_rows(named=True)
    }
    least = min(driven.policy.generations or 3, 3)
    last = max([least, *(generation for generation, _ in counts)])
    return pl.DataFrame(
        [
            {"generation": g, **{kind: counts.get((g, kind), 0) for kind in OVERVIEW_CHAIN_KINDS}}
            for g in range(1, last + 1)
        ]
    )
