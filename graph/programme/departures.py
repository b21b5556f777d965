"""Who leaves, or is free to leave, by a day, and what hangs on each; docs/metrics.md has the rule.

Reasons (`kind`), each with the day on which it falls:

- retires: the day on record; else the statutory month (`graph.people.retirement`). Nobody who
  is retired by the as-of day, is reemployed after retirement, or has agreed on a later retirement
  that has not lapsed
- postponement_ends: an agreed later retirement lapses
- reemployment_ends: the contract of somebody reemployed after retirement ends
- service_ends: an agreed period of service ends
- non_compete_ends: a non-compete ends

What hangs on a person (`compute_departure_stakes`), all as of the policy's day:

- last_mentor: the only mentor in place of an occupation in a province; in place is who has a
  mentorship going on and is not retired, or is reemployed
- key_studios: studios of whose driven workers at least half are lost with the `key people` of
  which the person is one; least_bus_factor: the fewest such people (`graph.metrics.bus_factor`)
- irreplaceable: driven workers who lose every chain without the person
  (`graph.metrics.irreplaceable`), persons and person-times
- apprentices: people whose mentorship with the person goes on

The order: last mentors first, then by key_studios, irreplaceable, apprentices, each falling; then
by day. What nobody else can do goes before what others can do in part.

Whoever is no data steward must not learn a birthday, or the day of a retirement, by asking for one
day after the other. Where retirement decides anything (who works, who is a mentor in place, who is
past the month, which period is looked at), it is judged by calendar years: `judge_retirement_by`.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

import polars as pl

from graph.cache.tables import build_table_path, has_cached_table, load_cached_table
from graph.dates import PRECISION, YEAR, take_last_day
from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.metrics.bus_factor import compute_bus_factor
from graph.metrics.irreplaceable import compute_irreplaceable
from graph.people.retirement import (
    add_retirement_months,
    find_postponements,
    find_working_people,
    judge_retirement_by,
    list_open_employments,
    list_retirements,
)
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

DEPARTURE_KINDS: Final = {
    "retires": ("retires", "退休"),
    "postponement_ends": ("postponed retirement lapses", "延迟退休到期"),
    "reemployment_ends": ("re-employment contract ends", "返聘合同到期"),
    "service_ends": ("service period ends", "服务期满"),
    "non_compete_ends": ("non-compete ends", "竞业限制到期"),
}
# By what a day is known: a record, or the birth month.
DAY_GROUNDS: Final = {"record": ("on record", "已登记"), "age": ("by age", "按年龄推算")}
# The days of these tell a birthday: whoever is no data steward gets the years.
AGE_KINDS: Final = ("retires", "postponement_ends")
STAKE_COLUMNS: Final = (
    "last_mentor",
    "key_studios",
    "least_bus_factor",
    "irreplaceable",
    "irreplaceable_person_times",
    "apprentices",
)
RISK_ORDER: Final = ("last_mentor", "key_studios", "irreplaceable", "apprentices")
COLUMNS: Final[MetricColumnLabels] = {
    "rank": ("place in the order of risk", "风险次序"),
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "kind": ("why the person may leave", "离任原因"),
    "day": ("day, month or year", "日期"),
    "other_day": ("later month, as a cadre", "另一日期（按管理技术岗位）"),
    "known_by": ("known by", "依据"),
    "gap": ("what is not known", "缺失信息"),
    "level": ("level", "技能等级"),
    "leading": ("leading talent", "领军人才"),
    "province": ("province", "省份"),
    "occupation_code": ("occupation code", "职业代码"),
    "occupation": ("occupation", "职业"),
    "enterprise_id": ("enterprise id", "企业编号"),
    "enterprise": ("enterprise", "企业"),
    "last_mentor": ("last mentor of the occupation in the province", "该职业在该省的唯一师傅"),
    "key_studios": ("studios that lose half of their driven workers", "关键工作室数"),
    "least_bus_factor": ("fewest people on whom such a studio hangs", "工作室关键人数"),
    "irreplaceable": ("driven workers lost (persons)", "离任影响人数（人）"),
    "irreplaceable_person_times": ("driven person-times lost", "离任影响人次（人次）"),
    "apprentices": ("apprentices in training (persons)", "在带徒弟（人）"),
}
DEFAULT_MONTHS: Final = 12
_STAKES_VERSION: Final = 3


@dataclass(frozen=True)
class Departures:
    """The rows of `COLUMNS` in the order of risk, and what is not known.

    `gaps`: by what is not known (`RETIREMENT_GAPS`), how many working people have no single
    statutory month for it; `overdue`: how many are past their month on `retirements_since`, without
    a retirement on record. The days of `AGE_KINDS` lie from `retirements_since` to
    `retirements_until`: calendar years unless a steward asks, else `since` to `until`.
    """

    rows: pl.DataFrame
    since: date
    until: date
    retirements_since: date
    retirements_until: date
    gaps: Mapping[str, int]
    overdue: int


def compute_until(day: date, months: int = DEFAULT_MONTHS) -> date:
    """The last day of the month that is so many months after the day's, in 9999 at the latest.

    >>> compute_until(date(2024, 2, 29)), compute_until(date(2026, 11, 23), 1)
    (datetime.date(2025, 2, 28), datetime.date(2026, 12, 31))
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, monthrange(year, month + 1)[1])


