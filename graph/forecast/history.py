"""What the graph says on every past day: who was reached, who rose, and from when it was known.

A chain arrives at a person on the start of its last link, and its talent counts from the day it was
named. So one reach (`graph.driven.rounds`) tells what was known on any earlier day; nothing has to
be walked again to go back in time.

- reached: the least day, over all talents, of the later of the chain's arrival and the naming
- a promotion is known on the later of its day and the naming of a talent whose chain arrived by it

Times are months of 30.4375 days, counted back from the data date: 0 is the month that ends on it,
-1 the one before. Three months are a block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

import narwhals as nw
import polars as pl

from graph.driven.breakdowns import build_person_attributes
from graph.driven.engines import IN_MEMORY
from graph.driven.promotions import compute_events
from graph.driven.results import load_reach
from graph.driven.rounds import list_carried_arrivals
from graph.driven.terms import ALWAYS_DATE
from graph.errors import UsageError
from graph.policy import CHANNELS, Policy
from graph.snapshot.frames import Snapshot

MONTH_DAYS: Final = 30.4375
BLOCK_MONTHS: Final = 3
# Never promoted so far, as a month: after every other one.
NEVER_MONTH: Final = 10_000
EARLIEST_MONTH: Final = -1_200
# What the forecast is broken down by; the nation is the part that has no attribute.
FORECAST_ATTRIBUTES: Final = ("province", "industry", "occupation_group")
# Occupations are grouped by the first two parts of their code: 6-18-01-01 belongs to 6-18.
OCCUPATION_GROUP_CHARACTERS: Final = 4
HISTORY_CHANNELS: Final = ("mentorship", "studio", "mixed")
# Persons are resampled in so many groups, drawn by their numbers.
BOOTSTRAP_GROUPS: Final = 100
# Multiplying by the one modulo the other scatters neighbours over the groups.
GROUP_STRIDE: Final = 48_271
GROUP_MODULUS: Final = 2**31 - 1


@dataclass(frozen=True)
class DrivenHistory:
    """The history of the driven counts under one policy, in months before `data_date`.

    - spells: one row a stay of a reached person at one level: person, group (of
      `BOOTSTRAP_GROUPS`), channel, level, since (month: of the last promotion, or of the reach
      where that is later), until (month of the next promotion, `NEVER_MONTH` = not yet), raised_to
      (its level, 0 = not yet), counted_first (1: it makes the person new and high-skilled), and
      the `FORECAST_ATTRIBUTES`
    - reached: one row a reached person: person, month, level (on that day), channel, by_naming
      (no link arrived on that day: a talent whose chain was there before was named), and the
      attributes
    - events: the promotions that count: person, known (month), first, retroactive (it was known
      later than its day, as its talent was named later), and the attributes
    """

    policy: Policy
    data_date: date
    spells: pl.DataFrame
    reached: pl.DataFrame
    events: pl.DataFrame

    @property
    def months_left(self) -> float:
        """Months from the data date to the window's end; 0 when it is over."""
        days = (self.policy.window_end - self.data_date).days
        return max(days, 0) / MONTH_DAYS

    @property
    def first_month(self) -> int:
        """The first month that lies entirely in the window."""
        days = (self.data_date - self.policy.window_start).days + 1
        return 1 - int(days // MONTH_DAYS)

    def compute_day(self, months: float) -> date:
        """The day so many months after the data date."""
        return self.data_date + timedelta(days=round(months * MONTH_DAYS))


def compute_driven_history(snapshot: Snapshot, policy: Policy) -> DrivenHistory:
    """The history under the policy. Raises `UsageError` where chains have no dates.

    Takes the snapshot's edges, promotions, talents, people and enterprises.
    """
    if not policy.ordered:
        raise UsageError(
            "A forecast needs dated chains: without their dates nobody can say what was known "
            "when. Count with dates."
        )
    snapshot = snapshot.under(policy)
    data_date = find_data_date(snapshot, policy)
    reached = compute_reached_people(snapshot, policy, data_date)
    attributes = build_forecast_attributes(snapshot)
    spells = _build_spells(snapshot, policy, reached, data_date)
    month = build_month("reached", data_date)
    entered = _find_entry_levels(spells)
    known = (
        reached.join(entered, on="person", how="left")
        .select("person", "channel", "by_naming", "level", month=month)
        .filter(pl.col("month") <= 0)
    )
    return DrivenHistory(
        policy,
        data_date,
        _join_attributes(_number_spell_months(spells, data_date, policy), attributes),
        _join_attributes(known, attributes),
        _join_attributes(compute_known_events(snapshot, policy, data_date), attributes),
    )


def find_data_date(snapshot: Snapshot, policy: Policy) -> date:
    """The newest day of a promotion, link or naming, at most the policy's as-of day."""
    days = [
        frame.select(pl.col(column).filter(pl.col(column) <= policy.as_of).max()).collect().item()
        for frame, column in (
            (snapshot.frames["promotions"], "day"),
            (snapshot.frames["edges"], "start"),
            (snapshot.frames["talents"], "recognised_on"),
        )
        if column in frame.collect_schema().names()
    ]
    known: list[date] = [day for day in days if day is not None]
    if not known:
        raise UsageError("A forecast needs dated promotions and mentorships; there are none.")
    return max(known)


def build_forecast_attributes(snapshot: Snapshot) -> pl.DataFrame:
    """person and the `FORECAST_ATTRIBUTES` as text; null = not stated."""
    frames = {
        name: nw.from_native(snapshot.frames[name])
        for name in ("people", "enterprises")
        if name in snapshot.frames
    }
    placed: pl.LazyFrame = build_person_attributes(
        frames["people"], frames.get("enterprises")
    ).to_native()
    stated = placed.collect_schema().names()
    text = {
        name: pl.col(name).cast(pl.String) if name in stated else pl.lit(None, pl.String)
        for name in ("province", "industry", "occupation_code")
    }
    return (
        placed.select(
            "person",
            province=text["province"].cast(pl.Categorical),
            industry=text["industry"].cast(pl.Categorical),
            occupation_group=text["occupation_code"]
            .str.slice(0, OCCUPATION_GROUP_CHARACTERS)
            .cast(pl.Categorical),
        )
        .unique("person")
        .collect()
    )


def _join_attributes(rows: pl.DataFrame, attributes: pl.DataFrame) -> pl.DataFrame:
    return rows.join(attributes, on="person", how="left")


def build_month(column: str, data_date: date) -> pl.Expr:
    """The month of a day: 0 is the one that ends on the data date; later days are above 0."""
    days = (pl.lit(data_date) - pl.col(column)).dt.total_days()
    month = -(days / MONTH_DAYS).floor()
    return month.clip(EARLIEST_MONTH, NEVER_MONTH - 1).cast(pl.Int16)


def build_naming_days(snapshot: Snapshot) -> pl.LazyFrame:
    """talent, named: the first day each was named; one whose day is not stated always was."""
    talents = snapshot.frames["talents"]
    if "recognised_on" not in talents.collect_schema().names():
        return talents.select(talent="person", named=pl.lit(ALWAYS_DATE)).unique()
    named = pl.col("recognised_on").min().fill_null(ALWAYS_DATE).alias("named")
    return talents.group_by(talent="person").agg(named)


def compute_reached_people(
    snapshot: Snapshot, policy: Policy, until: date, persons: pl.Series | None = None
) -> pl.DataFrame:
    """Each person reached by the day: person, reached (day), channel, by_naming.

    `persons`: of these row numbers alone.
    """
    arrivals = list_carried_arrivals(policy)
    kinds = [kind for kind in CHANNELS if kind in arrivals]
    named = pl.col("named")
    reach = load_reach(snapshot, policy)
    if persons is not None:
        reach = reach.filter(pl.col("person").is_in(persons.implode()))
    rows = reach.join(build_naming_days(snapshot), on="talent").with_columns(
        arrival=pl.min_horizontal(arrivals)
    )
    day = pl.max_horizontal("arrival", named)
    least = rows.group_by("person").agg(
        reached=day.min(),
        # Of the talents that decide the day alone: others are named later, or arrive later.
        arrival=pl.col("arrival").filter(day == day.min()).max(),
        **{
            kind: pl.when(pl.col(kind).is_not_null()).then(pl.max_horizontal(kind, named)).min()
            for kind in kinds
        },
    )
    channel = pl.lit("mixed")
    for kind in reversed(kinds):
        channel = pl.when(pl.col(kind) == pl.col("reached")).then(pl.lit(kind)).otherwise(channel)
    if not kinds:
        channel = pl.lit(policy.channels[0])
    return (
        least.filter(pl.col("reached") <= until)
        .select(
            "person",
            "reached",
            channel=channel.cast(pl.Enum(HISTORY_CHANNELS)),
            by_naming=pl.col("arrival") < pl.col("reached"),
        )
        .collect()
    )


def _build_spells(
    snapshot: Snapshot, policy: Policy, reached: pl.DataFrame, data_date: date
) -> pl.DataFrame:
    """person, channel, level, since (day), until (day, null = not yet), raised_to (0 = not yet)."""
    promotions = (
        snapshot.frames["promotions"]
        .filter(pl.col("day") <= data_date)
        .select("person", "day", "level", "before")
        .join(reached.lazy(), on="person")
        .sort("person", "day")
        .collect()
    )
    after = promotions.filter(pl.col("day") >= pl.col("reached"))
    same = pl.col("person") == pl.col("person").shift(1)
    risen = after.select(
        "person",
        "channel",
        level=pl.col("before"),
        since=pl.when(same).then(pl.col("day").shift(1)).otherwise(pl.col("reached")),
        until="day",
        raised_to="level",
    )
    last = promotions.group_by("person").agg(last=pl.col("day").max(), level=pl.col("level").max())
    still = reached.join(last, on="person", how="left").select(
        "person",
        "channel",
        level=pl.col("level").fill_null(0),
        since=pl.max_horizontal("reached", "last"),
        until=pl.lit(None, pl.Date),
        raised_to=pl.lit(0, pl.Int8),
    )
    return pl.concat([risen, still], how="vertical_relaxed")


def _find_entry_levels(spells: pl.DataFrame) -> pl.DataFrame:
    """person, level: the level each person had when it was reached."""
    return spells.group_by("person").agg(level=pl.col("level").min())


def _number_spell_months(spells: pl.DataFrame, data_date: date, policy: Policy) -> pl.DataFrame:
    high = policy.high_skilled_level
    return spells.select(
        "person",
        "channel",
        pl.col("level").cast(pl.Int8),
        pl.col("raised_to").cast(pl.Int8),
        group=(
            pl.col("person").cast(pl.Int64) * GROUP_STRIDE % GROUP_MODULUS % BOOTSTRAP_GROUPS
        ).cast(pl.Int16),
        since=build_month("since", data_date),
        until=build_month("until", data_date).fill_null(NEVER_MONTH),
        counted_first=((pl.col("level") < high) & (pl.col("raised_to") >= high)).cast(pl.Int8),
    )


def compute_known_events(
    snapshot: Snapshot, policy: Policy, data_date: date, persons: pl.Series | None = None
) -> pl.DataFrame:
    """The counting promotions known by the data date: person, known (month), first, retroactive.

    `persons`: of these row numbers alone.
    """
    reach, promotions = load_reach(snapshot, policy), snapshot.frames["promotions"]
    if persons is not None:
        of_them = pl.col("person").is_in(persons.implode())
        reach, promotions = reach.filter(of_them), promotions.filter(of_them)
    events: pl.LazyFrame = compute_events(
        nw.from_native(reach), nw.from_native(promotions), policy, IN_MEMORY
    ).to_native()
    return (
        events.join(build_naming_days(snapshot), on="talent")
        .group_by("person", "day", "first")
        .agg(known=pl.max_horizontal("day", "named").min())
        .filter(pl.col("known") <= data_date)
        .select(
            "person",
            "first",
            known=build_month("known", data_date),
            retroactive=pl.col("known") > pl.col("day"),
        )
        .collect()
    )


def count_known_ledgers(history: DrivenHistory, month: int = 0) -> Mapping[str, int]:
    """Both ledgers as they were known at the end of the month: persons, person_times."""
    known = history.events.filter(pl.col("known") <= month)
    return {"persons": int(known["first"].sum()), "person_times": known.height}
