"""The statutory retirement month under China's reform that began on 1 January 2025.

Source: Decision of the Standing Committee of the National People's Congress on gradually raising
the statutory retirement age (全国人民代表大会常务委员会关于实施渐进式延迟法定退休年龄的决定), 13
September 2024, with its annexed tables 附表1 to 附表3.

Each of the three old ages rises by a month for every so many months in which people would have
reached it, from January 2025 on, up to the new age:

| who | old age | one month every | new age |
|---|---|---|---|
| men | 60 years | 4 months | 63 years |
| women, cadres | 55 years | 4 months | 58 years |
| women, workers | 50 years | 2 months | 55 years |

With n = months from January 2025 to the month in which the old age is reached (January 2025 = 0):

    delay = 0 for n < 0, else min(n // every + 1, most)    [months]
    retirement month = birth month + old age + delay

By agreement retirement may come up to three years earlier, not before the old age, or up to three
years later. Which of a woman's two ages applies stands in `retirement_category`: where it is
`unknown` or empty, both months are given, and no single one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import polars as pl

from graph.dates import MONTH, PRECISION, YEAR, take_last_day
from graph.snapshot.frames import Snapshot

# The first month of the reform.
REFORM_START: Final = date(2025, 1, 1)
# By agreement so many months earlier or later.
FLEXIBLE_MONTHS: Final = 36
MONTHS_A_YEAR: Final = 12


@dataclass(frozen=True)
class RetirementRule:
    """An old age in years, the months for which it rises by one, and by how many at most."""

    old_age: int
    every: int
    most: int

    def compute_delay(self, birth: pl.Expr) -> pl.Expr:
        """Months by which the old age has risen for people born in the month (0 to `most`)."""
        reached = _count_months(birth) + MONTHS_A_YEAR * self.old_age
        months = reached - _REFORM_MONTH
        delay = (months // self.every + 1).clip(0, self.most)
        return pl.when(months < 0).then(0).otherwise(delay).cast(pl.Int32)

    def compute_month(self, birth: pl.Expr) -> pl.Expr:
        """The statutory retirement month, as its first day; null without a birth date."""
        delay = self.compute_delay(birth) + MONTHS_A_YEAR * self.old_age
        return _add_months(birth, delay)


MEN: Final = RetirementRule(60, 4, 36)
WOMEN_CADRES: Final = RetirementRule(55, 4, 36)
WOMEN_WORKERS: Final = RetirementRule(50, 2, 60)
_REFORM_MONTH: Final = REFORM_START.year * MONTHS_A_YEAR + REFORM_START.month - 1
# Why no single statutory month is known.
NO_BIRTH_DATE, BIRTH_YEAR_ONLY = "no_birth_date", "birth_year_only"
NO_SEX, NO_CATEGORY = "no_sex", "no_category"
RETIREMENT_GAPS: Final = {
    NO_BIRTH_DATE: ("no birth date", "无出生日期"),
    BIRTH_YEAR_ONLY: ("only the year of birth is known", "仅知出生年份"),
    NO_SEX: ("no sex", "无性别"),
    NO_CATEGORY: ("worker or cadre not known", "工人或干部身份未知"),
}


def _count_months(day: pl.Expr) -> pl.Expr:
    return day.dt.year().cast(pl.Int32) * MONTHS_A_YEAR + day.dt.month().cast(pl.Int32) - 1


def _add_months(day: pl.Expr, months: pl.Expr) -> pl.Expr:
    """The first day of the month that is so many months after the day's."""
    total = _count_months(day) + months
    return pl.date(total // MONTHS_A_YEAR, total % MONTHS_A_YEAR + 1, 1)


def add_retirement_months(people: pl.LazyFrame) -> pl.LazyFrame:
    """`people` (birth_date, birth_date_precision, sex, retirement_category) with:

    - statutory: the month of statutory retirement (its first day); null where `gap` says why
    - statutory_other: of a woman without a category the later of her two months; `statutory_first`
      is then the earlier one, else it is `statutory`
    - earliest, latest: the months that an agreement may choose: up to 36 months before
      `statutory`, not before the old age, and 36 months after it; null where `statutory` is
    - latest_other: the latest month that goes with `statutory_other`
    - gap: `RETIREMENT_GAPS`, null where the month is known

    A birth date of which the year alone is known gives no month: nothing is guessed.
    """
    known = people.collect_schema().names()
    missing = ("sex", "retirement_category", f"birth_date{PRECISION}")
    people = people.with_columns(
        pl.lit(None, pl.String).alias(name) for name in missing if name not in known
    )
    birth = pl.when(pl.col(f"birth_date{PRECISION}").fill_null("") != YEAR).then("birth_date")
    return (
        people.with_columns(_birth=birth)
        .with_columns(_build_gap().alias("gap"))
        .with_columns(*_build_months(pl.col("_birth")))
        .with_columns(statutory_first=pl.coalesce("statutory", "statutory_first"))
        .drop("_birth")
    )


def _build_gap() -> pl.Expr:
    category = pl.col("retirement_category").fill_null("unknown")
    stated = pl.col("birth_date").is_not_null()
    return (
        pl.when(~stated)
        .then(pl.lit(NO_BIRTH_DATE))
        .when(pl.col("_birth").is_null())
        .then(pl.lit(BIRTH_YEAR_ONLY))
        .when(pl.col("sex").is_null())
        .then(pl.lit(NO_SEX))
        .when((pl.col("sex") == "female") & (category == "unknown"))
        .then(pl.lit(NO_CATEGORY))
    )


def _build_months(birth: pl.Expr) -> list[pl.Expr]:
    man, category = pl.col("sex") == "male", pl.col("retirement_category")
    woman = pl.col("sex") == "female"
    undecided = woman & (pl.col("gap") == NO_CATEGORY)
    cases = (
        (man, MEN),
        (woman & (category == "cadre"), WOMEN_CADRES),
        (woman & (category == "worker"), WOMEN_WORKERS),
    )
    statutory, earliest, latest = (_choose_by_rule(cases, birth, at) for at in _AGREED)
    return [
        statutory.alias("statutory"),
        earliest.alias("earliest"),
        latest.alias("latest"),
        pl.when(undecided).then(WOMEN_WORKERS.compute_month(birth)).alias("statutory_first"),
        pl.when(undecided).then(WOMEN_CADRES.compute_month(birth)).alias("statutory_other"),
        _choose_by_rule(((undecided, WOMEN_CADRES),), birth, FLEXIBLE_MONTHS).alias("latest_other"),
    ]


# The statutory month, and the bounds of an agreement, in months from the statutory one.
_AGREED: Final = (0, -FLEXIBLE_MONTHS, FLEXIBLE_MONTHS)


def _choose_by_rule(
    cases: tuple[tuple[pl.Expr, RetirementRule], ...], birth: pl.Expr, moved: int
) -> pl.Expr:
    found: pl.Expr = pl.lit(None, pl.Date)
    for which, rule in reversed(cases):
        old = pl.lit(MONTHS_A_YEAR * rule.old_age)
        months = pl.max_horizontal(rule.compute_delay(birth) + old + moved, old)
        found = (
            pl.when(which & birth.is_not_null()).then(_add_months(birth, months)).otherwise(found)
        )
    return found


@dataclass(frozen=True)
class KeptOn:
    """How many retired, and how many of them work on."""

    retired: int
    kept: int


# --- who works, and when who works retires --------------------------------------------------


def find_working_people(
    snapshot: Snapshot, day: date, *, retired_by: date | None = None
) -> pl.LazyFrame:
    """The people who are not retired by the day, or are reemployed; with reemployed, whether so.

    Reemployed is who has an open employment that says so, and whose contract has not ended.
    `retired_by`: another day for retirements alone, as `judge_retirement_by` gives it.
    """
    open_now = list_open_employments(snapshot, day)
    contract = take_last_day(open_now, "service_until")
    kept_on = (
        open_now.filter(pl.col("reemployed").fill_null(False))
        .filter(contract.is_null() | (contract >= day))
        .select("person", reemployed=pl.lit(True))
        .unique()
    )
    people = snapshot.frames["people"].join(kept_on, on="person", how="left")
    people = people.with_columns(pl.col("reemployed").fill_null(False))
    retired = (take_last_day(people, "retired_on") <= (retired_by or day)).fill_null(False)
    return people.filter(~retired | pl.col("reemployed"))


def list_open_employments(snapshot: Snapshot, day: date) -> pl.LazyFrame:
    """The employments that go on on the day; the undated do."""
    employments = snapshot.frames["employments"]
    begun = pl.col("start").is_null() | (pl.col("start") <= day)
    last = take_last_day(employments, "end")
    return employments.filter(begun & (last.is_null() | (last >= day)))


def judge_retirement_by(day: date, *, steward: bool) -> date:
    """The day by which retirements are judged: the end of last year unless a data steward asks.

    >>> judge_retirement_by(date(2026, 11, 23), steward=False)
    datetime.date(2025, 12, 31)
    """
    return day if steward else date(max(day.year - 1, 1), 12, 31)


def find_postponements(snapshot: Snapshot, day: date, ages_since: date) -> pl.LazyFrame:
    """person, postponed: until when a later retirement is agreed on, in an employment going on.

    What has lapsed by `ages_since` counts no more: the person is past the statutory month.
    """
    going_on = list_open_employments(snapshot, day)
    postponed = take_last_day(going_on, "retirement_postponed_until")
    agreed = going_on.select("person", postponed=postponed).filter(
        pl.col("postponed") >= ages_since
    )
    return agreed.group_by("person").agg(pl.col("postponed").max())


def list_retirements(working: pl.LazyFrame, postponements: pl.LazyFrame) -> pl.LazyFrame:
    """person, kind, day, day_precision, other_day, known_by, gap.

    One row for everyone who works and is not reemployed, with or without a day.
    """
    recorded = pl.col("retired_on").is_not_null()
    later = pl.max_horizontal("statutory_first", "statutory_other")
    # Of a later retirement that is agreed on, the postponement says when it ends.
    agreed = (pl.col("postponed") >= pl.coalesce(later, "postponed")).fill_null(False)
    known = working.collect_schema().names()
    on_record = f"retired_on{PRECISION}"
    precision = pl.col(on_record) if on_record in known else pl.lit(None, pl.String)
    return (
        working.filter(~pl.col("reemployed"))
        .join(postponements, on="person", how="left")
        .filter(recorded | ~agreed)
        .select(
            "person",
            kind=pl.lit("retires"),
            day=pl.coalesce("retired_on", "statutory_first"),
            day_precision=pl.when(recorded).then(precision).otherwise(pl.lit(MONTH)),
            other_day=pl.when(~recorded).then("statutory_other"),
            known_by=pl.when(recorded).then(pl.lit("record")).otherwise(pl.lit("age")),
            gap=pl.when(~recorded).then("gap"),
        )
    )


def list_leaving_days(snapshot: Snapshot, day: date) -> pl.LazyFrame:
    """person, leaves, leaves_later, gap, reemployed: when each leaves who works at the start of the
    day's year.

    - leaves: of the reemployed the contract's end; `retired_on`; else the statutory month, or what
      an agreement on a later retirement says. Who works past all of them leaves at the latest
      month an agreement may choose, or within a year. Null where `gap` says why.
    - leaves_later: of a woman without a category, who has two months, the later one. Who works
      past the earlier one is no worker: the later one, that of cadres, is taken alone.

    Judged by calendar years for everybody: a cell of one person, asked day by day, would reveal
    a birthday, or the day of a retirement. Who retires and is reemployed in the day's year is so on
    each of its days, and a statutory month of that year is past.
    """
    judged = judge_retirement_by(day, steward=False)
    first = judged + timedelta(days=1)
    following = pl.lit(first).dt.offset_by("1y")
    people = add_retirement_months(find_working_people(snapshot, day, retired_by=judged))
    people = people.join(find_postponements(snapshot, day, first), on="person", how="left")
    people = people.join(_list_reemployments(snapshot, first), on="person", how="left")
    retires = (pl.col("retired_on") >= first).fill_null(False)
    again = pl.col("reemployed") | (retires & pl.col("again").fill_null(False))
    past = pl.when(again & retires).then(following).otherwise(pl.lit(first))
    one, later = _build_leaving_months(past, following)
    recorded = pl.when(pl.col("retired_on") >= pl.when(again).then(following).otherwise(first))
    contract = pl.when(again, pl.col("contract") >= first).then("contract")
    known = pl.coalesce(contract, recorded.then("retired_on"))
    unknown = later.is_not_null() | one.is_null()
    return people.with_columns(_known=known).select(
        "person",
        leaves=pl.coalesce("_known", one),
        leaves_later=pl.when(pl.col("_known").is_null()).then(later),
        gap=pl.when(pl.col("_known").is_null(), unknown).then("gap"),
        reemployed=again,
    )


def _build_leaving_months(past: pl.Expr, following: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """By age or agreement: the month of leaving, and of a woman with two the later one.

    A statutory month before `past` did not end work; `following` is the start of the next year.
    """
    two = (pl.col("statutory_other").is_not_null() & (pl.col("statutory_first") >= past)).fill_null(
        False
    )
    statutory = pl.coalesce("statutory", "statutory_other")
    latest = pl.coalesce("latest", "latest_other")
    over = pl.coalesce("postponed", pl.when(latest >= past).then(latest).otherwise(following))
    by_age = pl.when(statutory >= past).then(pl.max_horizontal(statutory, "postponed"))
    one = pl.when(two).then(pl.max_horizontal("statutory_first", "postponed"))
    alone = by_age.otherwise(pl.when(statutory.is_not_null()).then(over).otherwise("postponed"))
    return one.otherwise(alone), pl.when(two).then(
        pl.max_horizontal("statutory_other", "postponed")
    )


def weigh_staying(people: pl.DataFrame, end: date) -> pl.DataFrame:
    """`people` (leaves, leaves_later) with stays: the chance of working after the day.

    A woman who may leave by the day, or later, stays with even odds; who has no known day stays.
    """
    gone = (pl.col("leaves") <= end).fill_null(False)
    undecided = (pl.col("leaves_later") > end).fill_null(False)
    odds = pl.when(~gone).then(1.0).when(undecided).then(0.5).otherwise(0.0)
    return people.with_columns(stays=odds)


def count_kept_on(snapshot: Snapshot, people: pl.LazyFrame, since: date, day: date) -> KeptOn:
    """Of the people (person) who retired after `since` and by the day, who works on then."""
    retired = take_last_day(snapshot.frames["people"], "retired_on")
    left = snapshot.frames["people"].filter(retired > since, retired <= day)
    gone = left.select("person").join(people, on="person", how="semi").collect()
    working = find_working_people(snapshot, day).filter("reemployed").select("person").collect()
    return KeptOn(gone.height, gone.join(working, on="person", how="semi").height)


def _list_reemployments(snapshot: Snapshot, first: date) -> pl.LazyFrame:
    """person, again (true), contract: of employments after retirement that go on in the year that
    begins on `first`, and when their contracts, or they themselves, end.
    """
    employments = snapshot.frames["employments"]
    last = take_last_day(employments, "end")
    begun = pl.col("start").is_null() | (pl.col("start").dt.year() <= first.year)
    contract = pl.min_horizontal(take_last_day(employments, "service_until"), last)
    return (
        employments.filter(pl.col("reemployed").fill_null(False))
        .filter(begun, last.is_null() | (last >= first))
        .group_by("person")
        .agg(contract=contract.max(), again=pl.lit(True))
    )