def load_departure_stakes(
    snapshot: Snapshot, policy: Policy, *, steward: bool = False
) -> pl.DataFrame:
    """As `compute_departure_stakes`; stored beside the snapshot."""
    return load_cached_table(
        _build_stakes_path(snapshot, policy, steward=steward),
        partial(compute_departure_stakes, snapshot, policy, steward=steward),
    )


def has_departure_stakes(snapshot: Snapshot, policy: Policy, *, steward: bool = False) -> bool:
    """Whether the stakes are there, so that asking for them costs next to nothing."""
    return has_cached_table(_build_stakes_path(snapshot, policy, steward=steward))


def _build_stakes_path(snapshot: Snapshot, policy: Policy, *, steward: bool) -> Path | None:
    name = "departure-stakes" if steward else "departure-stakes-by-year"
    return build_table_path(snapshot, name, policy.id, _STAKES_VERSION)


def compute_departure_stakes(
    snapshot: Snapshot, policy: Policy, *, steward: bool = False
) -> pl.DataFrame:
    """person and `STAKE_COLUMNS`: the stakes of each person with any above 0.

    Without `steward` retirements are judged by calendar years: a mentor whose apprentices leave
    the figures on one day would reveal the day.
    """
    snapshot = snapshot.under(policy)
    people = snapshot.frames["people"].select("person", "person_id").collect()
    lost = compute_irreplaceable(snapshot, policy).filter(pl.col("kind") == "person")
    irreplaceable = lost.select("irreplaceable", "irreplaceable_person_times", person_id="id").join(
        people, on="person_id"
    )
    retired_by = judge_retirement_by(policy.as_of, steward=steward)
    teaching = find_mentors_in_place(snapshot, policy.as_of, retired_by)
    parts = (
        irreplaceable.drop("person_id"),
        _count_key_studios(snapshot, policy).join(people, on="person_id").drop("person_id"),
        teaching.select("person", "apprentices"),
        _find_last_mentors(snapshot, teaching),
    )
    found = pl.concat([part.select("person") for part in parts]).unique()
    for part in parts:
        found = found.join(part, on="person", how="left")
    counted = [name for name in STAKE_COLUMNS if name not in ("last_mentor", "least_bus_factor")]
    return (
        found.select(
            "person",
            pl.col("last_mentor").fill_null(False),
            *(pl.col(name).cast(pl.Int64).fill_null(0) for name in counted),
            pl.col("least_bus_factor").cast(pl.Int64),
        )
        .select("person", *STAKE_COLUMNS)
        .sort("person")
    )


