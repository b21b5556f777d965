"""The bench of a person or a studio: who could take over, with reasons; see docs/metrics.md.

A candidate works (is not retired by the policy's day, or is reemployed), is high-skilled, and does
the work already or nearby: the same occupation, an apprentice taught together, the person's own
apprentice, or a training at or a lead of a studio that the person leads. What begins after the
policy's day does not count. Each of `REASONS` that holds is a point. More points go first; then the
higher level, more apprentices, the person's id.

The reasons are held against one person; of a studio, against each of its present leaders: one that
holds against any of them holds.

Whoever is no data steward gets `stays`, and who works, by calendar years: see
`graph.programme.departures`.
"""

from __future__ import annotations

from datetime import date
from typing import Final

import polars as pl

from graph.dates import take_last_day
from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.people.aliases import resolve_person_id
from graph.people.retirement import add_retirement_months, find_working_people, judge_retirement_by
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

# Each a column of the bench: true, false, or empty where what it asks is not on record.
REASONS: Final = {
    "level_reached": ("has the level", "等级达到"),
    "same_occupation": ("same occupation", "同职业"),
    "same_enterprise": ("same enterprise", "同企业"),
    "same_province": ("same province", "同省份"),
    "co_mentor": ("taught an apprentice together", "共同带徒"),
    "own_apprentice": ("own apprentice", "本人徒弟"),
    "at_studio": ("trained at or leads the studio", "在该工作室培训或领办"),
    "has_apprentices": ("has apprentices", "已带徒"),
    "stays": ("statutory retirement more than three years off", "距法定退休三年以上"),
}
# What makes somebody a candidate at all.
_NEAR: Final = ("same_occupation", "co_mentor", "own_apprentice", "at_studio")
STAY_YEARS: Final = 3
MAX_SUCCESSORS: Final = 20
COLUMNS: Final[MetricColumnLabels] = {
    "person_id": ("person", "人员编号"),
    "name": ("name", "姓名"),
    "points": ("reasons that hold", "符合条数"),
    "level": ("level", "技能等级"),
    "leading": ("leading talent", "领军人才"),
    "province": ("province", "省份"),
    "occupation_code": ("occupation code", "职业代码"),
    "occupation": ("occupation", "职业"),
    "enterprise_id": ("enterprise id", "企业编号"),
    "enterprise": ("enterprise", "企业"),
    "apprentices": ("apprentices so far (persons)", "累计徒弟（人）"),
    "shared_apprentices": ("apprentices taught together (persons)", "共同徒弟（人）"),
    **REASONS,
}

# What reasons are held against, and what it is called.
_HELD_AGAINST: Final = {
    "level": COLUMNS["level"],
    "occupation_code": COLUMNS["occupation"],
    "enterprise_id": COLUMNS["enterprise"],
    "province": COLUMNS["province"],
}


def find_successors(
    snapshot: Snapshot,
    policy: Policy,
    id: str,
    *,
    most: int = MAX_SUCCESSORS,
    steward: bool = False,
) -> pl.DataFrame:
    """The candidates for a person or a studio, `COLUMNS`, the best first, at most `most`.

    Without `steward` retirements are judged by calendar years. Raises `UsageError` where nobody and
    no studio has the id, or where nobody leads the studio.
    """
    snapshot = snapshot.under(policy)
    leaving, studios = _resolve_leaving(snapshot, policy, id)
    left = _select_people(snapshot, leaving)
    retired_by = judge_retirement_by(policy.as_of, steward=steward)
    working = add_retirement_months(
        find_working_people(snapshot, policy.as_of, retired_by=retired_by)
    )
    stays = _build_stays(policy.as_of, steward=steward)
    near = _flag_people(snapshot, policy, working.with_columns(stays=stays), left, studios)
    named = _add_names(near.filter(~pl.col("person").is_in(leaving)), snapshot)
    points = pl.sum_horizontal(pl.col(name).fill_null(False).cast(pl.Int64) for name in REASONS)
    return (
        named.filter(pl.any_horizontal(pl.col(name).fill_null(False) for name in _NEAR))
        .with_columns(points=points)
        .sort(["points", "level", "apprentices", "person_id"], descending=[True, True, True, False])
        .head(most)
        .select(*COLUMNS)
        .collect()
    )


def list_missing_records(snapshot: Snapshot, policy: Policy, id: str) -> list[tuple[str, str]]:
    """What is not on record of whoever leaves, in words; the reasons that ask for it are empty.

    Raises as `find_successors`.
    """
    leaving, _ = _resolve_leaving(snapshot.under(policy), policy, id)
    left = _select_people(snapshot, leaving)
    return [words for name, words in _HELD_AGAINST.items() if not left[name].drop_nulls().len()]


def _select_people(snapshot: Snapshot, people: list[int]) -> pl.DataFrame:
    """Their rows; level 0 says that none is on record."""
    rows = snapshot.frames["people"].filter(pl.col("person").is_in(people))
    level = pl.when(pl.col("level") > 0).then("level")
    return rows.with_columns(level=level).collect()


