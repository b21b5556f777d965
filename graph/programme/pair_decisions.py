"""Decisions on proposed mentorships and studios: stored in the notebook, exported as changes.

A decision is an entry of the notebook on a pair (`PAIRING_SCOPE`, mentor and apprentice) or on the
leader of a new studio (`STUDIO_SCOPE`), with a verdict, a note, the day on which it is to begin,
and of a studio its members and province. The newest one stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from graph.labels import MetricColumnLabels
from graph.programme.notebook import PAIR_SEPARATOR, Entry, Notebook
from graph.store.erasure import ERASED_MASK

PAIRING_SCOPE: Final = "pairing"
STUDIO_SCOPE: Final = "new_studios"
# What a studio is called before it is there, in front of its leader's id.
NEW_STUDIO_PREFIX: Final = "new-"
CHANGE_COLUMNS: Final[MetricColumnLabels] = {
    "change": ("change", "变动"),
    "on": ("begins on", "日期"),
    "person_id": ("mentor, leader or member", "师傅、领办人或成员编号"),
    "other_id": ("apprentice", "徒弟编号"),
    "studio_id": ("studio", "工作室编号"),
    "province": ("province", "省份"),
}


@dataclass(frozen=True)
class StudioToOpen:
    """A studio that was accepted: who leads it and trains there, from which day, and where."""

    leader_id: str
    start: date
    province: str
    member_ids: tuple[str, ...]


def format_pair(mentor_id: str, apprentice_id: str) -> str:
    """A pair as decisions name it."""
    return f"{mentor_id}{PAIR_SEPARATOR}{apprentice_id}"


def list_accepted_pairs(standing: Mapping[str, Entry]) -> list[tuple[str, str, date]]:
    """mentor_id, apprentice_id, start of the pairs that stand as accepted, by pair."""
    found = []
    for subject, entry in sorted(standing.items()):
        scope, _, pair = subject.partition(":")
        mentor, separator, apprentice = pair.partition(PAIR_SEPARATOR)
        if scope == PAIRING_SCOPE and separator and entry.body.get("verdict") == "accepted":
            start = str(entry.body.get("start") or entry.made_at[:10])
            found.append((mentor, apprentice, date.fromisoformat(start)))
    return found


def list_accepted_studios(standing: Mapping[str, Entry]) -> list[StudioToOpen]:
    """The new studios that stand as accepted, by leader; without members who were erased."""
    found = []
    for subject, entry in sorted(standing.items()):
        scope, _, leader = subject.partition(":")
        if scope == STUDIO_SCOPE and leader and entry.body.get("verdict") == "accepted":
            start = date.fromisoformat(str(entry.body.get("start") or entry.made_at[:10]))
            members = tuple(id for id in entry.body.get("members") or () if id != ERASED_MASK)
            province = str(entry.body.get("province") or "")
            found.append(StudioToOpen(leader, start, province, members))
    return found


def find_other_members(
    members: pl.DataFrame, accepted: Iterable[StudioToOpen]
) -> dict[str, StudioToOpen]:
    """Leader -> the studio as accepted, of those proposed now with other members.

    `members`: leader_id and person_id of the studios proposed under the rules of now.
    """
    proposed = dict(members.group_by("leader_id").agg("person_id").rows())
    return {
        studio.leader_id: studio
        for studio in accepted
        if studio.leader_id in proposed and {*studio.member_ids} != {*proposed[studio.leader_id]}
    }


def put_accepted_members(
    members: pl.DataFrame, others: Mapping[str, StudioToOpen], people: pl.DataFrame
) -> pl.DataFrame:
    """`members` (`graph.forecast.new_studios.MEMBER_COLUMNS`) with those of `others` as accepted.

    What a member adds is known of who is proposed now alone. `people`: person_id, person, level,
    occupation_code, province, enterprise_id.
    """
    pairs = [(leader, id) for leader, studio in others.items() for id in studio.member_ids]
    taken = pl.DataFrame(pairs, {"leader_id": pl.String, "person_id": pl.String}, orient="row")
    ranks = members.select("leader_id", "rank").unique("leader_id")
    values = members.select("leader_id", "person_id", "gain", "chance")
    accepted = (
        taken.join(ranks, on="leader_id", how="left", maintain_order="left")
        .join(values, on=["leader_id", "person_id"], how="left", maintain_order="left")
        .join(people, on="person_id", how="left", maintain_order="left")
    )
    unchanged = members.filter(~pl.col("leader_id").is_in([*others]))
    return pl.concat([unchanged, accepted.select(members.columns).cast(members.schema)]).sort(
        "rank", maintain_order=True
    )


def count_accepted_members(
    studios: pl.DataFrame, others: Mapping[str, StudioToOpen]
) -> pl.DataFrame:
    """`studios` (leader_id, members, gain, ...) with those of `others` as accepted.

    What they add with other members than those proposed now is not known.
    """
    numbers = {leader: len(studio.member_ids) for leader, studio in others.items()}
    other = pl.col("leader_id").is_in([*others])
    number = pl.col("leader_id").replace_strict(numbers, default=None, return_dtype=pl.Int64)
    return studios.with_columns(
        members=pl.when(other).then(number).otherwise(pl.col("members")),
        gain=pl.when(~other).then(pl.col("gain")),
    )


def list_mentorships_to_start(notebook: Notebook) -> pl.DataFrame:
    """mentor_id, apprentice_id, start: the accepted pairs as dated mentorships."""
    return pl.DataFrame(
        list_accepted_pairs(notebook.standing("decision")),
        {"mentor_id": pl.String, "apprentice_id": pl.String, "start": pl.Date},
        orient="row",
    )


def build_accepted_changes(notebook: Notebook) -> pl.DataFrame:
    """`CHANGE_COLUMNS`: the accepted mentorships and studios as a scenario takes them.

    A studio opens, and each member begins to train there on the same day.
    """
    standing = notebook.standing("decision")
    rows: list[dict[str, object]] = [
        {"change": "begin_mentorship", "on": start, "person_id": mentor, "other_id": apprentice}
        for mentor, apprentice, start in list_accepted_pairs(standing)
    ]
    for studio in list_accepted_studios(standing):
        there = {"on": studio.start, "studio_id": NEW_STUDIO_PREFIX + studio.leader_id}
        rows.append(
            there
            | {
                "change": "open_studio",
                "person_id": studio.leader_id,
                "province": studio.province or None,
            }
        )
        rows += [there | {"change": "begin_training", "person_id": id} for id in studio.member_ids]
    kinds = dict.fromkeys(CHANGE_COLUMNS, pl.String()) | {"on": pl.Date()}
    return pl.DataFrame(rows, kinds)