def _count_key_studios(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """person_id, key_studios, least_bus_factor."""
    studios = compute_bus_factor(snapshot, policy).filter(pl.col("driven_persons") > 0)
    return (
        studios.select("bus_factor", person_id=pl.col("who").str.split(" "))
        .explode("person_id")
        .group_by("person_id")
        .agg(key_studios=pl.len(), least_bus_factor=pl.col("bus_factor").min())
    )


def find_mentors_in_place(snapshot: Snapshot, day: date, retired_by: date) -> pl.DataFrame:
    """person, apprentices (distinct, going on as of the day) of mentors who still work."""
    taught = (
        find_ongoing_mentorships(snapshot, day)
        .group_by(person="mentor")
        .agg(apprentices=pl.col("apprentice").n_unique())
    )
    working = find_working_people(snapshot, day, retired_by=retired_by).select("person")
    return taught.join(working, on="person", how="semi").collect()


def find_ongoing_mentorships(snapshot: Snapshot, day: date) -> pl.LazyFrame:
    """The mentorships that go on on the day, as the snapshot has them."""
    mentorships = snapshot.frames["mentorships"]
    return mentorships.filter(
        (pl.col("start").is_null() | (pl.col("start") <= day))
        & (pl.col("end").is_null() | (take_last_day(mentorships, "end") >= day))
        & (pl.col("status").fill_null("ongoing") == "ongoing")
    )


def _find_last_mentors(snapshot: Snapshot, teaching: pl.DataFrame) -> pl.DataFrame:
    """person, last_mentor: the only mentor in place of the occupation in the province."""
    place = ("occupation_code", "province")
    known = snapshot.frames["people"].select("person", *place).drop_nulls()
    mentors = known.join(teaching.lazy().select("person"), on="person", how="semi")
    return (
        mentors.filter(pl.len().over(*place) == 1)
        .select("person", last_mentor=pl.lit(True))
        .collect()
    )


def list_departures(
    snapshot: Snapshot,
    policy: Policy,
    until: date | None = None,
    *,
    province: str | None = None,
    steward: bool = False,
    everyone: bool = False,
    stakes: pl.DataFrame | None = None,
) -> Departures:
    """Who leaves, or is free to leave, from the policy's day until `until` (default: a year on).

    `everyone`: also people without stakes. Without `steward` the days of `AGE_KINDS` are years,
    and entire calendar years are looked at: days would reveal a birthday to whoever asks for one
    month after the other. `stakes`: those of `load_departure_stakes`, where they are at hand.

    Raises `UsageError` where `until` lies before the policy's day.
    """
    since = policy.as_of
    until = until or compute_until(since)
    _ensure_period(since, until)
    found = stakes
    if found is None:
        found = load_departure_stakes(snapshot, policy, steward=steward)
    retired_by = judge_retirement_by(since, steward=steward)
    people = find_working_people(snapshot, since, retired_by=retired_by)
    working = add_retirement_months(people).filter(
        pl.lit(True) if province is None else pl.col("province") == province
    )
    ages = (since, until) if steward else (date(since.year, 1, 1), date(until.year, 12, 31))
    ends = _list_contract_ends(snapshot, since)
    retiring = list_retirements(working, find_postponements(snapshot, since, ages[0]))
    gaps, overdue = _count_unknown(retiring, ages[0])
    events = pl.concat([retiring, ends.join(working, on="person", how="semi")])
    events = _select_period(events, (since, until), ages)
    events = events if steward else _mask_days(events)
    rows = events.join(found.lazy(), on="person", how="left" if everyone else "inner")
    rows = _add_person_columns(rows, snapshot)
    return Departures(_rank_rows(rows.collect()), since, until, *ages, gaps, overdue)


def _ensure_period(since: date, until: date) -> None:
    if until < since:
        raise UsageError(
            "The list ends on {until}, before the as-of day {day}: choose a later end (--until), "
            "or an earlier as-of day (--as-of).",
            until=until,
            day=since,
        )


def _list_contract_ends(snapshot: Snapshot, since: date) -> pl.LazyFrame:
    """person, kind, day, day_precision of what employments agree on.

    A non-compete outlives the employment; the others end with it.
    """
    open_now = list_open_employments(snapshot, since)
    kept_on = pl.col("reemployed").fill_null(False)
    parts = (
        ("service_ends", "service_until", open_now.filter(~kept_on)),
        ("reemployment_ends", "service_until", open_now.filter(kept_on)),
        ("postponement_ends", "retirement_postponed_until", open_now),
        ("non_compete_ends", "non_compete_until", snapshot.frames["employments"]),
    )
    return pl.concat(
        rows.filter(pl.col(column).is_not_null()).select(
            "person",
            kind=pl.lit(kind),
            day=column,
            day_precision=_pick_precision(rows, column),
            other_day=pl.lit(None, pl.Date),
            known_by=pl.lit("record"),
            gap=pl.lit(None, pl.String),
        )
        for kind, column, rows in parts
    ).unique(["person", "kind", "day"], keep="first", maintain_order=True)


def _pick_precision(rows: pl.LazyFrame, column: str) -> pl.Expr:
    name = f"{column}{PRECISION}"
    known = name in rows.collect_schema().names()
    return pl.col(name) if known else pl.lit(None, pl.String)


def _count_unknown(retiring: pl.LazyFrame, since: date) -> tuple[dict[str, int], int]:
    """How many have no single statutory month, by what is not known; how many are past theirs."""
    # The other day is a month: it has the precision of the first.
    latest = pl.max_horizontal("day", "other_day").alias("day")
    past = take_last_day(retiring, "day") < since
    retiring = retiring.with_columns(latest)
    counts = (
        retiring.group_by("gap", past=past.fill_null(False)).agg(n=pl.len()).collect().iter_rows()
    )
    gaps: dict[str, int] = {}
    overdue = 0
    for gap, is_past, n in counts:
        if gap is not None:
            gaps[gap] = gaps.get(gap, 0) + n
        overdue += n if is_past else 0
    return dict(sorted(gaps.items())), overdue


def _select_period(
    events: pl.LazyFrame, period: tuple[date, date], ages: tuple[date, date]
) -> pl.LazyFrame:
    """The events whose day (or other day) lies in the period; those of `AGE_KINDS` in `ages`.

    A month is in the period until it is over: who retires this month is listed.
    """
    by_age = pl.col("kind").is_in(AGE_KINDS)
    first, last = (
        pl.when(by_age).then(of_age).otherwise(of_record)
        for of_age, of_record in zip(ages, period, strict=True)
    )
    last_days = {
        "day": take_last_day(events, "day"),
        "other_day": pl.col("other_day").dt.month_end(),
    }
    within = pl.any_horizontal(
        ((last_day >= first) & (pl.col(day) <= last)).fill_null(False)
        for day, last_day in last_days.items()
    )
    return events.filter(within)


def _mask_days(events: pl.LazyFrame) -> pl.LazyFrame:
    """The days of `AGE_KINDS` as years."""
    by_age = pl.col("kind").is_in(AGE_KINDS)
    masked = [
        pl.when(by_age).then(pl.col(day).dt.truncate("1y")).otherwise(day).alias(day)
        for day in ("day", "other_day")
    ]
    precision = pl.when(by_age).then(pl.lit(YEAR)).otherwise("day_precision")
    return events.with_columns(*masked, day_precision=precision)


def _add_person_columns(rows: pl.LazyFrame, snapshot: Snapshot) -> pl.LazyFrame:
    frames = snapshot.frames
    occupations = frames["occupations"].select(occupation_code="code", occupation="name")
    enterprises = frames["enterprises"].select("enterprise_id", enterprise="name")
    people = frames["people"].select(
        "person",
        "person_id",
        "name",
        "level",
        "leading",
        "province",
        "occupation_code",
        "enterprise_id",
    )
    people = people.join(occupations, on="occupation_code", how="left")
    people = people.join(enterprises, on="enterprise_id", how="left")
    other = pl.when(pl.col("other_day").is_not_null()).then("day_precision")
    return rows.join(people, on="person").with_columns(other_day_precision=other)


def _rank_rows(rows: pl.DataFrame) -> pl.DataFrame:
    counted = [name for name in STAKE_COLUMNS if name not in ("last_mentor", "least_bus_factor")]
    ordered = rows.with_columns(
        pl.col("last_mentor").fill_null(False), pl.col(counted).fill_null(0)
    ).sort(
        *RISK_ORDER,
        "day",
        "person_id",
        "kind",
        descending=[True] * len(RISK_ORDER) + [False] * 3,
        nulls_last=True,
    )
    ranked = ordered.with_columns(rank=pl.int_range(1, pl.len() + 1))
    precisions = [f"{name}{PRECISION}" for name in ("day", "other_day")]
    return ranked.select(*COLUMNS, *precisions)


def count_departures_by_month(rows: pl.DataFrame, retirements_since: date) -> pl.DataFrame:
    """month (2027-06; of years alone 2027), kind, people, apprentices, irreplaceable.

    A woman who is listed for the later of her two months, as the earlier one is over before
    `retirements_since`, counts in the later one.
    """
    over = take_last_day(rows.lazy(), "day") < retirements_since
    later = pl.when(over & pl.col("other_day").is_not_null()).then("other_day").otherwise("day")
    rows = rows.with_columns(day=later)
    year = pl.col(f"day{PRECISION}").fill_null("") == YEAR
    written = pl.when(year).then(pl.col("day").dt.strftime("%Y"))
    return (
        rows.with_columns(month=written.otherwise(pl.col("day").dt.strftime("%Y-%m")))
        .group_by("month", "kind")
        .agg(
            people=pl.col("person_id").n_unique(),
            apprentices=pl.col("apprentices").sum(),
            irreplaceable=pl.col("irreplaceable").sum(),
        )
        .sort("month", "kind")
    )
