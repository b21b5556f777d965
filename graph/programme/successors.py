"""The bench behind a person or a studio: who could take over, with reasons; see docs/metrics.md.

A candidate works (is not retired by the policy's day, or is kept on), is high-skilled, and does the
work already or nearby: the same occupation, an apprentice taught together, the person's own
apprentice, or a training at or a lead of a studio that the person leads. Each of `REASONS` that
holds is a point. More points go first; then the higher level, more apprentices, the person's id.

The reasons are held against one person; of a studio, against each of its present leaders: one that
holds against any of them holds.
"""

from __future__ import annotations

from typing import Final

import polars as pl

from graph.errors import UsageError
from graph.labels import MetricColumnLabels
from graph.people.aliases import resolve_person_id
from graph.policy import Policy
from graph.programme.departures import find_working_people
from graph.programme.retirement import add_retirement_months
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


def find_successors(
    snapshot: Snapshot, policy: Policy, id: str, *, most: int = MAX_SUCCESSORS
) -> pl.DataFrame:
    """The candidates for a person or a studio, `COLUMNS`, the best first, at most `most`.

    Raises `UsageError` where nobody and no studio has the id, or where nobody leads the studio.
    """
    leaving, studios = _resolve_leaving(snapshot, policy, id)
    left = snapshot.frames["people"].filter(pl.col("person").is_in(leaving)).collect()
    near = _flag_people(snapshot, policy, left, studios)
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


def _resolve_leaving(snapshot: Snapshot, policy: Policy, id: str) -> tuple[list[int], list[str]]:
    """The row numbers of who leaves, and the studios they lead."""
    leads = snapshot.frames["leads"].filter(
        (pl.col("start").is_null() | (pl.col("start") <= policy.as_of))
        & (pl.col("end").is_null() | (pl.col("end") >= policy.as_of))
    )
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


def _flag_people(
    snapshot: Snapshot, policy: Policy, left: pl.DataFrame, studios: list[str]
) -> pl.LazyFrame:
    """Everybody who works and is high-skilled, with the reasons."""
    frames = snapshot.frames
    leaving = left["person"].to_list()
    taught = frames["mentorships"].select("mentor", "apprentice").unique()
    own = taught.filter(pl.col("mentor").is_in(leaving)).select("apprentice").unique()
    apprentices = taught.group_by(person="mentor").agg(apprentices=pl.len().cast(pl.Int64))
    shared = (
        taught.join(own, on="apprentice", how="semi")
        .group_by(person="mentor")
        .agg(shared_apprentices=pl.len().cast(pl.Int64))
    )
    at_studio = pl.concat(
        [
            frames["trainings"].filter(pl.col("place_id").is_in(studios)).select("person"),
            frames["leads"].filter(pl.col("studio_id").is_in(studios)).select("person"),
        ]
    ).unique()
    working = add_retirement_months(find_working_people(snapshot, policy.as_of))
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
        .with_columns(*_build_reasons(left, policy))
    )


def _mark(people: pl.LazyFrame, name: str) -> pl.LazyFrame:
    return people.with_columns(pl.lit(True).alias(name))


def _build_reasons(left: pl.DataFrame, policy: Policy) -> list[pl.Expr]:
    """The reasons that a person's own row decides; empty where it, or whom it is held against, does
    not say."""
    same = []
    for name, column in (
        ("same_occupation", "occupation_code"),
        ("same_enterprise", "enterprise_id"),
        ("same_province", "province"),
    ):
        values = left[column].drop_nulls().unique().to_list()
        holds = pl.col(column).is_in(values) if values else pl.lit(None, pl.Boolean)
        same.append(holds.alias(name))
    levels = left["level"].to_list()
    horizon = policy.as_of.year + STAY_YEARS, policy.as_of.month
    later = pl.col("statutory_first").dt.year() * 12 + pl.col("statutory_first").dt.month()
    return [
        *same,
        (pl.col("level") >= min(levels)).alias("level_reached"),
        (pl.col("shared_apprentices") > 0).alias("co_mentor"),
        (pl.col("apprentices") > 0).alias("has_apprentices"),
        (later.cast(pl.Int64) > horizon[0] * 12 + horizon[1]).alias("stays"),
    ]


def _add_names(people: pl.LazyFrame, snapshot: Snapshot) -> pl.LazyFrame:
    frames = snapshot.frames
    occupations = frames["occupations"].select(occupation_code="code", occupation="name")
    enterprises = frames["enterprises"].select("enterprise_id", enterprise="name")
    return people.join(occupations, on="occupation_code", how="left").join(
        enterprises, on="enterprise_id", how="left"
    )