def _resolve_leaving(snapshot: Snapshot, policy: Policy, id: str) -> tuple[list[int], list[str]]:
    """The row numbers of who leaves, and the studios they lead."""
    leads = _select_begun(snapshot.frames["leads"], policy)
    last = take_last_day(leads, "end")
    leads = leads.filter(last.is_null() | (last >= policy.as_of))
    person_id = resolve_person_id(snapshot, id)
    named = pl.col("person_id") == person_id
    person = snapshot.frames["people"].filter(named).select("person").collect()
    if person.height:
        who = person["person"].to_list()
        led = leads.filter(pl.col("person").is_in(who)).select("studio_id").collect()
        return who, led["studio_id"].unique().to_list()
    studios = snapshot.frames["studios"].filter(pl.col("studio_id") == id).select("studio_id")
    if studios.collect().is_empty():
        raise UsageError(
            "Nobody and no studio has the id {id}; `shicheng query` finds ids by name.", id=id
        )
    leaders = leads.filter(pl.col("studio_id") == id).select("person").unique().collect()
    if leaders.is_empty():
        raise UsageError(
            "Nobody leads the studio {id} on {day}, so there is nobody to take over from.",
            id=id,
            day=policy.as_of,
        )
    return leaders["person"].to_list(), [id]


def _select_begun(rows: pl.LazyFrame, policy: Policy) -> pl.LazyFrame:
    """What has begun by the policy's day; the undated counts."""
    return rows.filter(pl.col("start").is_null() | (pl.col("start") <= policy.as_of))


def _flag_people(
    snapshot: Snapshot,
    policy: Policy,
    working: pl.LazyFrame,
    left: pl.DataFrame,
    studios: list[str],
) -> pl.LazyFrame:
    """Those of `working` who are high-skilled, with the reasons."""
    frames = snapshot.frames
    leaving = left["person"].to_list()
    mentorships = _select_begun(frames["mentorships"], policy)
    taught = mentorships.select("mentor", "apprentice").unique()
    own = taught.filter(pl.col("mentor").is_in(leaving)).select("apprentice").unique()
    apprentices = taught.group_by(person="mentor").agg(apprentices=pl.len().cast(pl.Int64))
    shared = (
        taught.join(own, on="apprentice", how="semi")
        .group_by(person="mentor")
        .agg(shared_apprentices=pl.len().cast(pl.Int64))
    )
    # An enterprise and a studio may have the same id.
    trained = _select_begun(frames["trainings"], policy).filter(
        pl.col("place_id").is_in(studios), pl.col("place_kind") == "Studio"
    )
    led = _select_begun(frames["leads"], policy).filter(pl.col("studio_id").is_in(studios))
    at_studio = pl.concat([trained.select("person"), led.select("person")]).unique()
    return (
        working.filter(pl.col("level") >= policy.high_skilled_level)
        .join(apprentices, on="person", how="left")
        .join(shared, on="person", how="left")
        .join(_mark(own.select(person="apprentice"), "own_apprentice"), on="person", how="left")
        .join(_mark(at_studio, "at_studio"), on="person", how="left")
        .with_columns(
            pl.col("apprentices", "shared_apprentices").fill_null(0),
            pl.col("own_apprentice", "at_studio").fill_null(False),
        )
        .with_columns(*_build_reasons(left))
    )


def _mark(people: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return people.with_columns(pl.lit(True).alias(name))


def _build_reasons(left: pl.DataFrame) -> list[pl.Expr]:
    """The reasons that a person's own row decides; empty where it, or the row it is compared with,
    does not say."""
    same = []
    for name, column in (
        ("same_occupation", "occupation_code"),
        ("same_enterprise", "enterprise_id"),
        ("same_province", "province"),
    ):
        values = left[column].drop_nulls().unique().to_list()
        holds = pl.col(column).is_in(values) if values else pl.lit(None, pl.Boolean)
        same.append(holds.alias(name))
    lowest = pl.lit(left["level"].min(), pl.Int8)
    return [
        *same,
        (pl.col("level") >= lowest).alias("level_reached"),
        (pl.col("shared_apprentices") > 0).alias("co_mentor"),
        (pl.col("apprentices") > 0).alias("has_apprentices"),
    ]


def _build_stays(day: date, *, steward: bool) -> pl.Expr:
    """Whether the statutory month is more than `STAY_YEARS` off; by years for who is no steward.

    A woman of unknown category who works past her month as a worker has that of cadres.
    """
    today = day.replace(day=1) if steward else date(day.year, 1, 1)
    past = pl.col("statutory_other").is_not_null() & (pl.col("statutory_first") < today)
    first = pl.when(past).then("statutory_other").otherwise("statutory_first")
    years = first.dt.year().cast(pl.Int64)
    if not steward:
        return years > day.year + STAY_YEARS
    return years * 12 + first.dt.month() > (day.year + STAY_YEARS) * 12 + day.month


def _add_names(people: pl.LazyFrame, snapshot: Snapshot) -> pl.LazyFrame:
    frames = snapshot.frames
    occupations = frames["occupations"].select(occupation_code="code", occupation="name")
    enterprises = frames["enterprises"].select("enterprise_id", enterprise="name")
    return people.join(occupations, on="occupation_code", how="left").join(
        enterprises, on="enterprise_id", how="left"
    )
