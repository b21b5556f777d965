"""How far the headline and each talent's rank depend on the rules: ranges over all of them.

A rank that changes with a rule nobody can call wrong is no fact about the talent; the range over
all the rules is. After M. Saisana, A. Saltelli, S. Tarantola, "Uncertainty and sensitivity analysis
techniques as tools for the quality assessment of composite indicators", Journal of the Royal
Statistical Society A 168(2), 2005, 307-323.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import narwhals as nw
import polars as pl

from graph.driven.engines import IN_MEMORY, Frame
from graph.driven.figures import open_frames
from graph.driven.promotions import compute_credits, compute_events
from graph.driven.rounds import (
    collect_frame,
    compute_reach,
    list_carried_arrivals,
    take_fewest_generations,
)
from graph.driven.terms import CREDIT_COLUMNS
from graph.labels import MetricColumnLabels
from graph.policy import CHANNELS, UNDATED_CHOICES, Policy
from graph.snapshot.frames import Snapshot

# The generations of the grid, beside the policy's own.
BAND_GENERATIONS: Final = (1, 2, 3)
# Full credit is a way to count too.
CREDITING_WAYS: Final = ("driven", *CREDIT_COLUMNS)

COLUMNS: Final[MetricColumnLabels] = {
    "talent_id": ("leading talent", "领军人才编号"),
    "name": ("name", "姓名"),
    "driven": ("driven under the policy", "带动人数"),
    "rank": ("rank under the policy", "排名"),
    "rank_best": ("best rank under any rule", "最好排名"),
    "rank_worst": ("worst rank under any rule", "最差排名"),
    "driven_least": ("fewest driven under any rule", "最少带动人数"),
    "driven_most": ("most driven under any rule", "最多带动人数"),
    "equal_least": ("least equal credit", "最少均分人数"),
    "equal_most": ("most equal credit", "最多均分人数"),
    "generations": ("generations", "代数"),
    "channels": ("channels", "渠道"),
    "undated": ("undated links", "无日期的关系"),
    "driven_persons": ("driven persons", "带动人数（去重）"),
    "driven_person_times": ("person-times", "带动人次"),
    "sum_over_talents": ("sum over talents", "逐人合计"),
}


@dataclass(frozen=True)
class Band:
    """What `compute_rank_band` found.

    - talents: a row a leading talent: talent_id, name, driven and rank under the policy itself
      (full credit), rank_best and rank_worst over every policy of the grid and every way to credit,
      driven_least and driven_most over the grid, equal_least and equal_most
    - nation: a row a policy of the grid: generations (0 = no limit), channels, undated,
      driven_persons, driven_person_times, sum_over_talents
    """

    talents: pl.DataFrame
    nation: pl.DataFrame

    def table(self) -> pl.DataFrame:
        """`talents`."""
        return self.talents


def build_policy_grid(policy: Policy) -> list[Policy]:
    """The policies of the band, the given one first.

    Its window, level and order with 1, 2, 3 and its own generations, with mentorships alone and
    with studios too, with undated links left out and taken in.
    """
    limits = dict.fromkeys([policy.generations, *BAND_GENERATIONS])
    both = dict.fromkeys([policy.channels, CHANNELS, CHANNELS[:1]])
    undated = dict.fromkeys([policy.undated, *UNDATED_CHOICES])
    return [
        replace(policy, generations=limit, channels=channels, undated=dating)
        for dating in undated
        for channels in both
        for limit in limits
    ]


def compute_rank_band(snapshot: Snapshot, policy: Policy) -> Band:
    """The ranges; ranks are places by the figure, equal figures share the better place.

    Raises `UsageError` when the policy asks for more than fits in memory.
    """
    people = snapshot.frames["people"].select("person", "name", talent_id="person_id")
    talents = snapshot.frames["talents"].select("person").unique()
    base = talents.join(people, on="person").sort("talent_id").collect()
    nation, figures = [], []
    for one, counted, pairs in _count_policy_grid(snapshot, policy):
        figures.append(_compute_band_figures(base, collect_frame(pairs)))
        nation.append(_compute_nation_row(one, collect_frame(counted)))
    return Band(_compute_ranges(base, figures), pl.DataFrame(nation))


def compute_headline_band(snapshot: Snapshot, policy: Policy) -> pl.DataFrame:
    """The nation's figures under each policy of the grid: `Band.nation`."""
    return compute_rank_band(snapshot, policy).nation


