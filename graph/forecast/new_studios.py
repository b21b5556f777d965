"""New studios: who may open one and where, and the rows of those that were chosen.

A leader may open one who

- was named a leading talent by the as-of day, works, is high-skilled, and does not retire by the
  end of the window's last year
- leads no studio on the as-of day or later
- has a place free: fewer apprentices of mentorships that go on than `capacity`
- has a host: the enterprise that employs them, else a school at which they teach

Its members are people without a mentor whom no chain has reached, of the leader's occupation family
and place. For each it is worth 1 - (1 - chance) ^ record(leader), with the chance of those whom a
studio has just reached (`graph.forecast.coverage_choice`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl

from graph.dates import take_last_day
from graph.forecast.coverage_choice import ChosenStudio
from graph.labels import MetricColumnLabels
from graph.policy import Policy
from graph.snapshot.frames import Snapshot

STUDIO_COLUMNS: Final[MetricColumnLabels] = {
    "rank": ("rank", "次序"),
    "leader_id": ("leader", "领办人编号"),
    "leader": ("leader's name", "领办人姓名"),
    "gain": ("expected new driven workers", "预计新增带动人数"),
    "members": ("members (persons)", "成员（人）"),
    "record": ("leader's record", "领办人带徒成效"),
    "level": ("leader's level", "领办人技能等级"),
    "training": ("the leader's apprentices now", "领办人在带徒弟（人）"),
    "family": ("occupation family", "职业类别"),
    "occupation_code": ("leader's occupation", "领办人职业代码"),
    "province": ("province", "省份"),
    "host_kind": ("kind of host", "依托单位类别"),
    "host_id": ("host", "依托单位编号"),
    "host": ("host's name", "依托单位名称"),
    "start": ("opens on", "设立日期"),
}
MEMBER_COLUMNS: Final[MetricColumnLabels] = {
    "rank": ("rank of the studio", "工作室次序"),
    "leader_id": ("leader", "领办人编号"),
    "person_id": ("member", "成员编号"),
    "person": ("member's name", "成员姓名"),
    "gain": ("expected new driven workers", "预计新增带动人数"),
    "chance": ("chance of rising by the window's end", "期末前晋升概率"),
    "level": ("member's level", "成员技能等级"),
    "occupation_code": ("member's occupation", "成员职业代码"),
    "province": ("province", "省份"),
    "enterprise_id": ("member's enterprise", "成员企业编号"),
}
HOST_COLUMNS: Final = ("host_kind", "host_id", "host")


def find_founders(snapshot: Snapshot, policy: Policy, staff: pl.DataFrame) -> pl.DataFrame:
    """`staff` (person, ...) as far as they may open a studio, with `HOST_COLUMNS`.

    `staff` are people who work, stay, and have a place free. Nobody may where studios do not count.
    """
    hosts = _list_hosts(snapshot, policy)
    if "studio" not in policy.channels:
        return staff.clear().join(hosts, on="person")
    named = (pl.col("recognised_on") <= policy.as_of).fill_null(True)
    talents = snapshot.frames["talents"].filter(named).select("person")
    high = snapshot.frames["people"].filter(pl.col("level") >= policy.high_skilled_level)
    founders = staff.join(talents.collect(), on="person", how="semi")
    founders = founders.join(high.select("person").collect(), on="person", how="semi")
    if "leads" in snapshot.frames:
        leads = snapshot.frames["leads"]
        goes_on = pl.col("end").is_null() | (take_last_day(leads, "end") >= policy.as_of)
        leading = leads.filter(goes_on).select("person").collect()
        founders = founders.join(leading, on="person", how="anti")
    return founders.join(hosts, on="person")


def _list_hosts(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """person, `HOST_COLUMNS`: the enterprise, else the first school at which somebody teaches."""
    enterprises = snapshot.frames["enterprises"]
    named = "name" if "name" in enterprises.collect_schema() else "enterprise_id"
    at_work = (
        snapshot.frames["people"]
        .select("person", host_id=pl.col("enterprise_id").cast(pl.String))
        .drop_nulls()
        .join(enterprises.select(host_id="enterprise_id", host=named), on="host_id", how="left")
        .select("person", pl.lit("enterprise").alias("host_kind"), "host_id", "host")
        .collect()
    )
    if "teaching" not in snapshot.frames:
        return at_work
    teaching = snapshot.frames["teaching"]
    goes_on = pl.col("end").is_null() | (take_last_day(teaching, "end") >= policy.as_of)
    begun = (pl.col("start") <= policy.as_of).fill_null(True)
    schools = snapshot.frames["schools"].select(host_id="school_id", host="name")
    at_school = (
        teaching.filter(goes_on & begun)
        .select("person", host_id=pl.col("school_id").cast(pl.String))
        .sort("person", "host_id")
        .unique("person", keep="first", maintain_order=True)
        .join(schools, on="host_id", how="left")
        .select("person", pl.lit("school").alias("host_kind"), "host_id", "host")
        .collect()
        .join(at_work, on="person", how="anti")
    )
    return pl.concat([at_work, at_school])


def describe_studios(
    snapshot: Snapshot,
    policy: Policy,
    founders: pl.DataFrame,
    families: pl.DataFrame,
    chosen: Sequence[ChosenStudio],
) -> pl.DataFrame:
    """`STUDIO_COLUMNS`, in the order of the choice.

    `founders`: person, record, training and `HOST_COLUMNS`; `families`: cell, family.
    """
    rows = [
        (rank, studio.leader, studio.cell, studio.gain, len(studio.members))
        for rank, studio in enumerate(chosen, start=1)
    ]
    kinds = {
        "rank": pl.Int64,
        "person": pl.Int32,
        "cell": pl.UInt32,
        "gain": pl.Float64,
        "members": pl.Int64,
    }
    people = snapshot.frames["people"].select(
        "person",
        pl.col("level").cast(pl.Int64),
        "occupation_code",
        "province",
        leader_id="person_id",
        leader="name",
    )
    of_leader = founders.select("person", "record", "training", *HOST_COLUMNS).unique("person")
    return (
        pl.LazyFrame(rows, kinds, orient="row")
        .join(people, on="person", how="left")
        .join(of_leader.lazy(), on="person", how="left")
        .join(families.lazy(), on="cell", how="left")
        .with_columns(pl.col("training").cast(pl.Int64), start=pl.lit(policy.as_of))
        .sort("rank")
        .select(*STUDIO_COLUMNS)
        .collect()
    )


def describe_members(
    snapshot: Snapshot, seekers: pl.DataFrame, chosen: Sequence[ChosenStudio]
) -> pl.DataFrame:
    """`MEMBER_COLUMNS`: a row a studio and member. `seekers`: person, studio_chance."""
    rows = [
        (rank, studio.leader, person, gain)
        for rank, studio in enumerate(chosen, start=1)
        for person, gain in studio.members
    ]
    kinds = {"rank": pl.Int64, "leader": pl.Int32, "member": pl.Int32, "gain": pl.Float64}
    people = snapshot.frames["people"].select(
        pl.col("person").alias("member"),
        "person_id",
        pl.col("name").alias("person"),
        pl.col("level").cast(pl.Int64),
        "occupation_code",
        "province",
        "enterprise_id",
    )
    leaders = snapshot.frames["people"].select(leader="person", leader_id="person_id")
    chances = seekers.select(member="person", chance="studio_chance")
    return (
        pl.LazyFrame(rows, kinds, orient="row")
        .join(people, on="member", how="left")
        .join(leaders, on="leader", how="left")
        .join(chances.lazy(), on="member", how="left")
        .sort(["rank", "gain", "person_id"], descending=[False, True, False])
        .select(*MEMBER_COLUMNS)
        .collect()
    )
