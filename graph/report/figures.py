"""The figures of a month: everything a report says, from one snapshot under one policy.

All of it is of the month's last day: the policy's as-of day is that day, and of the promotions and
namings in the window only those up to it count. That is what the engine gives for a window that
ends on that day, for a chain counts by the day of the promotion alone; a test holds the two
together. Nothing depends on the day on which the report is made.

What cannot be given is a `Message` that says why, in place of the figure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, TypeVar

import polars as pl

from graph.driven.drill_down import load_drill_down
from graph.driven.figures import Driven
from graph.driven.results import load_driven
from graph.driven.terms import CHAIN_KINDS, LEDGER_LINES
from graph.errors import IncompleteError, UsageError
from graph.evidence.conflicts import load_conflicts
from graph.forecast.backtest import Backtest
from graph.forecast.landing import LandingForecast, load_backtest, load_landing_forecast
from graph.forecast.shortages import Shortages, load_shortages
from graph.messages import Message
from graph.metrics.cached_tables import load_metric_table
from graph.programme.coverage import CoverageShare, load_coverage
from graph.programme.departures import Departures, compute_until
from graph.programme.ledgers import Ledger
from graph.programme.overview import sum_targets_by_scope
from graph.programme.stored_departures import load_departures
from graph.report.month_change import MonthChange, compare_with_last_month
from graph.report.request import ReportRequest, ReportSources
from graph.snapshot.frames import Snapshot
from graph.store.standing import GraphState

NATIONAL_GOALS: Final = "national"
Found = TypeVar("Found")


@dataclass(frozen=True)
class MonthLedger:
    """A ledger up to the month's end, with a row a month in `Ledger.quarters`, and what the month
    added.
    """

    ledger: Ledger
    month_persons: int
    month_person_times: int


@dataclass(frozen=True)
class DataQuality:
    """What of the data can be counted with.

    - coverage: of the nation's records
    - loads: those that ended in the month, the earliest first
    - refused: rows that any load up to the revision refused
    - conflicts: table, values that do not stand as another source takes precedence
    - claims: the metric `claims_by_kind`
    """

    coverage: tuple[CoverageShare, ...]
    loads: tuple[Mapping[str, Any], ...]
    refused: int
    conflicts: pl.DataFrame
    claims: pl.DataFrame


@dataclass(frozen=True)
class ReportFigures:
    """All figures of a report.

    - data_until: the last recognition up to the month's end
    - state: where the graph stood; None for a snapshot in memory
    - lines: person-times by line of the reconciliation (`LEDGER_LINES`)
    - generations: generation, and persons by kind of chain (`CHAIN_KINDS`)
    - places: value (a province; of a province's report an occupation code; null = not stated),
      persons, person_times, month_person_times, target (null = none)
    """

    request: ReportRequest
    revision: int
    data_until: date
    state: GraphState | None
    workers: MonthLedger
    talents: MonthLedger
    lines: Mapping[str, int]
    generations: pl.DataFrame
    places: pl.DataFrame
    occupations: Mapping[str, str]
    change: MonthChange | Message
    forecast: LandingForecast | Message
    backtest: Backtest | Message
    departures: Departures | Message
    shortages: Shortages | Message
    quality: DataQuality


def collect_report_figures(sources: ReportSources, request: ReportRequest) -> ReportFigures:
    """The figures of the month.

    Raises `IncompleteError` where the data do not reach the month: its figures would be zeros
    that are none.
    """
    snapshot, policy = sources.snapshot, request.policy
    data_until = _find_data_until(snapshot, request)
    driven = load_driven(snapshot, policy)
    rows = _select_promotions(snapshot, driven, request)
    here = _select_province(rows, request.province)
    goals = sum_targets_by_scope(
        snapshot.frames["goals"].collect().to_dicts(),
        policy.window_start.year,
        policy.window_end.year,
    )
    own_goals = goals.get(request.province or NATIONAL_GOALS, {})
    return ReportFigures(
        request=request,
        revision=snapshot.revision,
        data_until=data_until,
        state=snapshot.standing,
        workers=_build_month_ledger(here, own_goals.get("high_skilled"), request),
        talents=_build_month_ledger(
            _list_namings(snapshot, request), own_goals.get("leading_talents"), request
        ),
        lines=_count_lines(snapshot, driven, request),
        generations=_count_chain_kinds(here),
        places=_count_places(rows, here, goals, request),
        occupations=dict(snapshot.frames["occupations"].select("code", "name").collect().rows()),
        change=_explain_gap(lambda: compare_with_last_month(sources, request, driven)),
        forecast=_explain_gap(lambda: load_landing_forecast(snapshot, policy)),
        backtest=_explain_gap(lambda: load_backtest(snapshot, policy)),
        departures=_explain_gap(
            lambda: load_departures(
                snapshot, policy, compute_until(policy.as_of), province=request.province
            )
        ),
        shortages=_explain_gap(lambda: load_shortages(snapshot, policy)),
        quality=_measure_quality(sources, driven, request),
    )


def _explain_gap(find: Callable[[], Found]) -> Found | Message:
    """What `find` gives, or why it gives none."""
    try:
        return find()
    except UsageError as error:
        return error.message


def _find_data_until(snapshot: Snapshot, request: ReportRequest) -> date:
    day = pl.col("date").filter(pl.col("date") <= request.month.last).max()
    found: date | None = snapshot.frames["recognitions"].select(day).collect().item()
    if found is None or found < request.month.first:
        raise IncompleteError(
            "The data reach {day}, so that {month} has no figures yet: load the month's "
            "recognitions, or report an earlier month.",
            day=found or "-",
            month=request.month,
        )
    return found


# --- both ledgers -----------------------------------------------------------------------------


def _select_promotions(snapshot: Snapshot, driven: Driven, request: ReportRequest) -> pl.DataFrame:
    """day, first, generation, channel, and province and occupation_code (null = not stated)."""
    rows = load_drill_down(snapshot, driven).rows.filter(pl.col("day") <= request.until)
    known = rows.collect_schema().names()
    cuts = [
        (pl.col(name) if name in known else pl.lit(None)).cast(pl.String).alias(name)
        for name in ("province", "occupation_code")
    ]
    return rows.select("person", "day", "first", "generation", "channel", *cuts).collect()


def _select_province(rows: pl.DataFrame, province: str | None) -> pl.DataFrame:
    return rows if province is None else rows.filter(pl.col("province") == province)


def _list_namings(snapshot: Snapshot, request: ReportRequest) -> pl.DataFrame:
    """day, first: the namings of leading talents in the window, of those of the province."""
    policy = request.policy
    placed = snapshot.frames["people"].select("person", "province")
    return _select_province(
        snapshot.frames["talents"]
        .select("person", day="recognised_on")
        .unique()
        .filter(pl.col("day").is_between(policy.window_start, request.until))
        .join(placed, on="person", how="left")
        .sort("day", "person")
        .with_columns(first=pl.col("person").is_first_distinct())
        .collect(),
        request.province,
    )


def _build_month_ledger(
    rows: pl.DataFrame, target: int | None, request: ReportRequest
) -> MonthLedger:
    policy = request.policy
    months = accumulate_months(rows, policy.window_start, request.until)
    inside = rows.filter(pl.col("day") >= request.month.first)
    return MonthLedger(
        Ledger(months, target, policy.window_start, policy.window_end),
        int(inside["first"].sum()),
        inside.height,
    )


def accumulate_months(rows: pl.DataFrame, start: date, until: date) -> pl.DataFrame:
    """day (each month's last, the last one `until`), persons, person_times, both cumulative.

    `rows`: day, first.
    """
    firsts = pl.date_range(start.replace(day=1), until, "1mo", eager=True)
    counted = rows.group_by(month=pl.col("day").dt.truncate("1mo")).agg(
        persons=pl.col("first").sum().cast(pl.Int64), person_times=pl.len().cast(pl.Int64)
    )
    return (
        pl.DataFrame({"month": firsts})
        .join(counted, on="month", how="left")
        .sort("month")
        .select(
            pl.min_horizontal(pl.col("month").dt.month_end(), pl.lit(until)).alias("day"),
            pl.col("persons", "person_times").fill_null(0).cum_sum(),
        )
    )


def _count_lines(snapshot: Snapshot, driven: Driven, request: ReportRequest) -> dict[str, int]:
    promotions = driven.promotions.filter(pl.col("day") <= request.until)
    if request.province is not None:
        here = snapshot.frames["people"].filter(pl.col("province") == request.province)
        promotions = promotions.join(here.select("person"), on="person", how="semi")
    counted = promotions.group_by(pl.col("ledger").cast(pl.String)).agg(n=pl.len()).collect()
    found = dict(counted.rows())
    return {line: int(found.get(line, 0)) for line in LEDGER_LINES}


def _count_chain_kinds(rows: pl.DataFrame) -> pl.DataFrame:
    counted = (
        rows.filter("first")
        .group_by("generation", pl.col("channel").cast(pl.String))
        .agg(n=pl.len().cast(pl.Int64))
    )
    return (
        counted.group_by("generation")
        .agg(
            pl.col("n").filter(pl.col("channel") == kind).sum().alias(kind) for kind in CHAIN_KINDS
        )
        .sort("generation")
    )


def _count_places(
    rows: pl.DataFrame,
    here: pl.DataFrame,
    goals: Mapping[str, Mapping[str, int]],
    request: ReportRequest,
) -> pl.DataFrame:
    """Of the nation by province; of a province by occupation. See `ReportFigures.places`."""
    attribute = "province" if request.province is None else "occupation_code"
    counted = (
        (rows if request.province is None else here)
        .group_by(value=attribute)
        .agg(
            persons=pl.col("first").sum().cast(pl.Int64),
            person_times=pl.len().cast(pl.Int64),
            month_person_times=(pl.col("day") >= request.month.first).sum().cast(pl.Int64),
        )
    )
    targets = pl.DataFrame(
        [
            (code, sums["high_skilled"])
            for code, sums in sorted(goals.items())
            if "high_skilled" in sums and code != NATIONAL_GOALS and attribute == "province"
            if code.isdecimal()
        ],
        schema={"value": pl.String, "target": pl.Int64},
        orient="row",
    )
    both = counted.join(targets, on="value", how="full", coalesce=True, nulls_equal=True)
    figures = pl.col("persons", "person_times", "month_person_times").fill_null(0)
    return both.with_columns(figures).sort(
        pl.col("value").is_null(), "person_times", "value", descending=[False, True, False]
    )


# --- data quality -----------------------------------------------------------------------------


def _measure_quality(sources: ReportSources, driven: Driven, request: ReportRequest) -> DataQuality:
    snapshot = sources.snapshot
    done = [
        load
        for load in sources.loads
        if load["finished_at"] and (load["revision"] or 0) <= snapshot.revision
    ]
    of_month = [load for load in done if str(load["finished_at"])[:7] == str(request.month)]
    conflicts = load_conflicts(snapshot).group_by("table").agg(values=pl.len().cast(pl.Int64))
    return DataQuality(
        load_coverage(snapshot),
        tuple(sorted(of_month, key=lambda load: int(load["revision"] or 0))),
        sum(int(load["rows_rejected"] or 0) for load in done),
        conflicts.sort("table"),
        load_metric_table(snapshot, request.policy, "claims_by_kind", driven=driven),
    )