def _count_policy_grid(snapshot: Snapshot, policy: Policy) -> Iterator[tuple[Policy, Frame, Frame]]:
    """Each policy of the grid with its events and pairs; one walk serves all of one dating."""
    frames = open_frames(snapshot.under(policy), IN_MEMORY)
    walked: dict[str, Frame] = {}
    for one in build_policy_grid(policy):
        if one.undated not in walked:
            widest = (
                None if policy.generations is None else max(policy.generations, *BAND_GENERATIONS)
            )
            widest_policy = replace(one, generations=widest, channels=CHANNELS)
            walked[one.undated] = compute_reach(frames["edges"], frames["talents"], widest_policy)
        part = filter_reach(walked[one.undated], one)
        counted = IN_MEMORY.keep(compute_events(part, frames["promotions"], one))
        yield one, counted, compute_credits(counted)


def filter_reach(reached: Frame, policy: Policy) -> Frame:
    """The part of a reach over all channels that a policy of fewer generations or channels has."""
    if policy.generations is not None:
        reached = reached.filter(nw.col("generation") <= policy.generations)
    if policy.channels == CHANNELS:
        return reached
    (channel,) = policy.channels
    alone = reached.filter(~nw.col(channel).is_null())
    if not list_carried_arrivals(policy):
        return take_fewest_generations(alone)
    return alone.select("talent", "person", arrival=nw.col(channel), generation="generation")


def _compute_band_figures(base: pl.DataFrame, pairs: pl.DataFrame) -> pl.DataFrame:
    """Of each talent of `base`, in its order: the figure by each of `CREDITING_WAYS`."""
    sums = pairs.group_by("talent").agg(pl.len().alias("driven"), pl.col(CREDIT_COLUMNS).sum())
    joined = base.join(sums, left_on="person", right_on="talent", how="left", maintain_order="left")
    # Rounded, so that sums of the same shares in another order stay equal.
    return joined.select(pl.col(CREDITING_WAYS).fill_null(0).cast(pl.Float64).round(9))


def _compute_nation_row(policy: Policy, counted: pl.DataFrame) -> dict[str, object]:
    first = counted.filter("first")
    return {
        "generations": policy.generations or 0,
        "channels": ",".join(policy.channels),
        "undated": policy.undated,
        "driven_persons": first["person"].n_unique(),
        "driven_person_times": counted.select("person", "day").n_unique(),
        "sum_over_talents": first.height,
    }


def _compute_ranges(base: pl.DataFrame, figures: list[pl.DataFrame]) -> pl.DataFrame:
    ranks = [found.select(pl.all().rank("min", descending=True)) for found in figures]
    every = [place for found in ranks for place in found.get_columns()]
    driven = [found["driven"] for found in figures]
    equal = [found["equal"] for found in figures]
    return base.select("talent_id", "name").with_columns(
        driven[0].cast(pl.Int64).alias("driven"),
        ranks[0]["driven"].cast(pl.Int64).alias("rank"),
        _compute_extreme("rank_best", every, least=True).cast(pl.Int64),
        _compute_extreme("rank_worst", every, least=False).cast(pl.Int64),
        _compute_extreme("driven_least", driven, least=True).cast(pl.Int64),
        _compute_extreme("driven_most", driven, least=False).cast(pl.Int64),
        _compute_extreme("equal_least", equal, least=True),
        _compute_extreme("equal_most", equal, least=False),
    )


def _compute_extreme(name: str, columns: list[pl.Series], *, least: bool) -> pl.Series:
    frame = pl.DataFrame([column.alias(str(place)) for place, column in enumerate(columns)])
    found = frame.min_horizontal() if least else frame.max_horizontal()
    return found.alias(name)
